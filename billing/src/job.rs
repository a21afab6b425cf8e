//! Work for later: written in the transaction that wants it, claimed by one worker at a time.

use serde_json::Value;

use crate::clock::Millis;
use crate::error::Result;
use crate::id;
use crate::store::{Json, Tx, maybe, run};

/// A claim lasts this long; a worker that dies leaves its job to the next one.
const LOCK_MS: i64 = 60 * 1000;

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Job {
    pub id: String,
    pub tenant: Option<i64>,
    pub kind: String,
    pub payload: Json<Value>,
    pub attempts: i64,
}

/// A job to put in the queue. With a `unique_key`, at most one of that name waits at a time.
pub struct NewJob<'a> {
    pub tenant: Option<i64>,
    pub kind: &'a str,
    pub unique_key: Option<&'a str>,
    pub payload: Value,
    pub run_at: Millis,
}

pub async fn enqueue(tx: &mut Tx, job: NewJob<'_>) -> Result<()> {
    let id = id::new("job", tx.now);
    run!(
        tx,
        "insert into job (id, tenant, kind, unique_key, payload, run_at_ms, attempts) values ($1, $2, $3, $4, $5, $6, 0) on conflict do nothing",
        &id,
        job.tenant,
        job.kind,
        job.unique_key,
        Json(&job.payload),
        job.run_at
    )?;
    Ok(())
}

/// Takes the oldest due job. The outer condition repeats the inner one: PostgreSQL re-checks only that one for the
/// loser of a race.
pub async fn claim(tx: &mut Tx) -> Result<Option<Job>> {
    tx.unaudited();
    maybe!(
        tx,
        "update job set attempts = attempts + 1, locked_until_ms = $2
         where id = (select id from job where run_at_ms <= $1 and (locked_until_ms is null or locked_until_ms < $1) order by run_at_ms, id limit 1)
           and (locked_until_ms is null or locked_until_ms < $1)
         returning id, tenant, kind, payload, attempts",
        tx.now,
        tx.now.plus(LOCK_MS)
    )
}

/// The job is done: it leaves the queue.
pub async fn finish(tx: &mut Tx, id: &str) -> Result<()> {
    tx.unaudited();
    run!(tx, "delete from job where id = $1", id)?;
    Ok(())
}

/// The job failed or repeats: it runs again at `at`.
pub async fn again(tx: &mut Tx, id: &str, at: Millis, error: Option<&str>) -> Result<()> {
    tx.unaudited();
    run!(tx, "update job set run_at_ms = $2, locked_until_ms = null, last_error = $3 where id = $1", id, at, error)?;
    Ok(())
}
