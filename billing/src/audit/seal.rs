//! Sealing: each entry is chained to the one before it of its customer, and each sealing to the one before it of its
//! merchant, so that what is changed, removed or put elsewhere later shows (`audit verify`). It happens after the fact:
//! the head of a chain is never a lock on the money path.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::actor::Tenant;
use crate::clock::Millis;
use crate::error::Result;
use crate::store::{Db, Tx, all, maybe, run};
use crate::{directory, id, transact};

/// As many entries are sealed in one transaction: writers wait for it.
const MOST: i64 = 400;
/// How long before the last sealing an entry may have been begun that was committed only after it.
const SLACK_MS: i64 = 15 * 60 * 1000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The merchant's own chain: entries without a customer, and each sealing.
pub(super) const OWN: &str = "";

/// An audit entry as it is hashed: every column, its texts as they stand.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Row {
    pub id: String,
    pub at_ms: i64,
    pub action: String,
    pub object: String,
    pub object_id: String,
    pub customer: Option<String>,
    pub origin: String,
    pub actor: String,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
    pub idempotency_key: Option<String>,
    pub event: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Where one link stands.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    pub tenant: i64,
    pub chain: &'a str,
    pub sequence: i64,
    /// The entry's id, or the sealing's name.
    pub entry: &'a str,
    pub sealed_ms: i64,
}

/// The last link of a merchant's chain: kept elsewhere, it shows that nothing was cut off or written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub tenant: Tenant,
    pub sequence: i64,
    /// SHA-256 in hex.
    pub hash: String,
    pub sealed_ms: Millis,
}

/// Text by text, each with its length before it, so that no two rows read the same.
fn take(hash: &mut Sha256, text: Option<&str>) {
    match text {
        None => hash.update([0]),
        Some(text) => {
            hash.update([1]);
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
    }
}

impl Row {
    /// What is chained of it, in hex.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let required = [&self.id, &self.action, &self.object, &self.object_id, &self.origin, &self.actor];
        required.into_iter().for_each(|text| take(&mut hash, Some(text)));
        hash.update(self.at_ms.to_be_bytes());
        let optional = [
            &self.customer,
            &self.ip,
            &self.user_agent,
            &self.request_id,
            &self.idempotency_key,
            &self.event,
            &self.before,
            &self.after,
        ];
        optional.into_iter().for_each(|text| take(&mut hash, text.as_deref()));
        hex::encode(hash.finalize())
    }
}

impl Place<'_> {
    /// The link's hash: of the one before it in its chain, where it stands, and what it is over.
    pub fn hash(&self, previous: &str, content: &str) -> String {
        let mut hash = Sha256::new();
        for number in [self.tenant, self.sequence, self.sealed_ms] {
            hash.update(number.to_be_bytes());
        }
        for text in [self.chain, self.entry, previous, content] {
            take(&mut hash, Some(text));
        }
        hex::encode(hash.finalize())
    }
}

/// What a sealing is over: the links that it made in the chains of customers, in whatever order.
pub(super) fn sealing(mut links: Vec<String>) -> String {
    links.sort_unstable();
    let mut hash = Sha256::new();
    links.iter().for_each(|link| take(&mut hash, Some(link)));
    hex::encode(hash.finalize())
}

/// Seals what is unsealed of every tenant, for as long as is said; answers whether all is done.
pub async fn work(db: &Db, turn: Duration) -> Result<bool> {
    let begun = Instant::now();
    let mut tx = db.read().await?;
    let tenants = directory::tenants(&mut tx).await?;
    drop(tx);
    for tenant in &tenants {
        while transact!(*db, |tx| some(tx, tenant).await)? == MOST {
            if begun.elapsed() > turn {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The end of a chain.
struct End {
    sequence: i64,
    hash: String,
    sealed_ms: i64,
}

/// Seals some entries of one tenant, oldest first; answers how many.
async fn some(tx: &mut Tx, tenant: &Tenant) -> Result<i64> {
    let mut own = end(tx, tenant.key, OWN).await?;
    let rows: Vec<Row> = all!(
        tx,
        "select id, at_ms, action, object, object_id, customer, origin, actor, ip, user_agent, request_id, idempotency_key, event,
                before, after
         from audit_entry a where tenant = $1 and id >= $2
         and not exists (select 1 from audit_seal s where s.tenant = a.tenant and s.entry = a.id) order by id limit $3",
        tenant.key,
        from(&own, tx.now),
        MOST
    )?;
    if rows.is_empty() {
        return Ok(0);
    }
    // One instant names the sealing.
    let sealed_ms = tx.now.0.max(own.sealed_ms + 1);
    let mut chains: Vec<(String, End)> = Vec::new();
    let mut links = Vec::new();
    for row in &rows {
        match &row.customer {
            None => _ = link(tx, tenant.key, (OWN, &mut own), (&row.id, &row.digest()), sealed_ms).await?,
            Some(customer) => {
                let at = match chains.iter().position(|(chain, _)| chain == customer) {
                    Some(at) => at,
                    None => {
                        chains.push((customer.clone(), end(tx, tenant.key, customer).await?));
                        chains.len() - 1
                    }
                };
                let end = &mut chains[at].1;
                links.push(link(tx, tenant.key, (customer, end), (&row.id, &row.digest()), sealed_ms).await?);
            }
        }
    }
    let name = format!("sealing {sealed_ms}");
    let hash = link(tx, tenant.key, (OWN, &mut own), (&name, &sealing(links)), sealed_ms).await?;
    tracing::info!(tenant = tenant.key, sequence = own.sequence, hash, "sealed the audit log");
    Ok(i64::try_from(rows.len()).unwrap_or(MOST))
}

/// From which id on to look: entries sort by when their transaction began. Once a day from the first on.
fn from(own: &End, now: Millis) -> String {
    let is_new_day = own.sealed_ms.div_euclid(DAY_MS) != now.0.div_euclid(DAY_MS);
    if is_new_day { String::new() } else { id::earliest("aud", Millis(own.sealed_ms - SLACK_MS)) }
}

async fn end(tx: &mut Tx, tenant: i64, chain: &str) -> Result<End> {
    let found: Option<(i64, String, i64)> = maybe!(
        tx,
        "select sequence, hash, sealed_ms from audit_seal where tenant = $1 and chain = $2 order by sequence desc limit 1",
        tenant,
        chain
    )?;
    let (sequence, hash, sealed_ms) = found.unwrap_or_default();
    Ok(End { sequence, hash, sealed_ms })
}

/// Adds one link to a chain; answers its hash. Whoever seals at the same time is refused by the primary key.
async fn link(
    tx: &mut Tx,
    tenant: i64,
    (chain, end): (&str, &mut End),
    (entry, content): (&str, &str),
    sealed_ms: i64,
) -> Result<String> {
    let place = Place { tenant, chain, sequence: end.sequence + 1, entry, sealed_ms };
    let hash = place.hash(&end.hash, content);
    run!(
        tx,
        "insert into audit_seal (tenant, chain, sequence, entry, hash, sealed_ms) values ($1, $2, $3, $4, $5, $6)",
        tenant,
        chain,
        place.sequence,
        entry,
        &hash,
        sealed_ms
    )?;
    *end = End { sequence: place.sequence, hash: hash.clone(), sealed_ms };
    Ok(hash)
}

/// The last sealing of every merchant's chain.
pub async fn heads(tx: &mut Tx) -> Result<Vec<Head>> {
    let mut heads = Vec::new();
    for tenant in directory::tenants(tx).await? {
        let end = end(tx, tenant.key, OWN).await?;
        if end.sequence > 0 {
            let sealed_ms = Millis(end.sealed_ms);
            heads.push(Head { tenant, sequence: end.sequence, hash: end.hash, sealed_ms });
        }
    }
    Ok(heads)
}
