//! Billing a period, and what becomes of an invoice: paid, or taken back.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer;
use crate::error::{Error, Result};
use crate::invoice::{Bill, Invoice, NewLine, Status, announce, compose, credit, issue, reduce, save};
use crate::payment;
use crate::store::Tx;
use crate::subscription::Subscription;

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
    if invoice.status != Status::Open {
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
    if before.status != Status::Open {
        let message = format!("You can only void open invoices; this one is {}.", before.status.name());
        return Err(Error::conflict("invoice_not_open", message));
    }
    if payment::is_running(tx, who, id).await? {
        return Err(Error::Busy);
    }
    take_back(tx, who, id, now).await
}

/// Voids an invoice if it is open, whatever a gateway may still say: money that comes later is owed back.
pub(crate) async fn take_back(tx: &mut Tx, who: &Actor, id: &str, now: Seconds) -> Result<Invoice> {
    let before = crate::invoice::get(tx, who, id).await?;
    if before.status != Status::Open {
        return Ok(before);
    }
    let mut invoice = Invoice { status: Status::Void, voided_at: Some(now), auto_advance: false, ..before.clone() };
    save(tx, who, &mut invoice).await?;
    let mut customer = customer::get_or_deleted(tx, who, &invoice.customer).await?;
    credit::give_back(tx, who, &mut customer, &invoice).await?;
    announce(tx, who, Some(&before), &invoice, "invoice.voided", &["invoice.voided"]).await?;
    payment::intents::cancel(tx, who, &invoice).await?;
    reduce::unused(tx, who, &invoice, now).await?;
    Ok(invoice)
}
