//! Customers: create, retrieve, update, delete, list.

use billing::customer::payment_method::{self, NewMethod};
use billing::customer::tax_id;
use billing::customer::{self, Address, CustomField, Customer, CustomerFilter, CustomerUpdate, Shipping, TaxExempt};
use billing::{Actor, Patch, Result, Tx, wire};
use serde_json::Value;

use super::answer::Reply;
use super::call::Call;
use super::discounts;
use super::expand::{Kind, Shape};
use super::list;
use super::params::{Params, unsupported};
use super::payment_methods::test_method;
use super::tax_ids;

pub async fn create(mut call: Call) -> Result<Reply> {
    let mut new = read(&mut call.params)?;
    new.test_clock = call.params.text("test_clock")?;
    let tax_ids = call.params.objects("tax_id_data", tax_ids::read)?.unwrap_or_default();
    let method = first_method(&mut call, &mut new)?;
    let call = call.ready(Shape::One(Kind::Customer))?;
    change!(call, |tx| {
        let mut customer = customer::create(tx, &call.who, new.clone()).await?;
        for (n, new) in tax_ids.iter().enumerate() {
            let made = tax_id::create(tx, &call.who, &customer.id, new.clone()).await;
            made.map_err(|e| e.within(&format!("tax_id_data[{n}]")))?;
        }
        if let Some((method, is_default)) = method.clone() {
            customer = attach_first(tx, &call.who, customer, method, is_default).await?;
        }
        render(&call.who, &customer)
    })
}

/// `payment_method` stores a first method with the customer; it is the default one if `invoice_settings` names it too.
fn first_method(call: &mut Call, new: &mut CustomerUpdate) -> Result<Option<(NewMethod, bool)>> {
    let Some(id) = call.params.text("payment_method")? else { return Ok(None) };
    let Some(method) = test_method(&call.app, &call.who, &id) else { return Err(unsupported("payment_method")) };
    let is_default = new.default_payment_method == Patch::Set(id);
    if is_default {
        new.default_payment_method = Patch::Keep;
    }
    Ok(Some((method, is_default)))
}

async fn attach_first(
    tx: &mut Tx,
    who: &Actor,
    customer: Customer,
    new: NewMethod,
    is_default: bool,
) -> Result<Customer> {
    let method = payment_method::attach(tx, who, &customer.id, new).await?;
    if !is_default {
        return Ok(customer);
    }
    let update = CustomerUpdate { default_payment_method: Patch::Set(method.id), ..CustomerUpdate::default() };
    customer::update(tx, who, &customer.id, update).await
}

/// A deleted customer is shown as what is left of it.
pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Customer))?;
    let mut tx = call.read().await?;
    let customer = customer::get_or_deleted(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, render(&call.who, &customer)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let update = read(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::Customer))?;
    change!(call, |tx| render(&call.who, &customer::update(tx, &call.who, &id, update.clone()).await?))
}

pub async fn delete(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Customer))?;
    change!(call, |tx| {
        customer::delete(tx, &call.who, &id).await?;
        wire::deleted("customer", &id)
    })
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let page = list::page(&mut call.params)?;
    let filter = CustomerFilter {
        email: call.params.text("email")?,
        external_id: call.params.text("external_id")?,
        test_clock: call.params.text("test_clock")?,
    };
    let call = call.ready(Shape::Many(Kind::Customer))?;
    let mut tx = call.read().await?;
    let found = customer::list(&mut tx, &call.who, &page, &filter).await?;
    call.show_list(&mut tx, "/v1/customers", found, |customer| render(&call.who, customer)).await
}

pub fn render(who: &Actor, customer: &Customer) -> Value {
    match customer.deleted_at {
        Some(_) => wire::deleted("customer", &customer.id),
        None => wire::customer(&who.tenant, customer),
    }
}

fn read(params: &mut Params) -> Result<CustomerUpdate> {
    let mut update = CustomerUpdate {
        external_id: params.patch_text("external_id")?,
        name: params.patch_text("name")?,
        email: params.patch_text("email")?,
        phone: params.patch_text("phone")?,
        description: params.patch_text("description")?,
        address: params.patch_object("address", address)?,
        shipping: params.patch_object("shipping", shipping)?,
        invoice_prefix: params.text("invoice_prefix")?,
        next_invoice_sequence: params.integer("next_invoice_sequence")?,
        preferred_locales: params.patch_texts("preferred_locales")?,
        tax_exempt: params.patch_word("tax_exempt", TaxExempt::parse)?,
        balance: params.integer("balance")?,
        discount: discounts::read_older(params)?,
        metadata: params.metadata()?,
        ..CustomerUpdate::default()
    };
    params.object("invoice_settings", |settings| {
        update.custom_fields = settings.patch_objects("custom_fields", custom_field)?;
        update.default_payment_method = settings.patch_text("default_payment_method")?;
        update.footer = settings.patch_text("footer")?;
        Ok(())
    })?;
    Ok(update)
}

pub fn address(params: &mut Params) -> Result<Address> {
    Ok(Address {
        city: params.patch_text("city")?.into_option(),
        country: params.patch_text("country")?.into_option(),
        line1: params.patch_text("line1")?.into_option(),
        line2: params.patch_text("line2")?.into_option(),
        postal_code: params.patch_text("postal_code")?.into_option(),
        state: params.patch_text("state")?.into_option(),
    })
}

pub fn shipping(params: &mut Params) -> Result<Shipping> {
    Ok(Shipping {
        address: params.required_object("address", address)?,
        name: params.required_text("name")?,
        phone: params.patch_text("phone")?.into_option(),
    })
}

fn custom_field(params: &mut Params) -> Result<CustomField> {
    Ok(CustomField { name: params.required_text("name")?, value: params.required_text("value")? })
}
