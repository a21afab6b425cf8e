//! Webhooks on their way: what a receiver gets, what it may do to us, and what the log says of it.

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use billing::Seconds;
use billing::webhook::signature;
use serde_json::{Value, json};
use server::webhooks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

use crate::support::{Shop, on_both, outward};

on_both!(
    what_is_signed_is_what_is_sent,
    the_log_says_what_became_of_each,
    who_is_stuck_keeps_nobody_waiting,
    a_rotation_keeps_both_secrets_right,
    events_are_sent_again,
    what_is_asked_wrongly_is_named,
);

type Received = (HeaderMap, Bytes);

/// A receiver that takes everything, and shows it.
async fn receiver() -> (String, UnboundedReceiver<Received>) {
    async fn take(State(seen): State<UnboundedSender<Received>>, headers: HeaderMap, body: Bytes) {
        seen.send((headers, body)).unwrap();
    }
    let (sender, seen) = unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    let router = Router::new().route("/hooks", post(take)).with_state(sender);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

/// A receiver of another kind: what it does with a connection on which a request has come.
async fn receiver_that<F: Future<Output = ()> + Send + 'static>(
    answer: impl Fn(TcpStream) -> F + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = [0; 8192];
            let _ = stream.read(&mut heard).await;
            tokio::spawn(answer(stream));
        }
    });
    url
}

/// Answers with these bytes, and then with `more` for as long as it is listened to.
async fn receiver_saying(head: &'static str, more: &'static str) -> String {
    receiver_that(move |mut stream| async move {
        let _ = stream.write_all(head.as_bytes()).await;
        while !more.is_empty() && stream.write_all(more.as_bytes()).await.is_ok() {}
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await
}

impl Shop {
    /// The same shop in development: it sends to this machine.
    fn in_development(&self) -> Shop {
        self.with_outbound(outward::to_this_machine())
    }

    async fn endpoint(&self, url: &str, events: &[&str]) -> (String, String) {
        let made = self.post_json("/v1/webhook_endpoints", &json!({"url": url, "enabled_events": events})).await.ok();
        (made["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
    }

    /// Whatever is due is tried once.
    async fn deliver(&self) {
        while webhooks::work_one(&self.app.db, &self.app.outbound).await.unwrap() {}
    }

    async fn customer_named(&self, name: &str) -> String {
        let made = self.post_json("/v1/customers", &json!({"name": name})).await.ok();
        made["id"].as_str().unwrap().to_owned()
    }

    async fn deliveries(&self, query: &str) -> Vec<Value> {
        let listed = self.get(&format!("/v1/webhook_deliveries?{query}")).await.ok();
        listed["data"].as_array().unwrap().clone()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).unwrap_or_else(|| panic!("{name} is sent")).to_str().unwrap()
}

/// Whether both headers are what these secrets make of the bytes.
fn is_signed(headers: &HeaderMap, body: &Bytes, secrets: &[String]) -> bool {
    let at = Seconds(text(headers, "webhook-timestamp").parse().unwrap());
    let body = std::str::from_utf8(body).unwrap();
    let standard = signature::standard(secrets, text(headers, "webhook-id"), at, body).unwrap();
    text(headers, "stripe-signature") == signature::stripe(secrets, at, body).unwrap()
        && text(headers, "webhook-signature") == standard
}

async fn what_is_signed_is_what_is_sent(shop: Shop) {
    let shop = shop.in_development();
    let (url, mut seen) = receiver().await;
    let (_, secret) = shop.endpoint(&url, &["*"]).await;
    let name = "Zoë / \"<b>\" \\u0041 \u{2028} 😀 1.10";
    shop.customer_named(name).await;
    shop.deliver().await;
    let (headers, body) = seen.recv().await.unwrap();
    assert!(is_signed(&headers, &body, std::slice::from_ref(&secret)));
    assert_eq!(text(&headers, "content-type"), "application/json; charset=utf-8");
    let sent: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(sent["data"]["object"]["name"], name);
    assert_eq!(sent["id"], text(&headers, "webhook-id"));
    let mut read = shop.get(&format!("/v1/events/{}", sent["id"].as_str().unwrap())).await.ok();
    assert_eq!((&sent["pending_webhooks"], &read["pending_webhooks"]), (&json!(1), &json!(0)));
    read["pending_webhooks"] = json!(1);
    assert_eq!(sent, read);
    shop.deliver().await;
    assert!(seen.try_recv().is_err(), "what was taken is not sent again");
}

/// Ten that are not as they should be, and what the log then says: status, answer, and whether it is tried again.
async fn the_log_says_what_became_of_each(shop: Shop) {
    let shop = shop.in_development();
    let shop = shop.with_outbound(shop.app.outbound.clone().waiting(Duration::from_millis(200)));
    let hostile = [
        ("HTTP/1.1 200 OK\r\n\r\n", "endless ", "delivered", json!(200)),
        ("HTTP/1.1 204 No Content\r\n\r\n", "", "delivered", json!(204)),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
            "",
            "pending",
            json!(302),
        ),
        ("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", "", "pending", json!(500)),
        ("HTTP/1.1 503 Later\r\nretry-after: 7200\r\ncontent-length: 0\r\n\r\n", "", "pending", json!(503)),
        (
            "HTTP/1.1 503 Later\r\nretry-after: Fri, 20 Nov 2026 15:00:00 GMT\r\ncontent-length: 0\r\n\r\n",
            "",
            "pending",
            json!(503),
        ),
        ("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", "", "failed", json!(410)),
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nslow", "", "pending", json!(null)),
        ("", "", "pending", json!(null)),
        ("SSH-2.0-OpenSSH_9.9\r\n", "", "pending", json!(null)),
    ];
    let mut endpoints = Vec::new();
    for (head, more, ..) in &hostile {
        endpoints.push(shop.endpoint(&receiver_saying(head, more).await, &["customer.created"]).await.0);
    }
    shop.customer_named("Ada").await;
    shop.deliver().await;
    for ((head, _, status, code), endpoint) in hostile.iter().zip(&endpoints) {
        let [found] = shop.deliveries(&format!("webhook_endpoint={endpoint}")).await.try_into().unwrap();
        assert_eq!((&found["status"], &found["last_response_code"]), (&json!(status), code), "{head}");
        assert_eq!((&found["attempts"], found["last_error"].is_null()), (&json!(1), !code.is_null()), "{head}");
        assert_eq!(found["next_attempt"].is_null(), *status != "pending", "{head}");
        let waits = found["next_attempt"].as_i64().unwrap_or_default() - shop.clock.wall().seconds().0;
        match head.split_once("retry-after: ") {
            Some((_, "7200\r\ncontent-length: 0\r\n\r\n")) => assert_eq!(waits, 7200),
            Some(_) => assert_eq!(waits, 3 * 3600),
            None if *status == "pending" => assert!((4..=6).contains(&waits), "{head}: {waits}"),
            None => {}
        }
        assert_eq!(shop.get(&format!("/v1/webhook_deliveries/{}", found["id"].as_str().unwrap())).await.ok(), found);
        let gone = *code == json!(410);
        let shown = shop.get(&format!("/v1/webhook_endpoints/{endpoint}")).await.ok();
        assert_eq!(shown["status"], if gone { "disabled" } else { "enabled" });
    }
    assert_eq!(shop.deliveries("status=delivered").await.len(), 2);
    let lost = shop.get("/v1/events?delivery_success=false").await.ok();
    assert_eq!(lost["data"][0]["type"], "customer.created");
    assert_eq!(lost["data"].as_array().unwrap().len(), 1);
}

/// One receiver holds its connection open until it has heard that the other's deliveries have all arrived.
async fn who_is_stuck_keeps_nobody_waiting(shop: Shop) {
    let shop = shop.in_development();
    let (arrived, release) = watch::channel(false);
    let (entered, mut stuck) = unbounded_channel();
    let slow = receiver_that(move |mut stream| {
        let (mut release, entered) = (release.clone(), entered.clone());
        async move {
            entered.send(()).unwrap();
            release.wait_for(|is_free| *is_free).await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await;
    let (quick, mut seen) = receiver().await;
    let (slow, _) = shop.endpoint(&slow, &["customer.created"]).await;
    shop.customer_named("one").await;
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = tokio::spawn(webhooks::work(shop.app.db.clone(), shop.app.outbound.clone(), async {
        let _ = stopped.await;
    }));
    stuck.recv().await.unwrap();
    shop.endpoint(&quick, &["customer.created"]).await;
    for n in 0..40 {
        shop.customer_named(&format!("customer {n}")).await;
    }
    for _ in 0..40 {
        seen.recv().await.unwrap();
    }
    let waiting = shop.deliveries(&format!("webhook_endpoint={slow}&limit=100")).await;
    assert!(waiting.iter().all(|delivery| delivery["status"] == "pending"), "the other one still holds its first");
    stop.send(()).unwrap();
    arrived.send(true).unwrap();
    worker.await.unwrap();
}

async fn a_rotation_keeps_both_secrets_right(shop: Shop) {
    let shop = shop.in_development();
    let (url, mut seen) = receiver().await;
    let (id, old) = shop.endpoint(&url, &["customer.created"]).await;
    let path = format!("/v1/webhook_endpoints/{id}/rotate_secret");
    let answer = shop.post_with_key("k", &path, "").await;
    assert_eq!(shop.post_with_key("k", &path, "").await.text, answer.text, "it is rotated once");
    let rotated = answer.ok();
    let new = rotated["secret"].as_str().unwrap().to_owned();
    let day = 24 * 3600;
    assert_eq!(rotated["previous_secret_expires"], shop.clock.wall().seconds().0 + day);
    for (passes, secrets) in
        [(0, vec![new.clone(), old.clone()]), (day - 1, vec![new.clone(), old.clone()]), (1, vec![new.clone()])]
    {
        shop.clock.advance(passes * 1000);
        shop.customer_named("Ada").await;
        shop.deliver().await;
        let (headers, body) = seen.recv().await.unwrap();
        assert!(is_signed(&headers, &body, &secrets), "{passes}");
    }
}

async fn events_are_sent_again(shop: Shop) {
    let shop = shop.in_development();
    let (url, mut seen) = receiver().await;
    let (id, _) = shop.endpoint(&url, &["customer.created"]).await;
    for n in 0..3 {
        shop.customer_named(&format!("{n}")).await;
    }
    shop.deliver().await;
    let mut first = HashMap::new();
    for _ in 0..3 {
        let (headers, body) = seen.recv().await.unwrap();
        first.insert(text(&headers, "webhook-id").to_owned(), body);
    }
    shop.clock.advance(60_000);
    let event = first.keys().next().unwrap().clone();
    let shown = shop.post(&format!("/v1/events/{event}/retry"), &format!("webhook_endpoint={id}")).await.ok();
    assert_eq!((&shown["id"], &shown["pending_webhooks"]), (&json!(event), &json!(1)));
    shop.deliver().await;
    let (headers, body) = seen.recv().await.unwrap();
    assert_eq!((text(&headers, "webhook-id"), &body), (event.as_str(), &first[&event]));

    let replay = format!("/v1/webhook_endpoints/{id}/replay");
    let asked = shop.post(&replay, &format!("created[lte]={}", shop.clock.wall().seconds().0)).await.ok();
    assert_eq!(asked, json!({"object": "webhook_replay", "deliveries": 3, "webhook_endpoint": id}));
    assert_eq!(shop.post(&replay, "status=failed").await.ok()["deliveries"], 0);
    shop.deliver().await;
    for _ in 0..3 {
        let (headers, body) = seen.recv().await.unwrap();
        assert_eq!(body, first[text(&headers, "webhook-id")]);
    }
    assert!(shop.get("/v1/events?delivery_success=false").await.ids().is_empty());
}

async fn what_is_asked_wrongly_is_named(shop: Shop) {
    let (id, _) = shop.endpoint("https://shop.example/hooks", &["customer.created"]).await;
    let customer = shop.customer_named("Ada").await;
    shop.post(&format!("/v1/customers/{customer}"), "name=Bea").await.ok();
    let updated = shop.get("/v1/events?type=customer.updated").await.ok()["data"][0]["id"].as_str().unwrap().to_owned();
    let retry = format!("/v1/events/{updated}/retry");
    shop.post(&retry, "webhook_endpoint=we_no").await.refused(404, "resource_missing", "webhook_endpoint");
    shop.post(&retry, &format!("webhook_endpoint={id}")).await.refused(400, "parameter_invalid", "webhook_endpoint");
    let replay = format!("/v1/webhook_endpoints/{id}/replay");
    shop.post(&replay, "status=lost").await.refused(400, "parameter_invalid", "status");
    shop.post(&replay, "from=yesterday").await.refused(400, "parameter_unknown", "from");
    shop.get("/v1/webhook_deliveries?status=lost").await.refused(400, "parameter_invalid", "status");
    shop.get("/v1/webhook_deliveries/whd_no").await.refused(404, "resource_missing", "id");
    let url = "url=http://127.0.0.1:4242/&enabled_events[]=*";
    shop.post("/v1/webhook_endpoints", url).await.refused(400, "url_invalid", "url");
}
