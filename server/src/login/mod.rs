//! Signing in by mail, for the login page and for the calls that do the same.

mod pages;
mod way_out;

use app::text::Locale;
use axum::Router;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::{HeaderMap, HeaderValue};
use axum::routing::get;
use billing::directory::{self, Lobby};
use billing::limit::{self, Limit};
use billing::portal::configuration::Configuration;
use billing::portal::login::{self, Asked, Destination, Entry, Limits};
use billing::{Error, Result, Trace, id, transact};

use crate::cookie;
use crate::front::Place;
use crate::state::App;
use crate::visit::bound;

pub use way_out::{cleared, end};

/// Its pages, behind the layers of the portal's.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/login/{token}", get(pages::ask).post(pages::asked))
        .route("/login/{token}/code", get(pages::sent).post(pages::code))
        .route("/access/{secret}", get(pages::open).post(pages::open_by_button))
        .route("/choose", get(pages::choice).post(pages::choose))
        .route("/sign-out", get(way_out::ask).post(way_out::sign_out))
}

/// Something was done, or has to wait: the seconds.
pub enum Turn<T> {
    Done(T),
    Wait(i64),
}

/// Writes down what somebody asks for; answers the cookie that the browser is to hold. Nothing of it depends on whether a
/// customer has the address.
pub async fn ask(
    app: &App,
    lobby: &Lobby,
    (email, destination): (&str, Destination),
    headers: &HeaderMap,
    trace: &Trace,
) -> Result<Turn<HeaderValue>> {
    let settings = &app.settings;
    // What the browser holds already stays: a code that is on its way to it remains good.
    let held = cookie::read_login(headers, settings).filter(|held| held.len() == id::secret().len());
    let browser = held.unwrap_or_else(id::secret);
    let asked = Asked {
        email: email.trim().to_owned(),
        configuration: lobby.configuration.id.clone(),
        destination,
        locale: locale(headers, Some(lobby)).tag().to_owned(),
        browser: browser.clone(),
    };
    let limits =
        Limits { address: settings.login_address_limit.clone(), merchant: settings.login_merchant_limit.clone() };
    let who = lobby.actor(trace.clone());
    let wait = transact!(app.db, |tx| {
        tx.unaudited();
        match of_client(tx, "login.client", trace, &settings.login_client_limit).await? {
            Some(wait) => Ok(Some(wait)),
            None => login::ask(tx, &who, asked.clone(), &limits).await.map(|()| None),
        }
    })?;
    Ok(wait.map_or_else(|| Turn::Done(cookie::set_login(settings, &browser, login::LIVES_MS / 1000)), Turn::Wait))
}

/// Counts one more try of this client's, whatever comes of it.
pub async fn count_try(app: &App, trace: &Trace) -> Result<Option<i64>> {
    transact!(app.db, |tx| {
        tx.unaudited();
        of_client(tx, "login.try", trace, &app.settings.login_try_limit).await
    })
}

async fn of_client(tx: &mut billing::Tx, what: &str, trace: &Trace, limits: &[Limit]) -> Result<Option<i64>> {
    match &trace.ip {
        Some(ip) => limit::count(tx, what, ip, limits).await,
        None => Ok(None),
    }
}

/// Uses a mailed link.
pub async fn enter(app: &App, place: &Place, secret: &str, trace: &Trace) -> Result<(Lobby, Destination, Entry)> {
    let mut tx = app.db.read().await?;
    let found = directory::by_login_link(&mut tx, secret).await?;
    drop(tx);
    let found = found.filter(|(lobby, _)| place.serves(&lobby.tenant));
    let (lobby, request) = found.ok_or_else(|| Error::missing("login_request", "link"))?;
    let who = lobby.actor(trace.clone());
    let host = bound(place, false);
    let entry = transact!(app.db, |tx| login::enter_by_link(tx, &who, &request, secret, &host).await)?;
    Ok((lobby, request.destination, entry))
}

/// The page that a destination is, in this portal.
pub fn place(destination: Destination, configuration: &Configuration) -> &'static str {
    match destination {
        Destination::PaymentMethods if configuration.features.payment_method_update.enabled => "/payment-methods",
        Destination::BillingInformation => "/details",
        Destination::Home | Destination::PaymentMethods | Destination::Repair => "/",
    }
}

/// The browser's language, else the merchant's.
fn locale(headers: &HeaderMap, lobby: Option<&Lobby>) -> Locale {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    Locale::choose(None, &[], accepted, lobby.and_then(|lobby| lobby.brand.default_locale.as_deref()))
}
