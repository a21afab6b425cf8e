//! `Idempotency-Key`: claimed before a change runs, answered for in the transaction of the change, given back where
//! nothing was done.

use axum::http::{HeaderMap, Method};
use billing::idempotency::{self, Claim};
use billing::{Actor, Db, Error, id, transact};
use serde_json::{Map, Value};

use super::answer::{IDEMPOTENCY_KEY, Reply};
use super::error::Failure;

/// A key and the request that it stands for.
#[derive(Debug, Clone)]
pub struct Key {
    pub text: String,
    hash: String,
    /// What an earlier run of this request, which did not end, had already made.
    pub progress: Option<String>,
}

impl Key {
    /// The key of a request that changes something. Reading needs none, and one sent along means nothing.
    pub fn read(
        headers: &HeaderMap,
        method: &Method,
        path: &str,
        params: &Map<String, Value>,
    ) -> Result<Option<Self>, Failure> {
        let Some(value) = headers.get(IDEMPOTENCY_KEY).filter(|value| !value.is_empty()) else { return Ok(None) };
        if method.is_safe() {
            return Ok(None);
        }
        let text = value.to_str().map_err(|_| {
            Failure::bad_request(
                "idempotency_key_invalid",
                "An Idempotency-Key consists of printable ASCII characters.",
            )
        })?;
        if text.len() > 255 {
            return Err(Failure::bad_request(
                "idempotency_key_invalid",
                "An Idempotency-Key has at most 255 characters.",
            ));
        }
        let mut request = format!("{method} {path}\n");
        write_sorted(&Value::Object(params.clone()), &mut request);
        Ok(Some(Self { text: text.to_owned(), hash: id::hash(&request), progress: None }))
    }

    /// Claims the key for this request; the answer that it already has, if it has one.
    pub async fn claim(&mut self, db: &Db, who: &Actor) -> Result<Option<Reply>, Failure> {
        let claim = transact!(*db, |tx| idempotency::claim(tx, who, &self.text, &self.hash).await);
        match claim {
            Ok(Claim::Done { status, body }) => Ok(Some(Reply::again(status, body))),
            Ok(Claim::Fresh { progress }) => {
                self.progress = progress;
                Ok(None)
            }
            Err(Error::Busy) => Err(Failure::key_in_use()),
            Err(other) => Err(other.into()),
        }
    }

    /// After a request that failed: keeps the answer where the request had begun to act, else gives the key back.
    pub async fn settle(&self, db: &Db, who: &Actor, is_kept: bool, failure: &Failure) {
        let settled = if is_kept {
            let status = i64::from(failure.status.as_u16());
            let body = failure.body();
            transact!(*db, |tx| idempotency::finish(tx, who, &self.text, status, &body).await)
        } else {
            transact!(*db, |tx| idempotency::release(tx, who, &self.text).await)
        };
        // The claim runs out by itself; until then a retry is told that the request is still running.
        if let Err(error) = settled {
            tracing::warn!(%error, "an idempotency key could not be settled");
        }
    }
}

/// Whether a refusal is the request's lasting answer. Validation is not: nothing was begun.
pub fn is_kept(error: &Error) -> bool {
    matches!(error, Error::Declined { .. } | Error::Conflict { .. })
}

/// JSON with sorted keys: the same parameters in another order are the same request.
fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort();
            out.push('{');
            for key in keys {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_sorted(&fields[key], out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for inner in list {
                write_sorted(inner, out);
                out.push(',');
            }
            out.push(']');
        }
        leaf => out.push_str(&leaf.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hash(method: &str, path: &str, params: Value) -> String {
        let headers = HeaderMap::from_iter([(IDEMPOTENCY_KEY, "k".parse().unwrap())]);
        let params = params.as_object().unwrap();
        Key::read(&headers, &method.parse().unwrap(), path, params).unwrap().unwrap().hash
    }

    #[test]
    fn a_request_is_its_method_path_and_parameters() {
        let first = hash("POST", "/v1/customers", json!({"name": "a", "metadata": {"x": "1", "y": "2"}}));
        assert_eq!(first, hash("POST", "/v1/customers", json!({"metadata": {"y": "2", "x": "1"}, "name": "a"})));
        assert_ne!(first, hash("POST", "/v1/customers", json!({"name": "a", "metadata": {"x": "1", "y": "3"}})));
        assert_ne!(first, hash("POST", "/v1/customers/c", json!({"name": "a", "metadata": {"x": "1", "y": "2"}})));
        assert_ne!(hash("DELETE", "/v1/customers/c", json!({})), hash("POST", "/v1/customers/c", json!({})));
        assert_ne!(hash("POST", "/p", json!({"a": ["1", "2"]})), hash("POST", "/p", json!({"a": ["12"]})));
    }
}
