//! Discounts: what a coupon takes off which line, and which invoices it is for, without a clock or a database. Below:
//! the discounts that are kept, and how a coupon is redeemed.

pub mod record;
pub mod redeem;

use crate::clock::Seconds;
use crate::decimal::{Decimal, ONE};
use crate::error::Result;
use crate::money::round_ratio;
use crate::period::add_months;
use crate::text_enum::text_enum;

pub use record::{Discount, Holder};
pub use redeem::Wanted;

text_enum!(
    /// How long a coupon goes on once it is redeemed.
    Duration { Once = "once", Repeating = "repeating", Forever = "forever" }
);

/// What a coupon takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// Minor units, off all lines together.
    Amount(i64),
    /// Of a hundred, off each line.
    Percent(Decimal),
}

impl Off {
    /// Takes it off `lines` (what each has left to give, in minor units) and answers how much off which. A line that a
    /// discount is not for, or that gives back itself, is left alone: it has 0 or less.
    ///
    /// No line goes below zero; what finds no room is lost.
    pub fn take(self, lines: &mut [i64]) -> Vec<i64> {
        let taken = match self {
            Self::Amount(amount) => spread(amount, lines),
            Self::Percent(percent) => lines.iter().map(|line| share(*line, percent)).collect(),
        };
        for (line, off) in lines.iter_mut().zip(&taken) {
            *line -= off;
        }
        taken
    }
}

fn share(line: i64, percent: Decimal) -> i64 {
    let room = line.max(0);
    let off = round_ratio(i128::from(room) * percent.steps(), 100 * ONE);
    i64::try_from(off).unwrap_or(room).min(room)
}

/// In proportion to what each line has left, each share rounded down; then the last lines with room take the rest.
fn spread(amount: i64, lines: &[i64]) -> Vec<i64> {
    let room: i128 = lines.iter().map(|line| i128::from(*line.max(&0))).sum();
    let whole = i128::from(amount.max(0)).min(room);
    if whole == 0 {
        return vec![0; lines.len()];
    }
    let each = |line: &i64| i64::try_from(whole * i128::from(*line.max(&0)) / room).unwrap_or_default();
    let mut shares: Vec<i64> = lines.iter().map(each).collect();
    let mut rest = i64::try_from(whole).unwrap_or_default() - shares.iter().sum::<i64>();
    for (share, line) in shares.iter_mut().zip(lines).rev() {
        let more = rest.min(line.max(&0) - *share);
        *share += more;
        rest -= more;
    }
    shares
}

/// When a redemption ends: `months` after it, on the same day or the month's last. Only `repeating` ends by time.
pub fn ends(duration: Duration, months: Option<i64>, redeemed: Seconds) -> Result<Option<Seconds>> {
    match (duration, months) {
        (Duration::Repeating, Some(months)) => add_months(redeemed, months).map(Some),
        _ => Ok(None),
    }
}

/// Whether a discount is for the invoice of a period that starts at an instant: one that begins before it ends is
/// discounted whole, however long it is.
pub fn covers(ends: Option<Seconds>, period_start: Seconds) -> bool {
    ends.is_none_or(|end| period_start < end)
}

/// Whether a finalised invoice uses a `once` discount up: one over nothing does not, nor one of prorations only.
/// `amount` is the sum of the lines before discounts.
pub fn uses_up(duration: Duration, amount: i64, only_prorations: bool) -> bool {
    duration == Duration::Once && amount > 0 && !only_prorations
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn off() -> impl Strategy<Value = Off> {
        prop_oneof![
            (0i64..99_999_999).prop_map(Off::Amount),
            (0u32..=1_000_000).prop_map(|n| {
                let text = format!("{}.{:04}", n / 10_000, n % 10_000);
                Off::Percent(Decimal::parse(&text, 4, "percent_off").unwrap())
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn no_line_goes_below_zero_and_nothing_is_taken_twice(
            before in proptest::collection::vec(-1_000_000i64..1_000_000, 0..12),
            offs in proptest::collection::vec(off(), 1..4),
        ) {
            let mut lines = before.clone();
            let taken: Vec<Vec<i64>> = offs.iter().map(|off| off.take(&mut lines)).collect();
            for (n, (line, left)) in before.iter().zip(&lines).enumerate() {
                let sum: i64 = taken.iter().map(|shares| shares[n]).sum();
                prop_assert_eq!(line - sum, *left);
                prop_assert!(taken.iter().all(|shares| shares[n] >= 0));
                prop_assert!(*left >= 0.min(*line));
            }
        }

        #[test]
        fn an_amount_is_taken_whole_where_there_is_room(
            lines in proptest::collection::vec(0i64..1_000_000, 1..12),
            amount in 0i64..5_000_000,
        ) {
            let room: i64 = lines.iter().sum();
            let shares = Off::Amount(amount).take(&mut lines.clone());
            prop_assert_eq!(shares.iter().sum::<i64>(), amount.min(room));
            // Every share but those that took the rest is the exact one, rounded down.
            let exact = |line: i64| amount.min(room) * line / room.max(1);
            prop_assert!(shares.iter().zip(&lines).all(|(share, line)| *share >= exact(*line)));
        }

        #[test]
        fn all_of_it_is_all_of_it(lines in proptest::collection::vec(0i64..99_999_999, 0..12)) {
            let mut left = lines.clone();
            prop_assert_eq!(Off::Percent(Decimal::whole(100)).take(&mut left), lines);
            prop_assert!(left.iter().all(|line| *line == 0));
        }
    }
}
