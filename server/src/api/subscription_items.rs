//! The items of subscriptions: retrieve, list; and add, change or remove one, which is an update of its subscription.

use billing::subscription::items::ItemChange;
use billing::subscription::{ProrationBehavior, SubscriptionUpdate};
use billing::{Error, Result, subscription, transact, wire};
use serde_json::Value;

use super::answer::Reply;
use super::call::{Call, Ready};
use super::expand::{Kind, Shape};
use super::list;
use super::params::{Params, missing};
use super::subscription_terms::{parse_change_behavior, read_price};
use super::subscriptions::charge;

/// Known of an item, and not supported.
const UNSUPPORTED: &[&str] = &["billing_thresholds", "current_trial", "discounts", "price_data"];

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
    let price = change.price.clone().ok_or_else(|| missing("price"))?;
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
    Ok(ItemChange {
        id,
        price: read_price(params)?,
        quantity: params.integer("quantity")?,
        deleted: false,
        tax_rates: params.patch_texts("tax_rates")?,
        metadata: params.metadata()?,
    })
}

fn read_update(params: &mut Params, change: ItemChange) -> Result<SubscriptionUpdate> {
    Ok(SubscriptionUpdate {
        items: vec![change],
        proration_behavior: params.word("proration_behavior", ProrationBehavior::parse)?,
        proration_date: params.timestamp("proration_date")?,
        payment_behavior: params.word("payment_behavior", parse_change_behavior)?,
        ..SubscriptionUpdate::default()
    })
}

/// Which item the answer is about.
enum Target {
    /// The one that has this price then.
    New {
        subscription: String,
        price: String,
    },
    Known(String),
    Deleted(String),
}

/// Changes the subscription and commits that, then charges what it costs, then answers with the item.
async fn change_items(call: &Ready, target: Target, update: SubscriptionUpdate) -> Result<Reply> {
    let subscription = match call.made() {
        Some(made) => made.to_owned(),
        None => transact!(call.app.db, |tx| {
            let subscription = match &target {
                Target::New { subscription, .. } => {
                    subscription::get(tx, &call.who, subscription).await.map_err(|e| e.on("subscription"))?.id
                }
                Target::Known(id) | Target::Deleted(id) => subscription::item(tx, &call.who, id).await?.subscription,
            };
            subscription::update::update(tx, &call.who, &subscription, update.clone()).await.map_err(own)?;
            call.note(tx, &subscription).await?;
            Ok(subscription)
        })?,
    };
    charge(call, &subscription).await?;
    change!(call, |tx| {
        // Only the key changes here.
        tx.unaudited();
        let items = subscription::get(tx, &call.who, &subscription).await?.items;
        show(call, &target, &items)?
    })
}

fn show(call: &Ready, target: &Target, items: &[subscription::Item]) -> Result<Value> {
    let found = match target {
        Target::Deleted(id) => return Ok(wire::deleted("subscription_item", id)),
        Target::Known(id) => items.iter().find(|item| item.id == *id),
        Target::New { price, .. } => items.iter().find(|item| item.price.id == *price),
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
