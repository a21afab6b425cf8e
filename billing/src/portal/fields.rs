//! The hosted fields' side of the books: who may type, what is kept of what was typed, and the setup intent behind it.
//!
//! A ticket lets a browser to the fields; what was typed there comes back as a reference, good once and only in the
//! session that opened the fields.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::clock::Millis;
use crate::customer::payment_method::{MethodType, NewMethod};
use crate::error::{Error, Result};
use crate::id;
use crate::patch::Patch;
use crate::portal::configuration::Configuration;
use crate::portal::{may_write, methods, session};
use crate::setup_intent::{self, Given, NewIntent, SetupIntent, Status, Usage};
use crate::store::{Json, Tx, maybe, run};

/// How long one may take to type, and then to confirm, in milliseconds.
const PATIENCE: i64 = 30 * 60 * 1000;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// What a browser is let to on the fields' origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Errand {
    /// To type a method of this kind. `then` is the page of the portal that is handed the reference.
    Enter { kind: MethodType, then: String },
    /// To answer what the setup of a method asks.
    ConfirmSetup { intent: String, then: String },
    /// To answer what a charge asks: its id.
    ConfirmCharge { charge: String, then: String },
}

/// Sealed, it is the last part of an address on the fields' origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    pub tenant: i64,
    /// Whose it is; none for the holder of an invoice's link.
    pub session: Option<String>,
    /// The origin of the portal that it leads back to.
    pub portal: String,
    pub errand: Errand,
    pub locale: String,
    expires: i64,
}

const CONTEXT: &str = "fields";

impl Ticket {
    /// For a session, or the holder of an invoice's link, on an origin of the portal.
    pub fn issue(
        tx: &Tx,
        who: &Actor,
        (session, portal): (Option<&str>, &str),
        errand: Errand,
        locale: &str,
    ) -> Result<String> {
        let ticket = Self {
            tenant: who.tenant.key,
            session: session.map(str::to_owned),
            portal: portal.to_owned(),
            errand,
            locale: locale.to_owned(),
            expires: tx.now.plus(PATIENCE).0,
        };
        tx.key.seal(CONTEXT, &serde_json::to_string(&ticket).map_err(Error::internal)?)
    }

    /// `Missing` for one that is none, or is over.
    pub fn open(tx: &Tx, sealed: &str) -> Result<Self> {
        let missing = || Error::missing("ticket", "fields");
        let text = tx.key.open(CONTEXT, sealed).map_err(|_| missing())?;
        let ticket: Self = serde_json::from_str(&text).map_err(|_| missing())?;
        if Millis(ticket.expires) > tx.now { Ok(ticket) } else { Err(missing()) }
    }
}

/// Keeps what was typed for the caller's session; answers the reference that stands for it.
pub async fn keep(tx: &mut Tx, who: &Actor, allowed: &Configuration, new: NewMethod, default: bool) -> Result<String> {
    may_add(who, allowed, new.r#type)?;
    let session = who.session().ok_or(Error::Forbidden("Methods are added in a portal session."))?;
    run!(tx, "delete from field_reference where tenant = $1 and expires_ms < $2", who.tenant.key, tx.now.plus(-DAY))?;
    let reference = id::secret();
    run!(
        tx,
        "insert into field_reference (tenant, hash, session, method, is_default, expires_ms) values ($1, $2, $3, $4, $5, $6)",
        who.tenant.key,
        id::hash(&reference),
        session,
        Json(new),
        default,
        tx.now.plus(PATIENCE)
    )?;
    Ok(reference)
}

fn may_add(who: &Actor, allowed: &Configuration, kind: MethodType) -> Result<()> {
    let update = &allowed.features.payment_method_update;
    may_write(who, update.enabled && update.accepted_types.contains(&kind))
}

/// What a reference stands for, before it is taken.
pub async fn peek(tx: &mut Tx, who: &Actor, reference: &str) -> Result<NewMethod> {
    let found: Option<(Json<NewMethod>,)> = maybe!(
        tx,
        "select method from field_reference where tenant = $1 and hash = $2 and session = $3 and used_ms is null and expires_ms > $4",
        who.tenant.key,
        id::hash(reference),
        who.session().unwrap_or_default(),
        tx.now
    )?;
    Ok(found.ok_or_else(|| Error::missing("reference", "fields"))?.0.0)
}

/// Takes what a reference stands for: a setup intent, which has stored the method, was refused it, or waits for the
/// customer to confirm. A reference of another session, or one that was taken, is none.
pub async fn redeem(tx: &mut Tx, who: &Actor, allowed: &Configuration, reference: &str) -> Result<SetupIntent> {
    let customer = who.customer().ok_or(Error::Forbidden("Only a customer adds a method of their own."))?;
    let method = peek(tx, who, reference).await?;
    may_add(who, allowed, method.r#type)?;
    let new = NewIntent {
        customer: customer.to_owned(),
        method: None,
        usage: Usage::OffSession,
        description: None,
        metadata: Patch::Keep,
    };
    let intent = setup_intent::create(tx, who, new).await?;
    let taken = run!(
        tx,
        "update field_reference set used_ms = $4, setup_intent = $5
         where tenant = $1 and hash = $2 and session = $3 and used_ms is null",
        who.tenant.key,
        id::hash(reference),
        who.session().unwrap_or_default(),
        tx.now,
        &intent.id
    )?;
    if taken != 1 {
        return Err(Error::Busy);
    }
    let given = Given::Test { id: method.gateway_ref.clone(), method: Box::new(method) };
    let intent = setup_intent::confirm(tx, who, &intent.id, Some(given)).await?;
    stored(tx, who, &intent).await?;
    Ok(intent)
}

/// The customer's answer to a setup that waits for it. One that does not wait stays as it is.
pub async fn answer(tx: &mut Tx, who: &Actor, intent: &str, is_confirmed: bool) -> Result<SetupIntent> {
    let before = setup_intent::get(tx, who, intent).await?;
    if before.status != Status::RequiresAction {
        return Ok(before);
    }
    let found: Option<(Json<NewMethod>,)> = maybe!(
        tx,
        "select method from field_reference where tenant = $1 and setup_intent = $2",
        who.tenant.key,
        intent
    )?;
    let new = found.ok_or_else(|| Error::missing("setup_intent", intent))?.0.0;
    let intent = setup_intent::answer(tx, who, before, is_confirmed.then_some(new)).await?;
    stored(tx, who, &intent).await?;
    Ok(intent)
}

/// What is stored becomes the default where the customer said so, or has none.
async fn stored(tx: &mut Tx, who: &Actor, intent: &SetupIntent) -> Result<()> {
    let (Status::Succeeded, Some(method)) = (intent.status, &intent.payment_method) else { return Ok(()) };
    let wish: Option<(bool,)> = maybe!(
        tx,
        "select is_default from field_reference where tenant = $1 and setup_intent = $2",
        who.tenant.key,
        &intent.id
    )?;
    methods::added(tx, who, method, wish.is_some_and(|(wish,)| wish)).await?;
    session::complete(tx, who).await
}
