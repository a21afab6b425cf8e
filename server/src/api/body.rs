//! The parameters of a request: its query and its body, which is a form or JSON on every route.

use axum::http::{HeaderMap, header};
use billing::{Error, Result};
use serde_json::{Map, Value};

use super::error::Failure;
use super::form::{self, MOST_LEVELS, MOST_VALUES};

enum Media {
    Form,
    Json,
}

/// Reads both; where both name a parameter, the body's wins.
pub fn parameters(query: &str, headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Failure> {
    let fields = match media(headers) {
        _ if body.is_empty() => form::decode(&[query.as_bytes()])?,
        Some(Media::Form) => form::decode(&[query.as_bytes(), body])?,
        Some(Media::Json) => {
            let mut fields = form::decode(&[query.as_bytes()])?;
            fields.extend(json(body)?);
            fields
        }
        None => return Err(Failure::media_type()),
    };
    refuse_cards(&fields)?;
    Ok(fields)
}

/// A body that does not say what it is, is a form.
fn media(headers: &HeaderMap) -> Option<Media> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Some(Media::Form) };
    let kind = value.to_str().ok()?.split(';').next()?.trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/x-www-form-urlencoded" => Some(Media::Form),
        "application/json" => Some(Media::Json),
        _ => None,
    }
}

fn json(body: &[u8]) -> Result<Map<String, Value>, Failure> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|e| Failure::bad_request("json_invalid", format!("Invalid JSON in the request's body: {e}")))?;
    let Value::Object(fields) = value else {
        return Err(Failure::bad_request("json_invalid", "Invalid JSON in the request's body: it must be an object."));
    };
    let mut values = 0;
    for (name, value) in &fields {
        form::check_characters(name)?;
        check(value, name, 1, &mut values)?;
    }
    Ok(fields)
}

/// The same limits as a form's.
fn check(value: &Value, name: &str, level: usize, values: &mut usize) -> Result<()> {
    *values += 1;
    if *values > MOST_VALUES {
        return Err(form::too_many());
    }
    if level > MOST_LEVELS {
        return Err(form::too_deep(name));
    }
    match value {
        Value::String(text) => form::check_characters(text),
        Value::Array(list) => list.iter().try_for_each(|inner| check(inner, name, level + 1, values)),
        Value::Object(fields) => fields.iter().try_for_each(|(key, inner)| {
            form::check_characters(key)?;
            check(inner, name, level + 1, values)
        }),
        _ => Ok(()),
    }
}

/// Card numbers never come this way: they are typed into the hosted fields. Refused before anything reads, stores or
/// repeats them.
fn refuse_cards(fields: &Map<String, Value>) -> Result<()> {
    fields.iter().try_for_each(|(key, value)| refuse_card(key, key, value))
}

fn refuse_card(name: &str, key: &str, value: &Value) -> Result<()> {
    let is_card = match value {
        Value::Object(fields) => {
            matches!(key, "card" | "source") && (fields.contains_key("number") || fields.contains_key("cvc"))
        }
        _ => matches!(key, "number" | "card_number" | "cardnumber" | "pan") && looks_like_a_card_number(value),
    };
    if is_card {
        let message = "Raw card numbers are not accepted by this API. Let your customer enter the card in the portal's hosted fields, or use \
                       a test payment method such as pm_card_visa.";
        return Err(Error::Invalid { param: name.into(), code: "raw_card_data_refused", message: message.into() });
    }
    match value {
        Value::Object(fields) => {
            fields.iter().try_for_each(|(key, inner)| refuse_card(&format!("{name}[{key}]"), key, inner))
        }
        Value::Array(list) => {
            list.iter().enumerate().try_for_each(|(n, inner)| refuse_card(&format!("{name}[{n}]"), key, inner))
        }
        _ => Ok(()),
    }
}

/// 12 to 19 digits, perhaps in groups.
fn looks_like_a_card_number(value: &Value) -> bool {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return false,
    };
    let digits = text.chars().filter(char::is_ascii_digit).count();
    (12..=19).contains(&digits) && text.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(kind: &str, query: &str, body: &str) -> Result<Value, Failure> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
        parameters(query, &headers, body.as_bytes()).map(Value::Object)
    }

    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json; charset=utf-8";

    #[test]
    fn query_and_body_are_one_set() {
        assert_eq!(read(FORM, "a=1&b=1", "b=2").unwrap(), json!({"a": "1", "b": "2"}));
        assert_eq!(
            read(JSON, "a=1&b=1", r#"{"b": {"c": [1, true, null]}}"#).unwrap(),
            json!({"a": "1", "b": {"c": [1, true, null]}})
        );
        assert_eq!(read("text/plain", "a=1", "").unwrap(), json!({"a": "1"}));
    }

    #[test]
    fn bad_bodies_are_refused() {
        assert_eq!(read("multipart/form-data; boundary=x", "", "x").unwrap_err().status, 415);
        for body in ["[1]", "{", "\"a\"", "{\"a\": \"\\u0000\"}", "\u{feff}{}"] {
            assert_eq!(read(JSON, "", body).unwrap_err().status, 400, "{body}");
        }
        let deep = format!("{{\"a\": {}1{}}}", "[".repeat(11), "]".repeat(11));
        assert!(read(JSON, "", &deep).unwrap_err().body().contains("levels"));
        let wide = format!("{{\"a\": [{}]}}", vec!["1"; MOST_VALUES + 1].join(","));
        assert!(read(JSON, "", &wide).unwrap_err().body().contains("1000"));
    }

    #[test]
    fn raw_cards_are_refused_wherever_they_stand_and_never_repeated() {
        let forms = [
            "type=card&card[number]=4242424242424242&card[exp_month]=12",
            "source[object]=card&source[number]=4242424242424242",
            "payment_method_data[card][number]=4242424242424242",
            "metadata[card_number]=4242 4242 4242 4242",
            "items[0][card][cvc]=123",
        ];
        for form in forms {
            let body = read(FORM, "", form).unwrap_err().body();
            assert!(body.contains("raw_card_data_refused") && !body.contains("4242"), "{form}: {body}");
        }
        assert!(read(JSON, "", r#"{"card": {"number": 4242424242424242}}"#).is_err());
        assert!(read(FORM, "", "metadata[number]=17&metadata[order]=4242424242424242").is_ok());
    }
}
