//! What a customer and a merchant have stored: methods, intents, tax IDs, endpoints.

use billing::customer::payment_method::mandate::{Acceptance, Mandate, Status as MandateStatus};
use billing::customer::payment_method::{BillingDetails, Details, MethodType, PaymentMethod};
use billing::customer::tax_id::{TaxId, Verification};
use billing::payment::charge::{AttemptStatus, Charge};
use billing::setup_intent::{SetupIntent, Status as SetupStatus, Usage};
use billing::test_clock::{Status as ClockStatus, TestClock};
use billing::webhook::{Endpoint, Status as EndpointStatus};
use billing::{Json, wire};
use serde_json::json;

use super::{LATER, THEN, address, metadata, some, usd};

pub fn tax_id() -> TaxId {
    TaxId {
        id: "txi_1".into(),
        customer: "cus_1".into(),
        r#type: "eu_vat".into(),
        value: "DE123456789".into(),
        country: some("DE"),
        verification: Verification::Verified,
        verified_name: some("Ada GmbH"),
        verified_address: some("Berlin"),
        created: THEN,
        deleted_at: None,
    }
}

pub fn setup_intent() -> SetupIntent {
    SetupIntent {
        id: "seti_1".into(),
        customer: some("cus_1"),
        payment_method: some("pm_1"),
        status: SetupStatus::RequiresAction,
        usage: Usage::OffSession,
        next_action: Some(Json(json!({"type": "redirect_to_url"}))),
        last_error: Some(Json(json!({"type": "card_error"}))),
        description: some("For later"),
        metadata: metadata(),
        created: THEN,
        canceled_at: None,
        cancellation_reason: None,
        version: 1,
    }
}

pub fn payment_method(kind: MethodType) -> PaymentMethod {
    PaymentMethod {
        id: "pm_1".into(),
        customer: some("cus_1"),
        r#type: kind,
        details: Json(Details {
            brand: "visa".into(),
            last4: "4242".into(),
            exp_month: Some(12),
            exp_year: Some(2030),
            country: some("US"),
            funding: some("credit"),
        }),
        billing_details: Json(BillingDetails {
            address: address(),
            email: some("ada@example.com"),
            name: some("Ada"),
            phone: some("+49 30 2"),
        }),
        fingerprint: "0123456789abcdef".into(),
        gateway_ref: "pm_card_visa".into(),
        metadata: metadata(),
        created: THEN,
        detached_at: None,
        version: 1,
    }
}

pub fn webhook_endpoint() -> Endpoint {
    Endpoint {
        id: "we_1".into(),
        url: "https://example.com/hooks".into(),
        status: EndpointStatus::Enabled,
        description: some("Ours"),
        enabled_events: Json(vec!["*".into()]),
        api_version: wire::API_VERSION.into(),
        previous_secret_expires: Some(THEN),
        metadata: metadata(),
        created: THEN,
        deleted_at: None,
        version: 1,
    }
}

pub fn mandate() -> Mandate {
    Mandate {
        id: "mandate_1".into(),
        payment_method: "pm_1".into(),
        method_type: MethodType::SepaDebit,
        status: MandateStatus::Active,
        acceptance: Json(Acceptance { online: true, ip: some("203.0.113.7"), user_agent: some("Firefox") }),
        created: THEN,
    }
}

pub fn charge() -> Charge {
    Charge {
        id: "ch_1".into(),
        payment_intent: "pi_1".into(),
        invoice: "in_1".into(),
        number: 1,
        scheduled: false,
        customer: "cus_1".into(),
        payment_method: "pm_1".into(),
        amount: 2000,
        currency: usd(),
        status: AttemptStatus::Declined,
        decline_code: some("lost_card"),
        gateway_ref: some("sbx_1"),
        amount_refunded: 0,
        lookups: 0,
        created: THEN,
        version: 1,
        mandate: some("mandate_1"),
        method: Some(payment_method(MethodType::Card)),
        receipt_url: some("https://pay.example.com/documents/acct_1/ch_1/x"),
    }
}

pub fn test_clock() -> TestClock {
    TestClock {
        id: "clock_1".into(),
        name: some("A year"),
        frozen_time: THEN,
        target_time: Some(LATER),
        status: ClockStatus::Advancing,
        deletes_after: LATER,
        created: THEN,
        deleted_at: None,
        version: 1,
    }
}
