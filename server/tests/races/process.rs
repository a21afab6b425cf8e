//! Servers to race against: two processes of their own on PostgreSQL, one on SQLite, with one sandbox that all of them
//! ask over HTTP.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use billing::seal::Key;
use billing::{Clock, Db, Millis};
use server::sandbox::{Remote, router};
use server::state::App;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::support::{NOW, Shop, outward, settings};

/// Where the child finds its database, and its sandbox.
const DATABASE: &str = "RACES_DATABASE";
const SANDBOX: &str = "RACES_SANDBOX";
const LISTENING: &str = "listening on ";

/// This test program, run once more by [`Servers::start`] for this one function, is a server until its input ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_where_told() {
    let (Ok(database), Ok(sandbox)) = (std::env::var(DATABASE), std::env::var(SANDBOX)) else { return };
    // One installation has one key, whatever the number of its processes.
    let key = Key::parse(&"k".repeat(32)).unwrap();
    let db = Db::open(&database, Clock::manual(Millis(NOW * 1000))).await.unwrap().sealed_with(key);
    let gateway = Remote::at(&sandbox, Duration::from_secs(20)).unwrap();
    let app = App {
        db,
        gateway: Arc::new(gateway),
        settings: Arc::new(settings()),
        outbound: outward::to_nobody(),
        draining: Arc::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{LISTENING}{}", listener.local_addr().unwrap());
    let input = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    tokio::select! {
        ended = axum::serve(listener, server::api::router(app)) => ended.unwrap(),
        _ = input => {}
    }
}

pub struct Servers {
    urls: Vec<String>,
    key: String,
    client: reqwest::Client,
    _children: Vec<Child>,
}

/// The status, and the error's code or `""`.
pub type Said = (u16, String);

impl Servers {
    /// The shop's database behind servers of their own.
    pub async fn start(shop: &Shop) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sandbox = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, router(shop.sandbox.clone())).into_future());
        let (mut urls, mut children) = (Vec::new(), Vec::new());
        for _ in 0..if shop.app.db.is_sqlite() { 1 } else { 2 } {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "process::serve_where_told", "--nocapture"])
                .env(DATABASE, &shop.database_url)
                .env(SANDBOX, &sandbox)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let address = loop {
                let line = lines.next_line().await.unwrap().expect("the server says where it listens");
                if let Some((_, address)) = line.split_once(LISTENING) {
                    break address.to_owned();
                }
            };
            urls.push(format!("http://{address}"));
            children.push(child);
        }
        Self { urls, key: shop.key.clone(), client: reqwest::Client::new(), _children: children }
    }

    /// Sends one request; racers with different numbers ask different servers.
    pub async fn send(&self, number: usize, method: &str, path: &str, form: String, key: &str) -> Said {
        let url = format!("{}{path}", self.urls[number % self.urls.len()]);
        let request = self.client.request(method.parse().unwrap(), url).bearer_auth(&self.key);
        let request =
            request.header("content-type", "application/x-www-form-urlencoded").header("idempotency-key", key);
        let answer = request.body(form).send().await.unwrap();
        let status = answer.status().as_u16();
        let body: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        (status, body["error"]["code"].as_str().unwrap_or_default().to_owned())
    }
}
