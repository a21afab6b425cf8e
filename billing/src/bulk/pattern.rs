//! A customer's rows with holes in them, where another customer's ids, name and instants go.

use sqlx::{Column, ColumnIndex, Database, Decode, Row, Type, TypeInfo};

use super::{ACTOR, Value};
use crate::actor::Actor;
use crate::clock::{Millis, Seconds};
use crate::error::{Error, Result};
use crate::gateway::sandbox;
use crate::id;
use crate::invoice::hosted;
use crate::money::Currency;
use crate::payment::charge;
use crate::store::{Conn, Tx};

/// Whole numbers from here on are instants in unix seconds, and from there on in milliseconds: no amount and no count of
/// a pattern is that large.
const SECONDS: i64 = 1_000_000_000;
const MILLIS: i64 = 1_000_000_000_000;

/// All that there is of one customer.
pub struct Pattern {
    pub(super) tables: Vec<Table>,
    /// What has an id: its prefix, and when it was made; in the order of the ids.
    pub(super) things: Vec<(String, Millis)>,
    /// Which of the things is the customer, and which are the invoices whose own page is still open.
    pub(super) customer: usize,
    pub(super) hosted: Vec<usize>,
    pub(super) paid: Vec<Paid>,
}

pub(super) struct Table {
    pub name: &'static str,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

pub(super) enum Cell {
    /// The same for everybody.
    Fixed(Value),
    /// So many milliseconds in the unit that one of them has.
    Instant(i64, i64),
    /// When a worker takes up a subscription that is due at this second.
    Wakes {
        due: i64,
        subscription: usize,
    },
    Text(Vec<Piece>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Words(String),
    Id(usize),
    Name,
    Email,
    /// What the customer's invoice numbers begin with.
    Prefix,
    /// The test processor's word for a charge of an invoice.
    Reference(usize, i64),
}

/// A charge that the test processor has made.
pub(super) struct Paid {
    pub invoice: usize,
    pub number: i64,
    pub method: String,
    pub amount: i64,
    pub currency: Currency,
}

/// Rows of one table as they are read.
struct Read {
    name: &'static str,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// Every column of the rows of a table that are a customer's.
macro_rules! rows {
    ($tx:expr, $who:expr, $customer:expr, $table:literal, $own:literal) => {{
        let sql = concat!("select * from ", $table, " where tenant = $1 and ", $own, " order by id");
        let (tenant, customer) = ($who.tenant.key, $customer);
        match &mut $tx.conn {
            Conn::Sqlite(inner) => {
                let rows = sqlx::query(sql).bind(tenant).bind(customer).fetch_all(&mut **inner).await?;
                Read::of($table, &rows)?
            }
            Conn::Postgres(inner) => {
                let rows = sqlx::query(sql).bind(tenant).bind(customer).fetch_all(&mut **inner).await?;
                Read::of($table, &rows)?
            }
        }
    }};
}

impl Pattern {
    /// Reads a customer whose invoices are all paid; each table after those that it points to.
    pub async fn read(tx: &mut Tx, who: &Actor, customer: &str) -> Result<Self> {
        let tables = vec![
            rows!(tx, who, customer, "customer", "id = $2"),
            rows!(tx, who, customer, "payment_method", "customer = $2"),
            rows!(
                tx,
                who,
                customer,
                "mandate",
                "payment_method in (select id from payment_method where tenant = $1 and customer = $2)"
            ),
            rows!(tx, who, customer, "subscription", "customer = $2"),
            rows!(
                tx,
                who,
                customer,
                "subscription_item",
                "subscription in (select id from subscription where tenant = $1 and customer = $2)"
            ),
            rows!(tx, who, customer, "invoice", "customer = $2 and status = 'paid'"),
            rows!(
                tx,
                who,
                customer,
                "invoice_line",
                "invoice in (select id from invoice where tenant = $1 and customer = $2 and status = 'paid')"
            ),
            rows!(tx, who, customer, "payment_intent", "customer = $2"),
            rows!(tx, who, customer, "payment_attempt", "customer = $2"),
            rows!(
                tx,
                who,
                customer,
                "audit_entry",
                "customer = $2 and action in ('customer.created', 'customer.subscription.created', 'invoice.paid',
                 'payment_method.attached')"
            ),
        ];
        Self::of(&tables, tx.now.seconds())
    }

    fn of(tables: &[Read], now: Seconds) -> Result<Self> {
        let mut ids: Vec<&str> = tables.iter().flat_map(|table| table.texts("id")).collect();
        ids.sort_by_key(|id| id.split_once('_').map(|(_, made)| made));
        let things = ids.iter().map(|id| thing(id)).collect::<Result<_>>()?;
        let find = |id: Option<&str>| ids.iter().position(|known| Some(*known) == id).ok_or_else(strange);
        let customer = &tables[0];
        let said = |column| customer.texts(column).next().map(str::to_owned).ok_or_else(strange);
        let mut marks: Vec<(String, Piece)> =
            ids.iter().enumerate().map(|(n, id)| ((*id).to_owned(), Piece::Id(n))).collect();
        marks.push((said("name")?, Piece::Name));
        marks.push((said("email")?, Piece::Email));
        marks.push((said("invoice_prefix")?, Piece::Prefix));
        let paid = paid(tables, find)?;
        for (charge, reference) in &paid {
            marks.push((reference.clone(), Piece::Reference(charge.invoice, charge.number)));
        }
        let invoices = named(tables, "invoice")?;
        let is_open =
            |row: &&Vec<Value>| invoices.int(row, "paid_at").is_some_and(|at| hosted::is_open(Seconds(at), now));
        let open = invoices.rows.iter().filter(is_open).map(|row| find(invoices.text(row, "id")));
        Ok(Self {
            customer: find(customer.texts("id").next())?,
            hosted: open.collect::<Result<_>>()?,
            paid: paid.into_iter().map(|(charge, _)| charge).collect(),
            tables: tables.iter().map(|table| table.cut(&marks)).collect(),
            things,
        })
    }
}

fn named<'a>(tables: &'a [Read], name: &str) -> Result<&'a Read> {
    tables.iter().find(|table| table.name == name).ok_or_else(strange)
}

/// The charges, and what the processor calls each.
fn paid(tables: &[Read], find: impl Fn(Option<&str>) -> Result<usize>) -> Result<Vec<(Paid, String)>> {
    let (methods, attempts) = (named(tables, "payment_method")?, named(tables, "payment_attempt")?);
    let each = attempts.rows.iter().map(|row| {
        let text = |column| attempts.text(row, column).ok_or_else(strange);
        let method = text("payment_method")?;
        let known = methods.rows.iter().find(|row| methods.text(row, "id") == Some(method)).ok_or_else(strange)?;
        let paid = Paid {
            invoice: find(Some(text("invoice")?))?,
            number: attempts.int(row, "number").ok_or_else(strange)?,
            method: methods.text(known, "gateway_ref").ok_or_else(strange)?.to_owned(),
            amount: attempts.int(row, "amount").ok_or_else(strange)?,
            currency: Currency::parse(text("currency")?, "currency")?,
        };
        Ok((paid, text("gateway_ref")?.to_owned()))
    });
    each.collect()
}

fn thing(id: &str) -> Result<(String, Millis)> {
    let (prefix, _) = id.split_once('_').ok_or_else(strange)?;
    Ok((prefix.to_owned(), id::time_of(id).ok_or_else(strange)?))
}

fn strange() -> Error {
    Error::internal("this customer is no pattern: it has not been charged for all that it was billed")
}

impl Read {
    fn of<R>(name: &'static str, rows: &[R]) -> Result<Self>
    where
        R: Row,
        usize: ColumnIndex<R>,
        for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
        for<'r> bool: Decode<'r, R::Database> + Type<R::Database>,
        for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    {
        let columns = rows.first().map(|row| row.columns().iter().map(|column| column.name().to_owned()).collect());
        let cell = |row: &R, n: usize| {
            let kind = <<R::Database as Database>::Column as Column>::type_info(&row.columns()[n]).name().to_owned();
            Ok(match kind.as_str() {
                "TEXT" => Value::Text(row.try_get(n)?),
                "BOOL" | "BOOLEAN" => Value::Bool(row.try_get(n)?),
                _ => Value::Int(row.try_get(n)?),
            })
        };
        let rows = rows.iter().map(|row| (0..row.len()).map(|n| cell(row, n)).collect::<Result<_>>());
        Ok(Self { name, columns: columns.unwrap_or_default(), rows: rows.collect::<Result<_>>()? })
    }

    fn at<'a>(&self, row: &'a [Value], column: &str) -> Option<&'a Value> {
        self.columns.iter().position(|name| name == column).and_then(|n| row.get(n))
    }

    fn text<'a>(&self, row: &'a [Value], column: &str) -> Option<&'a str> {
        if let Some(Value::Text(text)) = self.at(row, column) { text.as_deref() } else { None }
    }

    fn int(&self, row: &[Value], column: &str) -> Option<i64> {
        if let Some(Value::Int(number)) = self.at(row, column) { *number } else { None }
    }

    fn texts(&self, column: &str) -> impl Iterator<Item = &str> {
        self.rows.iter().filter_map(move |row| self.text(row, column))
    }

    fn cut(&self, marks: &[(String, Piece)]) -> Table {
        let row = |row: &Vec<Value>| {
            self.columns.iter().zip(row).map(|(name, value)| self.cell(row, name, value, marks)).collect()
        };
        Table { name: self.name, columns: self.columns.clone(), rows: self.rows.iter().map(row).collect() }
    }

    fn cell(&self, row: &[Value], column: &str, value: &Value, marks: &[(String, Piece)]) -> Cell {
        match (self.name, column, value) {
            ("audit_entry", "actor", _) => Cell::Fixed(Value::Text(Some(ACTOR.into()))),
            ("audit_entry", "event" | "before" | "after", _) => Cell::Fixed(Value::Text(None)),
            ("subscription", "wakes_at", Value::Int(Some(_))) => {
                let id = self.text(row, "id").unwrap_or_default();
                let own = marks.iter().find_map(|(mark, piece)| match piece {
                    Piece::Id(n) if mark == id => Some(*n),
                    _ => None,
                });
                Cell::Wakes {
                    due: self.int(row, "next_due").unwrap_or_default(),
                    subscription: own.unwrap_or_default(),
                }
            }
            (_, _, Value::Int(Some(at))) if *at >= MILLIS => Cell::Instant(*at, 1),
            (_, _, Value::Int(Some(at))) if *at >= SECONDS => Cell::Instant(*at, 1000),
            (_, _, Value::Text(Some(text))) => match pieces(text, marks) {
                cut if cut.iter().all(|piece| matches!(piece, Piece::Words(_))) => Cell::Fixed(value.clone()),
                cut => Cell::Text(cut),
            },
            _ => Cell::Fixed(value.clone()),
        }
    }
}

/// Cuts a text at every mark in it.
fn pieces(text: &str, marks: &[(String, Piece)]) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let next = marks.iter().filter_map(|(mark, piece)| Some((rest.find(mark.as_str())?, mark, piece)));
        let Some((at, mark, piece)) = next.min_by_key(|(at, mark, _)| (*at, usize::MAX - mark.len())) else { break };
        if at > 0 {
            found.push(Piece::Words(rest[..at].to_owned()));
        }
        found.push(piece.clone());
        rest = &rest[at + mark.len()..];
    }
    if !rest.is_empty() || found.is_empty() {
        found.push(Piece::Words(rest.to_owned()));
    }
    found
}

impl Piece {
    /// The processor's reference to a charge of an invoice by this id.
    pub(super) fn reference(who: &Actor, invoice: &str, number: i64) -> String {
        sandbox::reference(&charge::key(&who.tenant, invoice, number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_what_is_the_customers_own() {
        let marks = [("in_1".to_owned(), Piece::Id(0)), ("Ada Byrne".to_owned(), Piece::Name)];
        let cut = pieces(r#"{"name":"Ada Byrne","invoice":"in_1"}"#, &marks);
        let words = |text: &str| Piece::Words(text.into());
        let expected = [words(r#"{"name":""#), Piece::Name, words(r#"","invoice":""#), Piece::Id(0), words(r#""}"#)];
        assert_eq!(cut, expected);
        assert_eq!(pieces("", &marks), [words("")]);
        assert_eq!(pieces("in_1", &marks), [Piece::Id(0)]);
    }
}
