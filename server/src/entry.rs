//! From a link to a session: opened by a page it exchanges at once, by anything else only through a button.

use app::session::landing;
use app::text::Locale;
use axum::extract::{Extension, Path, State};
use axum::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use billing::directory::{self, Guest};
use billing::portal::session;
use billing::{Actor, Error, Result, Trace, transact};

use crate::cookie::Held;
use crate::framing::{self, Stand};
use crate::front::Place;
use crate::state::App;
use crate::visit::{self, locale};
use crate::{cookie, shell};

/// `GET /session/{secret}`: changes nothing unless a page led a browser here.
pub async fn open(
    State(app): State<App>,
    Extension(place): Extension<Place>,
    Path(secret): Path<String>,
    request: Parts,
) -> Response {
    let found = find(&app, &place, &secret).await;
    let locale = locale(&request.headers, found.as_ref().ok().and_then(Option::as_ref));
    let guest = match found {
        Ok(Some(guest)) => guest,
        Ok(None) => return on_link_page(shell::expired(locale, None, StatusCode::NOT_FOUND), None),
        Err(error) => return broken(&error, locale),
    };
    if holds(&app, &place, &guest, &request.headers).await {
        return redirect(&landing(&guest));
    }
    let is_open = guest.session.link_used_ms.is_none()
        && guest.session.revoked_ms.is_none()
        && guest.session.link_expires_ms > app.db.clock().wall()
        && guest.customer.deleted_at.is_none();
    if !is_open {
        return on_link_page(shell::expired(locale, Some(&guest), StatusCode::GONE), Some(&guest));
    }
    let may_be_framed = !framing::parents(&guest.configuration).is_empty();
    if request.method == Method::GET && is_navigation_from_a_page(&request.headers, may_be_framed) {
        return exchange(&app, &place, &secret, &guest, &request, locale).await;
    }
    on_link_page(shell::continue_page(locale, &guest, &format!("/session/{secret}")), Some(&guest))
}

/// `POST /session/{secret}`: the button. The layer in front has checked that a page of ours holds it.
pub async fn open_by_button(
    State(app): State<App>,
    Extension(place): Extension<Place>,
    Path(secret): Path<String>,
    request: Parts,
) -> Response {
    let found = find(&app, &place, &secret).await;
    let locale = locale(&request.headers, found.as_ref().ok().and_then(Option::as_ref));
    match found {
        Ok(Some(guest)) if holds(&app, &place, &guest, &request.headers).await => redirect(&landing(&guest)),
        Ok(Some(guest)) => exchange(&app, &place, &secret, &guest, &request, locale).await,
        Ok(None) => on_link_page(shell::expired(locale, None, StatusCode::NOT_FOUND), None),
        Err(error) => broken(&error, locale),
    }
}

async fn find(app: &App, place: &Place, secret: &str) -> Result<Option<Guest>> {
    let mut tx = app.db.read().await?;
    let found = directory::by_link(&mut tx, secret).await?;
    Ok(found.filter(|guest| place.serves(&guest.tenant)))
}

/// Whether this browser already has the session that was minted from the link: it is let back in.
async fn holds(app: &App, place: &Place, guest: &Guest, headers: &HeaderMap) -> bool {
    let Some(cookie) = cookie::read(headers, &app.settings) else { return false };
    let held = visit::guest(app, place, &cookie).await;
    held.is_ok_and(|held| {
        held.is_some_and(|held| held.session.id == guest.session.id && held.is_alive(app.db.clock().wall()))
    })
}

/// What browsers send when a person follows a link or a redirect from some page: not a scanner, a preview, a prefetch
/// or a typed address.
fn is_navigation_from_a_page(headers: &HeaderMap, may_be_framed: bool) -> bool {
    let is = |name: &str, allowed: &[&str]| {
        headers.get(name).and_then(|v| v.to_str().ok()).is_some_and(|v| allowed.contains(&v))
    };
    is("sec-fetch-site", &["cross-site", "same-site", "same-origin"])
        && is("sec-fetch-mode", &["navigate"])
        && is("sec-fetch-dest", if may_be_framed { &["document", "iframe"] } else { &["document"] })
        && !headers.contains_key("sec-purpose")
        && !headers.contains_key("purpose")
}

async fn exchange(app: &App, place: &Place, secret: &str, guest: &Guest, request: &Parts, locale: Locale) -> Response {
    let trace = request.extensions.get::<Trace>().cloned().unwrap_or_default();
    let who: Actor = guest.actor(trace);
    let is_framed = Stand::of(&request.headers) == Stand::Frame;
    let host = visit::bound(place, is_framed);
    let minted = transact!(app.db, |tx| session::exchange(tx, &who, &guest.session.id, secret, &host).await);
    match minted {
        Ok(value) => {
            let mut response = redirect(&landing(guest));
            for cookie in cookie::set(&app.settings, &Held { value, is_framed }, guest.session.max_ms / 1000) {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            response
        }
        Err(Error::Missing { .. }) => on_link_page(shell::expired(locale, Some(guest), StatusCode::GONE), Some(guest)),
        Err(error) => broken(&error, locale),
    }
}

/// On the way in or out: nobody keeps the answer, and nobody is told where it was given.
pub(crate) fn redirect(to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/")));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The link page's form must say where it comes from, but its path holds the secret: only the origin is sent on.
/// Where its merchant lets pages show it, they may.
fn on_link_page(mut response: Response, guest: Option<&Guest>) -> Response {
    if let Some(guest) = guest {
        framing::let_in(&mut response, framing::parents(&guest.configuration));
    }
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    response
}

fn broken(error: &Error, locale: Locale) -> Response {
    tracing::error!(?error, "a link could not be opened");
    on_link_page(shell::broken(locale), None)
}
