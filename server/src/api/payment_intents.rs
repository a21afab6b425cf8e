//! Payment intents: retrieve, list. They are made by invoices.

use billing::payment::intents;
use billing::{Result, payment, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::PaymentIntent))?;
    let mut tx = call.read().await?;
    let intent = payment::intent(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::payment_intent(&call.who.tenant, &intent)).await
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let page = list::page(params)?;
    let customer = params.text("customer")?;
    let call = call.ready(Shape::Many(Kind::PaymentIntent))?;
    let mut tx = call.read().await?;
    if let Some(customer) = &customer {
        billing::customer::get_or_deleted(&mut tx, &call.who, customer).await.map_err(|e| e.on("customer"))?;
    }
    let found = intents::list(&mut tx, &call.who, &page, customer.as_deref()).await?;
    call.show_list(&mut tx, "/v1/payment_intents", found, |intent| wire::payment_intent(&call.who.tenant, intent)).await
}
