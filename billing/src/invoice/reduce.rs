//! What discounts take off the lines of an invoice, before tax, and what that makes of the discounts.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::discount::{self, Discount, Duration, Holder, covers, record, redeem};
use crate::error::Result;
use crate::invoice::{Bill, Invoice, NewLine};
use crate::money::Currency;
use crate::store::Tx;
use crate::subscription::{self, Status, Subscription};

/// What one discount takes off one line, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    pub amount: i64,
    /// The discount's id.
    pub discount: String,
    /// Whether the discount is on this line alone.
    pub own: bool,
}

/// What is taken off one line: by each discount that is for it, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reduced(pub Vec<Taken>);

impl Reduced {
    /// Minor units, off the line in all.
    pub fn sum(&self) -> i64 {
        self.0.iter().map(|taken| taken.amount).sum()
    }
}

/// The discounts that are for an invoice over `lines`. What takes off once is for the one that uses it up.
pub(crate) async fn reductions(tx: &mut Tx, who: &Actor, bill: &Bill<'_>, lines: &[NewLine]) -> Result<Vec<Discount>> {
    let mut live = record::live(tx, who, bill.customer).await?;
    let amount = lines.iter().map(|line| line.amount).sum();
    let only_prorations = lines.iter().all(|line| line.proration);
    live.retain(|discount| match discount.duration() {
        Some(Duration::Once) => discount::uses_up(Duration::Once, amount, only_prorations),
        _ => true,
    });
    Ok(in_order(live, bill.subscription, &bill.currency))
}

/// The discounts that are for what is left of a subscription's current period: those that its own invoice had, if they
/// were not taken away since, and those that came later. What took off once stands for the period it was used in, and
/// while it is unused it waits for the next; time that ran out meanwhile ends none of them.
pub(crate) async fn standing(tx: &mut Tx, who: &Actor, subscription: &Subscription) -> Result<Vec<Discount>> {
    let start = subscription.current_period_start;
    let mut standing = record::since(tx, who, &subscription.customer, start).await?;
    let used = record::used_in(tx, who, subscription).await?;
    standing.retain(|discount| match discount.duration() {
        Some(Duration::Once) => discount.ended_at.is_some() && used.contains(&discount.id),
        _ => discount.ended_at.is_none_or(|at| discount.ends.is_some_and(|end| end <= at)),
    });
    Ok(in_order(standing, Some(subscription), &subscription.currency))
}

/// The order in which they are taken: those on a line alone, then the subscription's, or, where it has none, the
/// customer's.
fn in_order(mut among: Vec<Discount>, subscription: Option<&Subscription>, currency: &Currency) -> Vec<Discount> {
    among.retain(|discount| discount.redeemed.as_ref().is_some_and(|coupon| coupon.is_in(currency)));
    let own = subscription.map_or(Holder::Customer, |subscription| Holder::Subscription(&subscription.id));
    let holder = if among.iter().any(|discount| discount.holder() == own) { own } else { Holder::Customer };
    let is_narrow = |discount: &mut Discount| matches!(discount.holder(), Holder::Item(..) | Holder::InvoiceItem(_));
    let mut ordered: Vec<Discount> = among.extract_if(.., is_narrow).collect();
    ordered.extend(among.extract_if(.., |discount| discount.holder() == holder));
    ordered
}

/// Whether a discount is on this line alone.
fn is_on(discount: &Discount, line: &NewLine) -> bool {
    match discount.holder() {
        Holder::Item(_, item) => line.subscription_item.as_deref() == Some(item),
        Holder::InvoiceItem(item) => line.invoice_item.as_deref() == Some(item),
        Holder::Customer | Holder::Subscription(_) | Holder::Invoice(_) => false,
    }
}

fn is_for(discount: &Discount, line: &NewLine) -> bool {
    let Some(coupon) = &discount.redeemed else { return false };
    let is_wide = matches!(discount.holder(), Holder::Customer | Holder::Subscription(_) | Holder::Invoice(_));
    line.discountable
        && line.amount > 0
        && (is_wide || is_on(discount, line))
        && coupon.is_for(line.price.as_ref().map(|price| price.product.as_str()))
        && covers(discount.ends, line.period_start)
}

/// What each discount takes off which line, one after the other. A line has an entry for every discount that is for it,
/// even of nothing.
pub(crate) fn reduce(lines: &[NewLine], reductions: &[Discount]) -> Vec<Reduced> {
    let mut left: Vec<i64> = lines.iter().map(|line| line.amount).collect();
    let mut taken = vec![Reduced::default(); lines.len()];
    for discount in reductions {
        let Some(coupon) = &discount.redeemed else { continue };
        let under: Vec<bool> = lines.iter().map(|line| is_for(discount, line)).collect();
        let mut room: Vec<i64> = left.iter().zip(&under).map(|(left, under)| if *under { *left } else { 0 }).collect();
        let shares = coupon.off().take(&mut room);
        for n in (0..lines.len()).filter(|n| under[*n]) {
            left[n] -= shares[n];
            let own = is_on(discount, &lines[n]);
            taken[n].0.push(Taken { amount: shares[n], discount: discount.id.clone(), own });
        }
    }
    taken
}

/// A finalised invoice has used its discounts: what takes off once is used up.
pub(crate) async fn used(tx: &mut Tx, who: &Actor, invoice: &Invoice) -> Result<()> {
    let only_prorations = invoice.lines.iter().all(|line| line.proration);
    for taken in invoice.discounts_taken() {
        let discount = record::get(tx, who, &taken.discount).await?;
        let is_used_up = discount
            .redeemed
            .as_ref()
            .is_some_and(|coupon| discount::uses_up(coupon.duration, invoice.subtotal, only_prorations));
        redeem::used(tx, who, &discount, &invoice.id, invoice.finalized_at.filter(|_| is_used_up)).await?;
    }
    Ok(())
}

/// An invoice is void: it has used nothing after all. The redemptions of a subscription that will not go on are given
/// back.
pub(crate) async fn unused(tx: &mut Tx, who: &Actor, invoice: &Invoice, now: Seconds) -> Result<()> {
    let taken = invoice.discounts_taken();
    if taken.is_empty() {
        return Ok(());
    }
    let goes_on = match &invoice.subscription {
        Some(id) => !matches!(
            subscription::get(tx, who, id).await?.status,
            Status::Incomplete | Status::IncompleteExpired | Status::Canceled
        ),
        None => true,
    };
    for taken in taken {
        let over = Some(now).filter(|_| !goes_on);
        redeem::give_back(tx, who, &taken.discount, (&invoice.id, invoice.finalized_at), over).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Coupon;
    use crate::decimal::Decimal;
    use crate::store::Json;

    const THEN: Seconds = Seconds(1_790_000_000);

    fn eur() -> Currency {
        Currency::parse("eur", "currency").unwrap()
    }

    fn off(id: &str, percent: Option<i64>, amount: Option<i64>) -> Discount {
        let coupon = Coupon {
            id: id.into(),
            name: None,
            percent_off: percent.map(|whole| Decimal::whole(whole.try_into().unwrap())),
            amount_off: amount,
            currency: amount.map(|_| eur()),
            duration: Duration::Forever,
            duration_in_months: None,
            applies_to: None,
            max_redemptions: None,
            times_redeemed: 1,
            redeem_by: None,
            metadata: Json::default(),
            created: THEN,
            deleted_at: None,
            version: 1,
        };
        Discount {
            id: format!("di_{id}"),
            customer: "cus_1".into(),
            subscription: Some("sub_1".into()),
            subscription_item: None,
            invoice: None,
            invoice_item: None,
            position: 0,
            coupon: id.into(),
            promotion_code: None,
            starts: THEN,
            ends: None,
            ended_at: None,
            counted: true,
            first_invoice: None,
            redeemed: Some(coupon),
            valid: true,
        }
    }

    fn line(item: &str, amount: i64) -> NewLine {
        NewLine { subscription_item: Some(item.into()), ..NewLine::new("x".into(), 1, amount, (THEN, THEN.plus(1))) }
    }

    /// What is taken off each line by each discount that is for it.
    fn amounts(lines: &[NewLine], discounts: &[Discount]) -> Vec<Vec<i64>> {
        let taken = reduce(lines, discounts);
        taken.iter().map(|line| line.0.iter().map(|taken| taken.amount).collect()).collect()
    }

    #[test]
    fn an_amount_is_spread_and_the_last_line_takes_the_rest() {
        let five = [off("FIVE", None, Some(500))];
        assert_eq!(amounts(&[line("a", 1000), line("b", 2000)], &five), [[166], [334]]);
        let ten = [off("TEN", None, Some(1000))];
        assert_eq!(amounts(&[line("a", 3333), line("b", 3333), line("c", 3334)], &ten), [[333], [333], [334]]);
        let two = [off("TWO", None, Some(200))];
        assert_eq!(amounts(&[line("a", 100)], &two), [[100]]);
        assert_eq!(amounts(&[line("a", 300)], &two), [[200]]);
    }

    #[test]
    fn one_after_the_other_and_an_items_own_on_it_alone() {
        let both = [off("FIVE", None, Some(500)), off("TENTH", Some(10), None)];
        assert_eq!(amounts(&[line("a", 2000)], &both), [[500, 150]]);
        let own = Discount { subscription_item: Some("b".into()), ..off("TENTH", Some(10), None) };
        let lines = [line("a", 1000), line("b", 2000)];
        let taken = reduce(&lines, &[own, off("FIVE", None, Some(500))]);
        let each = |line: &Reduced| line.0.iter().map(|taken| (taken.amount, taken.own)).collect::<Vec<_>>();
        assert_eq!(taken.iter().map(each).collect::<Vec<_>>(), [vec![(178, false)], vec![(200, true), (322, false)]]);
    }

    #[test]
    fn a_line_is_left_alone_that_a_discount_is_not_for() {
        let half = || off("HALF", Some(50), None);
        let mut narrow = half();
        narrow.redeemed.as_mut().unwrap().applies_to = Some(Json(vec!["prod_1".into()]));
        assert_eq!(amounts(&[line("a", 1000)], &[narrow]), [vec![0; 0]]);
        let over = Discount { ends: Some(THEN), ..half() };
        assert_eq!(amounts(&[line("a", 1000)], &[over]), [vec![0; 0]]);
        let fixed = NewLine { discountable: false, ..line("a", 500) };
        assert_eq!(amounts(&[fixed, line("a", -300), line("b", 1000)], &[half()]), [vec![], vec![], vec![500]]);
    }
}
