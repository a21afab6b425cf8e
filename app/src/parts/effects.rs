//! What something would do: the weightiest first, and larger.

use leptos::prelude::*;

use super::{Icon, icon};
use crate::text::t;

#[component]
pub fn Effects(effects: Vec<String>) -> AnyView {
    let mut effects = effects.into_iter();
    let first = effects.next();
    view! {
        <section class="card effects" aria-labelledby="what">
            <h2 id="what">{t!(cancel.what)}</h2>
            <p class="first">{icon(Icon::Calendar)}<span>{first}</span></p>
            <ul>{effects.map(|effect| view! { <li>{effect}</li> }).collect_view()}</ul>
        </section>
    }
    .into_any()
}
