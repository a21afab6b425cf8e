//! One request as a handler sees it, and the way its answer takes: parsed, run, rendered, kept.

use std::future::Future;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, RawPathParams, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use billing::{Actor, Listed, Result, Trace, Tx, wire};
use serde_json::{Map, Value};
use tracing::Instrument;

use super::MOST_BODY;
use super::answer::{Reply, panic_text};
use super::describe::Notes;
use super::error::Failure;
use super::expand::{Expand, Shape};
use super::idempotency::{Key, is_kept};
use super::known::Known;
use super::params::Params;
use super::{auth, body, form};
use crate::state::App;

/// A request whose caller is known and whose parameters are still to be read.
pub struct Call {
    pub app: App,
    pub who: Actor,
    pub params: Params,
    /// The id in the path, `{id}`; empty where there is none.
    pub id: String,
    /// A second id in the path, `{inner}`.
    pub inner: String,
    key: Option<Key>,
}

/// A request whose parameters have all been read: it may run.
pub struct Ready {
    pub app: App,
    pub who: Actor,
    expand: Expand,
    key: Option<Key>,
}

impl Call {
    /// Reads a request: first who asks, then what.
    async fn receive(app: App, request: Request) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let trace = parts.extensions.get::<Trace>().cloned().unwrap_or_default();
        let mut who = auth::authenticate(&app.db, &parts.headers, trace).await?;
        let (id, inner) = ids(&mut parts).await?;
        let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await.map_err(unread)?;
        let fields = body::parameters(parts.uri.query().unwrap_or_default(), &parts.headers, &bytes)?;
        let key = Key::read(&parts.headers, &parts.method, parts.uri.path(), &fields)?;
        who.trace.idempotency_key = key.as_ref().map(|key| key.text.clone());
        let route = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
        let params = Params::new(fields).of(Known::of(&parts.method, route));
        Ok(Self { app, who, params, id, inner, key })
    }

    /// A request that is read to see what it may say. It never runs.
    pub fn to_describe(app: App, who: Actor, fields: Map<String, Value>, notes: Notes) -> Self {
        let id = who.tenant.merchant.clone();
        Self { app, who, params: Params::new(fields).noted(notes), id, inner: String::new(), key: None }
    }

    /// Everything has been read; what has not is refused, and so is an expansion that the answer does not have.
    pub fn ready(mut self, shape: Shape) -> Result<Ready> {
        let expand = Expand::read(&mut self.params, shape)?;
        let notes = self.params.notes();
        self.params.finish()?;
        if let Some(notes) = notes {
            return Err(notes.ready(shape));
        }
        Ok(Ready { app: self.app, who: self.who, expand, key: self.key })
    }
}

async fn ids(parts: &mut Parts) -> Result<(String, String), Failure> {
    let params = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|_| Failure::bad_request("url_invalid", "Invalid request: the URL is not valid UTF-8."))?;
    let mut ids = (String::new(), String::new());
    for (name, value) in &params {
        form::check_characters(value)?;
        match name {
            "id" => ids.0 = value.to_owned(),
            "inner" => ids.1 = value.to_owned(),
            _ => {}
        }
    }
    Ok(ids)
}

fn unread(rejection: BytesRejection) -> Failure {
    if rejection.status().as_u16() == 413 {
        Failure::too_large(MOST_BODY)
    } else {
        Failure::bad_request("body_unreadable", "The request's body could not be read.")
    }
}

impl Ready {
    pub async fn read(&self) -> Result<Tx> {
        self.app.db.read().await
    }

    /// Renders one object as the answer.
    pub async fn show(&self, tx: &mut Tx, mut value: Value) -> Result<Reply> {
        self.expand.apply(tx, &self.who, &mut value).await?;
        Ok(Reply::ok(&value))
    }

    /// Renders a page as the answer; `url` is where the next one is read.
    pub async fn show_list<T>(
        &self,
        tx: &mut Tx,
        url: &str,
        page: Listed<T>,
        render: impl Fn(&T) -> Value,
    ) -> Result<Reply> {
        self.show(tx, wire::listed(url, page, render)).await
    }

    /// Renders the answer to a change and keeps it for the request's key, in the transaction of the change.
    pub async fn keep(&self, tx: &mut Tx, value: Value) -> Result<Reply> {
        let reply = self.show(tx, value).await?;
        self.keep_as_it_is(tx, reply).await
    }

    /// The same of an answer that is rendered already, even a refusal.
    pub async fn keep_as_it_is(&self, tx: &mut Tx, reply: Reply) -> Result<Reply> {
        if let Some(key) = &self.key {
            let status = i64::from(reply.status.as_u16());
            billing::idempotency::finish(tx, &self.who, &key.text, status, &reply.body).await?;
        }
        Ok(reply)
    }

    /// What an earlier run of this request had made before it was cut off.
    pub fn made(&self) -> Option<&str> {
        self.key.as_ref().and_then(|key| key.progress.as_deref())
    }

    /// The request's key.
    pub fn key(&self) -> Option<&str> {
        self.key.as_ref().map(|key| key.text.as_str())
    }

    /// Notes what has been made so far, so that the same request, sent again after a crash, goes on from there.
    pub async fn note(&self, tx: &mut Tx, made: &str) -> Result<()> {
        match &self.key {
            Some(key) => billing::idempotency::progress(tx, &self.who, &key.text, made).await,
            None => Ok(()),
        }
    }
}

/// Answers one request with `work`.
pub async fn run<F, Fut>(app: App, request: Request, work: F) -> Response
where
    F: FnOnce(Call) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Reply>> + Send + 'static,
{
    let is_read = request.method().is_safe();
    let answered = match Call::receive(app, request).await {
        Err(failure) => Err(failure),
        Ok(call) if is_read => work(call).await.map_err(Failure::from),
        // A change runs to its end in a task of its own, even if the caller hangs up.
        Ok(call) => match tokio::spawn(perform(call, work).in_current_span()).await {
            Ok(answered) => answered,
            Err(error) => Err(Failure::internal(error.to_string())),
        },
    };
    match answered {
        Ok(reply) => reply.into_response(),
        Err(failure) => failure.into_response(),
    }
}

async fn perform<F, Fut>(mut call: Call, work: F) -> Result<Reply, Failure>
where
    F: FnOnce(Call) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Reply>> + Send + 'static,
{
    let (db, who) = (call.app.db.clone(), call.who.clone());
    if let Some(key) = &mut call.key
        && let Some(reply) = key.claim(&db, &who).await?
    {
        return Ok(reply);
    }
    let key = call.key.clone();
    let done = tokio::spawn(work(call).in_current_span()).await;
    let (failure, is_kept) = match done {
        Ok(Ok(reply)) => return Ok(reply),
        Ok(Err(error)) => {
            let is_kept = is_kept(&error);
            (Failure::from(error), is_kept)
        }
        Err(crash) => (crashed(crash), false),
    };
    if let Some(key) = key {
        key.settle(&db, &who, is_kept, &failure).await;
    }
    Err(failure)
}

fn crashed(crash: tokio::task::JoinError) -> Failure {
    match crash.try_into_panic() {
        Ok(payload) => Failure::internal(panic_text(payload.as_ref())),
        Err(error) => Failure::internal(error.to_string()),
    }
}
