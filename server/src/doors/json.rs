//! A JSON object as these doors take it: each field is read once, and one that nobody reads is refused by its name.

use std::any::Any;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use billing::Error;
use serde_json::{Map, Value};

use crate::api::answer::panic_text;
use crate::api::form::check_characters;

pub struct Fields(Map<String, Value>);

/// A field that does not hold what it must; each door says so in its own envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub field: String,
    pub message: String,
}

impl Wrong {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

impl Fields {
    /// An empty body is an object without fields.
    pub fn parse(body: Result<Bytes, BytesRejection>) -> Result<Self, Wrong> {
        let body = body.map_err(|_| Wrong::new("body", "The request's body could not be read, or is too large."))?;
        if body.is_empty() {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_slice(&body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Wrong::new("body", "The request's body must be a JSON object.")),
            Err(error) => Err(Wrong::new("body", format!("The request's body is no JSON: {error}."))),
        }
    }

    /// What the field holds, `null` included.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Text; `None` where it is absent, `null` or empty.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Wrong> {
        match self.take(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => plain(name, text),
            Some(_) => Err(Wrong::new(name, format!("{name} must be a string."))),
        }
    }

    /// An id, which may be a number; `0` is none.
    pub fn id(&mut self, name: &str) -> Result<Option<String>, Wrong> {
        let id = match self.take(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => plain(name, text)?,
            Some(Value::Number(number)) if number.is_u64() => Some(number.to_string()),
            Some(_) => return Err(Wrong::new(name, format!("{name} must be a string or a whole number."))),
        };
        Ok(id.filter(|id| id != "0"))
    }

    /// All of them, for a reader that knows their names.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// Everything was read.
    pub fn finish(self) -> Result<(), Wrong> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(Wrong::new(name, format!("Unknown field: {name}."))),
        }
    }
}

fn plain(name: &str, text: String) -> Result<Option<String>, Wrong> {
    let long = || Wrong::new(name, format!("{name} is at most 5000 characters long."));
    check_characters(&text).map_err(|_| Wrong::new(name, format!("{name} must not hold such characters.")))?;
    if text.len() > 5000 { Err(long()) } else { Ok(Some(text).filter(|text| !text.is_empty())) }
}

/// What is no fault of the caller's is logged here, once; answers whether it was one.
pub fn is_ours(error: &Error) -> bool {
    let ours = matches!(error, Error::Internal(_) | Error::Unavailable(_));
    if ours {
        tracing::error!(?error, "a call could not be answered");
    }
    ours
}

pub fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// What a panic says is for the log.
pub fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!(detail = panic_text(payload.as_ref()), "a call could not be answered");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &'static str) -> Fields {
        Fields::parse(Ok(Bytes::from_static(text.as_bytes()))).unwrap()
    }

    #[test]
    fn an_id_may_be_a_number_and_nought_is_none() {
        let mut all = fields(r#"{"a": 7, "b": "x", "c": 0, "d": "0", "e": null, "f": -1, "g": 1.5, "h": ""}"#);
        let mut of = |name| all.id(name).map_err(|wrong| wrong.field);
        assert_eq!((of("a"), of("b")), (Ok(Some("7".into())), Ok(Some("x".into()))));
        assert_eq!((of("c"), of("d"), of("e"), of("h"), of("z")), (Ok(None), Ok(None), Ok(None), Ok(None), Ok(None)));
        assert_eq!((of("f"), of("g")), (Err("f".into()), Err("g".into())));
        assert_eq!(all.finish(), Ok(()));
    }

    #[test]
    fn what_nobody_reads_is_refused() {
        let mut all = fields(r#"{"name": "x", "nmae": 1, "n": 2, "z": "\u0000"}"#);
        assert_eq!(all.text("name"), Ok(Some("x".into())));
        assert_eq!(all.text("n").unwrap_err().field, "n");
        assert_eq!(all.text("z").unwrap_err().field, "z");
        assert_eq!(all.finish().unwrap_err().field, "nmae");
        assert!(Fields::parse(Ok(Bytes::from_static(b"[1]"))).is_err());
    }
}
