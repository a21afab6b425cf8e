//! Payment methods.

use serde_json::json;

use crate::support::{Shop, on_both};

on_both!(
    a_test_method_is_attached_listed_and_detached,
    a_method_has_one_customer,
    numbers_are_entered_elsewhere,
    what_is_known_of_a_method_is_changed,
);

async fn a_test_method_is_attached_listed_and_detached(shop: Shop) {
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    let method = shop.post("/v1/payment_methods/pm_card_visa/attach", &format!("customer={customer}")).await.ok();
    let id = method["id"].as_str().unwrap();
    assert_eq!(
        (&method["type"], &method["card"]["last4"], &method["customer"]),
        (&json!("card"), &json!("4242"), &json!(customer))
    );
    assert_eq!(method["card"]["exp_year"], 2030);
    assert_ne!(id, "pm_card_visa");
    let again = shop.post(&format!("/v1/payment_methods/{id}/attach"), &format!("customer={customer}")).await.ok();
    assert_eq!(again, method);
    let sepa = shop.post("/v1/payment_methods/pm_sepaDebit/attach", &format!("customer={customer}")).await.made();

    for path in
        [format!("/v1/customers/{customer}/payment_methods?"), format!("/v1/payment_methods?customer={customer}&")]
    {
        assert_eq!(shop.get(&path).await.ids().len(), 2);
        assert_eq!(shop.get(&format!("{path}type=card")).await.ids(), [id]);
        assert_eq!(shop.get(&format!("{path}type=sepa_debit")).await.ids(), [sepa.as_str()]);
    }
    assert_eq!(shop.get(&format!("/v1/payment_methods/{id}")).await.ok(), method);
    assert_eq!(shop.get(&format!("/v1/customers/{customer}/payment_methods/{id}")).await.ok(), method);

    let detached = shop.post(&format!("/v1/payment_methods/{id}/detach"), "").await.ok();
    assert_eq!(detached["customer"], json!(null));
    let attach = format!("/v1/payment_methods/{id}/attach");
    shop.post(&attach, &format!("customer={customer}")).await.refused(
        400,
        "payment_method_unexpected_state",
        "payment_method",
    );
    shop.post(&format!("/v1/payment_methods/{id}/detach"), "").await.refused(
        400,
        "payment_method_unexpected_state",
        "payment_method",
    );
    shop.get(&format!("/v1/customers/{customer}/payment_methods/{id}")).await.refused(404, "resource_missing", "id");
}

async fn a_method_has_one_customer(shop: Shop) {
    let (ada, grace) =
        (shop.post("/v1/customers", "name=Ada").await.made(), shop.post("/v1/customers", "name=Grace").await.made());
    let id = shop.post("/v1/payment_methods/pm_card_visa/attach", &format!("customer={ada}")).await.made();
    let attach = format!("/v1/payment_methods/{id}/attach");
    let error = shop.post(&attach, &format!("customer={grace}")).await.refused(
        400,
        "payment_method_unexpected_state",
        "payment_method",
    );
    assert_eq!(error["message"], "The payment method you provided has already been attached to a customer.");
    shop.get(&format!("/v1/customers/{grace}/payment_methods/{id}")).await.refused(404, "resource_missing", "id");
    shop.post(&attach, "").await.refused(400, "parameter_missing", "customer");
    shop.post(&attach, "customer=cus_none").await.refused(404, "resource_missing", "customer");
    shop.post("/v1/payment_methods/pm_card_none/attach", &format!("customer={ada}")).await.refused(
        404,
        "resource_missing",
        "id",
    );
    shop.get("/v1/payment_methods").await.refused(400, "parameter_missing", "customer");
    shop.get(&format!("/v1/payment_methods?customer={ada}&type=cash")).await.refused(400, "parameter_invalid", "type");
}

async fn numbers_are_entered_elsewhere(shop: Shop) {
    let card = "type=card&card[number]=4242424242424242&card[exp_month]=1&card[exp_year]=2031&card[cvc]=123";
    let refused = shop.post("/v1/payment_methods", card).await;
    assert!(!refused.text.contains("4242"));
    refused.refused(400, "raw_card_data_refused", "card");
    shop.post("/v1/payment_methods", "type=card&card[token]=tok_visa").await.refused(
        400,
        "parameter_unsupported",
        "type",
    );
    shop.post("/v1/customers", "metadata[card_number]=4242424242424242").await.refused(
        400,
        "raw_card_data_refused",
        "metadata[card_number]",
    );
    shop.post("/v1/customers", "source[object]=card&source[number]=4242424242424242").await.refused(
        400,
        "raw_card_data_refused",
        "source",
    );
}

async fn what_is_known_of_a_method_is_changed(shop: Shop) {
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    let card = shop.post("/v1/payment_methods/pm_card_visa/attach", &format!("customer={customer}")).await.made();
    let path = format!("/v1/payment_methods/{card}");
    let form = "card[exp_month]=3&card[exp_year]=2034&billing_details[name]=Ada&billing_details[email]=ada@example.com\
                &billing_details[address][country]=DE&metadata[a]=b";
    let changed = shop.post(&path, form).await.ok();
    assert_eq!((&changed["card"]["exp_month"], &changed["card"]["exp_year"]), (&json!(3), &json!(2034)));
    assert_eq!((&changed["billing_details"]["name"], &changed["metadata"]["a"]), (&json!("Ada"), &json!("b")));
    assert_eq!(
        (&changed["card"]["last4"], &changed["billing_details"]["address"]["country"]),
        (&json!("4242"), &json!("DE"))
    );
    let cleared = shop.post(&path, "billing_details[name]=&metadata[a]=").await.ok();
    assert_eq!((&cleared["billing_details"]["name"], &cleared["metadata"]), (&json!(null), &json!({})));
    assert_eq!(cleared["billing_details"]["email"], "ada@example.com");
    assert_eq!(shop.events("payment_method.updated").await, 2);
    for (form, code, param) in [
        ("card[exp_month]=13", "parameter_invalid", "card[exp_month]"),
        ("card[exp_year]=24", "parameter_invalid", "card[exp_year]"),
        ("billing_details[email]=no", "email_invalid", "billing_details[email]"),
        ("billing_details[address][country]=Germany", "parameter_invalid", "billing_details[address][country]"),
        ("card[number]=4242424242424242", "raw_card_data_refused", "card"),
        ("allow_redisplay=always", "parameter_unsupported", "allow_redisplay"),
        ("foo=1", "parameter_unknown", "foo"),
    ] {
        shop.post(&path, form).await.refused(400, code, param);
    }
    assert_eq!(shop.get(&path).await.ok(), cleared, "what was refused changed nothing");
    let sepa = shop.post("/v1/payment_methods/pm_sepaDebit/attach", &format!("customer={customer}")).await.made();
    shop.post(&format!("/v1/payment_methods/{sepa}"), "card[exp_year]=2034").await.refused(
        400,
        "parameter_invalid",
        "card",
    );
    shop.post(&format!("{path}/detach"), "").await.ok();
    shop.post(&path, "metadata[a]=b").await.refused(400, "payment_method_unexpected_state", "payment_method");
}
