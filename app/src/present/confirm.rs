//! What waits to be confirmed by the customer's bank, and where it leads.

use billing::invoice;
use billing::payment::charge::{self, AttemptStatus};
use billing::portal::fields::{Errand, Ticket};
use billing::setup_intent::{self, Status};

use super::{adding, paying};
use crate::error::{Error, Result};
use crate::pages::confirm::Confirmation;
use crate::session::Session;
use crate::text::{format, say};

/// What does not wait any more leads on by a redirect, and what is shown meanwhile is the way there.
pub async fn read(
    session: &Session,
    setup: Option<String>,
    invoice: Option<String>,
    next: Option<String>,
    is_back: bool,
) -> Result<Confirmation> {
    let locale = session.locale;
    let mut tx = session.db.read().await?;
    let (errand, text, leave) = match (setup, invoice) {
        (Some(intent), None) => {
            let found = setup_intent::get(&mut tx, &session.who, &intent).await?;
            if found.status != Status::RequiresAction {
                return Ok(gone(adding::after(session, &found, next)));
            }
            let then = address("setup", &intent, next.as_deref(), true);
            let leave = adding::address(None, next.as_deref(), None);
            (Errand::ConfirmSetup { intent, then }, say!(add.confirm, locale), leave)
        }
        (None, Some(id)) => {
            let found = invoice::get(&mut tx, &session.who, &id).await?;
            let last = charge::last(&mut tx, &session.who, &id).await?;
            let Some(waiting) = last.filter(|last| last.status == AttemptStatus::RequiresAction) else {
                return Ok(gone(paying::after(session, &found)));
            };
            let then = address("invoice", &id, None, true);
            let amount = format::money(locale, waiting.amount, &waiting.currency);
            let text = say!(pay.confirm, locale, amount = amount);
            (Errand::ConfirmCharge { charge: waiting.id, then }, text, "/repair".to_owned())
        }
        _ => return Err(Error::NotFound),
    };
    let ticket = Ticket::issue(&tx, &session.who, (session.who.session(), &session.portal_url), errand, locale.tag())?;
    Ok(Confirmation { text, href: format!("{}/confirm/{ticket}", session.fields_url), goes_on: !is_back, leave })
}

fn gone(to: String) -> Confirmation {
    leptos_axum::redirect(&to);
    Confirmation { text: String::new(), href: to.clone(), goes_on: false, leave: to }
}

/// `of` is `setup` or `invoice`; whoever comes back from the bank is not sent there again by themselves.
pub fn address(of: &str, id: &str, next: Option<&str>, is_back: bool) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair(of, id);
    if let Some(next) = next {
        query.append_pair("next", next);
    }
    if is_back {
        query.append_pair("back", "1");
    }
    format!("/confirm?{}", query.finish())
}
