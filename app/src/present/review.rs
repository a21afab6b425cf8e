//! A change of plan before it is confirmed, and its confirmation.

use billing::portal::change::{self, Given, Wished};
use billing::quote::{Confirmed, Quote};
use billing::{Tx, transact};

use super::{change as choices, quoted, standing};
use crate::error::{Error, Problem, Result};
use crate::pages::review::{Asked, Code, Review, Way, Wish};
use crate::session::Session;
use crate::text::{format, say};

/// Reads, and quotes. A promotion code that cannot be used is said to be so, beside the quote without it.
pub async fn read(session: &Session, id: &str, wish: Wish, stale: bool) -> Result<Review> {
    let (configuration, locale) = (&session.guest.configuration, session.locale);
    let mut tx = session.db.read().await?;
    let wish = match of_flow(&mut tx, session, id).await?.filter(|_| wish.item.is_empty()) {
        Some(own) => Wish { item: own.item, price: own.price, quantity: own.quantity.to_string(), code: None },
        None => wish,
    };
    let books = choices::read(&mut tx, session, id, Some(&wish.item)).await?;
    let wished = wished(&mut tx, session, id, &wish).await?;
    drop(tx);
    let subscription = &books.subscription;
    let keep = session.aside(format!("/subscriptions/{id}"));
    let offer = books.offers.iter().find(|(offer, _)| offer.price.id == wished.price);
    let Some((offer, when)) = offer.filter(|_| !session.who.is_read_only()) else {
        let closed = choices::closed(locale, subscription, &session.guest.brand.name);
        return Ok(Review { id: id.into(), what: standing::name(subscription), keep, way: Way::Closed(closed) });
    };
    let (quote, problem) = match make(session, &wished).await {
        Err(Error::Invalid(Problem::Code)) => {
            let plain = Wished { discount: None, ..wished.clone() };
            (make(session, &plain).await?, Some(say!(offer.code_refused, locale)))
        }
        quote => (quote?, None),
    };
    let is_given = matches!(wished.discount, Some(Given::ByMerchant(_)));
    let may_use_code = *when == change::When::Now && !is_given && change::takes_code(configuration, subscription);
    let code = may_use_code.then(|| Code { value: wish.code.clone().unwrap_or_default(), problem: problem.clone() });
    let from = standing::lot(&books.item.product_name, books.item.quantity);
    let to = standing::lot(&offer.product.name, wished.quantity);
    let wish = if problem.is_some() { Wish { code: None, ..wish } } else { wish };
    let method = quoted::method(session, subscription).await?;
    Ok(Review {
        id: id.into(),
        what: say!(offer.what, locale, from = from, to = to),
        keep,
        way: Way::Open(Box::new(Asked {
            wish,
            confirm: confirm_label(session, &quote, *when),
            quoted: quoted::view(locale, &quoted::Terms::of(subscription, *when, method.as_ref()), &quote, stale),
            code,
        })),
    })
}

fn confirm_label(session: &Session, quote: &Quote, when: change::When) -> String {
    let locale = session.locale;
    match (&quote.invoice, when) {
        (_, change::When::AtPeriodEnd) => say!(offer.confirm_later, locale),
        (Some(invoice), _) if invoice.amount_due > 0 => {
            say!(offer.confirm_pay, locale, amount = format::money(locale, invoice.amount_due, &invoice.currency))
        }
        _ => say!(offer.confirm, locale),
    }
}

async fn make(session: &Session, wished: &Wished) -> Result<Quote> {
    let (who, configuration) = (&session.who, &session.guest.configuration);
    Ok(transact!(session.db, |tx| change::quote(tx, who, configuration, wished).await)?)
}

/// Where to go next: to the subscription as it is now, or back, where the quote does not hold any more.
pub async fn confirm(session: &Session, id: &str, wish: Wish, token: &str) -> Result<String> {
    let (who, configuration) = (&session.who, &session.guest.configuration);
    let wished = wished(&mut session.db.read().await?, session, id, &wish).await?;
    match transact!(session.db, |tx| change::confirm(tx, who, configuration, &wished, token).await)? {
        Confirmed::Done(done) => {
            quoted::charge(session, &done).await?;
            Ok(session.onward(format!("/subscriptions/{}?done=changed", done.subscription)))
        }
        Confirmed::Stale(_) => Ok(format!("/subscriptions/{id}/change/review?{}", address(&wish))),
    }
}

fn address(wish: &Wish) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("item", &wish.item).append_pair("price", &wish.price).append_pair("quantity", &wish.quantity);
    if let Some(code) = &wish.code {
        query.append_pair("code", code);
    }
    query.append_pair("stale", "1").finish()
}

/// The change that the session's flow is for.
async fn of_flow(tx: &mut Tx, session: &Session, id: &str) -> Result<Option<Wished>> {
    let Some(flow) = session.guest.session.in_flow() else { return Ok(None) };
    let subscription = billing::subscription::get(tx, &session.who, id).await?;
    Ok(flow.wished(&subscription))
}

/// What is asked for; with what the merchant gives, where it is the very change of the session's flow.
async fn wished(tx: &mut Tx, session: &Session, id: &str, wish: &Wish) -> Result<Wished> {
    let quantity = wish.quantity.trim().parse().map_err(|_| Error::Invalid(Problem::Quantity))?;
    let code = wish.code.as_deref().map(str::trim).filter(|code| !code.is_empty());
    let asked = Wished {
        subscription: id.into(),
        item: wish.item.clone(),
        price: wish.price.clone(),
        quantity,
        discount: code.map(|code| Given::Code(code.into())),
    };
    let own = of_flow(tx, session, id).await?;
    Ok(own.filter(|own| asked == Wished { discount: None, ..own.clone() }).unwrap_or(asked))
}
