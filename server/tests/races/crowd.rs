//! Two hundred at once, against one object.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::process::{Said, Servers};
use crate::scale;
use crate::support::{Shop, on_both};

const RACERS: usize = 200;

on_both!(one_key_is_one_change, one_invoice_is_paid_once, one_cancellation, cancellations_among_changes,);

/// Everybody at once; how many heard what.
async fn race(
    servers: &Arc<Servers>,
    request: impl Fn(usize) -> (&'static str, String, String, String),
) -> BTreeMap<Said, usize> {
    let racers: Vec<_> = (0..RACERS)
        .map(|n| {
            let (servers, (method, path, form, key)) = (servers.clone(), request(n));
            tokio::spawn(async move { servers.send(n, method, &path, form, &key).await })
        })
        .collect();
    let mut heard = BTreeMap::new();
    for racer in racers {
        *heard.entry(racer.await.unwrap()).or_default() += 1;
    }
    heard
}

fn count(heard: &BTreeMap<Said, usize>, status: u16, code: &str) -> usize {
    heard.get(&(status, code.to_owned())).copied().unwrap_or_default()
}

async fn subscribe(shop: &Shop, price: &str) -> Value {
    let customer = shop.paying_customer().await;
    shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.ok()
}

/// What was told of an object, in the order in which it happened to it: the type, and the object as it then was.
async fn told_of(shop: &Shop, object: &str) -> Vec<(String, Value)> {
    let mut told = Vec::new();
    let mut after = String::new();
    loop {
        let page = shop.get(&format!("/v1/events?limit=100{after}")).await.ok();
        for event in page["data"].as_array().unwrap() {
            let of = &event["data"]["object"];
            if of["id"] == json!(object) {
                let kind = event["type"].as_str().unwrap().to_owned();
                told.push((event["sequence"].as_i64().unwrap(), kind, of.clone()));
            }
            after = format!("&starting_after={}", event["id"].as_str().unwrap());
        }
        if page["has_more"] == json!(false) {
            told.sort_by_key(|(sequence, ..)| *sequence);
            return told.into_iter().map(|(_, kind, of)| (kind, of)).collect();
        }
    }
}

fn count_of(told: &[(String, Value)], kind: &str) -> usize {
    told.iter().filter(|told| told.0 == kind).count()
}

async fn one_key_is_one_change(shop: Shop) {
    let servers = Arc::new(Servers::start(&shop).await);
    let price = shop.monthly_price(1000).await;
    for round in 0..scale(2, 1000) {
        let made = subscribe(&shop, &price).await;
        let id = made["id"].as_str().unwrap();
        let (kept, told_before) = (shop.agreed().await, told_of(&shop, id).await.len());
        let path = format!("/v1/subscriptions/{id}");
        let form = "cancel_at_period_end=true".to_owned();
        let heard = race(&servers, |_| ("POST", path.clone(), form.clone(), format!("m8-{round}"))).await;
        let (done, running) = (count(&heard, 200, ""), count(&heard, 409, "idempotency_key_in_use"));
        assert!(done >= 1 && done + running == RACERS, "{heard:?}");
        let told = told_of(&shop, id).await;
        let once = ["customer.subscription.updated", "subscription.cancellation_scheduled"];
        let kinds: Vec<&str> = told[told_before..].iter().map(|told| told.0.as_str()).collect();
        assert_eq!(kinds, once, "one key, one effect");
        assert_eq!(shop.agreed().await, kept);
    }
}

async fn one_invoice_is_paid_once(shop: Shop) {
    let servers = Arc::new(Servers::start(&shop).await);
    let price = shop.monthly_price(1000).await;
    for round in 1..=scale(2, 1000) {
        let invoice = shop.open_invoice(&price).await;
        let path = format!("/v1/invoices/{invoice}/pay");
        let heard = race(&servers, |n| ("POST", path.clone(), String::new(), format!("m9-{round}-{n}"))).await;
        let (paid, late) = (count(&heard, 200, ""), count(&heard, 400, "invoice_already_paid"));
        let running = count(&heard, 409, "lock_timeout");
        assert_eq!(paid, 1, "{heard:?}");
        assert_eq!(paid + late + running, RACERS, "{heard:?}");
        assert_eq!(shop.agreed().await, 1000 * i64::try_from(round).unwrap(), "one capture");
        assert_eq!(shop.get(&format!("/v1/invoices/{invoice}")).await.ok()["amount_paid"], json!(1000));
    }
}

async fn one_cancellation(shop: Shop) {
    let servers = Arc::new(Servers::start(&shop).await);
    let price = shop.monthly_price(1000).await;
    for round in 0..scale(2, 1000) {
        let made = subscribe(&shop, &price).await;
        let id = made["id"].as_str().unwrap();
        let path = format!("/v1/subscriptions/{id}/cancel");
        let heard = race(&servers, |n| ("POST", path.clone(), String::new(), format!("m10-{round}-{n}"))).await;
        let (done, running) = (count(&heard, 200, ""), count(&heard, 409, "lock_timeout"));
        assert!(done >= 1 && done + running == RACERS, "{heard:?}");
        let told = told_of(&shop, id).await;
        assert_eq!(count_of(&told, "customer.subscription.deleted"), 1, "{heard:?}");
        assert_eq!(told.last().unwrap().0, "customer.subscription.deleted");
        shop.agreed().await;
    }
}

/// Every other one changes the subscription, the rest cancel it: it ends in one of the orders in which they might have
/// come one after the other.
async fn cancellations_among_changes(shop: Shop) {
    let servers = Arc::new(Servers::start(&shop).await);
    let price = shop.monthly_price(1000).await;
    for round in 0..scale(2, 1000) {
        let made = subscribe(&shop, &price).await;
        let id = made["id"].as_str().unwrap();
        let told_before = told_of(&shop, id).await.len();
        let heard = race(&servers, |n| {
            let key = format!("mixed-{round}-{n}");
            if n % 2 == 0 {
                ("DELETE", format!("/v1/subscriptions/{id}"), String::new(), key)
            } else {
                ("POST", format!("/v1/subscriptions/{id}"), format!("metadata[racer]={n}"), key)
            }
        })
        .await;
        let (done, running) = (count(&heard, 200, ""), count(&heard, 409, "lock_timeout"));
        assert_eq!(done + running, RACERS, "{heard:?}");
        let after = shop.get(&format!("/v1/subscriptions/{id}")).await.ok();
        assert_eq!(after["status"], "canceled");
        let told = told_of(&shop, id).await;
        let (deleted, updated) = ("customer.subscription.deleted", "customer.subscription.updated");
        let new = &told[told_before..];
        assert_eq!(count_of(new, deleted), 1, "{heard:?}");
        assert_eq!(count_of(new, deleted) + count_of(new, updated), new.len());
        let end = new.iter().position(|told| told.0 == deleted).unwrap();
        assert!(new[..end].iter().all(|told| told.1["status"] == "active"), "before the end");
        assert!(new[end..].iter().all(|told| told.1["status"] == "canceled"), "it did not come back");
        assert_eq!(new.last().unwrap().1["metadata"], after["metadata"], "the last to be told of is what is there");
        shop.agreed().await;
    }
}
