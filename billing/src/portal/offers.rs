//! What is offered to somebody who is about to cancel, by the reason they give; "cancel anyway" is always beside it.

use crate::actor::Actor;
use crate::audit;
use crate::catalog::{Coupon, Price, coupon};
use crate::clock::Seconds;
use crate::customer;
use crate::discount::Wanted;
use crate::error::{Error, Result};
use crate::id;
use crate::patch::Patch;
use crate::period::add_months;
use crate::portal::canceling::{self, Cancellation};
use crate::portal::change;
use crate::portal::configuration::Configuration;
use crate::portal::features::{CancelOffer, OfferKind};
use crate::portal::session::Session;
use crate::portal::{may_write, pausing, session};
use crate::quote::{self, Change, Quote};
use crate::store::{Json, Tx, one, run};
use crate::subscription::{self, ProrationBehavior, Status, Subscription, SubscriptionUpdate, TrialEnd};

const DAY: i64 = 86_400;

/// Something better than leaving.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Stripe's words or ids of feedback options; empty: whatever the reason.
    pub reasons: Vec<String>,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    Coupon(Box<Coupon>),
    /// The next payment is so many days later.
    FreeDays(i64),
    Pause,
    /// A cheaper price, for the first item.
    Price {
        item: String,
        price: Box<Price>,
        /// Its name.
        product: String,
        quantity: i64,
    },
}

impl What {
    /// What a form names it by; `None` where it is done on a page of its own.
    pub fn key(&self) -> Option<String> {
        match self {
            Self::Coupon(coupon) => Some(format!("coupon:{}", coupon.id)),
            Self::FreeDays(days) => Some(format!("free_days:{days}")),
            Self::Pause | Self::Price { .. } => None,
        }
    }

    fn kind(&self) -> OfferKind {
        match self {
            Self::Coupon(_) => OfferKind::Coupon,
            Self::FreeDays(_) => OfferKind::FreeDays,
            Self::Pause => OfferKind::Pause,
            Self::Price { .. } => OfferKind::Price,
        }
    }
}

/// The offers that are open to one subscription: those of the configuration, and the coupon of the session's flow.
pub async fn open(
    tx: &mut Tx,
    who: &Actor,
    allowed: &Configuration,
    session: &Session,
    subscription: &Subscription,
) -> Result<Vec<Offer>> {
    let feature = &allowed.features.subscription_cancel;
    let lives = matches!(subscription.status, Status::Active | Status::Trialing);
    if !feature.enabled || !lives || !subscription.goes_on() {
        return Ok(Vec::new());
    }
    let owner = customer::get(tx, who, &subscription.customer).await?;
    let now = customer::now(tx, who, &owner).await?;
    let may_take = !is_used_up(tx, who, allowed, &owner.id, now).await?;
    let of_flow = session.flow.as_ref().and_then(|flow| flow.retention_coupon()).map(CancelOffer::of_coupon);
    let short = feature.retention_coupon_id.as_deref().map(CancelOffer::of_coupon);
    let mut open = Vec::new();
    for offer in of_flow.into_iter().chain(feature.offers.iter().cloned()).chain(short) {
        let is_taken = matches!(offer.r#type, OfferKind::Coupon | OfferKind::FreeDays);
        if is_taken && !may_take {
            continue;
        }
        if let Some(what) = what(tx, who, allowed, &offer, subscription, now).await? {
            open.push(Offer { reasons: offer.reasons, what });
        }
    }
    Ok(open)
}

/// What an offer comes to for this subscription; `None` where it makes no sense for it.
async fn what(
    tx: &mut Tx,
    who: &Actor,
    allowed: &Configuration,
    offer: &CancelOffer,
    subscription: &Subscription,
    now: Seconds,
) -> Result<Option<What>> {
    Ok(match offer.r#type {
        OfferKind::Coupon => usable(tx, who, offer.coupon.as_deref().unwrap_or_default(), subscription, now)
            .await?
            .map(|coupon| What::Coupon(Box::new(coupon))),
        OfferKind::FreeDays => {
            subscription.pending_update.is_none().then_some(What::FreeDays(offer.free_days.unwrap_or_default()))
        }
        OfferKind::Pause => pausing::is_pausable(subscription).then_some(What::Pause),
        OfferKind::Price => cheaper(tx, who, allowed, offer.price.as_deref().unwrap_or_default(), subscription).await?,
    })
}

/// A coupon that takes something off the next invoice, and that is not there already.
async fn usable(
    tx: &mut Tx,
    who: &Actor,
    id: &str,
    subscription: &Subscription,
    now: Seconds,
) -> Result<Option<Coupon>> {
    let coupon = match coupon::get(tx, who, id).await {
        Ok(coupon) => coupon,
        // It was deleted since.
        Err(Error::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let is_for = subscription.items.iter().any(|item| coupon.is_for(Some(&item.price.product)));
    let is_new = subscription.discounts.iter().all(|discount| discount.coupon != coupon.id);
    let fits = coupon.is_valid(now) && coupon.is_in(&subscription.currency) && is_for && is_new;
    Ok(fits.then_some(coupon))
}

async fn cheaper(
    tx: &mut Tx,
    who: &Actor,
    allowed: &Configuration,
    id: &str,
    subscription: &Subscription,
) -> Result<Option<What>> {
    let [item] = subscription.items.as_slice() else { return Ok(None) };
    let offered = change::offers(tx, who, allowed, subscription, item).await?;
    let Some(offer) = offered.into_iter().find(|offer| offer.price.id == id && !offer.is_current) else {
        return Ok(None);
    };
    let quantity = offer.quantity.clamp(item.quantity);
    let is_cheaper = change::is_cheaper(&offer.price, quantity, &item.price, item.quantity)?;
    let product = offer.product.name;
    Ok(is_cheaper.then(|| What::Price { item: item.id.clone(), price: Box::new(offer.price), product, quantity }))
}

/// Whether the customer has taken as many offers as there are for one, in the time that the limit is for.
async fn is_used_up(tx: &mut Tx, who: &Actor, allowed: &Configuration, customer: &str, now: Seconds) -> Result<bool> {
    let limit = &allowed.features.subscription_cancel.offer_limit;
    let (taken,): (i64,) = one!(
        tx,
        "select count(*) from offer_use where tenant = $1 and customer = $2 and created > $3",
        who.tenant.key,
        customer,
        add_months(now, -limit.months)?
    )?;
    Ok(taken >= limit.count)
}

/// What an offer would make of the next payment. Writes nothing; `tx` must be one to write in.
pub async fn quote(tx: &mut Tx, who: &Actor, subscription: &Subscription, what: &What) -> Result<Option<Quote>> {
    match update(subscription, what) {
        Some(update) => {
            let change = Change::Update { subscription: subscription.id.clone(), update: Box::new(update) };
            quote::make(tx, who, change).await.map(Some)
        }
        None => Ok(None),
    }
}

/// Takes an offer that is open, instead of canceling. Taking it again changes nothing.
pub async fn accept(
    tx: &mut Tx,
    who: &Actor,
    allowed: &Configuration,
    session: &Session,
    id: &str,
    key: &str,
    given: Cancellation,
) -> Result<Subscription> {
    let feature = &allowed.features.subscription_cancel;
    may_write(who, feature.enabled)?;
    let asked = crate::portal::features::CancellationReason { required: false, ..feature.cancellation_reason.clone() };
    canceling::check_reason(tx, who, &asked, &given).await?;
    let subscription = subscription::get(tx, who, id).await?;
    let open = open(tx, who, allowed, session, &subscription).await?;
    let offer = open.into_iter().find(|offer| offer.what.key().as_deref() == Some(key));
    let update = offer.as_ref().and_then(|offer| update(&subscription, &offer.what));
    let (Some(offer), Some(update)) = (offer, update) else {
        return Err(Error::conflict("offer_unavailable", "This offer is not open any more."));
    };
    let owner = customer::get(tx, who, &subscription.customer).await?;
    let now = customer::now(tx, who, &owner).await?;
    let kept = Box::pin(subscription::update::update(tx, who, id, update)).await?.subscription;
    let reason = given.feedback.map(|word| word.name().to_owned()).or(given.feedback_option);
    run!(
        tx,
        "insert into offer_use (tenant, id, customer, subscription, kind, details, created) values ($1, $2, $3, $4, $5, $6, $7)",
        who.tenant.key,
        id::new("ofu", tx.now),
        &owner.id,
        id,
        offer.what.kind(),
        Json(serde_json::json!({ "offer": key, "reason": reason, "comment": given.comment })),
        now
    )?;
    audit::note(tx, who, "customer.subscription.offer_taken", "subscription", id, Some(&owner.id)).await?;
    session::complete(tx, who).await?;
    Ok(kept)
}

/// What an offer changes at once: nothing that is billed now.
fn update(subscription: &Subscription, what: &What) -> Option<SubscriptionUpdate> {
    let plain =
        SubscriptionUpdate { proration_behavior: Some(ProrationBehavior::None), ..SubscriptionUpdate::default() };
    match what {
        What::Coupon(coupon) => {
            let held = subscription.discounts.iter().map(|discount| Wanted::Existing(discount.id.clone()));
            let all = held.chain([Wanted::Coupon(coupon.id.clone())]).collect();
            Some(SubscriptionUpdate { discounts: Patch::Set(all), ..plain })
        }
        What::FreeDays(days) => {
            let later = subscription.current_period_end.plus(days * DAY);
            Some(SubscriptionUpdate { trial_end: Some(TrialEnd::At(later)), ..plain })
        }
        What::Pause | What::Price { .. } => None,
    }
}
