//! Verifying: whether every sealed entry is what it was, where it was.

use std::collections::HashMap;

use super::seal::{Head, OWN, Place, Row, sealing};
use crate::clock::Millis;
use crate::directory;
use crate::error::Result;
use crate::store::{Db, Tx, all, maybe, one};

/// How many links are read at a time.
const PAGE: i64 = 5000;
/// As many breaks are named.
pub const MOST: usize = 1000;

/// What does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The entry, or the sealing.
    pub entry: String,
    /// The customer whose chain it is in; empty for the merchant's own.
    pub chain: String,
    pub sequence: i64,
    pub what: &'static str,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// How many entries are sealed and are as they were, if nothing is broken.
    pub sealed: i64,
    /// How many are not sealed yet, and since when.
    pub unsealed: i64,
    pub unsealed_since: Option<Millis>,
    /// In the order of the chains, up to [`MOST`].
    pub broken: Vec<Break>,
}

#[derive(sqlx::FromRow)]
struct Link {
    chain: String,
    sequence: i64,
    entry: String,
    hash: String,
    sealed_ms: i64,
}

#[derive(sqlx::FromRow)]
struct Sealed {
    #[sqlx(flatten)]
    link: Link,
    id: Option<String>,
    at_ms: Option<i64>,
    action: Option<String>,
    object: Option<String>,
    object_id: Option<String>,
    customer: Option<String>,
    origin: Option<String>,
    actor: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    idempotency_key: Option<String>,
    event: Option<String>,
    before: Option<String>,
    after: Option<String>,
}

impl Sealed {
    /// The entry that is sealed, unless it is gone, and the link.
    fn apart(self) -> (Link, Option<Row>) {
        let whole = || {
            Some(Row {
                id: self.id?,
                at_ms: self.at_ms?,
                action: self.action?,
                object: self.object?,
                object_id: self.object_id?,
                customer: self.customer,
                origin: self.origin?,
                actor: self.actor?,
                ip: self.ip,
                user_agent: self.user_agent,
                request_id: self.request_id,
                idempotency_key: self.idempotency_key,
                event: self.event,
                before: self.before,
                after: self.after,
            })
        };
        (self.link, whole())
    }
}

/// One tenant's chains, walked through.
#[derive(Default)]
struct Walk {
    tenant: i64,
    /// The last link.
    last: Option<Link>,
    /// The sealings of the merchant's chain, each with its link and the hash before it, by their instants.
    sealings: HashMap<i64, (Link, String)>,
    /// The links of customers' chains by the sealing that made them.
    links: HashMap<i64, Vec<String>>,
    broken: Vec<Break>,
    sealed: i64,
}

impl Walk {
    fn broken(&mut self, link: &Link, what: &'static str) {
        let (entry, chain) = (link.entry.clone(), link.chain.clone());
        self.broken.push(Break { entry, chain, sequence: link.sequence, what });
    }

    fn step(&mut self, link: Link, row: Option<Row>) {
        let previous = self.last.take().filter(|last| last.chain == link.chain);
        let (sequence, hash) = previous.map_or((0, String::new()), |last| (last.sequence, last.hash));
        if link.sequence != sequence + 1 {
            self.broken(&link, "what stood before it is gone");
        }
        let place = Place {
            tenant: self.tenant,
            chain: &link.chain,
            sequence: link.sequence,
            entry: &link.entry,
            sealed_ms: link.sealed_ms,
        };
        match row {
            Some(row) => {
                self.sealed += 1;
                if place.hash(&hash, &row.digest()) != link.hash {
                    self.broken(&link, "it is not what was sealed");
                } else if row.customer.as_deref().unwrap_or(OWN) != link.chain {
                    self.broken(&link, "it is in another's chain");
                }
                if link.chain != OWN {
                    self.links.entry(link.sealed_ms).or_default().push(link.hash.clone());
                }
            }
            None if link.chain == OWN && link.entry == format!("sealing {}", link.sealed_ms) => {
                self.sealings.insert(link.sealed_ms, (link.again(), hash));
            }
            None => self.broken(&link, "it was sealed and is gone"),
        }
        self.last = Some(link);
    }

    /// Each sealing is over all the links that it made, and no link is without its sealing.
    fn close(&mut self) {
        let mut links = std::mem::take(&mut self.links);
        let mut sealings: Vec<_> = std::mem::take(&mut self.sealings).into_values().collect();
        sealings.sort_by_key(|(link, _)| link.sequence);
        for (link, previous) in sealings {
            let made = links.remove(&link.sealed_ms).unwrap_or_default();
            let place = Place {
                tenant: self.tenant,
                chain: OWN,
                sequence: link.sequence,
                entry: &link.entry,
                sealed_ms: link.sealed_ms,
            };
            if place.hash(&previous, &sealing(made)) != link.hash {
                self.broken(&link, "what it sealed is not what is there");
            }
        }
        let mut left: Vec<i64> = links.into_keys().collect();
        left.sort_unstable();
        for sealed_ms in left {
            let entry = format!("sealing {sealed_ms}");
            self.broken.push(Break { entry, chain: OWN.into(), sequence: 0, what: "it is gone" });
        }
    }
}

impl Link {
    fn again(&self) -> Self {
        let Self { chain, sequence, entry, hash, sealed_ms } = self;
        Self {
            chain: chain.clone(),
            sequence: *sequence,
            entry: entry.clone(),
            hash: hash.clone(),
            sealed_ms: *sealed_ms,
        }
    }
}

/// Walks through every chain of every tenant. `heads` were taken earlier and kept elsewhere: a chain that ends before
/// one, or went another way, was cut or written anew.
pub async fn verify(db: &Db, heads: &[Head]) -> Result<Verdict> {
    let mut open = db.read().await?;
    let tx = &mut open;
    let mut verdict = Verdict::default();
    for tenant in directory::tenants(tx).await? {
        let mut walk = Walk { tenant: tenant.key, ..Walk::default() };
        walk_through(tx, &mut walk).await?;
        walk.close();
        for head in heads.iter().filter(|head| head.tenant.key == tenant.key) {
            if !stands(tx, head).await? {
                let what = "the head that was kept is not in the chain: it was cut, or written anew";
                walk.broken.push(Break { entry: head.hash.clone(), chain: OWN.into(), sequence: head.sequence, what });
            }
        }
        verdict.sealed += walk.sealed;
        let room = MOST.saturating_sub(verdict.broken.len());
        verdict.broken.extend(walk.broken.into_iter().take(room));
    }
    let (unsealed, since): (i64, Option<i64>) = one!(
        tx,
        "select count(*), min(at_ms) from audit_entry a
         where not exists (select 1 from audit_seal s where s.tenant = a.tenant and s.entry = a.id)"
    )?;
    (verdict.unsealed, verdict.unsealed_since) = (unsealed, since.map(Millis));
    Ok(verdict)
}

async fn walk_through(tx: &mut Tx, walk: &mut Walk) -> Result<()> {
    let (mut chain, mut sequence) = (String::new(), i64::MIN);
    loop {
        let page: Vec<Sealed> = all!(
            tx,
            "select s.chain, s.sequence, s.entry, s.hash, s.sealed_ms, a.id, a.at_ms, a.action, a.object, a.object_id, a.customer,
                    a.origin, a.actor, a.ip, a.user_agent, a.request_id, a.idempotency_key, a.event, a.before, a.after
             from audit_seal s left join audit_entry a on a.tenant = s.tenant and a.id = s.entry
             where s.tenant = $1 and (s.chain, s.sequence) > ($2, $3) order by s.chain, s.sequence limit $4",
            walk.tenant,
            &chain,
            sequence,
            PAGE
        )?;
        let Some(end) = page.last() else { return Ok(()) };
        (chain, sequence) = (end.link.chain.clone(), end.link.sequence);
        for sealed in page {
            let (link, row) = sealed.apart();
            walk.step(link, row);
        }
    }
}

async fn stands(tx: &mut Tx, head: &Head) -> Result<bool> {
    let found: Option<(String,)> = maybe!(
        tx,
        "select hash from audit_seal where tenant = $1 and chain = $2 and sequence = $3",
        head.tenant.key,
        OWN,
        head.sequence
    )?;
    Ok(found.is_some_and(|(hash,)| hash == head.hash))
}
