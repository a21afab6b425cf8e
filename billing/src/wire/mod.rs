//! Each record in Stripe's shape, API version 2026-10-28.endive. Rendered here because events need it in the
//! transaction; parsing is the server's. Fields are only ever added.
//!
//! Every field that the SDK's types promise is there, `null` where there is nothing to say. What older SDKs read comes
//! after it, under "legacy"; what Stripe does not have, under "ours".

mod account;
mod back;
mod catalog;
mod charge;
mod clock;
mod customer;
mod event;
mod invoice;
mod line;
mod offer;
mod payment;
mod portal;
mod quote;
mod subscription;

use serde_json::{Value, json};

use crate::page::Listed;

pub use account::account;
pub use back::{credit_note, credit_note_line, refund};
pub use catalog::{plan, price, product};
pub use charge::{charge, mandate};
pub use clock::test_clock;
pub use customer::{balance_transaction, customer, deleted, payment_method, tax_id};
pub use event::{audit_entry, event, webhook_delivery, webhook_endpoint, webhook_replay};
pub use invoice::invoice;
use invoice::tax_amounts;
pub(crate) use line::discount_amounts;
pub use line::{invoice_item, line};
pub use offer::{coupon, deleted_discount, discount, promotion_code, tax_rate};
use offer::{discounts, named_rates};
pub use payment::{invoice_payment, payment_intent, setup_intent};
pub use portal::{
    feedback_option, portal_branding, portal_configuration, portal_domain, portal_issuer, portal_session,
    portal_settings,
};
pub use quote::subscription_quote;
pub use subscription::{item, scheduled_change, subscription};

/// The API version whose shapes these are.
pub const API_VERSION: &str = "2026-10-28.endive";

/// Stripe's list object; `url` is where its next page is read.
pub fn list(url: &str, data: Vec<Value>, has_more: bool) -> Value {
    json!({ "object": "list", "data": data, "has_more": has_more, "url": url })
}

/// A page of records as a list object.
pub fn listed<T>(url: &str, page: Listed<T>, render: impl Fn(&T) -> Value) -> Value {
    list(url, page.data.iter().map(render).collect(), page.has_more)
}

/// An object with more fields after its own; what it has already stays, unless `more` says it again.
fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut object, more) {
        fields.extend(more);
    }
    object
}
