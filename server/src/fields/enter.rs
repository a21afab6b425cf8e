//! `/enter/{ticket}`: the page where a number is typed, and the one way that it takes from there.

use app::pages::fields::{EnterPage, HandedPage, Known, Page, Problem, title};
use axum::Extension;
use axum::Form as Sent;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use billing::customer::payment_method::MethodType;
use billing::gateway::{Entry, Taken};
use billing::portal::fields::{self, Errand};
use billing::{Error, Result, Trace, customer, transact};
use leptos::prelude::*;
use serde_json::json;

use super::typed::Form;
use super::{Caller, caller, refuse};
use crate::shell;
use crate::state::App;

const SCRIPT: &str = include_str!("enter.js");

pub async fn show(State(app): State<App>, Path(ticket): Path<String>) -> Response {
    let found = caller(&app, &ticket).await;
    match found.as_ref().map(|caller| (caller, errand(&app, caller))) {
        Ok((caller, Ok((kind, _)))) => {
            page(&app, caller, kind, Known { default: true, ..Known::default() }, Vec::new())
        }
        Ok((caller, Err(error))) => refuse(&app, &error, caller.locale),
        Err(error) => refuse(&app, error, Default::default()),
    }
}

/// What may be typed with this ticket, and the page that is handed the reference.
fn errand<'a>(app: &App, caller: &'a Caller) -> Result<(MethodType, &'a str)> {
    match &caller.ticket.errand {
        Errand::Enter { kind, then } if app.gateway.entry() == Entry::Ours => Ok((*kind, then)),
        _ => Err(Error::missing("ticket", "fields")),
    }
}

fn page(app: &App, caller: &Caller, kind: MethodType, known: Known, problems: Vec<Problem>) -> Response {
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let Errand::Enter { then, .. } = &caller.ticket.errand else {
        return refuse(app, &Error::missing("ticket", "fields"), caller.locale);
    };
    let page = Page {
        kind,
        then: then.clone(),
        merchant: caller.merchant.clone(),
        known,
        problems,
        portal: caller.ticket.portal.clone(),
        is_test: !caller.tenant.livemode,
    };
    let brand = caller.guest.as_ref().map(|guest| &guest.brand);
    let (locale, parents) = (caller.locale, caller.parents());
    shell::fields(
        locale,
        status,
        brand,
        title(locale, kind),
        (Some(SCRIPT), &parents),
        move || view! { <EnterPage page/> },
    )
}

/// Takes what was typed. A script is answered in JSON, a form with a page that leads back.
pub async fn take(
    State(app): State<App>,
    Path(ticket): Path<String>,
    Extension(trace): Extension<Trace>,
    headers: HeaderMap,
    Sent(form): Sent<Form>,
) -> Response {
    let caller = match caller(&app, &ticket).await {
        Ok(caller) => caller,
        Err(error) => return refuse(&app, &error, Default::default()),
    };
    let is_script = headers.get(ACCEPT).is_some_and(|accept| accept == "application/json");
    let (kind, then) = match errand(&app, &caller) {
        Ok((kind, then)) => (kind, then.to_owned()),
        Err(error) => return refuse(&app, &error, caller.locale),
    };
    match keep(&app, &caller, kind, trace, &form).await {
        Ok(Ok(reference)) if is_script => Json(json!({ "reference": reference })).into_response(),
        Ok(Ok(reference)) => handed(&caller, &back(&caller, &then, &reference)),
        Ok(Err(problems)) if is_script => {
            let said = |problem: &Problem| json!({ "field": problem.field(), "text": problem.text(caller.locale) });
            let said: Vec<_> = problems.iter().map(said).collect();
            (StatusCode::BAD_REQUEST, Json(json!({ "problems": said }))).into_response()
        }
        Ok(Err(problems)) => page(&app, &caller, kind, form.known(), problems),
        Err(error) => refuse(&app, &error, caller.locale),
    }
}

async fn keep(
    app: &App,
    caller: &Caller,
    kind: MethodType,
    trace: Trace,
    form: &Form,
) -> Result<std::result::Result<String, Vec<Problem>>> {
    let Some(guest) = &caller.guest else { return Err(Error::missing("billing_portal.session", "fields")) };
    let who = caller.actor(trace);
    let now = customer::now(&mut app.db.read().await?, &who, &guest.customer).await?;
    let entered = match form.check(kind, now) {
        Ok(entered) => entered,
        Err(problems) => return Ok(Err(problems)),
    };
    let mut method = match app.gateway.take(&entered).await {
        Taken::Method(method) => *method,
        Taken::Unknown => return Ok(Err(vec![Problem::Unknown(kind)])),
        Taken::Nothing => return Ok(Err(vec![Problem::Again])),
    };
    drop(entered);
    method.billing_details.name = form.name();
    let kept = transact!(app.db, |tx| {
        fields::keep(tx, &who, &guest.configuration, method.clone(), form.is_default()).await
    })?;
    Ok(Ok(kept))
}

/// The portal's page with the reference in its query.
fn back(caller: &Caller, then: &str, reference: &str) -> String {
    let mark = if then.contains('?') { '&' } else { '?' };
    format!("{}{then}{mark}reference={reference}", caller.ticket.portal)
}

fn handed(caller: &Caller, to: &str) -> Response {
    let brand = caller.guest.as_ref().map(|guest| &guest.brand);
    let (locale, to) = (caller.locale, to.to_owned());
    let title = app::text::title(locale);
    shell::fields(locale, StatusCode::OK, brand, title, (None, &caller.ticket.portal), move || {
        view! { <HandedPage to/> }
    })
}
