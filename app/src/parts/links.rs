//! The merchant's own pages, at the foot of every page of ours.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Links {
    /// A page, or `mailto:`.
    pub help: Option<String>,
    pub privacy: Option<String>,
    pub terms: Option<String>,
}

/// `sign_out` is what the way out of a session is called, where there is one.
#[component]
pub fn LinksView(links: Links, #[prop(optional_no_strip)] sign_out: Option<String>) -> AnyView {
    let named = [(links.help, t!(nav.help)), (links.privacy, t!(nav.privacy)), (links.terms, t!(nav.terms))];
    let links: Vec<AnyView> = named
        .into_iter()
        .filter_map(|(href, label)| Some((href?, label)))
        .map(|(href, label)| {
            view! { <li><a href=href rel="external noreferrer" target="_top">{label}</a></li> }.into_any()
        })
        .collect();
    if links.is_empty() && sign_out.is_none() {
        return ().into_any();
    }
    let named = (!links.is_empty()).then(|| view! { <nav aria-label=t!(nav.legal)><ul>{links}</ul></nav> });
    let out = sign_out.map(|label| view! { <a class="sign-out" href="/sign-out" rel="external">{label}</a> });
    view! { <footer class="bottom">{named}{out}</footer> }.into_any()
}
