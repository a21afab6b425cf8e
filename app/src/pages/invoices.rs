//! All invoices, newest first, page by page.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{Icon, InvoiceRow, InvoiceRows, Loaded, Shown, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoices {
    pub rows: Vec<InvoiceRow>,
    /// The invoice that the newer ones come before.
    pub newer: Option<String>,
    /// The invoice that the older ones come after.
    pub older: Option<String>,
}

#[server]
pub async fn read_invoices(after: Option<String>, before: Option<String>) -> Result<Shown> {
    let session = crate::session::Session::current()?;
    if !session.guest.configuration.features.invoice_history.enabled {
        return Err(crate::error::Error::Forbidden);
    }
    let mut tx = session.db.read().await?;
    let page = crate::present::invoices::read(&mut tx, &session, after, before).await?;
    Ok(session.show(&page))
}

#[component]
pub fn InvoicesPage() -> impl IntoView {
    let query = use_query_map();
    let asked = move || query.with(|query| (query.get("after"), query.get("before")));
    let page = Resource::new_blocking(asked, |(after, before)| read_invoices(after, before));
    view! { <Loaded page view=|shown| shown.draw(|page, _| invoices(page))/> }
}

fn invoices(page: Invoices) -> AnyView {
    let rows = if page.rows.is_empty() {
        none()
    } else {
        view! { <div class="card flush"><InvoiceRows rows=page.rows labelled_by="invoices"/></div> }.into_any()
    };
    view! {
        <Title text=t!(invoices.title)/>
        <h1 id="invoices">{t!(invoices.title)}</h1>
        {rows}
        {(page.newer.is_some() || page.older.is_some()).then(|| turns(page.newer, page.older))}
    }
    .into_any()
}

fn turns(newer: Option<String>, older: Option<String>) -> AnyView {
    let newer = newer.map(|id| {
        let href = format!("/invoices?before={id}");
        view! { <a class="button" rel="prev" href=href>{icon(Icon::Previous)}{t!(invoices.newer)}</a> }
    });
    let older = older.map(|id| {
        let href = format!("/invoices?after={id}");
        view! { <a class="button older" rel="next" href=href>{t!(invoices.older)}{icon(Icon::Next)}</a> }
    });
    view! { <nav class="turns" aria-label=t!(invoices.pages)>{newer}{older}</nav> }.into_any()
}

fn none() -> AnyView {
    view! {
        <div class="card empty">
            <span class="badge large">{icon(Icon::Invoices)}</span>
            <h2>{t!(invoices.none.title)}</h2>
            <p>{t!(invoices.none.text)}</p>
        </div>
    }
    .into_any()
}
