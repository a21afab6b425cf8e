//! Setup intents, confirmed with test methods.

use serde_json::json;

use crate::support::{Shop, on_both};

on_both!(an_intent_stores_a_method, a_decline_is_told_and_kept, an_intent_is_canceled, what_is_wrong_is_named,);

async fn an_intent_stores_a_method(shop: Shop) {
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    let form = format!(
        "customer={customer}&usage=off_session&metadata[a]=b&automatic_payment_methods[enabled]=true\
         &payment_method_types[]=card&description=Later"
    );
    let made = shop.post("/v1/setup_intents", &form).await.ok();
    let path = format!("/v1/setup_intents/{}", made["id"].as_str().unwrap());
    assert_eq!((&made["status"], &made["payment_method"]), (&json!("requires_payment_method"), &json!(null)));
    assert_eq!((&made["object"], &made["client_secret"]), (&json!("setup_intent"), &json!(null)));
    shop.post(&format!("{path}/confirm"), "").await.refused(400, "parameter_missing", "payment_method");
    let done = shop.post(&format!("{path}/confirm"), "payment_method=pm_card_visa").await.ok();
    assert_eq!(done["status"], "succeeded");
    let methods = shop.get(&format!("/v1/customers/{customer}/payment_methods")).await.ids();
    assert_eq!(done["payment_method"], json!(methods[0]));
    assert_eq!(shop.get(&path).await.ok(), done);
    let expanded = shop.get(&format!("{path}?expand[]=customer&expand[]=payment_method")).await.ok();
    assert_eq!(
        (&expanded["customer"]["name"], &expanded["payment_method"]["card"]["last4"]),
        (&json!("Ada"), &json!("4242"))
    );
    let again = shop.post(&format!("{path}/confirm"), "payment_method=pm_card_visa").await;
    again.refused(400, "setup_intent_unexpected_state", "");

    let form = format!("customer={customer}&payment_method=pm_card_visa&confirm=true");
    let both = shop.post_with_key("k", "/v1/setup_intents", &form).await.ok();
    assert_eq!(shop.post_with_key("k", "/v1/setup_intents", &form).await.ok(), both);
    assert_eq!(both["status"], "succeeded");
    let made = shop.post("/v1/setup_intents", &format!("customer={customer}&payment_method=pm_card_visa")).await.ok();
    assert_eq!(made["status"], "requires_confirmation");
    let path = format!("/v1/setup_intents/{}/confirm", made["id"].as_str().unwrap());
    assert_eq!(shop.post(&path, "").await.ok()["status"], "succeeded");
    assert_eq!(shop.get(&format!("/v1/setup_intents?customer={customer}")).await.ids().len(), 3);
    let of_method = format!("/v1/setup_intents?payment_method={}", methods[0]);
    assert_eq!(shop.get(&of_method).await.ids().len(), 1);
    assert_eq!(shop.events("setup_intent.succeeded").await, 3);
}

async fn a_decline_is_told_and_kept(shop: Shop) {
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    let form = format!("customer={customer}&payment_method=pm_card_chargeDeclinedLostCard&confirm=true");
    let declined = shop.post_with_key("k", "/v1/setup_intents", &form).await;
    let again = shop.post_with_key("k", "/v1/setup_intents", &form).await;
    assert_eq!((again.text.as_str(), again.header("idempotent-replayed")), (declined.text.as_str(), "true"));
    let error = declined.refused(402, "card_declined", "");
    assert_eq!((&error["decline_code"], &error["type"]), (&json!("lost_card"), &json!("card_error")));
    let kept = &shop.get("/v1/setup_intents").await.ok()["data"][0];
    assert_eq!((&kept["status"], &kept["payment_method"]), (&json!("requires_payment_method"), &json!(null)));
    assert_eq!(kept["last_setup_error"]["decline_code"], "lost_card");
    assert_eq!(shop.events("setup_intent.setup_failed").await, 1);
    assert!(shop.get(&format!("/v1/customers/{customer}/payment_methods")).await.ids().is_empty());
    let path = format!("/v1/setup_intents/{}/confirm", kept["id"].as_str().unwrap());
    let waiting = shop.post(&path, "payment_method=pm_card_authenticationRequired").await.ok();
    assert_eq!(
        (&waiting["status"], &waiting["next_action"]["type"]),
        (&json!("requires_action"), &json!("redirect_to_url"))
    );
}

async fn an_intent_is_canceled(shop: Shop) {
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    let id = shop.post("/v1/setup_intents", &format!("customer={customer}")).await.made();
    let path = format!("/v1/setup_intents/{id}/cancel");
    let canceled = shop.post(&path, "cancellation_reason=duplicate").await.ok();
    assert_eq!((&canceled["status"], &canceled["cancellation_reason"]), (&json!("canceled"), &json!("duplicate")));
    shop.post(&path, "").await.refused(400, "setup_intent_unexpected_state", "");
    assert_eq!(shop.events("setup_intent.canceled").await, 1);
}

async fn what_is_wrong_is_named(shop: Shop) {
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    for (form, status, code, param) in [
        ("", 400, "parameter_missing", "customer"),
        ("customer=cus_no", 404, "resource_missing", "customer"),
        ("customer=C&payment_method=pm_no", 404, "resource_missing", "payment_method"),
        ("customer=C&usage=sometimes", 400, "parameter_invalid", "usage"),
        ("customer=C&confirm=maybe", 400, "parameter_invalid", "confirm"),
        ("customer=C&confirm=true", 400, "parameter_missing", "payment_method"),
        ("customer=C&payment_method_types[]=klarna", 400, "parameter_invalid", "payment_method_types[0]"),
        ("customer=C&return_url=https://x.org", 400, "parameter_unsupported", "return_url"),
        ("customer=C&attach_to_self=true", 400, "parameter_unsupported", "attach_to_self"),
        ("customer=C&single_use[amount]=1", 400, "parameter_unsupported", "single_use"),
        ("customer=C&single_uses=1", 400, "parameter_unknown", "single_uses"),
    ] {
        shop.post("/v1/setup_intents", &form.replace('C', &customer)).await.refused(status, code, param);
    }
    let path = "/v1/setup_intents/seti_no/confirm";
    shop.post(path, "").await.refused(404, "resource_missing", "id");
    assert!(shop.get("/v1/setup_intents").await.ids().is_empty());
}
