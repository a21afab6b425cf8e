//! Entries of a form, as the server describes them: labels, order and what is required differ by country and language.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::Drawn;
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    pub label: String,
    pub value: String,
    /// What browsers fill in by themselves: `postal-code`.
    pub autocomplete: String,
    pub required: bool,
    /// In characters.
    pub longest: u32,
}

/// One of a list, by the word that is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

#[component]
pub fn Fields(fields: Vec<Field>) -> AnyView {
    let each = |field: Field| {
        let id = format!("field-{}", field.name);
        let kind = if field.autocomplete.ends_with("tel") { "tel" } else { "text" };
        let optional = (!field.required).then(|| view! { " "<span class="hint">{t!(form.optional)}</span> });
        view! {
            <div class="entry">
                <label class="field" for=id.clone()>{field.label}{optional}</label>
                <input
                    id=id type=kind name=field.name value=field.value autocomplete=field.autocomplete
                    required=field.required maxlength=field.longest dir="auto"
                />
            </div>
        }
        .into_any()
    };
    // Drawn anew with each form: what was typed under one label never stays in the entry that takes its place.
    view! {
        <div class="entries"><For each=move || fields.clone() key=|field| field.name.clone() children=each/></div>
    }
    .into_any()
}

/// A list to choose one from; its options are drawn by the server, since there may be hundreds.
#[component]
pub fn Select(name: &'static str, label: String, options: Drawn) -> AnyView {
    let id = format!("field-{name}");
    view! {
        <div class="entry">
            <label class="field" for=id.clone()>{label}</label>
            <select id=id name=name inner_html=options.html()></select>
        </div>
    }
    .into_any()
}

#[cfg(feature = "ssr")]
pub fn options(choices: Vec<Choice>) -> Drawn {
    Drawn::new(|| {
        let each = |choice: Choice| view! { <option value=choice.value selected=choice.chosen>{choice.label}</option> };
        choices.into_iter().map(each).collect_view()
    })
}
