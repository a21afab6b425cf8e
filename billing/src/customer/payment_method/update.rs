//! What may be changed of a stored method: whose it is said to be, and a card's expiry. Never its number.

use super::{MethodType, PaymentMethod, announce, get};
use crate::actor::Actor;
use crate::customer::contact::check_address;
use crate::customer::{Address, check_email};
use crate::error::{Error, Result};
use crate::patch::{MetadataPatch, Patch, check_text, merge_metadata};
use crate::store::{Tx, run};

#[derive(Debug, Clone, Default)]
pub struct MethodUpdate {
    pub address: Patch<Address>,
    pub email: Patch<String>,
    pub name: Patch<String>,
    pub phone: Patch<String>,
    /// A card's expiry, as its holder reads it off the new one: month from 1 to 12, year of four digits.
    pub exp_month: Option<i64>,
    pub exp_year: Option<i64>,
    pub metadata: MetadataPatch,
}

pub async fn update(tx: &mut Tx, who: &Actor, id: &str, update: &MethodUpdate) -> Result<PaymentMethod> {
    let before = get(tx, who, id).await?;
    if before.customer.is_none() {
        let message = "You must save this PaymentMethod to a customer before you can update it.";
        return Err(Error::Invalid {
            param: "payment_method".into(),
            code: "payment_method_unexpected_state",
            message: message.into(),
        });
    }
    let mut method = before.clone();
    set_expiry(&mut method, update)?;
    set_holder(&mut method, update.clone())?;
    merge_metadata(&mut method.metadata.0, update.metadata.clone())?;
    let saved = run!(
        tx,
        "update payment_method set details = $3, billing_details = $4, metadata = $5, version = version + 1
         where tenant = $1 and id = $2 and version = $6",
        who.tenant.key,
        id,
        &method.details,
        &method.billing_details,
        &method.metadata,
        before.version
    )?;
    if saved != 1 {
        return Err(Error::Busy);
    }
    method.version += 1;
    announce(tx, who, Some(&before), &method, "payment_method.updated").await?;
    Ok(method)
}

fn set_holder(method: &mut PaymentMethod, update: MethodUpdate) -> Result<()> {
    let holder = &mut method.billing_details.0;
    update.address.apply_or_default(&mut holder.address);
    update.email.apply(&mut holder.email);
    update.name.apply(&mut holder.name);
    update.phone.apply(&mut holder.phone);
    check_address(&holder.address, "billing_details[address]")?;
    if let Some(email) = &holder.email {
        check_email(email, "billing_details[email]")?;
    }
    check_text(holder.name.as_deref().unwrap_or_default(), 256, "billing_details[name]")?;
    check_text(holder.phone.as_deref().unwrap_or_default(), 20, "billing_details[phone]")
}

fn set_expiry(method: &mut PaymentMethod, update: &MethodUpdate) -> Result<()> {
    if update.exp_month.is_none() && update.exp_year.is_none() {
        return Ok(());
    }
    if method.r#type != MethodType::Card {
        return Err(Error::invalid("card", "Only a card has an expiry date."));
    }
    if update.exp_month.is_some_and(|month| !(1..=12).contains(&month)) {
        return Err(Error::invalid("card[exp_month]", "Your card's expiration month is invalid."));
    }
    if update.exp_year.is_some_and(|year| !(1970..=2100).contains(&year)) {
        return Err(Error::invalid("card[exp_year]", "Your card's expiration year is invalid."));
    }
    method.details.exp_month = update.exp_month.or(method.details.exp_month);
    method.details.exp_year = update.exp_year.or(method.details.exp_year);
    Ok(())
}
