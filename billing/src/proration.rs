//! Proration by the second: what a part of a period is worth (`amount × seconds left / seconds`).
//!
//! Every line is rounded by itself, and a document's total is the sum of its rounded lines.

use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::money::round_ratio;

/// A stretch of time, half open: its end is the next one's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: Seconds,
    end: Seconds,
}

impl Span {
    /// At least one second long.
    pub fn new(start: Seconds, end: Seconds) -> Result<Self> {
        if start < end { Ok(Self { start, end }) } else { Err(Error::internal("a period that does not last")) }
    }

    pub fn start(self) -> Seconds {
        self.start
    }

    pub fn end(self) -> Seconds {
        self.end
    }

    pub fn seconds(self) -> i64 {
        self.end.0 - self.start.0
    }

    /// The seconds that are left of it at an instant: none after its end, all before its start.
    pub fn left_at(self, at: Seconds) -> i64 {
        self.end.0 - at.0.clamp(self.start.0, self.end.0)
    }

    /// What is left of it at an instant, if anything is.
    pub fn rest(self, at: Seconds) -> Option<Self> {
        Self::new(at.max(self.start), self.end).ok()
    }

    /// The part of `amount` that is left at an instant, in minor units.
    fn part(self, amount: i64, at: Seconds) -> i64 {
        let exact = i128::from(amount) * i128::from(self.left_at(at));
        // A part of an i64 is one.
        i64::try_from(round_ratio(exact, i128::from(self.seconds()))).unwrap_or(amount)
    }
}

/// What is given back of `debited` when the thing it paid for ends at an instant: zero or the other sign.
///
/// `debited` is what was last billed for it, after its discount, and `over` the time that was billed with it: never a
/// price that was not billed.
pub fn credit(debited: i64, over: Span, at: Seconds) -> i64 {
    -over.part(debited, at)
}

/// What a price costs from an instant to the end of its period. A discount of a fixed amount is taken off the price
/// first, then the rest is prorated.
pub fn debit(price: i64, period: Span, at: Seconds) -> i64 {
    period.part(price, at)
}

/// One price in place of another without regard to the date (`proration_behavior=full_difference`).
pub fn full_difference(old: i64, new: i64) -> i64 {
    new - old
}

/// The nearest multiple of `step`, ties away from zero: what a processor takes that knows no last digit (Stripe takes
/// three-decimal currencies in multiples of 10). Applied to each line, before anything is finalised.
pub fn to_step(amount: i64, step: u32) -> i64 {
    let step = i128::from(step.max(1));
    i64::try_from(round_ratio(i128::from(amount), step) * step).unwrap_or(amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MONTH: i64 = 31 * 86_400;

    fn span(seconds: i64) -> Span {
        Span::new(Seconds(0), Seconds(seconds)).unwrap()
    }

    /// A plan that is switched again and again: what is billed for it, and what the exact ratio would have been, times
    /// the period's seconds.
    fn switched(first: i64, switches: &[(i64, i64)]) -> (i64, i128) {
        let period = span(MONTH);
        let (mut billed, mut debited, mut over, mut price) = (0, first, period, first);
        let mut exact = 0;
        for (price_next, at) in switches {
            let at = Seconds(*at);
            billed += credit(debited, over, at);
            exact += i128::from(price_next - price) * i128::from(period.left_at(at));
            (debited, price) = (debit(*price_next, period, at), *price_next);
            billed += debited;
            let Some(rest) = over.rest(at) else { break };
            over = rest;
        }
        (billed, exact)
    }

    #[test]
    fn a_period_that_does_not_last_is_none() {
        assert!(Span::new(Seconds(5), Seconds(5)).is_err());
        assert_eq!(span(10).left_at(Seconds(-5)), 10);
        assert_eq!(span(10).left_at(Seconds(15)), 0);
        assert_eq!(span(10).rest(Seconds(10)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn there_and_back_in_one_second_is_nothing(a in 0i64..99_999_999, b in 0i64..99_999_999, at in 0..MONTH) {
            let (billed, exact) = switched(a, &[(b, at), (a, at)]);
            prop_assert_eq!((billed, exact), (0, 0));
        }

        #[test]
        fn a_credit_is_never_more_than_was_billed(debited in 0i64..99_999_999, at in -5..MONTH + 5) {
            let back = credit(debited, span(MONTH), Seconds(at));
            prop_assert!((-debited..=0).contains(&back));
        }

        #[test]
        fn switches_stay_within_a_unit_each(
            first in 0i64..99_999_999,
            mut switches in proptest::collection::vec((0i64..99_999_999, 0..MONTH), 1..20),
        ) {
            switches.sort_by_key(|(_, at)| *at);
            let (billed, exact) = switched(first, &switches);
            let off = (i128::from(billed) * i128::from(MONTH) - exact).abs();
            prop_assert!(off <= i128::try_from(switches.len()).unwrap() * i128::from(MONTH), "{billed}");
        }

        #[test]
        fn steps_are_near_and_symmetric(amount in -99_999_999i64..99_999_999) {
            let near = to_step(amount, 10);
            prop_assert_eq!(near % 10, 0);
            prop_assert!((near - amount).abs() <= 5);
            prop_assert_eq!(to_step(-amount, 10), -near);
        }
    }
}
