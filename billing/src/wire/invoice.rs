//! Invoices.

use serde_json::{Value, json};

use super::{named_rates, with};
use crate::actor::Tenant;
use crate::invoice::{BillTo, Invoice, Status};
use crate::subscription::CollectionMethod;

/// How many of its lines an invoice shows; the rest is read by pages.
const LINES_SHOWN: usize = 10;

pub fn invoice(tenant: &Tenant, i: &Invoice) -> Value {
    let to = &i.bill_to;
    let taken = i.discounts_taken();
    let discounts: Vec<&str> = taken.iter().map(|taken| taken.discount.as_str()).collect();
    let invoice = json!({
        "id": i.id,
        "object": "invoice",
        "account_country": to.account_country,
        "account_name": to.account_name,
        "account_tax_ids": null,
        "amount_due": i.amount_due,
        "amount_overpaid": i.amount_overpaid,
        "amount_paid": i.amount_paid,
        "amount_remaining": i.amount_remaining(),
        "amount_shipping": 0,
        "application": null,
        "attempt_count": i.attempt_count,
        "attempted": i.attempted,
        "auto_advance": i.auto_advance,
        "automatic_tax": automatic_tax(to.automatic_tax),
        "automatically_finalizes_at": i.next_payment_attempt.filter(|_| i.status == Status::Draft),
        "billing_reason": i.billing_reason,
        "collection_method": i.collection_method,
        "created": i.created,
        "currency": i.currency,
        "custom_fields": null,
        "customer": i.customer,
        "customer_account": null,
        "customer_address": to.address,
        "customer_email": to.email,
        "customer_name": to.name,
        "customer_phone": to.phone,
        "customer_shipping": to.shipping,
        "customer_tax_exempt": to.tax_exempt,
        "customer_tax_ids": tax_ids(to),
        "default_payment_method": i.default_payment_method,
        "default_source": null,
        "default_tax_rates": named_rates(tenant, &i.default_tax_rates),
        "description": i.description,
        "discounts": discounts,
        "due_date": i.due_date,
        "effective_at": i.finalized_at,
        "ending_balance": i.ending_balance,
        "footer": i.footer,
        "from_invoice": null,
        "hosted_invoice_url": i.hosted_invoice_url,
        "invoice_pdf": i.invoice_pdf,
        "issuer": { "type": "self" },
        "last_finalization_error": null,
        "latest_revision": null,
        "lines": lines(tenant, i),
        "livemode": tenant.livemode,
        "metadata": *i.metadata,
        "next_payment_attempt": i.next_payment_attempt.filter(|_| i.collection_method == CollectionMethod::ChargeAutomatically),
        "number": i.number,
        "on_behalf_of": null,
        "parent": parent(i),
        "payment_settings": {
            "default_mandate": null,
            "payment_method_options": null,
            "payment_method_types": null,
        },
        "period_end": i.period_end,
        "period_start": i.period_start,
        "post_payment_credit_notes_amount": i.post_payment_credit_notes,
        "pre_payment_credit_notes_amount": i.pre_payment_credit_notes,
        "receipt_number": null,
        "rendering": null,
        "shipping_cost": null,
        "shipping_details": null,
        "starting_balance": i.starting_balance,
        "statement_descriptor": null,
        "status": i.status,
        "status_transitions": {
            "finalized_at": i.finalized_at,
            "marked_uncollectible_at": i.marked_uncollectible_at,
            "paid_at": i.paid_at,
            "voided_at": i.voided_at,
        },
        "subtotal": i.subtotal,
        "subtotal_excluding_tax": i.total - i.tax + i.discount,
        "test_clock": i.clock_id,
        "total": i.total,
        "total_discount_amounts": super::line::discount_amounts(&taken),
        "total_excluding_tax": i.total - i.tax,
        "total_pretax_credit_amounts": [],
        "total_taxes": total_taxes(i),
        "webhooks_delivered_at": null,
    });
    with(invoice, legacy(i))
}

fn tax_ids(to: &BillTo) -> Vec<Value> {
    to.tax_ids.iter().map(|(kind, value)| json!({ "type": kind, "value": value })).collect()
}

fn lines(tenant: &Tenant, i: &Invoice) -> Value {
    let data = i.lines.iter().take(LINES_SHOWN).map(|line| super::line(tenant, line)).collect();
    super::list(&format!("/v1/invoices/{}/lines", i.id), data, i.more_lines || i.lines.len() > LINES_SHOWN)
}

fn automatic_tax(enabled: bool) -> Value {
    json!({
        "disabled_reason": null,
        "enabled": enabled,
        "liability": enabled.then(|| json!({ "type": "self" })),
        "provider": null,
        "status": enabled.then_some("complete"),
    })
}

/// The lines' taxes, those of one rate and reason together, in the order they first stand on a line.
fn total_taxes(i: &Invoice) -> Vec<Value> {
    let mut totals: Vec<Value> = Vec::new();
    let amount = |tax: &Value, name: &str| tax[name].as_i64().unwrap_or_default();
    for tax in i.lines.iter().filter_map(|line| line.taxes.as_array()).flatten() {
        let same = |total: &&mut Value| {
            ["tax_rate_details", "tax_behavior", "taxability_reason"].iter().all(|name| total[*name] == tax[*name])
        };
        match totals.iter_mut().find(same) {
            None => totals.push(tax.clone()),
            Some(total) => {
                for name in ["amount", "taxable_amount"] {
                    total[name] = (amount(total, name) + amount(tax, name)).into();
                }
            }
        }
    }
    totals
}

/// Taxes as older SDKs read them.
pub(super) fn tax_amounts(taxes: &Value) -> Vec<Value> {
    let each = taxes.as_array().into_iter().flatten().map(|tax| {
        json!({
            "amount": tax["amount"],
            "inclusive": tax["tax_behavior"] == "inclusive",
            "tax_rate": tax["tax_rate_details"]["tax_rate"],
            "taxability_reason": tax["taxability_reason"],
            "taxable_amount": tax["taxable_amount"],
        })
    });
    each.collect()
}

fn parent(i: &Invoice) -> Value {
    let Some(subscription) = &i.subscription else { return Value::Null };
    json!({
        "quote_details": null,
        "subscription_details": { "metadata": i.bill_to.subscription_metadata, "subscription": subscription },
        "type": "subscription_details",
    })
}

fn legacy(i: &Invoice) -> Value {
    json!({
        "application_fee_amount": null,
        "discount": null,
        "paid": i.status == Status::Paid,
        "paid_out_of_band": i.paid_out_of_band,
        "payment_intent": i.payment_intent,
        "quote": null,
        "subscription": i.subscription,
        "subscription_details": i.subscription.as_ref().map(|_| json!({ "metadata": i.bill_to.subscription_metadata })),
        "tax": i.tax,
        "total_tax_amounts": tax_amounts(&Value::from(total_taxes(i))),
        "transfer_data": null,
    })
}
