//! The reference of the merchant API: the OpenAPI document, and a page that shows it with nothing from elsewhere.

use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::site;

/// Made from the API itself, by a test.
pub const OPENAPI: &str = include_str!("../../docs/openapi.json");

/// Everything comes from this server, and talks to nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const FRESH: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// `GET /docs/openapi.json`
pub async fn document() -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json")), (CACHE_CONTROL, FRESH)], OPENAPI).into_response()
}

/// `GET /docs/api`
pub async fn page() -> Response {
    let names = &site::names().reference;
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"/>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><meta name=\"robots\" content=\"noindex\"/>\
         <title>API reference</title><link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\"/>\
         <link rel=\"stylesheet\" href=\"/{}\"/><script defer src=\"/{}\"></script></head><body><main id=\"api\"></main>\
         <noscript><a href=\"/docs/openapi.json\">The OpenAPI document</a></noscript></body></html>",
        names.css, names.js
    );
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, html).into_response()
}
