//! `/invoice/{secret}`: one invoice for whoever holds its link. Needs no session and runs no script; the one thing that
//! can be done with it is to pay it.

use app::pages::hosted;
use app::text::Locale;
use axum::extract::{Extension, Path, State};
use axum::http::header::{ACCEPT_LANGUAGE, REFERRER_POLICY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use billing::invoice::hosted::Hosted;
use billing::portal::{configuration, paying};
use billing::{Error, Trace, directory, payment};

use crate::entry::redirect;
use crate::front::Place;
use crate::shell;
use crate::state::App;

/// `POST /invoice/{secret}/pay`: charges it once, however often the button is pressed.
pub async fn pay(
    State(app): State<App>,
    Extension(place): Extension<Place>,
    Path(secret): Path<String>,
    request: Parts,
) -> Response {
    let trace = request.extensions.get::<Trace>().cloned().unwrap_or_default();
    match charge(&app, &place, &secret, trace).await {
        Ok(true) => redirect(&format!("/invoice/{secret}")),
        Ok(false) => shell::unknown_invoice(locale(&request.headers, None)),
        Err(error) => {
            tracing::error!(?error, "an invoice could not be paid from its own page");
            shell::broken(locale(&request.headers, None))
        }
    }
}

async fn charge(app: &App, place: &Place, secret: &str, trace: Trace) -> billing::Result<bool> {
    let Some(found) = find(app, place, secret).await?.filter(Hosted::is_open) else { return Ok(false) };
    let payer = found.payer(trace);
    let mut tx = app.db.read().await?;
    let allowed = configuration::get(&mut tx, &payer, "default").await?;
    match paying::asked_for(&mut tx, &payer, &allowed, &found.invoice.id).await {
        Err(Error::Forbidden(_)) => return Ok(false),
        other => other?,
    };
    drop(tx);
    match payment::collect(&app.db, app.gateway.clone(), &payer, &found.invoice.id).await {
        // What came of it is told by the page.
        Ok(_) | Err(Error::Busy | Error::Conflict { .. } | Error::Invalid { .. }) => Ok(true),
        Err(other) => Err(other),
    }
}

pub async fn show(
    State(app): State<App>,
    Extension(place): Extension<Place>,
    Path(secret): Path<String>,
    headers: HeaderMap,
) -> Response {
    let mut response = match find(&app, &place, &secret).await {
        Ok(Some(hosted)) => page(&app, &place, locale(&headers, Some(&hosted)), &hosted, &secret).await,
        Ok(None) => Ok(shell::unknown_invoice(locale(&headers, None))),
        Err(error) => Err(error),
    }
    .unwrap_or_else(|error| {
        tracing::error!(?error, "an invoice's own page could not be shown");
        shell::broken(locale(&headers, None))
    });
    // The path holds the secret: it goes nowhere from here. A form must say from which origin it comes.
    response.headers_mut().entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    response
}

pub(crate) fn locale(headers: &HeaderMap, found: Option<&Hosted>) -> Locale {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let Some(Hosted { customer, brand, .. }) = found else { return Locale::choose(None, &[], accepted, None) };
    Locale::choose(None, &customer.preferred_locales, accepted, brand.default_locale.as_deref())
}

pub(crate) async fn find(app: &App, place: &Place, secret: &str) -> billing::Result<Option<Hosted>> {
    let mut tx = app.db.read().await?;
    let found = directory::by_hosted_invoice(&mut tx, secret).await?;
    Ok(found.filter(|hosted| place.serves(&hosted.tenant)))
}

async fn page(app: &App, place: &Place, locale: Locale, found: &Hosted, secret: &str) -> billing::Result<Response> {
    if !found.is_open() {
        return Ok(shell::hosted_expired(locale, &found.brand));
    }
    let mut tx = app.db.read().await?;
    let (path, fields_url) = (format!("/invoice/{secret}"), app.settings.fields_url());
    let invoice = hosted::read(&mut tx, locale, found, (&place.origin, &path, &fields_url)).await?;
    let has_form = invoice.paying.is_some();
    let mut response = shell::hosted_invoice(locale, &found.brand, invoice);
    if has_form {
        response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    }
    Ok(response)
}
