//! Events.

use serde_json::json;

use crate::support::{Shop, on_both};

on_both!(events_say_what_happened,);

async fn events_say_what_happened(shop: Shop) {
    let id = shop.post("/v1/customers", "name=Ada").await.made();
    shop.post(&format!("/v1/customers/{id}"), "name=Grace").await.ok();
    shop.post("/v1/products", "name=x").await.ok();
    let ids = async |query: &str| shop.get(&format!("/v1/events?{query}")).await.ids();
    assert_eq!(ids("").await.len(), 4, "the first is the default portal configuration's");
    assert_eq!(ids("type=customer.updated").await.len(), 1);
    assert_eq!(ids("type=customer.*").await.len(), 2);
    assert_eq!(ids("types[]=customer.updated&types[]=product.created").await.len(), 2);
    assert_eq!(ids("types[]=customer.*&types[]=customer.updated").await.len(), 2);
    shop.get("/v1/events?type=a&types[]=b").await.refused(400, "parameter_invalid", "types");
    assert_eq!(ids("delivery_success=true&type=customer.*").await.len(), 2, "nobody has missed them");
    assert!(ids("delivery_success=false").await.is_empty());

    let updated = ids("type=customer.updated").await.remove(0);
    let event = shop.get(&format!("/v1/events/{updated}")).await.ok();
    assert_eq!((&event["object"], &event["type"]), (&json!("event"), &json!("customer.updated")));
    assert_eq!(event["data"]["object"]["name"], "Grace");
    assert_eq!(event["data"]["previous_attributes"], json!({"name": "Ada"}));
    shop.get("/v1/events/evt_none").await.refused(404, "resource_missing", "id");
}
