//! Invoice items: what waits for a customer's next invoice, prorations among it.

pub mod edit;

use serde_json::Value;

use crate::actor::Actor;
use crate::catalog::price::{self, TaxBehavior};
use crate::catalog::tax_rate::{self, Named};
use crate::catalog::{Price, product};
use crate::clock::Seconds;
use crate::decimal::Decimal;
use crate::discount::{self, Discount, Holder};
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::invoice::NewLine;
use crate::money::Currency;
use crate::page::{Listed, Page, page};
use crate::patch::Metadata;
use crate::store::{Json, Tx, all, maybe, run};
use crate::{customer, id, wire};

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct InvoiceItem {
    pub id: String,
    pub customer: String,
    pub subscription: Option<String>,
    pub subscription_item: Option<String>,
    /// `None` while it waits.
    pub invoice: Option<String>,
    pub price: Option<String>,
    pub description: Option<String>,
    pub quantity: i64,
    /// Of one that has no price of its own, in minor units.
    pub unit_amount: Option<Decimal>,
    /// Before discounts and exclusive tax; below zero it is a credit.
    pub amount: i64,
    pub currency: Currency,
    pub period_start: Seconds,
    pub period_end: Seconds,
    pub proration: bool,
    pub discountable: bool,
    pub tax_rates: Json<Vec<Named>>,
    pub tax_behavior: Option<TaxBehavior>,
    /// The taxes of the debit that it gives back.
    pub taxes: Option<Json<Value>>,
    pub details: Option<Json<Value>>,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    /// The test clock that its customer's billing runs on, if any.
    #[sqlx(skip)]
    pub clock_id: Option<String>,
    #[sqlx(skip)]
    pub priced: Option<Price>,
    #[sqlx(skip)]
    pub product_name: Option<String>,
    /// Off this item alone, before those of the invoice.
    #[sqlx(skip)]
    pub discounts: Vec<Discount>,
}

macro_rules! columns {
    () => {
        "id, customer, subscription, subscription_item, invoice, price, description, quantity, unit_amount, amount, currency, period_start, period_end, \
         proration, discountable, tax_rates, tax_behavior, taxes, details, metadata, created"
    };
}

/// How many items one invoice takes up (Stripe's limit).
const MOST_PULLED: i64 = 250;

impl InvoiceItem {
    /// One over nothing, at an instant.
    fn new(id: String, customer: &str, currency: Currency, now: Seconds) -> Self {
        Self {
            id,
            customer: customer.to_owned(),
            subscription: None,
            subscription_item: None,
            invoice: None,
            price: None,
            description: None,
            quantity: 1,
            unit_amount: None,
            amount: 0,
            currency,
            period_start: now,
            period_end: now,
            proration: false,
            discountable: true,
            tax_rates: Json::default(),
            tax_behavior: None,
            taxes: None,
            details: None,
            metadata: Json::default(),
            created: now,
            clock_id: None,
            priced: None,
            product_name: None,
            discounts: Vec::new(),
        }
    }

    /// As it stands on an invoice.
    pub fn line(self) -> NewLine {
        NewLine {
            subscription: self.subscription,
            subscription_item: self.subscription_item,
            invoice_item: Some(self.id),
            price: self.priced,
            product_name: self.product_name.clone(),
            description: self.description.or(self.product_name).unwrap_or_default(),
            quantity: self.quantity,
            amount: self.amount,
            period_start: self.period_start,
            period_end: self.period_end,
            proration: self.proration,
            discountable: self.discountable,
            tax_rates: self.tax_rates.0,
            tax_behavior: self.tax_behavior,
            taxes: self.taxes.map(|taxes| taxes.0),
            details: self.details.map(|details| details.0),
            metadata: self.metadata.0,
        }
    }
}

/// An item that is not deleted.
pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<InvoiceItem> {
    let found: Option<InvoiceItem> = maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from invoice_item where tenant = $1 and id = $2 and deleted_at is null and (cast($3 as text) is null or customer = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?;
    let mut item = found.ok_or_else(|| Error::missing("invoiceitem", id))?;
    load(tx, who, &mut item).await?;
    Ok(item)
}

#[derive(Debug, Clone, Default)]
pub struct InvoiceItemFilter {
    pub customer: Option<String>,
    pub invoice: Option<String>,
    /// Those that wait for an invoice, or those that do not.
    pub pending: Option<bool>,
}

/// Newest first.
pub async fn list(tx: &mut Tx, who: &Actor, page: &Page, filter: &InvoiceItemFilter) -> Result<Listed<InvoiceItem>> {
    let listed: Result<Listed<InvoiceItem>> = page!(
        tx,
        who,
        page,
        "invoice_item" if "customer = $3",
        columns!(),
        "deleted_at is null and (cast($7 as text) is null or customer = $7) and (cast($8 as text) is null or invoice = $8)
         and (cast($9 as boolean) is null or (invoice is null) = $9)",
        who.customer().or(filter.customer.as_deref()),
        filter.invoice,
        filter.pending
    );
    let mut listed = listed?;
    for item in &mut listed.data {
        load(tx, who, item).await?;
    }
    Ok(listed)
}

/// The items of an invoice, oldest first.
pub(crate) async fn on_invoice(tx: &mut Tx, who: &Actor, invoice: &str) -> Result<Vec<InvoiceItem>> {
    let mut items: Vec<InvoiceItem> = all!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from invoice_item where tenant = $1 and invoice = $2 and deleted_at is null order by id"
        ),
        who.tenant.key,
        invoice
    )?;
    for item in &mut items {
        load(tx, who, item).await?;
    }
    Ok(items)
}

/// What waits for the next invoice of a customer, or of one of their subscriptions: its own items, those of none, and
/// those of subscriptions that have ended and make no more invoices. Oldest first.
pub async fn waiting(tx: &mut Tx, who: &Actor, customer: &str, subscription: Option<&str>) -> Result<Vec<InvoiceItem>> {
    let mut items: Vec<InvoiceItem> = all!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from invoice_item where tenant = $1 and customer = $2 and invoice is null and deleted_at is null
             and (subscription is null or subscription = $3 or exists (
                 select 1 from subscription s where s.tenant = $1 and s.id = invoice_item.subscription and s.status = 'canceled'))
             and (cast($4 as text) is null or customer = $4) order by id limit $5"
        ),
        who.tenant.key,
        customer,
        subscription,
        who.customer(),
        MOST_PULLED
    )?;
    for item in &mut items {
        load(tx, who, item).await?;
    }
    Ok(items)
}

async fn load(tx: &mut Tx, who: &Actor, item: &mut InvoiceItem) -> Result<()> {
    item.discounts = discount::record::on(tx, who, &item.customer, Holder::InvoiceItem(&item.id)).await?;
    tax_rate::load(tx, who, &mut item.tax_rates).await?;
    item.clock_id = customer::get_or_deleted(tx, who, &item.customer).await?.clock_id;
    if let Some(id) = &item.price {
        let price = price::get(tx, who, id).await?;
        item.product_name = Some(product::get(tx, who, &price.product).await?.name);
        item.priced = Some(price);
    }
    Ok(())
}

/// Lets a line wait for the customer's next invoice, or for that of the line's subscription.
pub async fn wait(
    tx: &mut Tx,
    who: &Actor,
    customer: &str,
    currency: &Currency,
    line: NewLine,
    now: Seconds,
) -> Result<String> {
    let item = InvoiceItem {
        subscription: line.subscription,
        subscription_item: line.subscription_item,
        price: line.price.as_ref().map(|price| price.id.clone()),
        description: Some(line.description),
        quantity: line.quantity,
        amount: line.amount,
        period_start: line.period_start,
        period_end: line.period_end,
        proration: line.proration,
        discountable: line.discountable,
        tax_rates: Json(line.tax_rates),
        tax_behavior: line.tax_behavior,
        taxes: line.taxes.map(Json),
        details: line.details.map(Json),
        metadata: Json(line.metadata),
        priced: line.price,
        product_name: line.product_name,
        ..InvoiceItem::new(id::new("ii", tx.now), customer, currency.clone(), now)
    };
    insert(tx, who, &item).await?;
    announce(tx, who, None, Some(&item), "invoiceitem.created", &["invoiceitem.created"]).await?;
    Ok(item.id)
}

async fn insert(tx: &mut Tx, who: &Actor, i: &InvoiceItem) -> Result<()> {
    run!(
        tx,
        concat!(
            "insert into invoice_item (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)"
        ),
        who.tenant.key,
        &i.id,
        &i.customer,
        &i.subscription,
        &i.subscription_item,
        &i.invoice,
        &i.price,
        &i.description,
        i.quantity,
        i.unit_amount,
        i.amount,
        &i.currency,
        i.period_start,
        i.period_end,
        i.proration,
        i.discountable,
        &i.tax_rates,
        i.tax_behavior,
        &i.taxes,
        &i.details,
        &i.metadata,
        i.created
    )?;
    Ok(())
}

async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&InvoiceItem>,
    after: Option<&InvoiceItem>,
    action: &'static str,
    events: &[&'static str],
) -> Result<()> {
    let Some(item) = after.or(before) else { return Ok(()) };
    let render = |item: &InvoiceItem| wire::invoice_item(&who.tenant, item);
    let change = Change {
        object: "invoiceitem",
        id: &item.id,
        customer: Some(&item.customer),
        before: before.map(render),
        after: after.map(render),
        action,
        events,
    };
    record(tx, who, change).await
}

/// Puts waiting items on an invoice.
pub(crate) async fn pull(tx: &mut Tx, who: &Actor, items: &[String], invoice: &str) -> Result<()> {
    for item in items {
        run!(
            tx,
            "update invoice_item set invoice = $3 where tenant = $1 and id = $2 and invoice is null",
            who.tenant.key,
            item,
            invoice
        )?;
    }
    Ok(())
}
