//! Tax on subscriptions, as SDKs ask for it.

use serde_json::json;

use crate::support::{Shop, on_both};

on_both!(a_subscription_is_taxed_by_named_rates, a_subscription_is_taxed_by_where_the_customer_is);

async fn a_subscription_is_taxed_by_named_rates(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let rate = shop.post("/v1/tax_rates", "display_name=VAT&percentage=19&inclusive=false").await.made();
    let reduced = shop.post("/v1/tax_rates", "display_name=VAT&percentage=7&inclusive=false").await.made();
    let form =
        format!("customer={customer}&items[0][price]={price}&default_tax_rates[]={rate}&expand[]=latest_invoice");
    let made = shop.post("/v1/subscriptions", &form).await.ok();
    assert_eq!(made["default_tax_rates"][0]["percentage"], json!(19));
    let invoice = &made["latest_invoice"];
    assert_eq!((&invoice["amount_paid"], &invoice["tax"]), (&json!(1190), &json!(190)));
    let tax = &invoice["lines"]["data"][0]["taxes"][0];
    assert_eq!((&tax["amount"], &tax["taxability_reason"]), (&json!(190), &json!("standard_rated")));
    assert_eq!(invoice["total_taxes"][0]["tax_rate_details"]["tax_rate"], json!(rate));
    assert_eq!(invoice["lines"]["data"][0]["tax_amounts"][0]["tax_rate"], json!(rate));

    let path = format!("/v1/subscriptions/{}", made["id"].as_str().unwrap());
    let cleared = shop.post(&path, "default_tax_rates=").await.ok();
    assert_eq!(cleared["default_tax_rates"], json!([]));
    let form = format!(
        "customer={customer}&items[0][price]={price}&items[0][tax_rates][]={reduced}&default_tax_rates[]={rate}"
    );
    let made = shop.post("/v1/subscriptions", &format!("{form}&expand[]=latest_invoice")).await.ok();
    assert_eq!(made["items"]["data"][0]["tax_rates"][0]["id"], json!(reduced));
    assert_eq!(made["latest_invoice"]["total"], json!(1070));
    let form = format!("customer={customer}&items[0][price]={price}");
    for (more, status, code, param) in [
        ("default_tax_rates[]=txr_none", 404, "resource_missing", "default_tax_rates[0]"),
        ("items[0][tax_rates][]=txr_none", 404, "resource_missing", "items[0][tax_rates][0]"),
        ("automatic_tax[enabled]=maybe", 400, "parameter_invalid", "automatic_tax[enabled]"),
        ("automatic_tax[liability][type]=self", 400, "parameter_unsupported", "automatic_tax[liability]"),
    ] {
        shop.post("/v1/subscriptions", &format!("{form}&{more}")).await.refused(status, code, param);
    }
    let both = format!("{form}&automatic_tax[enabled]=true&default_tax_rates[]={rate}");
    shop.post("/v1/subscriptions", &both).await.refused(400, "parameter_invalid", "default_tax_rates");
}

async fn a_subscription_is_taxed_by_where_the_customer_is(shop: Shop) {
    let rate = shop.post("/v1/tax_rates", "display_name=MwSt.&percentage=19&inclusive=true&country=DE").await.made();
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1190).await);
    let form =
        format!("customer={customer}&items[0][price]={price}&automatic_tax[enabled]=true&expand[]=latest_invoice");
    let made = shop.post("/v1/subscriptions", &form).await.ok();
    assert_eq!(made["automatic_tax"]["enabled"], json!(true));
    let nowhere = &made["latest_invoice"]["total_taxes"][0];
    assert_eq!((&nowhere["amount"], &nowhere["taxability_reason"]), (&json!(0), &json!("not_collecting")));
    shop.post(&format!("/v1/customers/{customer}"), "address[country]=DE").await.ok();
    let invoice = shop.post("/v1/subscriptions", &form).await.ok()["latest_invoice"].clone();
    assert_eq!((&invoice["total"], &invoice["tax"]), (&json!(1190), &json!(190)));
    assert_eq!(invoice["total_excluding_tax"], json!(1000));
    assert_eq!(
        invoice["automatic_tax"],
        json!({"disabled_reason": null, "enabled": true, "liability": {"type": "self"}, "provider": null, "status": "complete"})
    );
    assert_eq!(invoice["total_taxes"][0]["tax_rate_details"]["tax_rate"], json!(rate));
    let path = format!("/v1/subscriptions/{}", made["id"].as_str().unwrap());
    assert_eq!(shop.post(&path, "automatic_tax[enabled]=false").await.ok()["automatic_tax"]["enabled"], json!(false));
}
