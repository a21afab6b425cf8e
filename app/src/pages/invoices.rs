//! All invoices, newest first, page by page; found by a word, how they stand, or their year.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{Drawn, Icon, InvoiceRow, InvoiceRows, Loaded, Page, QueryForm, Select, Shown, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoices {
    pub rows: Vec<InvoiceRow>,
    /// `None` where there is nothing to look through.
    pub search: Option<Search>,
    /// Links to the pages before and after.
    pub newer: Option<String>,
    pub older: Option<String>,
    /// What of a year can be taken away.
    pub export: Option<Export>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// `Invoices of 2026`
    pub title: String,
    pub year: i64,
}

/// What the list can be narrowed to, and is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    pub text: String,
    pub statuses: Drawn,
    pub years: Drawn,
    pub is_narrowed: bool,
}

#[server]
pub async fn read_invoices(
    q: Option<String>,
    status: Option<String>,
    year: Option<String>,
    after: Option<String>,
    before: Option<String>,
) -> Result<Shown> {
    use crate::present::invoices::{Asked, read};
    let session = crate::session::Session::current()?;
    session.needs(|features| features.invoice_history.enabled)?;
    let mut tx = session.db.read().await?;
    let page = read(&mut tx, &session, Asked::new(q, status, year)?, after, before).await?;
    Ok(session.show(&page))
}

pub struct InvoicesPage(Page);

#[lazy_route]
impl LazyRoute for InvoicesPage {
    fn data() -> Self {
        let query = use_query_map();
        let asked = move || query.with(|query| ["q", "status", "year", "after", "before"].map(|name| query.get(name)));
        Self(Resource::new_blocking(asked, |[q, status, year, after, before]| {
            read_invoices(q, status, year, after, before)
        }))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(|page, _| invoices(page))/> }.into_any()
    }
}

fn invoices(page: Invoices) -> AnyView {
    let is_narrowed = page.search.as_ref().is_some_and(|search| search.is_narrowed);
    let rows = if page.rows.is_empty() {
        none(is_narrowed)
    } else {
        view! { <div class="card flush"><InvoiceRows rows=page.rows labelled_by="invoices"/></div> }.into_any()
    };
    view! {
        <Title text=t!(invoices.title)/>
        <h1 id="invoices">{t!(invoices.title)}</h1>
        {page.search.map(search)}
        {rows}
        {(page.newer.is_some() || page.older.is_some()).then(|| turns(page.newer, page.older))}
        {page.export.map(export)}
    }
    .into_any()
}

fn search(search: Search) -> AnyView {
    let all = search.is_narrowed.then(|| view! { <a class="button" href="/invoices">{t!(invoices.show_all)}</a> });
    view! {
        <QueryForm action="/invoices".to_owned() role="search" label=t!(invoices.search)>
            <div class="entry">
                <label class="field" for="field-q">{t!(invoices.search)}</label>
                // What has been typed stays in an entry, whatever its attribute says; so it is told as well.
                <input
                    id="field-q" type="search" name="q" value=search.text.clone() prop:value=search.text maxlength="100"
                    dir="auto"
                />
            </div>
            <Select name="status" label=t!(invoices.status) options=search.statuses/>
            <Select name="year" label=t!(invoices.year) options=search.years/>
            <div class="actions">
                <button type="submit" class="button">{icon(Icon::Search)}{t!(invoices.find)}</button>
                {all}
            </div>
        </QueryForm>
    }
    .into_any()
}

/// Links that the browser follows itself: they lead to files, not to pages.
fn export(export: Export) -> AnyView {
    let href = |name: &str| format!("/export/invoices.{name}?year={}", export.year);
    view! {
        <section aria-labelledby="export">
            <div class="heading"><h2 id="export">{export.title}</h2></div>
            <div class="actions">
                <a class="button" href=href("csv") rel="external" download="">{icon(Icon::Download)}{t!(export.table)}</a>
                <a class="button" href=href("zip") rel="external" download="">{icon(Icon::Download)}{t!(export.documents)}</a>
            </div>
        </section>
    }
    .into_any()
}

fn turns(newer: Option<String>, older: Option<String>) -> AnyView {
    let newer = newer
        .map(|href| view! { <a class="button" rel="prev" href=href>{icon(Icon::Previous)}{t!(invoices.newer)}</a> });
    let older = older
        .map(|href| view! { <a class="button older" rel="next" href=href>{t!(invoices.older)}{icon(Icon::Next)}</a> });
    view! { <nav class="turns" aria-label=t!(invoices.pages)>{newer}{older}</nav> }.into_any()
}

fn none(is_narrowed: bool) -> AnyView {
    let (title, text) = if is_narrowed {
        (t!(invoices.nothing.title), t!(invoices.nothing.text))
    } else {
        (t!(invoices.none.title), t!(invoices.none.text))
    };
    view! {
        <div class="card empty">
            <span class="badge large">{icon(Icon::Invoices)}</span>
            <h2>{title}</h2>
            <p>{text}</p>
        </div>
    }
    .into_any()
}
