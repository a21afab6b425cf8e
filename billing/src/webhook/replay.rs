//! Sending again: one event, a range of them, or what has failed.

use serde_json::Value;

use super::delivery::{self, Status};
use super::{Endpoint, enabled};
use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::event;
use crate::store::{Json, Tx, all};

/// As much is sent again at a time.
const MOST: usize = 10_000;

/// Which events of an endpoint are sent again.
#[derive(Debug, Clone)]
pub struct Range {
    /// When they happened, inclusive.
    pub from: Seconds,
    pub until: Seconds,
    /// Only those whose delivery ended so.
    pub status: Option<Status>,
}

/// Has one event sent again to each endpoint that is sent it, or to the one that is named; answers to how many, and under
/// how many names.
pub async fn one(tx: &mut Tx, who: &Actor, event: &str, endpoint: Option<&str>) -> Result<usize> {
    super::check_merchant(who)?;
    let event = event::get(tx, who, event).await?;
    let endpoints = match endpoint {
        Some(id) => vec![sending(tx, who, id).await.map_err(|e| e.on("webhook_endpoint"))?],
        None => super::all_enabled(tx, who).await?,
    };
    let mut asked = 0;
    for Endpoint { id, enabled_events, .. } in &endpoints {
        for name in delivery::names(&event.r#type, &event.data, enabled_events) {
            delivery::ask(tx, who, id, &event.id, name).await?;
            asked += 1;
        }
    }
    if asked == 0 && endpoint.is_some() {
        let message = format!("This endpoint is not sent {}.", event.r#type);
        return Err(Error::invalid("webhook_endpoint", message));
    }
    Ok(asked)
}

/// Has what happened in a time sent to an endpoint again, or for the first time; answers how many deliveries that are.
pub async fn range(tx: &mut Tx, who: &Actor, endpoint: &str, range: &Range) -> Result<usize> {
    let endpoint = sending(tx, who, endpoint).await?;
    let found = match range.status {
        Some(status) => settled(tx, who, &endpoint, range, status).await?,
        None => happened(tx, who, &endpoint, range).await?,
    };
    if found.len() > MOST {
        let message = format!("More than {MOST} events were sent in this time; ask for a shorter one.");
        return Err(Error::invalid("created", message));
    }
    for (event, name) in &found {
        delivery::ask(tx, who, &endpoint.id, event, name).await?;
    }
    Ok(found.len())
}

async fn sending(tx: &mut Tx, who: &Actor, id: &str) -> Result<Endpoint> {
    let endpoint = super::get(tx, who, id).await?;
    match enabled(tx, who, &endpoint.id).await? {
        Some(endpoint) => Ok(endpoint),
        None => {
            Err(Error::conflict("webhook_endpoint_disabled", "Nothing is sent to this endpoint while it is disabled."))
        }
    }
}

/// The deliveries that ended so, of events in the range.
async fn settled(
    tx: &mut Tx,
    who: &Actor,
    endpoint: &Endpoint,
    range: &Range,
    status: Status,
) -> Result<Vec<(String, String)>> {
    all!(
        tx,
        "select d.event, d.name from delivery d join event e on e.tenant = d.tenant and e.id = d.event
         where d.tenant = $1 and d.endpoint = $2 and d.status = $3 and e.created >= $4 and e.created <= $5
         order by e.created, e.id limit $6",
        who.tenant.key,
        &endpoint.id,
        status,
        range.from,
        range.until,
        limit()
    )
}

/// The events in the range that this endpoint is sent, under each name.
async fn happened(tx: &mut Tx, who: &Actor, endpoint: &Endpoint, range: &Range) -> Result<Vec<(String, String)>> {
    let events: Vec<(String, String, Json<Value>)> = all!(
        tx,
        "select id, type, data from event where tenant = $1 and created >= $2 and created <= $3 order by created, id limit $4",
        who.tenant.key,
        range.from,
        range.until,
        limit()
    )?;
    let mut found = Vec::new();
    for (id, kind, data) in &events {
        let names = delivery::names(kind, data, &endpoint.enabled_events);
        found.extend(names.into_iter().map(|name| (id.clone(), name.to_owned())));
    }
    // Whoever lists few kinds among many events would else be told that they were all.
    if events.len() > MOST {
        found.resize(MOST + 1, Default::default());
    }
    Ok(found)
}

fn limit() -> i64 {
    i64::try_from(MOST + 1).unwrap_or(i64::MAX)
}
