//! Who signs in and out from where: hosts, other sites' pages, cookies, and the calls that do what the pages do.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::transact;
use serde_json::{Value, json};

use crate::login::*;
use crate::stage::{HOST, Merchant, Stage, cookie_of, form, page, request};

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
async fn signing_out_ends_this_session_or_all() {
    on_both(async |stage| {
        let merchant = stage.merchant("Acme").await;
        let sign_in = async || stage.sign_in(&merchant.who, &merchant.customer).await.0;
        let (one, two, three) = (sign_in().await, sign_in().await, sign_in().await);
        let alive = async |cookie: &str| stage.send(page("/", cookie)).await.status() == 200;
        let (status, html) = stage.text(page("/sign-out", &one)).await;
        assert_eq!(status, 200);
        assert!(html.contains("everywhere") && alive(&one).await, "asking changes nothing");
        let answer = stage.send(form("/sign-out", &one, "")).await;
        assert_eq!((answer.status(), cookie_of(&answer)), (StatusCode::OK, Some("portico=".into())));
        assert_eq!(answer.headers()["clear-site-data"], "\"cache\", \"storage\"");
        assert!(!alive(&one).await && alive(&two).await);
        let (_, html) = stage.text(page("/", &one)).await;
        assert!(html.contains("Email me a new link") && html.contains(&login_path(&stage, &merchant).await));
        stage.send(form("/sign-out", &two, "everywhere=true")).await;
        assert!(!alive(&two).await && !alive(&three).await);
        assert_eq!(stage.send(form("/sign-out", &two, "")).await.status(), 303, "nobody is signed in");
    })
    .await;
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

/// One of the calls that do what the pages do.
pub fn call(which: &str, body: &Value) -> Request<Body> {
    let path = format!("/customer-portal/access/{which}");
    request(Method::POST, &path, &[("content-type", "application/json")]).map(|_| Body::from(body.to_string()))
}

pub fn asked(merchant: &Merchant) -> Value {
    let company = &merchant.who.tenant.merchant;
    json!({ "email": "maya@example.com", "company_id": company, "destination": "payment_methods" })
}

#[tokio::test]
async fn the_calls_do_what_the_pages_do() {
    on_both(async |stage| {
        let merchant = stage.merchant("Acme").await;
        assert_eq!(stage.text(call("request-link", &asked(&merchant))).await, (StatusCode::ACCEPTED, "{}".into()));
        let mail = mailed(&stage).await.pop().unwrap();
        let token = json!({ "token": mail.path.strip_prefix("/access/").unwrap() });
        let answer = stage.send(call("consume", &token)).await;
        assert_eq!(answer.status(), 200);
        let cookie = cookie_of(&answer).unwrap();
        let body = axum::body::to_bytes(answer.into_body(), 9999).await.unwrap();
        let expires = stage.clock.wall().seconds().0 + 2 * 60 * 60;
        let url = "http://localhost:3000/payment-methods";
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), json!({ "url": url, "expires_at": expires }));
        assert_eq!(stage.send(page("/", &cookie)).await.status(), 200);
        for gone in [token, json!({ "token": "unknown" }), json!({})] {
            let (status, text) = stage.text(call("consume", &gone)).await;
            let body: Value = serde_json::from_str(&text).unwrap();
            assert_eq!((status.as_u16(), &body["error"]["code"]), (400, &json!("invalid_token")), "{text}");
        }
        let mut out = call("sign-out", &json!({}));
        out.headers_mut().insert("cookie", cookie.parse().unwrap());
        assert_eq!(stage.send(out).await.status(), 204);
        assert_eq!(stage.send(page("/", &cookie)).await.status(), 401);
        assert_eq!(stage.send(call("sign-out", &json!({}))).await.status(), 204, "also without a session");
        for (field, value) in [
            ("email", json!("none")),
            ("email", Value::Null),
            ("company_id", json!(7)),
            ("destination", json!("moon")),
            ("emial", json!("x")),
        ] {
            let mut body = asked(&merchant);
            body[field] = value;
            let (status, text) = stage.text(call("request-link", &body)).await;
            let body: Value = serde_json::from_str(&text).unwrap();
            assert_eq!((status.as_u16(), &body["error"]["field"]), (400, &json!(field)), "{text}");
        }
        let mut nobody = asked(&merchant);
        nobody["company_id"] = json!("acct_nobody");
        assert_eq!(stage.send(call("request-link", &nobody)).await.status(), 202);
        assert!(mailed(&stage).await.is_empty());
    })
    .await;
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
