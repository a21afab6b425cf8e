//! One invoice: what is billed to whom, for when, and what is left to pay.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{Drawn, DrawnView, Icon, Loaded, Page, Shown, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    pub title: String,
    pub sheet: Drawn,
}

#[server]
pub async fn read_invoice(id: String) -> Result<Shown> {
    use crate::present::sheet as present;
    let session = crate::session::Session::current()?;
    session.needs(|features| features.invoice_history.enabled)?;
    let mut tx = session.db.read().await?;
    let billed = present::read_own(&mut tx, &session, &id).await?;
    let files = present::own_files(&mut tx, &session, &billed.invoice).await?;
    let sheet = present::sheet(session.locale, &billed, &session.guest.merchant);
    let sheet = crate::parts::sheet::Sheet { files, ..sheet };
    let title = sheet.title.clone();
    Ok(session.show(&Invoice { title, sheet: Drawn::new(|| crate::parts::sheet::sheet(sheet)) }))
}

pub struct InvoicePage(Page);

#[lazy_route]
impl LazyRoute for InvoicePage {
    fn data() -> Self {
        let params = use_params_map();
        let id = move || params.with(|params| params.get("id")).unwrap_or_default();
        Self(Resource::new_blocking(id, read_invoice))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(|page, _| invoice(page))/> }.into_any()
    }
}

fn invoice(page: Invoice) -> AnyView {
    view! {
        <Title text=page.title/>
        <a class="back" href="/invoices">{icon(Icon::Back)}{t!(invoices.back)}</a>
        <DrawnView piece=page.sheet/>
    }
    .into_any()
}
