//! The bound on what a defect can cost: a subscription that would be billed twice is parked, until somebody who has looked
//! lets it go on.

use super::following;
use crate::actor::{Actor, Tenant};
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::store::{Tx, all, maybe, one};
use crate::subscription::{self, Subscription, announce, save};

/// How often one item may be billed for one day of the subscription's own time. More is a defect that bills in a loop.
const MOST_A_DAY: i64 = 15;
const DAY: i64 = 86_400;
/// How many are listed.
const MOST_LISTED: i64 = 1000;

/// A subscription that is parked, whoever's.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Parked {
    pub merchant: String,
    pub livemode: bool,
    pub id: String,
    pub customer: String,
    pub parked_at: Seconds,
}

/// Whether the period that is about to begin has its invoice already, or one item has been billed too often for the day
/// on which it begins.
pub(super) async fn is_billed_already(tx: &mut Tx, who: &Actor, next: &Subscription, due: Seconds) -> Result<bool> {
    let day = Seconds(due.0.div_euclid(DAY) * DAY);
    let (lines,): (i64,) = one!(
        tx,
        "select cast(coalesce(max(n), 0) as bigint) from (
             select count(*) as n from invoice i join invoice_line l on l.tenant = i.tenant and l.invoice = i.id
             where i.tenant = $1 and i.subscription = $2 and i.billing_reason = 'subscription_cycle'
             and i.created >= $3 and i.created < $4 and l.subscription_item is not null
             group by l.subscription_item) as counted",
        who.tenant.key,
        &next.id,
        day,
        day.plus(DAY)
    )?;
    Ok(lines >= MOST_A_DAY || has_invoice(tx, who, next).await?)
}

/// Whether the period that it is in has its invoice.
async fn has_invoice(tx: &mut Tx, who: &Actor, subscription: &Subscription) -> Result<bool> {
    let (invoices,): (i64,) = one!(
        tx,
        "select count(*) from invoice where tenant = $1 and subscription = $2 and cycle_start = $3 and status <> 'void'",
        who.tenant.key,
        &subscription.id,
        subscription.current_period_start
    )?;
    Ok(invoices > 0)
}

/// Nothing more happens to it by itself. It can be canceled, as always.
pub(super) async fn park(tx: &mut Tx, who: &Actor, before: Subscription) -> Result<()> {
    let mut parked = Subscription { parked_at: Some(tx.now.seconds()), ..before.clone() };
    save(tx, who, &mut parked).await?;
    tracing::error!(subscription = before.id, "parked: it would have been billed twice");
    announce(tx, who, Some(&before), &parked, "subscription.parked", &["customer.subscription.updated"]).await
}

/// Those that are parked, of whatever merchant, the one that has waited longest first: up to a thousand.
pub async fn list(tx: &mut Tx) -> Result<Vec<Parked>> {
    all!(
        tx,
        "select t.merchant, t.livemode, s.id, s.customer, s.parked_at from subscription s join tenant t on t.id = s.tenant
         where s.parked_at is not null and s.ended_at is null order by s.parked_at, s.id limit $1",
        MOST_LISTED
    )
}

/// How many are parked.
pub async fn count(tx: &mut Tx) -> Result<i64> {
    let (parked,): (i64,) =
        one!(tx, "select count(*) from subscription where parked_at is not null and ended_at is null")?;
    Ok(parked)
}

/// Whose the subscription is that an operator names by nothing but its id.
pub async fn tenant_of(tx: &mut Tx, id: &str) -> Result<Tenant> {
    let found: Option<(i64, String, bool)> = maybe!(
        tx,
        "select t.id, t.merchant, t.livemode from subscription s join tenant t on t.id = s.tenant where s.id = $1",
        id
    )?;
    let (key, merchant, livemode) = found.ok_or_else(|| Error::missing("subscription", id))?;
    Ok(Tenant { key, merchant, livemode })
}

/// Lets a parked subscription go on behind the periods that have their invoices; what has become due since is done. Should
/// it be billed twice again, it is parked again.
///
/// Refused with `subscription_unexpected_state` for one that is not parked, or has ended.
pub async fn release(tx: &mut Tx, who: &Actor, id: &str) -> Result<Subscription> {
    if who.customer().is_some() {
        return Err(Error::Forbidden("Only an operator lets a parked subscription go on."));
    }
    let before = subscription::get(tx, who, id).await?;
    if before.parked_at.is_none() || before.status.is_ended() {
        return Err(Error::conflict("subscription_unexpected_state", "This subscription is not parked."));
    }
    let mut after = Subscription { parked_at: None, ..before.clone() };
    loop {
        let next = following(&after)?;
        if !has_invoice(tx, who, &next).await? {
            break;
        }
        after = next;
    }
    save(tx, who, &mut after).await?;
    announce(tx, who, Some(&before), &after, "subscription.unparked", &["customer.subscription.updated"]).await?;
    Ok(after)
}
