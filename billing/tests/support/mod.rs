//! What every test of the books stands on: one run on a fresh SQLite file and one on a fresh PostgreSQL database, with
//! a clock that moves only when it is told to.

mod agree;
mod build;
mod database;
mod draw;
mod look;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use billing::customer::Customer;
use billing::directory::Merchant;
use billing::gateway::sandbox::Sandbox;
use billing::{Actor, Clock, Db, Millis, Origin, Seconds, Trace, directory, transact};
use futures::FutureExt;

pub use build::{MONTHLY, field, kind, plain_price, plan};
pub use draw::Draw;
pub use look::at;

/// Saturday 31 January 2026, 10:00 UTC: the day that months clamp.
pub const START: Seconds = Seconds(1_769_853_600);
pub const MINUTE: i64 = 60;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// How often something is done: the first number, or the second where `PORTICO_TEST_SCALE=release`.
pub fn scale(quick: usize, release: usize) -> usize {
    let is_release = std::env::var("PORTICO_TEST_SCALE").is_ok_and(|scale| scale == "release");
    if is_release { release } else { quick }
}

/// A change in its own transaction: `change!(stage, |tx| customer::create(tx, &stage.who, new))`, a `Result`.
macro_rules! change {
    ($stage:expr, |$tx:ident| $work:expr) => {
        billing::transact!($stage.db, |$tx| $work.await)
    };
}
/// A change that must be made.
macro_rules! done {
    ($stage:expr, |$tx:ident| $work:expr) => {
        crate::support::change!($stage, |$tx| $work).expect("the change is made")
    };
}
/// A change, or a reading, that must be refused.
macro_rules! refused {
    ($stage:expr, |$tx:ident| $work:expr) => {
        crate::support::change!($stage, |$tx| $work).map(|_| ()).expect_err("it is refused")
    };
}
/// Reads in a transaction of its own.
macro_rules! seen {
    ($stage:expr, |$tx:ident| $work:expr) => {{
        let mut open = $stage.db.read().await.expect("the database can be read");
        let $tx = &mut open;
        $work.await.expect("it can be read")
    }};
}
pub(crate) use {change, done, refused, seen};

/// Everything a test needs: a database with two merchants, and who asks.
pub struct Stage {
    pub db: Db,
    pub clock: Clock,
    pub merchant: Merchant,
    /// The merchant's backend, with a key in test mode.
    pub who: Actor,
    /// Another merchant's.
    pub stranger: Actor,
    pub sandbox: Arc<Sandbox>,
    url: String,
    /// Whether somebody has been at the tables past every rule.
    tampered: Arc<AtomicBool>,
    _folder: Arc<tempfile::TempDir>,
}

/// Runs a test on SQLite, then on PostgreSQL where `PORTICO_TEST_POSTGRES` says where one is. The books that it leaves
/// behind must be sound: every invariant is looked at.
pub async fn on_both(test: impl AsyncFn(&Stage)) {
    on_sqlite(&test).await;
    on_postgres(&test).await;
}

pub async fn on_sqlite(test: impl AsyncFn(&Stage)) {
    let folder = database::folder();
    let url = database::fresh_file(folder.path()).await;
    let stage = Stage::set(url, folder).await;
    test(&stage).await;
    stage.sound().await;
}

pub async fn on_postgres(test: impl AsyncFn(&Stage)) {
    let Some(server) = database::Server::given() else {
        println!("PORTICO_TEST_POSTGRES is not set: not run on PostgreSQL");
        return;
    };
    let folder = database::folder();
    let url = server.fresh().await;
    let stage = Stage::set(url.clone(), folder).await;
    let story = async {
        test(&stage).await;
        // The same operations have left the same behind; here it takes longer to look.
        if scale(0, 1) == 1 {
            stage.sound().await;
        }
    };
    let end = AssertUnwindSafe(story).catch_unwind().await;
    drop(stage);
    server.drop(&url).await;
    if let Err(panic) = end {
        eprintln!("that was on PostgreSQL");
        resume_unwind(panic);
    }
}

impl Stage {
    async fn set(url: String, folder: tempfile::TempDir) -> Self {
        let clock = Clock::manual(Millis::from(START));
        let db = Db::open(&url, clock.clone()).await.expect("the database opens");
        let ledger = format!("sqlite://{}", folder.path().join("sandbox.db").display());
        let sandbox = Arc::new(Sandbox::open(&ledger).await.expect("the sandbox opens"));
        let (merchant, who) = merchant_of(&db, "Umbra Coffee", "key_umbra").await;
        let (_, stranger) = merchant_of(&db, "Penumbra Tea", "key_penumbra").await;
        let (tampered, folder) = (Arc::new(AtomicBool::new(false)), Arc::new(folder));
        Self { db, clock, merchant, who, stranger, sandbox, url, tampered, _folder: folder }
    }

    /// Another process on the same database: pools of its own.
    pub async fn process(&self) -> Db {
        Db::open(&self.url, self.clock.clone()).await.expect("the database opens again")
    }

    /// The same where customers reach the portal: links are made, and mails written.
    pub fn reached(&self) -> Self {
        Self {
            db: self.db.clone().reached_at("https://billing.example"),
            clock: self.clock.clone(),
            merchant: self.merchant.clone(),
            who: self.who.clone(),
            stranger: self.stranger.clone(),
            sandbox: self.sandbox.clone(),
            url: self.url.clone(),
            tampered: self.tampered.clone(),
            _folder: self._folder.clone(),
        }
    }

    /// The customer in the portal, in a session of this name.
    pub fn portal(&self, customer: &Customer) -> Actor {
        self.guest(customer, "bps_open", false)
    }

    pub fn guest(&self, customer: &Customer, session: &str, read_only: bool) -> Actor {
        let origin = Origin::Portal { session: session.into(), customer: customer.id.clone(), read_only };
        Actor { origin, ..self.who.clone() }
    }

    pub fn system(&self) -> Actor {
        Actor::system(self.who.tenant.clone(), "test")
    }

    pub fn now(&self) -> Seconds {
        self.clock.wall().seconds()
    }

    /// Moves the clock by seconds.
    pub fn pass(&self, seconds: i64) {
        self.clock.advance(seconds * 1000);
    }

    /// Moves the clock to an instant.
    pub fn go_to(&self, at: Seconds) {
        self.clock.advance(Millis::from(at).0 - self.clock.wall().0);
    }
}

async fn merchant_of(db: &Db, name: &str, key: &str) -> (Merchant, Actor) {
    let currency = billing::Currency::parse("eur", "currency").expect("a currency");
    let merchant = transact!(db, |tx| directory::create_merchant(tx, name, "DE", &currency).await).expect("a merchant");
    let mut tx = db.read().await.expect("the database can be read");
    let tenant = directory::tenant(&mut tx, &merchant.id, false).await.expect("its test mode");
    let trace = Trace { request: Some("req_test".into()), ..Trace::default() };
    (merchant, Actor { tenant, origin: Origin::Api { key: key.into() }, trace })
}
