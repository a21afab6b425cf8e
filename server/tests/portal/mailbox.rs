//! What specs of signing in share: the box that mails come to, the forms, and the calls.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, Response, StatusCode, header};
use billing::customer::CustomerUpdate;
use billing::mail::queue::{self, Outcome};
use billing::patch::Patch;
use billing::portal::configuration;
use billing::transact;
use serde_json::{Value, json};

use crate::stage::{Merchant, Stage, cookie_of, form, request};

pub const MINUTE: i64 = 60_000;
pub const MAYA: &str = "email=maya%40example.com&destination=home";

pub struct Mailed {
    pub recipient: String,
    /// The link's path.
    pub path: String,
    pub code: String,
}

/// Takes the mails that wait, as the worker does, and answers those that have something to tell.
pub async fn mailed(stage: &Stage) -> Vec<Mailed> {
    let mut all = Vec::new();
    while let Some(mut mail) = transact!(stage.app.db, |tx| queue::claim(tx).await).unwrap() {
        let mut tx = stage.app.db.read().await.unwrap();
        let sender = queue::sender(&mut tx, &mut mail).await.unwrap();
        drop(tx);
        let outcome = if sender.is_some() { Outcome::Sent } else { Outcome::Over };
        transact!(stage.app.db, |tx| queue::settle(tx, &mail, outcome).await).unwrap();
        if let (Some(_), Some(code)) = (sender, mail.data.code.clone()) {
            let url = mail.data.url.clone().unwrap();
            let path = url.strip_prefix("http://localhost:3000").unwrap_or_else(|| panic!("{url}"));
            all.push(Mailed { recipient: mail.recipient.clone(), path: path.to_owned(), code });
        }
    }
    all
}

pub async fn login_path(stage: &Stage, merchant: &Merchant) -> String {
    let mut tx = stage.app.db.read().await.unwrap();
    let url = configuration::get(&mut tx, &merchant.who, "default").await.unwrap().login_url.unwrap();
    url.strip_prefix("http://localhost:3000").unwrap().to_owned()
}

/// Asks on the page; answers the browser's cookie.
pub async fn ask(stage: &Stage, path: &str, cookie: &str, body: &str) -> String {
    let answer = stage.send(form(path, cookie, body)).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()["location"], format!("{path}/code"));
    cookie_of(&answer).unwrap()
}

pub fn from(mut request: Request<Body>, client: [u8; 4]) -> Request<Body> {
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from((client, 4000))));
    request
}

pub fn leads_in(answer: &Response<Body>) -> Option<String> {
    (answer.status() == 303).then(|| cookie_of(answer).unwrap()).filter(|cookie| cookie.starts_with("portico="))
}

pub async fn enter(stage: &Stage, path: &str) -> Response<Body> {
    stage.send(form(path, "", "")).await
}

pub async fn try_code(stage: &Stage, login: &str, cookie: &str, code: &str) -> Response<Body> {
    stage.send(form(&format!("{login}/code"), cookie, &format!("code={code}"))).await
}

pub async fn update(stage: &Stage, merchant: &Merchant, id: &str, email: &str) {
    let email = Patch::Set(email.to_owned());
    transact!(stage.app.db, |tx| {
        let update = CustomerUpdate { email: email.clone(), ..Default::default() };
        billing::customer::update(tx, &merchant.who, id, update).await
    })
    .unwrap();
}

pub async fn on_both(test: impl AsyncFn(Stage)) {
    test(Stage::new().await).await;
    if let Some(stage) = Stage::on_postgres().await {
        test(stage).await;
    }
}

/// What an answer is made of, but for what is random by its nature.
pub async fn shape(answer: Response<Body>) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let status = answer.status().as_u16();
    let mut headers: Vec<(String, String)> = answer
        .headers()
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "request-id" | "date"))
        .map(|(name, value)| {
            let value = value.to_str().unwrap();
            let is_cookie = name == header::SET_COOKIE;
            let value = if is_cookie { value.split_once(';').unwrap().1.to_owned() } else { value.to_owned() };
            (name.to_string(), value)
        })
        .collect();
    headers.sort();
    (status, headers, axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec())
}

/// One of the calls that do what the pages do.
pub fn call(which: &str, body: &Value) -> Request<Body> {
    let path = format!("/customer-portal/access/{which}");
    request(Method::POST, &path, &[("content-type", "application/json")]).map(|_| Body::from(body.to_string()))
}

pub fn asked(merchant: &Merchant) -> Value {
    let company = &merchant.who.tenant.merchant;
    json!({ "email": "maya@example.com", "company_id": company, "destination": "payment_methods" })
}
