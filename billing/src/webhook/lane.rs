//! How an endpoint's deliveries are worked through. Each endpoint has a lane of its own, that one worker at a time is in,
//! so that whoever is slow keeps nobody else waiting; any number of processes may work.

use serde_json::Value;

use super::delivery::{self, Status};
use super::{Endpoint, signing_secrets};
use crate::actor::{Actor, Tenant};
use crate::clock::{Millis, Seconds};
use crate::customer::payment_method;
use crate::error::Result;
use crate::event::{self, Event};
use crate::mail::{self, About, Template};
use crate::store::{Tx, all, maybe, one, run};
use crate::{directory, id, wire};

const SECOND_MS: i64 = 1000;
const HOUR_MS: i64 = 60 * 60 * SECOND_MS;
/// How long a lane is kept for who is in it: longer than one batch takes. A worker that dies leaves it to the next one.
const LEASE_MS: i64 = 60 * SECOND_MS;
/// How many deliveries are under way to one endpoint at a time.
const BATCH: i64 = 16;
/// How long after each attempt the next one is, in seconds, after the example of Standard Webhooks; the last again and again.
const PAUSES: [i64; 9] = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];
/// An attempt that fails this long after the first was the last: 75 hours and 35 minutes, the sum of the pauses.
const GIVE_UP_MS: i64 = (75 * 60 + 35) * 60 * SECOND_MS;
/// At most so long is waited for a receiver that says when it wants to be asked again.
const MOST_WAIT_MS: i64 = 24 * HOUR_MS;
/// After so long of nothing but failures the merchant's owner is written to,
const WARN_MS: i64 = 72 * HOUR_MS;
/// and after so long the endpoint is switched off,
const DISABLE_MS: i64 = 120 * HOUR_MS;
/// if the owner has known for so long.
const NOTICE_MS: i64 = 24 * HOUR_MS;

/// The endpoint that a worker sends to.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Lane {
    pub tenant: i64,
    pub endpoint: String,
}

/// What is sent at once, and what it is signed with.
#[derive(Debug, Clone)]
pub struct Batch {
    pub url: String,
    /// One, or two while a rotation lasts.
    pub secrets: Vec<String>,
    pub messages: Vec<Message>,
}

#[derive(Debug, Clone)]
pub struct Message {
    /// The delivery's.
    pub id: String,
    /// `webhook-id`: the same at every attempt.
    pub webhook_id: String,
    pub name: String,
    pub body: String,
    attempts: i64,
    since: Millis,
}

/// What became of an attempt.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The HTTP status; `None` where there was no answer.
    pub status: Option<u16>,
    /// How long the receiver asks to be left alone, in milliseconds.
    pub retry_after_ms: Option<i64>,
    /// Why there was no answer.
    pub error: Option<String>,
}

impl Outcome {
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// The receiver says that it is gone for good.
    fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

/// Enters the lane, of those in which something is due and nobody is, that was left longest ago. It looks at every enabled
/// endpoint: a merchant has few, and each is one look into an index.
pub async fn claim(tx: &mut Tx) -> Result<Option<Lane>> {
    maybe!(
        tx,
        "update webhook_lane set leased_until_ms = $2
         where (tenant, endpoint) = (
             select l.tenant, l.endpoint from webhook_lane l join webhook_endpoint e on e.tenant = l.tenant and e.id = l.endpoint
             where e.status = 'enabled' and l.leased_until_ms <= $1
               and exists (select 1 from delivery d where d.tenant = l.tenant and d.endpoint = l.endpoint
                           and d.status = 'pending' and d.next_ms <= $1)
             order by l.leased_until_ms, l.tenant, l.endpoint limit 1)
           and leased_until_ms <= $1
         returning tenant, endpoint",
        tx.now,
        tx.now.plus(LEASE_MS)
    )
}

/// The next deliveries that are due, rendered; `None` once there are none, or the endpoint is not sent anything any more.
pub async fn batch(tx: &mut Tx, lane: &Lane) -> Result<Option<Batch>> {
    let who = who(tx, lane).await?;
    let Some(endpoint) = super::enabled(tx, &who, &lane.endpoint).await? else { return Ok(None) };
    type Row = (String, String, String, i64, Millis);
    let due: Vec<Row> = all!(
        tx,
        "select id, event, name, attempts, since_ms from delivery
         where tenant = $1 and endpoint = $2 and status = 'pending' and next_ms <= $3 order by next_ms, id limit $4",
        lane.tenant,
        &lane.endpoint,
        tx.now,
        BATCH
    )?;
    let mut messages = Vec::new();
    for (id, event, name, attempts, since) in due {
        let event = event::get(tx, &who, &event).await?;
        let body = body(tx, &who, &endpoint, &event, &name).await?;
        // A receiver that lists an event's two names, and skips what it has seen, sees two.
        let webhook_id = if name == event.r#type { event.id } else { format!("{}_{name}", event.id) };
        messages.push(Message { id, webhook_id, name, body, attempts, since });
    }
    if messages.is_empty() {
        return Ok(None);
    }
    Ok(Some(Batch { url: endpoint.url, secrets: signing_secrets(tx, &who, &endpoint.id).await?, messages }))
}

async fn who(tx: &mut Tx, lane: &Lane) -> Result<Actor> {
    Ok(Actor::system(directory::tenant_by_key(tx, lane.tenant).await?, "webhooks"))
}

/// The event as this endpoint receives it. Where it is named after a method that became the default, that is its object.
async fn body(tx: &mut Tx, who: &Actor, endpoint: &Endpoint, event: &Event, name: &str) -> Result<String> {
    let mut sent = sent_as(&who.tenant, event, name, &endpoint.api_version);
    if name == delivery::METHOD_UPDATED
        && let Some(method) = delivery::new_default(&event.data)
    {
        let method = payment_method::get(tx, who, method).await?;
        sent["data"] = serde_json::json!({ "object": wire::payment_method(&who.tenant, &method) });
    }
    Ok(sent.to_string())
}

/// An event under one of its names, as whoever is pinned to a version receives it.
pub fn sent_as(tenant: &Tenant, event: &Event, name: &str, api_version: &str) -> Value {
    let mut sent = wire::event(tenant, event);
    sent["type"] = name.into();
    sent["api_version"] = api_version.into();
    sent
}

/// Writes down what became of a batch, and keeps the lane for the next one. Answers whether anything was taken.
pub async fn settle(tx: &mut Tx, lane: &Lane, batch: &[(Message, Outcome)]) -> Result<bool> {
    for (message, outcome) in batch {
        settle_one(tx, lane, message, outcome).await?;
    }
    let taken = batch.iter().any(|(_, outcome)| outcome.is_success());
    let gone = batch.iter().any(|(_, outcome)| outcome.is_gone());
    if taken {
        forget_failures(tx, lane.tenant, &lane.endpoint).await?;
    } else if gone {
        disable(tx, lane).await?;
    } else {
        fail(tx, lane).await?;
    }
    let until = tx.now.plus(LEASE_MS);
    set_lease(tx, lane, until).await?;
    Ok(taken)
}

async fn settle_one(tx: &mut Tx, lane: &Lane, message: &Message, outcome: &Outcome) -> Result<()> {
    let status = match outcome {
        taken if taken.is_success() => Status::Delivered,
        gone if gone.is_gone() => Status::Failed,
        _ if message.since.plus(GIVE_UP_MS) <= tx.now => Status::Failed,
        _ => Status::Pending,
    };
    let attempts = message.attempts + 1;
    let wait = pause(attempts).max(outcome.retry_after_ms.unwrap_or_default().min(MOST_WAIT_MS));
    let next = (status == Status::Pending).then(|| tx.now.plus(wait));
    run!(
        tx,
        "update delivery set status = $3, attempts = $4, next_ms = $5, last_status = $6, last_error = $7, settled_ms = $8
         where tenant = $1 and id = $2 and status = 'pending' and since_ms = $9",
        lane.tenant,
        &message.id,
        status,
        attempts,
        next,
        outcome.status.map(i64::from),
        outcome.error.as_deref(),
        next.is_none().then_some(tx.now),
        message.since
    )?;
    Ok(())
}

/// After so many attempts, a fifth more or less, so that those who failed together do not come back together.
fn pause(attempts: i64) -> i64 {
    let n = usize::try_from(attempts - 1).unwrap_or_default().min(PAUSES.len() - 1);
    let permille = 800 + i64::try_from(id::random() % 401).unwrap_or_default();
    PAUSES[n] * permille
}

/// Leaves the lane; whoever has waited longer is next.
pub async fn leave(tx: &mut Tx, lane: &Lane) -> Result<()> {
    let now = tx.now;
    set_lease(tx, lane, now).await
}

async fn set_lease(tx: &mut Tx, lane: &Lane, until: Millis) -> Result<()> {
    run!(
        tx,
        "update webhook_lane set leased_until_ms = $3 where tenant = $1 and endpoint = $2",
        lane.tenant,
        &lane.endpoint,
        until
    )?;
    Ok(())
}

/// Whatever was wrong, it is over, or begins anew.
pub(super) async fn forget_failures(tx: &mut Tx, tenant: i64, endpoint: &str) -> Result<()> {
    run!(
        tx,
        "update webhook_lane set failing_since_ms = null, warned_ms = null where tenant = $1 and endpoint = $2 and failing_since_ms is not null",
        tenant,
        endpoint
    )?;
    Ok(())
}

/// Nothing of a batch was taken: remembers since when, tells the owner in time, and switches the endpoint off in the end.
async fn fail(tx: &mut Tx, lane: &Lane) -> Result<()> {
    let (since, warned): (Option<Millis>, Option<Millis>) = one!(
        tx,
        "select failing_since_ms, warned_ms from webhook_lane where tenant = $1 and endpoint = $2",
        lane.tenant,
        &lane.endpoint
    )?;
    let since = since.unwrap_or(tx.now);
    let told = match warned {
        None if since.plus(WARN_MS) <= tx.now => {
            warn(tx, lane, since).await?;
            Some(tx.now)
        }
        warned => warned,
    };
    run!(
        tx,
        "update webhook_lane set failing_since_ms = $3, warned_ms = $4 where tenant = $1 and endpoint = $2",
        lane.tenant,
        &lane.endpoint,
        since,
        told
    )?;
    let is_known = told.is_some_and(|told| told.plus(NOTICE_MS) <= tx.now);
    if is_known && since.plus(DISABLE_MS) <= tx.now { disable(tx, lane).await } else { Ok(()) }
}

/// Writes to the owner when the endpoint will be switched off at the earliest.
async fn warn(tx: &mut Tx, lane: &Lane, since: Millis) -> Result<()> {
    let who = who(tx, lane).await?;
    let Some(endpoint) = super::enabled(tx, &who, &lane.endpoint).await? else { return Ok(()) };
    let end: Seconds = since.plus(DISABLE_MS).max(tx.now.plus(NOTICE_MS)).seconds();
    let about = About { endpoint: Some(endpoint.url), at: Some(end), ..About::default() };
    mail::to_owner(tx, &who, Template::WebhookFailing, about).await
}

async fn disable(tx: &mut Tx, lane: &Lane) -> Result<()> {
    let who = who(tx, lane).await?;
    super::disable(tx, &who, &lane.endpoint).await
}
