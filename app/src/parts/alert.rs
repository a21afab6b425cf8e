//! What needs attention: what is wrong, in plain words, and where to look.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Icon, Tone, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub tone: Tone,
    pub title: String,
    pub text: String,
    /// Where the matter can be seen.
    pub href: Option<String>,
}

#[component]
pub fn Alerts(alerts: Vec<Alert>) -> AnyView {
    if alerts.is_empty() {
        return ().into_any();
    }
    let each = |alert: Alert| {
        let link = alert.href.map(|href| view! { <a class="button small" href=href>{t!(overview.details)}</a> });
        view! {
            <li class=format!("alert {}", alert.tone.class())>
                {icon(Icon::Warning)}
                <div class="alert-text">
                    <h3>{alert.title}</h3>
                    <p>{alert.text}</p>
                </div>
                {link}
            </li>
        }
        .into_any()
    };
    view! {
        <section class="alerts" aria-labelledby="attention">
            <h2 id="attention" class="spoken">{t!(overview.attention)}</h2>
            <ul>{alerts.into_iter().map(each).collect_view()}</ul>
        </section>
    }
    .into_any()
}
