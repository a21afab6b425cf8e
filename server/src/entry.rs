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
        Ok(None) => return on_link_page(shell::expired(locale, None, StatusCode::NOT_FOUND)),
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
        return on_link_page(shell::expired(locale, Some(&guest), StatusCode::GONE));
    }
    if request.method == Method::GET && is_navigation_from_a_page(&request.headers) {
        return exchange(&app, &place, &secret, &guest, &request, locale).await;
    }
    on_link_page(shell::continue_page(locale, &guest, &format!("/session/{secret}")))
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
        Ok(None) => on_link_page(shell::expired(locale, None, StatusCode::NOT_FOUND)),
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
fn is_navigation_from_a_page(headers: &HeaderMap) -> bool {
    let is = |name: &str, allowed: &[&str]| {
        headers.get(name).and_then(|v| v.to_str().ok()).is_some_and(|v| allowed.contains(&v))
    };
    is("sec-fetch-site", &["cross-site", "same-site", "same-origin"])
        && is("sec-fetch-mode", &["navigate"])
        && is("sec-fetch-dest", &["document"])
        && !headers.contains_key("sec-purpose")
        && !headers.contains_key("purpose")
}

async fn exchange(app: &App, place: &Place, secret: &str, guest: &Guest, request: &Parts, locale: Locale) -> Response {
    let trace = request.extensions.get::<Trace>().cloned().unwrap_or_default();
    let who: Actor = guest.actor(trace);
    let minted = transact!(app.db, |tx| session::exchange(tx, &who, &guest.session.id, secret, &place.authority).await);
    match minted {
        Ok(value) => {
            let mut response = redirect(&landing(guest));
            let cookie = cookie::set(&app.settings, &value, guest.session.max_ms / 1000);
            response.headers_mut().insert(SET_COOKIE, cookie);
            response
        }
        Err(Error::Missing { .. }) => on_link_page(shell::expired(locale, Some(guest), StatusCode::GONE)),
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
fn on_link_page(mut response: Response) -> Response {
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    response
}

fn broken(error: &Error, locale: Locale) -> Response {
    tracing::error!(?error, "a link could not be opened");
    on_link_page(shell::broken(locale))
}
