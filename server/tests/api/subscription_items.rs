//! The items of subscriptions: each change of one is an update of its subscription.

use serde_json::{Value, json};

use crate::support::{Shop, on_both};

on_both!(items_come_change_and_go, what_is_wrong_is_named, a_request_sent_twice_adds_one_item);

const DAY: i64 = 86_400;

/// A new subscription and its only item.
async fn active(shop: &Shop) -> (String, String) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let made = shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.ok();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["id"]), text(&made["items"]["data"][0]["id"]))
}

async fn items_come_change_and_go(shop: Shop) {
    let (subscription, first) = active(&shop).await;
    let price = shop.monthly_price(600).await;
    shop.clock.advance(15 * DAY * 1000);
    let form = format!(
        "subscription={subscription}&price={price}&quantity=2&metadata[a]=1&proration_behavior=always_invoice&expand[]=price.product"
    );
    let added = shop.post("/v1/subscription_items", &form).await.ok();
    assert_eq!((&added["object"], &added["quantity"]), (&json!("subscription_item"), &json!(2)));
    assert_eq!((&added["price"]["product"]["name"], &added["metadata"]), (&json!("Plan"), &json!({"a": "1"})));
    let whole = shop.get(&format!("/v1/subscriptions/{subscription}?expand[]=latest_invoice")).await.ok();
    assert_eq!((&whole["latest_invoice"]["total"], &whole["latest_invoice"]["status"]), (&json!(600), &json!("paid")));

    let path = format!("/v1/subscription_items/{}", added["id"].as_str().unwrap());
    let changed = shop.post(&path, "quantity=5&off_session=true&proration_behavior=none&metadata[b]=2").await.ok();
    assert_eq!((&changed["id"], &changed["quantity"]), (&added["id"], &json!(5)));
    assert_eq!(changed["metadata"], json!({"a": "1", "b": "2"}));
    assert_eq!(shop.get(&path).await.ok(), changed);

    let gone = shop.delete(&format!("{path}?proration_behavior=create_prorations")).await.ok();
    assert_eq!(gone, json!({"id": added["id"], "object": "subscription_item", "deleted": true}));
    shop.get(&path).await.refused(404, "resource_missing", "id");
    assert_eq!(shop.get(&format!("/v1/subscription_items?subscription={subscription}")).await.ids(), [first.as_str()]);
    let updated = "customer.subscription.updated";
    assert!(shop.events(updated).await >= 3);
    shop.delete(&format!("/v1/subscription_items/{first}")).await.refused(400, "parameter_invalid", "items");
}

async fn what_is_wrong_is_named(shop: Shop) {
    let (subscription, first) = active(&shop).await;
    let price = shop.monthly_price(600).await;
    let once = shop.post("/v1/prices", "currency=eur&unit_amount=1&product_data[name]=x").await.made();
    let create = "/v1/subscription_items";
    for (form, status, code, param) in [
        (format!("price={price}"), 400, "parameter_missing", "subscription"),
        (format!("subscription={subscription}"), 400, "parameter_missing", "price"),
        (format!("subscription={subscription}&price={once}"), 400, "parameter_invalid", "price"),
        (format!("subscription={subscription}&price=price_none"), 404, "resource_missing", "price"),
        (format!("subscription=sub_none&price={price}"), 404, "resource_missing", "subscription"),
        (format!("subscription={subscription}&price={price}&quantity=-1"), 400, "parameter_invalid", "quantity"),
        (
            format!("subscription={subscription}&price={price}&discounts[0][coupon]=x"),
            404,
            "resource_missing",
            "discounts[0][coupon]",
        ),
        (format!("subscription={subscription}&price={price}&foo=1"), 400, "parameter_unknown", "foo"),
    ] {
        shop.post(create, &form).await.refused(status, code, param);
    }
    let path = format!("{create}/{first}");
    shop.post(&path, "price=price_none").await.refused(404, "resource_missing", "price");
    shop.post(&path, "proration_behavior=maybe").await.refused(400, "parameter_invalid", "proration_behavior");
    shop.post("/v1/subscription_items/si_none", "quantity=1").await.refused(404, "resource_missing", "id");
    shop.delete("/v1/subscription_items/si_none").await.refused(404, "resource_missing", "id");
    shop.delete(&format!("{path}?clear_usage=true")).await.refused(400, "parameter_unsupported", "clear_usage");
    let neighbour = shop.neighbour().await;
    neighbour.post(&path, "quantity=2").await.refused(404, "resource_missing", "id");
    neighbour.delete(&path).await.refused(404, "resource_missing", "id");
    assert_eq!(shop.get(&format!("{create}?subscription={subscription}")).await.ids().len(), 1);
}

async fn a_request_sent_twice_adds_one_item(shop: Shop) {
    let (subscription, _) = active(&shop).await;
    let price = shop.monthly_price(600).await;
    let form = format!("subscription={subscription}&price={price}");
    let added = shop.post_with_key("k", "/v1/subscription_items", &form).await;
    let again = shop.post_with_key("k", "/v1/subscription_items", &form).await;
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &added.text));
    shop.post("/v1/subscription_items", &form).await.refused(400, "parameter_invalid", "price");
}
