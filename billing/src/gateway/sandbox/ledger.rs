//! The sandbox's own books: what it was asked, captured, gave back, and has still to tell.

use std::str::FromStr;

use sha2::{Digest, Sha256};
use sqlx::QueryBuilder;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};

use super::methods::{Behaviour, Fault};
use crate::error::{Error, Result};
use crate::gateway::{Charge, Notice, Outcome, Refund, Refunded};
use crate::store::sqlite_pool;

const TABLES: &[&str] = &[
    // `outcome` is `lost` for a request that never got through: the processor knows nothing of it.
    "create table if not exists charge (
        key text primary key, reference text not null unique, method text not null, amount bigint not null,
        currency text not null, outcome text not null, code text)",
    "create table if not exists refund (
        key text primary key, reference text not null, charge text not null, amount bigint not null, currency text not null)",
    "create table if not exists notice (
        id integer primary key autoincrement, key text not null, reference text not null, outcome text not null, code text)",
];

/// What references to charges begin with.
pub(super) const CHARGE: &str = "sbx";
/// How many charges are written down at a time.
const MANY: usize = 4000;

pub(super) struct Ledger {
    pool: SqlitePool,
}

/// What became of a charge: the word for it, and a decline's code.
pub(super) type Fate = (&'static str, Option<&'static str>);

impl Ledger {
    pub(super) async fn open(url: &str) -> Result<Self> {
        if !url.starts_with("sqlite:") {
            return Err(Error::internal("it is kept in SQLite: sqlite://path"));
        }
        let options = SqliteConnectOptions::from_str(url)?.create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        if let Some(folder) = options.get_filename().parent() {
            std::fs::create_dir_all(folder).map_err(|e| Error::internal(format!("{}: {e}", folder.display())))?;
        }
        let pool = sqlite_pool(1).connect_with(options).await?;
        for table in TABLES {
            sqlx::query(*table).execute(&pool).await?;
        }
        Ok(Self { pool })
    }

    /// Writes a charge down, once for each key; answers whether this was the first time, and what became of it.
    pub(super) async fn charge(&self, charge: &Charge, behaviour: Behaviour) -> Result<(bool, Option<Outcome>)> {
        let (outcome, code) = first_fate(behaviour);
        let reference = reference(CHARGE, &charge.key);
        let mut tx = self.pool.begin_with("begin immediate").await?;
        let written = sqlx::query(
            "insert into charge (key, reference, method, amount, currency, outcome, code) values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (key) do update set outcome = 'succeeded' where outcome = 'lost'",
        )
        .bind(&charge.key)
        .bind(&reference)
        .bind(&charge.method)
        .bind(charge.amount)
        .bind(charge.currency.code())
        .bind(outcome)
        .bind(code)
        .execute(&mut *tx)
        .await?
        .rows_affected();
        let found = find(&mut tx, &charge.key).await?;
        let is_first = written == 1 && (outcome != "lost" || found.is_none());
        if is_first {
            for (outcome, code) in told(behaviour) {
                tell(&mut tx, &charge.key, &reference, (outcome, *code)).await?;
            }
        }
        tx.commit().await?;
        Ok((is_first, found))
    }

    /// Writes down charges that were captured long ago.
    pub(super) async fn remember(&self, charges: &[Charge]) -> Result<()> {
        let mut tx = self.pool.begin_with("begin immediate").await?;
        for some in charges.chunks(MANY) {
            let mut insert =
                QueryBuilder::new("insert into charge (key, reference, method, amount, currency, outcome) ");
            insert.push_values(some, |mut row, charge| {
                row.push_bind(&charge.key).push_bind(reference(CHARGE, &charge.key)).push_bind(&charge.method);
                row.push_bind(charge.amount).push_bind(charge.currency.code()).push_bind("succeeded");
            });
            insert.build().execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn find(&self, key: &str) -> Result<Option<Outcome>> {
        find(&mut *self.pool.acquire().await?, key).await
    }

    /// Ends a charge that waits for its customer, and tells of it. One that does not wait stays as it is.
    pub(super) async fn end(&self, reference: &str, fate: impl Fn(&str) -> Fate) -> Result<Option<Outcome>> {
        let mut tx = self.pool.begin_with("begin immediate").await?;
        let row: Option<(String, String)> = sqlx::query_as("select key, method from charge where reference = $1")
            .bind(reference)
            .fetch_optional(&mut *tx)
            .await?;
        let Some((key, method)) = row else { return Ok(None) };
        let (outcome, code) = fate(&method);
        let ended =
            sqlx::query("update charge set outcome = $2, code = $3 where key = $1 and outcome = 'requires_action'")
                .bind(&key)
                .bind(outcome)
                .bind(code)
                .execute(&mut *tx)
                .await?
                .rows_affected();
        if ended == 1 {
            tell(&mut tx, &key, reference, (outcome, code)).await?;
        }
        let found = find(&mut tx, &key).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Gives back, never more than was captured: in one statement, once for each key.
    pub(super) async fn give_back(&self, refund: &Refund) -> Result<Refunded> {
        let reference = reference("sbr", &refund.key);
        sqlx::query(
            "insert into refund (key, reference, charge, amount, currency)
             select $1, $2, $3, $4, $5 where exists (
                 select 1 from charge c where c.reference = $3 and c.currency = $5 and c.outcome = 'succeeded'
                 and c.amount >= $4 + (select coalesce(sum(r.amount), 0) from refund r where r.charge = $3))
             on conflict do nothing",
        )
        .bind(&refund.key)
        .bind(&reference)
        .bind(&refund.charge)
        .bind(refund.amount)
        .bind(refund.currency.code())
        .execute(&self.pool)
        .await?;
        let made: Option<(i64,)> = sqlx::query_as("select amount from refund where key = $1")
            .bind(&refund.key)
            .fetch_optional(&self.pool)
            .await?;
        Ok(match made {
            Some(_) => Refunded::Succeeded { reference },
            None => Refunded::Failed { reason: "declined".into() },
        })
    }

    /// What has still to be told, in the order in which it goes out.
    pub(super) async fn notices(&self) -> Result<Vec<Notice>> {
        let rows: Vec<(i64, String, String, String, Option<String>)> =
            sqlx::query_as("select id, key, reference, outcome, code from notice order by id limit 100")
                .fetch_all(&self.pool)
                .await?;
        Ok(rows
            .into_iter()
            .map(|(id, key, reference, outcome, code)| Notice { id, key, outcome: read(reference, &outcome, code) })
            .collect())
    }

    pub(super) async fn noticed(&self, id: i64) -> Result<()> {
        sqlx::query("delete from notice where id = $1").bind(id).execute(&self.pool).await?;
        Ok(())
    }

    /// Every charge that was captured: its key, its amount and what of it was given back.
    pub(super) async fn captures(&self) -> Result<Vec<(String, i64, i64)>> {
        let rows = sqlx::query_as(
            "select c.key, c.amount, coalesce(r.back, 0) from charge c
             left join (select charge, sum(amount) as back from refund group by charge) r on r.charge = c.reference
             where c.outcome = 'succeeded' order by c.key",
        );
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// The keys of charges of which there is news to tell.
    pub(super) async fn untold(&self) -> Result<Vec<String>> {
        let rows: Vec<(String,)> = sqlx::query_as("select distinct key from notice").fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(key,)| key).collect())
    }

    /// The sum of all captured charges in one currency.
    pub(super) async fn captured(&self, currency: &str) -> Result<i64> {
        let sum =
            "select cast(coalesce(sum(amount), 0) as bigint) from charge where outcome = 'succeeded' and currency = $1";
        self.sum(sum, currency).await
    }

    /// The sum of all that was given back in one currency.
    pub(super) async fn refunded(&self, currency: &str) -> Result<i64> {
        self.sum("select cast(coalesce(sum(amount), 0) as bigint) from refund where currency = $1", currency).await
    }

    async fn sum(&self, sql: &'static str, currency: &str) -> Result<i64> {
        let (sum,): (i64,) = sqlx::query_as(sql).bind(currency).fetch_one(&self.pool).await?;
        Ok(sum)
    }
}

fn first_fate(behaviour: Behaviour) -> Fate {
    match behaviour {
        Behaviour::Succeed | Behaviour::AuthenticateSetup => ("succeeded", None),
        Behaviour::Decline(code) | Behaviour::DeclineCharge(code) => ("declined", Some(code)),
        Behaviour::Authenticate(_) => ("requires_action", None),
        Behaviour::Fault(Fault::TimeoutBefore) => ("lost", None),
        Behaviour::Fault(_) => ("succeeded", None),
    }
}

/// What a charge has told about by itself.
fn told(behaviour: Behaviour) -> &'static [Fate] {
    let Behaviour::Fault(fault) = behaviour else { return &[] };
    match fault {
        Fault::TimeoutBefore | Fault::TimeoutAfter | Fault::ErrorAfter => &[],
        Fault::Late => &[("succeeded", None)],
        Fault::NoticeTwice => &[("succeeded", None), ("succeeded", None)],
        Fault::NoticesReversed => &[("succeeded", None), ("requires_action", None)],
    }
}

async fn tell(conn: &mut sqlx::SqliteConnection, key: &str, reference: &str, (outcome, code): Fate) -> Result<()> {
    sqlx::query("insert into notice (key, reference, outcome, code) values ($1, $2, $3, $4)")
        .bind(key)
        .bind(reference)
        .bind(outcome)
        .bind(code)
        .execute(conn)
        .await?;
    Ok(())
}

async fn find(conn: &mut sqlx::SqliteConnection, key: &str) -> Result<Option<Outcome>> {
    let row: Option<(String, String, Option<String>)> =
        sqlx::query_as("select reference, outcome, code from charge where key = $1 and outcome <> 'lost'")
            .bind(key)
            .fetch_optional(conn)
            .await?;
    Ok(row.map(|(reference, outcome, code)| read(reference, &outcome, code)))
}

fn read(reference: String, outcome: &str, code: Option<String>) -> Outcome {
    match outcome {
        "succeeded" => Outcome::Succeeded { reference },
        "requires_action" => Outcome::RequiresAction { reference },
        _ => Outcome::Declined { reference, code: code.unwrap_or_else(|| "generic_decline".into()) },
    }
}

pub(super) fn reference(prefix: &str, key: &str) -> String {
    format!("{prefix}_{}", hex::encode(&Sha256::digest(key.as_bytes())[..12]))
}
