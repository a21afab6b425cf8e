//! What this process counts of itself, for Prometheus: few names, and labels that come from closed sets only.

use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use billing::cycle::parking;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::front::{is_from_this_machine, is_same};
use crate::state::App;

const REQUESTS: &str = "portico_http_requests_total";
const REQUEST_SECONDS: &str = "portico_http_request_duration_seconds";
const JOBS: &str = "portico_worker_jobs_total";
const CONNECTIONS: &str = "portico_database_connections";
const MOST_CONNECTIONS: &str = "portico_database_connections_max";
const PARKED: &str = "portico_subscriptions_parked";
const BUILD: &str = "portico_build_info";

/// Upper bounds in seconds; a page takes milliseconds, a charge at a processor may take tens of seconds.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Observations wait in memory until they are put into their buckets, which a scrape does too.
const UPKEEP: Duration = Duration::from_secs(5);

/// Begins to count, once a process; what happened before is lost.
fn prometheus() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let name = Matcher::Full(REQUEST_SECONDS.into());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(name, BUCKETS);
        let recorder = builder.expect("there are buckets").build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::error!("another recorder counts already: /metrics stays empty");
        }
        describe_counter!(REQUESTS, "Requests answered, by method, route and status.");
        describe_histogram!(REQUEST_SECONDS, "How long requests took until their answer began.");
        describe_counter!(JOBS, "Jobs that this process's worker ran, by kind and outcome.");
        describe_gauge!(CONNECTIONS, "Open database connections, by pool and whether they are in use.");
        describe_gauge!(MOST_CONNECTIONS, "How many connections a pool may open.");
        describe_gauge!(PARKED, "Subscriptions that were stopped before they could be billed twice.");
        describe_gauge!(BUILD, "1, labelled with the program's version.");
        gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        handle
    })
}

/// Begins to count, and keeps what is counted small even if nobody ever asks for it.
pub fn start() {
    let handle = prometheus();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            handle.run_upkeep();
        }
    });
}

/// One answered request. `route` is the pattern of a path, never a path.
pub fn request(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let method = match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let labels = [("method", method), ("route", route.to_owned())];
    histogram!(REQUEST_SECONDS, &labels).record(took.as_secs_f64());
    let [method, route] = labels;
    counter!(REQUESTS, &[method, route, ("status", status.as_str().to_owned())]).increment(1);
}

/// How a job of the worker ended.
#[derive(Debug, Clone, Copy)]
pub enum Outcome {
    Done,
    Failed,
}

/// One job that was taken. `kind` is one of the worker's own words.
pub fn job(kind: &'static str, outcome: Outcome) {
    let outcome = match outcome {
        Outcome::Done => "done",
        Outcome::Failed => "failed",
    };
    counter!(JOBS, "kind" => kind, "outcome" => outcome).increment(1);
}

/// `GET /metrics`: for whoever is on this machine, or holds the token; nothing to anybody else.
pub async fn show(State(app): State<App>, request: Parts) -> Response {
    let token = app.settings.metrics_token.as_deref();
    if !is_from_this_machine(&request) && !token.is_some_and(|token| holds(&request.headers, token)) {
        return match token {
            Some(_) => (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")]).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        };
    }
    let handle = prometheus();
    for pool in app.db.pools() {
        let open = |state: &'static str| gauge!(CONNECTIONS, "pool" => pool.name, "state" => state);
        open("idle").set(f64::from(pool.idle));
        open("used").set(f64::from(pool.open.saturating_sub(pool.idle)));
        gauge!(MOST_CONNECTIONS, "pool" => pool.name).set(f64::from(pool.most));
    }
    match parked(&app).await {
        Ok(parked) => gauge!(PARKED).set(f64::from(u32::try_from(parked).unwrap_or(u32::MAX))),
        Err(error) => tracing::error!(?error, "what is parked could not be counted"),
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()).into_response()
}

async fn parked(app: &App) -> billing::Result<i64> {
    parking::count(&mut app.db.read().await?).await
}

fn holds(headers: &HeaderMap, token: &str) -> bool {
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|v| v.split_once(' '));
    sent.is_some_and(|(scheme, sent)| scheme.eq_ignore_ascii_case("bearer") && is_same(sent.trim(), token))
}
