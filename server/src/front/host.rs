//! Under which host one is asked.

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::api::error::Failure;
use crate::state::App;

/// The portal answers under its own host only; any other gets nothing.
pub async fn portal_host(State(app): State<App>, request: Request, next: Next) -> Response {
    if names_us(&request, &app) { next.run(request).await } else { StatusCode::MISDIRECTED_REQUEST.into_response() }
}

/// So does the merchant API, in its own words.
pub async fn api_host(State(app): State<App>, request: Request, next: Next) -> Response {
    if names_us(&request, &app) {
        return next.run(request).await;
    }
    let mut refused = Failure::unknown_path(request.method().as_str(), request.uri().path());
    refused.status = StatusCode::MISDIRECTED_REQUEST;
    refused.into_response()
}

fn names_us(request: &Request, app: &App) -> bool {
    let named = request.uri().authority().map(|a| a.as_str()).or_else(|| host(request.headers()));
    named.is_some_and(|host| host.eq_ignore_ascii_case(app.settings.authority()))
}

/// The one `Host` header; none if it is absent or said twice.
pub fn host(headers: &HeaderMap) -> Option<&str> {
    let mut named = headers.get_all(HOST).iter();
    let host = named.next()?.to_str().ok()?;
    if named.next().is_none() { Some(host) } else { None }
}
