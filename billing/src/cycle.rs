//! What time does to a subscription: the trial ends, a period renews, a cancellation takes effect. One step at a time,
//! so that a worker that is days late makes each missed period once, in order.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer;
use crate::error::{Error, Result};
use crate::invoice::{self, Invoice};
use crate::payment;
use crate::store::Tx;
use crate::subscription::{
    self, MissingPaymentMethod, Status, Subscription, announce, cancel, collection, pause, pending, save,
    scheduled::{self, Applied},
};

/// What one step did.
#[derive(Debug)]
pub enum Step {
    /// Nothing is due yet.
    Waiting,
    /// A period began, or the last one ended with something still to be billed; the invoice is to be collected if it is open, charged automatically, and not attempted already
    /// (which it is where there is no method to charge).
    Billed(Box<Invoice>),
    Ended,
    Paused,
    Expired,
    /// Payments are collected again.
    Collecting,
    /// A change was not paid for in time, and is dropped.
    Dropped,
}

/// Takes the one step that is due on a subscription, at the instant it was due.
pub async fn advance(tx: &mut Tx, who: &Actor, id: &str) -> Result<Step> {
    let subscription = subscription::get(tx, who, id).await?;
    let customer = customer::get_or_deleted(tx, who, &subscription.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    let Some(due) = subscription.due().filter(|due| *due <= now) else { return Ok(Step::Waiting) };
    if subscription.status == Status::Incomplete {
        return expire(tx, who, subscription, due).await;
    }
    if subscription.cancel_at.is_some_and(|at| at <= due) {
        let subscription = pending::expire(tx, who, &subscription, due).await?;
        let last = cancel::finish(tx, who, &subscription, subscription.clone(), Vec::new(), due).await?;
        return Ok(last.invoice.filter(|_| last.collect).map_or(Step::Ended, |open| Step::Billed(Box::new(open))));
    }
    if subscription.pending_update_expires_at.is_some_and(|at| at <= due) {
        pending::expire(tx, who, &subscription, due).await?;
        return Ok(Step::Dropped);
    }
    let ends = subscription.pause_collection.as_ref().and_then(|pause| pause.resumes_at);
    if ends.is_some_and(|at| at <= due) {
        collection::end(tx, who, subscription).await?;
        return Ok(Step::Collecting);
    }
    let subscription = match scheduled::apply_due(tx, who, &subscription, due).await? {
        Applied::Nothing => subscription,
        Applied::Updated(updated) => *updated,
        Applied::Paused => return Ok(Step::Paused),
        Applied::Resumed(resumed) => {
            return Ok(resumed.invoice.map_or(Step::Waiting, |invoice| Step::Billed(Box::new(invoice))));
        }
    };
    if subscription.status == Status::Trialing && !subscription.can_pay(&customer) {
        match subscription.trial_settings.missing_payment_method {
            MissingPaymentMethod::CreateInvoice => {}
            MissingPaymentMethod::Cancel => {
                let mut ending = subscription.clone();
                ending.cancellation_details.0.reason = Some("payment_failed".into());
                cancel::end(tx, who, &subscription, ending, due).await?;
                return Ok(Step::Ended);
            }
            MissingPaymentMethod::Pause => {
                pause::stop(tx, who, &subscription, subscription.clone(), due).await?;
                return Ok(Step::Paused);
            }
        }
    }
    renew(tx, who, subscription, due).await
}

async fn renew(tx: &mut Tx, who: &Actor, before: Subscription, due: Seconds) -> Result<Step> {
    let recurring = before.recurring().ok_or_else(|| Error::internal("a subscription without a recurring item"))?;
    let mut next = before.clone();
    next.cycle += 1;
    next.current_period_start = recurring.start_of(next.billing_cycle_anchor, next.cycle)?;
    next.current_period_end = recurring.start_of(next.billing_cycle_anchor, next.cycle + 1)?;
    if next.status == Status::Trialing {
        next.enter(Status::Active, due)?;
    }
    save(tx, who, &mut next).await?;
    subscription::discounts::expire(tx, who, &mut next).await?;
    let lines = invoice::period_lines(&next)?;
    let invoice = invoice::bill_period(tx, who, &next, "subscription_cycle", lines, due).await?;
    next.latest_invoice = Some(invoice.id.clone());
    save(tx, who, &mut next).await?;
    let event = "customer.subscription.updated";
    announce(tx, who, Some(&before), &next, event, &[event]).await?;
    let invoice = payment::unpayable(tx, who, &next, invoice).await?;
    Ok(Step::Billed(Box::new(invoice)))
}

/// The first invoice was not paid within 23 hours: nothing is owed any more.
pub(crate) async fn expire(tx: &mut Tx, who: &Actor, before: Subscription, due: Seconds) -> Result<Step> {
    let mut expired = before.clone();
    expired.enter(Status::IncompleteExpired, due)?;
    save(tx, who, &mut expired).await?;
    if let Some(id) = &before.latest_invoice {
        invoice::take_back(tx, who, id, due).await?;
    }
    let event = "customer.subscription.updated";
    announce(tx, who, Some(&before), &expired, event, &[event]).await?;
    Ok(Step::Expired)
}
