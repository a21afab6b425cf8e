//! How something stands: a pill of one or two words, and the facts that go with it.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// How urgent; the words say the same, colour is never alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tone {
    Good,
    Info,
    Warn,
    Bad,
    Quiet,
}

impl Tone {
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pill {
    pub tone: Tone,
    pub label: String,
}

#[component]
pub fn PillView(pill: Pill) -> AnyView {
    view! { <span class=format!("pill {}", pill.tone.class())>{pill.label}</span> }.into_any()
}

/// `Next charge`: `20 December 2026`, `€20.00 to Visa •••• 4242`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub label: String,
    pub value: String,
    pub hint: Option<String>,
}

#[component]
pub fn Facts(facts: Vec<Fact>) -> AnyView {
    let each = |fact: Fact| {
        let hint = fact.hint.map(|hint| view! { <span class="hint">{hint}</span> });
        view! {
            <div class="fact">
                <dt>{fact.label}</dt>
                <dd><strong class="value"><bdi>{fact.value}</bdi></strong>{hint}</dd>
            </div>
        }
        .into_any()
    };
    view! { <dl class="facts">{facts.into_iter().map(each).collect_view()}</dl> }.into_any()
}

/// What is paid and how often: the first thing the eye finds.
#[component]
pub fn Price(amount: Option<String>, every: Option<String>) -> AnyView {
    let Some(amount) = amount else { return ().into_any() };
    view! { <p class="price"><bdi class="figure">{amount}</bdi>" "<span class="every">{every}</span></p> }.into_any()
}
