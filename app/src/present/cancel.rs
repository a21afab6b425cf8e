//! What canceling would mean for one subscription, as the configuration has it.

use billing::portal::canceling::{self, Cancellation};
use billing::portal::features::{CancelMode, Proration, SubscriptionCancel};
use billing::portal::feedback::{self, FeedbackOption};
use billing::portal::offers;
use billing::quote::{Confirmed, Quote};
use billing::subscription::{Feedback, Status};
use billing::{Tx, transact};

use super::subscription::Books;
use super::{quoted, standing, stay};
use crate::error::Result;
use crate::pages::cancel::{Leaving, Reason, Terms, Way};
use crate::session::Session;
use crate::text::{Locale, format, say};

/// What the form holds: both answers may be left out. A reason is one of Stripe's words, or the id of one of the merchant's.
pub fn answers(feedback: Option<String>, comment: Option<String>) -> Result<Cancellation> {
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let (feedback_option, word): (Vec<_>, Vec<_>) =
        given(feedback).into_iter().partition(|reason| reason.starts_with("bfo_"));
    let feedback = word.first().map(|word| Feedback::parse(word, "feedback")).transpose()?;
    Ok(Cancellation { feedback, feedback_option: feedback_option.into_iter().next(), comment: given(comment) })
}

/// Reads, and quotes where it would be at once.
pub async fn read(session: &Session, id: &str, stale: bool) -> Result<Leaving> {
    let (who, configuration) = (&session.who, &session.guest.configuration);
    let mut tx = session.db.read().await?;
    let books = super::subscription::read(&mut tx, session, id).await?;
    let own = own_reasons(&mut tx, session).await?;
    let subscription = &books.held.subscription;
    let open = offers::open(&mut tx, who, configuration, &session.guest.session, subscription).await?;
    drop(tx);
    let feature = &configuration.features.subscription_cancel;
    let may = feature.enabled && !who.is_read_only();
    let goes_on = !subscription.status.is_ended() && standing::ends_on(subscription).is_none();
    let quote = match may && goes_on {
        true => transact!(session.db, |tx| canceling::quote(tx, who, configuration, id).await)?,
        false => None,
    };
    let mut cards = Vec::with_capacity(open.len());
    for offer in open.into_iter().filter(|_| may) {
        let quote = transact!(session.db, |tx| offers::quote(tx, who, subscription, &offer.what).await)?;
        cards.push((stay::card(session.locale, subscription, &offer.what, quote.as_ref()), offer.reasons));
    }
    let terms = Asking { feature, own: &own, quote: quote.as_ref(), is_new: stale, offers: cards };
    let keep = session.aside(format!("/subscriptions/{id}"));
    Ok(Leaving { keep, ..leaving(session.locale, &books, terms, may, &session.guest.brand.name) })
}

/// Where to go next: to the subscription as it is now, or back, where the quote does not hold any more.
pub async fn cancel(session: &Session, id: &str, given: Cancellation, quote: Option<&str>) -> Result<String> {
    let (who, allowed) = (&session.who, &session.guest.configuration);
    match transact!(session.db, |tx| canceling::cancel(tx, who, allowed, id, given.clone(), quote).await)? {
        Confirmed::Done(done) => {
            quoted::charge(session, &done).await?;
            Ok(session.onward(format!("/subscriptions/{id}?done=canceled")))
        }
        Confirmed::Stale(_) => Ok(format!("/subscriptions/{id}/cancel?stale=1")),
    }
}

/// Takes an offer instead.
pub async fn stay(session: &Session, id: &str, key: &str, given: Cancellation) -> Result<String> {
    let (who, allowed, own) = (&session.who, &session.guest.configuration, &session.guest.session);
    transact!(session.db, |tx| offers::accept(tx, who, allowed, own, id, key, given.clone()).await)?;
    Ok(session.onward(format!("/subscriptions/{id}?done=stayed")))
}

/// The merchant's own reasons that are still in use, in the configuration's order.
async fn own_reasons(tx: &mut Tx, session: &Session) -> billing::Result<Vec<FeedbackOption>> {
    let asked = &session.guest.configuration.features.subscription_cancel.cancellation_reason;
    feedback::in_use(tx, &session.who, asked.feedback_options.as_deref().unwrap_or_default()).await
}

/// What the configuration says of canceling, with what was read for it.
struct Asking<'a> {
    feature: &'a SubscriptionCancel,
    /// The texts of the merchant's own reasons.
    own: &'a [FeedbackOption],
    /// Where it would be at once.
    quote: Option<&'a Quote>,
    is_new: bool,
    /// With the reasons that they are for.
    offers: Vec<(crate::pages::cancel::Offer, Vec<String>)>,
}

fn leaving(locale: Locale, books: &Books, asking: Asking, may: bool, merchant: &str) -> Leaving {
    let subscription = &books.held.subscription;
    let plan = standing::name(subscription);
    let way = if subscription.status.is_ended() {
        let date = format::date(locale, subscription.ended_at.unwrap_or(subscription.current_period_end));
        Way::Already(say!(effect.over, locale, plan = plan, date = date))
    } else if let Some(end) = standing::ends_on(subscription) {
        let date = format::date(locale, end);
        Way::Already(say!(effect.already, locale, plan = plan, date = date))
    } else if may {
        Way::Open(Box::new(terms(locale, books, asking)))
    } else {
        Way::Off(say!(effect.off, locale, plan = plan, merchant = merchant))
    };
    Leaving { id: subscription.id.clone(), plan, keep: String::new(), way }
}

fn terms(locale: Locale, books: &Books, asking: Asking) -> Terms {
    let question = &asking.feature.cancellation_reason;
    let (always, by_reason): (Vec<_>, Vec<_>) = asking.offers.into_iter().partition(|(_, reasons)| reasons.is_empty());
    let mut reasons = if question.enabled { reasons(locale, asking.own, &question.options) } else { Vec::new() };
    for reason in &mut reasons {
        let own = by_reason.iter().filter(|(_, reasons)| reasons.contains(&reason.value));
        reason.offers = own.map(|(offer, _)| offer.clone()).collect();
    }
    Terms {
        effects: effects(locale, books, asking.feature, asking.quote),
        at_once: asking.feature.mode == CancelMode::Immediately,
        quote: asking.quote.map(|quote| quote.token.clone()),
        is_new: asking.is_new,
        offers: always.into_iter().map(|(offer, _)| offer).collect(),
        reasons,
        is_required: question.required,
    }
}

/// The merchant's own words come first, so that "another reason" stays where lists end.
fn reasons(locale: Locale, own: &[FeedbackOption], options: &[Feedback]) -> Vec<Reason> {
    let reason = |value: &str, label: String| Reason { value: value.to_owned(), label, offers: Vec::new() };
    let own = own.iter().map(|option| reason(&option.id, option.description.clone()));
    let usual = options.iter().map(|word| reason(word.name(), label(locale, *word)));
    own.chain(usual).collect()
}

fn effects(locale: Locale, books: &Books, feature: &SubscriptionCancel, quote: Option<&Quote>) -> Vec<String> {
    let subscription = &books.held.subscription;
    let is_trial = subscription.status == Status::Trialing;
    let end = format::date(locale, subscription.current_period_end);
    let at_once = feature.mode == CancelMode::Immediately;
    let mut effects = vec![match (at_once, is_trial) {
        (true, _) => say!(effect.at_once, locale),
        (false, true) => say!(effect.until_trial, locale, date = end),
        (false, false) => say!(effect.until, locale, date = end),
    }];
    effects.push(match &books.held.open {
        Some(open) => {
            let amount = format::money(locale, open.amount_remaining(), &open.currency);
            say!(effect.open, locale, amount = amount)
        }
        None => say!(effect.no_charge, locale),
    });
    let credit = quote.map_or(0, given_back);
    if credit > 0 {
        effects.push(say!(effect.credit, locale, amount = format::money(locale, credit, &subscription.currency)));
    }
    let has_paid = !is_trial && subscription.status != Status::Incomplete;
    if has_paid && credit == 0 && feature.proration_behavior == Proration::None {
        effects.push(say!(effect.no_refund, locale));
    }
    if !at_once {
        effects.push(say!(effect.undo, locale));
    }
    effects
}

/// What the customer has back, for what comes next: the rest of a last invoice, and what waits.
fn given_back(quote: &Quote) -> i64 {
    let waiting: i64 = quote.waiting.iter().map(|item| item.amount).sum();
    let rest = quote.invoice.as_ref().map_or(0, |invoice| (-invoice.total).max(0));
    rest - waiting.min(0)
}

fn label(locale: Locale, reason: Feedback) -> String {
    match reason {
        Feedback::CustomerService => say!(reason.customer_service, locale),
        Feedback::LowQuality => say!(reason.low_quality, locale),
        Feedback::MissingFeatures => say!(reason.missing_features, locale),
        Feedback::Other => say!(reason.another, locale),
        Feedback::SwitchedService => say!(reason.switched_service, locale),
        Feedback::TooComplex => say!(reason.too_complex, locale),
        Feedback::TooExpensive => say!(reason.too_expensive, locale),
        Feedback::Unused => say!(reason.unused, locale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::cancel::{Offer, OfferWay};
    use crate::present::overview::Held;
    use crate::present::sample::{at, invoice, subscription};
    use billing::portal::Features;
    use billing::subscription::Subscription;

    fn way(subscription: Subscription, feature: &SubscriptionCancel, may: bool) -> Way {
        let held = Held { subscription, method: None, open: None };
        let own = &[option("bfo_2", "Too many mails"), option("bfo_1", "Moved away")];
        let offers = vec![(offer("half"), Vec::new()), (offer("a month"), vec!["unused".to_owned()])];
        let asking = Asking { feature, own, quote: None, is_new: false, offers };
        let books = Books { now: at("2026-11-20"), held, pending: None, planned: String::new() };
        leaving(Locale::En, &books, asking, may, "Acme").way
    }

    fn offer(title: &str) -> Offer {
        Offer { title: title.into(), text: String::new(), way: OfferWay::Take(title.into()) }
    }

    fn option(id: &str, description: &str) -> FeedbackOption {
        let (id, description) = (id.to_owned(), description.to_owned());
        FeedbackOption { id, description, active: true, deactivated_at: None, created: at("2026-11-20"), version: 1 }
    }

    fn usual() -> SubscriptionCancel {
        Features::usual().subscription_cancel
    }

    #[test]
    fn at_the_end_of_the_period() {
        let Way::Open(terms) = way(subscription(Status::Active), &usual(), true) else { panic!("it is open") };
        assert!(!terms.at_once);
        assert_eq!(
            terms.effects,
            [
                "You keep access until December 20, 2026.",
                "Nothing more will be charged.",
                "Time that is already paid for is not refunded.",
                "Until then you can change your mind at any time.",
            ]
        );
        let said: Vec<_> = terms.reasons.iter().map(|reason| (reason.value.as_str(), reason.label.as_str())).collect();
        assert_eq!(said[..2], [("bfo_2", "Too many mails"), ("bfo_1", "Moved away")]);
        assert_eq!((said.len(), said[2].0), (10, "too_expensive"));
        assert_eq!(terms.offers, [offer("half")]);
        let with_offers: Vec<_> = terms.reasons.iter().filter(|reason| !reason.offers.is_empty()).collect();
        assert_eq!((with_offers.len(), with_offers[0].value.as_str()), (1, "unused"));
        assert_eq!(with_offers[0].offers, [offer("a month")]);
    }

    #[test]
    fn at_once_is_said_plainly() {
        let feature = SubscriptionCancel { mode: CancelMode::Immediately, ..usual() };
        let Way::Open(terms) = way(subscription(Status::Active), &feature, true) else { panic!("it is open") };
        assert!(terms.at_once);
        assert_eq!(terms.effects[0], "Your access ends immediately. This cannot be undone.");
        assert!(!terms.effects.iter().any(|effect| effect.contains("change your mind")));
    }

    #[test]
    fn what_is_owed_stays() {
        let held = Held { subscription: subscription(Status::PastDue), method: None, open: Some(invoice(2000)) };
        let effects = effects(
            Locale::En,
            &Books { now: at("2026-11-20"), held, pending: None, planned: String::new() },
            &usual(),
            None,
        );
        assert!(effects.contains(&"€20.00 from an earlier invoice stays open.".to_owned()), "{effects:?}");
    }

    #[test]
    fn no_question_where_none_is_configured() {
        let mut feature = usual();
        feature.cancellation_reason.enabled = false;
        let Way::Open(terms) = way(subscription(Status::Active), &feature, true) else { panic!("it is open") };
        assert!(terms.reasons.is_empty());
    }

    #[test]
    fn a_feature_that_is_off_and_an_end_that_is_set() {
        let off = way(subscription(Status::Active), &usual(), false);
        assert_eq!(off, Way::Off("To cancel Pro, please get in touch with Acme.".into()));
        let ending = Subscription { cancel_at_period_end: true, ..subscription(Status::Active) };
        assert!(matches!(way(ending, &usual(), true), Way::Already(_)));
        assert!(matches!(way(subscription(Status::Canceled), &usual(), true), Way::Already(_)));
    }

    #[test]
    fn answers_may_be_left_out() {
        let nothing = answers(Some(String::new()), Some("  ".into())).unwrap();
        assert_eq!((nothing.feedback, nothing.comment), (None, None));
        let both = answers(Some("unused".into()), Some("Bye".into())).unwrap();
        assert_eq!((both.feedback, both.comment.as_deref()), (Some(Feedback::Unused), Some("Bye")));
        let own = answers(Some("bfo_1".into()), None).unwrap();
        assert_eq!((own.feedback, own.feedback_option.as_deref()), (None, Some("bfo_1")));
        assert!(answers(Some("bored".into()), None).is_err());
    }
}
