//! Sends what webhook endpoints are sent: each endpoint's deliveries in a task of its own, signed afresh at every attempt.

use std::future::Future;
use std::time::Duration;

use billing::webhook::lane::{self, Batch, Lane, Message, Outcome};
use billing::webhook::signature;
use billing::{Clock, Db, Result, Seconds, transact};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use tokio::task::JoinSet;
use url::Url;

use crate::metrics;
use crate::outbound::{Answer, Outbound, Request};

/// How many endpoints this process sends to at once: those that do not answer take nothing but room here.
const LANES: usize = 256;
/// How many batches an endpoint is sent before others have their turn.
const TURN: usize = 20;
const IDLE: Duration = Duration::from_secs(1);

/// Works until `stop` is over; what is in hand then is finished.
pub async fn work(db: Db, outbound: Outbound, stop: impl Future<Output = ()>) {
    let mut lanes = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let claimed = match lanes.len() < LANES {
            true => transact!(db, |tx| lane::claim(tx).await),
            false => Ok(None),
        };
        let is_idle = match claimed {
            Ok(Some(lane)) => {
                let (db, outbound) = (db.clone(), outbound.clone());
                lanes.spawn(async move { serve(&db, &outbound, &lane).await });
                false
            }
            Ok(None) => true,
            Err(error) => {
                tracing::error!(?error, "no webhook can be sent now");
                true
            }
        };
        let wait = if is_idle { IDLE } else { Duration::ZERO };
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = lanes.join_next(), if !lanes.is_empty() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    while lanes.join_next().await.is_some() {}
}

/// Sends to one endpoint that something is due for; answers whether there was one.
pub async fn work_one(db: &Db, outbound: &Outbound) -> Result<bool> {
    let Some(lane) = transact!(db, |tx| lane::claim(tx).await)? else { return Ok(false) };
    serve(db, outbound, &lane).await;
    Ok(true)
}

async fn serve(db: &Db, outbound: &Outbound, lane: &Lane) {
    // A lane that is not left is free again after a minute.
    if let Err(error) = take_turn(db, outbound, lane).await {
        tracing::error!(endpoint = lane.endpoint, ?error, "an endpoint's webhooks cannot be sent now");
    }
}

/// Batch after batch, until nothing is due or nothing was taken.
async fn take_turn(db: &Db, outbound: &Outbound, lane: &Lane) -> Result<()> {
    for _ in 0..TURN {
        let mut tx = db.read().await?;
        let batch = lane::batch(&mut tx, lane).await?;
        drop(tx);
        let Some(batch) = batch else { break };
        let sent = send_all(db.clock(), outbound, batch).await;
        for (message, outcome) in &sent {
            log(lane, message, outcome);
        }
        if !transact!(db, |tx| lane::settle(tx, lane, &sent).await)? {
            break;
        }
    }
    transact!(db, |tx| lane::leave(tx, lane).await)
}

fn log(lane: &Lane, message: &Message, outcome: &Outcome) {
    let (endpoint, delivery, status) = (&lane.endpoint, &message.id, outcome.status);
    if outcome.is_success() {
        metrics::job("webhook", metrics::Outcome::Done);
        tracing::debug!(endpoint, delivery, status, "a webhook was delivered");
    } else {
        metrics::job("webhook", metrics::Outcome::Failed);
        tracing::info!(endpoint, delivery, status, reason = outcome.error, "a webhook was not taken");
    }
}

/// All of a batch at once.
async fn send_all(clock: &Clock, outbound: &Outbound, batch: Batch) -> Vec<(Message, Outcome)> {
    let mut sending = JoinSet::new();
    for message in batch.messages {
        let (clock, outbound) = (clock.clone(), outbound.clone());
        let (url, secrets) = (batch.url.clone(), batch.secrets.clone());
        sending.spawn(async move {
            let now = clock.wall().seconds();
            let outcome = send(&outbound, &url, &secrets, &message, now).await;
            (message, outcome)
        });
    }
    sending.join_all().await
}

/// One attempt: the bytes that are signed are the bytes that are sent.
async fn send(outbound: &Outbound, url: &str, secrets: &[String], message: &Message, now: Seconds) -> Outcome {
    let request = match request(url, secrets, &message.webhook_id, &message.body, now) {
        Ok(request) => request,
        Err(error) => return Outcome { error: Some(error.to_string()), ..Outcome::default() },
    };
    match outbound.send(request).await {
        Ok(answer) => Outcome { status: Some(answer.status), retry_after_ms: retry_after(&answer, now), error: None },
        Err(failure) => Outcome { error: Some(failure.to_string()), ..Outcome::default() },
    }
}

/// A delivery as it goes out, with both signatures.
pub fn request(url: &str, secrets: &[String], id: &str, body: &str, now: Seconds) -> Result<Request> {
    let url = Url::parse(url).map_err(billing::Error::internal)?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    let signed = [
        ("stripe-signature", signature::stripe(secrets, now, body)?),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", now.0.to_string()),
        ("webhook-signature", signature::standard(secrets, id, now, body)?),
    ];
    for (name, value) in signed {
        headers.insert(name, HeaderValue::from_str(&value).map_err(billing::Error::internal)?);
    }
    Ok(Request { method: Method::POST, url, headers, body: body.as_bytes().to_vec() })
}

/// In seconds, or an instant; in milliseconds from now.
fn retry_after(answer: &Answer, now: Seconds) -> Option<i64> {
    let text = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = match text.parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let at: Timestamp = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            at.as_second().saturating_sub(now.0)
        }
    };
    Some(seconds.saturating_mul(1000).max(0))
}
