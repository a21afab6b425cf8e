//! Tax IDs of customers: create, retrieve, list, delete; below their customer, and by themselves with an `owner`.

use billing::customer::tax_id::{self, NewTaxId};
use billing::{Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;
use super::params::{Params, missing, unsupported};

pub async fn create(mut call: Call) -> Result<Reply> {
    let customer = owner(&mut call.params)?;
    create_for(call, &customer).await
}

pub async fn create_of_customer(call: Call) -> Result<Reply> {
    let customer = call.id.clone();
    create_for(call, &customer).await
}

async fn create_for(mut call: Call, customer: &str) -> Result<Reply> {
    let new = read(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::TaxId))?;
    change!(call, |tx| {
        let tax_id = tax_id::create(tx, &call.who, customer, new.clone()).await?;
        wire::tax_id(&call.who.tenant, &tax_id)
    })
}

pub fn read(params: &mut Params) -> Result<NewTaxId> {
    Ok(NewTaxId { r#type: params.required_text("type")?, value: params.required_text("value")? })
}

/// The customer whose tax IDs are meant. A merchant's own are not kept.
fn owner(params: &mut Params) -> Result<String> {
    let customer = params.object("owner", |owner| {
        let kind = owner.required_text("type")?;
        if kind == "customer" { owner.required_text("customer") } else { Err(unsupported(owner.name("type"))) }
    })?;
    customer.ok_or_else(|| missing("owner"))
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::TaxId))?;
    let mut tx = call.read().await?;
    let tax_id = tax_id::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::tax_id(&call.who.tenant, &tax_id)).await
}

pub async fn retrieve_of_customer(call: Call) -> Result<Reply> {
    let (customer, id) = (call.id.clone(), call.inner.clone());
    let call = call.ready(Shape::One(Kind::TaxId))?;
    let mut tx = call.read().await?;
    let tax_id = tax_id::of_customer(&mut tx, &call.who, &customer, &id).await?;
    call.show(&mut tx, wire::tax_id(&call.who.tenant, &tax_id)).await
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let customer = owner(&mut call.params)?;
    list_for(call, &customer, "/v1/tax_ids").await
}

pub async fn list_of_customer(call: Call) -> Result<Reply> {
    let customer = call.id.clone();
    let url = format!("/v1/customers/{customer}/tax_ids");
    list_for(call, &customer, &url).await
}

async fn list_for(mut call: Call, customer: &str, url: &str) -> Result<Reply> {
    let page = list::undated_page(&mut call.params)?;
    let call = call.ready(Shape::Many(Kind::TaxId))?;
    let mut tx = call.read().await?;
    let found = tax_id::list(&mut tx, &call.who, customer, &page).await?;
    call.show_list(&mut tx, url, found, |tax_id| wire::tax_id(&call.who.tenant, tax_id)).await
}

pub async fn delete(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::TaxId))?;
    change!(call, |tx| {
        tax_id::delete(tx, &call.who, &id).await?;
        wire::deleted("tax_id", &id)
    })
}

pub async fn delete_of_customer(call: Call) -> Result<Reply> {
    let (customer, id) = (call.id.clone(), call.inner.clone());
    let call = call.ready(Shape::One(Kind::TaxId))?;
    change!(call, |tx| {
        tax_id::of_customer(tx, &call.who, &customer, &id).await?;
        tax_id::delete(tx, &call.who, &id).await?;
        wire::deleted("tax_id", &id)
    })
}
