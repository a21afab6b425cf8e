//! Payment methods: attach, detach, retrieve, update, list. Their numbers are entered in the hosted fields, never here.

use billing::customer::payment_method::update::{self, MethodUpdate};
use billing::customer::payment_method::{self, MethodType, NewMethod, PaymentMethod};
use billing::gateway::sandbox;
use billing::{Actor, Error, Result, Tx, wire};

use super::answer::Reply;
use super::call::Call;
use super::customers::address;
use super::expand::{Kind, Shape};
use super::list;
use super::params::{Params, unsupported};
use crate::state::App;

/// A method is made by the portal's hosted fields, or stands ready as a test method.
pub async fn create(_: Call) -> Result<Reply> {
    Err(unsupported("type"))
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::PaymentMethod))?;
    let mut tx = call.read().await?;
    let method = payment_method::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::payment_method(&call.who.tenant, &method)).await
}

pub async fn retrieve_of_customer(call: Call) -> Result<Reply> {
    let (customer, id) = (call.id.clone(), call.inner.clone());
    let call = call.ready(Shape::One(Kind::PaymentMethod))?;
    let mut tx = call.read().await?;
    let method = payment_method::of_customer(&mut tx, &call.who, &customer, &id).await?;
    call.show(&mut tx, wire::payment_method(&call.who.tenant, &method)).await
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let customer = call.params.required_text("customer")?;
    list_for(call, &customer, "/v1/payment_methods").await
}

pub async fn list_of_customer(call: Call) -> Result<Reply> {
    let customer = call.id.clone();
    let url = format!("/v1/customers/{customer}/payment_methods");
    list_for(call, &customer, &url).await
}

async fn list_for(mut call: Call, customer: &str, url: &str) -> Result<Reply> {
    let page = list::undated_page(&mut call.params)?;
    let kind = call.params.word("type", MethodType::parse)?;
    let call = call.ready(Shape::Many(Kind::PaymentMethod))?;
    let mut tx = call.read().await?;
    let found = payment_method::list(&mut tx, &call.who, customer, &page, kind).await?;
    call.show_list(&mut tx, url, found, |method| wire::payment_method(&call.who.tenant, method)).await
}

/// Attaching one of Stripe's test methods stores a new method for the customer.
pub async fn attach(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let customer = read_customer(&mut call.params)?;
    let new = test_method(&call.app, &call.who, &id);
    let call = call.ready(Shape::One(Kind::PaymentMethod))?;
    change!(call, |tx| {
        let method = match new.clone() {
            Some(new) => payment_method::attach(tx, &call.who, &customer, new).await?,
            None => attached(tx, &call.who, &customer, &id).await?,
        };
        wire::payment_method(&call.who.tenant, &method)
    })
}

fn read_customer(params: &mut Params) -> Result<String> {
    params.required_text("customer")
}

/// A stored method belongs to its customer from the start: attaching it there again changes nothing, and nobody else
/// can have it.
async fn attached(tx: &mut Tx, who: &Actor, customer: &str, id: &str) -> Result<PaymentMethod> {
    billing::customer::get(tx, who, customer).await.map_err(|e| e.on("customer"))?;
    let method = payment_method::get(tx, who, id).await?;
    let refuse = |message: &str| {
        Err(Error::Invalid {
            param: "payment_method".into(),
            code: "payment_method_unexpected_state",
            message: message.into(),
        })
    };
    match method.customer.as_deref() {
        Some(owner) if owner == customer => Ok(method),
        Some(_) => refuse("The payment method you provided has already been attached to a customer."),
        None => refuse("This PaymentMethod was detached from a Customer, and may not be used again."),
    }
}

/// Who the holder is, and a card's expiry. Where a number would stand, the request never came this far.
pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let params = &mut call.params;
    let mut update = MethodUpdate { metadata: params.metadata()?, ..MethodUpdate::default() };
    params.object("billing_details", |holder| {
        update.address = holder.patch_object("address", address)?;
        update.email = holder.patch_text("email")?;
        update.name = holder.patch_text("name")?;
        update.phone = holder.patch_text("phone")?;
        Ok(())
    })?;
    params.object("card", |card| {
        update.exp_month = card.integer("exp_month")?;
        update.exp_year = card.integer("exp_year")?;
        Ok(())
    })?;
    params.fixed("allow_redisplay", &["unspecified"])?;
    let call = call.ready(Shape::One(Kind::PaymentMethod))?;
    change!(call, |tx| { wire::payment_method(&call.who.tenant, &update::update(tx, &call.who, &id, &update).await?) })
}

pub async fn detach(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::PaymentMethod))?;
    change!(call, |tx| wire::payment_method(&call.who.tenant, &payment_method::detach(tx, &call.who, &id).await?))
}

/// The method that a test id such as `pm_card_visa` stands for; there are none in live mode.
pub fn test_method(app: &App, who: &Actor, id: &str) -> Option<NewMethod> {
    if who.tenant.livemode { None } else { sandbox::test_method_at(id, app.db.clock().wall().seconds()) }
}
