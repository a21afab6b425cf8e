//! Invoice items: create, retrieve, update, delete, list.

use billing::catalog::price::TaxBehavior;
use billing::decimal::{Decimal, PLACES};
use billing::invoice::item::edit::{self, InvoiceItemUpdate, NewInvoiceItem, Worth};
use billing::invoice::item::{self, InvoiceItemFilter};
use billing::{Currency, Error, Result, Seconds, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::params::{Params, missing};
use super::{discounts, list};

pub async fn create(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let new = NewInvoiceItem {
        customer: params.required_text("customer")?,
        subscription: params.text("subscription")?,
        invoice: params.text("invoice")?,
        currency: params.word("currency", Currency::parse)?,
        fields: read(params)?,
    };
    let call = call.ready(Shape::One(Kind::InvoiceItem))?;
    change!(call, |tx| {
        let made = edit::create(tx, &call.who, new.clone()).await?;
        wire::invoice_item(&call.who.tenant, &made)
    })
}

pub(super) fn read(params: &mut Params) -> Result<InvoiceItemUpdate> {
    let amount = params.integer("amount")?.map(Worth::Amount);
    let unit = params.word("unit_amount_decimal", |text, param| Decimal::parse(text, PLACES, param))?.map(Worth::Unit);
    let pricing = params.object("pricing", |pricing| pricing.text("price"))?.flatten();
    let price = match (pricing, params.text("price")?) {
        (Some(_), Some(_)) => return Err(several(params, "pricing[price]", "price")),
        (pricing, price) => pricing.or(price).map(Worth::Price),
    };
    let mut given = [(amount, "amount"), (unit, "unit_amount_decimal"), (price, "pricing[price]")]
        .into_iter()
        .filter_map(|(worth, name)| worth.map(|worth| (worth, name)));
    let (first, second) = (given.next(), given.next());
    if let (Some((_, one)), Some((_, other))) = (&first, &second) {
        return Err(several(params, one, other));
    }
    Ok(InvoiceItemUpdate {
        worth: first.map(|(worth, _)| worth),
        quantity: params.integer("quantity")?,
        description: params.patch_text("description")?,
        discountable: params.boolean("discountable")?,
        period: params.object("period", period)?,
        tax_rates: params.patch_texts("tax_rates")?,
        tax_behavior: params.word("tax_behavior", TaxBehavior::parse)?,
        discounts: params.patch_objects("discounts", discounts::read_one)?,
        metadata: params.metadata()?,
    })
}

fn several(params: &Params, one: &str, other: &str) -> Error {
    let message = format!("You may only specify one of these parameters: {one}, {other}.");
    Error::invalid(params.name(other), message)
}

pub fn period(params: &mut Params) -> Result<(Seconds, Seconds)> {
    let start = params.timestamp("start")?.ok_or_else(|| missing(params.name("start")))?;
    let end = params.timestamp("end")?.ok_or_else(|| missing(params.name("end")))?;
    Ok((start, end))
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::InvoiceItem))?;
    let mut tx = call.read().await?;
    let found = item::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::invoice_item(&call.who.tenant, &found)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let update = read(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::InvoiceItem))?;
    change!(call, |tx| {
        let changed = edit::update(tx, &call.who, &id, update.clone()).await?;
        wire::invoice_item(&call.who.tenant, &changed)
    })
}

pub async fn delete(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::InvoiceItem))?;
    change!(call, |tx| {
        edit::delete(tx, &call.who, &id).await?;
        wire::deleted("invoiceitem", &id)
    })
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let page = list::page(params)?;
    let filter = InvoiceItemFilter {
        customer: params.text("customer")?,
        invoice: params.text("invoice")?,
        pending: params.boolean("pending")?,
    };
    let call = call.ready(Shape::Many(Kind::InvoiceItem))?;
    let mut tx = call.read().await?;
    if let Some(customer) = &filter.customer {
        billing::customer::get_or_deleted(&mut tx, &call.who, customer).await.map_err(|e| e.on("customer"))?;
    }
    if let Some(invoice) = &filter.invoice {
        billing::invoice::get(&mut tx, &call.who, invoice).await.map_err(|e| e.on("invoice"))?;
    }
    let found = item::list(&mut tx, &call.who, &page, &filter).await?;
    call.show_list(&mut tx, "/v1/invoiceitems", found, |item| wire::invoice_item(&call.who.tenant, item)).await
}
