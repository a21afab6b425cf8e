//! Custom domains: claimed here, proven by the DNS, served by name.

use serde_json::json;

use crate::support::dns::NameServer;
use crate::support::{Shop, on_both};

on_both!(a_domain_is_claimed_and_proven, what_is_wrong_is_named, the_worker_looks_by_itself,);

async fn a_domain_is_claimed_and_proven(shop: Shop) {
    let dns = NameServer::start().await;
    let shop = shop.asking(dns.addr);
    let made = shop.post("/v1/portal_domains", "domain_name=Billing.Shop.Example").await.ok();
    let id = made["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/portal_domains/{id}");
    let records = made["verification"]["records"].clone();
    assert_eq!((&made["status"], &made["domain_name"]), (&json!("pending"), &json!("billing.shop.example")));
    assert_eq!(records[0], json!({"name": "billing.shop.example", "type": "CNAME", "value": "billing.example"}));
    assert_eq!(records[1]["name"], "_portal-verification.billing.shop.example");
    assert_eq!(shop.get(&path).await.ok(), made);
    assert_eq!(shop.get("/v1/portal_domains").await.ok()["data"], json!([made]));

    let verify = format!("{path}/verify");
    let error = async || shop.post(&verify, "").await.ok()["verification"]["error"].clone();
    assert_eq!(error().await, "cname_missing");
    dns.put(&records[0]);
    assert_eq!(error().await, "txt_missing");
    dns.put(&records[1]);
    let proven = shop.post(&verify, "").await.ok();
    assert_eq!((&proven["status"], &proven["verification"]["error"]), (&json!("active"), &json!(null)));

    let customer = shop.post("/v1/customers", "").await.made();
    let session = format!("customer={customer}");
    let url =
        async || shop.post("/v1/billing_portal/sessions", &session).await.ok()["url"].as_str().unwrap().to_owned();
    assert!(url().await.starts_with("https://billing.example/session/"));
    let default = "/v1/billing_portal/configurations/default";
    let configuration = shop.post(default, &format!("custom_domain={id}")).await.ok();
    assert_eq!(configuration["custom_domain"], json!(id));
    assert!(url().await.starts_with("https://billing.shop.example/session/"));
    shop.delete(&path).await.refused(400, "portal_domain_in_use", "");
    shop.post(default, "custom_domain=").await.ok();
    assert_eq!(shop.delete(&path).await.ok(), json!({"id": id, "object": "portal_domain", "deleted": true}));
    shop.get(&path).await.refused(404, "resource_missing", "id");
    assert!(shop.get("/v1/portal_domains").await.ids().is_empty());
}

async fn what_is_wrong_is_named(shop: Shop) {
    for (form, code, param) in [
        ("", "parameter_missing", "domain_name"),
        ("domain_name=https://billing.shop.example", "parameter_invalid", "domain_name"),
        ("domain_name=billing.example", "parameter_invalid", "domain_name"),
        ("domain_name=billing.shop.example&enabled=true", "parameter_unknown", "enabled"),
    ] {
        shop.post("/v1/portal_domains", form).await.refused(400, code, param);
    }
    let refused = shop.post("/v1/billing_portal/configurations/default", "custom_domain=pdom_1").await;
    refused.refused(404, "resource_missing", "custom_domain");
}

async fn the_worker_looks_by_itself(shop: Shop) {
    let dns = NameServer::start().await;
    let made = shop.post("/v1/portal_domains", "domain_name=billing.shop.example").await.ok();
    for record in made["verification"]["records"].as_array().unwrap() {
        dns.put(record);
    }
    let path = format!("/v1/portal_domains/{}", made["id"].as_str().unwrap());
    let work = async || while server::worker::prove(&shop.app.db, Some(dns.addr)).await.unwrap() {};
    work().await;
    assert_eq!(shop.get(&path).await.ok()["status"], "active");
    dns.clear();
    for (hours, status) in [(6, "active"), (66, "active"), (6, "pending")] {
        shop.clock.advance(hours * 60 * 60 * 1000);
        work().await;
        assert_eq!(shop.get(&path).await.ok()["status"], status, "after {hours} more hours");
    }
}
