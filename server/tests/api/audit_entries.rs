//! The audit log: who did what.

use serde_json::json;

use crate::support::{Shop, on_both};

on_both!(entries_say_who_did_what, entries_are_filtered_and_paged,);

async fn entries_say_who_did_what(shop: Shop) {
    let id = shop.post("/v1/customers", "name=Ada").await.made();
    let answer = shop.post_with_key("k1", &format!("/v1/customers/{id}"), "name=Grace").await;
    let request = answer.header("request-id").to_owned();
    answer.ok();
    let page = shop.get(&format!("/v1/audit_entries?target={id}")).await.ok();
    assert_eq!((&page["url"], page["data"].as_array().unwrap().len()), (&json!("/v1/audit_entries"), 2));
    let entry = &page["data"][0];
    assert_eq!((&entry["object"], &entry["action"]), (&json!("audit_entry"), &json!("customer.updated")));
    assert_eq!((&entry["before"], &entry["after"]), (&json!({"name": "Ada"}), &json!({"name": "Grace"})));
    assert_eq!((&entry["origin"], &entry["customer"]), (&json!("api"), &json!(id)));
    assert!(!entry["actor"].as_str().unwrap().starts_with("sk_"), "a key is named by its id");
    assert_eq!(entry["target"], json!({"id": id, "type": "customer"}));
    assert_eq!(entry["request"], json!({"id": request, "idempotency_key": "k1"}));
    assert_eq!(
        shop.get(&format!("/v1/events/{}", entry["event"].as_str().unwrap())).await.ok()["type"],
        "customer.updated"
    );
    assert_eq!(shop.get(&format!("/v1/audit_entries/{}", entry["id"].as_str().unwrap())).await.ok(), *entry);
    shop.get("/v1/audit_entries/aud_no").await.refused(404, "resource_missing", "id");
}

async fn entries_are_filtered_and_paged(shop: Shop) {
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(shop.post("/v1/customers", "name=Ada").await.made());
        shop.clock.advance(1000);
    }
    let created = "/v1/audit_entries?action=customer.created";
    let all = shop.get(created).await.ids();
    assert_eq!(all.len(), 3);
    assert_eq!(shop.get(&format!("{created}&limit=1&starting_after={}", all[0])).await.ids(), all[1..2]);
    assert_eq!(shop.get(&format!("{created}&limit=1&ending_before={}", all[2])).await.ids(), all[1..2]);
    let one = shop.get(&format!("{created}&limit=1")).await.ok();
    assert_eq!(one["has_more"], json!(true));
    let at = one["data"][0]["created"].as_i64().unwrap();
    assert_eq!(shop.get(&format!("{created}&created[gte]={at}")).await.ids(), all[..1]);
    assert_eq!(shop.get(&format!("{created}&created[lt]={at}")).await.ids(), all[1..]);
    assert_eq!(shop.get(&format!("/v1/audit_entries?customer={}", made[0])).await.ids(), all[2..]);
    assert!(shop.get(&format!("{created}&origin=portal")).await.ids().is_empty());
    shop.get("/v1/audit_entries?starting_after=aud_no").await.refused(404, "resource_missing", "starting_after");
    shop.get("/v1/audit_entries?actor=x").await.refused(400, "parameter_unknown", "actor");
}
