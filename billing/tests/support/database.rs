//! Fresh databases, copied from one that was migrated once.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use billing::{Clock, Db, id};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// A folder in memory where there is one: what is tested here is what is written, not whether a disk keeps it.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a folder for the test")
}

async fn migrated(url: &str) {
    let db = Db::open(url, Clock::system()).await.expect("the database opens");
    db.migrate().await.expect("it can be migrated");
    db.close().await;
}

/// A migrated SQLite file in `folder`.
pub async fn fresh_file(folder: &Path) -> String {
    static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(async || {
            let folder = self::folder();
            let file = folder.path().join("template.db");
            migrated(&format!("sqlite://{}", file.display())).await;
            std::fs::read(&file).expect("the template can be read")
        })
        .await;
    let file = folder.join("books.db");
    std::fs::write(&file, template).expect("the template can be copied");
    format!("sqlite://{}", file.display())
}

/// A PostgreSQL server whose databases are ours to make and drop.
pub struct Server {
    url: url::Url,
}

impl Server {
    pub fn given() -> Option<Self> {
        let url = std::env::var("PORTICO_TEST_POSTGRES").ok()?;
        Some(Self { url: url.parse().expect("PORTICO_TEST_POSTGRES is a URL") })
    }

    /// The URL of a new migrated database.
    pub async fn fresh(&self) -> String {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let template = TEMPLATE.get_or_init(async || self.template().await).await;
        let name = unique();
        let mut server = self.connect().await;
        run(&mut server, format!("create database {name} template {template}")).await;
        self.named(&name)
    }

    pub async fn drop(&self, url: &str) {
        let name = url.parse::<url::Url>().expect("a URL").path().trim_start_matches('/').to_owned();
        run(&mut self.connect().await, format!("drop database {name} with (force)")).await;
    }

    /// Named after the schema, so that it is made once on a server, by whichever process comes first.
    async fn template(&self) -> String {
        let guards = include_str!("../../src/store/guards.postgres.sql");
        let schema: String = sqlx::migrate!().iter().map(|migration| migration.sql.as_str().to_owned()).collect();
        let name = format!("portico_template_{}", &id::hash(&(schema + guards))[..16]);
        let mut server = self.connect().await;
        run(&mut server, "select pg_advisory_lock(7147046018)".into()).await;
        let made: Option<(String,)> = sqlx::query_as("select datname::text from pg_database where datname = $1")
            .bind(&name)
            .fetch_optional(&mut server)
            .await
            .expect("PostgreSQL answers");
        if made.is_none() {
            let draft = unique();
            run(&mut server, format!("create database {draft}")).await;
            migrated(&self.named(&draft)).await;
            run(&mut server, format!("alter database {draft} rename to {name}")).await;
        }
        name
    }

    fn named(&self, database: &str) -> String {
        let mut url = self.url.clone();
        url.set_path(&format!("/{database}"));
        url.into()
    }

    async fn connect(&self) -> PgConnection {
        let options: PgConnectOptions = self.url.as_str().parse().expect("a PostgreSQL URL");
        options.connect().await.expect("PostgreSQL answers")
    }
}

fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("portico_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn run(server: &mut PgConnection, sql: String) {
    server.execute(AssertSqlSafe(sql)).await.expect("the database can be made or dropped");
}
