//! The plans that a subscription's item may go to, as cards.

use billing::portal::change::{self, Offer, When};
use billing::subscription::{Item, Subscription};
use billing::{Error, Result, Seconds, Tx};

use super::standing;
use crate::pages::change::{Changing, Group, Plan, Quantity, Way};
use crate::parts::Closed;
use crate::session::Session;
use crate::text::{Locale, format, say};

/// How many of a product's features are named.
const FEATURES: usize = 8;

pub struct Choices {
    pub subscription: Subscription,
    /// What is changed.
    pub item: Item,
    /// With when each would take effect.
    pub offers: Vec<(Offer, When)>,
}

/// Whether plans may be changed here at all.
pub fn is_offered(session: &Session) -> bool {
    session.guest.configuration.features.subscription_update.enabled && !session.who.is_read_only()
}

/// Where the plan of a subscription is changed, if it is in a state to be.
pub fn href(subscription: &Subscription) -> Option<String> {
    change::is_changeable(subscription).then(|| format!("/subscriptions/{}/change", subscription.id))
}

/// `item` is the first one where none is named.
pub async fn read(tx: &mut Tx, session: &Session, id: &str, item: Option<&str>) -> Result<Choices> {
    let subscription = billing::subscription::get(tx, &session.who, id).await?;
    let item = find(&subscription, item)?.clone();
    let configuration = &session.guest.configuration;
    let feature = &configuration.features.subscription_update;
    let found = change::offers(tx, &session.who, configuration, &subscription, &item).await?;
    let mut offers = Vec::with_capacity(found.len());
    for offer in found {
        let quantity = offer.quantity.clamp(item.quantity);
        let when = change::when(feature, &subscription, &item, &offer, quantity)?;
        offers.push((offer, when));
    }
    Ok(Choices { subscription, item, offers })
}

pub fn find<'a>(subscription: &'a Subscription, item: Option<&str>) -> Result<&'a Item> {
    let found = match item {
        Some(id) => subscription.items.iter().find(|item| item.id == id),
        None => subscription.items.first(),
    };
    found.ok_or_else(|| Error::missing("subscription_item", item.unwrap_or_default()))
}

pub fn view(session: &Session, choices: &Choices) -> Changing {
    let keep = session.aside(format!("/subscriptions/{}", choices.subscription.id));
    Changing { keep, ..changing(session.locale, choices, is_offered(session), &session.guest.brand.name) }
}

fn changing(locale: Locale, choices: &Choices, may: bool, merchant: &str) -> Changing {
    let Choices { subscription, item, offers } = choices;
    let way = if may && !offers.is_empty() {
        Way::Open { item: item.id.clone(), groups: groups(locale, subscription, item, offers) }
    } else {
        Way::Closed(closed(locale, subscription, merchant))
    };
    Changing { id: subscription.id.clone(), plan: standing::name(subscription), keep: String::new(), way }
}

/// Why nothing can be chosen.
pub fn closed(locale: Locale, subscription: &Subscription, merchant: &str) -> Closed {
    let plan = standing::name(subscription);
    let text = match standing::ends_on(subscription) {
        Some(date) => say!(offer.ending, locale, plan = plan, date = format::date(locale, date)),
        None if subscription.pending_update.is_some() => say!(offer.pending, locale),
        None => say!(offer.off, locale, plan = plan, merchant = merchant),
    };
    Closed { title: say!(offer.closed, locale), text }
}

fn groups(locale: Locale, subscription: &Subscription, item: &Item, offers: &[(Offer, When)]) -> Vec<Group> {
    let plans =
        offers.iter().map(|(offer, when)| (offer, plan(locale, item.quantity, offer, later(*when, subscription))));
    grouped(locale, plans)
}

/// By how often they are paid: the offers come in the order of their intervals already.
pub fn grouped<'a>(locale: Locale, plans: impl Iterator<Item = (&'a Offer, Plan)>) -> Vec<Group> {
    let mut groups: Vec<(&Offer, Group)> = Vec::new();
    for (offer, plan) in plans {
        match groups.last_mut() {
            Some((first, group)) if first.price.recurring() == offer.price.recurring() => group.plans.push(plan),
            _ => {
                let title = standing::billed(locale, &offer.price).unwrap_or_default();
                groups.push((offer, Group { title, plans: vec![plan] }));
            }
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn later(when: When, subscription: &Subscription) -> Option<Seconds> {
    (when == When::AtPeriodEnd).then_some(subscription.current_period_end)
}

/// `wanted` is how many there are, or would be.
pub fn plan(locale: Locale, wanted: i64, offer: &Offer, later: Option<Seconds>) -> Plan {
    let (price, product) = (&offer.price, &offer.product);
    let chosen = offer.quantity.clamp(wanted);
    let amount = price.amount(chosen).ok();
    let features = product.marketing_features.iter().take(FEATURES).cloned().collect();
    Plan {
        id: price.id.clone(),
        name: product.name.clone(),
        amount: amount.map(|amount| format::money(locale, amount, &price.currency)),
        every: standing::interval(locale, price),
        unit: (chosen != 1 && price.unit_amount.is_some()).then(|| standing::unit(locale, price, chosen)),
        description: product.description.clone(),
        features,
        later: later.filter(|_| !offer.is_current).map(|at| say!(offer.later, locale, date = format::date(locale, at))),
        quantity: Quantity {
            chosen,
            least: offer.quantity.least,
            most: offer.quantity.most,
            is_open: !offer.quantity.is_fixed(),
        },
        is_current: offer.is_current,
        opens: offer.opens.map(|at| say!(offer.opens, locale, date = format::date(locale, at))),
    }
}
