//! Canceling: what happens and until when, a question that may be skipped, and two ways on.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{Closed, ClosedView, Effects, Form, FormFailure, FormKeys, Icon, Loaded, Page, Shown, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    pub id: String,
    pub plan: String,
    pub way: Way,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    Open(Terms),
    /// Nothing to do here, and why.
    Off(String),
    Already(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Until when access lasts, what is charged and refunded; the weightiest first.
    pub effects: Vec<String>,
    pub at_once: bool,
    /// Empty where no reason is asked for.
    pub reasons: Vec<Reason>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub value: String,
    pub label: String,
}

#[server]
pub async fn read_leaving(id: String) -> Result<Shown> {
    use crate::present::cancel as present;
    let session = crate::session::Session::current()?;
    let mut tx = session.db.read().await?;
    let books = crate::present::subscription::read(&mut tx, &session, &id).await?;
    let own = present::own_reasons(&mut tx, &session).await?;
    Ok(session.show(&present::view(&session, &books, &own)))
}

#[server]
pub async fn cancel_subscription(
    session: String,
    key: String,
    id: String,
    feedback: Option<String>,
    comment: Option<String>,
) -> Result<()> {
    use billing::portal::acts;
    let session = crate::session::Session::of_form(&session, key)?;
    let (answers, configuration) = (crate::present::cancel::answers(feedback, comment)?, &session.guest.configuration);
    let canceled = billing::transact!(session.db, |tx| {
        acts::cancel(tx, &session.who, configuration, &id, answers.clone()).await
    })?;
    leptos_axum::redirect(&format!("/subscriptions/{}?done=canceled", canceled.id));
    Ok(())
}

pub struct CancelPage(Page);

#[lazy_route]
impl LazyRoute for CancelPage {
    fn data() -> Self {
        let params = use_params_map();
        let id = move || params.with(|params| params.get("id")).unwrap_or_default();
        Self(Resource::new_blocking(id, read_leaving))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(leaving)/> }.into_any()
    }
}

fn leaving(page: Leaving, form: Form) -> AnyView {
    let href = format!("/subscriptions/{}", page.id);
    let body = match page.way {
        Way::Open(terms) => cancel_form(terms, page.id, form),
        Way::Off(text) => closed(t!(cancel.off.title), text, href.clone()),
        Way::Already(text) => closed(t!(cancel.already.title), text, href.clone()),
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

fn cancel_form(terms: Terms, id: String, form: Form) -> AnyView {
    let cancel = ServerAction::<CancelSubscription>::new();
    let failed = move || cancel.value().get().and_then(Result::err).map(|error| view! { <FormFailure error/> });
    let confirm = if terms.at_once { t!(cancel.confirm_now) } else { t!(cancel.confirm) };
    let keep = format!("/subscriptions/{id}");
    view! {
        {failed}
        <Effects effects=terms.effects/>
        <ActionForm action=cancel>
            <FormKeys form/>
            <input type="hidden" name="id" value=id/>
            {(!terms.reasons.is_empty()).then(|| question(terms.reasons))}
            <div class="actions">
                <button type="submit" class="button danger-fill" disabled=move || cancel.pending().get()>{confirm}</button>
                <a class="button" href=keep>{t!(cancel.keep)}</a>
            </div>
        </ActionForm>
    }
    .into_any()
}

fn question(reasons: Vec<Reason>) -> AnyView {
    let each = |reason: Reason| {
        view! {
            <label class="choice">
                <input type="radio" name="feedback" value=reason.value/>
                <span><bdi>{reason.label}</bdi></span>
            </label>
        }
        .into_any()
    };
    view! {
        <fieldset class="card question" aria-describedby="optional">
            <legend>{t!(cancel.reason)}</legend>
            <p class="hint" id="optional">{t!(cancel.optional)}</p>
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
