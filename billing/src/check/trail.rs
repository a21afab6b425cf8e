//! What was changed is in the audit log, and was told.

use crate::check::{Violation, broken};
use crate::error::Result;
use crate::store::Tx;

/// Rows of a table whose coming into being nobody wrote down. What came in bulk came without events, and a payment of
/// that time with its invoice's entry: `$own` names the column that says which entry that is.
macro_rules! written {
    ($tx:expr, $found:expr, $trail:literal, $what:literal, $own:literal, [$($table:literal),+ $(,)?]) => {
        $( $found.extend(broken!(
            $tx,
            "select t.id, '", $what, "' as what from ", $table, " t
             where not exists (select 1 from ", $trail, " a where a.tenant = t.tenant and a.object_id = t.id)
               and not exists (select 1 from audit_entry b where b.tenant = t.tenant and b.object_id = t.", $own, "
                               and b.actor = 'import')"
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
        "id",
        [
            "balance_transaction",
            "coupon",
            "credit_note",
            "customer",
            "invoice",
            "invoice_item",
            "portal_configuration",
            "portal_domain",
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
        "id",
        [
            "coupon",
            "credit_note",
            "customer",
            "invoice",
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
    written!(
        tx,
        found,
        "audit_entry",
        "the audit log does not know it",
        "invoice",
        ["payment_attempt", "payment_intent"]
    );
    written!(tx, found, "event", "nobody was told of it", "invoice", ["payment_intent"]);
    Ok(found)
}
