//! What discounts take off the lines of an invoice, before tax.

use serde_json::{Value, json};

use crate::actor::Actor;
use crate::discount::Off;
use crate::error::Result;
use crate::invoice::{Bill, NewLine};
use crate::store::Tx;

/// A discount that is for an invoice.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reduction {
    pub discount: String,
    pub off: Off,
    /// The products it is for; empty for all.
    pub products: Vec<String>,
}

/// What is taken off one line: by each discount that takes something, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Taken(Vec<(String, i64)>);

impl Taken {
    /// Minor units, off the line in all.
    pub fn sum(&self) -> i64 {
        self.0.iter().map(|(_, amount)| amount).sum()
    }

    /// In Stripe's shape.
    pub fn amounts(&self) -> Value {
        self.0.iter().map(|(discount, amount)| json!({ "amount": amount, "discount": discount })).collect()
    }
}

impl Reduction {
    fn is_for(&self, line: &NewLine) -> bool {
        let product = line.price.as_ref().map(|price| &price.product);
        line.discountable
            && (self.products.is_empty() || product.is_some_and(|product| self.products.contains(product)))
    }
}

/// The discounts that are for an invoice, in the order in which they are taken.
pub(crate) async fn reductions(_: &mut Tx, _: &Actor, _: &Bill<'_>) -> Result<Vec<Reduction>> {
    Ok(Vec::new())
}

/// What each discount takes off which line, one after the other.
pub(crate) fn reduce(lines: &[NewLine], reductions: &[Reduction]) -> Vec<Taken> {
    let mut left: Vec<i64> = lines.iter().map(|line| line.amount).collect();
    let mut taken = vec![Taken::default(); lines.len()];
    for reduction in reductions {
        let room = |(line, left): (&NewLine, &i64)| if reduction.is_for(line) { *left } else { 0 };
        let mut room: Vec<i64> = lines.iter().zip(&left).map(room).collect();
        for (n, off) in reduction.off.take(&mut room).into_iter().enumerate().filter(|(_, off)| *off > 0) {
            left[n] -= off;
            taken[n].0.push((reduction.discount.clone(), off));
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Seconds;
    use crate::decimal::Decimal;

    fn line(amount: i64, discountable: bool) -> NewLine {
        NewLine { discountable, ..NewLine::new("x".into(), 1, amount, (Seconds(0), Seconds(1))) }
    }

    fn by(discount: &str, off: Off) -> Reduction {
        Reduction { discount: discount.into(), off, products: Vec::new() }
    }

    #[test]
    fn one_after_the_other_and_only_where_it_may() {
        let lines = [line(1000, true), line(2000, true), line(700, false), line(-300, true)];
        let reductions = [by("di_1", Off::Amount(500)), by("di_2", Off::Percent(Decimal::whole(10)))];
        let taken = reduce(&lines, &reductions);
        assert_eq!(taken.iter().map(Taken::sum).collect::<Vec<_>>(), [166 + 83, 334 + 167, 0, 0]);
        assert_eq!(taken[0].amounts()[1], json!({ "amount": 83, "discount": "di_2" }));
        assert_eq!(taken[2].amounts(), json!([]));
    }
}
