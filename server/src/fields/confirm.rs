//! `/confirm/{ticket}`: the page on which a customer's bank, here the sandbox, asks whether it is them.

use app::pages::fields::{ConfirmPage, Confirming, HandedPage};
use axum::Extension;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use billing::payment::charge::AttemptStatus;
use billing::payment::{charge, fate};
use billing::portal::fields::{self, Errand};
use billing::setup_intent::{self, Status};
use billing::{Error, Result, Trace, transact};
use leptos::prelude::*;
use serde::Deserialize;

use super::{Caller, caller, refuse};
use crate::shell;
use crate::state::App;

#[derive(Deserialize)]
pub struct Answer {
    answer: String,
}

pub async fn show(State(app): State<App>, Path(ticket): Path<String>) -> Response {
    let caller = match caller(&app, &ticket).await {
        Ok(caller) => caller,
        Err(error) => return refuse(&app, &error, Default::default()),
    };
    match waiting(&app, &caller).await {
        Ok(Some(asked)) => {
            let brand = caller.guest.as_ref().map(|guest| &guest.brand);
            let title = asked.title(caller.locale);
            shell::fields(caller.locale, StatusCode::OK, brand, title, (None, &caller.parents()), move || {
                view! { <ConfirmPage asked/> }
            })
        }
        // It was answered before: there is nothing to ask.
        Ok(None) => done(&caller),
        Err(error) => refuse(&app, &error, caller.locale),
    }
}

/// What is asked; nothing where it was answered.
async fn waiting(app: &App, caller: &Caller) -> Result<Option<Confirming>> {
    let who = caller.actor(Trace::default());
    let mut tx = app.db.read().await?;
    let (amount, back) = match &caller.ticket.errand {
        Errand::ConfirmSetup { intent, .. } => {
            let intent = setup_intent::get(&mut tx, &who, intent).await?;
            (None, intent.status == Status::RequiresAction)
        }
        Errand::ConfirmCharge { charge, .. } => {
            let charge = charge::get(&mut tx, &who, charge).await?;
            let is_waiting = charge.status == AttemptStatus::RequiresAction;
            (Some((charge.amount, charge.currency)), is_waiting)
        }
        Errand::Enter { .. } => return Err(Error::missing("ticket", "fields")),
    };
    let back = back.then(|| then(caller));
    Ok(back.map(|back| Confirming::new(caller.locale, &caller.merchant, amount.as_ref(), back)))
}

fn then(caller: &Caller) -> String {
    let (Errand::Enter { then, .. } | Errand::ConfirmSetup { then, .. } | Errand::ConfirmCharge { then, .. }) =
        &caller.ticket.errand;
    format!("{}{then}", caller.ticket.portal)
}

/// Yes or no: taken to the books, and then back to the portal.
pub async fn answer(
    State(app): State<App>,
    Path(ticket): Path<String>,
    Extension(trace): Extension<Trace>,
    Form(form): Form<Answer>,
) -> Response {
    let caller = match caller(&app, &ticket).await {
        Ok(caller) => caller,
        Err(error) => return refuse(&app, &error, Default::default()),
    };
    match settle(&app, &caller, trace, form.answer == "yes").await {
        Ok(()) => done(&caller),
        Err(error) => refuse(&app, &error, caller.locale),
    }
}

async fn settle(app: &App, caller: &Caller, trace: Trace, is_confirmed: bool) -> Result<()> {
    let who = caller.actor(trace);
    if who.is_read_only() {
        return Err(Error::Forbidden("This is a preview: nothing can be changed in it."));
    }
    match &caller.ticket.errand {
        Errand::ConfirmSetup { intent, .. } => {
            transact!(app.db, |tx| fields::answer(tx, &who, intent, is_confirmed).await)?;
        }
        Errand::ConfirmCharge { charge, .. } => {
            fate::confirm(&app.db, app.gateway.clone(), &who, charge, is_confirmed).await?;
        }
        Errand::Enter { .. } => return Err(Error::missing("ticket", "fields")),
    }
    Ok(())
}

fn done(caller: &Caller) -> Response {
    let brand = caller.guest.as_ref().map(|guest| &guest.brand);
    let (locale, to) = (caller.locale, then(caller));
    let title = app::text::title(locale);
    shell::fields(locale, StatusCode::OK, brand, title, (None, &caller.parents()), move || {
        view! { <HandedPage to/> }
    })
}
