//! Writing a composed invoice: the draft with its lines, then its finalisation.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer::{self, Customer};
use crate::error::Result;
use crate::id;
use crate::invoice::bill::{mark_uncollectible, take_back};
use crate::invoice::compose::Composed;
use crate::invoice::{Invoice, Status, announce, columns, credit, hosted, item, line, mark_paid, reduce, save};
use crate::store::{Tx, run};
use crate::subscription::CollectionMethod;
use crate::subscription::collection::Behavior;

const DAY: i64 = 86_400;

/// Makes and finalises a composed invoice. What is owed is then collected by the door that asked; nothing owed is paid
/// at once. Where the subscription's invoices are not collected, it goes as far as is said there.
pub async fn issue(tx: &mut Tx, who: &Actor, composed: Composed) -> Result<Invoice> {
    let (mut customer, days, now) = (composed.customer.clone(), composed.days_until_due, composed.invoice.created);
    let held = composed.held;
    let mut invoice = draft(tx, who, composed).await?;
    if held == Some(Behavior::KeepAsDraft) {
        return Ok(invoice);
    }
    finalize(tx, who, &mut customer, &mut invoice, days, now).await?;
    match held {
        // What the customer's credit has paid comes back to them.
        Some(Behavior::Void) if invoice.total > 0 => invoice = take_back(tx, who, &invoice.id, now).await?,
        _ if invoice.amount_due == 0 => mark_paid(tx, who, &mut invoice, 0, now).await?,
        Some(Behavior::MarkUncollectible) => invoice = mark_uncollectible(tx, who, &invoice.id, now).await?,
        _ => {}
    }
    Ok(invoice)
}

/// Writes it as a draft; what waited for it waits no longer.
pub(crate) async fn draft(tx: &mut Tx, who: &Actor, composed: Composed) -> Result<Invoice> {
    let mut invoice = Invoice { id: id::new("in", tx.now), ..composed.invoice };
    insert(tx, who, &invoice).await?;
    for line in &mut invoice.lines {
        (line.id, line.invoice) = (id::new("il", tx.now), invoice.id.clone());
        line::insert(tx, who, line).await?;
    }
    item::pull(tx, who, &composed.pulled, &invoice.id).await?;
    announce(tx, who, None, &invoice, "invoice.created", &["invoice.created"]).await?;
    Ok(invoice)
}

/// Fixes the invoice: to whom, how much, under which number (taken last, so that none is lost).
pub(crate) async fn finalize(
    tx: &mut Tx,
    who: &Actor,
    customer: &mut Customer,
    invoice: &mut Invoice,
    days_until_due: Option<i64>,
    now: Seconds,
) -> Result<()> {
    let before = invoice.clone();
    invoice.status = Status::Open;
    invoice.finalized_at = Some(now);
    if invoice.collection_method == CollectionMethod::SendInvoice {
        let due = now.plus(days_until_due.unwrap_or_default() * DAY);
        invoice.due_date.get_or_insert(due);
    }
    credit::apply(tx, who, customer, invoice).await?;
    invoice.number = Some(format!("{}-{:04}", customer.invoice_prefix, customer.next_invoice_sequence));
    let unbilled = customer.clone();
    customer.next_invoice_sequence += 1;
    customer.currency.get_or_insert_with(|| invoice.currency.clone());
    customer::save(tx, who, customer).await?;
    // The first invoice fixes the currency, which is news; the count alone is not.
    if customer.currency != unbilled.currency {
        customer::announce(tx, who, Some(&unbilled), Some(customer), "customer.updated").await?;
    }
    save(tx, who, invoice).await?;
    hosted::issue(tx, who, invoice).await?;
    announce(tx, who, Some(&before), invoice, "invoice.finalized", &["invoice.finalized"]).await?;
    reduce::used(tx, who, invoice).await
}

async fn insert(tx: &mut Tx, who: &Actor, i: &Invoice) -> Result<()> {
    run!(
        tx,
        concat!(
            "insert into invoice (tenant, ",
            columns!(),
            ", next_due) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
             $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45)"
        ),
        who.tenant.key,
        &i.id,
        &i.customer,
        &i.clock_id,
        &i.subscription,
        &i.number,
        i.status,
        &i.billing_reason,
        i.cycle_start,
        i.collection_method,
        i.auto_advance,
        &i.currency,
        i.period_start,
        i.period_end,
        i.subtotal,
        i.discount,
        i.tax,
        i.total,
        i.amount_due,
        i.amount_paid,
        i.amount_overpaid,
        i.paid_out_of_band,
        i.pre_payment_credit_notes,
        i.post_payment_credit_notes,
        i.starting_balance,
        i.ending_balance,
        i.attempt_count,
        i.attempted,
        i.next_payment_attempt,
        i.retries_from,
        &i.default_payment_method,
        &i.default_tax_rates,
        &i.payment_intent,
        &i.bill_to,
        &i.description,
        &i.footer,
        &i.metadata,
        i.created,
        i.due_date,
        i.finalized_at,
        i.paid_at,
        i.voided_at,
        i.marked_uncollectible_at,
        i.version,
        i.due()
    )?;
    Ok(())
}
