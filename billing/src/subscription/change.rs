//! What a change gives back and costs: pure arithmetic over what was billed, without clock and database.
//!
//! An item is credited with what was last debited for it, never with a price that was not billed. Every part is rounded
//! by itself, and one of nothing is left out.

use crate::clock::Seconds;
use crate::proration::{Span, credit, debit, full_difference};
use crate::text_enum::text_enum;

text_enum!(
    /// What becomes of the difference: it waits for the next invoice, is invoiced at once, or is not asked for; or it is
    /// invoiced in full, whatever the date, at once or with the next invoice.
    ProrationBehavior {
        AlwaysInvoice = "always_invoice",
        CreateProrations = "create_prorations",
        FullDifference = "full_difference",
        FullDifferenceLater = "full_difference_later",
        None = "none",
    }
);

impl ProrationBehavior {
    /// Whether the date counts for nothing.
    fn is_full(self) -> bool {
        matches!(self, Self::FullDifference | Self::FullDifferenceLater)
    }
}

/// What was last billed for an item and has not been given back since, after its discount, over the time it was billed
/// for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Debited {
    pub amount: i64,
    pub over: Span,
}

/// An item that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// `None` if nothing was billed for it: it is new, was free, or changed its price unbilled.
    pub debited: Option<Debited>,
    /// What a whole period of it costs from now on, after its discount; `None` if it is taken away.
    pub price: Option<i64>,
}

/// Which period the change is billed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// The current one goes on. It is the whole one that prices are for, also where it began late.
    GoesOn(Span),
    /// A new one begins: all that is left of the old is given back, and the new one is billed whole.
    Begins(Span),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Unused time of what was debited.
    Credit,
    /// The rest of the period at the new price.
    Debit,
    /// New less old in one.
    Difference,
    /// A whole new period.
    Period,
}

/// One line of the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Which of the items.
    pub item: usize,
    pub kind: Kind,
    /// Minor units; a credit is below zero.
    pub amount: i64,
    pub over: Span,
    /// What a later change counts from: the debit that now stands for the item, with [`Part::over`]. None with a credit.
    pub debited: Option<i64>,
}

/// The lines of a change at an instant, item by item: first what is given back, then what is asked for.
pub fn parts(items: &[Changed], behavior: ProrationBehavior, period: Period, at: Seconds) -> Vec<Part> {
    let mut parts = Vec::new();
    for (item, changed) in items.iter().enumerate() {
        let each = match (period, behavior) {
            (Period::GoesOn(_), ProrationBehavior::None) => [None, None],
            (Period::GoesOn(whole), _) if behavior.is_full() => [difference(item, changed, whole), None],
            (Period::GoesOn(whole), _) => [unused(item, changed, at), remaining(item, changed, whole, at)],
            (Period::Begins(next), ProrationBehavior::None) => [None, begun(item, changed, next)],
            (Period::Begins(next), _) if behavior.is_full() => [
                changed.debited.and_then(|debited| given_back(item, debited, debited.over)),
                begun(item, changed, next),
            ],
            (Period::Begins(next), _) => [unused(item, changed, at), begun(item, changed, next)],
        };
        parts.extend(each.into_iter().flatten());
    }
    parts
}

/// What is given back of an item at an instant.
pub fn unused(item: usize, changed: &Changed, at: Seconds) -> Option<Part> {
    let debited = changed.debited?;
    let over = debited.over.rest(at)?;
    let amount = credit(debited.amount, debited.over, at);
    (amount != 0).then_some(Part { item, kind: Kind::Credit, amount, over, debited: None })
}

/// All that was debited.
fn given_back(item: usize, debited: Debited, over: Span) -> Option<Part> {
    (debited.amount != 0).then_some(Part { item, kind: Kind::Credit, amount: -debited.amount, over, debited: None })
}

fn remaining(item: usize, changed: &Changed, whole: Span, at: Seconds) -> Option<Part> {
    let over = whole.rest(at)?;
    let amount = debit(changed.price?, whole, at);
    (amount != 0).then_some(Part { item, kind: Kind::Debit, amount, over, debited: Some(amount) })
}

/// The new price takes the place of the old over the time that the old was billed for.
fn difference(item: usize, changed: &Changed, whole: Span) -> Option<Part> {
    let over = changed.debited.map_or(whole, |debited| debited.over);
    let new = debit(changed.price.unwrap_or_default(), whole, over.start());
    let amount = full_difference(changed.debited.map_or(0, |debited| debited.amount), new);
    (amount != 0).then_some(Part { item, kind: Kind::Difference, amount, over, debited: Some(new) })
}

fn begun(item: usize, changed: &Changed, next: Span) -> Option<Part> {
    let amount = changed.price?;
    Some(Part { item, kind: Kind::Period, amount, over: next, debited: Some(amount) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProrationBehavior::{CreateProrations, FullDifference, None as Unbilled};
    use proptest::prelude::*;

    const MONTH: i64 = 30 * 86_400;

    fn span(from: i64, to: i64) -> Span {
        Span::new(Seconds(from), Seconds(to)).unwrap()
    }

    fn billed(amount: i64) -> Option<Debited> {
        Some(Debited { amount, over: span(0, MONTH) })
    }

    fn amounts(parts: &[Part]) -> Vec<i64> {
        parts.iter().map(|part| part.amount).collect()
    }

    /// What stands billed for one item after the parts of a change.
    fn after(before: Option<Debited>, parts: &[Part]) -> Option<Debited> {
        if parts.is_empty() {
            return before;
        }
        parts.iter().find_map(|part| part.debited.map(|amount| Debited { amount, over: part.over }))
    }

    #[test]
    fn what_was_not_billed_is_not_given_back() {
        let whole = Period::GoesOn(span(0, MONTH));
        // 10.00 paid; to 20.00 unbilled; back to 10.00 with a third left: Stripe's page on credit prorations.
        let up = Changed { debited: billed(1000), price: Some(2000) };
        assert_eq!(parts(&[up], Unbilled, whole, Seconds(MONTH / 3)), []);
        let down = Changed { debited: billed(1000), price: Some(1000) };
        assert_eq!(amounts(&parts(&[down], CreateProrations, whole, Seconds(2 * MONTH / 3))), [-333, 333]);
    }

    #[test]
    fn a_new_period_is_billed_whole_and_the_old_given_back() {
        let next = Period::Begins(span(MONTH / 2, MONTH / 2 + 365 * 86_400));
        let year = Changed { debited: billed(1000), price: Some(10_000) };
        let gone = Changed { debited: billed(600), price: None };
        let at = Seconds(MONTH / 2);
        assert_eq!(amounts(&parts(&[year, gone], CreateProrations, next, at)), [-500, 10_000, -300]);
        assert_eq!(amounts(&parts(&[year, gone], Unbilled, next, at)), [10_000]);
        assert_eq!(amounts(&parts(&[year], FullDifference, next, at)), [-1000, 10_000]);
    }

    #[test]
    fn the_full_difference_knows_no_date() {
        let whole = Period::GoesOn(span(0, MONTH));
        for at in [0, 1, MONTH / 2, MONTH - 1] {
            for (old, new, net) in [(3000, 8000, 5000), (5000, 2000, -3000)] {
                let changed = Changed { debited: billed(old), price: Some(new) };
                let parts = parts(&[changed], FullDifference, whole, Seconds(at));
                assert_eq!((amounts(&parts), parts[0].debited), (vec![net], Some(new)));
            }
        }
        let same = Changed { debited: billed(3000), price: Some(3000) };
        assert_eq!(parts(&[same], FullDifference, whole, Seconds(5)), []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn there_and_back_in_one_second_is_nothing(
            a in 0i64..9_999_999, b in 0i64..9_999_999, at in 0..MONTH, full in any::<bool>(),
        ) {
            let whole = Period::GoesOn(span(0, MONTH));
            let behavior = if full { FullDifference } else { CreateProrations };
            let there = parts(&[Changed { debited: billed(a), price: Some(b) }], behavior, whole, Seconds(at));
            let between = after(billed(a), &there);
            let back = parts(&[Changed { debited: between, price: Some(a) }], behavior, whole, Seconds(at));
            prop_assert_eq!(there.iter().chain(&back).map(|part| part.amount).sum::<i64>(), 0);
        }

        #[test]
        fn never_more_is_given_back_than_was_billed(
            prices in proptest::collection::vec((0i64..9_999_999, 0..MONTH, 0u8..4), 1..20),
        ) {
            let whole = Period::GoesOn(span(0, MONTH));
            let (mut debited, mut paid, mut now) = (billed(1000), 1000, 0);
            for (price, later, behavior) in prices {
                now = (now + later / 20).min(MONTH);
                let behavior = ProrationBehavior::parse(ProrationBehavior::ALL[usize::from(behavior)], "p").unwrap();
                let parts = parts(&[Changed { debited, price: Some(price) }], behavior, whole, Seconds(now));
                prop_assert!(parts.iter().all(|part| part.amount != 0 && part.over.rest(Seconds(0)).is_some()));
                paid += amounts(&parts).iter().sum::<i64>();
                debited = after(debited, &parts);
                prop_assert!(paid >= 0, "{}", paid);
            }
            let gone = parts(&[Changed { debited, price: None }], CreateProrations, whole, Seconds(now));
            prop_assert!(paid + amounts(&gone).iter().sum::<i64>() >= 0);
        }
    }
}
