//! Signing in by mail and signing out, drawn by the server alone: the address, the code, the choice, the way out.
//! They are used outside the router, after `text::provide`.

use billing::customer::Customer;
use billing::portal::branding::Brand;
use billing::subscription::{self, StatusFilter, SubscriptionFilter};
use billing::{Actor, Page, Result, Tx};
use leptos::prelude::*;

use super::entry::{Door, large, locale, whose};
use crate::parts::{Icon, icon};
use crate::present::frame::links;
use crate::present::standing;
use crate::text::{Locale, say};

/// What an entry that was sent is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    NoAddress,
    WrongCode,
    DeadCode,
}

impl Trouble {
    fn text(self, locale: Locale) -> String {
        match self {
            Self::NoAddress => say!(login.email_wrong, locale),
            Self::WrongCode => say!(login.code_wrong, locale),
            Self::DeadCode => say!(login.code_dead, locale),
        }
    }
}

/// Asks for an address. `action` is the page's own path, `destination` what the customer comes for.
#[component]
pub fn LoginPage(
    brand: Brand,
    action: String,
    destination: &'static str,
    email: String,
    trouble: Option<Trouble>,
) -> impl IntoView {
    let locale = locale();
    let described = trouble.map(|_| "trouble");
    view! {
        <Door links=links(&brand)>
            {large(&brand)}
            <h1>{say!(login.title, locale, merchant = &brand.name)}</h1>
            <p>{say!(login.text, locale, merchant = brand.name)}</p>
            <form method="post" action=action>
                <input type="hidden" name="destination" value=destination/>
                <div class="entry">
                    <label class="field" for="email">{say!(login.email, locale)}</label>
                    <input
                        id="email" type="email" name="email" value=email autocomplete="email" required maxlength="512" dir="ltr"
                        aria-invalid=trouble.map(|_| "true") aria-describedby=described
                    />
                </div>
                {trouble.map(|trouble| said(trouble, locale))}
                <button type="submit" class="button primary wide">{say!(login.ask, locale)}</button>
            </form>
        </Door>
    }
}

/// Says the same whoever has the address, if anybody, and takes the code. `again` is where another is asked for.
#[component]
pub fn SentPage(
    brand: Brand,
    email: Option<String>,
    action: String,
    again: String,
    trouble: Option<Trouble>,
) -> impl IntoView {
    let locale = locale();
    let merchant = &brand.name;
    let text = match &email {
        Some(email) => say!(login.sent.text, locale, email = email, merchant = merchant),
        None => say!(login.sent.text_plain, locale, merchant = merchant),
    };
    let is_dead = trouble == Some(Trouble::DeadCode);
    let described = trouble.map(|_| "trouble");
    let entry = (!is_dead).then(|| {
        view! {
            <form method="post" action=action>
                <div class="entry">
                    <label class="field" for="code">{say!(login.code, locale)}</label>
                    <input
                        id="code" type="text" name="code" class="code" inputmode="numeric" autocomplete="one-time-code" required
                        maxlength="12" dir="ltr" aria-invalid=trouble.map(|_| "true") aria-describedby=described
                    />
                </div>
                {trouble.map(|trouble| said(trouble, locale))}
                <button type="submit" class="button primary wide">{say!(login.go_on, locale)}</button>
            </form>
        }
    });
    let class = if is_dead { "button primary wide" } else { "quiet-link" };
    view! {
        <Door links=links(&brand)>
            {large(&brand)}
            <h1>{say!(login.sent.title, locale)}</h1>
            {(!is_dead).then(|| view! { <p>{text}</p> })}
            {is_dead.then(|| said(Trouble::DeadCode, locale))}
            {entry}
            {(!is_dead).then(|| view! { <p class="hint">{say!(login.sent.nothing, locale)}</p> })}
            <p><a class=class href=again>{say!(login.again, locale)}</a></p>
        </Door>
    }
}

fn said(trouble: Trouble, locale: Locale) -> AnyView {
    view! { <p id="trouble" class="trouble" role="alert">{icon(Icon::Warning)}<span>{trouble.text(locale)}</span></p> }
        .into_any()
}

/// One of those who share an address.
pub struct Choice {
    id: String,
    name: String,
    /// What is subscribed to.
    plans: String,
}

pub async fn choices(tx: &mut Tx, who: &Actor, locale: Locale, sharing: Vec<Customer>) -> Result<Vec<Choice>> {
    let mut choices = Vec::new();
    for one in sharing {
        let filter = SubscriptionFilter {
            customer: Some(one.id.clone()),
            status: StatusFilter::NotCanceled,
            ..SubscriptionFilter::default()
        };
        let held = subscription::list(tx, who, &Page::first(3), &filter).await?.data;
        let plans = held.iter().filter(|held| !held.status.is_ended()).map(standing::name).collect::<Vec<_>>();
        choices.push(Choice {
            id: one.id,
            name: one.name.unwrap_or_else(|| say!(login.choose.unnamed, locale)),
            plans: if plans.is_empty() { say!(login.choose.without, locale) } else { standing::all(plans) },
        });
    }
    Ok(choices)
}

/// The mailbox is proven, and several customers have its address.
#[component]
pub fn ChoosePage(brand: Brand, choices: Vec<Choice>) -> impl IntoView {
    let locale = locale();
    let each = |choice: Choice| {
        view! {
            <li>
                <button type="submit" name="customer" value=choice.id class="button wide choice">
                    <bdi>{choice.name}</bdi>
                    <span class="hint"><bdi>{choice.plans}</bdi></span>
                </button>
            </li>
        }
    };
    view! {
        <Door links=links(&brand)>
            {whose(Some(&brand), Icon::Person)}
            <h1>{say!(login.choose.title, locale)}</h1>
            <p>{say!(login.choose.text, locale)}</p>
            <form method="post" action="/choose">
                <ul class="choices">{choices.into_iter().map(each).collect_view()}</ul>
            </form>
        </Door>
    }
}

/// Somebody asks too often. `minutes` is how long to wait.
#[component]
pub fn OftenPage(brand: Option<Brand>, minutes: i64) -> impl IntoView {
    let locale = locale();
    view! {
        <Door links=brand.as_ref().map(links).unwrap_or_default()>
            {whose(brand.as_ref(), Icon::Expired)}
            <h1>{say!(login.often.title, locale)}</h1>
            <p>{say!(login.often.text, locale, minutes = minutes.to_string())}</p>
        </Door>
    }
}

/// Asks whether to sign out, and where.
#[component]
pub fn SignOutPage(brand: Brand) -> impl IntoView {
    let locale = locale();
    view! {
        <Door links=links(&brand)>
            {whose(Some(&brand), Icon::Person)}
            <h1>{say!(login.out.title, locale)}</h1>
            <p>{say!(login.out.text, locale, merchant = brand.name)}</p>
            <form method="post" action="/sign-out">
                <button type="submit" class="button primary wide">{say!(login.out.here, locale)}</button>
                <button type="submit" name="everywhere" value="true" class="button wide">{say!(login.out.everywhere, locale)}</button>
            </form>
            <a class="quiet-link" href="/">{say!(login.out.stay, locale)}</a>
        </Door>
    }
}

/// `login` is where one comes in again, `back` leads to the merchant.
#[component]
pub fn SignedOutPage(brand: Brand, back: Option<String>, login: Option<String>) -> impl IntoView {
    let locale = locale();
    let way_back = back.map(|back| {
        view! {
            <a class="button primary wide" href=back rel="noreferrer" target="_top">
                {icon(Icon::Back)}{say!(frame.return, locale, merchant = &brand.name)}
            </a>
        }
    });
    view! {
        <Door links=links(&brand)>
            {whose(Some(&brand), Icon::Done)}
            <h1>{say!(login.out.done, locale)}</h1>
            <p>{say!(login.out.done_text, locale, merchant = &brand.name)}</p>
            {way_back}
            {login.map(|login| view! { <a class="button wide" href=login>{say!(entry.expired.login, locale)}</a> })}
        </Door>
    }
}
