//! Texts in the reader's language. Every key is known to the compiler; the browser gets the labels of one language,
//! everything with a value in it is said by the server.

use std::sync::Arc;

use leptos::prelude::*;

#[cfg(feature = "ssr")]
mod server;
#[cfg(feature = "ssr")]
pub use server::*;

include!(concat!(env!("OUT_DIR"), "/keys.rs"));

/// The labels of one language, in the order that the build gave them.
#[derive(Clone, Default)]
pub struct Texts(Arc<Vec<String>>);

impl Texts {
    pub fn new(labels: Vec<String>) -> Self {
        Self(Arc::new(labels))
    }

    /// The labels that the document carries. In the browser only, before the app starts.
    pub fn of_document() -> Self {
        let script = document().get_element_by_id("texts").and_then(|script| script.text_content());
        Self::new(script.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
    }
}

/// What `t!` says. Empty outside of a page, as when routes are listed at start.
pub fn label(index: usize) -> String {
    use_context::<Texts>().and_then(|texts| texts.0.get(index).cloned()).unwrap_or_default()
}
