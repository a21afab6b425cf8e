//! Where a form may come from, what it may hold, and where it leads.

use app::session::Visit;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_TYPE, LOCATION, ORIGIN, REFERER};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Place;
use crate::shell;

/// What a form or server function may send, in bytes.
pub const MOST_FORM: usize = 64 * 1024;

/// Forms and server functions are for pages of ours: anything else is refused before its body is read.
///
/// Browsers say where a request comes from in `Sec-Fetch-Site`; where they do not, `Origin` must be ours. A server
/// function takes a form's encoding only.
pub async fn same_origin(request: Request, next: Next) -> Response {
    let is_function = request.uri().path().starts_with("/do/");
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) && !is_function {
        return next.run(request).await;
    }
    let own = request.extensions().get::<Place>().map(|place| place.origin.as_str());
    let ours = own.is_some_and(|own| is_from(request.headers(), own));
    let is_form = !is_function || sends_form(request.headers());
    if ours && is_form && *request.method() == Method::POST { next.run(request).await } else { refuse(&request) }
}

/// Whether a page of this origin sends this.
pub fn is_from(headers: &HeaderMap, own: &str) -> bool {
    let origin = headers.get(ORIGIN).map(|v| v.as_bytes());
    match headers.get("sec-fetch-site").map(|v| v.as_bytes()) {
        Some(b"same-origin" | b"none") => origin.is_none_or(|o| o == own.as_bytes()),
        Some(_) => false,
        None => origin == Some(own.as_bytes()),
    }
}

/// Whether a browser says that a page of another site, or of another host, makes the request.
pub fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"))
}

fn sends_form(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).and_then(|v| v.split(';').next());
    media.is_some_and(|media| media.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// Takes a body in whole, so that one which is too long is refused as such and no handler sees a part of it. Nobody
/// types a NUL, and PostgreSQL cannot even be asked for one.
pub async fn small_body(request: Request, next: Next) -> Response {
    let holds_nul = |text: &[u8]| text.contains(&0) || text.windows(3).any(|three| three == b"%00");
    let (parts, body) = request.into_parts();
    let address = parts.uri.path_and_query().map(|it| it.as_str()).unwrap_or_default();
    match to_bytes(body, MOST_FORM).await {
        Ok(bytes) if holds_nul(&bytes) || holds_nul(address.as_bytes()) => StatusCode::BAD_REQUEST.into_response(),
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}

fn refuse(request: &Request) -> Response {
    let visit = request.extensions().get::<Visit>();
    tracing::info!("refused a request that no page of ours made");
    if wants_page(request.headers()) { shell::refused(visit) } else { StatusCode::FORBIDDEN.into_response() }
}

pub fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// A form sent without WebAssembly is answered by a redirect; an error's status would keep the browser from following.
/// It leads back to where the form stood, which is a page of ours or is not believed.
pub async fn follow_form(mut request: Request, next: Next) -> Response {
    let place = request.extensions().get::<Place>();
    if !request.headers().get(REFERER).is_some_and(|from| is_ours(from.as_bytes(), place)) {
        request.headers_mut().remove(REFERER);
    }
    let is_form = wants_page(request.headers()) && request.uri().path().starts_with("/do/");
    let mut response = next.run(request).await;
    if is_form && response.headers().contains_key(LOCATION) {
        *response.status_mut() = StatusCode::SEE_OTHER;
    }
    response
}

fn is_ours(url: &[u8], place: Option<&Place>) -> bool {
    let rest = place.and_then(|place| url.strip_prefix(place.origin.as_bytes()));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
