//! Looking at the tables behind the operations' backs.

use std::sync::atomic::Ordering;

use billing::check::{self, Finding, Look};
use billing::store::Conn;
use billing::{Seconds, event};
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use super::Stage;

impl Stage {
    /// Every row of a query without parameters.
    pub async fn rows<T>(&self, sql: &'static str) -> Vec<T>
    where
        T: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    {
        let mut tx = self.db.read().await.expect("the database can be read");
        let rows = match &mut tx.conn {
            Conn::Sqlite(inner) => sqlx::query_as(sql).fetch_all(&mut **inner).await,
            Conn::Postgres(inner) => sqlx::query_as(sql).fetch_all(&mut **inner).await,
        };
        rows.expect("the query runs")
    }

    /// A query's only number.
    pub async fn number(&self, sql: &'static str) -> i64 {
        let rows: Vec<(i64,)> = self.rows(sql).await;
        rows[0].0
    }

    /// Runs a statement as an intruder would, past every rule but the database's own.
    pub async fn force(&self, sql: &'static str) -> Result<u64, sqlx::Error> {
        self.tampers();
        let mut tx = self.db.begin().await.expect("a transaction");
        tx.unaudited();
        let done = match &mut tx.conn {
            Conn::Sqlite(inner) => sqlx::query(sql).execute(&mut **inner).await.map(|r| r.rows_affected()),
            Conn::Postgres(inner) => sqlx::query(sql).execute(&mut **inner).await.map(|r| r.rows_affected()),
        }?;
        tx.commit().await.expect("the transaction commits");
        Ok(done)
    }

    /// The merchant's events, oldest first: type and object.
    pub async fn events(&self) -> Vec<(String, String)> {
        let page = billing::Page::first(100);
        let mut listed = super::seen!(self, |tx| event::list(tx, &self.who, &page, None));
        assert!(!listed.has_more, "more events than a test should make");
        listed.data.reverse();
        listed.data.into_iter().map(|e| (e.r#type, e.object_id)).collect()
    }

    /// The types of one object's events, oldest first.
    pub async fn events_of(&self, object: &str) -> Vec<String> {
        let all = self.events().await;
        all.into_iter().filter(|(_, id)| id == object).map(|(kind, _)| kind).collect()
    }

    /// What was last said of an object.
    pub async fn last_event(&self, object: &str) -> billing::Event {
        let page = billing::Page::first(100);
        let listed = super::seen!(self, |tx| event::list(tx, &self.who, &page, None));
        listed.data.into_iter().find(|e| e.object_id == object).expect("it has an event")
    }

    /// The actions in the audit log, oldest first, with the objects they were done to.
    pub async fn audit(&self) -> Vec<(String, String)> {
        self.rows("select action, object_id from audit_entry order by id").await
    }

    /// What this test leaves behind need not be sound: it does what no rule lets happen.
    pub fn tampers(&self) {
        self.tampered.store(true, Ordering::Relaxed);
    }

    /// What every invariant says of these books, at rest: a test moves the clock without anybody at work.
    pub async fn check(&self) -> Vec<Finding> {
        let look = Look { ledger: Some(&self.sandbox), at_rest: true };
        check::run(&self.db, look).await.expect("the books can be looked at")
    }

    /// Every invariant holds, unless the test itself went past the rules.
    pub(super) async fn sound(&self) {
        if self.tampered.load(Ordering::Relaxed) {
            return;
        }
        let broken = self.check().await.into_iter().filter(|finding| !finding.violations.is_empty());
        let broken: Vec<Finding> = broken.collect();
        assert!(broken.is_empty(), "the books do not prove themselves: {broken:#?}");
    }

    /// The books and the sandbox's ledger say the same; answers the sum that was kept.
    pub async fn agreed(&self) -> i64 {
        super::agree::books_and_ledger_agree(&self.db, &self.sandbox).await
    }

    pub async fn captured(&self) -> i64 {
        self.sandbox.captured("eur").await.expect("the ledger answers")
    }
}

/// `2026-02-28 10:00`
pub fn at(text: &str) -> Seconds {
    let (day, time) = text.split_once(' ').unwrap_or((text, "10:00"));
    let instant: jiff::Timestamp = format!("{day}T{time}:00Z").parse().expect("a date");
    Seconds(instant.as_second())
}
