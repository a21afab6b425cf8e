//! `GET /tls/ask?domain=…`: what a TLS front asks before it gets a certificate for a name (Caddy's on-demand TLS).

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use billing::portal::domain;
use serde::Deserialize;

use crate::front::{is_from_this_machine, is_same};
use crate::state::App;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    domain: String,
    #[serde(default)]
    token: String,
}

/// Yes (200) to proven names only; nothing (404) to whoever is not on this machine and does not hold the token, which
/// stands in the query, since a front sends no header.
pub async fn may_serve(State(app): State<App>, Query(asked): Query<Asked>, request: Parts) -> StatusCode {
    let token = app.settings.tls_ask_token.as_deref();
    if !is_from_this_machine(&request) && !token.is_some_and(|token| is_same(&asked.token, token)) {
        return StatusCode::NOT_FOUND;
    }
    match is_served(&app, &asked.domain).await {
        Ok(true) => StatusCode::OK,
        Ok(false) => StatusCode::NOT_FOUND,
        Err(error) => {
            tracing::error!(?error, "a name could not be looked up");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

async fn is_served(app: &App, name: &str) -> billing::Result<bool> {
    let mut tx = app.db.read().await?;
    Ok(domain::by_name(&mut tx, &name.to_ascii_lowercase()).await?.is_some())
}
