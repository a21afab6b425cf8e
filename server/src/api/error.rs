//! How a failure looks to the caller: Stripe's envelope on everything that is not a success, and nothing of ours in it.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use billing::Error;
use serde::Serialize;
use serde_json::{Value, json};

/// A refusal or failure as it is sent.
#[derive(Debug, Clone)]
pub struct Failure {
    pub status: StatusCode,
    error: Box<Envelope>,
    retry_after: Option<u32>,
    detail: Option<String>,
}

/// Stripe's error object. SDKs choose their error class by the status, not by `type`.
#[derive(Debug, Clone, Serialize)]
struct Envelope {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<String>,
    message: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<String>,
    /// Ours: the quote that takes the place of one that is stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<Value>,
    r#type: &'static str,
}

/// What went wrong on our side: for the log, carried in the extensions of the answer.
#[derive(Debug, Clone)]
pub struct Detail(pub String);

/// Marks an answer whose body is the envelope already.
#[derive(Debug, Clone, Copy)]
pub struct Enveloped;

impl Failure {
    /// Every failure has a code that programs can act on.
    fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let kind = if status.is_server_error() { "api_error" } else { "invalid_request_error" };
        let error =
            Envelope { code, decline_code: None, message: message.into(), param: None, quote: None, r#type: kind };
        Self { status, error: Box::new(error), retry_after: None, detail: None }
    }

    fn param(mut self, param: String) -> Self {
        self.error.param = Some(param).filter(|param| !param.is_empty());
        self
    }

    /// What was quoted would cost something else by now: nothing was done, and this is what it would cost.
    pub fn stale(quote: Value) -> Self {
        let message = "This would cost something else by now, so nothing was changed. The error has a fresh quote.";
        let mut stale = Self::new(StatusCode::BAD_REQUEST, "quote_stale", message);
        stale.error.quote = Some(quote);
        stale
    }

    pub fn bad_request(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// The texts say where a key belongs, and never repeat the one that was sent.
    pub fn no_key() -> Self {
        let message = "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer \
                       auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').";
        Self::new(StatusCode::UNAUTHORIZED, "api_key_missing", message)
    }

    pub fn wrong_key() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "api_key_invalid", "Invalid API Key provided.")
    }

    pub fn other_account() -> Self {
        let message =
            "The provided key does not have access to the account in the request (or that account does not exist).";
        Self::new(StatusCode::FORBIDDEN, "account_invalid", message)
    }

    pub fn unknown_path(method: &str, path: &str) -> Self {
        let hint = if path.ends_with('/') {
            " If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, make sure you \
             passed a valid (non-empty) identifier in your code."
        } else {
            ""
        };
        Self::new(StatusCode::NOT_FOUND, "url_unknown", format!("Unrecognized request URL ({method}: {path}).{hint}"))
    }

    pub fn wrong_method(method: &str, path: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            format!("This URL does not answer to this method ({method}: {path})."),
        )
    }

    pub fn too_large(most: usize) -> Self {
        let message = format!("The request's body is larger than {most} bytes.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", message)
    }

    pub fn media_type() -> Self {
        let message = "The Content-Type of a request must be application/x-www-form-urlencoded or application/json.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type_unsupported", message)
    }

    /// The same key is being worked on right now.
    pub fn key_in_use() -> Self {
        let message =
            "There is currently another in-progress request using this Idempotency-Key. Please try again later.";
        Self::new(StatusCode::CONFLICT, "idempotency_key_in_use", message)
    }

    pub fn rate_limited(retry_after: u32) -> Self {
        let message = "Too many requests hit the API too quickly.";
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit", message) }
    }

    pub fn timed_out() -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "timeout", "The request took too long, and may still be at work.")
    }

    pub fn internal(detail: impl Into<String>) -> Self {
        let message = "An unexpected error occurred. It has been noted under this request's id.";
        Self { detail: Some(detail.into()), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message) }
    }

    /// Whether the caller does well to send the same request again.
    fn is_worth_retrying(&self) -> bool {
        matches!(self.status.as_u16(), 409 | 429 | 503 | 504)
    }

    /// The envelope.
    pub fn body(&self) -> String {
        json!({ "error": *self.error }).to_string()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Invalid { param, code, .. } => Self::bad_request(code, message).param(param),
            Error::Missing { param, .. } => Self::new(StatusCode::NOT_FOUND, "resource_missing", message).param(param),
            Error::Conflict { code, .. } => Self::bad_request(code, message),
            Error::Forbidden(text) => Self::new(StatusCode::FORBIDDEN, "forbidden", text),
            Error::Declined { code, .. } => {
                let (kind, _) = billing::payment::charge::refusal(&code);
                let mut declined = Self::new(StatusCode::PAYMENT_REQUIRED, kind, message);
                declined.error.decline_code = Some(code);
                declined.error.r#type = "card_error";
                declined
            }
            Error::Busy => {
                let message = "This object cannot be accessed right now because another request is at work on it. Please try again later.";
                Self::new(StatusCode::CONFLICT, "lock_timeout", message)
            }
            Error::TooOften(text) => {
                Self { retry_after: Some(3600), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit", text) }
            }
            Error::KeyReused => {
                let message = "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                               Try using another key if you meant to execute a different request.";
                let mut reused = Self::bad_request("idempotency_key_reused", message);
                reused.error.r#type = "idempotency_error";
                reused
            }
            Error::Unavailable(detail) => {
                let message = "The service cannot do this right now.";
                let unavailable = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
                Self { retry_after: Some(1), detail: Some(detail), ..unavailable }
            }
            Error::Internal(detail) => Self::internal(detail),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let retry = if self.is_worth_retrying() { "true" } else { "false" };
        let headers = [(header::CONTENT_TYPE, "application/json"), (super::answer::SHOULD_RETRY, retry)];
        let mut response = (self.status, headers, self.body()).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(Enveloped);
        if let Some(detail) = self.detail {
            response.extensions_mut().insert(Detail(detail));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(failure: impl Into<Failure>) -> (u16, String, Value) {
        let failure: Failure = failure.into();
        let body = serde_json::from_str(&failure.body()).unwrap();
        let response = failure.into_response();
        let retry = response.headers()[super::super::answer::SHOULD_RETRY].to_str().unwrap().to_owned();
        (response.status().as_u16(), retry, body)
    }

    #[test]
    fn every_error_has_its_status_and_says_whether_to_retry() {
        let cases: Vec<(Failure, u16, &str, &str)> = vec![
            (Error::invalid("name", "no").into(), 400, "false", "invalid_request_error"),
            (Error::missing("customer", "cus_1").into(), 404, "false", "invalid_request_error"),
            (Error::conflict("invoice_already_paid", "paid").into(), 400, "false", "invalid_request_error"),
            (Error::Forbidden("no").into(), 403, "false", "invalid_request_error"),
            (Error::Declined { code: "lost_card".into(), message: "no".into() }.into(), 402, "false", "card_error"),
            (Error::Busy.into(), 409, "true", "invalid_request_error"),
            (Error::TooOften("no").into(), 429, "true", "invalid_request_error"),
            (Error::KeyReused.into(), 400, "false", "idempotency_error"),
            (Error::Unavailable("disk".into()).into(), 503, "true", "api_error"),
            (Error::internal("defect").into(), 500, "false", "api_error"),
            (Failure::rate_limited(3), 429, "true", "invalid_request_error"),
            (Failure::timed_out(), 504, "true", "api_error"),
        ];
        for (failure, status, retry, kind) in cases {
            let (sent_status, sent_retry, body) = sent(failure);
            assert_eq!((sent_status, sent_retry.as_str(), &body["error"]["type"]), (status, retry, &json!(kind)));
            assert!(body["error"]["message"].is_string());
        }
    }

    #[test]
    fn detail_is_for_the_log_only() {
        let failure = Failure::from(Error::internal("SQLITE_CORRUPT at /data"));
        assert!(!failure.body().contains("SQLITE"));
        assert!(failure.into_response().extensions().get::<Detail>().is_some());
    }

    #[test]
    fn a_decline_carries_its_code() {
        let (_, _, body) =
            sent(Error::Declined { code: "lost_card".into(), message: "Your card was declined.".into() });
        assert_eq!(body["error"]["code"], "card_declined");
        assert_eq!(body["error"]["decline_code"], "lost_card");
    }
}
