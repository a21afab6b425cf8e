//! Customers.

use serde_json::json;

use crate::support::{NOW, Shop, on_both};

on_both!(
    a_customer_lives,
    json_says_the_same_as_a_form,
    what_is_wrong_is_named,
    an_external_id_is_the_merchants_own_and_unique,
    customers_are_found_by_email,
    a_customer_comes_with_a_first_method,
    racers_for_one_external_id_have_one_winner,
);

async fn a_customer_lives(shop: Shop) {
    let form = "name=Ada Lovelace&email=ada@example.com&phone=1&description=First&external_id=u_1\
                &address[line1]=Street 1&address[city]=Berlin&address[country]=DE\
                &shipping[name]=Ada&shipping[address][city]=Bonn&preferred_locales[0]=de&tax_exempt=none\
                &invoice_settings[footer]=Thanks&invoice_settings[custom_fields][0][name]=PO\
                &invoice_settings[custom_fields][0][value]=17&metadata[plan]=gold&balance=0";
    let made = shop.post("/v1/customers", form).await.ok();
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("cus_"));
    assert_eq!(made["object"], "customer");
    assert_eq!(made["livemode"], false);
    assert_eq!(made["created"], json!(NOW));
    assert_eq!(made["name"], "Ada Lovelace");
    assert_eq!(made["address"]["city"], "Berlin");
    assert_eq!(made["shipping"]["address"]["city"], "Bonn");
    assert_eq!(made["invoice_settings"]["custom_fields"], json!([{"name": "PO", "value": "17"}]));
    assert_eq!(made["preferred_locales"], json!(["de"]));
    assert_eq!(made["metadata"], json!({"plan": "gold"}));
    let path = format!("/v1/customers/{id}");
    assert_eq!(shop.get(&path).await.ok(), made);

    let form = "name=&description=Second&metadata[plan]=&metadata[seat]=1&address=&invoice_settings[custom_fields]=";
    let updated = shop.post(&path, form).await.ok();
    assert_eq!(updated["name"], json!(null));
    assert_eq!(updated["email"], "ada@example.com");
    assert_eq!(updated["address"], json!(null));
    assert_eq!(updated["invoice_settings"]["custom_fields"], json!(null));
    assert_eq!(updated["metadata"], json!({"seat": "1"}));
    assert_eq!(shop.post(&path, "metadata=").await.ok()["metadata"], json!({}));
    shop.post(&path, "").await.ok();

    let stub = json!({"id": id, "object": "customer", "deleted": true});
    assert_eq!(shop.delete(&path).await.ok(), stub);
    assert_eq!(shop.get(&path).await.ok(), stub);
    shop.post(&path, "name=x").await.refused(404, "resource_missing", "id");
    shop.delete(&path).await.refused(404, "resource_missing", "id");
    assert!(shop.get("/v1/customers").await.ids().is_empty());
    assert_eq!(shop.events("customer.*").await, 4);
    assert_eq!(shop.events("customer.updated").await, 2);
}

async fn json_says_the_same_as_a_form(shop: Shop) {
    let body = json!({
        "name": "Ada", "address": {"city": "Bonn", "country": null}, "metadata": {"n": 5, "yes": true, "gone": null},
        "preferred_locales": ["de", "en"], "next_invoice_sequence": 5, "phone": null,
    });
    let made = shop.post_json("/v1/customers", &body).await.ok();
    assert_eq!(made["metadata"], json!({"n": "5", "yes": "true"}));
    assert_eq!(made["preferred_locales"], json!(["de", "en"]));
    assert_eq!(made["next_invoice_sequence"], 5);
    assert_eq!(made["address"]["country"], json!(null));
    let id = made["id"].as_str().unwrap();
    let cleared = shop.post_json(&format!("/v1/customers/{id}"), &json!({"name": null})).await.ok();
    assert_eq!(cleared["name"], json!(null));
}

async fn what_is_wrong_is_named(shop: Shop) {
    let cases = [
        ("email=nobody", "email_invalid", "email"),
        ("foo=1", "parameter_unknown", "foo"),
        ("address[street]=1", "parameter_unknown", "address[street]"),
        ("address=Bonn", "parameter_invalid", "address"),
        ("address[country]=de", "parameter_invalid", "address[country]"),
        ("shipping[address][city]=Bonn", "parameter_missing", "shipping[name]"),
        ("shipping[name]=Ada", "parameter_missing", "shipping[address]"),
        ("tax_exempt=maybe", "parameter_invalid", "tax_exempt"),
        ("next_invoice_sequence=one", "parameter_invalid_integer", "next_invoice_sequence"),
        ("next_invoice_sequence=", "parameter_invalid_empty", "next_invoice_sequence"),
        ("preferred_locales=de", "parameter_invalid", "preferred_locales"),
        ("metadata=x", "parameter_invalid", "metadata"),
        ("metadata[a][b]=x", "parameter_invalid", "metadata[a]"),
        ("name[a]=x", "parameter_invalid", "name"),
        ("balance=-500000000", "parameter_invalid", "balance"),
        ("source=tok_visa", "parameter_unsupported", "source"),
        ("tax_id_data[0][type]=eu_vat", "parameter_missing", "tax_id_data[0][value]"),
        ("test_clock=clock_1", "resource_missing", "test_clock"),
        ("payment_method=pm_1", "parameter_unsupported", "payment_method"),
        ("expand[]=foo", "parameter_invalid", "expand"),
        (
            "invoice_settings[default_payment_method]=pm_1",
            "resource_missing",
            "invoice_settings[default_payment_method]",
        ),
    ];
    for (form, code, param) in cases {
        let status = if code == "resource_missing" { 404 } else { 400 };
        shop.post("/v1/customers", form).await.refused(status, code, param);
    }
    let message =
        shop.post("/v1/customers", "foo=1&bar=2").await.refused(400, "parameter_unknown", "foo")["message"].clone();
    assert_eq!(message, "Received unknown parameters: foo, bar");
    assert!(shop.get("/v1/customers").await.ids().is_empty());
}

async fn an_external_id_is_the_merchants_own_and_unique(shop: Shop) {
    let id = shop.post("/v1/customers", "external_id=u_1").await.made();
    shop.post("/v1/customers", "external_id=u_1").await.refused(400, "resource_already_exists", "external_id");
    let other = shop.neighbour().await;
    other.post("/v1/customers", "external_id=u_1").await.ok();
    assert_eq!(shop.get("/v1/customers?external_id=u_1").await.ids(), [id.as_str()]);
    assert!(shop.get("/v1/customers?external_id=u_2").await.ids().is_empty());
    shop.delete(&format!("/v1/customers/{id}")).await.ok();
    shop.post("/v1/customers", "external_id=u_1").await.ok();
}

async fn customers_are_found_by_email(shop: Shop) {
    let id = shop.post("/v1/customers", "email=ada@example.com").await.made();
    shop.post("/v1/customers", "email=Ada@example.com").await.ok();
    assert_eq!(shop.get("/v1/customers?email=ada%40example.com").await.ids(), [id]);
    assert!(shop.get("/v1/customers?test_clock=clock_1").await.ids().is_empty());
}

async fn a_customer_comes_with_a_first_method(shop: Shop) {
    let id = shop.paying_customer().await;
    let customer = shop.get(&format!("/v1/customers/{id}?expand[]=invoice_settings.default_payment_method")).await.ok();
    assert_eq!(customer["invoice_settings"]["default_payment_method"]["customer"], json!(id));
    for event in ["customer.created", "payment_method.attached", "customer.updated"] {
        assert_eq!(shop.events(event).await, 1, "{event}");
    }
    let plain = shop.post("/v1/customers", "payment_method=pm_card_visa").await.ok();
    assert_eq!(plain["invoice_settings"]["default_payment_method"], json!(null));
}

async fn racers_for_one_external_id_have_one_winner(shop: Shop) {
    let shop = std::sync::Arc::new(shop);
    let racers: Vec<_> = (0..20)
        .map(|_| {
            let shop = shop.clone();
            tokio::spawn(async move { shop.post("/v1/customers", "external_id=u_1").await })
        })
        .collect();
    let mut winners = 0;
    for racer in racers {
        let answer = racer.await.unwrap();
        match answer.status {
            200 => winners += 1,
            409 => _ = answer.refused(409, "lock_timeout", ""),
            _ => _ = answer.refused(400, "resource_already_exists", "external_id"),
        }
    }
    assert_eq!(winners, 1);
}
