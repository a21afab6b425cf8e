//! The cookie that holds a portal session in the browser: one at the top, another in frames.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::config::Settings;
use crate::framing::Stand;

/// A session's cookie as the browser sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub value: String,
    pub is_framed: bool,
}

/// `__Host-` binds it to this host over TLS; plain HTTP, which only loopback has, cannot carry that.
fn name(settings: &Settings, is_framed: bool) -> &'static str {
    match (settings.is_https(), is_framed) {
        (true, false) => "__Host-portico",
        (true, true) => "__Host-portico-frame",
        (false, false) => "portico",
        (false, true) => "portico-frame",
    }
}

/// The session's cookie, if the browser sent the one for where the page stands.
pub fn read(headers: &HeaderMap, settings: &Settings) -> Option<Held> {
    let of = |is_framed| Some(Held { value: sent(headers, name(settings, is_framed))?, is_framed });
    match Stand::of(headers) {
        Stand::Top => of(false),
        Stand::Frame => of(true),
        Stand::Unsaid => of(true).or_else(|| of(false)),
    }
}

/// The cookie of a browser on its way in: what it asked with, then the proof of its mailbox.
pub fn read_login(headers: &HeaderMap, settings: &Settings) -> Option<String> {
    sent(headers, login_name(settings))
}

fn login_name(settings: &Settings) -> &'static str {
    if settings.is_https() { "__Host-portico-login" } else { "portico-login" }
}

fn sent(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    all.filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// The session's cookie, and the end of the other one. Lax at the top, not Strict: the way back from a bank's page is a
/// cross-site navigation. In a frame the browser sends it to pages under the same parent only (CHIPS).
pub fn set(settings: &Settings, held: &Held, max_age: i64) -> [HeaderValue; 2] {
    let of = |is_framed, value: &str, max_age: i64| {
        let site = match (settings.is_https(), is_framed) {
            (true, false) => "SameSite=Lax; Secure",
            (true, true) => "SameSite=None; Secure; Partitioned",
            (false, _) => "SameSite=Lax",
        };
        let text = format!("{}={value}; Path=/; Max-Age={max_age}; HttpOnly; {site}", name(settings, is_framed));
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    };
    [of(held.is_framed, &held.value, max_age), of(!held.is_framed, "", 0)]
}

pub fn set_login(settings: &Settings, value: &str, max_age: i64) -> HeaderValue {
    let secure = if settings.is_https() { "; Secure" } else { "" };
    let name = login_name(settings);
    let text = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}
