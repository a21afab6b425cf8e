//! A quote in words: what is due, every line, what comes next.

use billing::customer::payment_method::PaymentMethod;
use billing::portal::change::When;
use billing::quote::{Done, Quote};
use billing::subscription::{CollectionMethod, Subscription};
use billing::{Currency, Seconds, payment};

use super::method::short;
use super::overview::find_method;
use super::sheet;
use crate::error::Result;
use crate::parts::sheet::bill as draw;
use crate::parts::{Drawn, Fact, Quoted};
use crate::session::Session;
use crate::text::{Locale, format, say};

/// What a subscription is charged to: its own method, else the customer's default.
pub async fn method(session: &Session, subscription: &Subscription) -> Result<Option<PaymentMethod>> {
    let default = session.guest.customer.default_payment_method.as_deref();
    let id = subscription.default_payment_method.as_deref().or(default);
    let mut tx = session.db.read().await?;
    Ok(find_method(&mut tx, session, id).await?)
}

/// Charges what a confirmation has billed, unless that has been done.
pub async fn charge(session: &Session, done: &Done) -> Result<()> {
    match done.invoice.as_deref().filter(|_| done.collect) {
        Some(invoice) => Ok(payment::collect_first(&session.db, session.gateway.clone(), &session.who, invoice).await?),
        None => Ok(()),
    }
}

/// What a quote is for.
pub struct Terms<'a> {
    pub currency: &'a Currency,
    /// When it counts, where that is not at once.
    pub later: Option<Seconds>,
    /// What is charged.
    pub method: Option<&'a PaymentMethod>,
}

impl<'a> Terms<'a> {
    pub fn of(subscription: &'a Subscription, when: When, method: Option<&'a PaymentMethod>) -> Self {
        let is_charged = subscription.collection_method == CollectionMethod::ChargeAutomatically;
        let later = (when == When::AtPeriodEnd).then_some(subscription.current_period_end);
        Self { currency: &subscription.currency, later, method: method.filter(|_| is_charged) }
    }
}

pub fn view(locale: Locale, terms: &Terms, quote: &Quote, is_new: bool) -> Quoted {
    let money = |amount: i64| format::money(locale, amount, terms.currency);
    let mut facts = Vec::new();
    let fact = |label: String, value: String| Fact { label, value, hint: None };
    facts.push(fact(
        say!(quote.counts, locale),
        match terms.later {
            None => say!(quote.at_once, locale),
            Some(later) => format::date(locale, later),
        },
    ));
    if let Some(method) = terms.method.filter(|_| quote.due_now() > 0) {
        facts.push(fact(say!(quote.paid_with, locale), short(locale, method)));
    }
    // What is left of a negative total is the customer's from now on.
    let credit = quote.invoice.as_ref().map_or(0, |invoice| (-invoice.total).max(0));
    if credit > 0 {
        let hint = Some(say!(quote.credit_hint, locale));
        facts.push(Fact { hint, ..fact(say!(quote.credit, locale), money(credit)) });
    }
    if let Some(renewal) = &quote.renewal {
        let date = format::date(locale, renewal.created);
        let amount = say!(quote.on, locale, amount = money(renewal.amount_due), date = date);
        facts.push(fact(say!(quote.next, locale), amount));
    }
    Quoted {
        token: quote.token.clone(),
        label: say!(quote.due, locale),
        due: money(quote.due_now()),
        facts,
        bill: quote
            .invoice
            .as_ref()
            .filter(|invoice| !invoice.lines.is_empty())
            .map(|invoice| Drawn::new(|| draw(sheet::bill(locale, invoice, &invoice.lines)))),
        is_new,
    }
}
