//! What was changed is in the audit log, and was told.

use crate::check::{Violation, broken};
use crate::error::Result;
use crate::store::Tx;

/// Rows of a table whose coming into being nobody wrote down.
macro_rules! written {
    ($tx:expr, $found:expr, $trail:literal, $what:literal, [$($table:literal),+ $(,)?]) => {
        $( $found.extend(broken!(
            $tx,
            "select t.id, '", $what, "' as what from ", $table, " t
             where not exists (select 1 from ", $trail, " a where a.tenant = t.tenant and a.object_id = t.id)"
        )); )+
    };
}

pub(super) async fn kept(tx: &mut Tx) -> Result<Vec<Violation>> {
    let mut found = broken!(
        tx,
        "select a.id, 'its event ' || a.event || ' is not there' as what from audit_entry a
         where a.event is not null and not exists (select 1 from event e where e.tenant = a.tenant and e.id = a.event)"
    );
    // The first event of a change is named by its entry; those beside it are of the same object, in the same second.
    found.extend(broken!(
        tx,
        "select e.id, 'no audit entry goes with it' as what from event e
         where not exists (select 1 from audit_entry a where a.tenant = e.tenant and a.object_id = e.object_id
                           and a.event is not null and a.at_ms / 1000 = e.created)"
    ));
    found.extend(broken!(
        tx,
        "select object_id as id, 'its events are not numbered through: ' || cast(count(*) as text) || ' up to number '
                || cast(max(sequence) as text) as what
         from event group by tenant, object_id having min(sequence) <> 1 or max(sequence) <> count(*)"
    ));
    written!(
        tx,
        found,
        "audit_entry",
        "the audit log does not know it",
        [
            "balance_transaction",
            "coupon",
            "credit_note",
            "customer",
            "invoice",
            "invoice_item",
            "payment_attempt",
            "payment_intent",
            "portal_configuration",
            "price",
            "product",
            "promotion_code",
            "refund",
            "setup_intent",
            "subscription",
            "tax_id",
            "tax_rate",
            "test_clock",
            "webhook_endpoint",
        ]
    );
    written!(
        tx,
        found,
        "event",
        "nobody was told of it",
        [
            "coupon",
            "credit_note",
            "customer",
            "invoice",
            "payment_intent",
            "portal_configuration",
            "price",
            "product",
            "promotion_code",
            "refund",
            "setup_intent",
            "subscription",
            "tax_id",
            "tax_rate",
            "test_clock",
        ]
    );
    Ok(found)
}
