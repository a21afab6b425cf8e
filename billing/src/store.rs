//! One SQL text on two databases: pools, transactions, and the macros that run a query on whichever is open.

pub(crate) mod attempt;
mod machinery;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Executor, Postgres, Sqlite, Transaction};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::seal;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// The oldest SQLite without the WAL-reset race that can corrupt a database.
const SQLITE_AT_LEAST: (i64, i64, i64) = (3, 51, 3);
/// How often a transaction is run before the caller is told "busy".
const TRIES: u32 = 12;

/// The database and its clock. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pools: Arc<Pools>,
    clock: Clock,
    key: seal::Key,
    public_url: Option<Arc<str>>,
    silent: bool,
}

enum Pools {
    /// One writer, since SQLite has one; readers beside it.
    Sqlite {
        readers: SqlitePool,
        writer: SqlitePool,
    },
    Postgres(PgPool),
}

/// How one pool of connections stands at this instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    pub name: &'static str,
    /// Connections that are open, idle ones included.
    pub open: u32,
    pub idle: u32,
    pub most: u32,
}

/// An open transaction. Dropped without commit, it is rolled back.
pub struct Tx {
    #[doc(hidden)]
    pub conn: Conn,
    /// The wall clock when the transaction began; it stands still inside.
    pub now: Millis,
    pub(crate) key: seal::Key,
    /// Where browsers reach the portal, for links; `None` where nobody does.
    pub(crate) public_url: Option<Arc<str>>,
    silent: bool,
    changed: bool,
    audited: bool,
    /// Where the billing clock stands still, while something is done for an instant that was.
    frozen: Option<crate::clock::Seconds>,
}

#[doc(hidden)]
pub enum Conn {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Db {
    /// Opens `sqlite://path` (created if absent) or `postgres://…`. Does not migrate.
    pub async fn open(url: &str, clock: Clock) -> Result<Self> {
        let pools = if url.starts_with("sqlite:") { open_sqlite(url).await? } else { open_postgres(url).await? };
        Ok(Self { pools: Arc::new(pools), clock, key: seal::Key::random(), public_url: None, silent: false })
    }

    /// The same with the installation's key. Without it, what is sealed can be read by this process only.
    pub fn sealed_with(self, key: seal::Key) -> Self {
        Self { key, ..self }
    }

    /// The same with the address that links begin with, without a slash at its end. Without it, records have no links.
    pub fn reached_at(self, public_url: &str) -> Self {
        Self { public_url: Some(public_url.into()), ..self }
    }

    /// The same, and no customer is written to: what is loaded has happened long ago, or to nobody.
    pub fn silently(self) -> Self {
        Self { silent: true, ..self }
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(*self.pools, Pools::Sqlite { .. })
    }

    /// Brings the schema up to date: tables by numbered files, then the triggers, which may be run again.
    pub async fn migrate(&self) -> Result<()> {
        match &*self.pools {
            Pools::Sqlite { writer, .. } => {
                MIGRATIONS.run(writer).await.map_err(Error::internal)?;
                writer.execute(include_str!("store/guards.sqlite.sql")).await?;
            }
            Pools::Postgres(pool) => {
                MIGRATIONS.run(pool).await.map_err(Error::internal)?;
                pool.execute(include_str!("store/guards.postgres.sql")).await?;
            }
        }
        Ok(())
    }

    /// Whether the database answers and every migration of this program has been applied.
    pub async fn is_ready(&self) -> Result<bool> {
        let latest = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or_default();
        let mut tx = self.read().await?;
        let applied: Result<(i64,)> = crate::store::one!(
            &mut tx,
            "select cast(coalesce(max(version), 0) as bigint) from _sqlx_migrations where success"
        );
        Ok(applied.is_ok_and(|(version,)| version >= latest))
    }

    /// A transaction to read in: a consistent picture, no lock.
    pub async fn read(&self) -> Result<Tx> {
        let conn = match &*self.pools {
            Pools::Sqlite { readers, .. } => Conn::Sqlite(readers.begin().await?),
            Pools::Postgres(pool) => {
                Conn::Postgres(begin_postgres(pool, "begin isolation level repeatable read read only").await?)
            }
        };
        Ok(self.transaction(conn))
    }

    /// Opens a transaction to change things in. Use [`transact!`], which also commits and runs again on a conflict.
    pub async fn begin(&self) -> Result<Tx> {
        let conn = match &*self.pools {
            Pools::Sqlite { writer, .. } => Conn::Sqlite(writer.begin_with("begin immediate").await?),
            Pools::Postgres(pool) => {
                Conn::Postgres(begin_postgres(pool, "begin isolation level repeatable read").await?)
            }
        };
        Ok(self.transaction(conn))
    }

    fn transaction(&self, conn: Conn) -> Tx {
        let (now, key, public_url) = (self.clock.wall(), self.key.clone(), self.public_url.clone());
        Tx { conn, now, key, public_url, silent: self.silent, changed: false, audited: false, frozen: None }
    }

    /// Each pool's connections: SQLite's readers and its writer, PostgreSQL's one pool.
    pub fn pools(&self) -> Vec<PoolUse> {
        fn look<D: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<D>) -> PoolUse {
            let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
            PoolUse { name, open: pool.size(), idle, most: pool.options().get_max_connections() }
        }
        match &*self.pools {
            Pools::Sqlite { readers, writer } => vec![look("readers", readers), look("writer", writer)],
            Pools::Postgres(pool) => vec![look("postgres", pool)],
        }
    }

    /// Writes a consistent copy of an SQLite database into a file that is empty or not there, while others go on.
    pub async fn copy_to(&self, file: &str) -> Result<()> {
        match &*self.pools {
            Pools::Sqlite { readers, .. } => _ = sqlx::query("vacuum into $1").bind(file).execute(readers).await?,
            Pools::Postgres(_) => return Err(Error::internal("PostgreSQL is copied by its own means")),
        }
        Ok(())
    }

    /// Waits for open transactions and closes every connection; SQLite's log goes into its file.
    pub async fn close(&self) {
        match &*self.pools {
            Pools::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }

    /// After a conflict that running again may resolve: waits a little, and says whether to.
    pub async fn should_retry(&self, error: &Error, tries: u32) -> bool {
        if !error.is_retryable() || tries >= TRIES {
            return false;
        }
        // Anywhere in a span that doubles, so that those who met once do not meet again.
        let span = (4u64 << tries).min(100);
        tokio::time::sleep(Duration::from_micros(crate::id::random() % (span * 1000))).await;
        true
    }
}

/// Runs an expression of type `Result<T>` in one transaction, commits it, and runs it again when the database
/// reports a conflict: `transact!(db, |tx| customer::create(tx, &who, &input).await)?`.
///
/// This is how every change is made. A macro, since a closure over `&mut Tx` cannot yet promise a `Send` future.
#[macro_export]
macro_rules! transact {
    ($db:expr, |$tx:ident| $work:expr) => {{
        let db: &$crate::Db = &$db;
        let mut tries = 0u32;
        loop {
            tries += 1;
            let result: $crate::Result<_> = async {
                let mut open = db.begin().await?;
                let done: $crate::Result<_> = async {
                    let $tx: &mut $crate::Tx = &mut open;
                    $work
                }
                .await;
                let value = done?;
                open.commit().await?;
                Ok(value)
            }
            .await;
            match result {
                Err(error) if db.should_retry(&error, tries).await => {}
                result => break result,
            }
        }
    }};
}

impl Tx {
    /// Says that what this transaction changes is none of the books, beyond the tables of [`MACHINERY`].
    pub fn unaudited(&mut self) {
        self.audited = true;
    }

    /// Commits; refuses a change that wrote no audit entry (see [`Tx::unaudited`] for the few that need none).
    pub async fn commit(self) -> Result<()> {
        if self.changed && !self.audited {
            return Err(Error::internal("a change was about to be committed without an audit entry"));
        }
        match self.conn {
            Conn::Sqlite(inner) => inner.commit().await?,
            Conn::Postgres(inner) => inner.commit().await?,
        }
        Ok(())
    }

    /// The host that the public URL names, without its port.
    pub(crate) fn public_host(&self) -> Option<String> {
        let url = url::Url::parse(self.public_url.as_deref()?).ok()?;
        url.host_str().map(str::to_owned)
    }

    /// Whether customers are written to of what happens.
    pub(crate) fn writes_mail(&self) -> bool {
        !self.silent && self.public_url.is_some()
    }

    pub(crate) fn audited(&mut self) {
        self.audited = true;
    }

    /// Says that the statement just run was machinery beside a change, which neither needs an audit entry nor stands
    /// for one. `changed` is what [`Tx::is_changed`] said before it.
    pub(crate) fn beside(&mut self, changed: bool) {
        self.changed = changed;
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.changed
    }

    #[doc(hidden)]
    pub fn note(&mut self, sql: &str) {
        self.changed |= machinery::changes_the_books(sql);
    }
}

async fn open_sqlite(url: &str) -> Result<Pools> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(500);
    if let Some(folder) = options.get_filename().parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::internal(format!("{}: {e}", folder.display())))?;
    }
    let writer = sqlite_pool(1).connect_with(options.clone()).await?;
    check_sqlite(&writer).await?;
    let readers = sqlite_pool(8).connect_with(options.read_only(true)).await?;
    Ok(Pools::Sqlite { readers, writer })
}

/// What a full or a broken disk refused, SQLite has rolled back by itself. The rollback that sqlx sends after it fails,
/// and it takes the connection to be inside a transaction for ever: another is opened in its place.
pub(crate) fn sqlite_pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
}

/// Durability rests on these settings, so they are read back rather than trusted.
async fn check_sqlite(pool: &SqlitePool) -> Result<()> {
    let (version,): (String,) = sqlx::query_as("select sqlite_version()").fetch_one(pool).await?;
    let mut parts = version.split('.').map(|p| p.parse::<i64>().unwrap_or_default());
    let found = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if found < SQLITE_AT_LEAST {
        return Err(Error::internal(format!("SQLite {version} is too old: 3.51.3 or later is needed")));
    }
    let (mode,): (String,) = sqlx::query_as("pragma journal_mode").fetch_one(pool).await?;
    let (synchronous,): (i64,) = sqlx::query_as("pragma synchronous").fetch_one(pool).await?;
    let (keys,): (i64,) = sqlx::query_as("pragma foreign_keys").fetch_one(pool).await?;
    if (mode.as_str(), synchronous, keys) != ("wal", 2, 1) {
        return Err(Error::internal(format!(
            "SQLite runs with journal_mode={mode} synchronous={synchronous} foreign_keys={keys}; wal, 2 and 1 are needed"
        )));
    }
    Ok(())
}

async fn open_postgres(url: &str) -> Result<Pools> {
    let options = PgConnectOptions::from_str(url)?;
    let pool =
        PgPoolOptions::new().max_connections(20).acquire_timeout(Duration::from_secs(10)).connect_with(options).await?;
    let (version,): (String,) = sqlx::query_as("show server_version_num").fetch_one(&pool).await?;
    if version.parse::<i64>().unwrap_or_default() < 150_000 {
        return Err(Error::internal("PostgreSQL 15 or later is needed"));
    }
    Ok(Pools::Postgres(pool))
}

/// Begins in a task of its own, which goes on when whoever asked is gone, as a client is that hangs up: sqlx would give
/// the connection back to its pool before it hears that the transaction is open, and the next one would be inside it.
async fn begin_postgres(pool: &PgPool, begin: &'static str) -> Result<Transaction<'static, Postgres>> {
    let pool = pool.clone();
    tokio::spawn(async move { pool.begin_with(begin).await }).await.map_err(Error::internal)?.map_err(Error::from)
}

/// A value kept as JSON text, which the database never looks into.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Json<T>(pub T);

impl<T> std::ops::Deref for Json<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> std::ops::DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T, D: sqlx::Database> sqlx::Type<D> for Json<T>
where
    String: sqlx::Type<D>,
{
    fn type_info() -> D::TypeInfo {
        <String as sqlx::Type<D>>::type_info()
    }
    fn compatible(ty: &D::TypeInfo) -> bool {
        <String as sqlx::Type<D>>::compatible(ty)
    }
}

impl<'r, T: DeserializeOwned, D: sqlx::Database> sqlx::Decode<'r, D> for Json<T>
where
    String: sqlx::Decode<'r, D>,
{
    fn decode(value: D::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        let text = <String as sqlx::Decode<'r, D>>::decode(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}

impl<'q, T: Serialize, D: sqlx::Database> sqlx::Encode<'q, D> for Json<T>
where
    String: sqlx::Encode<'q, D>,
{
    fn encode_by_ref(&self, buffer: &mut D::ArgumentBuffer) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        <String as sqlx::Encode<'q, D>>::encode(serde_json::to_string(&self.0)?, buffer)
    }
}

/// Compiles one query for each driver and runs it on the one that is open (`$tx` is a `&mut Tx`;
/// the rest of it stays usable in the arguments).
macro_rules! on {
    ($tx:expr, $sql:expr, $conn:ident => $query:expr) => {{
        ($tx).note($sql);
        match &mut ($tx).conn {
            $crate::store::Conn::Sqlite(inner) => {
                let $conn = &mut **inner;
                $query.await.map_err($crate::Error::from)
            }
            $crate::store::Conn::Postgres(inner) => {
                let $conn = &mut **inner;
                $query.await.map_err($crate::Error::from)
            }
        }
    }};
}
/// Exactly one row.
macro_rules! one { ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) =>
    { $crate::store::on!($tx, $sql, c => sqlx::query_as($sql)$(.bind($arg))*.fetch_one(c)) } }
/// At most one row.
macro_rules! maybe { ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) =>
    { $crate::store::on!($tx, $sql, c => sqlx::query_as($sql)$(.bind($arg))*.fetch_optional(c)) } }
/// Every row.
macro_rules! all { ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) =>
    { $crate::store::on!($tx, $sql, c => sqlx::query_as($sql)$(.bind($arg))*.fetch_all(c)) } }
/// No row; answers how many were touched.
macro_rules! run { ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {{
    let touched = match &mut ($tx).conn {
        $crate::store::Conn::Sqlite(inner) => sqlx::query($sql)$(.bind($arg))*.execute(&mut **inner).await.map(|r| r.rows_affected()),
        $crate::store::Conn::Postgres(inner) => sqlx::query($sql)$(.bind($arg))*.execute(&mut **inner).await.map(|r| r.rows_affected()),
    };
    if touched.as_ref().is_ok_and(|rows| *rows > 0) {
        ($tx).note($sql);
    }
    touched.map_err($crate::Error::from)
}} }
pub(crate) use {all, maybe, on, one, run};
