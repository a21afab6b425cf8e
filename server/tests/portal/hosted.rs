//! An invoice's own page: for whoever holds its link, and for nobody else; no session, no script, nothing changed.

use axum::http::{Method, StatusCode, header};
use billing::customer::CustomerUpdate;
use billing::{Patch, transact};

use crate::stage::{Merchant, Stage, cookie_of, page, request};

const DAY: i64 = 24 * 60 * 60 * 1000;

async fn path(stage: &Stage, merchant: &Merchant) -> String {
    let mut tx = stage.app.db.read().await.unwrap();
    let invoice = billing::invoice::get(&mut tx, &merchant.who, &merchant.invoice).await.unwrap();
    invoice.hosted_invoice_url.unwrap().strip_prefix("http://localhost:3000").unwrap().to_owned()
}

#[tokio::test]
async fn whoever_holds_the_link_sees_the_invoice_and_nothing_else() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let path = path(&stage, &merchant).await;
    let answer = stage.send(request(Method::GET, &path, &[("accept", "text/html")])).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(cookie_of(&answer), None);
    assert_eq!(answer.headers()[header::REFERRER_POLICY], "no-referrer");
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(!policy.contains("script-src") && policy.contains("default-src 'none'"), "it runs no script: {policy}");
    let (_, html) = stage.text(request(Method::GET, &path, &[])).await;
    for part in ["Acme", "Maya", "Team", "$19.00", "Paid", "4242", "<title>Invoice "] {
        assert!(html.contains(part), "{part}");
    }
    for part in ["<script", "<form", "/invoices", "/details", &merchant.customer, &merchant.subscription, " style="] {
        assert!(!html.contains(part), "{part}");
    }
}

#[tokio::test]
async fn another_link_leads_nowhere() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let path = path(&stage, &merchant).await;
    for wrong in [&path[..path.len() - 1], "/invoice/x", &format!("/invoice/{}", merchant.invoice)] {
        let (status, html) = stage.text(request(Method::GET, wrong, &[("accept", "text/html")])).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{wrong}");
        assert!(!html.contains("Acme"), "{wrong}");
    }
    assert_eq!(stage.send(request(Method::POST, &path, &[("sec-fetch-site", "same-origin")])).await.status(), 405);
}

#[tokio::test]
async fn it_ends_thirty_days_after_it_was_paid_and_says_so() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let path = path(&stage, &merchant).await;
    stage.clock.advance(30 * DAY - 1000);
    assert_eq!(stage.send(request(Method::GET, &path, &[])).await.status(), StatusCode::OK);
    stage.clock.advance(1000);
    let (status, html) = stage.text(request(Method::GET, &path, &[])).await;
    assert_eq!(status, StatusCode::GONE);
    assert!(html.contains("This link has expired") && html.contains("Acme") && !html.contains("$19.00"));
}

#[tokio::test]
async fn it_speaks_the_customers_language() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let update = CustomerUpdate { preferred_locales: Patch::Set(vec!["de".into()]), ..CustomerUpdate::default() };
    transact!(stage.app.db, |tx| billing::customer::update(tx, &merchant.who, &merchant.customer, update.clone())
        .await)
    .unwrap();
    let path = path(&stage, &merchant).await;
    let (_, html) = stage.text(request(Method::GET, &path, &[("accept-language", "ar")])).await;
    assert!(html.contains("lang=\"de\"") && html.contains("Rechnung ") && html.contains("19,00"));
}

#[tokio::test]
async fn the_portals_own_page_of_it_is_the_same_sheet() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    let (status, html) = stage.text(page(&format!("/invoices/{}", merchant.invoice), &cookie)).await;
    assert_eq!(status, StatusCode::OK);
    for part in ["Billed to", "Maya", "Team", "1 × $19.00 per month", "Amount due"] {
        assert!(html.contains(part), "{part}");
    }
}
