//! Whose things are: a merchant's in one mode, and a customer's.

use crate::check::{Violation, broken};
use crate::error::Result;
use crate::store::Tx;

pub(super) async fn gone(tx: &mut Tx) -> Result<Vec<Violation>> {
    Ok(broken!(
        tx,
        "select s.id, 'it is ' || s.status || ', its customer ' || c.id || ' is deleted' as what
         from customer c join subscription s on s.tenant = c.tenant and s.customer = c.id
         where c.deleted_at is not null and s.status not in ('canceled', 'incomplete_expired')"
    ))
}

/// A column that names a row of another table finds it under the same tenant, and under the same customer where asked.
macro_rules! refers {
    ($tx:expr, $found:expr, $($table:literal . $column:literal -> $target:literal $(of $customer:literal)?),+ $(,)?) => {
        $( $found.extend(broken!(
            $tx,
            "select t.id, 'its ", $column, " ' || t.", $column, " || ' is no ", $target, " that it may know' as what from ", $table, " t
             where t.", $column, " is not null and not exists (
                 select 1 from ", $target, " r where r.tenant = t.tenant and r.id = t.", $column
                 $(, " and r.", $customer, " = t.", $customer)?, ")"
        )); )+
    };
}

/// What no foreign key of the database's keeps by itself.
pub(super) async fn own(tx: &mut Tx) -> Result<Vec<Violation>> {
    let mut found = Vec::new();
    refers!(tx, found,
        "customer"."default_payment_method" -> "payment_method",
        "subscription"."default_payment_method" -> "payment_method",
        "subscription"."latest_invoice" -> "invoice" of "customer",
        "invoice"."subscription" -> "subscription" of "customer",
        "invoice"."payment_intent" -> "payment_intent" of "customer",
        "invoice"."default_payment_method" -> "payment_method",
        "invoice"."clock_id" -> "test_clock",
        "invoice_line"."price" -> "price",
        "invoice_line"."subscription" -> "subscription",
        "invoice_line"."subscription_item" -> "subscription_item",
        "invoice_line"."invoice_item" -> "invoice_item",
        "invoice_item"."price" -> "price",
        "invoice_item"."invoice" -> "invoice" of "customer",
        "invoice_item"."subscription" -> "subscription" of "customer",
        "invoice_item"."subscription_item" -> "subscription_item",
        "payment_intent"."invoice" -> "invoice" of "customer",
        "payment_attempt"."invoice" -> "invoice" of "customer",
        "payment_attempt"."payment_intent" -> "payment_intent" of "customer",
        "payment_attempt"."payment_method" -> "payment_method",
        "refund"."payment_attempt" -> "payment_attempt" of "customer",
        "refund"."invoice" -> "invoice" of "customer",
        "refund"."credit_note" -> "credit_note" of "customer",
        "credit_note"."customer" -> "customer",
        "credit_note"."invoice" -> "invoice" of "customer",
        "credit_note"."refund" -> "refund" of "customer",
        "credit_note"."balance_transaction" -> "balance_transaction" of "customer",
        "credit_note_line"."invoice_line" -> "invoice_line",
        "discount"."subscription" -> "subscription" of "customer",
        "discount"."invoice" -> "invoice" of "customer",
        "discount"."invoice_item" -> "invoice_item" of "customer",
        "discount"."promotion_code" -> "promotion_code",
        "promotion_code"."customer" -> "customer",
        "portal_configuration"."custom_domain" -> "portal_domain",
        "portal_session"."subscription" -> "subscription" of "customer",
        "offer_use"."customer" -> "customer",
        "offer_use"."subscription" -> "subscription" of "customer",
        "event"."customer" -> "customer",
        "audit_entry"."customer" -> "customer",
    );
    Ok(found)
}
