//! Which path answers under which host: the public URL's, a merchant's own, another merchant's, nobody's.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use billing::portal::domain;
use billing::store::Conn;
use billing::transact;
use leptos::server_fn::axum::server_fn_paths;
use tower::ServiceExt;

use crate::callers::filled;
use crate::stage::{HOST, Merchant, Stage, button, cookie_of, form, from_a_page, page, request};

/// As a `Host` header has it: the front is the public URL's.
fn at(name: &str) -> String {
    format!("{name}:3000")
}

fn under(host: &str, mut request: Request<Body>) -> Request<Body> {
    request.headers_mut().insert(header::HOST, HeaderValue::from_str(host).unwrap());
    request
}

/// Who answers what: on the public URL all, on a proven domain what customers see, elsewhere nothing.
fn answers_on_domains(path: &str) -> bool {
    !(path.starts_with("/v1/") || path.starts_with("/docs/"))
}

/// A balancer's checks come by an address, and so do an operator's own programs.
const ANY_HOST: &[&str] = &["/healthz", "/readyz", "/metrics", "/tls/ask"];

#[tokio::test]
async fn every_path_answers_where_it_should() {
    let stage = Stage::new().await;
    let (owner, rival) = (stage.merchant("Acme").await, stage.merchant("Rival").await);
    let proven = at(&stage.prove(&owner).await);
    let claimed = "billing.rival.example:3000";
    let mut paths: Vec<(Method, String)> = server::api::ROUTES
        .iter()
        .chain(server::web::ROUTES)
        .map(|(method, path)| (method.parse().unwrap(), filled(path, &owner)))
        .collect();
    paths.extend(server::web::page_paths().into_iter().map(|path| (Method::GET, path.replace("{id}", "x"))));
    paths.extend(server_fn_paths().map(|(path, _)| (Method::POST, path.to_owned())));
    paths.extend(["/favicon.svg", "/no-such-page"].map(|path| (Method::GET, path.to_owned())));
    for (method, path) in paths {
        let bearer = format!("Bearer {}", rival.key);
        let ask = |host: &str| {
            let headers =
                [("authorization", bearer.as_str()), ("sec-fetch-site", "same-origin"), ("accept", "text/html")];
            under(host, request(method.clone(), &path, &headers))
        };
        let everywhere = ANY_HOST.contains(&path.as_str());
        assert_ne!(stage.send(ask(HOST)).await.status(), 421, "{method} {path} on the public URL");
        let on_own = stage.send(ask(&proven)).await.status() != 421;
        assert_eq!(on_own, everywhere || answers_on_domains(&path), "{method} {path} on a domain");
        for nobody in [
            claimed,
            "billing.acme.example",
            "billing.acme.example.:3000",
            "x.billing.acme.example:3000",
            "10.0.0.1:3000",
        ] {
            let (status, body) = stage.text(ask(nobody)).await;
            assert_eq!(status == 421, !everywhere, "{method} {path} at {nobody}: {status}");
            for word in ["Acme", "Rival", "Maya"] {
                assert!(!body.contains(word), "{method} {path} at {nobody} says {word}");
            }
        }
    }
}

/// A link, its session and an invoice are good on the public URL and on their own merchant's domain.
#[tokio::test]
async fn what_is_one_hosts_is_no_others() {
    let stage = Stage::new().await;
    let (owner, rival) = (stage.merchant("Acme").await, stage.merchant("Rival").await);
    let (own, other) = (at(&stage.prove(&owner).await), at(&stage.prove(&rival).await));
    let (link, _) = stage.link(&owner.who, &owner.customer).await;
    for opened in [from_a_page(&link), button(&link)] {
        let (status, body) = stage.text(under(&other, opened)).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(!body.contains("Acme") && !body.contains("Rival"), "{body}");
    }
    let hosted = hosted(&stage, &owner).await;
    assert_eq!(stage.send(under(&other, request(Method::GET, &hosted, &[]))).await.status(), StatusCode::NOT_FOUND);
    for host in [own.as_str(), HOST] {
        assert_eq!(stage.send(under(host, request(Method::GET, &hosted, &[]))).await.status(), StatusCode::OK);
    }
    let answer = stage.send(under(&own, from_a_page(&link))).await;
    let cookie = cookie_of(&answer).unwrap();
    let status = async |host: &str| stage.send(under(host, page("/", &cookie))).await.status();
    assert_eq!(status(&own).await, StatusCode::OK);
    assert_eq!(status(HOST).await, StatusCode::UNAUTHORIZED, "a cookie is its own host's");
    assert_eq!(status(&other).await, StatusCode::UNAUTHORIZED);
    // Nor does the link let its own browser in again from elsewhere.
    let again = |host: &str| under(host, page(&link, &cookie));
    assert_eq!(stage.send(again(&own)).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(stage.send(again(HOST)).await.status(), StatusCode::GONE);
    let (cookie, _) = stage.sign_in(&owner.who, &owner.customer).await;
    assert_eq!(stage.send(under(&own, page("/", &cookie))).await.status(), StatusCode::UNAUTHORIZED);
}

/// A name that has changed hands does not bring its old sessions with it.
#[tokio::test]
async fn a_session_dies_with_its_domain() {
    let stage = Stage::new().await;
    let (owner, rival) = (stage.merchant("Acme").await, stage.merchant("Rival").await);
    let name = stage.prove(&owner).await;
    let host = at(&name);
    let (link, _) = stage.link(&owner.who, &owner.customer).await;
    let cookie = cookie_of(&stage.send(under(&host, from_a_page(&link))).await).unwrap();
    let claimed = transact!(stage.app.db, |tx| domain::claim(tx, &rival.who, &name).await).unwrap().id;
    transact!(stage.app.db, |tx| domain::release(tx, &owner.who, &owner.domain).await).unwrap();
    assert_eq!(stage.send(under(&host, page("/", &cookie))).await.status(), StatusCode::MISDIRECTED_REQUEST);
    // As if the time of the tombstone were over: the session's own time is not what ends it.
    let mut tx = stage.app.db.begin().await.unwrap();
    tx.unaudited();
    let Conn::Sqlite(inner) = &mut tx.conn else { panic!("a stage is on SQLite") };
    sqlx::query("update portal_domain set released_at = 0 where status = 'released'")
        .execute(&mut **inner)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    stage.prove(&Merchant { domain: claimed, ..rival }).await;
    assert_eq!(stage.send(under(&host, page("/", &cookie))).await.status(), StatusCode::UNAUTHORIZED);
}

/// A form comes from a page of the same host.
#[tokio::test]
async fn forms_are_their_own_hosts() {
    let stage = Stage::new().await;
    let (owner, rival) = (stage.merchant("Acme").await, stage.merchant("Rival").await);
    let (own, other) = (at(&stage.prove(&owner).await), at(&stage.prove(&rival).await));
    let (link, session) = stage.link(&owner.who, &owner.customer).await;
    let cookie = cookie_of(&stage.send(under(&own, from_a_page(&link))).await).unwrap();
    let body = format!("session={session}&key=k&line1=Street");
    for (origin, expected) in [
        (format!("http://{own}"), 303),
        (format!("http://{other}"), 403),
        (format!("http://{HOST}"), 403),
        (format!("https://{own}"), 403),
        ("null".to_owned(), 403),
    ] {
        for site in [None, Some("same-origin")] {
            let mut sent = under(&own, form("/do/app/pages/details_form/save_details", &cookie, &body));
            sent.headers_mut().remove("sec-fetch-site");
            sent.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
            site.map(|site| sent.headers_mut().insert("sec-fetch-site", HeaderValue::from_static(site)));
            assert_eq!(stage.send(sent).await.status(), expected, "{origin} {site:?}");
        }
    }
}

/// Hostile names of hosts get nothing, and what claims to have been forwarded is not believed.
#[tokio::test]
async fn nobody_says_under_which_host_he_asks_but_by_asking_there() {
    let stage = Stage::new().await;
    let owner = stage.merchant("Acme").await;
    let proven = at(&stage.prove(&owner).await);
    let (link, _) = stage.link(&owner.who, &owner.customer).await;
    let hosts = [
        "evil.example",
        "evil.example:3000",
        "localhost",
        "localhost:3001",
        "localhost:3000:3000",
        "localhost:3000.evil.example",
        "localhost:3000@evil.example",
        "evil.example@localhost:3000",
        "localhost:3000/",
        "localhost:3000,evil.example",
        " localhost:3000 x",
        "localhost:03000",
        "127.0.0.1:3000",
        "[::1]:3000",
        "0:3000",
        "",
        ":3000",
        "*",
        "localhost.:3000",
        "billing.acme.example",
        "billing.acme.example:443",
        "billing.acme.example:3000:3000",
        "%62illing.acme.example:3000",
        "billing.acme.example.:3000",
        ".billing.acme.example:3000",
        "a.billing.acme.example:3000",
        "billing_acme.example:3000",
        "' or '1'='1:3000",
        "billing.acme.example';--:3000",
        "xn--billing.acme.example:3000",
        "billing.rival.example:3000",
    ];
    for host in hosts {
        let (status, body) = stage.text(under(host, from_a_page(&link))).await;
        assert_eq!((status, body.as_str()), (StatusCode::MISDIRECTED_REQUEST, ""), "{host:?}");
    }
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-host", proven.as_str()),
        ("x-host", "evil.example"),
        ("x-original-host", "evil.example"),
        ("x-forwarded-server", "evil.example"),
        ("x-http-host-override", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "444"),
        ("x-rewrite-url", "/v1/account"),
        ("x-original-url", "/v1/account"),
        ("x-forwarded-prefix", "//evil.example"),
    ] {
        let answer = stage.send(request(Method::GET, &link, &[(name, value), ("accept", "text/html")])).await;
        assert_eq!(answer.status(), StatusCode::OK, "{name}");
        assert!(answer.headers().get(header::LOCATION).is_none());
        let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("evil.example"), "{name}: {value}");
    }
    // Said twice, or in the first line otherwise than in the header.
    let mut twice = from_a_page(&link);
    twice.headers_mut().append(header::HOST, HeaderValue::from_static(HOST));
    assert_eq!(stage.send(twice).await.status(), StatusCode::MISDIRECTED_REQUEST);
    for (line, host, expected) in
        [(HOST, HOST, 200), ("evil.example", HOST, 421), (HOST, "evil.example", 421), (proven.as_str(), HOST, 421)]
    {
        let mut whole = under(host, request(Method::GET, &link, &[("accept", "text/html")]));
        *whole.uri_mut() = format!("http://{line}{link}").parse::<Uri>().unwrap();
        assert_eq!(stage.send(whole).await.status(), expected, "{line} and {host}");
    }
    let mut nowhere = from_a_page(&link);
    nowhere.headers_mut().remove(header::HOST);
    assert_eq!(stage.send(nowhere).await.status(), StatusCode::MISDIRECTED_REQUEST);
}

/// A front is told yes for proven names, and only the operator's own front is told anything.
#[tokio::test]
async fn a_front_may_ask() {
    let stage = Stage::new().await;
    let (owner, _) = (stage.merchant("Acme").await, stage.merchant("Rival").await);
    let name = stage.prove(&owner).await;
    let ask = |peer: &str, name: &str, headers: &[(&str, &str)]| {
        let mut asked = request(Method::GET, &format!("/tls/ask?domain={name}"), headers);
        asked.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        asked
    };
    let near = "127.0.0.1:50000";
    for (asked, expected) in [
        (name.as_str(), 200),
        ("BILLING.ACME.EXAMPLE", 200),
        ("billing.rival.example", 404),
        ("localhost", 404),
        ("evil.example", 404),
        ("", 404),
    ] {
        assert_eq!(stage.send(ask(near, asked, &[])).await.status(), expected, "{asked}");
    }
    assert_eq!(stage.send(ask("192.0.2.1:50000", &name, &[])).await.status(), 404);
    assert_eq!(stage.send(ask(near, &name, &[("x-forwarded-for", "192.0.2.1")])).await.status(), 404);
    let with_token = stage.with_ask_token("secret");
    for (token, expected) in [("secret", 200), ("secre", 404), ("", 404)] {
        let asked = ask("192.0.2.1:50000", &format!("{name}&token={token}"), &[]);
        assert_eq!(with_token.clone().oneshot(asked).await.unwrap().status(), expected, "{token}");
    }
}

async fn hosted(stage: &Stage, owner: &Merchant) -> String {
    let mut tx = stage.app.db.read().await.unwrap();
    let invoice = billing::invoice::get(&mut tx, &owner.who, &owner.invoice).await.unwrap();
    invoice.hosted_invoice_url.unwrap().replace("http://localhost:3000", "")
}
