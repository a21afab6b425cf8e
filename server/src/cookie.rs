//! The cookie that holds a portal session in the browser.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::config::Settings;

/// `__Host-` binds it to this host over TLS; plain HTTP, which only loopback has, cannot carry that.
pub fn name(settings: &Settings) -> &'static str {
    if settings.is_https() { "__Host-portico" } else { "portico" }
}

/// The session's cookie, if the browser sent it.
pub fn read(headers: &HeaderMap, settings: &Settings) -> Option<String> {
    let all = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    all.filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name(settings))
        .map(|(_, value)| value.to_owned())
}

/// Lax, not Strict: the way back from a bank's page is a cross-site navigation.
pub fn set(settings: &Settings, value: &str, max_age: i64) -> HeaderValue {
    let secure = if settings.is_https() { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}", name(settings));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}
