//! A payment method: what it is, its last digits, until when it is good. Never a number.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Icon, Pill, PillView, icon};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MethodKind {
    Card,
    Bank,
    Phone,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    pub kind: MethodKind,
    /// `Visa`
    pub name: String,
    /// `4242`
    pub digits: String,
    /// `Visa ending in 4242`, for those who listen.
    pub spoken: String,
    /// `Expires December 2027`
    pub expiry: Option<String>,
    /// Expired, or soon to be.
    pub pill: Option<Pill>,
}

#[component]
pub fn MethodView(method: Method) -> AnyView {
    let shape = match method.kind {
        MethodKind::Card => Icon::Card,
        MethodKind::Bank => Icon::Bank,
        MethodKind::Phone => Icon::Phone,
    };
    view! {
        <div class="method">
            <span class="badge">{icon(shape)}</span>
            <div class="method-text">
                <p class="method-name">
                    <span class="spoken">{method.spoken}</span>
                    <bdi aria-hidden="true">{method.name}" "<span class="digits">"•••• "{method.digits}</span></bdi>
                </p>
                {method.expiry.map(|expiry| view! { <p class="hint">{expiry}</p> })}
            </div>
            {method.pill.map(|pill| view! { <PillView pill/> })}
        </div>
    }
    .into_any()
}
