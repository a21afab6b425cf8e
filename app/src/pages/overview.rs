//! The overview: what is paid, when, how, and whether anything is wrong.

use leptos::prelude::*;
use leptos_meta::Title;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{
    Alert, Alerts, Fact, Facts, Icon, InvoiceRow, InvoiceRows, Loaded, Method, MethodView, Pill, PillView, Price,
    Shown, icon,
};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// Whether all is well, and what is paid next.
    pub glance: Vec<String>,
    pub alerts: Vec<Alert>,
    pub running: Vec<Card>,
    /// Where plans are bought, if they may be.
    pub subscribe: Option<String>,
    pub ended: Vec<Card>,
    pub method: Option<Method>,
    /// Whether there is a page to manage them.
    pub has_methods: bool,
    /// `None` where this portal shows no invoices.
    pub invoices: Option<Vec<InvoiceRow>>,
    pub more_invoices: bool,
}

/// A subscription at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    pub href: String,
    pub name: String,
    pub price: Option<String>,
    pub every: Option<String>,
    pub pill: Pill,
    pub facts: Vec<Fact>,
    /// Where its plan is changed, if it may be.
    pub change: Option<String>,
}

#[server]
pub async fn read_overview() -> Result<Shown> {
    use crate::present::overview as present;
    let session = crate::session::Session::current()?;
    let mut tx = session.db.read().await?;
    let books = present::read(&mut tx, &session).await?;
    Ok(session.show(&present::view(session.locale, &books)))
}

#[component]
pub fn OverviewPage() -> impl IntoView {
    let page = Resource::new_blocking(|| (), |()| read_overview());
    view! { <Loaded page view=|shown| shown.draw(|page, _| overview(page))/> }
}

fn overview(page: Overview) -> AnyView {
    let nothing_runs = page.running.is_empty();
    let any_invoice = page.invoices.as_ref().is_some_and(|rows| !rows.is_empty());
    let shows_method = page.method.is_some() || !nothing_runs;
    view! {
        <Title text=t!(overview.title)/>
        <h1>{t!(overview.title)}</h1>
        {page.glance.into_iter().map(|line| view! { <p class="glance">{line}</p> }).collect_view()}
        <Alerts alerts=page.alerts/>
        <section aria-labelledby="subscriptions">
            <h2 id="subscriptions" class="spoken">{t!(overview.subscriptions)}</h2>
            {nothing_runs.then(|| nothing(any_invoice, page.subscribe))}
            {page.running.into_iter().map(card).collect_view()}
        </section>
        {shows_method.then(|| method(page.method, page.has_methods))}
        {page.invoices.filter(|_| any_invoice).map(|rows| recent(rows, page.more_invoices))}
        {(!page.ended.is_empty()).then(|| ended(page.ended))}
    }
    .into_any()
}

fn card(card: Card) -> AnyView {
    let id = format!("name-{}", card.href.rsplit('/').next().unwrap_or_default());
    view! {
        <article class="card subscription" aria-labelledby=id.clone()>
            <header>
                <h3 id=id.clone()><bdi>{card.name}</bdi></h3>
                <PillView pill=card.pill/>
            </header>
            <Price amount=card.price every=card.every/>
            <div class="foot">
                <Facts facts=card.facts/>
                <div class="actions">
                    {card.change.map(|href| view! { <a class="button" href=href aria-describedby=id.clone()>{t!(overview.change)}</a> })}
                    <a class="button" href=card.href aria-describedby=id.clone()>{t!(overview.manage)}</a>
                </div>
            </div>
        </article>
    }
    .into_any()
}

/// Nobody pays for anything: said kindly, and where the past is.
fn nothing(any_invoice: bool, subscribe: Option<String>) -> AnyView {
    let subscribe = subscribe.map(|href| {
        view! { <div class="actions"><a class="button primary" href=href>{t!(overview.subscribe)}</a></div> }
    });
    view! {
        <div class="card empty">
            <span class="badge large">{icon(Icon::Package)}</span>
            <h3>{t!(overview.none.title)}</h3>
            <p>{t!(overview.none.text)}</p>
            {any_invoice.then(|| view! { <p>{t!(overview.none.past)}</p> })}
            {subscribe}
        </div>
    }
    .into_any()
}

fn method(method: Option<Method>, has_methods: bool) -> AnyView {
    let all = has_methods.then(|| {
        view! { <a class="onward" href="/payment-methods">{t!(overview.all_methods)}{icon(Icon::Next)}</a> }
    });
    let body = match method {
        Some(method) => view! { <MethodView method/> }.into_any(),
        None => view! { <p class="muted">{t!(overview.no_method)}</p> }.into_any(),
    };
    view! {
        <section aria-labelledby="method">
            <div class="heading"><h2 id="method">{t!(overview.method)}</h2>{all}</div>
            <div class="card">{body}</div>
        </section>
    }
    .into_any()
}

fn recent(rows: Vec<InvoiceRow>, more: bool) -> AnyView {
    let all = more.then(|| {
        view! { <a class="onward" href="/invoices">{t!(overview.all_invoices)}{icon(Icon::Next)}</a> }
    });
    view! {
        <section aria-labelledby="invoices">
            <div class="heading"><h2 id="invoices">{t!(overview.invoices)}</h2>{all}</div>
            <div class="card flush"><InvoiceRows rows labelled_by="invoices"/></div>
        </section>
    }
    .into_any()
}

/// What is over needs little room.
fn ended(cards: Vec<Card>) -> AnyView {
    let each = |card: Card| {
        let when = card.facts.into_iter().next().map(|fact| format!("{} {}", fact.label, fact.value));
        view! {
            <li>
                <a href=card.href>
                    <span class="row-text"><strong><bdi>{card.name}</bdi></strong><span class="hint">{when}</span></span>
                    <PillView pill=card.pill/>
                    {icon(Icon::Next)}
                </a>
            </li>
        }
        .into_any()
    };
    view! {
        <section aria-labelledby="ended">
            <h2 id="ended">{t!(overview.ended)}</h2>
            <ul class="card flush links">{cards.into_iter().map(each).collect_view()}</ul>
        </section>
    }
    .into_any()
}
