//! Portal sessions.

use billing::{Trace, directory};
use serde_json::json;

use crate::support::{NOW, Shop, on_both};

on_both!(
    one_call_sends_a_customer_in,
    the_link_is_given_again_to_the_same_request_only,
    what_is_wrong_is_named,
    a_subscription_in_focus_is_the_customers_own,
    a_flow_is_shown_as_it_was_asked_for,
);

async fn one_call_sends_a_customer_in(shop: Shop) {
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    let form = format!(
        "customer={customer}&return_url=https://shop.example/account&cancel_url=https://shop.example/back&locale=de&expand[]=configuration"
    );
    let session = shop.post("/v1/billing_portal/sessions", &form).await.ok();
    assert_eq!((&session["object"], &session["customer"]), (&json!("billing_portal.session"), &json!(customer)));
    assert_eq!((&session["return_url"], &session["locale"]), (&json!("https://shop.example/account"), &json!("de")));
    assert_eq!(session["cancel_url"], "https://shop.example/back");
    assert_eq!(session["expires_at"], json!(NOW + 30 * 60));
    assert_eq!(session["configuration"]["is_default"], true);
    let secret = session["url"].as_str().unwrap().strip_prefix("https://billing.example/session/").unwrap();
    assert_eq!(secret.len(), 43);
    let mut tx = shop.app.db.read().await.unwrap();
    let guest = directory::by_link(&mut tx, secret).await.unwrap().unwrap();
    assert_eq!(guest.actor(Trace::default()).customer(), Some(customer.as_str()));
    drop(tx);
    let event = &shop.get("/v1/events?type=billing_portal.session.created").await.ok()["data"][0];
    assert!(!event.to_string().contains(secret), "no event carries the link");
}

async fn the_link_is_given_again_to_the_same_request_only(shop: Shop) {
    let customer = shop.post("/v1/customers", "").await.made();
    let form = format!("customer={customer}");
    let first = shop.post_with_key("k1", "/v1/billing_portal/sessions", &form).await;
    assert_eq!(shop.post_with_key("k1", "/v1/billing_portal/sessions", &form).await.text, first.text);
    assert_ne!(shop.post_with_key("k2", "/v1/billing_portal/sessions", &form).await.text, first.text);
}

async fn a_flow_is_shown_as_it_was_asked_for(shop: Shop) {
    let (customer, coupon) = (shop.paying_customer().await, shop.post("/v1/coupons", "percent_off=20").await.made());
    let price = shop.monthly_price(900).await;
    let form = format!("customer={customer}&items[0][price]={price}");
    let subscription = shop.post("/v1/subscriptions", &form).await.made();
    let form = format!(
        "customer={customer}&flow_data[type]=subscription_cancel&flow_data[subscription_cancel][subscription]={subscription}\
         &flow_data[subscription_cancel][retention][type]=coupon_offer\
         &flow_data[subscription_cancel][retention][coupon_offer][coupon]={coupon}\
         &flow_data[after_completion][type]=redirect&flow_data[after_completion][redirect][return_url]=https://shop.example/bye"
    );
    let session = shop.post("/v1/billing_portal/sessions", &form).await.ok();
    let retention = json!({ "coupon_offer": { "coupon": coupon }, "type": "coupon_offer" });
    let redirect = json!({ "return_url": "https://shop.example/bye" });
    assert_eq!(
        session["flow"],
        json!({
            "after_completion": { "hosted_confirmation": null, "redirect": redirect, "type": "redirect" },
            "customer_update": null,
            "subscription_cancel": { "retention": retention, "subscription": subscription },
            "subscription_pause": null,
            "subscription_update": null,
            "subscription_update_confirm": null,
            "type": "subscription_cancel",
        })
    );
}

async fn what_is_wrong_is_named(shop: Shop) {
    let customer = shop.post("/v1/customers", "").await.made();
    let good = format!("customer={customer}");
    let cases = [
        ("".to_owned(), "parameter_missing", "customer"),
        ("customer=".to_owned(), "parameter_invalid_empty", "customer"),
        (format!("{good}&locale=tlh"), "parameter_invalid", "locale"),
        (format!("{good}&return_url=shop.example"), "url_invalid", "return_url"),
        (format!("{good}&return_url=http://shop.example"), "url_invalid", "return_url"),
        (format!("{good}&cancel_url=javascript:alert(1)"), "url_invalid", "cancel_url"),
        (format!("{good}&flow_data[type]=dance"), "parameter_invalid", "flow_data[type]"),
        (format!("{good}&flow_data[type]=subscription_pause"), "parameter_invalid", "flow_data[subscription_pause]"),
        (format!("{good}&flow_data[after_completion][type]=redirect"), "parameter_missing", "flow_data[type]"),
        (format!("{good}&after_expiration[type]=customer_login"), "parameter_unsupported", "after_expiration"),
        (format!("{good}&on_behalf_of=acct_1"), "parameter_unsupported", "on_behalf_of"),
        (format!("{good}&customer_account=acct_1"), "parameter_unsupported", "customer_account"),
        (format!("{good}&foo=1"), "parameter_unknown", "foo"),
    ];
    for (form, code, param) in cases {
        shop.post("/v1/billing_portal/sessions", &form).await.refused(400, code, param);
    }
    for (form, param) in [
        ("customer=cus_none".to_owned(), "customer"),
        (format!("{good}&configuration=bpc_none"), "configuration"),
        (format!("{good}&subscription=sub_none"), "subscription"),
    ] {
        shop.post("/v1/billing_portal/sessions", &form).await.refused(404, "resource_missing", param);
    }
    shop.post("/v1/billing_portal/sessions", &format!("{good}&configuration=default&locale=auto")).await.ok();
    shop.delete(&format!("/v1/customers/{customer}")).await.ok();
    shop.post("/v1/billing_portal/sessions", &good).await.refused(404, "resource_missing", "customer");
}

async fn a_subscription_in_focus_is_the_customers_own(shop: Shop) {
    let (ada, grace) = (shop.paying_customer().await, shop.paying_customer().await);
    let price = shop.monthly_price(1000).await;
    let subscription = shop.post("/v1/subscriptions", &format!("customer={ada}&items[0][price]={price}")).await.made();
    let session =
        shop.post("/v1/billing_portal/sessions", &format!("customer={ada}&subscription={subscription}")).await.ok();
    assert_eq!(session["subscription"], json!(subscription));
    shop.post("/v1/billing_portal/sessions", &format!("customer={grace}&subscription={subscription}")).await.refused(
        404,
        "resource_missing",
        "subscription",
    );
}
