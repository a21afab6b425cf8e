//! What is counted and logged of each request.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use billing::Trace;
use tracing::Instrument;

use crate::{log, metrics};

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
