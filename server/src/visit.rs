//! Resolves each portal request to its visitor, once: the cookie's session, the language, the trace.

use std::sync::Arc;

use app::session::Visit;
use app::text::Locale;
use axum::extract::{Request, State};
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use billing::directory::{self, Guest};
use billing::portal::session;
use billing::{Trace, transact};

use crate::cookie::{self, Held};
use crate::framing;
use crate::front::{Place, wants_page};
use crate::shell;
use crate::state::App;

/// A session that has ended: its page still names the merchant and the way back.
#[derive(Clone)]
pub struct Ended(pub Arc<Guest>);

/// Puts a [`Visit`] into the request, and an [`Ended`] where the cookie's session is over.
pub async fn resolve(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let trace = request.extensions().get::<Trace>().cloned().unwrap_or_default();
    let place = request.extensions().get::<Place>().cloned();
    let portal_url = place.as_ref().map(|place| place.origin.clone()).unwrap_or_default();
    let found = match (cookie::read(request.headers(), &app.settings), place) {
        (Some(held), Some(place)) => guest(&app, &place, &held).await.map(|found| (found, held.is_framed)),
        _ => Ok((None, false)),
    };
    let (found, is_framed) = match found {
        Ok((found, is_framed)) => (found.map(Arc::new), is_framed),
        Err(error) => {
            tracing::error!(?error, "the visitor could not be looked up");
            return shell::broken(locale(request.headers(), None));
        }
    };
    let now = app.db.clock().wall();
    let locale = locale(request.headers(), found.as_deref());
    let framing = found.clone().filter(|_| is_framed);
    let (guest, ended) = match found {
        Some(guest) if guest.is_alive(now) => (Some(guest), None),
        other => (None, other),
    };
    if let Some(guest) = &guest
        && guest.session.last_seen_ms.is_some_and(|seen| seen.plus(session::TOUCH_MS) < now)
    {
        let who = guest.actor(trace.clone());
        if let Err(error) = transact!(app.db, |tx| session::touch(tx, &who, &guest.session.id).await) {
            tracing::error!(?error, "a session's use could not be noted");
        }
    }
    if let Some(ended) = ended {
        if ended.session.revoked_ms.is_none() {
            let who = ended.actor(trace.clone());
            if let Err(error) = transact!(app.db, |tx| session::lapse(tx, &who, &ended.session.id).await) {
                tracing::error!(?error, "a session's end could not be noted");
            }
        }
        request.extensions_mut().insert(Ended(ended));
    }
    let visit = Visit {
        db: app.db.clone(),
        gateway: app.gateway.clone(),
        fields_url: app.settings.fields_url(),
        portal_url,
        guest,
        is_framed,
        locale,
        trace,
    };
    request.extensions_mut().insert(visit);
    let mut response = next.run(request).await;
    if let Some(framing) = framing {
        frame(&app, &framing, &mut response).await;
    }
    response
}

/// What an answer in a frame says beside: who may show it, and whether something was done.
async fn frame(app: &App, guest: &Guest, response: &mut Response) {
    framing::let_in(response, framing::parents(&guest.configuration));
    let now = async {
        let mut tx = app.db.read().await?;
        session::get(&mut tx, &guest.actor(Trace::default()), &guest.session.id).await
    };
    match now.await {
        Ok(session) if session.completed_ms.is_some() => framing::say_completed(response),
        Ok(_) => {}
        Err(error) => tracing::error!(?error, "a session could not be read again"),
    }
}

/// Whose session a cookie is, on the host that it was made for, as long as that is the same merchant's.
/// One of a frame is good while there are pages that may show it.
pub async fn guest(app: &App, place: &Place, held: &Held) -> billing::Result<Option<Guest>> {
    let mut tx = app.db.read().await?;
    let found = directory::by_cookie(&mut tx, &held.value, &bound(place, held.is_framed)).await?;
    let may_stand = |guest: &Guest| !held.is_framed || !framing::parents(&guest.configuration).is_empty();
    Ok(found.filter(|guest| place.serves(&guest.tenant) && may_stand(guest)))
}

/// What a session's cookie is bound to.
pub fn bound(place: &Place, is_framed: bool) -> String {
    if is_framed { format!("frame:{}", place.authority) } else { place.authority.clone() }
}

/// The session's language, else the customer's, else the browser's.
pub fn locale(headers: &HeaderMap, guest: Option<&Guest>) -> Locale {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let Some(Guest { session, customer, brand, .. }) = guest else { return Locale::choose(None, &[], accepted, None) };
    Locale::choose(session.locale.as_deref(), &customer.preferred_locales, accepted, brand.default_locale.as_deref())
}

/// Pages are for living sessions. Server functions answer for themselves: each begins with `Session::current()`.
pub async fn require_session(request: Request, next: Next) -> Response {
    let signed_in = request.extensions().get::<Visit>().is_some_and(|visit| visit.guest.is_some());
    if signed_in || (request.uri().path().starts_with("/do/") && !wants_page(request.headers())) {
        return next.run(request).await;
    }
    let locale = request.extensions().get::<Visit>().map(|v| v.locale).unwrap_or_default();
    let ended = request.extensions().get::<Ended>().map(|ended| ended.0.as_ref());
    shell::expired(locale, ended, StatusCode::UNAUTHORIZED)
}
