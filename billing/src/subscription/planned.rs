//! Items as they will stand: what a change that waits, for its time or for its payment, makes of a subscription.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::catalog::tax_rate::{self, Named};
use crate::catalog::{price, product};
use crate::clock::Seconds;
use crate::error::Result;
use crate::id;
use crate::patch::Metadata;
use crate::store::Tx;
use crate::subscription::items::{self, Items};
use crate::subscription::{Item, Subscription};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedItem {
    /// `None` is one that will be named when it is made.
    pub id: Option<String>,
    pub price: String,
    pub quantity: i64,
    /// Ids.
    pub tax_rates: Vec<String>,
    pub metadata: Metadata,
}

impl From<&Item> for PlannedItem {
    fn from(item: &Item) -> Self {
        Self {
            id: Some(item.id.clone()),
            price: item.price.id.clone(),
            quantity: item.quantity,
            tax_rates: item.tax_rates.iter().map(|named| named.id.clone()).collect(),
            metadata: item.metadata.clone(),
        }
    }
}

/// Puts them in the place of the items that stand. What was decided then holds: a price that has been archived since is
/// no reason to refuse. The subscription is still to be saved.
pub(crate) async fn put(
    tx: &mut Tx,
    who: &Actor,
    subscription: &mut Subscription,
    planned: &[PlannedItem],
    now: Seconds,
) -> Result<()> {
    let before = std::mem::take(&mut subscription.items);
    let mut next = before.iter().map(|item| item.position + 1).max().unwrap_or_default();
    let mut kept = Vec::new();
    for plan in planned {
        let was = before.iter().find(|item| plan.id.as_ref() == Some(&item.id));
        let price = price::get(tx, who, &plan.price).await?;
        let product_name = product::get(tx, who, &price.product).await?.name;
        let mut tax_rates: Vec<Named> = plan.tax_rates.iter().cloned().map(Named::from).collect();
        tax_rate::load(tx, who, &mut tax_rates).await?;
        let position = was.map_or(next, |item| item.position);
        next += i64::from(was.is_none());
        kept.push(Item {
            id: plan.id.clone().unwrap_or_else(|| id::new("si", tx.now)),
            subscription: subscription.id.clone(),
            position,
            price,
            product_name,
            quantity: plan.quantity,
            current_period_start: subscription.current_period_start,
            current_period_end: subscription.current_period_end,
            tax_rates,
            discounts: was.map(|item| item.discounts.clone()).unwrap_or_default(),
            metadata: plan.metadata.clone(),
            created: was.map_or(now, |item| item.created),
        });
    }
    let removed = before.iter().filter(|item| kept.iter().all(|other| other.id != item.id)).cloned().collect();
    let items = Items { kept, removed, about: Vec::new() };
    items::save(tx, who, &before, &items, now).await?;
    subscription.items = items.kept;
    Ok(())
}
