//! The first purchase: what a customer without a subscription may buy in the portal, for exactly what was quoted.

use crate::actor::Actor;
use crate::catalog::price;
use crate::customer::{self, Customer, payment_method};
use crate::discount::Wanted;
use crate::error::{Error, Result};
use crate::money::Currency;
use crate::page::Page;
use crate::patch::Patch;
use crate::payment::charge::{self, AttemptStatus};
use crate::portal::change::{self, Offer, Quantity};
use crate::portal::configuration::Configuration;
use crate::portal::{may_write, session};
use crate::quote::{self, Change, Confirmed, Quote};
use crate::store::{Tx, maybe};
use crate::subscription::create::{NewSubscription, PaymentBehavior, Trial};
use crate::subscription::items::NewItem;
use crate::subscription::withdraw::withdraw;
use crate::subscription::{
    self, CollectionMethod, PaymentSettings, ProrationBehavior, Status, StatusFilter, SubscriptionFilter, TrialSettings,
};

/// What a customer wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wished {
    pub price: String,
    pub quantity: i64,
    /// A promotion code, as it is typed.
    pub code: Option<String>,
}

/// Whether the caller may buy here: where it is configured, and nothing runs or waits to begin.
pub async fn is_open(tx: &mut Tx, who: &Actor, allowed: &Configuration) -> Result<bool> {
    if !allowed.features.subscription_create.enabled || who.is_read_only() {
        return Ok(false);
    }
    let filter = SubscriptionFilter { status: StatusFilter::NotCanceled, ..SubscriptionFilter::default() };
    let held = subscription::list(tx, who, &Page::first(100), &filter).await?;
    Ok(held.data.iter().all(|subscription| subscription.status.is_ended()))
}

/// What may be bought, the cheapest of the shortest interval first; in the customer's currency, or in `usual` where they
/// have none yet.
pub async fn offers(tx: &mut Tx, who: &Actor, allowed: &Configuration, usual: &Currency) -> Result<Vec<Offer>> {
    if !is_open(tx, who, allowed).await? {
        return Ok(Vec::new());
    }
    let buyer = own(tx, who).await?;
    let currency = buyer.currency.as_ref().unwrap_or(usual);
    let mut offers = Vec::new();
    for product in &allowed.features.subscription_create.products {
        let found = change::of_product(tx, who, product, currency).await?;
        let counted = &product.adjustable_quantity;
        let quantity = if counted.enabled { Quantity::of(counted) } else { Quantity::only(1) };
        offers.extend(found.into_iter().map(|(price, product)| Offer {
            price,
            product,
            quantity,
            is_current: false,
            effective: None,
            opens: None,
        }));
    }
    change::sort(&mut offers);
    Ok(offers)
}

/// What it would cost. Writes nothing; `tx` must be one to write in.
pub async fn quote(tx: &mut Tx, who: &Actor, allowed: &Configuration, wished: &Wished) -> Result<Quote> {
    let new = plan(tx, who, allowed, wished).await?;
    quote::make(tx, who, Change::Start(Box::new(new))).await
}

/// Starts what was quoted, to be paid with a method of the customer's. Its invoice is the door's to charge.
pub async fn confirm(
    tx: &mut Tx,
    who: &Actor,
    allowed: &Configuration,
    wished: &Wished,
    method: Option<&str>,
    token: &str,
) -> Result<Confirmed> {
    may_write(who, allowed.features.subscription_create.enabled)?;
    if let Some(done) = quote::done(tx, who, token).await? {
        return Ok(Confirmed::Done(done));
    }
    let new = plan(tx, who, allowed, wished).await?;
    if quote::change(tx, who, token)? != Change::Start(Box::new(new.clone())) {
        let fresh = quote::make(tx, who, Change::Start(Box::new(new))).await?;
        return Ok(Confirmed::Stale(Box::new(fresh)));
    }
    let buyer = own(tx, who).await?;
    if method.is_none() && buyer.default_payment_method.is_none() && new.trial == Trial::None {
        return Err(Error::invalid("method", "There is nothing to pay with."));
    }
    let mark = tx.mark().await?;
    let method = match method {
        Some(id) => Some(usable(tx, who, id).await?),
        None => None,
    };
    let chosen = NewSubscription { default_payment_method: method.clone(), ..new };
    let confirmed = quote::confirm_as(tx, who, token, Change::Start(Box::new(chosen))).await?;
    match confirmed {
        Confirmed::Done(_) => {
            tx.let_stand(mark).await?;
            keep_as_default(tx, who, method).await?;
            session::complete(tx, who).await?;
        }
        Confirmed::Stale(_) => tx.go_back(mark).await?,
    }
    Ok(confirmed)
}

/// Takes a start back whose payment was refused, so that it can be tried again with another method; answers whether it
/// did. One that waits for its customer, or whose fate is not known, stays.
pub async fn withdraw_if_declined(tx: &mut Tx, who: &Actor, id: &str) -> Result<bool> {
    let subscription = subscription::get(tx, who, id).await?;
    let first = subscription.latest_invoice.filter(|_| subscription.status == Status::Incomplete);
    let Some(first) = first else { return Ok(false) };
    let charge = charge::last(tx, who, &first).await?;
    let is_declined = charge.is_some_and(|charge| charge.status == AttemptStatus::Declined);
    Ok(is_declined && withdraw(tx, who, &first).await?.is_some())
}

/// What is paid with first is what is paid with from then on.
async fn keep_as_default(tx: &mut Tx, who: &Actor, method: Option<String>) -> Result<()> {
    let buyer = own(tx, who).await?;
    let (None, Some(method)) = (&buyer.default_payment_method, method) else { return Ok(()) };
    let update = customer::CustomerUpdate { default_payment_method: Patch::Set(method), ..Default::default() };
    customer::update(tx, who, &buyer.id, update).await.map(|_| ())
}

async fn usable(tx: &mut Tx, who: &Actor, id: &str) -> Result<String> {
    let buyer = own(tx, who).await?;
    Ok(payment_method::of_customer(tx, who, &buyer.id, id).await?.id)
}

async fn own(tx: &mut Tx, who: &Actor) -> Result<Customer> {
    let own = who.customer().ok_or(Error::Forbidden("Only a customer buys for themselves."))?;
    customer::get(tx, who, own).await
}

/// The subscription that a wish comes to, where the configuration allows it.
async fn plan(tx: &mut Tx, who: &Actor, allowed: &Configuration, wished: &Wished) -> Result<NewSubscription> {
    may_write(who, allowed.features.subscription_create.enabled)?;
    if !is_open(tx, who, allowed).await? {
        return Err(Error::conflict("subscription_exists", "There is a subscription already."));
    }
    let buyer = own(tx, who).await?;
    let wanted = price::get(tx, who, &wished.price).await?;
    let offers = offers(tx, who, allowed, &wanted.currency).await?;
    let offered = offers.into_iter().find(|offer| offer.price.id == wished.price);
    let offer = offered.ok_or_else(|| Error::invalid("price", "This is not one of the prices that are offered."))?;
    if !offer.quantity.holds(wished.quantity) {
        return Err(Error::invalid("quantity", "This is not a quantity that is offered."));
    }
    let discounts = match &wished.code {
        Some(code) => vec![Wanted::PromotionCode(change::promotion_code(tx, who, code).await?)],
        None => Vec::new(),
    };
    Ok(NewSubscription {
        customer: buyer.id.clone(),
        items: vec![NewItem {
            price: wished.price.clone(),
            price_data: None,
            quantity: Some(wished.quantity),
            tax_rates: Vec::new(),
            discounts: Vec::new(),
            metadata: Patch::Keep,
        }],
        add_invoice_items: Vec::new(),
        backdate_start_date: None,
        billing_cycle_anchor: None,
        proration_behavior: ProrationBehavior::CreateProrations,
        trial: if has_had_trial(tx, who, &buyer.id).await? { Trial::None } else { Trial::FromPrice },
        trial_settings: TrialSettings::default(),
        cancel_at_period_end: false,
        cancel_at: None,
        default_payment_method: None,
        collection_method: CollectionMethod::ChargeAutomatically,
        days_until_due: None,
        // What it is paid with is chosen after the quote is made.
        payment_behavior: PaymentBehavior::DefaultIncomplete,
        payment_settings: PaymentSettings::default(),
        default_tax_rates: Vec::new(),
        automatic_tax: true,
        discounts,
        description: None,
        metadata: Patch::Keep,
    })
}

/// Whether the customer, or one who pays with the same card or account, has had a trial: there is no second one.
async fn has_had_trial(tx: &mut Tx, who: &Actor, customer: &str) -> Result<bool> {
    let found: Option<(String,)> = maybe!(
        tx,
        "select s.id from subscription s where s.tenant = $1 and s.trial_start is not null and (s.customer = $2 or s.customer in (
            select theirs.customer from payment_method mine join payment_method theirs
            on theirs.tenant = mine.tenant and theirs.fingerprint = mine.fingerprint
            where mine.tenant = $1 and mine.customer = $2)) limit 1",
        who.tenant.key,
        customer
    )?;
    Ok(found.is_some())
}
