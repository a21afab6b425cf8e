//! `GET /invoice/{secret}`: one invoice for whoever holds its link. Needs no session, reads only, runs no script.

use app::pages::hosted;
use app::text::Locale;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_LANGUAGE, REFERRER_POLICY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use billing::directory;
use billing::invoice::hosted::Hosted;

use crate::shell;
use crate::state::App;

pub async fn show(State(app): State<App>, Path(secret): Path<String>, headers: HeaderMap) -> Response {
    let locale = |customer: &[String]| {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        Locale::choose(None, customer, accepted)
    };
    let mut response = match find(&app, &secret).await {
        Ok(Some(hosted)) => page(&app, locale(&hosted.customer.preferred_locales), &hosted).await,
        Ok(None) => Ok(shell::missing(locale(&[]), false)),
        Err(error) => Err(error),
    }
    .unwrap_or_else(|error| {
        tracing::error!(?error, "an invoice's own page could not be shown");
        shell::broken(locale(&[]))
    });
    // The path holds the secret: it goes nowhere from here.
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn find(app: &App, secret: &str) -> billing::Result<Option<Hosted>> {
    let mut tx = app.db.read().await?;
    directory::by_hosted_invoice(&mut tx, secret).await
}

async fn page(app: &App, locale: Locale, found: &Hosted) -> billing::Result<Response> {
    if !found.is_open() {
        return Ok(shell::hosted_expired(locale, &found.merchant.name, StatusCode::GONE));
    }
    let mut tx = app.db.read().await?;
    Ok(shell::hosted_invoice(locale, hosted::read(&mut tx, locale, found).await?))
}
