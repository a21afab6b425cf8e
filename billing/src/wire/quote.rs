//! A quote. Stripe has none of this kind: its quotes are offers that a merchant writes.

use serde_json::{Value, json};

use crate::actor::Tenant;
use crate::quote::Quote;

pub fn subscription_quote(tenant: &Tenant, q: &Quote) -> Value {
    let invoice = |invoice: &_| super::invoice(tenant, invoice);
    json!({
        "object": "subscription_quote",
        "amount_due": q.due_now(),
        "expires_at": q.expires.seconds(),
        "invoice": q.invoice.as_ref().map(invoice),
        "livemode": tenant.livemode,
        "next_invoice": q.renewal.as_ref().map(invoice),
        "pending_invoice_items": q.waiting.iter().map(|item| super::invoice_item(tenant, item)).collect::<Vec<_>>(),
        "subscription": q.change.subscription(),
        "token": q.token,
    })
}
