//! What every answer of the API has, whatever became of the request: an id, a version, an envelope around failures.

use std::any::Any;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use billing::{Clock, Trace, id, wire};
use serde_json::Value;

use super::error::{Detail, Enveloped, Failure};

pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
pub const SHOULD_RETRY: HeaderName = HeaderName::from_static("stripe-should-retry");
pub const VERSION: HeaderName = HeaderName::from_static("stripe-version");
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// How long a request may take.
#[derive(Clone)]
pub struct Limits {
    pub clock: Clock,
    pub time: Duration,
}

/// What a handler answers: a body that is rendered once, so that what is kept for a replay is what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: StatusCode,
    pub body: String,
    pub replayed: bool,
}

impl Reply {
    pub fn ok(value: &Value) -> Self {
        Self { status: StatusCode::OK, body: value.to_string(), replayed: false }
    }

    /// The first answer to a key, given again.
    pub fn again(status: i64, body: String) -> Self {
        let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        Self { status: status.unwrap_or(StatusCode::OK), body, replayed: true }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response();
        if self.replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        if !self.status.is_success() {
            response.headers_mut().insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        response.extensions_mut().insert(Enveloped);
        response
    }
}

/// The outermost layer: names the request, limits its time, and sees to it that no failure leaves without its envelope.
pub async fn answer(State(limits): State<Limits>, mut request: Request, next: Next) -> Response {
    let id = identify(&limits.clock, &mut request);
    let version = request.headers().get(VERSION).cloned();
    let key = request.headers().get(IDEMPOTENCY_KEY).cloned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = match tokio::time::timeout(limits.time, next.run(request)).await {
        Ok(response) => enveloped(response, &method, &path),
        Err(_) => Failure::timed_out().into_response(),
    };
    if response.status().is_server_error() {
        let detail = response.extensions().get::<Detail>().map(|detail| detail.0.as_str()).unwrap_or_default();
        tracing::error!(request = %id, %method, path, status = response.status().as_u16(), detail, "request failed");
    }
    let headers = response.headers_mut();
    headers.insert(VERSION, version.unwrap_or(HeaderValue::from_static(wire::API_VERSION)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(key) = key {
        headers.insert(IDEMPOTENCY_KEY, key);
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

/// The request's id. A layer in front may have given it one, with what it knows of the client.
fn identify(clock: &Clock, request: &mut Request) -> String {
    let mut trace = request.extensions().get::<Trace>().cloned().unwrap_or_default();
    let id = trace.request.get_or_insert_with(|| id::new("req", clock.wall())).clone();
    request.extensions_mut().insert(trace);
    id
}

/// SDKs take any answer without `error` in it for a success, whatever its status.
fn enveloped(response: Response, method: &Method, path: &str) -> Response {
    if response.status().is_success() || response.extensions().get::<Enveloped>().is_some() {
        return response;
    }
    let failure = match response.status() {
        StatusCode::NOT_FOUND => Failure::unknown_path(method.as_str(), path),
        StatusCode::METHOD_NOT_ALLOWED => Failure::wrong_method(method.as_str(), path),
        status => Failure::internal(format!("a bare answer with status {status}")),
    };
    let mut sent = failure.into_response();
    if let Some(allow) = response.headers().get(header::ALLOW) {
        sent.headers_mut().insert(header::ALLOW, allow.clone());
    }
    sent
}

/// What a panic says becomes detail for the log.
pub fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    Failure::internal(panic_text(payload.as_ref())).into_response()
}

pub fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_default())
}
