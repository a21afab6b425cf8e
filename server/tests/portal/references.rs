//! The calls that the texts Portico comes from print, made as they are printed.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use billing::catalog::Cost;
use billing::catalog::price::{NewPrice, PriceProduct, PriceUpdate};
use billing::catalog::product::ProductUpdate;
use billing::customer::CustomerUpdate;
use billing::patch::Patch;
use billing::period::{Interval, Recurring};
use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::{Currency, directory, transact};
use serde_json::{Value, json};

use crate::stage::{Merchant, Stage, from_a_page, page, request};

/// A call with a JSON body, as a backend makes it.
fn call(method: Method, path: &str, bearer: Option<&str>, body: &str) -> Request<Body> {
    let bearer = bearer.map(|bearer| format!("Bearer {bearer}"));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(bearer.iter().map(|bearer| ("authorization", bearer.as_str())));
    request(method, path, &headers).map(|_| Body::from(body.to_owned()))
}

async fn answered(stage: &Stage, request: Request<Body>) -> (StatusCode, Value) {
    let (status, text) = stage.text(request).await;
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")))
}

const PORTAL_URL: &str = "/merchant/session/customer_portal_url";
/// As it is printed.
const PRINTED: &str = r#"{
    "email": "customer@example.com",
    "externalUserId": "your_user_id_123",
    "productId": 1001,
    "planId": 2001,
    "vatCountryCode": "DE",
    "returnUrl": "https://yourdomain.com/portal/success",
    "cancelUrl": "https://yourdomain.com/portal/cancel"
  }"#;

/// The product and the price that the printed call names, which customers may change to and may buy; answers the price.
async fn sell(stage: &Stage, merchant: &Merchant) -> String {
    let who = &merchant.who;
    transact!(stage.app.db, |tx| {
        let named = ProductUpdate { external_id: Patch::Set("1001".into()), ..Default::default() };
        billing::catalog::product::update(tx, who, &merchant.product, named).await?;
        let new = NewPrice {
            currency: Currency::parse("usd", "currency")?,
            product: PriceProduct::Existing(merchant.product.clone()),
            cost: Cost::unit(2900),
            recurring: Some(Recurring { interval: Interval::Month, count: 1 }),
            trial_period_days: None,
            active: None,
            tax_behavior: None,
            transfer_lookup_key: false,
            fields: PriceUpdate { external_id: Patch::Set("2001".into()), ..PriceUpdate::default() },
        };
        let price = billing::catalog::price::create(tx, who, new).await?;
        let counted = json!({ "enabled": true, "minimum": 1, "maximum": 9 });
        let products = json!([{ "product": merchant.product, "adjustable_quantity": counted }]);
        let features = json!({
            "subscription_update": { "enabled": true, "default_allowed_updates": ["price", "quantity"], "products": products },
            "subscription_create": { "enabled": true, "products": products },
        });
        let update = ConfigurationUpdate { features: Some(features), ..Default::default() };
        configuration::update(tx, who, "default", update).await?;
        Ok(price.id)
    })
    .unwrap()
}

async fn name(stage: &Stage, merchant: &Merchant, id: &str, email: &str, external: Option<&str>) {
    let email = Patch::Set(email.to_owned());
    let external_id = external.map_or(Patch::Keep, |id| Patch::Set(id.to_owned()));
    transact!(stage.app.db, |tx| {
        let named = CustomerUpdate { email: email.clone(), external_id: external_id.clone(), ..Default::default() };
        billing::customer::update(tx, &merchant.who, id, named).await
    })
    .unwrap();
}

/// Follows a link to where it leads, and answers that and the session's cookie.
async fn follow(stage: &Stage, url: &str) -> (String, String) {
    let path = url.strip_prefix("http://localhost:3000").unwrap();
    let answer = stage.send(from_a_page(path)).await;
    assert_eq!(answer.status(), 303, "{path}");
    let to = answer.headers()["location"].to_str().unwrap().to_owned();
    (to, crate::stage::cookie_of(&answer).unwrap())
}

async fn url_of(stage: &Stage, key: &str, body: &str) -> String {
    let (status, answer) = answered(stage, call(Method::POST, PORTAL_URL, Some(key), body)).await;
    assert_eq!((status.as_u16(), &answer["code"], &answer["message"]), (200, &json!(0), &json!("")), "{answer}");
    assert_eq!(answer.as_object().unwrap().len(), 3);
    answer["data"]["url"].as_str().unwrap().to_owned()
}

async fn on_both(test: impl AsyncFn(Stage)) {
    test(Stage::new().await).await;
    if let Some(stage) = Stage::on_postgres().await {
        test(stage).await;
    }
}

#[tokio::test]
async fn the_printed_call_opens_the_plan_that_it_names() {
    on_both(async |stage| {
        let merchant = stage.merchant("Acme").await;
        let price = sell(&stage, &merchant).await;
        name(&stage, &merchant, &merchant.customer, "old@example.com", Some("your_user_id_123")).await;
        let url = url_of(&stage, &merchant.key, PRINTED).await;
        assert!(url.ends_with(&format!("?subscriptionId={}", merchant.subscription)), "{url}");
        let (to, cookie) = follow(&stage, &url).await;
        let start = format!("/subscriptions/{}/change/review?item={}&", merchant.subscription, merchant.item);
        assert_eq!(to, format!("{start}price={price}&quantity=1"));
        let (status, html) = stage.text(page(&to, &cookie)).await;
        assert_eq!(status, 200);
        assert!(html.contains("Team"), "the plan is picked");
        let left = stage.send(page("/leave", &cookie)).await;
        assert_eq!(left.headers()["location"], "https://yourdomain.com/portal/cancel", "nothing was completed");
        let held = json!({ "userId": merchant.customer, "planId": merchant.price }).to_string();
        let (to, _) = follow(&stage, &url_of(&stage, &merchant.key, &held).await).await;
        assert_eq!(to, format!("/subscriptions/{}", merchant.subscription), "what one has already is not picked");
    })
    .await;
}

#[tokio::test]
async fn completed_it_says_so_on_the_way_back_even_without_a_cancel_url() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let body = json!({ "userId": merchant.customer, "returnUrl": "https://yourdomain.com/portal/success?a=1#top" });
    let url = url_of(&stage, &merchant.key, &body.to_string()).await;
    let (to, cookie) = follow(&stage, &url).await;
    assert_eq!(to, format!("/subscriptions/{}", merchant.subscription));
    let mut tx = stage.app.db.read().await.unwrap();
    let guest = directory::by_cookie(&mut tx, cookie.split_once('=').unwrap().1, crate::stage::HOST).await.unwrap();
    drop(tx);
    let me = guest.unwrap().actor(Default::default());
    transact!(stage.app.db, |tx| {
        // Whatever was done has its own entry.
        tx.unaudited();
        billing::portal::session::complete(tx, &me).await
    })
    .unwrap();
    let left = stage.send(page("/leave", &cookie)).await;
    assert_eq!(left.headers()["location"], "https://yourdomain.com/portal/success?a=1&success=true#top");
}

#[tokio::test]
async fn without_a_subscription_the_plan_is_bought_in_the_country_that_is_said() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let price = sell(&stage, &merchant).await;
    let (newcomer, _) = stage.customer(&merchant.who).await;
    name(&stage, &merchant, &newcomer, "customer@example.com", None).await;
    let url = url_of(&stage, &merchant.key, PRINTED).await;
    assert!(!url.contains('?'), "no subscription is in focus: {url}");
    let (to, cookie) = follow(&stage, &url).await;
    assert_eq!(to, format!("/subscribe/review?item=&price={price}&quantity=1"));
    let (status, html) = stage.text(page(&to, &cookie)).await;
    assert_eq!(status, 200);
    assert!(html.contains("Germany"), "the country is preset");
    let other = PRINTED.replace("\"DE\"", "\"FR\"");
    url_of(&stage, &merchant.key, &other).await;
    let mut tx = stage.app.db.read().await.unwrap();
    let kept = billing::customer::get(&mut tx, &merchant.who, &newcomer).await.unwrap();
    assert_eq!(kept.address.unwrap().country.as_deref(), Some("DE"), "a country that is known stays");
}

#[tokio::test]
async fn whom_it_means() {
    on_both(async |stage| {
        let merchant = stage.merchant("Acme").await;
        let (other, _) = stage.customer(&merchant.who).await;
        let (newest, _) = stage.customer(&merchant.who).await;
        name(&stage, &merchant, &other, "Shared@example.com", Some("42")).await;
        name(&stage, &merchant, &newest, "newest@example.com", None).await;
        name(&stage, &merchant, &merchant.customer, "owner@example.com", Some("owner")).await;
        let cases = [
            (json!({ "userId": 42 }), &other),
            (json!({ "userId": "42", "externalUserId": "owner", "email": "owner@example.com" }), &other),
            (json!({ "userId": merchant.customer }), &merchant.customer),
            (json!({ "userId": 0, "externalUserId": "42", "email": "owner@example.com" }), &other),
            (json!({ "userId": 0, "externalUserId": "nobody", "email": "OWNER@example.com" }), &merchant.customer),
            (json!({ "email": "newest@example.com" }), &newest),
        ];
        for (body, expected) in cases {
            assert_eq!(meant(&stage, &merchant, &body).await, *expected, "{body}");
        }
        for id in [&merchant.customer, &other, &newest] {
            name(&stage, &merchant, id, "shared@example.com", None).await;
        }
        let shared = json!({ "email": "shared@example.com" });
        assert_eq!(meant(&stage, &merchant, &shared).await, merchant.customer, "who has a live subscription");
        transact!(stage.app.db, |tx| billing::customer::delete(tx, &merchant.who, &merchant.customer).await).unwrap();
        assert_eq!(meant(&stage, &merchant, &shared).await, newest, "else the newest");
    })
    .await;
}

async fn meant(stage: &Stage, merchant: &Merchant, body: &Value) -> String {
    let url = url_of(stage, &merchant.key, &body.to_string()).await;
    let secret = url.rsplit('/').next().unwrap().split('?').next().unwrap();
    let mut tx = stage.app.db.read().await.unwrap();
    directory::by_link(&mut tx, secret).await.unwrap().unwrap().customer.id
}

#[tokio::test]
async fn what_is_refused_is_refused_in_its_own_envelope() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let rival = stage.merchant("Rival").await;
    let refused = async |key: Option<&str>, body: &str| {
        let (status, answer) = answered(&stage, call(Method::POST, PORTAL_URL, key, body)).await;
        assert_eq!((&answer["code"], &answer["data"]), (&json!(status.as_u16()), &Value::Null), "{answer}");
        (status.as_u16(), answer["message"].as_str().unwrap().to_owned())
    };
    let key = Some(merchant.key.as_str());
    let nobody = (404, "user not found".to_owned());
    assert_eq!(refused(key, r#"{"email":"nobody@example.com"}"#).await, nobody);
    assert_eq!(refused(key, "{}").await, nobody);
    assert_eq!(refused(key, &json!({ "userId": rival.customer }).to_string()).await, nobody);
    assert_eq!(refused(None, PRINTED).await.0, 401);
    assert_eq!(refused(Some("sk_test_nobody"), PRINTED).await.0, 401);
    let of = |field: &str, value: Value| json!({ "userId": merchant.customer, field: value }).to_string();
    for (field, value) in [
        ("returnUrl", json!("javascript:alert(1)")),
        ("cancelUrl", json!("/relative")),
        ("productId", json!(rival.product)),
        ("planId", json!(9)),
        ("planId", json!([1])),
        ("email", json!(7)),
        ("returnURL", json!("https://yourdomain.com")),
    ] {
        let (status, message) = refused(key, &of(field, value)).await;
        assert_eq!((status, message.starts_with(&format!("{field}: "))), (400, true), "{field}: {message}");
    }
    let (newcomer, _) = stage.customer(&merchant.who).await;
    let (status, message) = refused(key, &json!({ "userId": newcomer, "vatCountryCode": "Germany" }).to_string()).await;
    assert_eq!((status, message.starts_with("vatCountryCode: ")), (400, true), "{message}");
    assert_eq!(refused(key, "[]").await.0, 400);
}
