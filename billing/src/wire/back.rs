//! What is given back: refunds, credit notes and their lines.

use serde_json::{Value, json};

use super::with;
use crate::actor::Tenant;
use crate::credit_note::{CreditNote, NoteLine};
use crate::refund::{Refund, Status};

/// How many of its lines a note shows; the rest is read by pages.
const LINES_SHOWN: usize = 10;

pub fn refund(_: &Tenant, r: &Refund) -> Value {
    let refund = json!({
        "id": r.id,
        "object": "refund",
        "amount": r.amount,
        "balance_transaction": null,
        "charge": r.payment_attempt,
        "created": r.created,
        "currency": r.currency,
        "customer": r.customer,
        "customer_account": null,
        "metadata": *r.metadata,
        "payment_intent": r.payment_intent,
        "payment_method": r.payment_method,
        "reason": r.reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": r.status,
        "transfer_reversal": null,
    });
    match (r.status, &r.failure_reason) {
        (Status::Pending, _) => with(refund, json!({ "pending_reason": "processing" })),
        (_, Some(reason)) => with(refund, json!({ "failure_reason": reason })),
        _ => refund,
    }
}

pub fn credit_note(tenant: &Tenant, n: &CreditNote) -> Value {
    let data = n.lines.iter().take(LINES_SHOWN).map(|line| credit_note_line(tenant, line)).collect();
    let refund = n.refund.as_ref().map(|refund| {
        json!({ "amount_refunded": n.refunded, "payment_record_refund": null, "refund": refund, "type": "refund" })
    });
    let note = json!({
        "id": n.id,
        "object": "credit_note",
        "amount": n.total,
        "amount_shipping": 0,
        "created": n.created,
        "currency": n.currency,
        "customer": n.customer,
        "customer_account": null,
        "customer_balance_transaction": n.balance_transaction,
        "discount_amount": n.discount,
        "discount_amounts": added_up(n, |line| &line.discount_amounts, &["discount"], &["amount"]),
        "effective_at": n.created,
        "invoice": n.invoice,
        "lines": super::list(&format!("/v1/credit_notes/{}/lines", n.id), data, n.lines.len() > LINES_SHOWN),
        "livemode": tenant.livemode,
        "memo": n.memo,
        "metadata": *n.metadata,
        "number": n.number,
        "out_of_band_amount": (n.out_of_band > 0).then_some(n.out_of_band),
        // A string in any case: empty where nobody reaches the portal.
        "pdf": n.pdf.as_deref().unwrap_or_default(),
        "post_payment_amount": n.post_payment(),
        "pre_payment_amount": n.pre_payment(),
        "pretax_credit_amounts": [],
        "reason": n.reason,
        "refunds": refund.into_iter().collect::<Vec<_>>(),
        "shipping_cost": null,
        "status": n.status,
        "subtotal": n.subtotal,
        "subtotal_excluding_tax": n.total - n.tax + n.discount,
        "total": n.total,
        "total_excluding_tax": n.total - n.tax,
        "total_taxes": added_up(
            n,
            |line| &line.taxes,
            &["tax_rate_details", "tax_behavior", "taxability_reason"],
            &["amount", "taxable_amount"],
        ),
        "type": n.r#type,
        "voided_at": n.voided_at,
    });
    with(note, json!({ "refund": n.refund }))
}

/// The lines' entries, those that are the same by `names` together, in the order they first stand on a line.
fn added_up(n: &CreditNote, of: impl Fn(&NoteLine) -> &Value, names: &[&str], sums: &[&str]) -> Vec<Value> {
    let mut totals: Vec<Value> = Vec::new();
    for entry in n.lines.iter().filter_map(|line| of(line).as_array()).flatten() {
        match totals.iter_mut().find(|total| names.iter().all(|name| total[*name] == entry[*name])) {
            None => totals.push(entry.clone()),
            Some(total) => {
                for name in sums {
                    let amount = |value: &Value| value[*name].as_i64().unwrap_or_default();
                    total[*name] = (amount(total) + amount(entry)).into();
                }
            }
        }
    }
    totals
}

pub fn credit_note_line(tenant: &Tenant, l: &NoteLine) -> Value {
    let line = json!({
        "id": l.id,
        "object": "credit_note_line_item",
        "amount": l.amount,
        "description": l.description,
        "discount_amount": l.discount,
        "discount_amounts": *l.discount_amounts,
        "livemode": tenant.livemode,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": l.quantity,
        "tax_rates": [],
        "taxes": *l.taxes,
        "type": if l.invoice_line.is_some() { "invoice_line_item" } else { "custom_line_item" },
        "unit_amount": l.unit_amount.and_then(crate::Decimal::as_whole),
        "unit_amount_decimal": l.unit_amount,
    });
    match &l.invoice_line {
        Some(id) => with(line, json!({ "invoice_line_item": id })),
        None => line,
    }
}
