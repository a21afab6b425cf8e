//! What is still to pay, why it was not paid, and the one button that pays it.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Form, FormKeys, Icon, icon};
use crate::error::Result;
use crate::pages::invoice::PayInvoice;
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paying {
    pub invoice: String,
    /// Why the last try got nothing, and what may be done.
    pub trouble: Option<String>,
    pub way: PayWay,
    /// Where another card is given, if it may be.
    pub other: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PayWay {
    /// `Pay €19.00 now`, `with Visa •••• 4242`
    Pay {
        label: String,
        with: String,
    },
    /// The customer is still to confirm.
    Confirm {
        href: String,
    },
    /// Nothing is known yet, in words: no button, so that nothing is paid twice.
    Waiting(String),
    /// There is nothing to pay with.
    Nothing(String),
    Closed,
}

#[component]
pub fn PayingView(paying: Paying, form: Form, action: ServerAction<PayInvoice>) -> AnyView {
    let trouble = paying.trouble.map(|text| view! { <p class="trouble">{icon(Icon::Warning)}<span>{text}</span></p> });
    let other = paying.other.map(|href| view! { <a class="button" href=href>{t!(repair.another)}</a> });
    let way = match paying.way {
        PayWay::Pay { label, with } => view! {
            <ActionForm action>
                <FormKeys form/>
                <input type="hidden" name="id" value=paying.invoice/>
                <p class="hint with">{with}</p>
                <div class="actions">
                    <button type="submit" class="button primary" disabled=move || action.pending().get()>{label}</button>
                    {other}
                </div>
            </ActionForm>
        }
        .into_any(),
        PayWay::Confirm { href } => view! {
            <p>{t!(repair.confirm_text)}</p>
            <div class="actions"><a class="button primary" href=href>{t!(repair.confirm)}</a>{other}</div>
        }
        .into_any(),
        PayWay::Waiting(text) => view! { <p class="hint">{text}</p> }.into_any(),
        PayWay::Nothing(text) => view! { <p class="hint">{text}</p><div class="actions">{other}</div> }.into_any(),
        PayWay::Closed => ().into_any(),
    };
    view! { <div class="paying">{trouble}{way}</div> }.into_any()
}

/// What is said of a try to pay that was refused as such.
pub fn pay_failure(action: ServerAction<PayInvoice>) -> impl Fn() -> Option<AnyView> {
    move || {
        let error = action.value().get().and_then(Result::err);
        error.map(|error| view! { <super::FormFailure error/> }.into_any())
    }
}
