//! Test clocks: billing time that stands still until somebody moves it, for customers in test mode. What is due on the
//! way is done in its order, each thing at its own instant (docs.stripe.com/billing/testing/test-clocks).

use std::sync::Arc;

use serde_json::json;

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::gateway::PaymentGateway;
use crate::job::{self, NewJob};
use crate::page::{Listed, Page, page};
use crate::patch::check_text;
use crate::store::{Db, Tx, all, maybe, run};
use crate::text_enum::text_enum;
use crate::work::{self, Due, Step};
use crate::{customer, id, transact, wire};

/// A clock is deleted this long after it was made (Stripe's 30 days).
const LIFE: i64 = 30 * 86_400;
/// The furthest that it moves at a time: ten years.
const FURTHEST: i64 = 10 * 366 * 86_400;
/// The job that moves a clock.
pub const JOB: &str = "test_clock";

text_enum!(Status { Ready = "ready", Advancing = "advancing", InternalFailure = "internal_failure" });

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TestClock {
    pub id: String,
    pub name: Option<String>,
    pub frozen_time: Seconds,
    /// Where it goes, while it is advancing.
    pub target_time: Option<Seconds>,
    pub status: Status,
    pub deletes_after: Seconds,
    pub created: Seconds,
    pub deleted_at: Option<Seconds>,
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, name, frozen_time, target_time, status, deletes_after, created, deleted_at, version"
    };
}

pub async fn create(tx: &mut Tx, who: &Actor, frozen_time: Seconds, name: Option<String>) -> Result<TestClock> {
    if who.tenant.livemode {
        return Err(Error::Forbidden("Test clocks are for test mode only."));
    }
    check_text(name.as_deref().unwrap_or_default(), 300, "name")?;
    check_time(frozen_time)?;
    let now = tx.now.seconds();
    let clock = TestClock {
        id: id::new("clock", tx.now),
        name,
        frozen_time,
        target_time: None,
        status: Status::Ready,
        deletes_after: now.plus(LIFE),
        created: now,
        deleted_at: None,
        version: 1,
    };
    run!(
        tx,
        concat!("insert into test_clock (tenant, ", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"),
        who.tenant.key,
        &clock.id,
        &clock.name,
        clock.frozen_time,
        clock.target_time,
        clock.status,
        clock.deletes_after,
        clock.created,
        clock.deleted_at,
        clock.version
    )?;
    announce(tx, who, None, Some(&clock), "test_helpers.test_clock.created").await?;
    Ok(clock)
}

/// From 1970 to the end of the century.
fn check_time(time: Seconds) -> Result<()> {
    if (0..4_102_444_800).contains(&time.0) {
        return Ok(());
    }
    Err(Error::invalid("frozen_time", "Invalid timestamp: a clock stands between 1970 and 2100."))
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<TestClock> {
    maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from test_clock where tenant = $1 and id = $2 and deleted_at is null and cast($3 as text) is null"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("test_clock", id))
}

pub async fn list(tx: &mut Tx, who: &Actor, page: &Page) -> Result<Listed<TestClock>> {
    page!(
        tx,
        who,
        page,
        "test_clock" if "cast($3 as text) is null",
        columns!(),
        "deleted_at is null and cast($7 as text) is null",
        who.customer()
    )
}

/// Begins to move a clock. A worker does what is due on the way; then the clock is ready.
pub async fn advance(tx: &mut Tx, who: &Actor, id: &str, to: Seconds) -> Result<TestClock> {
    let before = get(tx, who, id).await?;
    if before.status != Status::Ready {
        let message = format!("This test clock is {}: it cannot be moved now.", before.status.name());
        return Err(Error::conflict("test_clock_not_ready", message));
    }
    check_time(to)?;
    if to <= before.frozen_time || to > before.frozen_time.plus(FURTHEST) {
        let message = "Invalid timestamp: a clock moves forward, by up to ten years at a time.";
        return Err(Error::invalid("frozen_time", message));
    }
    let mut clock = TestClock { status: Status::Advancing, target_time: Some(to), ..before.clone() };
    save(tx, who, &mut clock).await?;
    announce(tx, who, Some(&before), Some(&clock), "test_helpers.test_clock.advancing").await?;
    let key = format!("{JOB}/{}/{id}", who.tenant.key);
    let job = NewJob {
        tenant: Some(who.tenant.key),
        kind: JOB,
        unique_key: Some(&key),
        payload: json!({ "clock": id }),
        run_at: tx.now,
    };
    job::enqueue(tx, job).await?;
    Ok(clock)
}

/// Deletes a clock and every customer on it.
pub async fn delete(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    let before = get(tx, who, id).await?;
    let customers: Vec<(String,)> = all!(
        tx,
        "select id from customer where tenant = $1 and clock_id = $2 and deleted_at is null order by id",
        who.tenant.key,
        id
    )?;
    for (customer,) in customers {
        Box::pin(customer::delete(tx, who, &customer)).await?;
    }
    let mut gone = TestClock { deleted_at: Some(tx.now.seconds()), ..before.clone() };
    save(tx, who, &mut gone).await?;
    announce(tx, who, Some(&before), None, "test_helpers.test_clock.deleted").await
}

/// The clocks whose time is over, whoever's: their tenants' keys, and their ids.
pub async fn outlived(tx: &mut Tx) -> Result<Vec<(i64, String)>> {
    let now = tx.now.seconds();
    all!(
        tx,
        "select tenant, id from test_clock where deleted_at is null and deletes_after <= $1 order by deletes_after, id limit 100",
        now
    )
}

/// Does the next thing that is due on a clock that advances; answers whether there may be more. At the end the clock
/// is ready, and its job done.
pub async fn tick(db: &Db, gateway: &Arc<dyn PaymentGateway>, who: &Actor, id: &str, job: &str) -> Result<bool> {
    let next = transact!(db, |tx| {
        let next = next(tx, who, id).await?;
        if next.is_none() {
            job::finish(tx, job).await?;
        }
        Ok(next)
    });
    let done = match next {
        Ok(None) => return Ok(false),
        Ok(Some(Step::Charge(invoice))) => work::charge(db, gateway, who, &invoice).await,
        Ok(Some(Step::Done)) => Ok(()),
        Ok(Some(Step::Waiting)) => Err(Error::internal("what is due on a test clock cannot be done")),
        Err(error) => Err(error),
    };
    match done {
        // The database is what failed: the job is taken up again.
        Err(error @ (Error::Unavailable(_) | Error::Busy)) => Err(error),
        Err(error) => {
            tracing::error!(clock = id, ?error, "a test clock stopped");
            transact!(db, |tx| fail(tx, who, id, job).await)?;
            Ok(false)
        }
        Ok(()) => Ok(true),
    }
}

/// Moves the clock to what is due next and does it there; `None` where the clock has arrived, or does not advance.
async fn next(tx: &mut Tx, who: &Actor, id: &str) -> Result<Option<Step>> {
    let before = match get(tx, who, id).await {
        Ok(clock) if clock.status == Status::Advancing => clock,
        Ok(_) | Err(Error::Missing { .. }) => return Ok(None),
        Err(other) => return Err(other),
    };
    let target = before.target_time.unwrap_or(before.frozen_time);
    let Some((at, due)) = due(tx, who, id, target).await? else {
        let mut clock = TestClock { status: Status::Ready, frozen_time: target, target_time: None, ..before.clone() };
        save(tx, who, &mut clock).await?;
        announce(tx, who, Some(&before), Some(&clock), "test_helpers.test_clock.ready").await?;
        return Ok(None);
    };
    // That the clock moves was said when it began to; what is done on the way says so for itself.
    let changed = tx.is_changed();
    let mut clock = TestClock { frozen_time: at.max(before.frozen_time), ..before };
    save(tx, who, &mut clock).await?;
    tx.beside(changed);
    work::step(tx, who, &due).await.map(Some)
}

/// What is due first, up to an instant; what is owed before what is to be billed.
async fn due(tx: &mut Tx, who: &Actor, clock: &str, until: Seconds) -> Result<Option<(Seconds, Due)>> {
    let invoice: Option<(Seconds, String)> = maybe!(
        tx,
        "select next_due, id from invoice where tenant = $1 and clock_id = $2 and next_due <= $3 order by next_due, id limit 1",
        who.tenant.key,
        clock,
        until
    )?;
    let subscription: Option<(Seconds, String)> = maybe!(
        tx,
        "select next_due, id from subscription where tenant = $1 and clock_id = $2 and next_due <= $3 order by next_due, id limit 1",
        who.tenant.key,
        clock,
        until
    )?;
    let invoice = invoice.map(|(at, id)| (at, Due::Invoice(id)));
    let subscription = subscription.map(|(at, id)| (at, Due::Subscription(id)));
    // The first of equals is the one that is kept.
    Ok(invoice.into_iter().chain(subscription).min_by_key(|(at, _)| *at))
}

async fn fail(tx: &mut Tx, who: &Actor, id: &str, job: &str) -> Result<()> {
    job::finish(tx, job).await?;
    let before = get(tx, who, id).await?;
    let mut clock = TestClock { status: Status::InternalFailure, target_time: None, ..before.clone() };
    save(tx, who, &mut clock).await?;
    announce(tx, who, Some(&before), Some(&clock), "test_helpers.test_clock.internal_failure").await
}

async fn save(tx: &mut Tx, who: &Actor, clock: &mut TestClock) -> Result<()> {
    let saved = run!(
        tx,
        "update test_clock set frozen_time = $3, target_time = $4, status = $5, deleted_at = $6, version = version + 1
         where tenant = $1 and id = $2 and version = $7",
        who.tenant.key,
        &clock.id,
        clock.frozen_time,
        clock.target_time,
        clock.status,
        clock.deleted_at,
        clock.version
    )?;
    clock.version += 1;
    if saved == 1 { Ok(()) } else { Err(Error::Busy) }
}

async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&TestClock>,
    after: Option<&TestClock>,
    action: &'static str,
) -> Result<()> {
    let id = after.or(before).map(|clock| clock.id.clone()).unwrap_or_default();
    let render = |clock: &TestClock| wire::test_clock(&who.tenant, clock);
    let change = Change {
        object: "test_helpers.test_clock",
        id: &id,
        customer: None,
        before: before.map(render),
        after: after.map(render),
        action,
        events: &[action],
    };
    record(tx, who, change).await
}
