//! Who is calling: an id for the request, and the address that it comes from.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use axum::middleware::Next;
use axum::response::Response;
use billing::{Trace, id};

use crate::state::App;

/// Gives the request its id and its caller's address, for the log and the audit trail.
pub async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip());
    let ip = peer.map(|peer| client_ip(peer, request.headers(), &app.settings.trusted_proxies));
    let user_agent = request.headers().get(USER_AGENT).and_then(|v| v.to_str().ok());
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

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

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
