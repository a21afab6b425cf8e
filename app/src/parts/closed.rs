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
            <div class="actions"><a class="button" href=back>{t!(cancel.back)}</a></div>
        </div>
    }
    .into_any()
}
