//! What every answer carries, and under which host there is one.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Response, StatusCode, header};
use leptos::server_fn::axum::server_fn_paths;

use crate::stage::{Stage, form, page, request};

#[tokio::test]
async fn a_page_carries_its_policy_and_is_kept_by_nobody() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    let answer = stage.send(page("/", &cookie)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    for part in [
        "default-src 'none'",
        "'strict-dynamic' 'wasm-unsafe-eval'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe-inline"));
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    let (_, html) = stage.text(page("/", &cookie)).await;
    assert!(!html.contains(&nonce), "a nonce is used once");
    assert!(!html.contains(" style=\""), "no inline styles");
}

/// What each answer carries, beside what its kind decides.
const GUARDS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
];

/// Every route there is and every server function, as a customer, as nobody, from elsewhere, and under another host.
#[tokio::test]
async fn every_answer_is_guarded() {
    for (public_url, is_https) in [("http://localhost:3000", false), ("https://localhost:3000", true)] {
        let stage = Stage::at(public_url).await;
        let merchant = stage.merchant("Acme").await;
        let (cookie, session) = stage.sign_in(&merchant.who, &merchant.customer).await;
        let (link, _) = stage.link(&merchant.who, &merchant.customer).await;
        let mut seen = BTreeSet::new();
        for (method, path) in every_path(&merchant.subscription, &link) {
            for (cookie, site, host) in [
                (cookie.as_str(), "same-origin", "localhost:3000"),
                ("", "same-origin", "localhost:3000"),
                (cookie.as_str(), "cross-site", "localhost:3000"),
                (cookie.as_str(), "same-origin", "evil.example"),
            ] {
                let body = format!("session={session}&key=k&id={}", merchant.subscription);
                let mut visit = form(&path, cookie, &body);
                *visit.method_mut() = method.clone();
                visit.headers_mut().insert(header::HOST, host.parse().unwrap());
                visit.headers_mut().insert("sec-fetch-site", site.parse().unwrap());
                let answer = stage.send(visit).await;
                seen.insert(answer.status().as_u16());
                check_guards(&answer, &format!("{method} {path} from {site} at {host}"), is_https);
            }
        }
        for status in [200, 303, 401, 403, 404, 421] {
            assert!(seen.contains(&status), "{status} in {seen:?}");
        }
    }
}

/// Every path with an object of the customer in it, and some that lead nowhere.
fn every_path(subscription: &str, link: &str) -> Vec<(Method, String)> {
    let named = |method: &str, path: &str| (method.parse().unwrap(), path.replace("{id}", subscription));
    let mut paths: Vec<_> = server::web::page_paths().iter().map(|path| named("GET", path)).collect();
    paths.extend(
        server::web::ROUTES
            .iter()
            .chain(server::doors::ROUTES)
            .chain(server::api::ROUTES)
            .map(|(method, path)| named(method, path)),
    );
    paths.extend(server_fn_paths().map(|(path, _)| named("POST", path)));
    let nowhere = ["/no-such-page", "/pkg/none.js", "/favicon.svg", "/do/none", "/v1/none", "/session/none"];
    paths.extend(nowhere.iter().flat_map(|path| ["GET", "HEAD", "POST", "OPTIONS"].map(|method| named(method, path))));
    paths.push(named("GET", link));
    paths
}

fn check_guards(answer: &Response<Body>, of: &str, is_https: bool) {
    let headers = answer.headers();
    let only = |name: &str| {
        assert!(headers.get_all(name).iter().count() <= 1, "{name} once on {of}");
        headers.get(name).map(|value| value.to_str().unwrap())
    };
    // What merchants' pages load.
    let is_everybodys = of.contains(" /embed.js ") && answer.status() == StatusCode::OK;
    for (name, value) in GUARDS {
        let value = if is_everybodys && name.ends_with("resource-policy") { "cross-origin" } else { value };
        assert_eq!(only(name), Some(value), "{name} on {of}");
    }
    let policy = only("content-security-policy").unwrap_or_default();
    for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action '"] {
        assert!(policy.contains(part), "{part} on {of}: {policy}");
    }
    // A path with a secret in it is told to nobody.
    let referrer = only("referrer-policy").unwrap();
    let holds_secret = [" /session/", " /invoice/", " /access/"].iter().any(|path| of.contains(path));
    let leaves = answer.status() == StatusCode::SEE_OTHER && !of.contains(" /do/");
    match referrer {
        "no-referrer" => assert!(leaves || holds_secret, "{of}"),
        "strict-origin" => assert!(holds_secret, "{of}"),
        "same-origin" => assert!(!leaves && (!holds_secret || answer.status() != StatusCode::OK), "{of}"),
        other => panic!("{other} on {of}"),
    }
    let strict = only("strict-transport-security");
    assert_eq!(strict, is_https.then_some("max-age=31536000; includeSubDomains"), "{of}");
    let is_public = ["/docs/openapi.json", "/favicon.svg", "/embed.js"].iter().any(|path| of.contains(path));
    assert!(is_public || only("cache-control") == Some("no-store"), "{of}");
    let telling = ["server", "x-powered-by", "access-control-allow-origin"];
    assert!(telling.iter().all(|name| !headers.contains_key(*name)), "{of}");
}

/// The API and its reference are on the public URL only; a balancer's checks come by an address.
#[tokio::test]
async fn other_hosts_get_nothing() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let bearer = format!("Bearer {}", merchant.key);
    for (path, own) in [("/v1/account", 200), ("/docs/api", 200), ("/docs/openapi.json", 200), ("/", 401)] {
        for (host, expected) in [("LOCALHOST:3000", own), ("localhost:3001", 421), ("billing.example", 421)] {
            let mut visit = request(Method::GET, path, &[("authorization", &bearer)]);
            visit.headers_mut().insert(header::HOST, host.parse().unwrap());
            let (status, body) = stage.text(visit).await;
            assert_eq!(status, expected, "{path} at {host}");
            let is_nothing = if path.starts_with("/v1") { body.contains("\"error\"") } else { body.is_empty() };
            assert!(status != 421 || is_nothing, "{path} at {host}: {body}");
        }
    }
}

#[tokio::test]
async fn health_says_whether_to_send_requests_here() {
    let stage = Stage::new().await;
    let probe = || request(Method::GET, "/readyz", &[("host", "10.0.0.7:3000")]);
    assert_eq!(stage.send(probe()).await.status(), StatusCode::OK);
    stage.app.draining.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(stage.send(probe()).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(stage.send(request(Method::GET, "/healthz", &[])).await.status(), StatusCode::OK);
}
