//! Stopping under load: first not ready, then closed to newcomers, and everybody who was let in is answered.

use std::net::SocketAddr;
use std::sync::Arc;

use billing::gateway::{Answer, Charge, Outcome, PaymentGateway, Refund, Refunded};
use server::commands::serve::listen;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};

use crate::support::{Shop, on_both};

const BUYERS: usize = 24;

/// A processor that answers once it is let to.
#[derive(Clone)]
struct Gate {
    asked: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl PaymentGateway for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn charge<'a>(&'a self, charge: &'a Charge) -> Answer<'a, Outcome> {
        Box::pin(async {
            self.asked.add_permits(1);
            self.open.acquire().await.unwrap().forget();
            Outcome::Succeeded { reference: charge.key.clone() }
        })
    }

    fn look_up<'a>(&'a self, _: &'a str) -> Answer<'a, Option<Outcome>> {
        Box::pin(async { None })
    }

    fn refund<'a>(&'a self, _: &'a Refund) -> Answer<'a, Refunded> {
        Box::pin(async { Refunded::Unknown })
    }
}

/// Sends one request on a connection of its own and reads until the server has closed it: the whole answer.
async fn ask(address: SocketAddr, key: &str, method: &str, path: &str, form: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let length = form.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: billing.example\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn is_ok(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 200 ")
}

on_both!(a_server_that_is_told_to_stop_answers_what_it_accepted);

async fn a_server_that_is_told_to_stop_answers_what_it_accepted(shop: Shop) {
    let gate = Gate { asked: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) };
    let price = shop.monthly_price(1000).await;
    let mut orders = Vec::new();
    for _ in 0..BUYERS {
        let customer = shop.paying_customer().await;
        orders.push(format!("customer={customer}&items[0][price]={price}"));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = oneshot::channel::<()>();
    let (notice, noticed) = oneshot::channel::<()>();
    let app = shop.with_gateway(gate.clone()).app;
    let server = tokio::spawn(listen(app, listener, async { _ = told.await }, async { _ = noticed.await }));

    let key = Arc::new(shop.key.clone());
    let buyers: Vec<_> = orders
        .into_iter()
        .map(|order| {
            let key = key.clone();
            tokio::spawn(async move { ask(address, &key, "POST", "/v1/subscriptions", &order).await })
        })
        .collect();
    let at_the_gate = u32::try_from(BUYERS).unwrap();
    gate.asked.acquire_many(at_the_gate).await.unwrap().forget();
    assert!(is_ok(&ask(address, &key, "GET", "/readyz", "").await.unwrap()));

    tell.send(()).unwrap();
    while is_ok(&ask(address, &key, "GET", "/readyz", "").await.unwrap()) {
        tokio::task::yield_now().await;
    }
    assert!(ask(address, &key, "GET", "/readyz", "").await.unwrap().starts_with("HTTP/1.1 503 "));
    assert!(is_ok(&ask(address, &key, "GET", "/healthz", "").await.unwrap()), "it lives, and may not be killed");
    let late = ask(address, &key, "POST", "/v1/customers", "name=Late").await.unwrap();
    assert!(is_ok(&late), "who comes before a balancer has noticed is served: {late}");

    notice.send(()).unwrap();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(buyers.iter().all(|buyer| !buyer.is_finished()), "they were still being served");
    assert!(!server.is_finished());

    gate.open.add_permits(BUYERS);
    for buyer in buyers {
        let answer = buyer.await.unwrap().unwrap();
        assert!(is_ok(&answer) && answer.contains(r#""status":"active""#), "{answer}");
    }
    server.await.unwrap();
}
