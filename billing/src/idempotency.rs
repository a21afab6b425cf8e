//! The first answer to a key is kept for a day and given again, byte for byte.

use crate::actor::Actor;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::store::{Tx, maybe, run};

const KEPT_MS: i64 = 24 * 60 * 60 * 1000;
/// A request that has not finished by then is taken to have died with its process.
const LOCK_MS: i64 = 60 * 1000;

/// Where a key counts: the merchant's API, or one customer's portal.
fn scope(who: &Actor) -> &str {
    who.customer().unwrap_or("api")
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Ours to run. `progress` is what an earlier run that died had already made.
    Fresh { progress: Option<String> },
    /// Already answered so.
    Done { status: i64, body: String },
}

#[derive(sqlx::FromRow)]
struct Row {
    request_hash: String,
    status: Option<i64>,
    body: Option<String>,
    progress: Option<String>,
    locked_until_ms: Option<Millis>,
    created_ms: Millis,
}

/// Claims a key for one request. `Busy` while another request with it runs, `KeyReused` with other parameters.
pub async fn claim(tx: &mut Tx, who: &Actor, key: &str, request_hash: &str) -> Result<Claim> {
    tx.unaudited();
    let row: Option<Row> = maybe!(
        tx,
        "select request_hash, status, body, progress, locked_until_ms, created_ms from idempotency_key where tenant = $1 and scope = $2 and key = $3",
        who.tenant.key,
        scope(who),
        key
    )?;
    let now = tx.now;
    match row {
        Some(row) if row.created_ms.plus(KEPT_MS) > now => {
            if row.request_hash != request_hash {
                return Err(Error::KeyReused);
            }
            if let (Some(status), Some(body)) = (row.status, row.body) {
                return Ok(Claim::Done { status, body: tx.key.open(key, &body)? });
            }
            if row.locked_until_ms.is_some_and(|until| until > now) {
                return Err(Error::Busy);
            }
            lock(tx, who, key, row.locked_until_ms).await?;
            Ok(Claim::Fresh { progress: row.progress })
        }
        old => {
            if old.is_some() {
                run!(
                    tx,
                    "delete from idempotency_key where tenant = $1 and scope = $2 and key = $3",
                    who.tenant.key,
                    scope(who),
                    key
                )?;
            }
            // Two racers both see no row; the one whose insert does nothing lost.
            let won = run!(
                tx,
                "insert into idempotency_key (tenant, scope, key, request_hash, locked_until_ms, created_ms)
                 values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
                who.tenant.key,
                scope(who),
                key,
                request_hash,
                now.plus(LOCK_MS),
                now
            )?;
            if won == 1 { Ok(Claim::Fresh { progress: None }) } else { Err(Error::Busy) }
        }
    }
}

async fn lock(tx: &mut Tx, who: &Actor, key: &str, seen: Option<Millis>) -> Result<()> {
    let won = run!(
        tx,
        "update idempotency_key set locked_until_ms = $4
         where tenant = $1 and scope = $2 and key = $3 and status is null and locked_until_ms is not distinct from $5",
        who.tenant.key,
        scope(who),
        key,
        tx.now.plus(LOCK_MS),
        seen
    )?;
    if won == 1 { Ok(()) } else { Err(Error::Busy) }
}

/// Notes what the request has made so far, in the transaction that makes it.
pub async fn progress(tx: &mut Tx, who: &Actor, key: &str, made: &str) -> Result<()> {
    let changed = tx.is_changed();
    run!(
        tx,
        "update idempotency_key set progress = $4 where tenant = $1 and scope = $2 and key = $3",
        who.tenant.key,
        scope(who),
        key,
        made
    )?;
    tx.beside(changed);
    Ok(())
}

/// Keeps the answer, in the transaction of the change that it reports. Sealed: an answer may hold a portal link.
pub async fn finish(tx: &mut Tx, who: &Actor, key: &str, status: i64, body: &str) -> Result<()> {
    let sealed = tx.key.seal(key, body)?;
    let changed = tx.is_changed();
    run!(
        tx,
        "update idempotency_key set status = $4, body = $5, locked_until_ms = null where tenant = $1 and scope = $2 and key = $3",
        who.tenant.key,
        scope(who),
        key,
        status,
        sealed
    )?;
    tx.beside(changed);
    Ok(())
}

/// Gives a key back: its request was refused before it did anything.
pub async fn release(tx: &mut Tx, who: &Actor, key: &str) -> Result<()> {
    tx.unaudited();
    run!(
        tx,
        "update idempotency_key set locked_until_ms = null where tenant = $1 and scope = $2 and key = $3 and status is null and progress is not null",
        who.tenant.key,
        scope(who),
        key
    )?;
    run!(
        tx,
        "delete from idempotency_key where tenant = $1 and scope = $2 and key = $3 and status is null and progress is null",
        who.tenant.key,
        scope(who),
        key
    )?;
    Ok(())
}

/// Forgets keys older than a day; answers how many.
pub async fn prune(tx: &mut Tx) -> Result<u64> {
    tx.unaudited();
    run!(tx, "delete from idempotency_key where created_ms < $1", tx.now.plus(-KEPT_MS))
}
