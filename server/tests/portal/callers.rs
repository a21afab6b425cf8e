//! Who may call what: every route and server function has a row here, and one without a row fails.

mod api;

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, header};
use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::{directory, transact};
use leptos::server_fn::axum::server_fn_paths;
use serde_json::json;

use crate::stage::{Merchant, Stage, request};
use api::API;

/// Pages: without a session, or with one that has ended, 401; another customer's object is not there.
const PAGES: &[(&str, u16)] = &[
    ("/", 200),
    ("/activity", 200),
    ("/confirm", 404),
    ("/details", 200),
    ("/details/{part}", 200),
    ("/done", 404),
    ("/invoices", 200),
    ("/invoices/{id}", 404),
    ("/payment-methods", 200),
    ("/payment-methods/add", 200),
    ("/repair", 200),
    ("/subscriptions/{id}", 404),
    ("/subscriptions/{id}/cancel", 404),
    ("/subscriptions/{id}/change", 404),
    ("/subscriptions/{id}/change/review", 404),
    ("/subscriptions/{id}/pause", 404),
    ("/subscriptions/{id}/resume", 404),
    ("/subscribe", 403),
    ("/subscribe/review", 403),
];

/// Files of those in a session: as pages.
const FILES: &[(&str, u16)] = &[
    ("/credit-notes/{id}/pdf", 404),
    ("/export/data.json", 200),
    ("/export/invoices.csv", 404),
    ("/export/invoices.zip", 404),
    ("/invoices/{id}/pdf", 404),
    ("/invoices/{id}/receipt", 404),
];

/// What a configuration allows is refused for being another's, and not for being switched off.
async fn allow_everything(stage: &Stage, owner: &Merchant) {
    let held =
        billing::subscription::get(&mut stage.app.db.read().await.unwrap(), &owner.who, &owner.subscription).await;
    let products = json!([{ "product": held.unwrap().items[0].price.product }]);
    let change = json!({ "enabled": true, "default_allowed_updates": ["price"], "products": products });
    let features = Some(json!({ "subscription_update": change, "subscription_pause": { "enabled": true } }));
    let update = ConfigurationUpdate { features, ..ConfigurationUpdate::default() };
    transact!(stage.app.db, |tx| configuration::update(tx, &owner.who, "default", update.clone()).await).unwrap();
}

/// Server functions: without a session, or with one that has ended, 401; then what another customer's session is told.
const FUNCTIONS: &[(&str, u16)] = &[
    ("/do/app/pages/activity/read_activity", 200),
    ("/do/app/pages/add_method/add_method", 404),
    ("/do/app/pages/add_method/read_adding", 404),
    ("/do/app/pages/cancel/cancel_subscription", 404),
    ("/do/app/pages/cancel/read_leaving", 404),
    ("/do/app/pages/change/read_changing", 404),
    ("/do/app/pages/confirm/read_confirmation", 404),
    ("/do/app/pages/details/add_tax_id", 400),
    ("/do/app/pages/details/read_details", 200),
    ("/do/app/pages/details/remove_tax_id", 404),
    ("/do/app/pages/details_form/read_details_form", 200),
    ("/do/app/pages/details_form/save_details", 200),
    ("/do/app/pages/done/read_end", 404),
    ("/do/app/pages/invoice/pay_invoice", 404),
    ("/do/app/pages/invoice/read_invoice", 404),
    ("/do/app/pages/invoices/read_invoices", 200),
    ("/do/app/pages/methods/read_methods", 200),
    ("/do/app/pages/methods/remove_method", 404),
    ("/do/app/pages/methods/set_default_method", 404),
    ("/do/app/pages/overview/read_overview", 200),
    ("/do/app/pages/pause/pause_subscription", 404),
    ("/do/app/pages/pause/read_pausing", 404),
    ("/do/app/pages/purchase/buy", 403),
    ("/do/app/pages/purchase/read_purchase", 403),
    ("/do/app/pages/repair/read_repair", 200),
    ("/do/app/pages/resume/read_resuming", 404),
    ("/do/app/pages/resume/resume_subscription", 404),
    ("/do/app/pages/review/confirm_change", 404),
    ("/do/app/pages/review/read_review", 404),
    ("/do/app/pages/subscribe/read_choosing", 403),
    ("/do/app/pages/subscription/keep_subscription", 404),
    ("/do/app/pages/subscription/read_subscription", 404),
    ("/do/app/pages/subscription/undo_change", 404),
    ("/do/app/parts/frame/read_frame", 200),
];

/// Open to everybody by their nature.
const OPEN: &[(&str, &str, u16)] = &[
    ("GET", "/session/{secret}", 404),
    ("POST", "/session/{secret}", 404),
    ("GET", "/leave", 303),
    ("GET", "/invoice/{secret}", 404),
    ("GET", "/invoice/{secret}/pdf", 404),
    ("GET", "/documents/{merchant}/{object}/{mark}", 404),
    ("POST", "/invoice/{secret}/pay", 404),
    ("GET", "/login/{token}", 404),
    ("POST", "/login/{token}", 404),
    ("GET", "/login/{token}/code", 404),
    ("POST", "/login/{token}/code", 404),
    ("GET", "/access/{secret}", 404),
    ("POST", "/access/{secret}", 404),
    ("GET", "/choose", 410),
    ("POST", "/choose", 410),
    ("GET", "/sign-out", 303),
    ("POST", "/sign-out", 303),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/metrics", 404),
    ("GET", "/pkg/{*file}", 404),
    ("GET", "/brand/{id}", 404),
    ("GET", "/embed.js", 200),
    ("GET", "/tls/ask", 404),
    ("GET", "/docs/api", 200),
    ("GET", "/docs/openapi.json", 200),
];

/// Doors in other dialects: what a call without a key or a token, and without a body, is told.
const DOORS: &[(&str, &str, u16)] = &[
    ("POST", "/merchant/session/customer_portal_url", 401),
    ("POST", "/api/billing/portal", 401),
    ("OPTIONS", "/api/billing/portal", 204),
    ("GET", "/customer-portal-config", 401),
    ("PATCH", "/customer-portal-config", 401),
    ("POST", "/customer-portal/access/request-link", 400),
    ("POST", "/customer-portal/access/consume", 400),
    ("POST", "/customer-portal/access/sign-out", 204),
];

#[tokio::test]
async fn every_route_has_a_row() {
    let rows: BTreeSet<_> = API.iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(rows, server::api::ROUTES.iter().copied().collect());
    let open: BTreeSet<_> = OPEN.iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(open, server::web::ROUTES.iter().copied().collect());
    let doors: BTreeSet<_> = DOORS.iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(doors, server::doors::ROUTES.iter().copied().collect());
    let pages: BTreeSet<_> = PAGES.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(pages, server::web::page_paths().into_iter().collect());
    let files: BTreeSet<_> = FILES.iter().map(|(path, _)| *path).collect();
    assert_eq!(files, server::web::FILES.iter().copied().collect());
    let functions: BTreeSet<_> = FUNCTIONS.iter().map(|(path, _)| *path).collect();
    assert_eq!(functions, server_fn_paths().map(|(path, _)| path).collect());
}

#[tokio::test]
async fn the_api_is_for_its_own_merchant() {
    let stage = Stage::new().await;
    let owner = stage.merchant("Acme").await;
    let other = stage.merchant("Rival").await;
    let revoked = revoked_key(&stage, &owner).await;
    for (method, path, expected) in API {
        let path = filled(path, &owner);
        let call = |key: Option<&str>| {
            let bearer = key.map(|key| format!("Bearer {key}"));
            let headers: Vec<_> = bearer.iter().map(|b| ("authorization", b.as_str())).collect();
            request(Method::from_bytes(method.as_bytes()).unwrap(), &path, &headers)
        };
        assert_eq!(stage.send(call(None)).await.status(), 401, "no key: {method} {path}");
        assert_eq!(stage.send(call(Some("sk_test_nobody"))).await.status(), 401, "unknown key: {method} {path}");
        assert_eq!(stage.send(call(Some(&revoked))).await.status(), 401, "revoked key: {method} {path}");
        let (status, body) = stage.text(call(Some(&other.key))).await;
        assert_eq!(status, *expected, "other merchant: {method} {path}: {body}");
        for id in [&owner.customer, &owner.subscription, &owner.invoice, &owner.price, &owner.product] {
            assert!(status != 200 || !body.contains(id.as_str()), "{method} {path} shows another merchant's {id}");
        }
    }
}

#[tokio::test]
async fn pages_and_functions_are_for_their_own_customer() {
    let stage = Stage::new().await;
    let owner = stage.merchant("Acme").await;
    allow_everything(&stage, &owner).await;
    let (stranger, _) = stage.customer(&owner.who).await;
    let (ended, ended_id) = stage.sign_in(&owner.who, &owner.customer).await;
    transact!(stage.app.db, |tx| billing::portal::session::revoke(tx, &owner.who, &ended_id).await).unwrap();
    let (cookie, session) = stage.sign_in(&owner.who, &stranger).await;
    for (path, expected) in PAGES.iter().chain(FILES) {
        let path = path.replace("{id}", named(path, &owner)).replace("{part}", "contact");
        let call = |cookie: &str| crate::stage::page(&path, cookie);
        assert_eq!(stage.send(call("")).await.status(), 401, "no cookie: {path}");
        assert_eq!(stage.send(call(&ended)).await.status(), 401, "ended session: {path}");
        let (status, html) = stage.text(call(&cookie)).await;
        assert_eq!(status, *expected, "other customer: {path}");
        for id in [&owner.invoice, &owner.method, &owner.subscription] {
            assert!(path.contains(id.as_str()) || !html.contains(id.as_str()), "{path} shows another customer's {id}");
        }
        assert!(!html.contains("\"Team\""), "{path} shows another customer's");
    }
    for (path, expected) in FUNCTIONS {
        let call = |cookie: &str| function(path, cookie, &session, named(path, &owner));
        assert_eq!(stage.send(call("")).await.status(), 401, "no cookie: {path}");
        assert_eq!(stage.send(call(&ended)).await.status(), 401, "ended session: {path}");
        let (status, body) = stage.text(call(&cookie)).await;
        assert_eq!(status, *expected, "other customer: {path}: {body}");
        assert!(!body.contains(&owner.invoice), "{path} shows another customer's");
    }
    let mut tx = stage.app.db.read().await.unwrap();
    let untouched = billing::subscription::get(&mut tx, &owner.who, &owner.subscription).await.unwrap();
    assert!(!untouched.cancel_at_period_end);
    let untouched = billing::customer::payment_method::get(&mut tx, &owner.who, &owner.method).await.unwrap();
    assert_eq!(untouched.customer, Some(owner.customer));
}

#[tokio::test]
async fn the_open_doors_need_nothing() {
    let stage = Stage::new().await;
    for (method, path, expected) in OPEN.iter().chain(DOORS) {
        let path = path.replace("{secret}", "unknown").replace("{token}", "unknown").replace("{*file}", "none.js");
        let headers = [("sec-fetch-site", "same-origin")];
        let answer = stage.send(request(Method::from_bytes(method.as_bytes()).unwrap(), &path, &headers)).await;
        assert_eq!(answer.status(), *expected, "{method} {path}");
    }
}

/// Calls a server function as the portal's own script does, with every field that any of them takes.
fn function(path: &str, cookie: &str, session: &str, id: &str) -> Request<Body> {
    let body = format!(
        "session={session}&key=k&id={id}&done=&part=contact&entered[phone]=5&kind=eu_vat&value=1\
         &wish[item]=si_1&wish[price]=price_1&wish[quantity]=1&stale=false&length=0&quote=none&reference=none"
    );
    let headers = [
        ("cookie", cookie),
        ("sec-fetch-site", "same-origin"),
        ("accept", "application/json"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let (mut parts, _) = request(Method::POST, path, &headers).into_parts();
    parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    Request::from_parts(parts, Body::from(body))
}

/// The owner's own object that a page or a function is asked for.
fn named<'a>(path: &str, owner: &'a Merchant) -> &'a str {
    if path.contains("/invoice") {
        &owner.invoice
    } else if path.contains("method") {
        &owner.method
    } else {
        &owner.subscription
    }
}

async fn revoked_key(stage: &Stage, owner: &Merchant) -> String {
    transact!(stage.app.db, |tx| {
        let (key, text) = directory::create_key(tx, &owner.who, None).await?;
        directory::revoke_key(tx, &owner.who, &key.id, 0).await?;
        Ok(text)
    })
    .unwrap()
}

/// A route's path with the owner's own objects in it.
pub fn filled(path: &str, owner: &Merchant) -> String {
    let id = match path.split('/').nth(2).unwrap_or_default() {
        "accounts" => &owner.who.tenant.merchant,
        "customers" => &owner.customer,
        "products" => &owner.product,
        "prices" => &owner.price,
        "coupons" => &owner.coupon,
        "promotion_codes" => &owner.promotion_code,
        "tax_rates" => &owner.tax_rate,
        "test_helpers" => &owner.clock,
        "payment_methods" => &owner.method,
        "tax_ids" => &owner.tax_id,
        "subscriptions" => &owner.subscription,
        "subscription_items" => &owner.item,
        "invoices" => &owner.invoice,
        "payment_intents" => &owner.intent,
        "events" => &owner.event,
        "setup_intents" => &owner.setup,
        "webhook_endpoints" => &owner.endpoint,
        "portal_domains" => &owner.domain,
        "webhook_deliveries" => &owner.delivery,
        "audit_entries" => &owner.entry,
        "billing" => &owner.option,
        "billing_portal" if path.contains("/sessions/") => &owner.session,
        _ => &owner.configuration,
    };
    let inner = if path.contains("tax_ids") { &owner.tax_id } else { &owner.method };
    path.replace("{id}", id).replace("{inner}", inner)
}
