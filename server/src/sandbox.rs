//! The built-in test processor as a process of its own: what it answers over HTTP, and the gateway that asks it there.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use billing::gateway::sandbox::{Said, Sandbox};
use billing::gateway::{Answer, Charge, Entered, Entry, Notice, Outcome, PaymentGateway, Refund, Refunded, Taken};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// After this, a question to another process counts as unanswered.
pub const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Serialize, Deserialize)]
struct LookUp {
    key: String,
}

#[derive(Serialize, Deserialize)]
struct Challenge {
    reference: String,
    is_confirmed: bool,
}

pub fn router(sandbox: Arc<Sandbox>) -> Router {
    Router::new()
        .route("/charges", post(charge))
        .route("/methods", post(take))
        .route("/look-ups", post(look_up))
        .route("/refunds", post(refund))
        .route("/challenges", post(challenge))
        .route("/notices", get(notices))
        .route("/notices/{id}", axum::routing::delete(noticed))
        .with_state(sandbox)
}

/// A fault is played in earnest: who asks waits until it gives up, or is told that something broke.
async fn charge(State(sandbox): State<Arc<Sandbox>>, Json(charge): Json<Charge>) -> Response {
    match sandbox.asked(&charge).await {
        Ok(Said::Outcome(outcome)) => Json(outcome).into_response(),
        Ok(Said::Nothing) => std::future::pending().await,
        Ok(Said::Broken) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Err(error) => {
            tracing::error!(?error, "the ledger could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn take(State(sandbox): State<Arc<Sandbox>>, Json(entered): Json<Entered>) -> Json<Taken> {
    Json(sandbox.take(&entered).await)
}

async fn look_up(State(sandbox): State<Arc<Sandbox>>, Json(what): Json<LookUp>) -> Json<Option<Outcome>> {
    Json(sandbox.look_up(&what.key).await)
}

async fn refund(State(sandbox): State<Arc<Sandbox>>, Json(refund): Json<Refund>) -> Json<Refunded> {
    Json(sandbox.refund(&refund).await)
}

async fn challenge(State(sandbox): State<Arc<Sandbox>>, Json(what): Json<Challenge>) -> Json<Option<Outcome>> {
    Json(sandbox.challenge(&what.reference, what.is_confirmed).await)
}

async fn notices(State(sandbox): State<Arc<Sandbox>>) -> Json<Vec<Notice>> {
    Json(sandbox.notices().await)
}

async fn noticed(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<i64>) {
    sandbox.noticed(id).await;
}

/// The sandbox that another process keeps. What is not answered, or not in its words, is unknown.
pub struct Remote {
    client: reqwest::Client,
    url: String,
}

impl Remote {
    /// `url` is where it listens, without a slash at its end.
    pub fn at(url: &str, patience: Duration) -> Result<Self, String> {
        let client = reqwest::Client::builder().timeout(patience).no_proxy().build().map_err(|e| e.to_string())?;
        Ok(Self { client, url: url.to_owned() })
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str, question: &impl Serialize) -> Option<T> {
        let request = self.client.post(format!("{}{path}", self.url)).json(question);
        read(request).await
    }
}

async fn read<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Option<T> {
    let answer = async { request.send().await?.error_for_status()?.json().await };
    let answer: Result<T, reqwest::Error> = answer.await;
    answer.inspect_err(|error| tracing::warn!(%error, "the sandbox gave no answer")).ok()
}

impl PaymentGateway for Remote {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn entry(&self) -> Entry {
        Entry::Ours
    }

    fn take<'a>(&'a self, entered: &'a Entered) -> Answer<'a, Taken> {
        Box::pin(async move { self.ask("/methods", entered).await.unwrap_or(Taken::Nothing) })
    }

    fn charge<'a>(&'a self, charge: &'a Charge) -> Answer<'a, Outcome> {
        Box::pin(async move { self.ask("/charges", charge).await.unwrap_or(Outcome::Unknown) })
    }

    fn look_up<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Outcome>> {
        Box::pin(async move {
            self.ask("/look-ups", &LookUp { key: key.to_owned() }).await.unwrap_or(Some(Outcome::Unknown))
        })
    }

    fn refund<'a>(&'a self, refund: &'a Refund) -> Answer<'a, Refunded> {
        Box::pin(async move { self.ask("/refunds", refund).await.unwrap_or(Refunded::Unknown) })
    }

    fn challenge<'a>(&'a self, reference: &'a str, is_confirmed: bool) -> Answer<'a, Option<Outcome>> {
        let challenge = Challenge { reference: reference.to_owned(), is_confirmed };
        Box::pin(async move { self.ask("/challenges", &challenge).await.unwrap_or(Some(Outcome::Unknown)) })
    }

    fn notices(&self) -> Answer<'_, Vec<Notice>> {
        Box::pin(async move { read(self.client.get(format!("{}/notices", self.url))).await.unwrap_or_default() })
    }

    fn noticed(&self, id: i64) -> Answer<'_, ()> {
        Box::pin(async move {
            // One that stays is told again, which changes nothing.
            let _ = self.client.delete(format!("{}/notices/{id}", self.url)).send().await;
        })
    }
}
