//! The billing worker: finds something that is due, whoever's, does it, and collects what it has billed. Any number of
//! workers may do so at once: each step is one transaction that looks again whether it is due.

use std::sync::Arc;

use crate::actor::{Actor, Tenant};
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::gateway::PaymentGateway;
use crate::store::{Db, Tx, all, maybe, run};
use crate::{cycle, dunning, id, payment, transact};

/// What could not be done is taken up again after this many seconds, so that it keeps no other waiting.
const LATER: i64 = 15 * 60;

/// What time does something to, by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Due {
    Subscription(String),
    Invoice(String),
}

/// What one step did.
pub(crate) enum Step {
    /// It was not due.
    Waiting,
    Done,
    /// This invoice is to be charged now.
    Charge(String),
}

/// Does one thing that is due on the wall's clock; answers whether there was any.
pub async fn one(db: &Db, gateway: &Arc<dyn PaymentGateway>) -> Result<bool> {
    let mut tx = db.read().await?;
    let due = due(&mut tx).await?;
    drop(tx);
    let Some((tenant, due)) = any(due) else { return Ok(false) };
    let who = Actor::system(tenant, "billing");
    if let Err(error) = advance(db, gateway, &who, &due).await {
        tracing::error!(?due, ?error, "what is due could not be done");
        transact!(db, |tx| postpone(tx, &who, &due).await)?;
    }
    Ok(true)
}

/// Moves a clock that stands in the past on to what is due next for one customer, by `until` at the latest, and does it
/// there; answers whether there was any. So a demo comes by its history.
pub async fn next_of(
    db: &Db,
    gateway: &Arc<dyn PaymentGateway>,
    who: &Actor,
    customer: &str,
    until: Seconds,
) -> Result<bool> {
    let mut tx = db.read().await?;
    let next = due_of(&mut tx, who, customer, until).await?;
    drop(tx);
    let Some((at, due)) = next else { return Ok(false) };
    db.clock().advance((at.0 * 1000 - db.clock().wall().0).max(0));
    advance(db, gateway, who, &due).await?;
    Ok(true)
}

/// What is due first for a customer, up to an instant; what is owed before what is to be billed.
async fn due_of(tx: &mut Tx, who: &Actor, customer: &str, until: Seconds) -> Result<Option<(Seconds, Due)>> {
    let invoice: Option<(Seconds, String)> = maybe!(
        tx,
        "select next_due, id from invoice where tenant = $1 and customer = $2 and next_due <= $3 order by next_due, id limit 1",
        who.tenant.key,
        customer,
        until
    )?;
    let subscription: Option<(Seconds, String)> = maybe!(
        tx,
        "select wakes_at, id from subscription where tenant = $1 and customer = $2 and wakes_at <= $3 order by wakes_at, id limit 1",
        who.tenant.key,
        customer,
        until
    )?;
    let invoice = invoice.map(|(at, id)| (at, Due::Invoice(id)));
    let subscription = subscription.map(|(at, id)| (at, Due::Subscription(id)));
    // The first of equals is the one that is kept.
    Ok(invoice.into_iter().chain(subscription).min_by_key(|(at, _)| *at))
}

/// What has been due longest. What runs on a test clock is left to that.
async fn due(tx: &mut Tx) -> Result<Vec<(Tenant, Due)>> {
    type Row = (i64, String, bool, String);
    let now = tx.now.seconds();
    let subscriptions: Vec<Row> = all!(
        tx,
        "select t.id, t.merchant, t.livemode, s.id from subscription s join tenant t on t.id = s.tenant
         where s.clock_id is null and s.wakes_at <= $1 order by s.wakes_at, s.id limit 64",
        now
    )?;
    let invoices: Vec<Row> = all!(
        tx,
        "select t.id, t.merchant, t.livemode, i.id from invoice i join tenant t on t.id = i.tenant
         where i.clock_id is null and i.next_due <= $1 order by i.next_due, i.id limit 64",
        now
    )?;
    let tenant = |(key, merchant, livemode, id): Row| (Tenant { key, merchant, livemode }, id);
    let subscriptions = subscriptions.into_iter().map(tenant).map(|(tenant, id)| (tenant, Due::Subscription(id)));
    let invoices = invoices.into_iter().map(tenant).map(|(tenant, id)| (tenant, Due::Invoice(id)));
    Ok(subscriptions.chain(invoices).collect())
}

/// Any of them, so that those who look at once seldom reach for the same.
fn any<T>(mut due: Vec<T>) -> Option<T> {
    let count = u64::try_from(due.len()).ok().filter(|count| *count > 0)?;
    Some(due.swap_remove(usize::try_from(id::random() % count).ok()?))
}

/// Takes the step that is due, and charges what it bills.
async fn advance(db: &Db, gateway: &Arc<dyn PaymentGateway>, who: &Actor, due: &Due) -> Result<()> {
    match transact!(db, |tx| step(tx, who, due).await)? {
        Step::Done => Ok(()),
        Step::Charge(invoice) => charge(db, gateway, who, &invoice).await,
        // Somebody else was faster; or it was called too early, and is not called again at once.
        Step::Waiting => transact!(db, |tx| postpone(tx, who, due).await),
    }
}

/// Takes the step that is due, if one is.
pub(crate) async fn step(tx: &mut Tx, who: &Actor, due: &Due) -> Result<Step> {
    match due {
        Due::Subscription(id) => match Box::pin(cycle::advance(tx, who, id)).await? {
            cycle::Step::Waiting => Ok(Step::Waiting),
            cycle::Step::Billed(invoice) if invoice.is_to_be_charged() => Ok(Step::Charge(invoice.id)),
            _ => Ok(Step::Done),
        },
        Due::Invoice(id) => match Box::pin(dunning::advance(tx, who, id)).await? {
            dunning::Step::Waiting => Ok(Step::Waiting),
            dunning::Step::Done => Ok(Step::Done),
            dunning::Step::Charge => Ok(Step::Charge(id.clone())),
        },
    }
}

pub(crate) async fn charge(db: &Db, gateway: &Arc<dyn PaymentGateway>, who: &Actor, invoice: &str) -> Result<()> {
    match payment::retry(db, gateway.clone(), who, invoice).await {
        // Somebody is at it, or was faster.
        Ok(_) | Err(Error::Busy | Error::Conflict { .. }) => Ok(()),
        Err(other) => Err(other),
    }
}

/// Lets what its row still calls due wait.
async fn postpone(tx: &mut Tx, who: &Actor, due: &Due) -> Result<()> {
    tx.unaudited();
    let now = tx.now.seconds();
    let (tenant, later) = (who.tenant.key, now.plus(LATER));
    match due {
        Due::Subscription(id) => run!(
            tx,
            "update subscription set wakes_at = $3 where tenant = $1 and id = $2 and wakes_at <= $4",
            tenant,
            id,
            later,
            now
        )?,
        Due::Invoice(id) => run!(
            tx,
            "update invoice set next_due = $3 where tenant = $1 and id = $2 and next_due <= $4",
            tenant,
            id,
            later,
            now
        )?,
    };
    Ok(())
}
