//! How much of an invoice line a credit note gives back: of its amount, its discounts and its taxes each a share, so that
//! the notes over a line together are the line exactly. No clock, no database.

use serde_json::Value;

use crate::discount::Off;
use crate::invoice::Line;
use crate::money::round_ratio;
use crate::tax::on_note;
use crate::wire;

/// A line, or what is given back of one, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// Before discounts and exclusive tax.
    pub amount: i64,
    /// By discount, in the order in which they stand on the line.
    pub discounts: Vec<i64>,
    /// By rate, likewise.
    pub taxes: Vec<Tax>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tax {
    pub amount: i64,
    pub taxable: i64,
    /// On top of the amount.
    pub is_exclusive: bool,
}

impl Part {
    pub fn of(line: &Line) -> Self {
        Self::read(line.amount, &wire::discount_amounts(&line.discount_amounts).into(), &line.taxes)
    }

    /// From an amount and what stands beside it in Stripe's shapes.
    pub fn read(amount: i64, discounts: &Value, taxes: &Value) -> Self {
        let number = |entry: &Value, name: &str| entry[name].as_i64().unwrap_or_default();
        let entries = |list: &Value| list.as_array().cloned().unwrap_or_default();
        let discounts = entries(discounts).iter().map(|entry| number(entry, "amount")).collect();
        let taxes = entries(taxes).into_iter().map(|entry| Tax {
            amount: number(&entry, "amount"),
            taxable: number(&entry, "taxable_amount"),
            is_exclusive: entry["tax_behavior"] == "exclusive",
        });
        Self { amount, discounts, taxes: taxes.collect() }
    }

    pub fn discount(&self) -> i64 {
        self.discounts.iter().sum()
    }

    /// Exclusive and inclusive together.
    pub fn tax(&self) -> i64 {
        self.taxes.iter().map(|tax| tax.amount).sum()
    }

    pub fn exclusive(&self) -> i64 {
        self.taxes.iter().filter(|tax| tax.is_exclusive).map(|tax| tax.amount).sum()
    }

    /// What is paid for it.
    pub fn total(&self) -> i64 {
        self.amount - self.discount() + self.exclusive()
    }

    /// What is left of it when `other` has been given back.
    pub fn less(&self, other: &Self) -> Self {
        let taxes = self.taxes.iter().zip(&other.taxes).map(|(tax, less)| Tax {
            amount: tax.amount - less.amount,
            taxable: tax.taxable - less.taxable,
            ..*tax
        });
        Self {
            amount: self.amount - other.amount,
            discounts: self.discounts.iter().zip(&other.discounts).map(|(off, less)| off - less).collect(),
            taxes: taxes.collect(),
        }
    }

    /// The share of `left`, which is what notes have left of this line, that gives back `amount` of its amount. All that
    /// is left where that is all of the amount; the caller sees to it that it is no more, and above zero.
    pub fn share_of_amount(&self, left: &Self, amount: i64) -> Self {
        if amount >= left.amount {
            return left.clone();
        }
        let credited = self.amount - left.amount;
        let given = self.discount() - left.discount();
        let taxes = self.taxes_of(left, (self.amount, credited), amount);
        let mut share = Self { amount, discounts: Vec::new(), taxes };
        let off = round_ratio(i128::from(self.discount()) * i128::from(credited + amount), i128::from(self.amount));
        // Nor may what notes over totals have left of the discount bring this one below nothing.
        let most = left.discount().min(share.total());
        let off = (i64::try_from(off).unwrap_or_default() - given).clamp(0, most);
        share.discounts = spread(off, &left.discounts);
        // Roundings of tax and discount may not bring a note above what is left of the line.
        let excess = share.total() - left.total();
        if excess > 0 {
            share.discounts = spread(off + excess, &left.discounts);
        }
        share
    }

    /// The share of `left` that is paid for with `total`. All that is left where that is all.
    pub fn share_of_total(&self, left: &Self, total: i64) -> Self {
        if total >= left.total() {
            return left.clone();
        }
        let measure = (self.total(), self.total() - left.total());
        let off = on_note((measure.0, self.discount()), (measure.1, self.discount() - left.discount()), total);
        let taxes = self.taxes_of(left, measure, total);
        let mut share = Self { amount: 0, discounts: spread(off, &left.discounts), taxes };
        share.amount = (total + off - share.exclusive()).min(left.amount);
        // Where the amount has no room, the tax has it.
        let mut rest = total - share.total();
        for (tax, left) in share.taxes.iter_mut().zip(&left.taxes).filter(|(tax, _)| tax.is_exclusive) {
            let more = rest.min(left.amount - tax.amount);
            tax.amount += more;
            rest -= more;
        }
        share
    }

    fn taxes_of(&self, left: &Self, (whole, credited): (i64, i64), share: i64) -> Vec<Tax> {
        let each = self.taxes.iter().zip(&left.taxes).map(|(tax, left)| {
            let of = |all: i64, left: i64| on_note((whole, all), (credited, all - left), share);
            Tax { amount: of(tax.amount, left.amount), taxable: of(tax.taxable, left.taxable), ..*tax }
        });
        each.collect()
    }
}

/// Divides an amount among what each has left; none below zero gets any.
pub fn spread(amount: i64, left: &[i64]) -> Vec<i64> {
    Off::Amount(amount).take(&mut left.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::Decimal;
    use crate::tax::{Rate, on_line};
    use proptest::prelude::*;

    fn line() -> impl Strategy<Value = Part> {
        let rates = proptest::collection::vec((0u32..300_000, any::<bool>()), 0..3);
        (1i64..200_000, proptest::collection::vec(0i64..100_000, 0..3), rates).prop_map(|(amount, offs, rates)| {
            let mut left = amount;
            let discounts: Vec<i64> = offs
                .into_iter()
                .map(|off| {
                    let off = off.min(left);
                    left -= off;
                    off
                })
                .collect();
            let rates: Vec<Rate> = rates
                .into_iter()
                .map(|(n, inclusive)| {
                    let text = format!("{}.{:04}", n / 10_000, n % 10_000);
                    Rate { percentage: Decimal::parse(&text, 4, "percentage").unwrap(), inclusive }
                })
                .collect();
            let taxed = on_line(left, &rates);
            let taxes = rates.iter().zip(&taxed.taxes);
            let taxes =
                taxes.map(|(rate, tax)| Tax { amount: *tax, taxable: taxed.net, is_exclusive: !rate.inclusive });
            Part { amount, discounts, taxes: taxes.collect() }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// However a line is given back, by amounts and by totals in any order, the notes are the line exactly.
        #[test]
        fn notes_over_a_line_are_the_line(
            whole in line(),
            steps in proptest::collection::vec((any::<bool>(), 1i64..100), 0..8),
        ) {
            let mut left = whole.clone();
            for (by_total, percent) in steps {
                let of = if by_total { left.total() } else { left.amount };
                let step = of * percent / 100;
                if step <= 0 {
                    continue;
                }
                let share = if by_total { whole.share_of_total(&left, step) } else { whole.share_of_amount(&left, step) };
                prop_assert_eq!(if by_total { share.total() } else { share.amount }, step);
                left = left.less(&share);
                for part in [&share, &left] {
                    prop_assert!(part.amount >= 0 && part.total() >= 0, "{:?}", part);
                    prop_assert!(part.discounts.iter().all(|off| *off >= 0), "{:?}", part);
                    prop_assert!(part.taxes.iter().all(|tax| tax.amount >= 0), "{:?}", part);
                }
            }
            let rest = whole.share_of_amount(&left, left.amount);
            prop_assert_eq!(&rest, &left);
            let nothing = left.less(&rest);
            prop_assert_eq!((nothing.amount, nothing.discount(), nothing.tax()), (0, 0, 0));
        }
    }

    #[test]
    fn tax_follows_the_amount_and_the_last_note_takes_the_rest() {
        let tax = Tax { amount: 19, taxable: 100, is_exclusive: true };
        let whole = Part { amount: 100, discounts: vec![], taxes: vec![tax] };
        let first = whole.share_of_amount(&whole, 33);
        assert_eq!((first.tax(), first.total()), (6, 39));
        let left = whole.less(&first);
        let second = whole.share_of_amount(&left, 33);
        assert_eq!(second.tax(), 6);
        let last = whole.share_of_amount(&left.less(&second), 34);
        assert_eq!((last.tax(), last.total()), (7, 41));
    }
}
