//! Billing periods: period n starts at anchor + n intervals, months clamped to their last day, all in UTC.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::Seconds;
use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(rename_all = "lowercase", type_name = "text")]
#[serde(rename_all = "lowercase")]
pub enum Interval {
    Day,
    Week,
    Month,
    Year,
}

/// How often a price recurs: every `count` intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurring {
    pub interval: Interval,
    pub count: i64,
}

impl Interval {
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// The most intervals that three years hold: Stripe's limit on `interval_count`.
    pub fn most(self) -> i64 {
        match self {
            Self::Day => 1095,
            Self::Week => 156,
            Self::Month => 36,
            Self::Year => 3,
        }
    }
}

impl Recurring {
    /// The start of period `n`. Always counted from the anchor: Jan 31 → Feb 28 → Mar 31, never drifting to the 28th.
    pub fn start_of(self, anchor: Seconds, n: i64) -> Result<Seconds> {
        let beyond = || Error::invalid("billing_cycle_anchor", "the billing period lies outside the calendar");
        let steps = n.checked_mul(self.count).ok_or_else(beyond)?;
        let days = |each: i64| anchor.0.checked_add(steps.checked_mul(each * 86_400)?).map(Seconds);
        match self.interval {
            Interval::Day => days(1).ok_or_else(beyond),
            Interval::Week => days(7).ok_or_else(beyond),
            Interval::Month => add_months(anchor, steps),
            Interval::Year => add_months(anchor, steps.checked_mul(12).ok_or_else(beyond)?),
        }
    }
}

/// `at` plus `months`, on the same day of the month or its last, at the same time of day.
pub fn add_months(at: Seconds, months: i64) -> Result<Seconds> {
    let beyond = |_| Error::invalid("billing_cycle_anchor", "the billing period lies outside the calendar");
    let civil: DateTime = TimeZone::UTC.to_datetime(Timestamp::from_second(at.0).map_err(beyond)?);
    let moved = civil.checked_add(Span::new().try_months(months).map_err(beyond)?).map_err(beyond)?;
    Ok(Seconds(moved.to_zoned(TimeZone::UTC).map_err(beyond)?.timestamp().as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Seconds {
        let text = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
        Seconds(text.parse::<Timestamp>().map(|t| t.as_second()).unwrap_or_default())
    }

    fn starts(anchor: &str, interval: Interval, count: i64, n: i64) -> Vec<Seconds> {
        let recurring = Recurring { interval, count };
        (1..=n).map(|n| recurring.start_of(at(anchor), n).unwrap()).collect()
    }

    fn dates(list: &[&str]) -> Vec<Seconds> {
        list.iter().map(|d| at(d)).collect()
    }

    #[test]
    fn the_rows_of_the_rules() {
        use Interval::{Month, Week, Year};
        assert_eq!(
            starts("2026-01-31", Month, 1, 13),
            dates(&[
                "2026-02-28",
                "2026-03-31",
                "2026-04-30",
                "2026-05-31",
                "2026-06-30",
                "2026-07-31",
                "2026-08-31",
                "2026-09-30",
                "2026-10-31",
                "2026-11-30",
                "2026-12-31",
                "2027-01-31",
                "2027-02-28"
            ])
        );
        assert_eq!(starts("2028-01-31", Month, 1, 3), dates(&["2028-02-29", "2028-03-31", "2028-04-30"]));
        assert_eq!(starts("2026-01-30", Month, 1, 3), dates(&["2026-02-28", "2026-03-30", "2026-04-30"]));
        assert_eq!(starts("2026-02-28", Month, 1, 2), dates(&["2026-03-28", "2026-04-28"]));
        assert_eq!(starts("2028-02-29", Year, 1, 4), dates(&["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]));
        assert_eq!(starts("2026-11-30", Month, 3, 4), dates(&["2027-02-28", "2027-05-30", "2027-08-30", "2027-11-30"]));
        assert_eq!(starts("2026-08-31", Month, 6, 3), dates(&["2027-02-28", "2027-08-31", "2028-02-29"]));
        assert_eq!(starts("2096-02-29", Year, 4, 1), dates(&["2100-02-28"]));
        assert_eq!(starts("2022-06-03", Week, 1, 2), dates(&["2022-06-10", "2022-06-17"]));
    }

    #[test]
    fn every_day_has_86400_seconds() {
        let march = Recurring { interval: Interval::Month, count: 1 };
        let start = at("2026-03-01");
        assert_eq!(march.start_of(start, 1).unwrap().0 - start.0, 2_678_400);
    }

    #[test]
    fn beyond_the_calendar_is_an_error_and_no_panic() {
        let yearly = Recurring { interval: Interval::Year, count: 3 };
        assert!(yearly.start_of(at("2026-01-01"), i64::MAX).is_err());
        assert!(yearly.start_of(at("2026-01-01"), 1_000_000).is_err());
    }

    proptest! {
        #[test]
        fn periods_never_stand_still(anchor in 0i64..4_000_000_000, n in 0i64..600, count in 1i64..12) {
            for interval in [Interval::Day, Interval::Week, Interval::Month, Interval::Year] {
                let recurring = Recurring { interval, count };
                prop_assert!(recurring.start_of(Seconds(anchor), n).unwrap() < recurring.start_of(Seconds(anchor), n + 1).unwrap());
            }
        }
    }
}
