//! The invariants of the books, looked at over a whole database, every merchant's: what must hold whatever happened,
//! crashes included. It only reads, in one picture of the database, by statements over whole tables.

mod balances;
mod documents;
mod ledger;
mod owners;
mod payments;
mod periods;
mod time;
mod trail;

use crate::error::Result;
use crate::gateway::sandbox::Sandbox;
use crate::store::{Db, Tx, one};

/// As many violations of one rule are read; there may be more.
pub const MOST: usize = 1000;

/// What is said of one row that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Violation {
    pub id: String,
    pub what: String,
}

/// One invariant, as it was found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// From 1 to 14.
    pub number: u32,
    pub name: &'static str,
    /// How many rows were looked at.
    pub rows: i64,
    /// Up to [`MOST`] a rule.
    pub violations: Vec<Violation>,
    /// What could not be looked at, and why.
    pub left_out: Option<&'static str>,
}

/// How to look.
#[derive(Default)]
pub struct Look<'a> {
    /// The test processor's ledger, the other side of what was paid.
    pub ledger: Option<&'a Sandbox>,
    /// Nobody works on these books: what is late is no violation.
    pub at_rest: bool,
}

/// Rows that break a rule, of a statement that selects `id` and `what` is wrong.
macro_rules! broken {
    ($tx:expr, $($sql:expr),+ $(; $($arg:expr),+)?) => {{
        let rows: $crate::error::Result<Vec<$crate::check::Violation>> = $crate::store::all!(
            $tx, concat!("select id, what from (", $($sql),+, ") as broken order by id limit 1000") $(, $($arg),+)?
        );
        rows?
    }};
}
pub(crate) use broken;

/// The rules of one invariant, one after the other.
macro_rules! invariant {
    ($tx:expr, $found:expr, $number:literal, $name:literal, [$($table:literal),*], $broken:expr) => {{
        let mut rows = 0;
        $( rows += $crate::check::count($tx, concat!("select count(*) from ", $table)).await?; )*
        let violations: Vec<$crate::check::Violation> = $broken;
        $found.push($crate::check::Finding { number: $number, name: $name, rows, violations, left_out: None });
    }};
}

/// Looks at everything; one finding an invariant, in their order (`RELIABILITY`: the list INV).
pub async fn run(db: &Db, look: Look<'_>) -> Result<Vec<Finding>> {
    // Read before the books and after them, so that what happens meanwhile is no difference.
    let earlier = ledger::Side::read(look.ledger).await?;
    let mut open = db.read().await?;
    let (tx, mut found) = (&mut open, Vec::new());
    invariant!(
        tx,
        found,
        1,
        "a document is the sum of its lines",
        ["invoice", "invoice_line", "credit_note", "credit_note_line"],
        documents::add_up(tx).await?
    );
    invariant!(
        tx,
        found,
        2,
        "what is due is the total less credit and notes, and never negative",
        ["invoice", "balance_transaction", "credit_note"],
        payments::due(tx).await?
    );
    invariant!(
        tx,
        found,
        3,
        "an invoice is paid exactly when nothing is left to pay",
        ["invoice"],
        payments::paid(tx).await?
    );
    invariant!(tx, found, 4, "a period of a subscription is billed once", ["invoice"], periods::once(tx).await?);
    invariant!(
        tx,
        found,
        5,
        "the periods of a subscription follow each other",
        ["subscription", "subscription_item"],
        periods::tile(tx).await?
    );
    invariant!(
        tx,
        found,
        6,
        "what was captured is what was paid, less what was given back",
        ["payment_attempt", "refund"],
        payments::received(tx).await?
    );
    invariant!(
        tx,
        found,
        7,
        "a balance is the sum of its ledger, and each entry has its other side",
        ["customer_balance", "balance_transaction"],
        balances::add_up(tx).await?
    );
    invariant!(
        tx,
        found,
        8,
        "nothing is redeemed more often than it may be",
        ["coupon", "promotion_code", "discount"],
        balances::redeemed(tx).await?
    );
    invariant!(
        tx,
        found,
        9,
        "a deleted customer has no subscription that goes on",
        ["customer"],
        owners::gone(tx).await?
    );
    invariant!(
        tx,
        found,
        10,
        "every change has its audit entry and its events",
        ["audit_entry", "event"],
        trail::kept(tx).await?
    );
    invariant!(
        tx,
        found,
        11,
        "nothing points at another merchant's, or another customer's",
        ["invoice", "invoice_line", "subscription", "payment_attempt", "event"],
        owners::own(tx).await?
    );
    invariant!(
        tx,
        found,
        12,
        "no payment is unknown for more than 8 days",
        ["payment_attempt"],
        time::unknown(tx).await?
    );
    invariant!(
        tx,
        found,
        13,
        "nothing that is due waits for more than 10 minutes",
        ["job", "subscription", "invoice", "payment_attempt", "refund"],
        time::late(tx).await?
    );
    invariant!(
        tx,
        found,
        14,
        "a subscription that goes on will be looked at when its period ends",
        ["subscription"],
        time::waits(tx).await?
    );
    if look.at_rest {
        for finding in found.iter_mut().filter(|finding| matches!(finding.number, 12 | 13)) {
            finding.violations.clear();
            finding.left_out = Some("at rest");
        }
    }
    let received = &mut found[5];
    match earlier {
        Some(earlier) => {
            let books = ledger::Books::read(tx).await?;
            let later = ledger::Side::read(look.ledger).await?.unwrap_or_default();
            received.rows += earlier.len();
            received.violations.extend(books.differences(&earlier, &later));
        }
        None => received.left_out = Some("the books alone: the processor's ledger is not here"),
    }
    Ok(found)
}

async fn count(tx: &mut Tx, sql: &'static str) -> Result<i64> {
    let (rows,): (i64,) = one!(tx, sql)?;
    Ok(rows)
}
