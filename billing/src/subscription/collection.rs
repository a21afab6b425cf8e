//! Pausing collection: the subscription goes on and its invoices are made, but none of them is collected
//! (docs.stripe.com/billing/subscriptions/pause-payment).

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::patch::Patch;
use crate::store::{Json, Tx};
use crate::subscription::{Status, Subscription, announce, save};
use crate::text_enum::text_enum;

text_enum!(
    /// What becomes of the invoices made meanwhile.
    Behavior { KeepAsDraft = "keep_as_draft", MarkUncollectible = "mark_uncollectible", Void = "void" }
);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseCollection {
    pub behavior: Behavior,
    /// When it ends by itself; open without.
    pub resumes_at: Option<Seconds>,
}

impl Subscription {
    /// What becomes of an invoice of it that is made at an instant, if it is not collected. Of what is unpaid, no more
    /// is asked for: its invoices stay drafts.
    pub(crate) fn holds(&self, at: Seconds) -> Option<Behavior> {
        let paused = self.pause_collection.as_ref().filter(|pause| pause.resumes_at.is_none_or(|end| end > at));
        paused.map(|pause| pause.behavior).or((self.status == Status::Unpaid).then_some(Behavior::KeepAsDraft))
    }
}

/// Pauses collection, or takes the pause back.
pub(crate) fn apply(subscription: &mut Subscription, patch: Patch<PauseCollection>, now: Seconds) -> Result<()> {
    if let Patch::Set(PauseCollection { resumes_at: Some(at), .. }) = &patch
        && *at <= now
    {
        return Err(Error::invalid("pause_collection[resumes_at]", "Collection resumes in the future."));
    }
    patch.map(Json).apply(&mut subscription.pause_collection);
    Ok(())
}

/// The day has come: what is made from now on is collected again.
pub(crate) async fn end(tx: &mut Tx, who: &Actor, before: Subscription) -> Result<Subscription> {
    let mut after = Subscription { pause_collection: None, ..before.clone() };
    save(tx, who, &mut after).await?;
    let event = "customer.subscription.updated";
    announce(tx, who, Some(&before), &after, event, &[event]).await?;
    Ok(after)
}
