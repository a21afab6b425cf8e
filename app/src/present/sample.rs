//! Records as tests need them: a monthly plan at 20 euros, its invoice, a card.

use billing::catalog::Price;
use billing::customer::payment_method::{BillingDetails, Details, MethodType, PaymentMethod};
use billing::customer::{Customer, TaxExempt};
use billing::invoice::{BillTo, Invoice};
use billing::period::Interval;
use billing::subscription::{CollectionMethod, Item, Status, Subscription};
use billing::{Currency, Json, Metadata, Seconds};

pub fn at(day: &str) -> Seconds {
    Seconds(format!("{day}T00:00:00Z").parse::<jiff::Timestamp>().unwrap().as_second())
}

fn eur() -> Currency {
    Currency::parse("eur", "currency").unwrap()
}

pub fn price(unit_amount: Option<i64>) -> Price {
    Price {
        id: "price_1".into(),
        external_id: None,
        product: "prod_1".into(),
        active: true,
        r#type: billing::catalog::price::PriceType::Recurring,
        currency: eur(),
        billing_scheme: "per_unit".into(),
        unit_amount,
        unit_amount_decimal: None,
        tiers_mode: None,
        tiers: None,
        transform_quantity: None,
        interval: Some(Interval::Month),
        interval_count: Some(1),
        trial_period_days: None,
        tax_behavior: billing::catalog::price::TaxBehavior::Unspecified,
        lookup_key: None,
        nickname: None,
        metadata: Json(Metadata::new()),
        created: at("2026-01-01"),
        version: 1,
    }
}

pub fn item(product: &str, quantity: i64, unit_amount: Option<i64>) -> Item {
    Item {
        id: "si_1".into(),
        subscription: "sub_1".into(),
        position: 0,
        price: price(unit_amount),
        product_name: product.into(),
        quantity,
        current_period_start: at("2026-11-20"),
        current_period_end: at("2026-12-20"),
        tax_rates: Vec::new(),
        discounts: Vec::new(),
        metadata: Metadata::new(),
        created: at("2026-10-20"),
    }
}

pub fn subscription(status: Status) -> Subscription {
    Subscription {
        id: "sub_1".into(),
        customer: "cus_1".into(),
        clock_id: None,
        status,
        currency: eur(),
        collection_method: CollectionMethod::ChargeAutomatically,
        days_until_due: None,
        billing_cycle_anchor: at("2026-10-20"),
        cycle: 1,
        current_period_start: at("2026-11-20"),
        current_period_end: at("2026-12-20"),
        start_date: at("2026-10-20"),
        trial_start: None,
        trial_end: None,
        cancel_at: None,
        cancel_at_period_end: false,
        canceled_at: None,
        ended_at: None,
        cancellation_details: Json::default(),
        pause_collection: None,
        paused_at: None,
        resumes_at: None,
        pending_update: None,
        pending_update_expires_at: None,
        pending_setup_intent: None,
        default_payment_method: None,
        default_tax_rates: Json::default(),
        automatic_tax: false,
        trial_settings: Json::default(),
        payment_settings: Json::default(),
        invoice_settings: Json::default(),
        latest_invoice: None,
        description: None,
        metadata: Json(Metadata::new()),
        told: None,
        next_due: None,
        parked_at: None,
        created: at("2026-10-20"),
        version: 1,
        items: vec![item("Pro", 1, Some(2000))],
        discounts: Vec::new(),
        scheduled: None,
    }
}

pub fn invoice(total: i64) -> Invoice {
    Invoice {
        id: "in_1".into(),
        customer: "cus_1".into(),
        clock_id: None,
        subscription: Some("sub_1".into()),
        number: Some("ACME-0001".into()),
        status: billing::invoice::Status::Paid,
        billing_reason: "subscription_cycle".into(),
        cycle_start: None,
        collection_method: CollectionMethod::ChargeAutomatically,
        auto_advance: true,
        currency: eur(),
        period_start: at("2026-11-20"),
        period_end: at("2026-12-20"),
        subtotal: total,
        discount: 0,
        tax: 0,
        total,
        amount_due: total,
        amount_paid: 0,
        amount_overpaid: 0,
        paid_out_of_band: false,
        pre_payment_credit_notes: 0,
        post_payment_credit_notes: 0,
        starting_balance: 0,
        ending_balance: None,
        attempt_count: 0,
        attempted: false,
        next_payment_attempt: None,
        retries_from: None,
        default_payment_method: None,
        default_tax_rates: Json::default(),
        payment_intent: None,
        bill_to: Json(BillTo::default()),
        description: None,
        footer: None,
        metadata: Json(Metadata::new()),
        created: at("2026-11-20"),
        due_date: None,
        finalized_at: Some(at("2026-11-20")),
        paid_at: None,
        voided_at: None,
        marked_uncollectible_at: None,
        version: 1,
        lines: Vec::new(),
        more_lines: false,
        hosted_invoice_url: None,
        invoice_pdf: None,
    }
}

pub fn customer() -> Customer {
    Customer {
        id: "cus_1".into(),
        external_id: None,
        clock_id: None,
        name: Some("Ada".into()),
        email: Some("ada@example.com".into()),
        phone: None,
        description: None,
        address: None,
        shipping: None,
        currency: Some(eur()),
        default_payment_method: None,
        delinquent: false,
        invoice_prefix: "ACME".into(),
        next_invoice_sequence: 2,
        invoice_settings: Json::default(),
        preferred_locales: Json::default(),
        tax_exempt: TaxExempt::None,
        metadata: Json(Metadata::new()),
        created: at("2026-01-01"),
        deleted_at: None,
        version: 1,
        balance: 0,
        discount: None,
    }
}

pub fn card(exp_month: i64, exp_year: i64) -> PaymentMethod {
    PaymentMethod {
        id: "pm_1".into(),
        customer: Some("cus_1".into()),
        r#type: MethodType::Card,
        details: Json(Details {
            brand: "visa".into(),
            last4: "4242".into(),
            exp_month: Some(exp_month),
            exp_year: Some(exp_year),
            ..Details::default()
        }),
        billing_details: Json(BillingDetails::default()),
        fingerprint: "f".into(),
        gateway_ref: "g".into(),
        metadata: Json(Metadata::new()),
        created: at("2026-01-01"),
        detached_at: None,
        version: 1,
    }
}
