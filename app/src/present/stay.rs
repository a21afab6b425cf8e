//! What is offered to somebody who is about to cancel, in words.

use billing::catalog::Coupon;
use billing::discount::Duration;
use billing::portal::offers::What;
use billing::quote::Quote;
use billing::subscription::Subscription;

use super::standing;
use crate::pages::cancel::{Offer, OfferWay};
use crate::text::{Locale, format, say};

/// `quote` is what the offer would make of the next payment, where it changes it.
pub fn card(locale: Locale, subscription: &Subscription, what: &What, quote: Option<&Quote>) -> Offer {
    let id = &subscription.id;
    let take = OfferWay::Take(what.key().unwrap_or_default());
    match what {
        What::Coupon(coupon) => {
            Offer { title: off(locale, coupon), text: next(locale, subscription, quote), way: take }
        }
        What::FreeDays(days) => {
            let days = say!(lasts.days, locale, n = *days);
            Offer {
                title: say!(stay.free_days, locale, days = days),
                text: next(locale, subscription, quote),
                way: take,
            }
        }
        What::Pause => Offer {
            title: say!(stay.pause, locale),
            text: say!(stay.pause_text, locale),
            way: OfferWay::Look { href: format!("/subscriptions/{id}/pause"), label: say!(stay.pause_look, locale) },
        },
        What::Price { item, price, quantity, product } => {
            let amount = price.amount(*quantity).ok().map(|amount| format::money(locale, amount, &price.currency));
            let every = standing::interval(locale, price).unwrap_or_default();
            let plan = standing::lot(product, *quantity);
            let href = format!("/subscriptions/{id}/change/review?item={item}&price={}&quantity={quantity}", price.id);
            Offer {
                title: say!(stay.price, locale, plan = plan, amount = amount.unwrap_or_default(), every = every),
                text: say!(stay.price_text, locale),
                way: OfferWay::Look { href, label: say!(stay.price_look, locale) },
            }
        }
    }
}

/// `20% off for 3 months`
fn off(locale: Locale, coupon: &Coupon) -> String {
    let off = match (coupon.percent_off, coupon.amount_off, &coupon.currency) {
        (None, Some(amount), Some(currency)) => format::money(locale, amount, currency),
        (percent, ..) => {
            let n = percent.map(|percent| format::fraction(locale, &percent.to_string())).unwrap_or_default();
            say!(stay.percent, locale, n = n)
        }
    };
    match (coupon.duration, coupon.duration_in_months) {
        (Duration::Repeating, Some(n)) => {
            say!(stay.repeating, locale, off = off, months = say!(lasts.months, locale, n = n))
        }
        (Duration::Forever, _) => say!(stay.forever, locale, off = off),
        _ => say!(stay.once, locale, off = off),
    }
}

/// When the next payment is, and how much instead of how much.
fn next(locale: Locale, subscription: &Subscription, quote: Option<&Quote>) -> String {
    let Some(renewal) = quote.and_then(|quote| quote.renewal.as_ref()) else { return String::new() };
    let date = format::date(locale, renewal.created);
    let amount = format::money(locale, renewal.amount_due, &renewal.currency);
    if renewal.created != subscription.current_period_end {
        return say!(stay.later, locale, amount = amount, date = date);
    }
    match standing::price(locale, subscription).filter(|before| *before != amount) {
        Some(before) => say!(stay.next, locale, date = date, amount = amount, before = before),
        None => say!(stay.later, locale, amount = amount, date = date),
    }
}
