//! Links work once and for a while; sessions end when they are idle, old, revoked, or their customer is gone.

use axum::http::{Method, StatusCode, header};
use billing::portal::session;
use billing::transact;

use crate::stage::{Stage, button, cookie_of, from_a_page, page, request};

const MINUTE: i64 = 60 * 1000;

#[tokio::test]
async fn of_500_racers_one_gets_in() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (path, _) = stage.link(&merchant.who, &merchant.customer).await;
    let racers: Vec<_> = (0..500)
        .map(|_| {
            let (router, racer) = (stage.router.clone(), button(&path));
            tokio::spawn(async move { tower::ServiceExt::oneshot(router, racer).await.unwrap() })
        })
        .collect();
    let mut cookies = 0;
    for racer in racers {
        let answer = racer.await.unwrap();
        match cookie_of(&answer) {
            Some(_) => {
                assert_eq!(answer.status(), StatusCode::SEE_OTHER);
                cookies += 1;
            }
            None => assert_eq!(answer.status(), StatusCode::GONE),
        }
    }
    assert_eq!(cookies, 1);
}

#[tokio::test]
async fn visits_that_no_person_made_use_nothing_up() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (path, _) = stage.link(&merchant.who, &merchant.customer).await;
    let navigation = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let mut visits = vec![request(Method::GET, &path, &[]), request(Method::HEAD, &path, &[])];
    for odd in [
        vec![("sec-fetch-site", "none")],
        vec![("sec-fetch-site", "cross-site"), ("sec-purpose", "prefetch;prerender")],
        vec![("sec-fetch-site", "cross-site"), ("purpose", "prefetch")],
    ] {
        visits.push(request(Method::GET, &path, &[&navigation[..], &odd].concat()));
    }
    visits.push(request(
        Method::GET,
        &path,
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
    ));
    visits.push(request(Method::HEAD, &path, &[("sec-fetch-site", "cross-site"), navigation[0], navigation[1]]));
    for _ in 0..20 {
        visits.push(request(Method::GET, &path, &[("user-agent", "scanner/1.0")]));
    }
    for visit in visits {
        let answer = stage.send(visit).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(cookie_of(&answer), None);
        assert_eq!(answer.headers()[header::REFERRER_POLICY], "strict-origin");
    }
    let answer = stage.send(from_a_page(&path)).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()[header::LOCATION], "/");
    assert_eq!(answer.headers()[header::REFERRER_POLICY], "no-referrer");
    assert!(cookie_of(&answer).is_some());
}

#[tokio::test]
async fn a_button_on_somebody_elses_page_is_refused() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (path, _) = stage.link(&merchant.who, &merchant.customer).await;
    for forged in [
        vec![("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        vec![("sec-fetch-site", "same-site")],
        vec![("origin", "https://evil.example")],
        vec![("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
        vec![],
    ] {
        let answer = stage.send(request(Method::POST, &path, &forged)).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{forged:?}");
        assert_eq!(cookie_of(&answer), None);
    }
    let old_browser = request(Method::POST, &path, &[("origin", "http://localhost:3000")]);
    assert_eq!(stage.send(old_browser).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_link_is_dead_thirty_minutes_after_it_was_made() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (in_time, _) = stage.link(&merchant.who, &merchant.customer).await;
    let (late, _) = stage.link(&merchant.who, &merchant.customer).await;
    stage.clock.advance(30 * MINUTE - 1000);
    assert_eq!(stage.send(from_a_page(&in_time)).await.status(), StatusCode::SEE_OTHER);
    stage.clock.advance(1000);
    for visit in [from_a_page(&late), button(&late), request(Method::GET, &late, &[])] {
        let (status, html) = stage.text(visit).await;
        assert_eq!(status, StatusCode::GONE);
        assert!(
            html.contains("This session has expired")
                && html.contains("Acme")
                && html.contains("https://shop.example/account")
        );
    }
}

#[tokio::test]
async fn a_used_link_is_refused_except_to_the_browser_that_holds_its_session() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (path, _) = stage.link(&merchant.who, &merchant.customer).await;
    let cookie = cookie_of(&stage.send(from_a_page(&path)).await).unwrap();
    for again in [from_a_page(&path), button(&path)] {
        assert_eq!(stage.send(again).await.status(), StatusCode::GONE);
    }
    for again in [from_a_page(&path), request(Method::GET, &path, &[]), button(&path)] {
        let (mut parts, body) = again.into_parts();
        parts.headers.insert(header::COOKIE, cookie.parse().unwrap());
        let answer = stage.send(axum::http::Request::from_parts(parts, body)).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(cookie_of(&answer), None, "nothing is minted");
    }
}

#[tokio::test]
async fn a_session_ends_after_thirty_idle_minutes_and_two_hours_at_most() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    let is_in = async || stage.send(page("/", &cookie)).await.status() == StatusCode::OK;
    assert!(is_in().await);
    stage.clock.advance(30 * MINUTE - 1000);
    assert!(is_in().await, "used within the idle limit");
    stage.clock.advance(30 * MINUTE);
    assert!(!is_in().await, "idle for thirty minutes");
    stage.clock.advance(-30 * MINUTE);
    assert!(!is_in().await, "a clock that is set back revives no session");

    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    let is_in = async || stage.send(page("/", &cookie)).await.status() == StatusCode::OK;
    for _ in 0..4 {
        stage.clock.advance(29 * MINUTE);
        assert!(is_in().await);
    }
    stage.clock.advance(4 * MINUTE - 1000);
    assert!(is_in().await, "one second before two hours");
    stage.clock.advance(1000);
    let (status, html) = stage.text(page("/", &cookie)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(html.contains("This session has expired") && html.contains("Acme"));
}

#[tokio::test]
async fn a_revoked_session_is_out_at_the_next_request() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (cookie, id) = stage.sign_in(&merchant.who, &merchant.customer).await;
    transact!(stage.app.db, |tx| session::revoke(tx, &merchant.who, &id).await).unwrap();
    assert_eq!(stage.send(page("/", &cookie)).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_cookie_is_good_on_its_own_host_only() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    for host in ["evil.example", "localhost:3001", "localhost"] {
        let mut visit = page("/", &cookie);
        visit.headers_mut().insert(header::HOST, host.parse().unwrap());
        assert_eq!(stage.send(visit).await.status(), StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
    let mut twice = page("/", &cookie);
    twice.headers_mut().append(header::HOST, "evil.example".parse().unwrap());
    assert_eq!(stage.send(twice).await.status(), StatusCode::MISDIRECTED_REQUEST);
}
