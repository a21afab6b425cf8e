//! What time does to a subscription: the trial ends, a period renews, a cancellation takes effect. One step at a time,
//! so that a worker that is days late makes each missed period once, in order.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer::{self, Customer};
use crate::error::{Error, Result};
use crate::invoice::{self, Invoice};
use crate::payment;
use crate::store::{Tx, one};
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

/// How often one item may be billed for one day of the subscription's own time. More is a defect that bills in a loop.
const MOST_A_DAY: i64 = 15;
const DAY: i64 = 86_400;

/// Takes the one step that is due on a subscription, at the instant it was due.
pub async fn advance(tx: &mut Tx, who: &Actor, id: &str) -> Result<Step> {
    let subscription = subscription::get(tx, who, id).await?;
    let customer = customer::get_or_deleted(tx, who, &subscription.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    let Some((at, due)) = subscription.next_by(now) else { return Ok(Step::Waiting) };
    match due {
        Due::Expiry => expire(tx, who, subscription, at).await,
        Due::Cancellation => end(tx, who, subscription, at).await,
        Due::PendingUpdate => pending::expire(tx, who, &subscription, at).await.map(|_| Step::Dropped),
        Due::Collection => collection::end(tx, who, subscription).await.map(|_| Step::Collecting),
        Due::Notice => tell(tx, who, subscription).await,
        Due::Resume | Due::Period => turn(tx, who, subscription, &customer, at).await,
    }
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
    let recurring = before.recurring().ok_or_else(|| Error::internal("a subscription without a recurring item"))?;
    let mut next = before.clone();
    next.cycle += 1;
    next.current_period_start = recurring.start_of(next.billing_cycle_anchor, next.cycle)?;
    next.current_period_end = recurring.start_of(next.billing_cycle_anchor, next.cycle + 1)?;
    if is_billed_already(tx, who, &next, due).await? {
        return park(tx, who, before).await;
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

/// The bound on what a defect can cost: whether the period that is about to begin has its invoice already, or one item
/// has been billed too often for the day on which it begins.
async fn is_billed_already(tx: &mut Tx, who: &Actor, next: &Subscription, due: Seconds) -> Result<bool> {
    let (invoices,): (i64,) = one!(
        tx,
        "select count(*) from invoice where tenant = $1 and subscription = $2 and cycle_start = $3 and status <> 'void'",
        who.tenant.key,
        &next.id,
        next.current_period_start
    )?;
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
    Ok(invoices > 0 || lines >= MOST_A_DAY)
}

/// Nothing more happens to it by itself. It can be canceled, as always.
async fn park(tx: &mut Tx, who: &Actor, before: Subscription) -> Result<Step> {
    let mut parked = Subscription { parked_at: Some(tx.now.seconds()), ..before.clone() };
    save(tx, who, &mut parked).await?;
    tracing::error!(subscription = before.id, "parked: it would have been billed twice");
    crate::audit::note(tx, who, "subscription.parked", "subscription", &before.id, Some(&before.customer)).await?;
    Ok(Step::Parked)
}

/// A trial is about to end.
async fn tell(tx: &mut Tx, who: &Actor, before: Subscription) -> Result<Step> {
    let mut told = Subscription { told: Some(before.current_period_end), ..before };
    save(tx, who, &mut told).await?;
    let event = "customer.subscription.trial_will_end";
    announce(tx, who, None, &told, event, &[event]).await?;
    Ok(Step::Told)
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
