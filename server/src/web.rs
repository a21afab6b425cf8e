//! The one router: which paths exist, and which layer stands in front of which.

use std::sync::LazyLock;

use app::session::Visit;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use leptos::prelude::LeptosOptions;
use leptos_axum::{AxumRouteListing, LeptosRoutes, generate_route_list};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::state::App;
use crate::{
    api, ask, documents, doors, entry, exports, framing, front, hosted, leave, log, login, metrics, picture, reference,
    shell, site, visit,
};

/// Every path outside `/v1`, `/do` and the portal's own pages, for the table of callers × endpoints.
pub const ROUTES: &[(&str, &str)] = &[
    ("GET", "/session/{secret}"),
    ("POST", "/session/{secret}"),
    ("GET", "/leave"),
    ("GET", "/invoice/{secret}"),
    ("GET", "/invoice/{secret}/pdf"),
    ("GET", "/documents/{merchant}/{object}/{mark}"),
    ("POST", "/invoice/{secret}/pay"),
    ("GET", "/login/{token}"),
    ("POST", "/login/{token}"),
    ("GET", "/login/{token}/code"),
    ("POST", "/login/{token}/code"),
    ("GET", "/access/{secret}"),
    ("POST", "/access/{secret}"),
    ("GET", "/choose"),
    ("POST", "/choose"),
    ("GET", "/sign-out"),
    ("POST", "/sign-out"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/pkg/{*file}"),
    ("GET", "/brand/{id}"),
    ("GET", "/embed.js"),
    ("GET", "/tls/ask"),
    ("GET", "/docs/api"),
    ("GET", "/docs/openapi.json"),
];

/// Files of those in a living session, for the same table.
pub const FILES: &[&str] = &[
    "/credit-notes/{id}/pdf",
    "/export/data.json",
    "/export/invoices.csv",
    "/export/invoices.zip",
    "/invoices/{id}/pdf",
    "/invoices/{id}/receipt",
];

/// The portal's pages, found out once and before any of them is asked for: while Leptos makes the list, no page
/// anywhere in the process loads what it shows, and one that is being answered would wait for ever.
static PAGES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(app::App));

pub fn router(app: App) -> Router {
    let entry = Router::new()
        .route("/session/{secret}", get(entry::open).post(entry::open_by_button))
        .route("/leave", get(leave::leave))
        .route("/invoice/{secret}", get(hosted::show))
        .merge(documents::open())
        .route("/invoice/{secret}/pay", post(hosted::pay))
        .merge(login::routes())
        .with_state(app.clone());
    let own = documents::own().merge(exports::own()).with_state(app.clone());
    let portal = pages()
        .layer(from_fn(front::follow_form))
        .merge(own)
        .layer(from_fn(visit::require_session))
        .merge(entry)
        .fallback(nothing_here)
        .layer(from_fn(front::small_body))
        .layer(from_fn(front::in_time))
        .layer(from_fn(front::same_origin))
        .layer(from_fn_with_state(app.clone(), visit::resolve))
        .layer(from_fn_with_state(app.clone(), front::portal_host));
    let health = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::show))
        .route("/tls/ask", get(ask::may_serve))
        .with_state(app.clone());
    let files = Router::new()
        .route("/pkg/{*file}", get(site::file))
        .route("/brand/{id}", get(picture::show))
        .route("/embed.js", get(framing::embed))
        .with_state(app.clone())
        .layer(from_fn_with_state(app.clone(), front::portal_host));
    let reference = Router::new()
        .route("/docs/api", get(reference::page))
        .route("/docs/openapi.json", get(reference::document))
        .layer(from_fn_with_state(app.clone(), front::public_host));
    Router::new()
        .merge(health)
        .merge(files)
        .merge(reference)
        .merge(api::router(app.clone()).layer(from_fn_with_state(app.clone(), front::api_host)))
        .merge(doors::router(app.clone()))
        .merge(portal)
        .layer(CatchPanicLayer::custom(front::broken))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(from_fn_with_state(app.clone(), front::headers))
        .layer(from_fn(front::observe))
        .layer(from_fn_with_state(app, front::identify))
}

/// The portal's pages by their paths (`/subscriptions/{id}`).
pub fn page_paths() -> Vec<String> {
    PAGES.iter().map(|route| route.path().to_owned()).collect()
}

/// The portal's pages, and the server functions that are registered: each under its own path, the others nowhere.
fn pages() -> Router {
    log::follow_tasks();
    let options = LeptosOptions::builder().output_name("portico").build();
    Router::<LeptosOptions>::new()
        .leptos_routes_with_context(&options, PAGES.clone(), || {}, shell::document)
        .with_state(options)
}

async fn ready(State(app): State<App>) -> impl IntoResponse {
    let draining = app.draining.load(std::sync::atomic::Ordering::Relaxed);
    match app.db.is_ready().await {
        Ok(true) if !draining => (StatusCode::OK, "ready"),
        Ok(_) if draining => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    }
}

/// A path that leads nowhere, or a file of `public/`.
async fn nothing_here(request: Request) -> Response {
    if site::has(request.uri().path().trim_start_matches('/')) {
        return site::file(request).await;
    }
    if !front::wants_page(request.headers()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    shell::missing(request.extensions().get::<Visit>())
}
