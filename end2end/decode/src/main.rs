//! Decodes objects of the merchant API with the types of async-stripe.
//!
//! usage: decode FILE, with an object as JSON on each line, as `shapes/check.mjs --keep FILE` writes them.

use std::collections::BTreeMap;
use std::process::ExitCode;

use miniserde::json::{self, Value};
use stripe_billing::{BillingPortalConfiguration, BillingPortalSession, InvoiceItem};
use stripe_misc::WebhookEndpoint;
use stripe_shared::*;

fn main() -> ExitCode {
    let Some(file) = std::env::args().nth(1) else { return fail("usage: decode FILE") };
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => return fail(&format!("{file}: {error}")),
    };
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for line in text.lines() {
        let Some((object, id)) = named(line) else { return fail(&format!("not an object: {line}")) };
        let count = counts.entry(object.clone()).or_default();
        match decodes(&object, line) {
            None => count.unknown += 1,
            Some(true) => count.decoded += 1,
            Some(false) => count.refused.push(id),
        }
    }
    for (object, Count { decoded, unknown, refused }) in &counts {
        println!("{object}: {decoded} decoded, {unknown} without a type, refused: {refused:?}");
    }
    let decoded: usize = counts.values().map(|count| count.decoded).sum();
    let is_fine = decoded > 0 && counts.values().all(|count| count.refused.is_empty());
    if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[derive(Default)]
struct Count {
    decoded: usize,
    unknown: usize,
    refused: Vec<String>,
}

fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}

/// The object's type and its id.
fn named(line: &str) -> Option<(String, String)> {
    let Ok(Value::Object(fields)) = json::from_str(line) else { return None };
    let text = |name: &str| match fields.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    };
    Some((text("object")?, text("id").unwrap_or_default()))
}

/// Whether the SDK takes the line for an object of that type; `None` for what only Portico has.
fn decodes(object: &str, line: &str) -> Option<bool> {
    macro_rules! by_name {
        ($($name:literal => $type:ty),+ $(,)?) => {
            match object {
                $($name => json::from_str::<$type>(line).is_ok(),)+
                _ => return None,
            }
        };
    }
    Some(by_name! {
        "account" => Account,
        "billing_portal.configuration" => BillingPortalConfiguration,
        "billing_portal.session" => BillingPortalSession,
        "charge" => Charge,
        "coupon" => Coupon,
        "credit_note" => CreditNote,
        "customer" => Customer,
        "customer_balance_transaction" => CustomerBalanceTransaction,
        "discount" => Discount,
        "event" => Event,
        "invoice" => Invoice,
        "invoice_payment" => InvoicePayment,
        "invoiceitem" => InvoiceItem,
        "line_item" => InvoiceLineItem,
        "mandate" => Mandate,
        "payment_intent" => PaymentIntent,
        "payment_method" => PaymentMethod,
        "price" => Price,
        "product" => Product,
        "promotion_code" => PromotionCode,
        "refund" => Refund,
        "setup_intent" => SetupIntent,
        "subscription" => Subscription,
        "subscription_item" => SubscriptionItem,
        "tax_id" => TaxId,
        "tax_rate" => TaxRate,
        "test_helpers.test_clock" => TestHelpersTestClock,
        "webhook_endpoint" => WebhookEndpoint,
    })
}
