//! What a configuration names must be there: products, prices, coupons, feedback options.

use super::{Features, SubscriptionUpdate};
use crate::actor::Actor;
use crate::catalog;
use crate::error::{Error, Result};
use crate::portal::feedback;
use crate::store::Tx;

/// Names the field whose object is missing or does not fit. `offered` are the feedback options that were offered before.
pub(in crate::portal) async fn check_named(
    tx: &mut Tx,
    who: &Actor,
    features: &Features,
    offered: &[String],
) -> Result<()> {
    check_products(tx, who, features).await?;
    check_transitions(tx, who, features).await?;
    check_offers(tx, who, features).await?;
    check_feedback_options(tx, who, features, offered).await
}

async fn check_products(tx: &mut Tx, who: &Actor, features: &Features) -> Result<()> {
    let (update, create) = (&features.subscription_update.products, &features.subscription_create.products);
    let of = |feature: &'static str| move |(n, allowed)| (format!("features[{feature}][products][{n}]"), allowed);
    let updates = update.iter().enumerate().map(of("subscription_update"));
    for (param, allowed) in updates.chain(create.iter().enumerate().map(of("subscription_create"))) {
        catalog::product::get(tx, who, &allowed.product).await.map_err(|e| e.on(format!("{param}[product]")))?;
        for (m, price) in allowed.prices.iter().enumerate() {
            let param = format!("{param}[prices][{m}]");
            let price = catalog::price::get(tx, who, price).await.map_err(|e| e.on(&param))?;
            if price.product != allowed.product {
                return Err(Error::invalid(param, "The price does not belong to the product."));
            }
        }
    }
    Ok(())
}

async fn check_offers(tx: &mut Tx, who: &Actor, features: &Features) -> Result<()> {
    let cancel = &features.subscription_cancel;
    if let Some(id) = &cancel.retention_coupon_id {
        let param = "features[subscription_cancel][retention_coupon_id]";
        catalog::coupon::get(tx, who, id).await.map_err(|e| e.on(param))?;
    }
    for (n, offer) in cancel.offers.iter().enumerate() {
        let param = |field: &str| format!("features[subscription_cancel][offers][{n}][{field}]");
        if let Some(id) = &offer.coupon {
            catalog::coupon::get(tx, who, id).await.map_err(|e| e.on(param("coupon")))?;
        }
        if let Some(id) = &offer.price {
            check_offered(tx, who, &features.subscription_update, id, &param("price")).await?;
        }
    }
    Ok(())
}

/// New ones are in use; one that was `offered` already and went out of use since is no reason to refuse another change.
async fn check_feedback_options(tx: &mut Tx, who: &Actor, features: &Features, offered: &[String]) -> Result<()> {
    let chosen = features.subscription_cancel.cancellation_reason.feedback_options.as_deref().unwrap_or_default();
    for (n, id) in chosen.iter().enumerate() {
        let param = format!("features[subscription_cancel][cancellation_reason][feedback_options][{n}]");
        if chosen[..n].contains(id) {
            return Err(Error::invalid(param, "This feedback option is listed twice."));
        }
        if !offered.contains(id) {
            feedback::check_usable(tx, who, id, &param).await?;
        }
    }
    Ok(())
}

async fn check_transitions(tx: &mut Tx, who: &Actor, features: &Features) -> Result<()> {
    let update = &features.subscription_update;
    for (n, transition) in update.transitions.iter().enumerate() {
        let param = |field: &str| format!("features[subscription_update][transitions][{n}][{field}]");
        if let Some(id) = &transition.from {
            catalog::price::get(tx, who, id).await.map_err(|e| e.on(param("from")))?;
        }
        if let Some(id) = &transition.to {
            check_offered(tx, who, update, id, &param("to")).await?;
        }
    }
    Ok(())
}

/// A price that customers may be led to is one of those that they may change to.
async fn check_offered(tx: &mut Tx, who: &Actor, update: &SubscriptionUpdate, id: &str, param: &str) -> Result<()> {
    let price = catalog::price::get(tx, who, id).await.map_err(|e| e.on(param))?;
    let named = update.products.iter().find(|product| product.product == price.product);
    if !update.all_products
        && !named.is_some_and(|product| product.prices.is_empty() || product.prices.contains(&price.id))
    {
        return Err(Error::invalid(param, "The price is not one of those that `subscription_update` offers."));
    }
    Ok(())
}
