//! Drafts: made by hand, changed, computed anew whenever what they are made of changes, finalised or deleted.

use crate::actor::Actor;
use crate::catalog::tax_rate;
use crate::clock::Seconds;
use crate::customer::{self, payment_method};
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::invoice::compose::{Bill, Terms, compose};
use crate::invoice::{Invoice, Line, NewLine, Status, announce, credit, issue, item, line, mark_paid, save};
use crate::money::Currency;
use crate::patch::{MetadataPatch, Patch, check_text, merge_metadata};
use crate::store::{Json, Tx, run};
use crate::subscription::{self, CollectionMethod, Subscription, update::check_taxes};
use crate::{directory, dunning, id, wire};

const DAY: i64 = 86_400;

#[derive(Debug, Clone)]
pub struct NewInvoice {
    pub customer: String,
    /// Whose waiting items are billed, beside the customer's own.
    pub subscription: Option<String>,
    /// The subscription's, else the customer's, else the merchant's.
    pub currency: Option<Currency>,
    /// Whether it takes up what waits; by default one of a subscription does.
    pub pulls: Option<bool>,
    pub fields: InvoiceUpdate,
}

/// What may be said of an invoice, new or old.
#[derive(Debug, Clone, Default)]
pub struct InvoiceUpdate {
    /// Whether time goes on with it: finalises it, charges it, tries again.
    pub auto_advance: Option<bool>,
    pub collection_method: Option<CollectionMethod>,
    pub days_until_due: Option<i64>,
    pub due_date: Option<Seconds>,
    pub default_payment_method: Patch<String>,
    pub default_tax_rates: Patch<Vec<String>>,
    pub automatic_tax: Option<bool>,
    pub description: Patch<String>,
    pub footer: Patch<String>,
    pub metadata: MetadataPatch,
}

impl InvoiceUpdate {
    /// The parameter that changes what a finalised invoice says, if there is one.
    fn fixed(&self) -> Option<&'static str> {
        let said = [
            (self.collection_method.is_some(), "collection_method"),
            (self.days_until_due.is_some(), "days_until_due"),
            (self.default_tax_rates != Patch::Keep, "default_tax_rates"),
            (self.automatic_tax.is_some(), "automatic_tax"),
            (self.description != Patch::Keep, "description"),
            (self.footer != Patch::Keep, "footer"),
        ];
        said.into_iter().find(|(is_said, _)| *is_said).map(|(_, name)| name)
    }
}

/// Makes a draft. Its number, and what is due, come with its finalisation.
pub async fn create(tx: &mut Tx, who: &Actor, new: NewInvoice) -> Result<Invoice> {
    let customer = customer::get(tx, who, &new.customer).await.map_err(|e| e.on("customer"))?;
    let now = customer::now(tx, who, &customer).await?;
    let subscription = match &new.subscription {
        Some(id) => Some(subscription::get(tx, who, id).await.map_err(|e| e.on("subscription"))?),
        None => None,
    };
    if subscription.as_ref().is_some_and(|subscription| subscription.customer != customer.id) {
        return Err(Error::invalid("subscription", "The subscription is another customer's."));
    }
    let own = subscription.as_ref().map(|subscription| subscription.currency.clone());
    let currency = match new.currency.or(own).or(customer.currency) {
        Some(currency) => currency,
        None => directory::account(tx, who).await?.default_currency,
    };
    let bill = Bill {
        customer: &customer.id,
        subscription: subscription.as_ref(),
        currency,
        reason: "manual",
        lines: Vec::new(),
        pulls: new.pulls.unwrap_or(subscription.is_some()),
        cycle_start: None,
        period: (now, now),
        terms: terms(tx, who, subscription.as_ref(), &new.fields).await?,
        now,
    };
    let mut composed = compose(tx, who, &bill).await?;
    if bill.subscription.is_some() && composed.pulled.is_empty() {
        let message = "Nothing to invoice for subscription";
        return Err(Error::Invalid {
            param: "subscription".into(),
            code: "invoice_no_subscription_line_items",
            message: message.into(),
        });
    }
    composed.invoice.auto_advance = false;
    let days = bill.terms.days_until_due.filter(|_| new.fields.due_date.is_none());
    composed.invoice.due_date = days.map(|days| now.plus(days * DAY));
    apply(tx, who, &mut composed.invoice, new.fields).await?;
    check_due(&composed.invoice)?;
    issue::draft(tx, who, composed).await
}

/// As they are said, else the subscription's.
async fn terms(tx: &mut Tx, who: &Actor, own: Option<&Subscription>, said: &InvoiceUpdate) -> Result<Terms> {
    let own = own.map(Terms::of).unwrap_or_default();
    let default_tax_rates = match &said.default_tax_rates {
        Patch::Set(ids) => tax_rate::named(tx, who, ids, "default_tax_rates").await?,
        Patch::Clear => Vec::new(),
        Patch::Keep => own.default_tax_rates,
    };
    Ok(Terms {
        collection_method: said.collection_method.unwrap_or(own.collection_method),
        days_until_due: said.days_until_due.or(own.days_until_due),
        default_tax_rates,
        automatic_tax: said.automatic_tax.unwrap_or(own.automatic_tax),
    })
}

/// An invoice that is sent says when it is due.
fn check_due(invoice: &Invoice) -> Result<()> {
    if invoice.collection_method == CollectionMethod::SendInvoice && invoice.due_date.is_none() {
        let message =
            "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'.";
        return Err(Error::Invalid {
            param: "days_until_due".into(),
            code: "parameter_missing",
            message: message.into(),
        });
    }
    Ok(())
}

/// Changes a draft; of a finalised invoice what is not printed on it.
pub async fn update(tx: &mut Tx, who: &Actor, id: &str, update: InvoiceUpdate) -> Result<Invoice> {
    let before = super::get(tx, who, id).await?;
    if let (true, Some(name)) = (before.status != Status::Draft, update.fixed()) {
        let message = format!("Finalized invoices can't be updated in this way: {name}");
        return Err(Error::Invalid { param: name.into(), code: "invoice_not_editable", message });
    }
    let mut after = before.clone();
    apply(tx, who, &mut after, update).await?;
    check_due(&after)?;
    if after == before {
        return Ok(after);
    }
    save(tx, who, &mut after).await?;
    if after.status == Status::Draft {
        after = recompose_quietly(tx, who, after).await?;
    }
    announce(tx, who, Some(&before), &after, "invoice.updated", &["invoice.updated"]).await?;
    Ok(after)
}

/// A draft waits for an hour; what is open is charged at once, unless it waits for its next attempt already.
fn go_on_by_itself(invoice: &mut Invoice, auto_advance: bool) {
    if invoice.auto_advance != auto_advance {
        invoice.auto_advance = auto_advance;
        let since = invoice.finalized_at.unwrap_or(invoice.created.plus(dunning::DRAFT));
        invoice.next_payment_attempt = auto_advance.then_some(since);
    }
}

async fn apply(tx: &mut Tx, who: &Actor, invoice: &mut Invoice, update: InvoiceUpdate) -> Result<()> {
    if let Some(auto_advance) = update.auto_advance {
        go_on_by_itself(invoice, auto_advance);
    }
    if let Some(method) = update.collection_method {
        invoice.collection_method = method;
        if method == CollectionMethod::ChargeAutomatically {
            invoice.due_date = None;
        }
    }
    let sends = invoice.collection_method == CollectionMethod::SendInvoice;
    for (is_said, name) in
        [(update.days_until_due.is_some(), "days_until_due"), (update.due_date.is_some(), "due_date")]
    {
        if is_said && !sends {
            let message = format!("You can only set {name} if `collection_method` is `send_invoice`.");
            return Err(Error::invalid(name, message));
        }
    }
    match (update.days_until_due, update.due_date) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: days_until_due, due_date.";
            return Err(Error::invalid("due_date", message));
        }
        (Some(days), None) if !(0..=3650).contains(&days) => {
            return Err(Error::invalid("days_until_due", "Invalid integer: from 0 to 3650"));
        }
        (Some(days), None) => invoice.due_date = Some(invoice.created.plus(days * DAY)),
        (None, Some(date)) if date < invoice.created => {
            return Err(Error::invalid("due_date", "An invoice is due after it is made."));
        }
        (None, date) => invoice.due_date = date.or(invoice.due_date),
    }
    if let Patch::Set(id) = &update.default_payment_method {
        let method = payment_method::get(tx, who, id).await.map_err(|e| e.on("default_payment_method"))?;
        if method.customer.as_ref() != Some(&invoice.customer) {
            return Err(Error::missing("payment_method", id).on("default_payment_method"));
        }
    }
    update.default_payment_method.apply(&mut invoice.default_payment_method);
    match update.default_tax_rates {
        Patch::Keep => {}
        Patch::Clear => invoice.default_tax_rates.0.clear(),
        Patch::Set(ids) => {
            invoice.default_tax_rates = Json(tax_rate::named(tx, who, &ids, "default_tax_rates").await?);
        }
    }
    invoice.bill_to.0.automatic_tax = update.automatic_tax.unwrap_or(invoice.bill_to.automatic_tax);
    check_taxes(&invoice.default_tax_rates, invoice.bill_to.automatic_tax)?;
    update.description.apply(&mut invoice.description);
    update.footer.apply(&mut invoice.footer);
    check_text(invoice.description.as_deref().unwrap_or_default(), 1500, "description")?;
    check_text(invoice.footer.as_deref().unwrap_or_default(), 5000, "footer")?;
    merge_metadata(&mut invoice.metadata.0, update.metadata)
}

/// Computes a draft anew: from its items as they are now, for the customer as it is now.
pub(crate) async fn recompose(tx: &mut Tx, who: &Actor, before: &Invoice) -> Result<Invoice> {
    let after = recompose_quietly(tx, who, before.clone()).await?;
    announce(tx, who, Some(before), &after, "invoice.updated", &["invoice.updated"]).await?;
    Ok(after)
}

async fn recompose_quietly(tx: &mut Tx, who: &Actor, draft: Invoice) -> Result<Invoice> {
    let subscription = match &draft.subscription {
        Some(id) => Some(subscription::get(tx, who, id).await?),
        None => None,
    };
    let bill = Bill {
        customer: &draft.customer,
        subscription: subscription.as_ref(),
        currency: draft.currency.clone(),
        reason: "manual",
        lines: lines(tx, who, &draft).await?,
        pulls: false,
        cycle_start: draft.cycle_start,
        period: (draft.period_start, draft.period_end),
        terms: Terms {
            collection_method: draft.collection_method,
            days_until_due: None,
            default_tax_rates: draft.default_tax_rates.0.clone(),
            automatic_tax: draft.bill_to.automatic_tax,
        },
        now: draft.created,
    };
    let new = compose(tx, who, &bill).await?.invoice;
    let mut after = Invoice {
        subtotal: new.subtotal,
        discount: new.discount,
        tax: new.tax,
        total: new.total,
        amount_due: new.amount_due,
        starting_balance: new.starting_balance,
        bill_to: new.bill_to,
        lines: Vec::new(),
        ..draft.clone()
    };
    run!(tx, "delete from invoice_line where tenant = $1 and invoice = $2", who.tenant.key, &draft.id)?;
    for mut line in new.lines {
        line.id = same(&draft.lines, &line).map_or_else(|| id::new("il", tx.now), |old| old.id.clone());
        line.invoice = draft.id.clone();
        line::insert(tx, who, &line).await?;
        after.lines.push(line);
    }
    save(tx, who, &mut after).await?;
    Ok(after)
}

/// The line that stood for the same thing: it keeps its id.
fn same<'a>(old: &'a [Line], new: &Line) -> Option<&'a Line> {
    let is_same = |line: &&Line| match &new.invoice_item {
        Some(item) => line.invoice_item.as_ref() == Some(item),
        None => line.invoice_item.is_none() && line.subscription_item == new.subscription_item,
    };
    old.iter().find(is_same)
}

/// What a draft is made of: its items as they are, and the lines that its subscription put there.
async fn lines(tx: &mut Tx, who: &Actor, draft: &Invoice) -> Result<Vec<NewLine>> {
    let items = item::on_invoice(tx, who, &draft.id).await?;
    let mut lines: Vec<NewLine> = items.into_iter().map(item::InvoiceItem::line).collect();
    for line in draft.lines.iter().filter(|line| line.invoice_item.is_none()) {
        let tax_rates = match &line.subscription_item {
            Some(id) => match subscription::item(tx, who, id).await {
                Ok(item) => item.tax_rates,
                // One that was removed since has no rates of its own any more.
                Err(Error::Missing { .. }) => Vec::new(),
                Err(other) => return Err(other),
            },
            None => Vec::new(),
        };
        lines.push(NewLine {
            subscription: line.subscription.clone(),
            subscription_item: line.subscription_item.clone(),
            price: line.priced.clone(),
            product_name: line.product_name.clone(),
            proration: line.proration,
            discountable: line.discountable,
            tax_rates,
            details: line.details.clone().map(|details| details.0),
            metadata: line.metadata.0.clone(),
            ..NewLine::new(line.description.clone(), line.quantity, line.amount, (line.period_start, line.period_end))
        });
    }
    Ok(lines)
}

/// Finalises a draft as things are now. One with nothing due is paid at once; the rest is collected by the door.
pub async fn finalize(tx: &mut Tx, who: &Actor, id: &str) -> Result<Invoice> {
    let draft = super::get(tx, who, id).await?;
    if draft.status != Status::Draft {
        let message = "This invoice is already finalized, you can't re-finalize a non-draft invoice.";
        return Err(Error::conflict("invoice_already_finalized", message));
    }
    let mut invoice = recompose_quietly(tx, who, draft).await?;
    invoice.next_payment_attempt = None;
    let mut customer = customer::get(tx, who, &invoice.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    issue::finalize(tx, who, &mut customer, &mut invoice, None, now).await?;
    if invoice.amount_due == 0 {
        mark_paid(tx, who, &mut invoice, 0, now).await?;
        subscription::status::paid(tx, who, &invoice, now).await?;
        credit::settle_owed(tx, who, &invoice, now).await?;
    } else if invoice.auto_advance && invoice.is_to_be_charged() {
        invoice.next_payment_attempt = Some(now);
        save(tx, who, &mut invoice).await?;
    }
    Ok(invoice)
}

/// Deletes a draft that was made by hand. What had waited for it waits again.
pub async fn delete(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    let draft = super::get(tx, who, id).await?;
    if draft.status != Status::Draft || draft.billing_reason != "manual" {
        let message = "You can only delete draft invoices that no subscription made.";
        return Err(Error::conflict("invoice_not_editable", message));
    }
    run!(tx, "update invoice_item set invoice = null where tenant = $1 and invoice = $2", who.tenant.key, id)?;
    run!(tx, "delete from invoice_line where tenant = $1 and invoice = $2", who.tenant.key, id)?;
    run!(tx, "delete from invoice where tenant = $1 and id = $2", who.tenant.key, id)?;
    let change = Change {
        object: "invoice",
        id,
        customer: Some(&draft.customer),
        before: Some(wire::invoice(&who.tenant, &draft)),
        after: None,
        action: "invoice.deleted",
        events: &["invoice.deleted"],
    };
    record(tx, who, change).await
}
