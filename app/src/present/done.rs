//! How a flow ends, in words.

use billing::portal::flow::{After, FlowType};

use super::frame::has_way_back;
use crate::error::{Error, Result};
use crate::pages::done::End;
use crate::session::{Session, place};
use crate::text::say;

/// A flow that is not done leads back into itself; where there is none, there is no such page.
pub fn view(session: &Session) -> Result<End> {
    let (locale, guest) = (session.locale, &session.guest);
    let flow = guest.session.in_flow().ok_or(Error::NotFound)?;
    if guest.session.completed_ms.is_none() {
        return Ok(End {
            title: say!(flow.open, locale),
            text: None,
            is_done: false,
            way: Some((place(flow), say!(flow.resume, locale))),
            goes_on: false,
        });
    }
    let after = &flow.after_completion;
    let message = after.hosted_confirmation.as_ref().and_then(|own| own.custom_message.clone());
    let back = || ("/leave".to_owned(), say!(frame.return, locale, merchant = guest.brand.name));
    Ok(End {
        title: match flow.r#type {
            FlowType::CustomerUpdate => say!(flow.details, locale),
            FlowType::PaymentMethodUpdate => say!(flow.method, locale),
            FlowType::SubscriptionCancel => say!(flow.cancel, locale),
            FlowType::SubscriptionPause => say!(flow.pause, locale),
            FlowType::SubscriptionUpdate | FlowType::SubscriptionUpdateConfirm => say!(flow.change, locale),
        },
        text: message.or_else(|| Some(say!(flow.close, locale))),
        is_done: true,
        way: has_way_back(session).then(back),
        goes_on: after.r#type == After::Redirect,
    })
}
