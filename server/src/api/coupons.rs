//! Coupons: create, retrieve, update, delete, list.

use billing::catalog::coupon;
use billing::catalog::{CouponUpdate, NewCoupon};
use billing::decimal::{Decimal, PLACES};
use billing::discount::Duration;
use billing::{Currency, Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;
use super::params::Params;

pub async fn create(mut call: Call) -> Result<Reply> {
    let new = read_new(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::Coupon))?;
    change!(call, |tx| {
        let coupon = coupon::create(tx, &call.who, new.clone()).await?;
        wire::coupon(&call.who.tenant, &coupon, tx.now.seconds())
    })
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Coupon))?;
    let mut tx = call.read().await?;
    let coupon = coupon::get(&mut tx, &call.who, &id).await?;
    let now = tx.now.seconds();
    call.show(&mut tx, wire::coupon(&call.who.tenant, &coupon, now)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let update = read_update(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::Coupon))?;
    change!(call, |tx| {
        let coupon = coupon::update(tx, &call.who, &id, update.clone()).await?;
        wire::coupon(&call.who.tenant, &coupon, tx.now.seconds())
    })
}

pub async fn delete(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Coupon))?;
    change!(call, |tx| {
        coupon::delete(tx, &call.who, &id).await?;
        wire::deleted("coupon", &id)
    })
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let page = list::page(&mut call.params)?;
    let call = call.ready(Shape::Many(Kind::Coupon))?;
    let mut tx = call.read().await?;
    let found = coupon::list(&mut tx, &call.who, &page).await?;
    let now = tx.now.seconds();
    call.show_list(&mut tx, "/v1/coupons", found, |coupon| wire::coupon(&call.who.tenant, coupon, now)).await
}

fn read_new(params: &mut Params) -> Result<NewCoupon> {
    Ok(NewCoupon {
        id: params.text("id")?,
        percent_off: params.word("percent_off", |text, param| Decimal::parse(text, PLACES, param))?,
        amount_off: params.integer("amount_off")?,
        currency: params.word("currency", Currency::parse)?,
        duration: params.word("duration", Duration::parse)?.unwrap_or(Duration::Once),
        duration_in_months: params.integer("duration_in_months")?,
        applies_to: params.object("applies_to", |applies| applies.texts("products"))?.flatten(),
        max_redemptions: params.integer("max_redemptions")?,
        redeem_by: params.timestamp("redeem_by")?,
        fields: read_update(params)?,
    })
}

fn read_update(params: &mut Params) -> Result<CouponUpdate> {
    params.unsupported(&["currency_options", "script"])?;
    Ok(CouponUpdate { name: params.patch_text("name")?, metadata: params.metadata()? })
}
