//! Payment intents, what they pay of an invoice, and setup intents.

use serde_json::{Value, json};

use crate::actor::Tenant;
use crate::customer::payment_method::MethodType;
use crate::invoice::Invoice;
use crate::payment::{IntentStatus, PaymentIntent};
use crate::setup_intent::SetupIntent;

pub fn payment_intent(tenant: &Tenant, p: &PaymentIntent) -> Value {
    json!({
        "id": p.id,
        "object": "payment_intent",
        "allowed_payment_method_types": null,
        "amount": p.amount,
        "amount_capturable": 0,
        "amount_details": { "tip": {} },
        "amount_received": p.amount_received,
        "application": null,
        "application_fee_amount": null,
        "automatic_payment_methods": null,
        "canceled_at": p.canceled_at,
        "cancellation_reason": null,
        "capture_method": "automatic",
        // There are no publishable keys: nobody confirms from a browser with it.
        "client_secret": null,
        "confirmation_method": "automatic",
        "created": p.created,
        "currency": p.currency,
        "customer": p.customer,
        "customer_account": null,
        "description": p.description,
        "excluded_payment_method_types": null,
        "last_payment_error": p.last_error.as_deref(),
        "latest_charge": p.latest_charge,
        "livemode": tenant.livemode,
        "managed_payments": null,
        "metadata": *p.metadata,
        "next_action": p.next_action.as_deref(),
        "on_behalf_of": null,
        "payment_method": p.payment_method,
        "payment_method_configuration_details": null,
        "payment_method_options": null,
        "payment_method_types": MethodType::ALL,
        "payment_record": null,
        "processing": null,
        "receipt_email": null,
        "review": null,
        "setup_future_usage": null,
        "shipping": null,
        "source": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": p.status,
        "transfer_data": null,
        "transfer_group": null,
        // Legacy.
        "invoice": p.invoice,
    })
}

/// The one payment of an invoice, for `payments` where it is expanded and for `/v1/invoice_payments`.
pub fn invoice_payment(tenant: &Tenant, i: &Invoice, p: &PaymentIntent) -> Value {
    let status = match p.status {
        IntentStatus::Succeeded => "paid",
        IntentStatus::Canceled => "canceled",
        _ => "open",
    };
    json!({
        "id": p.id.replacen("pi_", "inpay_", 1),
        "object": "invoice_payment",
        "amount_paid": (p.status == IntentStatus::Succeeded).then_some(p.amount_received),
        "amount_requested": p.amount,
        "created": p.created,
        "currency": p.currency,
        "invoice": i.id,
        "is_default": true,
        "livemode": tenant.livemode,
        "payment": { "payment_intent": p.id, "type": "payment_intent" },
        "status": status,
        "status_transitions": {
            "canceled_at": p.canceled_at,
            "paid_at": i.paid_at.filter(|_| p.status == IntentStatus::Succeeded),
        },
    })
}

pub fn setup_intent(tenant: &Tenant, s: &SetupIntent) -> Value {
    json!({
        "id": s.id,
        "object": "setup_intent",
        "allowed_payment_method_types": null,
        "application": null,
        "automatic_payment_methods": null,
        "cancellation_reason": s.cancellation_reason,
        // There are no publishable keys: nobody confirms from a browser with it.
        "client_secret": null,
        "created": s.created,
        "customer": s.customer,
        "customer_account": null,
        "description": s.description,
        "excluded_payment_method_types": null,
        "flow_directions": null,
        "last_setup_error": s.last_error.as_deref(),
        "latest_attempt": null,
        "livemode": tenant.livemode,
        "mandate": null,
        "metadata": *s.metadata,
        "next_action": s.next_action.as_deref(),
        "on_behalf_of": null,
        "payment_method": s.payment_method,
        "payment_method_configuration_details": null,
        "payment_method_options": null,
        "payment_method_types": MethodType::ALL,
        "single_use_mandate": null,
        "status": s.status,
        "usage": s.usage,
    })
}
