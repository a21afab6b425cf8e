//! Refunds: create, retrieve, update, list. None can be canceled: the gateway is asked at once.

use billing::refund::{self, NewRefund, Of, Reason};
use billing::{Error, Result, transact, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;
use super::params::missing;

/// The refund is written down and committed, then the gateway is asked, then the answer is given. The request's key knows
/// the refund from the start: sent again after a crash, the request goes on instead of beginning anew.
pub async fn create(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let of = match (params.text("charge")?, params.text("payment_intent")?) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: charge, payment_intent.";
            return Err(Error::invalid("payment_intent", message));
        }
        (Some(charge), None) => Of::Charge(charge),
        (None, Some(intent)) => Of::PaymentIntent(intent),
        (None, None) => return Err(missing("charge")),
    };
    let new = NewRefund {
        of,
        amount: params.integer("amount")?,
        reason: params.word("reason", Reason::parse)?,
        metadata: params.metadata()?,
    };
    let call = call.ready(Shape::One(Kind::Refund))?;
    let id = match call.made() {
        Some(made) => made.to_owned(),
        None => transact!(call.app.db, |tx| {
            let refund = refund::begin(tx, &call.who, new.clone()).await?;
            call.note(tx, &refund.id).await?;
            Ok(refund.id)
        })?,
    };
    let refund = refund::give_back(&call.app.db, call.app.gateway.clone(), &call.who, &id).await?;
    change!(call, |tx| {
        // Only the key changes here.
        tx.unaudited();
        wire::refund(&call.who.tenant, &refund)
    })
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Refund))?;
    let mut tx = call.read().await?;
    let found = refund::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::refund(&call.who.tenant, &found)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let metadata = call.params.metadata()?;
    let call = call.ready(Shape::One(Kind::Refund))?;
    change!(call, |tx| {
        let changed = refund::update(tx, &call.who, &id, metadata.clone()).await?;
        wire::refund(&call.who.tenant, &changed)
    })
}

pub async fn cancel(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Refund))?;
    let mut tx = call.read().await?;
    let found = refund::get(&mut tx, &call.who, &id).await?;
    let message = format!("The refund is {} and cannot be canceled.", found.status.name());
    Err(Error::conflict("refund_not_cancelable", message))
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let page = list::page(&mut call.params)?;
    let (charge, intent) = (call.params.text("charge")?, call.params.text("payment_intent")?);
    let call = call.ready(Shape::Many(Kind::Refund))?;
    let mut tx = call.read().await?;
    let found = refund::list(&mut tx, &call.who, &page, (charge.as_deref(), intent.as_deref())).await?;
    call.show_list(&mut tx, "/v1/refunds", found, |refund| wire::refund(&call.who.tenant, refund)).await
}
