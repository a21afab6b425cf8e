//! Quotes and their confirmation, over the API.

use serde_json::{Value, json};

use crate::support::{NOW, Shop, on_both};

const DAY: i64 = 86_400;
const QUOTES: &str = "/v1/subscription_quotes";
const CONFIRM: &str = "/v1/subscription_quotes/confirm";

on_both!(
    a_quote_is_confirmed_and_charged_as_it_says,
    every_type_has_the_parameters_of_its_endpoint,
    what_is_stale_is_answered_with_a_fresh_quote,
    what_is_wrong_is_named,
);

async fn quoted(shop: &Shop, form: &str) -> Value {
    let quote = shop.post(QUOTES, form).await.ok();
    assert_eq!((&quote["object"], &quote["livemode"]), (&json!("subscription_quote"), &json!(false)));
    quote
}

async fn confirm(shop: &Shop, quote: &Value) -> Value {
    let form = json!({ "token": quote["token"], "expand": ["latest_invoice"] });
    shop.post_json(CONFIRM, &form).await.ok()
}

async fn a_quote_is_confirmed_and_charged_as_it_says(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(2000).await);
    let start =
        format!("type=start&start[customer]={customer}&start[items][0][price]={price}&start[items][0][quantity]=2");
    let quote = quoted(&shop, &start).await;
    assert_eq!((&quote["amount_due"], &quote["invoice"]["status"]), (&json!(4000), &json!("draft")));
    assert_eq!(quote["next_invoice"]["amount_due"], json!(4000));
    assert_eq!(quote["expires_at"], json!(NOW + 600));
    assert_eq!((&quote["subscription"], &quote["pending_invoice_items"]), (&json!(null), &json!([])));
    assert_eq!(shop.get("/v1/subscriptions").await.ids().len(), 0);

    shop.clock.advance(9 * 60 * 1000);
    let bought = confirm(&shop, &quote).await;
    assert_eq!((&bought["object"], &bought["status"]), (&json!("subscription"), &json!("active")));
    assert_eq!((&bought["latest_invoice"]["amount_paid"], &bought["start_date"]), (&json!(4000), &json!(NOW)));
    // The same token says the same, and buys nothing more.
    assert_eq!(confirm(&shop, &quote).await, bought);
    assert_eq!(shop.get("/v1/subscriptions").await.ids().len(), 1);
    assert_eq!(shop.get("/v1/invoices").await.ids().len(), 1);
}

async fn every_type_has_the_parameters_of_its_endpoint(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(2000).await);
    let made = shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.ok();
    let (id, item) = (made["id"].as_str().unwrap(), made["items"]["data"][0]["id"].as_str().unwrap());
    shop.clock.advance(15 * DAY * 1000);
    for (form, due, next, status) in [
        (
            format!(
                "type=update&update[items][0][id]={item}&update[items][0][quantity]=2&update[proration_behavior]=always_invoice"
            ),
            1000,
            Some(4000),
            "active",
        ),
        (
            format!("type=schedule&schedule[items][0][id]={item}&schedule[items][0][quantity]=5"),
            0,
            Some(10_000),
            "active",
        ),
        ("type=pause&pause[bill_for][unused_time_from][type]=none".into(), 0, None, "paused"),
        ("type=resume".into(), 4000, Some(4000), "active"),
        ("type=cancel&cancel[prorate]=true&cancel[invoice_now]=true".into(), 0, None, "canceled"),
    ] {
        let quote = quoted(&shop, &format!("subscription={id}&{form}")).await;
        assert_eq!((&quote["amount_due"], &quote["subscription"]), (&json!(due), &json!(id)), "{form}");
        assert_eq!(quote["next_invoice"]["amount_due"], json!(next), "{form}");
        let after = confirm(&shop, &quote).await;
        assert_eq!(after["status"], json!(status), "{form}");
        if due > 0 {
            assert_eq!(after["latest_invoice"]["amount_paid"], json!(due), "{form}");
        }
    }
}

async fn what_is_stale_is_answered_with_a_fresh_quote(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(2000).await);
    let start = format!("type=start&start[customer]={customer}&start[items][0][price]={price}");
    let quote = quoted(&shop, &start).await;
    shop.post(&format!("/v1/customers/{customer}"), "balance=-300").await.ok();
    let form = format!("token={}", quote["token"].as_str().unwrap());
    let refused = shop.post_with_key("stale", CONFIRM, &form).await;
    let again = shop.post_with_key("stale", CONFIRM, &form).await;
    assert_eq!(again.text, refused.text);
    let error = refused.refused(400, "quote_stale", "");
    let fresh = &error["quote"];
    assert_eq!((&fresh["object"], &fresh["amount_due"]), (&json!("subscription_quote"), &json!(1700)));
    assert_eq!(shop.get("/v1/subscriptions").await.ids().len(), 0);
    assert_eq!(confirm(&shop, fresh).await["latest_invoice"]["amount_paid"], json!(1700));
    let quote = quoted(&shop, &start).await;
    shop.clock.advance(10 * 60 * 1000);
    shop.post_json(CONFIRM, &json!({ "token": quote["token"] })).await.refused(400, "quote_stale", "");
}

async fn what_is_wrong_is_named(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(2000).await);
    let id = shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.made();
    for (form, status, code, param) in [
        (String::new(), 400, "parameter_missing", "type"),
        ("type=upgrade".into(), 400, "parameter_invalid", "type"),
        ("type=update".into(), 400, "parameter_missing", "subscription"),
        (format!("type=update&subscription={id}"), 400, "parameter_missing", "update"),
        (format!("type=pause&subscription={id}&resume[proration_date]=5"), 400, "parameter_invalid", "resume"),
        ("type=cancel&subscription=sub_no".into(), 404, "resource_missing", "subscription"),
        (format!("type=start&subscription={id}&start[customer]={customer}"), 400, "parameter_invalid", "subscription"),
        (
            "type=start&start[customer]=cus_no&start[items][0][price]=p".into(),
            404,
            "resource_missing",
            "start[customer]",
        ),
        (
            format!("type=update&subscription={id}&update[items][0][price]=p"),
            404,
            "resource_missing",
            "update[items][0][price]",
        ),
        (format!("type=update&subscription={id}&update[foo]=1"), 400, "parameter_unknown", "update[foo]"),
        (format!("type=resume&subscription={id}"), 400, "subscription_not_paused", ""),
    ] {
        shop.post(QUOTES, &form).await.refused(status, code, param);
    }
    shop.post(CONFIRM, "").await.refused(400, "parameter_missing", "token");
    shop.post(CONFIRM, "token=x").await.refused(400, "parameter_invalid", "token");
    let quote = quoted(&shop, &format!("type=cancel&subscription={id}")).await;
    let neighbour = shop.neighbour().await;
    neighbour.post_json(CONFIRM, &json!({ "token": quote["token"] })).await.refused(400, "parameter_invalid", "token");
    neighbour.post(QUOTES, &format!("type=cancel&subscription={id}")).await.refused(
        404,
        "resource_missing",
        "subscription",
    );
}
