//! What time does to an invoice: a draft is finalised, a payment that failed is tried again on the merchant's schedule,
//! one that was sent is overdue; and what follows the last attempt (`BILLING.md`, 8).

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer;
use crate::error::{Error, Result};
use crate::invoice::{self, Invoice, Status, announce, draft, save};
use crate::payment::{self, charge};
use crate::settings;
use crate::store::Tx;
use crate::subscription::{self, CollectionMethod, Status as Standing, pending, status};

const DAY: i64 = 86_400;
/// How long after it was made a draft is finalised by itself, in seconds (Stripe's hour).
pub(crate) const DRAFT: i64 = 3600;
/// When an invoice is taken up whose first charge its own door should have made, and did not live to make.
const FORGOTTEN: i64 = 10 * 60;

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing is due yet.
    Waiting,
    Done,
    /// Its payment is to be tried now.
    Charge,
}

impl Invoice {
    /// When time next does something to it.
    pub(crate) fn due(&self) -> Option<Seconds> {
        let due = match (self.status, self.collection_method) {
            (Status::Draft, _) | (Status::Open, CollectionMethod::ChargeAutomatically) => self.next_payment_attempt,
            (Status::Open, CollectionMethod::SendInvoice) if self.retries_from.is_none() => self.due_date,
            (Status::Open, CollectionMethod::SendInvoice) => self.next_payment_attempt,
            (Status::Paid | Status::Void | Status::Uncollectible, _) => None,
        };
        due.filter(|_| self.auto_advance)
    }

    /// Its first charge is about to be made by whoever made it; should they not live to, it is not forgotten.
    pub(crate) fn expect_charge(&mut self, now: Seconds) {
        self.next_payment_attempt = self.is_to_be_charged().then(|| now.plus(FORGOTTEN));
    }
}

/// Takes the one step that is due on an invoice, at the instant it was due.
pub async fn advance(tx: &mut Tx, who: &Actor, id: &str) -> Result<Step> {
    let invoice = invoice::get(tx, who, id).await?;
    let customer = customer::get_or_deleted(tx, who, &invoice.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    let Some(at) = invoice.due().filter(|at| *at <= now) else { return Ok(Step::Waiting) };
    if customer.deleted_at.is_some() {
        return stop(tx, who, invoice).await;
    }
    match (invoice.status, invoice.collection_method) {
        (Status::Draft, _) => {
            let made = draft::finalize(tx, who, id).await?;
            Ok(if made.is_to_be_charged() { Step::Charge } else { Step::Done })
        }
        (_, CollectionMethod::SendInvoice) => overdue(tx, who, invoice, at).await,
        (_, CollectionMethod::ChargeAutomatically) if is_hopeless(tx, who, &invoice).await? => {
            pass_over(tx, who, invoice, now).await
        }
        (_, CollectionMethod::ChargeAutomatically) => Ok(Step::Charge),
    }
}

/// Nobody is left who could be asked.
async fn stop(tx: &mut Tx, who: &Actor, before: Invoice) -> Result<Step> {
    let mut invoice = Invoice { auto_advance: false, next_payment_attempt: None, ..before.clone() };
    save(tx, who, &mut invoice).await?;
    announce(tx, who, Some(&before), &invoice, "invoice.updated", &["invoice.updated"]).await?;
    Ok(Step::Done)
}

/// Whether trying again would ask the same method for what it has finally refused, or there is none to ask.
async fn is_hopeless(tx: &mut Tx, who: &Actor, invoice: &Invoice) -> Result<bool> {
    let method = match payment::method_for(tx, who, invoice).await {
        Ok(method) => method,
        Err(Error::Invalid { .. } | Error::Missing { .. }) => return Ok(true),
        Err(other) => return Err(other),
    };
    let last = charge::last(tx, who, &invoice.id).await?;
    Ok(last.is_some_and(|last| last.payment_method == method.id && last.is_final()))
}

/// The attempt that was due is not made; the schedule goes on.
async fn pass_over(tx: &mut Tx, who: &Actor, before: Invoice, now: Seconds) -> Result<Step> {
    let mut invoice = before.clone();
    let goes_on = reschedule(tx, who, &mut invoice, now).await?;
    save(tx, who, &mut invoice).await?;
    announce(tx, who, Some(&before), &invoice, "invoice.updated", &["invoice.updated"]).await?;
    if !goes_on {
        give_up(tx, who, &invoice, now).await?;
    }
    Ok(Step::Done)
}

/// After an attempt that got nothing: when the next one is, by the days that the merchant has set, counted from the
/// first. Those that were missed are not made up for. Answers whether that was not the last; the invoice is to be saved.
pub(crate) async fn reschedule(tx: &mut Tx, who: &Actor, invoice: &mut Invoice, now: Seconds) -> Result<bool> {
    invoice.next_payment_attempt = None;
    if !invoice.auto_advance {
        return Ok(true);
    }
    if let Some(id) = &invoice.subscription {
        let subscription = subscription::get(tx, who, id).await?;
        // What is dropped after 23 hours is not asked for again, nor what was left over when it ended.
        let is_over = subscription.status.is_ended() || subscription.status == Standing::Incomplete;
        if is_over || pending::waits_for(&subscription, invoice) {
            return Ok(true);
        }
    }
    let first = *invoice.retries_from.get_or_insert(now);
    let days = settings::get(tx, who).await?.dunning.schedule;
    invoice.next_payment_attempt = days.iter().map(|day| first.plus(day * DAY)).find(|at| *at > now);
    Ok(invoice.next_payment_attempt.is_some())
}

/// The attempts that are still to come, the last of them being the day after which access ends.
pub async fn attempts(tx: &mut Tx, who: &Actor, invoice: &Invoice) -> Result<Vec<Seconds>> {
    let (Some(first), Some(next)) = (invoice.retries_from, invoice.next_payment_attempt) else { return Ok(Vec::new()) };
    let days = settings::get(tx, who).await?.dunning.schedule;
    Ok(days.iter().map(|day| first.plus(day * DAY)).filter(|at| *at >= next).collect())
}

/// That was the last attempt.
pub(crate) async fn give_up(tx: &mut Tx, who: &Actor, invoice: &Invoice, now: Seconds) -> Result<()> {
    if let Some(id) = &invoice.subscription {
        status::give_up(tx, who, id, now).await?;
    }
    Ok(())
}

/// One that was sent is not paid on its day: its subscription is behind, and given up when the schedule ends.
async fn overdue(tx: &mut Tx, who: &Actor, mut invoice: Invoice, at: Seconds) -> Result<Step> {
    let last = settings::get(tx, who).await?.dunning.schedule.last().copied().unwrap_or_default();
    let is_news = invoice.retries_from.is_none();
    invoice.retries_from.get_or_insert(at);
    invoice.next_payment_attempt = is_news.then(|| at.plus(last * DAY));
    save(tx, who, &mut invoice).await?;
    if is_news {
        announce(tx, who, None, &invoice, "invoice.overdue", &["invoice.overdue"]).await?;
        status::failed(tx, who, &invoice, at).await?;
    } else {
        crate::audit::note(tx, who, "invoice.given_up", "invoice", &invoice.id, Some(&invoice.customer)).await?;
        give_up(tx, who, &invoice, at).await?;
    }
    Ok(Step::Done)
}
