//! Invoices: retrieve, list, and the lines of one.

use billing::invoice::{self, InvoiceFilter, Status, line};
use billing::subscription::CollectionMethod;
use billing::{Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Invoice))?;
    let mut tx = call.read().await?;
    let invoice = invoice::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::invoice(&call.who.tenant, &invoice)).await
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let page = list::page(params)?;
    let filter = InvoiceFilter {
        customer: params.text("customer")?,
        subscription: params.text("subscription")?,
        status: params.word("status", Status::parse)?,
        collection_method: params.word("collection_method", CollectionMethod::parse)?,
        search: None,
    };
    params.unsupported(&["customer_account", "due_date"])?;
    let call = call.ready(Shape::Many(Kind::Invoice))?;
    let mut tx = call.read().await?;
    if let Some(customer) = &filter.customer {
        billing::customer::get_or_deleted(&mut tx, &call.who, customer).await.map_err(|e| e.on("customer"))?;
    }
    if let Some(subscription) = &filter.subscription {
        billing::subscription::get(&mut tx, &call.who, subscription).await.map_err(|e| e.on("subscription"))?;
    }
    let found = invoice::list(&mut tx, &call.who, &page, &filter).await?;
    call.show_list(&mut tx, "/v1/invoices", found, |invoice| wire::invoice(&call.who.tenant, invoice)).await
}

pub async fn lines(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let page = list::undated_page(&mut call.params)?;
    let call = call.ready(Shape::Many(Kind::Line))?;
    let mut tx = call.read().await?;
    let invoice = invoice::get(&mut tx, &call.who, &id).await?;
    let found = line::list(&mut tx, &call.who, &invoice.id, &page).await?;
    let url = format!("/v1/invoices/{id}/lines");
    call.show_list(&mut tx, &url, found, |line| wire::line(&call.who.tenant, line)).await
}
