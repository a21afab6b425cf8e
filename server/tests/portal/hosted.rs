//! An invoice's own page: for whoever holds its link, and for nobody else; no session, no script, and it is paid there.

use axum::http::{Method, StatusCode, header};
use billing::customer::CustomerUpdate;
use billing::{Patch, transact};
use tower::ServiceExt;

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

/// A customer whose card fails when it is charged, and the path of the invoice that is open for it.
async fn unpaid(stage: &Stage, merchant: &Merchant, card: &str) -> (String, String) {
    let customer = transact!(stage.app.db, |tx| {
        let customer = billing::customer::create(tx, &merchant.who, CustomerUpdate::default()).await?;
        let card = billing::gateway::sandbox::test_method(card, 2030).unwrap();
        let method = billing::customer::payment_method::attach(tx, &merchant.who, &customer.id, card).await?;
        let default = CustomerUpdate { default_payment_method: Patch::Set(method.id), ..CustomerUpdate::default() };
        billing::customer::update(tx, &merchant.who, &customer.id, default).await
    })
    .unwrap();
    let (_, invoice) = stage.subscription(&merchant.who, &customer.id, &merchant.price).await;
    let mut tx = stage.app.db.read().await.unwrap();
    let found = billing::invoice::get(&mut tx, &merchant.who, &invoice).await.unwrap();
    (found.hosted_invoice_url.unwrap().strip_prefix("http://localhost:3000").unwrap().to_owned(), customer.id)
}

#[tokio::test]
async fn it_is_paid_by_its_one_button() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (path, customer) = unpaid(&stage, &merchant, "pm_card_chargeCustomerFail").await;
    let (_, html) = stage.text(request(Method::GET, &path, &[])).await;
    assert!(html.contains("Pay $19.00 now") && html.contains("Your bank declined this payment"), "{html}");
    let own = [("sec-fetch-site", "same-origin"), ("accept", "text/html")];
    let pay = async || stage.send(request(Method::POST, &format!("{path}/pay"), &own)).await;
    assert_eq!(pay().await.headers()[header::LOCATION], path.as_str());
    let (_, html) = stage.text(request(Method::GET, &path, &[])).await;
    assert!(html.contains("Pay $19.00 now"), "it failed again, and can be tried again");
    let elsewhere = [("sec-fetch-site", "cross-site"), ("accept", "text/html")];
    let refused = stage.send(request(Method::POST, &format!("{path}/pay"), &elsewhere)).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    transact!(stage.app.db, |tx| {
        let card = billing::gateway::sandbox::test_method("pm_card_visa", 2030).unwrap();
        let method = billing::customer::payment_method::attach(tx, &merchant.who, &customer, card).await?;
        let default = CustomerUpdate { default_payment_method: Patch::Set(method.id), ..CustomerUpdate::default() };
        billing::customer::update(tx, &merchant.who, &customer, default).await
    })
    .unwrap();
    pay().await;
    let (_, html) = stage.text(request(Method::GET, &path, &[])).await;
    assert!(html.contains("Paid") && !html.contains("<form"), "{html}");
    assert_eq!(pay().await.status(), StatusCode::SEE_OTHER, "once more is nothing");
}

#[tokio::test]
async fn a_bank_that_asks_for_its_payment_is_answered_on_the_fields_origin() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (path, _) = unpaid(&stage, &merchant, "pm_card_authenticationRequired").await;
    let (_, html) = stage.text(request(Method::GET, &path, &[])).await;
    let (_, rest) = html.split_once("href=\"http://127.0.0.1:3001").unwrap();
    let bank = rest.split('"').next().unwrap().to_owned();
    let ask = async |method: Method, body: &'static str| {
        let headers = [("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
        let mut asked = request(method, &bank, &headers).map(|_| axum::body::Body::from(body));
        asked.headers_mut().insert(header::HOST, "127.0.0.1:3001".parse().unwrap());
        let answer = server::fields::router(stage.app.clone()).oneshot(asked).await.unwrap();
        let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    let shown = ask(Method::GET, "").await;
    assert!(shown.contains("Acme asks for $19.00"), "{shown}");
    let answered = ask(Method::POST, "answer=yes").await;
    assert!(answered.contains(&format!("http://localhost:3000{path}")), "{answered}");
    let (_, html) = stage.text(request(Method::GET, &path, &[])).await;
    assert!(html.contains("Paid"), "{html}");
}
