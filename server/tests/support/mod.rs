//! A shop to test against: a fresh database, a merchant with a key, and the API in front, called without a network.
#![allow(dead_code)]

pub mod dns;
pub mod document;
pub mod outward;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, header};
use billing::gateway::PaymentGateway;
use billing::gateway::sandbox::Sandbox;
use billing::{Actor, Clock, Currency, Db, Millis, Tenant, directory, id, transact};
use clap::Parser;
use serde_json::Value;
use server::config::Settings;
use server::outbound::Outbound;
use server::state::App;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tower::ServiceExt;

/// 2026-11-20T12:00:00Z, where every shop's clock stands until a test moves it.
pub const NOW: i64 = 1_795_176_000;

/// Runs each of these functions on a fresh SQLite file, and on a fresh PostgreSQL database where
/// `PORTICO_TEST_POSTGRES` names a server.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::support::Shop;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(Shop::on_sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(shop) = Shop::on_postgres().await {
                    super::$name(shop).await;
                }
            }
        }
    )+};
}
pub(crate) use on_both;

pub struct Shop {
    pub app: App,
    pub clock: Clock,
    pub api: Router,
    pub merchant: String,
    pub key: String,
    pub database_url: String,
    /// The processor behind the shop's own gateway.
    pub sandbox: Arc<Sandbox>,
    folder: Arc<tempfile::TempDir>,
}

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    settings: Settings,
}

/// The settings of every shop.
pub fn settings() -> Settings {
    Flags::try_parse_from(["portico", "--public-url", "https://billing.example"]).unwrap().settings
}

impl Shop {
    pub async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("books.db").display());
        Self::open(url, folder).await
    }

    pub async fn on_postgres() -> Option<Self> {
        let server = std::env::var("PORTICO_TEST_POSTGRES").ok()?;
        let name = format!("shop_{}", &id::hash(&id::secret())[..20]);
        let mut connection = PgConnection::connect(&server).await.unwrap();
        connection.execute(AssertSqlSafe(format!("create database {name}"))).await.unwrap();
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        Some(Self::open(url.to_string(), tempfile::tempdir().unwrap()).await)
    }

    async fn open(database_url: String, folder: tempfile::TempDir) -> Self {
        let clock = Clock::manual(Millis(NOW * 1000));
        let db = Db::open(&database_url, clock.clone()).await.unwrap().reached_at("https://billing.example");
        db.migrate().await.unwrap();
        let ledger = format!("sqlite://{}", folder.path().join("sandbox.db").display());
        let sandbox = Arc::new(Sandbox::open(&ledger).await.unwrap());
        let app = App {
            db,
            gateway: sandbox.clone(),
            settings: Arc::new(settings()),
            outbound: outward::to_nobody(),
            draining: Arc::default(),
        };
        let (merchant, key) = merchant(&app.db).await;
        let api = server::api::router(app.clone());
        Self { app, clock, api, merchant, key, database_url, sandbox, folder: Arc::new(folder) }
    }

    /// Where the processor keeps its ledger.
    pub fn ledger_url(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("sandbox.db").display())
    }

    /// Another merchant of the same installation.
    pub async fn neighbour(&self) -> Self {
        let (merchant, key) = merchant(&self.app.db).await;
        Self { merchant, key, ..self.again() }
    }

    /// The same shop with another payment gateway.
    pub fn with_gateway(&self, gateway: impl PaymentGateway + 'static) -> Self {
        let app = App { gateway: Arc::new(gateway), ..self.app.clone() };
        Self { api: server::api::router(app.clone()), app, ..self.again() }
    }

    /// The same shop, which asks this name server.
    pub fn asking(&self, dns_server: SocketAddr) -> Self {
        let settings = Settings { dns_server: Some(dns_server), ..(*self.app.settings).clone() };
        let app = App { settings: Arc::new(settings), ..self.app.clone() };
        Self { api: server::api::router(app.clone()), app, ..self.again() }
    }

    /// The same shop with another way out.
    pub fn with_outbound(&self, outbound: Outbound) -> Self {
        let app = App { outbound, ..self.app.clone() };
        Self { api: server::api::router(app.clone()), app, ..self.again() }
    }

    /// The same shop with other endpoints behind the same machinery.
    pub fn with_api(&self, api: Router) -> Self {
        Self { api, ..self.again() }
    }

    fn again(&self) -> Self {
        Self {
            app: self.app.clone(),
            clock: self.clock.clone(),
            api: self.api.clone(),
            merchant: self.merchant.clone(),
            key: self.key.clone(),
            database_url: self.database_url.clone(),
            sandbox: self.sandbox.clone(),
            folder: self.folder.clone(),
        }
    }

    /// The merchant's own tenant, as the program sees it.
    pub async fn system(&self) -> Actor {
        let mut tx = self.app.db.read().await.unwrap();
        Actor::system(directory::tenant(&mut tx, &self.merchant, false).await.unwrap(), "test")
    }

    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {}", self.key))
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        Answer::read(self.api.clone().oneshot(request).await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// A form, as SDKs send it.
    pub async fn post(&self, path: &str, form: &str) -> Answer {
        self.send(self.form(Method::POST, path, form)).await
    }

    pub async fn post_json(&self, path: &str, json: &Value) -> Answer {
        let request = self.request(Method::POST, path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(json.to_string())).unwrap()).await
    }

    pub async fn post_with_key(&self, key: &str, path: &str, form: &str) -> Answer {
        let mut request = self.form(Method::POST, path, form);
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        self.send(request).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path).body(Body::empty()).unwrap()).await
    }

    pub fn form(&self, method: Method, path: &str, form: &str) -> Request<Body> {
        let request = self.request(method, path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(Body::from(form.to_owned())).unwrap()
    }

    /// The id of a new customer with a working card as its default method.
    pub async fn paying_customer(&self) -> String {
        let form =
            "email=ada@example.com&payment_method=pm_card_visa&invoice_settings[default_payment_method]=pm_card_visa";
        self.post("/v1/customers", form).await.made()
    }

    /// The id of a new monthly price.
    pub async fn monthly_price(&self, amount: i64) -> String {
        let form = format!("currency=eur&unit_amount={amount}&recurring[interval]=month&product_data[name]=Plan");
        self.post("/v1/prices", &form).await.made()
    }

    /// How many events of a type there are.
    pub async fn events(&self, kind: &str) -> usize {
        self.get(&format!("/v1/events?limit=100&type={kind}")).await.ids().len()
    }
}

async fn merchant(db: &Db) -> (String, String) {
    let currency = Currency::parse("eur", "currency").unwrap();
    let merchant = transact!(*db, |tx| directory::create_merchant(tx, "Acme", "DE", &currency).await).unwrap();
    let (_, key) = transact!(*db, |tx| {
        let tenant: Tenant = directory::tenant(tx, &merchant.id, false).await?;
        directory::create_key(tx, &Actor::system(tenant, "test"), None).await
    })
    .unwrap();
    (merchant.id, key)
}

/// An answer of the API, which keeps the promises that every answer keeps.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Answer {
    async fn read(response: axum::response::Response) -> Self {
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        let answer = Self { status: parts.status.as_u16(), headers: parts.headers, text, json };
        answer.check();
        answer
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn check(&self) {
        assert!(self.header("request-id").starts_with("req_"), "{self:?}");
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        assert_eq!(self.header("cache-control"), "no-store");
        assert!(!self.header("stripe-version").is_empty());
        assert!(!self.headers.keys().any(|name| name.as_str().starts_with("access-control-")));
        let error = &self.json["error"];
        if self.status < 300 {
            assert!(error.is_null(), "{self:?}");
        } else if !self.text.is_empty() {
            assert!(["code", "message", "type"].iter().all(|key| error[*key].is_string()), "{self:?}");
            assert!(["true", "false"].contains(&self.header("stripe-should-retry")), "{self:?}");
            for leak in ["sqlx", "SQLITE", "sqlite", "postgres", "panicked", "/tmp"] {
                assert!(!self.text.contains(leak), "{self:?}");
            }
        }
    }

    /// The object of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json
    }

    /// The id of an object just made.
    #[track_caller]
    pub fn made(self) -> String {
        self.ok()["id"].as_str().unwrap().to_owned()
    }

    /// The ids of a list.
    #[track_caller]
    pub fn ids(self) -> Vec<String> {
        let json = self.ok();
        json["data"].as_array().unwrap().iter().map(|object| object["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The error, which has this status, code and param (`""` for none).
    #[track_caller]
    pub fn refused(self, status: u16, code: &str, param: &str) -> Value {
        let error = self.json["error"].clone();
        let found =
            (self.status, error["code"].as_str().unwrap_or_default(), error["param"].as_str().unwrap_or_default());
        assert_eq!(found, (status, code, param), "{}", self.text);
        error
    }
}
