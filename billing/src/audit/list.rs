//! Reading the audit log: one entry, or those that a filter lets through.

use crate::actor::Actor;
use crate::audit::{Entry, columns};
use crate::error::{Error, Result};
use crate::page::{Listed, Page};
use crate::store::{Tx, all, maybe};

/// Filters of a list; all that are given must hold.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    pub customer: Option<String>,
    /// The id of what was changed.
    pub object: Option<String>,
    /// `customer.updated`
    pub action: Option<String>,
    /// `api`, `portal` or `system`.
    pub origin: Option<String>,
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Entry> {
    maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from audit_entry where tenant = $1 and id = $2 and (cast($3 as text) is null or customer = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("audit_entry", id))
}

/// Entries newest first. Their ids sort by the time they were written, so a page is cut by id alone.
pub async fn list(tx: &mut Tx, who: &Actor, page: &Page, filter: &EntryFilter) -> Result<Listed<Entry>> {
    if let Some((id, param)) = page.cursor() {
        get(tx, who, id).await.map_err(|e| e.on(param))?;
    }
    let customer = who.customer().or(filter.customer.as_deref());
    let (from, until) = millis(page.created);
    macro_rules! rows {
        ($beyond:literal, $order:literal, $cursor:expr) => {
            all!(
                tx,
                concat!(
                    "select ",
                    columns!(),
                    " from audit_entry where tenant = $1 and ($2 = '' or ",
                    $beyond,
                    ") and at_ms >= $4 and at_ms <= $5 and (cast($6 as text) is null or customer = $6)
                     and (cast($7 as text) is null or object_id = $7) and (cast($8 as text) is null or action = $8)
                     and (cast($9 as text) is null or origin = $9) order by id ",
                    $order,
                    " limit $3"
                ),
                who.tenant.key,
                $cursor.as_deref().unwrap_or_default(),
                page.limit + 1,
                from,
                until,
                customer,
                &filter.object,
                &filter.action,
                &filter.origin
            )?
        };
    }
    let rows = if page.is_backward() {
        rows!("id > $2", "asc", page.ending_before)
    } else {
        rows!("id < $2", "desc", page.starting_after)
    };
    Ok(page.cut(rows))
}

/// Whole seconds, both ends included, as milliseconds.
fn millis((from, until): (i64, i64)) -> (i64, i64) {
    (from.saturating_mul(1000), until.saturating_mul(1000).saturating_add(999))
}
