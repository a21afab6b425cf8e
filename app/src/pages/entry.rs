//! Pages at the door, drawn by the server alone: the button behind a link, the end of a session, and dead ends.
//! They are used outside the router, after `text::provide`.

use leptos::prelude::*;

use crate::parts::{Icon, icon};
use crate::present::frame::{masked, monogram};
use crate::text::{Locale, say};

fn locale() -> Locale {
    use_context::<Locale>().unwrap_or_default()
}

/// A link was opened by something that may not be a person: only the button goes on. `action` is the link's own path.
#[component]
pub fn ContinuePage(merchant: String, email: Option<String>, action: String) -> impl IntoView {
    let locale = locale();
    let initial = monogram(&merchant);
    view! {
        <Door>
            <span class="monogram large" aria-hidden="true">{initial}</span>
            <h1>{say!(entry.continue.title, locale, merchant = merchant)}</h1>
            <p>{say!(entry.continue.text, locale)}</p>
            {email.map(|email| view! {
                <p class="account"><span class="hint">{say!(entry.continue.account, locale)}</span>" "<bdi dir="ltr">{masked(&email)}</bdi></p>
            })}
            <form method="post" action=action>
                <button type="submit" class="button primary wide">{say!(entry.continue.button, locale)}</button>
            </form>
            <p class="hint">{say!(entry.continue.once, locale)}</p>
        </Door>
    }
}

/// A used, expired or unknown link, or a session that has ended. `back` leads to the merchant.
#[component]
pub fn ExpiredPage(merchant: Option<String>, back: Option<String>) -> impl IntoView {
    let locale = locale();
    let what = match &merchant {
        Some(merchant) => say!(entry.expired.what, locale, merchant = merchant),
        None => say!(entry.expired.anywhere, locale),
    };
    let way_back = merchant.clone().zip(back).map(|(merchant, back)| {
        view! {
            <a class="button primary wide" href=back rel="noreferrer">
                {icon(Icon::Back)}{say!(frame.return, locale, merchant = merchant)}
            </a>
        }
    });
    view! {
        <Door>
            {match &merchant {
                Some(name) => view! { <span class="monogram large" aria-hidden="true">{monogram(name)}</span> }.into_any(),
                None => view! { <span class="badge large">{icon(Icon::Expired)}</span> }.into_any(),
            }}
            {merchant.map(|name| view! { <p class="merchant-name" dir="auto">{name}</p> })}
            <h1>{say!(entry.expired.title, locale)}</h1>
            <p>{say!(entry.expired.why, locale)}</p>
            <p>{what}</p>
            {way_back}
        </Door>
    }
}

#[component]
pub fn MissingPage(signed_in: bool) -> impl IntoView {
    let locale = locale();
    view! {
        <Door>
            <span class="badge large">{icon(Icon::Missing)}</span>
            <h1>{say!(entry.missing.title, locale)}</h1>
            <p>{say!(entry.missing.text, locale)}</p>
            {signed_in.then(|| view! { <a class="button primary wide" href="/">{say!(entry.missing.home, locale)}</a> })}
        </Door>
    }
}

/// A form that no page of ours sent.
#[component]
pub fn RefusedPage() -> impl IntoView {
    let locale = locale();
    view! {
        <Door>
            <span class="badge large">{icon(Icon::Warning)}</span>
            <h1>{say!(entry.refused.title, locale)}</h1>
            <p>{say!(entry.refused.text, locale)}</p>
        </Door>
    }
}

#[component]
pub fn BrokenPage() -> impl IntoView {
    let locale = locale();
    view! {
        <Door>
            <span class="badge large">{icon(Icon::Warning)}</span>
            <h1>{say!(entry.broken.title, locale)}</h1>
            <p>{say!(entry.broken.text, locale)}</p>
        </Door>
    }
}

/// One card in the middle of the page.
#[component]
fn Door(children: Children) -> impl IntoView {
    view! { <main id="main" class="door"><div class="card">{children()}</div></main> }
}
