//! On the way to a customer's bank, and back from it: the page that leads there, since no form of ours leaves the site.

use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use leptos_router::hooks::use_query_map;
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{Icon, Loaded, Page, Shown, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub text: String,
    /// The bank's page.
    pub href: String,
    /// Whether that is gone to by itself: not by whoever has just come from there.
    pub goes_on: bool,
    pub leave: String,
}

/// `setup` or `invoice` is what waits to be confirmed. What does not wait leads on at once.
#[server]
pub async fn read_confirmation(
    setup: Option<String>,
    invoice: Option<String>,
    next: Option<String>,
    back: Option<String>,
) -> Result<Shown> {
    use crate::present::confirm as present;
    let session = crate::session::Session::current()?;
    let found = present::read(&session, setup, invoice, next, back.is_some()).await?;
    Ok(session.show(&found))
}

pub struct ConfirmPage(Page);

#[lazy_route]
impl LazyRoute for ConfirmPage {
    fn data() -> Self {
        let query = use_query_map();
        let asked = move || query.with(|q| (q.get("setup"), q.get("invoice"), q.get("next"), q.get("back")));
        Self(Resource::new_blocking(asked, |(setup, invoice, next, back)| {
            read_confirmation(setup, invoice, next, back)
        }))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(|page, _| confirmation(page))/> }.into_any()
    }
}

fn confirmation(page: Confirmation) -> AnyView {
    let refresh = format!("1; url={}", page.href);
    let onward = page.goes_on.then(|| view! { <Meta http_equiv="refresh" content=refresh/> });
    view! {
        <Title text=t!(confirm.title)/>
        {onward}
        <div class="card empty">
            <span class="badge large">{icon(Icon::Lock)}</span>
            <h1 tabindex="-1">{t!(confirm.title)}</h1>
            <p>{page.text}</p>
            <div class="actions">
                <a class="button primary" href=page.href rel="external">{t!(confirm.onward)}</a>
                <a class="button" href=page.leave>{t!(confirm.leave)}</a>
            </div>
        </div>
    }
    .into_any()
}
