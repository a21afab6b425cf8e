//! Money in: the intent is committed first, the gateway is called outside any transaction, the result after.

pub mod charge;
pub mod fate;
pub mod intents;

use std::sync::Arc;

use serde_json::json;

use crate::actor::Actor;
use crate::customer::{self, payment_method};
use crate::error::{Error, Result};
use crate::gateway::{Charge, Outcome, PaymentGateway};
use crate::invoice::{self, Invoice};
use crate::store::{Db, Tx, one, run};
use crate::subscription::{self, Subscription, status};
use crate::{dunning, id, idempotency, refund, transact};
use charge::AttemptStatus;
pub use intents::{IntentStatus, PaymentIntent, get as intent};
use intents::{Said, settle as settle_intent};

/// One question to a gateway, committed before it is asked.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The charge's id, `ch_…`.
    pub id: String,
    pub invoice: String,
    pub charge: Charge,
}

/// Charges an open invoice with the method that stands for it. Runs to its end even if the caller goes away.
pub async fn collect(db: &Db, gateway: Arc<dyn PaymentGateway>, who: &Actor, invoice: &str) -> Result<Invoice> {
    collect_as(db, gateway, who, invoice, Asked::default()).await
}

/// Charges an invoice that has just been made, unless it is sent or that has been done. A decline is no error, nor is a
/// charge whose fate is not known yet: the books say what became of it.
pub async fn collect_first(db: &Db, gateway: Arc<dyn PaymentGateway>, who: &Actor, invoice: &str) -> Result<()> {
    let found = invoice::get(&mut db.read().await?, who, invoice).await?;
    if !found.is_to_be_charged() {
        return Ok(());
    }
    match collect(db, gateway, who, invoice).await {
        // The same request after a crash meets the worker, which charges what was left: somebody was faster.
        Ok(_) | Err(Error::Busy | Error::Conflict { .. }) => Ok(()),
        Err(other) => Err(other),
    }
}

/// Charges an open invoice because time has come for it: only such attempts move on the schedule of retries.
pub async fn retry(db: &Db, gateway: Arc<dyn PaymentGateway>, who: &Actor, invoice: &str) -> Result<Invoice> {
    collect_as(db, gateway, who, invoice, Asked { scheduled: true, ..Asked::default() }).await
}

/// What is said of one collection.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// A method of the customer's that is named for this once.
    pub method: Option<String>,
    /// The request's key: the charge is noted under it in the transaction that begins it, so that the same request sent
    /// again is told what became of that charge, and charges no second time.
    pub key: Option<String>,
    /// Whether time asks, and nobody else.
    pub scheduled: bool,
}

/// Collects as it is asked for.
pub async fn collect_as(
    db: &Db,
    gateway: Arc<dyn PaymentGateway>,
    who: &Actor,
    invoice: &str,
    asked: Asked,
) -> Result<Invoice> {
    let (db, who, invoice) = (db.clone(), who.clone(), invoice.to_owned());
    let work = tokio::spawn(async move {
        let attempt = transact!(db, |tx| {
            let attempt = begin_as(tx, &who, &invoice, gateway.name(), &asked).await?;
            if let Some(key) = &asked.key {
                idempotency::progress(tx, &who, key, &attempt.id).await?;
            }
            Ok::<_, Error>(attempt)
        })?;
        let outcome = gateway.charge(&attempt.charge).await;
        transact!(db, |tx| settle(tx, &who, &attempt, &outcome).await)
    });
    work.await.map_err(Error::internal)?
}

/// Writes down that the gateway is about to be asked.
pub async fn begin(tx: &mut Tx, who: &Actor, invoice: &str, gateway: &'static str) -> Result<Attempt> {
    begin_as(tx, who, invoice, gateway, &Asked::default()).await
}

async fn begin_as(tx: &mut Tx, who: &Actor, invoice: &str, gateway: &'static str, asked: &Asked) -> Result<Attempt> {
    let mut invoice = invoice::get(tx, who, invoice).await?;
    match invoice.status {
        invoice::Status::Open if invoice.amount_remaining() > 0 => {}
        invoice::Status::Open | invoice::Status::Paid => {
            return Err(Error::conflict("invoice_already_paid", "Invoice is already paid."));
        }
        other => {
            let message = format!("You can only pay open invoices; this one is {}.", other.name());
            return Err(Error::conflict("invoice_not_open", message));
        }
    }
    if is_running(tx, who, &invoice.id).await? {
        return Err(Error::Busy);
    }
    let method = match &asked.method {
        Some(id) => named(tx, who, &invoice, id).await?,
        None => method_for(tx, who, &invoice).await?,
    };
    let last = charge::last(tx, who, &invoice.id).await?;
    if let Some(waiting) = last.as_ref().filter(|last| last.waits_for(&method.id, invoice.amount_remaining())) {
        return waiting.question(tx, who).await;
    }
    let payment = intents::open(tx, who, &mut invoice, &method.id).await?;
    // What becomes of this attempt says when the next one is.
    if invoice.next_payment_attempt.take().is_some() {
        invoice::save(tx, who, &mut invoice).await?;
    }
    let number = last.map_or(1, |last| last.number + 1);
    let attempt = Attempt {
        id: id::new("ch", tx.now),
        invoice: invoice.id.clone(),
        charge: Charge {
            key: charge::key(&who.tenant, &invoice.id, number),
            method: method.gateway_ref,
            amount: invoice.amount_remaining(),
            currency: invoice.currency.clone(),
        },
    };
    run!(
        tx,
        "insert into payment_attempt (tenant, id, payment_intent, invoice, number, customer, payment_method, amount, currency, status,
         gateway, amount_refunded, lookups, next_lookup_ms, created, version, scheduled)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'processing', $10, 0, 0, $11, $12, 1, $13)",
        who.tenant.key,
        &attempt.id,
        &payment,
        &invoice.id,
        number,
        &invoice.customer,
        &method.id,
        attempt.charge.amount,
        &invoice.currency,
        gateway,
        fate::first_look(tx.now),
        tx.now.seconds(),
        asked.scheduled
    )?;
    crate::audit::note(tx, who, "payment.attempted", "charge", &attempt.id, Some(&invoice.customer)).await?;
    Ok(attempt)
}

/// Whether a gateway has been asked about an invoice and has not said how it ended.
pub(crate) async fn is_running(tx: &mut Tx, who: &Actor, invoice: &str) -> Result<bool> {
    let (running,): (i64,) = one!(
        tx,
        "select count(*) from payment_attempt where tenant = $1 and invoice = $2 and status in ('processing', 'unknown')",
        who.tenant.key,
        invoice
    )?;
    Ok(running > 0)
}

async fn named(tx: &mut Tx, who: &Actor, invoice: &Invoice, id: &str) -> Result<payment_method::PaymentMethod> {
    let method = payment_method::get(tx, who, id).await.map_err(|e| e.on("payment_method"))?;
    if method.customer.as_ref() == Some(&invoice.customer) {
        return Ok(method);
    }
    Err(Error::missing("payment_method", id).on("payment_method"))
}

/// The invoice's own method, its subscription's default, then the customer's.
pub async fn method_for(tx: &mut Tx, who: &Actor, invoice: &Invoice) -> Result<payment_method::PaymentMethod> {
    let own = match &invoice.subscription {
        Some(subscription) => subscription::get(tx, who, subscription).await?.default_payment_method,
        None => None,
    };
    let customer = customer::get(tx, who, &invoice.customer).await?;
    let id = invoice.default_payment_method.clone().or(own).or(customer.default_payment_method).ok_or_else(|| {
        let message = "The customer has no default payment method to pay this invoice with.".to_owned();
        Error::Invalid { param: "payment_method".into(), code: "resource_missing", message }
    })?;
    payment_method::get(tx, who, &id).await
}

/// Writes down what the gateway answered. Said twice, it counts once; said in another order, it ends the same.
pub async fn settle(tx: &mut Tx, who: &Actor, attempt: &Attempt, outcome: &Outcome) -> Result<Invoice> {
    let before = charge::get(tx, who, &attempt.id).await?;
    let mut invoice = invoice::get(tx, who, &attempt.invoice).await?;
    let Some(status) = charge::settle(tx, who, &before, outcome).await? else { return Ok(invoice) };
    crate::audit::note(tx, who, "payment.settled", "charge", &attempt.id, Some(&invoice.customer)).await?;
    // Of all attempts the first counts, and those that time has made: once, when something is first known of them.
    let is_news = before.status.is_open();
    let counts = is_news && (before.scheduled || invoice.attempt_count == 0);
    match status {
        AttemptStatus::Succeeded => received(tx, who, &mut invoice, attempt, counts).await?,
        AttemptStatus::Declined => {
            let code = if let Outcome::Declined { code, .. } = outcome { code.as_str() } else { "generic_decline" };
            let (kind, message) = charge::refusal(code);
            let error = json!({"type": "card_error", "code": kind, "decline_code": code, "message": message});
            let said = Said { last_error: Some(error), ..Said::of(IntentStatus::RequiresPaymentMethod) };
            settle_intent(tx, who, &invoice, attempt, said, "payment_intent.payment_failed").await?;
            if is_news {
                failed(tx, who, &mut invoice, "invoice.payment_failed", counts).await?;
            }
        }
        AttemptStatus::RequiresAction => {
            // The customer confirms from the invoice's own page.
            let to = json!({ "url": &invoice.hosted_invoice_url, "return_url": null });
            let action = json!({ "type": "redirect_to_url", "redirect_to_url": to });
            let said = Said { next_action: Some(action), ..Said::of(IntentStatus::RequiresAction) };
            settle_intent(tx, who, &invoice, attempt, said, "payment_intent.requires_action").await?;
            failed(tx, who, &mut invoice, "invoice.payment_action_required", counts).await?;
        }
        AttemptStatus::Processing | AttemptStatus::Unknown => {}
    }
    Ok(invoice)
}

/// Money came. An invoice that was voided or paid meanwhile stays as it is: what came is owed back.
async fn received(tx: &mut Tx, who: &Actor, invoice: &mut Invoice, attempt: &Attempt, counts: bool) -> Result<()> {
    let said = Said::of(IntentStatus::Succeeded);
    settle_intent(tx, who, invoice, attempt, said, "payment_intent.succeeded").await?;
    if !matches!(invoice.status, invoice::Status::Open | invoice::Status::Uncollectible) {
        return refund::owe_back(tx, who, invoice, &attempt.id).await;
    }
    let customer = customer::get_or_deleted(tx, who, &invoice.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    invoice.attempt_count += i64::from(counts);
    invoice::mark_paid(tx, who, invoice, attempt.charge.amount, now).await?;
    status::paid(tx, who, invoice, now).await
}

/// With nothing to charge, no gateway will ever say that it failed: an open invoice that nobody can pay has failed now.
/// Any other is charged by whoever made it.
pub(crate) async fn unpayable(tx: &mut Tx, who: &Actor, of: &Subscription, mut invoice: Invoice) -> Result<Invoice> {
    let customer = customer::get_or_deleted(tx, who, &invoice.customer).await?;
    if invoice.status == invoice::Status::Open && !of.can_pay(&customer) {
        failed(tx, who, &mut invoice, "invoice.payment_failed", true).await?;
    } else {
        expect(tx, who, &mut invoice).await?;
    }
    Ok(invoice)
}

/// Whoever made the invoice is about to charge it: should they not live to, it is not forgotten.
pub(crate) async fn expect(tx: &mut Tx, who: &Actor, invoice: &mut Invoice) -> Result<()> {
    if !invoice.is_to_be_charged() {
        return Ok(());
    }
    let customer = customer::get_or_deleted(tx, who, &invoice.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    invoice.expect_charge(now);
    invoice::save(tx, who, invoice).await
}

/// An attempt got nothing, so the subscription it was for is behind, until the next attempt or for good.
pub(crate) async fn failed(
    tx: &mut Tx,
    who: &Actor,
    invoice: &mut Invoice,
    event: &'static str,
    counts: bool,
) -> Result<()> {
    if invoice.status != invoice::Status::Open {
        return Ok(());
    }
    let customer = customer::get_or_deleted(tx, who, &invoice.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    let before = invoice.clone();
    invoice.attempt_count += i64::from(counts);
    invoice.attempted = true;
    let goes_on = dunning::reschedule(tx, who, invoice, now).await?;
    invoice::save(tx, who, invoice).await?;
    invoice::announce(tx, who, Some(&before), invoice, event, &[event]).await?;
    status::failed(tx, who, invoice, now).await?;
    if !goes_on {
        dunning::give_up(tx, who, invoice, now).await?;
        *invoice = invoice::get(tx, who, &invoice.id).await?;
    }
    Ok(())
}
