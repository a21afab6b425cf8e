//! What a customer may change a subscription to, and how: the configuration's rules, asked before a quote is made and
//! again when it is confirmed.

use crate::actor::Actor;
use crate::catalog::Price;
use crate::catalog::price::{self, PriceFilter};
use crate::catalog::product::{self, Product, ProductFilter};
use crate::catalog::promotion_code::{self, PromotionCodeFilter};
use crate::clock::Seconds;
use crate::discount::Wanted;
use crate::error::{Error, Result};
use crate::money::Currency;
use crate::page::Page;
use crate::patch::Patch;
use crate::period::{Interval, Recurring};
use crate::portal::configuration::Configuration;
use crate::portal::features::{
    AdjustableQuantity, AllowedProduct, Anchor, ChangeAllowed, ChargeTiming, Condition, Proration, SubscriptionUpdate,
    TrialUpdate,
};
use crate::portal::{may_write, session, transitions};
use crate::quote::{self, Change, Confirmed, Quote};
use crate::store::Tx;
use crate::subscription::create::PaymentBehavior;
use crate::subscription::{
    self, Item, ItemChange, ProrationBehavior, Status, Subscription, TrialEnd, pending, scheduled,
};

/// A price that an item may go to, or stay with, and how many of it.
#[derive(Debug, Clone)]
pub struct Offer {
    pub price: Price,
    pub product: Product,
    pub quantity: Quantity,
    /// The one that the item has.
    pub is_current: bool,
    /// When it would take effect, where a transition says so.
    pub effective: Option<When>,
    /// From when it may be chosen, where the plan was changed too short a time ago.
    pub opens: Option<Seconds>,
}

/// How many a customer may have; only so many where both are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    pub least: i64,
    pub most: Option<i64>,
}

/// When a change takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Now,
    AtPeriodEnd,
}

impl Quantity {
    pub(super) fn only(quantity: i64) -> Self {
        Self { least: quantity, most: Some(quantity) }
    }

    /// An item that has more or fewer than are offered may stay as it is.
    pub(super) fn of(allowed: &AdjustableQuantity) -> Self {
        Self { least: allowed.minimum, most: allowed.maximum }
    }

    pub fn is_fixed(self) -> bool {
        self.most == Some(self.least)
    }

    pub fn holds(self, quantity: i64) -> bool {
        quantity >= self.least && self.most.is_none_or(|most| quantity <= most)
    }

    /// The nearest that may be had.
    pub fn clamp(self, quantity: i64) -> i64 {
        quantity.max(self.least).min(self.most.unwrap_or(i64::MAX))
    }
}

/// What a customer wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wished {
    pub subscription: String,
    pub item: String,
    pub price: String,
    pub quantity: i64,
    pub discount: Option<Given>,
}

/// What is taken off with a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// A promotion code, as the customer types it.
    Code(String),
    /// What the merchant gives with this very change.
    ByMerchant(Wanted),
}

/// What it would cost. Writes nothing; `tx` must be one to write in.
pub async fn quote(tx: &mut Tx, who: &Actor, allowed: &Configuration, wished: &Wished) -> Result<Quote> {
    let change = plan(tx, who, allowed, wished).await?;
    quote::make(tx, who, change).await
}

/// Does what was quoted, if the configuration still allows it and it costs the same.
pub async fn confirm(
    tx: &mut Tx,
    who: &Actor,
    allowed: &Configuration,
    wished: &Wished,
    token: &str,
) -> Result<Confirmed> {
    subscription::get(tx, who, &wished.subscription).await?;
    if let Some(done) = quote::done(tx, who, token).await? {
        return Ok(Confirmed::Done(done));
    }
    let change = plan(tx, who, allowed, wished).await?;
    if quote::change(tx, who, token)? != change {
        return Ok(Confirmed::Stale(Box::new(quote::make(tx, who, change).await?)));
    }
    let confirmed = quote::confirm(tx, who, token).await?;
    if let Confirmed::Done(_) = confirmed {
        session::complete(tx, who).await?;
    }
    Ok(confirmed)
}

/// Takes back what waits: a change that is to be paid first, else one that is scheduled. Where nothing does, nothing
/// changes.
pub async fn undo(tx: &mut Tx, who: &Actor, id: &str) -> Result<Subscription> {
    may_write(who, true)?;
    let current = subscription::get(tx, who, id).await?;
    if current.pending_update.is_none() && current.scheduled.is_none() {
        return Ok(current);
    }
    let undone = match current.pending_update {
        Some(_) => pending::drop_update(tx, who, id).await?,
        None => scheduled::undo(tx, who, id).await?,
    };
    session::complete(tx, who).await?;
    Ok(undone)
}

/// The change that a wish comes to, where the configuration allows it.
pub(super) async fn plan(tx: &mut Tx, who: &Actor, allowed: &Configuration, wished: &Wished) -> Result<Change> {
    let feature = &allowed.features.subscription_update;
    may_write(who, feature.enabled)?;
    let subscription = subscription::get(tx, who, &wished.subscription).await?;
    let missing = || Error::missing("subscription_item", &wished.item);
    let item = subscription.items.iter().find(|item| item.id == wished.item).ok_or_else(missing)?;
    let offers = offers(tx, who, allowed, &subscription, item).await?;
    let offered = offers.iter().find(|offer| offer.price.id == wished.price);
    let offer = offered.ok_or_else(|| Error::invalid("price", "This is not one of the prices that are offered."))?;
    if !offer.quantity.holds(wished.quantity) {
        return Err(Error::invalid("quantity", "This is not a quantity that is offered."));
    }
    if offer.opens.is_some() {
        let message = "The plan was changed too short a time ago for this change.";
        return Err(Error::conflict("subscription_change_too_soon", message));
    }
    if offer.is_current && wished.quantity == item.quantity {
        return Err(Error::invalid("price", "This is what the subscription has already."));
    }
    if matches!(wished.discount, Some(Given::Code(_))) && !takes_code(allowed, &subscription) {
        return Err(Error::invalid("promotion_code", "A promotion code cannot be used here."));
    }
    let change = ItemChange {
        id: Some(wished.item.clone()),
        price: Some(wished.price.clone()),
        quantity: Some(wished.quantity),
        ..ItemChange::default()
    };
    let id = wished.subscription.clone();
    Ok(match when(feature, &subscription, item, offer, wished.quantity)? {
        When::AtPeriodEnd if wished.discount.is_some() => {
            return Err(Error::invalid("promotion_code", "A change that waits takes no promotion code."));
        }
        When::AtPeriodEnd => Change::Schedule { subscription: id, items: vec![change] },
        When::Now => {
            let discount = match &wished.discount {
                Some(Given::Code(code)) => Some(Wanted::PromotionCode(promotion_code(tx, who, code).await?)),
                Some(Given::ByMerchant(wanted)) => Some(wanted.clone()),
                None => None,
            };
            Change::Update { subscription: id, update: Box::new(update(feature, &subscription, change, discount)) }
        }
    })
}

/// The id of a code that can be redeemed, in any case.
pub(super) async fn promotion_code(tx: &mut Tx, who: &Actor, code: &str) -> Result<String> {
    let filter = PromotionCodeFilter { active: Some(true), code: Some(code.into()), ..PromotionCodeFilter::default() };
    let found = promotion_code::list(tx, who, &Page::first(1), &filter).await?.data.into_iter().next();
    found.map(|code| code.id).ok_or_else(|| Error::invalid("promotion_code", "There is no such promotion code."))
}

/// A change waits for its payment, so that nobody pays for what they did not get; one that ends a trial or takes a
/// discount cannot.
fn update(
    feature: &SubscriptionUpdate,
    subscription: &Subscription,
    change: ItemChange,
    discount: Option<Wanted>,
) -> subscription::SubscriptionUpdate {
    let ends_trial = subscription.status == Status::Trialing && feature.trial_update_behavior == TrialUpdate::EndTrial;
    let waits = !ends_trial && discount.is_none();
    subscription::SubscriptionUpdate {
        items: vec![change],
        proration_behavior: Some(match (feature.proration_behavior, feature.charge_timing) {
            (Proration::AlwaysInvoice, _) => ProrationBehavior::AlwaysInvoice,
            (Proration::CreateProrations, _) => ProrationBehavior::CreateProrations,
            (Proration::FullDifference, Some(ChargeTiming::PeriodEnd)) => ProrationBehavior::FullDifferenceLater,
            (Proration::FullDifference, _) => ProrationBehavior::FullDifference,
            (Proration::None, _) => ProrationBehavior::None,
        }),
        billing_cycle_anchor: match feature.billing_cycle_anchor {
            Some(Anchor::Now) if subscription.status != Status::Trialing => Some(subscription::Anchor::Now),
            _ => None,
        },
        trial_end: ends_trial.then_some(TrialEnd::Now),
        payment_behavior: waits.then_some(PaymentBehavior::PendingIfIncomplete),
        discounts: discount.map_or(Patch::Keep, |discount| Patch::Set(vec![discount])),
        ..subscription::SubscriptionUpdate::default()
    }
}

/// Whether a promotion code may be given with a change: only where no discount counts yet.
pub fn takes_code(allowed: &Configuration, subscription: &Subscription) -> bool {
    let feature = &allowed.features.subscription_update;
    feature.default_allowed_updates.contains(&ChangeAllowed::PromotionCode) && subscription.discounts.is_empty()
}

/// Whether a subscription is in a state to be changed by its customer.
pub fn is_changeable(subscription: &Subscription) -> bool {
    let lives = matches!(subscription.status, Status::Active | Status::Trialing | Status::PastDue);
    lives && subscription.goes_on() && subscription.pending_update.is_none()
}

/// What an item may be changed to, the cheapest of the shortest interval first; nothing where nothing may be changed.
pub async fn offers(
    tx: &mut Tx,
    who: &Actor,
    allowed: &Configuration,
    subscription: &Subscription,
    item: &Item,
) -> Result<Vec<Offer>> {
    let feature = &allowed.features.subscription_update;
    if !feature.enabled || !is_changeable(subscription) {
        return Ok(Vec::new());
    }
    let feature = &with_products(tx, who, feature).await?;
    let mut offers = Vec::new();
    for product in &feature.products {
        let found = of_product(tx, who, product, &subscription.currency).await?;
        offers.extend(
            found.into_iter().filter_map(|(price, of)| offer(feature, product, (price, of), subscription, item)),
        );
    }
    Box::pin(transitions::rule(tx, who, &feature.transitions, item, &mut offers)).await?;
    sort(&mut offers);
    // What can only stay as it is is no choice.
    if offers.iter().all(|offer| offer.is_current && offer.quantity.is_fixed()) {
        offers.clear();
    }
    Ok(offers)
}

/// The feature with its products named, where it allows all of them. Each may be had more than once if any may.
async fn with_products(tx: &mut Tx, who: &Actor, feature: &SubscriptionUpdate) -> Result<SubscriptionUpdate> {
    let mut named = feature.clone();
    if !feature.all_products {
        return Ok(named);
    }
    let enabled = feature.default_allowed_updates.contains(&ChangeAllowed::Quantity);
    let (mut page, filter) = (Page::first(100), ProductFilter { active: Some(true), ..ProductFilter::default() });
    loop {
        let listed = product::list(tx, who, &page, &filter).await?;
        page.starting_after = listed.data.last().map(|last| last.id.clone());
        named.products.extend(listed.data.into_iter().map(|product| AllowedProduct {
            adjustable_quantity: AdjustableQuantity { enabled, ..AdjustableQuantity::default() },
            prices: Vec::new(),
            product: product.id,
        }));
        if !listed.has_more {
            return Ok(named);
        }
    }
}

/// The cheapest of the shortest interval first.
pub(super) fn sort(offers: &mut [Offer]) {
    offers.sort_by_key(|offer| (length(&offer.price), offer.price.amount(1).unwrap_or(i64::MAX)));
}

/// The prices of a configured product that a subscription in this currency could have.
pub(super) async fn of_product(
    tx: &mut Tx,
    who: &Actor,
    allowed: &AllowedProduct,
    currency: &Currency,
) -> Result<Vec<(Price, Product)>> {
    let product = match product::get(tx, who, &allowed.product).await {
        Ok(product) if product.active => product,
        // It was deleted or archived since.
        Ok(_) | Err(Error::Missing { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let filter = PriceFilter {
        active: Some(true),
        currency: Some(currency.to_string()),
        product: Some(allowed.product.clone()),
        r#type: Some("recurring".into()),
        ..PriceFilter::default()
    };
    let listed = price::list(tx, who, &Page::first(100), &filter).await?;
    let is_named = |price: &Price| allowed.prices.is_empty() || allowed.prices.contains(&price.id);
    Ok(listed.data.into_iter().filter(is_named).map(|price| (price, product.clone())).collect())
}

fn offer(
    feature: &SubscriptionUpdate,
    allowed: &AllowedProduct,
    (price, product): (Price, Product),
    subscription: &Subscription,
    item: &Item,
) -> Option<Offer> {
    let may = |what| feature.default_allowed_updates.contains(&what);
    let is_current = price.id == item.price.id;
    let others = || subscription.items.iter().filter(|other| other.id != item.id);
    let is_elsewhere = others().any(|other| other.price.id == price.id);
    let keeps_time = others().all(|other| other.price.recurring() == price.recurring());
    if is_elsewhere || !keeps_time || (!is_current && !may(ChangeAllowed::Price)) {
        return None;
    }
    let is_counted = |product: &AllowedProduct| may(ChangeAllowed::Quantity) && product.adjustable_quantity.enabled;
    let was_counted = feature.products.iter().any(|other| other.product == item.price.product && is_counted(other));
    let quantity = match (is_counted(allowed), was_counted) {
        (true, _) => Quantity::of(&allowed.adjustable_quantity),
        // From seats to a plan that has none.
        (false, true) => Quantity::only(1),
        (false, false) => Quantity::only(item.quantity),
    };
    Some(Offer { price, product, quantity, is_current, effective: None, opens: None })
}

/// When the change of an item would take effect, as the configuration has it. In a trial nothing has been paid that
/// would have to last.
pub fn when(
    feature: &SubscriptionUpdate,
    subscription: &Subscription,
    item: &Item,
    offer: &Offer,
    quantity: i64,
) -> Result<When> {
    if let Some(effective) = offer.effective {
        return Ok(effective);
    }
    let price = &offer.price;
    if subscription.status == Status::Trialing {
        return Ok(When::Now);
    }
    let decreases = is_cheaper(price, quantity, &item.price, item.quantity)?;
    let waits = |condition: Condition| match condition {
        Condition::ShorteningInterval => length(price) < length(&item.price),
        Condition::DecreasingItemAmount => decreases,
    };
    let at_end = feature.schedule_at_period_end.conditions.iter().any(|condition| waits(condition.r#type));
    Ok(if at_end { When::AtPeriodEnd } else { When::Now })
}

/// Whether one is cheaper than another for as long a time.
pub fn is_cheaper(price: &Price, quantity: i64, than: &Price, of: i64) -> Result<bool> {
    let (new, old) = (price.amount(quantity)?, than.amount(of)?);
    Ok(i128::from(new) * i128::from(length(than)) < i128::from(old) * i128::from(length(price)))
}

/// How long an interval is on average, in seconds, so that a month and a year compare.
fn length(price: &Price) -> i64 {
    const DAY: i64 = 86_400;
    /// A year of the calendar that is in use: 365.2425 days.
    const YEAR: i64 = 31_556_952;
    let Some(Recurring { interval, count }) = price.recurring() else { return 0 };
    count
        * match interval {
            Interval::Day => DAY,
            Interval::Week => 7 * DAY,
            Interval::Month => YEAR / 12,
            Interval::Year => YEAR,
        }
}
