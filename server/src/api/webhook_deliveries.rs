//! What became of the events that were sent, which is ours: retrieve, list.

use billing::webhook::delivery::{self, Delivery, Filter, Status};
use billing::{Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::WebhookDelivery))?;
    let mut tx = call.read().await?;
    let found = delivery::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::webhook_delivery(&call.who.tenant, &found)).await
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let page = list::page(params)?;
    let filter = Filter {
        endpoint: params.text("webhook_endpoint")?,
        event: params.text("event")?,
        status: params.word("status", Status::parse)?,
    };
    let call = call.ready(Shape::Many(Kind::WebhookDelivery))?;
    let mut tx = call.read().await?;
    let found = delivery::list(&mut tx, &call.who, &page, &filter).await?;
    let render = |delivery: &Delivery| wire::webhook_delivery(&call.who.tenant, delivery);
    call.show_list(&mut tx, "/v1/webhook_deliveries", found, render).await
}
