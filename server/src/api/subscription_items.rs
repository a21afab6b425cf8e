//! The items of subscriptions: retrieve, list.

use billing::{Result, subscription, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;

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
