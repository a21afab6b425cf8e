//! What pausing a subscription would mean, and what going on costs.

use billing::period::{Interval, Recurring};
use billing::portal::change::When;
use billing::portal::features::SubscriptionPause;
use billing::portal::pausing;
use billing::quote::Confirmed;
use billing::{Seconds, transact};

use super::subscription::Books;
use super::{quoted, standing};
use crate::error::Result;
use crate::pages::pause::{Pausing, Way};
use crate::pages::resume::Resuming;
use crate::parts::Closed;
use crate::session::Session;
use crate::text::{Locale, format, say};

pub fn view(session: &Session, books: &Books) -> Result<Pausing> {
    let feature = &session.guest.configuration.features.subscription_pause;
    let may = !session.who.is_read_only();
    let keep = session.aside(format!("/subscriptions/{}", books.held.subscription.id));
    Ok(Pausing { keep, ..pausing(session.locale, books, feature, may)? })
}

fn pausing(locale: Locale, books: &Books, feature: &SubscriptionPause, may: bool) -> billing::Result<Pausing> {
    let subscription = &books.held.subscription;
    let plan = standing::name(subscription);
    let way = if may && pausing::is_pausable(subscription) {
        let begins = pausing::begins(feature, subscription, books.now);
        let lengths = pausing::lengths(feature);
        let each = lengths.iter().map(|length| said(locale, *length, begins));
        Way::Open { lengths: each.collect::<billing::Result<_>>()?, effects: effects(locale, feature, begins) }
    } else {
        Way::Closed(Closed { title: say!(lull.closed, locale), text: say!(lull.closed_text, locale, plan = plan) })
    };
    Ok(Pausing { id: subscription.id.clone(), plan, keep: String::new(), way })
}

fn effects(locale: Locale, feature: &SubscriptionPause, begins: Seconds) -> Vec<String> {
    let first = match feature.at_period_end {
        true => say!(lull.from, locale, date = format::date(locale, begins)),
        false => say!(lull.at_once, locale),
    };
    let credit = (!feature.at_period_end).then(|| say!(lull.credit, locale));
    [Some(first), Some(say!(lull.no_charge, locale)), credit, Some(say!(lull.back, locale))]
        .into_iter()
        .flatten()
        .collect()
}

/// `3 months, until March 20, 2027`
fn said(locale: Locale, length: Recurring, begins: Seconds) -> billing::Result<String> {
    let n = length.count;
    let lasts = match length.interval {
        Interval::Day => say!(lasts.days, locale, n = n),
        Interval::Week => say!(lasts.weeks, locale, n = n),
        Interval::Month => say!(lasts.months, locale, n = n),
        Interval::Year => say!(lasts.years, locale, n = n),
    };
    let date = format::date(locale, length.start_of(begins, 1)?);
    Ok(say!(lull.length, locale, length = lasts, date = date))
}

pub async fn resuming(session: &Session, id: &str, stale: bool) -> Result<Resuming> {
    let (who, configuration, locale) = (&session.who, &session.guest.configuration, session.locale);
    let quote = transact!(session.db, |tx| pausing::quote_resume(tx, who, configuration, id).await)?;
    let subscription = billing::subscription::get(&mut session.db.read().await?, who, id).await?;
    let method = quoted::method(session, &subscription).await?;
    let amount = format::money(locale, quote.due_now(), &subscription.currency);
    Ok(Resuming {
        id: id.into(),
        plan: standing::name(&subscription),
        confirm: match quote.due_now() {
            0 => say!(lull.resume, locale),
            _ => say!(lull.resume_pay, locale, amount = amount),
        },
        quoted: quoted::view(locale, &quoted::Terms::of(&subscription, When::Now, method.as_ref()), &quote, stale),
    })
}

/// Where to go next: to the subscription as it is now, or back, where the quote does not hold any more.
pub async fn resume(session: &Session, id: &str, token: &str) -> Result<String> {
    let (who, configuration) = (&session.who, &session.guest.configuration);
    match transact!(session.db, |tx| pausing::resume(tx, who, configuration, id, token).await)? {
        Confirmed::Done(done) => {
            quoted::charge(session, &done).await?;
            Ok(session.onward(format!("/subscriptions/{id}?done=resumed")))
        }
        Confirmed::Stale(_) => Ok(format!("/subscriptions/{id}/resume?stale=1")),
    }
}
