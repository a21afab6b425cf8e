//! What is to happen to a subscription later: new items or a pause when its period ends, its return from a pause.
//!
//! At most one change waits at a time, so a new one takes the place of the old. A cancellation drops it. What the
//! merchant has scheduled is shown to the customer and stays: the portal can neither undo nor replace it.

use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Origin};
use crate::clock::Seconds;
use crate::customer;
use crate::error::{Error, Result};
use crate::id;
use crate::page::{Listed, Page, page};
use crate::patch::Patch;
use crate::store::{Json, Tx, maybe, run};
use crate::subscription::items::{self, ItemChange};
use crate::subscription::planned::{self, PlannedItem};
use crate::subscription::resume::{self, Resume, Resumed};
use crate::subscription::{Status, Subscription, announce, get, pause, pending, save};
use crate::text_enum::text_enum;

text_enum!(Kind { Update = "update", Pause = "pause", Resume = "resume" });
text_enum!(
    /// What became of a change: it waits, it took effect, somebody took it back, another took its place, or the
    /// subscription ended first.
    State { Scheduled = "scheduled", Applied = "applied", Undone = "undone", Replaced = "replaced", Dropped = "dropped" }
);
text_enum!(
    /// Who scheduled it; the program itself does so for the merchant.
    By { Merchant = "merchant", Portal = "portal" }
);

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct ScheduledChange {
    pub id: String,
    pub subscription: String,
    pub kind: Kind,
    /// An update or a pause follows the end of the current period, wherever that moves.
    pub due: Seconds,
    pub change: Json<Planned>,
    pub origin: By,
    pub status: State,
    pub created: Seconds,
    pub settled_at: Option<Seconds>,
}

/// What is to happen, as far as its kind does not say it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Planned {
    /// Of an update: every item as it will stand.
    pub items: Vec<PlannedItem>,
    /// Of a pause: when it ends by itself.
    pub resumes_at: Option<Seconds>,
}

impl By {
    pub(crate) fn of(who: &Actor) -> Self {
        if matches!(who.origin, Origin::Portal { .. }) { Self::Portal } else { Self::Merchant }
    }
}

macro_rules! columns {
    () => {
        "id, subscription, kind, due, change, origin, status, created, settled_at"
    };
}

/// The change that waits on a subscription.
pub(crate) async fn of(tx: &mut Tx, who: &Actor, subscription: &str) -> Result<Option<ScheduledChange>> {
    maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from scheduled_change where tenant = $1 and subscription = $2 and status = 'scheduled'"
        ),
        who.tenant.key,
        subscription
    )
}

/// Everything that was ever scheduled on a subscription, newest first.
pub async fn list(tx: &mut Tx, who: &Actor, subscription: &str, page: &Page) -> Result<Listed<ScheduledChange>> {
    get(tx, who, subscription).await?;
    page!(tx, who, page, "scheduled_change", columns!(), "subscription = $7", subscription)
}

/// Schedules a change, which is somebody's, in the place of any that waits. The subscription is still to be saved and
/// announced.
pub(crate) async fn plan(
    tx: &mut Tx,
    who: &Actor,
    subscription: &mut Subscription,
    (kind, due, origin): (Kind, Seconds, By),
    planned: Planned,
    now: Seconds,
) -> Result<()> {
    check_open(who, subscription)?;
    settle(tx, who, subscription, State::Replaced, now).await?;
    let change = ScheduledChange {
        id: id::new("schg", tx.now),
        subscription: subscription.id.clone(),
        kind,
        due,
        change: Json(planned),
        origin,
        status: State::Scheduled,
        created: now,
        settled_at: None,
    };
    run!(
        tx,
        concat!(
            "insert into scheduled_change (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        ),
        who.tenant.key,
        &change.id,
        &change.subscription,
        change.kind,
        change.due,
        &change.change,
        change.origin,
        change.status,
        change.created,
        change.settled_at
    )?;
    subscription.scheduled = Some(change);
    Ok(())
}

/// What waits, if anything does, waits no longer. The subscription is still to be saved and announced.
pub(crate) async fn settle(
    tx: &mut Tx,
    who: &Actor,
    subscription: &mut Subscription,
    state: State,
    now: Seconds,
) -> Result<Option<ScheduledChange>> {
    let Some(change) = subscription.scheduled.take() else { return Ok(None) };
    run!(
        tx,
        "update scheduled_change set status = $3, settled_at = $4 where tenant = $1 and id = $2 and status = 'scheduled'",
        who.tenant.key,
        &change.id,
        state,
        now
    )?;
    Ok(Some(change))
}

/// New items at once take the place of items that were scheduled.
pub(crate) async fn give_way(tx: &mut Tx, who: &Actor, subscription: &mut Subscription, now: Seconds) -> Result<()> {
    if subscription.scheduled.as_ref().is_some_and(|change| change.kind == Kind::Update) {
        settle(tx, who, subscription, State::Replaced, now).await?;
    }
    Ok(())
}

/// Keeps a change that waits for the end of the period at that end, and drops one that will not be reached.
pub(crate) async fn follow(tx: &mut Tx, who: &Actor, subscription: &mut Subscription) -> Result<()> {
    let end = subscription.current_period_end;
    let ends = ends_with_period(subscription);
    let Some(change) = &mut subscription.scheduled else { return Ok(()) };
    let waits_for_end = change.kind != Kind::Resume;
    // A period that has become longer may end when a pause would be over already.
    let is_over = change.kind == Kind::Pause && change.change.resumes_at.is_some_and(|at| at <= end);
    if subscription.status.is_ended() || (waits_for_end && ends) || is_over {
        let begun = subscription.current_period_start;
        let now = subscription.ended_at.or(subscription.canceled_at).unwrap_or(begun);
        settle(tx, who, subscription, State::Dropped, now).await?;
    } else if waits_for_end && change.due != end {
        change.due = end;
        run!(
            tx,
            "update scheduled_change set due = $3 where tenant = $1 and id = $2",
            who.tenant.key,
            &change.id,
            end
        )?;
    }
    Ok(())
}

fn ends_with_period(subscription: &Subscription) -> bool {
    subscription.cancel_at.is_some_and(|at| at <= subscription.current_period_end)
}

/// Refuses the customer where the merchant's own change waits.
pub(crate) fn check_open(who: &Actor, subscription: &Subscription) -> Result<()> {
    let is_locked = subscription.scheduled.as_ref().is_some_and(|change| change.origin == By::Merchant);
    if is_locked && who.customer().is_some() {
        return Err(Error::Forbidden("A change is scheduled here that only the merchant can take back."));
    }
    Ok(())
}

/// Refuses to schedule what would never happen, since the subscription ends first.
pub(crate) fn check_goes_on(subscription: &Subscription) -> Result<()> {
    if ends_with_period(subscription) {
        let message = "This subscription ends with its current period. Take the cancellation back first.";
        return Err(Error::conflict("subscription_canceling", message));
    }
    Ok(())
}

/// Schedules what becomes of the items when the current period ends: nothing is prorated, and the next period is billed
/// as it is then. What changes nothing takes back what waits.
pub async fn schedule(tx: &mut Tx, who: &Actor, id: &str, changes: &[ItemChange]) -> Result<Subscription> {
    let before = get(tx, who, id).await?;
    check_open(who, &before)?;
    if !matches!(before.status, Status::Active | Status::Trialing | Status::PastDue | Status::Unpaid) {
        let message = format!("Nothing can be scheduled on a subscription that is {}.", before.status.name());
        return Err(Error::conflict("subscription_unexpected_state", message));
    }
    pending::check_none(&before)?;
    check_goes_on(&before)?;
    if let Some(n) = changes.iter().position(|change| change.discounts != Patch::Keep) {
        let message = "Discounts begin at once, and cannot be scheduled.";
        return Err(Error::invalid(format!("items[{n}][discounts]"), message));
    }
    let customer = customer::get(tx, who, &before.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    let items = items::change(tx, who, (id, &before.items), Some(&before.currency), changes, now).await?;
    let mut after = before.clone();
    if items.kept == before.items {
        settle(tx, who, &mut after, State::Replaced, now).await?;
    } else {
        let is_new = |item: &PlannedItem| before.items.iter().all(|other| item.id.as_ref() != Some(&other.id));
        let items = items.kept.iter().map(PlannedItem::from).map(|item| match is_new(&item) {
            true => PlannedItem { id: None, ..item },
            false => item,
        });
        let planned = Planned { items: items.collect(), resumes_at: None };
        plan(tx, who, &mut after, (Kind::Update, before.current_period_end, By::of(who)), planned, now).await?;
    }
    if after == before {
        return Ok(before);
    }
    save(tx, who, &mut after).await?;
    let event = "customer.subscription.updated";
    announce(tx, who, Some(&before), &after, event, &[event]).await?;
    Ok(after)
}

/// Puts the items in place as a period ends. Where their interval is another one, the next period begins a new rhythm.
async fn put(
    tx: &mut Tx,
    who: &Actor,
    before: &Subscription,
    after: &mut Subscription,
    items: &[PlannedItem],
    now: Seconds,
) -> Result<()> {
    planned::put(tx, who, after, items, now).await?;
    if after.recurring() != before.recurring() {
        (after.billing_cycle_anchor, after.cycle) = (now, -1);
    }
    save(tx, who, after).await?;
    let events = ["customer.subscription.updated", "customer.subscription.pending_update_applied"];
    announce(tx, who, Some(before), after, events[1], &events).await
}

/// Takes back what waits. Where nothing does, nothing changes.
pub async fn undo(tx: &mut Tx, who: &Actor, id: &str) -> Result<Subscription> {
    let before = get(tx, who, id).await?;
    check_open(who, &before)?;
    let mut after = before.clone();
    let customer = customer::get(tx, who, &before.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    let Some(undone) = settle(tx, who, &mut after, State::Undone, now).await? else { return Ok(before) };
    if undone.kind == Kind::Resume {
        after.resumes_at = None;
    }
    save(tx, who, &mut after).await?;
    let event = "customer.subscription.updated";
    announce(tx, who, Some(&before), &after, event, &[event]).await?;
    Ok(after)
}

/// What a change that was due has done.
pub enum Applied {
    /// None was due.
    Nothing,
    /// It has other items now, from the period on that is due to begin.
    Updated(Box<Subscription>),
    Paused,
    /// Its invoice is to be collected.
    Resumed(Box<Resumed>),
}

/// Lets what waits on a subscription take effect if it is due at `now`, before anything else that is due then.
pub async fn apply_due(tx: &mut Tx, who: &Actor, subscription: &Subscription, now: Seconds) -> Result<Applied> {
    if subscription.scheduled.as_ref().is_none_or(|change| change.due > now) {
        return Ok(Applied::Nothing);
    }
    let mut after = subscription.clone();
    let Some(change) = settle(tx, who, &mut after, State::Applied, now).await? else {
        return Ok(Applied::Nothing);
    };
    match change.kind {
        Kind::Update => {
            put(tx, who, subscription, &mut after, &change.change.items, now).await?;
            Ok(Applied::Updated(Box::new(after)))
        }
        Kind::Pause => {
            // Whose the pause was, theirs is its end.
            pause::resume_at(tx, who, &mut after, (change.change.resumes_at, change.origin), now).await?;
            pause::stop(tx, who, subscription, after, now).await?;
            Ok(Applied::Paused)
        }
        Kind::Resume => {
            let resumed = resume::go_on(tx, who, subscription, after, Resume::default(), now).await?;
            Ok(Applied::Resumed(Box::new(resumed)))
        }
    }
}
