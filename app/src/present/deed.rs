//! Whether something was just done: what an address says is believed only where the audit log bears it out.

use billing::{Page, Result, Tx, audit};

use crate::session::Session;

/// How long what was done is news, in milliseconds.
const NEWS: i64 = 15 * 60 * 1000;

/// Whether `action` was done to `object` in this session a short while ago. The customer's own log is asked.
pub async fn just_was(tx: &mut Tx, session: &Session, action: &str, object: &str) -> Result<bool> {
    let customer = &session.guest.customer.id;
    let since = tx.now.plus(-NEWS);
    let listed = audit::of_customer(tx, &session.who, customer, &Page::first(10)).await?;
    let own = &session.guest.session.id;
    Ok(listed.data.iter().any(|entry| {
        entry.action == action && entry.object_id == object && entry.actor == *own && entry.at_ms >= since
    }))
}
