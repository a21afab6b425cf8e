//! Portal sessions: a link that works once, and the browser session it turns into.

use serde_json::Value;

use crate::actor::{Actor, Origin};
use crate::clock::{Millis, Seconds};
use crate::customer;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::portal::configuration::{self, Lifetimes, check_url};
use crate::portal::domain;
use crate::portal::flow::{self, After, Flow};
use crate::portal::hidden;
use crate::store::{Json, Tx, maybe, run};
use crate::text_enum::text_enum;
use crate::{audit, id, subscription, wire};

text_enum!(
    /// How its link came to be: asked for with the API, at the console, in the one call that names a person rather than a
    /// customer, on the login page, to be looked at by the merchant, by a merchant's page for whoever is signed in there.
    SessionOrigin {
        Api = "api",
        Console = "console",
        Hosted = "hosted",
        Login = "login",
        Preview = "preview",
        SignedIn = "signed_in",
    }
);

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Session {
    /// `bps_…`, public: every form carries it.
    pub id: String,
    pub configuration: String,
    pub customer: String,
    /// The subscription in focus.
    pub subscription: Option<String>,
    pub origin: SessionOrigin,
    /// `None` is `auto`: the customer's language, else the browser's.
    pub locale: Option<String>,
    /// The one thing that it is for.
    pub flow: Option<Json<Flow>>,
    /// The page of the portal that it begins at, where that is neither a flow's nor the subscription's in focus.
    pub start: Option<String>,
    pub return_url: Option<String>,
    pub cancel_url: Option<String>,
    /// What it does not show, and why, as it was when it was made: [`hidden::Hidden`].
    pub hidden: Json<Value>,
    pub link_expires_ms: Millis,
    pub link_used_ms: Option<Millis>,
    pub host: Option<String>,
    pub idle_ms: i64,
    pub max_ms: i64,
    pub started_ms: Option<Millis>,
    pub last_seen_ms: Option<Millis>,
    /// Something was done in it: leaving goes to `return_url`, not `cancel_url`.
    pub completed_ms: Option<Millis>,
    pub revoked_ms: Option<Millis>,
    pub created: Seconds,
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, configuration, customer, subscription, origin, locale, flow, start, return_url, cancel_url, hidden, link_expires_ms, link_used_ms, \
         host, idle_ms, max_ms, started_ms, last_seen_ms, completed_ms, revoked_ms, created, version"
    };
}

#[derive(Debug, Clone)]
pub struct NewSession {
    pub customer: String,
    /// An id, or `default`.
    pub configuration: Option<String>,
    pub return_url: Option<String>,
    pub cancel_url: Option<String>,
    pub locale: Option<String>,
    pub subscription: Option<String>,
    pub flow: Option<Flow>,
    pub origin: SessionOrigin,
}

/// What a door of its own says of a session beyond what a merchant may.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// A page of the portal.
    pub start: Option<String>,
    /// In place of the configuration's.
    pub lifetimes: Option<Lifetimes>,
}

/// A session just made. The secret is in the link and nowhere else.
pub struct Minted {
    pub session: Session,
    pub secret: String,
    /// The link: under the configuration's own domain while that is proven, else under the public URL.
    pub url: String,
}

impl Session {
    /// Whether the browser session is still good at `now`.
    pub fn is_alive(&self, now: Millis) -> bool {
        let (Some(started), Some(seen)) = (self.started_ms, self.last_seen_ms) else { return false };
        self.revoked_ms.is_none() && now < seen.plus(self.idle_ms) && now < started.plus(self.max_ms)
    }

    /// The flow that it is kept to: until it is done, and after that unless it ends in the portal.
    pub fn in_flow(&self) -> Option<&Flow> {
        let flow = self.flow.as_deref()?;
        let is_over = self.completed_ms.is_some() && flow.after_completion.r#type == After::PortalHomepage;
        (!is_over).then_some(flow)
    }
}

/// Mints a link for a customer. Needs the merchant's key or the console: never a browser.
pub async fn create(tx: &mut Tx, who: &Actor, new: NewSession) -> Result<Minted> {
    create_on(tx, who, new, Terms::default()).await
}

/// The same, on the terms of the door that asks for it.
pub async fn create_on(tx: &mut Tx, who: &Actor, new: NewSession, terms: Terms) -> Result<Minted> {
    if who.customer().is_some() {
        return Err(Error::Forbidden("A session is made by the merchant, never from inside one."));
    }
    let customer = customer::get(tx, who, &new.customer).await.map_err(|e| e.on("customer"))?;
    let configuration = new.configuration.as_deref().unwrap_or("default");
    let configuration = configuration::get(tx, who, configuration).await.map_err(|e| e.on("configuration"))?;
    if !configuration.active {
        return Err(Error::invalid("configuration", "The configuration is inactive."));
    }
    for (url, param) in [(&new.return_url, "return_url"), (&new.cancel_url, "cancel_url")] {
        if let Some(url) = url {
            check_url(url, who.tenant.livemode, param)?;
        }
    }
    if let Some(id) = &new.subscription {
        let subscription = subscription::get(tx, who, id).await.map_err(|e| e.on("subscription"))?;
        if subscription.customer != customer.id {
            return Err(Error::missing("subscription", id).on("subscription"));
        }
    }
    if let Some(flow) = &new.flow {
        flow::check(tx, who, &configuration, &customer.id, flow).await?;
    }
    let about = (customer.id.as_str(), new.subscription.as_deref());
    let hidden = Box::pin(hidden::of(tx, who, &configuration, about, new.flow.is_some())).await?;
    let lives = terms.lifetimes.unwrap_or(configuration.session.0.clone());
    let secret = id::secret();
    let portal = domain::portal_url(tx, who, &configuration).await?.unwrap_or_default();
    let session = Session {
        id: id::new("bps", tx.now),
        configuration: configuration.id,
        customer: customer.id,
        subscription: new.subscription,
        origin: new.origin,
        locale: new.locale,
        flow: new.flow.map(Json),
        start: terms.start,
        return_url: new.return_url.or(configuration.default_return_url),
        cancel_url: new.cancel_url,
        hidden: Json(serde_json::to_value(hidden)?),
        link_expires_ms: tx.now.plus(lives.link_ttl * 1000),
        link_used_ms: None,
        host: None,
        idle_ms: lives.idle * 1000,
        max_ms: lives.max * 1000,
        started_ms: None,
        last_seen_ms: None,
        completed_ms: None,
        revoked_ms: None,
        created: tx.now.seconds(),
        version: 1,
    };
    insert(tx, who, &session, &secret).await?;
    let name = "billing_portal.session.created";
    let change = Change {
        object: "billing_portal.session",
        id: &session.id,
        customer: Some(&session.customer),
        before: None,
        // The event is kept and sent on: it never carries the link.
        after: Some(wire::portal_session(&who.tenant, &session, "")),
        action: name,
        events: &[name],
    };
    record(tx, who, change).await?;
    let url = format!("{portal}/session/{secret}");
    Ok(Minted { session, secret, url })
}

async fn insert(tx: &mut Tx, who: &Actor, s: &Session, secret: &str) -> Result<()> {
    run!(
        tx,
        concat!(
            "insert into portal_session (tenant, link_hash, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)"
        ),
        who.tenant.key,
        id::hash(secret),
        &s.id,
        &s.configuration,
        &s.customer,
        &s.subscription,
        s.origin,
        &s.locale,
        &s.flow,
        &s.start,
        &s.return_url,
        &s.cancel_url,
        &s.hidden,
        s.link_expires_ms,
        s.link_used_ms,
        &s.host,
        s.idle_ms,
        s.max_ms,
        s.started_ms,
        s.last_seen_ms,
        s.completed_ms,
        s.revoked_ms,
        s.created,
        s.version
    )?;
    Ok(())
}

/// Turns a link into a browser session on `host`, once: one update that only the first caller's condition meets.
/// Answers the cookie's value; `Missing` for a used, expired, revoked or unknown link.
pub async fn exchange(tx: &mut Tx, who: &Actor, session: &str, secret: &str, host: &str) -> Result<String> {
    let cookie = id::secret();
    let won = run!(
        tx,
        "update portal_session set link_used_ms = $4, cookie_hash = $5, host = $6, started_ms = $4, last_seen_ms = $4, version = version + 1
         where tenant = $1 and id = $2 and link_hash = $3 and link_used_ms is null and revoked_ms is null and link_expires_ms > $4",
        who.tenant.key,
        session,
        id::hash(secret),
        tx.now,
        id::hash(&cookie),
        host
    )?;
    if won != 1 {
        return Err(Error::missing("billing_portal.session", "link"));
    }
    audit::note(tx, who, "billing_portal.session.started", "billing_portal.session", session, who.customer()).await?;
    Ok(cookie)
}

/// Notes that a session that is alive is in use: once a minute, or twice in an idle limit that is shorter than two.
pub async fn touch(tx: &mut Tx, who: &Actor, session: &str) -> Result<()> {
    tx.unaudited();
    run!(
        tx,
        "update portal_session set last_seen_ms = $3 where tenant = $1 and id = $2 and revoked_ms is null
         and (last_seen_ms <= $4 or last_seen_ms + idle_ms / 2 <= $3) and last_seen_ms + idle_ms > $3 and started_ms + max_ms > $3",
        who.tenant.key,
        session,
        tx.now,
        tx.now.plus(-TOUCH_MS)
    )?;
    Ok(())
}

/// Ends a session for good whose time was over when somebody came with it: a clock that is set back revives none.
pub async fn lapse(tx: &mut Tx, who: &Actor, session: &str) -> Result<()> {
    tx.unaudited();
    run!(
        tx,
        "update portal_session set revoked_ms = $3 where tenant = $1 and id = $2 and revoked_ms is null
         and (last_seen_ms + idle_ms <= $3 or started_ms + max_ms <= $3)",
        who.tenant.key,
        session,
        tx.now
    )?;
    Ok(())
}

/// How stale `last_seen` may grow before it is written again.
pub const TOUCH_MS: i64 = 60 * 1000;

/// Notes that the customer did something in this session, in the transaction that does it.
pub async fn complete(tx: &mut Tx, who: &Actor) -> Result<()> {
    let Origin::Portal { session, .. } = &who.origin else { return Ok(()) };
    run!(
        tx,
        "update portal_session set completed_ms = $3 where tenant = $1 and id = $2 and completed_ms is null",
        who.tenant.key,
        session,
        tx.now
    )?;
    Ok(())
}

/// Ends one session; the next request with its cookie is refused.
pub async fn revoke(tx: &mut Tx, who: &Actor, id: &str) -> Result<Session> {
    let session = get(tx, who, id).await?;
    if session.revoked_ms.is_some() {
        return Ok(session);
    }
    run!(tx, "update portal_session set revoked_ms = $3 where tenant = $1 and id = $2", who.tenant.key, id, tx.now)?;
    audit::note(tx, who, "billing_portal.session.revoked", "billing_portal.session", id, Some(&session.customer))
        .await?;
    get(tx, who, id).await
}

/// Ends every session of the tenant, or of one customer (a customer in the portal ends its own); answers how many.
pub async fn revoke_all(tx: &mut Tx, who: &Actor, customer: Option<&str>) -> Result<u64> {
    let customer = who.customer().or(customer);
    let ended = run!(
        tx,
        "update portal_session set revoked_ms = $2 where tenant = $1 and revoked_ms is null and (cast($3 as text) is null or customer = $3)",
        who.tenant.key,
        tx.now,
        customer
    )?;
    // Nothing was done, perhaps since the customer is another merchant's: the log names none that is not this one's.
    if ended > 0 {
        audit::note(tx, who, "billing_portal.session.revoked_all", "billing_portal.session", "", customer).await?;
    }
    Ok(ended)
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Session> {
    maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from portal_session where tenant = $1 and id = $2 and (cast($3 as text) is null or customer = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("billing_portal.session", id))
}
