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
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PaidWith {
    Method(Method),
    /// There is none, or it is paid in another way: said in words.
    Words(String),
}

/// A cancellation that has not taken effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduled {
    pub title: String,
    pub text: String,
    pub may_undo: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Done {
    Canceled,
    Ended,
    Kept,
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
    use billing::portal::acts;
    let session = crate::session::Session::of_form(&session, key)?;
    let configuration = &session.guest.configuration;
    let kept = billing::transact!(session.db, |tx| acts::undo_cancel(tx, &session.who, configuration, &id).await)?;
    leptos_axum::redirect(&format!("/subscriptions/{}?done=kept", kept.id));
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
        {page.scheduled.map(|scheduled| scheduled_end(scheduled, page.id, form))}
        <section class="card subscription">
            <Price amount=page.price every=page.every/>
            <Facts facts=page.facts/>
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
        {page.may_cancel.then(|| way_out(format!("{href}/cancel")))}
    }
    .into_any()
}

fn notice(done: Done, href: String) -> AnyView {
    let text = match done {
        Done::Canceled => t!(subscription.canceled),
        Done::Ended => t!(subscription.ended),
        Done::Kept => t!(subscription.kept),
    };
    view! { <Notice text href/> }.into_any()
}

fn items(items: Vec<Line>, total: Option<String>) -> AnyView {
    let each = |line: Line| {
        view! {
            <li>
                <span class="row-text"><strong><bdi>{line.name}</bdi></strong><span class="hint">{line.detail}</span></span>
                <bdi class="amount">{line.amount}</bdi>
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

/// The end that is set, and, where it may be, the way to take it back.
fn scheduled_end(scheduled: Scheduled, id: String, form: Form) -> AnyView {
    let keep = ServerAction::<KeepSubscription>::new();
    let failed = move || keep.value().get().and_then(Result::err).map(|error| view! { <FormFailure error/> });
    let undo = scheduled.may_undo.then(|| {
        view! {
            <ActionForm action=keep>
                <FormKeys form/>
                <input type="hidden" name="id" value=id/>
                <button type="submit" class="button primary" disabled=move || keep.pending().get()>
                    {icon(Icon::Undo)}{t!(subscription.undo)}
                </button>
            </ActionForm>
        }
    });
    view! {
        {failed}
        <section class="alert warn scheduled" aria-labelledby="scheduled">
            {icon(Icon::Calendar)}
            <div class="alert-text">
                <h2 id="scheduled" class="alert-title">{scheduled.title}</h2>
                <p>{scheduled.text}</p>
            </div>
            {undo}
        </section>
    }
    .into_any()
}

fn way_out(href: String) -> AnyView {
    view! {
        <div class="way-out">
            <p class="hint">{t!(subscription.cancel_hint)}</p>
            <a class="button danger" href=href>{t!(subscription.cancel)}</a>
        </div>
    }
    .into_any()
}
