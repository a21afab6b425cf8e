//! Which price may go to which, when, and how soon again: the configuration's rules of moves.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer;
use crate::error::Result;
use crate::portal::change::{Offer, When};
use crate::portal::features::{Effective, Transition};
use crate::store::{Tx, maybe};
use crate::subscription::Item;

const DAY: i64 = 86_400;

/// Leaves the offers that `rules` allow an item to go to, and says of each when it takes effect and from when it may be
/// chosen. The first rule that fits a move counts; without any rules every move is free. To have more or fewer of what
/// there is already is no move.
pub(super) async fn rule(
    tx: &mut Tx,
    who: &Actor,
    rules: &[Transition],
    item: &Item,
    offers: &mut Vec<Offer>,
) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let (moved, now) = last_move(tx, who, item).await?;
    let from = &item.price.id;
    offers.retain_mut(|offer| {
        if offer.is_current {
            return true;
        }
        let Some(rule) = rules.iter().find(|rule| fits(rule, from, &offer.price.id)) else { return false };
        offer.effective = rule.effective.map(|effective| match effective {
            Effective::AtPeriodEnd => When::AtPeriodEnd,
            Effective::Immediately => When::Now,
        });
        let opens = moved.zip(rule.cooldown_days).map(|(moved, days)| moved.plus(days * DAY));
        offer.opens = opens.filter(|opens| *opens > now);
        true
    });
    Ok(())
}

fn fits(rule: &Transition, from: &str, to: &str) -> bool {
    let is = |named: &Option<String>, price: &str| named.as_ref().is_none_or(|named| named == price);
    is(&rule.from, from) && is(&rule.to, to)
}

/// When the item's price last changed, if it did, and what time it is for its customer.
async fn last_move(tx: &mut Tx, who: &Actor, item: &Item) -> Result<(Option<Seconds>, Seconds)> {
    let found: Option<(Option<Seconds>, String)> = maybe!(
        tx,
        "select i.price_changed, s.customer from subscription_item i
         join subscription s on s.tenant = i.tenant and s.id = i.subscription where i.tenant = $1 and i.id = $2",
        who.tenant.key,
        &item.id
    )?;
    let (moved, of) = found.unwrap_or_default();
    let customer = customer::get(tx, who, &of).await?;
    Ok((moved, customer::now(tx, who, &customer).await?))
}
