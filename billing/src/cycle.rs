//! What time does to a subscription: the trial ends, a period renews, a cancellation takes effect. One step at a time,
//! so that a worker that is days late makes each missed period once, in order.

pub mod parking;

use std::pin::Pin;

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer::{self, Customer};
use crate::error::{Error, Result};
use crate::invoice::{self, Invoice};
use crate::payment;
use crate::preview;
use crate::store::Tx;
use crate::subscription::due::Due;
use crate::subscription::{
    self, MissingPaymentMethod, Status, Subscription, announce, cancel, collection, pause, pending, save,
    scheduled::{self, Applied},
};

/// What one step did.
#[derive(Debug)]
pub enum Step {
    /// Nothing is due yet.
    Waiting,
    /// A period began, or the last one ended with something still to be billed; the invoice is to be collected if it
    /// [`Invoice::is_to_be_charged`].
    Billed(Box<Invoice>),
    Ended,
    Paused,
    Expired,
    /// Payments are collected again.
    Collecting,
    /// A change was not paid for in time, and is dropped.
    Dropped,
    /// The merchant was told of what is to come.
    Told,
    /// It would have been billed twice: nothing more happens to it until somebody has looked.
    Parked,
}

/// Takes the one step that is due on a subscription, at the instant it was due.
pub async fn advance(tx: &mut Tx, who: &Actor, id: &str) -> Result<Step> {
    let subscription = subscription::get(tx, who, id).await?;
    let customer = customer::get_or_deleted(tx, who, &subscription.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    let Some((at, due)) = subscription.next_by(now) else { return Ok(Step::Waiting) };
    take(tx, who, subscription, &customer, (at, due)).await
}

/// On the heap, each in its own size: steps are taken within steps.
type Taken<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

fn take<'a>(
    tx: &'a mut Tx,
    who: &'a Actor,
    subscription: Subscription,
    customer: &'a Customer,
    (at, due): (Seconds, Due),
) -> Taken<'a, Step> {
    match due {
        Due::Expiry => Box::pin(expire(tx, who, subscription, at)),
        Due::Cancellation => Box::pin(end(tx, who, subscription, at)),
        Due::PendingUpdate => Box::pin(drop_update(tx, who, subscription, at)),
        Due::Collection => Box::pin(collect(tx, who, subscription)),
        Due::TrialNotice => Box::pin(tell_of_trial(tx, who, subscription)),
        Due::InvoiceNotice => Box::pin(tell_of_invoice(tx, who, subscription)),
        Due::Resume | Due::Period => Box::pin(turn(tx, who, subscription, customer, at)),
    }
}

async fn drop_update(tx: &mut Tx, who: &Actor, subscription: Subscription, at: Seconds) -> Result<Step> {
    pending::expire(tx, who, &subscription, at).await.map(|_| Step::Dropped)
}

async fn collect(tx: &mut Tx, who: &Actor, subscription: Subscription) -> Result<Step> {
    collection::end(tx, who, subscription).await.map(|_| Step::Collecting)
}

async fn end(tx: &mut Tx, who: &Actor, subscription: Subscription, at: Seconds) -> Result<Step> {
    let subscription = pending::expire(tx, who, &subscription, at).await?;
    let last = cancel::finish(tx, who, &subscription, subscription.clone(), Vec::new(), at).await?;
    Ok(last.invoice.filter(|_| last.collect).map_or(Step::Ended, |open| Step::Billed(Box::new(open))))
}

/// Whatever waits for this instant takes effect, then the next period begins.
async fn turn(tx: &mut Tx, who: &Actor, subscription: Subscription, customer: &Customer, at: Seconds) -> Result<Step> {
    let subscription = match scheduled::apply_due(tx, who, &subscription, at).await? {
        Applied::Nothing => subscription,
        Applied::Updated(updated) => *updated,
        Applied::Paused => return Ok(Step::Paused),
        Applied::Resumed(resumed) => {
            return Ok(resumed.invoice.map_or(Step::Waiting, |invoice| Step::Billed(Box::new(invoice))));
        }
    };
    if subscription.status == Status::Trialing && !subscription.can_pay(customer) {
        match subscription.trial_settings.missing_payment_method {
            MissingPaymentMethod::CreateInvoice => {}
            MissingPaymentMethod::Cancel => {
                let mut ending = subscription.clone();
                ending.cancellation_details.0.reason = Some("payment_failed".into());
                cancel::end(tx, who, &subscription, ending, at).await?;
                return Ok(Step::Ended);
            }
            MissingPaymentMethod::Pause => {
                pause::stop(tx, who, &subscription, subscription.clone(), at).await?;
                return Ok(Step::Paused);
            }
        }
    }
    renew(tx, who, subscription, at).await
}

async fn renew(tx: &mut Tx, who: &Actor, before: Subscription, due: Seconds) -> Result<Step> {
    let mut next = following(&before)?;
    if parking::is_billed_already(tx, who, &next, due).await? {
        parking::park(tx, who, before).await?;
        return Ok(Step::Parked);
    }
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
    invoice::credit::settle_owed(tx, who, &invoice, due).await?;
    let invoice = payment::unpayable(tx, who, &next, invoice).await?;
    Ok(Step::Billed(Box::new(invoice)))
}

/// As it is in its next period.
fn following(subscription: &Subscription) -> Result<Subscription> {
    let missing = || Error::internal("a subscription without a recurring item");
    let recurring = subscription.recurring().ok_or_else(missing)?;
    let mut next = subscription.clone();
    next.cycle += 1;
    next.current_period_start = recurring.start_of(next.billing_cycle_anchor, next.cycle)?;
    next.current_period_end = recurring.start_of(next.billing_cycle_anchor, next.cycle + 1)?;
    Ok(next)
}

/// A trial is about to end.
async fn tell_of_trial(tx: &mut Tx, who: &Actor, before: Subscription) -> Result<Step> {
    let mut told = Subscription { told: Some(before.current_period_end), ..before };
    save(tx, who, &mut told).await?;
    let event = "customer.subscription.trial_will_end";
    announce(tx, who, None, &told, event, &[event]).await?;
    Ok(Step::Told)
}

/// A renewal is about to be billed: its invoice, as it would be made now. Where it would make none, nothing is told.
async fn tell_of_invoice(tx: &mut Tx, who: &Actor, before: Subscription) -> Result<Step> {
    let at = before.current_period_end;
    let mut told = Subscription { told: Some(at), ..before };
    let changed = tx.is_changed();
    save(tx, who, &mut told).await?;
    // That it was told of is nothing about it: the event itself is what happened.
    tx.beside(changed);
    if let Some(invoice) = upcoming(tx, who, &told.id).await? {
        let reason = "upcoming".to_owned();
        let invoice = Invoice { billing_reason: reason, next_payment_attempt: Some(at), ..invoice };
        invoice::announce(tx, who, None, &invoice, "invoice.upcoming", &["invoice.upcoming"]).await?;
    }
    Ok(Step::Told)
}

/// A preview takes steps of this module itself, so that its type cannot be spelled out.
fn upcoming<'a>(tx: &'a mut Tx, who: &'a Actor, id: &'a str) -> Taken<'a, Option<Invoice>> {
    Box::pin(preview::renewal(tx, who, id))
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
