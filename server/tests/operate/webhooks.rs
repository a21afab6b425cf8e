//! `portico webhooks`: what happens reaches a receiver in development, and what was sent is sent again.

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use billing::Seconds;
use billing::webhook::signature;
use server::commands::webhooks::{Command, Forward, run};
use server::config::Settings;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::{self, Shop, on_both};

on_both!(events_are_forwarded_as_they_happen, what_was_sent_is_asked_for_again,);

async fn receiver() -> (String, UnboundedReceiver<(HeaderMap, String)>) {
    let (sender, seen) = unbounded_channel();
    let take = move |headers: HeaderMap, body: String| async move {
        sender.send((headers, body)).unwrap();
        StatusCode::ACCEPTED
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/hooks", post(take))).await });
    (url, seen)
}

async fn events_are_forwarded_as_they_happen(shop: Shop) {
    shop.post("/v1/customers", "name=Before").await.ok();
    let (url, mut seen) = receiver().await;
    let (db, who) = (shop.app.db.clone(), shop.system().await);
    let names = vec!["customer.created".to_owned()];
    let mut forward = Forward::start(db, who, url.parse().unwrap(), names).await.unwrap();
    assert!(forward.step().await.unwrap().is_empty(), "nothing from before");
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    shop.post(&format!("/v1/customers/{customer}"), "name=Bea").await.ok();
    let lines = forward.step().await.unwrap();
    let (headers, body) = seen.recv().await.unwrap();
    let event: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&event["type"], &event["data"]["object"]["id"]),
        (&"customer.created".into(), &customer.as_str().into())
    );
    assert_eq!(lines, [format!("customer.created [{}] -> 202", event["id"].as_str().unwrap())]);
    let at = Seconds(headers["webhook-timestamp"].to_str().unwrap().parse().unwrap());
    let signed = signature::stripe(std::slice::from_ref(&forward.secret), at, &body).unwrap();
    assert_eq!(headers["stripe-signature"], signed.as_str());
    assert!(forward.step().await.unwrap().is_empty(), "each once");
}

async fn what_was_sent_is_asked_for_again(shop: Shop) {
    let form = "url=https://shop.example/hooks&enabled_events[]=customer.created";
    let endpoint = shop.post("/v1/webhook_endpoints", form).await.made();
    shop.post("/v1/customers", "name=Ada").await.ok();
    let event = shop.get("/v1/events?type=customer.created").await.ok()["data"][0]["id"].as_str().unwrap().to_owned();
    let settings = Settings {
        database_url: shop.database_url.clone(),
        encryption_key: Some("k".repeat(32)),
        ..support::settings()
    };
    let replay = async |id: Option<&str>, endpoint: Option<&str>, failed: bool| {
        let whose = Default::default();
        let (id, endpoint) = (id.map(str::to_owned), endpoint.map(str::to_owned));
        run(&settings, Command::Replay { id, endpoint, since: None, until: None, failed, whose }).await
    };
    let before = shop.get("/v1/webhook_deliveries").await.ok();
    shop.clock.advance(5_000);
    replay(Some(&event), None, false).await.unwrap();
    replay(None, Some(&endpoint), true).await.unwrap();
    replay(None, Some(&endpoint), false).await.unwrap();
    let after = shop.get("/v1/webhook_deliveries").await.ok();
    assert_eq!(
        (after.clone()["data"].as_array().unwrap().len(), &after["data"][0]["id"]),
        (1, &before["data"][0]["id"])
    );
    assert_ne!(after["data"][0]["next_attempt"], before["data"][0]["next_attempt"]);
    assert_eq!(replay(Some("evt_no"), None, false).await.unwrap_err(), "No such event: 'evt_no'");
}
