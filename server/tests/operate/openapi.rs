//! The OpenAPI document, made from the API itself: parameters as the handlers read them, answers as the wire renders the
//! fullest record of each kind, with Stripe's own types where a field is Stripe's.

use std::collections::BTreeMap;

use billing::customer::payment_method::MethodType;
use serde_json::{Map, Value, json};
use server::api::describe::{Endpoint, Field, Form};
use server::api::expand::{Kind, Shape};

use crate::records;
use crate::schema::{self, Schemas};
use crate::support::{Shop, document};

const ABOUT: &str = "Stripe's API dialect for the objects that Portico has. Bodies are forms with brackets or JSON, on every route. \
    An unknown parameter is refused with `parameter_unknown`, a known one that Portico does not have with `parameter_unsupported`. \
    An empty string clears a field.";

#[tokio::test]
async fn the_document_is_what_the_program_does() {
    let shop = Shop::on_sqlite().await;
    let endpoints = server::api::describe(&shop.app, &shop.system().await).await;
    let schemas = schema::all(records());
    document::check("docs/openapi.json", &format!("{:#}\n", document(&endpoints, &schemas)));
}

#[test]
fn the_program_carries_every_route_in_its_document() {
    let document: Value = serde_json::from_str(server::reference::OPENAPI).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut listed = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["responses"]["200"].is_object() || operation["responses"]["400"].is_object());
            listed.push((method.to_uppercase(), path.clone()));
        }
    }
    let mut routes: Vec<_> =
        server::api::ROUTES.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    listed.sort();
    routes.sort();
    assert_eq!(listed, routes);
}

/// The fullest record of each kind; a payment method has an object for each of its types.
fn records() -> Vec<(&'static str, Value)> {
    let mut all = records::rendered();
    for kind in [MethodType::SepaDebit, MethodType::UsBankAccount, MethodType::MobileMoney] {
        let method = billing::wire::payment_method(&records::tenant(), &records::payment_method(kind));
        for (_, record) in all.iter_mut().filter(|(name, _)| *name == "payment_method") {
            if let Some(of_kind) = method.get(kind.name()) {
                record[kind.name()] = of_kind.clone();
            }
        }
    }
    all
}

fn document(endpoints: &[Endpoint], schemas: &Schemas) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for endpoint in endpoints {
        let operation = operation(endpoint, schemas);
        paths.entry(endpoint.path).or_default().insert(endpoint.method.to_lowercase(), operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Portico", "version": billing::wire::API_VERSION, "description": ABOUT },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }, { "basic": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "A secret key, sk_…" },
                "basic": { "type": "http", "scheme": "basic", "description": "A secret key as the user, no password" },
            },
            "responses": { "error": answer("A refusal or failure", schema::reference("error")) },
            "schemas": schemas,
        },
    })
}

fn operation(endpoint: &Endpoint, schemas: &Schemas) -> Value {
    let mut parameters: Vec<Value> = endpoint
        .path
        .split('/')
        .filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let mut operation = json!({ "operationId": id(endpoint), "tags": [tag(endpoint.path)] });
    let (schema, names) = object(&endpoint.fields, "");
    if endpoint.method == "POST" {
        if !names.is_empty() {
            operation["requestBody"] = json!({ "content": {
                "application/x-www-form-urlencoded": form(&schema, &names),
                "application/json": { "schema": schema },
            } });
        }
    } else {
        parameters.extend(names.into_iter().map(|(name, schema, required)| {
            let mut parameter = json!({ "name": name, "in": "query", "required": required });
            if in_brackets(&schema) {
                parameter["style"] = json!("deepObject");
                parameter["explode"] = json!(true);
            }
            parameter["schema"] = schema;
            parameter
        }));
    }
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    let mut responses = Map::new();
    if let Some(shape) = endpoint.answer {
        responses.insert("200".into(), answer("Done", answered(endpoint, shape, schemas)));
    } else {
        operation["description"] = json!("Refused: Portico does not have this yet.");
        responses.insert("400".into(), json!({ "$ref": "#/components/responses/error" }));
    }
    responses.insert("default".into(), json!({ "$ref": "#/components/responses/error" }));
    operation["responses"] = Value::Object(responses);
    operation
}

/// A body as a form, whose objects and lists are written with brackets.
fn form(schema: &Value, names: &[(String, Value, bool)]) -> Value {
    let encoding: Map<String, Value> = names
        .iter()
        .filter(|(_, schema, _)| in_brackets(schema))
        .map(|(name, ..)| (name.clone(), json!({ "style": "deepObject", "explode": true })))
        .collect();
    let mut form = json!({ "schema": schema });
    if !encoding.is_empty() {
        form["encoding"] = Value::Object(encoding);
    }
    form
}

/// Whether a parameter has more than one entry in a form. The style of a plain value is the usual one.
fn in_brackets(schema: &Value) -> bool {
    let is_deep = schema["type"] == "object" || schema["type"] == "array";
    is_deep || schema["anyOf"].as_array().is_some_and(|forms| forms.iter().any(in_brackets))
}

/// The parameters directly inside `prefix`, as one schema and each by itself with whether it is required.
fn object(fields: &[(String, Field)], prefix: &str) -> (Value, Vec<(String, Value, bool)>) {
    let mut names = Vec::new();
    for (name, field) in fields {
        let leaf = match prefix {
            "" => Some(name.as_str()),
            _ => name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']')),
        };
        if let Some(leaf) = leaf.filter(|leaf| !leaf.contains('[') && !leaf.is_empty() && !field.is_refused()) {
            names.push((leaf.to_owned(), parameter(fields, name, field), field.required));
        }
    }
    let properties: Map<String, Value> = names.iter().map(|(name, schema, _)| (name.clone(), schema.clone())).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    let required: Vec<&str> = names.iter().filter(|(.., required)| *required).map(|(name, ..)| name.as_str()).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    (schema, names)
}

fn parameter(fields: &[(String, Field)], name: &str, field: &Field) -> Value {
    let mut forms: Vec<Value> = Vec::new();
    let mut fixed: Vec<Value> = Vec::new();
    for form in &field.forms {
        forms.push(match form {
            Form::Text => json!({ "type": "string" }),
            Form::Boolean => json!({ "type": "boolean" }),
            Form::Integer => json!({ "type": "integer" }),
            Form::Timestamp => json!({ "type": "integer", "description": "Unix seconds" }),
            Form::Words(words) if words.is_empty() => json!({ "type": "string" }),
            Form::Words(words) => json!({ "type": "string", "enum": words }),
            Form::Fixed(words) => {
                fixed.extend(words.iter().map(|word| serde_json::from_str(word).unwrap_or(json!(word))));
                continue;
            }
            Form::Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Form::Object => object(fields, name).0,
            Form::Objects => json!({ "type": "array", "items": object(fields, &format!("{name}[]")).0 }),
            Form::Metadata => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        });
    }
    if !fixed.is_empty() {
        forms.push(json!({ "enum": fixed }));
    }
    let mut schema = if forms.len() == 1 { forms.swap_remove(0) } else { json!({ "anyOf": forms }) };
    if field.needed && !field.required {
        schema["description"] = json!("Required, unless another parameter takes its place.");
    }
    schema
}

fn answer(description: &str, schema: Value) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

fn answered(endpoint: &Endpoint, shape: Shape, schemas: &Schemas) -> Value {
    let named = |kind: Kind| {
        let name = object_name(kind);
        assert!(schemas.contains_key(&name), "{} answers {name}, which records.rs does not render", endpoint.path);
        name
    };
    match shape {
        Shape::One(kind) => {
            let gone = format!("deleted_{}", named(kind));
            let whole = &gone["deleted_".len()..];
            match endpoint.method {
                "DELETE" if schemas.contains_key(&gone) => schema::reference(&gone),
                // A deleted customer can still be read.
                "GET" if whole == "customer" => {
                    json!({ "anyOf": [schema::reference(whole), schema::reference(&gone)] })
                }
                _ => schema::reference(whole),
            }
        }
        Shape::Many(kind) => json!({
            "type": "object",
            "properties": {
                "object": { "const": "list" },
                "url": { "type": "string" },
                "has_more": { "type": "boolean" },
                "data": { "type": "array", "items": schema::reference(&named(kind)) },
            },
            "required": ["object", "url", "has_more", "data"],
        }),
    }
}

/// What `object` says of a kind.
fn object_name(kind: Kind) -> String {
    match kind {
        Kind::Configuration => "billing_portal.configuration".into(),
        Kind::Session => "billing_portal.session".into(),
        Kind::FeedbackOption => "billing.feedback_option".into(),
        Kind::Branding => "portal_branding".into(),
        Kind::Settings => "portal_settings".into(),
        Kind::BalanceTransaction => "customer_balance_transaction".into(),
        Kind::InvoiceItem => "invoiceitem".into(),
        Kind::CreditNoteLine => "credit_note_line_item".into(),
        Kind::Line => "line_item".into(),
        Kind::TestClock => "test_helpers.test_clock".into(),
        other => snake(&format!("{other:?}")),
    }
}

fn snake(name: &str) -> String {
    let each = name.char_indices().map(|(n, c)| match c.is_ascii_uppercase() {
        true if n > 0 => format!("_{}", c.to_ascii_lowercase()),
        _ => c.to_ascii_lowercase().to_string(),
    });
    each.collect()
}

/// `POST /v1/customers/{id}/sources` is `post_customers_id_sources`.
fn id(endpoint: &Endpoint) -> String {
    let steps = endpoint.path.trim_start_matches("/v1/").split('/').map(|step| step.trim_matches(['{', '}']));
    format!("{}_{}", endpoint.method.to_lowercase(), steps.collect::<Vec<_>>().join("_"))
}

/// The resource that a path belongs to: `billing_portal/sessions`.
fn tag(path: &str) -> String {
    let mut steps = path.trim_start_matches("/v1/").split('/').take_while(|step| !step.starts_with('{'));
    let first = steps.next().unwrap_or_default();
    match (first, steps.next()) {
        ("billing_portal" | "billing" | "test_helpers", Some(second)) => format!("{first}/{second}"),
        _ => first.to_owned(),
    }
}
