//! What is taken off prices and added to them: coupons, promotion codes, tax rates.

use serde_json::{Value, json};

use super::with;
use crate::actor::Tenant;
use crate::catalog::tax_rate::Named;
use crate::catalog::{Coupon, PromotionCode, TaxRate};
use crate::clock::Seconds;
use crate::decimal::Decimal;
use crate::discount::Discount;

/// A coupon as it is at an instant.
pub fn coupon(tenant: &Tenant, c: &Coupon, now: Seconds) -> Value {
    coupon_that_is(c.is_valid(now), tenant, c)
}

fn coupon_that_is(valid: bool, tenant: &Tenant, c: &Coupon) -> Value {
    let mut coupon = json!({
        "id": c.id,
        "object": "coupon",
        "amount_off": c.amount_off,
        "created": c.created,
        "currency": c.currency,
        "duration": c.duration,
        "duration_in_months": c.duration_in_months,
        "livemode": tenant.livemode,
        "max_redemptions": c.max_redemptions,
        "metadata": *c.metadata,
        "name": c.name,
        "percent_off": c.percent_off.and_then(Decimal::number),
        "redeem_by": c.redeem_by,
        "times_redeemed": c.times_redeemed,
        "valid": valid,
    });
    // Stripe shows it where it is asked for; events and the audit log must have it always.
    if let Some(products) = &c.applies_to {
        coupon["applies_to"] = json!({ "products": **products });
    }
    coupon
}

/// A promotion code as it is at an instant.
pub fn promotion_code(tenant: &Tenant, p: &PromotionCode, now: Seconds) -> Value {
    json!({
        "id": p.id,
        "object": "promotion_code",
        "active": p.is_active(now),
        "code": p.code,
        "created": p.created,
        "customer": p.customer,
        "customer_account": null,
        "expires_at": p.expires_at,
        "livemode": tenant.livemode,
        "max_redemptions": p.max_redemptions,
        "metadata": *p.metadata,
        "promotion": { "coupon": p.coupon, "type": "coupon" },
        "restrictions": {
            "first_time_transaction": p.restrictions.first_time_transaction,
            "minimum_amount": p.restrictions.minimum_amount,
            "minimum_amount_currency": p.restrictions.minimum_amount_currency,
        },
        "times_redeemed": p.times_redeemed,
        // Legacy: the coupon itself, where `promotion` has its id.
        "coupon": p.promoted.as_ref().map(|c| coupon(tenant, c, now)),
    })
}

pub fn discount(tenant: &Tenant, d: &Discount) -> Value {
    json!({
        "id": d.id,
        "object": "discount",
        "checkout_session": null,
        "customer": d.customer,
        "customer_account": null,
        "end": d.ends,
        "invoice": d.invoice,
        "invoice_item": d.invoice_item,
        "promotion_code": d.promotion_code,
        "source": { "coupon": d.coupon, "type": "coupon" },
        "start": d.starts,
        "subscription": d.subscription,
        "subscription_item": d.subscription_item,
        // Legacy: the coupon itself, where `source` has its id.
        "coupon": d.redeemed.as_ref().map(|c| coupon_that_is(d.valid, tenant, c)),
    })
}

/// One that was just taken away.
pub fn deleted_discount(tenant: &Tenant, d: &Discount) -> Value {
    with(discount(tenant, d), json!({ "deleted": true }))
}

/// Their ids, as what they are on names them.
pub(super) fn discounts(discounts: &[Discount]) -> Vec<&str> {
    discounts.iter().map(|discount| discount.id.as_str()).collect()
}

/// The rates that something names.
pub(super) fn named_rates(tenant: &Tenant, named: &[Named]) -> Vec<Value> {
    named.iter().filter_map(|named| named.rate.as_ref()).map(|rate| tax_rate(tenant, rate)).collect()
}

pub fn tax_rate(tenant: &Tenant, r: &TaxRate) -> Value {
    json!({
        "id": r.id,
        "object": "tax_rate",
        "active": r.active,
        "country": r.country,
        "created": r.created,
        "description": r.description,
        "display_name": r.display_name,
        "effective_percentage": null,
        "flat_amount": null,
        "inclusive": r.inclusive,
        "jurisdiction": r.jurisdiction,
        "jurisdiction_level": null,
        "livemode": tenant.livemode,
        "metadata": *r.metadata,
        "percentage": r.percentage.number(),
        "rate_type": null,
        "state": r.state,
        "tax_type": r.tax_type,
    })
}
