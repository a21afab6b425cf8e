//! What is billed once beside a subscription, with the invoice that its start or its change makes.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::catalog::price::PriceType;
use crate::catalog::{self, PriceData, inline, tax_rate};
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::invoice::NewLine;
use crate::patch::{MetadataPatch, merge_metadata};
use crate::store::Tx;
use crate::subscription::Subscription;
use crate::subscription::items::check_quantity;

/// How many one request adds (Stripe's limit).
const MOST_ADDED: usize = 20;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddedItem {
    /// A one-time price's id; nothing where `price_data` says what it is.
    pub price: String,
    pub price_data: Option<PriceData>,
    pub quantity: Option<i64>,
    /// Ids.
    pub tax_rates: Vec<String>,
    pub metadata: MetadataPatch,
}

/// One line each; errors name `add_invoice_items[n]`.
pub(crate) async fn lines(
    tx: &mut Tx,
    who: &Actor,
    subscription: &Subscription,
    added: &[AddedItem],
    now: Seconds,
) -> Result<Vec<NewLine>> {
    if added.len() > MOST_ADDED {
        return Err(Error::invalid("add_invoice_items", format!("Up to {MOST_ADDED} items can be added at a time.")));
    }
    let mut lines = Vec::new();
    for (n, item) in added.iter().enumerate() {
        let made = line(tx, who, subscription, item, now).await;
        lines.push(made.map_err(|e| e.within(&format!("add_invoice_items[{n}]")))?);
    }
    Ok(lines)
}

async fn line(
    tx: &mut Tx,
    who: &Actor,
    subscription: &Subscription,
    item: &AddedItem,
    now: Seconds,
) -> Result<NewLine> {
    let (price, param) = match &item.price_data {
        Some(data) => (inline::make(tx, who, data).await?, "price_data"),
        None => (catalog::price::get(tx, who, &item.price).await.map_err(|e| e.on("price"))?, "price"),
    };
    let refuse = |message: &str| Err(Error::invalid(param, message));
    if price.r#type != PriceType::OneTime {
        return refuse(
            "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.",
        );
    }
    if !price.active && item.price_data.is_none() {
        return refuse("The price specified is inactive. This field only accepts active prices.");
    }
    if price.currency != subscription.currency {
        return refuse("You cannot combine currencies on a single customer or subscription.");
    }
    check_quantity(item.quantity)?;
    let quantity = item.quantity.unwrap_or(1);
    let amount = price.amount(quantity).map_err(|e| e.on("quantity"))?;
    let product = catalog::product::get(tx, who, &price.product).await?;
    let mut line = NewLine {
        subscription: Some(subscription.id.clone()),
        tax_rates: tax_rate::named(tx, who, &item.tax_rates, "tax_rates").await?,
        price: Some(price),
        product_name: Some(product.name.clone()),
        ..NewLine::new(product.name, quantity, amount, (now, now))
    };
    merge_metadata(&mut line.metadata, item.metadata.clone())?;
    Ok(line)
}
