//! The layers in front of everything: who is calling, from where, under which host, and what every answer carries.

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use app::session::Visit;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, LOCATION, ORIGIN, REFERER,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use billing::{Trace, id};
use tracing::Instrument;

use crate::api::error::Failure;
use crate::state::App;
use crate::{log, metrics, shell};

/// What a form or server function may send, in bytes.
pub const MOST_FORM: usize = 64 * 1024;

/// Gives the request its id and its caller's address, for the log and the audit trail.
pub async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip());
    let ip = peer.map(|peer| client_ip(peer, request.headers(), &app.settings.trusted_proxies));
    let user_agent = request.headers().get(axum::http::header::USER_AGENT).and_then(|v| v.to_str().ok());
    let trace = Trace {
        request: Some(id::new("req", app.db.clock().wall())),
        idempotency_key: None,
        ip: ip.map(|ip| ip.to_string()),
        user_agent: user_agent.map(|text| text.chars().take(300).collect()),
    };
    request.extensions_mut().insert(trace);
    next.run(request).await
}

/// The address before the last trusted proxy; a header from anybody else is ignored.
fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &[ipnet::IpNet]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let mut client = peer;
    let chain = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    let hops: Vec<&str> = chain.collect();
    for hop in hops.into_iter().rev() {
        if !is_trusted(&client) {
            break;
        }
        match hop.trim().parse() {
            Ok(ip) => client = ip,
            Err(_) => break,
        }
    }
    client
}

/// Counts and logs a request, by its route's pattern, never by its path, which may hold a secret.
pub async fn observe(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("(none)".to_owned(), |m| m.as_str().to_owned());
    let id = request.extensions().get::<Trace>().and_then(|t| t.request.clone()).unwrap_or_default();
    let span = log::span(&id, method.as_str(), &route);
    async move {
        let begun = std::time::Instant::now();
        let response = next.run(request).await;
        let (status, took) = (response.status(), begun.elapsed());
        metrics::request(&method, &route, status, took);
        let (status, micros) = (status.as_u16(), u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        if status >= 500 {
            tracing::warn!(status, micros, "answered");
        } else {
            tracing::debug!(status, micros, "answered");
        }
        response
    }
    .instrument(span)
    .await
}

/// What every answer carries unless its handler said otherwise.
pub async fn headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "same-origin");
    set(CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    set(CACHE_CONTROL, "no-store");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(), payment=(), usb=()");
    if app.settings.is_https() {
        set(STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    }
    response
}

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

/// Forms and server functions are for pages of ours: anything else is refused before its body is read.
///
/// Browsers say where a request comes from in `Sec-Fetch-Site`; where they do not, `Origin` must be ours. A server
/// function takes a form's encoding only.
pub async fn same_origin(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_function = request.uri().path().starts_with("/do/");
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) && !is_function {
        return next.run(request).await;
    }
    let site = request.headers().get("sec-fetch-site").map(|v| v.as_bytes());
    let origin = request.headers().get(ORIGIN).map(|v| v.as_bytes());
    let ours = match site {
        Some(b"same-origin" | b"none") => origin.is_none_or(|o| o == app.settings.public_url.as_bytes()),
        Some(_) => false,
        None => origin == Some(app.settings.public_url.as_bytes()),
    };
    let is_form = !is_function || sends_form(request.headers());
    if ours && is_form && *request.method() == Method::POST { next.run(request).await } else { refuse(&request) }
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
    let locale = request.extensions().get::<Visit>().map(|v| v.locale).unwrap_or_default();
    tracing::info!("refused a request that no page of ours made");
    if wants_page(request.headers()) { shell::refused(locale) } else { StatusCode::FORBIDDEN.into_response() }
}

pub fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// A form sent without WebAssembly is answered by a redirect; an error's status would keep the browser from following.
/// It leads back to where the form stood, which is a page of ours or is not believed.
pub async fn follow_form(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if !request.headers().get(REFERER).is_some_and(|from| is_ours(from.as_bytes(), &app)) {
        request.headers_mut().remove(REFERER);
    }
    let is_form = wants_page(request.headers()) && request.uri().path().starts_with("/do/");
    let mut response = next.run(request).await;
    if is_form && response.headers().contains_key(LOCATION) {
        *response.status_mut() = StatusCode::SEE_OTHER;
    }
    response
}

fn is_ours(url: &[u8], app: &App) -> bool {
    let rest = url.strip_prefix(app.settings.public_url.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// A page that takes longer than this is given up, and what it read with goes back to the pool.
const MOST_TIME: Duration = Duration::from_secs(30);

pub async fn in_time(request: Request, next: Next) -> Response {
    let locale = request.extensions().get::<Visit>().map(|v| v.locale).unwrap_or_default();
    tokio::time::timeout(MOST_TIME, next.run(request)).await.unwrap_or_else(|_| {
        tracing::warn!("a page took too long");
        shell::broken(locale)
    })
}

/// A panic costs its own request, nothing else. The log has it from [`log::panicked`].
pub fn broken(_: Box<dyn Any + Send + 'static>) -> Response {
    shell::broken(app::text::Locale::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_addresses_count_only_from_trusted_proxies() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("198.51.100.7, 203.0.113.9, 10.0.0.2"));
        let of = |peer: &str, trusted: &[ipnet::IpNet]| client_ip(peer.parse().unwrap(), &headers, trusted).to_string();
        assert_eq!(of("10.0.0.1", &trusted), "203.0.113.9");
        assert_eq!(of("192.0.2.1", &trusted), "192.0.2.1");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
    }
}
