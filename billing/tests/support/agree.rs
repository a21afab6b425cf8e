//! The two sides of the books: what the sandbox captured and gave back, and what was written down of it.

use std::collections::BTreeMap;

use billing::Db;
use billing::gateway::sandbox::Sandbox;
use billing::store::Conn;

/// An attempt: tenant, invoice, number, status, amount, what of it was given back.
type Attempt = (i64, String, i64, String, i64, i64);

const ATTEMPTS: &str = "select tenant, invoice, number, status, amount, amount_refunded from payment_attempt order by tenant, invoice, number";
/// Invoices that money was taken for twice, or that are owed a negative amount.
const WRONG: &str = "select i.id from invoice i where i.amount_due < 0 or i.amount_paid < 0 or i.amount_due < i.amount_paid - i.amount_overpaid
     or (select count(*) from payment_attempt a where a.tenant = i.tenant and a.invoice = i.id and a.status = 'succeeded'
         and a.amount_refunded = 0) > 1";

/// Every capture is one settled charge of the same amount, less the same refunds, and the other way round: Σ captured is
/// Σ payments, and Σ given back Σ refunds. Nothing may be under way. Answers the sum that was kept.
pub async fn books_and_ledger_agree(db: &Db, sandbox: &Sandbox) -> i64 {
    let mut tx = db.read().await.expect("the books can be read");
    let (attempts, wrong): (Vec<Attempt>, Vec<(String,)>) = match &mut tx.conn {
        Conn::Sqlite(inner) => (
            sqlx::query_as(ATTEMPTS).fetch_all(&mut **inner).await.expect("the attempts"),
            sqlx::query_as(WRONG).fetch_all(&mut **inner).await.expect("the invoices"),
        ),
        Conn::Postgres(inner) => (
            sqlx::query_as(ATTEMPTS).fetch_all(&mut **inner).await.expect("the attempts"),
            sqlx::query_as(WRONG).fetch_all(&mut **inner).await.expect("the invoices"),
        ),
    };
    assert!(wrong.is_empty(), "paid twice, or owed less than nothing: {wrong:?}");
    let open: Vec<_> = attempts.iter().filter(|a| ["processing", "unknown"].contains(&a.3.as_str())).collect();
    assert!(open.is_empty(), "left without an end: {open:?}");
    let written: BTreeMap<String, (i64, i64)> = attempts
        .into_iter()
        .filter(|a| a.3 == "succeeded")
        .map(|(tenant, invoice, number, _, amount, refunded)| {
            (format!("{tenant}/{invoice}/{number}"), (amount, refunded))
        })
        .collect();
    let captured = sandbox.captures().await.expect("the ledger answers");
    let captured: BTreeMap<String, (i64, i64)> =
        captured.into_iter().map(|(key, amount, back)| (key, (amount, back))).collect();
    assert_eq!(written, captured, "what was written down (left) is not what was captured (right)");
    captured.values().map(|(amount, back)| amount - back).sum()
}
