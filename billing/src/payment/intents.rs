//! Payment intents: the one payment that an invoice asks for, through all its attempts.

use serde_json::Value;

use super::{Attempt, charge, is_running};
use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::invoice::{self, Invoice};
use crate::money::Currency;
use crate::page::{Listed, Page, page};
use crate::patch::Metadata;
use crate::store::{Json, Tx, maybe, run};
use crate::text_enum::text_enum;
use crate::{id, wire};

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

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<PaymentIntent> {
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

/// Payment intents newest first, of one customer or of all.
pub async fn list(tx: &mut Tx, who: &Actor, page: &Page, customer: Option<&str>) -> Result<Listed<PaymentIntent>> {
    let customer = who.customer().or(customer);
    page!(
        tx,
        who,
        page,
        "payment_intent" if "customer = $3",
        columns!(),
        "(cast($7 as text) is null or customer = $7)",
        customer
    )
}

/// The one payment intent of an invoice, at work with this method.
pub(super) async fn open(tx: &mut Tx, who: &Actor, invoice: &mut Invoice, method: &str) -> Result<String> {
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
    let intent = PaymentIntent {
        id: id::new("pi", tx.now),
        customer: invoice.customer.clone(),
        invoice: Some(invoice.id.clone()),
        amount: invoice.amount_remaining(),
        amount_received: 0,
        currency: invoice.currency.clone(),
        status: IntentStatus::Processing,
        payment_method: Some(method.to_owned()),
        latest_charge: None,
        next_action: None,
        last_error: None,
        description: None,
        metadata: Json::default(),
        created: tx.now.seconds(),
        canceled_at: None,
        version: 1,
    };
    run!(
        tx,
        concat!(
            "insert into payment_intent (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, 0, $6, $7, $8, null, null, null, null, $9, $10, null, 1)"
        ),
        who.tenant.key,
        &intent.id,
        &intent.customer,
        &intent.invoice,
        intent.amount,
        &intent.currency,
        intent.status,
        &intent.payment_method,
        &intent.metadata,
        intent.created
    )?;
    announce(tx, who, None, &intent, "payment_intent.created").await?;
    invoice.payment_intent = Some(intent.id.clone());
    invoice::save(tx, who, invoice).await?;
    Ok(intent.id)
}

/// What an attempt's end says of its payment intent.
pub(super) struct Said {
    pub(super) status: IntentStatus,
    pub(super) last_error: Option<Value>,
    pub(super) next_action: Option<Value>,
}

impl Said {
    pub(super) fn of(status: IntentStatus) -> Self {
        Self { status, last_error: None, next_action: None }
    }
}

/// One that has succeeded, or has gone on to a later attempt, has nothing to learn.
pub(super) async fn settle(
    tx: &mut Tx,
    who: &Actor,
    invoice: &Invoice,
    attempt: &Attempt,
    said: Said,
    event: &'static str,
) -> Result<()> {
    let id =
        invoice.payment_intent.as_deref().ok_or_else(|| Error::internal("an attempt without its payment intent"))?;
    let before = get(tx, who, id).await?;
    let is_last = charge::last(tx, who, &invoice.id).await?.is_some_and(|last| last.id == attempt.id);
    if before.status == IntentStatus::Succeeded || (said.status != IntentStatus::Succeeded && !is_last) {
        return Ok(());
    }
    let after = PaymentIntent {
        status: said.status,
        last_error: said.last_error.map(Json),
        next_action: said.next_action.map(Json),
        latest_charge: Some(attempt.id.clone()),
        amount_received: if said.status == IntentStatus::Succeeded { attempt.charge.amount } else { 0 },
        ..before.clone()
    };
    save(tx, who, before, after, event).await
}

async fn save(
    tx: &mut Tx,
    who: &Actor,
    before: PaymentIntent,
    after: PaymentIntent,
    event: &'static str,
) -> Result<()> {
    let saved = run!(
        tx,
        "update payment_intent set status = $3, last_error = $4, latest_charge = $5, amount_received = $6, next_action = $7,
         payment_method = $8, canceled_at = $9, version = version + 1 where tenant = $1 and id = $2 and version = $10",
        who.tenant.key,
        &after.id,
        after.status,
        &after.last_error,
        &after.latest_charge,
        after.amount_received,
        &after.next_action,
        &after.payment_method,
        after.canceled_at,
        before.version
    )?;
    if saved != 1 {
        return Err(Error::Busy);
    }
    announce(tx, who, Some(&before), &after, event).await
}

async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&PaymentIntent>,
    after: &PaymentIntent,
    event: &'static str,
) -> Result<()> {
    let render = |intent: &PaymentIntent| wire::payment_intent(&who.tenant, intent);
    let change = Change {
        object: "payment_intent",
        id: &after.id,
        customer: Some(&after.customer),
        before: before.map(render),
        after: Some(render(after)),
        action: event,
        events: &[event],
    };
    record(tx, who, change).await
}

/// The invoice was taken back: nobody is asked to pay for it any more. What a gateway was asked already runs its course.
pub(crate) async fn cancel(tx: &mut Tx, who: &Actor, invoice: &Invoice) -> Result<()> {
    let Some(id) = &invoice.payment_intent else { return Ok(()) };
    let before = get(tx, who, id).await?;
    if matches!(before.status, IntentStatus::Succeeded | IntentStatus::Canceled)
        || is_running(tx, who, &invoice.id).await?
    {
        return Ok(());
    }
    let after = PaymentIntent {
        status: IntentStatus::Canceled,
        canceled_at: Some(tx.now.seconds()),
        next_action: None,
        ..before.clone()
    };
    save(tx, who, before, after, "payment_intent.canceled").await
}
