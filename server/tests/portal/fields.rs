//! The hosted fields over HTTP: who is let in, what comes out, and that a number goes nowhere else.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use billing::customer::payment_method;
use billing::{Page, transact};
use tower::ServiceExt;

use crate::stage::{Merchant, Stage, form, page};

const FIELDS: &str = "http://127.0.0.1:3001";
const CARD: &str = "number=4242+4242+0000+1230&expiry=12+%2F+30&cvc=737&name=Maya+Lind";

struct Portal<'a> {
    stage: &'a Stage,
    fields: Router,
    cookie: String,
    session: String,
}

impl<'a> Portal<'a> {
    async fn new(stage: &'a Stage, merchant: &Merchant) -> Self {
        let (cookie, session) = stage.sign_in(&merchant.who, &merchant.customer).await;
        Self { stage, fields: server::fields::router(stage.app.clone()), cookie, session }
    }

    /// The address on the fields' origin that a page of the portal leads to, without that origin.
    async fn way(&self, path: &str) -> String {
        let (status, html) = self.stage.text(page(path, &self.cookie)).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        let (_, rest) = html.split_once(&format!("href=\"{FIELDS}")).unwrap_or_else(|| panic!("no way from {path}"));
        rest.split('"').next().unwrap().to_owned()
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> (StatusCode, String) {
        let (status, _, text) = self.whole(method, path, headers, body).await;
        (status, text)
    }

    async fn whole(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (StatusCode, header::HeaderMap, String) {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:3001");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = self.fields.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        (parts.status, parts.headers, text)
    }

    /// Types as a browser's script sends it.
    async fn types(&self, way: &str, body: &str) -> (StatusCode, serde_json::Value) {
        let headers = [("sec-fetch-site", "same-origin"), ("accept", "application/json")];
        let (status, text) = self.ask(Method::POST, way, &headers, body).await;
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// Sends a form of the portal; answers where it leads to.
    async fn send(&self, function: &str, body: &str) -> String {
        let body = format!("session={}&key=k&{body}", self.session);
        let mut request = form(&format!("/do/app/pages/{function}"), &self.cookie, &body);
        request.headers_mut().insert(header::REFERER, "http://localhost:3000/from".parse().unwrap());
        let answer = self.stage.send(request).await;
        let to = answer.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
        to.unwrap_or_else(|| format!("{}", answer.status()))
    }
}

#[tokio::test]
async fn a_card_is_typed_there_and_stored_here() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let portal = Portal::new(&stage, &merchant).await;
    let way = portal.way("/payment-methods/add?kind=card").await;
    let (status, headers, html) = portal.whole(Method::GET, &way, &[], "").await;
    assert_eq!(status, StatusCode::OK);
    for part in ["cc-number", "cc-exp", "cc-csc", "Acme", "inputmode=\"numeric\"", "Use this for future payments"] {
        assert!(html.contains(part), "{part}");
    }
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(
        policy.contains("frame-ancestors http://localhost:3000") && policy.contains("script-src 'nonce-"),
        "{policy}"
    );
    assert!(!headers.contains_key(header::SET_COOKIE));

    let (status, said) = portal.types(&way, CARD).await;
    assert_eq!(status, StatusCode::OK, "{said}");
    let reference = said["reference"].as_str().unwrap();
    let to = portal.send("add_method/add_method", &format!("reference={reference}")).await;
    assert!(to.starts_with("/payment-methods?done=added&of=pm_"), "{to}");
    let (_, html) = stage.text(page(&to, &portal.cookie)).await;
    assert!(html.contains("Visa •••• 1230 was saved."));
    let again = portal.send("add_method/add_method", &format!("reference={reference}")).await;
    assert!(again.contains("__err="), "once: {again}");
    let mut tx = stage.app.db.read().await.unwrap();
    let held = payment_method::list(&mut tx, &merchant.who, &merchant.customer, &Page::first(10), None).await.unwrap();
    let card = &held.data[0];
    assert_eq!((card.details.last4.as_str(), card.details.exp_year), ("1230", Some(2030)));
    assert_eq!(card.billing_details.name.as_deref(), Some("Maya Lind"));
}

#[tokio::test]
async fn without_a_script_a_link_leads_back() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let portal = Portal::new(&stage, &merchant).await;
    let way = portal.way("/payment-methods/add?kind=sepa_debit").await;
    let own = [("sec-fetch-site", "same-origin"), ("accept", "text/html")];
    let (status, html) = portal.ask(Method::POST, &way, &own, "iban=DE89370400440532013001&name=Maya").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        html.contains("This is not a valid IBAN.") && html.contains("Please agree") && html.contains("value=\"Maya\"")
    );
    assert!(!html.contains("0532013001"), "what was typed is not shown again");
    let (status, html) = portal.ask(Method::POST, &way, &own, "iban=DE89370400440532013000&name=Maya&accept=on").await;
    assert_eq!(status, StatusCode::OK);
    let (_, rest) = html.split_once("href=\"http://localhost:3000").unwrap();
    let back = rest.split('"').next().unwrap().replace("&amp;", "&");
    assert!(back.starts_with("/payment-methods/add?kind=sepa_debit&reference="), "{back}");
    let (status, html) = stage.text(page(&back, &portal.cookie)).await;
    assert!(status == StatusCode::OK && html.contains("SEPA Direct Debit") && html.contains("3000"));
    let (_, reference) = back.split_once("reference=").unwrap();
    let to = portal.send("add_method/add_method", &format!("reference={reference}")).await;
    assert!(to.starts_with("/payment-methods?done=added"), "{to}");
}

#[tokio::test]
async fn what_is_wrong_is_said_by_its_field() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let portal = Portal::new(&stage, &merchant).await;
    let way = portal.way("/payment-methods/add").await;
    let fields = async |body: &str| {
        let (status, said) = portal.types(&way, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let each = said["problems"].as_array().unwrap().iter();
        each.map(|problem| problem["field"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(fields("").await, ["number", "cvc", "expiry", "name"]);
    assert_eq!(fields("number=4242424242424242&expiry=1/20&cvc=123&name=M").await, ["expiry"]);
    assert_eq!(fields("number=4111111111111111&expiry=1/30&cvc=123&name=M").await, ["number"], "no number of a test's");
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let portal = Portal::new(&stage, &merchant).await;
    let way = portal.way("/payment-methods/add").await;
    let own = [("sec-fetch-site", "same-origin")];
    for (method, path) in server::fields::ROUTES.iter().filter(|(_, path)| path.contains('{')) {
        let path = path.replace("{ticket}", "none");
        let (status, _) = portal.ask(Method::from_bytes(method.as_bytes()).unwrap(), &path, &own, "answer=yes").await;
        assert_eq!(status, StatusCode::GONE, "{method} {path}");
    }
    for from in [[("sec-fetch-site", "cross-site")], [("origin", "http://localhost:3000")], [("x", "y")]] {
        assert_eq!(portal.ask(Method::POST, &way, &from, CARD).await.0, StatusCode::FORBIDDEN, "{from:?}");
    }
    let elsewhere = portal.ask(Method::GET, &format!("http://localhost:3000{way}"), &[], "").await;
    assert_eq!(elsewhere.0, StatusCode::MISDIRECTED_REQUEST);
    let wrong = way.replace("/enter/", "/confirm/");
    assert_eq!(portal.ask(Method::GET, &wrong, &[], "").await.0, StatusCode::GONE, "a ticket is for one errand");
    transact!(stage.app.db, |tx| billing::portal::session::revoke(tx, &merchant.who, &portal.session).await).unwrap();
    assert_eq!(portal.types(&way, CARD).await.0, StatusCode::GONE, "the session is over");
}

#[tokio::test]
async fn a_bank_is_answered_on_its_own_page() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let portal = Portal::new(&stage, &merchant).await;
    for (answer, said) in [("no", "was not confirmed with your bank"), ("yes", "Visa •••• 3220 was saved.")] {
        let way = portal.way("/payment-methods/add").await;
        let (_, typed) = portal.types(&way, "number=4000000000003220&expiry=1/30&cvc=123&name=M").await;
        let to =
            portal.send("add_method/add_method", &format!("reference={}", typed["reference"].as_str().unwrap())).await;
        assert!(to.starts_with("/confirm?setup=seti_"), "{to}");
        let bank = portal.way(&to).await;
        let (status, html) = portal.ask(Method::GET, &bank, &[], "").await;
        assert!(status == StatusCode::OK && html.contains("Is it you?") && html.contains("back=1"));
        let own = [("sec-fetch-site", "same-origin")];
        let (status, html) = portal.ask(Method::POST, &bank, &own, &format!("answer={answer}")).await;
        assert!(status == StatusCode::OK && html.contains("http-equiv=\"refresh\""));
        let answered = stage.send(page(&to, &portal.cookie)).await;
        let to = answered.headers()[header::LOCATION].to_str().unwrap().to_owned();
        let (_, html) = stage.text(page(&to, &portal.cookie)).await;
        assert!(html.contains(said), "{to}: {said}");
    }
}
