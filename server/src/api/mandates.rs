//! Mandates: retrieve. They are given with the method that they are for.

use billing::customer::payment_method::mandate;
use billing::{Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Mandate))?;
    let mut tx = call.read().await?;
    let mandate = mandate::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::mandate(&call.who.tenant, &mandate)).await
}
