//! Who is on this machine, or holds a token: for what only an operator's own programs ask.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::http::header::{FORWARDED, VIA};
use axum::http::request::Parts;
use subtle::ConstantTimeEq;

use super::host;

/// A connection from loopback that no proxy handed on: one that runs on this machine says so in a header, or keeps the
/// name that the outside asked for.
pub fn is_from_this_machine(request: &Parts) -> bool {
    let is_loopback = request.extensions.get::<ConnectInfo<SocketAddr>>().is_some_and(|peer| peer.0.ip().is_loopback());
    is_loopback && !is_handed_on(&request.headers) && host(&request.headers).is_some_and(names_this_machine)
}

fn is_handed_on(headers: &HeaderMap) -> bool {
    headers.contains_key(FORWARDED)
        || headers.contains_key(VIA)
        || headers.keys().any(|name| name.as_str().starts_with("x-forwarded-") || name == "x-real-ip")
}

fn names_this_machine(authority: &str) -> bool {
    let host = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let host = host.map_or(authority, |(host, _)| host);
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

/// Whether two secrets are the same, in a time that says nothing of where they differ.
pub fn is_same(sent: &str, token: &str) -> bool {
    bool::from(sent.as_bytes().ct_eq(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_few_names() {
        for ours in
            ["localhost", "localhost:3000", "LOCALHOST:3000", "127.0.0.1", "127.0.0.1:3000", "[::1]:3000", "[::1]"]
        {
            assert!(names_this_machine(ours), "{ours}");
        }
        for other in ["billing.example.com", "localhost.example.com", "10.0.0.1:3000", "[2001:db8::1]:3000", ""] {
            assert!(!names_this_machine(other), "{other}");
        }
    }
}
