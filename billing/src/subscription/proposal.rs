//! What a change would do, worked out and not written: the subscription after it, the lines it makes, and whether they
//! are invoiced at once. A preview stops here; an update writes it.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::invoice::{self, NewLine, reduce};
use crate::proration::Span;
use crate::store::Tx;
use crate::subscription::billed::{self, Details, Standing};
use crate::subscription::change::{Changed, Kind, Part, Period, ProrationBehavior, parts};
use crate::subscription::items::Items;
use crate::subscription::turn::{self, Turn};
use crate::subscription::{Item, Status, Subscription};

/// How a change is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Billing {
    pub behavior: ProrationBehavior,
    /// From when it counts.
    pub at: Seconds,
    pub now: Seconds,
}

#[derive(Debug, Clone)]
pub struct Proposal {
    pub before: Subscription,
    pub after: Subscription,
    pub(crate) items: Items,
    /// On the invoice that is made at once, if one is.
    pub lines: Vec<NewLine>,
    /// For the next invoice.
    pub waiting: Vec<NewLine>,
    pub is_invoiced: bool,
    /// Whether it counts among the priced changes of its day.
    pub is_priced: bool,
    pub now: Seconds,
}

/// Works out the money of a change whose subscription and items are known.
pub(crate) async fn propose(
    tx: &mut Tx,
    who: &Actor,
    before: &Subscription,
    mut after: Subscription,
    items: Items,
    (turn, billing): (Turn, Billing),
    added: Vec<NewLine>,
) -> Result<Proposal> {
    after.items.clone_from(&items.kept);
    let each = each_item(before, &items, turn);
    let is_priced = turn != Turn::GoesOn || !each.is_empty();
    let mut lines = if is_priced && before.status != Status::Paused {
        lines(tx, who, (before, &after), &each, (turn, billing)).await?
    } else {
        Vec::new()
    };
    lines.extend(added);
    let is_now = matches!(billing.behavior, ProrationBehavior::AlwaysInvoice | ProrationBehavior::FullDifference);
    let is_invoiced = turn != Turn::GoesOn || (is_now && !lines.is_empty());
    let mut waiting = Vec::new();
    match turn {
        Turn::Begins => {}
        Turn::Trial => {
            waiting = if is_now { Vec::new() } else { std::mem::take(&mut lines) };
            lines.extend(invoice::trial_lines(&after));
        }
        Turn::GoesOn if is_invoiced => {}
        Turn::GoesOn => std::mem::swap(&mut lines, &mut waiting),
    }
    let before = before.clone();
    Ok(Proposal { before, after, items, lines, waiting, is_invoiced, is_priced, now: billing.now })
}

/// An item that is billed anew: as it was, and as it will be.
struct Pair<'a> {
    was: Option<&'a Item>,
    will: Option<&'a Item>,
}

/// The items whose price or quantity changes; all of them where the period does.
fn each_item<'a>(before: &'a Subscription, items: &'a Items, turn: Turn) -> Vec<Pair<'a>> {
    let was = |id: &str| before.items.iter().find(|item| item.id == id);
    let kept = items.kept.iter().map(|item| Pair { was: was(&item.id), will: Some(item) });
    let removed = items.removed.iter().map(|item| Pair { was: was(&item.id), will: None });
    let differs = |pair: &Pair<'_>| match (pair.was, pair.will) {
        (Some(was), Some(will)) => was.price.id != will.price.id || was.quantity != will.quantity,
        _ => true,
    };
    kept.chain(removed).filter(|pair| turn != Turn::GoesOn || differs(pair)).collect()
}

async fn lines(
    tx: &mut Tx,
    who: &Actor,
    (before, after): (&Subscription, &Subscription),
    each: &[Pair<'_>],
    (turn, billing): (Turn, Billing),
) -> Result<Vec<NewLine>> {
    let standing = billed::standing(tx, who, before, billing.at).await?;
    let standing: Vec<Option<&Standing>> = each.iter().map(|pair| of(pair, &standing)).collect();
    let at = counted_from(&standing, turn, billing)?;
    let period = match turn {
        Turn::Begins => Period::Begins(Span::new(after.current_period_start, after.current_period_end)?),
        Turn::GoesOn | Turn::Trial => Period::GoesOn(turn::whole(before)?),
    };
    let prices = prices(tx, who, after, turn).await?;
    let changed: Vec<Changed> = each
        .iter()
        .zip(&standing)
        .map(|(pair, standing)| Changed {
            debited: standing.map(|debit| debit.debited),
            price: pair.will.and_then(|item| price_of(after, &prices, item, turn)),
        })
        .collect();
    let parts = parts(&changed, billing.behavior, period, at);
    let made = parts.iter().map(|part| line(after, &each[part.item], standing[part.item], part, at));
    made.collect()
}

/// From when a change counts. One that says nothing of it comes after those that were billed from an instant to come.
fn counted_from(standing: &[Option<&Standing>], turn: Turn, billing: Billing) -> Result<Seconds> {
    let last = standing.iter().flatten().map(|debit| debit.debited.over.start()).max();
    match last.filter(|last| *last > billing.at) {
        None => Ok(billing.at),
        Some(last) if turn == Turn::GoesOn && billing.at == billing.now => Ok(last),
        Some(_) => {
            let message = "It lies before the last change that was billed: prorations cannot reach behind it.";
            Err(Error::invalid("proration_date", message))
        }
    }
}

fn of<'a>(pair: &Pair<'_>, standing: &'a [Standing]) -> Option<&'a Standing> {
    let item = pair.was.or(pair.will)?;
    standing.iter().rev().find(|debit| debit.item == item.id)
}

/// What a whole period of each item costs. A proration has the discounts in it that are for it; a whole new period is
/// billed as any other, and discounted on its invoice.
async fn prices(tx: &mut Tx, who: &Actor, after: &Subscription, turn: Turn) -> Result<Vec<i64>> {
    let lines = invoice::period_lines(after)?;
    if turn == Turn::Begins {
        return Ok(lines.iter().map(|line| line.amount).collect());
    }
    discounted(tx, who, after, &lines).await
}

/// What discounts leave of lines that stand for the whole current period.
pub(crate) async fn discounted(
    tx: &mut Tx,
    who: &Actor,
    subscription: &Subscription,
    lines: &[NewLine],
) -> Result<Vec<i64>> {
    let standing = reduce::standing(tx, who, subscription).await?;
    let taken = reduce::reduce(lines, &standing);
    Ok(lines.iter().zip(taken).map(|(line, taken)| line.amount - taken.sum()).collect())
}

/// A trial costs nothing, and what is on trial from now on is only given back.
fn price_of(after: &Subscription, prices: &[i64], item: &Item, turn: Turn) -> Option<i64> {
    match (turn, after.status) {
        (Turn::Trial, _) => None,
        (_, Status::Trialing) => Some(0),
        _ => after.items.iter().position(|other| other.id == item.id).and_then(|n| prices.get(n).copied()),
    }
}

/// A part of the change as a line of an invoice.
fn line(
    after: &Subscription,
    pair: &Pair<'_>,
    standing: Option<&Standing>,
    part: &Part,
    at: Seconds,
) -> Result<NewLine> {
    let gives_back = part.amount < 0;
    let item = if gives_back { pair.was.or(pair.will) } else { pair.will };
    let item = item.ok_or_else(|| Error::internal("a line of a change without its item"))?;
    let details = Details {
        settles: standing.map(|debit| debit.source.clone()),
        debited: part.debited.filter(|debited| *debited != part.amount),
    };
    if part.kind == Kind::Period {
        let line = invoice::period_line(after, item, part.amount)?;
        return Ok(NewLine { details: Details { debited: None, ..details }.value(), ..line });
    }
    let what = format!("{} × {}", item.quantity, item.product_name);
    let day = day(at)?;
    let description = match part.kind {
        Kind::Credit => format!("Unused time on {what} after {day}"),
        Kind::Debit | Kind::Period => format!("Remaining time on {what} after {day}"),
        Kind::Difference => format!("Change to {} on {day}", pair.will.map_or("nothing", |item| &item.product_name)),
    };
    let mut line = invoice::item_line(item, part.amount, description, (part.over.start(), part.over.end()));
    (line.proration, line.discountable, line.details) = (true, false, details.value());
    if let Some(debit) = standing.filter(|_| gives_back) {
        (line.tax_rates, line.taxes) = (debit.tax_rates.clone(), debit.taxes.clone());
    }
    Ok(line)
}

/// What the rest of the period costs of every item, less what is paid for it already.
pub(crate) async fn rest(
    tx: &mut Tx,
    who: &Actor,
    subscription: &Subscription,
    billing: Billing,
) -> Result<Vec<NewLine>> {
    let each: Vec<Pair<'_>> =
        subscription.items.iter().map(|item| Pair { was: Some(item), will: Some(item) }).collect();
    lines(tx, who, (subscription, subscription), &each, (Turn::GoesOn, billing)).await
}

/// The unused time of every item, as lines that give it back: of what was paid, and of what still waits to be invoiced.
pub(crate) async fn credits(
    tx: &mut Tx,
    who: &Actor,
    subscription: &Subscription,
    at: Seconds,
) -> Result<Vec<NewLine>> {
    let standing = billed::standing(tx, who, subscription, at).await?;
    let mut lines = Vec::new();
    for item in &subscription.items {
        let pair = Pair { was: Some(item), will: None };
        let paid = of(&pair, &standing).filter(|debit| debit.is_paid);
        let changed = Changed { debited: paid.map(|debit| debit.debited), price: None };
        if let Some(part) = crate::subscription::change::unused(0, &changed, at) {
            lines.push(line(subscription, &pair, paid, &part, at)?);
        }
    }
    Ok(lines)
}

/// `15 Mar 2026`, in UTC.
fn day(at: Seconds) -> Result<String> {
    let instant = jiff::Timestamp::from_second(at.0).map_err(Error::internal)?;
    Ok(instant.strftime("%-d %b %Y").to_string())
}
