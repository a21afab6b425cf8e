//! The portal in a frame of the merchant's own page, where a configuration lists that page's origin.
//!
//! A session that begins in a frame has a cookie of its own, which is good in frames only; one that begins at the top is
//! good there only. A browser has one of the two at a time.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use billing::portal::Configuration;

const NOBODY: &str = "frame-ancestors 'none'";
/// Says on an answer that something has been done in its session; the page's script reads it there.
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// How a page is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    Top,
    Frame,
    /// A script of a page asks, which may be either.
    Unsaid,
}

impl Stand {
    /// As the browser says; whoever does not say is no browser that could be in a frame.
    pub fn of(headers: &HeaderMap) -> Self {
        match headers.get("sec-fetch-dest").map(HeaderValue::as_bytes) {
            Some(b"iframe") => Self::Frame,
            Some(b"empty") => Self::Unsaid,
            _ => Self::Top,
        }
    }
}

/// The origins whose pages may show what a configuration makes.
pub fn parents(configuration: &Configuration) -> &[String] {
    &configuration.features.embedding.parent_origins
}

/// Lets exactly these pages show an answer in a frame.
pub fn let_in(response: &mut Response, parents: &[String]) {
    let headers = response.headers_mut();
    let policy = headers.get(CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok());
    let own = policy.filter(|_| !parents.is_empty()).map(|policy| {
        let named = format!("frame-ancestors {}", parents.join(" "));
        policy.replace(NOBODY, &named)
    });
    if let Some(policy) = own.and_then(|policy| HeaderValue::from_str(&policy).ok()) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
}

/// Tells the page's script that something was done.
pub fn say_completed(response: &mut Response) {
    response.headers_mut().insert(SERVER_TIMING, HeaderValue::from_static("completed"));
}

/// What a framed page runs beside its own: it tells its parents, and nobody else, how high it is and what was done.
pub fn script(parents: &[String]) -> String {
    // Origins that were checked; nothing in them ends a script.
    let origins = serde_json::to_string(parents).unwrap_or_default().replace('<', "\\u003c");
    include_str!("framed.js").replace("PARENTS", &origins)
}

/// `GET /embed.js`: the element that a merchant's page shows the portal with.
pub async fn embed() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=3600"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (headers, include_str!("embed.js")).into_response()
}
