//! Invoice lines.

use serde_json::{Value, json};

use super::{named_rates, with};
use crate::actor::Tenant;
use crate::invoice::{InvoiceItem, Line, Taken};

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

pub fn discount_amounts(taken: &[Taken]) -> Vec<Value> {
    taken.iter().map(|taken| json!({ "amount": taken.amount, "discount": taken.discount })).collect()
}

fn own_discounts(l: &Line) -> Vec<&str> {
    l.discount_amounts.iter().filter(|taken| taken.own).map(|taken| taken.discount.as_str()).collect()
}

pub fn invoice_item(tenant: &Tenant, i: &InvoiceItem) -> Value {
    let price = i.priced.as_ref();
    let unit = price.and_then(|price| price.unit_amount_decimal).or(i.unit_amount);
    let item = json!({
        "id": i.id,
        "object": "invoiceitem",
        "amount": i.amount,
        "currency": i.currency,
        "customer": i.customer,
        "customer_account": null,
        "date": i.created,
        "description": i.description.as_ref().or(i.product_name.as_ref()),
        "discountable": i.discountable,
        "discounts": super::discounts(&i.discounts),
        "invoice": i.invoice,
        "livemode": tenant.livemode,
        "metadata": *i.metadata,
        "net_amount": i.amount,
        "parent": i.subscription.as_ref().map(|subscription| json!({
            "subscription_details": { "subscription": subscription, "subscription_item": i.subscription_item },
            "type": "subscription_details",
        })),
        "period": { "end": i.period_end, "start": i.period_start },
        "pricing": price.map(|price| json!({
            "price_details": { "price": price.id, "product": price.product },
            "type": "price_details",
            "unit_amount_decimal": unit,
        })),
        "proration": i.proration,
        "quantity": i.quantity,
        "quantity_decimal": i.quantity.to_string(),
        "tax_rates": named_rates(tenant, &i.tax_rates),
        "test_clock": i.clock_id,
    });
    let legacy = json!({
        "plan": null,
        "price": price.map(|price| super::price(tenant, price)),
        "subscription": i.subscription,
        "unit_amount": unit.and_then(crate::Decimal::as_whole),
        "unit_amount_decimal": unit,
    });
    with(item, legacy)
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

/// A credit names the line that it gives back, where that stood on an invoice.
fn proration_details(l: &Line) -> Value {
    let credited = l.details.as_deref().filter(|_| l.amount < 0).map(|details| &details["settles"]["line"]);
    let credited = credited
        .filter(|line| line.is_object())
        .map(|line| json!({ "invoice": line["invoice"], "invoice_line_items": [line["line"]] }));
    if l.proration { json!({ "credited_items": credited }) } else { Value::Null }
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
