//! The merchant itself: Stripe's account.

use billing::{Error, Result, directory, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};

pub async fn retrieve(call: Call) -> Result<Reply> {
    let call = call.ready(Shape::One(Kind::Account))?;
    let mut tx = call.read().await?;
    let merchant = directory::account(&mut tx, &call.who).await?;
    call.show(&mut tx, wire::account(&call.who.tenant, &merchant)).await
}

/// By its own id; there are no others to see.
pub async fn retrieve_by_id(call: Call) -> Result<Reply> {
    if call.id == call.who.tenant.merchant { retrieve(call).await } else { Err(Error::missing("account", call.id)) }
}
