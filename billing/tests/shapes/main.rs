//! Every key of Stripe's own example objects is in ours too, or stands below with the reason why not.

mod catalog;
mod records;

use std::collections::BTreeSet;

use billing::wire;
use serde_json::{Value, json};

/// What Stripe's example fills and our fullest record leaves `null`, empty or out.
const MISSING: &[(&str, &str)] = &[
    ("account.business_profile.annual_revenue", "not asked of a merchant"),
    ("account.business_profile.support_address", "the profile has no address"),
    ("account.capabilities.card_payments", "capabilities are Stripe's own products"),
    ("account.capabilities.transfers", "capabilities are Stripe's own products"),
    ("account.settings.bacs_debit_payments", "a product of Stripe's"),
    ("account.settings.card_issuing", "a product of Stripe's"),
    ("account.settings.card_payments.decline_on", "the processor decides"),
    ("account.settings.payouts", "nothing is paid out"),
    ("account.settings.sepa_debit_payments", "optional, and empty in the example"),
    ("billing_portal.session.flow", "null without flow_data"),
    ("charge.payment_method_details.card.checks", "not told by the processors"),
    ("charge.payment_method_details.card.extended_authorization", "money is taken at once"),
    ("charge.payment_method_details.card.incremental_authorization", "money is taken at once"),
    ("charge.payment_method_details.card.installments", "charged at once"),
    ("charge.payment_method_details.card.multicapture", "money is taken at once"),
    ("charge.payment_method_details.card.network_token", "not told by the processors"),
    ("charge.payment_method_details.card.overcapture", "money is taken at once"),
    ("charge.payment_method_details.card.three_d_secure", "not told by the processors"),
    ("charge.payment_method_details.card.wallet", "for wallets only"),
    ("charge.refunds", "read at /v1/refunds"),
    ("charge.source", "charged by payment methods"),
    ("charge.transfer_data", "no Connect"),
    ("customer.invoice_settings.rendering_options", "one layout for all"),
    ("invoice.from_invoice", "invoices are not revised"),
    ("invoice.last_finalization_error", "finalisation succeeds or leaves a draft"),
    ("invoice.parent.quote_details", "there are no quotes"),
    ("invoice.payment_settings.payment_method_options", "no options per method"),
    ("invoice.rendering", "one layout for all"),
    ("invoice.shipping_cost", "nothing is shipped"),
    ("payment_intent.automatic_payment_methods", "confirmed with a stored method only"),
    ("payment_intent.managed_payments", "a product of Stripe's"),
    ("payment_intent.payment_method_configuration_details", "there are no payment method configurations"),
    ("payment_intent.processing", "set for methods that notify beforehand"),
    ("payment_intent.transfer_data", "no Connect"),
    ("payment_method.card.checks", "not told by the processors"),
    ("payment_method.card.generated_from", "for cards present only"),
    ("payment_method.card.three_d_secure_usage", "not told by the processors"),
    ("payment_method.card.wallet", "for wallets only"),
    ("price.custom_unit_amount", "customers do not choose what they pay"),
    ("setup_intent.automatic_payment_methods", "confirmed with a stored or a test method only"),
    ("setup_intent.payment_method_configuration_details", "there are no payment method configurations"),
    ("subscription.billing_cycle_anchor_config", "the anchor is an instant"),
    ("subscription.billing_schedules", "billing follows the period"),
    ("subscription.billing_thresholds", "no usage billing"),
    ("subscription.managed_payments", "a product of Stripe's"),
    ("subscription.payment_settings.payment_method_options", "no options per method"),
    ("subscription.pending_invoice_item_interval", "invoice items wait for the period's end"),
    ("subscription.pending_update.discount", "`discounts` holds them"),
    ("subscription.transfer_data", "no Connect"),
    ("subscription_item.billing_thresholds", "no usage billing"),
    ("tax_rate.flat_amount", "rates are percentages"),
    ("credit_note.pretax_credit_amounts", "no billing credits"),
    ("credit_note.refunds[].payment_record_refund", "no payment records"),
    ("credit_note.shipping_cost", "nothing is shipped"),
    ("credit_note_line_item.pretax_credit_amounts", "no billing credits"),
    ("credit_note_line_item.tax_rates", "they are named in `taxes`"),
    ("refund.destination_details", "the gateway tells none"),
    // A line comes from an item or from an invoice item.
    ("line_item.parent.invoice_item_details", "the line comes from a subscription item"),
    ("line_item.parent.subscription_item_details.proration_details.credited_items", "not tracked"),
];

/// Objects inside others, whose exceptions are those of the object itself.
const NESTED: &[(&str, &str)] = &[
    ("subscription.items.data[]", "subscription_item"),
    ("subscription_item.price", "price"),
    ("invoice.lines.data[]", "line_item"),
    ("credit_note.lines.data[]", "credit_note_line_item"),
];

#[test]
fn every_key_of_stripes_examples_is_in_ours() {
    let golden: Value = serde_json::from_str(include_str!("../golden/stripe-fixtures.json")).unwrap();
    let mut missing = BTreeSet::new();
    for (name, object) in records::rendered() {
        compare(&golden[name], &object, name, &mut missing);
    }
    let excused: BTreeSet<String> = MISSING.iter().map(|(path, _)| (*path).to_owned()).collect();
    let unexcused: Vec<_> = missing.difference(&excused).collect();
    assert!(unexcused.is_empty(), "missing without a reason: {unexcused:#?}");
    let stale: Vec<_> = excused.difference(&missing).collect();
    assert!(stale.is_empty(), "no longer missing: {stale:#?}");
}

fn compare(theirs: &Value, ours: &Value, path: &str, missing: &mut BTreeSet<String>) {
    // What is inside these is the merchant's, or any object at all.
    if path.ends_with(".metadata") || path == "event.data.object" {
        return;
    }
    let path = NESTED.iter().find(|(at, _)| *at == path).map_or(path, |(_, name)| name);
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            for (key, value) in theirs {
                let path = format!("{path}.{key}");
                match ours.get(key) {
                    Some(ours) => compare(value, ours, &path, missing),
                    None => _ = missing.insert(path),
                }
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => match (theirs.first(), ours.first()) {
            (Some(theirs), Some(ours)) => compare(theirs, ours, &format!("{path}[]"), missing),
            (Some(theirs), None) if theirs.is_object() => _ = missing.insert(path.to_owned()),
            _ => {}
        },
        (Value::Object(theirs), _) if !theirs.is_empty() => _ = missing.insert(path.to_owned()),
        _ => {}
    }
}

#[test]
fn older_sdks_find_their_fields() {
    let objects: std::collections::BTreeMap<_, _> = records::rendered().into_iter().collect();
    let has = |name: &str, keys: &[&str]| keys.iter().all(|key| objects[name].get(*key).is_some_and(|v| !v.is_null()));
    assert!(has("subscription", &["current_period_start", "current_period_end"]));
    assert!(has("invoice", &["subscription", "paid", "tax", "payment_intent", "subscription_details"]));
    assert!(has("subscription_item", &["plan"]));
    assert!(has("line_item", &["price", "plan", "type", "subscription", "subscription_item", "proration"]));
}

#[test]
fn each_type_of_method_has_its_own_object() {
    use billing::customer::payment_method::MethodType;
    for kind in [MethodType::Card, MethodType::SepaDebit, MethodType::UsBankAccount, MethodType::MobileMoney] {
        let method = wire::payment_method(&records::tenant(), &records::payment_method(kind));
        assert_eq!(method["type"], json!(kind.name()));
        assert_eq!(method[kind.name()]["last4"], json!("4242"));
    }
}

#[test]
fn a_list_says_where_its_next_page_is() {
    let list = wire::list("/v1/customers", vec![json!({ "id": "cus_1" })], true);
    assert_eq!(list, json!({"object": "list", "data": [{"id": "cus_1"}], "has_more": true, "url": "/v1/customers"}));
}
