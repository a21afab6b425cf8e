//! Nothing is forgotten: what time does next is queued, and done when it is due. Test clocks stand still by themselves.

use crate::check::{Violation, broken};
use crate::error::Result;
use crate::store::Tx;

const MINUTE_MS: i64 = 60 * 1000;
const DAY: i64 = 86_400;

pub(super) async fn unknown(tx: &mut Tx) -> Result<Vec<Violation>> {
    let oldest = tx.now.seconds().plus(-8 * DAY);
    Ok(broken!(
        tx,
        "select id, 'nobody knows what became of it since ' || cast(created as text) as what
         from payment_attempt where status in ('processing', 'unknown') and created < $1";
        oldest
    ))
}

pub(super) async fn late(tx: &mut Tx) -> Result<Vec<Violation>> {
    let latest = tx.now.plus(-10 * MINUTE_MS);
    Ok(broken!(
        tx,
        "select id, 'due since ' || cast(due as text) as what from (
             select id, wakes_at as due from subscription where clock_id is null and wakes_at < $1
             union all select id, next_due from invoice where clock_id is null and next_due < $1
             union all select id, next_lookup_ms / 1000 from payment_attempt
                       where status in ('processing', 'unknown') and next_lookup_ms < $2
             union all select id, next_try_ms / 1000 from refund where status = 'pending' and next_try_ms < $2
             union all select d.id, d.next_ms / 1000 from delivery d
                       join webhook_endpoint e on e.tenant = d.tenant and e.id = d.endpoint
                       join webhook_lane l on l.tenant = d.tenant and l.endpoint = d.endpoint
                       where d.status = 'pending' and d.next_ms < $2 and e.status = 'enabled' and l.failing_since_ms is null
             union all select id, run_at_ms / 1000 from job
                       where run_at_ms < $2 and (locked_until_ms is null or locked_until_ms < $2)) as waiting";
        latest.seconds(),
        latest
    ))
}

/// One that goes on is queued for the end of its period at the latest, and one that runs on the wall's clock for a
/// worker. What was parked waits for somebody to look.
pub(super) async fn waits(tx: &mut Tx) -> Result<Vec<Violation>> {
    Ok(broken!(
        tx,
        "select id, 'it is ' || status || ' until ' || cast(current_period_end as text) || ', and nothing is planned for then' as what
         from subscription
         where status in ('incomplete', 'trialing', 'active', 'past_due', 'unpaid') and parked_at is null
           and (next_due is null or (status <> 'incomplete' and next_due > current_period_end)
                or (clock_id is null and wakes_at is null))"
    ))
}
