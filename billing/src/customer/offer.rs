//! The discount that a customer has on everything without one of its own.

use crate::actor::Actor;
use crate::customer::{Customer, CustomerUpdate, get};
use crate::discount::redeem::{self, Redemption};
use crate::discount::{Discount, Holder, Wanted, record};
use crate::error::{Error, Result};
use crate::patch::Patch;
use crate::store::Tx;

pub(super) async fn load(tx: &mut Tx, who: &Actor, customer: &mut Customer) -> Result<()> {
    customer.discount = record::on(tx, who, &customer.id, Holder::Customer).await?.pop();
    Ok(())
}

/// Puts a discount on everything of a customer's, in place of the one there is.
pub(super) async fn redeem(tx: &mut Tx, who: &Actor, customer: &mut Customer, wanted: Patch<Wanted>) -> Result<()> {
    let redemption = Redemption {
        customer: &customer.id,
        holder: Holder::Customer,
        currency: customer.currency.as_ref(),
        amount: None,
        now: super::now(tx, who, customer).await?,
        param: "discounts",
        replaces: None,
    };
    // The parameter is older than lists of discounts, and has no place in one.
    let wanted = wanted.map(|one| vec![one]);
    let param = |error: Error| match error {
        Error::Invalid { ref param, .. } | Error::Missing { ref param, .. } if param.ends_with("[promotion_code]") => {
            error.on("promotion_code")
        }
        other => other.on("coupon"),
    };
    let set = redeem::set(tx, who, redemption, &wanted).await.map_err(param)?;
    customer.discount = set.into_iter().next();
    Ok(())
}

/// Takes the customer's discount away. `Missing` where there is none.
pub async fn remove(tx: &mut Tx, who: &Actor, id: &str) -> Result<Discount> {
    let customer = get(tx, who, id).await?;
    let discount = customer.discount.ok_or_else(|| Error::missing("discount", id))?;
    let update = CustomerUpdate { discount: Patch::Clear, ..CustomerUpdate::default() };
    super::update(tx, who, id, update).await?;
    Ok(discount)
}
