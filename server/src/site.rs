//! The front end, carried inside the program: hashed names, compressed once at build time.

use std::borrow::Cow;
use std::sync::OnceLock;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use serde::Deserialize;

/// Empty where the site was not built, so that tests of the server need no front end.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
#[allow_missing = true]
struct Site;

/// The names of this build's files.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Names {
    pub js: String,
    /// What fetches the code of a single page; `js` imports it.
    pub split: String,
    pub wasm: String,
    pub css: String,
    pub reference: Reference,
}

/// The API reference's own.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Reference {
    pub js: String,
    pub css: String,
}

/// What the document links to; empty names where the site was not built.
pub fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        Site::get("manifest.json").and_then(|file| serde_json::from_slice(&file.data).ok()).unwrap_or_default()
    })
}

/// The look of every page. It travels in the document: who comes here comes twice a year, often on a phone, and a page
/// that has to ask for its look is seen one round trip later.
pub fn style() -> &'static str {
    static STYLE: OnceLock<String> = OnceLock::new();
    STYLE.get_or_init(|| {
        let file = Site::get(&names().css);
        file.map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default()
    })
}

/// Refuses to serve a portal without its front end.
pub fn check() -> Result<(), String> {
    if names().css.is_empty() {
        Err("this program was built without its front end; build it with `make build`".into())
    } else {
        Ok(())
    }
}

/// `GET /pkg/…` and the files of `public/`.
pub async fn file(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    serve(path, request.headers()).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// Whether the site holds a file of this name.
pub fn has(path: &str) -> bool {
    path != "manifest.json" && !path.ends_with(".br") && !path.ends_with(".gz") && Site::get(path).is_some()
}

fn serve(path: &str, headers: &HeaderMap) -> Option<Response> {
    if !has(path) {
        return None;
    }
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let encoded = [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .filter(|(name, _)| accepted.split(',').any(|a| a.trim().split(';').next() == Some(name)))
        .find_map(|(name, suffix)| Some((name, Site::get(&format!("{path}{suffix}"))?)));
    let (encoding, file) = match encoded {
        Some((name, file)) => (Some(name), file),
        None => (None, Site::get(path)?),
    };
    let body = match file.data {
        Cow::Borrowed(bytes) => Body::from(Bytes::from_static(bytes)),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    let mut response = Response::new(body);
    let out = response.headers_mut();
    let media = if path.ends_with(".wasm") {
        "application/wasm"
    } else {
        mime_guess::from_path(path).first_raw().unwrap_or("application/octet-stream")
    };
    out.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    out.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    // A hashed name never changes its content; the others are asked again after an hour.
    let keep = if path.starts_with("pkg/") { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    out.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    Some(response)
}
