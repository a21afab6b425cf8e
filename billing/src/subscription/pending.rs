//! A change that waits for its payment (`payment_behavior=pending_if_incomplete`): until its invoice is paid the old plan
//! goes on. It waits for 23 hours, and not beyond the current period; then the invoice is void and nothing is owed.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer;
use crate::error::{Error, Result};
use crate::invoice::{self, Bill, Invoice, compose, issue, take_back};
use crate::store::{Json, Tx};
use crate::subscription::create::PaymentBehavior;
use crate::subscription::planned::{self, PlannedItem};
use crate::subscription::update::{self, Updated};
use crate::subscription::{
    CollectionMethod, Proposal, Status, Subscription, announce, discounts, get, save, scheduled,
};
use crate::{payment, wire};

const MOST: i64 = 23 * 3600;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingUpdate {
    /// The one that is to be paid.
    pub invoice: String,
    /// The latest one before it.
    pub latest_invoice: Option<String>,
    pub items: Vec<PlannedItem>,
    /// The instant at which the new period begins, where one does.
    pub billing_cycle_anchor: Option<Seconds>,
    /// The items in Stripe's shape.
    pub shown: Vec<Value>,
}

/// Refuses a second change while one waits for its payment.
pub(crate) fn check_none(subscription: &Subscription) -> Result<()> {
    if subscription.pending_update.is_none() {
        return Ok(());
    }
    let message =
        "This subscription has a change that waits for its payment. Pay its latest invoice, or drop the change first.";
    Err(Error::conflict("subscription_pending_update", message))
}

/// Makes the invoice of a change and lets the change wait for its payment. One that costs nothing now is made at once.
pub(crate) async fn begin(tx: &mut Tx, who: &Actor, proposal: Proposal, behavior: PaymentBehavior) -> Result<Updated> {
    let Proposal { before, after, now, .. } = &proposal;
    let waits = proposal.is_invoiced
        && matches!(before.status, Status::Active | Status::Trialing)
        && after.collection_method == CollectionMethod::ChargeAutomatically;
    if !waits {
        // What is owed already would be in the way of saying that this is not.
        let is_behind = matches!(before.status, Status::PastDue | Status::Unpaid) && proposal.is_invoiced;
        if behavior == PaymentBehavior::ErrorIfIncomplete && is_behind {
            let message = "A subscription that is behind with its payments changes this way only once they are made.";
            return Err(Error::conflict("subscription_unexpected_state", message));
        }
        return update::apply(tx, who, proposal, PaymentBehavior::AllowIncomplete).await;
    }
    // What waits for the next invoice is not to be lost with one that may be void tomorrow.
    let bill = Bill { pulls: false, ..Bill::of(after, "subscription_update", proposal.lines.clone(), *now) };
    let composed = compose(tx, who, &bill).await?;
    if composed.invoice.amount_due == 0 {
        return update::apply(tx, who, proposal, PaymentBehavior::AllowIncomplete).await;
    }
    if proposal.is_priced {
        update::count_change(tx, who, &before.id, *now).await?;
    }
    let made = issue(tx, who, composed).await?;
    let turns = after.billing_cycle_anchor != before.billing_cycle_anchor;
    let pending = PendingUpdate {
        invoice: made.id.clone(),
        latest_invoice: before.latest_invoice.clone(),
        items: after.items.iter().map(PlannedItem::from).collect(),
        billing_cycle_anchor: turns.then_some(after.billing_cycle_anchor),
        shown: after.items.iter().map(|item| wire::item(&who.tenant, item)).collect(),
    };
    let mut waiting = Subscription {
        pending_update: Some(Json(pending)),
        pending_update_expires_at: Some(now.plus(MOST).min(before.current_period_end)),
        latest_invoice: Some(made.id.clone()),
        ..before.clone()
    };
    save(tx, who, &mut waiting).await?;
    let event = "customer.subscription.updated";
    announce(tx, who, Some(before), &waiting, event, &[event]).await?;
    let made = payment::unpayable(tx, who, &waiting, made).await?;
    let collect = made.status == invoice::Status::Open && !made.attempted;
    Ok(Updated { subscription: waiting, invoice: Some(made), collect })
}

/// Whether an invoice is the one that a change waits for.
pub(crate) fn waits_for(subscription: &Subscription, invoice: &Invoice) -> bool {
    subscription.pending_update.as_ref().is_some_and(|pending| pending.invoice == invoice.id)
}

/// Its invoice is paid: the change takes effect.
pub(crate) async fn apply(tx: &mut Tx, who: &Actor, before: &Subscription, now: Seconds) -> Result<()> {
    let mut after = before.clone();
    after.pending_update_expires_at = None;
    let Some(pending) = after.pending_update.take() else { return Ok(()) };
    scheduled::give_way(tx, who, &mut after, now).await?;
    planned::put(tx, who, &mut after, &pending.items, now).await?;
    if let Some(anchor) = pending.billing_cycle_anchor {
        let recurring = after.recurring().ok_or_else(|| Error::internal("a subscription without an interval"))?;
        (after.billing_cycle_anchor, after.cycle) = (anchor, 0);
        (after.current_period_start, after.current_period_end) = (anchor, recurring.start_of(anchor, 1)?);
        if after.cancel_at_period_end {
            after.cancel_at = Some(after.current_period_end);
        }
        discounts::expire(tx, who, &mut after).await?;
    }
    save(tx, who, &mut after).await?;
    let events = ["customer.subscription.updated", "customer.subscription.pending_update_applied"];
    announce(tx, who, Some(before), &after, events[1], &events).await
}

/// Gives it up: its invoice is void, and money that comes for that later is owed back.
pub(crate) async fn expire(tx: &mut Tx, who: &Actor, before: &Subscription, now: Seconds) -> Result<Subscription> {
    let mut after = before.clone();
    after.pending_update_expires_at = None;
    let Some(pending) = after.pending_update.take() else { return Ok(after) };
    after.latest_invoice.clone_from(&pending.latest_invoice);
    take_back(tx, who, &pending.invoice, now).await?;
    save(tx, who, &mut after).await?;
    let events = ["customer.subscription.updated", "customer.subscription.pending_update_expired"];
    announce(tx, who, Some(before), &after, events[1], &events).await?;
    Ok(after)
}

/// Drops the change that waits for its payment. Where none does, nothing changes.
pub async fn drop_update(tx: &mut Tx, who: &Actor, id: &str) -> Result<Subscription> {
    let before = get(tx, who, id).await?;
    let customer = customer::get_or_deleted(tx, who, &before.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    expire(tx, who, &before, now).await
}

/// What the API shows beside the instant at which it expires.
pub(crate) fn shown(pending: &PendingUpdate) -> Value {
    json!({ "billing_cycle_anchor": pending.billing_cycle_anchor, "subscription_items": pending.shown })
}
