//! The periods of subscriptions: each billed once, one after the other without gap or overlap.

use serde_json::Value;

use crate::check::{Violation, broken};
use crate::error::Result;
use crate::store::{Tx, all};

pub(super) async fn once(tx: &mut Tx) -> Result<Vec<Violation>> {
    Ok(broken!(
        tx,
        "select min(id) as id, cast(count(*) as text) || ' invoices bill the period of ' || subscription || ' from ' || cast(cycle_start as text) as what
         from invoice where cycle_start is not null and status <> 'void'
         group by tenant, subscription, cycle_start having count(*) > 1"
    ))
}

/// Where the periods that were billed, and the current one, do not follow each other, the subscription's own events say
/// whether that was so meant: it was paused, or a change began a period anew or moved the end of a trial.
pub(super) async fn tile(tx: &mut Tx) -> Result<Vec<Violation>> {
    let mut found = broken!(
        tx,
        "select i.id, 'its period is not its subscription''s' as what
         from subscription_item i join subscription s on s.tenant = i.tenant and s.id = i.subscription
         where i.deleted_at is null
           and (i.current_period_start <> s.current_period_start or i.current_period_end <> s.current_period_end)"
    );
    found.extend(broken!(
        tx,
        "select id, 'its period ends before it begins' as what from subscription where current_period_end <= current_period_start"
    ));
    let doubtful: Vec<(i64, String)> = all!(
        tx,
        "with period as (
             select tenant, subscription, period_start, period_end from invoice
             where subscription is not null and billing_reason in ('subscription_create', 'subscription_cycle', 'subscription_update')
             union
             select tenant, id, current_period_start, current_period_end from subscription),
         following as (
             select tenant, subscription, period_start,
                    lag(period_end) over (partition by tenant, subscription order by period_start, period_end) as ended
             from period)
         select distinct tenant, subscription from following where ended <> period_start order by tenant, subscription"
    )?;
    for (tenant, subscription) in doubtful {
        if let Some(what) = doubt(tx, tenant, &subscription).await? {
            found.push(Violation { id: subscription, what });
        }
    }
    Ok(found)
}

/// A subscription's period as one event told of it.
struct Moment {
    start: i64,
    end: i64,
    anchor: i64,
    is_paused: bool,
}

impl Moment {
    fn read(data: &str) -> Self {
        let data: Value = serde_json::from_str(data).unwrap_or_default();
        let (object, item) = (&data["object"], &data["object"]["items"]["data"][0]);
        let number = |value: &Value| value.as_i64().unwrap_or_default();
        Self {
            start: number(&item["current_period_start"]),
            end: number(&item["current_period_end"]),
            anchor: number(&object["billing_cycle_anchor"]),
            is_paused: object["status"] == "paused",
        }
    }

    /// Whether `next` may come after this: the one that follows it, the same, if a change at its very beginning made it
    /// longer or shorter, or one that a pause or a new anchor explains.
    fn goes_on_as(&self, next: &Self) -> bool {
        let is_meant = next.anchor != self.anchor || self.is_paused || next.is_paused;
        is_meant || next.start == self.end || next.start == self.start
    }
}

async fn doubt(tx: &mut Tx, tenant: i64, subscription: &str) -> Result<Option<String>> {
    let told: Vec<(String,)> = all!(
        tx,
        "select data from event where tenant = $1 and object_id = $2 and type like 'customer.subscription.%' order by sequence",
        tenant,
        subscription
    )?;
    let moments: Vec<Moment> = told.iter().map(|(data,)| Moment::read(data)).collect();
    if let Some(pair) = moments.windows(2).find(|pair| !pair[0].goes_on_as(&pair[1])) {
        return Ok(Some(format!("a period until {} was followed by one from {}", pair[0].end, pair[1].start)));
    }
    let is_told = |(start, end): &(i64, i64)| moments.iter().any(|m| (m.start, m.end) == (*start, *end));
    let billed: Vec<(i64, i64)> = all!(
        tx,
        "select period_start, period_end from invoice
         where tenant = $1 and subscription = $2 and billing_reason = 'subscription_cycle'
         union select current_period_start, current_period_end from subscription where tenant = $1 and id = $2
         order by 1, 2",
        tenant,
        subscription
    )?;
    let untold = billed.iter().find(|period| !is_told(period));
    Ok(untold.map(|(start, end)| format!("its period from {start} until {end} does not follow the others")))
}
