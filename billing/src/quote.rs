//! Quotes: what a change costs, signed, so that confirming it charges exactly that or nothing.
//!
//! A token is sealed with the installation's key for this one purpose: who bears it can neither read nor change it, and
//! it is opened before anything in it is believed. It holds good for ten minutes, in one session, once.

mod change;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::actor::Actor;
use crate::clock::{Millis, Seconds};
use crate::customer;
use crate::error::{Error, Result};
use crate::id;
use crate::invoice::item::{self, InvoiceItem};
use crate::invoice::{Invoice, Line};
use crate::preview;
use crate::store::{Json, Tx, maybe, run};
use crate::subscription;

pub use change::{Change, Outcome};

/// How long a quote holds good, in seconds.
pub const LIFE: i64 = 10 * 60;
/// What the token is sealed for; nothing that is sealed for another purpose opens as one.
const PURPOSE: &str = "quote";

/// What a change costs now, and what comes after it.
#[derive(Debug, Clone)]
pub struct Quote {
    /// Presented to confirm it.
    pub token: String,
    pub change: Change,
    /// What is billed at once, as a draft; `None` where nothing is.
    pub invoice: Option<Invoice>,
    /// What is billed because of it with a later invoice: prorations that wait.
    pub waiting: Vec<InvoiceItem>,
    /// The next invoice that time makes then, if it makes one.
    pub renewal: Option<Invoice>,
    pub expires: Millis,
}

impl Quote {
    /// What is charged on confirmation, in minor units.
    pub fn due_now(&self) -> i64 {
        self.invoice.as_ref().map_or(0, |invoice| invoice.amount_due)
    }
}

/// What became of a confirmation.
#[derive(Debug)]
pub enum Confirmed {
    /// It was carried out, now or when the token was first presented.
    Done(Done),
    /// It would cost something else by now, and was not carried out.
    Stale(Box<Quote>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub subscription: String,
    /// What was billed at once.
    pub invoice: Option<String>,
    /// Whether the door is to charge it, unless that has been done.
    pub collect: bool,
    /// Whether it is to be taken back where that fails ([`subscription::withdraw`]).
    pub only_if_paid: bool,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    tenant: i64,
    session: Option<String>,
    change: Change,
    /// The subscription's, before the change.
    version: Option<i64>,
    /// The billing instant that it is worked out for.
    at: Seconds,
    /// Of all that was seen to come of it.
    hash: String,
    due_now: i64,
    expires: Millis,
    /// So that no two tokens are the same.
    nonce: String,
}

/// All that comes of a change.
struct Seen {
    outcome: Outcome,
    waiting: Vec<InvoiceItem>,
    renewal: Option<Invoice>,
}

impl Seen {
    fn due_now(&self) -> i64 {
        self.outcome.invoice.as_ref().map_or(0, |invoice| invoice.amount_due)
    }

    /// Of what is said of money, and nothing that differs each time it is worked out.
    fn hash(&self) -> String {
        let waiting: Vec<Value> = self
            .waiting
            .iter()
            .map(|i| json!([i.description, i.quantity, i.amount, i.period_start, i.period_end]))
            .collect();
        let invoices = [&self.outcome.invoice, &self.renewal].map(|invoice| invoice.as_ref().map(essence));
        id::hash(&json!([invoices, waiting]).to_string())
    }
}

fn essence(invoice: &Invoice) -> Value {
    let line = |l: &Line| json!([l.description, l.quantity, l.amount, l.discount, l.tax, l.period_start, l.period_end]);
    let lines: Vec<Value> = invoice.lines.iter().map(line).collect();
    json!([invoice.currency, invoice.created, invoice.total, invoice.starting_balance, invoice.amount_due, lines])
}

/// What a change costs at this instant. Writes nothing; `tx` must be one to write in.
pub async fn make(tx: &mut Tx, who: &Actor, change: Change) -> Result<Quote> {
    let (version, at) = stand(tx, who, &change).await?;
    let mark = tx.mark().await?;
    let seen = Box::pin(see(tx, who, &change, at)).await;
    tx.go_back(mark).await?;
    let seen = seen?;
    let expires = tx.now.plus(LIFE * 1000);
    let claims = Claims {
        tenant: who.tenant.key,
        session: who.session().map(str::to_owned),
        version,
        at,
        hash: seen.hash(),
        due_now: seen.due_now(),
        expires,
        nonce: id::secret(),
        change,
    };
    let token = tx.key.seal(PURPOSE, &serde_json::to_string(&claims)?)?;
    let draft = |invoice: Option<Invoice>| invoice.map(|invoice| preview::as_draft(tx, invoice));
    let (invoice, renewal) = (draft(seen.outcome.invoice), draft(seen.renewal));
    Ok(Quote { token, change: claims.change, invoice, waiting: seen.waiting, renewal, expires })
}

/// Carries a change out at an instant, and looks at what time makes of it.
async fn see(tx: &mut Tx, who: &Actor, change: &Change, at: Seconds) -> Result<Seen> {
    tx.freeze(at);
    let waited = match change.subscription() {
        Some(id) => waiting(tx, who, id).await?,
        None => Vec::new(),
    };
    let outcome = change.carry_out(tx, who).await?;
    let id = &outcome.subscription.id;
    let mut waiting = waiting(tx, who, id).await?;
    waiting.retain(|item| change.subscription().is_some() && waited.iter().all(|other| other.id != item.id));
    let mark = tx.mark().await?;
    let renewal = Box::pin(preview::next(tx, who, id, outcome.invoice.clone())).await;
    tx.go_back(mark).await?;
    Ok(Seen { outcome, waiting, renewal: renewal? })
}

async fn waiting(tx: &mut Tx, who: &Actor, subscription: &str) -> Result<Vec<InvoiceItem>> {
    let customer = subscription::get(tx, who, subscription).await?.customer;
    item::waiting(tx, who, &customer, Some(subscription)).await
}

/// The version of what is changed, and the instant on its customer's clock.
async fn stand(tx: &mut Tx, who: &Actor, change: &Change) -> Result<(Option<i64>, Seconds)> {
    let (version, customer) = match change.subscription() {
        Some(id) => {
            let subscription = subscription::get(tx, who, id).await.map_err(|e| e.on("subscription"))?;
            (Some(subscription.version), subscription.customer)
        }
        None => (None, change.customer().unwrap_or_default().to_owned()),
    };
    let customer = customer::get(tx, who, &customer).await.map_err(|e| e.on("customer"))?;
    Ok((version, customer::now(tx, who, &customer).await?))
}

/// Carries a quoted change out if it still costs what was quoted. A token that was used answers what it did then.
pub async fn confirm(tx: &mut Tx, who: &Actor, token: &str) -> Result<Confirmed> {
    let claims = open(tx, who, token)?;
    let change = claims.change.clone();
    carry_out(tx, who, claims, change).await
}

/// Confirms a token with what has been said since it was made: a change that differs from the quoted one in words. It is
/// held to the same money.
pub(crate) async fn confirm_as(tx: &mut Tx, who: &Actor, token: &str, change: Change) -> Result<Confirmed> {
    let claims = open(tx, who, token)?;
    carry_out(tx, who, claims, change).await
}

async fn carry_out(tx: &mut Tx, who: &Actor, claims: Claims, change: Change) -> Result<Confirmed> {
    let hash = id::hash(&claims.nonce);
    if let Some(done) = used(tx, who, &hash).await? {
        return Ok(Confirmed::Done(done));
    }
    let (version, now) = stand(tx, who, &claims.change).await?;
    // A test clock may be anywhere by now.
    let is_now = (claims.at..claims.at.plus(LIFE)).contains(&now);
    if tx.now >= claims.expires || !is_now || version != claims.version {
        return stale(tx, who, claims.change).await;
    }
    let mark = tx.mark().await?;
    let seen = Box::pin(see(tx, who, &change, claims.at)).await;
    let is_same = seen.as_ref().is_ok_and(|seen| (seen.due_now(), seen.hash()) == (claims.due_now, claims.hash));
    if !is_same {
        tx.go_back(mark).await?;
        seen?;
        return stale(tx, who, claims.change).await;
    }
    tx.let_stand(mark).await?;
    let Outcome { subscription, invoice, collect } = seen?.outcome;
    let only_if_paid = change.only_if_paid() && invoice.is_some();
    let done =
        Done { subscription: subscription.id, invoice: invoice.map(|invoice| invoice.id), collect, only_if_paid };
    run!(
        tx,
        "insert into quote_use (tenant, token_hash, subscription, result, used_ms) values ($1, $2, $3, $4, $5)",
        who.tenant.key,
        &hash,
        &done.subscription,
        Json(&done),
        tx.now
    )?;
    Ok(Confirmed::Done(done))
}

fn open(tx: &Tx, who: &Actor, token: &str) -> Result<Claims> {
    let refuse = || Error::invalid("token", "This quote is none of ours, or not for this session.");
    let text = tx.key.open(PURPOSE, token).map_err(|_| refuse())?;
    let claims: Claims = serde_json::from_str(&text).map_err(|_| refuse())?;
    let is_own = claims.tenant == who.tenant.key && claims.session.as_deref() == who.session();
    if is_own { Ok(claims) } else { Err(refuse()) }
}

/// What a token is for, if it is for whoever asks.
pub(crate) fn change(tx: &Tx, who: &Actor, token: &str) -> Result<Change> {
    Ok(open(tx, who, token)?.change)
}

/// What the confirmation of a token has done, if it was confirmed.
pub(crate) async fn done(tx: &mut Tx, who: &Actor, token: &str) -> Result<Option<Done>> {
    let claims = open(tx, who, token)?;
    used(tx, who, &id::hash(&claims.nonce)).await
}

async fn used(tx: &mut Tx, who: &Actor, hash: &str) -> Result<Option<Done>> {
    let found: Option<(Json<Done>,)> =
        maybe!(tx, "select result from quote_use where tenant = $1 and token_hash = $2", who.tenant.key, hash)?;
    Ok(found.map(|(Json(done),)| done))
}

async fn stale(tx: &mut Tx, who: &Actor, change: Change) -> Result<Confirmed> {
    Box::pin(make(tx, who, change)).await.map(|quote| Confirmed::Stale(Box::new(quote)))
}
