//! Billing a period: the lines, the draft, finalisation and payment of its invoice.

use serde_json::json;

use crate::actor::Actor;
use crate::catalog::Cost;
use crate::clock::Seconds;
use crate::customer::{self, Customer};
use crate::directory;
use crate::error::{Error, Result};
use crate::id;
use crate::invoice::assess::{self, Borne, Sums};
use crate::invoice::{BillTo, Invoice, Line, NewLine, Status, announce, columns, hosted, line, save};
use crate::money::Currency;
use crate::payment;
use crate::store::{Json, Tx, run};
use crate::subscription::{CollectionMethod, Item, Subscription};

/// What the current period of a subscription costs: a line an item.
pub fn period_lines(subscription: &Subscription) -> Result<Vec<NewLine>> {
    let each = subscription.items.iter().map(|item| {
        let amount = item.price.amount(item.quantity)?;
        Ok(period_line(subscription, item, amount, describe(item, &subscription.currency)?))
    });
    each.collect()
}

/// A trial is billed too, at nothing, so that its invoice says what it is.
pub fn trial_lines(subscription: &Subscription) -> Vec<NewLine> {
    let each = subscription
        .items
        .iter()
        .map(|item| period_line(subscription, item, 0, format!("Trial period for {}", item.product_name)));
    each.collect()
}

fn period_line(subscription: &Subscription, item: &Item, amount: i64, description: String) -> NewLine {
    NewLine {
        subscription_item: Some(item.id.clone()),
        price: Some(item.price.id.clone()),
        product_name: Some(item.product_name.clone()),
        description,
        quantity: item.quantity,
        amount,
        period_start: subscription.current_period_start,
        period_end: subscription.current_period_end,
        metadata: item.metadata.clone(),
    }
}

/// Stripe's wording: `2 × Pro (at 20.00 EUR / month)`; a tiered price has no one amount to name.
fn describe(item: &Item, currency: &Currency) -> Result<String> {
    let at = match item.price.cost()? {
        Cost::PerUnit { unit, transform } => {
            let amount = unit.shifted(currency.decimals());
            let per = transform.map(|packages| format!(" per {}", packages.divide_by)).unwrap_or_default();
            format!("at {amount} {}{per}", currency.code().to_ascii_uppercase())
        }
        Cost::Tiered { mode, .. } => format!("{} pricing", mode.name()),
    };
    let every = match item.price.recurring() {
        Some(r) if r.count == 1 => r.interval.name().to_owned(),
        Some(r) => format!("every {} {}s", r.count, r.interval.name()),
        None => String::new(),
    };
    Ok(format!("{} × {} ({at} / {every})", item.quantity, item.product_name))
}

/// Makes and finalises the one invoice for the subscription's current period. What is owed is then collected by the
/// door that asked; nothing owed is paid at once.
pub async fn bill_period(
    tx: &mut Tx,
    who: &Actor,
    subscription: &Subscription,
    reason: &'static str,
    lines: Vec<NewLine>,
    now: Seconds,
) -> Result<Invoice> {
    let mut customer = customer::get(tx, who, &subscription.customer).await?;
    let bill_to = bill_to(tx, who, &customer, subscription).await?;
    let country = bill_to.account_country.clone().unwrap_or_default();
    let borne = assess::lines(tx, who, (&country, &customer), subscription, &lines).await?;
    let mut invoice = draft(tx, who, subscription, bill_to, reason, (lines, borne), now).await?;
    finalize(tx, who, &mut customer, &mut invoice, subscription.days_until_due, now).await?;
    if invoice.amount_due == 0 {
        mark_paid(tx, who, &mut invoice, 0, now).await?;
    }
    Ok(invoice)
}

async fn bill_to(tx: &mut Tx, who: &Actor, customer: &Customer, subscription: &Subscription) -> Result<BillTo> {
    let merchant = directory::account(tx, who).await?;
    Ok(BillTo {
        account_name: Some(merchant.name),
        account_country: Some(merchant.country),
        name: customer.name.clone(),
        email: customer.email.clone(),
        phone: customer.phone.clone(),
        address: customer.address.as_ref().map(|a| a.0.clone()),
        shipping: customer.shipping.as_ref().map(|s| s.0.clone()),
        tax_exempt: Some(customer.tax_exempt),
        tax_ids: customer::tax_id::printed(tx, who, &customer.id).await?,
        subscription_metadata: Some(subscription.metadata.0.clone()),
        automatic_tax: subscription.automatic_tax,
    })
}

async fn draft(
    tx: &mut Tx,
    who: &Actor,
    subscription: &Subscription,
    bill_to: BillTo,
    reason: &str,
    (lines, borne): (Vec<NewLine>, Vec<Borne>),
    now: Seconds,
) -> Result<Invoice> {
    let Sums { subtotal, tax, total } =
        assess::sums(&lines.iter().map(|line| line.amount).collect::<Vec<_>>(), &borne)?;
    let mut invoice = Invoice {
        id: id::new("in", tx.now),
        customer: subscription.customer.clone(),
        subscription: Some(subscription.id.clone()),
        number: None,
        status: Status::Draft,
        billing_reason: reason.into(),
        cycle_start: Some(subscription.current_period_start),
        collection_method: subscription.collection_method,
        auto_advance: true,
        currency: subscription.currency.clone(),
        period_start: subscription.current_period_start,
        period_end: subscription.current_period_end,
        subtotal,
        discount: 0,
        tax,
        total,
        amount_due: total,
        amount_paid: 0,
        amount_overpaid: 0,
        starting_balance: 0,
        ending_balance: None,
        attempt_count: 0,
        attempted: false,
        next_payment_attempt: None,
        default_payment_method: None,
        payment_intent: None,
        bill_to: Json(bill_to),
        description: None,
        footer: None,
        metadata: Json::default(),
        created: now,
        due_date: None,
        finalized_at: None,
        paid_at: None,
        voided_at: None,
        marked_uncollectible_at: None,
        version: 1,
        lines: Vec::new(),
        more_lines: false,
        hosted_invoice_url: None,
    };
    insert(tx, who, &invoice).await?;
    for (position, (new, borne)) in lines.into_iter().zip(borne).enumerate() {
        let line = place(tx, &invoice, position, new, borne);
        line::insert(tx, who, &line).await?;
    }
    let listed = line::first(tx, who, &invoice.id, line::MOST_READ).await?;
    (invoice.lines, invoice.more_lines) = (listed.data, listed.has_more);
    announce(tx, who, None, &invoice, "invoice.created", &["invoice.created"]).await?;
    Ok(invoice)
}

fn place(tx: &Tx, invoice: &Invoice, position: usize, new: NewLine, borne: Borne) -> Line {
    Line {
        id: id::new("il", tx.now),
        invoice: invoice.id.clone(),
        position: i64::try_from(position).unwrap_or_default(),
        subscription: invoice.subscription.clone(),
        subscription_item: new.subscription_item,
        invoice_item: None,
        price: new.price,
        product_name: new.product_name,
        description: new.description,
        quantity: new.quantity,
        amount: new.amount,
        discount: 0,
        discount_amounts: Json(json!([])),
        tax: borne.tax,
        taxes: Json(borne.taxes),
        currency: invoice.currency.clone(),
        period_start: new.period_start,
        period_end: new.period_end,
        proration: false,
        discountable: true,
        details: None,
        metadata: Json(new.metadata),
        priced: None,
    }
}

/// Fixes the invoice: to whom, how much, under which number (taken last, so that none is lost).
async fn finalize(
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
        invoice.due_date = Some(now.plus(days_until_due.unwrap_or_default() * 86_400));
    }
    invoice.ending_balance = Some(0);
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
    announce(tx, who, Some(&before), invoice, "invoice.finalized", &["invoice.finalized"]).await
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
    announce(tx, who, Some(&before), invoice, "invoice.paid", &["invoice.paid"]).await
}

async fn insert(tx: &mut Tx, who: &Actor, i: &Invoice) -> Result<()> {
    run!(
        tx,
        concat!(
            "insert into invoice (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
             $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38)"
        ),
        who.tenant.key,
        &i.id,
        &i.customer,
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
        i.starting_balance,
        i.ending_balance,
        i.attempt_count,
        i.attempted,
        i.next_payment_attempt,
        &i.default_payment_method,
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
        i.version
    )?;
    Ok(())
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
    announce(tx, who, Some(&before), &invoice, "invoice.voided", &["invoice.voided"]).await?;
    Ok(invoice)
}
