//! Signing in by mail: what the page answers, what the mail holds, how long and how often each works.

use axum::http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::mailbox::{
    MAYA, MINUTE, ask, asked, call, enter, from, leads_in, login_path, mailed, on_both, try_code, update,
};
use crate::stage::{Stage, cookie_of, form, page, request};

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
