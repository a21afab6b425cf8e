//! One subscription's data: its lines, its dates, what it is charged to, and what may be done with it.

use billing::catalog::{price, product};
use billing::invoice::{self, Invoice};
use billing::portal::pausing::is_pausable;
use billing::subscription::scheduled::{By, Kind};
use billing::subscription::{self, CollectionMethod, Item, Status, Subscription};
use billing::{Result, Seconds, Tx};

use super::overview::{Held, find_method, hold};
use super::{change, method, standing};
use crate::pages::subscription::{Detail, Done, Line, PaidWith, Scheduled, Undo};
use crate::parts::Fact;
use crate::session::Session;
use crate::text::{Locale, format, say};

pub struct Books {
    pub now: Seconds,
    pub held: Held,
    /// The invoice that a change waits for.
    pub pending: Option<Invoice>,
    /// What the plan will be when what waits takes effect: `Team × 5`.
    pub planned: String,
}

pub async fn read(tx: &mut Tx, session: &Session, id: &str) -> Result<Books> {
    let found = subscription::get(tx, &session.who, id).await?;
    let default = find_method(tx, session, session.guest.customer.default_payment_method.as_deref()).await?;
    let held = hold(tx, session, found, default.as_ref()).await?;
    let now = billing::customer::now(tx, &session.who, &session.guest.customer).await?;
    let pending = match &held.subscription.pending_update {
        Some(pending) => Some(invoice::get(tx, &session.who, &pending.invoice).await?),
        None => None,
    };
    let planned = planned(tx, session, &held.subscription).await?;
    Ok(Books { now, held, pending, planned })
}

/// The name of what a subscription will be.
async fn planned(tx: &mut Tx, session: &Session, subscription: &Subscription) -> Result<String> {
    let items = match (&subscription.pending_update, &subscription.scheduled) {
        (Some(pending), _) => &pending.items,
        (None, Some(change)) => &change.change.items,
        (None, None) => return Ok(String::new()),
    };
    let mut lots = Vec::with_capacity(items.len());
    for item in items {
        let product = price::get(tx, &session.who, &item.price).await?.product;
        lots.push(standing::lot(&product::get(tx, &session.who, &product).await?.name, item.quantity));
    }
    Ok(standing::all(lots))
}

pub fn view(session: &Session, books: &Books, done: &str) -> Detail {
    let may_cancel = session.guest.configuration.features.subscription_cancel.enabled && !session.who.is_read_only();
    let write = !session.who.is_read_only();
    let pause = session.guest.configuration.features.subscription_pause.enabled && write;
    let may = May { cancel: may_cancel, change: change::is_offered(session), pause, write };
    detail(session.locale, books, may, done)
}

/// What this session may do here.
#[derive(Debug, Clone, Copy)]
struct May {
    cancel: bool,
    change: bool,
    pause: bool,
    write: bool,
}

fn detail(locale: Locale, books: &Books, may: May, done: &str) -> Detail {
    let subscription = &books.held.subscription;
    let ends = standing::ends_on(subscription);
    let waiting = waiting(locale, books, may);
    let is_over = subscription.status.is_ended();
    let change = may.change.then(|| change::href(subscription)).flatten();
    let several = subscription.items.len() > 1;
    let of = |item: &Item| change.as_ref().filter(|_| several).map(|href| format!("{href}?item={}", item.id));
    Detail {
        id: subscription.id.clone(),
        name: standing::name(subscription),
        price: standing::price(locale, subscription),
        every: standing::every(locale, subscription),
        pill: standing::pill(locale, subscription),
        facts: standing::facts(locale, &books.held),
        items: subscription.items.iter().map(|item| Line { change: of(item), ..line(locale, item) }).collect(),
        total: standing::price(locale, subscription).filter(|_| subscription.items.len() > 1),
        dates: dates(locale, subscription),
        paid_with: paid_with(locale, books),
        may_cancel: may.cancel && !is_over && ends.is_none(),
        done: what_was_done(done, subscription, ends.is_some()),
        scheduled: ends.map(|at| ending(locale, at, may.cancel && subscription.cancel_at_period_end)).or(waiting),
        change: change.filter(|_| !several),
        pause: (may.pause && is_pausable(subscription)).then(|| format!("/subscriptions/{}/pause", subscription.id)),
        resume: (may.pause && subscription.status == Status::Paused)
            .then(|| format!("/subscriptions/{}/resume", subscription.id)),
    }
}

/// What the address says was done counts only where the subscription bears it out.
fn what_was_done(done: &str, subscription: &Subscription, is_ending: bool) -> Option<Done> {
    let is_over = subscription.status.is_ended();
    match done {
        "canceled" if is_over => Some(Done::Ended),
        "canceled" if is_ending => Some(Done::Canceled),
        "paused" if subscription.status == Status::Paused => Some(Done::Paused),
        "paused" if subscription.scheduled.is_some() => Some(Done::PauseScheduled),
        "resumed" if subscription.status != Status::Paused && !is_over => Some(Done::Resumed),
        "changed" if subscription.pending_update.is_some() => Some(Done::Waiting),
        "changed" if subscription.scheduled.is_some() => Some(Done::Scheduled),
        "changed" if !is_over => Some(Done::Changed),
        "unchanged" if subscription.pending_update.is_none() && subscription.scheduled.is_none() => {
            Some(Done::Unchanged)
        }
        "started" if matches!(subscription.status, Status::Active | Status::Trialing) => Some(Done::Started),
        "stayed" if !is_ending && !is_over => Some(Done::Stayed),
        "kept" if !is_ending && !is_over => Some(Done::Kept),
        _ => None,
    }
}

fn ending(locale: Locale, at: Seconds, may_undo: bool) -> Scheduled {
    let title = say!(fact.scheduled, locale, date = format::date(locale, at));
    let text = if may_undo { say!(fact.scheduled_text, locale) } else { say!(fact.scheduled_locked, locale) };
    Scheduled { title, text, href: None, undo: may_undo.then_some(Undo::Cancel) }
}

/// What waits: for its payment, or for its day.
fn waiting(locale: Locale, books: &Books, may: May) -> Option<Scheduled> {
    let subscription = &books.held.subscription;
    if let Some(pending) = &subscription.pending_update {
        let open = books.pending.as_ref();
        let amount = open.map(|invoice| format::money(locale, invoice.amount_remaining(), &invoice.currency));
        let amount = amount.unwrap_or_default();
        return Some(Scheduled {
            title: say!(fact.pending, locale),
            text: say!(fact.pending_text, locale, plan = books.planned, amount = amount),
            href: Some(format!("/invoices/{}", pending.invoice)),
            undo: may.write.then_some(Undo::Pending),
        });
    }
    let change = subscription.scheduled.as_ref()?;
    let date = format::date(locale, change.due);
    let may_undo = may.write && change.origin == By::Portal;
    let (title, text) = match change.kind {
        Kind::Update if may_undo => {
            (say!(fact.changes, locale, plan = books.planned, date = date), say!(fact.changes_text, locale))
        }
        Kind::Update => {
            (say!(fact.changes, locale, plan = books.planned, date = date), say!(fact.changes_locked, locale))
        }
        Kind::Pause => (say!(fact.pauses, locale, date = date), say!(fact.pauses_text, locale)),
        // When it resumes is told with the pause itself.
        Kind::Resume => return None,
    };
    Some(Scheduled { title, text, href: None, undo: may_undo.then_some(Undo::Change) })
}

fn line(locale: Locale, item: &Item) -> Line {
    let amount = item.price.amount(item.quantity).ok();
    Line {
        name: item.product_name.clone(),
        detail: standing::unit(locale, &item.price, item.quantity),
        amount: amount.map(|amount| format::money(locale, amount, &item.price.currency)),
        change: None,
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
        let books = Books { now: at("2026-11-20"), held, pending: None, planned: "Team × 5".into() };
        detail(Locale::En, &books, May { cancel: may_cancel, change: true, pause: true, write: true }, done)
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
        assert!(page.scheduled.unwrap().undo == Some(Undo::Cancel));
        assert_eq!(page.done, Some(Done::Canceled));
    }

    #[test]
    fn a_cancellation_by_the_merchant_is_shown_and_locked() {
        let page = shown(Subscription { cancel_at: Some(at("2027-01-01")), ..plan(Status::Active) }, true, "");
        let scheduled = page.scheduled.unwrap();
        assert_eq!(scheduled.title, "This subscription is canceled and ends on January 1, 2027.");
        assert_eq!(scheduled.undo, None);
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
