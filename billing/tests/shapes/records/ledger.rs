//! What a customer's balance and its invoices leave in the books.

use billing::customer::balance::{BalanceTransaction, Kind};

use billing::catalog::price::TaxBehavior;
use billing::credit_note::{CreditNote, NoteLine, Reason, Status, Type};
use billing::invoice::InvoiceItem;
use billing::refund::{self, Refund};
use billing::{Decimal, Json};
use serde_json::json;

use super::{LATER, THEN, metadata, some, usd};
use crate::catalog::{named_rate, price};

pub fn balance_transaction() -> BalanceTransaction {
    BalanceTransaction {
        id: "cbtxn_1".into(),
        customer: "cus_1".into(),
        currency: usd(),
        amount: -500,
        ending_balance: -700,
        r#type: Kind::CreditNote,
        invoice: some("in_1"),
        credit_note: some("cn_1"),
        description: some("Sorry"),
        metadata: metadata(),
        created: THEN,
    }
}

pub fn invoice_item() -> InvoiceItem {
    InvoiceItem {
        id: "ii_1".into(),
        customer: "cus_1".into(),
        subscription: some("sub_1"),
        subscription_item: some("si_1"),
        invoice: some("in_1"),
        price: some("price_1"),
        description: some("Setup"),
        quantity: 2,
        unit_amount: Some(Decimal::whole(1250)),
        amount: 2500,
        currency: usd(),
        period_start: THEN,
        period_end: LATER,
        proration: true,
        discountable: false,
        tax_rates: Json(vec![named_rate()]),
        tax_behavior: Some(TaxBehavior::Exclusive),
        taxes: Some(Json(json!([]))),
        details: Some(Json(json!({}))),
        metadata: metadata(),
        created: THEN,
        clock_id: some("clock_1"),
        priced: Some(price()),
        product_name: some("Pro"),
        discounts: vec![super::discount()],
    }
}

pub fn refund() -> Refund {
    Refund {
        id: "re_1".into(),
        payment_attempt: "ch_1".into(),
        payment_intent: "pi_1".into(),
        customer: "cus_1".into(),
        invoice: "in_1".into(),
        payment_method: "pm_1".into(),
        credit_note: some("cn_1"),
        amount: 300,
        currency: usd(),
        reason: Some(refund::Reason::RequestedByCustomer),
        status: refund::Status::Failed,
        failure_reason: some("expired_or_canceled_card"),
        gateway_ref: some("sbr_1"),
        tries: 1,
        metadata: metadata(),
        created: THEN,
        version: 2,
    }
}

pub fn credit_note() -> CreditNote {
    CreditNote {
        id: "cn_1".into(),
        customer: "cus_1".into(),
        invoice: "in_1".into(),
        number: "ADA-0001-CN-01".into(),
        status: Status::Void,
        r#type: Type::Mixed,
        reason: Some(Reason::OrderChange),
        memo: some("Sorry"),
        currency: usd(),
        subtotal: 1000,
        discount: 100,
        tax: 171,
        total: 1071,
        refunded: 300,
        credited: 200,
        out_of_band: 100,
        refund: some("re_1"),
        balance_transaction: some("cbtxn_1"),
        metadata: metadata(),
        created: THEN,
        voided_at: Some(LATER),
        lines: vec![credit_note_line()],
        pdf: some("https://pay.example.com/documents/acct_1/cn_1/x"),
    }
}

pub fn credit_note_line() -> NoteLine {
    NoteLine {
        id: "cnli_1".into(),
        credit_note: "cn_1".into(),
        position: 0,
        invoice_line: some("il_1"),
        description: some("Pro"),
        quantity: Some(1),
        unit_amount: Some(Decimal::whole(1000)),
        amount: 1000,
        discount: 100,
        discount_amounts: Json(json!([{"amount": 100, "discount": "di_1"}])),
        tax: 171,
        taxes: Json(json!([{
            "amount": 171, "tax_behavior": "exclusive", "tax_rate_details": {"tax_rate": "txr_1"},
            "taxability_reason": "standard_rated", "taxable_amount": 900, "type": "tax_rate_details",
        }])),
    }
}
