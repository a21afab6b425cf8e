//! A piece that only shows: drawn by the server alone. The browser puts it in its place and carries no code for it.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Drawn(String);

impl Drawn {
    /// Draws a view in which all words are said already: while data is read, no language is at hand for labels.
    #[cfg(feature = "ssr")]
    pub fn new<V: IntoView>(view: impl FnOnce() -> V) -> Self {
        Self(Owner::new().with(|| view().to_html()))
    }

    /// What an element's `inner_html` takes.
    pub fn html(self) -> String {
        self.0
    }
}

#[component]
pub fn DrawnView(piece: Drawn) -> AnyView {
    view! { <div inner_html=piece.html()></div> }.into_any()
}
