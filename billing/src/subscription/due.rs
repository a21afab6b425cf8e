//! What time does next to a subscription, and when: worked out of what stands on it, without clock and database.

use crate::clock::Seconds;
use crate::id;
use crate::subscription::{Status, Subscription};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// How long a first invoice may wait for its payment (`BILLING.md`, 8).
const MOST_INCOMPLETE: i64 = 23 * HOUR;
/// How long before a trial ends the merchant is told (Stripe's `customer.subscription.trial_will_end`).
const TRIAL_NOTICE: i64 = 3 * DAY;

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
    /// The merchant is told what is about to happen.
    Notice,
    /// The period ends, and with it a trial; what waits for that takes effect, and the next period is billed.
    Period,
}

impl Subscription {
    /// Everything that is still to come, in no order.
    fn to_come(&self) -> impl Iterator<Item = (Seconds, Due)> {
        let collects_again = self.pause_collection.as_ref().and_then(|pause| pause.resumes_at);
        let each = match self.status {
            _ if self.parked_at.is_some() => vec![],
            Status::Canceled | Status::IncompleteExpired => vec![],
            Status::Incomplete => vec![(Some(self.start_date.plus(MOST_INCOMPLETE)), Due::Expiry)],
            Status::Paused => vec![(self.cancel_at, Due::Cancellation), (self.resumes_at, Due::Resume)],
            Status::Trialing | Status::Active | Status::PastDue | Status::Unpaid => vec![
                (self.cancel_at, Due::Cancellation),
                (self.pending_update_expires_at, Due::PendingUpdate),
                (collects_again, Due::Collection),
                (self.notice(), Due::Notice),
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
        self.to_come().filter(|(at, due)| *at <= now && !(is_over && *due == Due::Notice)).min()
    }

    /// When time next does something to it.
    pub(crate) fn due(&self) -> Option<Seconds> {
        self.next().map(|(at, _)| at)
    }

    /// When a worker takes it up: what bills is spread over the hour, each subscription at its own minute of it.
    pub(crate) fn wakes(&self) -> Option<Seconds> {
        self.next().map(|(at, due)| if due == Due::Period { at.plus(spread(&self.id)) } else { at })
    }

    /// When the merchant is told of the end of this period. A trial shorter than the notice is told of at once.
    fn notice(&self) -> Option<Seconds> {
        let end = self.current_period_end;
        (self.status == Status::Trialing && self.told != Some(end))
            .then(|| end.plus(-TRIAL_NOTICE).max(self.current_period_start))
    }
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
