//! One subscription's data: its lines, its dates, what it is charged to, and what may be done with it.

use billing::subscription::{self, CollectionMethod, Item, Status, Subscription};
use billing::{Result, Seconds, Tx};

use super::overview::{Held, find_method, hold};
use super::{method, standing};
use crate::pages::subscription::{Detail, Done, Line, PaidWith, Scheduled};
use crate::parts::Fact;
use crate::session::Session;
use crate::text::{Locale, format, say};

pub struct Books {
    pub now: Seconds,
    pub held: Held,
}

pub async fn read(tx: &mut Tx, session: &Session, id: &str) -> Result<Books> {
    let found = subscription::get(tx, &session.who, id).await?;
    let default = find_method(tx, session, session.guest.customer.default_payment_method.as_deref()).await?;
    let held = hold(tx, session, found, default.as_ref()).await?;
    let now = billing::customer::now(tx, &session.who, &session.guest.customer).await?;
    Ok(Books { now, held })
}

pub fn view(session: &Session, books: &Books, done: &str) -> Detail {
    let may_cancel = session.guest.configuration.features.subscription_cancel.enabled && !session.who.is_read_only();
    detail(session.locale, books, may_cancel, done)
}

fn detail(locale: Locale, books: &Books, may_cancel: bool, done: &str) -> Detail {
    let subscription = &books.held.subscription;
    let ends = standing::ends_on(subscription);
    let scheduled = ends.map(|at| scheduled(locale, at, may_cancel && subscription.cancel_at_period_end));
    let is_over = subscription.status.is_ended();
    Detail {
        id: subscription.id.clone(),
        name: standing::name(subscription),
        price: standing::price(locale, subscription),
        every: standing::every(locale, subscription),
        pill: standing::pill(locale, subscription),
        facts: standing::facts(locale, &books.held),
        items: subscription.items.iter().map(|item| line(locale, item)).collect(),
        total: standing::price(locale, subscription).filter(|_| subscription.items.len() > 1),
        dates: dates(locale, subscription),
        paid_with: paid_with(locale, books),
        may_cancel: may_cancel && !is_over && scheduled.is_none(),
        done: what_was_done(done, scheduled.is_some(), is_over),
        scheduled,
    }
}

/// What the address says was done counts only where the subscription bears it out.
fn what_was_done(done: &str, is_scheduled: bool, is_over: bool) -> Option<Done> {
    match done {
        "canceled" if is_over => Some(Done::Ended),
        "canceled" if is_scheduled => Some(Done::Canceled),
        "kept" if !is_scheduled && !is_over => Some(Done::Kept),
        _ => None,
    }
}

fn scheduled(locale: Locale, at: Seconds, may_undo: bool) -> Scheduled {
    let title = say!(fact.scheduled, locale, date = format::date(locale, at));
    let text = if may_undo { say!(fact.scheduled_text, locale) } else { say!(fact.scheduled_locked, locale) };
    Scheduled { title, text, may_undo }
}

fn line(locale: Locale, item: &Item) -> Line {
    let amount = item.price.amount(item.quantity).ok();
    Line {
        name: item.product_name.clone(),
        detail: standing::unit(locale, &item.price, item.quantity),
        amount: amount.map(|amount| format::money(locale, amount, &item.price.currency)),
    }
}

fn dates(locale: Locale, subscription: &Subscription) -> Vec<Fact> {
    let fact = |label: String, value: String| Fact { label, value, hint: None };
    let date = |at: Seconds| format::date(locale, at);
    let mut facts = vec![fact(say!(fact.started, locale), date(subscription.start_date))];
    if !subscription.status.is_ended() && subscription.status != Status::Incomplete {
        let period = format::dates(locale, subscription.current_period_start, subscription.current_period_end);
        facts.push(fact(say!(fact.period, locale), period));
    }
    if let Some(end) = subscription.trial_end {
        facts.push(fact(say!(fact.trial, locale), say!(fact.until, locale, date = date(end))));
    }
    if let Some(at) = subscription.canceled_at {
        facts.push(fact(say!(fact.canceled_on, locale), date(at)));
    }
    facts
}

fn paid_with(locale: Locale, books: &Books) -> PaidWith {
    match &books.held.method {
        _ if books.held.subscription.collection_method == CollectionMethod::SendInvoice => {
            PaidWith::Words(say!(fact.by_invoice, locale))
        }
        Some(found) => PaidWith::Method(method::method(locale, books.now, found)),
        None => PaidWith::Words(say!(fact.nothing_on_file, locale)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::sample::{at, card, item, subscription as plan};

    fn shown(subscription: Subscription, may_cancel: bool, done: &str) -> Detail {
        let held = Held { subscription, method: Some(card(12, 2027)), open: None };
        detail(Locale::En, &Books { now: at("2026-11-20"), held }, may_cancel, done)
    }

    #[test]
    fn lines_add_up() {
        let mut team = plan(Status::Active);
        team.items = vec![item("Team", 5, Some(1000)), item("Support", 1, Some(9900))];
        let page = shown(team, true, "");
        assert_eq!(page.items[0].detail, "5 × €10.00 per month");
        assert_eq!(page.items[0].amount.as_deref(), Some("€50.00"));
        assert_eq!(page.total.as_deref(), Some("€149.00"));
        assert_eq!(shown(plan(Status::Active), true, "").total, None);
    }

    #[test]
    fn a_price_without_a_unit_amount_is_shown_without_one() {
        let mut usage = plan(Status::Active);
        usage.items = vec![item("Usage", 1, None)];
        let page = shown(usage, true, "");
        assert_eq!((page.items[0].detail.as_str(), &page.items[0].amount, &page.price), ("per month", &None, &None));
    }

    #[test]
    fn the_way_out_is_there_when_it_leads_somewhere() {
        assert!(shown(plan(Status::Active), true, "").may_cancel);
        assert!(shown(plan(Status::PastDue), true, "").may_cancel);
        assert!(!shown(plan(Status::Active), false, "").may_cancel);
        assert!(!shown(plan(Status::Canceled), true, "").may_cancel);
        let ending = Subscription { cancel_at_period_end: true, ..plan(Status::Active) };
        let page = shown(ending, true, "canceled");
        assert!(!page.may_cancel);
        assert!(page.scheduled.unwrap().may_undo);
        assert_eq!(page.done, Some(Done::Canceled));
    }

    #[test]
    fn a_cancellation_by_the_merchant_is_shown_and_locked() {
        let page = shown(Subscription { cancel_at: Some(at("2027-01-01")), ..plan(Status::Active) }, true, "");
        let scheduled = page.scheduled.unwrap();
        assert_eq!(scheduled.title, "This subscription is canceled and ends on January 1, 2027.");
        assert!(!scheduled.may_undo);
    }

    #[test]
    fn an_address_alone_proves_nothing() {
        assert_eq!(shown(plan(Status::Active), true, "canceled").done, None);
        assert_eq!(shown(plan(Status::Active), true, "kept").done, Some(Done::Kept));
        assert_eq!(shown(plan(Status::Canceled), true, "kept").done, None);
        assert_eq!(shown(plan(Status::Canceled), true, "canceled").done, Some(Done::Ended));
        assert_eq!(shown(plan(Status::Active), true, "<script>").done, None);
    }
}
