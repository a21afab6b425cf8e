//! The laws of money, each over a hundred thousand cases that a number decides (a million at the sizes of a release).

use std::ops::Range;

use proptest::prelude::*;

use crate::catalog::cost::{Cost, Round, Tier, TiersMode, Transform};
use crate::clock::Seconds;
use crate::decimal::Decimal;
use crate::discount::Off;
use crate::invoice::NewLine;
use crate::invoice::assess::{Applied, Basis, Borne, bear, sums};
use crate::invoice::credit::{Settled, settle, settle_each};
use crate::money::Currency;
use crate::proration::Span;
use crate::subscription::change::{Changed, Debited, Part, Period, ProrationBehavior, parts, unused};
use crate::tax::{Rate, on_line};

const MONTH: i64 = 30 * 86_400;

fn config() -> ProptestConfig {
    let is_release = std::env::var("PORTICO_TEST_SCALE").is_ok_and(|scale| scale == "release");
    ProptestConfig::with_cases(if is_release { 1_000_000 } else { 100_000 })
}

/// A sequence of numbers that its seed decides (SplitMix64): cheaper than a strategy for each.
struct Draw(u64);

impl Draw {
    fn int(&mut self, of: Range<i64>) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let size = of.end.abs_diff(of.start).max(1);
        of.start + i64::try_from((z ^ (z >> 31)) % size).unwrap_or_default()
    }

    fn is(&mut self) -> bool {
        self.int(0..2) == 1
    }

    fn some<T>(&mut self, most: i64, one: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.int(0..most + 1)).map(|_| one(self)).collect()
    }

    fn decimal(&mut self, whole: Range<i64>, places: i64) -> Decimal {
        let text = format!("{}.{:04}", self.int(whole), self.int(0..10i64.pow(4)) / 10i64.pow(4 - places as u32));
        Decimal::parse(&text, 12, "drawn").unwrap()
    }

    fn currency(&mut self) -> Currency {
        let all = ["eur", "jpy", "kwd", "huf", "usd"];
        Currency::parse(all[self.int(0..5) as usize], "currency").unwrap()
    }

    /// Cents, often few, and often enough a multiple of a half that rounding shows.
    fn amount(&mut self) -> i64 {
        match self.int(0..4) {
            0 => self.int(0..100),
            1 => self.int(0..50) * 1000 + 1,
            _ => self.int(0..9_999_999),
        }
    }

    fn cost(&mut self) -> Cost {
        if self.is() {
            let transform =
                Transform { divide_by: self.int(1..9), round: if self.is() { Round::Up } else { Round::Down } };
            return Cost::PerUnit { unit: self.decimal(0..5000, 4), transform: Some(transform).filter(|_| self.is()) };
        }
        let mode = if self.is() { TiersMode::Volume } else { TiersMode::Graduated };
        let mut last = 0;
        let mut tiers = self.some(3, |draw| draw.int(1..10));
        tiers.push(0);
        let most = tiers.len() - 1;
        let tier = |(n, more): (usize, &i64)| {
            last += more;
            let (unit, flat) = (self.decimal(0..5000, 2), self.decimal(0..900, 0));
            let up_to = (n < most).then_some(last);
            Tier { up_to, unit_amount: Some(unit), flat_amount: Some(flat).filter(|_| self.is()) }
        };
        Cost::Tiered { mode, tiers: tiers.iter().enumerate().map(tier).collect() }
    }

    fn off(&mut self) -> Off {
        if self.is() { Off::Amount(self.int(1..20_000)) } else { Off::Percent(self.decimal(0..100, 4)) }
    }

    fn rate(&mut self) -> Rate {
        Rate { percentage: self.decimal(0..30, 4), inclusive: self.is() }
    }

    fn behavior(&mut self) -> ProrationBehavior {
        let word = ProrationBehavior::ALL[self.int(0..4) as usize];
        ProrationBehavior::parse(word, "behavior").unwrap()
    }
}

fn span(from: i64, to: i64) -> Span {
    Span::new(Seconds(from), Seconds(to)).unwrap()
}

fn month() -> Period {
    Period::GoesOn(span(0, MONTH))
}

/// What stands billed for an item after the parts of a change.
fn after(before: Option<Debited>, parts: &[Part]) -> Option<Debited> {
    if parts.is_empty() {
        return before;
    }
    parts.iter().find_map(|part| part.debited.map(|amount| Debited { amount, over: part.over }))
}

/// A document's lines: what a quantity costs, or what a change gives back and asks for.
fn lines(draw: &mut Draw) -> Vec<NewLine> {
    let mut amounts = Vec::new();
    for _ in 0..draw.int(1..5) {
        if draw.is() {
            let (cost, quantity) = (draw.cost(), draw.int(0..40));
            amounts.push((cost.of(quantity).unwrap(), true));
            continue;
        }
        let debited = Some(Debited { amount: draw.amount(), over: span(0, MONTH) });
        let changed = Changed { debited, price: Some(draw.amount()) };
        let made = parts(&[changed], draw.behavior(), month(), Seconds(draw.int(0..MONTH)));
        amounts.extend(made.iter().map(|part| (part.amount, false)));
    }
    let line = |(amount, discountable): (i64, bool)| NewLine {
        discountable,
        ..NewLine::new(String::new(), 1, amount, (Seconds(0), Seconds(1)))
    };
    amounts.into_iter().map(line).collect()
}

/// One item's books within a period, as its operations keep them.
struct Books {
    currency: Currency,
    now: i64,
    standing: Option<Debited>,
    /// The invoice that what stands was billed on; none while it waits.
    on: Option<usize>,
    /// What is due on each invoice, and whether nothing is owed on it any more.
    invoices: Vec<(i64, bool)>,
    waiting: i64,
    /// Below zero it is the customer's credit.
    balance: i64,
    received: i64,
    debits: i64,
    credits: i64,
}

impl Books {
    fn open(draw: &mut Draw) -> Self {
        let amount = draw.amount();
        let mut books = Self {
            currency: draw.currency(),
            now: 0,
            standing: (amount > 0).then_some(Debited { amount, over: span(0, MONTH) }),
            on: Some(0),
            invoices: Vec::new(),
            waiting: 0,
            balance: 0,
            received: 0,
            debits: amount,
            credits: 0,
        };
        books.invoice(amount);
        books
    }

    fn invoice(&mut self, total: i64) {
        let Settled { due, applied, carried } = settle(total, self.balance, &self.currency);
        self.balance += applied + carried;
        self.invoices.push((due, due == 0));
        let credit = total.max(self.balance);
        if credit >= 0 {
            return;
        }
        let owed: Vec<usize> = (0..self.invoices.len()).filter(|n| !self.invoices[*n].1).collect();
        let due: Vec<i64> = owed.iter().map(|n| self.invoices[*n].0).collect();
        for (n, settled) in owed.into_iter().zip(settle_each(&due, credit, &self.currency)) {
            self.balance += settled.applied + settled.carried;
            self.invoices[n] = (settled.due, settled.due == 0);
        }
    }

    fn invoice_waiting(&mut self) {
        let total = std::mem::take(&mut self.waiting);
        self.invoice(total);
        if self.standing.is_some() && self.on.is_none() {
            self.on = Some(self.invoices.len() - 1);
        }
    }

    fn write(&mut self, made: &[Part]) {
        for part in made {
            self.waiting += part.amount;
            if part.amount < 0 { self.credits -= part.amount } else { self.debits += part.amount }
        }
    }

    fn change(&mut self, draw: &mut Draw) {
        let (behavior, price) = (draw.behavior(), Some(draw.amount()).filter(|_| draw.int(0..8) > 0));
        let made = parts(&[Changed { debited: self.standing, price }], behavior, month(), Seconds(self.now));
        if made.is_empty() {
            return;
        }
        self.standing = after(self.standing, &made).filter(|debited| debited.amount > 0);
        self.on = None;
        self.write(&made);
        if behavior != ProrationBehavior::CreateProrations {
            self.invoice_waiting();
        }
    }

    fn pay(&mut self, draw: &mut Draw) {
        for (due, is_settled) in &mut self.invoices {
            if !*is_settled && draw.is() {
                self.received += *due;
                *is_settled = true;
            }
        }
    }

    fn act(&mut self, draw: &mut Draw) {
        match draw.int(0..8) {
            0 | 1 => self.now = (self.now + draw.int(0..MONTH / 4)).min(MONTH),
            2 => self.pay(draw),
            3 if self.waiting != 0 => self.invoice_waiting(),
            _ => self.change(draw),
        }
    }

    /// Ends it, giving back what was paid for if that is asked; answers the credit that is left.
    fn cancel(mut self, draw: &mut Draw) -> i64 {
        let is_paid = self.on.is_none_or(|on| self.invoices[on].1);
        let changed = Changed { debited: self.standing.filter(|_| is_paid && draw.is()), price: None };
        let back: Vec<Part> = unused(0, &changed, Seconds(self.now)).into_iter().collect();
        self.write(&back);
        let owes = self.invoices.iter().any(|(_, is_settled)| !is_settled);
        if self.waiting != 0 && (draw.is() || (owes && self.waiting < 0)) {
            self.invoice_waiting();
        }
        // What still waits is for the customer's next invoice, with what is on the balance.
        (-self.balance - self.waiting).max(0)
    }

    fn owed(&self) -> i64 {
        self.invoices.iter().filter(|(_, is_settled)| !is_settled).map(|(due, _)| due).sum()
    }
}

proptest! {
    #![proptest_config(config())]

    /// M1: lines less discounts and with the tax on top are the total; the total and the balance are what is due.
    #[test]
    fn documents_add_up(seed in any::<u64>()) {
        let draw = &mut Draw(seed);
        let lines = lines(draw);
        let room = |line: &NewLine| if line.discountable { line.amount } else { 0 };
        let mut rooms: Vec<i64> = lines.iter().map(room).collect();
        let offs = draw.some(3, Draw::off);
        let taken: Vec<Vec<i64>> = offs.iter().map(|off| off.take(&mut rooms)).collect();
        let off = |n: usize| taken.iter().map(|each| each[n]).sum::<i64>();
        let left: Vec<i64> = lines.iter().enumerate().map(|(n, line)| line.amount - off(n)).collect();
        let basis = Basis { untaxed: None, automatic: None };
        let borne: Vec<Borne> = left
            .iter()
            .map(|left| {
                let rates = draw.some(3, |draw| Applied { id: String::new(), rate: draw.rate() });
                bear(*left, &rates, &basis)
            })
            .collect();
        let sums = sums(&lines, &left, &borne).unwrap();
        prop_assert_eq!(sums.subtotal, lines.iter().map(|line| line.amount).sum::<i64>());
        prop_assert_eq!(sums.discount, (0..lines.len()).map(off).sum::<i64>());
        prop_assert!(lines.iter().zip(&left).all(|(line, left)| *left >= line.amount.min(0)));
        let on_top: i64 = borne.iter().map(|line| line.exclusive).sum();
        prop_assert_eq!(sums.total, sums.subtotal - sums.discount + on_top);
        let (balance, currency) = (draw.amount() - draw.amount(), draw.currency());
        let settled = settle(sums.total, balance, &currency);
        let ending = balance + settled.applied + settled.carried;
        prop_assert_eq!(settled.due, sums.total + balance - ending);
        prop_assert!(settled.due >= 0 && (settled.due == 0 || ending >= 0));
    }

    /// M2: another plan and back in the same second is nothing, with its quantities, discounts and tax.
    #[test]
    fn there_and_back_is_nothing(seed in any::<u64>()) {
        let draw = &mut Draw(seed);
        let offs = draw.some(2, Draw::off);
        let price = |draw: &mut Draw| {
            let mut line = [draw.cost().of(draw.int(0..20)).unwrap()];
            offs.iter().for_each(|off| drop(off.take(&mut line)));
            line[0]
        };
        let (a, b) = (price(draw), price(draw));
        let rates = draw.some(2, Draw::rate);
        let at = Seconds(draw.int(0..MONTH));
        let behavior = if draw.is() { ProrationBehavior::FullDifference } else { ProrationBehavior::AlwaysInvoice };
        let debited = (a > 0).then_some(Debited { amount: a, over: span(0, MONTH) });
        // Where it was changed in this second before, too.
        let first = parts(&[Changed { debited, price: Some(a) }], behavior, month(), at);
        let debited = after(debited, &first);
        let there = parts(&[Changed { debited, price: Some(b) }], behavior, month(), at);
        let between = after(debited, &there);
        let back = parts(&[Changed { debited: between, price: Some(a) }], behavior, month(), at);
        let each = first.iter().chain(&there).chain(&back);
        let with_tax = |part: &Part| {
            let taxed = on_line(part.amount, &rates);
            taxed.net + taxed.taxes.iter().sum::<i64>()
        };
        prop_assert_eq!(each.clone().map(|part| part.amount).sum::<i64>(), 0);
        prop_assert_eq!(each.map(with_tax).sum::<i64>(), 0);
    }

    /// M3: what is given back, less what is asked for and not paid, is never more than the money that came; and to cancel
    /// leaves no more credit than that.
    #[test]
    fn nobody_is_given_what_was_not_paid(seed in any::<u64>(), actions in 1i64..=50) {
        let draw = &mut Draw(seed);
        let mut books = Books::open(draw);
        for _ in 0..draw.int(0..actions) {
            books.act(draw);
            let asked = books.owed() + books.waiting + books.balance;
            prop_assert_eq!(books.debits - books.credits, books.received + asked, "nothing is lost");
            prop_assert!(books.credits <= books.debits);
        }
        let received = books.received;
        let left = books.cancel(draw);
        prop_assert!(left <= received, "{left} of {received}");
    }

    /// M4: so many switches are off the exact ratio by no more than a unit each.
    #[test]
    fn switches_stay_near_the_exact_ratio(seed in any::<u64>(), switches in 1i64..=20) {
        let draw = &mut Draw(seed);
        let first = draw.amount();
        let (mut standing, mut price, mut now) = (Some(Debited { amount: first, over: span(0, MONTH) }), first, 0);
        let (mut billed, mut exact) = (0i64, 0i128);
        for _ in 0..switches {
            now = (now + draw.int(0..MONTH / 10)).min(MONTH - 1);
            let next = draw.amount();
            let changed = Changed { debited: standing, price: Some(next) };
            let made = parts(&[changed], ProrationBehavior::AlwaysInvoice, month(), Seconds(now));
            billed += made.iter().map(|part| part.amount).sum::<i64>();
            exact += i128::from(next - price) * i128::from(MONTH - now);
            (standing, price) = (after(standing, &made), next);
        }
        let off = (i128::from(billed) * i128::from(MONTH) - exact).abs();
        prop_assert!(off <= i128::from(switches) * i128::from(MONTH), "{billed}");
    }
}
