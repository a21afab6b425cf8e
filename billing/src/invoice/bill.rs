//! Billing a period, and what becomes of an invoice: paid, or taken back.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer;
use crate::error::{Error, Result};
use crate::invoice::{Bill, Invoice, NewLine, Status, announce, compose, credit, issue, reduce, save};
use crate::payment;
use crate::store::Tx;
use crate::subscription::{self, Subscription};

/// Makes and finalises the one invoice for the subscription's current period.
pub async fn bill_period(
    tx: &mut Tx,
    who: &Actor,
    subscription: &Subscription,
    reason: &'static str,
    lines: Vec<NewLine>,
    now: Seconds,
) -> Result<Invoice> {
    let bill =
        Bill { cycle_start: Some(subscription.current_period_start), ..Bill::of(subscription, reason, lines, now) };
    let composed = compose(tx, who, &bill).await?;
    issue(tx, who, composed).await
}

/// The invoice is paid with `amount`; what is above the amount due is noted as overpaid.
pub async fn mark_paid(tx: &mut Tx, who: &Actor, invoice: &mut Invoice, amount: i64, now: Seconds) -> Result<()> {
    if !matches!(invoice.status, Status::Open | Status::Uncollectible) {
        return Err(Error::conflict("invoice_already_paid", "Invoice is already paid."));
    }
    let before = invoice.clone();
    invoice.status = Status::Paid;
    invoice.amount_paid += amount;
    invoice.amount_overpaid = (invoice.amount_paid - invoice.amount_due).max(0);
    invoice.attempted = true;
    invoice.next_payment_attempt = None;
    invoice.paid_at = Some(now);
    save(tx, who, invoice).await?;
    credit::overpaid(tx, who, invoice).await?;
    announce(tx, who, Some(&before), invoice, "invoice.paid", &["invoice.paid"]).await
}

/// Takes an open invoice back: nothing is owed on it any more. `Busy` while a gateway is asked to charge it.
pub async fn void(tx: &mut Tx, who: &Actor, id: &str, now: Seconds) -> Result<Invoice> {
    let before = crate::invoice::get(tx, who, id).await?;
    if !matches!(before.status, Status::Open | Status::Uncollectible) {
        let message =
            format!("You can only void open and uncollectible invoices; this one is {}.", before.status.name());
        return Err(Error::conflict("invoice_not_open", message));
    }
    if payment::is_running(tx, who, id).await? {
        return Err(Error::Busy);
    }
    take_back(tx, who, id, now).await
}

/// Gives up on an open invoice: it stays owed, and nobody asks for it by themselves any more.
pub async fn mark_uncollectible(tx: &mut Tx, who: &Actor, id: &str, now: Seconds) -> Result<Invoice> {
    let before = open(tx, who, id).await?;
    let status = Status::Uncollectible;
    let mut invoice = Invoice { status, marked_uncollectible_at: Some(now), auto_advance: false, ..before.clone() };
    invoice.next_payment_attempt = None;
    save(tx, who, &mut invoice).await?;
    let event = "invoice.marked_uncollectible";
    announce(tx, who, Some(&before), &invoice, event, &[event]).await?;
    Ok(invoice)
}

/// The money came in a way that is not seen here. `Busy` while a gateway is asked for it.
pub async fn pay_out_of_band(tx: &mut Tx, who: &Actor, id: &str, now: Seconds) -> Result<Invoice> {
    let mut invoice = crate::invoice::get(tx, who, id).await?;
    if matches!(invoice.status, Status::Draft | Status::Void) {
        return Err(not_open(&invoice));
    }
    if payment::is_running(tx, who, id).await? {
        return Err(Error::Busy);
    }
    invoice.paid_out_of_band = true;
    let amount = invoice.amount_remaining();
    mark_paid(tx, who, &mut invoice, amount, now).await?;
    payment::intents::cancel(tx, who, &invoice).await?;
    subscription::status::paid(tx, who, &invoice, now).await?;
    Ok(invoice)
}

/// Notes that an open invoice was sent to the customer, and tells of it.
pub async fn send(tx: &mut Tx, who: &Actor, id: &str) -> Result<Invoice> {
    let invoice = open(tx, who, id).await?;
    announce(tx, who, None, &invoice, "invoice.sent", &["invoice.sent"]).await?;
    Ok(invoice)
}

async fn open(tx: &mut Tx, who: &Actor, id: &str) -> Result<Invoice> {
    let invoice = crate::invoice::get(tx, who, id).await?;
    if invoice.status == Status::Open {
        return Ok(invoice);
    }
    Err(not_open(&invoice))
}

fn not_open(invoice: &Invoice) -> Error {
    let message = format!("This can only be done with open invoices; this one is {}.", invoice.status.name());
    Error::conflict("invoice_not_open", message)
}

/// Voids an invoice if it is open, whatever a gateway may still say: money that comes later is owed back.
pub(crate) async fn take_back(tx: &mut Tx, who: &Actor, id: &str, now: Seconds) -> Result<Invoice> {
    let before = crate::invoice::get(tx, who, id).await?;
    if !matches!(before.status, Status::Open | Status::Uncollectible) {
        return Ok(before);
    }
    let mut invoice = Invoice { status: Status::Void, voided_at: Some(now), auto_advance: false, ..before.clone() };
    invoice.next_payment_attempt = None;
    save(tx, who, &mut invoice).await?;
    let mut customer = customer::get_or_deleted(tx, who, &invoice.customer).await?;
    credit::give_back(tx, who, &mut customer, &invoice).await?;
    announce(tx, who, Some(&before), &invoice, "invoice.voided", &["invoice.voided"]).await?;
    payment::intents::cancel(tx, who, &invoice).await?;
    reduce::unused(tx, who, &invoice, now).await?;
    Ok(invoice)
}
