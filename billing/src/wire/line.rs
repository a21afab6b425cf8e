//! Invoice lines.

use serde_json::{Value, json};

use super::with;
use crate::actor::Tenant;
use crate::invoice::{Line, Taken};

pub fn line(tenant: &Tenant, l: &Line) -> Value {
    let line = json!({
        "id": l.id,
        "object": "line_item",
        "amount": l.amount,
        "currency": l.currency,
        "description": l.description,
        "discount_amounts": discount_amounts(&l.discount_amounts),
        "discountable": l.discountable,
        "discounts": own_discounts(l),
        "invoice": l.invoice,
        "livemode": tenant.livemode,
        "metadata": *l.metadata,
        "parent": parent(l),
        "period": { "end": l.period_end, "start": l.period_start },
        "pretax_credit_amounts": [],
        "pricing": pricing(l),
        "quantity": l.quantity,
        "quantity_decimal": l.quantity.to_string(),
        "subscription": l.subscription,
        "subtotal": l.amount,
        "taxes": *l.taxes,
    });
    with(line, legacy(tenant, l))
}

pub(super) fn discount_amounts(taken: &[Taken]) -> Vec<Value> {
    taken.iter().map(|taken| json!({ "amount": taken.amount, "discount": taken.discount })).collect()
}

fn own_discounts(l: &Line) -> Vec<&str> {
    l.discount_amounts.iter().filter(|taken| taken.own).map(|taken| taken.discount.as_str()).collect()
}

fn parent(l: &Line) -> Value {
    match (&l.subscription_item, &l.invoice_item) {
        (Some(item), invoice_item) => json!({
            "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": invoice_item,
                "proration": l.proration,
                "proration_details": proration_details(l),
                "subscription": l.subscription,
                "subscription_item": item,
            },
            "type": "subscription_item_details",
        }),
        (None, Some(item)) => json!({
            "invoice_item_details": {
                "invoice_item": item,
                "proration": l.proration,
                "proration_details": proration_details(l),
                "subscription": l.subscription,
            },
            "subscription_item_details": null,
            "type": "invoice_item_details",
        }),
        (None, None) => Value::Null,
    }
}

fn proration_details(l: &Line) -> Value {
    if l.proration { json!({ "credited_items": null }) } else { Value::Null }
}

fn pricing(l: &Line) -> Value {
    let Some(price) = &l.priced else { return Value::Null };
    json!({
        "price_details": { "price": price.id, "product": price.product },
        "type": "price_details",
        "unit_amount_decimal": price.unit_amount_decimal,
    })
}

fn legacy(tenant: &Tenant, l: &Line) -> Value {
    json!({
        "invoice_item": l.invoice_item,
        "plan": l.priced.as_ref().map(|price| super::plan(tenant, price)),
        "price": l.priced.as_ref().map(|price| super::price(tenant, price)),
        "proration": l.proration,
        "proration_details": proration_details(l),
        "subscription_item": l.subscription_item,
        "tax_amounts": super::tax_amounts(&l.taxes),
        "tax_rates": [],
        "type": if l.subscription_item.is_some() { "subscription" } else { "invoiceitem" },
    })
}
