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
use crate::{id, idempotency, refund, transact};
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

/// Charges an invoice that has just been made, unless that has been done. A decline is no error here, and neither is a
/// charge whose fate is not known yet: the books say what became of it.
pub async fn collect_first(db: &Db, gateway: Arc<dyn PaymentGateway>, who: &Actor, invoice: &str) -> Result<()> {
    let found = invoice::get(&mut db.read().await?, who, invoice).await?;
    if found.status != invoice::Status::Open || found.attempted {
        return Ok(());
    }
    match collect(db, gateway, who, invoice).await {
        Ok(_) | Err(Error::Busy) => Ok(()),
        Err(other) => Err(other),
    }
}

/// What is said of one collection.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// A method of the customer's that is named for this once.
    pub method: Option<String>,
    /// The request's key: the charge is noted under it in the transaction that begins it, so that the same request sent
    /// again is told what became of that charge, and charges no second time.
    pub key: Option<String>,
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
            let attempt = begin_with(tx, &who, &invoice, gateway.name(), asked.method.as_deref()).await?;
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
    begin_with(tx, who, invoice, gateway, None).await
}

async fn begin_with(
    tx: &mut Tx,
    who: &Actor,
    invoice: &str,
    gateway: &'static str,
    method: Option<&str>,
) -> Result<Attempt> {
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
    let method = match method {
        Some(id) => named(tx, who, &invoice, id).await?,
        None => method_for(tx, who, &invoice).await?,
    };
    let last = charge::last(tx, who, &invoice.id).await?;
    if let Some(waiting) = last.as_ref().filter(|last| last.waits_for(&method.id, invoice.amount_remaining())) {
        return waiting.question(tx, who).await;
    }
    let payment = intents::open(tx, who, &mut invoice, &method.id).await?;
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
         gateway, amount_refunded, lookups, next_lookup_ms, created, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'processing', $10, 0, 0, $11, $12, 1)",
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
        tx.now.seconds()
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
async fn method_for(tx: &mut Tx, who: &Actor, invoice: &Invoice) -> Result<payment_method::PaymentMethod> {
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
    // Each attempt counts once, when something is first known of it.
    let is_news = before.status.is_open();
    match status {
        AttemptStatus::Succeeded => received(tx, who, &mut invoice, attempt, is_news).await?,
        AttemptStatus::Declined => {
            let code = if let Outcome::Declined { code, .. } = outcome { code.as_str() } else { "generic_decline" };
            let (kind, message) = charge::refusal(code);
            let error = json!({"type": "card_error", "code": kind, "decline_code": code, "message": message});
            let said = Said { last_error: Some(error), ..Said::of(IntentStatus::RequiresPaymentMethod) };
            settle_intent(tx, who, &invoice, attempt, said, "payment_intent.payment_failed").await?;
            if is_news {
                failed(tx, who, &mut invoice, "invoice.payment_failed").await?;
            }
        }
        AttemptStatus::RequiresAction => {
            // The customer confirms from the invoice's own page.
            let to = json!({ "url": &invoice.hosted_invoice_url, "return_url": null });
            let action = json!({ "type": "redirect_to_url", "redirect_to_url": to });
            let said = Said { next_action: Some(action), ..Said::of(IntentStatus::RequiresAction) };
            settle_intent(tx, who, &invoice, attempt, said, "payment_intent.requires_action").await?;
            failed(tx, who, &mut invoice, "invoice.payment_action_required").await?;
        }
        AttemptStatus::Processing | AttemptStatus::Unknown => {}
    }
    Ok(invoice)
}

/// Money came. An invoice that was voided or paid meanwhile stays as it is: what came is owed back.
async fn received(tx: &mut Tx, who: &Actor, invoice: &mut Invoice, attempt: &Attempt, is_news: bool) -> Result<()> {
    let said = Said::of(IntentStatus::Succeeded);
    settle_intent(tx, who, invoice, attempt, said, "payment_intent.succeeded").await?;
    if !matches!(invoice.status, invoice::Status::Open | invoice::Status::Uncollectible) {
        return refund::owe_back(tx, who, invoice, &attempt.id).await;
    }
    let customer = customer::get_or_deleted(tx, who, &invoice.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    invoice.attempt_count += i64::from(is_news);
    invoice::mark_paid(tx, who, invoice, attempt.charge.amount, now).await?;
    status::paid(tx, who, invoice, now).await
}

/// With nothing to charge, no gateway will ever say that it failed: an open invoice that nobody can pay has failed now.
pub(crate) async fn unpayable(tx: &mut Tx, who: &Actor, of: &Subscription, mut invoice: Invoice) -> Result<Invoice> {
    let customer = customer::get_or_deleted(tx, who, &invoice.customer).await?;
    if invoice.status == invoice::Status::Open && !of.can_pay(&customer) {
        failed(tx, who, &mut invoice, "invoice.payment_failed").await?;
    }
    Ok(invoice)
}

/// An attempt got nothing, so the subscription it was for is behind.
pub(crate) async fn failed(tx: &mut Tx, who: &Actor, invoice: &mut Invoice, event: &'static str) -> Result<()> {
    if invoice.status != invoice::Status::Open {
        return Ok(());
    }
    let before = invoice.clone();
    invoice.attempt_count += 1;
    invoice.attempted = true;
    invoice::save(tx, who, invoice).await?;
    invoice::announce(tx, who, Some(&before), invoice, event, &[event]).await?;
    let customer = customer::get_or_deleted(tx, who, &invoice.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    status::failed(tx, who, invoice, now).await
}
