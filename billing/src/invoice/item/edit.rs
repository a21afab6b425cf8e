//! Invoice items by hand: made, changed and deleted as long as no finalised invoice has them.

use super::{InvoiceItem, announce, get, insert, load};
use crate::actor::Actor;
use crate::catalog::cost::Cost;
use crate::catalog::price::{self, PriceType, TaxBehavior};
use crate::catalog::tax_rate;
use crate::clock::Seconds;
use crate::customer::{self, Customer};
use crate::decimal::Decimal;
use crate::discount::redeem::{self, Redemption};
use crate::discount::{Holder, Wanted};
use crate::error::{Error, Result};
use crate::invoice::{self, Invoice, Status, draft};
use crate::money::{Currency, bounded};
use crate::patch::{MetadataPatch, Patch, check_text, merge_metadata};
use crate::store::{Json, Tx, run};
use crate::{directory, id, subscription};

/// How much an item is.
#[derive(Debug, Clone)]
pub enum Worth {
    /// In all, whatever the quantity; below zero it is a credit.
    Amount(i64),
    /// For each unit, in minor units.
    Unit(Decimal),
    /// By a one-time price.
    Price(String),
}

#[derive(Debug, Clone)]
pub struct NewInvoiceItem {
    pub customer: String,
    pub subscription: Option<String>,
    /// A draft to stand on; without one it waits for the next invoice.
    pub invoice: Option<String>,
    /// The price's, else the customer's, else the merchant's.
    pub currency: Option<Currency>,
    pub fields: InvoiceItemUpdate,
}

/// What may be said of an item, new or old.
#[derive(Debug, Clone, Default)]
pub struct InvoiceItemUpdate {
    pub worth: Option<Worth>,
    pub quantity: Option<i64>,
    pub description: Patch<String>,
    pub discountable: Option<bool>,
    pub period: Option<(Seconds, Seconds)>,
    pub tax_rates: Patch<Vec<String>>,
    pub tax_behavior: Option<TaxBehavior>,
    /// In place of those it has.
    pub discounts: Patch<Vec<Wanted>>,
    pub metadata: MetadataPatch,
}

/// As many as an invoice has room for (Stripe's limit).
const MOST_ON_INVOICE: usize = 250;

pub async fn create(tx: &mut Tx, who: &Actor, new: NewInvoiceItem) -> Result<InvoiceItem> {
    let customer = customer::get(tx, who, &new.customer).await.map_err(|e| e.on("customer"))?;
    let now = customer::now(tx, who, &customer).await?;
    let invoice = match &new.invoice {
        Some(id) => Some(draft_of(tx, who, id, &customer).await?),
        None => None,
    };
    let subscription = match (&new.subscription, &invoice) {
        (Some(id), _) => Some(subscription_of(tx, who, id, &customer).await?),
        (None, Some(invoice)) => invoice.subscription.clone(),
        (None, None) => None,
    };
    if new.fields.worth.is_none() {
        let message = "One of amount, unit_amount_decimal and pricing[price] is needed.";
        return Err(Error::Invalid { param: "amount".into(), code: "parameter_missing", message: message.into() });
    }
    let fallback = match (&new.currency, &invoice, &customer.currency) {
        (Some(currency), ..) | (None, None, Some(currency)) => currency.clone(),
        (None, Some(invoice), _) => invoice.currency.clone(),
        (None, None, None) => directory::account(tx, who).await?.default_currency,
    };
    let mut item = InvoiceItem::new(id::new("ii", tx.now), &customer.id, fallback, now);
    (item.subscription, item.invoice) = (subscription, invoice.as_ref().map(|invoice| invoice.id.clone()));
    let discounts = new.fields.discounts.clone();
    apply(tx, who, &mut item, new.fields).await?;
    let wanted = new.currency.as_ref().or(invoice.as_ref().map(|invoice| &invoice.currency));
    if let Some(wanted) = wanted.filter(|wanted| **wanted != item.currency) {
        let message = format!("The item is in {}, not in {wanted}.", item.currency);
        return Err(Error::invalid("currency", message));
    }
    insert(tx, who, &item).await?;
    redeem(tx, who, &item, &discounts, now).await?;
    load(tx, who, &mut item).await?;
    announce(tx, who, None, Some(&item), "invoiceitem.created", &["invoiceitem.created"]).await?;
    if let Some(invoice) = &invoice {
        draft::recompose(tx, who, invoice).await?;
    }
    Ok(item)
}

/// A draft of this customer with room for one more.
async fn draft_of(tx: &mut Tx, who: &Actor, id: &str, customer: &Customer) -> Result<Invoice> {
    let invoice = invoice::get(tx, who, id).await.map_err(|e| e.on("invoice"))?;
    if invoice.customer != customer.id {
        return Err(Error::invalid("invoice", "The invoice is another customer's."));
    }
    if invoice.status != Status::Draft {
        return Err(Error::invalid("invoice", "Items can be added to draft invoices only."));
    }
    if invoice.lines.len() >= MOST_ON_INVOICE {
        return Err(Error::invalid("invoice", format!("An invoice has up to {MOST_ON_INVOICE} items.")));
    }
    Ok(invoice)
}

async fn subscription_of(tx: &mut Tx, who: &Actor, id: &str, customer: &Customer) -> Result<String> {
    let found = subscription::get(tx, who, id).await.map_err(|e| e.on("subscription"))?;
    if found.customer != customer.id {
        return Err(Error::invalid("subscription", "The subscription is another customer's."));
    }
    if found.status.is_ended() {
        return Err(Error::invalid("subscription", "The subscription has ended."));
    }
    Ok(found.id)
}

/// Changes an item that waits or stands on a draft.
pub async fn update(tx: &mut Tx, who: &Actor, id: &str, update: InvoiceItemUpdate) -> Result<InvoiceItem> {
    let before = get(tx, who, id).await?;
    let invoice = open_for_changes(tx, who, &before).await?;
    if before.proration && (update.worth.is_some() || update.quantity.is_some() || update.period.is_some()) {
        let message = "What a proration is about cannot be changed; it can be deleted.";
        return Err(Error::conflict("invoiceitem_proration", message));
    }
    let mut item = before.clone();
    let (currency, discounts) = (item.currency.clone(), update.discounts.clone());
    apply(tx, who, &mut item, update).await?;
    if item.currency != currency {
        return Err(Error::invalid("pricing[price]", format!("The price is in {}, not in {currency}.", item.currency)));
    }
    let customer = customer::get(tx, who, &item.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    redeem(tx, who, &item, &discounts, now).await?;
    load(tx, who, &mut item).await?;
    if item == before {
        return Ok(item);
    }
    run!(
        tx,
        "update invoice_item set price = $3, description = $4, quantity = $5, unit_amount = $6, amount = $7, period_start = $8,
         period_end = $9, discountable = $10, tax_rates = $11, tax_behavior = $12, metadata = $13 where tenant = $1 and id = $2",
        who.tenant.key,
        &item.id,
        &item.price,
        &item.description,
        item.quantity,
        item.unit_amount,
        item.amount,
        item.period_start,
        item.period_end,
        item.discountable,
        &item.tax_rates,
        item.tax_behavior,
        &item.metadata
    )?;
    announce(tx, who, Some(&before), Some(&item), "invoiceitem.updated", &[]).await?;
    if let Some(invoice) = &invoice {
        draft::recompose(tx, who, invoice).await?;
    }
    Ok(item)
}

/// Takes an item back that waits or stands on a draft.
pub async fn delete(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    let item = get(tx, who, id).await?;
    let invoice = open_for_changes(tx, who, &item).await?;
    redeem(tx, who, &item, &Patch::Clear, tx.now.seconds()).await?;
    run!(
        tx,
        "update invoice_item set deleted_at = $3, invoice = null where tenant = $1 and id = $2",
        who.tenant.key,
        id,
        tx.now.seconds()
    )?;
    announce(tx, who, Some(&item), None, "invoiceitem.deleted", &["invoiceitem.deleted"]).await?;
    if let Some(invoice) = &invoice {
        draft::recompose(tx, who, invoice).await?;
    }
    Ok(())
}

/// Puts discounts on it alone.
async fn redeem(tx: &mut Tx, who: &Actor, item: &InvoiceItem, wanted: &Patch<Vec<Wanted>>, now: Seconds) -> Result<()> {
    let redemption = Redemption {
        customer: &item.customer,
        holder: Holder::InvoiceItem(&item.id),
        currency: Some(&item.currency),
        amount: Some(item.amount),
        now,
        param: "discounts",
        replaces: None,
    };
    redeem::set(tx, who, redemption, wanted).await.map(|_| ())
}

/// Takes an item off its draft: it waits again.
pub async fn unassign(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    let before = get(tx, who, id).await?;
    let Some(draft) = open_for_changes(tx, who, &before).await? else { return Ok(()) };
    run!(tx, "update invoice_item set invoice = null where tenant = $1 and id = $2", who.tenant.key, id)?;
    let after = InvoiceItem { invoice: None, ..before.clone() };
    announce(tx, who, Some(&before), Some(&after), "invoiceitem.updated", &[]).await?;
    draft::recompose(tx, who, &draft).await.map(|_| ())
}

/// Puts an item that waits on a draft of its customer's.
pub async fn assign(tx: &mut Tx, who: &Actor, id: &str, draft: &Invoice) -> Result<()> {
    let before = get(tx, who, id).await?;
    let refuse = |message: &str| Err(Error::invalid("invoice_item", message));
    if before.customer != draft.customer {
        return Err(Error::missing("invoiceitem", id).on("invoice_item"));
    }
    if before.invoice.is_some() {
        return refuse("The item stands on an invoice already.");
    }
    if before.currency != draft.currency {
        return refuse("The item is in another currency than the invoice.");
    }
    if draft.lines.len() >= MOST_ON_INVOICE {
        return refuse("The invoice has as many items as it can have.");
    }
    super::pull(tx, who, &[id.to_owned()], &draft.id).await?;
    let after = InvoiceItem { invoice: Some(draft.id.clone()), ..before.clone() };
    announce(tx, who, Some(&before), Some(&after), "invoiceitem.updated", &[]).await?;
    draft::recompose(tx, who, draft).await.map(|_| ())
}

/// The draft that an item stands on, if any; what a finalised invoice says stands.
async fn open_for_changes(tx: &mut Tx, who: &Actor, item: &InvoiceItem) -> Result<Option<Invoice>> {
    let Some(id) = &item.invoice else { return Ok(None) };
    let invoice = invoice::get(tx, who, id).await?;
    if invoice.status != Status::Draft {
        let message = "The item is on an invoice that has been finalized, and cannot be changed any more.";
        return Err(Error::conflict("invoice_not_editable", message));
    }
    Ok(Some(invoice))
}

async fn apply(tx: &mut Tx, who: &Actor, item: &mut InvoiceItem, update: InvoiceItemUpdate) -> Result<()> {
    if let Some(quantity) = update.quantity {
        if !(0..=999_999).contains(&quantity) {
            return Err(Error::invalid("quantity", "Invalid quantity: from 0 to 999999."));
        }
        if matches!(update.worth, Some(Worth::Amount(_))) {
            return Err(Error::invalid("quantity", "You may only specify one of these parameters: amount, quantity."));
        }
        if item.price.is_none() && item.unit_amount.is_none() && update.worth.is_none() {
            return Err(Error::invalid("quantity", "The item is an amount in all; it has no quantity."));
        }
        item.quantity = quantity;
    }
    if let Some((start, end)) = update.period {
        if start > end {
            return Err(Error::invalid("period[end]", "A period ends after it starts."));
        }
        (item.period_start, item.period_end) = (start, end);
    }
    value(tx, who, item, update.worth).await?;
    update.description.apply(&mut item.description);
    check_text(item.description.as_deref().unwrap_or_default(), 500, "description")?;
    item.discountable = update.discountable.unwrap_or(item.discountable);
    match update.tax_rates {
        Patch::Keep => {}
        Patch::Clear => item.tax_rates.0.clear(),
        Patch::Set(ids) => item.tax_rates = Json(tax_rate::named(tx, who, &ids, "tax_rates").await?),
    }
    item.tax_behavior = update.tax_behavior.or(item.tax_behavior);
    merge_metadata(&mut item.metadata.0, update.metadata)
}

/// What the item is worth by what is said now, or was before.
async fn value(tx: &mut Tx, who: &Actor, item: &mut InvoiceItem, worth: Option<Worth>) -> Result<()> {
    match worth {
        None => {}
        Some(Worth::Amount(amount)) => {
            (item.price, item.unit_amount, item.quantity) = (None, None, 1);
            item.amount = bounded(amount.into(), "amount")?;
            // A credit gives no discount back.
            item.discountable = item.discountable && amount >= 0;
        }
        Some(Worth::Unit(unit)) => (item.price, item.unit_amount) = (None, Some(unit)),
        Some(Worth::Price(id)) => {
            let price = price::get(tx, who, &id).await.map_err(|e| e.on("pricing[price]"))?;
            if price.r#type != PriceType::OneTime {
                let message = "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.";
                return Err(Error::invalid("pricing[price]", message));
            }
            if !price.active {
                return Err(Error::invalid("pricing[price]", "The price specified is inactive."));
            }
            item.currency = price.currency.clone();
            (item.price, item.unit_amount) = (Some(price.id), None);
        }
    }
    if let Some(id) = &item.price {
        item.amount = price::get(tx, who, id).await?.amount(item.quantity).map_err(|e| e.on("quantity"))?;
    } else if let Some(unit) = item.unit_amount {
        item.amount = Cost::PerUnit { unit, transform: None }.of(item.quantity)?;
    }
    Ok(())
}
