//! A customer's balance transactions: create (an adjustment), retrieve, update, list.

use billing::customer::balance::{self, Adjustment};
use billing::{Currency, Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;
use super::params::missing;

pub async fn create(mut call: Call) -> Result<Reply> {
    let customer = call.id.clone();
    let params = &mut call.params;
    let new = Adjustment {
        amount: params.integer("amount")?.ok_or_else(|| missing("amount"))?,
        currency: params.word("currency", Currency::parse)?.ok_or_else(|| missing("currency"))?,
        description: params.patch_text("description")?,
        metadata: params.metadata()?,
    };
    let call = call.ready(Shape::One(Kind::BalanceTransaction))?;
    change!(call, |tx| {
        let made = balance::adjust(tx, &call.who, &customer, new.clone()).await?;
        wire::balance_transaction(&call.who.tenant, &made)
    })
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let (customer, id) = (call.id.clone(), call.inner.clone());
    let call = call.ready(Shape::One(Kind::BalanceTransaction))?;
    let mut tx = call.read().await?;
    let found = balance::get(&mut tx, &call.who, &customer, &id).await?;
    call.show(&mut tx, wire::balance_transaction(&call.who.tenant, &found)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let (customer, id) = (call.id.clone(), call.inner.clone());
    let said = (call.params.patch_text("description")?, call.params.metadata()?);
    let call = call.ready(Shape::One(Kind::BalanceTransaction))?;
    change!(call, |tx| {
        let changed = balance::update(tx, &call.who, &customer, &id, said.clone()).await?;
        wire::balance_transaction(&call.who.tenant, &changed)
    })
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let customer = call.id.clone();
    let page = list::page(&mut call.params)?;
    let invoice = call.params.text("invoice")?;
    let call = call.ready(Shape::Many(Kind::BalanceTransaction))?;
    let mut tx = call.read().await?;
    let found = balance::list(&mut tx, &call.who, &customer, &page, invoice.as_deref()).await?;
    let url = format!("/v1/customers/{customer}/balance_transactions");
    call.show_list(&mut tx, &url, found, |t| wire::balance_transaction(&call.who.tenant, t)).await
}
