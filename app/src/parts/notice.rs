//! What has just been done, said once at the top of the page that shows it.

use leptos::html;
use leptos::prelude::*;

use super::{Icon, icon};
use crate::text::t;

/// Takes the focus, so that those who listen hear it first. `href` is the page without it.
#[component]
pub fn Notice(text: String, href: String) -> AnyView {
    let here = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let Some(element) = here.get() {
            let _ = element.focus();
        }
    });
    view! {
        <div class="notice" role="status" tabindex="-1" node_ref=here>
            {icon(Icon::Done)}
            <p>{text}</p>
            <a class="close" href=href aria-label=t!(notice.close)>{icon(Icon::Close)}</a>
        </div>
    }
    .into_any()
}
