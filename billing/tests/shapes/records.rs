//! One record of each kind, as full as it gets, and what the wire makes of it.

#[path = "records/ledger.rs"]
mod ledger;
#[path = "records/ours.rs"]
mod ours;
#[path = "records/stored.rs"]
mod stored;

use std::collections::BTreeMap;

use billing::customer::payment_method::MethodType;
use billing::customer::{Address, CustomField, Customer, InvoiceSettings, Shipping, TaxExempt};
use billing::directory::{Business, Merchant};
use billing::invoice::{BillTo, Invoice, Line, Status as InvoiceStatus, Taken};
use billing::payment::{IntentStatus, PaymentIntent};
use billing::portal::configuration::{BusinessProfile, Lifetimes, LoginPage};
use billing::portal::features::{Condition, Features, Schedule, ScheduleCondition};
use billing::portal::session::SessionOrigin;
use billing::portal::{Configuration, Session};
use billing::quote::{Change, Quote};
use billing::subscription::cancel::Cancellation;
use billing::subscription::collection::{Behavior, PauseCollection};
use billing::subscription::{
    CancellationDetails, CollectionMethod, Feedback, Item, PaymentSettings, Status, Subscription, TrialSettings,
};
use billing::{Currency, Event, Json, Metadata, Millis, Seconds, Tenant, wire};
use serde_json::{Value, json};

use crate::catalog::{coupon, discount, named_rate, price, product, promotion_code, tax_rate};
pub use stored::payment_method;
use stored::{charge, mandate, setup_intent, tax_id, webhook_endpoint};

pub const THEN: Seconds = Seconds(1_790_000_000);
pub const LATER: Seconds = Seconds(1_792_592_000);

/// Each record as it goes out, under the name that Stripe's example has.
pub fn rendered() -> Vec<(&'static str, Value)> {
    let tenant = tenant();
    vec![
        ("account", wire::account(&tenant, &merchant())),
        ("audit_entry", wire::audit_entry(&tenant, &ours::audit_entry())),
        ("billing.feedback_option", wire::feedback_option(&tenant, &ours::feedback_option())),
        ("billing_portal.configuration", wire::portal_configuration(&tenant, &configuration())),
        ("billing_portal.session", wire::portal_session(&tenant, &session(), "https://pay.example.com/session/x")),
        ("charge", wire::charge(&tenant, &charge())),
        ("coupon", wire::coupon(&tenant, &coupon(), THEN)),
        ("credit_note", wire::credit_note(&tenant, &ledger::credit_note())),
        ("credit_note_line_item", wire::credit_note_line(&tenant, &ledger::credit_note_line())),
        ("customer", wire::customer(&tenant, &customer())),
        ("customer_balance_transaction", wire::balance_transaction(&tenant, &ledger::balance_transaction())),
        ("discount", wire::discount(&tenant, &discount())),
        ("deleted_discount", wire::deleted_discount(&tenant, &discount())),
        ("deleted_coupon", wire::deleted("coupon", "HALF")),
        ("deleted_customer", wire::deleted("customer", "cus_1")),
        ("deleted_portal_domain", wire::deleted("portal_domain", "pdom_1")),
        ("deleted_webhook_endpoint", wire::deleted("webhook_endpoint", "we_1")),
        ("deleted_subscription_item", wire::deleted("subscription_item", "si_1")),
        ("deleted_tax_id", wire::deleted("tax_id", "txi_1")),
        ("deleted_product", wire::deleted("product", "prod_1")),
        ("event", wire::event(&tenant, &event())),
        ("invoice", wire::invoice(&tenant, &invoice())),
        ("deleted_invoice", wire::deleted("invoice", "in_1")),
        ("deleted_invoiceitem", wire::deleted("invoiceitem", "ii_1")),
        ("invoice_payment", wire::invoice_payment(&tenant, &invoice(), &payment_intent())),
        ("invoiceitem", wire::invoice_item(&tenant, &ledger::invoice_item())),
        ("mandate", wire::mandate(&tenant, &mandate())),
        ("line_item", wire::line(&tenant, &line())),
        ("portal_branding", wire::portal_branding(&tenant, &ours::branding())),
        ("portal_domain", wire::portal_domain(&tenant, &ours::domain())),
        ("deleted_portal_issuer", wire::deleted("portal_issuer", "iss_1")),
        ("portal_issuer", wire::portal_issuer(&tenant, &ours::issuer())),
        ("portal_settings", wire::portal_settings(&tenant, &ours::settings())),
        ("payment_intent", wire::payment_intent(&tenant, &payment_intent())),
        ("payment_method", wire::payment_method(&tenant, &payment_method(MethodType::Card))),
        ("price", wire::price(&tenant, &price())),
        ("product", wire::product(&tenant, &product())),
        ("promotion_code", wire::promotion_code(&tenant, &promotion_code(), THEN)),
        ("scheduled_change", wire::scheduled_change(&tenant, &ours::scheduled_change())),
        ("subscription", wire::subscription(&tenant, &subscription())),
        ("subscription_item", wire::item(&tenant, &item())),
        ("subscription_quote", wire::subscription_quote(&tenant, &quote())),
        ("refund", wire::refund(&tenant, &ledger::refund())),
        ("setup_intent", wire::setup_intent(&tenant, &setup_intent())),
        ("tax_id", wire::tax_id(&tenant, &tax_id())),
        ("webhook_delivery", wire::webhook_delivery(&tenant, &ours::delivery())),
        ("webhook_endpoint", wire::webhook_endpoint(&tenant, &webhook_endpoint())),
        ("webhook_replay", wire::webhook_replay("we_1", 7)),
        ("tax_rate", wire::tax_rate(&tenant, &tax_rate())),
        ("test_helpers.test_clock", wire::test_clock(&tenant, &stored::test_clock())),
        ("deleted_test_helpers.test_clock", wire::deleted("test_helpers.test_clock", "clock_1")),
    ]
}

fn quote() -> Quote {
    let cancellation = Cancellation { prorate: true, invoice_now: true, ..Cancellation::default() };
    Quote {
        token: "x".into(),
        change: Change::Cancel { subscription: "sub_1".into(), cancellation },
        invoice: Some(invoice()),
        waiting: vec![ledger::invoice_item()],
        renewal: Some(invoice()),
        expires: Millis::from(THEN),
    }
}

pub fn tenant() -> Tenant {
    Tenant { key: 1, merchant: "acct_1".into(), livemode: false }
}

pub fn usd() -> Currency {
    Currency::parse("usd", "currency").unwrap_or_else(|error| panic!("{error}"))
}

pub fn metadata() -> Json<Metadata> {
    Json(BTreeMap::from([("order".to_owned(), "7".to_owned())]))
}

pub fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn merchant() -> Merchant {
    Merchant {
        id: "acct_1".into(),
        name: "Acme".into(),
        email: some("owner@example.com"),
        country: "DE".into(),
        default_currency: usd(),
        business: Json(Business {
            url: some("https://example.com"),
            support_email: some("help@example.com"),
            support_phone: some("+49 30 1"),
            support_url: some("https://example.com/help"),
        }),
        created: THEN,
    }
}

fn address() -> Address {
    Address {
        city: some("Berlin"),
        country: some("DE"),
        line1: some("Hauptstraße 1"),
        line2: some("c/o Acme"),
        postal_code: some("10115"),
        state: some("BE"),
    }
}

fn shipping() -> Shipping {
    Shipping { address: address(), name: "Ada".into(), phone: some("+49 30 2") }
}

fn customer() -> Customer {
    Customer {
        id: "cus_1".into(),
        external_id: some("42"),
        clock_id: some("clock_1"),
        name: some("Ada"),
        email: some("ada@example.com"),
        phone: some("+49 30 2"),
        description: some("First of all"),
        address: Some(Json(address())),
        shipping: Some(Json(shipping())),
        currency: Some(usd()),
        default_payment_method: some("pm_1"),
        delinquent: false,
        invoice_prefix: "ABC".into(),
        next_invoice_sequence: 2,
        invoice_settings: Json(InvoiceSettings {
            custom_fields: Some(vec![CustomField { name: "PO".into(), value: "1".into() }]),
            footer: some("Thanks"),
        }),
        preferred_locales: Json(vec!["de".into()]),
        tax_exempt: TaxExempt::None,
        metadata: metadata(),
        created: THEN,
        deleted_at: None,
        version: 1,
        balance: -500,
        discount: Some(discount()),
    }
}

fn item() -> Item {
    Item {
        id: "si_1".into(),
        subscription: "sub_1".into(),
        position: 0,
        price: price(),
        product_name: "Pro".into(),
        quantity: 2,
        current_period_start: THEN,
        current_period_end: LATER,
        tax_rates: vec![named_rate()],
        discounts: vec![discount()],
        metadata: metadata().0,
        created: THEN,
    }
}

fn subscription() -> Subscription {
    Subscription {
        id: "sub_1".into(),
        customer: "cus_1".into(),
        clock_id: some("clock_1"),
        status: Status::Active,
        currency: usd(),
        collection_method: CollectionMethod::ChargeAutomatically,
        days_until_due: Some(30),
        billing_cycle_anchor: THEN,
        cycle: 0,
        current_period_start: THEN,
        current_period_end: LATER,
        start_date: THEN,
        trial_start: Some(THEN),
        trial_end: Some(THEN),
        cancel_at: Some(LATER),
        cancel_at_period_end: true,
        canceled_at: Some(THEN),
        ended_at: None,
        cancellation_details: Json(CancellationDetails {
            comment: some("Too dear"),
            feedback: Some(Feedback::TooExpensive),
            feedback_option: some("bfo_1"),
            reason: some("cancellation_requested"),
        }),
        pause_collection: Some(Json(PauseCollection { behavior: Behavior::Void, resumes_at: Some(LATER) })),
        paused_at: Some(THEN),
        resumes_at: Some(LATER),
        pending_update: Some(Json(ours::pending_update())),
        pending_update_expires_at: Some(LATER),
        pending_setup_intent: some("seti_1"),
        default_payment_method: some("pm_1"),
        default_tax_rates: Json(vec![named_rate()]),
        automatic_tax: true,
        trial_settings: Json(TrialSettings::default()),
        payment_settings: Json(PaymentSettings {
            payment_method_types: Some(vec!["card".into()]),
            save_default_payment_method: some("on_subscription"),
        }),
        invoice_settings: Json(json!({})),
        latest_invoice: some("in_1"),
        description: some("The usual"),
        metadata: metadata(),
        told: None,
        next_due: Some(LATER),
        parked_at: Some(THEN),
        created: THEN,
        version: 1,
        items: vec![item()],
        discounts: vec![discount()],
        scheduled: Some(ours::scheduled_change()),
    }
}

fn line() -> Line {
    Line {
        id: "il_1".into(),
        invoice: "in_1".into(),
        position: 0,
        subscription: some("sub_1"),
        subscription_item: some("si_1"),
        invoice_item: None,
        price: some("price_1"),
        product_name: some("Pro"),
        description: "2 × Pro (at 20.00 USD / month)".into(),
        quantity: 2,
        amount: 4000,
        discount: 0,
        discount_amounts: Json(vec![Taken { amount: 300, discount: "di_1".into(), own: true }]),
        tax: 639,
        taxes: Json(json!([{
            "amount": 639,
            "tax_behavior": "inclusive",
            "tax_rate_details": { "tax_rate": "txr_1" },
            "taxability_reason": "standard_rated",
            "taxable_amount": 3361,
            "type": "tax_rate_details",
        }])),
        currency: usd(),
        period_start: THEN,
        period_end: LATER,
        proration: true,
        discountable: true,
        details: None,
        metadata: metadata(),
        priced: Some(price()),
    }
}

fn invoice() -> Invoice {
    Invoice {
        id: "in_1".into(),
        customer: "cus_1".into(),
        clock_id: some("clock_1"),
        subscription: some("sub_1"),
        number: some("ABC-0001"),
        status: InvoiceStatus::Paid,
        billing_reason: "subscription_create".into(),
        cycle_start: Some(THEN),
        collection_method: CollectionMethod::ChargeAutomatically,
        auto_advance: true,
        currency: usd(),
        period_start: THEN,
        period_end: LATER,
        subtotal: 4000,
        discount: 0,
        tax: 639,
        total: 4000,
        amount_due: 4000,
        amount_paid: 4000,
        amount_overpaid: 0,
        paid_out_of_band: true,
        pre_payment_credit_notes: 100,
        post_payment_credit_notes: 200,
        starting_balance: 0,
        ending_balance: Some(0),
        attempt_count: 1,
        attempted: true,
        next_payment_attempt: Some(LATER),
        retries_from: None,
        default_payment_method: some("pm_1"),
        default_tax_rates: Json(vec![named_rate()]),
        payment_intent: some("pi_1"),
        bill_to: Json(BillTo {
            account_name: some("Acme"),
            account_country: some("DE"),
            seller: Default::default(),
            name: some("Ada"),
            email: some("ada@example.com"),
            phone: some("+49 30 2"),
            address: Some(address()),
            shipping: Some(shipping()),
            tax_exempt: Some(TaxExempt::None),
            tax_ids: vec![("eu_vat".into(), "DE123456789".into())],
            subscription_metadata: Some(metadata().0),
            automatic_tax: true,
        }),
        description: some("September"),
        footer: some("Thanks"),
        metadata: metadata(),
        created: THEN,
        due_date: Some(LATER),
        finalized_at: Some(THEN),
        paid_at: Some(THEN),
        voided_at: None,
        marked_uncollectible_at: None,
        version: 1,
        lines: vec![line()],
        more_lines: false,
        hosted_invoice_url: some("https://pay.example.com/invoice/x"),
        invoice_pdf: some("https://pay.example.com/documents/acct_1/in_1/x"),
    }
}

fn payment_intent() -> PaymentIntent {
    PaymentIntent {
        id: "pi_1".into(),
        customer: "cus_1".into(),
        invoice: some("in_1"),
        amount: 4000,
        amount_received: 0,
        currency: usd(),
        status: IntentStatus::RequiresAction,
        payment_method: some("pm_1"),
        latest_charge: some("ch_1"),
        next_action: Some(Json(json!({"type": "redirect_to_url"}))),
        last_error: Some(Json(json!({"type": "card_error", "code": "card_declined"}))),
        description: some("Subscription creation"),
        metadata: metadata(),
        created: THEN,
        canceled_at: None,
        version: 1,
    }
}

fn event() -> Event {
    Event {
        id: "evt_1".into(),
        r#type: "customer.created".into(),
        object_id: "cus_1".into(),
        sequence: 1,
        customer: some("cus_1"),
        data: Json(json!({"object": wire::customer(&tenant(), &customer())})),
        origin: "api".into(),
        session: None,
        request_id: some("req_1"),
        idempotency_key: some("once"),
        created: THEN,
        pending_webhooks: 1,
    }
}

fn configuration() -> Configuration {
    let mut features = Features::usual();
    features.subscription_update.schedule_at_period_end =
        Schedule { conditions: vec![ScheduleCondition { r#type: Condition::DecreasingItemAmount }] };
    Configuration {
        id: "bpc_1".into(),
        name: some("Usual"),
        active: true,
        is_default: true,
        default_return_url: some("https://example.com/account"),
        business_profile: Json(BusinessProfile::default()),
        features: Json(features),
        session: Json(Lifetimes::default()),
        login_page: Json(LoginPage { enabled: true }),
        login_token: "token".into(),
        login_url: some("https://billing.example.com/login/token"),
        branding: Json(ours::branding().look),
        custom_domain: some("pdom_1"),
        metadata: metadata(),
        created: THEN,
        updated: THEN,
        version: 1,
    }
}

fn session() -> Session {
    Session {
        id: "bps_1".into(),
        configuration: "bpc_1".into(),
        customer: "cus_1".into(),
        subscription: some("sub_1"),
        origin: SessionOrigin::Api,
        locale: some("de"),
        flow: None,
        start: None,
        return_url: some("https://example.com/account"),
        cancel_url: some("https://example.com/pricing"),
        hidden: Json(json!([])),
        link_expires_ms: Millis(1_790_001_800_000),
        link_used_ms: None,
        host: None,
        idle_ms: 1_800_000,
        max_ms: 7_200_000,
        started_ms: None,
        last_seen_ms: None,
        completed_ms: None,
        revoked_ms: None,
        created: THEN,
        version: 1,
    }
}
