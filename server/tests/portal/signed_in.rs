//! A portal link for whoever is signed in at the merchant's: which tokens are believed, for how long, and from where.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use billing::customer::CustomerUpdate;
use billing::patch::Patch;
use billing::transact;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::stage::{Merchant, Stage, cookie_of, from_a_page, page, request};

const SECRET: &str = "a shared secret of more than 32 bytes";
const PORTAL: &str = "/api/billing/portal";
/// As it is printed, but for its white space.
const PRINTED: &str = r#"{
"returnUrl": "https://app.example.com/dashboard/settings/billing"
}"#;
const HOUR: i64 = 60 * 60 * 1000;

fn call(token: &str, body: &str) -> Request<Body> {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    request(Method::POST, PORTAL, &headers).map(|_| Body::from(body.to_owned()))
}

async fn told(stage: &Stage, request: Request<Body>) -> (u16, Value) {
    let (status, text) = stage.text(request).await;
    (status.as_u16(), serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")))
}

fn refusal(code: &str, message: &str) -> Value {
    json!({ "success": false, "error": { "code": code, "message": message } })
}

fn unauthorized() -> (u16, Value) {
    (401, refusal("UNAUTHORIZED", "Authentication required"))
}

/// What the merchant's sign-in says of a user now.
fn claims(stage: &Stage) -> Value {
    let now = stage.clock.wall().seconds().0;
    json!({ "iss": "https://id.example.com/", "aud": "billing", "sub": "user_42", "iat": now, "exp": now + 300 })
}

fn signed(claims: &Value) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

async fn api(stage: &Stage, merchant: &Merchant, path: &str, body: &Value) -> (u16, Value) {
    let bearer = format!("Bearer {}", merchant.key);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    told(stage, request(Method::POST, path, &headers).map(|_| Body::from(body.to_string()))).await
}

fn issuer() -> Value {
    json!({
        "issuer": "https://id.example.com/",
        "audience": "billing",
        "algorithm": "HS256",
        "secret": SECRET,
        "return_urls": ["https://app.example.com/dashboard"],
        "origins": ["https://app.example.com"],
    })
}

/// A merchant whose sign-in is believed, and whose customer is `user_42` there.
async fn merchant(stage: &Stage) -> (Merchant, String) {
    let merchant = stage.merchant("Acme").await;
    let (status, made) = api(stage, &merchant, "/v1/portal_issuers", &issuer()).await;
    assert_eq!((status, &made["object"]), (200, &json!("portal_issuer")), "{made}");
    assert!(!made.to_string().contains("shared secret"), "it is not shown");
    transact!(stage.app.db, |tx| {
        let named = CustomerUpdate { external_id: Patch::Set("user_42".into()), ..Default::default() };
        billing::customer::update(tx, &merchant.who, &merchant.customer, named).await
    })
    .unwrap();
    (merchant, made["id"].as_str().unwrap().to_owned())
}

async fn url_of(stage: &Stage, token: &str) -> String {
    let (status, body) = told(stage, call(token, PRINTED)).await;
    assert_eq!((status, &body["success"]), (200, &json!(true)), "{body}");
    body["data"]["url"].as_str().unwrap().strip_prefix("http://localhost:3000").unwrap().to_owned()
}

async fn on_both(test: impl AsyncFn(Stage)) {
    test(Stage::new().await).await;
    if let Some(stage) = Stage::on_postgres().await {
        test(stage).await;
    }
}

#[tokio::test]
async fn the_printed_call_answers_as_it_is_printed() {
    on_both(async |stage| {
        let (_, _) = merchant(&stage).await;
        let path = url_of(&stage, &signed(&claims(&stage))).await;
        let answer = stage.send(from_a_page(&path)).await;
        assert_eq!(
            (answer.status(), &answer.headers()["location"]),
            (StatusCode::SEE_OTHER, &HeaderValue::from_static("/"))
        );
        let cookie = cookie_of(&answer).unwrap();
        let left = stage.send(page("/leave", &cookie)).await;
        assert_eq!(left.headers()["location"], "https://app.example.com/dashboard/settings/billing");
        let mut nobody = claims(&stage);
        nobody["sub"] = json!("user_43");
        let expected = refusal("NOT_FOUND", "No billing customer record found");
        assert_eq!(told(&stage, call(&signed(&nobody), PRINTED)).await, (404, expected));
        let bare = request(Method::POST, PORTAL, &[("content-type", "application/json")]);
        assert_eq!(told(&stage, bare.map(|_| Body::from(PRINTED))).await, unauthorized());
    })
    .await;
}

#[tokio::test]
async fn the_link_lives_an_hour_and_so_does_a_session_without_a_request() {
    let stage = Stage::new().await;
    let (_, _) = merchant(&stage).await;
    for (wait, lives) in [(HOUR - 1000, true), (HOUR, false)] {
        let path = url_of(&stage, &signed(&claims(&stage))).await;
        stage.clock.advance(wait);
        assert_eq!(stage.send(from_a_page(&path)).await.status().as_u16(), if lives { 303 } else { 410 }, "{wait}");
        let path = url_of(&stage, &signed(&claims(&stage))).await;
        let cookie = cookie_of(&stage.send(from_a_page(&path)).await).unwrap();
        stage.clock.advance(wait);
        assert_eq!(stage.send(page("/", &cookie)).await.status().as_u16(), if lives { 200 } else { 401 }, "{wait}");
    }
}

#[tokio::test]
async fn a_token_is_believed_only_if_everything_about_it_is_right() {
    let stage = Stage::new().await;
    let (merchant, id) = merchant(&stage).await;
    let now = stage.clock.wall().seconds().0;
    let with = |name: &str, value: Value| {
        let mut claims = claims(&stage);
        claims[name] = value;
        claims
    };
    let believed = async |token: &str| match told(&stage, call(token, PRINTED)).await {
        (200, _) => true,
        other => {
            assert_eq!(other, unauthorized());
            false
        }
    };
    // By a minute its clock may be off.
    let cases = [
        (with("exp", json!(now - 59)), true),
        (with("exp", json!(now - 60)), false),
        (with("exp", Value::Null), false),
        (with("exp", json!("tomorrow")), false),
        (with("nbf", json!(now + 60)), true),
        (with("nbf", json!(now + 61)), false),
        (with("iat", json!(now + 61)), false),
        (with("aud", json!(["else", "billing"])), true),
        (with("aud", json!("else")), false),
        (with("aud", Value::Null), false),
        (with("iss", json!("https://id.example.com")), false),
        (with("sub", Value::Null), false),
        (with("sub", json!("")), false),
    ];
    for (claims, is_right) in cases {
        assert_eq!(believed(&signed(&claims)).await, is_right, "{claims}");
    }
    let good = signed(&claims(&stage));
    let forged = encode(&Header::default(), &claims(&stage), &EncodingKey::from_secret(b"another secret")).unwrap();
    let (head, rest) = good.split_once('.').unwrap();
    let none = format!("eyJhbGciOiJub25lIn0.{}.", rest.split('.').next().unwrap());
    let stronger =
        encode(&Header::new(Algorithm::HS512), &claims(&stage), &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
    let unsigned = format!("{head}.{}.", rest.split('.').next().unwrap());
    for bad in
        [forged, none, stronger, unsigned, String::new(), "x.y.z".into(), format!("{good}.x"), "a".repeat(40_000)]
    {
        assert!(!believed(&bad).await, "{bad}");
    }
    assert!(believed(&good).await);
    api(&stage, &merchant, &format!("/v1/portal_issuers/{id}"), &json!({ "active": false })).await;
    assert!(!believed(&good).await, "an issuer that is not active");
}

#[tokio::test]
async fn keys_of_every_kind_are_checked_with_the_algorithm_that_is_said() {
    on_both(async |stage| {
        let (merchant, id) = merchant(&stage).await;
        let path = format!("/v1/portal_issuers/{id}");
        let kinds = [
            (
                "RS256",
                Algorithm::RS256,
                include_str!("keys/rsa.pub.pem"),
                EncodingKey::from_rsa_pem(include_bytes!("keys/rsa.pem")),
            ),
            (
                "ES256",
                Algorithm::ES256,
                include_str!("keys/ec.pub.pem"),
                EncodingKey::from_ec_pem(include_bytes!("keys/ec.pem")),
            ),
            (
                "EdDSA",
                Algorithm::EdDSA,
                include_str!("keys/ed.pub.pem"),
                EncodingKey::from_ed_pem(include_bytes!("keys/ed.pem")),
            ),
        ];
        for (name, algorithm, public, private) in kinds {
            let update = json!({ "algorithm": name, "public_key": public, "secret": "" });
            let (status, body) = api(&stage, &merchant, &path, &update).await;
            assert_eq!((status, &body["algorithm"]), (200, &json!(name)), "{body}");
            let token = encode(&Header::new(algorithm), &claims(&stage), &private.unwrap()).unwrap();
            assert_eq!(told(&stage, call(&token, PRINTED)).await.0, 200, "{name}");
            // The public key is known to everybody: it must not pass for a shared secret.
            let confused = encode(&Header::default(), &claims(&stage), &EncodingKey::from_secret(public.as_bytes()));
            assert_eq!(told(&stage, call(&confused.unwrap(), PRINTED)).await, unauthorized(), "{name}");
        }
        let (status, body) = api(&stage, &merchant, &path, &json!({ "public_key": "no key" })).await;
        assert_eq!((status, &body["error"]["param"]), (400, &json!("public_key")), "{body}");
        let (status, body) = api(&stage, &merchant, &path, &json!({ "jwks_url": "https://id.example.com/keys" })).await;
        assert_eq!((status, &body["error"]["param"]), (400, &json!("public_key")), "one of the two: {body}");
    })
    .await;
}

#[tokio::test]
async fn an_address_counts_where_the_issuer_has_verified_it() {
    let stage = Stage::new().await;
    let (merchant, id) = merchant(&stage).await;
    let by_email = json!({ "customer_claim": "email", "customer_match": "email" });
    api(&stage, &merchant, &format!("/v1/portal_issuers/{id}"), &by_email).await;
    let mut said = claims(&stage);
    said["email"] = json!("Maya@example.com");
    assert_eq!(told(&stage, call(&signed(&said), PRINTED)).await, unauthorized(), "nobody says that it is verified");
    said["email_verified"] = json!("true");
    assert_eq!(told(&stage, call(&signed(&said), PRINTED)).await, unauthorized());
    said["email_verified"] = json!(true);
    assert_eq!(told(&stage, call(&signed(&said), PRINTED)).await.0, 200);
}

#[tokio::test]
async fn customers_come_back_only_where_the_merchant_says() {
    let stage = Stage::new().await;
    let (merchant, _) = merchant(&stage).await;
    let token = signed(&claims(&stage));
    let to = async |url: Value| told(&stage, call(&token, &json!({ "returnUrl": url }).to_string())).await;
    for fine in ["https://app.example.com/dashboard", "https://app.example.com/dashboard/a?b=c#d"] {
        assert_eq!(to(json!(fine)).await.0, 200, "{fine}");
    }
    for bad in [
        "https://app.example.com/",
        "https://app.example.com/dashboards",
        "https://app.example.com/dashboard/../admin",
        "https://app.example.com.evil.example/dashboard",
        "https://app.example.com@evil.example/dashboard",
        "https://evil.example/dashboard",
        "http://app.example.com/dashboard",
        "https://app.example.com:444/dashboard",
        "//app.example.com/dashboard",
        "javascript:alert(1)",
    ] {
        let (status, body) = to(json!(bad)).await;
        assert_eq!((status, &body["error"]["code"]), (400, &json!("VALIDATION_ERROR")), "{bad}: {body}");
    }
    for body in [json!({}), json!({ "returnUrl": 7 }), json!({ "returnURL": "x" }), json!([])] {
        let (status, told) = told(&stage, call(&token, &body.to_string())).await;
        assert_eq!((status, &told["error"]["code"]), (400, &json!("VALIDATION_ERROR")), "{body}: {told}");
    }
    let own = json!({ "returnUrl": "https://app.example.com/dashboard", "configuration": merchant.configuration });
    assert_eq!(told(&stage, call(&token, &own.to_string())).await.0, 200);
    let other = json!({ "returnUrl": "https://app.example.com/dashboard", "configuration": "bpc_none" });
    assert_eq!(told(&stage, call(&token, &other.to_string())).await.0, 400);
}

#[tokio::test]
async fn scripts_may_ask_from_the_pages_that_are_listed() {
    on_both(async |stage| {
        let (_, _) = merchant(&stage).await;
        let token = signed(&claims(&stage));
        for (origin, is_listed) in [
            ("https://app.example.com", true),
            ("https://appxexample.com", false),
            ("https://%", false),
            ("null", false),
        ] {
            let allowed = is_listed.then_some(origin);
            let ask =
                request(Method::OPTIONS, PORTAL, &[("origin", origin), ("access-control-request-method", "POST")]);
            let answer = stage.send(ask).await;
            let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            assert_eq!((answer.status().as_u16(), header("access-control-allow-origin").as_deref()), (204, allowed));
            assert_eq!(header("access-control-allow-headers").is_some(), is_listed);
            assert_eq!(header("access-control-allow-credentials"), None);
            for body in [PRINTED, "{}"] {
                let mut asked = call(&token, body);
                asked.headers_mut().insert("origin", origin.parse().unwrap());
                let answer = stage.send(asked).await;
                let told = answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap());
                assert_eq!(told, allowed, "{origin}");
                assert_eq!(answer.headers()["vary"], "Origin");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_contradicts_itself_is_refused_by_its_name() {
    let stage = Stage::new().await;
    let (merchant, _) = merchant(&stage).await;
    let rival = stage.merchant("Rival").await;
    for (change, param) in [
        (json!({ "issuer": "" }), "issuer"),
        (json!({ "secret": "short" }), "secret"),
        (json!({ "algorithm": "none" }), "algorithm"),
        (json!({ "algorithm": "RS256" }), "secret"),
        (json!({ "jwks_url": "https://id.example.com/keys" }), "jwks_url"),
        (json!({ "clock_skew": 301 }), "clock_skew"),
        (json!({ "return_urls": ["javascript:alert(1)"] }), "return_urls[0]"),
        (json!({ "origins": ["https://app.example.com/"] }), "origins[0]"),
        (json!({}), "audience"),
    ] {
        let mut new = issuer();
        new.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let (status, body) = api(&stage, &merchant, "/v1/portal_issuers", &new).await;
        assert_eq!((status, &body["error"]["param"]), (400, &json!(param)), "{change}: {body}");
    }
    let (status, body) = api(&stage, &rival, "/v1/portal_issuers", &issuer()).await;
    assert_eq!((status, &body["error"]["param"]), (400, &json!("audience")), "another merchant's tokens: {body}");
}
