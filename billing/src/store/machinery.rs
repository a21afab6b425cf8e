//! Which statements change the books, and which only what the program needs to run.

/// Tables of the program's own works, whose rows come and go without an audit entry.
const MACHINERY: &[&str] = &[
    "audit_seal",
    "delivery",
    "field_reference",
    "idempotency_key",
    "job",
    "limit_count",
    "login_request",
    "mail",
    "quote_use",
    "webhook_lane",
];

pub(super) fn changes_the_books(sql: &str) -> bool {
    let mut words = sql.split_whitespace();
    let table = match words.next() {
        Some("select") => return false,
        Some("update") => words.next(),
        _ => words.nth(1), // insert into, delete from
    };
    !table.is_some_and(|table| MACHINERY.contains(&table))
}
