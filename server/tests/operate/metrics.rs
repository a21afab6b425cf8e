//! Who may read the metrics, and what stands in them.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, header};
use billing::job::{self, NewJob};
use billing::transact;
use serde_json::json;
use server::config::Settings;
use server::state::App;
use tower::ServiceExt;

use crate::support::{Shop, on_both};

const TOKEN: &str = "scrape-me-7d1f";
const HERE: &str = "127.0.0.1:50000";
const ELSEWHERE: &str = "203.0.113.9:50000";

type Headers<'h> = &'h [(&'h str, &'h str)];

async fn ask(app: &App, peer: &str, path: &str, headers: Headers<'_>) -> (u16, String) {
    let mut request = Request::builder().method(Method::GET).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let peer: SocketAddr = peer.parse().unwrap();
    let request = request.extension(ConnectInfo(peer)).body(Body::empty()).unwrap();
    let answer = server::web::router(app.clone()).oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    (status, String::from_utf8(to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap())
}

fn with_token(app: &App, token: Option<&str>) -> App {
    let settings = Settings { metrics_token: token.map(str::to_owned), ..(*app.settings).clone() };
    App { settings: Arc::new(settings), ..app.clone() }
}

on_both!(metrics_are_for_this_machine_or_for_the_token, labels_come_from_closed_sets);

async fn metrics_are_for_this_machine_or_for_the_token(shop: Shop) {
    let local = ("host", "localhost:3000");
    let bearer = |token: &str| format!("Bearer {token}");
    let (right, wrong, cut) = (bearer(TOKEN), bearer("scrape-me"), bearer(""));
    let cases: &[(&str, Headers, u16, u16)] = &[
        // The peer, the headers; the answer without a token in the settings, and with one.
        (HERE, &[local], 200, 200),
        (HERE, &[("host", "127.0.0.1:3000")], 200, 200),
        ("[::1]:50000", &[("host", "[::1]:3000")], 200, 200),
        (ELSEWHERE, &[local], 404, 401),
        // A proxy on this machine hands on what others ask.
        (HERE, &[("host", "billing.example")], 404, 401),
        (HERE, &[local, ("x-forwarded-for", "127.0.0.1")], 404, 401),
        (HERE, &[local, ("forwarded", "for=203.0.113.9")], 404, 401),
        (HERE, &[local, ("via", "1.1 front")], 404, 401),
        (HERE, &[], 404, 401),
        (ELSEWHERE, &[("authorization", right.as_str())], 404, 200),
        (ELSEWHERE, &[("authorization", wrong.as_str())], 404, 401),
        (ELSEWHERE, &[("authorization", cut.as_str())], 404, 401),
        (ELSEWHERE, &[("authorization", TOKEN)], 404, 401),
    ];
    for (peer, headers, closed, open) in cases {
        for (token, expected) in [(None, closed), (Some(TOKEN), open)] {
            let (status, body) = ask(&with_token(&shop.app, token), peer, "/metrics", headers).await;
            assert_eq!(status, *expected, "{peer} {headers:?} {token:?}");
            assert_eq!(body.contains("portico_build_info"), status == 200, "{peer} {headers:?}");
        }
    }
}

async fn labels_come_from_closed_sets(shop: Shop) {
    server::metrics::start();
    let app = with_token(&shop.app, None);
    let customer = shop.post("/v1/customers", "name=Ada&email=ada@example.com").await.made();
    let key = format!("Bearer {}", shop.key);
    let host = ("host", "billing.example");
    for path in [
        format!("/v1/customers/{customer}"),
        format!("/v1/customers/{customer}?expand[]=subscriptions"),
        "/v1/customers/cus_nobody".into(),
        "/session/a-secret-of-somebody".into(),
        "/no-such-page/ada@example.com".into(),
    ] {
        ask(&app, ELSEWHERE, &path, &[host, (header::AUTHORIZATION.as_str(), &key)]).await;
    }
    let odd =
        Request::builder().method("BREW").uri("/v1/customers").header(host.0, host.1).body(Body::empty()).unwrap();
    server::web::router(app.clone()).oneshot(odd).await.unwrap();
    let run_at = app.db.clock().wall();
    for kind in ["prune", "of-another-version"] {
        transact!(app.db, |tx| {
            job::enqueue(tx, NewJob { tenant: None, kind, unique_key: None, payload: json!({}), run_at }).await
        })
        .unwrap();
    }
    while server::worker::run_one(&app.db, &app.gateway).await.unwrap() {}

    let (_, text) = ask(&app, HERE, "/metrics", &[("host", "localhost")]).await;
    let has = |name: &str, labels: &[(&str, &str)]| {
        text.lines().any(|line| {
            line.starts_with(&format!("{name}{{"))
                && labels.iter().all(|(label, value)| line.contains(&format!("{label}=\"{value}\"")))
        })
    };
    let requests = "portico_http_requests_total";
    assert!(has(requests, &[("method", "GET"), ("route", "/v1/customers/{id}"), ("status", "200")]), "{text}");
    assert!(has(requests, &[("method", "GET"), ("route", "/v1/customers/{id}"), ("status", "404")]));
    assert!(has(requests, &[("method", "GET"), ("route", "/session/{secret}"), ("status", "404")]));
    assert!(has(requests, &[("method", "GET"), ("route", "(none)")]));
    assert!(has(requests, &[("method", "other"), ("route", "/v1/customers"), ("status", "405")]));
    assert!(has("portico_http_request_duration_seconds_bucket", &[("route", "/v1/customers/{id}"), ("le", "+Inf")]));
    assert!(has("portico_worker_jobs_total", &[("kind", "prune"), ("outcome", "done")]));
    assert!(has("portico_worker_jobs_total", &[("kind", "unknown"), ("outcome", "failed")]));
    let pools: &[&str] = if app.db.is_sqlite() { &["readers", "writer"] } else { &["postgres"] };
    for pool in pools {
        assert!(has("portico_database_connections", &[("pool", pool), ("state", "idle")]), "{text}");
        assert!(has("portico_database_connections_max", &[("pool", pool)]));
    }
    for open in [customer.as_str(), "cus_nobody", "secret-of", "ada@example.com", "BREW", "expand", "of-another"] {
        assert!(!text.contains(open), "{open} became a label:\n{text}");
    }
}
