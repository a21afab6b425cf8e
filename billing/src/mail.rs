//! Mails, nearly all to customers: each tells of an event and is written in its transaction; a worker sends it afterwards.

mod occasion;
pub mod queue;

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::clock::{Millis, Seconds};
use crate::customer::{self, Customer};
use crate::error::Result;
use crate::event::Change;
use crate::money::Currency;
use crate::store::{Json, Tx, run};
use crate::text_enum::text_enum;
use crate::{id, settings};

text_enum!(
    /// What a mail tells of: an invoice that was paid, a charge that nobody stood by and that failed, or waits until the
    /// customer has confirmed it with their bank; a renewal or the end of a trial that comes; what is subscribed to being
    /// something else, now or from a day on; a subscription that will end, or has; a way in that somebody has asked for. To the
    /// merchant's owner: a webhook endpoint that takes nothing.
    Template {
        Receipt = "receipt",
        PaymentFailed = "payment_failed",
        PaymentAction = "payment_action",
        Upcoming = "upcoming",
        TrialEnding = "trial_ending",
        Changed = "changed",
        ChangeScheduled = "change_scheduled",
        Canceling = "canceling",
        Ended = "ended",
        Login = "login",
        WebhookFailing = "webhook_failing",
    }
);
text_enum!(
    /// A mail is refused if it cannot be delivered, or could not be for three days; it is dropped if what it tells of was
    /// over before it could be sent.
    Status { Waiting = "waiting", Sent = "sent", Refused = "refused", Dropped = "dropped" }
);

/// What a mail says, in the books' own terms; each template has some of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Of the customer.
    pub name: Option<String>,
    /// What is subscribed to: names of products, and how many.
    pub items: Vec<(String, i64)>,
    pub amount: i64,
    pub currency: Option<Currency>,
    /// An invoice's number.
    pub number: Option<String>,
    /// When what it tells of happens, or is tried next.
    pub at: Option<Seconds>,
    pub invoice: Option<String>,
    pub subscription: Option<String>,
    /// A webhook endpoint's URL.
    pub endpoint: Option<String>,
    /// The invoice's own page. A mail never holds a session.
    pub url: Option<String>,
    /// What was asked for on the login page. Its link and its code are put in when the mail is sent, and never kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    #[serde(skip)]
    pub code: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Mail {
    pub tenant: i64,
    pub id: String,
    /// `None` where it is to the merchant's owner, or to whoever has the address.
    pub customer: Option<String>,
    pub template: Template,
    pub recipient: String,
    /// The languages to choose from, best first: BCP 47 tags with commas between.
    pub locale: String,
    pub data: Json<About>,
    pub attempts: i64,
    pub created_ms: Millis,
}

/// Writes the mail that tells of an event, where one does. Nobody is written to who has no address, or lives on a test clock.
pub(crate) async fn follow(tx: &mut Tx, who: &Actor, event: &str, change: &Change<'_>) -> Result<()> {
    let (Some(after), Some(customer)) = (&change.after, change.customer) else { return Ok(()) };
    let Some(template) = occasion::template(who, event, change.before.as_ref(), after) else { return Ok(()) };
    let customer = customer::get_or_deleted(tx, who, customer).await?;
    if customer.clock_id.is_some() || customer.deleted_at.is_some() || customer.email.is_none() {
        return Ok(());
    }
    let about = occasion::about(tx, who, template, after).await?;
    write(tx, who, template, &customer, About { name: customer.name.clone(), ..about }).await
}

async fn write(tx: &mut Tx, who: &Actor, template: Template, to: &Customer, about: About) -> Result<()> {
    let usual = settings::get(tx, who).await?.default_locale;
    let tags: Vec<&str> = to.preferred_locales.iter().chain(&usual).map(String::as_str).collect();
    let recipient = to.email.as_deref().unwrap_or_default();
    insert(tx, who, Some(&to.id), (template, recipient, &tags.join(",")), about, Status::Waiting).await
}

/// Writes to the merchant's own people, where the settings say whom.
pub(crate) async fn to_owner(tx: &mut Tx, who: &Actor, template: Template, about: About) -> Result<()> {
    let settings = settings::get(tx, who).await?;
    let Some(email) = settings.owner_email else { return Ok(()) };
    let locale = settings.default_locale.unwrap_or_default();
    insert(tx, who, None, (template, &email, &locale), about, Status::Waiting).await
}

/// Writes the mail with what was asked for on the login page, to whoever has the address. One that is dropped from the
/// beginning costs the same.
pub(crate) async fn invite(
    tx: &mut Tx,
    who: &Actor,
    request: &str,
    email: &str,
    locale: &str,
    is_dropped: bool,
) -> Result<()> {
    let status = if is_dropped { Status::Dropped } else { Status::Waiting };
    let about = About { login: Some(request.into()), ..About::default() };
    insert(tx, who, None, (Template::Login, email, locale), about, status).await
}

async fn insert(
    tx: &mut Tx,
    who: &Actor,
    customer: Option<&str>,
    (template, recipient, locale): (Template, &str, &str),
    about: About,
    status: Status,
) -> Result<()> {
    let next = (status == Status::Waiting).then_some(tx.now);
    run!(
        tx,
        "insert into mail (tenant, id, customer, template, recipient, locale, data, status, attempts, next_ms, created_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10)",
        who.tenant.key,
        id::new("mail", tx.now),
        customer,
        template,
        recipient,
        locale,
        Json(&about),
        status,
        next,
        tx.now
    )?;
    Ok(())
}
