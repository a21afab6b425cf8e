//! Buying in words: the plans there are, and one of them before it is confirmed.

use billing::customer::payment_method::{self, PaymentMethod};
use billing::customer::tax_id;
use billing::portal::change::Offer;
use billing::portal::purchase::{self, Wished};
use billing::quote::{Confirmed, Quote};
use billing::{Currency, Page, payment, transact};

use super::method::short;
use super::{adding, change, quoted, standing};
use crate::error::{Error, Problem, Result};
use crate::pages::purchase::{Asked, Choice, Purchase, Way};
use crate::pages::review::{Code, Wish};
use crate::pages::subscribe::Choosing;
use crate::parts::{Closed, Fact};
use crate::session::Session;
use crate::text::{countries, format, say};

pub async fn choosing(session: &Session) -> Result<Choosing> {
    let offers = offers(session).await?;
    if offers.is_empty() {
        return Ok(Choosing::Closed(closed(session)));
    }
    let plans = offers.iter().map(|offer| (offer, change::plan(session.locale, 1, offer, None)));
    Ok(Choosing::Open(change::grouped(session.locale, plans)))
}

async fn offers(session: &Session) -> Result<Vec<Offer>> {
    let guest = &session.guest;
    let mut tx = session.db.read().await?;
    let usual = &guest.merchant.default_currency;
    Ok(purchase::offers(&mut tx, &session.who, &guest.configuration, usual).await?)
}

fn closed(session: &Session) -> Closed {
    Closed { title: say!(buy.closed, session.locale), text: say!(buy.closed_text, session.locale) }
}

/// Reads, and quotes. A promotion code that cannot be used is said to be so, beside the quote without it.
pub async fn read(session: &Session, wish: Wish, said: &str) -> Result<Purchase> {
    let locale = session.locale;
    let offers = offers(session).await?;
    let Some(offer) = offers.iter().find(|offer| offer.price.id == wish.price) else {
        return Ok(Purchase { what: String::new(), way: Way::Closed(closed(session)) });
    };
    let wished = wished(&wish)?;
    let (quote, problem) = match make(session, &wished).await {
        Err(Error::Invalid(Problem::Code)) => {
            let plain = Wished { code: None, ..wished.clone() };
            (make(session, &plain).await?, Some(say!(offer.code_refused, locale)))
        }
        quote => (quote?, None),
    };
    let code = Some(Code { value: wish.code.clone().unwrap_or_default(), problem: problem.clone() });
    let wish = if problem.is_some() { Wish { code: None, ..wish } } else { wish };
    let methods = methods(session).await?;
    let none = methods.is_empty() && quote.due_now() > 0;
    let adds = session.guest.configuration.features.payment_method_update.is_open();
    let add = adds.then(|| adding::address(None, Some(&address(&wish, "")), None));
    Ok(Purchase {
        what: standing::lot(&offer.product.name, wished.quantity),
        way: Way::Open(Box::new(Asked {
            confirm: confirm_label(session, &quote, &offer.price.currency),
            quoted: quoted::view(locale, &terms(&offer.price.currency), &quote, said == "stale"),
            billed: billed(session).await?,
            edit: Some(format!(
                "/details?next={}",
                url::form_urlencoded::byte_serialize(address(&wish, "").as_bytes()).collect::<String>()
            )),
            wish,
            code,
            methods,
            add,
            none: none.then(|| say!(buy.no_method, locale)),
            is_declined: said == "declined",
        })),
    })
}

fn terms(currency: &Currency) -> quoted::Terms<'_> {
    quoted::Terms { currency, later: None, method: None }
}

fn confirm_label(session: &Session, quote: &Quote, currency: &Currency) -> String {
    let locale = session.locale;
    let is_trial = quote.invoice.as_ref().is_some_and(|invoice| invoice.total == 0) && quote.renewal.is_some();
    match quote.due_now() {
        0 if is_trial => say!(buy.confirm_trial, locale),
        0 => say!(buy.confirm, locale),
        due => say!(buy.confirm_pay, locale, amount = format::money(locale, due, currency)),
    }
}

async fn make(session: &Session, wished: &Wished) -> Result<Quote> {
    let (who, configuration) = (&session.who, &session.guest.configuration);
    Ok(transact!(session.db, |tx| purchase::quote(tx, who, configuration, wished).await)?)
}

/// The country and the tax IDs, which decide the tax.
async fn billed(session: &Session) -> Result<Vec<Fact>> {
    let (locale, customer) = (session.locale, &session.guest.customer);
    let mut tx = session.db.read().await?;
    let held = tax_id::list(&mut tx, &session.who, &customer.id, &Page::first(10)).await?.data;
    let country = customer.address.as_ref().and_then(|address| address.country.as_deref());
    let fact = |label: String, value: String| Fact { label, value, hint: None };
    let ids: Vec<String> = held.into_iter().map(|id| id.value).collect();
    let ids = if ids.is_empty() { say!(buy.none, locale) } else { format::list(locale, &ids) };
    Ok(vec![
        fact(say!(buy.name, locale), customer.name.clone().unwrap_or_else(|| say!(buy.none, locale))),
        fact(
            say!(buy.country, locale),
            country.map_or_else(|| say!(buy.none, locale), |code| countries::name(locale, code).to_owned()),
        ),
        fact(say!(buy.tax_ids, locale), ids),
    ])
}

/// The customer's methods.
async fn methods(session: &Session) -> Result<Vec<Choice>> {
    let (locale, customer) = (session.locale, &session.guest.customer);
    let mut tx = session.db.read().await?;
    let held = payment_method::list(&mut tx, &session.who, &customer.id, &Page::first(20), None).await?.data;
    let default = customer.default_payment_method.clone().or_else(|| held.first().map(|method| method.id.clone()));
    let choice = |method: &PaymentMethod| Choice {
        value: method.id.clone(),
        label: short(locale, method),
        chosen: default.as_ref() == Some(&method.id),
    };
    Ok(held.iter().map(choice).collect())
}

/// Where to go next: to the new subscription; back, where the quote does not hold any more or the payment was refused.
pub async fn confirm(session: &Session, wish: Wish, method: Option<String>, token: &str) -> Result<String> {
    let (who, allowed) = (&session.who, &session.guest.configuration);
    let (wished, method) = (wished(&wish)?, method.filter(|method| !method.is_empty()));
    let confirmed =
        transact!(session.db, |tx| purchase::confirm(tx, who, allowed, &wished, method.as_deref(), token).await)?;
    let Confirmed::Done(done) = confirmed else { return Ok(address(&wish, "stale")) };
    if let Some(invoice) = &done.invoice {
        payment::collect_first(&session.db, session.gateway.clone(), who, invoice).await?;
    }
    let id = &done.subscription;
    match transact!(session.db, |tx| purchase::withdraw_if_declined(tx, who, id).await)? {
        true => Ok(address(&wish, "declined")),
        false => Ok(session.onward(format!("/subscriptions/{id}?done=started"))),
    }
}

fn address(wish: &Wish, said: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("price", &wish.price).append_pair("quantity", &wish.quantity);
    if let Some(code) = &wish.code {
        query.append_pair("code", code);
    }
    if !said.is_empty() {
        query.append_pair("said", said);
    }
    format!("/subscribe/review?{}", query.finish())
}

fn wished(wish: &Wish) -> Result<Wished> {
    let quantity = wish.quantity.trim().parse().map_err(|_| Error::Invalid(Problem::Quantity))?;
    let code = wish.code.as_deref().map(str::trim).filter(|code| !code.is_empty());
    Ok(Wished { price: wish.price.clone(), quantity, code: code.map(str::to_owned) })
}
