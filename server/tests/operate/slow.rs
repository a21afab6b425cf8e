//! Clients that say what they want a letter at a time, or never.

use std::net::SocketAddr;
use std::time::Duration;

use server::connections::answer;
use server::web;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::support::Shop;

const SLOW: usize = 1_000;

async fn open(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

async fn rest(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    // A client that is hung up on may see the connection reset.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

#[tokio::test]
async fn a_thousand_slow_clients_keep_nobody_waiting_and_are_hung_up_on() {
    let shop = Shop::on_sqlite().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let router = web::router(shop.app.clone());
    let server = tokio::spawn(answer(listener, router, Duration::from_secs(2), async { _ = stopped.await }));

    let mut slow = Vec::new();
    for n in 0..SLOW {
        let head = format!("POST /v1/customers HTTP/1.1\r\nHost: billing.example\r\nX-Slow-{n}: ");
        slow.push(open(address, &head[..head.len() - n % 40]).await);
    }
    for _ in 0..50 {
        let honest = open(address, "GET /healthz HTTP/1.1\r\nHost: billing.example\r\nConnection: close\r\n\r\n").await;
        assert!(rest(honest).await.starts_with("HTTP/1.1 200 "));
    }
    // None of them asked for anything, and each ends without ever finishing its request.
    for stream in slow {
        let said = rest(stream).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408 "), "{said}");
    }
    stop.send(()).unwrap();
    server.await.unwrap();
}
