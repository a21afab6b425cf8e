//! Payment intents: retrieve. They are made by invoices.

use billing::{Result, payment, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::PaymentIntent))?;
    let mut tx = call.read().await?;
    let intent = payment::intent(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::payment_intent(&call.who.tenant, &intent)).await
}
