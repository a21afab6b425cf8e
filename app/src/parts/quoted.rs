//! What a change costs, spelled out: what is due now, every line of it, and what comes after.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Drawn, DrawnView, Fact, Facts, Icon, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// What is presented to confirm it.
    pub token: String,
    /// `Due now`
    pub label: String,
    pub due: String,
    /// When it counts, what pays for it, what comes next.
    pub facts: Vec<Fact>,
    /// Line by line; `None` where nothing is billed.
    pub bill: Option<Drawn>,
    /// Whether another quote was shown before, which did not hold any more.
    pub is_new: bool,
}

#[component]
pub fn QuotedView(quoted: Quoted) -> AnyView {
    view! {
        {quoted.is_new.then(|| view! { <Renewed/> })}
        <section class="card subscription" aria-labelledby="due">
            <h2 id="due" class="due">{quoted.label}</h2>
            <p class="price"><bdi class="figure">{quoted.due}</bdi></p>
            <Facts facts=quoted.facts/>
        </section>
        {quoted.bill.map(|piece| view! { <div class="bill"><DrawnView piece/></div> })}
    }
    .into_any()
}

/// Said where a quote did not hold any more.
#[component]
pub fn Renewed() -> AnyView {
    view! {
        <div class="alert warn" role="status">
            {icon(Icon::Info)}
            <div class="alert-text">
                <p class="alert-title">{t!(review.stale_title)}</p>
                <p>{t!(review.stale)}</p>
            </div>
        </div>
    }
    .into_any()
}
