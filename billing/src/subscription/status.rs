//! The states of a subscription: which may follow which, and the one way from one to the next.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::invoice::{Invoice, credit};
use crate::settings::{self, AfterLastAttempt};
use crate::store::Tx;
use crate::subscription::{Subscription, announce, cancel, get, pause, pending, save};
use crate::text_enum::text_enum;

text_enum!(Status {
    Incomplete = "incomplete",
    IncompleteExpired = "incomplete_expired",
    Trialing = "trialing",
    Active = "active",
    PastDue = "past_due",
    Unpaid = "unpaid",
    Paused = "paused",
    Canceled = "canceled",
});

impl Status {
    /// Nothing more happens to a subscription in such a state.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }

    /// Whether a subscription may go from this state to that one. Cancelling always works; what has ended stays ended.
    pub fn may_become(self, next: Self) -> bool {
        use Status::{Active, Canceled, Incomplete, IncompleteExpired, PastDue, Paused, Trialing, Unpaid};
        match self {
            Canceled | IncompleteExpired => false,
            _ if next == Canceled => true,
            Incomplete => matches!(next, Active | IncompleteExpired),
            Trialing => matches!(next, Active | PastDue | Paused),
            Active => matches!(next, Trialing | PastDue | Paused),
            PastDue => matches!(next, Active | Unpaid | Paused),
            Unpaid => matches!(next, Active | Paused),
            Paused => next == Active,
        }
    }
}

impl Subscription {
    /// Every move goes through here: it is legal, or nothing happens; and the dates that tell of it are set. What moved
    /// has to be announced, which judges it again.
    pub(crate) fn enter(&mut self, next: Status, at: Seconds) -> Result<()> {
        if !self.status.may_become(next) {
            let (now, next) = (self.status.name(), next.name());
            let message = format!("A subscription that is {now} cannot become {next}.");
            return Err(Error::conflict("subscription_unexpected_state", message));
        }
        if self.status == Status::Paused {
            (self.paused_at, self.resumes_at) = (None, None);
        }
        self.status = next;
        if next == Status::Paused {
            self.paused_at = Some(at);
        }
        if next.is_ended() {
            self.ended_at = Some(at);
        }
        if next == Status::Canceled {
            self.canceled_at = self.canceled_at.or(Some(at));
        }
        Ok(())
    }
}

/// What was owed on an invoice is paid: if it is the latest of its subscription, that is in order again.
pub(crate) async fn paid(tx: &mut Tx, who: &Actor, invoice: &Invoice, at: Seconds) -> Result<()> {
    let owing = [Status::Incomplete, Status::PastDue, Status::Unpaid];
    if let Some(id) = &invoice.subscription {
        let subscription = get(tx, who, id).await?;
        if pending::waits_for(&subscription, invoice) {
            return pending::apply(tx, who, &subscription, at).await;
        }
    }
    follow(tx, who, invoice, &owing, Status::Active, at).await
}

/// Credit has settled what was owed on invoices: a subscription on which nothing is owed any more is in order again.
pub(crate) async fn settled(tx: &mut Tx, who: &Actor, id: &str, at: Seconds) -> Result<()> {
    let before = get(tx, who, id).await?;
    let was_behind = matches!(before.status, Status::PastDue | Status::Unpaid);
    if !was_behind || !credit::owed(tx, who, id).await?.is_empty() {
        return Ok(());
    }
    let mut after = before.clone();
    after.enter(Status::Active, at)?;
    save(tx, who, &mut after).await?;
    let event = "customer.subscription.updated";
    announce(tx, who, Some(&before), &after, event, &[event]).await
}

/// An attempt got nothing, or waits for the customer: the subscription is behind.
pub(crate) async fn failed(tx: &mut Tx, who: &Actor, invoice: &Invoice, at: Seconds) -> Result<()> {
    follow(tx, who, invoice, &[Status::Active], Status::PastDue, at).await
}

/// What the fate of its latest invoice does to a subscription that is in one of the states `from`.
async fn follow(tx: &mut Tx, who: &Actor, invoice: &Invoice, from: &[Status], to: Status, at: Seconds) -> Result<()> {
    let Some(id) = &invoice.subscription else { return Ok(()) };
    let before = get(tx, who, id).await?;
    // A change that waits for its payment puts nobody behind: the old plan is paid.
    let is_latest = before.latest_invoice.as_ref() == Some(&invoice.id) && !pending::waits_for(&before, invoice);
    if !is_latest || !from.contains(&before.status) {
        return Ok(());
    }
    let mut after = before.clone();
    after.enter(to, at)?;
    save(tx, who, &mut after).await?;
    let event = "customer.subscription.updated";
    announce(tx, who, Some(&before), &after, event, &[event]).await
}

/// The last attempt to collect failed: what the merchant has set for that happens to a subscription that is past due.
/// Any other is left as it is.
pub async fn give_up(tx: &mut Tx, who: &Actor, id: &str, at: Seconds) -> Result<Subscription> {
    let before = get(tx, who, id).await?;
    if before.status != Status::PastDue {
        return Ok(before);
    }
    let mut after = before.clone();
    match settings::get(tx, who).await?.dunning.after_last_attempt {
        AfterLastAttempt::Cancel => {
            after.cancellation_details.0.reason = Some("payment_failed".into());
            cancel::end(tx, who, &before, after, at).await
        }
        AfterLastAttempt::Pause => pause::stop(tx, who, &before, after, at).await,
        AfterLastAttempt::Unpaid => {
            after.enter(Status::Unpaid, at)?;
            save(tx, who, &mut after).await?;
            let event = "customer.subscription.updated";
            announce(tx, who, Some(&before), &after, event, &[event]).await?;
            Ok(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Status::{Active, Canceled, Incomplete, IncompleteExpired, PastDue, Paused, Trialing, Unpaid};

    const ALL: [Status; 8] = [Incomplete, IncompleteExpired, Trialing, Active, PastDue, Unpaid, Paused, Canceled];

    #[test]
    fn what_has_ended_stays_ended_and_everything_else_can_end() {
        for state in ALL {
            assert!(!state.may_become(state), "{state:?} is where it is");
            assert!(ALL.iter().all(|next| !(state.is_ended() && state.may_become(*next))), "{state:?} is the end");
            assert_eq!(state.may_become(Canceled), !state.is_ended(), "{state:?} can be canceled");
            assert_eq!(state.may_become(IncompleteExpired), state == Incomplete);
            assert!(!state.may_become(Incomplete), "nothing begins again");
        }
    }
}
