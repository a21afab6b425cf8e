//! One invoice: what is billed to whom, for when, and what is left to pay.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{Drawn, DrawnView, Form, Icon, Loaded, Notice, Page, Paying, PayingView, Shown, icon, pay_failure};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    pub title: String,
    pub sheet: Drawn,
    /// What is left to pay, and how.
    pub paying: Option<Paying>,
    /// What has just been done, where the books agree that it was.
    pub done: Option<String>,
}

#[server]
pub async fn read_invoice(id: String, done: Option<String>) -> Result<Shown> {
    use crate::present::{paying, sheet as present};
    let session = crate::session::Session::current()?;
    session.needs(|features| features.invoice_history.enabled)?;
    let mut tx = session.db.read().await?;
    let billed = present::read_own(&mut tx, &session, &id).await?;
    let files = present::own_files(&mut tx, &session, &billed.invoice).await?;
    let sheet = present::sheet(session.locale, &billed, &session.guest.merchant);
    let sheet = crate::parts::sheet::Sheet { files, ..sheet };
    let title = sheet.title.clone();
    let paying = paying::of(&mut tx, &session, &billed.invoice).await?;
    let done = done.is_some().then(|| paying::just_paid(session.locale, &billed.invoice)).flatten();
    Ok(session.show(&Invoice { title, sheet: Drawn::new(|| crate::parts::sheet::sheet(sheet)), paying, done }))
}

/// Charges it once, however often the button is pressed; leads to wherever what came of it is told.
#[server]
pub async fn pay_invoice(session: String, key: String, id: String) -> Result<()> {
    let session = crate::session::Session::of_form(&session, key)?;
    let to = crate::present::paying::pay(&session, &id).await?;
    leptos_axum::redirect(&to);
    Ok(())
}

pub struct InvoicePage(Page);

#[lazy_route]
impl LazyRoute for InvoicePage {
    fn data() -> Self {
        let (params, query) = (use_params_map(), use_query_map());
        let id = move || params.with(|params| params.get("id")).unwrap_or_default();
        let asked = move || (id(), query.with(|query| query.get("done")));
        Self(Resource::new_blocking(asked, |(id, done)| read_invoice(id, done)))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(invoice)/> }.into_any()
    }
}

fn invoice(page: Invoice, form: Form) -> AnyView {
    let pay = ServerAction::<PayInvoice>::new();
    let paying = page.paying.map(|paying| {
        view! { <section class="card" aria-label=t!(repair.pay)><PayingView paying form action=pay/></section> }
    });
    view! {
        <Title text=page.title/>
        {page.done.map(|text| view! { <Notice text href="/invoices".to_owned()/> })}
        <a class="back" href="/invoices">{icon(Icon::Back)}{t!(invoices.back)}</a>
        {pay_failure(pay)}
        {paying}
        <DrawnView piece=page.sheet/>
    }
    .into_any()
}
