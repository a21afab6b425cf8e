//! What may be said of a running subscription without touching what it costs.

use crate::actor::Actor;
use crate::catalog::tax_rate::{self, Named};
use crate::customer::{self, payment_method};
use crate::discount::Wanted;
use crate::error::{Error, Result};
use crate::patch::{MetadataPatch, Patch, check_text, merge_metadata};
use crate::store::{Tx, all};
use crate::subscription::{Feedback, Subscription, announce, cancel, discounts, get, save};

#[derive(Debug, Clone, Default)]
pub struct SubscriptionUpdate {
    pub cancel_at_period_end: Option<bool>,
    pub comment: Patch<String>,
    pub feedback: Patch<Feedback>,
    pub default_payment_method: Patch<String>,
    /// Ids; from the next invoice on.
    pub default_tax_rates: Patch<Vec<String>>,
    pub automatic_tax: Option<bool>,
    /// In place of those there are.
    pub discounts: Patch<Vec<Wanted>>,
    pub description: Patch<String>,
    pub metadata: MetadataPatch,
}

/// Rates are named, or left to where the customer is.
pub(crate) fn check_taxes(rates: &[Named], automatic: bool) -> Result<()> {
    if automatic && !rates.is_empty() {
        let message = "You cannot set default_tax_rates together with automatic_tax[enabled].";
        return Err(Error::invalid("default_tax_rates", message));
    }
    Ok(())
}

impl SubscriptionUpdate {
    fn touches_taxes(&self) -> bool {
        self.default_tax_rates != Patch::Keep || self.automatic_tax.is_some()
    }
}

pub async fn update(tx: &mut Tx, who: &Actor, id: &str, update: SubscriptionUpdate) -> Result<Subscription> {
    let before = get(tx, who, id).await?;
    let mut subscription = before.clone();
    let touches_more = update.cancel_at_period_end.is_some()
        || update.default_payment_method != Patch::Keep
        || update.discounts != Patch::Keep
        || update.touches_taxes();
    if before.status.is_ended() && touches_more {
        return Err(Error::invalid(
            "id",
            "A canceled subscription can only update its cancellation_details and metadata.",
        ));
    }
    if let Patch::Set(method) = &update.default_payment_method {
        payment_method::of_customer(tx, who, &before.customer, method)
            .await
            .map_err(|e| e.on("default_payment_method"))?;
    }
    if update.discounts != Patch::Keep {
        let customer = customer::get(tx, who, &before.customer).await?;
        let now = customer::now(tx, who, &customer).await?;
        discounts::set(tx, who, &mut subscription, &update.discounts, now).await?;
    }
    if let Patch::Set(ids) = &update.default_tax_rates {
        subscription.default_tax_rates.0 = tax_rate::named(tx, who, ids, "default_tax_rates").await?;
    } else if update.default_tax_rates == Patch::Clear {
        subscription.default_tax_rates.0.clear();
    }
    subscription.automatic_tax = update.automatic_tax.unwrap_or(subscription.automatic_tax);
    check_taxes(&subscription.default_tax_rates, subscription.automatic_tax)?;
    update.default_payment_method.apply(&mut subscription.default_payment_method);
    check_text(update.description.clone().into_option().as_deref().unwrap_or_default(), 500, "description")?;
    update.description.apply(&mut subscription.description);
    merge_metadata(&mut subscription.metadata.0, update.metadata)?;
    match update.cancel_at_period_end {
        Some(true) => cancel::schedule(tx, who, &mut subscription).await?,
        Some(false) => cancel::unschedule(&mut subscription),
        None => {}
    }
    check_text(
        update.comment.clone().into_option().as_deref().unwrap_or_default(),
        5000,
        "cancellation_details[comment]",
    )?;
    update.comment.apply(&mut subscription.cancellation_details.0.comment);
    update.feedback.apply(&mut subscription.cancellation_details.0.feedback);
    if subscription == before {
        return Ok(subscription);
    }
    save(tx, who, &mut subscription).await?;
    let events: &[&str] = if subscription.cancel_at_period_end && !before.cancel_at_period_end {
        &["customer.subscription.updated", "subscription.cancellation_scheduled"]
    } else {
        &["customer.subscription.updated"]
    };
    announce(tx, who, Some(&before), &subscription, "customer.subscription.updated", events).await?;
    Ok(subscription)
}

/// A method is going away: the subscriptions that name it fall back to their customer's default.
pub(crate) async fn forget_method(tx: &mut Tx, who: &Actor, customer: &str, method: &str) -> Result<()> {
    let naming: Vec<(String,)> = all!(
        tx,
        "select id from subscription where tenant = $1 and customer = $2 and default_payment_method = $3 order by created, id",
        who.tenant.key,
        customer,
        method
    )?;
    for (id,) in naming {
        let before = get(tx, who, &id).await?;
        let mut after = Subscription { default_payment_method: None, ..before.clone() };
        save(tx, who, &mut after).await?;
        let event = "customer.subscription.updated";
        announce(tx, who, Some(&before), &after, event, &[event]).await?;
    }
    Ok(())
}
