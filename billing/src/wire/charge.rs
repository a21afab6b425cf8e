//! Charges, one attempt each to get the money of an invoice, and mandates, the leave to debit an account.

use serde_json::{Value, json};

use super::with;
use crate::actor::Tenant;
use crate::customer::payment_method::mandate::Mandate;
use crate::customer::payment_method::{MethodType, PaymentMethod};
use crate::payment::charge::{AttemptStatus, Charge, refusal};

pub fn charge(tenant: &Tenant, c: &Charge) -> Value {
    let is_paid = c.status == AttemptStatus::Succeeded;
    let is_declined = c.status == AttemptStatus::Declined;
    let refusal = c.decline_code.as_deref().filter(|_| is_declined).map(refusal).unzip();
    let status = match c.status {
        AttemptStatus::Succeeded => "succeeded",
        AttemptStatus::Declined => "failed",
        AttemptStatus::Processing | AttemptStatus::Unknown | AttemptStatus::RequiresAction => "pending",
    };
    json!({
        "id": c.id,
        "object": "charge",
        "amount": c.amount,
        "amount_captured": if is_paid { c.amount } else { 0 },
        "amount_refunded": c.amount_refunded,
        "application": null,
        "application_fee": null,
        "application_fee_amount": null,
        "balance_transaction": null,
        "billing_details": c.method.as_ref().map(|m| with(json!(*m.billing_details), json!({ "tax_id": null }))),
        "calculated_statement_descriptor": null,
        "captured": is_paid,
        "created": c.created,
        "currency": c.currency,
        "customer": c.customer,
        "description": null,
        "disputed": false,
        "failure_balance_transaction": null,
        "failure_code": refusal.0,
        "failure_message": refusal.1,
        "fraud_details": {},
        "livemode": tenant.livemode,
        "metadata": {},
        "on_behalf_of": null,
        "outcome": outcome(c),
        "paid": is_paid,
        "payment_intent": c.payment_intent,
        "payment_method": c.payment_method,
        "payment_method_details": c.method.as_ref().map(|method| details(method, c.mandate.as_deref())),
        "receipt_email": null,
        "receipt_number": null,
        "receipt_url": c.receipt_url,
        "refunded": is_paid && c.amount_refunded == c.amount,
        "review": null,
        "shipping": null,
        "source": null,
        "source_transfer": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": status,
        "transfer_data": null,
        "transfer_group": null,
        // Legacy.
        "invoice": c.invoice,
    })
}

pub fn mandate(tenant: &Tenant, m: &Mandate) -> Value {
    let accepted = &m.acceptance;
    let how = if accepted.online { "online" } else { "offline" };
    let online = json!({ "ip_address": accepted.ip, "user_agent": accepted.user_agent });
    let acceptance = json!({
        "accepted_at": m.created,
        "type": how,
        how: if accepted.online { online } else { json!({}) },
    });
    let about = match m.method_type {
        // The reference that stands on the bank's statement; there is no page of the mandate itself.
        MethodType::SepaDebit => json!({ "reference": m.id.to_ascii_uppercase(), "url": "" }),
        MethodType::Card | MethodType::UsBankAccount | MethodType::MobileMoney => json!({}),
    };
    json!({
        "id": m.id,
        "object": "mandate",
        "customer_acceptance": acceptance,
        "livemode": tenant.livemode,
        "multi_use": {},
        "payment_method": m.payment_method,
        "payment_method_details": { "type": m.method_type, m.method_type.name(): about },
        "status": m.status,
        "type": "multi_use",
    })
}

/// What the processor said; nothing as long as it has not.
fn outcome(c: &Charge) -> Value {
    let (network, message, kind) = match c.status {
        AttemptStatus::Succeeded => ("approved_by_network", "Payment complete.", "authorized"),
        AttemptStatus::Declined => ("declined_by_network", "The bank did not approve this payment.", "issuer_declined"),
        AttemptStatus::Processing | AttemptStatus::Unknown | AttemptStatus::RequiresAction => return Value::Null,
    };
    json!({
        "advice_code": null,
        "network_advice_code": null,
        "network_decline_code": null,
        "network_status": network,
        "reason": c.decline_code,
        "seller_message": message,
        "type": kind,
    })
}

/// The method as it was charged. What the processors do not tell us is `null`.
fn details(m: &PaymentMethod, mandate: Option<&str>) -> Value {
    let d = &m.details;
    let inner = match m.r#type {
        MethodType::Card => json!({
            "amount_authorized": null,
            "authorization_code": null,
            "brand": d.brand,
            "checks": null,
            "country": d.country,
            "electronic_commerce_indicator": null,
            "exp_month": d.exp_month,
            "exp_year": d.exp_year,
            "fingerprint": m.fingerprint,
            "funding": d.funding.as_deref().unwrap_or("unknown"),
            "installments": null,
            "last4": d.last4,
            "mandate": null,
            "network": d.brand,
            "network_transaction_id": null,
            "regulated_status": null,
            "three_d_secure": null,
            "transaction_link_id": null,
            "wallet": null,
        }),
        MethodType::SepaDebit => json!({
            "bank_code": null,
            "branch_code": null,
            "country": d.country,
            "fingerprint": m.fingerprint,
            "last4": d.last4,
            "mandate": mandate,
        }),
        MethodType::UsBankAccount => with(
            json!({
                "account_holder_type": null,
                "account_type": null,
                "bank_name": d.brand,
                "fingerprint": m.fingerprint,
                "last4": d.last4,
                "payment_reference": null,
                "routing_number": null,
            }),
            // Left out rather than `null`, as Stripe does.
            mandate.map_or_else(|| json!({}), |mandate| json!({ "mandate": mandate })),
        ),
        // Ours: Stripe has no such type.
        MethodType::MobileMoney => json!({
            "country": d.country,
            "fingerprint": m.fingerprint,
            "last4": d.last4,
            "operator": d.brand,
        }),
    };
    json!({ "type": m.r#type, m.r#type.name(): inner })
}
