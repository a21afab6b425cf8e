//! Every id of one merchant and customer, used by others wherever an id can be said: an id that belongs to somebody else
//! is answered exactly as one that belongs to nobody.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{Method, Request};
use leptos::server_fn::axum::server_fn_paths;
use server::api::describe::{Endpoint, Field, Form};
use server::api::{self, ROUTES};

use crate::callers::filled;
use crate::stage::{Merchant, Stage, page, request};

/// Fewer comparisons than this, and something is not being asked.
const AT_LEAST: usize = 5_000;

/// Ids, all of one length at least, with the prefix of their kind.
fn ids_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let is_id = |word: &&str| word.rsplit_once('_').is_some_and(|(_, random)| random.len() >= 24);
    words.filter(is_id).map(str::to_owned).collect()
}

/// An id of the same kind that nobody has.
fn nobodys(id: &str) -> String {
    let (kind, random) = id.rsplit_once('_').unwrap();
    format!("{kind}_{}", "0".repeat(random.len()))
}

/// The text without what differs from one answer to the next: the id, the nonce of a page, the keys of its forms and
/// sealed tickets.
fn bare(text: &str, id: &str) -> String {
    let mut parts = text.split("nonce=\"");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.split_once('"').map_or(part, |(_, rest)| rest));
    let text = std::iter::once(first.as_str()).chain(rest).collect::<Vec<_>>().join("").replace(id, "#");
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.split_inclusive(|c| !is_word(c))
        .map(|word| if word.trim_end_matches(|c| !is_word(c)).len() >= KEY { "" } else { word })
        .collect()
}

/// The characters of 256 random bits; what is sealed is longer, and random too. Ids are shorter.
const KEY: usize = 43;

/// Where two texts part, and how each goes on.
fn difference(one: &str, other: &str) -> String {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let from = |text: &str| text.chars().skip(same.saturating_sub(40)).take(120).collect::<String>();
    format!("{:?} and {:?}", from(one), from(other))
}

/// One who asks, and what others have and he has not.
struct Stranger<'a> {
    stage: &'a Stage,
    theirs: BTreeSet<String>,
    compared: usize,
}

impl Stranger<'_> {
    /// Asks with each of the others' ids and with nobody's in its place. Where a change takes nobody's for granted, it is
    /// plain text to it, of whatever kind, and there is nothing to compare.
    async fn compare(&mut self, of: &str, ask: impl Fn(&str) -> Request<Body>) {
        let is_change = of.starts_with("POST /v1");
        let mut without: BTreeMap<String, (u16, String)> = BTreeMap::new();
        for id in self.theirs.clone() {
            let nobody = nobodys(&id);
            if !without.contains_key(&nobody) {
                let answer = self.answer(ask(&nobody), &nobody).await;
                without.insert(nobody.clone(), answer);
            }
            if is_change && without[&nobody].0 < 300 {
                continue;
            }
            let (status, text) = self.answer(ask(&id), &id).await;
            let told: Vec<_> = ids_in(&text).intersection(&self.theirs).cloned().collect();
            assert!(told.is_empty(), "{of} with {id} tells of {told:?}");
            let (expected, nothing) = &without[&nobody];
            assert_eq!(status, *expected, "{of} with {id}: {text}");
            // The activity goes on from a place in time, whoever's entry marks it.
            let is_place = of.ends_with(" before") || of.ends_with(" after");
            assert!(is_place || text == *nothing, "{of} with {id}: {}", difference(&text, nothing));
            self.compared += 1;
        }
    }

    async fn answer(&self, visit: Request<Body>, id: &str) -> (u16, String) {
        let (status, text) = self.stage.text(visit).await;
        (status.as_u16(), bare(&text, id))
    }
}

/// What a merchant has, as its key reads it.
async fn belongings(stage: &Stage, merchant: &Merchant) -> String {
    let mut all = String::new();
    for (method, path) in ROUTES {
        let is_list = *method == "GET" && !path.contains('{') && !path.ends_with("/events");
        let reads = is_list || (*method == "GET" && path.contains("{id}/"));
        if reads {
            let query = match *path {
                "/v1/payment_methods" | "/v1/tax_ids" => {
                    format!("?customer={}&owner[type]=customer", merchant.customer)
                }
                "/v1/subscription_items" => format!("?subscription={}", merchant.subscription),
                _ => "?limit=100".to_owned(),
            };
            let visit = call(&Method::GET, &format!("{}{query}", filled(path, merchant)), &merchant.key, "");
            all.push_str(&stage.text(visit).await.1);
        }
    }
    all
}

fn call(method: &Method, path: &str, key: &str, form: &str) -> Request<Body> {
    let authorization = format!("Bearer {key}");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    request(method.clone(), path, &headers).map(|_| Body::from(form.to_owned()))
}

/// A value for a parameter that an endpoint cannot do without, so that it reads on to the one that is asked about.
fn own(name: &str, form: Option<&Form>, merchant: &Merchant) -> String {
    match name.rsplit(['[', '.']).next().unwrap_or(name).trim_end_matches(']') {
        "customer" => merchant.customer.clone(),
        "price" => merchant.price.clone(),
        "product" => merchant.product.clone(),
        "coupon" => merchant.coupon.clone(),
        "subscription" => merchant.subscription.clone(),
        "invoice" => merchant.invoice.clone(),
        "payment_intent" => merchant.intent.clone(),
        "currency" => "usd".into(),
        "url" => "https://shop.example/".into(),
        _ => match form {
            Some(Form::Words(words) | Form::Fixed(words)) => words.first().cloned().unwrap_or_default(),
            Some(Form::Boolean) => "true".into(),
            Some(Form::Integer | Form::Timestamp) => "1".into(),
            _ => "x".into(),
        },
    }
}

/// A general name, `items[][price]`, as the first of its list.
fn first_of(name: &str) -> String {
    name.replace("[]", "[0]")
}

async fn ask_the_api(stranger: &mut Stranger<'_>, me: &Merchant) {
    for (method, path) in ROUTES.iter().filter(|(_, path)| path.contains("{id}")) {
        let verb: Method = method.parse().unwrap();
        let with = |id: &str| call(&verb, &path.replace("{id}", id).replace("{inner}", id), &me.key, "");
        stranger.compare(&format!("{method} {path}"), with).await;
    }
    // What reads first, before anything made by a change answers to nobody's name.
    let mut described = api::describe(&stranger.stage.app, &me.who).await;
    described.sort_by_key(|endpoint| endpoint.method != "GET");
    for endpoint in described.iter().filter(|endpoint| endpoint.method != "DELETE" && !ends_things(endpoint.path)) {
        ask_endpoint(stranger, me, endpoint).await;
    }
}

/// Endpoints after which the stranger's own object is no more; the ids in their paths have been asked about.
fn ends_things(path: &str) -> bool {
    ["cancel", "revoke", "detach", "deactivate", "void"].iter().any(|end| path.ends_with(end))
}

/// Names that the caller gives to what is made: they name nothing that is there.
const GIVEN: &[&str] = &["id", "external_id", "lookup_key", "code"];

async fn ask_endpoint(stranger: &mut Stranger<'_>, me: &Merchant, endpoint: &Endpoint) {
    let verb: Method = endpoint.method.parse().unwrap();
    let takes_ids = |forms: &[Form]| forms.iter().any(|form| matches!(form, Form::Text | Form::Texts));
    let required: Vec<(String, String)> = endpoint
        .fields
        .iter()
        .filter(|(_, field)| field.required && !field.is_refused())
        .map(|(name, field)| (first_of(name), own(name, field.forms.first(), me)))
        .collect();
    let gives = |name: &str| endpoint.method == "POST" && GIVEN.contains(&name);
    let asked = |name: &str, field: &Field| !gives(name) && takes_ids(&field.forms) && !field.is_refused();
    for (name, field) in endpoint.fields.iter().filter(|(name, field)| asked(name, field)) {
        let name = if field.forms.contains(&Form::Texts) { format!("{}[0]", first_of(name)) } else { first_of(name) };
        let with = |id: &str| {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (other, value) in required.iter().filter(|(other, _)| *other != name) {
                form.append_pair(other, value);
            }
            let form = form.append_pair(&name, id).finish();
            let path = filled(endpoint.path, me);
            match verb {
                Method::GET => call(&verb, &format!("{path}?{form}"), &me.key, ""),
                _ => call(&verb, &path, &me.key, &form),
            }
        };
        stranger.compare(&format!("{} {} {name}", endpoint.method, endpoint.path), with).await;
    }
}

/// Fields of forms, and parameters of pages.
const FIELDS: &[&str] = &["id", "after", "before", "of", "done", "q", "kind", "value", "part", "subscription"];

async fn ask_the_portal(stranger: &mut Stranger<'_>, who: (&str, &str)) {
    let (cookie, session) = who;
    for path in server::web::page_paths().iter().filter(|path| path.contains('{')) {
        let with = |id: &str| page(&path.replace("{id}", id).replace("{part}", id), cookie);
        stranger.compare(&format!("GET {path}"), with).await;
    }
    for path in ["/invoices", "/subscriptions", "/details", "/"] {
        for field in FIELDS {
            stranger.compare(&format!("GET {path} {field}"), |id| page(&format!("{path}?{field}={id}"), cookie)).await;
        }
    }
    for (path, _) in server_fn_paths() {
        for field in FIELDS.iter().chain(&["session", "key"]) {
            let with = |id: &str| {
                let all = [("session", session), ("key", "k"), ("part", "contact"), ("kind", "eu_vat"), ("id", "x_1")];
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(all.iter().filter(|(name, _)| name != field)).append_pair(field, id);
                crate::stage::form(path, cookie, &form.finish())
            };
            stranger.compare(&format!("POST {path} {field}"), with).await;
        }
    }
}

#[tokio::test]
async fn what_is_anothers_is_answered_as_what_is_nobodys() {
    let is_release = std::env::var("PORTICO_TEST_SCALE").is_ok_and(|scale| scale == "release");
    let postgres = if is_release { Stage::on_postgres().await } else { None };
    for stage in std::iter::once(Stage::new().await).chain(postgres) {
        let (me, other) = (stage.merchant("Acme").await, stage.merchant("Globex").await);
        let before = belongings(&stage, &other).await;
        let theirs = ids_in(&before);
        assert!(theirs.len() > 20, "{theirs:?}");
        let mut stranger = Stranger { stage: &stage, theirs: theirs.clone(), compared: 0 };

        // In the portal a customer of the same merchant is as strange as one of another. First, since what the API is told
        // below stands on pages afterwards.
        let (customer, method) = stage.customer(&me.who).await;
        let (subscription, invoice) = stage.subscription(&me.who, &customer, &me.price).await;
        stranger.theirs.extend([customer, method, subscription, invoice]);
        let (cookie, session) = stage.sign_in(&me.who, &me.customer).await;
        ask_the_portal(&mut stranger, (&cookie, &session)).await;

        stranger.theirs = theirs;
        ask_the_api(&mut stranger, &me).await;
        assert!(stranger.compared >= AT_LEAST, "{} comparisons", stranger.compared);
        assert_eq!(belongings(&stage, &other).await, before, "nothing of the other's has changed");
    }
}
