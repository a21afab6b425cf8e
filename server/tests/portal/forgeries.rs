//! What other sites may make a browser send: refused before anything is read, on every server function there is.

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use leptos::server_fn::axum::server_fn_paths;
use server::front::MOST_FORM;

use crate::stage::{Merchant, Stage, form, from_a_page, request};

const ORIGIN: &str = "http://localhost:3000";
const EVIL: &str = "https://evil.example/";
const ENCODED: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Headers of a POST that no page of ours sends.
const FORGERIES: &[&[(&str, &str)]] = &[
    &[ENCODED],
    &[],
    &[ENCODED, ("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("accept", "text/html")],
    &[ENCODED, ("sec-fetch-site", "cross-site"), ("origin", ORIGIN)],
    &[ENCODED, ("sec-fetch-site", "same-site")],
    &[ENCODED, ("sec-fetch-site", "Same-Origin")],
    &[ENCODED, ("sec-fetch-site", "same-origin, cross-site")],
    &[ENCODED, ("sec-fetch-site", "")],
    &[ENCODED, ("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
    &[ENCODED, ("sec-fetch-site", "none"), ("origin", "null")],
    &[ENCODED, ("origin", "null")],
    &[ENCODED, ("origin", "https://localhost:3000")],
    &[ENCODED, ("origin", "http://localhost")],
    &[ENCODED, ("origin", "http://localhost:3000.evil.example")],
    &[ENCODED, ("origin", "http://evil.example/http://localhost:3000")],
    &[ENCODED, ("referer", "http://localhost:3000/")],
    &[("sec-fetch-site", "cross-site"), ("content-type", "text/plain")],
    &[("sec-fetch-site", "cross-site"), ("content-type", "multipart/form-data; boundary=x")],
    &[("sec-fetch-site", "cross-site"), ("content-type", "application/json")],
    // What a page of ours never sends, whoever claims to.
    &[("sec-fetch-site", "same-origin"), ("content-type", "text/plain")],
    &[("sec-fetch-site", "same-origin"), ("content-type", "text/plain; application/x-www-form-urlencoded")],
    &[("sec-fetch-site", "same-origin"), ("content-type", "multipart/form-data; boundary=x")],
    &[("sec-fetch-site", "same-origin"), ("content-type", "application/json")],
    &[("sec-fetch-site", "same-origin")],
];

const OTHER_METHODS: &[&str] = &["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "BREW"];

/// What a form of ours would send, and more of it than is read of any: who looks at the body answers 413.
fn body(merchant: &Merchant, session: &str) -> String {
    let fields = format!("session={session}&key=k&id={}&part=contact&entered[name]=Eve", merchant.subscription);
    format!("{fields}&comment={}", "x".repeat(MOST_FORM))
}

#[tokio::test]
async fn server_functions_are_for_our_own_pages() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (cookie, session) = stage.sign_in(&merchant.who, &merchant.customer).await;
    let body = body(&merchant, &session);
    let before = trail(&stage, &merchant).await;
    for (path, _) in server_fn_paths() {
        for headers in FORGERIES {
            let visit = with(Method::POST, path, &cookie, headers);
            refused(&stage, visit.map(|_| Body::from(body.clone())), headers).await;
        }
        for method in OTHER_METHODS {
            let headers = [ENCODED, ("sec-fetch-site", "same-origin"), ("x-http-method-override", "POST")];
            let path = format!("{path}?_method=POST&{}", &body[..200]);
            let visit = with(method.parse().unwrap(), &path, &cookie, &headers);
            refused(&stage, visit.map(|_| Body::from(body.clone())), &headers).await;
        }
        let whole = stage.send(form(path, &cookie, &body)).await;
        assert_eq!(whole.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
    assert_eq!(trail(&stage, &merchant).await, before, "nothing was done");
}

fn with(method: Method, path: &str, cookie: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let all = [headers, &[("cookie", cookie), ("referer", EVIL)]].concat();
    // A second `Referer` would change nothing: one that is given comes first.
    request(method, path, &all)
}

async fn refused(stage: &Stage, visit: Request<Body>, headers: &[(&str, &str)]) {
    let asked = format!("{} {} {headers:?}", visit.method(), visit.uri());
    let answer = stage.send(visit).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{asked}");
    assert!(!answer.headers().contains_key(header::LOCATION), "{asked}");
    assert!(!answer.headers().contains_key(header::SET_COOKIE), "{asked}");
}

/// The newest entry of the merchant's trail.
async fn trail(stage: &Stage, merchant: &Merchant) -> String {
    let mut tx = stage.app.db.read().await.unwrap();
    let page = billing::Page::first(1);
    billing::audit::list::list(&mut tx, &merchant.who, &page, &Default::default()).await.unwrap().data[0].id.clone()
}

/// A limit that is 64 KiB takes 64 KiB.
#[tokio::test]
async fn a_form_may_have_64_kib() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    for (path, _) in server_fn_paths() {
        for (length, fits) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
            let answer = stage.send(form(path, &cookie, &"x".repeat(length))).await;
            assert_eq!(answer.status() != StatusCode::PAYLOAD_TOO_LARGE, fits, "{path} with {length} bytes");
        }
    }
}

/// What changes something is never in an address, where links, pre-fetches and logs find it.
#[tokio::test]
async fn no_server_function_is_asked_by_get() {
    let mut known = 0;
    for (path, method) in server_fn_paths() {
        assert_eq!(method, Method::POST, "{path}");
        known += 1;
    }
    assert!(known > 10, "server functions were found");
}

#[tokio::test]
async fn an_unknown_function_is_not_there() {
    let stage = Stage::new().await;
    let (status, body) = stage.text(form("/do/app/pages/none?%3Cscript%3E", "", "")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(!body.contains("server function") && !body.contains("script>"), "{body}");
}

/// A browser is led to our own pages, and to what the merchant stored on the session.
#[tokio::test]
async fn nothing_leads_elsewhere_but_the_merchants_own_return() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let mut redirects = 0;
    let mut ask = async |visit: Request<Body>| {
        let asked = format!("{} {} {:?}", visit.method(), visit.uri(), visit.headers());
        redirects += usize::from(stays(&stage.send(visit).await, &asked));
    };
    let hostile = [
        EVIL,
        "//evil.example/",
        "/\\evil.example/",
        "http://localhost:3000.evil.example/",
        "http://localhost:3000@evil.example/",
        "http://localhost:30001/",
        "javascript:alert(1)",
        "data:text/html,x",
        "\"",
    ];
    for referer in hostile {
        // Anew each time: one of the routes signs out.
        let (cookie, session) = stage.sign_in(&merchant.who, &merchant.customer).await;
        let body = format!("session={session}&key=k&id={}&part=contact&return_url={EVIL}", merchant.subscription);
        for path in server_fn_paths().map(|(path, _)| path).chain(server::web::ROUTES.iter().map(|(_, path)| *path)) {
            let path = format!("{path}?return_url={EVIL}&next={EVIL}");
            for method in [Method::POST, Method::GET] {
                let mut visit = form(&path, &cookie, &body);
                *visit.method_mut() = method;
                for name in ["referer", "x-forwarded-host", "x-original-url", "x-rewrite-url"] {
                    visit.headers_mut().insert(name, referer.parse().unwrap());
                }
                ask(visit).await;
            }
        }
    }
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    for path in ["//evil.example", "/%2F%2Fevil.example", "/\\evil.example", "/..//evil.example/", "/invoices/"] {
        ask(request(Method::GET, path, &[("cookie", &cookie), ("accept", "text/html")])).await;
    }
    let (link, _) = stage.link(&merchant.who, &merchant.customer).await;
    ask(from_a_page(&format!("{link}?next={EVIL}"))).await;
    assert!(redirects > 100, "{redirects} answers led somewhere");
}

/// Whether an answer leads anywhere, which is never elsewhere.
fn stays(answer: &Response<Body>, asked: &str) -> bool {
    let Some(to) = answer.headers().get(header::LOCATION) else { return false };
    let to = to.to_str().unwrap();
    let is_own_path = to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/\\");
    let is_stored = to == "https://shop.example/account" && asked.contains(" /leave");
    assert!(is_own_path || to.starts_with("http://localhost:3000/") || is_stored, "{asked} leads to {to}");
    true
}

/// A form that failed leads back to the page it stood on, which says why.
#[tokio::test]
async fn a_form_leads_back_to_its_own_page() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (cookie, session) = stage.sign_in(&merchant.who, &merchant.customer).await;
    for (referer, back) in [
        ("http://localhost:3000/details", "http://localhost:3000/details?__path="),
        ("http://localhost:3000", "http://localhost:3000/?__path="),
        (EVIL, "/"),
    ] {
        let body = format!("session={session}&key=k&id=txi_none");
        let mut visit = form("/do/app/pages/details/remove_tax_id", &cookie, &body);
        visit.headers_mut().insert(header::REFERER, referer.parse().unwrap());
        let answer = stage.send(visit).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let to = answer.headers()[header::LOCATION].to_str().unwrap();
        assert!(to.starts_with(back) && !to.contains("evil"), "{referer} leads to {to}");
    }
}
