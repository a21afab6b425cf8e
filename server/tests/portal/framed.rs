//! The portal in a frame: of listed pages only, with a cookie that is good nowhere else.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::transact;
use serde_json::json;

use crate::stage::{Merchant, Stage, form, from_a_page, page, request};

const PARENTS: [&str; 2] = ["https://app.shop.example", "https://admin.shop.example:8443"];

async fn framing(stage: &Stage) -> Merchant {
    let merchant = stage.merchant("Acme").await;
    let features = Some(json!({ "embedding": { "parent_origins": PARENTS } }));
    let update = ConfigurationUpdate { features, ..ConfigurationUpdate::default() };
    transact!(stage.app.db, |tx| configuration::update(tx, &merchant.who, "default", update.clone()).await).unwrap();
    merchant
}

fn looked_at(dest: &'static str, mut request: Request<Body>) -> Request<Body> {
    request.headers_mut().insert("sec-fetch-dest", HeaderValue::from_static(dest));
    request
}

fn ancestors(answer: &Response<Body>) -> String {
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    policy.split("frame-ancestors ").nth(1).unwrap().split(';').next().unwrap().to_owned()
}

/// The cookies that an answer sets: name with value, and the rest.
fn cookies(answer: &Response<Body>) -> Vec<(String, String)> {
    let all = answer.headers().get_all(header::SET_COOKIE).iter().map(|set| set.to_str().unwrap());
    all.filter_map(|set| set.split_once("; ")).map(|(pair, rest)| (pair.to_owned(), rest.to_owned())).collect()
}

#[tokio::test]
async fn a_listed_page_may_show_it() {
    let stage = Stage::at("https://localhost:3000").await;
    let merchant = framing(&stage).await;
    let (link, session) = stage.link(&merchant.who, &merchant.customer).await;
    let untouched = stage.send(looked_at("iframe", page(&link, ""))).await;
    assert_eq!(
        (untouched.status(), ancestors(&untouched)),
        (StatusCode::OK, PARENTS.join(" ")),
        "the page with the button"
    );
    let answer = stage.send(looked_at("iframe", from_a_page(&link))).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let set = cookies(&answer);
    let (pair, rest) = &set[0];
    assert!(pair.starts_with("__Host-portico-frame=") && pair.len() > 60, "{pair}");
    assert_eq!(rest, "Path=/; Max-Age=7200; HttpOnly; SameSite=None; Secure; Partitioned");
    assert_eq!(set[1], ("__Host-portico=".into(), "Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure".into()));

    let shown = stage.send(looked_at("iframe", page("/", pair))).await;
    assert_eq!((shown.status(), ancestors(&shown)), (StatusCode::OK, PARENTS.join(" ")));
    assert!(shown.headers().get("server-timing").is_none());
    let bytes = axum::body::to_bytes(shown.into_body(), usize::MAX).await.unwrap();
    let html = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(
        html.contains("[\"https://app.shop.example\",\"https://admin.shop.example:8443\"].forEach"),
        "whom it talks to"
    );
    assert!(!html.contains("/leave"), "nobody has left");
    // A script of the page asks; a form of the page is sent.
    let frame = "/do/app/parts/frame/read_frame";
    let read = looked_at("empty", form(frame, pair, ""));
    assert_eq!(stage.send(read).await.status(), StatusCode::SEE_OTHER);
    let body = format!("session={session}&key=k&id={}", merchant.subscription);
    let done = stage.send(looked_at("empty", form("/do/app/pages/cancel/cancel_subscription", pair, &body))).await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER);
    let after = stage.send(looked_at("iframe", page("/", pair))).await;
    assert_eq!(after.headers()["server-timing"], "completed");
}

/// Each cookie where it belongs: the frame's in frames, the other at the top.
#[tokio::test]
async fn a_cookie_is_good_where_it_was_made() {
    let stage = Stage::at("https://localhost:3000").await;
    let merchant = framing(&stage).await;
    let (link, _) = stage.link(&merchant.who, &merchant.customer).await;
    let framed = cookies(&stage.send(looked_at("iframe", from_a_page(&link))).await)[0].0.clone();
    let (link, _) = stage.link(&merchant.who, &merchant.customer).await;
    let set = cookies(&stage.send(from_a_page(&link)).await);
    let top = set[0].0.clone();
    assert!(top.starts_with("__Host-portico=") && set[1].0 == "__Host-portico-frame=", "{set:?}");
    let value = |pair: &str| pair.split_once('=').unwrap().1.to_owned();
    for (dest, cookie, expected) in [
        ("iframe", framed.clone(), 200),
        ("document", framed.clone(), 401),
        ("iframe", top.clone(), 401),
        ("document", top.clone(), 200),
        ("document", format!("{framed}; {top}"), 200),
        // The value of one under the name of the other.
        ("document", format!("__Host-portico={}", value(&framed)), 401),
        ("iframe", format!("__Host-portico-frame={}", value(&top)), 401),
        ("embed", framed.clone(), 401),
        ("object", framed, 401),
    ] {
        let answer = stage.send(looked_at(dest, page("/", &cookie))).await;
        assert_eq!(answer.status(), expected, "{dest}: {cookie}");
        let named = if dest == "iframe" && expected == 200 { PARENTS.join(" ") } else { "'none'".into() };
        assert_eq!(ancestors(&answer), named, "{dest}: {cookie}");
    }
}

/// Without a list nothing is shown in a frame, and a link is not used up by one that would not be shown.
#[tokio::test]
async fn nobody_else_may_show_it() {
    let stage = Stage::at("https://localhost:3000").await;
    let closed = stage.merchant("Acme").await;
    let (link, _) = stage.link(&closed.who, &closed.customer).await;
    let answer = stage.send(looked_at("iframe", from_a_page(&link))).await;
    assert_eq!((answer.status(), ancestors(&answer)), (StatusCode::OK, "'none'".into()));
    assert!(cookies(&answer).is_empty());
    let answer = stage.send(from_a_page(&link)).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "the link still works");

    // The list is taken back while a session is open.
    let merchant = framing(&stage).await;
    let (link, _) = stage.link(&merchant.who, &merchant.customer).await;
    let framed = cookies(&stage.send(looked_at("iframe", from_a_page(&link))).await)[0].0.clone();
    let features = Some(json!({ "embedding": { "parent_origins": "" } }));
    let update = ConfigurationUpdate { features, ..ConfigurationUpdate::default() };
    transact!(stage.app.db, |tx| configuration::update(tx, &merchant.who, "default", update.clone()).await).unwrap();
    let answer = stage.send(looked_at("iframe", page("/", &framed))).await;
    assert_eq!((answer.status(), ancestors(&answer)), (StatusCode::UNAUTHORIZED, "'none'".into()));
}

#[tokio::test]
async fn the_element_is_for_every_page() {
    let stage = Stage::new().await;
    let answer = stage.send(request(Method::GET, "/embed.js", &[])).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(answer.headers()["cross-origin-resource-policy"], "cross-origin");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
}
