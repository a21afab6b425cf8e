//! Signing in by mail: whoever reads the mailbox of an address is let in as the customer who has it.
//!
//! What is asked for is written down without a look at whether any customer has the address, so that nothing that is
//! answered, nor how long it takes, can tell. That is seen when the mail is sent, or is not.

use crate::actor::{Actor, Origin};
use crate::clock::Millis;
use crate::customer::{self, Customer, check_email};
use crate::error::{Error, Result};
use crate::limit::{self, Limit};
use crate::portal::session::{self, NewSession, Session, SessionOrigin};
use crate::store::{Tx, all, maybe, run};
use crate::text_enum::text_enum;
use crate::{audit, id, mail};

text_enum!(
    /// What a customer comes for.
    Destination {
        BillingInformation = "billing_information",
        Home = "home",
        PaymentMethods = "payment_methods",
        Repair = "repair",
    }
);

/// How long a link and its code live, and how long whoever has proven a mailbox may think about as whom to go in.
pub const LIVES_MS: i64 = 10 * 60 * 1000;
/// So many wrong codes end the code and the link.
pub const MOST_WRONG: i64 = 5;
/// How long it is kept that something was asked for.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// A link and a code that were asked for. They are kept as hashes, and sealed until the mail with them is sent.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Request {
    pub id: String,
    pub email: String,
    pub configuration: String,
    pub destination: Destination,
    pub wrong_codes: i64,
    pub expires_ms: Millis,
    /// When the mailbox was proven.
    pub used_ms: Option<Millis>,
    /// When a customer was chosen, and the session began.
    pub chosen_ms: Option<Millis>,
    pub created_ms: Millis,
}

macro_rules! columns {
    () => {
        "id, email, configuration, destination, wrong_codes, expires_ms, used_ms, chosen_ms, created_ms"
    };
}

/// What somebody asks for on the login page.
#[derive(Debug, Clone)]
pub struct Asked {
    pub email: String,
    pub configuration: String,
    pub destination: Destination,
    /// The browser's languages as one, for the mail.
    pub locale: String,
    /// What the asking browser holds, and nobody else: the code is good only together with it.
    pub browser: String,
}

/// How many mails may be asked for.
#[derive(Debug, Clone)]
pub struct Limits {
    /// To one address of one merchant's.
    pub address: Vec<Limit>,
    /// Of one merchant, whoever asks.
    pub merchant: Vec<Limit>,
}

/// What a proven mailbox leads to.
#[derive(Debug, Clone)]
pub enum Entry {
    /// Into the portal, with the session's cookie.
    In { session: Box<Session>, cookie: String },
    /// To the choice between those who share the address, with this proof.
    Choice { proof: String, expires: Millis },
}

impl Request {
    /// Whether its link and its code may still be used.
    pub fn is_open(&self, now: Millis) -> bool {
        self.used_ms.is_none() && self.wrong_codes < MOST_WRONG && now < self.expires_ms
    }

    /// Whether a customer may still be chosen.
    pub fn is_choosing(&self, now: Millis) -> bool {
        self.chosen_ms.is_none() && self.used_ms.is_some_and(|used| now < used.plus(LIVES_MS))
    }
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Request> {
    maybe!(tx, concat!("select ", columns!(), " from login_request where tenant = $1 and id = $2"), who.tenant.key, id)?
        .ok_or_else(|| Error::missing("login_request", id))
}

/// Writes down what is asked for, and the mail, which is sent if the address is a customer's. Too many of them are written
/// down all the same, and not mailed.
pub async fn ask(tx: &mut Tx, who: &Actor, asked: Asked, limits: &Limits) -> Result<()> {
    tx.unaudited();
    check_email(&asked.email, "email")?;
    let whom = format!("{}|{}", who.tenant.key, asked.email.to_ascii_lowercase());
    let of_address = limit::count(tx, "login.address", &whom, &limits.address).await?;
    // Who asks too often for one address must not use up what all others have.
    let is_much = match of_address {
        None => limit::count(tx, "login.merchant", &who.tenant.key.to_string(), &limits.merchant).await?.is_some(),
        Some(_) => true,
    };
    let (request, link, code) = (id::new("lgn", tx.now), id::secret(), code());
    let sealed = tx.key.seal(&request, &format!("{link} {code}"))?;
    run!(
        tx,
        "insert into login_request (tenant, id, email, configuration, destination, link_hash, code_hash, browser_hash, sealed, wrong_codes, expires_ms, created_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11)",
        who.tenant.key,
        &request,
        &asked.email,
        &asked.configuration,
        asked.destination,
        id::hash(&link),
        code_hash(&asked.browser, &code),
        id::hash(&asked.browser),
        (!is_much).then_some(sealed),
        tx.now.plus(LIVES_MS),
        tx.now
    )?;
    mail::invite(tx, who, &request, &asked.email, &asked.locale, is_much).await
}

/// Six digits.
fn code() -> String {
    format!("{:06}", id::random() % 1_000_000)
}

/// Six digits are soon tried; together with what the browser holds they are not.
fn code_hash(browser: &str, code: &str) -> String {
    id::hash(&format!("{browser} {code}"))
}

/// The link's secret and the code, for the mail; `None` where there is nothing to send any more.
pub(crate) async fn secrets(tx: &mut Tx, who: &Actor, id: &str) -> Result<Option<(Request, String, String)>> {
    let request = get(tx, who, id).await?;
    if !request.is_open(tx.now) {
        return Ok(None);
    }
    let sealed: Option<(Option<String>,)> =
        maybe!(tx, "select sealed from login_request where tenant = $1 and id = $2", who.tenant.key, id)?;
    let Some(sealed) = sealed.and_then(|(sealed,)| sealed) else { return Ok(None) };
    let text = tx.key.open(id, &sealed)?;
    Ok(text.split_once(' ').map(|(link, code)| (request, link.to_owned(), code.to_owned())))
}

/// Forgets link and code, whose mail is out or never will be.
pub(crate) async fn seal_off(tx: &mut Tx, tenant: i64, id: &str) -> Result<()> {
    run!(tx, "update login_request set sealed = null where tenant = $1 and id = $2", tenant, id).map(drop)
}

/// Uses a link, once: one update that only the first caller's condition meets.
pub async fn enter_by_link(tx: &mut Tx, who: &Actor, request: &Request, secret: &str, host: &str) -> Result<Entry> {
    let used = run!(
        tx,
        "update login_request set used_ms = $4, sealed = null where tenant = $1 and id = $2 and link_hash = $3
         and used_ms is null and wrong_codes < $5 and expires_ms > $4",
        who.tenant.key,
        &request.id,
        id::hash(secret),
        tx.now,
        MOST_WRONG
    )?;
    if used == 1 { proven(tx, who, request, host).await } else { Err(gone()) }
}

/// Uses a code, in the browser that asked for it. `None` is a wrong one, which counts against all that this browser has
/// asked for.
pub async fn enter_by_code(
    tx: &mut Tx,
    who: &Actor,
    browser: &str,
    code: &str,
    host: &str,
) -> Result<Option<(Destination, Entry)>> {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let open: Vec<Request> = all!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from login_request where tenant = $1 and browser_hash = $2 and used_ms is null and wrong_codes < $4 and expires_ms > $3 order by id"
        ),
        who.tenant.key,
        id::hash(browser),
        tx.now,
        MOST_WRONG
    )?;
    if open.is_empty() {
        return Err(gone());
    }
    for request in open {
        let used = run!(
            tx,
            "update login_request set used_ms = $4, sealed = null where tenant = $1 and id = $2 and code_hash = $3
             and used_ms is null and wrong_codes < $5 and expires_ms > $4",
            who.tenant.key,
            &request.id,
            code_hash(browser, &digits),
            tx.now,
            MOST_WRONG
        )?;
        if used == 1 {
            let entry = proven(tx, who, &request, host).await?;
            return Ok(Some((request.destination, entry)));
        }
    }
    tx.unaudited();
    run!(
        tx,
        "update login_request set wrong_codes = wrong_codes + 1 where tenant = $1 and browser_hash = $2 and used_ms is null and expires_ms > $3",
        who.tenant.key,
        id::hash(browser),
        tx.now
    )?;
    Ok(None)
}

/// The mailbox is proven: in, or to the choice. An address that is no customer's any more leads nowhere.
async fn proven(tx: &mut Tx, who: &Actor, request: &Request, host: &str) -> Result<Entry> {
    let mut sharing = customer::of_email(tx, who, &request.email).await?;
    match sharing.len() {
        0 => Err(gone()),
        1 => begin(tx, who, request, sharing.swap_remove(0), host).await,
        _ => {
            let proof = id::secret();
            run!(
                tx,
                "update login_request set proof_hash = $3 where tenant = $1 and id = $2",
                who.tenant.key,
                &request.id,
                id::hash(&proof)
            )?;
            audit::note(tx, who, "login_request.proven", "login_request", &request.id, None).await?;
            Ok(Entry::Choice { proof, expires: tx.now.plus(LIVES_MS) })
        }
    }
}

/// Those who share the address that was proven.
pub async fn choices(tx: &mut Tx, who: &Actor, request: &Request) -> Result<Vec<Customer>> {
    if request.is_choosing(tx.now) { customer::of_email(tx, who, &request.email).await } else { Err(gone()) }
}

/// In, as one of those who share the address.
pub async fn choose(tx: &mut Tx, who: &Actor, request: &Request, customer: &str, host: &str) -> Result<Entry> {
    let sharing = choices(tx, who, request).await?;
    let chosen = sharing.into_iter().find(|one| one.id == customer);
    let chosen = chosen.ok_or_else(|| Error::missing("customer", customer).on("customer"))?;
    begin(tx, who, request, chosen, host).await
}

/// Begins the session, once.
async fn begin(tx: &mut Tx, who: &Actor, request: &Request, customer: Customer, host: &str) -> Result<Entry> {
    let begun = run!(
        tx,
        "update login_request set chosen_ms = $3, proof_hash = null where tenant = $1 and id = $2 and chosen_ms is null",
        who.tenant.key,
        &request.id,
        tx.now
    )?;
    if begun != 1 {
        return Err(gone());
    }
    let new = NewSession {
        customer: customer.id.clone(),
        configuration: Some(request.configuration.clone()),
        return_url: None,
        cancel_url: None,
        locale: None,
        subscription: None,
        flow: None,
        origin: SessionOrigin::Login,
    };
    let minted = Box::pin(session::create(tx, who, new)).await?;
    let origin = Origin::Portal { session: minted.session.id.clone(), customer: customer.id.clone(), read_only: false };
    let guest = Actor { origin, ..who.clone() };
    let cookie = session::exchange(tx, &guest, &minted.session.id, &minted.secret, host).await?;
    let session = session::get(tx, &guest, &minted.session.id).await?;
    Ok(Entry::In { session: Box::new(session), cookie })
}

fn gone() -> Error {
    Error::missing("login_request", "link")
}

/// Forgets what was asked for long ago.
pub async fn prune(tx: &mut Tx) -> Result<u64> {
    run!(tx, "delete from login_request where created_ms < $1", tx.now.plus(-KEPT_MS))
}
