//! What a merchant has decided for one mode as a whole: retries and what follows them, numbering, language, whom to tell.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::customer::check_email;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::patch::{Patch, check_text};
use crate::store::{Json, Tx, one, run};
use crate::text_enum::text_enum;
use crate::wire;

text_enum!(
    /// What becomes of a subscription whose last attempt failed.
    AfterLastAttempt { Cancel = "cancel", Unpaid = "unpaid", Pause = "pause" }
);

text_enum!(
    /// Whose sequence an invoice's number is taken from.
    Numbering { Customer = "customer", Merchant = "merchant" }
);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The language where neither session, customer nor browser says one: a BCP 47 tag.
    pub default_locale: Option<String>,
    pub dunning: Dunning,
    pub invoice_numbering: Numbering,
    /// Who of the merchant's people is written to.
    pub owner_email: Option<String>,
    pub seller: Seller,
}

/// What the law wants to read of a merchant on its invoices.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Seller {
    /// As on an envelope, without name and country: one line or several.
    pub address: Option<String>,
    pub tax_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dunning {
    /// Days after the first attempt on which a failed payment is tried again, in order.
    pub schedule: Vec<i64>,
    pub after_last_attempt: AfterLastAttempt,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_locale: None,
            dunning: Dunning::default(),
            invoice_numbering: Numbering::Customer,
            owner_email: None,
            seller: Seller::default(),
        }
    }
}

impl Default for Dunning {
    /// Eight attempts, the first among them, in 14 days.
    fn default() -> Self {
        Self { schedule: vec![1, 3, 5, 7, 9, 11, 14], after_last_attempt: AfterLastAttempt::Cancel }
    }
}

#[derive(Debug, Clone, Default)]
pub struct SettingsUpdate {
    pub default_locale: Patch<String>,
    pub schedule: Patch<Vec<i64>>,
    pub after_last_attempt: Option<AfterLastAttempt>,
    pub invoice_numbering: Option<Numbering>,
    pub owner_email: Patch<String>,
    pub seller_address: Patch<String>,
    pub seller_tax_id: Patch<String>,
}

/// The settings of the caller's tenant.
pub async fn get(tx: &mut Tx, who: &Actor) -> Result<Settings> {
    let (settings,): (Json<Settings>,) = one!(tx, "select settings from tenant where id = $1", who.tenant.key)?;
    Ok(settings.0)
}

pub async fn update(tx: &mut Tx, who: &Actor, update: SettingsUpdate) -> Result<Settings> {
    if who.customer().is_some() {
        return Err(Error::Forbidden("These settings are the merchant's."));
    }
    let before = get(tx, who).await?;
    let mut after = before.clone();
    update.default_locale.apply(&mut after.default_locale);
    update.owner_email.apply(&mut after.owner_email);
    update.seller_address.apply(&mut after.seller.address);
    update.seller_tax_id.apply(&mut after.seller.tax_id);
    match update.schedule {
        Patch::Keep => {}
        Patch::Clear => after.dunning.schedule = Dunning::default().schedule,
        Patch::Set(schedule) => after.dunning.schedule = schedule,
    }
    after.dunning.after_last_attempt = update.after_last_attempt.unwrap_or(after.dunning.after_last_attempt);
    after.invoice_numbering = update.invoice_numbering.unwrap_or(after.invoice_numbering);
    check(&after)?;
    if after == before {
        return Ok(after);
    }
    run!(tx, "update tenant set settings = $2 where id = $1", who.tenant.key, Json(&after))?;
    let change = Change {
        object: "portal_settings",
        id: &who.tenant.merchant,
        customer: None,
        before: Some(wire::portal_settings(&who.tenant, &before)),
        after: Some(wire::portal_settings(&who.tenant, &after)),
        action: "portal_settings.updated",
        events: &[],
    };
    record(tx, who, change).await?;
    Ok(after)
}

fn check(settings: &Settings) -> Result<()> {
    if let Some(email) = &settings.owner_email {
        check_email(email, "owner_email")?;
    }
    check_text(settings.seller.address.as_deref().unwrap_or_default(), 300, "seller[address]")?;
    check_text(settings.seller.tax_id.as_deref().unwrap_or_default(), 50, "seller[tax_id]")?;
    if let Some(locale) = &settings.default_locale {
        check_text(locale, 35, "default_locale")?;
        let parts: Vec<&str> = locale.split('-').collect();
        let language =
            parts.first().is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_lowercase()));
        let rest =
            parts.iter().skip(1).all(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !(language && rest) {
            return Err(Error::invalid("default_locale", "A language is written like de or pt-BR."));
        }
    }
    check_schedule(&settings.dunning.schedule)
}

fn check_schedule(days: &[i64]) -> Result<()> {
    if days.is_empty() || days.len() > 20 {
        return Err(Error::invalid("dunning[schedule]", "A schedule has 1 to 20 days."));
    }
    for (n, day) in days.iter().enumerate() {
        let after = if n == 0 { 0 } else { days[n - 1] };
        if *day <= after || *day > 90 {
            let message = "Days are counted from the first attempt, each later than the one before, up to 90.";
            return Err(Error::invalid(format!("dunning[schedule][{n}]"), message));
        }
    }
    Ok(())
}
