//! One subscription: what is in it, what it costs, when and how it is paid, and the way out.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{
    Fact, Facts, Form, FormFailure, FormKeys, Icon, Loaded, Method, MethodView, Notice, Page, Pill, PillView, Price,
    Shown, icon,
};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    pub id: String,
    pub name: String,
    pub price: Option<String>,
    pub every: Option<String>,
    pub pill: Pill,
    pub facts: Vec<Fact>,
    pub items: Vec<Line>,
    /// The sum of several lines.
    pub total: Option<String>,
    /// Period, start, trial.
    pub dates: Vec<Fact>,
    pub paid_with: PaidWith,
    pub scheduled: Option<Scheduled>,
    /// Where its plan is changed; with several items, each has a way of its own.
    pub change: Option<String>,
    /// Where it is paused.
    pub pause: Option<String>,
    /// Where it goes on after a pause.
    pub resume: Option<String>,
    pub may_cancel: bool,
    /// What has just been done, where the state agrees that it was.
    pub done: Option<Done>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub name: String,
    /// `5 × €10.00 per month`
    pub detail: String,
    pub amount: Option<String>,
    pub change: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PaidWith {
    Method(Method),
    /// There is none, or it is paid in another way: said in words.
    Words(String),
}

/// What has not taken effect yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduled {
    pub title: String,
    pub text: String,
    /// Where what is missing can be done.
    pub href: Option<String>,
    /// `None` where it cannot be taken back here.
    pub undo: Option<Undo>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undo {
    /// A cancellation.
    Cancel,
    /// A change at the end of the period.
    Change,
    /// A change that waits for its payment.
    Pending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Done {
    Canceled,
    Ended,
    Kept,
    Changed,
    Paused,
    PauseScheduled,
    Resumed,
    Scheduled,
    Started,
    Stayed,
    Waiting,
    Unchanged,
}

/// `done` is what the page is said to come from; it is believed only where the state agrees.
#[server]
pub async fn read_subscription(id: String, done: String) -> Result<Shown> {
    use crate::present::subscription as present;
    let session = crate::session::Session::current()?;
    let mut tx = session.db.read().await?;
    let books = present::read(&mut tx, &session, &id).await?;
    Ok(session.show(&present::view(&session, &books, &done)))
}

#[server]
pub async fn keep_subscription(session: String, key: String, id: String) -> Result<()> {
    use billing::portal::canceling;
    let session = crate::session::Session::of_form(&session, key)?;
    let configuration = &session.guest.configuration;
    let kept = billing::transact!(session.db, |tx| canceling::undo(tx, &session.who, configuration, &id).await)?;
    leptos_axum::redirect(&session.onward(format!("/subscriptions/{}?done=kept", kept.id)));
    Ok(())
}

/// Takes back a change that waits.
#[server]
pub async fn undo_change(session: String, key: String, id: String) -> Result<()> {
    let session = crate::session::Session::of_form(&session, key)?;
    let undone = billing::transact!(session.db, |tx| billing::portal::change::undo(tx, &session.who, &id).await)?;
    leptos_axum::redirect(&format!("/subscriptions/{}?done=unchanged", undone.id));
    Ok(())
}

pub struct SubscriptionPage(Page);

#[lazy_route]
impl LazyRoute for SubscriptionPage {
    fn data() -> Self {
        let (params, query) = (use_params_map(), use_query_map());
        let asked = move || {
            let id = params.with(|params| params.get("id")).unwrap_or_default();
            (id, query.with(|query| query.get("done")).unwrap_or_default())
        };
        Self(Resource::new_blocking(asked, |(id, done)| read_subscription(id, done)))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(subscription)/> }.into_any()
    }
}

fn subscription(page: Detail, form: Form) -> AnyView {
    let href = format!("/subscriptions/{}", page.id);
    let paid_with = match page.paid_with {
        PaidWith::Method(method) => view! { <MethodView method/> }.into_any(),
        PaidWith::Words(words) => view! { <p class="muted">{words}</p> }.into_any(),
    };
    view! {
        <Title text=page.name.clone()/>
        {page.done.map(|done| notice(done, href.clone()))}
        <a class="back" href="/">{icon(Icon::Back)}{t!(subscription.back)}</a>
        <header class="title">
            <h1><bdi>{page.name}</bdi></h1>
            <PillView pill=page.pill/>
        </header>
        {page.scheduled.map(|each| scheduled(each, page.id, form))}
        <section class="card subscription">
            <Price amount=page.price every=page.every/>
            <div class="foot">
                <Facts facts=page.facts/>
                {page.change.map(|href| view! { <a class="button" href=href>{t!(subscription.change)}</a> })}
                {page.resume.map(|href| view! { <a class="button primary" href=href>{t!(subscription.resume)}</a> })}
            </div>
        </section>
        {items(page.items, page.total)}
        <section aria-labelledby="paid">
            <h2 id="paid">{t!(overview.method)}</h2>
            <div class="card">{paid_with}</div>
        </section>
        <section aria-labelledby="details">
            <h2 id="details">{t!(subscription.details)}</h2>
            <div class="card calm"><Facts facts=page.dates/></div>
        </section>
        {(page.may_cancel || page.pause.is_some()).then(|| {
            let cancel = page.may_cancel.then(|| format!("{href}/cancel"));
            way_out(cancel, page.pause)
        })}
    }
    .into_any()
}

fn notice(done: Done, href: String) -> AnyView {
    let text = match done {
        Done::Canceled => t!(subscription.canceled),
        Done::Ended => t!(subscription.ended),
        Done::Kept => t!(subscription.kept),
        Done::Changed => t!(subscription.changed),
        Done::Paused => t!(subscription.paused),
        Done::PauseScheduled => t!(subscription.pause_scheduled),
        Done::Resumed => t!(subscription.resumed),
        Done::Scheduled => t!(subscription.scheduled),
        Done::Started => t!(subscription.started),
        Done::Stayed => t!(subscription.stayed),
        Done::Waiting => t!(subscription.waiting),
        Done::Unchanged => t!(subscription.unchanged),
    };
    view! { <Notice text href/> }.into_any()
}

fn items(items: Vec<Line>, total: Option<String>) -> AnyView {
    let each = |line: Line| {
        let change =
            line.change.map(|href| view! { <a class="button small" href=href>{t!(subscription.change_item)}</a> });
        view! {
            <li>
                <span class="row-text"><strong><bdi>{line.name}</bdi></strong><span class="hint">{line.detail}</span></span>
                <bdi class="amount">{line.amount}</bdi>
                {change}
            </li>
        }
        .into_any()
    };
    let total = total.map(|total| {
        view! { <li class="total"><span class="row-text">{t!(subscription.total)}</span><bdi class="amount">{total}</bdi></li> }
    });
    view! {
        <section aria-labelledby="items">
            <h2 id="items">{t!(subscription.items)}</h2>
            <ul class="card flush lines">{items.into_iter().map(each).collect_view()}{total}</ul>
        </section>
    }
    .into_any()
}

/// What is to come, and, where it may be, the way to take it back.
fn scheduled(scheduled: Scheduled, id: String, form: Form) -> AnyView {
    let keep = ServerAction::<KeepSubscription>::new();
    let undo = ServerAction::<UndoChange>::new();
    let failed = move || {
        let error = keep.value().get().and_then(Result::err).or_else(|| undo.value().get().and_then(Result::err));
        error.map(|error| view! { <FormFailure error/> })
    };
    let back = scheduled.undo.map(|what| match what {
        Undo::Cancel => {
            let pending = Signal::derive(move || keep.pending().get());
            view! { <ActionForm action=keep>{take_back(t!(subscription.undo), id, form, pending)}</ActionForm> }
                .into_any()
        }
        Undo::Change | Undo::Pending => {
            let label = if what == Undo::Pending { t!(subscription.drop) } else { t!(subscription.unschedule) };
            let pending = Signal::derive(move || undo.pending().get());
            view! { <ActionForm action=undo>{take_back(label, id, form, pending)}</ActionForm> }.into_any()
        }
    });
    let onward = scheduled.href.map(|href| view! { <a class="button primary" href=href>{t!(overview.details)}</a> });
    view! {
        {failed}
        <section class="alert warn scheduled" aria-labelledby="scheduled">
            {icon(Icon::Calendar)}
            <div class="alert-text">
                <h2 id="scheduled" class="alert-title">{scheduled.title}</h2>
                <p>{scheduled.text}</p>
            </div>
            {onward}
            {back}
        </section>
    }
    .into_any()
}

fn take_back(label: String, id: String, form: Form, pending: Signal<bool>) -> AnyView {
    view! {
        <FormKeys form/>
        <input type="hidden" name="id" value=id/>
        <button type="submit" class="button" disabled=pending>{icon(Icon::Undo)}{label}</button>
    }
    .into_any()
}

/// The quieter ways: a pause, or the end.
fn way_out(cancel: Option<String>, pause: Option<String>) -> AnyView {
    let pause = pause.map(|href| view! { <a class="button" href=href>{t!(subscription.pause)}</a> });
    let cancel = cancel.map(|href| view! { <a class="button danger" href=href>{t!(subscription.cancel)}</a> });
    view! {
        <div class="way-out">
            <p class="hint">{t!(subscription.cancel_hint)}</p>
            <div class="actions">{pause}{cancel}</div>
        </div>
    }
    .into_any()
}
