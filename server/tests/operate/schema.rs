//! JSON Schemas of what the API answers: the fields of the fullest record of each kind, in Stripe's own types as far as
//! they are Stripe's (`end2end/shapes/schemas.json`, derived from the SDK), else in those of the record.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// By what `object` says; `deleted_…` for what is left of an object, `error` for the error.
pub type Schemas = BTreeMap<String, Value>;

pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

pub fn all(records: Vec<(&'static str, Value)>) -> Schemas {
    let stripe: Value = serde_json::from_str(include_str!("../../../end2end/shapes/schemas.json")).unwrap();
    let stripe = &stripe["definitions"];
    let names = records.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let maker = Maker { names };
    let each = records.iter().map(|(name, record)| ((*name).to_owned(), maker.schema(record, Some(&stripe[*name]))));
    each.chain([("error".to_owned(), error())]).collect()
}

fn error() -> Value {
    let kinds = ["api_error", "card_error", "idempotency_error", "invalid_request_error"];
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "properties": { "error": {
            "type": "object",
            "properties": {
                "type": { "enum": kinds }, "message": text, "code": text, "param": text, "decline_code": text,
            },
            "required": ["type", "message"],
        } },
        "required": ["error"],
    })
}

struct Maker {
    names: Vec<&'static str>,
}

impl Maker {
    /// The schema of a field that holds `value` in the fullest record, and that Stripe's types say `stripe` of.
    fn schema(&self, value: &Value, stripe: Option<&Value>) -> Value {
        let stripe = stripe.filter(|stripe| stripe.is_object());
        match (value, stripe) {
            (Value::Object(fields), Some(stripe)) if stripe["properties"].is_object() => self.object(fields, stripe),
            (_, Some(stripe)) => self.translated(value, stripe),
            (Value::Object(fields), None) => self.object(fields, &json!({ "type": ["null", "object"] })),
            (Value::Array(list), None) => {
                json!({ "type": ["null", "array"], "items": list.first().map_or(json!({}), |first| self.schema(first, None)) })
            }
            (Value::String(_), None) => json!({ "type": ["null", "string"] }),
            (Value::Number(_), None) => json!({ "type": ["null", "integer"] }),
            (Value::Bool(_), None) => json!({ "type": ["null", "boolean"] }),
            (Value::Null, None) => json!({}),
        }
    }

    /// Every field of the record, and no other of Stripe's.
    fn object(&self, fields: &Map<String, Value>, stripe: &Value) -> Value {
        let known = |name: &str| stripe["properties"].get(name);
        let properties: Map<String, Value> =
            fields.iter().map(|(name, value)| (name.clone(), self.field(name, value, known(name)))).collect();
        let required: Vec<&Value> = stripe["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|name| fields.contains_key(name.as_str().unwrap()))
            .collect();
        let mut schema = json!({ "type": stripe["type"], "properties": properties });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }

    /// A field of our own that is called as an object is that object's id, or the object where it is expanded.
    fn field(&self, name: &str, value: &Value, stripe: Option<&Value>) -> Value {
        if stripe.is_none() && value.is_string() && self.names.contains(&name) {
            return json!({ "anyOf": [{ "type": ["null", "string"] }, reference(name)] });
        }
        self.schema(value, stripe)
    }

    /// Stripe's own schema, pointing at the objects that are here; what the fullest record leaves empty is not described.
    fn translated(&self, value: &Value, stripe: &Value) -> Value {
        if let Some(target) = stripe["$ref"].as_str() {
            let name = target.trim_start_matches("#/definitions/");
            return if self.names.contains(&name) { reference(name) } else { json!({ "type": "object" }) };
        }
        if let Some(choices) = stripe["anyOf"].as_array() {
            return self.choice(value, choices);
        }
        if let Some(items) = stripe.get("items") {
            let first = value.as_array().and_then(|list| list.first()).unwrap_or(&Value::Null);
            return json!({ "type": stripe["type"], "items": self.schema(first, Some(items)) });
        }
        if stripe["properties"].is_object() {
            return json!({ "type": stripe["type"] });
        }
        stripe.clone()
    }

    fn choice(&self, value: &Value, choices: &[Value]) -> Value {
        let each = choices.iter().map(|choice| self.schema(value, Some(choice)));
        let mut distinct: Vec<Value> = Vec::new();
        for choice in each {
            if !distinct.contains(&choice) {
                distinct.push(choice);
            }
        }
        if distinct.len() == 1 { distinct.swap_remove(0) } else { json!({ "anyOf": distinct }) }
    }
}
