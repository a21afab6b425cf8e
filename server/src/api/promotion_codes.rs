//! Promotion codes: create, retrieve, update, list.

use billing::catalog::NewPromotionCode;
use billing::catalog::promotion_code::{self, PromotionCodeFilter, PromotionCodeUpdate, Restrictions};
use billing::{Currency, Error, Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;
use super::params::{Params, missing};

pub async fn create(mut call: Call) -> Result<Reply> {
    let new = read_new(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::PromotionCode))?;
    change!(call, |tx| {
        let code = promotion_code::create(tx, &call.who, new.clone()).await?;
        wire::promotion_code(&call.who.tenant, &code, tx.now.seconds())
    })
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::PromotionCode))?;
    let mut tx = call.read().await?;
    let code = promotion_code::get(&mut tx, &call.who, &id).await?;
    let now = tx.now.seconds();
    call.show(&mut tx, wire::promotion_code(&call.who.tenant, &code, now)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let params = &mut call.params;
    params.unsupported(&["restrictions"])?;
    let update = PromotionCodeUpdate { active: params.boolean("active")?, metadata: params.metadata()? };
    let call = call.ready(Shape::One(Kind::PromotionCode))?;
    change!(call, |tx| {
        let code = promotion_code::update(tx, &call.who, &id, update.clone()).await?;
        wire::promotion_code(&call.who.tenant, &code, tx.now.seconds())
    })
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let page = list::page(params)?;
    let filter = PromotionCodeFilter {
        active: params.boolean("active")?,
        code: params.text("code")?,
        coupon: params.text("coupon")?,
        customer: params.text("customer")?,
    };
    params.unsupported(&["customer_account"])?;
    let call = call.ready(Shape::Many(Kind::PromotionCode))?;
    let mut tx = call.read().await?;
    let found = promotion_code::list(&mut tx, &call.who, &page, &filter).await?;
    let now = tx.now.seconds();
    let render = |code: &_| wire::promotion_code(&call.who.tenant, code, now);
    call.show_list(&mut tx, "/v1/promotion_codes", found, render).await
}

fn read_new(params: &mut Params) -> Result<NewPromotionCode> {
    params.unsupported(&["customer_account"])?;
    Ok(NewPromotionCode {
        coupon: read_coupon(params)?,
        code: params.text("code")?,
        active: params.boolean("active")?.unwrap_or(true),
        customer: params.text("customer")?,
        restrictions: params.object("restrictions", read_restrictions)?.unwrap_or_default(),
        max_redemptions: params.integer("max_redemptions")?,
        expires_at: params.timestamp("expires_at")?,
        metadata: params.metadata()?,
    })
}

/// `promotion[coupon]`, or `coupon` as older SDKs send it.
fn read_coupon(params: &mut Params) -> Result<String> {
    let promotion = params.object("promotion", |promotion| {
        promotion.fixed("type", &["coupon"])?;
        promotion.required_text("coupon")
    })?;
    match (promotion, params.text("coupon")?) {
        (Some(_), Some(_)) => {
            Err(Error::invalid("coupon", "You may only specify one of these parameters: promotion, coupon."))
        }
        (promotion, coupon) => promotion.or(coupon).ok_or_else(|| missing("promotion")),
    }
}

fn read_restrictions(params: &mut Params) -> Result<Restrictions> {
    params.unsupported(&["currency_options"])?;
    Ok(Restrictions {
        first_time_transaction: params.boolean("first_time_transaction")?.unwrap_or(false),
        minimum_amount: params.integer("minimum_amount")?,
        minimum_amount_currency: params.word("minimum_amount_currency", Currency::parse)?,
    })
}
