//! What a key promises, and what holds when it has run out.

use billing::payment::fate;
use serde_json::json;

use crate::support::{Shop, on_both};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

on_both!(
    the_same_key_says_the_same,
    another_request_under_a_key_changes_nothing,
    a_key_is_its_owners,
    a_key_that_ran_out_charges_nobody_twice,
    a_key_waits_with_its_charge,
);

async fn the_same_key_says_the_same(shop: Shop) {
    let price = shop.monthly_price(1000).await;
    let invoice = shop.open_invoice(&price).await;
    let path = format!("/v1/invoices/{invoice}/pay");
    let first = shop.post_with_key("k", &path, "").await;
    assert_eq!(first.status, 200, "{}", first.text);
    for _ in 0..3 {
        let again = shop.post_with_key("k", &path, "").await;
        assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &first.text));
    }
    assert_eq!(shop.agreed().await, 1000);
}

async fn another_request_under_a_key_changes_nothing(shop: Shop) {
    let price = shop.monthly_price(1000).await;
    let (one, other) = (shop.open_invoice(&price).await, shop.open_invoice(&price).await);
    let pay = |invoice: &str| format!("/v1/invoices/{invoice}/pay");
    shop.post_with_key("k", &pay(&one), "").await.ok();
    for (path, form) in [(pay(&other), ""), (pay(&one), "off_session=true"), ("/v1/customers".to_owned(), "name=Ada")] {
        let refused = shop.post_with_key("k", &path, form).await.refused(400, "idempotency_key_reused", "");
        assert_eq!(refused["type"], "idempotency_error");
    }
    assert_eq!(shop.get(&format!("/v1/invoices/{other}")).await.ok()["status"], "open");
    assert_eq!(shop.agreed().await, 1000);
}

async fn a_key_is_its_owners(shop: Shop) {
    let neighbour = shop.neighbour().await;
    for shop in [&shop, &neighbour] {
        let price = shop.monthly_price(1000).await;
        let invoice = shop.open_invoice(&price).await;
        let paid = shop.post_with_key("k", &format!("/v1/invoices/{invoice}/pay"), "").await;
        assert_eq!(paid.header("idempotent-replayed"), "");
        assert_eq!(paid.ok()["id"], json!(invoice));
    }
    assert_eq!(shop.agreed().await, 2000);
}

async fn a_key_that_ran_out_charges_nobody_twice(shop: Shop) {
    let price = shop.monthly_price(1000).await;
    let invoice = shop.open_invoice(&price).await;
    let path = format!("/v1/invoices/{invoice}/pay");
    shop.post_with_key("k", &path, "").await.ok();
    shop.clock.advance(DAY_MS + 1000);
    let late = shop.post_with_key("k", &path, "").await;
    assert_eq!(late.header("idempotent-replayed"), "", "the key is forgotten");
    late.refused(400, "invoice_already_paid", "");
    assert_eq!(shop.agreed().await, 1000);
}

/// What became of a charge is not known: the same request hears it as soon as it is, and no other is made.
async fn a_key_waits_with_its_charge(shop: Shop) {
    let price = shop.monthly_price(1000).await;
    let form = "payment_method=pm_sandbox_timeoutAfterCharge&invoice_settings[default_payment_method]=pm_sandbox_timeoutAfterCharge";
    let customer = shop.post("/v1/customers", form).await.made();
    let form = format!("customer={customer}&items[0][price]={price}&payment_behavior=default_incomplete");
    let made = shop.post("/v1/subscriptions", &form).await.ok();
    let path = format!("/v1/invoices/{}/pay", made["latest_invoice"].as_str().unwrap());
    shop.post_with_key("k", &path, "").await.refused(409, "lock_timeout", "");
    shop.post_with_key("k", &path, "").await.refused(409, "lock_timeout", "");
    shop.post_with_key("other", &path, "").await.refused(409, "lock_timeout", "");
    shop.clock.advance(5 * 60 * 1000);
    fate::reconcile_due(&shop.app.db, &*shop.app.gateway).await.unwrap();
    assert_eq!(shop.post_with_key("k", &path, "").await.ok()["status"], "paid");
    shop.post_with_key("another", &path, "").await.refused(400, "invoice_already_paid", "");
    assert_eq!(shop.agreed().await, 1000);
}
