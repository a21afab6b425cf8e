//! `Idempotency-Key`: the first answer stands for a day, and a change happens once.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::MethodFilter;
use billing::Error;
use server::api::answer::Reply;
use server::api::call::Call;
use server::api::{handle, serve};
use tokio::sync::Notify;

use crate::support::{Shop, on_both};

const HOUR: i64 = 60 * 60 * 1000;

fn serve_one<F, Fut>(shop: &Shop, work: F) -> Shop
where
    F: FnOnce(Call) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = billing::Result<Reply>> + Send + 'static,
{
    let routes = Router::new().route("/v1/test", handle(MethodFilter::POST, work));
    shop.with_api(serve(shop.app.clone(), routes, Duration::from_secs(30)))
}

async fn count(shop: &Shop) -> usize {
    shop.get("/v1/customers?limit=100").await.ids().len()
}

on_both!(
    the_first_answer_is_given_again_byte_for_byte,
    another_request_under_the_same_key_is_refused,
    a_key_is_forgotten_after_a_day,
    a_refused_request_gives_its_key_back,
    a_decline_and_a_conflict_are_kept,
    a_failure_of_ours_gives_the_key_back,
    while_the_first_request_runs_the_second_is_told_so,
    a_caller_who_hangs_up_finds_the_answer_later,
    many_racers_make_one_customer,
    keys_have_a_form,
);

async fn the_first_answer_is_given_again_byte_for_byte(shop: Shop) {
    let first = shop.post_with_key("k1", "/v1/customers", "name=Ada&metadata[a]=1&metadata[b]=2").await;
    assert_eq!((first.status, first.header("idempotent-replayed"), first.header("idempotency-key")), (200, "", "k1"));
    let id = first.json["id"].as_str().unwrap();
    shop.post(&format!("/v1/customers/{id}"), "name=Grace").await.ok();
    let again = shop.post_with_key("k1", "/v1/customers", "metadata[b]=2&metadata[a]=1&name=Ada").await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.text, first.text);
    assert_ne!(again.header("request-id"), first.header("request-id"));
    assert_eq!(count(&shop).await, 1);
    let event = &shop.get("/v1/events?type=customer.created").await.ok()["data"][0];
    assert_eq!(event["request"]["idempotency_key"], "k1");
}

async fn another_request_under_the_same_key_is_refused(shop: Shop) {
    shop.post_with_key("k1", "/v1/customers", "name=Ada").await.ok();
    for (path, form) in [("/v1/customers", "name=Grace"), ("/v1/products", "name=Ada")] {
        let error = shop.post_with_key("k1", path, form).await.refused(400, "idempotency_key_reused", "");
        assert_eq!(error["type"], "idempotency_error");
    }
    shop.neighbour().await.post_with_key("k1", "/v1/customers", "name=Grace").await.ok();
}

async fn a_key_is_forgotten_after_a_day(shop: Shop) {
    shop.post_with_key("k1", "/v1/customers", "name=Ada").await.ok();
    shop.clock.advance(23 * HOUR);
    assert_eq!(shop.post_with_key("k1", "/v1/customers", "name=Ada").await.header("idempotent-replayed"), "true");
    shop.clock.advance(2 * HOUR);
    assert_eq!(shop.post_with_key("k1", "/v1/customers", "name=Ada").await.header("idempotent-replayed"), "");
    assert_eq!(count(&shop).await, 2);
}

async fn a_refused_request_gives_its_key_back(shop: Shop) {
    shop.post_with_key("k1", "/v1/customers", "email=nobody").await.refused(400, "email_invalid", "email");
    shop.post_with_key("k1", "/v1/customers", "foo=1").await.refused(400, "parameter_unknown", "foo");
    shop.post_with_key("k1", "/v1/customers/cus_none", "name=Ada").await.refused(404, "resource_missing", "id");
    shop.post_with_key("k1", "/v1/customers", "email=ada@example.com").await.ok();
}

/// What was decided after the work began stays decided.
async fn a_decline_and_a_conflict_are_kept(shop: Shop) {
    for (key, status, error) in [
        ("k1", 402, Error::Declined { code: "lost_card".into(), message: "Your card was declined.".into() }),
        ("k2", 400, Error::conflict("invoice_already_paid", "Invoice is already paid.")),
    ] {
        let runs = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = runs.clone();
        let failing = serve_one(&shop, async move |call: Call| {
            drop(call);
            counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Err(error)
        });
        let first = failing.post_with_key(key, "/v1/test", "").await;
        let again = failing.post_with_key(key, "/v1/test", "").await;
        assert_eq!((first.status, again.status), (status, status));
        assert_eq!(again.text, first.text);
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(again.header("stripe-should-retry"), "false");
        assert_eq!(runs.load(std::sync::atomic::Ordering::Relaxed), 1);
    }
}

async fn a_failure_of_ours_gives_the_key_back(shop: Shop) {
    for error in [Error::Busy, Error::Internal("defect".into()), Error::Unavailable("disk".into())] {
        let status = if error == Error::Busy { 409 } else { 500 };
        let failing = serve_one(&shop, async move |_: Call| Err(error));
        assert!(failing.post_with_key("k1", "/v1/test", "").await.status >= status);
        assert_eq!(failing.post_with_key("k1", "/v1/test", "").await.header("idempotent-replayed"), "");
    }
    let panicking = serve_one(&shop, async |_: Call| panic!("defect"));
    assert_eq!(panicking.post_with_key("k1", "/v1/test", "").await.status, 500);
    assert_eq!(panicking.post_with_key("k1", "/v1/test", "").await.status, 500);
}

async fn while_the_first_request_runs_the_second_is_told_so(shop: Shop) {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (begun.clone(), go.clone());
    let slow = Arc::new(serve_one(&shop, async move |_: Call| {
        tell.notify_one();
        wait.notified().await;
        Err(Error::conflict("done", "Done."))
    }));
    let first = tokio::spawn({
        let slow = slow.clone();
        async move { slow.post_with_key("k1", "/v1/test", "").await }
    });
    begun.notified().await;
    let second = slow.post_with_key("k1", "/v1/test", "").await;
    assert_eq!(second.header("stripe-should-retry"), "true");
    second.refused(409, "idempotency_key_in_use", "");
    go.notify_one();
    first.await.unwrap().refused(400, "done", "");
    slow.post_with_key("k1", "/v1/test", "").await.refused(400, "done", "");
}

async fn a_caller_who_hangs_up_finds_the_answer_later(shop: Shop) {
    let shop = Arc::new(shop);
    let racer = tokio::spawn({
        let shop = shop.clone();
        async move { shop.post_with_key("k1", "/v1/customers", "name=Ada").await }
    });
    tokio::time::sleep(Duration::from_millis(2)).await;
    racer.abort();
    let _ = racer.await;
    let mut answer = shop.post_with_key("k1", "/v1/customers", "name=Ada").await;
    for _ in 0..50 {
        if answer.status == 200 {
            break;
        }
        answer = shop.post_with_key("k1", "/v1/customers", "name=Ada").await;
    }
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(count(&shop).await, 1);
}

async fn many_racers_make_one_customer(shop: Shop) {
    let shop = Arc::new(shop);
    let racers: Vec<_> = (0..30)
        .map(|_| {
            let shop = shop.clone();
            tokio::spawn(async move { shop.post_with_key("k1", "/v1/customers", "name=Ada").await })
        })
        .collect();
    let mut bodies = Vec::new();
    for racer in racers {
        let answer = racer.await.unwrap();
        assert!(matches!(answer.status, 200 | 409), "{}", answer.text);
        if answer.status == 200 {
            bodies.push(answer.text);
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    assert_eq!(count(&shop).await, 1);
}

async fn keys_have_a_form(shop: Shop) {
    shop.post_with_key(&"k".repeat(256), "/v1/customers", "").await.refused(400, "idempotency_key_invalid", "");
    shop.post_with_key(&"k".repeat(255), "/v1/customers", "").await.ok();
    let id = shop.post_with_key("", "/v1/customers", "").await.made();
    let mut delete = shop.form(axum::http::Method::DELETE, &format!("/v1/customers/{id}"), "");
    delete.headers_mut().insert("idempotency-key", "d1".parse().unwrap());
    let first = shop.send(delete).await;
    let mut again = shop.form(axum::http::Method::DELETE, &format!("/v1/customers/{id}"), "");
    again.headers_mut().insert("idempotency-key", "d1".parse().unwrap());
    let again = shop.send(again).await;
    assert_eq!((again.text.as_str(), again.header("idempotent-replayed")), (first.text.as_str(), "true"));
}
