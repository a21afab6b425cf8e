//! Custom domains: names of the merchant's own, under which its portal answers once the DNS says that they are.
//!
//! A claim costs nothing and holds nobody up: several merchants may claim one name. It is served for the one whose proof
//! stands in the DNS, a CNAME to this installation and a TXT record with the claim's own token. A name that was served
//! and given up stays behind as a tombstone: for 30 days no other merchant is served under it.

pub mod proof;

use crate::actor::{Actor, Tenant};
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::page::{Listed, Page, page};
use crate::portal::Configuration;
use crate::store::{Tx, maybe, one, run};
use crate::text_enum::text_enum;
use crate::{id, wire};

use proof::{Found, Problem};

/// How many names a merchant may claim at a time.
const MOST: i64 = 20;
/// How long a name that was served stays served while its proof is gone: a mistake in a zone is mended in this time.
const GRACE: i64 = 3 * 86_400;
/// How long no other merchant is served under a name that was given up.
const TOMBSTONE: i64 = 30 * 86_400;

text_enum!(Status { Pending = "pending", Active = "active", Released = "released" });

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Domain {
    /// `pdom_…`
    pub id: String,
    /// `billing.example.com`: lower case, in ASCII, without a port.
    pub domain_name: String,
    pub status: Status,
    /// What the TXT record must say.
    pub token: String,
    /// What the last look at the DNS missed.
    pub problem: Option<Problem>,
    pub checked_at: Option<Seconds>,
    /// Since when an active one's proof is gone.
    pub failing_since: Option<Seconds>,
    pub verified_at: Option<Seconds>,
    pub released_at: Option<Seconds>,
    pub created: Seconds,
    pub version: i64,
    /// Where its CNAME must lead: the public URL's host; empty where there is none.
    #[sqlx(skip)]
    pub target: String,
}

macro_rules! columns {
    () => {
        "id, domain_name, status, token, problem, checked_at, failing_since, verified_at, released_at, created, version"
    };
}

/// One that has not been released.
pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Domain> {
    check_merchant(who)?;
    let found: Option<Domain> = maybe!(
        tx,
        concat!("select ", columns!(), " from portal_domain where tenant = $1 and id = $2 and status <> 'released'"),
        who.tenant.key,
        id
    )?;
    found.map(|domain| domain.aimed(tx)).ok_or_else(|| Error::missing("portal_domain", id))
}

pub async fn list(tx: &mut Tx, who: &Actor, page: &Page) -> Result<Listed<Domain>> {
    check_merchant(who)?;
    let found: Result<Listed<Domain>> = page!(tx, who, page, "portal_domain", columns!(), "status <> 'released'");
    Ok(found?.map(|domain| domain.aimed(tx)))
}

/// Claims a name; it is served once it is proven.
pub async fn claim(tx: &mut Tx, who: &Actor, name: &str) -> Result<Domain> {
    check_merchant(who)?;
    let domain_name = proof::name(name)?;
    if tx.public_host().as_deref() == Some(&domain_name) {
        return Err(Error::invalid("domain_name", "This is the name of the installation itself."));
    }
    check_room(tx, who, &domain_name).await?;
    let domain = Domain {
        id: id::new("pdom", tx.now),
        domain_name,
        status: Status::Pending,
        token: id::secret(),
        problem: None,
        checked_at: None,
        failing_since: None,
        verified_at: None,
        released_at: None,
        created: tx.now.seconds(),
        version: 1,
        target: tx.public_host().unwrap_or_default(),
    };
    run!(
        tx,
        concat!(
            "insert into portal_domain (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ),
        who.tenant.key,
        &domain.id,
        &domain.domain_name,
        domain.status,
        &domain.token,
        domain.problem,
        domain.checked_at,
        domain.failing_since,
        domain.verified_at,
        domain.released_at,
        domain.created,
        domain.version
    )?;
    announce(tx, who, None, Some(&domain), "portal_domain.created").await?;
    Ok(domain)
}

/// Takes note of what the DNS says, and serves the name or no longer does.
pub async fn settle(tx: &mut Tx, who: &Actor, id: &str, found: &Found) -> Result<Domain> {
    let before = get(tx, who, id).await?;
    let now = tx.now.seconds();
    let mut after = Domain { checked_at: Some(now), ..before.clone() };
    after.problem = found.prove(&before).err();
    match (before.status, after.problem) {
        (Status::Active, None) => after.failing_since = None,
        // The DNS has said nothing: neither is anything gained by that, nor lost.
        (_, Some(Problem::Unanswered)) => {}
        (Status::Active, Some(_)) => {
            let since = *after.failing_since.get_or_insert(now);
            if since.plus(GRACE) <= now {
                (after.status, after.failing_since) = (Status::Pending, None);
            }
        }
        (_, None) if is_anothers(tx, who, &before.domain_name).await? => after.problem = Some(Problem::Taken),
        (_, None) => (after.status, after.verified_at) = (Status::Active, Some(now)),
        (_, Some(_)) => {}
    }
    save(tx, who, &mut after).await?;
    let action = match (before.status, after.status) {
        (Status::Pending, Status::Active) => "portal_domain.verified",
        (Status::Active, Status::Pending) => "portal_domain.lapsed",
        _ => {
            tx.unaudited();
            return Ok(after);
        }
    };
    announce(tx, who, Some(&before), Some(&after), action).await?;
    Ok(after)
}

/// Gives a name up. One that a configuration uses is kept.
pub async fn release(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    let before = get(tx, who, id).await?;
    let user: Option<(String,)> = maybe!(
        tx,
        "select id from portal_configuration where tenant = $1 and custom_domain = $2 limit 1",
        who.tenant.key,
        id
    )?;
    if let Some((user,)) = user {
        let message = format!("The configuration {user} uses this domain: give it another `custom_domain` first.");
        return Err(Error::conflict("portal_domain_in_use", message));
    }
    let mut gone = Domain { status: Status::Released, released_at: Some(tx.now.seconds()), ..before.clone() };
    save(tx, who, &mut gone).await?;
    announce(tx, who, Some(&before), None, "portal_domain.deleted").await
}

/// Whose a name is that is served; `None` for every other.
pub async fn by_name(tx: &mut Tx, name: &str) -> Result<Option<Tenant>> {
    let row: Option<(i64, String, bool)> = maybe!(
        tx,
        "select t.id, t.merchant, t.livemode from portal_domain d join tenant t on t.id = d.tenant
         where d.domain_name = $1 and d.status = 'active'",
        name
    )?;
    Ok(row.map(|(key, merchant, livemode)| Tenant { key, merchant, livemode }))
}

/// Where the portal of a configuration answers: under its custom domain while that is proven, else under the public URL.
/// `None` where the books are opened without one.
pub async fn portal_url(tx: &mut Tx, who: &Actor, configuration: &Configuration) -> Result<Option<String>> {
    let own: Option<(String,)> = match &configuration.custom_domain {
        None => None,
        Some(id) => maybe!(
            tx,
            "select domain_name from portal_domain where tenant = $1 and id = $2 and status = 'active'",
            who.tenant.key,
            id
        )?,
    };
    Ok(url_under(tx, own.map(|(name,)| name)))
}

/// The public URL, or the same under another name: the front is the same, and so are its scheme and port.
pub(crate) fn url_under(tx: &Tx, name: Option<String>) -> Option<String> {
    let public = tx.public_url.as_deref()?;
    let Some(name) = name else { return Some(public.to_owned()) };
    let mut url = url::Url::parse(public).ok()?;
    url.set_host(Some(&name)).ok()?;
    Some(url.origin().ascii_serialization())
}

impl Domain {
    fn aimed(self, tx: &Tx) -> Self {
        Self { target: tx.public_host().unwrap_or_default(), ..self }
    }
}

fn check_merchant(who: &Actor) -> Result<()> {
    match who.customer() {
        None => Ok(()),
        Some(_) => Err(Error::Forbidden("Domains are the merchant's.")),
    }
}

async fn check_room(tx: &mut Tx, who: &Actor, name: &str) -> Result<()> {
    let (own, all): (i64, i64) = one!(
        tx,
        "select cast(coalesce(sum(case when domain_name = $2 then 1 else 0 end), 0) as bigint), count(*)
         from portal_domain where tenant = $1 and status <> 'released'",
        who.tenant.key,
        name
    )?;
    if own > 0 {
        return Err(Error::conflict("portal_domain_exists", format!("{name} is claimed already.")));
    }
    if all >= MOST {
        return Err(Error::conflict("portal_domain_limit_reached", format!("A merchant has up to {MOST} domains.")));
    }
    Ok(())
}

/// Whether a proven name is served for somebody else, or was until lately for another merchant.
async fn is_anothers(tx: &mut Tx, who: &Actor, name: &str) -> Result<bool> {
    let found: Option<(String,)> = maybe!(
        tx,
        "select d.id from portal_domain d join tenant t on t.id = d.tenant where d.domain_name = $1 and d.tenant <> $2
         and (d.status = 'active' or (t.merchant <> $3 and d.verified_at is not null and d.released_at > $4)) limit 1",
        name,
        who.tenant.key,
        &who.tenant.merchant,
        tx.now.seconds().plus(-TOMBSTONE)
    )?;
    Ok(found.is_some())
}

async fn save(tx: &mut Tx, who: &Actor, domain: &mut Domain) -> Result<()> {
    let saved = run!(
        tx,
        "update portal_domain set status = $3, problem = $4, checked_at = $5, failing_since = $6, verified_at = $7, released_at = $8,
         version = version + 1 where tenant = $1 and id = $2 and version = $9",
        who.tenant.key,
        &domain.id,
        domain.status,
        domain.problem,
        domain.checked_at,
        domain.failing_since,
        domain.verified_at,
        domain.released_at,
        domain.version
    )?;
    domain.version += 1;
    if saved == 1 { Ok(()) } else { Err(Error::Busy) }
}

/// Only the audit log hears of it.
async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&Domain>,
    after: Option<&Domain>,
    action: &'static str,
) -> Result<()> {
    let id = after.or(before).map(|domain| domain.id.clone()).unwrap_or_default();
    let render = |domain: &Domain| wire::portal_domain(&who.tenant, domain);
    let change = Change {
        object: "portal_domain",
        id: &id,
        customer: None,
        before: before.map(render),
        after: after.map(render),
        action,
        events: &[],
    };
    record(tx, who, change).await
}
