//! Adding a payment method, in words: the kinds there are, the way to the fields, and what became of what was typed.

use billing::customer::payment_method::{MethodType, NewMethod};
use billing::gateway::Entry;
use billing::portal::fields::{self, Errand, Ticket};
use billing::setup_intent::{self, SetupIntent, Status};
use billing::{Seconds, transact};

use super::{method, paying};
use crate::error::{Error, Result};
use crate::pages::add_method::{Adding, Kind, Step};
use crate::pages::fields::title;
use crate::parts::Method;
use crate::session::Session;
use crate::text::{Locale, say};

/// A place that adding may lead back to: a purchase of ours, or what a payment failed for.
fn back(next: Option<String>) -> Option<String> {
    next.filter(|next| next == "/repair" || next.starts_with("/subscribe/review?"))
}

pub async fn read(
    session: &Session,
    kind: Option<String>,
    next: Option<String>,
    reference: Option<String>,
    refused: Option<String>,
) -> Result<Adding> {
    let (locale, next) = (session.locale, back(next));
    let update = &session.guest.configuration.features.payment_method_update;
    if session.who.is_read_only() || !update.is_open() {
        return Err(Error::Forbidden);
    }
    let first = update.accepted_types.first().copied().ok_or(Error::Forbidden)?;
    let chosen = update.accepted_types.iter().copied().find(|known| Some(known.name()) == kind.as_deref());
    let chosen = chosen.unwrap_or(first);
    let kinds = update.accepted_types.iter().filter(|_| update.accepted_types.len() > 1);
    let mut tx = session.db.read().await?;
    let refused = match refused {
        Some(id) => refusal(locale, &setup_intent::get(&mut tx, &session.who, &id).await?),
        None => None,
    };
    let step = match reference {
        Some(reference) => {
            let new = fields::peek(&mut tx, &session.who, &reference).await?;
            let now = billing::customer::now(&mut tx, &session.who, &session.guest.customer).await?;
            Step::Store { method: described(locale, now, new), reference }
        }
        None if session.gateway.entry() == Entry::Nowhere => Step::Closed(say!(add.closed, locale)),
        None => {
            let then = address(Some(chosen), next.as_deref(), None);
            let errand = Errand::Enter { kind: chosen, then };
            let ticket =
                Ticket::issue(&tx, &session.who, (session.who.session(), &session.portal_url), errand, locale.tag())?;
            Step::Type {
                src: format!("{}/enter/{ticket}", session.fields_url),
                origin: session.fields_url.clone(),
                kind: chosen.name().to_owned(),
                title: title(locale, chosen),
            }
        }
    };
    Ok(Adding {
        kinds: kinds.map(|kind| offered(locale, *kind, chosen, next.as_deref())).collect(),
        refused,
        back: next.clone().unwrap_or_else(|| "/payment-methods".to_owned()),
        next,
        step,
    })
}

fn offered(locale: Locale, kind: MethodType, chosen: MethodType, next: Option<&str>) -> Kind {
    let label = match kind {
        MethodType::Card => say!(method.card, locale),
        MethodType::SepaDebit => say!(method.sepa_debit, locale),
        MethodType::UsBankAccount => say!(method.us_bank_account, locale),
        MethodType::MobileMoney => say!(method.mobile_money, locale),
    };
    Kind { label, href: address(Some(kind), next, None), is_chosen: kind == chosen }
}

fn described(locale: Locale, now: Seconds, new: NewMethod) -> Method {
    method::of_details(locale, now, new.r#type, &new.details)
}

/// This page, for a kind, on the way to somewhere, after a setup that came to nothing.
pub fn address(kind: Option<MethodType>, next: Option<&str>, refused: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let said = [("kind", kind.map(MethodType::name)), ("next", next), ("refused", refused)];
    for (name, value) in said {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    format!("/payment-methods/add?{}", query.finish())
}

/// Why a setup came to nothing.
fn refusal(locale: Locale, intent: &SetupIntent) -> Option<String> {
    let code = intent.last_error.as_ref()?.0["decline_code"].as_str()?.to_owned();
    Some(super::decline::words(locale, &code))
}

/// Stores what was typed; answers where to go.
pub async fn store(session: &Session, reference: &str, next: Option<String>) -> Result<String> {
    let (who, allowed) = (&session.who, &session.guest.configuration);
    let intent = transact!(session.db, |tx| fields::redeem(tx, who, allowed, reference).await)?;
    if intent.status == Status::Succeeded {
        if let Some(method) = &intent.payment_method {
            pay_with(session, method).await?;
        }
        return Ok(onward(session, &intent, next));
    }
    Ok(after(session, &intent, next))
}

/// What has become the default pays what failed.
async fn pay_with(session: &Session, method: &str) -> Result<()> {
    let mut tx = session.db.read().await?;
    let customer = billing::customer::get(&mut tx, &session.who, &session.guest.customer.id).await?;
    drop(tx);
    if customer.default_payment_method.as_deref() == Some(method) {
        paying::pay_failed(session, method).await?;
    }
    Ok(())
}

fn onward(session: &Session, intent: &SetupIntent, next: Option<String>) -> String {
    let id = intent.payment_method.clone().unwrap_or_default();
    back(next).unwrap_or_else(|| session.onward(format!("/payment-methods?done=added&of={id}")))
}

/// Where a setup leads as it stands: to the bank, to the next step, or back to the fields.
pub fn after(session: &Session, intent: &SetupIntent, next: Option<String>) -> String {
    let next = back(next);
    match intent.status {
        Status::Succeeded => onward(session, intent, next),
        Status::RequiresAction => super::confirm::address("setup", &intent.id, next.as_deref(), false),
        _ => address(None, next.as_deref(), Some(&intent.id)),
    }
}
