//! Discounts: how parameters ask for them, and how they are taken off customers and subscriptions.

use billing::discount::Wanted;
use billing::{Error, Patch, Result, customer, subscription, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::params::{Params, missing};

/// `discounts[]`, each a coupon, a promotion code or a discount there is already; or, as older SDKs say it, one
/// `coupon` or `promotion_code`.
pub fn read(params: &mut Params) -> Result<Patch<Vec<Wanted>>> {
    let discounts = params.patch_objects("discounts", read_one)?;
    match (discounts, read_older(params)?) {
        (discounts, Patch::Keep) => Ok(discounts),
        (Patch::Keep, older) => Ok(older.map(|one| vec![one])),
        _ => Err(Error::invalid(
            "discounts",
            "You may only specify one of these parameters: discounts, coupon, promotion_code.",
        )),
    }
}

/// One `coupon` or `promotion_code`.
pub fn read_older(params: &mut Params) -> Result<Patch<Wanted>> {
    let coupon = params.patch_text("coupon")?.map(Wanted::Coupon);
    let code = params.patch_text("promotion_code")?.map(Wanted::PromotionCode);
    match (coupon, code) {
        (coupon, Patch::Keep) => Ok(coupon),
        (Patch::Keep, code) => Ok(code),
        _ => Err(Error::invalid("coupon", "You may only specify one of these parameters: coupon, promotion_code.")),
    }
}

pub fn read_one(params: &mut Params) -> Result<Wanted> {
    let coupon = params.text("coupon")?.map(Wanted::Coupon);
    let code = params.text("promotion_code")?.map(Wanted::PromotionCode);
    let existing = params.text("discount")?.map(Wanted::Existing);
    let mut given = [coupon, code, existing].into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(missing(params.name("coupon"))),
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: coupon, promotion_code, discount.";
            Err(Error::invalid(params.name("coupon"), message))
        }
    }
}

pub async fn delete_of_customer(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Discount))?;
    change!(call, |tx| wire::deleted_discount(&call.who.tenant, &customer::offer::remove(tx, &call.who, &id).await?))
}

pub async fn delete_of_subscription(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Discount))?;
    change!(call, |tx| wire::deleted_discount(
        &call.who.tenant,
        &subscription::discounts::remove(tx, &call.who, &id).await?
    ))
}
