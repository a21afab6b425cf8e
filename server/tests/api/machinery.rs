//! What every endpoint shares: keys, bodies, envelopes, limits.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use axum::routing::{MethodFilter, get};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use server::api::call::Call;
use server::api::{ROUTES, handle, serve};

use crate::support::{Answer, Shop, on_both};

/// A path of the table with made-up ids.
fn concrete(path: &str) -> String {
    path.replace("{id}", "x_1").replace("{inner}", "y_1")
}

async fn plain(shop: &Shop, method: &str, path: &str, authorization: Option<&str>) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(value) = authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    shop.send(request.body(Body::empty()).unwrap()).await
}

on_both!(
    every_endpoint_wants_a_key,
    a_key_comes_as_bearer_or_as_basic_user,
    a_key_acts_for_its_own_account,
    any_version_is_accepted_and_echoed,
    what_is_not_there_says_so,
    bodies_are_forms_or_json_on_every_route,
    nul_never_reaches_the_database,
    a_query_is_read_like_a_body,
    a_crash_answers_in_the_envelope,
    a_request_that_a_layer_in_front_has_named_keeps_its_name,
);

async fn every_endpoint_wants_a_key(shop: Shop) {
    for (method, path) in ROUTES {
        let none = plain(&shop, method, &concrete(path), None).await;
        assert!(none.text.contains("You did not provide an API key"));
        assert_eq!(none.header("www-authenticate"), "Bearer");
        none.refused(401, "api_key_missing", "");
        let wrong = plain(&shop, method, &concrete(path), Some("Bearer sk_test_wrong_key")).await;
        assert!(!wrong.text.contains("sk_test"), "{}", wrong.text);
        wrong.refused(401, "api_key_invalid", "");
    }
}

async fn a_key_comes_as_bearer_or_as_basic_user(shop: Shop) {
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:", shop.key)));
    let account = plain(&shop, "GET", "/v1/account", Some(&basic)).await.ok();
    assert_eq!(account["id"], json!(shop.merchant));
    assert_eq!(shop.get(&format!("/v1/accounts/{}", shop.merchant)).await.ok()["object"], "account");
    shop.get("/v1/accounts/acct_other").await.refused(404, "resource_missing", "id");
}

async fn a_key_acts_for_its_own_account(shop: Shop) {
    let other = shop.neighbour().await;
    for (account, status) in [(&shop.merchant, 200), (&other.merchant, 403), (&"acct_none".to_owned(), 403)] {
        let request = shop.request(Method::GET, "/v1/account").header("Stripe-Account", account);
        assert_eq!(shop.send(request.body(Body::empty()).unwrap()).await.status, status);
    }
}

async fn any_version_is_accepted_and_echoed(shop: Shop) {
    assert_eq!(shop.get("/v1/account").await.header("stripe-version"), billing::wire::API_VERSION);
    let request = shop.request(Method::GET, "/v1/account").header("Stripe-Version", "2031-01-01.future");
    assert_eq!(shop.send(request.body(Body::empty()).unwrap()).await.header("stripe-version"), "2031-01-01.future");
}

async fn what_is_not_there_says_so(shop: Shop) {
    for path in ["/v1", "/v1/", "/v1/foo", "/v1/customers/", "/v1/customers/a/b/c", "/v1/customers/a/foo"] {
        for method in [Method::GET, Method::POST, Method::PUT] {
            let answer = shop.send(shop.request(method.clone(), path).body(Body::empty()).unwrap()).await;
            assert!(answer.text.contains(&format!("Unrecognized request URL ({method}: {path})")), "{}", answer.text);
            answer.refused(404, "url_unknown", "");
        }
    }
    let answer = shop.send(shop.request(Method::PUT, "/v1/customers").body(Body::empty()).unwrap()).await;
    assert!(answer.header("allow").contains("POST"), "{answer:?}");
    answer.refused(405, "method_not_allowed", "");
    let options = shop.request(Method::OPTIONS, "/v1/customers").header("Origin", "https://evil.example");
    shop.send(options.body(Body::empty()).unwrap()).await.refused(405, "method_not_allowed", "");
    assert_eq!(shop.send(shop.request(Method::HEAD, "/v1/account").body(Body::empty()).unwrap()).await.status, 200);
}

async fn bodies_are_forms_or_json_on_every_route(shop: Shop) {
    for (method, path) in ROUTES.iter().filter(|(method, _)| *method != "GET") {
        let path = concrete(path);
        let send = |kind: &'static str, body: Vec<u8>| {
            let request = shop.request(method.parse().unwrap(), &path).header(header::CONTENT_TYPE, kind);
            shop.send(request.body(Body::from(body)).unwrap())
        };
        send("multipart/form-data; boundary=x", b"--x".to_vec()).await.refused(415, "content_type_unsupported", "");
        send("application/json", b"{\"a\":".to_vec()).await.refused(400, "json_invalid", "");
        send("application/json", b"[]".to_vec()).await.refused(400, "json_invalid", "");
        send("application/x-www-form-urlencoded", b"a=%".to_vec()).await.refused(400, "parameter_invalid", "");
        send("application/x-www-form-urlencoded", b"a=\xff".to_vec()).await.refused(400, "parameter_invalid", "");
        send("application/x-www-form-urlencoded", b"a=1&a[b]=1".to_vec()).await.refused(
            400,
            "parameter_invalid",
            "a[b]",
        );
        send("application/json", vec![b' '; 1024 * 1024 + 1]).await.refused(413, "request_too_large", "");
        send("application/x-www-form-urlencoded", b"card[number]=4242424242424242".to_vec()).await.refused(
            400,
            "raw_card_data_refused",
            "card",
        );
    }
}

async fn nul_never_reaches_the_database(shop: Shop) {
    shop.get("/v1/customers/cus%00").await.refused(400, "parameter_invalid", "");
    shop.get("/v1/customers?email=a%00").await.refused(400, "parameter_invalid", "");
    shop.post("/v1/customers", "name=%00").await.refused(400, "parameter_invalid", "");
    shop.post_json("/v1/customers", &json!({"metadata": {"a\u{0}": "b"}})).await.refused(400, "parameter_invalid", "");
    shop.get("/v1/customers/%ff").await.refused(400, "url_invalid", "");
}

async fn a_query_is_read_like_a_body(shop: Shop) {
    let id = shop.post("/v1/customers?name=Ada", "").await.made();
    assert_eq!(shop.get(&format!("/v1/customers/{id}")).await.ok()["name"], "Ada");
    shop.get(&format!("/v1/customers/{id}?foo=1&bar[baz]=2")).await.refused(400, "parameter_unknown", "foo");
    shop.delete(&format!("/v1/customers/{id}?foo=1")).await.refused(400, "parameter_unknown", "foo");
    shop.send(shop.form(Method::DELETE, &format!("/v1/customers/{id}"), "foo=1")).await.refused(
        400,
        "parameter_unknown",
        "foo",
    );
}

/// A defect answers like everything else, takes nothing else down, and shows nothing of itself.
async fn a_crash_answers_in_the_envelope(shop: Shop) {
    let panics = async |_: Call| -> billing::Result<_> { panic!("sqlite at /tmp") };
    let slow = async |call: Call| {
        tokio::time::sleep(Duration::from_secs(5)).await;
        drop(call);
        Err(billing::Error::Busy)
    };
    let routes = Router::new()
        .route("/v1/panic", handle(MethodFilter::GET, panics).merge(handle(MethodFilter::POST, panics)))
        .route("/v1/slow", handle(MethodFilter::GET, slow))
        .route("/v1/bare", get(async || StatusCode::IM_A_TEAPOT));
    let broken = shop.with_api(serve(shop.app.clone(), routes, Duration::from_millis(100)));
    assert_eq!(broken.get("/v1/panic").await.refused(500, "internal_error", "")["type"], "api_error");
    assert_eq!(broken.post("/v1/panic", "").await.refused(500, "internal_error", "")["type"], "api_error");
    assert_eq!(
        broken.post_with_key("k", "/v1/panic", "").await.refused(500, "internal_error", "")["type"],
        "api_error"
    );
    let slow = broken.get("/v1/slow").await;
    assert_eq!(slow.header("stripe-should-retry"), "true");
    slow.refused(504, "timeout", "");
    broken.get("/v1/bare").await.refused(500, "internal_error", "");
    shop.get("/v1/account").await.ok();
}

async fn a_request_that_a_layer_in_front_has_named_keeps_its_name(shop: Shop) {
    let mut request = shop.form(Method::POST, "/v1/customers", "name=Ada");
    let trace =
        billing::Trace { request: Some("req_given".into()), ip: Some("192.0.2.1".into()), ..Default::default() };
    request.extensions_mut().insert(trace);
    let answer = shop.send(request).await;
    assert_eq!(answer.header("request-id"), "req_given");
    let event = &shop.get("/v1/events?type=customer.created").await.ok()["data"][0];
    assert_eq!(event["request"]["id"], "req_given");
}

#[tokio::test]
async fn a_broken_database_shows_nothing_of_itself() {
    let shop = Shop::on_sqlite().await;
    let mut books = <sqlx::SqliteConnection as sqlx::Connection>::connect(&shop.database_url).await.unwrap();
    sqlx::query("alter table product rename to gone").execute(&mut books).await.unwrap();
    let answer = shop.get("/v1/products").await;
    assert_eq!(answer.header("stripe-should-retry"), "false");
    answer.refused(500, "internal_error", "");
    shop.post("/v1/products", "name=x").await.refused(500, "internal_error", "");
}
