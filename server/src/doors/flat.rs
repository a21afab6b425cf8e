//! The errors of the calls with flat fields: `{"error":{"code","message","field"}}`.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::json::{Wrong, answer};

pub fn refused(status: StatusCode, code: &str, message: &str, field: Option<&str>) -> Response {
    answer(status, &json!({ "error": { "code": code, "message": message, "field": field } }))
}

pub fn wrong(refusal: Wrong) -> Response {
    refused(StatusCode::BAD_REQUEST, "invalid_field", &refusal.message, Some(&refusal.field))
}
