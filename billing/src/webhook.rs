//! Webhook endpoints: where a merchant wants its events sent, which ones, and the secret that signs them.

pub mod delivery;
pub mod lane;
pub mod replay;
mod secrets;
pub mod signature;

use secrets::signing_secrets;
pub use secrets::{rotate, secret};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::event::{self, Change, record};
use crate::page::{Listed, Page, page};
use crate::patch::{Metadata, MetadataPatch, Patch, check_text, merge_metadata};
use crate::portal::configuration::check_url;
use crate::store::{Json, Tx, all, maybe, one, run};
use crate::text_enum::text_enum;
use crate::{id, wire};

/// As many as Stripe lets a merchant have.
const MOST: i64 = 16;

/// Names that an endpoint may subscribe under beside the events' own; it then receives them under these.
pub const ALIASES: &[&str] = &[
    "customer.payment_method_updated",
    "subscription.deleted",
    "subscription.paused",
    "subscription.pending_update.success",
    "subscription.updated",
];

text_enum!(Status { Enabled = "enabled", Disabled = "disabled" });

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Endpoint {
    pub id: String,
    pub url: String,
    pub status: Status,
    pub description: Option<String>,
    /// `*` for every event, and names of events and of [`ALIASES`].
    pub enabled_events: Json<Vec<String>>,
    /// What the endpoint's events say their version is.
    pub api_version: String,
    /// Until when the secret before the last rotation signs too.
    pub previous_secret_expires: Option<Seconds>,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    pub deleted_at: Option<Seconds>,
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, url, status, description, enabled_events, api_version, previous_secret_expires, metadata, created, deleted_at, version"
    };
}

#[derive(Debug, Clone)]
pub struct NewEndpoint {
    pub url: String,
    pub enabled_events: Vec<String>,
    pub api_version: Option<String>,
    pub fields: EndpointUpdate,
}

/// What may be said of an endpoint; `url` and `enabled_events` of a new one stand in [`NewEndpoint`].
#[derive(Debug, Clone, Default)]
pub struct EndpointUpdate {
    pub url: Option<String>,
    pub enabled_events: Option<Vec<String>>,
    pub disabled: Option<bool>,
    pub description: Patch<String>,
    pub metadata: MetadataPatch,
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Endpoint> {
    check_merchant(who)?;
    maybe!(
        tx,
        concat!("select ", columns!(), " from webhook_endpoint where tenant = $1 and id = $2 and deleted_at is null"),
        who.tenant.key,
        id
    )?
    .ok_or_else(|| Error::missing("webhook_endpoint", id))
}

pub async fn list(tx: &mut Tx, who: &Actor, page: &Page) -> Result<Listed<Endpoint>> {
    check_merchant(who)?;
    page!(tx, who, page, "webhook_endpoint", columns!(), "deleted_at is null")
}

/// Makes an endpoint; the secret beside it is shown this once, and kept sealed.
pub async fn create(tx: &mut Tx, who: &Actor, new: NewEndpoint) -> Result<(Endpoint, String)> {
    check_merchant(who)?;
    check_room(tx, who).await?;
    let mut endpoint = Endpoint {
        id: id::new("we", tx.now),
        url: new.url,
        status: Status::Enabled,
        description: None,
        enabled_events: Json(new.enabled_events),
        // Kept as it is now: a later version of this program changes nothing for an endpoint that there is.
        api_version: new.api_version.unwrap_or_else(|| wire::API_VERSION.to_owned()),
        previous_secret_expires: None,
        metadata: Json::default(),
        created: tx.now.seconds(),
        deleted_at: None,
        version: 1,
    };
    apply(who, &mut endpoint, new.fields)?;
    let secret = signature::secret();
    let sealed = tx.key.seal(&endpoint.id, &secret)?;
    run!(
        tx,
        concat!(
            "insert into webhook_endpoint (tenant, secret, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        ),
        who.tenant.key,
        sealed,
        &endpoint.id,
        &endpoint.url,
        endpoint.status,
        &endpoint.description,
        &endpoint.enabled_events,
        &endpoint.api_version,
        endpoint.previous_secret_expires,
        &endpoint.metadata,
        endpoint.created,
        endpoint.deleted_at,
        endpoint.version
    )?;
    run!(
        tx,
        "insert into webhook_lane (tenant, endpoint, leased_until_ms) values ($1, $2, 0)",
        who.tenant.key,
        &endpoint.id
    )?;
    announce(tx, who, None, Some(&endpoint), "webhook_endpoint.created").await?;
    Ok((endpoint, secret))
}

pub async fn update(tx: &mut Tx, who: &Actor, id: &str, update: EndpointUpdate) -> Result<Endpoint> {
    let before = get(tx, who, id).await?;
    let mut endpoint = before.clone();
    apply(who, &mut endpoint, update)?;
    if endpoint == before {
        return Ok(endpoint);
    }
    save(tx, who, &mut endpoint).await?;
    if endpoint.url != before.url || endpoint.status != before.status {
        lane::forget_failures(tx, who.tenant.key, &endpoint.id).await?;
    }
    announce(tx, who, Some(&before), Some(&endpoint), "webhook_endpoint.updated").await?;
    Ok(endpoint)
}

/// Nothing more is sent there; what was sent stays in the log.
pub async fn delete(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    let before = get(tx, who, id).await?;
    let mut gone = Endpoint { status: Status::Disabled, deleted_at: Some(tx.now.seconds()), ..before.clone() };
    save(tx, who, &mut gone).await?;
    delivery::give_up_all(tx, who, id).await?;
    announce(tx, who, Some(&before), None, "webhook_endpoint.deleted").await
}

/// Nothing is sent there until the merchant says otherwise: its receiver is gone, or has failed for days.
async fn disable(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    let Some(before) = enabled(tx, who, id).await? else { return Ok(()) };
    let mut endpoint = Endpoint { status: Status::Disabled, ..before.clone() };
    save(tx, who, &mut endpoint).await?;
    lane::forget_failures(tx, who.tenant.key, id).await?;
    announce(tx, who, Some(&before), Some(&endpoint), "webhook_endpoint.disabled").await
}

/// An endpoint that is sent something.
async fn enabled(tx: &mut Tx, who: &Actor, id: &str) -> Result<Option<Endpoint>> {
    Ok(all_enabled(tx, who).await?.into_iter().find(|endpoint| endpoint.id == id))
}

async fn all_enabled(tx: &mut Tx, who: &Actor) -> Result<Vec<Endpoint>> {
    all!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from webhook_endpoint where tenant = $1 and status = 'enabled' and deleted_at is null order by id"
        ),
        who.tenant.key
    )
}

fn check_merchant(who: &Actor) -> Result<()> {
    match who.customer() {
        None => Ok(()),
        Some(_) => Err(Error::Forbidden("Webhook endpoints are the merchant's.")),
    }
}

async fn check_room(tx: &mut Tx, who: &Actor) -> Result<()> {
    let (count,): (i64,) =
        one!(tx, "select count(*) from webhook_endpoint where tenant = $1 and deleted_at is null", who.tenant.key)?;
    if count < MOST {
        return Ok(());
    }
    Err(Error::conflict("webhook_endpoint_limit_reached", format!("A merchant has up to {MOST} webhook endpoints.")))
}

fn apply(who: &Actor, endpoint: &mut Endpoint, update: EndpointUpdate) -> Result<()> {
    if let Some(url) = update.url {
        endpoint.url = url;
    }
    if let Some(events) = update.enabled_events {
        endpoint.enabled_events.0 = events;
    }
    match update.disabled {
        Some(true) => endpoint.status = Status::Disabled,
        Some(false) => endpoint.status = Status::Enabled,
        None => {}
    }
    update.description.apply(&mut endpoint.description);
    merge_metadata(&mut endpoint.metadata.0, update.metadata)?;
    check_url(&endpoint.url, who.tenant.livemode, "url")?;
    check_events(&endpoint.enabled_events)?;
    check_version(&endpoint.api_version)?;
    check_text(endpoint.description.as_deref().unwrap_or_default(), 500, "description")
}

fn check_events(names: &[String]) -> Result<()> {
    if names.is_empty() {
        return Err(Error::invalid("enabled_events", "An endpoint is sent at least one event."));
    }
    for (n, name) in names.iter().enumerate() {
        let is_there = name == "*" || event::NAMES.contains(&name.as_str()) || ALIASES.contains(&name.as_str());
        if !is_there {
            return Err(Error::invalid(format!("enabled_events[{n}]"), format!("No event is sent as {name}.")));
        }
        if names[..n].contains(name) {
            return Err(Error::invalid(format!("enabled_events[{n}]"), format!("{name} stands there twice.")));
        }
    }
    Ok(())
}

/// `2026-10-28.endive`: any that a Stripe account may be pinned to.
fn check_version(version: &str) -> Result<()> {
    let (day, name) = version.split_once('.').unwrap_or((version, "x"));
    let shape: String = day.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape == "0000-00-00" && !name.is_empty() && name.len() <= 20 && name.bytes().all(|b| b.is_ascii_lowercase()) {
        return Ok(());
    }
    Err(Error::invalid(
        "api_version",
        format!("Invalid API version: {version} is not written like {}.", wire::API_VERSION),
    ))
}

async fn save(tx: &mut Tx, who: &Actor, endpoint: &mut Endpoint) -> Result<()> {
    let saved = run!(
        tx,
        "update webhook_endpoint set url = $3, status = $4, description = $5, enabled_events = $6, metadata = $7, deleted_at = $8,
         version = version + 1 where tenant = $1 and id = $2 and version = $9",
        who.tenant.key,
        &endpoint.id,
        &endpoint.url,
        endpoint.status,
        &endpoint.description,
        &endpoint.enabled_events,
        &endpoint.metadata,
        endpoint.deleted_at,
        endpoint.version
    )?;
    endpoint.version += 1;
    if saved == 1 { Ok(()) } else { Err(Error::Busy) }
}

/// Only the audit log hears of it: Stripe has no event for endpoints.
async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&Endpoint>,
    after: Option<&Endpoint>,
    action: &'static str,
) -> Result<()> {
    let id = after.or(before).map(|e| e.id.clone()).unwrap_or_default();
    let render = |endpoint: &Endpoint| wire::webhook_endpoint(&who.tenant, endpoint);
    let change = Change {
        object: "webhook_endpoint",
        id: &id,
        customer: None,
        before: before.map(render),
        after: after.map(render),
        action,
        events: &[],
    };
    record(tx, who, change).await
}
