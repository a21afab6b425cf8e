//! The overview's data: read in few statements, told in order of weight.

use billing::customer::payment_method::{self, PaymentMethod};
use billing::invoice::{self, Invoice, InvoiceFilter};
use billing::subscription::{self, CollectionMethod, Status, StatusFilter, Subscription, SubscriptionFilter};
use billing::{Error, Listed, Page, Result, Seconds, Tx};

use super::method::{Validity, last_month, short, validity};
use super::{change, invoices, method, standing};
use crate::pages::overview::{Card, Overview};
use crate::parts::{Alert, Tone};
use crate::session::Session;
use crate::text::{Locale, format, say};

const RUNNING: i64 = 50;
const ENDED: i64 = 3;
const RECENT: i64 = 5;
/// How many unpaid invoices are told of.
const OPEN: i64 = 10;

/// What the overview is made of.
pub struct Books {
    pub now: Seconds,
    pub running: Vec<Held>,
    pub ended: Vec<Held>,
    /// The customer's default.
    pub method: Option<PaymentMethod>,
    /// Whether they can be managed here.
    pub has_methods: bool,
    /// `None` where the portal shows no invoices.
    pub invoices: Option<Listed<Invoice>>,
    /// What is not paid, whatever it is for.
    pub open: Vec<Invoice>,
    /// Whether plans may be changed here.
    pub may_change: bool,
    /// Whether one may be bought.
    pub may_buy: bool,
}

/// A subscription with what its payment hangs on.
pub struct Held {
    pub subscription: Subscription,
    /// What it is charged to: its own method, else the customer's default.
    pub method: Option<PaymentMethod>,
    /// The invoice that waits for its payment.
    pub open: Option<Invoice>,
}

pub async fn read(tx: &mut Tx, session: &Session) -> Result<Books> {
    let (who, guest) = (&session.who, &session.guest);
    let default = find_method(tx, session, guest.customer.default_payment_method.as_deref()).await?;
    let of = |status| SubscriptionFilter { status, ..SubscriptionFilter::default() };
    let listed = subscription::list(tx, who, &Page::first(RUNNING), &of(StatusFilter::NotCanceled)).await?;
    let mut running = Vec::new();
    for subscription in listed.data.into_iter().filter(|s| !s.status.is_ended()) {
        running.push(hold(tx, session, subscription, default.as_ref()).await?);
    }
    let ended = subscription::list(tx, who, &Page::first(ENDED), &of(StatusFilter::Ended)).await?.data;
    let ended = ended.into_iter().map(|subscription| Held { subscription, method: None, open: None }).collect();
    let invoices = if guest.configuration.features.invoice_history.enabled {
        Some(invoice::list_heads(tx, who, &Page::first(RECENT), &InvoiceFilter::default()).await?)
    } else {
        None
    };
    let unpaid = InvoiceFilter { status: Some(invoice::Status::Open), ..InvoiceFilter::default() };
    let open = invoice::list_heads(tx, who, &Page::first(OPEN), &unpaid).await?.data;
    let now = billing::customer::now(tx, who, &guest.customer).await?;
    let has_methods = guest.configuration.features.payment_method_update.is_open();
    let may_change = change::is_offered(session);
    let may_buy = guest.configuration.features.subscription_create.enabled && !who.is_read_only() && running.is_empty();
    Ok(Books { now, running, ended, method: default, has_methods, invoices, open, may_change, may_buy })
}

/// Reads what a subscription's payment hangs on; nothing twice.
pub async fn hold(
    tx: &mut Tx,
    session: &Session,
    subscription: Subscription,
    default: Option<&PaymentMethod>,
) -> Result<Held> {
    let method = match subscription.default_payment_method.as_deref() {
        Some(id) if default.is_some_and(|method| method.id == id) => default.cloned(),
        Some(id) => find_method(tx, session, Some(id)).await?,
        None => default.cloned(),
    };
    let is_owing = matches!(subscription.status, Status::PastDue | Status::Unpaid | Status::Incomplete);
    let open = match &subscription.latest_invoice {
        Some(id) if is_owing => Some(invoice::get(tx, &session.who, id).await?),
        _ => None,
    };
    Ok(Held { subscription, method, open: open.filter(|invoice| invoice.amount_remaining() > 0) })
}

pub async fn find_method(tx: &mut Tx, session: &Session, id: Option<&str>) -> Result<Option<PaymentMethod>> {
    let Some(id) = id else { return Ok(None) };
    match payment_method::get(tx, &session.who, id).await {
        Ok(method) => Ok(Some(method)),
        Err(Error::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

pub fn view(locale: Locale, books: &Books) -> Overview {
    let rows = |listed: &Listed<Invoice>| {
        listed.data.iter().map(|invoice| invoices::row(locale, books.now, invoice)).collect()
    };
    let alerts = alerts(locale, books);
    Overview {
        glance: glance(locale, books, alerts.is_empty()),
        alerts,
        running: books.running.iter().map(|held| card(locale, held, books.may_change)).collect(),
        subscribe: books.may_buy.then(|| "/subscribe".to_owned()),
        ended: books.ended.iter().map(|held| card(locale, held, false)).collect(),
        method: books.method.as_ref().map(|found| method::method(locale, books.now, found)),
        has_methods: books.has_methods,
        invoices: books.invoices.as_ref().map(rows),
        more_invoices: books.invoices.as_ref().is_some_and(|listed| listed.has_more),
    }
}

fn card(locale: Locale, held: &Held, may_change: bool) -> Card {
    let subscription = &held.subscription;
    Card {
        href: href(subscription),
        name: standing::name(subscription),
        price: standing::price(locale, subscription),
        every: standing::every(locale, subscription),
        pill: standing::pill(locale, subscription),
        facts: standing::facts(locale, held),
        change: may_change.then(|| change::href(subscription)).flatten(),
    }
}

fn href(subscription: &Subscription) -> String {
    format!("/subscriptions/{}", subscription.id)
}

/// Whether all is well, and what is paid next: when, how much, how.
fn glance(locale: Locale, books: &Books, is_fine: bool) -> Vec<String> {
    let fine = (is_fine && !books.running.is_empty()).then(|| say!(glance.fine, locale));
    let goes_on = books.running.iter().filter(|held| renews(&held.subscription));
    let next = goes_on.min_by_key(|held| held.subscription.current_period_end);
    fine.into_iter().chain(next.and_then(|held| next_payment(locale, held))).collect()
}

fn next_payment(locale: Locale, held: &Held) -> Option<String> {
    let subscription = &held.subscription;
    let (plan, amount) = (standing::name(subscription), standing::price(locale, subscription)?);
    let date = format::date(locale, subscription.current_period_end);
    match (subscription.collection_method, &held.method) {
        (CollectionMethod::SendInvoice, _) => {
            Some(say!(glance.invoice, locale, amount = amount, plan = plan, date = date))
        }
        (CollectionMethod::ChargeAutomatically, Some(method)) => {
            let method = short(locale, method);
            Some(say!(glance.charge, locale, amount = amount, plan = plan, method = method, date = date))
        }
        // That there is nothing to charge is told as what needs attention.
        (CollectionMethod::ChargeAutomatically, None) => None,
    }
}

/// What is wrong, then what will be: each matter once.
fn alerts(locale: Locale, books: &Books) -> Vec<Alert> {
    let mut alerts: Vec<Alert> = books.running.iter().filter_map(|held| owing(locale, held)).collect();
    let told =
        |invoice: &&Invoice| books.running.iter().any(|held| held.open.as_ref().is_some_and(|o| o.id == invoice.id));
    let others = books.open.iter().filter(|invoice| !told(invoice));
    alerts.extend(others.filter_map(|invoice| unpaid(locale, books, invoice)));
    alerts.extend(books.running.iter().filter_map(|held| nothing_to_charge(locale, held)));
    let mut told: Vec<&str> = Vec::new();
    for held in books.running.iter().filter(|held| will_be_charged(&held.subscription)) {
        if let Some(method) = &held.method
            && !told.contains(&method.id.as_str())
        {
            told.push(&method.id);
            alerts.extend(ageing(locale, books, method));
        }
    }
    alerts
}

fn owing(locale: Locale, held: &Held) -> Option<Alert> {
    let (subscription, open) = (&held.subscription, held.open.as_ref()?);
    let plan = standing::name(subscription);
    let amount = format::money(locale, open.amount_remaining(), &open.currency);
    let mend = Some("/repair".to_owned()).filter(|_| open.attempted);
    let href = mend.or_else(|| Some(href(subscription)));
    if subscription.status == Status::Incomplete {
        let date = format::date(locale, standing::lapses_on(subscription));
        let text = say!(alert.incomplete.text, locale, plan = plan, amount = amount, date = date);
        return Some(Alert { tone: Tone::Warn, title: say!(alert.incomplete.title, locale), text, href });
    }
    let text = match open.next_payment_attempt {
        Some(at) => say!(alert.failed.retry, locale, amount = amount, plan = plan, date = format::date(locale, at)),
        None => say!(alert.failed.text, locale, amount = amount, plan = plan),
    };
    Some(Alert { tone: Tone::Bad, title: say!(alert.failed.title, locale), text, href })
}

/// An invoice that is late, or that was tried to charge and is no subscription's that runs.
fn unpaid(locale: Locale, books: &Books, invoice: &Invoice) -> Option<Alert> {
    let amount = format::money(locale, invoice.amount_remaining(), &invoice.currency);
    let number = invoice.number.clone().unwrap_or_default();
    let (title, text) = match invoice.due_date.filter(|_| invoices::is_overdue(books.now, invoice)) {
        Some(due) => {
            let date = format::date(locale, due);
            let text = say!(alert.overdue.text, locale, amount = amount, number = number, date = date);
            (say!(alert.overdue.title, locale), text)
        }
        None if invoice.attempted && invoice.amount_remaining() > 0 => {
            (say!(alert.open.title, locale), say!(alert.open.text, locale, amount = amount, number = number))
        }
        None => return None,
    };
    let page = books.invoices.as_ref().map(|_| invoices::href(invoice));
    let href = if invoice.attempted { Some("/repair".to_owned()) } else { page };
    Some(Alert { tone: Tone::Bad, title, text, href })
}

/// Whether it costs something again when its period is over.
fn renews(subscription: &Subscription) -> bool {
    let goes_on = matches!(subscription.status, Status::Trialing | Status::Active | Status::PastDue);
    let is_free = subscription.renewal_amount().is_ok_and(|amount| amount == 0);
    goes_on && !is_free && standing::ends_on(subscription).is_none()
}

/// Whether time will charge it by itself.
fn will_be_charged(subscription: &Subscription) -> bool {
    renews(subscription) && subscription.collection_method == CollectionMethod::ChargeAutomatically
}

fn nothing_to_charge(locale: Locale, held: &Held) -> Option<Alert> {
    let subscription = &held.subscription;
    if held.method.is_some() || !will_be_charged(subscription) {
        return None;
    }
    let (plan, amount) = (standing::name(subscription), standing::price(locale, subscription)?);
    let date = format::date(locale, subscription.current_period_end);
    let text = say!(alert.no_method.text, locale, amount = amount, plan = plan, date = date);
    let title = say!(alert.no_method.title, locale);
    Some(Alert { tone: Tone::Warn, title, text, href: Some(href(subscription)) })
}

fn ageing(locale: Locale, books: &Books, method: &PaymentMethod) -> Option<Alert> {
    let month = last_month(locale, &method.details)?;
    let card = short(locale, method);
    let (tone, title, text) = match validity(books.now, &method.details) {
        Validity::Lasting => return None,
        Validity::Expiring => {
            let text = say!(alert.expiring.text, locale, card = card, month = month);
            (Tone::Warn, say!(alert.expiring.title, locale), text)
        }
        Validity::Expired => {
            let text = say!(alert.expired.text, locale, card = card, month = month);
            (Tone::Bad, say!(alert.expired.title, locale), text)
        }
    };
    Some(Alert { tone, title, text, href: books.has_methods.then(|| "/payment-methods".to_owned()) })
}

#[cfg(test)]
mod tests;
