//! Discounts as SDKs give them, read them and take them off.

use serde_json::json;

use crate::support::{Shop, on_both};

on_both!(a_subscription_is_discounted, a_customer_is_discounted, what_is_wrong_is_named);

async fn a_subscription_is_discounted(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(2000).await);
    let five = shop.post("/v1/coupons", "amount_off=500&currency=eur&duration=forever").await.made();
    let tenth = shop.post("/v1/coupons", "percent_off=10&duration=repeating&duration_in_months=3").await.made();
    let code = shop.post("/v1/promotion_codes", &format!("promotion[type]=coupon&promotion[coupon]={tenth}")).await;
    let code = code.made();
    let form = format!(
        "customer={customer}&items[0][price]={price}&discounts[0][coupon]={five}&discounts[1][promotion_code]={code}\
         &expand[]=discounts.source.coupon&expand[]=latest_invoice&expand[]=discounts.promotion_code"
    );
    let made = shop.post("/v1/subscriptions", &form).await.ok();
    let [first, second] = made["discounts"].as_array().unwrap().as_slice() else { panic!("{made}") };
    assert_eq!((&first["object"], &first["source"]["coupon"]["id"]), (&json!("discount"), &json!(five)));
    assert_eq!(
        (&first["end"], &first["promotion_code"], &first["start"]),
        (&json!(null), &json!(null), &made["created"])
    );
    assert_eq!((&first["subscription"], &first["customer"]), (&made["id"], &json!(customer)));
    assert_eq!(second["promotion_code"]["id"], json!(code));
    assert!(second["end"].as_i64() > made["created"].as_i64());
    assert_eq!((&second["coupon"]["id"], &made["discount"]["id"]), (&json!(tenth), &first["id"]));

    let invoice = &made["latest_invoice"];
    assert_eq!(
        (&invoice["subtotal"], &invoice["total"], &invoice["amount_paid"]),
        (&json!(2000), &json!(1350), &json!(1350))
    );
    let totals = json!([{"amount": 500, "discount": first["id"]}, {"amount": 150, "discount": second["id"]}]);
    assert_eq!(invoice["total_discount_amounts"], totals);
    assert_eq!(invoice["discounts"], json!([first["id"], second["id"]]));
    assert_eq!((&invoice["total_excluding_tax"], &invoice["subtotal_excluding_tax"]), (&json!(1350), &json!(2000)));
    let line = &invoice["lines"]["data"][0];
    assert_eq!((&line["amount"], &line["discount_amounts"], &line["discounts"]), (&json!(2000), &totals, &json!([])));
    let path = format!(
        "/v1/invoices/{}?expand[]=discounts&expand[]=total_discount_amounts.discount",
        invoice["id"].as_str().unwrap()
    );
    let read = shop.get(&path).await.ok();
    assert_eq!(read["discounts"][1]["source"], json!({"coupon": tenth, "type": "coupon"}));
    assert_eq!(read["total_discount_amounts"][0]["discount"]["id"], first["id"]);

    let path = format!("/v1/subscriptions/{}", made["id"].as_str().unwrap());
    let form = format!("discounts[0][discount]={}", second["id"].as_str().unwrap());
    assert_eq!(shop.post(&path, &form).await.ok()["discounts"], json!([second["id"]]));
    let gone = shop.delete(&format!("{path}/discount")).await.ok();
    assert_eq!((&gone["id"], &gone["deleted"], &gone["object"]), (&second["id"], &json!(true), &json!("discount")));
    assert_eq!(shop.get(&path).await.ok()["discounts"], json!([]));
    shop.delete(&format!("{path}/discount")).await.refused(404, "resource_missing", "id");
    let older = shop.post(&path, &format!("coupon={five}")).await.ok();
    assert_eq!(older["discount"]["coupon"]["id"], json!(five));
    assert_eq!(shop.post(&path, "coupon=").await.ok()["discount"], json!(null));
    assert_eq!(shop.get(&format!("/v1/coupons/{five}")).await.ok()["times_redeemed"], json!(2));
    for (name, count) in [("customer.discount.created", 3), ("customer.discount.deleted", 3)] {
        assert_eq!(shop.events(name).await, count, "{name}");
    }
}

async fn a_customer_is_discounted(shop: Shop) {
    let half = shop.post("/v1/coupons", "percent_off=50&duration=forever").await.made();
    let third = shop.post("/v1/coupons", "percent_off=33&duration=forever").await.made();
    let made = shop.post("/v1/customers", &format!("coupon={half}&expand[]=discount.source.coupon")).await.ok();
    assert_eq!(made["discount"]["source"]["coupon"]["percent_off"], json!(50));
    let path = format!("/v1/customers/{}", made["id"].as_str().unwrap());
    let switched = shop.post(&path, &format!("coupon={third}")).await.ok();
    assert_eq!(switched["discount"]["coupon"]["id"], json!(third));
    assert_eq!(shop.get(&path).await.ok()["discount"], switched["discount"]);
    let gone = shop.delete(&format!("{path}/discount")).await.ok();
    assert_eq!((&gone["id"], &gone["deleted"]), (&switched["discount"]["id"], &json!(true)));
    assert_eq!(shop.get(&path).await.ok()["discount"], json!(null));
    shop.delete(&format!("{path}/discount")).await.refused(404, "resource_missing", "id");
    for name in ["customer.discount.created", "customer.discount.updated", "customer.discount.deleted"] {
        assert_eq!(shop.events(name).await, 1, "{name}");
    }
}

async fn what_is_wrong_is_named(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(2000).await);
    let last = shop.post("/v1/coupons", "percent_off=50&max_redemptions=1").await.made();
    let good = format!("customer={customer}&items[0][price]={price}");
    shop.post("/v1/subscriptions", &format!("{good}&discounts[0][coupon]={last}")).await.ok();
    for (form, code, param) in [
        (format!("discounts[0][coupon]={last}"), "coupon_expired", "discounts[0][coupon]"),
        (format!("coupon={last}"), "coupon_expired", "discounts[0][coupon]"),
        ("discounts[0][coupon]=no".into(), "resource_missing", "discounts[0][coupon]"),
        ("discounts[0][promotion_code]=no".into(), "resource_missing", "discounts[0][promotion_code]"),
        ("discounts[0][discount]=no".into(), "resource_missing", "discounts[0][discount]"),
        ("discounts[0][foo]=no".into(), "parameter_missing", "discounts[0][coupon]"),
        ("discounts[0][coupon]=a&discounts[0][promotion_code]=b".into(), "parameter_invalid", "discounts[0][coupon]"),
        ("discounts[0][coupon]=a&coupon=b".into(), "parameter_invalid", "discounts"),
        ("items[0][discounts][0][coupon]=no".into(), "resource_missing", "items[0][discounts][0][coupon]"),
    ] {
        let status = if code == "resource_missing" { 404 } else { 400 };
        shop.post("/v1/subscriptions", &format!("{good}&{form}")).await.refused(status, code, param);
    }
    let path = format!("/v1/customers/{customer}");
    shop.post(&path, "coupon=no").await.refused(404, "resource_missing", "coupon");
    shop.post(&path, "promotion_code=no").await.refused(404, "resource_missing", "promotion_code");
    shop.post(&path, &format!("coupon={last}")).await.refused(400, "coupon_expired", "coupon");
    assert_eq!(shop.get("/v1/subscriptions").await.ids().len(), 1);
}
