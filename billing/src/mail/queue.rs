//! The mails that wait to be sent: claimed by one worker at a time, tried again later and later, and settled once.

use super::{Mail, Status, Template};
use crate::actor::Actor;
use crate::clock::Millis;
use crate::directory;
use crate::error::Result;
use crate::portal::branding::{Brand, brand};
use crate::portal::{configuration, domain, login};
use crate::store::{Tx, maybe, run};
use crate::{customer, invoice, subscription};

const MINUTE_MS: i64 = 60 * 1000;
/// A claim lasts this long; a worker that dies leaves its mail to the next one.
const CLAIM_MS: i64 = 2 * MINUTE_MS;
/// How long after each attempt the next one is, in minutes; the last of them again and again.
const PAUSES: [i64; 6] = [1, 5, 15, 60, 180, 360];
/// Who has refused a mail for three days refuses it for good.
const GIVE_UP_MS: i64 = 3 * 24 * 60 * MINUTE_MS;

/// What became of an attempt to send a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// Somebody answers for it now.
    Sent,
    /// Nobody does, for a reason that may pass.
    NotNow(&'a str),
    /// Nobody ever will.
    Never(&'a str),
    /// There is nothing left to tell.
    Over,
}

/// Takes the mail that has waited longest. Whoever is at it already keeps it for two minutes.
pub async fn claim(tx: &mut Tx) -> Result<Option<Mail>> {
    maybe!(
        tx,
        "update mail set attempts = attempts + 1, next_ms = $2
         where (tenant, id) = (select tenant, id from mail where status = 'waiting' and next_ms <= $1 order by next_ms, id limit 1)
           and status = 'waiting' and next_ms <= $1
         returning tenant, id, customer, template, recipient, locale, data, attempts, created_ms",
        tx.now,
        tx.now.plus(CLAIM_MS)
    )
}

/// Nobody is written to of a past that was made up: what waits for a customer is dropped.
pub async fn drop_all(tx: &mut Tx, who: &Actor, customer: &str) -> Result<()> {
    run!(
        tx,
        "update mail set status = 'dropped', next_ms = null, settled_ms = $3 where tenant = $1 and customer = $2 and status = 'waiting'",
        who.tenant.key,
        customer,
        tx.now
    )?;
    Ok(())
}

/// As whom a mail is sent; `None` where it has nothing to tell any more: what it asks for is done, the day that it
/// announces has come, or there is no such customer. A way in is put into the mail here.
pub async fn sender(tx: &mut Tx, mail: &mut Mail) -> Result<Option<Brand>> {
    let tenant = directory::tenant_by_key(tx, mail.tenant).await?;
    let who = Actor::system(tenant, "mail");
    let configuration = match mail.customer.clone() {
        Some(customer) => {
            let is_gone = customer::get_or_deleted(tx, &who, &customer).await?.deleted_at.is_some();
            (!is_gone && !is_over(tx, &who, mail).await?).then(|| "default".to_owned())
        }
        None if mail.template != Template::Login => (!is_over(tx, &who, mail).await?).then(|| "default".to_owned()),
        None => admit(tx, &who, mail).await?,
    };
    let Some(configuration) = configuration else { return Ok(None) };
    let merchant = directory::merchant(tx, &who.tenant.merchant).await?;
    let configuration = configuration::get(tx, &who, &configuration).await?;
    brand::of(tx, &who.tenant, &merchant, &configuration).await.map(Some)
}

/// Puts link and code into a mail to whoever has its address: that of a customer as it is on file, where there is one.
/// Answers the configuration whose login page it was asked for on.
async fn admit(tx: &mut Tx, who: &Actor, mail: &mut Mail) -> Result<Option<String>> {
    let asked = mail.data.login.clone().unwrap_or_default();
    let Some((request, link, code)) = login::secrets(tx, who, &asked).await? else { return Ok(None) };
    let configuration = configuration::get(tx, who, &request.configuration).await?;
    let sharing = customer::of_email(tx, who, &request.email).await?;
    let portal = domain::portal_url(tx, who, &configuration).await?;
    let (Some(portal), Some(first)) = (portal, sharing.first()) else { return Ok(None) };
    if configuration.login_url.is_none() {
        return Ok(None);
    }
    mail.recipient = first.email.clone().unwrap_or_default();
    mail.locale =
        first.preferred_locales.iter().chain([&mail.locale]).map(String::as_str).collect::<Vec<_>>().join(",");
    mail.data.0.name = first.name.clone().filter(|_| sharing.len() == 1);
    mail.data.0.url = Some(format!("{portal}/access/{link}"));
    mail.data.0.code = Some(code);
    Ok(Some(configuration.id))
}

async fn is_over(tx: &mut Tx, who: &Actor, mail: &Mail) -> Result<bool> {
    let about = &mail.data;
    match mail.template {
        Template::PaymentFailed | Template::PaymentAction => {
            let Some(id) = &about.invoice else { return Ok(true) };
            let invoice = invoice::get(tx, who, id).await?;
            let ended = match &invoice.subscription {
                Some(id) => subscription::get(tx, who, id).await?.status.is_ended(),
                None => false,
            };
            Ok(ended || invoice.status != invoice::Status::Open)
        }
        Template::Upcoming | Template::TrialEnding => Ok(about.at.is_none_or(|at| at <= tx.now.seconds())),
        _ => Ok(false),
    }
}

/// Writes down what became of a mail that was claimed; whoever has settled it before is right.
pub async fn settle(tx: &mut Tx, mail: &Mail, outcome: Outcome<'_>) -> Result<Status> {
    let too_late = tx.now.plus(-GIVE_UP_MS) >= mail.created_ms;
    let (status, error) = match outcome {
        Outcome::Sent => (Status::Sent, None),
        Outcome::Over => (Status::Dropped, None),
        Outcome::Never(error) => (Status::Refused, Some(error)),
        Outcome::NotNow(error) if too_late => (Status::Refused, Some(error)),
        Outcome::NotNow(error) => (Status::Waiting, Some(error)),
    };
    let next = (status == Status::Waiting).then(|| again(tx.now, mail.attempts));
    let settled = next.is_none().then_some(tx.now);
    run!(
        tx,
        "update mail set status = $3, next_ms = $4, settled_ms = $5, last_error = $6 where tenant = $1 and id = $2 and status = 'waiting'",
        mail.tenant,
        &mail.id,
        status,
        next,
        settled,
        error
    )?;
    if let Some(asked) = mail.data.login.as_ref().filter(|_| next.is_none()) {
        login::seal_off(tx, mail.tenant, asked).await?;
    }
    Ok(status)
}

fn again(now: Millis, attempts: i64) -> Millis {
    let n = usize::try_from(attempts - 1).unwrap_or_default().min(PAUSES.len() - 1);
    now.plus(PAUSES[n] * MINUTE_MS)
}
