//! Whatever is sent to a server function, nothing breaks: inputs from a generator whose seed repeats them.

use std::collections::BTreeSet;
use std::fmt::Write;

use app::error::Error;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Request, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use billing::customer::payment_method;
use billing::gateway::sandbox::test_method;
use billing::portal::change::{self, Wished};
use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::portal::fields as typed;
use billing::portal::flow::{After, AfterCompletion, Flow, FlowType};
use billing::portal::{pausing, purchase};
use billing::subscription::{self, pause::Pause};
use billing::{Actor, Origin, transact};
use leptos::server_fn::axum::server_fn_paths;
use leptos::server_fn::error::FromServerFnError;
use serde_json::json;

use crate::dice::{Dice, seed};
use crate::stage::{Merchant, Stage, form};

/// What fields are called, and what merely looks like it.
const NAMES: &[&str] = &[
    "session",
    "key",
    "id",
    "done",
    "of",
    "part",
    "kind",
    "value",
    "q",
    "status",
    "year",
    "after",
    "before",
    "country",
    "feedback",
    "comment",
    "entered",
    "wish[item]",
    "wish[price]",
    "wish[quantity]",
    "wish[code]",
    "stale",
    "length",
    "quote",
    "offer",
    "method",
    "said",
    "next",
    "reference",
    "refused",
    "setup",
    "invoice",
    "back",
    "entered[name]",
    "entered[phone]",
    "entered[country]",
    "entered[line_one]",
    "entered[line_two]",
    "entered[city]",
    "entered[state]",
    "entered[postal_code]",
    "entered[",
    "entered]",
    "entered[]",
    "entered[name][name]",
    "entered%5Bname%5D",
    "[",
    "",
    "%00",
    "%ff",
    "__proto__",
    "__err",
    "a[0][1][2]",
];

/// Values that mean something somewhere, and values that should mean nothing anywhere.
const VALUES: &[&str] = &[
    "",
    "contact",
    "address",
    "shipping",
    "eu_vat",
    "gb_vat",
    "us_ein",
    "DE123456789",
    "DE",
    "US",
    "XX",
    "de",
    "Maya",
    "53111",
    "canceled",
    "kept",
    "saved",
    "added",
    "removed",
    "default",
    "paid",
    "open",
    "2026",
    "unused",
    "other",
    "-1",
    "0",
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999",
    "1e308",
    "NaN",
    "true",
    "null",
    "{}",
    "[]",
    "%7B%22a%22%3A1%7D",
    "'+or+1%3D1+--",
    "%25",
    "_%25_",
    "%00",
    "a%00b",
    "%0D%0Aset-cookie%3A+a%3Db",
    "%1B%5B31m",
    "%ff",
    "%c3%28",
    "%ed%a0%80",
    "%",
    "%zz",
    "%e2%80%ae",
    "%f0%9f%92%b6",
    "%cc%81%cc%81%cc%81",
    "..%2F..%2Fetc%2Fpasswd",
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "https%3A%2F%2Fevil.example%2F",
    "in_",
    "pm_",
];

/// How many inputs for each of the two databases: a hundred thousand together, more where there is time for it.
fn rounds() -> u64 {
    if std::env::var("PORTICO_TEST_SCALE").is_ok_and(|scale| scale == "release") { 500_000 } else { 50_000 }
}

/// Who is signed in, and the names of things that are theirs and that are not.
struct Known {
    session: String,
    cookie: String,
    ids: Vec<String>,
    /// What is right for a field.
    right: Vec<(&'static str, Vec<String>)>,
}

impl Known {
    /// Who has subscriptions, and who may buy one, in a flow that is to end on a page of its own.
    async fn both(stage: &Stage) -> [Self; 2] {
        let merchant: Merchant = stage.merchant("Acme").await;
        let buyer = stage.customer(&merchant.who).await.0;
        let first = Self::new(stage, &merchant).await;
        let (session, cookie, right) = buying(stage, &merchant, &buyer).await;
        let ids = first.ids.clone();
        [first, Self { session, cookie, ids, right }]
    }

    async fn new(stage: &Stage, merchant: &Merchant) -> Self {
        let rival = stage.merchant("Rival").await;
        let (cookie, session) = stage.sign_in(&merchant.who, &merchant.customer).await;
        let mut ids = Vec::new();
        for token in ["pm_card_amex", "pm_card_visa", "pm_card_mastercard"] {
            let attached = transact!(stage.app.db, |tx| {
                let card = test_method(token, 2030).unwrap();
                payment_method::attach(tx, &merchant.who, &merchant.customer, card).await
            });
            ids.push(attached.unwrap().id);
        }
        let right = right(stage, merchant, &session).await;
        for of in [merchant, &rival] {
            let own = [&of.method, &of.tax_id, &of.subscription, &of.invoice, &of.customer, &of.entry, &of.session];
            ids.extend(own.map(Clone::clone));
        }
        Self { session, cookie, ids, right }
    }
}

/// Everything is allowed, one subscription runs and one is paused; with quotes for the change of one and the end of the
/// other's pause.
async fn right(stage: &Stage, merchant: &Merchant, session: &str) -> Vec<(&'static str, Vec<String>)> {
    let (who, db) = (&merchant.who, &stage.app.db);
    let (paused, _) = stage.subscription(who, &merchant.customer, &merchant.price).await;
    // One that nobody has a quote for goes on being paused.
    let (lasting, _) = stage.subscription(who, &merchant.customer, &merchant.price).await;
    for id in [&paused, &lasting] {
        transact!(db, |tx| subscription::pause::pause(tx, who, id, Pause::default()).await).unwrap();
    }
    let adjustable = json!({ "enabled": true, "minimum": 1, "maximum": 9 });
    let features = json!({
        "subscription_create": { "enabled": true, "products": [{ "product": merchant.product }] },
        "subscription_pause": { "enabled": true },
        "subscription_update": {
            "enabled": true,
            "default_allowed_updates": ["price", "quantity", "promotion_code"],
            "products": [{ "product": merchant.product, "adjustable_quantity": adjustable }],
        },
    });
    let update = ConfigurationUpdate { features: Some(features), ..ConfigurationUpdate::default() };
    let allowed = transact!(db, |tx| configuration::update(tx, who, "default", update.clone()).await).unwrap();
    let origin = Origin::Portal { session: session.into(), customer: merchant.customer.clone(), read_only: false };
    let guest = Actor { origin, ..who.clone() };
    let wished = Wished {
        subscription: merchant.subscription.clone(),
        item: merchant.item.clone(),
        price: merchant.price.clone(),
        quantity: 5,
        discount: None,
    };
    let own = |id: &String| id.clone();
    let changed = transact!(db, |tx| change::quote(tx, &guest, &allowed, &wished).await).unwrap().token;
    let resumed = transact!(db, |tx| pausing::quote_resume(tx, &guest, &allowed, &paused).await).unwrap().token;
    let keep = async |id: &str| {
        let new = test_method(id, 2030).unwrap();
        transact!(db, |tx| typed::keep(tx, &guest, &allowed, new.clone(), true).await).unwrap()
    };
    let (good, asking) = (keep("pm_card_visa").await, keep("pm_card_threeDSecure2Required").await);
    let waiting = transact!(db, |tx| typed::redeem(tx, &guest, &allowed, &asking).await).unwrap().id;
    vec![
        ("reference", vec![good]),
        ("setup", vec![waiting]),
        (
            "id",
            vec![
                merchant.subscription.clone(),
                paused,
                lasting,
                own(&merchant.method),
                own(&merchant.tax_id),
                own(&merchant.invoice),
            ],
        ),
        ("part", vec!["contact".into()]),
        ("kind", vec!["eu_vat".into()]),
        ("value", vec!["DE123456789".into()]),
        ("done", vec!["changed".into()]),
        ("wish[item]", vec![merchant.item.clone()]),
        ("wish[price]", vec![merchant.price.clone()]),
        ("wish[quantity]", vec!["5".into()]),
        ("stale", vec!["true".into()]),
        ("quote", vec![changed, resumed]),
    ]
}

async fn buying(stage: &Stage, merchant: &Merchant, buyer: &str) -> (String, String, Vec<(&'static str, Vec<String>)>) {
    let (who, db) = (&merchant.who, &stage.app.db);
    let after = AfterCompletion { hosted_confirmation: None, redirect: None, r#type: After::HostedConfirmation };
    let flow = Flow {
        after_completion: after,
        customer_update: Some(Default::default()),
        subscription_cancel: None,
        subscription_pause: None,
        subscription_update: None,
        subscription_update_confirm: None,
        r#type: FlowType::CustomerUpdate,
    };
    let (cookie, session) = stage.sign_in_for(who, buyer, Some(flow)).await;
    let origin = Origin::Portal { session: session.clone(), customer: buyer.into(), read_only: false };
    let guest = Actor { origin, ..who.clone() };
    let wished = purchase::Wished { price: merchant.price.clone(), quantity: 1, code: None };
    let bought = transact!(db, |tx| {
        let allowed = configuration::get(tx, who, "default").await?;
        purchase::quote(tx, &guest, &allowed, &wished).await
    });
    let right = vec![
        ("wish[item]", vec![String::new()]),
        ("wish[price]", vec![merchant.price.clone()]),
        ("wish[quantity]", vec!["1".into()]),
        ("quote", vec![bought.unwrap().token]),
    ];
    (session, cookie, right)
}

/// A form: mostly as it should be, with something wrong in it.
fn fields(dice: &mut Dice, known: &Known) -> String {
    let mut body = format!("session={}&key=k", known.session);
    if dice.below(10) == 0 {
        body.clear();
    } else if dice.below(4) == 0 {
        for (name, values) in &known.right {
            let _ = write!(body, "&{name}={}", values[dice.below(values.len())]);
        }
        return body;
    }
    for name in NAMES.iter().take(28) {
        if dice.below(3) > 0 {
            let _ = write!(body, "&{name}={}", value(dice, known, name));
        }
    }
    for _ in 0..dice.below(4) {
        let name = dice.pick(NAMES);
        let _ = write!(body, "&{name}={}", value(dice, known, name));
    }
    body
}

fn value(dice: &mut Dice, known: &Known, name: &str) -> String {
    match dice.below(60) {
        // Parsing a body of the greatest size takes longer than all else, so they are few.
        0 => dice.pick(VALUES).repeat(1 + dice.below(2000)),
        1..25 if !["id", "of", "after", "before"].contains(&name) => dice.pick(VALUES).to_owned(),
        1..45 if !name.starts_with("entered") => known.ids[dice.below(known.ids.len())].clone(),
        _ => dice.pick(VALUES).to_owned(),
    }
}

/// The bytes of one input.
fn body(dice: &mut Dice, known: &Known) -> Vec<u8> {
    let whole = fields(dice, known);
    match dice.below(10) {
        0 => dice.bytes(300),
        1 => whole.bytes().take(dice.below(whole.len() + 1)).collect(),
        2 => [whole.as_bytes(), b"&", whole.as_bytes()].concat(),
        3 => {
            let mut body = whole.into_bytes();
            for _ in 0..=dice.below(8) {
                let (at, byte) = (dice.below(body.len().max(1)), dice.next().to_le_bytes()[0]);
                body.splice(at..(at + 1).min(body.len()), [byte]);
            }
            body
        }
        4 => format!("{whole}&entered{}=x", "[name]".repeat(dice.below(500))).into_bytes(),
        5 => format!("{whole}{}", "&a[]=1".repeat(dice.below(500))).into_bytes(),
        6 => format!("{{\"session\":\"{}\",\"id\":{}}}", known.session, "[".repeat(dice.below(500))).into_bytes(),
        _ => whole.into_bytes(),
    }
}

fn input(dice: &mut Dice, known: &Known, path: &str) -> Request<Body> {
    let query = if dice.below(8) == 0 { format!("?{}", dice.pick(NAMES)) } else { String::new() };
    let mut visit = form(&format!("{path}{query}"), &known.cookie, "");
    if dice.below(2) == 0 {
        visit.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    }
    if let Ok(referer) = HeaderValue::from_bytes(&[b"http://localhost:3000/".as_slice(), &dice.bytes(20)].concat()) {
        visit.headers_mut().insert(header::REFERER, referer);
    }
    if let Ok(languages) = HeaderValue::from_bytes(&dice.bytes(12)) {
        visit.headers_mut().insert(header::ACCEPT_LANGUAGE, languages);
    }
    visit
}

/// What a form's redirect says where a script would have been told 5xx.
fn hidden_failures() -> [String; 2] {
    [Error::Broken, Error::Unavailable].map(|error| URL_SAFE.encode(error.ser()).trim_end_matches('=').to_owned())
}

#[tokio::test]
async fn no_input_breaks_a_server_function_on_sqlite() {
    no_input_breaks_a_server_function(Stage::new().await).await;
}

#[tokio::test]
async fn no_input_breaks_a_server_function_on_postgres() {
    if let Some(stage) = Stage::on_postgres().await {
        no_input_breaks_a_server_function(stage).await;
    }
}

async fn no_input_breaks_a_server_function(stage: Stage) {
    let both = Known::both(&stage).await;
    let mut functions: Vec<&str> = server_fn_paths().map(|(path, _)| path).collect();
    functions.sort_unstable();
    let (seed, failures, mut accepted) = (seed(), hidden_failures(), BTreeSet::new());
    let mut dice = Dice(seed);
    for round in 0..rounds() {
        let path = functions[dice.below(functions.len())];
        let known = &both[usize::from(dice.below(3) == 0)];
        let visit = input(&mut dice, known, path);
        let body = body(&mut dice, known);
        let (body, uri, headers) = (Bytes::from(body), visit.uri().clone(), visit.headers().clone());
        let asked = || format!("{uri} {headers:?}\n{}", String::from_utf8_lossy(&body));
        let answer = stage.send(visit.map(|_| Body::from(body.clone()))).await;
        let (parts, told) = answer.into_parts();
        let told = axum::body::to_bytes(told, usize::MAX).await.unwrap();
        let told = format!("{} {:?}\n{}", parts.status, parts.headers, String::from_utf8_lossy(&told));
        let leaks = ["sqlx", "sqlite", "SQLITE", "panicked", "/tmp/", ".rs:"].iter().any(|leak| told.contains(leak));
        let failed = parts.status.is_server_error() || failures.iter().any(|failure| told.contains(failure)) || leaks;
        assert!(!failed, "PORTICO_TEST_SEED={seed} repeats it, in round {round}:\n{}\n\nanswered {told}", asked());
        if parts.status.as_u16() < 400 && !told.contains("__err=") {
            accepted.insert(path);
        }
    }
    let never: Vec<_> = functions.iter().filter(|path| !accepted.contains(*path)).collect();
    assert!(never.is_empty(), "with PORTICO_TEST_SEED={seed} nothing was ever right for {never:?}");
}
