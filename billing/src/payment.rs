//! Money in: the intent is committed first, the gateway is called outside any transaction, the result after.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer::{self, payment_method};
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::gateway::{Charge, Outcome, PaymentGateway};
use crate::invoice::{self, Invoice};
use crate::money::Currency;
use crate::patch::Metadata;
use crate::store::{Db, Json, Tx, maybe, one, run};
use crate::subscription::{self, status};
use crate::text_enum::text_enum;
use crate::{id, transact, wire};

text_enum!(IntentStatus {
    RequiresPaymentMethod = "requires_payment_method",
    RequiresAction = "requires_action",
    Processing = "processing",
    Succeeded = "succeeded",
    Canceled = "canceled",
});

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct PaymentIntent {
    pub id: String,
    pub customer: String,
    pub invoice: Option<String>,
    pub amount: i64,
    pub amount_received: i64,
    pub currency: Currency,
    pub status: IntentStatus,
    pub payment_method: Option<String>,
    pub latest_charge: Option<String>,
    pub next_action: Option<Json<Value>>,
    pub last_error: Option<Json<Value>>,
    pub description: Option<String>,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    pub canceled_at: Option<Seconds>,
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, customer, invoice, amount, amount_received, currency, status, payment_method, latest_charge, next_action, last_error, \
         description, metadata, created, canceled_at, version"
    };
}

/// One question to a gateway, committed before it is asked.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The charge's id, `ch_…`.
    pub id: String,
    pub invoice: String,
    pub charge: Charge,
}

pub async fn intent(tx: &mut Tx, who: &Actor, id: &str) -> Result<PaymentIntent> {
    maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from payment_intent where tenant = $1 and id = $2 and (cast($3 as text) is null or customer = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("payment_intent", id))
}

/// Charges an open invoice with the method that stands for it. Runs to its end even if the caller goes away.
pub async fn collect(db: &Db, gateway: Arc<dyn PaymentGateway>, who: &Actor, invoice: &str) -> Result<Invoice> {
    let (db, who, invoice) = (db.clone(), who.clone(), invoice.to_owned());
    let work = tokio::spawn(async move {
        let attempt = transact!(db, |tx| begin(tx, &who, &invoice, gateway.name()).await)?;
        let outcome = gateway.charge(&attempt.charge).await;
        transact!(db, |tx| settle(tx, &who, &attempt, &outcome).await)
    });
    work.await.map_err(Error::internal)?
}

/// Writes down that the gateway is about to be asked.
pub async fn begin(tx: &mut Tx, who: &Actor, invoice: &str, gateway: &'static str) -> Result<Attempt> {
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
    let method = method_for(tx, who, &invoice).await?;
    let payment = open_intent(tx, who, &mut invoice, &method.id).await?;
    let (number,): (i64,) = one!(
        tx,
        "select cast(coalesce(max(number), 0) + 1 as bigint) from payment_attempt where tenant = $1 and invoice = $2",
        who.tenant.key,
        &invoice.id
    )?;
    let attempt = Attempt {
        id: id::new("ch", tx.now),
        invoice: invoice.id.clone(),
        charge: Charge {
            key: format!("{}/{}/{number}", who.tenant.key, invoice.id),
            method: method.gateway_ref,
            amount: invoice.amount_remaining(),
            currency: invoice.currency.clone(),
        },
    };
    run!(
        tx,
        "insert into payment_attempt (tenant, id, payment_intent, invoice, number, customer, payment_method, amount, currency, status,
         gateway, amount_refunded, lookups, created, version) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'processing', $10, 0, 0, $11, 1)",
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

async fn open_intent(tx: &mut Tx, who: &Actor, invoice: &mut Invoice, method: &str) -> Result<String> {
    if let Some(id) = &invoice.payment_intent {
        run!(
            tx,
            "update payment_intent set status = 'processing', payment_method = $3, next_action = null, last_error = null, version = version + 1 where tenant = $1 and id = $2",
            who.tenant.key,
            id,
            method
        )?;
        return Ok(id.clone());
    }
    let id = id::new("pi", tx.now);
    run!(
        tx,
        concat!(
            "insert into payment_intent (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, 0, $6, 'processing', $7, null, null, null, null, '{}', $8, null, 1)"
        ),
        who.tenant.key,
        &id,
        &invoice.customer,
        &invoice.id,
        invoice.amount_remaining(),
        &invoice.currency,
        method,
        tx.now.seconds()
    )?;
    invoice.payment_intent = Some(id.clone());
    invoice::save(tx, who, invoice).await?;
    Ok(id)
}

/// Writes down what the gateway answered. Said twice, it counts once.
pub async fn settle(tx: &mut Tx, who: &Actor, attempt: &Attempt, outcome: &Outcome) -> Result<Invoice> {
    let (status, code, reference) = match outcome {
        Outcome::Succeeded { reference } => ("succeeded", None, Some(reference)),
        Outcome::Declined { reference, code } => ("declined", Some(code), Some(reference)),
        Outcome::RequiresAction { reference } => ("requires_action", None, Some(reference)),
        Outcome::Unknown => ("unknown", None, None),
    };
    let moved = run!(
        tx,
        "update payment_attempt set status = $3, decline_code = $4, gateway_ref = $5, settled_at = $6, next_lookup_ms = $7, version = version + 1
         where tenant = $1 and id = $2 and status in ('processing', 'unknown')",
        who.tenant.key,
        &attempt.id,
        status,
        code,
        reference,
        (status != "unknown").then_some(tx.now.seconds()),
        (status == "unknown").then(|| tx.now.plus(5 * 60 * 1000))
    )?;
    let mut invoice = invoice::get(tx, who, &attempt.invoice).await?;
    if moved == 0 {
        return Ok(invoice);
    }
    crate::audit::note(tx, who, "payment.settled", "charge", &attempt.id, Some(&invoice.customer)).await?;
    let customer = customer::get_or_deleted(tx, who, &invoice.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    match outcome {
        Outcome::Succeeded { .. } => {
            settle_intent(tx, who, &invoice, attempt, IntentStatus::Succeeded, None, "payment_intent.succeeded")
                .await?;
            // An invoice that was voided meanwhile stays void: its payment intent says that the money is owed back.
            if invoice.status == invoice::Status::Open {
                invoice.attempt_count += 1;
                invoice::mark_paid(tx, who, &mut invoice, attempt.charge.amount, now).await?;
                status::paid(tx, who, &invoice, now).await?;
            }
        }
        Outcome::Declined { code, .. } => {
            let error = json!({"type": "card_error", "code": "card_declined", "decline_code": code, "message": "Your card was declined."});
            settle_intent(
                tx,
                who,
                &invoice,
                attempt,
                IntentStatus::RequiresPaymentMethod,
                Some(error),
                "payment_intent.payment_failed",
            )
            .await?;
            failed(tx, who, &mut invoice, "invoice.payment_failed").await?;
        }
        Outcome::RequiresAction { .. } => {
            settle_intent(
                tx,
                who,
                &invoice,
                attempt,
                IntentStatus::RequiresAction,
                None,
                "payment_intent.requires_action",
            )
            .await?;
            failed(tx, who, &mut invoice, "invoice.payment_action_required").await?;
        }
        Outcome::Unknown => {}
    }
    Ok(invoice)
}

async fn settle_intent(
    tx: &mut Tx,
    who: &Actor,
    invoice: &Invoice,
    attempt: &Attempt,
    status: IntentStatus,
    error: Option<Value>,
    event: &'static str,
) -> Result<()> {
    let id =
        invoice.payment_intent.as_deref().ok_or_else(|| Error::internal("an attempt without its payment intent"))?;
    let before = intent(tx, who, id).await?;
    let mut after = before.clone();
    after.status = status;
    after.last_error = error.map(Json);
    after.latest_charge = Some(attempt.id.clone());
    if status == IntentStatus::Succeeded {
        after.amount_received = attempt.charge.amount;
    }
    run!(
        tx,
        "update payment_intent set status = $3, last_error = $4, latest_charge = $5, amount_received = $6, version = version + 1 where tenant = $1 and id = $2",
        who.tenant.key,
        id,
        after.status,
        &after.last_error,
        &after.latest_charge,
        after.amount_received
    )?;
    // `requires_action` is told by the invoice's own event.
    let events: &[&'static str] = if status == IntentStatus::RequiresAction { &[] } else { &[event] };
    let render = |intent: &PaymentIntent| wire::payment_intent(&who.tenant, intent);
    let change = Change {
        object: "payment_intent",
        id,
        customer: Some(&invoice.customer),
        before: Some(render(&before)),
        after: Some(render(&after)),
        action: event,
        events,
    };
    record(tx, who, change).await
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
