//! What a customer's balance and its invoices leave in the books.

use billing::customer::balance::{BalanceTransaction, Kind};

use super::{THEN, metadata, some, usd};

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
