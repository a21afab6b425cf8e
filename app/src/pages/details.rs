//! Billing details: how the customer is named, reached and billed, and the way to change it.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{Loaded, Notice, Shown};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    pub blocks: Vec<Block>,
    pub note: String,
    /// What has just been done, where the books agree that it was.
    pub done: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub part: String,
    pub title: String,
    pub lines: Vec<String>,
    /// Where there is nothing yet.
    pub none: Option<String>,
    /// Where it can be changed, if it may be.
    pub edit: Option<String>,
}

/// `done` is what the page is said to come from; it is believed only where the books agree.
#[server]
pub async fn read_details(done: Option<String>) -> Result<Shown> {
    use crate::present::details as present;
    let session = crate::session::Session::current()?;
    let mut tx = session.db.read().await?;
    let done = present::just_done(&mut tx, &session, done.as_deref()).await?;
    Ok(session.show(&present::view(&session, done)))
}

#[component]
pub fn DetailsPage() -> impl IntoView {
    let query = use_query_map();
    let done = move || query.with(|query| query.get("done"));
    let page = Resource::new_blocking(done, read_details);
    view! { <Loaded page view=|shown| shown.draw(|page, _| details(page))/> }
}

fn details(page: Details) -> AnyView {
    view! {
        <Title text=t!(details.title)/>
        {page.done.map(|text| view! { <Notice text href="/details".to_owned()/> })}
        <h1>{t!(details.title)}</h1>
        <p class="muted">{page.note}</p>
        {page.blocks.into_iter().map(block).collect_view()}
    }
    .into_any()
}

fn block(block: Block) -> AnyView {
    let id = format!("block-{}", block.part);
    let edit =
        block.edit.map(|href| view! { <a class="onward" href=href aria-describedby=id.clone()>{t!(details.edit)}</a> });
    let lines = block.lines.into_iter().map(|line| view! { <bdi>{line}</bdi> }).collect_view();
    view! {
        <section aria-labelledby=id.clone()>
            <div class="heading"><h2 id=id.clone()>{block.title}</h2>{edit}</div>
            <div class="card party"><p>{lines}</p>{block.none.map(|none| view! { <p class="muted">{none}</p> })}</div>
        </section>
    }
    .into_any()
}
