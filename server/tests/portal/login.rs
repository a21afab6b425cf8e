//! Signing in by mail: what the page answers, what the mail holds, how long and how often each works.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use billing::customer::CustomerUpdate;
use billing::mail::queue::{self, Outcome};
use billing::patch::Patch;
use billing::portal::configuration;
use billing::transact;
use serde_json::json;

use crate::login_calls::{asked, call};
use crate::stage::{Merchant, Stage, cookie_of, form, page, request};

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

#[tokio::test]
async fn a_mailed_link_works_once_and_by_its_button_only() {
    on_both(async |stage| {
        let merchant = stage.merchant("Acme").await;
        let login = login_path(&stage, &merchant).await;
        let (status, html) = stage.text(page(&format!("{login}?destination=payment_methods"), "")).await;
        assert_eq!(status, 200);
        assert!(html.contains("Acme") && html.contains("value=\"payment_methods\"") && !html.contains("<script"));
        ask(&stage, &login, "", "email=Maya%40Example.com&destination=payment_methods").await;
        let mail = mailed(&stage).await.pop().unwrap();
        assert_eq!(mail.recipient, "maya@example.com", "to the address as it is on file");
        for (method, site) in [("GET", "cross-site"), ("GET", "none"), ("HEAD", "none"), ("OPTIONS", "none")] {
            for n in 0..5u8 {
                let headers = [
                    ("sec-fetch-site", site),
                    ("sec-fetch-mode", "navigate"),
                    ("sec-fetch-dest", "document"),
                    ("sec-purpose", "prefetch"),
                    ("accept", "text/html"),
                ];
                let look = request(method.parse().unwrap(), &mail.path, &headers[..headers.len() - usize::from(n % 2)]);
                let answer = stage.send(from(look, [192, 0, 2, n])).await;
                assert!(!answer.headers().contains_key(header::SET_COOKIE), "{method} from {site}");
            }
        }
        let (status, html) = stage.text(page(&mail.path, "")).await;
        assert_eq!(status, 200);
        assert!(html.contains("Continue to billing") && html.contains("M•••@Example.com"), "{html}");
        let answer = enter(&stage, &mail.path).await;
        assert_eq!(answer.headers()["location"], "/payment-methods");
        let cookie = leads_in(&answer).unwrap();
        assert_eq!(stage.send(page("/", &cookie)).await.status(), 200);
        let again = enter(&stage, &mail.path).await;
        assert_eq!((again.status().as_u16(), leads_in(&again)), (410, None));
        let (_, html) = stage.text(page(&mail.path, "")).await;
        assert!(html.contains(&login) && html.contains("Email me a new link"), "{html}");
        assert_eq!(enter(&stage, "/access/unknown").await.status(), 404);
    })
    .await;
}

#[tokio::test]
async fn link_and_code_live_ten_minutes() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let login = login_path(&stage, &merchant).await;
    for (wait, lives) in [(10 * MINUTE - 1000, true), (10 * MINUTE, false), (10 * MINUTE + 1000, false)] {
        for by_code in [false, true] {
            stage.clock.advance(15 * MINUTE);
            let cookie = ask(&stage, &login, "", MAYA).await;
            let mail = mailed(&stage).await.pop().unwrap();
            stage.clock.advance(wait);
            let answer = match by_code {
                true => try_code(&stage, &login, &cookie, &mail.code).await,
                false => enter(&stage, &mail.path).await,
            };
            assert_eq!(leads_in(&answer).is_some(), lives, "after {wait} ms, by code: {by_code}");
        }
    }
    stage.clock.advance(15 * MINUTE);
    ask(&stage, &login, "", MAYA).await;
    stage.clock.advance(10 * MINUTE);
    assert!(mailed(&stage).await.is_empty(), "what is dead already is not sent");
}

#[tokio::test]
async fn a_code_is_good_in_the_browser_that_asked_and_five_wrong_ones_end_it() {
    on_both(async |stage| {
        let merchant = stage.merchant("Acme").await;
        let login = login_path(&stage, &merchant).await;
        let cookie = ask(&stage, &login, "", MAYA).await;
        let mail = mailed(&stage).await.pop().unwrap();
        let elsewhere = cookie.replace(&cookie[cookie.len() - 5..], "AAAAA");
        for other in ["", elsewhere.as_str()] {
            let answer = try_code(&stage, &login, other, &mail.code).await;
            assert_eq!((answer.status().as_u16(), leads_in(&answer)), (400, None), "in another browser");
        }
        let wrong = if mail.code == "123456" { "654321" } else { "123456" };
        for n in 1..=4 {
            assert_eq!(try_code(&stage, &login, &cookie, wrong).await.status(), 400, "wrong code {n}");
        }
        let spaced = format!("{}+{}", &mail.code[..3], &mail.code[3..]);
        let answer = try_code(&stage, &login, &cookie, &spaced).await;
        assert!(leads_in(&answer).is_some(), "after four wrong ones");
        assert_eq!(leads_in(&enter(&stage, &mail.path).await), None, "the link went with the code");

        let cookie = ask(&stage, &login, "", MAYA).await;
        let mail = mailed(&stage).await.pop().unwrap();
        let wrong = if mail.code == "123456" { "654321" } else { "123456" };
        for _ in 1..=5 {
            try_code(&stage, &login, &cookie, wrong).await;
        }
        assert_eq!(leads_in(&try_code(&stage, &login, &cookie, &mail.code).await), None);
        assert_eq!(leads_in(&enter(&stage, &mail.path).await), None, "five wrong codes end the link too");
    })
    .await;
}

#[tokio::test]
async fn a_new_address_ends_what_was_asked_for_with_the_old_one() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let login = login_path(&stage, &merchant).await;
    let cookie = ask(&stage, &login, "", MAYA).await;
    let mail = mailed(&stage).await.pop().unwrap();
    update(&stage, &merchant, &merchant.customer, "new@example.com").await;
    assert_eq!(leads_in(&enter(&stage, &mail.path).await), None);
    assert_eq!(leads_in(&try_code(&stage, &login, &cookie, &mail.code).await), None);
    ask(&stage, &login, "", MAYA).await;
    assert!(mailed(&stage).await.is_empty(), "nobody has the old one");
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

#[tokio::test]
async fn nothing_tells_whether_a_customer_has_the_address() {
    on_both(async |stage| {
        let merchant = stage.merchant("Acme").await;
        let login = login_path(&stage, &merchant).await;
        let (gone, _) = stage.customer(&merchant.who).await;
        update(&stage, &merchant, &gone, "gone@example.com").await;
        transact!(stage.app.db, |tx| billing::customer::delete(tx, &merchant.who, &gone).await).unwrap();
        for _ in 0..2 {
            let (shared, _) = stage.customer(&merchant.who).await;
            update(&stage, &merchant, &shared, "shared@example.com").await;
        }
        let mut pages = Vec::new();
        let mut calls = Vec::new();
        for email in ["maya@example.com", "nobody@example.com", "gone@example.com", "shared@example.com"] {
            let body = format!("email={}&destination=home", email.replace('@', "%40"));
            pages.push(shape(stage.send(form(&login, "", &body)).await).await);
            let body = json!({ "email": email, "company_id": merchant.who.tenant.merchant, "destination": "home" });
            calls.push(shape(stage.send(call("request-link", &body)).await).await);
        }
        // More than may be sent to one address.
        for _ in 0..4 {
            calls.push(shape(stage.send(call("request-link", &asked(&merchant))).await).await);
        }
        assert!(pages.iter().all(|answer| *answer == pages[0]), "{pages:?}");
        assert!(calls.iter().all(|answer| *answer == calls[0]), "{calls:?}");
        assert_eq!((calls[0].0, calls[0].2.as_slice()), (202, b"{}".as_slice()));
        let sent = mailed(&stage).await;
        let to = |email: &str| sent.iter().filter(|mail| mail.recipient == email).count();
        assert_eq!((to("maya@example.com"), to("shared@example.com"), sent.len()), (3, 2, 5), "three an address");
    })
    .await;
}

#[tokio::test]
async fn the_same_statements_are_run_whoever_has_the_address() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let login = login_path(&stage, &merchant).await;
    assert!(mailed(&stage).await.is_empty(), "receipts are no way in");
    let cookie = ask(&stage, &login, "", MAYA).await;
    ask(&stage, &login, "", "email=nobody%40example.com").await;
    let (status, html) = stage.text(page(&format!("{login}/code"), &cookie)).await;
    assert_eq!(status, 200);
    assert!(html.contains("maya@example.com") && html.contains("one-time-code"));
    let mut waiting = Vec::new();
    while let Some(mail) = transact!(stage.app.db, |tx| queue::claim(tx).await).unwrap() {
        assert_eq!((mail.customer.clone(), mail.data.url.clone()), (None, None), "a mail is kept without its secrets");
        waiting.push(mail.recipient);
    }
    assert_eq!(waiting, ["maya@example.com", "nobody@example.com"], "who has it is seen when it is sent");
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let login = login_path(&stage, &merchant).await;
    let asked = async |n: i64, client: [u8; 4]| {
        let body = format!("email=someone{n}%40example.com");
        let answer = stage.send(from(form(&login, "", &body), client)).await;
        let wait = answer.headers().get(header::RETRY_AFTER).map(|seconds| seconds.to_str().unwrap().to_owned());
        (answer.status().as_u16(), wait)
    };
    let (one, two) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    for n in 0..6 {
        assert_eq!(asked(n, one).await, (303, None));
    }
    assert_eq!(asked(6, one).await, (429, Some("60".into())));
    assert_eq!(asked(7, two).await, (303, None), "others may");
    stage.clock.advance(MINUTE);
    for n in 8..13 {
        assert_eq!(asked(n, one).await, (303, None));
    }
    stage.clock.advance(MINUTE);
    assert_eq!(asked(13, one).await, (429, Some("900".into())), "twelve an hour, and one was too many");
    stage.clock.advance(15 * MINUTE - 1000);
    assert_eq!(asked(14, one).await, (429, Some("1".into())));
    stage.clock.advance(1000);
    assert_eq!(asked(15, one).await, (303, None));
    for n in 0..10 {
        let answer = stage.send(from(form("/access/unknown", "", ""), two)).await;
        assert_eq!(answer.status(), 404, "try {n}");
    }
    let answer = stage.send(from(form("/access/unknown", "", ""), two)).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (429, "60"));
}

#[tokio::test]
async fn who_shares_an_address_chooses() {
    on_both(async |stage| {
        let merchant = stage.merchant("Acme").await;
        let login = login_path(&stage, &merchant).await;
        let (other, _) = stage.customer(&merchant.who).await;
        let (stranger, _) = stage.customer(&merchant.who).await;
        update(&stage, &merchant, &stranger, "stranger@example.com").await;
        ask(&stage, &login, "", "email=maya%40example.com&destination=billing_information").await;
        let mail = mailed(&stage).await.pop().unwrap();
        let answer = enter(&stage, &mail.path).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["location"]),
            (303, &HeaderValue::from_static("/choose"))
        );
        let proof = cookie_of(&answer).unwrap();
        assert!(proof.starts_with("portico-login="));
        let (status, html) = stage.text(page("/choose", &proof)).await;
        assert_eq!(status, 200);
        assert!(html.contains(&other) && html.contains(&merchant.customer) && html.contains("Team"), "{html}");
        assert!(!html.contains(&stranger));
        let choose =
            async |cookie: &str, id: &str| stage.send(form("/choose", cookie, &format!("customer={id}"))).await;
        assert_eq!(choose("", &other).await.status(), 410, "without the proof");
        assert_eq!(choose(&proof, &stranger).await.status(), 410, "somebody else's");
        stage.clock.advance(10 * MINUTE - 1000);
        let answer = choose(&proof, &other).await;
        assert_eq!(answer.headers()["location"], "/details");
        let cookie = leads_in(&answer).unwrap();
        let (_, html) = stage.text(page("/details", &cookie)).await;
        assert!(html.contains("Maya"));
        assert_eq!(leads_in(&choose(&proof, &merchant.customer).await), None, "once");
    })
    .await;
}

#[tokio::test]
async fn a_choice_waits_ten_minutes() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    stage.customer(&merchant.who).await;
    let login = login_path(&stage, &merchant).await;
    ask(&stage, &login, "", MAYA).await;
    let mail = mailed(&stage).await.pop().unwrap();
    let proof = cookie_of(&enter(&stage, &mail.path).await).unwrap();
    stage.clock.advance(10 * MINUTE);
    assert_eq!(stage.send(page("/choose", &proof)).await.status(), 410);
    let answer = stage.send(form("/choose", &proof, &format!("customer={}", merchant.customer))).await;
    assert_eq!((answer.status().as_u16(), leads_in(&answer)), (410, None));
}
