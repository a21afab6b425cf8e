//! Tax: per line, exclusive on top or inclusive inside, each rounded by itself so that credit notes come out exactly.

use crate::customer::TaxExempt;
use crate::decimal::{Decimal, ONE};
use crate::money::round_ratio;
use crate::text_enum::text_enum;

text_enum!(
    /// Why a line bears the tax it does (Stripe's words; those that happen here).
    Reason {
        StandardRated = "standard_rated",
        ZeroRated = "zero_rated",
        ReverseCharge = "reverse_charge",
        CustomerExempt = "customer_exempt",
        NotCollecting = "not_collecting",
    }
);

/// Member states of the European Union.
const UNION: &[&str] = &[
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// A rate as it stands on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Of a hundred.
    pub percentage: Decimal,
    pub inclusive: bool,
}

/// What a line bears: the sum without tax, and each rate's tax in the order of the rates, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taxed {
    pub net: i64,
    pub taxes: Vec<i64>,
}

/// The tax on a line of `amount`, which is what is left of it after discounts. Inclusive tax is taken out first
/// (`amount · r / (100 + r)`), the net is what remains, and net + inclusive tax = amount always; exclusive tax is on the
/// net. A negative line gives back what a positive one would bear.
pub fn on_line(amount: i64, rates: &[Rate]) -> Taxed {
    let inside: i128 = rates.iter().filter(|rate| rate.inclusive).map(|rate| rate.percentage.steps()).sum();
    let of = |base: i64, rate: &Rate, whole: i128| {
        i64::try_from(round_ratio(i128::from(base) * rate.percentage.steps(), whole)).unwrap_or_default()
    };
    let included: Vec<i64> =
        rates.iter().map(|rate| if rate.inclusive { of(amount, rate, 100 * ONE + inside) } else { 0 }).collect();
    let net = amount - included.iter().sum::<i64>();
    let each = rates.iter().zip(included);
    let taxes = each.map(|(rate, tax)| if rate.inclusive { tax } else { of(net, rate, 100 * ONE) }).collect();
    Taxed { net, taxes }
}

/// The tax on one more credit note over a line: the line's tax in the note's proportion, and all that is left of it on
/// the note that credits the rest, so that the notes together give back the line's tax exactly.
///
/// `line` and `credited` are amounts with their tax: the line's own, and what notes have given back of it so far.
pub fn on_note(line: (i64, i64), credited: (i64, i64), amount: i64) -> i64 {
    let ((whole, tax), (before, given)) = (line, credited);
    let left = tax - given;
    if before + amount == whole || whole == 0 {
        return left;
    }
    let share = round_ratio(i128::from(tax) * i128::from(amount), i128::from(whole).abs()) * i128::from(whole.signum());
    let share = i64::try_from(share).unwrap_or(left);
    if left < 0 { share.clamp(left, 0) } else { share.clamp(0, left) }
}

/// Who is billed, as far as tax asks.
#[derive(Debug, Clone, Copy)]
pub struct Parties<'a> {
    /// ISO 3166 codes.
    pub merchant: &'a str,
    pub customer: Option<&'a str>,
    pub exempt: TaxExempt,
    /// The country of a verified EU VAT ID of the customer's.
    pub vat_id: Option<&'a str>,
}

impl Parties<'_> {
    /// Why no tax is charged at all, whatever the rates are; `None` if it is.
    pub fn untaxed(&self) -> Option<Reason> {
        let in_union = |country: &str| UNION.contains(&country);
        let across = self.vat_id.is_some_and(|id| id != self.merchant && in_union(id) && in_union(self.merchant));
        match self.exempt {
            TaxExempt::Exempt => Some(Reason::CustomerExempt),
            TaxExempt::Reverse => Some(Reason::ReverseCharge),
            TaxExempt::None if across => Some(Reason::ReverseCharge),
            TaxExempt::None => None,
        }
    }

    /// Whether a rate of this country and state is the customer's.
    pub fn are_under(&self, country: Option<&str>, state: Option<&str>, customer_state: Option<&str>) -> bool {
        country.is_some_and(|country| self.customer == Some(country))
            && state.is_none_or(|state| customer_state == Some(state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate() -> impl Strategy<Value = Rate> {
        (0u32..=1_000_000, any::<bool>()).prop_map(|(n, inclusive)| {
            let text = format!("{}.{:04}", n / 10_000, n % 10_000);
            Rate { percentage: Decimal::parse(&text, 4, "percentage").unwrap(), inclusive }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn net_and_inclusive_tax_are_the_amount(
            amount in -99_999_999i64..99_999_999,
            rates in proptest::collection::vec(rate(), 0..5),
        ) {
            let taxed = on_line(amount, &rates);
            let inside: i64 = rates.iter().zip(&taxed.taxes).filter(|(r, _)| r.inclusive).map(|(_, tax)| tax).sum();
            prop_assert_eq!(taxed.net + inside, amount);
            let back = on_line(-amount, &rates);
            prop_assert_eq!(back.net, -taxed.net);
            prop_assert!(back.taxes.iter().zip(&taxed.taxes).all(|(back, tax)| *back == -tax));
        }

        #[test]
        fn notes_give_back_exactly_what_was_taxed(
            whole in 1i64..1_000_000,
            tax in 0i64..1_000_000,
            cuts in proptest::collection::vec(0i64..1_000_000, 0..10),
            sign in prop_oneof![Just(1i64), Just(-1)],
        ) {
            let mut cuts: Vec<i64> = cuts.into_iter().map(|cut| cut % whole).collect();
            cuts.push(whole);
            cuts.sort_unstable();
            cuts.dedup();
            let mut credited = (0, 0);
            for cut in cuts {
                let amount = sign * cut - credited.0;
                if amount == 0 {
                    continue;
                }
                let share = on_note((sign * whole, sign * tax), credited, amount);
                prop_assert!(share * sign >= 0);
                credited = (credited.0 + amount, credited.1 + share);
                prop_assert!(credited.1.abs() <= tax);
            }
            prop_assert_eq!(credited, (sign * whole, sign * tax));
        }
    }
}
