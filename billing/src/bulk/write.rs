//! Writes a pattern again and again: many rows a statement, many customers a transaction.

use std::collections::HashSet;

use sqlx::QueryBuilder;

use super::pattern::{Cell, Piece};
use super::{Pattern, Value};
use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::gateway::Charge;
use crate::invoice::hosted;
use crate::payment::charge;
use crate::store::{Conn, Tx, all};
use crate::subscription::due;
use crate::{id, seal};

/// How many values one statement binds: SQLite takes 32,766, PostgreSQL twice as many.
const MOST_VALUES: usize = 30_000;

/// Somebody who comes by a pattern's history.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// Without a quotation mark or a backslash, since it is also put into JSON.
    pub name: String,
    pub email: String,
    /// By how many seconds everything happened later than to the pattern.
    pub later: i64,
}

/// Knows whose invoice numbers begin how, so that no two customers' do alike.
pub struct Writer {
    prefixes: HashSet<String>,
}

/// One newcomer with ids for all that it has.
struct Copy<'a> {
    who: &'a Newcomer,
    ids: Vec<String>,
    prefix: String,
}

impl Writer {
    pub async fn begin(tx: &mut Tx, who: &Actor) -> Result<Self> {
        let taken: Vec<(String,)> = all!(tx, "select invoice_prefix from customer where tenant = $1", who.tenant.key)?;
        Ok(Self { prefixes: taken.into_iter().map(|(prefix,)| prefix).collect() })
    }

    /// Writes the pattern once for each; answers what the test processor is to have charged.
    pub async fn write(
        &mut self,
        tx: &mut Tx,
        who: &Actor,
        pattern: &Pattern,
        newcomers: &[Newcomer],
    ) -> Result<Vec<Charge>> {
        let copies = newcomers.iter().map(|newcomer| self.copy(pattern, newcomer)).collect::<Result<Vec<_>>>()?;
        for table in &pattern.tables {
            let each = copies.iter().flat_map(|copy| table.rows.iter().map(|row| copy.row(who, row)));
            insert(tx, table.name, &table.columns, each.collect()).await?;
        }
        let hosted = copies.iter().flat_map(|copy| pattern.hosted.iter().map(|n| link(who, &tx.key, &copy.ids[*n])));
        let hosted = hosted.collect::<Result<_>>()?;
        insert(tx, "hosted_invoice", &["tenant", "invoice", "secret_hash", "secret"].map(str::to_owned), hosted)
            .await?;
        tx.note("insert into customer");
        tx.audited();
        Ok(copies.iter().flat_map(|copy| copy.charges(who, pattern)).collect())
    }

    fn copy<'a>(&mut self, pattern: &Pattern, who: &'a Newcomer) -> Result<Copy<'a>> {
        if who.name.contains(['"', '\\']) || who.email.contains(['"', '\\']) {
            return Err(Error::invalid("name", "A name in bulk has no quotation mark and no backslash."));
        }
        loop {
            let made = |(prefix, at): &(String, crate::Millis)| id::new(prefix, at.plus(who.later * 1000));
            let ids: Vec<String> = pattern.things.iter().map(made).collect();
            let prefix = crate::customer::prefix_of(&ids[pattern.customer]);
            // One that is taken is drawn again.
            if self.prefixes.insert(prefix.clone()) {
                return Ok(Copy { who, ids, prefix });
            }
        }
    }
}

impl Copy<'_> {
    fn row(&self, who: &Actor, row: &[Cell]) -> Vec<Value> {
        let cell = |cell: &Cell| match cell {
            Cell::Fixed(value) => value.clone(),
            Cell::Instant(at, unit) => Value::Int(Some(at + self.who.later * 1000 / unit)),
            Cell::Wakes { due, subscription } => {
                Value::Int(Some(due::in_its_minute(Seconds(due + self.who.later), &self.ids[*subscription]).0))
            }
            Cell::Text(pieces) => Value::Text(Some(pieces.iter().map(|piece| self.say(who, piece)).collect())),
        };
        row.iter().map(cell).collect()
    }

    fn say(&self, who: &Actor, piece: &Piece) -> String {
        match piece {
            Piece::Words(words) => words.clone(),
            Piece::Id(n) => self.ids[*n].clone(),
            Piece::Name => self.who.name.clone(),
            Piece::Email => self.who.email.clone(),
            Piece::Prefix => self.prefix.clone(),
            Piece::Reference(invoice, number) => Piece::reference(who, &self.ids[*invoice], *number),
        }
    }

    fn charges<'a>(&'a self, who: &'a Actor, pattern: &'a Pattern) -> impl Iterator<Item = Charge> {
        pattern.paid.iter().map(|paid| Charge {
            key: charge::key(&who.tenant, &self.ids[paid.invoice], paid.number),
            method: paid.method.clone(),
            amount: paid.amount,
            currency: paid.currency.clone(),
        })
    }
}

/// The link to an invoice's own page.
fn link(who: &Actor, key: &seal::Key, invoice: &str) -> Result<Vec<Value>> {
    let link = hosted::Link::new(key, invoice)?;
    let texts = [invoice.to_owned(), link.hash, link.sealed].map(|text| Value::Text(Some(text)));
    Ok([Value::Int(Some(who.tenant.key))].into_iter().chain(texts).collect())
}

/// Every row of one table, in as few statements as may be. The names are the schema's own; all else is bound.
async fn insert(tx: &mut Tx, table: &str, columns: &[String], rows: Vec<Vec<Value>>) -> Result<()> {
    macro_rules! insert {
        ($conn:expr, $rows:expr) => {{
            let mut query = QueryBuilder::new("insert into ");
            query.push(table).push(" (").push(columns.join(", ")).push(") ");
            query.push_values($rows, |mut row, values| {
                for value in values {
                    match value {
                        Value::Int(number) => row.push_bind(*number),
                        Value::Bool(is) => row.push_bind(*is),
                        Value::Text(text) => row.push_bind(text.as_deref()),
                    };
                }
            });
            query.build().execute(&mut **$conn).await?;
        }};
    }
    for rows in rows.chunks(MOST_VALUES / columns.len().max(1)) {
        match &mut tx.conn {
            Conn::Sqlite(inner) => insert!(inner, rows),
            Conn::Postgres(inner) => insert!(inner, rows),
        }
    }
    Ok(())
}
