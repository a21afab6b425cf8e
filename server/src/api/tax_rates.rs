//! Tax rates: create, retrieve, update, list.

use billing::catalog::tax_rate::{self, PLACES, TaxRateFilter, TaxType};
use billing::catalog::{NewTaxRate, TaxRateUpdate};
use billing::{Decimal, Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;
use super::params::{Params, missing};

pub async fn create(mut call: Call) -> Result<Reply> {
    let new = read_new(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::TaxRate))?;
    change!(call, |tx| wire::tax_rate(&call.who.tenant, &tax_rate::create(tx, &call.who, new.clone()).await?))
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::TaxRate))?;
    let mut tx = call.read().await?;
    let rate = tax_rate::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::tax_rate(&call.who.tenant, &rate)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let update = read_update(&mut call.params)?;
    let update = TaxRateUpdate { display_name: call.params.text("display_name")?, ..update };
    let call = call.ready(Shape::One(Kind::TaxRate))?;
    change!(call, |tx| wire::tax_rate(&call.who.tenant, &tax_rate::update(tx, &call.who, &id, update.clone()).await?))
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let page = list::page(params)?;
    let filter = TaxRateFilter { active: params.boolean("active")?, inclusive: params.boolean("inclusive")? };
    let call = call.ready(Shape::Many(Kind::TaxRate))?;
    let mut tx = call.read().await?;
    let found = tax_rate::list(&mut tx, &call.who, &page, &filter).await?;
    call.show_list(&mut tx, "/v1/tax_rates", found, |rate| wire::tax_rate(&call.who.tenant, rate)).await
}

fn read_new(params: &mut Params) -> Result<NewTaxRate> {
    let percentage = params.word("percentage", |text, param| Decimal::parse(text, PLACES, param))?;
    Ok(NewTaxRate {
        display_name: params.required_text("display_name")?,
        inclusive: params.boolean("inclusive")?.ok_or_else(|| missing("inclusive"))?,
        percentage: percentage.ok_or_else(|| missing("percentage"))?,
        fields: read_update(params)?,
    })
}

fn read_update(params: &mut Params) -> Result<TaxRateUpdate> {
    Ok(TaxRateUpdate {
        active: params.boolean("active")?,
        display_name: None,
        description: params.patch_text("description")?,
        country: params.patch_text("country")?,
        state: params.patch_text("state")?,
        jurisdiction: params.patch_text("jurisdiction")?,
        tax_type: params.patch_word("tax_type", TaxType::parse)?,
        metadata: params.metadata()?,
    })
}
