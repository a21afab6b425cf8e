//! What every answer carries, and where a form or server function may be called from.

use axum::http::{Method, StatusCode, header};
use leptos::server_fn::axum::server_fn_paths;

use crate::stage::{Stage, page, request};

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

#[tokio::test]
async fn every_answer_is_guarded() {
    let stage = Stage::new().await;
    for path in ["/", "/healthz", "/session/unknown", "/no-such-page", "/pkg/none.js", "/do/none", "/v1/customers"] {
        let answer = stage.send(request(Method::GET, path, &[("accept", "text/html")])).await;
        let headers = answer.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        for name in [
            "content-security-policy",
            "referrer-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "permissions-policy",
        ] {
            assert!(headers.contains_key(name), "{name} on {path}");
        }
        assert!(!headers.contains_key(header::SERVER) && !headers.contains_key("x-powered-by"), "{path}");
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "{path}");
    }
}

/// A request that no page of ours made is refused before its body is read, on every server function.
#[tokio::test]
async fn server_functions_are_for_our_own_pages() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    let mut called = 0;
    for (path, _) in server_fn_paths() {
        let forgeries: [(Method, Vec<(&str, &str)>); 8] = [
            (
                Method::POST,
                vec![
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://evil.example"),
                    ("accept", "text/html"),
                    ("referer", "https://evil.example/"),
                ],
            ),
            (Method::POST, vec![("sec-fetch-site", "same-site"), form]),
            (Method::POST, vec![("content-type", "text/plain"), ("sec-fetch-site", "cross-site")]),
            (Method::POST, vec![("origin", "null"), form]),
            (Method::POST, vec![form]),
            (Method::GET, vec![("sec-fetch-site", "same-origin")]),
            (Method::HEAD, vec![("sec-fetch-site", "same-origin")]),
            (Method::PUT, vec![("sec-fetch-site", "same-origin"), ("x-http-method-override", "POST")]),
        ];
        for (method, mut headers) in forgeries {
            headers.push(("cookie", &cookie));
            let answer = stage.send(request(method.clone(), path, &headers)).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method} {path} {headers:?}");
            assert!(!answer.headers().contains_key(header::LOCATION));
            called += 1;
        }
    }
    assert!(called >= 8 * 5, "server functions were found");
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
