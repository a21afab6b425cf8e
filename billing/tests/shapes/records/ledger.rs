//! What a customer's balance and its invoices leave in the books.

use billing::customer::balance::{BalanceTransaction, Kind};

use billing::catalog::price::TaxBehavior;
use billing::invoice::InvoiceItem;
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
        priced: Some(price()),
        product_name: some("Pro"),
    }
}
