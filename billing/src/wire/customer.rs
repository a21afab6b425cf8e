//! Customers, their tax IDs and their payment methods.

use serde_json::{Value, json};

use super::with;
use crate::actor::Tenant;
use crate::customer::Customer;
use crate::customer::balance::BalanceTransaction;
use crate::customer::payment_method::{MethodType, PaymentMethod};
use crate::customer::tax_id::TaxId;

pub fn customer(tenant: &Tenant, c: &Customer) -> Value {
    json!({
        "id": c.id,
        "object": "customer",
        "address": c.address.as_deref(),
        "balance": c.balance,
        "created": c.created,
        "currency": c.currency,
        "customer_account": null,
        "default_source": null,
        "delinquent": c.delinquent,
        "description": c.description,
        "discount": c.discount.as_ref().map(|discount| super::discount(tenant, discount)),
        "email": c.email,
        "invoice_prefix": c.invoice_prefix,
        "invoice_settings": {
            "custom_fields": c.invoice_settings.custom_fields,
            "default_payment_method": c.default_payment_method,
            "footer": c.invoice_settings.footer,
            "rendering_options": null,
        },
        "livemode": tenant.livemode,
        "metadata": *c.metadata,
        "name": c.name,
        "next_invoice_sequence": c.next_invoice_sequence,
        "phone": c.phone,
        "preferred_locales": *c.preferred_locales,
        "shipping": c.shipping.as_deref(),
        "tax_exempt": c.tax_exempt,
        "test_clock": c.clock_id,
        // Ours.
        "external_id": c.external_id,
    })
}

pub fn balance_transaction(tenant: &Tenant, t: &BalanceTransaction) -> Value {
    json!({
        "id": t.id,
        "object": "customer_balance_transaction",
        "amount": t.amount,
        "checkout_session": null,
        "created": t.created,
        "credit_note": t.credit_note,
        "currency": t.currency,
        "customer": t.customer,
        "customer_account": null,
        "description": t.description,
        "ending_balance": t.ending_balance,
        "invoice": t.invoice,
        "livemode": tenant.livemode,
        "metadata": *t.metadata,
        "type": t.r#type,
    })
}

/// What is left of a deleted object.
pub fn deleted(object: &str, id: &str) -> Value {
    json!({ "id": id, "object": object, "deleted": true })
}

pub fn tax_id(tenant: &Tenant, t: &TaxId) -> Value {
    json!({
        "id": t.id,
        "object": "tax_id",
        "country": t.country,
        "created": t.created,
        "customer": t.customer,
        "customer_account": null,
        "livemode": tenant.livemode,
        "owner": { "customer": t.customer, "customer_account": null, "type": "customer" },
        "type": t.r#type,
        "value": t.value,
        "verification": {
            "status": t.verification,
            "verified_address": t.verified_address,
            "verified_name": t.verified_name,
        },
    })
}

pub fn payment_method(tenant: &Tenant, m: &PaymentMethod) -> Value {
    let method = json!({
        "id": m.id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": with(json!(*m.billing_details), json!({ "tax_id": null })),
        "created": m.created,
        "customer": m.customer,
        "customer_account": null,
        "livemode": tenant.livemode,
        "metadata": *m.metadata,
        "type": m.r#type,
    });
    with(method, json!({ m.r#type.name(): details(m) }))
}

/// The object under the method's type. What the processors do not tell us is `null`.
fn details(m: &PaymentMethod) -> Value {
    let d = &m.details;
    match m.r#type {
        MethodType::Card => json!({
            "brand": d.brand,
            "checks": null,
            "country": d.country,
            "display_brand": d.brand,
            "exp_month": d.exp_month,
            "exp_year": d.exp_year,
            "fingerprint": m.fingerprint,
            "funding": d.funding.as_deref().unwrap_or("unknown"),
            "generated_from": null,
            "last4": d.last4,
            "networks": { "available": [d.brand], "preferred": null },
            "regulated_status": null,
            "three_d_secure_usage": null,
            "wallet": null,
        }),
        MethodType::SepaDebit => json!({
            "bank_code": null,
            "branch_code": null,
            "country": d.country,
            "fingerprint": m.fingerprint,
            "generated_from": null,
            "last4": d.last4,
        }),
        MethodType::UsBankAccount => json!({
            "account_holder_type": null,
            "account_type": null,
            "bank_name": d.brand,
            "financial_connections_account": null,
            "fingerprint": m.fingerprint,
            "last4": d.last4,
            "networks": null,
            "routing_number": null,
            "status_details": null,
        }),
        // Ours: Stripe has no such type.
        MethodType::MobileMoney => json!({
            "country": d.country,
            "fingerprint": m.fingerprint,
            "last4": d.last4,
            "operator": d.brand,
        }),
    }
}
