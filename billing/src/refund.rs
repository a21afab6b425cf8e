//! Money given back: written down first, asked of the gateway outside any transaction, its answer after.

use std::sync::Arc;

use crate::actor::Actor;
use crate::clock::{Millis, Seconds};
use crate::credit_note::CreditNote;
use crate::customer;
use crate::directory;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::gateway::{self, PaymentGateway, Refunded};
use crate::invoice::{self, Invoice};
use crate::money::Currency;
use crate::page::{Listed, Page, page};
use crate::patch::{Metadata, MetadataPatch, merge_metadata};
use crate::payment::charge::{self, AttemptStatus, Charge};
use crate::payment::intents;
use crate::store::{Db, Json, Tx, maybe, one, run};
use crate::text_enum::text_enum;
use crate::{id, transact, wire};

text_enum!(Status { Pending = "pending", Succeeded = "succeeded", Failed = "failed" });
text_enum!(Reason {
    Duplicate = "duplicate",
    Fraudulent = "fraudulent",
    RequestedByCustomer = "requested_by_customer",
});

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Refund {
    pub id: String,
    /// The charge, `ch_…`.
    pub payment_attempt: String,
    pub payment_intent: String,
    pub customer: String,
    pub invoice: String,
    pub payment_method: String,
    /// Whose part it is, if any.
    pub credit_note: Option<String>,
    pub amount: i64,
    pub currency: Currency,
    pub reason: Option<Reason>,
    pub status: Status,
    pub failure_reason: Option<String>,
    pub gateway_ref: Option<String>,
    /// How often the gateway was asked without an answer.
    pub tries: i64,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, payment_attempt, payment_intent, customer, invoice, payment_method, credit_note, amount, currency, reason, status, \
         failure_reason, gateway_ref, tries, metadata, created, version"
    };
}

/// What is to be given back.
#[derive(Debug, Clone)]
pub struct NewRefund {
    pub of: Of,
    /// All that is left where none is named.
    pub amount: Option<i64>,
    pub reason: Option<Reason>,
    pub metadata: MetadataPatch,
}

#[derive(Debug, Clone)]
pub enum Of {
    Charge(String),
    PaymentIntent(String),
}

const MINUTE: i64 = 60 * 1000;
/// How long after an unanswered question the next one is put; the last again and again.
const WAITS: [i64; 3] = [5 * MINUTE, 60 * MINUTE, 24 * 60 * MINUTE];

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Refund> {
    maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from refund where tenant = $1 and id = $2 and (cast($3 as text) is null or customer = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("refund", id))
}

/// Newest first, of one charge or one payment intent where they are named.
pub async fn list(
    tx: &mut Tx,
    who: &Actor,
    page: &Page,
    (charge, intent): (Option<&str>, Option<&str>),
) -> Result<Listed<Refund>> {
    page!(
        tx,
        who,
        page,
        "refund" if "customer = $3",
        columns!(),
        "(cast($7 as text) is null or payment_attempt = $7) and (cast($8 as text) is null or payment_intent = $8)
         and (cast($9 as text) is null or customer = $9)",
        charge,
        intent,
        who.customer()
    )
}

/// What was refunded of an invoice's payments without a credit note.
pub(crate) async fn beside_notes(tx: &mut Tx, who: &Actor, invoice: &str) -> Result<i64> {
    let (sum,): (i64,) = one!(
        tx,
        "select cast(coalesce(sum(amount), 0) as bigint) from refund
         where tenant = $1 and invoice = $2 and credit_note is null and status <> 'failed'",
        who.tenant.key,
        invoice
    )?;
    Ok(sum)
}

/// Writes down what is to be given back of a charge; [`give_back`] then asks the gateway. Never more than the charge,
/// nor, with what credit notes give back, than its invoice.
pub async fn begin(tx: &mut Tx, who: &Actor, new: NewRefund) -> Result<Refund> {
    let charge = charge_of(tx, who, &new.of).await?;
    let left = refundable(&charge)?;
    let amount = new.amount.unwrap_or(left);
    if !(1..=left).contains(&amount) {
        let message = format!("Refund amount ({amount}) must be from 1 to the unrefunded amount on charge ({left}).");
        return Err(Error::invalid("amount", message));
    }
    let mut invoice = invoice::get(tx, who, &charge.invoice).await?;
    if invoice.status != invoice::Status::Void {
        let paid = invoice.total.max(invoice.amount_paid - invoice.amount_overpaid);
        let room = paid - invoice.credit_notes() - beside_notes(tx, who, &invoice.id).await?;
        if amount > room {
            let message = format!("Credit notes give back all but {room} of what was paid on this invoice.");
            return Err(Error::invalid("amount", message));
        }
    }
    // Whoever credits the same invoice meanwhile sees that it was touched.
    invoice::save(tx, who, &mut invoice).await?;
    let mut metadata = Metadata::new();
    merge_metadata(&mut metadata, new.metadata)?;
    reserve(tx, who, &charge, amount, (new.reason, None, metadata)).await
}

/// The refund that is part of a credit note. Answers its id.
pub(crate) async fn begin_for_note(tx: &mut Tx, who: &Actor, invoice: &Invoice, note: &CreditNote) -> Result<String> {
    let found: Option<(String,)> = maybe!(
        tx,
        "select id from payment_attempt where tenant = $1 and invoice = $2 and status = 'succeeded' and amount - amount_refunded >= $3
         order by number desc limit 1",
        who.tenant.key,
        &invoice.id,
        note.refunded
    )?;
    let (charge,) = found.ok_or_else(|| {
        Error::invalid("refund_amount", format!("No charge of this invoice has {} left to refund.", note.refunded))
    })?;
    let charge = charge::get(tx, who, &charge).await?;
    let refund = reserve(tx, who, &charge, note.refunded, (None, Some(note.id.clone()), Metadata::new())).await?;
    Ok(refund.id)
}

/// All of a charge goes back: it came for an invoice that nobody owes any more, void or paid already. The worker asks.
pub(crate) async fn owe_back(tx: &mut Tx, who: &Actor, invoice: &Invoice, charge: &str) -> Result<()> {
    let charge = charge::get(tx, who, charge).await?;
    let reason = (invoice.status == invoice::Status::Paid).then_some(Reason::Duplicate);
    reserve(tx, who, &charge, refundable(&charge)?, (reason, None, Metadata::new())).await?;
    Ok(())
}

async fn charge_of(tx: &mut Tx, who: &Actor, of: &Of) -> Result<Charge> {
    let (id, param) = match of {
        Of::Charge(id) => (Some(id.clone()), "charge"),
        Of::PaymentIntent(id) => {
            let intent = intents::get(tx, who, id).await.map_err(|e| e.on("payment_intent"))?;
            (intent.latest_charge, "payment_intent")
        }
    };
    let nothing = || {
        let message = "There is no successful charge to refund.".to_owned();
        Error::Invalid { param: param.into(), code: "charge_not_refundable", message }
    };
    let charge = charge::get(tx, who, &id.ok_or_else(nothing)?).await.map_err(|e| e.on(param))?;
    if charge.status == AttemptStatus::Succeeded { Ok(charge) } else { Err(nothing()) }
}

fn refundable(charge: &Charge) -> Result<i64> {
    match charge.amount - charge.amount_refunded {
        0 => {
            let message = format!("Charge {} has already been refunded.", charge.id);
            Err(Error::conflict("charge_already_refunded", message))
        }
        left => Ok(left),
    }
}

/// Takes the amount off what is left of the charge before anybody is asked.
async fn reserve(
    tx: &mut Tx,
    who: &Actor,
    charge: &Charge,
    amount: i64,
    (reason, credit_note, metadata): (Option<Reason>, Option<String>, Metadata),
) -> Result<Refund> {
    let reserved = run!(
        tx,
        "update payment_attempt set amount_refunded = amount_refunded + $3, version = version + 1
         where tenant = $1 and id = $2 and version = $4",
        who.tenant.key,
        &charge.id,
        amount,
        charge.version
    )?;
    if reserved == 0 {
        return Err(Error::Busy);
    }
    let customer = customer::get_or_deleted(tx, who, &charge.customer).await?;
    let refund = Refund {
        id: id::new("re", tx.now),
        payment_attempt: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        customer: charge.customer.clone(),
        invoice: charge.invoice.clone(),
        payment_method: charge.payment_method.clone(),
        credit_note,
        amount,
        currency: charge.currency.clone(),
        reason,
        status: Status::Pending,
        failure_reason: None,
        gateway_ref: None,
        tries: 0,
        metadata: Json(metadata),
        created: customer::now(tx, who, &customer).await?,
        version: 1,
    };
    insert(tx, who, &refund).await?;
    announce(tx, who, None, &refund, "refund.created").await?;
    Ok(refund)
}

async fn insert(tx: &mut Tx, who: &Actor, r: &Refund) -> Result<()> {
    run!(
        tx,
        concat!(
            "insert into refund (tenant, ",
            columns!(),
            ", next_try_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"
        ),
        who.tenant.key,
        &r.id,
        &r.payment_attempt,
        &r.payment_intent,
        &r.customer,
        &r.invoice,
        &r.payment_method,
        &r.credit_note,
        r.amount,
        &r.currency,
        r.reason,
        r.status,
        &r.failure_reason,
        &r.gateway_ref,
        r.tries,
        &r.metadata,
        r.created,
        r.version,
        tx.now.plus(WAITS[0])
    )?;
    Ok(())
}

/// Asks the gateway for a refund that was begun, and writes down what it said. Runs to its end even if the caller goes
/// away; asked again, nothing is given back twice.
pub async fn give_back(db: &Db, gateway: Arc<dyn PaymentGateway>, who: &Actor, id: &str) -> Result<Refund> {
    let (db, who, id) = (db.clone(), who.clone(), id.to_owned());
    let work = tokio::spawn(async move { ask(&db, &*gateway, &who, &id).await });
    work.await.map_err(Error::internal)?
}

async fn ask(db: &Db, gateway: &dyn PaymentGateway, who: &Actor, id: &str) -> Result<Refund> {
    let mut tx = db.read().await?;
    let refund = get(&mut tx, who, id).await?;
    let charge = charge::get(&mut tx, who, &refund.payment_attempt).await?;
    drop(tx);
    if refund.status != Status::Pending {
        return Ok(refund);
    }
    let question = gateway::Refund {
        key: format!("{}/{}", who.tenant.key, refund.id),
        charge: charge.gateway_ref.ok_or_else(|| Error::internal("a charge that succeeded has its reference"))?,
        amount: refund.amount,
        currency: refund.currency.clone(),
    };
    let answer = gateway.refund(&question).await;
    transact!(db, |tx| settle(tx, who, id, &answer).await)
}

/// The charge is told of too. What goes back was taken off it when the refund began.
async fn refunded(tx: &mut Tx, who: &Actor, refund: &Refund) -> Result<()> {
    let after = charge::get(tx, who, &refund.payment_attempt).await?;
    let before = Charge { amount_refunded: after.amount_refunded - refund.amount, ..after.clone() };
    let change = Change {
        object: "charge",
        id: &after.id,
        customer: Some(&after.customer),
        before: Some(wire::charge(&who.tenant, &before)),
        after: Some(wire::charge(&who.tenant, &after)),
        action: "charge.refunded",
        events: &["charge.refunded"],
    };
    record(tx, who, change).await
}

/// Writes down what the gateway answered. Said twice, it counts once.
pub async fn settle(tx: &mut Tx, who: &Actor, id: &str, answer: &Refunded) -> Result<Refund> {
    let before = get(tx, who, id).await?;
    if before.status != Status::Pending {
        return Ok(before);
    }
    let mut after = before.clone();
    match answer {
        Refunded::Succeeded { reference } => {
            (after.status, after.gateway_ref) = (Status::Succeeded, Some(reference.clone()));
        }
        Refunded::Failed { reason } => {
            (after.status, after.failure_reason) = (Status::Failed, Some(reason.clone()));
        }
        Refunded::Unknown => after.tries += 1,
    }
    let wait = usize::try_from(after.tries).ok().and_then(|n| WAITS.get(n)).unwrap_or(&WAITS[2]);
    let next = (after.status == Status::Pending).then(|| tx.now.plus(*wait));
    save(tx, who, &mut after, next).await?;
    match after.status {
        Status::Pending => announce(tx, who, Some(&before), &after, "refund.asked").await?,
        Status::Succeeded => {
            announce(tx, who, Some(&before), &after, "refund.updated").await?;
            refunded(tx, who, &after).await?;
        }
        Status::Failed => {
            release(tx, who, &after).await?;
            announce(tx, who, Some(&before), &after, "refund.failed").await?;
        }
    }
    Ok(after)
}

async fn save(tx: &mut Tx, who: &Actor, r: &mut Refund, next: Option<Millis>) -> Result<()> {
    let saved = run!(
        tx,
        "update refund set status = $3, failure_reason = $4, gateway_ref = $5, tries = $6, next_try_ms = $7, metadata = $8,
         version = version + 1 where tenant = $1 and id = $2 and version = $9",
        who.tenant.key,
        &r.id,
        r.status,
        &r.failure_reason,
        &r.gateway_ref,
        r.tries,
        next,
        &r.metadata,
        r.version
    )?;
    r.version += 1;
    if saved == 1 { Ok(()) } else { Err(Error::Busy) }
}

/// What could not be given back is still there to be.
async fn release(tx: &mut Tx, who: &Actor, refund: &Refund) -> Result<()> {
    run!(
        tx,
        "update payment_attempt set amount_refunded = amount_refunded - $3, version = version + 1 where tenant = $1 and id = $2",
        who.tenant.key,
        &refund.payment_attempt,
        refund.amount
    )?;
    Ok(())
}

pub async fn update(tx: &mut Tx, who: &Actor, id: &str, metadata: MetadataPatch) -> Result<Refund> {
    let before = get(tx, who, id).await?;
    let mut after = before.clone();
    merge_metadata(&mut after.metadata.0, metadata)?;
    if after == before {
        return Ok(after);
    }
    run!(tx, "update refund set metadata = $3 where tenant = $1 and id = $2", who.tenant.key, id, &after.metadata)?;
    announce(tx, who, Some(&before), &after, "refund.updated").await?;
    Ok(after)
}

async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&Refund>,
    after: &Refund,
    action: &'static str,
) -> Result<()> {
    let render = |refund: &Refund| wire::refund(&who.tenant, refund);
    // That it was asked for in vain is for the audit log only.
    let events: &[&'static str] = if action == "refund.asked" { &[] } else { &[action] };
    let change = Change {
        object: "refund",
        id: &after.id,
        customer: Some(&after.customer),
        before: before.map(render),
        after: Some(render(after)),
        action,
        events,
    };
    record(tx, who, change).await
}

/// Asks again for every refund that has waited long enough for its answer, whoever's; answers how many there were.
pub async fn retry_due(db: &Db, gateway: &dyn PaymentGateway) -> Result<usize> {
    let mut tx = db.read().await?;
    let due = directory::pending_refunds(&mut tx).await?;
    drop(tx);
    for (tenant, refund) in &due {
        let who = Actor::system(tenant.clone(), "refund");
        // One that cannot be asked for now keeps no other waiting.
        if let Err(error) = ask(db, gateway, &who, refund).await {
            tracing::error!(refund, ?error, "a refund could not be asked for");
        }
    }
    Ok(due.len())
}
