//! The discounts of a subscription and of its items: several, taken off in the order they are given.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::discount::redeem::{self, Redemption};
use crate::discount::{Discount, Holder, Wanted, covers, record};
use crate::error::{Error, Result};
use crate::patch::Patch;
use crate::store::Tx;
use crate::subscription::{ItemChange, Subscription, SubscriptionUpdate, get, update};

/// Puts discounts in place of those that the subscription itself has.
pub(crate) async fn set(
    tx: &mut Tx,
    who: &Actor,
    subscription: &mut Subscription,
    wanted: &Patch<Vec<Wanted>>,
    now: Seconds,
) -> Result<()> {
    let redemption = Redemption {
        customer: &subscription.customer,
        holder: Holder::Subscription(&subscription.id),
        currency: Some(&subscription.currency),
        amount: Some(subscription.renewal_amount()?),
        now,
        param: "discounts",
        replaces: None,
    };
    subscription.discounts = redeem::set(tx, who, redemption, wanted).await?;
    Ok(())
}

/// Puts discounts in place of those that the item at `index` has; `item` is the parameter that the item was given in.
pub(crate) async fn set_of_item(
    tx: &mut Tx,
    who: &Actor,
    subscription: &mut Subscription,
    (index, item): (usize, &str),
    wanted: &Patch<Vec<Wanted>>,
    now: Seconds,
) -> Result<()> {
    let Some(own) = subscription.items.get_mut(index) else { return Ok(()) };
    let redemption = Redemption {
        customer: &subscription.customer,
        holder: Holder::Item(&subscription.id, &own.id),
        currency: Some(&subscription.currency),
        amount: Some(own.price.amount(own.quantity)?),
        now,
        param: &format!("{item}[discounts]"),
        replaces: None,
    };
    own.discounts = redeem::set(tx, who, redemption, wanted).await?;
    Ok(())
}

/// Does so for every item that a change says discounts of. `about` are the items' ids, a change each.
pub(crate) async fn set_of_items(
    tx: &mut Tx,
    who: &Actor,
    subscription: &mut Subscription,
    changes: &[ItemChange],
    about: &[String],
    now: Seconds,
) -> Result<()> {
    for (n, (change, id)) in changes.iter().zip(about).enumerate() {
        let Some(at) = subscription.items.iter().position(|item| item.id == *id) else { continue };
        if change.discounts != Patch::Keep {
            let param = format!("items[{n}]");
            set_of_item(tx, who, subscription, (at, &param), &change.discounts, now).await?;
        }
    }
    Ok(())
}

/// Takes every discount off a subscription; answers the first. `Missing` where there is none.
pub async fn remove(tx: &mut Tx, who: &Actor, id: &str) -> Result<Discount> {
    let subscription = get(tx, who, id).await?;
    let first = subscription.discounts.into_iter().next().ok_or_else(|| Error::missing("discount", id))?;
    let cleared = SubscriptionUpdate { discounts: Patch::Clear, ..SubscriptionUpdate::default() };
    update::update(tx, who, id, cleared).await?;
    Ok(first)
}

/// Ends the discounts whose time is over when a period begins: the subscription's, and the customer's.
pub(crate) async fn expire(tx: &mut Tx, who: &Actor, subscription: &mut Subscription) -> Result<()> {
    let start = subscription.current_period_start;
    let items = subscription.items.iter_mut().map(|item| &mut item.discounts);
    for discounts in items.chain([&mut subscription.discounts]) {
        for over in discounts.extract_if(.., |discount| !covers(discount.ends, start)) {
            redeem::end(tx, who, &over, start).await?;
        }
    }
    let above = record::on(tx, who, &subscription.customer, Holder::Customer).await?;
    for over in above.iter().filter(|discount| !covers(discount.ends, start)) {
        redeem::end(tx, who, over, start).await?;
    }
    Ok(())
}
