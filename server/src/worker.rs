//! Background work of this process: the jobs of the queue, one at a time, what is due of subscriptions, the mail, and the
//! webhooks.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use billing::audit::seal;
use billing::gateway::PaymentGateway;
use billing::job::{self, Job, NewJob};
use billing::payment::fate;
use billing::portal::{domain, login};
use billing::webhook::delivery;
use billing::{Actor, Db, Error, Millis, Result, directory, idempotency, limit, refund, test_clock, transact, work};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::mail::{self, Post};
use crate::outbound::Outbound;
use crate::{dns, metrics, webhooks};

const HOUR_MS: i64 = 60 * 60 * 1000;
/// How often the gateway is asked for news, and charges without an answer are looked for.
const NEWS_MS: i64 = 10 * 1000;
/// How often the audit log is sealed.
const SEAL_MS: i64 = 60 * 1000;
/// What recurs, by its name in the queue.
const RECURRING: &[&str] = &["audit", "payments", "prune"];
/// How many of this process's tasks bill at once: most of their time they wait for the gateway.
const BILLERS: usize = 4;
/// How long one test clock is moved at a time.
const TURN: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(1);

pub struct Workers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Workers {
    /// Lets what is in hand finish, and takes no more.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        self.tasks.join_all().await;
    }
}

pub fn start(
    db: Db,
    gateway: Arc<dyn PaymentGateway>,
    post: Post,
    dns_server: Option<SocketAddr>,
    outbound: Outbound,
) -> Workers {
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    for _ in 0..BILLERS {
        let (db, gateway) = (db.clone(), gateway.clone());
        tasks.spawn(until_stopped(stopped.clone(), move || {
            let (db, gateway) = (db.clone(), gateway.clone());
            async move { bill(&db, &gateway).await }
        }));
    }
    let mut told = stopped.clone();
    tasks.spawn(webhooks::work(db.clone(), outbound, async move {
        let _ = told.wait_for(|stop| *stop).await;
    }));
    let letters = db.clone();
    tasks.spawn(until_stopped(stopped.clone(), move || {
        let (db, post) = (letters.clone(), post.clone());
        async move { send(&db, &post).await }
    }));
    let names = db.clone();
    tasks.spawn(until_stopped(stopped.clone(), move || {
        let db = names.clone();
        async move { prove(&db, dns_server).await }
    }));
    tasks.spawn(async move {
        if let Err(error) = plan(&db).await {
            tracing::error!(%error, "could not plan the recurring jobs");
        }
        until_stopped(stopped, move || {
            let (db, gateway) = (db.clone(), gateway.clone());
            async move { run_one(&db, &gateway).await }
        })
        .await;
    });
    Workers { stop, tasks }
}

/// Works as long as there is something to do, and then looks now and then whether there is again.
async fn until_stopped<F: Future<Output = Result<bool>>>(mut stopped: watch::Receiver<bool>, work: impl Fn() -> F) {
    while !*stopped.borrow() {
        match work().await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::error!(?error, "the workers cannot go on now"),
        }
        tokio::select! { _ = stopped.changed() => {}, () = tokio::time::sleep(IDLE) => {} }
    }
}

/// Does one thing that is due of subscriptions; answers whether there was one.
pub async fn bill(db: &Db, gateway: &Arc<dyn PaymentGateway>) -> Result<bool> {
    let worked = work::one(db, gateway).await;
    match &worked {
        Ok(false) => {}
        Ok(true) => metrics::job("billing", metrics::Outcome::Done),
        Err(_) => metrics::job("billing", metrics::Outcome::Failed),
    }
    worked
}

/// Sends one mail that waits; answers whether there was one.
async fn send(db: &Db, post: &Post) -> Result<bool> {
    let sent = mail::send_one(db, post).await;
    match &sent {
        Ok(false) => {}
        Ok(true) => metrics::job("mail", metrics::Outcome::Done),
        Err(_) => metrics::job("mail", metrics::Outcome::Failed),
    }
    sent
}

/// Looks one claimed name up that is due; answers whether there was one. Two processes that look at once find the same.
pub async fn prove(db: &Db, dns_server: Option<SocketAddr>) -> Result<bool> {
    let mut tx = db.read().await?;
    let Some((tenant, id)) = directory::domain_due(&mut tx).await? else { return Ok(false) };
    let who = Actor::system(tenant, "domains");
    let domain = domain::get(&mut tx, &who, &id).await?;
    drop(tx);
    let found = dns::look_up(dns_server, &domain).await;
    let settled = transact!(db, |tx| domain::settle(tx, &who, &id, &found).await.map(drop));
    counted("domains", settled)?;
    Ok(true)
}

/// The recurring jobs, once each whatever the number of processes.
async fn plan(db: &Db) -> Result<()> {
    transact!(db, |tx| {
        tx.unaudited();
        for kind in RECURRING {
            let job = NewJob { tenant: None, kind, unique_key: Some(kind), payload: json!({}), run_at: tx.now };
            job::enqueue(tx, job).await?;
        }
        Ok(())
    })
}

/// Runs one due job; answers whether there was one.
pub async fn run_one(db: &Db, gateway: &Arc<dyn PaymentGateway>) -> Result<bool> {
    let Some(job) = transact!(db, |tx| job::claim(tx).await)? else { return Ok(false) };
    match job.kind.as_str() {
        "audit" => counted("audit", seal_audit(db, &job).await)?,
        "payments" => counted("payments", payments(db, &**gateway, &job).await)?,
        "prune" => counted("prune", prune(db, &job).await)?,
        test_clock::JOB => counted("test_clock", move_clock(db, gateway, &job).await)?,
        unknown => {
            tracing::error!(kind = unknown, job = job.id, "no worker knows this job");
            let later = db.clock().wall().plus(HOUR_MS);
            transact!(db, |tx| job::again(tx, &job.id, later, Some("unknown kind")).await)?;
            metrics::job("unknown", metrics::Outcome::Failed);
        }
    }
    Ok(true)
}

/// What the gateway tells by itself, then what it has to be asked for.
async fn payments(db: &Db, gateway: &dyn PaymentGateway, job: &Job) -> Result<()> {
    let worked = async {
        fate::take_notices(db, gateway).await?;
        fate::reconcile_due(db, gateway).await?;
        refund::retry_due(db, gateway).await
    };
    let failed = worked.await.err();
    let next: Millis = db.clock().wall().plus(NEWS_MS);
    let said = failed.as_ref().map(ToString::to_string);
    transact!(db, |tx| job::again(tx, &job.id, next, said.as_deref()).await)?;
    failed.map_or(Ok(()), Err)
}

/// Seals what the audit log has that is new; what is left after its turn, in the next one.
async fn seal_audit(db: &Db, job: &Job) -> Result<()> {
    let sealed = seal::work(db, TURN).await;
    let wait = if matches!(sealed, Ok(false)) { 0 } else { SEAL_MS };
    let next: Millis = db.clock().wall().plus(wait);
    let said = sealed.as_ref().err().map(ToString::to_string);
    transact!(db, |tx| job::again(tx, &job.id, next, said.as_deref()).await)?;
    sealed.map(drop)
}

/// Moves a test clock on for as long as one may be alone at the queue, then lets others have their turn.
async fn move_clock(db: &Db, gateway: &Arc<dyn PaymentGateway>, job: &Job) -> Result<()> {
    let mut tx = db.read().await?;
    let tenant = job.tenant.ok_or_else(|| Error::internal("a test clock without its tenant"))?;
    let who = Actor::system(directory::tenant_by_key(&mut tx, tenant).await?, "test_clock");
    drop(tx);
    let clock = job.payload["clock"].as_str().unwrap_or_default();
    let begun = Instant::now();
    while begun.elapsed() < TURN {
        if !test_clock::tick(db, gateway, &who, clock, &job.id).await? {
            return Ok(());
        }
    }
    let now = db.clock().wall();
    transact!(db, |tx| job::again(tx, &job.id, now, None).await)
}

async fn prune(db: &Db, job: &Job) -> Result<()> {
    let pruned = transact!(db, |tx| idempotency::prune(tx).await)?;
    transact!(db, |tx| {
        login::prune(tx).await?;
        limit::prune(tx).await
    })?;
    tracing::debug!(pruned, "forgot old idempotency keys");
    let pruned = transact!(db, |tx| delivery::prune(tx).await)?;
    tracing::debug!(pruned, "forgot what became of old webhooks");
    let mut tx = db.read().await?;
    let clocks = test_clock::outlived(&mut tx).await?;
    drop(tx);
    for (tenant, clock) in clocks {
        transact!(db, |tx| {
            let who = Actor::system(directory::tenant_by_key(tx, tenant).await?, "prune");
            test_clock::delete(tx, &who, &clock).await
        })?;
    }
    let next: Millis = db.clock().wall().plus(HOUR_MS);
    transact!(db, |tx| job::again(tx, &job.id, next, None).await)
}

/// Counts how a job of a known kind ended.
fn counted(kind: &'static str, ended: Result<()>) -> Result<()> {
    let outcome = if ended.is_ok() { metrics::Outcome::Done } else { metrics::Outcome::Failed };
    metrics::job(kind, outcome);
    ended
}
