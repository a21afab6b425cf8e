//! The items of subscriptions: retrieve, list; and add, change or remove one, which is an update of its subscription.

use billing::subscription::create::PaymentBehavior;
use billing::subscription::items::ItemChange;
use billing::subscription::{ProrationBehavior, Subscription, SubscriptionUpdate};
use billing::{Error, Result, Tx, subscription, transact, wire};
use serde_json::Value;

use super::answer::Reply;
use super::call::{Call, Ready};
use super::discounts;
use super::expand::{Kind, Shape};
use super::list;
use super::params::{Params, missing};
use super::subscription_terms::read_priced;
use super::subscriptions::{Begun, charge};

/// Known of an item, and not supported.
const UNSUPPORTED: &[&str] = &["billing_thresholds", "current_trial"];

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::SubscriptionItem))?;
    let mut tx = call.read().await?;
    let item = subscription::item(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::item(&call.who.tenant, &item)).await
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let id = call.params.required_text("subscription")?;
    let page = list::undated_page(&mut call.params)?;
    let call = call.ready(Shape::Many(Kind::SubscriptionItem))?;
    let mut tx = call.read().await?;
    let subscription = subscription::get(&mut tx, &call.who, &id).await.map_err(|e| e.on("subscription"))?;
    let found = list::slice(&page, subscription.items, "subscription_item", |item| &item.id)?;
    call.show_list(&mut tx, "/v1/subscription_items", found, |item| wire::item(&call.who.tenant, item)).await
}

pub async fn create(mut call: Call) -> Result<Reply> {
    let subscription = call.params.required_text("subscription")?;
    let change = read_item(&mut call.params, None)?;
    let price = change.price.clone();
    if price.is_none() && change.price_data.is_none() {
        return Err(missing("price"));
    }
    let update = read_update(&mut call.params, change)?;
    let call = call.ready(Shape::One(Kind::SubscriptionItem))?;
    change_items(&call, Target::New { subscription, price }, update).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    call.params.boolean("off_session")?;
    let change = read_item(&mut call.params, Some(id.clone()))?;
    let update = read_update(&mut call.params, change)?;
    let call = call.ready(Shape::One(Kind::SubscriptionItem))?;
    change_items(&call, Target::Known(id), update).await
}

pub async fn delete(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    call.params.unsupported(&["clear_usage"])?;
    let change = ItemChange { id: Some(id.clone()), deleted: true, ..ItemChange::default() };
    let update = read_update(&mut call.params, change)?;
    let call = call.ready(Shape::One(Kind::SubscriptionItem))?;
    change_items(&call, Target::Deleted(id), update).await
}

fn read_item(params: &mut Params, id: Option<String>) -> Result<ItemChange> {
    params.unsupported(UNSUPPORTED)?;
    let (price, price_data) = read_priced(params, true)?;
    Ok(ItemChange {
        id,
        price,
        price_data,
        quantity: params.integer("quantity")?,
        deleted: false,
        tax_rates: params.patch_texts("tax_rates")?,
        discounts: params.patch_objects("discounts", discounts::read_one)?,
        metadata: params.metadata()?,
    })
}

fn read_update(params: &mut Params, change: ItemChange) -> Result<SubscriptionUpdate> {
    Ok(SubscriptionUpdate {
        items: vec![change],
        proration_behavior: params.word("proration_behavior", ProrationBehavior::parse)?,
        proration_date: params.timestamp("proration_date")?,
        payment_behavior: params.word("payment_behavior", PaymentBehavior::parse)?,
        ..SubscriptionUpdate::default()
    })
}

/// Which item the answer is about.
enum Target {
    /// The one that has this price then, or the last where the price was said with it.
    New {
        subscription: String,
        price: Option<String>,
    },
    Known(String),
    Deleted(String),
}

/// Changes the subscription and commits that, then charges what it costs, then answers with the item.
async fn change_items(call: &Ready, target: Target, update: SubscriptionUpdate) -> Result<Reply> {
    let only_if_paid = update.payment_behavior == Some(PaymentBehavior::ErrorIfIncomplete);
    let begun = match call.made() {
        Some(made) => Begun::Unpaid(made.to_owned()),
        None => transact!(call.app.db, |tx| begin(tx, call, &target, &update).await)?,
    };
    let invoice = match begun {
        Begun::Answered(reply) => return Ok(reply),
        Begun::Unpaid(invoice) => invoice,
    };
    let id = charge(call, &invoice, only_if_paid).await?;
    change!(call, |tx| {
        // Only the key changes here.
        tx.unaudited();
        show(call, &target, &subscription::get(tx, &call.who, &id).await?)?
    })
}

async fn begin(tx: &mut Tx, call: &Ready, target: &Target, update: &SubscriptionUpdate) -> Result<Begun> {
    let id = match target {
        Target::New { subscription, .. } => {
            subscription::get(tx, &call.who, subscription).await.map_err(|e| e.on("subscription"))?.id
        }
        Target::Known(id) | Target::Deleted(id) => subscription::item(tx, &call.who, id).await?.subscription,
    };
    let updated = subscription::update::update(tx, &call.who, &id, update.clone()).await.map_err(own)?;
    let only_if_paid = update.payment_behavior == Some(PaymentBehavior::ErrorIfIncomplete);
    match updated.invoice {
        Some(invoice) if updated.collect || only_if_paid => {
            call.note(tx, &invoice.id).await?;
            Ok(Begun::Unpaid(invoice.id))
        }
        _ => {
            let value = show(call, target, &updated.subscription)?;
            Ok(Begun::Answered(call.keep(tx, value).await?))
        }
    }
}

fn show(call: &Ready, target: &Target, of: &Subscription) -> Result<Value> {
    let items = &of.items;
    let found = match target {
        Target::Deleted(id) => return Ok(wire::deleted("subscription_item", id)),
        Target::Known(id) => items.iter().find(|item| item.id == *id),
        Target::New { price: Some(price), .. } => items.iter().find(|item| item.price.id == *price),
        Target::New { price: None, .. } => items.last().filter(|_| of.pending_update.is_none()),
    };
    let found =
        found.ok_or_else(|| Error::conflict("subscription_pending_update", "The item is added when it is paid."))?;
    Ok(wire::item(&call.who.tenant, found))
}

/// An error of the one item that an update of its subscription names by its place.
fn own(error: Error) -> Error {
    match error {
        Error::Invalid { param, code, message } => Error::Invalid { param: bare(&param), code, message },
        Error::Missing { object, id, param } => Error::Missing { object, id, param: bare(&param) },
        other => other,
    }
}

/// `items[0][tax_rates][1]` as it was given: `tax_rates[1]`.
fn bare(param: &str) -> String {
    match param.strip_prefix("items[0][").and_then(|rest| rest.split_once(']')) {
        Some((name, rest)) => format!("{name}{rest}"),
        None => param.to_owned(),
    }
}
