//! Webhook endpoints: the secret is shown once.

use serde_json::json;

use crate::support::{Shop, on_both};

on_both!(an_endpoint_lives, what_is_wrong_is_named,);

async fn an_endpoint_lives(shop: Shop) {
    let form = "url=https://shop.example/hooks&enabled_events[]=invoice.paid&enabled_events[]=subscription.updated\
                &description=Ours&metadata[a]=b&api_version=2025-03-31.basil&connect=false";
    let answer = shop.post_with_key("k", "/v1/webhook_endpoints", form).await;
    let again = shop.post_with_key("k", "/v1/webhook_endpoints", form).await;
    assert_eq!(again.text, answer.text, "the secret is in the first answer, however often that is given");
    let mut made = answer.ok();
    let id = made["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("we_") && made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!((&made["status"], &made["api_version"]), (&json!("enabled"), &json!("2025-03-31.basil")));
    assert_eq!(made["enabled_events"], json!(["invoice.paid", "subscription.updated"]));
    made.as_object_mut().unwrap().remove("secret");
    let path = format!("/v1/webhook_endpoints/{id}");
    assert_eq!(shop.get(&path).await.ok(), made);
    assert_eq!(shop.get("/v1/webhook_endpoints").await.ok()["data"], json!([made]));

    let form = "url=https://shop.example/new&enabled_events[0]=*&disabled=true&description=&metadata[a]=";
    let updated = shop.post(&path, form).await.ok();
    assert_eq!((&updated["status"], &updated["enabled_events"]), (&json!("disabled"), &json!(["*"])));
    assert_eq!((&updated["description"], &updated["metadata"]), (&json!(null), &json!({})));
    assert!(updated.get("secret").is_none());
    assert_eq!(shop.post(&path, "disabled=false").await.ok()["status"], "enabled");

    assert_eq!(shop.delete(&path).await.ok(), json!({"id": id, "object": "webhook_endpoint", "deleted": true}));
    shop.get(&path).await.refused(404, "resource_missing", "id");
    assert!(shop.get("/v1/webhook_endpoints").await.ids().is_empty());
    let actions = shop.get(&format!("/v1/audit_entries?target={id}")).await.ok();
    let actions: Vec<_> = actions["data"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions[0], "webhook_endpoint.deleted");
    assert_eq!(actions.len(), 4);
}

async fn what_is_wrong_is_named(shop: Shop) {
    let url = "url=https://shop.example/hooks";
    for (form, code, param) in [
        (url.to_owned(), "parameter_missing", "enabled_events"),
        ("enabled_events[]=*".into(), "parameter_missing", "url"),
        ("url=http://shop.example&enabled_events[]=*".into(), "url_invalid", "url"),
        ("url=https://192.168.0.1/hooks&enabled_events[]=*".into(), "url_invalid", "url"),
        ("url=https://0x7f.1/hooks&enabled_events[]=*".into(), "url_invalid", "url"),
        ("url=https://shop.example:6379/hooks&enabled_events[]=*".into(), "url_invalid", "url"),
        (format!("{url}&enabled_events[]=invoice.payed"), "parameter_invalid", "enabled_events[0]"),
        (format!("{url}&enabled_events="), "parameter_invalid_empty", "enabled_events"),
        (format!("{url}&enabled_events=*"), "parameter_invalid", "enabled_events"),
        (format!("{url}&enabled_events[]=*&api_version=newest"), "parameter_invalid", "api_version"),
        (format!("{url}&enabled_events[]=*&connect=true"), "parameter_unsupported", "connect"),
        (format!("{url}&enabled_events[]=*&secret=whsec_mine"), "parameter_unknown", "secret"),
    ] {
        shop.post("/v1/webhook_endpoints", &form).await.refused(400, code, param);
    }
    assert!(shop.get("/v1/webhook_endpoints").await.ids().is_empty());
}
