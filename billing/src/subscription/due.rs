//! What time does next to a subscription, and when: worked out of what stands on it, without clock and database.

use crate::clock::Seconds;
use crate::id;
use crate::subscription::{CollectionMethod, Status, Subscription};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// How long a first invoice may wait for its payment (`BILLING.md`, 8).
const MOST_INCOMPLETE: i64 = 23 * HOUR;
/// How long before a trial ends the merchant is told (Stripe's `customer.subscription.trial_will_end`).
const TRIAL_NOTICE: i64 = 3 * DAY;
/// How long before it is made the merchant is told of a renewal's invoice (Stripe's `invoice.upcoming`).
const INVOICE_NOTICE: i64 = 7 * DAY;

/// In the order in which they happen where several are due at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// The first invoice was not paid in time.
    Expiry,
    Cancellation,
    /// A change that waits for its payment was not paid for in time.
    PendingUpdate,
    /// Payments are collected again.
    Collection,
    /// A pause ends.
    Resume,
    /// The merchant is told that a trial is about to end.
    TrialNotice,
    /// The merchant is told of the invoice that the end of the period brings.
    InvoiceNotice,
    /// The period ends, and with it a trial; what waits for that takes effect, and the next period is billed.
    Period,
}

impl Due {
    /// Whether nothing is done but to tell of what is to come.
    fn is_notice(self) -> bool {
        matches!(self, Self::TrialNotice | Self::InvoiceNotice)
    }
}

impl Subscription {
    /// Everything that is still to come, in no order.
    fn to_come(&self) -> impl Iterator<Item = (Seconds, Due)> {
        let collects_again = self.pause_collection.as_ref().and_then(|pause| pause.resumes_at);
        let each = match self.status {
            _ if self.parked_at.is_some() => vec![],
            Status::Canceled | Status::IncompleteExpired => vec![],
            Status::Incomplete => vec![(Some(self.created.plus(MOST_INCOMPLETE)), Due::Expiry)],
            Status::Paused => vec![(self.cancel_at, Due::Cancellation), (self.resumes_at, Due::Resume)],
            Status::Trialing | Status::Active | Status::PastDue | Status::Unpaid => vec![
                (self.cancel_at, Due::Cancellation),
                (self.pending_update_expires_at, Due::PendingUpdate),
                (collects_again, Due::Collection),
                (self.trial_notice(), Due::TrialNotice),
                (self.invoice_notice(), Due::InvoiceNotice),
                (Some(self.current_period_end), Due::Period),
            ],
        };
        each.into_iter().filter_map(|(at, due)| Some((at?, due)))
    }

    /// What comes next, and when.
    pub(crate) fn next(&self) -> Option<(Seconds, Due)> {
        self.to_come().min()
    }

    /// What is to be done at `now`, if anything. Nobody is told of the end of a period that is over already.
    pub(crate) fn next_by(&self, now: Seconds) -> Option<(Seconds, Due)> {
        let is_over = self.current_period_end <= now;
        self.to_come().filter(|(at, due)| *at <= now && !(is_over && due.is_notice())).min()
    }

    /// When time next does something to it.
    pub(crate) fn due(&self) -> Option<Seconds> {
        self.next().map(|(at, _)| at)
    }

    /// When time next does more to it than tell of it.
    pub(crate) fn acts(&self) -> Option<Seconds> {
        self.to_come().filter(|(_, due)| !due.is_notice()).min().map(|(at, _)| at)
    }

    /// When a worker takes it up: what bills, or works out a bill, is spread over the hour, each subscription at its own
    /// minute of it.
    pub(crate) fn wakes(&self) -> Option<Seconds> {
        let bills = |due| matches!(due, Due::InvoiceNotice | Due::Period);
        self.next().map(|(at, due)| if bills(due) { in_its_minute(at, &self.id) } else { at })
    }

    /// When the merchant is told of the end of this period. A trial shorter than the notice is told of at once.
    fn trial_notice(&self) -> Option<Seconds> {
        let end = self.current_period_end;
        (self.status == Status::Trialing && self.told != Some(end))
            .then(|| end.plus(-TRIAL_NOTICE).max(self.current_period_start))
    }

    /// When the merchant is told of the next renewal, if it will be charged by itself. Of what renews more often than the
    /// notice is long, nobody is told.
    fn invoice_notice(&self) -> Option<Seconds> {
        let (start, end) = (self.current_period_start, self.current_period_end);
        let at = end.plus(-INVOICE_NOTICE);
        let renews = matches!(self.status, Status::Active | Status::PastDue)
            && self.cancel_at.is_none_or(|at| at > end)
            && self.pause_collection.is_none()
            && self.collection_method == CollectionMethod::ChargeAutomatically;
        (renews && self.told != Some(end) && at > start).then_some(at)
    }
}

/// When a worker takes up what is due on a subscription at an instant, if that bills.
pub(crate) fn in_its_minute(at: Seconds, id: &str) -> Seconds {
    at.plus(spread(id))
}

/// A second of the hour, the same for one subscription always.
fn spread(id: &str) -> i64 {
    let hash = id::hash(id);
    i64::from_str_radix(&hash[..8], 16).unwrap_or_default() % HOUR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_are_spread_over_the_whole_hour() {
        let mut quarters = [0; 4];
        for n in 0..1000 {
            let second = spread(&format!("sub_{n}"));
            assert_eq!(second, spread(&format!("sub_{n}")));
            quarters[usize::try_from(second / 900).unwrap()] += 1;
        }
        assert!(quarters.iter().all(|count| (150..350).contains(count)), "{quarters:?}");
    }
}
