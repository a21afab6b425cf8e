//! Canceling: what happens and until when, a question that may be skipped, and two ways on.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{
    Closed, ClosedView, Effects, Form, FormFailure, FormKeys, Icon, Loaded, Page, Renewed, Shown, aside, icon,
};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    pub id: String,
    pub plan: String,
    /// Where leaving it undone leads.
    pub keep: String,
    pub way: Way,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    Open(Box<Terms>),
    /// Nothing to do here, and why.
    Off(String),
    Already(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Until when access lasts, what is charged and refunded; the weightiest first.
    pub effects: Vec<String>,
    pub at_once: bool,
    /// What is presented to confirm it; `None` at the end of the period, which costs nothing.
    pub quote: Option<String>,
    /// Whether another quote was shown before, which did not hold any more.
    pub is_new: bool,
    /// What is offered whatever the reason.
    pub offers: Vec<Offer>,
    /// Empty where no reason is asked for.
    pub reasons: Vec<Reason>,
    pub is_required: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub value: String,
    pub label: String,
    /// What is offered to who gives it.
    pub offers: Vec<Offer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub title: String,
    pub text: String,
    pub way: OfferWay,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OfferWay {
    /// It is taken here, named so.
    Take(String),
    /// Where it is looked at, and what that is called.
    Look { href: String, label: String },
}

/// `stale` is said by a confirmation that came too late.
#[server]
pub async fn read_leaving(id: String, stale: bool) -> Result<Shown> {
    let session = crate::session::Session::current()?;
    let page = crate::present::cancel::read(&session, &id, stale).await?;
    Ok(session.show(&page))
}

/// Cancels, or takes an `offer` instead; `quote` is there where it is at once.
#[server]
pub async fn cancel_subscription(
    session: String,
    key: String,
    id: String,
    feedback: Option<String>,
    comment: Option<String>,
    quote: Option<String>,
    offer: Option<String>,
) -> Result<()> {
    use crate::present::cancel as present;
    let session = crate::session::Session::of_form(&session, key)?;
    let answers = present::answers(feedback, comment)?;
    let next = match offer.filter(|offer| !offer.is_empty()) {
        Some(offer) => present::stay(&session, &id, &offer, answers).await?,
        None => present::cancel(&session, &id, answers, quote.as_deref()).await?,
    };
    leptos_axum::redirect(&next);
    Ok(())
}

pub struct CancelPage(Page);

#[lazy_route]
impl LazyRoute for CancelPage {
    fn data() -> Self {
        let (params, query) = (use_params_map(), use_query_map());
        let asked = move || {
            let id = params.with(|params| params.get("id")).unwrap_or_default();
            (id, query.with(|query| query.get("stale").is_some()))
        };
        Self(Resource::new_blocking(asked, |(id, stale)| read_leaving(id, stale)))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(leaving)/> }.into_any()
    }
}

fn leaving(page: Leaving, form: Form) -> AnyView {
    let href = format!("/subscriptions/{}", page.id);
    let body = match page.way {
        Way::Open(terms) => cancel_form(*terms, page.id, page.keep, form),
        Way::Off(text) => closed(t!(cancel.off.title), text, page.keep),
        Way::Already(text) => closed(t!(cancel.already.title), text, page.keep),
    };
    view! {
        <Title text=t!(cancel.title)/>
        <a class="back" href=href>{icon(Icon::Back)}{t!(cancel.back)}</a>
        <header class="title">
            <h1>{t!(cancel.title)}</h1>
            <p class="subtitle"><bdi>{page.plan}</bdi></p>
        </header>
        {body}
    }
    .into_any()
}

fn cancel_form(terms: Terms, id: String, keep: String, form: Form) -> AnyView {
    let cancel = ServerAction::<CancelSubscription>::new();
    let failed = move || cancel.value().get().and_then(Result::err).map(|error| view! { <FormFailure error/> });
    let confirm = if terms.at_once { t!(cancel.confirm_now) } else { t!(cancel.confirm) };
    let pending = Signal::derive(move || cancel.pending().get());
    let has_offers = !terms.offers.is_empty() || terms.reasons.iter().any(|reason| !reason.offers.is_empty());
    // What Enter presses in a form is its first button: not one of the offers.
    let first =
        has_offers.then(|| view! { <button type="submit" class="spoken" tabindex="-1" aria-hidden="true"></button> });
    view! {
        {failed}
        {terms.is_new.then(|| view! { <Renewed/> })}
        <Effects effects=terms.effects/>
        <ActionForm action=cancel>
            <FormKeys form/>
            <input type="hidden" name="id" value=id/>
            {terms.quote.map(|quote| view! { <input type="hidden" name="quote" value=quote/> })}
            {first}
            {(!terms.offers.is_empty()).then(|| before_you_go(terms.offers, pending))}
            {(!terms.reasons.is_empty()).then(|| question(terms.reasons, terms.is_required, pending))}
            <div class="actions">
                <button type="submit" class="button danger-fill" disabled=pending>{confirm}</button>
                {aside(keep, t!(cancel.keep))}
            </div>
        </ActionForm>
    }
    .into_any()
}

fn before_you_go(offers: Vec<Offer>, pending: Signal<bool>) -> AnyView {
    view! {
        <section class="card stay" aria-labelledby="stay">
            <h2 id="stay">{t!(cancel.before)}</h2>
            {offers.into_iter().map(|each| offer(each, pending)).collect_view()}
        </section>
    }
    .into_any()
}

fn offer(offer: Offer, pending: Signal<bool>) -> AnyView {
    let way = match offer.way {
        OfferWay::Take(key) => view! {
            <button type="submit" class="button primary" name="offer" value=key formnovalidate disabled=pending>{t!(cancel.take)}</button>
        }
        .into_any(),
        OfferWay::Look { href, label } => view! { <a class="button" href=href>{label}</a> }.into_any(),
    };
    view! {
        <div class="offer">
            <p class="offer-title">{icon(Icon::Gift)}<strong>{offer.title}</strong></p>
            <p class="hint">{offer.text}</p>
            {way}
        </div>
    }
    .into_any()
}

/// What is offered for a reason unfolds below it when it is chosen.
fn question(reasons: Vec<Reason>, is_required: bool, pending: Signal<bool>) -> AnyView {
    let each = |reason: Reason| {
        view! {
            <div class="reason">
                <label class="choice">
                    <input type="radio" name="feedback" value=reason.value required=is_required/>
                    <span><bdi>{reason.label}</bdi></span>
                </label>
                {reason.offers.into_iter().map(|each| offer(each, pending)).collect_view()}
            </div>
        }
        .into_any()
    };
    let optional = (!is_required).then(|| view! { <p class="hint" id="optional">{t!(cancel.optional)}</p> });
    view! {
        <fieldset class="card question" aria-describedby=(!is_required).then_some("optional")>
            <legend>{t!(cancel.reason)}</legend>
            {optional}
            <div class="choices">{reasons.into_iter().map(each).collect_view()}</div>
            <label class="field" for="comment">{t!(cancel.comment)}</label>
            <textarea id="comment" name="comment" rows="3" maxlength="5000" dir="auto"></textarea>
        </fieldset>
    }
    .into_any()
}

fn closed(title: String, text: String, back: String) -> AnyView {
    view! { <ClosedView closed=Closed { title, text } back/> }.into_any()
}
