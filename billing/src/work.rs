//! The billing worker: finds something that is due, whoever's, does it, and collects what it has billed. Any number of
//! workers may do so at once: each step is one transaction that looks again whether it is due.

use std::sync::Arc;

use crate::actor::{Actor, Tenant};
use crate::cycle::{self, Step};
use crate::error::{Error, Result};
use crate::gateway::PaymentGateway;
use crate::store::{Db, Tx, all, run};
use crate::{id, payment, transact};

/// What could not be done is taken up again after this many seconds, so that it keeps no other waiting.
const LATER: i64 = 15 * 60;

/// Something that is due.
#[derive(Debug, Clone)]
struct Task {
    tenant: Tenant,
    subscription: String,
}

/// Does one thing that is due on the wall's clock; answers whether there was any.
pub async fn one(db: &Db, gateway: &Arc<dyn PaymentGateway>) -> Result<bool> {
    let mut tx = db.read().await?;
    let due = due(&mut tx).await?;
    drop(tx);
    let Some(task) = any(due) else { return Ok(false) };
    let who = Actor::system(task.tenant, "billing");
    if let Err(error) = advance(db, gateway, &who, &task.subscription).await {
        tracing::error!(subscription = task.subscription, ?error, "what is due could not be done");
        transact!(db, |tx| postpone(tx, &who, &task.subscription).await)?;
    }
    Ok(true)
}

/// What has been due longest.
async fn due(tx: &mut Tx) -> Result<Vec<Task>> {
    let now = tx.now.seconds();
    let rows: Vec<(i64, String, bool, String)> = all!(
        tx,
        "select t.id, t.merchant, t.livemode, s.id from subscription s join tenant t on t.id = s.tenant
         where s.clock_id is null and s.wakes_at <= $1 order by s.wakes_at, s.id limit 64",
        now
    )?;
    let task =
        |(key, merchant, livemode, subscription)| Task { tenant: Tenant { key, merchant, livemode }, subscription };
    Ok(rows.into_iter().map(task).collect())
}

/// Any of them, so that those who look at once seldom reach for the same.
fn any(mut due: Vec<Task>) -> Option<Task> {
    let count = u64::try_from(due.len()).ok().filter(|count| *count > 0)?;
    Some(due.swap_remove(usize::try_from(id::random() % count).ok()?))
}

/// Takes the step that is due on a subscription, and charges what it bills.
async fn advance(db: &Db, gateway: &Arc<dyn PaymentGateway>, who: &Actor, id: &str) -> Result<()> {
    let step = transact!(db, |tx| Box::pin(cycle::advance(tx, who, id)).await)?;
    match step {
        // Somebody else was faster; or it was called too early, and is not called again at once.
        Step::Waiting => transact!(db, |tx| postpone(tx, who, id).await),
        Step::Billed(invoice) if invoice.is_to_be_charged() => {
            match payment::collect(db, gateway.clone(), who, &invoice.id).await {
                Ok(_) | Err(Error::Busy | Error::Conflict { .. }) => Ok(()),
                Err(other) => Err(other),
            }
        }
        _ => Ok(()),
    }
}

/// Lets one that is still due by its row wait.
async fn postpone(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    tx.unaudited();
    let now = tx.now.seconds();
    run!(
        tx,
        "update subscription set wakes_at = $3 where tenant = $1 and id = $2 and wakes_at <= $4",
        who.tenant.key,
        id,
        now.plus(LATER),
        now
    )?;
    Ok(())
}
