//! Issuing credit notes, and taking them back.

use super::{CreditNote, NewCreditNote, Status, announce, columns, compose, line};
use crate::actor::Actor;
use crate::customer;
use crate::customer::balance::{self, Kind, Posting};
use crate::document;
use crate::error::{Error, Result};
use crate::id;
use crate::invoice::{self, Invoice, credit};
use crate::payment;
use crate::refund;
use crate::store::{Tx, one, run};

/// Issues a note. What it refunds is asked of the gateway by the door afterwards: [`refund::give_back`].
pub async fn create(tx: &mut Tx, who: &Actor, new: NewCreditNote) -> Result<CreditNote> {
    let (composed, before) = compose::compose(tx, who, new).await?;
    // What is being charged must not become less meanwhile.
    if composed.pre_payment() > 0 && payment::is_running(tx, who, &before.id).await? {
        return Err(Error::Busy);
    }
    let (number,): (i64,) = one!(
        tx,
        "select count(*) + 1 from credit_note where tenant = $1 and invoice = $2",
        who.tenant.key,
        &before.id
    )?;
    let mut note = CreditNote {
        id: id::new("cn", tx.now),
        number: format!("{}-CN-{number:02}", before.number.as_deref().unwrap_or_default()),
        ..composed
    };
    note.pdf = document::url(tx, &who.tenant, &note.id);
    if note.refunded > 0 {
        note.refund = Some(refund::begin_for_note(tx, who, &before, &note).await?);
    }
    if note.credited > 0 {
        note.balance_transaction = Some(to_balance(tx, who, &note).await?);
    }
    insert(tx, who, &mut note).await?;
    lower(tx, who, before, &note).await?;
    announce(tx, who, None, &note, "credit_note.created").await?;
    Ok(note)
}

async fn to_balance(tx: &mut Tx, who: &Actor, note: &CreditNote) -> Result<String> {
    let mut customer = customer::get_or_deleted(tx, who, &note.customer).await?;
    let posting = Posting {
        currency: &note.currency,
        amount: -note.credited,
        kind: Kind::CreditNote,
        invoice: Some(&note.invoice),
        credit_note: Some(&note.id),
    };
    balance::post(tx, who, &mut customer, posting).await
}

/// What the note does to its invoice: less is due, and nothing left is paid.
async fn lower(tx: &mut Tx, who: &Actor, before: Invoice, note: &CreditNote) -> Result<()> {
    let mut invoice = before.clone();
    invoice.amount_due -= note.pre_payment();
    invoice.pre_payment_credit_notes += note.pre_payment();
    invoice.post_payment_credit_notes += note.post_payment();
    credit::lowered(tx, who, &before, invoice, note.created).await
}

async fn insert(tx: &mut Tx, who: &Actor, n: &mut CreditNote) -> Result<()> {
    run!(
        tx,
        concat!(
            "insert into credit_note (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)"
        ),
        who.tenant.key,
        &n.id,
        &n.customer,
        &n.invoice,
        &n.number,
        n.status,
        n.r#type,
        n.reason,
        &n.memo,
        &n.currency,
        n.subtotal,
        n.discount,
        n.tax,
        n.total,
        n.refunded,
        n.credited,
        n.out_of_band,
        &n.refund,
        &n.balance_transaction,
        &n.metadata,
        n.created,
        n.voided_at
    )?;
    for (position, line) in n.lines.iter_mut().enumerate() {
        line.id = id::new("cnli", tx.now);
        line.credit_note = n.id.clone();
        line.position = i64::try_from(position).unwrap_or_default();
        line::insert(tx, who, line).await?;
    }
    Ok(())
}

/// Takes back a note that has given nothing back yet: what it took off the amount due is due again.
pub async fn void(tx: &mut Tx, who: &Actor, id: &str) -> Result<CreditNote> {
    let before = super::get(tx, who, id).await?;
    if before.status == Status::Void {
        return Err(Error::conflict("credit_note_already_void", "The credit note is void already."));
    }
    let owed = invoice::get(tx, who, &before.invoice).await?;
    let is_open = matches!(owed.status, invoice::Status::Open | invoice::Status::Uncollectible);
    if before.post_payment() > 0 || !is_open {
        let message = "You can only void credit notes that lower the amount due of an invoice that is still open.";
        return Err(Error::conflict("credit_note_not_voidable", message));
    }
    let customer = customer::get_or_deleted(tx, who, &before.customer).await?;
    let voided_at = Some(customer::now(tx, who, &customer).await?);
    let note = CreditNote { status: Status::Void, voided_at, ..before.clone() };
    run!(
        tx,
        "update credit_note set status = $3, voided_at = $4 where tenant = $1 and id = $2 and status = 'issued'",
        who.tenant.key,
        id,
        note.status,
        note.voided_at
    )?;
    let mut invoice = owed.clone();
    invoice.amount_due += note.total;
    invoice.pre_payment_credit_notes -= note.total;
    invoice::save(tx, who, &mut invoice).await?;
    invoice::announce(tx, who, Some(&owed), &invoice, "invoice.updated", &["invoice.updated"]).await?;
    announce(tx, who, Some(&before), &note, "credit_note.voided").await?;
    Ok(note)
}
