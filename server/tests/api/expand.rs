//! `expand[]`.

use serde_json::json;

use crate::support::{Shop, on_both};

on_both!(
    ids_become_what_they_stand_for,
    what_cannot_be_expanded_is_refused_before_anything_happens,
    what_is_left_out_comes_when_asked_for,
);

async fn ids_become_what_they_stand_for(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let id = shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.made();
    let query = "expand[]=customer.invoice_settings.default_payment_method&expand[]=latest_invoice.payment_intent.payment_method\
                 &expand[]=items.data.price.product&expand[]=default_payment_method&expand[]=test_clock";
    let found = shop.get(&format!("/v1/subscriptions/{id}?{query}")).await.ok();
    assert_eq!(found["customer"]["invoice_settings"]["default_payment_method"]["object"], "payment_method");
    assert_eq!(found["latest_invoice"]["payment_intent"]["payment_method"]["object"], "payment_method");
    assert_eq!(found["items"]["data"][0]["price"]["product"]["object"], "product");
    assert_eq!(found["default_payment_method"], json!(null));

    let listed =
        shop.get("/v1/subscriptions?expand[]=data.customer&expand[]=data.latest_invoice.subscription").await.ok();
    assert_eq!(listed["data"][0]["customer"]["id"], json!(customer));
    assert_eq!(listed["data"][0]["latest_invoice"]["subscription"]["id"], json!(id));
    let with = shop.get(&format!("/v1/customers/{customer}?expand[]=subscriptions.data.latest_invoice")).await.ok();
    assert_eq!(with["subscriptions"]["data"][0]["latest_invoice"]["status"], "paid");
    let url = with["subscriptions"]["url"].as_str().unwrap();
    assert_eq!(shop.get(url).await.ids(), [id.as_str()]);

    let invoice = listed["data"][0]["latest_invoice"]["id"].as_str().unwrap();
    let invoice =
        shop.get(&format!("/v1/invoices/{invoice}?expand[]=parent.subscription_details.subscription")).await.ok();
    assert_eq!(invoice["parent"]["subscription_details"]["subscription"]["id"], json!(id));

    shop.delete(&format!("/v1/customers/{customer}")).await.ok();
    let found = shop.get(&format!("/v1/subscriptions/{id}?expand[]=customer")).await.ok();
    assert_eq!(found["customer"], json!({"id": customer, "object": "customer", "deleted": true}));
}

async fn what_cannot_be_expanded_is_refused_before_anything_happens(shop: Shop) {
    shop.get("/v1/customers?expand[]=data.foo").await.refused(400, "parameter_invalid", "expand");
    shop.get("/v1/customers?expand[]=email").await.refused(400, "parameter_invalid", "expand");
    shop.get("/v1/subscriptions?expand[]=data.items.data.price.product").await.refused(
        400,
        "property_expansion_max_depth",
        "expand",
    );
    let error = shop.post("/v1/customers", "name=Ada&expand[]=foo").await.refused(400, "parameter_invalid", "expand");
    assert_eq!(error["message"], "This property cannot be expanded (foo).");
    shop.get("/v1/customers?expand=customer").await.refused(400, "parameter_invalid", "expand");
    assert!(shop.get("/v1/customers").await.ids().is_empty());
}

async fn what_is_left_out_comes_when_asked_for(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let form = format!(
        "customer={customer}&items[0][price]={price}&expand[]=latest_invoice.payments.data\
         &expand[]=latest_invoice.confirmation_secret"
    );
    let invoice = shop.post("/v1/subscriptions", &form).await.ok()["latest_invoice"].clone();
    assert_eq!(invoice["payments"]["data"][0]["status"], "paid");
    assert_eq!(invoice.get("confirmation_secret"), Some(&json!(null)));
    let id = invoice["id"].as_str().unwrap();
    let path = format!("/v1/invoices/{id}?expand[]=payments.data.payment.payment_intent");
    let invoice = shop.get(&path).await.ok();
    assert_eq!(invoice["payments"]["data"][0]["payment"]["payment_intent"]["status"], "succeeded");
    assert!(shop.get(&format!("/v1/invoices/{id}")).await.ok().get("payments").is_none());
}
