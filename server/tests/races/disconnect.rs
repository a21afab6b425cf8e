//! Whoever asks may be gone at any byte: what was begun ends, and what was charged is written down.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;
use std::thread;

use billing::payment::fate;
use billing::{Clock, Db, Millis};
use serde_json::json;
use server::state::App;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::scale;
use crate::support::{NOW, Shop, on_both};

on_both!(nobody_has_to_stay_for_the_answer, a_transaction_that_nobody_waits_for);

/// A server in a runtime of its own, so that it can be seen when it has nothing more to do.
struct Alone {
    runtime: Option<Runtime>,
    address: SocketAddr,
    idle: usize,
}

impl Alone {
    async fn start(shop: &Shop) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (url, app) = (shop.database_url.clone(), shop.app.clone());
        let started = runtime.spawn(async move {
            let db = Db::open(&url, Clock::manual(Millis(NOW * 1000))).await.unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(axum::serve(listener, server::api::router(App { db, ..app })).into_future());
            address
        });
        let address = started.await.unwrap();
        // What only began it goes away when it likes.
        let alive = || {
            thread::yield_now();
            runtime.metrics().num_alive_tasks()
        };
        let idle = (0..10_000).map(|_| alive()).min().unwrap();
        Self { runtime: Some(runtime), address, idle }
    }

    /// Until every request has run to its end, whether somebody waits for it or not.
    fn settle(&self) {
        let runtime = self.runtime.as_ref().unwrap();
        while runtime.metrics().num_alive_tasks() > self.idle {
            thread::yield_now();
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Where a client goes away.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Gone {
    /// At this byte of its request.
    AtByte(usize),
    /// When it has asked, after so many turns of the scheduler.
    Asked(usize),
    /// With the first line of the answer, the rest unread.
    Told,
}

/// Asks, and goes away; answers the status, if it stayed that long.
async fn leave(server: &Alone, request: &str, gone: Gone) -> Option<String> {
    let sent = if let Gone::AtByte(byte) = gone { byte } else { request.len() };
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&request.as_bytes()[..sent]).await.unwrap();
    match gone {
        Gone::AtByte(_) => None,
        Gone::Asked(turns) => {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            None
        }
        Gone::Told => {
            let mut line = [0; "HTTP/1.1 200".len()];
            stream.read_exact(&mut line).await.unwrap();
            Some(String::from_utf8_lossy(&line).into_owned())
        }
    }
}

async fn nobody_has_to_stay_for_the_answer(shop: Shop) {
    let price = shop.monthly_price(1000).await;
    let server = Alone::start(&shop).await;
    let mut asked = Vec::new();
    for n in 0..scale(200, 10_000) {
        let invoice = shop.open_invoice(&price).await;
        let request = format!(
            "POST /v1/invoices/{invoice}/pay HTTP/1.1\r\nHost: billing.example\r\nAuthorization: Bearer {}\r\nIdempotency-Key: d8-{n}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 16\r\n\r\noff_session=true",
            shop.key
        );
        let gone = [Gone::AtByte(n * 7919 % request.len()), Gone::Asked(n % 50), Gone::Told][n % 3];
        let status = leave(&server, &request, gone).await;
        if let Some(status) = status {
            assert_eq!(status, "HTTP/1.1 200", "nobody else asked for this invoice");
        }
        asked.push((invoice, gone));
    }
    server.settle();
    shop.clock.advance(5 * 60 * 1000);
    fate::reconcile_due(&shop.app.db, &*shop.app.gateway).await.unwrap();
    let kept = shop.agreed().await;

    let mut paid = 0;
    for (invoice, gone) in &asked {
        let invoice = shop.get(&format!("/v1/invoices/{invoice}?expand[]=payment_intent")).await.ok();
        let (status, intent) = (&invoice["status"], &invoice["payment_intent"]);
        match status.as_str().unwrap() {
            "paid" => {
                paid += 1;
                assert!(!matches!(gone, Gone::AtByte(_)), "it was never asked for whole");
                assert_eq!((&intent["status"], &intent["amount_received"]), (&json!("succeeded"), &json!(1000)));
            }
            "open" => {
                assert_ne!(*gone, Gone::Told, "who was told that it is paid");
                assert!(intent.is_null(), "it was not begun: {intent}");
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(kept, 1000 * paid);
}

/// Begins, and goes away when it has looked so often whether the transaction is open.
async fn begin_and_leave(db: &Db, to_write: bool, mut looks: usize) {
    let mut begin = pin!(async { if to_write { db.begin().await } else { db.read().await } });
    poll_fn(|context| {
        if looks == 0 {
            return Poll::Ready(());
        }
        looks -= 1;
        begin.as_mut().poll(context).map(|opened| drop(opened.unwrap()))
    })
    .await;
}

async fn a_transaction_that_nobody_waits_for(shop: Shop) {
    for round in 0..40 {
        begin_and_leave(&shop.app.db, round % 2 == 1, round / 2 % 5).await;
        shop.post("/v1/customers", "name=Ada").await.made();
    }
}
