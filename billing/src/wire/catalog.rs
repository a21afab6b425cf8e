//! Products, prices, and prices as the plans that older SDKs know.

use serde_json::{Value, json};

use crate::actor::Tenant;
use crate::catalog::cost::Tier;
use crate::catalog::{Price, Product};
use crate::decimal::Decimal;

pub fn product(tenant: &Tenant, p: &Product) -> Value {
    let features: Vec<Value> = p.marketing_features.iter().map(|name| json!({ "name": name })).collect();
    json!({
        "id": p.id,
        "object": "product",
        "active": p.active,
        "created": p.created,
        "default_price": p.default_price,
        "description": p.description,
        "images": *p.images,
        "livemode": tenant.livemode,
        "marketing_features": features,
        "metadata": *p.metadata,
        "name": p.name,
        "package_dimensions": p.package_dimensions.as_deref(),
        "shippable": p.shippable,
        "statement_descriptor": p.statement_descriptor,
        "tax_code": p.tax_code,
        "tax_details": p.tax_code.as_ref().map(|code| json!({ "performance_location": null, "tax_code": code })),
        "type": "service",
        "unit_label": p.unit_label,
        "updated": p.updated,
        "url": p.url,
        // Ours.
        "external_id": p.external_id,
    })
}

pub fn price(tenant: &Tenant, p: &Price) -> Value {
    let mut price = json!({
        "id": p.id,
        "object": "price",
        "active": p.active,
        "billing_scheme": p.billing_scheme,
        "created": p.created,
        "currency": p.currency,
        "custom_unit_amount": null,
        "livemode": tenant.livemode,
        "lookup_key": p.lookup_key,
        "metadata": *p.metadata,
        "nickname": p.nickname,
        "product": p.product,
        "recurring": recurring(p),
        "tax_behavior": p.tax_behavior,
        "tiers_mode": p.tiers_mode,
        "transform_quantity": p.transform_quantity.as_deref(),
        "type": p.r#type,
        "unit_amount": p.unit_amount,
        "unit_amount_decimal": p.unit_amount_decimal,
        // Ours.
        "external_id": p.external_id,
    });
    // Stripe shows them where they are asked for; events and the audit log must have them always.
    if let Some(tiers) = &p.tiers {
        price["tiers"] = tiers.iter().map(tier).collect();
    }
    price
}

fn tier(tier: &Tier) -> Value {
    json!({
        "flat_amount": tier.flat_amount.and_then(Decimal::as_whole),
        "flat_amount_decimal": tier.flat_amount,
        "unit_amount": tier.unit_amount.and_then(Decimal::as_whole),
        "unit_amount_decimal": tier.unit_amount,
        "up_to": tier.up_to,
    })
}

fn recurring(p: &Price) -> Value {
    let Some(every) = p.recurring() else { return Value::Null };
    json!({
        "interval": every.interval,
        "interval_count": every.count,
        "meter": null,
        "trial_period_days": p.trial_period_days,
        "usage_type": "licensed",
    })
}

/// A recurring price as a plan; `null` for any other.
pub fn plan(tenant: &Tenant, p: &Price) -> Value {
    let Some(every) = p.recurring() else { return Value::Null };
    json!({
        "id": p.id,
        "object": "plan",
        "active": p.active,
        "aggregate_usage": null,
        "amount": p.unit_amount,
        "amount_decimal": p.unit_amount_decimal,
        "billing_scheme": p.billing_scheme,
        "created": p.created,
        "currency": p.currency,
        "interval": every.interval,
        "interval_count": every.count,
        "livemode": tenant.livemode,
        "metadata": *p.metadata,
        "meter": null,
        "nickname": p.nickname,
        "product": p.product,
        "tiers_mode": p.tiers_mode,
        "transform_usage": p.transform_quantity.as_deref(),
        "trial_period_days": p.trial_period_days,
        "usage_type": "licensed",
    })
}
