//! The portal's configuration as flat fields.

use axum::body::Body;
use axum::http::{Method, Request};
use billing::portal::configuration;
use serde_json::{Value, json};

use crate::stage::{Merchant, Stage, request};

const CONFIG: &str = "/customer-portal-config";

fn call(method: Method, key: &str, body: &Value) -> Request<Body> {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = if method == Method::GET { Body::empty() } else { Body::from(body.to_string()) };
    request(method, CONFIG, &headers).map(|_| body)
}

async fn told(stage: &Stage, request: Request<Body>) -> (u16, Value) {
    let (status, text) = stage.text(request).await;
    (status.as_u16(), serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")))
}

async fn patch(stage: &Stage, merchant: &Merchant, body: Value) -> Value {
    let (status, flat) = told(stage, call(Method::PATCH, &merchant.key, &body)).await;
    assert_eq!(status, 200, "{body}: {flat}");
    let (_, again) = told(stage, call(Method::GET, &merchant.key, &Value::Null)).await;
    assert_eq!(flat, again, "what is answered is what is kept");
    flat
}

async fn features(stage: &Stage, merchant: &Merchant) -> Value {
    let mut tx = stage.app.db.read().await.unwrap();
    let kept = configuration::get(&mut tx, &merchant.who, "default").await.unwrap();
    serde_json::to_value(&kept.features.0).unwrap()
}

#[tokio::test]
async fn every_field_is_set_read_and_cleared() {
    for stage in [Some(Stage::new().await), Stage::on_postgres().await].into_iter().flatten() {
        let merchant = stage.merchant("Acme").await;
        let (status, before) = told(&stage, call(Method::GET, &merchant.key, &Value::Null)).await;
        assert_eq!((status, &before["cancellation_mode"]), (200, &json!("end_of_period")), "{before}");
        let all = json!({
            "payment_methods_enabled": true,
            "accepted_payment_methods": ["card", "bank_account"],
            "subscriptions_enabled": true,
            "allow_plan_switch": true,
            "allow_quantity_updates": true,
            "subscription_product_ids": [merchant.product],
            "cancellations_enabled": true,
            "cancellation_mode": "immediately",
            "cancellation_proration_enabled": true,
            "cancellation_reasons_enabled": true,
            "cancellation_reasons": ["too_expensive", "Moved to another country"],
            "retention_coupon_id": merchant.coupon,
            "subscription_proration_behavior": "full_difference",
            "subscription_charge_timing": "period_end",
            "return_url": "https://app.example.com/account",
            "portal_header": "Everything about your plan",
            "custom_domain_id": null,
        });
        assert_eq!(patch(&stage, &merchant, all.clone()).await, all);
        let kept = features(&stage, &merchant).await;
        assert_eq!(kept["payment_method_update"]["accepted_types"], json!(["card", "us_bank_account"]));
        assert_eq!(kept["subscription_update"]["products"][0]["product"], json!(merchant.product));
        assert_eq!(kept["subscription_cancel"]["cancellation_reason"]["feedback_options"].as_array().unwrap().len(), 1);
        let same =
            patch(&stage, &merchant, json!({ "cancellation_reasons": ["other", "Moved to another country"] })).await;
        assert_eq!(same["retention_coupon_id"], all["retention_coupon_id"], "what is not said stays");
        let cleared = all.as_object().unwrap().keys().map(|name| (name.clone(), Value::Null)).collect();
        let cleared = patch(&stage, &merchant, Value::Object(cleared)).await;
        assert_eq!(cleared, before, "null puts back what a new merchant has");
    }
}

#[tokio::test]
async fn proration_and_timing_are_what_the_books_call_otherwise() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let cases = [
        ("prorate", "immediately", "always_invoice", Value::Null),
        ("prorate", "period_end", "create_prorations", Value::Null),
        ("full_difference", "immediately", "full_difference", json!("immediately")),
        ("full_difference", "period_end", "full_difference", json!("period_end")),
        ("none", "period_end", "none", Value::Null),
    ];
    for (behavior, timing, ours, when) in cases {
        let body = json!({ "subscription_proration_behavior": behavior, "subscription_charge_timing": timing });
        let flat = patch(&stage, &merchant, body).await;
        assert_eq!(flat["subscription_charge_timing"], timing);
        let update = &features(&stage, &merchant).await["subscription_update"];
        assert_eq!((&update["proration_behavior"], &update["charge_timing"]), (&json!(ours), &when));
    }
}

#[tokio::test]
async fn without_products_all_may_be_switched_to() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let on = json!({ "payment_methods_enabled": true, "subscriptions_enabled": true, "cancellations_enabled": true });
    let flat = patch(&stage, &merchant, on).await;
    assert_eq!((&flat["subscriptions_enabled"], &flat["allow_plan_switch"]), (&json!(true), &json!(false)));
    patch(&stage, &merchant, json!({ "allow_plan_switch": true, "allow_quantity_updates": true })).await;
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    let path = format!("/subscriptions/{}/change", merchant.subscription);
    let (status, html) = stage.text(crate::stage::page(&path, &cookie)).await;
    assert_eq!(status, 200);
    assert!(html.contains("Team") && html.contains("name=\"quantity\""), "the product that nobody has listed");
    patch(&stage, &merchant, json!({ "subscription_product_ids": [merchant.product], "return_url": null })).await;
    assert_eq!(features(&stage, &merchant).await["subscription_update"]["all_products"], json!(false));
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_its_name_and_changes_nothing() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let rival = stage.merchant("Rival").await;
    let before = features(&stage, &merchant).await;
    for (body, field) in [
        (json!({ "allow_plan_swich": true }), "allow_plan_swich"),
        (json!({ "allow_plan_switch": "yes" }), "allow_plan_switch"),
        (json!({ "cancellation_mode": "at_period_end" }), "cancellation_mode"),
        (
            json!({ "cancellation_mode": "end_of_period", "cancellation_proration_enabled": true }),
            "cancellation_proration_enabled",
        ),
        (json!({ "accepted_payment_methods": ["cash"] }), "accepted_payment_methods"),
        (json!({ "subscription_product_ids": [rival.product] }), "subscription_product_ids"),
        (json!({ "retention_coupon_id": rival.coupon }), "retention_coupon_id"),
        (json!({ "return_url": "javascript:alert(1)" }), "return_url"),
        (json!({ "cancellation_reasons": [] }), "cancellation_reasons"),
        (json!({ "custom_domain_id": "pdom_none" }), "custom_domain_id"),
        (json!([]), "body"),
    ] {
        let (status, told) = told(&stage, call(Method::PATCH, &merchant.key, &body)).await;
        assert_eq!((status, &told["error"]["field"]), (400, &json!(field)), "{body}: {told}");
        assert!(told["error"]["code"].is_string() && told["error"]["message"].is_string());
    }
    assert_eq!(features(&stage, &merchant).await, before);
    for method in [Method::GET, Method::PATCH] {
        assert_eq!(told(&stage, call(method, "sk_test_nobody", &json!({}))).await.0, 401);
    }
}
