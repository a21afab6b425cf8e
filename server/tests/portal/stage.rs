//! A whole server on a fresh database under a clock that stands still, and requests to it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use billing::catalog::price::{NewPrice, PriceProduct};
use billing::catalog::{Cost, NewCoupon, NewProduct, NewPromotionCode, NewTaxRate, Price, PriceUpdate};
use billing::customer::tax_id::{self, NewTaxId};
use billing::customer::{CustomerUpdate, payment_method};
use billing::discount::Duration;
use billing::gateway::sandbox::{Sandbox, test_method};
use billing::patch::Patch;
use billing::period::{Interval, Recurring};
use billing::portal::domain::proof::Found;
use billing::portal::flow::Flow;
use billing::portal::session::{self, NewSession, SessionOrigin};
use billing::portal::{domain, feedback};
use billing::setup_intent::{self, NewIntent, Usage};
use billing::subscription::create::{PaymentBehavior, Trial};
use billing::subscription::{self, CollectionMethod, NewItem, NewSubscription, ProrationBehavior};
use billing::webhook::{self, EndpointUpdate, NewEndpoint, delivery};
use billing::{Actor, Clock, Currency, Db, Decimal, Millis, directory, payment, transact};
use clap::Parser;
use server::config::Settings;
use server::state::App;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tower::ServiceExt;
use url::Url;

use crate::outward;

pub const HOST: &str = "localhost:3000";
/// After which a request counts as one that is never answered.
const MOST_PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

pub struct Stage {
    pub router: Router,
    pub app: App,
    pub clock: Clock,
    _folder: tempfile::TempDir,
}

/// A merchant with one customer who has everything that a path can name.
pub struct Merchant {
    pub who: Actor,
    pub key: String,
    pub customer: String,
    pub product: String,
    pub price: String,
    pub coupon: String,
    pub promotion_code: String,
    pub tax_rate: String,
    pub clock: String,
    pub method: String,
    pub tax_id: String,
    pub subscription: String,
    pub item: String,
    pub invoice: String,
    pub intent: String,
    pub configuration: String,
    pub event: String,
    pub setup: String,
    pub endpoint: String,
    pub domain: String,
    pub delivery: String,
    pub entry: String,
    pub option: String,
    pub session: String,
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
}

impl Stage {
    pub async fn new() -> Self {
        Self::at("http://localhost:3000").await
    }

    /// A server that browsers reach at this URL.
    pub async fn at(public_url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let books = format!("sqlite://{}/portico.db", folder.path().display());
        Self::open(public_url, &books, folder).await
    }

    /// On a fresh PostgreSQL database, where `PORTICO_TEST_POSTGRES` names a server.
    pub async fn on_postgres() -> Option<Self> {
        let mut url = Url::parse(&std::env::var("PORTICO_TEST_POSTGRES").ok()?).unwrap();
        let name = format!("stage_{}", &billing::id::hash(&billing::id::secret())[..20]);
        let mut connection = PgConnection::connect(url.as_str()).await.unwrap();
        connection.execute(AssertSqlSafe(format!("create database {name}"))).await.unwrap();
        url.set_path(&name);
        Some(Self::open("http://localhost:3000", url.as_str(), tempfile::tempdir().unwrap()).await)
    }

    async fn open(public_url: &str, books: &str, folder: tempfile::TempDir) -> Self {
        let clock = Clock::manual(Millis(1_780_000_000_000));
        let db = Db::open(books, clock.clone()).await.unwrap().reached_at(public_url);
        db.migrate().await.unwrap();
        let sandbox = Sandbox::open(&format!("sqlite://{}/sandbox.db", folder.path().display())).await.unwrap();
        let settings = Arguments::parse_from(["portico", "--public-url", public_url]).settings;
        let draining = Arc::new(AtomicBool::new(false));
        let outbound = outward::to_nobody();
        let app = App { db, gateway: Arc::new(sandbox), settings: Arc::new(settings), outbound, draining };
        Self { router: server::web::router(app.clone()), app, clock, _folder: folder }
    }

    /// The same server, whose TLS front may ask from anywhere.
    pub fn with_ask_token(&self, token: &str) -> Router {
        let settings = Settings { tls_ask_token: Some(token.into()), ..(*self.app.settings).clone() };
        server::web::router(App { settings: Arc::new(settings), ..self.app.clone() })
    }

    pub async fn merchant(&self, name: &str) -> Merchant {
        let usd = Currency::parse("usd", "currency").unwrap();
        let (who, key) = transact!(self.app.db, |tx| {
            let merchant = directory::create_merchant(tx, name, "US", &usd).await?;
            let who = Actor::system(directory::tenant(tx, &merchant.id, false).await?, "test");
            let (_, key) = directory::create_key(tx, &who, None).await?;
            Ok((who, key))
        })
        .unwrap();
        let product = PriceProduct::New(Box::new(NewProduct { name: "Team".into(), ..NewProduct::default() }));
        let price = self.priced(&who, product, Interval::Month, 1900).await;
        let (customer, method) = self.customer(&who).await;
        let (subscription, invoice) = self.subscription(&who, &customer, &price.id).await;
        let (_, session) = self.link(&who, &customer).await;
        let (tax_id, setup, endpoint, option) = self.small_things(&who, &customer).await;
        let (coupon, promotion_code, tax_rate) = self.offers(&who).await;
        let now = self.app.db.clock().wall().seconds();
        let claimed = format!("billing.{}.example", name.to_lowercase());
        let domain = transact!(self.app.db, |tx| domain::claim(tx, &who, &claimed).await).unwrap().id;
        let clock = transact!(self.app.db, |tx| billing::test_clock::create(tx, &who, now, None).await).unwrap().id;
        let mut tx = self.app.db.read().await.unwrap();
        let item = subscription::get(&mut tx, &who, &subscription).await.unwrap().items[0].id.clone();
        let intent = billing::invoice::get(&mut tx, &who, &invoice).await.unwrap().payment_intent.unwrap();
        let configuration = billing::portal::configuration::get(&mut tx, &who, "default").await.unwrap().id;
        let event =
            billing::event::list(&mut tx, &who, &billing::Page::first(1), None).await.unwrap().data[0].id.clone();
        let page = billing::Page::first(1);
        let entries = billing::audit::list::list(&mut tx, &who, &page, &Default::default()).await.unwrap();
        let entry = entries.data[0].id.clone();
        let deliveries = delivery::list(&mut tx, &who, &page, &Default::default()).await.unwrap();
        let delivery = deliveries.data[0].id.clone();
        Merchant {
            who,
            key,
            customer,
            product: price.product,
            price: price.id,
            coupon,
            promotion_code,
            tax_rate,
            clock,
            method,
            tax_id,
            subscription,
            item,
            invoice,
            intent,
            configuration,
            event,
            setup,
            endpoint,
            domain,
            delivery,
            entry,
            option,
            session,
        }
    }

    async fn priced(&self, who: &Actor, product: PriceProduct, interval: Interval, unit: u32) -> Price {
        let new = NewPrice {
            currency: Currency::parse("usd", "currency").unwrap(),
            product,
            cost: Cost::unit(unit),
            recurring: Some(Recurring { interval, count: 1 }),
            trial_period_days: None,
            active: None,
            tax_behavior: None,
            transfer_lookup_key: false,
            fields: PriceUpdate::default(),
        };
        transact!(self.app.db, |tx| billing::catalog::price::create(tx, who, new.clone()).await).unwrap()
    }

    /// One more monthly price of the merchant's product.
    pub async fn price(&self, merchant: &Merchant, unit: u32) -> String {
        self.price_every(merchant, Interval::Month, unit).await
    }

    pub async fn price_every(&self, merchant: &Merchant, interval: Interval, unit: u32) -> String {
        let product = PriceProduct::Existing(merchant.product.clone());
        self.priced(&merchant.who, product, interval, unit).await.id
    }

    /// A tax ID, a setup intent, a webhook endpoint and a feedback option.
    async fn small_things(&self, who: &Actor, customer: &str) -> (String, String, String, String) {
        transact!(self.app.db, |tx| {
            let new = NewTaxId { r#type: "eu_vat".into(), value: "DE123456789".into() };
            let tax_id = tax_id::create(tx, who, customer, new).await?;
            let new = NewIntent {
                customer: customer.into(),
                method: None,
                usage: Usage::OffSession,
                description: None,
                metadata: Patch::Keep,
            };
            let setup = setup_intent::create(tx, who, new).await?;
            let new = NewEndpoint {
                url: "https://shop.example/hooks".into(),
                enabled_events: vec!["*".into()],
                api_version: None,
                fields: EndpointUpdate::default(),
            };
            let (endpoint, _) = webhook::create(tx, who, new).await?;
            let option = feedback::create(tx, who, "Too many mails").await?;
            Ok((tax_id.id, setup.id, endpoint.id, option.id))
        })
        .unwrap()
    }

    /// A coupon, a promotion code for it, and a tax rate.
    async fn offers(&self, who: &Actor) -> (String, String, String) {
        transact!(self.app.db, |tx| {
            let coupon = NewCoupon {
                id: None,
                percent_off: Some(Decimal::whole(50)),
                amount_off: None,
                currency: None,
                duration: Duration::Once,
                duration_in_months: None,
                applies_to: None,
                max_redemptions: None,
                redeem_by: None,
                fields: Default::default(),
            };
            let coupon = billing::catalog::coupon::create(tx, who, coupon).await?.id;
            let code = NewPromotionCode {
                coupon: coupon.clone(),
                code: None,
                active: true,
                customer: None,
                restrictions: Default::default(),
                max_redemptions: None,
                expires_at: None,
                metadata: Patch::Keep,
            };
            let code = billing::catalog::promotion_code::create(tx, who, code).await?.id;
            let rate = NewTaxRate {
                display_name: "VAT".into(),
                inclusive: false,
                percentage: Decimal::whole(19),
                fields: Default::default(),
            };
            Ok((coupon, code, billing::catalog::tax_rate::create(tx, who, rate).await?.id))
        })
        .unwrap()
    }

    /// A customer with a card as its default method.
    pub async fn customer(&self, who: &Actor) -> (String, String) {
        transact!(self.app.db, |tx| {
            let named = CustomerUpdate {
                name: Patch::Set("Maya".into()),
                email: Patch::Set("maya@example.com".into()),
                ..Default::default()
            };
            let customer = billing::customer::create(tx, who, named).await?;
            let card = test_method("pm_card_visa", 2030).unwrap();
            let method = payment_method::attach(tx, who, &customer.id, card).await?;
            let default =
                CustomerUpdate { default_payment_method: Patch::Set(method.id.clone()), ..Default::default() };
            billing::customer::update(tx, who, &customer.id, default).await?;
            Ok((customer.id, method.id))
        })
        .unwrap()
    }

    /// A paid subscription, and its first invoice.
    pub async fn subscription(&self, who: &Actor, customer: &str, price: &str) -> (String, String) {
        let new = NewSubscription {
            customer: customer.into(),
            items: vec![NewItem {
                price: price.into(),
                price_data: None,
                quantity: None,
                tax_rates: Vec::new(),
                discounts: Vec::new(),
                metadata: Patch::Keep,
            }],
            add_invoice_items: Vec::new(),
            backdate_start_date: None,
            billing_cycle_anchor: None,
            proration_behavior: ProrationBehavior::CreateProrations,
            trial: Trial::None,
            trial_settings: Default::default(),
            cancel_at_period_end: false,
            cancel_at: None,
            default_payment_method: None,
            collection_method: CollectionMethod::ChargeAutomatically,
            days_until_due: None,
            payment_behavior: PaymentBehavior::AllowIncomplete,
            payment_settings: Default::default(),
            default_tax_rates: Vec::new(),
            automatic_tax: false,
            discounts: Vec::new(),
            description: None,
            metadata: Patch::Keep,
        };
        let created = transact!(self.app.db, |tx| subscription::create::create(tx, who, new.clone()).await).unwrap();
        payment::collect(&self.app.db, self.app.gateway.clone(), who, &created.invoice.id).await.unwrap();
        (created.subscription.id, created.invoice.id)
    }

    /// Has the DNS prove the merchant's domain; answers its name.
    pub async fn prove(&self, merchant: &Merchant) -> String {
        let proven = transact!(self.app.db, |tx| {
            let claimed = domain::get(tx, &merchant.who, &merchant.domain).await?;
            let found = Found::Records { cnames: vec![claimed.target], texts: vec![claimed.token] };
            domain::settle(tx, &merchant.who, &merchant.domain, &found).await
        });
        proven.unwrap().domain_name
    }

    /// A fresh link's path and its session's id.
    pub async fn link(&self, who: &Actor, customer: &str) -> (String, String) {
        self.link_for(who, customer, None).await
    }

    async fn link_for(&self, who: &Actor, customer: &str, flow: Option<Flow>) -> (String, String) {
        let new = NewSession {
            flow,
            customer: customer.into(),
            configuration: None,
            return_url: Some("https://shop.example/account".into()),
            cancel_url: None,
            locale: Some("en".into()),
            subscription: None,
            origin: SessionOrigin::Api,
        };
        let minted = transact!(self.app.db, |tx| session::create(tx, who, new.clone()).await).unwrap();
        (format!("/session/{}", minted.secret), minted.session.id)
    }

    /// A browser session: its cookie (`portico=…`) and its public id.
    pub async fn sign_in(&self, who: &Actor, customer: &str) -> (String, String) {
        self.sign_in_for(who, customer, None).await
    }

    /// A session for one thing.
    pub async fn sign_in_for(&self, who: &Actor, customer: &str, flow: Option<Flow>) -> (String, String) {
        let (path, id) = self.link_for(who, customer, flow).await;
        let answer = self.send(from_a_page(&path)).await;
        (cookie_of(&answer).unwrap(), id)
    }

    /// Fails, naming the request, where it is never answered.
    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        let of = format!("{} {}", request.method(), request.uri());
        let answer = self.router.clone().oneshot(request);
        tokio::time::timeout(MOST_PATIENCE, answer)
            .await
            .unwrap_or_else(|_| panic!("no answer to {of}: {:?}", self.app.db.pools()))
            .unwrap()
    }

    pub async fn text(&self, request: Request<Body>) -> (StatusCode, String) {
        let answer = self.send(request).await;
        let status = answer.status();
        let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }
}

pub fn request(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path).header(header::HOST, HOST);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::empty()).unwrap()
}

/// A person following a link on the merchant's site.
pub fn from_a_page(path: &str) -> Request<Body> {
    let headers = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("accept", "text/html"),
    ];
    request(Method::GET, path, &headers)
}

/// The button on our own page.
pub fn button(path: &str) -> Request<Body> {
    request(Method::POST, path, &[("sec-fetch-site", "same-origin"), ("accept", "text/html")])
}

/// A form of the portal's own page, sent without JavaScript.
pub fn form(path: &str, cookie: &str, body: &str) -> Request<Body> {
    let headers = [
        ("cookie", cookie),
        ("accept", "text/html"),
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    request(Method::POST, path, &headers).map(|_| Body::from(body.to_owned()))
}

/// A page of the portal with a session's cookie.
pub fn page(path: &str, cookie: &str) -> Request<Body> {
    request(Method::GET, path, &[("cookie", cookie), ("accept", "text/html"), ("sec-fetch-site", "same-origin")])
}

/// The cookie that an answer sets, as the browser sends it back.
pub fn cookie_of(answer: &Response<Body>) -> Option<String> {
    let set = answer.headers().get(header::SET_COOKIE)?.to_str().ok()?;
    set.split(';').next().map(str::to_owned)
}
