//! Whom a merchant's backend means when it names a person rather than a customer, and what that person comes for.

use crate::actor::{Actor, Origin};
use crate::catalog::price::{self, Price, PriceFilter};
use crate::catalog::product::{self, ProductFilter};
use crate::customer::{self, Address, Customer, CustomerFilter, CustomerUpdate};
use crate::error::{Error, Result};
use crate::page::Page;
use crate::patch::Patch;
use crate::portal::configuration::Configuration;
use crate::portal::{change, purchase};
use crate::store::Tx;
use crate::subscription::{self, Status, StatusFilter, Subscription, SubscriptionFilter};

/// How a person may be named: the first of these that is given decides.
#[derive(Debug, Clone, Default)]
pub struct Named {
    /// A customer's id, or the merchant's own id for one.
    pub user: Option<String>,
    /// The merchant's own id. Where it is nobody's, `email` may still be somebody's.
    pub external: Option<String>,
    pub email: Option<String>,
}

/// What a customer comes for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// One item of a subscription, at another price.
    Change { item: String, price: String, quantity: i64 },
    /// A first purchase.
    Buy { price: String, quantity: i64 },
}

/// The customer that is meant; `None` where it is nobody.
pub async fn customer(tx: &mut Tx, who: &Actor, named: &Named) -> Result<Option<Customer>> {
    if let Some(id) = &named.user {
        return match customer::get(tx, who, id).await {
            Err(Error::Missing { .. }) => by_external_id(tx, who, id).await,
            found => found.map(Some),
        };
    }
    if let Some(id) = &named.external
        && let Some(found) = by_external_id(tx, who, id).await?
    {
        return Ok(Some(found));
    }
    match &named.email {
        Some(email) => by_email(tx, who, email).await,
        None => Ok(None),
    }
}

async fn by_external_id(tx: &mut Tx, who: &Actor, id: &str) -> Result<Option<Customer>> {
    let filter = CustomerFilter { external_id: Some(id.into()), ..CustomerFilter::default() };
    Ok(customer::list(tx, who, &Page::first(1), &filter).await?.data.pop())
}

/// Of several, the one whose subscription that lives began last, else the newest.
async fn by_email(tx: &mut Tx, who: &Actor, email: &str) -> Result<Option<Customer>> {
    let mut sharing = customer::of_email(tx, who, email).await?;
    let mut best = None;
    if sharing.len() > 1 {
        for (n, one) in sharing.iter().enumerate() {
            let found = subscription(tx, who, &one.id, None).await?.filter(|found| lives(found.status));
            if let Some(found) = found
                && best.as_ref().is_none_or(|(_, since)| found.created > *since)
            {
                best = Some((n, found.created));
            }
        }
    }
    let chosen = best.map_or(0, |(n, _)| n);
    Ok((chosen < sharing.len()).then(|| sharing.swap_remove(chosen)))
}

fn lives(status: Status) -> bool {
    matches!(status, Status::Active | Status::Trialing | Status::PastDue | Status::Incomplete)
}

/// The subscription in focus, of one product if that is said: the latest that is active, in trial, past due or
/// incomplete, else the latest of any state.
pub async fn subscription(
    tx: &mut Tx,
    who: &Actor,
    customer: &str,
    product: Option<&str>,
) -> Result<Option<Subscription>> {
    let filter = SubscriptionFilter {
        customer: Some(customer.into()),
        status: StatusFilter::All,
        ..SubscriptionFilter::default()
    };
    let (mut page, mut latest) = (Page::first(100), None);
    loop {
        let listed = subscription::list(tx, who, &page, &filter).await?;
        page.starting_after = listed.data.last().map(|last| last.id.clone());
        for found in listed.data {
            let is_of = product.is_none_or(|product| found.items.iter().any(|item| item.price.product == product));
            if is_of && lives(found.status) {
                return Ok(Some(found));
            }
            if is_of && latest.is_none() {
                latest = Some(found);
            }
        }
        if !listed.has_more {
            return Ok(latest);
        }
    }
}

/// A price by its id or by the merchant's own.
pub async fn price(tx: &mut Tx, who: &Actor, id: &str) -> Result<Price> {
    match price::get(tx, who, id).await {
        Err(missing @ Error::Missing { .. }) => {
            let filter = PriceFilter { external_id: Some(id.into()), ..PriceFilter::default() };
            price::list(tx, who, &Page::first(1), &filter).await?.data.pop().ok_or(missing)
        }
        found => found,
    }
}

/// A product's id, by that or by the merchant's own.
pub async fn product(tx: &mut Tx, who: &Actor, id: &str) -> Result<String> {
    match product::get(tx, who, id).await {
        Err(missing @ Error::Missing { .. }) => {
            let filter = ProductFilter { external_id: Some(id.into()), ..ProductFilter::default() };
            product::list(tx, who, &Page::first(1), &filter).await?.data.pop().map(|own| own.id).ok_or(missing)
        }
        found => found.map(|own| own.id),
    }
}

/// How `customer` comes by `price`; `None` where their portal does not offer it to them.
pub async fn aim(
    tx: &mut Tx,
    who: &Actor,
    allowed: &Configuration,
    customer: &Customer,
    held: Option<&Subscription>,
    price: &Price,
) -> Result<Option<Aim>> {
    // What is offered is asked with the customer's own eyes.
    let origin = Origin::Portal { session: String::new(), customer: customer.id.clone(), read_only: false };
    let eyes = Actor { origin, ..who.clone() };
    if let Some(held) = held.filter(|held| change::is_changeable(held)) {
        let of_product = held.items.iter().find(|item| item.price.product == price.product);
        let Some(item) = of_product.or(held.items.first()) else { return Ok(None) };
        let offers = change::offers(tx, &eyes, allowed, held, item).await?;
        let offer = offers.into_iter().find(|offer| offer.price.id == price.id);
        return Ok(offer.map(|offer| Aim::Change {
            item: item.id.clone(),
            price: price.id.clone(),
            quantity: offer.quantity.clamp(item.quantity),
        }));
    }
    let offers = purchase::offers(tx, &eyes, allowed, &price.currency).await?;
    let offer = offers.into_iter().find(|offer| offer.price.id == price.id);
    Ok(offer.map(|offer| Aim::Buy { price: price.id.clone(), quantity: offer.quantity.clamp(1) }))
}

/// Sets the billing country of a customer who has none yet: one that is there was said by somebody who knew better.
pub async fn preset_country(tx: &mut Tx, who: &Actor, customer: &Customer, country: &str) -> Result<()> {
    let address = customer.address.as_deref().cloned().unwrap_or_default();
    if address.country.is_some() {
        return Ok(());
    }
    let address = Address { country: Some(country.into()), ..address };
    let update = CustomerUpdate { address: Patch::Set(address), ..CustomerUpdate::default() };
    customer::update(tx, who, &customer.id, update).await.map(drop)
}
