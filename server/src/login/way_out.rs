//! Signing out, here or everywhere.

use app::pages::login::{SignOutPage, SignedOutPage};
use app::session::Visit;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::header::{HeaderName, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use billing::directory::Guest;
use billing::portal::session;
use billing::{Result, Trace, transact};
use leptos::prelude::*;
use url::form_urlencoded;

use crate::cookie::Held;
use crate::entry::redirect;
use crate::leave::way_back;
use crate::state::App;
use crate::visit::locale;
use crate::{cookie, shell};

/// `GET /sign-out`: asks.
pub async fn ask(Extension(visit): Extension<Visit>) -> Response {
    let Some(guest) = &visit.guest else { return redirect("/") };
    let brand = guest.brand.clone();
    shell::page(visit.locale, StatusCode::OK, Some(&guest.brand), move || view! { <SignOutPage brand/> })
}

/// `POST /sign-out`: ends this session, or all of the customer's.
pub async fn sign_out(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(guest) = visit.guest else { return redirect("/") };
    let everywhere = form_urlencoded::parse(&body).any(|(name, value)| name == "everywhere" && value == "true");
    if let Err(error) = end(&app, &guest, visit.trace, everywhere).await {
        tracing::error!(?error, "somebody could not be signed out");
        return shell::broken(visit.locale);
    }
    let (brand, back, login) = (guest.brand.clone(), way_back(&guest), guest.configuration.login_url.clone());
    let page = shell::page(locale(&headers, Some(&guest)), StatusCode::OK, Some(&guest.brand), move || {
        view! { <SignedOutPage brand back login/> }
    });
    cleared(&app, page)
}

/// Ends a session, or all of its customer's: their cookies are refused from now on.
pub async fn end(app: &App, guest: &Guest, trace: Trace, everywhere: bool) -> Result<()> {
    let who = guest.actor(trace);
    transact!(app.db, |tx| {
        if everywhere {
            session::revoke_all(tx, &who, None).await.map(drop)
        } else {
            session::revoke(tx, &who, &guest.session.id).await.map(drop)
        }
    })
}

/// The browser forgets what it has of the portal.
pub fn cleared(app: &App, mut response: Response) -> Response {
    let headers = response.headers_mut();
    for cookie in cookie::set(&app.settings, &Held { value: String::new(), is_framed: false }, 0) {
        headers.append(SET_COOKIE, cookie);
    }
    let all = HeaderValue::from_static("\"cache\", \"storage\"");
    headers.insert(HeaderName::from_static("clear-site-data"), all);
    response
}
