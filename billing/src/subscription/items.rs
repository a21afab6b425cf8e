//! The items of a subscription: which prices may stand together, and what a change makes of them.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::catalog::price::PriceType;
use crate::catalog::tax_rate::{self, Named};
use crate::catalog::{self, Price, PriceData, inline};
use crate::clock::Seconds;
use crate::discount::Wanted;
use crate::error::{Error, Result};
use crate::id;
use crate::money::Currency;
use crate::patch::{Metadata, MetadataPatch, Patch, merge_metadata};
use crate::period::Recurring;
use crate::store::{Json, Tx, run};
use crate::subscription::Item;

const MOST_ITEMS: usize = 20;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewItem {
    /// Its id; nothing where `price_data` says what it is.
    pub price: String,
    pub price_data: Option<PriceData>,
    pub quantity: Option<i64>,
    /// Ids of rates that apply instead of the subscription's.
    pub tax_rates: Vec<String>,
    pub discounts: Vec<Wanted>,
    pub metadata: MetadataPatch,
}

/// What becomes of one item; without an id it is a new one. Items that are not mentioned stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ItemChange {
    pub id: Option<String>,
    pub price: Option<String>,
    /// Instead of a price there is.
    pub price_data: Option<PriceData>,
    pub quantity: Option<i64>,
    pub deleted: bool,
    /// Ids.
    pub tax_rates: Patch<Vec<String>>,
    /// In place of those it has.
    pub discounts: Patch<Vec<Wanted>>,
    pub metadata: MetadataPatch,
}

/// The items as a change leaves them.
#[derive(Debug, Clone)]
pub(crate) struct Items {
    pub kept: Vec<Item>,
    pub removed: Vec<Item>,
    /// The item that each change was about, by its id.
    pub about: Vec<String>,
}

impl From<NewItem> for ItemChange {
    fn from(new: NewItem) -> Self {
        Self {
            id: None,
            price: new.price_data.is_none().then_some(new.price),
            price_data: new.price_data,
            quantity: new.quantity,
            deleted: false,
            tax_rates: Patch::Set(new.tax_rates),
            discounts: Patch::Set(new.discounts),
            metadata: new.metadata,
        }
    }
}

/// Applies the changes, in their order, to the items of a subscription; one that is being made has none yet.
pub(crate) async fn change(
    tx: &mut Tx,
    who: &Actor,
    (subscription, items): (&str, &[Item]),
    currency: Option<&Currency>,
    changes: &[ItemChange],
    now: Seconds,
) -> Result<Items> {
    if changes.len() > MOST_ITEMS {
        return Err(too_many());
    }
    let mut items = Items { kept: items.to_vec(), removed: Vec::new(), about: Vec::new() };
    let mut named: Vec<&str> = Vec::new();
    for (n, change) in changes.iter().enumerate() {
        let param = |name: &str| format!("items[{n}][{name}]");
        match &change.id {
            Some(id) if named.contains(&id.as_str()) => {
                return Err(Error::invalid(param("id"), "An item can be changed once in a request."));
            }
            Some(id) => named.push(id),
            None if change.deleted => return Err(Error::invalid(param("deleted"), "A new item cannot be deleted.")),
            None => {}
        }
        let about = apply(tx, who, subscription, currency, &mut items, change, now).await.map_err(|e| place(e, n))?;
        items.about.push(about);
    }
    check(&items.kept)?;
    Ok(items)
}

/// Names the item in an error about its fields.
fn place(error: Error, n: usize) -> Error {
    error.within(&format!("items[{n}]"))
}

async fn apply(
    tx: &mut Tx,
    who: &Actor,
    subscription: &str,
    currency: Option<&Currency>,
    items: &mut Items,
    change: &ItemChange,
    now: Seconds,
) -> Result<String> {
    let known = match &change.id {
        None => None,
        Some(id) => {
            let at = items.kept.iter().position(|item| item.id == *id);
            Some(at.ok_or_else(|| Error::missing("subscription_item", id))?)
        }
    };
    if let (Some(at), true) = (known, change.deleted) {
        let removed = items.kept.remove(at);
        let id = removed.id.clone();
        items.removed.push(removed);
        return Ok(id);
    }
    // The first price of a customer's first subscription decides the currency.
    let currency = currency.or(items.kept.first().map(|item| &item.price.currency));
    let priced = match (&change.price, &change.price_data) {
        (Some(price), _) => Some(read_price(tx, who, currency, price, known.map(|at| &items.kept[at])).await?),
        (None, Some(data)) => Some(said(tx, who, currency, data).await?),
        (None, None) => None,
    };
    check_quantity(change.quantity)?;
    let mut item = match (known, priced) {
        (Some(at), None) => items.kept[at].clone(),
        (Some(at), Some((price, product_name))) => Item { price, product_name, ..items.kept[at].clone() },
        (None, Some((price, product_name))) => {
            let next = items.kept.iter().chain(&items.removed).map(|item| item.position + 1).max().unwrap_or_default();
            blank(tx, subscription, (price, product_name), next, now)
        }
        (None, None) => {
            let message = "Missing required param: price.".into();
            return Err(Error::Invalid { param: "price".into(), code: "parameter_missing", message });
        }
    };
    item.quantity = change.quantity.unwrap_or(item.quantity);
    item.price.amount(item.quantity).map_err(|e| e.on("quantity"))?;
    match &change.tax_rates {
        Patch::Keep => {}
        Patch::Clear => item.tax_rates.clear(),
        Patch::Set(ids) => item.tax_rates = tax_rate::named(tx, who, ids, "tax_rates").await?,
    }
    merge_metadata(&mut item.metadata, change.metadata.clone())?;
    let is_other = |(n, other): (usize, &Item)| Some(n) != known && other.price.id == item.price.id;
    if items.kept.iter().enumerate().any(is_other) {
        let message = "A price can stand on a subscription once: change its quantity instead.";
        return Err(Error::invalid("price", message));
    }
    let id = item.id.clone();
    match known {
        Some(at) => items.kept[at] = item,
        None => items.kept.push(item),
    }
    Ok(id)
}

/// One unit; its period is its subscription's, once that is saved.
fn blank(tx: &Tx, subscription: &str, (price, product_name): (Price, String), position: i64, now: Seconds) -> Item {
    Item {
        id: id::new("si", tx.now),
        subscription: subscription.into(),
        position,
        price,
        product_name,
        quantity: 1,
        current_period_start: now,
        current_period_end: now,
        tax_rates: Vec::<Named>::new(),
        discounts: Vec::new(),
        metadata: Metadata::new(),
        created: now,
    }
}

/// A price that may be subscribed to, with the name of its product. One that stands on the item already may stay.
async fn read_price(
    tx: &mut Tx,
    who: &Actor,
    currency: Option<&Currency>,
    id: &str,
    on: Option<&Item>,
) -> Result<(Price, String)> {
    let price = catalog::price::get(tx, who, id).await.map_err(|e| e.on("price"))?;
    if !price.active && on.is_none_or(|item| item.price.id != price.id) {
        let message = "The price specified is inactive. This field only accepts active prices";
        return Err(Error::invalid("price", format!("{message}: {}", price.id)));
    }
    with_product(tx, who, currency, price).await
}

/// A price that is said here and now.
async fn said(tx: &mut Tx, who: &Actor, currency: Option<&Currency>, data: &PriceData) -> Result<(Price, String)> {
    let price = inline::make(tx, who, data).await?;
    with_product(tx, who, currency, price).await.map_err(|e| e.on("price_data"))
}

async fn with_product(tx: &mut Tx, who: &Actor, currency: Option<&Currency>, price: Price) -> Result<(Price, String)> {
    if price.r#type != PriceType::Recurring {
        let message =
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.";
        return Err(Error::invalid("price", message));
    }
    if currency.is_some_and(|currency| *currency != price.currency) {
        let message = "You cannot combine currencies on a single customer or subscription.";
        return Err(Error::invalid("price", message));
    }
    let product = catalog::product::get(tx, who, &price.product).await?;
    Ok((price, product.name))
}

pub(crate) fn check_quantity(quantity: Option<i64>) -> Result<()> {
    match quantity {
        Some(quantity) if !(0..=999_999).contains(&quantity) => {
            Err(Error::invalid("quantity", "Invalid integer: a quantity is 0 to 999999."))
        }
        _ => Ok(()),
    }
}

fn check(items: &[Item]) -> Result<()> {
    if items.is_empty() {
        let message = "A subscription must have at least one item. To end it, cancel it.";
        return Err(Error::invalid("items", message));
    }
    if items.len() > MOST_ITEMS {
        return Err(too_many());
    }
    common_terms(items).map(|_| ())
}

fn too_many() -> Error {
    Error::invalid("items", format!("A subscription has up to {MOST_ITEMS} items."))
}

/// The currency and interval that all items share.
pub(crate) fn common_terms(items: &[Item]) -> Result<(Currency, Recurring)> {
    let first = items.first().and_then(|item| Some((item.price.currency.clone(), item.price.recurring()?)));
    let Some((currency, recurring)) = first else {
        return Err(Error::internal("a subscription without a recurring item"));
    };
    if items.iter().any(|item| item.price.recurring() != Some(recurring)) {
        let message = "All prices of a subscription must have the same interval and interval_count.";
        return Err(Error::invalid("items", message));
    }
    Ok((currency, recurring))
}

/// Writes what became of the items.
pub(crate) async fn save(tx: &mut Tx, who: &Actor, before: &[Item], items: &Items, now: Seconds) -> Result<()> {
    for item in &items.removed {
        run!(
            tx,
            "update subscription_item set deleted_at = $3 where tenant = $1 and id = $2",
            who.tenant.key,
            &item.id,
            now
        )?;
    }
    for item in &items.kept {
        match before.iter().find(|other| other.id == item.id) {
            None => insert(tx, who, item).await?,
            Some(other) if other == item => {}
            Some(_) => {
                run!(
                    tx,
                    "update subscription_item set price_changed = case when price <> $3 then $7 else price_changed end,
                     price = $3, quantity = $4, tax_rates = $5, metadata = $6 where tenant = $1 and id = $2",
                    who.tenant.key,
                    &item.id,
                    &item.price.id,
                    item.quantity,
                    Json(&item.tax_rates),
                    Json(&item.metadata),
                    now
                )?;
            }
        }
    }
    Ok(())
}

pub(crate) async fn insert(tx: &mut Tx, who: &Actor, item: &Item) -> Result<()> {
    run!(
        tx,
        "insert into subscription_item (tenant, id, subscription, position, price, quantity, current_period_start, current_period_end,
         tax_rates, metadata, created) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        who.tenant.key,
        &item.id,
        &item.subscription,
        item.position,
        &item.price.id,
        item.quantity,
        item.current_period_start,
        item.current_period_end,
        Json(&item.tax_rates),
        Json(&item.metadata),
        item.created
    )?;
    Ok(())
}
