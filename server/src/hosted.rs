//! `GET /invoice/{secret}`: one invoice for whoever holds its link. Needs no session, reads only, runs no script.

use app::pages::hosted;
use app::text::Locale;
use axum::extract::{Extension, Path, State};
use axum::http::header::{ACCEPT_LANGUAGE, REFERRER_POLICY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use billing::directory;
use billing::invoice::hosted::Hosted;

use crate::front::Place;
use crate::shell;
use crate::state::App;

pub async fn show(
    State(app): State<App>,
    Extension(place): Extension<Place>,
    Path(secret): Path<String>,
    headers: HeaderMap,
) -> Response {
    let mut response = match find(&app, &place, &secret).await {
        Ok(Some(hosted)) => page(&app, locale(&headers, Some(&hosted)), &hosted).await,
        Ok(None) => Ok(shell::unknown_invoice(locale(&headers, None))),
        Err(error) => Err(error),
    }
    .unwrap_or_else(|error| {
        tracing::error!(?error, "an invoice's own page could not be shown");
        shell::broken(locale(&headers, None))
    });
    // The path holds the secret: it goes nowhere from here.
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
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

async fn page(app: &App, locale: Locale, found: &Hosted) -> billing::Result<Response> {
    if !found.is_open() {
        return Ok(shell::hosted_expired(locale, &found.brand));
    }
    let mut tx = app.db.read().await?;
    Ok(shell::hosted_invoice(locale, &found.brand, hosted::read(&mut tx, locale, found).await?))
}
