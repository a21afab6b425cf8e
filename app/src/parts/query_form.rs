//! A form that asks for a page: what is chosen goes into the address, and nothing is changed.

use leptos::ev::SubmitEvent;
use leptos::form::form_data_from_event;
use leptos::prelude::*;
use leptos::web_sys::UrlSearchParams;
use leptos_router::hooks::use_navigate;

/// The browser's own GET form; once the page has been taken over, it is answered without loading anew.
#[component]
pub fn QueryForm(
    action: String,
    /// A landmark, where there is one of its kind on the page; with a name of its own then.
    #[prop(optional)]
    role: Option<&'static str>,
    #[prop(optional, into)] label: Option<String>,
    children: Children,
) -> AnyView {
    let navigate = use_navigate();
    let path = action.clone();
    let submit = move |event: SubmitEvent| {
        let Ok(data) = form_data_from_event(&event) else { return };
        let Ok(query) = UrlSearchParams::new_with_str_sequence_sequence(&data) else { return };
        event.prevent_default();
        navigate(&format!("{path}?{}", String::from(query.to_string())), Default::default());
    };
    view! { <form class="query" method="get" action=action role=role aria-label=label on:submit=submit>{children()}</form> }
        .into_any()
}
