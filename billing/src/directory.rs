//! The look-ups that come without a tenant: a key, a link, a cookie, and the making of merchants and keys.

mod login;

use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Origin, Tenant, Trace};
use crate::audit;
use crate::clock::{Millis, Seconds};
use crate::customer::{self, Customer};
use crate::error::{Error, Result};
use crate::id;
use crate::invoice::hosted::Hosted;
use crate::money::Currency;
use crate::portal::branding::{Brand, brand};
use crate::portal::configuration::{self, Configuration};
use crate::portal::issuer::{self, Issuer};
use crate::portal::session::{Session, SessionOrigin};
use crate::store::{Json, Tx, all, maybe, one, run};

pub use login::{Lobby, by_login_browser, by_login_link, by_login_proof, by_login_token, by_merchant, by_owner};

/// The merchant's public profile.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Business {
    pub url: Option<String>,
    pub support_email: Option<String>,
    pub support_phone: Option<String>,
    pub support_url: Option<String>,
}

/// Stripe's account.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Merchant {
    pub id: String,
    pub name: String,
    pub email: Option<String>,
    pub country: String,
    pub default_currency: Currency,
    pub business: Json<Business>,
    pub created: Seconds,
}

#[derive(sqlx::FromRow)]
struct TenantRow {
    id: i64,
    merchant: String,
    livemode: bool,
}

impl From<TenantRow> for Tenant {
    fn from(row: TenantRow) -> Self {
        Self { key: row.id, merchant: row.merchant, livemode: row.livemode }
    }
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ApiKey {
    pub id: String,
    pub tenant: i64,
    pub name: Option<String>,
    pub last4: String,
    pub created: Seconds,
    pub expires_at: Option<Seconds>,
    pub revoked_at: Option<Seconds>,
}

/// A portal session with everything a page needs to know about it.
#[derive(Debug, Clone)]
pub struct Guest {
    pub tenant: Tenant,
    pub session: Session,
    pub customer: Customer,
    pub configuration: Configuration,
    pub merchant: Merchant,
    pub brand: Brand,
}

impl Guest {
    /// Whether the browser may still act for the customer.
    pub fn is_alive(&self, now: Millis) -> bool {
        self.session.is_alive(now) && self.customer.deleted_at.is_none()
    }

    pub fn actor(&self, trace: Trace) -> Actor {
        let read_only = self.session.origin == SessionOrigin::Preview;
        let origin =
            Origin::Portal { session: self.session.id.clone(), customer: self.session.customer.clone(), read_only };
        Actor { tenant: self.tenant.clone(), origin, trace }
    }
}

/// Makes a merchant with its two modes, and in each a default portal configuration.
pub async fn create_merchant(tx: &mut Tx, name: &str, country: &str, currency: &Currency) -> Result<Merchant> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", "A merchant's name is 1 to 100 characters."));
    }
    let merchant = Merchant {
        id: id::new("acct", tx.now),
        name: name.into(),
        email: None,
        country: country.into(),
        default_currency: currency.clone(),
        business: Json::default(),
        created: tx.now.seconds(),
    };
    run!(
        tx,
        "insert into merchant (id, name, email, country, default_currency, business, created) values ($1, $2, $3, $4, $5, $6, $7)",
        &merchant.id,
        &merchant.name,
        &merchant.email,
        &merchant.country,
        &merchant.default_currency,
        &merchant.business,
        merchant.created
    )?;
    for livemode in [false, true] {
        let (key,): (i64,) = one!(tx, "select cast(coalesce(max(id), 0) + 1 as bigint) from tenant")?;
        run!(
            tx,
            "insert into tenant (id, merchant, livemode, gateway, settings) values ($1, $2, $3, $4, '{}')",
            key,
            &merchant.id,
            livemode,
            (!livemode).then_some("sandbox")
        )?;
        let who = Actor::system(Tenant { key, merchant: merchant.id.clone(), livemode }, "merchant.create");
        configuration::create_default(tx, &who).await?;
        audit::note(tx, &who, "account.created", "account", &merchant.id, None).await?;
    }
    Ok(merchant)
}

pub async fn merchant(tx: &mut Tx, id: &str) -> Result<Merchant> {
    maybe!(tx, "select id, name, email, country, default_currency, business, created from merchant where id = $1", id)?
        .ok_or_else(|| Error::missing("account", id))
}

/// All merchants, oldest first.
pub async fn merchants(tx: &mut Tx) -> Result<Vec<Merchant>> {
    all!(tx, "select id, name, email, country, default_currency, business, created from merchant order by created, id")
}

pub async fn tenant(tx: &mut Tx, merchant: &str, livemode: bool) -> Result<Tenant> {
    let row: Option<TenantRow> = maybe!(
        tx,
        "select id, merchant, livemode from tenant where merchant = $1 and livemode = $2",
        merchant,
        livemode
    )?;
    row.map(Tenant::from).ok_or_else(|| Error::missing("account", merchant))
}

/// Both modes of all merchants.
pub async fn tenants(tx: &mut Tx) -> Result<Vec<Tenant>> {
    let rows: Vec<TenantRow> = all!(tx, "select id, merchant, livemode from tenant order by id")?;
    Ok(rows.into_iter().map(Tenant::from).collect())
}

pub async fn tenant_by_key(tx: &mut Tx, key: i64) -> Result<Tenant> {
    let row: TenantRow = one!(tx, "select id, merchant, livemode from tenant where id = $1", key)?;
    Ok(row.into())
}

/// The merchant's public details and mode for this caller.
pub async fn account(tx: &mut Tx, who: &Actor) -> Result<Merchant> {
    merchant(tx, &who.tenant.merchant).await
}

/// Makes a key and answers its text, shown this once. The `_pt_` keeps secret scanners from taking it for Stripe's.
pub async fn create_key(tx: &mut Tx, who: &Actor, name: Option<&str>) -> Result<(ApiKey, String)> {
    let (gateway,): (Option<String>,) = one!(tx, "select gateway from tenant where id = $1", who.tenant.key)?;
    if who.tenant.livemode && gateway.is_none_or(|name| name == "sandbox") {
        return Err(Error::conflict(
            "live_gateway_missing",
            "A live key can be made only for a merchant with a real payment gateway.",
        ));
    }
    let mode = if who.tenant.livemode { "live" } else { "test" };
    let text = format!("sk_{mode}_pt_{}", id::secret().replace(['-', '_'], "x"));
    let key = ApiKey {
        id: id::new("key", tx.now),
        tenant: who.tenant.key,
        name: name.map(str::to_owned),
        last4: text[text.len() - 4..].to_owned(),
        created: tx.now.seconds(),
        expires_at: None,
        revoked_at: None,
    };
    run!(
        tx,
        "insert into api_key (hash, id, tenant, name, last4, created) values ($1, $2, $3, $4, $5, $6)",
        id::hash(&text),
        &key.id,
        key.tenant,
        &key.name,
        &key.last4,
        key.created
    )?;
    audit::note(tx, who, "api_key.created", "api_key", &key.id, None).await?;
    Ok((key, text))
}

pub async fn keys(tx: &mut Tx, who: &Actor) -> Result<Vec<ApiKey>> {
    all!(
        tx,
        "select id, tenant, name, last4, created, expires_at, revoked_at from api_key where tenant = $1 order by created desc, id desc",
        who.tenant.key
    )
}

/// Ends a key, at once or after `grace` seconds (rolling it: the new one is made first). Never gives it more time.
pub async fn revoke_key(tx: &mut Tx, who: &Actor, id: &str, grace: i64) -> Result<()> {
    let now = tx.now.seconds();
    let changed = run!(
        tx,
        "update api_key set expires_at = case when $3 = 0 or expires_at < $4 + $3 then expires_at else $4 + $3 end,
                            revoked_at = case when $3 = 0 then $4 end
         where tenant = $1 and id = $2 and revoked_at is null",
        who.tenant.key,
        id,
        grace.max(0),
        now
    )?;
    if changed == 0 {
        return Err(Error::missing("api_key", id));
    }
    audit::note(tx, who, "api_key.revoked", "api_key", id, None).await
}

/// The caller behind a secret key; `None` for one that is unknown, expired or revoked.
pub async fn by_key(tx: &mut Tx, text: &str, trace: Trace) -> Result<Option<Actor>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        key: String,
        tenant: i64,
        merchant: String,
        livemode: bool,
        expires_at: Option<Seconds>,
    }
    let row: Option<Row> = maybe!(
        tx,
        "select k.id as key, k.tenant, t.merchant, t.livemode, k.expires_at from api_key k join tenant t on t.id = k.tenant
         where k.hash = $1 and k.revoked_at is null",
        id::hash(text)
    )?;
    let now = tx.now.seconds();
    Ok(row.filter(|row| row.expires_at.is_none_or(|at| at > now)).map(|row| Actor {
        tenant: Tenant { key: row.tenant, merchant: row.merchant, livemode: row.livemode },
        origin: Origin::Api { key: row.key },
        trace,
    }))
}

/// The session that a link's secret belongs to, whatever has become of it.
pub async fn by_link(tx: &mut Tx, secret: &str) -> Result<Option<Guest>> {
    let found: Option<(i64, String)> =
        maybe!(tx, "select tenant, id from portal_session where link_hash = $1", id::hash(secret))?;
    load_guest(tx, found).await
}

/// The session that a cookie belongs to, on the host it was made for, alive or not ([`Guest::is_alive`]).
pub async fn by_cookie(tx: &mut Tx, cookie: &str, host: &str) -> Result<Option<Guest>> {
    let found: Option<(i64, String)> = maybe!(
        tx,
        "select tenant, id from portal_session where cookie_hash = $1 and host = $2",
        id::hash(cookie),
        host
    )?;
    load_guest(tx, found).await
}

/// A session by its tenant and its id, alive or not: for whoever was given both under seal.
pub async fn by_session(tx: &mut Tx, tenant: i64, session: &str) -> Result<Option<Guest>> {
    load_guest(tx, Some((tenant, session.to_owned()))).await
}

/// The invoice that a link of its own leads to, whether the link still works or not ([`Hosted::is_open`]).
pub async fn by_hosted_invoice(tx: &mut Tx, secret: &str) -> Result<Option<Hosted>> {
    let found: Option<(i64, String)> =
        maybe!(tx, "select tenant, invoice from hosted_invoice where secret_hash = $1", id::hash(secret))?;
    let Some((key, invoice)) = found else { return Ok(None) };
    let tenant = tenant_by_key(tx, key).await?;
    Ok(Some(hosted(tx, tenant, &invoice).await?))
}

/// An invoice with all that is shown around it.
pub async fn hosted(tx: &mut Tx, tenant: Tenant, invoice: &str) -> Result<Hosted> {
    let who = Actor::system(tenant.clone(), "directory");
    let invoice = crate::invoice::get(tx, &who, invoice).await?;
    let customer = customer::get_or_deleted(tx, &who, &invoice.customer).await?;
    let merchant = merchant(tx, &tenant.merchant).await?;
    let configuration = configuration::get(tx, &who, "default").await?;
    let brand = brand::of(tx, &tenant, &merchant, &configuration).await?;
    let now = customer::now(tx, &who, &customer).await?;
    Ok(Hosted { tenant, merchant, brand, customer, invoice, now })
}

/// The domain, whoever's, that was longest due to be looked up again: served ones are every six hours; others every
/// quarter of an hour on the day of their claim, and then daily for a month.
pub async fn domain_due(tx: &mut Tx) -> Result<Option<(Tenant, String)>> {
    let now = tx.now.seconds();
    let (quarter, day) = (15 * 60, 86_400);
    let due: Option<(i64, String, bool, String)> = maybe!(
        tx,
        "select t.id, t.merchant, t.livemode, d.id from portal_domain d join tenant t on t.id = d.tenant
         where (d.status = 'active' and d.checked_at <= $1)
            or (d.status = 'pending' and d.created > $2 and coalesce(d.checked_at, 0) <= $3)
            or (d.status = 'pending' and d.created > $4 and coalesce(d.checked_at, 0) <= $2)
         order by coalesce(d.checked_at, 0), d.id limit 1",
        now.plus(-6 * 60 * 60),
        now.plus(-day),
        now.plus(-quarter),
        now.plus(-30 * day)
    )?;
    Ok(due.map(|(key, merchant, livemode, id)| (Tenant { key, merchant, livemode }, id)))
}

async fn load_guest(tx: &mut Tx, found: Option<(i64, String)>) -> Result<Option<Guest>> {
    let Some((key, session)) = found else { return Ok(None) };
    let tenant = tenant_by_key(tx, key).await?;
    let who = Actor::system(tenant.clone(), "directory");
    let session = crate::portal::session::get(tx, &who, &session).await?;
    let customer = customer::get_or_deleted(tx, &who, &session.customer).await?;
    let configuration = configuration::get(tx, &who, &session.configuration).await?;
    let merchant = merchant(tx, &tenant.merchant).await?;
    let brand = brand::of(tx, &tenant, &merchant, &configuration).await?;
    Ok(Some(Guest { tenant, session, customer, configuration, merchant, brand }))
}

/// Whether any key for real money is valid.
pub async fn has_live_key(tx: &mut Tx) -> Result<bool> {
    let now = tx.now.seconds();
    let row: Option<(String,)> = maybe!(
        tx,
        "select k.id from api_key k join tenant t on t.id = k.tenant
         where t.livemode and k.revoked_at is null and (k.expires_at is null or k.expires_at > $1) limit 1",
        now
    )?;
    Ok(row.is_some())
}

/// The charges to look up now, the longest due first: whose, and their ids.
pub async fn unsettled(tx: &mut Tx) -> Result<Vec<(Tenant, String)>> {
    let now = tx.now;
    let due: Vec<(i64, String, bool, String)> = all!(
        tx,
        "select t.id, t.merchant, t.livemode, a.id from payment_attempt a join tenant t on t.id = a.tenant
         where a.status in ('processing', 'unknown') and a.next_lookup_ms <= $1 order by a.next_lookup_ms, a.id limit 100",
        now
    )?;
    Ok(due.into_iter().map(|(key, merchant, livemode, id)| (Tenant { key, merchant, livemode }, id)).collect())
}

/// Refunds, whoever's, that have waited long enough for the gateway's answer.
pub async fn pending_refunds(tx: &mut Tx) -> Result<Vec<(Tenant, String)>> {
    let now = tx.now;
    let due: Vec<(i64, String, bool, String)> = all!(
        tx,
        "select t.id, t.merchant, t.livemode, r.id from refund r join tenant t on t.id = r.tenant
         where r.status = 'pending' and r.next_try_ms <= $1 order by r.next_try_ms, r.id limit 100",
        now
    )?;
    Ok(due.into_iter().map(|(key, merchant, livemode, id)| (Tenant { key, merchant, livemode }, id)).collect())
}

/// Whose tokens say that they are by `issuer`: of all merchants those who take them.
pub async fn issuers(tx: &mut Tx, issuer: &str) -> Result<Vec<(Tenant, Issuer)>> {
    let found: Vec<(i64, String)> =
        all!(tx, "select tenant, id from portal_issuer where issuer = $1 and active order by created, id", issuer)?;
    let mut issuers = Vec::new();
    for (key, id) in found {
        let tenant = tenant_by_key(tx, key).await?;
        let issuer = issuer::get(tx, &Actor::system(tenant.clone(), "directory"), &id).await?;
        issuers.push((tenant, issuer));
    }
    Ok(issuers)
}

/// Whether the script of pages of this origin may ask for whoever is signed in there, of any merchant.
pub async fn knows_origin(tx: &mut Tx, origin: &str) -> Result<bool> {
    let found: Vec<(String,)> =
        all!(tx, "select origins from portal_issuer where active and origins like '% ' || $1 || ' %'", origin)?;
    // What stands for any letter in a pattern may stand in an origin.
    Ok(found.iter().any(|(origins,)| origins.split(' ').any(|own| own == origin)))
}
