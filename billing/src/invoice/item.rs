//! Invoice items: what waits for a customer's next invoice, prorations among it.

use serde_json::Value;

use crate::actor::Actor;
use crate::audit;
use crate::catalog::price::{self, TaxBehavior};
use crate::catalog::tax_rate::{self, Named};
use crate::catalog::{Price, product};
use crate::clock::Seconds;
use crate::error::Result;
use crate::id;
use crate::invoice::NewLine;
use crate::money::Currency;
use crate::patch::Metadata;
use crate::store::{Json, Tx, all, run};

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
    #[sqlx(skip)]
    pub priced: Option<Price>,
    #[sqlx(skip)]
    pub product_name: Option<String>,
}

macro_rules! columns {
    () => {
        "id, customer, subscription, subscription_item, invoice, price, description, quantity, amount, currency, period_start, period_end, \
         proration, discountable, tax_rates, tax_behavior, taxes, details, metadata, created"
    };
}

/// How many items one invoice takes up (Stripe's limit).
const MOST_PULLED: i64 = 250;

impl InvoiceItem {
    /// As it stands on an invoice.
    pub fn line(self) -> NewLine {
        NewLine {
            subscription: self.subscription,
            subscription_item: self.subscription_item,
            invoice_item: Some(self.id),
            price: self.priced,
            product_name: self.product_name,
            description: self.description.unwrap_or_default(),
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

/// What waits for the next invoice of a customer, or of one of their subscriptions: its own items, and those of none.
/// Oldest first.
pub async fn waiting(tx: &mut Tx, who: &Actor, customer: &str, subscription: Option<&str>) -> Result<Vec<InvoiceItem>> {
    let mut items: Vec<InvoiceItem> = all!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from invoice_item where tenant = $1 and customer = $2 and invoice is null and deleted_at is null
             and (subscription is null or subscription = $3) and (cast($4 as text) is null or customer = $4) order by id limit $5"
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
    tax_rate::load(tx, who, &mut item.tax_rates).await?;
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
    let id = id::new("ii", tx.now);
    run!(
        tx,
        concat!(
            "insert into invoice_item (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, null, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
        ),
        who.tenant.key,
        &id,
        customer,
        &line.subscription,
        &line.subscription_item,
        line.price.as_ref().map(|price| price.id.clone()),
        &line.description,
        line.quantity,
        line.amount,
        currency,
        line.period_start,
        line.period_end,
        line.proration,
        line.discountable,
        Json(&line.tax_rates),
        line.tax_behavior,
        line.taxes.map(Json),
        line.details.map(Json),
        Json(&line.metadata),
        now
    )?;
    audit::note(tx, who, "invoiceitem.created", "invoiceitem", &id, Some(customer)).await?;
    Ok(id)
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
