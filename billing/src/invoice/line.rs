//! Invoice lines: one amount each, for one period.

use serde_json::Value;

use crate::actor::Actor;
use crate::catalog::price::TaxBehavior;
use crate::catalog::tax_rate::Named;
use crate::catalog::{self, Price};
use crate::clock::Seconds;
use crate::error::Result;
use crate::invoice::Taken;
use crate::money::Currency;
use crate::page::{Listed, Page, no_such_cursor};
use crate::patch::Metadata;
use crate::store::{Json, Tx, all, maybe, run};

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Line {
    pub id: String,
    pub invoice: String,
    pub position: i64,
    pub subscription: Option<String>,
    pub subscription_item: Option<String>,
    pub invoice_item: Option<String>,
    pub price: Option<String>,
    pub product_name: Option<String>,
    pub description: String,
    pub quantity: i64,
    /// Before discounts and exclusive tax.
    pub amount: i64,
    pub discount: i64,
    pub discount_amounts: Json<Vec<Taken>>,
    pub tax: i64,
    pub taxes: Json<Value>,
    pub currency: Currency,
    pub period_start: Seconds,
    pub period_end: Seconds,
    pub proration: bool,
    pub discountable: bool,
    pub details: Option<Json<Value>>,
    pub metadata: Json<Metadata>,
    /// The price itself, for showing it.
    #[sqlx(skip)]
    pub priced: Option<Price>,
}

/// A line before it stands on an invoice.
#[derive(Debug, Clone)]
pub struct NewLine {
    pub subscription: Option<String>,
    pub subscription_item: Option<String>,
    /// The item that waited for the invoice.
    pub invoice_item: Option<String>,
    pub price: Option<Price>,
    pub product_name: Option<String>,
    pub description: String,
    pub quantity: i64,
    /// Before discounts and exclusive tax. A proration has its discount in it already, and is not discountable.
    pub amount: i64,
    pub period_start: Seconds,
    pub period_end: Seconds,
    pub proration: bool,
    pub discountable: bool,
    /// Apply instead of the invoice's default rates.
    pub tax_rates: Vec<Named>,
    /// Instead of the price's.
    pub tax_behavior: Option<TaxBehavior>,
    /// A credit is taxed as the debit was that it gives back: that line's `taxes`.
    pub taxes: Option<Value>,
    /// For a proration: what it stands for.
    pub details: Option<Value>,
    pub metadata: Metadata,
}

impl NewLine {
    /// A plain one: of no subscription and no price, discountable, taxed by the invoice's default rates.
    pub fn new(description: String, quantity: i64, amount: i64, (start, end): (Seconds, Seconds)) -> Self {
        Self {
            subscription: None,
            subscription_item: None,
            invoice_item: None,
            price: None,
            product_name: None,
            description,
            quantity,
            amount,
            period_start: start,
            period_end: end,
            proration: false,
            discountable: true,
            tax_rates: Vec::new(),
            tax_behavior: None,
            taxes: None,
            details: None,
            metadata: Metadata::new(),
        }
    }
}

macro_rules! columns {
    () => {
        "id, invoice, position, subscription, subscription_item, invoice_item, price, product_name, description, quantity, amount, \
         discount, discount_amounts, tax, taxes, currency, period_start, period_end, proration, discountable, details, metadata"
    };
}

/// Lines are their invoice's customer's: the parameter is the caller, where that is a customer.
macro_rules! own {
    ($who:literal) => {
        concat!(
            "(cast(",
            $who,
            " as text) is null or exists (select 1 from invoice i where i.tenant = invoice_line.tenant and i.id = invoice_line.invoice \
             and i.customer = ",
            $who,
            "))"
        )
    };
}

/// How many lines an invoice is read with: as many as it may have (Stripe's limit), with those of its subscription.
pub const MOST_READ: i64 = 270;

/// The first `limit` lines in the order they stand on the invoice.
pub async fn first(tx: &mut Tx, who: &Actor, invoice: &str, limit: i64) -> Result<Listed<Line>> {
    after(tx, who, invoice, -1, limit).await
}

/// Up to `limit` lines after a position.
pub async fn after(tx: &mut Tx, who: &Actor, invoice: &str, position: i64, limit: i64) -> Result<Listed<Line>> {
    let mut rows: Vec<Line> = all!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from invoice_line where tenant = $1 and invoice = $2 and position > $3 and ",
            own!("$5"),
            " order by position limit $4"
        ),
        who.tenant.key,
        invoice,
        position,
        limit + 1,
        who.customer()
    )?;
    let has_more = rows.len() > usize::try_from(limit).unwrap_or_default();
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    load_prices(tx, who, invoice, &mut rows).await?;
    Ok(Listed { data: rows, has_more })
}

async fn load_prices(tx: &mut Tx, who: &Actor, invoice: &str, lines: &mut [Line]) -> Result<()> {
    let prices = catalog::price::of_invoice(tx, who, invoice).await?;
    for line in lines {
        line.priced = prices.iter().find(|price| line.price.as_ref() == Some(&price.id)).cloned();
    }
    Ok(())
}

/// One page of an invoice's lines, in the order they stand on it.
pub async fn list(tx: &mut Tx, who: &Actor, invoice: &str, page: &Page) -> Result<Listed<Line>> {
    let cursor = match page.cursor() {
        None => -1,
        Some((id, param)) => {
            let found: Option<(i64,)> = maybe!(
                tx,
                concat!(
                    "select position from invoice_line where tenant = $1 and invoice = $2 and id = $3 and ",
                    own!("$4")
                ),
                who.tenant.key,
                invoice,
                id,
                who.customer()
            )?;
            found.ok_or_else(|| no_such_cursor("line_item", id, param))?.0
        }
    };
    if !page.is_backward() {
        return after(tx, who, invoice, cursor, page.limit).await;
    }
    let rows: Vec<Line> = all!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from invoice_line where tenant = $1 and invoice = $2 and position < $3 and ",
            own!("$5"),
            " order by position desc limit $4"
        ),
        who.tenant.key,
        invoice,
        cursor,
        page.limit + 1,
        who.customer()
    )?;
    let mut lines = page.cut(rows);
    load_prices(tx, who, invoice, &mut lines.data).await?;
    Ok(lines)
}

pub(crate) async fn insert(tx: &mut Tx, who: &Actor, line: &Line) -> Result<()> {
    run!(
        tx,
        concat!(
            "insert into invoice_line (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)"
        ),
        who.tenant.key,
        &line.id,
        &line.invoice,
        line.position,
        &line.subscription,
        &line.subscription_item,
        &line.invoice_item,
        &line.price,
        &line.product_name,
        &line.description,
        line.quantity,
        line.amount,
        line.discount,
        &line.discount_amounts,
        line.tax,
        &line.taxes,
        &line.currency,
        line.period_start,
        line.period_end,
        line.proration,
        line.discountable,
        &line.details,
        &line.metadata
    )?;
    Ok(())
}
