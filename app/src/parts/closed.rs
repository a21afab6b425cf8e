//! A page whose matter cannot be done now: why, and the way back.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Icon, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub title: String,
    pub text: String,
}

#[component]
pub fn ClosedView(closed: Closed, back: String) -> AnyView {
    view! {
        <div class="card empty">
            <span class="badge large">{icon(Icon::Info)}</span>
            <h2>{closed.title}</h2>
            <p>{closed.text}</p>
            <div class="actions">{aside(back, t!(cancel.back))}</div>
        </div>
    }
    .into_any()
}

/// The way back from something left undone. Out of the portal it is none of the router's.
pub fn aside(href: String, label: String) -> AnyView {
    let rel = (href == "/leave").then_some("external");
    view! { <a class="button" href=href rel=rel>{label}</a> }.into_any()
}
