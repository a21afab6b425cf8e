//! Charges: retrieve, list. They are made by paying invoices.

use billing::payment::charge::{self, ChargeFilter};
use billing::{Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Charge))?;
    let mut tx = call.read().await?;
    let charge = charge::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::charge(&call.who.tenant, &charge)).await
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let page = list::page(params)?;
    let filter = ChargeFilter { customer: params.text("customer")?, payment_intent: params.text("payment_intent")? };
    let call = call.ready(Shape::Many(Kind::Charge))?;
    let mut tx = call.read().await?;
    if let Some(customer) = &filter.customer {
        billing::customer::get_or_deleted(&mut tx, &call.who, customer).await.map_err(|e| e.on("customer"))?;
    }
    if let Some(intent) = &filter.payment_intent {
        billing::payment::intent(&mut tx, &call.who, intent).await.map_err(|e| e.on("payment_intent"))?;
    }
    let found = charge::list(&mut tx, &call.who, &page, &filter).await?;
    call.show_list(&mut tx, "/v1/charges", found, |charge| wire::charge(&call.who.tenant, charge)).await
}
