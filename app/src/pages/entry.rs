//! Pages at the door, drawn by the server alone: the button behind a link, the end of a session, and dead ends.
//! They are used outside the router, after `text::provide`.

use billing::portal::branding::Brand;
use leptos::prelude::*;

use crate::parts::{self, Icon, Links, LinksView, icon};
use crate::present::frame::{links, mark, masked};
use crate::text::{Locale, say};

pub(super) fn locale() -> Locale {
    use_context::<Locale>().unwrap_or_default()
}

/// A link was opened by something that may not be a person: only the button goes on. `action` is the link's own path.
#[component]
pub fn ContinuePage(brand: Brand, email: Option<String>, action: String) -> impl IntoView {
    let locale = locale();
    view! {
        <Door links=links(&brand)>
            {large(&brand)}
            <h1>{say!(entry.continue.title, locale, merchant = brand.name)}</h1>
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

/// A used, expired or unknown link, or a session that has ended. `back` leads to the merchant, `login` to where a new link
/// is asked for.
#[component]
pub fn ExpiredPage(brand: Option<Brand>, back: Option<String>, login: Option<String>) -> impl IntoView {
    let locale = locale();
    let what = match &brand {
        Some(brand) => say!(entry.expired.what, locale, merchant = &brand.name),
        None => say!(entry.expired.anywhere, locale),
    };
    let way_back = brand.as_ref().zip(back).map(|(brand, back)| {
        view! {
            <a class="button primary wide" href=back rel="noreferrer" target="_top">
                {icon(Icon::Back)}{say!(frame.return, locale, merchant = &brand.name)}
            </a>
        }
    });
    view! {
        <Door links=brand.as_ref().map(links).unwrap_or_default()>
            {whose(brand.as_ref(), Icon::Expired)}
            <h1>{say!(entry.expired.title, locale)}</h1>
            <p>{say!(entry.expired.why, locale)}</p>
            <p>{what}</p>
            {way_back}
            {login.map(|login| view! { <a class="button wide" href=login>{say!(entry.expired.login, locale)}</a> })}
        </Door>
    }
}

/// An invoice's own link worked once, and does so no more.
#[component]
pub fn ExpiredInvoicePage(brand: Brand) -> impl IntoView {
    let locale = locale();
    view! {
        <Door links=links(&brand)>
            {whose(Some(&brand), Icon::Expired)}
            <h1>{say!(hosted.expired, locale)}</h1>
            <p>{say!(hosted.why, locale)}</p>
            <p>{say!(hosted.what, locale, merchant = brand.name)}</p>
        </Door>
    }
}

/// Whose page this is; where nobody is known, what has happened.
pub(super) fn whose(brand: Option<&Brand>, what: Icon) -> AnyView {
    let Some(brand) = brand else { return view! { <span class="badge large">{icon(what)}</span> }.into_any() };
    view! { <div class="whose">{parts::mark(mark(brand))}</div> }.into_any()
}

/// The mark where a heading says the name.
pub(super) fn large(brand: &Brand) -> AnyView {
    let mark = mark(brand);
    let drawn = if mark.logo.is_some() { parts::mark(mark) } else { parts::sign(mark.icon, mark.monogram) };
    view! { <div class="whose">{drawn}</div> }.into_any()
}

/// `brand` is that of the visitor's living session.
#[component]
pub fn MissingPage(brand: Option<Brand>) -> impl IntoView {
    let locale = locale();
    let home = brand.is_some().then(|| {
        view! { <a class="button primary wide" href="/">{say!(entry.missing.home, locale)}</a> }
    });
    view! {
        <Door links=brand.as_ref().map(links).unwrap_or_default()>
            {whose(brand.as_ref(), Icon::Missing)}
            <h1>{say!(entry.missing.title, locale)}</h1>
            <p>{say!(entry.missing.text, locale)}</p>
            {home}
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
pub(super) fn Door(#[prop(optional)] links: Links, children: Children) -> impl IntoView {
    view! {
        <div class="outside">
            <main id="main" class="door"><div class="card">{children()}</div></main>
            <LinksView links/>
        </div>
    }
}
