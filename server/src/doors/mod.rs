//! Doors in other dialects than `/v1`: calls that other portals' texts print, each with its own words and its own errors.

mod access;
mod config;
mod flat;
mod hosted;
mod json;
mod signed_in;
mod token;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::front;
use crate::state::App;

pub use token::check_public_key;

/// The largest body that any of them takes, in bytes.
const MOST_BODY: usize = 64 * 1024;

pub const ROUTES: &[(&str, &str)] = &[
    ("POST", "/merchant/session/customer_portal_url"),
    ("POST", "/api/billing/portal"),
    ("OPTIONS", "/api/billing/portal"),
    ("GET", "/customer-portal-config"),
    ("PATCH", "/customer-portal-config"),
    ("POST", "/customer-portal/access/request-link"),
    ("POST", "/customer-portal/access/consume"),
    ("POST", "/customer-portal/access/sign-out"),
];

pub fn router(app: App) -> Router {
    // The browser's calls are answered where the portal is.
    let browsers = Router::new()
        .route("/customer-portal/access/request-link", post(access::request_link))
        .route("/customer-portal/access/consume", post(access::consume))
        .route("/customer-portal/access/sign-out", post(access::sign_out))
        .layer(from_fn_with_state(app.clone(), front::portal_host));
    Router::new()
        .route("/merchant/session/customer_portal_url", post(hosted::customer_portal_url))
        .route("/api/billing/portal", post(signed_in::portal).options(signed_in::preflight))
        .route("/customer-portal-config", get(config::retrieve).patch(config::update))
        .layer(from_fn_with_state(app.clone(), front::public_host))
        .merge(browsers)
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(CatchPanicLayer::custom(json::panicked))
        .with_state(app)
}
