//! Signing in by mail, for those who have no business there: what nobody is told, how often is too often, and from where.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, header};
use billing::mail::queue;
use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::transact;
use serde_json::json;

use crate::mailbox::{
    MAYA, MINUTE, ask, asked, call, enter, from, leads_in, login_path, mailed, on_both, shape, update,
};
use crate::stage::{HOST, Stage, form, page, request};

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
async fn a_mail_leads_to_our_host_whatever_the_request_says() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let login = login_path(&stage, &merchant).await;
    let mut hostile = Vec::new();
    for n in 0..10 {
        let evil = format!("evil{n}.example");
        let named = |name: &'static str, value: String| {
            move |mut asked: Request<Body>| {
                asked.headers_mut().append(name, value.parse().unwrap());
                asked
            }
        };
        let with = |change: &dyn Fn(Request<Body>) -> Request<Body>| change(form(&login, "", MAYA));
        hostile.push(with(&|mut asked| {
            asked.headers_mut().insert(header::HOST, evil.parse().unwrap());
            asked
        }));
        hostile.push(with(&named("host", evil.clone())));
        hostile.push(with(&named("x-forwarded-host", evil.clone())));
        hostile.push(with(&named("forwarded", format!("host={evil};proto=https"))));
        hostile.push(with(&|mut asked| {
            *asked.uri_mut() = format!("http://{evil}{login}").parse().unwrap();
            asked
        }));
    }
    assert_eq!(hostile.len(), 50);
    let mut taken = 0;
    for asked in hostile {
        let answer = stage.send(asked).await;
        let (status, to) = (answer.status().as_u16(), answer.headers().get("location").cloned());
        assert!(matches!(status, 421 | 303), "{status}");
        assert_eq!(to, (status == 303).then(|| HeaderValue::from_str(&format!("{login}/code")).unwrap()));
        taken += i32::from(status == 303);
    }
    assert_eq!(taken, 20, "what only a proxy says is not believed");
    // Each is read as a path on our own host, or it fails there.
    assert_eq!(mailed(&stage).await.len(), 3);
}

#[tokio::test]
async fn no_page_elsewhere_signs_anybody_in_or_out() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let login = login_path(&stage, &merchant).await;
    ask(&stage, &login, "", MAYA).await;
    let mail = mailed(&stage).await.pop().unwrap();
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    for site in ["cross-site", "same-site"] {
        for (path, body) in [(login.as_str(), MAYA), (mail.path.as_str(), ""), ("/choose", ""), ("/sign-out", "")] {
            let mut forged = form(path, &cookie, body);
            forged.headers_mut().insert("sec-fetch-site", site.parse().unwrap());
            forged.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
            assert_eq!(stage.send(forged).await.status(), 403, "{path} from {site}");
        }
        for (which, body) in
            [("consume", json!({ "token": "x" })), ("sign-out", json!({})), ("request-link", asked(&merchant))]
        {
            let mut forged = call(which, &body);
            forged.headers_mut().insert("sec-fetch-site", site.parse().unwrap());
            assert_eq!(stage.send(forged).await.status(), 400, "{which} from {site}");
        }
    }
    let plain = request(Method::POST, "/customer-portal/access/consume", &[("content-type", "text/plain")]);
    assert_eq!(stage.send(plain).await.status(), 400, "what a page may send without asking");
    assert_eq!(stage.send(page("/", &cookie)).await.status(), 200, "still signed in");
    assert!(leads_in(&enter(&stage, &mail.path).await).is_some(), "and the link is still good");
    for open in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"] {
        let answer = stage.send(page(&format!("{login}?destination={open}"), &cookie)).await;
        assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &HeaderValue::from_static("/")));
    }
}

#[tokio::test]
async fn a_login_page_that_is_off_is_not_there() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let login = login_path(&stage, &merchant).await;
    let cookie = ask(&stage, &login, "", MAYA).await;
    let off = ConfigurationUpdate { login_page: Some(false), ..Default::default() };
    transact!(stage.app.db, |tx| configuration::update(tx, &merchant.who, "default", off.clone()).await).unwrap();
    for (path, cookie) in [(login.clone(), ""), (format!("{login}/code"), cookie.as_str())] {
        assert_eq!(stage.send(page(&path, cookie)).await.status(), 404);
        assert_eq!(stage.send(form(&path, cookie, MAYA)).await.status(), 404);
    }
    assert!(mailed(&stage).await.is_empty());
    let answer = stage.send(call("request-link", &asked(&merchant))).await;
    assert_eq!(answer.status(), 202, "who asks by a call is told what all are told");
    assert!(mailed(&stage).await.is_empty());
    let (ended, id) = stage.sign_in(&merchant.who, &merchant.customer).await;
    transact!(stage.app.db, |tx| billing::portal::session::revoke(tx, &merchant.who, &id).await).unwrap();
    let (_, html) = stage.text(page("/", &ended)).await;
    assert!(!html.contains("/login/"));
}

/// Behind TLS the cookie is bound to the host by its name.
#[tokio::test]
async fn the_browsers_cookie_is_bound_to_its_host() {
    let stage = Stage::at("https://localhost:3000").await;
    let merchant = stage.merchant("Acme").await;
    let mut tx = stage.app.db.read().await.unwrap();
    let url = configuration::get(&mut tx, &merchant.who, "default").await.unwrap().login_url.unwrap();
    drop(tx);
    let answer = stage.send(form(url.strip_prefix(&format!("https://{HOST}")).unwrap(), "", MAYA)).await;
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(
        set.starts_with("__Host-portico-login=")
            && set.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure")
    );
}
