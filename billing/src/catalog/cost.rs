//! What a quantity costs: so much a unit, or by tiers. Pure arithmetic, multiplied first and rounded once.

use serde::{Deserialize, Serialize};

use crate::decimal::{Decimal, ONE};
use crate::error::{Error, Result};
use crate::money::{MAX_AMOUNT, bounded, round_ratio};
use crate::text_enum::text_enum;

text_enum!(
    /// Each unit at its own tier's price, or all at the price of the tier that the quantity reaches.
    TiersMode { Graduated = "graduated", Volume = "volume" }
);
text_enum!(Round { Down = "down", Up = "up" });

/// The terms of a price, in minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cost {
    PerUnit { unit: Decimal, transform: Option<Transform> },
    Tiered { mode: TiersMode, tiers: Vec<Tier> },
}

/// One step of a tiered price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// The last unit in it; `None` for all that are left.
    pub up_to: Option<i64>,
    pub unit_amount: Option<Decimal>,
    /// Charged once when a unit falls in it.
    pub flat_amount: Option<Decimal>,
}

/// Packages: the quantity is divided and rounded before it is multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transform {
    pub divide_by: i64,
    pub round: Round,
}

const MOST_TIERS: usize = 100;

impl Cost {
    /// So many whole minor units each.
    pub const fn unit(amount: u32) -> Self {
        Self::PerUnit { unit: Decimal::whole(amount), transform: None }
    }

    /// What `quantity` units cost, in minor units.
    pub fn of(&self, quantity: i64) -> Result<i64> {
        let exact = match self {
            Self::PerUnit { unit, transform } => {
                unit.steps() * i128::from(transform.map_or(quantity, |packages| packages.apply(quantity)))
            }
            Self::Tiered { mode: TiersMode::Graduated, tiers } => graduated(tiers, quantity),
            Self::Tiered { mode: TiersMode::Volume, tiers } => volume(tiers, quantity),
        };
        bounded(round_ratio(exact, ONE), "quantity")
    }

    /// Refuses what cannot be a price, in the names of Stripe's parameters.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::PerUnit { unit, transform } => {
                check_amount(Some(*unit), "unit_amount")?;
                match transform {
                    Some(packages) if packages.divide_by < 1 => {
                        Err(Error::invalid("transform_quantity[divide_by]", "Invalid positive integer"))
                    }
                    _ => Ok(()),
                }
            }
            Self::Tiered { tiers, .. } => check_tiers(tiers),
        }
    }
}

impl Transform {
    fn apply(self, quantity: i64) -> i64 {
        // A row that was not checked divides by one rather than by nothing.
        let by = self.divide_by.max(1);
        match self.round {
            Round::Down => quantity.div_euclid(by),
            Round::Up => quantity.div_euclid(by) + i64::from(quantity.rem_euclid(by) > 0),
        }
    }
}

impl Tier {
    fn cost(&self, units: i64) -> i128 {
        let unit = self.unit_amount.unwrap_or_default().steps() * i128::from(units);
        unit + self.flat_amount.unwrap_or_default().steps()
    }
}

fn graduated(tiers: &[Tier], quantity: i64) -> i128 {
    let (mut exact, mut below) = (0, 0);
    for tier in tiers {
        let units = tier.up_to.map_or(quantity, |last| last.min(quantity)) - below;
        if units <= 0 {
            break;
        }
        exact += tier.cost(units);
        below += units;
    }
    exact
}

fn volume(tiers: &[Tier], quantity: i64) -> i128 {
    if quantity <= 0 {
        return 0;
    }
    let reached = tiers.iter().find(|tier| tier.up_to.is_none_or(|last| quantity <= last));
    reached.map_or(0, |tier| tier.cost(quantity))
}

fn check_amount(amount: Option<Decimal>, param: &str) -> Result<()> {
    match amount {
        Some(amount) if amount.steps() > i128::from(MAX_AMOUNT) * ONE => {
            Err(Error::invalid(param, format!("Invalid amount: at most {MAX_AMOUNT} in the smallest unit")))
        }
        _ => Ok(()),
    }
}

fn check_tiers(tiers: &[Tier]) -> Result<()> {
    if tiers.is_empty() || tiers.len() > MOST_TIERS {
        return Err(Error::invalid("tiers", format!("A tiered price has 1 to {MOST_TIERS} tiers.")));
    }
    let mut below = 0;
    for (n, tier) in tiers.iter().enumerate() {
        let refuse = |name: &str, message: &str| Err(Error::invalid(format!("tiers[{n}]{name}"), message));
        match tier.up_to {
            None if n + 1 < tiers.len() => return refuse("[up_to]", "Only the last tier goes up to `inf`."),
            Some(_) if n + 1 == tiers.len() => return refuse("[up_to]", "The last tier must go up to `inf`."),
            Some(last) if last <= below => return refuse("[up_to]", "Each tier must go further than the one before."),
            last => below = last.unwrap_or(below),
        }
        if tier.unit_amount.is_none() && tier.flat_amount.is_none() {
            return refuse("[unit_amount]", "A tier needs a unit_amount or a flat_amount.");
        }
        check_amount(tier.unit_amount, &format!("tiers[{n}][unit_amount]"))?;
        check_amount(tier.flat_amount, &format!("tiers[{n}][flat_amount]"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cents() -> impl Strategy<Value = Option<Decimal>> {
        proptest::option::of(
            (0u32..10_000, 0u32..1000)
                .prop_map(|(whole, fraction)| Decimal::parse(&format!("{whole}.{fraction:03}"), 3, "amount").unwrap()),
        )
    }

    fn tiers() -> impl Strategy<Value = Vec<Tier>> {
        proptest::collection::vec((1i64..100, cents(), cents()), 1..6).prop_map(|steps| {
            let (last, mut up_to) = (steps.len() - 1, 0);
            let each = steps.into_iter().enumerate().map(|(n, (more, unit_amount, flat_amount))| {
                up_to += more;
                Tier { up_to: (n < last).then_some(up_to), unit_amount, flat_amount }
            });
            each.collect()
        })
    }

    /// Unit by unit, as a person would count.
    fn counted(tiers: &[Tier], quantity: i64) -> i128 {
        let mut flat_paid = vec![false; tiers.len()];
        let mut exact = 0;
        for unit in 1..=quantity {
            let n = tiers.iter().position(|tier| tier.up_to.is_none_or(|last| unit <= last)).unwrap();
            exact += tiers[n].unit_amount.unwrap_or_default().steps();
            if !std::mem::replace(&mut flat_paid[n], true) {
                exact += tiers[n].flat_amount.unwrap_or_default().steps();
            }
        }
        exact
    }

    proptest! {
        #[test]
        fn graduated_is_what_counting_gives(tiers in tiers(), quantity in 0i64..400) {
            prop_assert_eq!(graduated(&tiers, quantity), counted(&tiers, quantity));
        }

        #[test]
        fn in_the_first_tier_both_modes_are_the_same(tiers in tiers(), quantity in 0i64..100) {
            prop_assume!(tiers[0].up_to.is_none_or(|last| quantity <= last));
            prop_assert_eq!(graduated(&tiers, quantity), volume(&tiers, quantity));
        }

        #[test]
        fn packages_hold_every_unit(quantity in 0i64..1_000_000, divide_by in 1i64..1000) {
            let packages = |round| Transform { divide_by, round }.apply(quantity);
            prop_assert!(packages(Round::Up) * divide_by >= quantity);
            prop_assert!(packages(Round::Down) * divide_by <= quantity);
            prop_assert!(packages(Round::Up) - packages(Round::Down) <= 1);
        }
    }

    #[test]
    fn the_dearest_price_there_can_be_is_refused_and_does_not_overflow() {
        let unit = Decimal::parse("999999999.999999999999", 12, "p").unwrap();
        assert!(Cost::PerUnit { unit, transform: None }.check().is_err());
        assert!(Cost::PerUnit { unit, transform: None }.of(999_999).is_err());
        assert_eq!(Cost::unit(99_999_999).check(), Ok(()));
        assert_eq!(Cost::unit(99_999_999).of(1), Ok(99_999_999));
    }
}
