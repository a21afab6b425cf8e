//! Logs of what might happen to a customer, drawn by a number.

use serde_json::{Value, json};

use crate::support::{DAY, HOUR, START};

pub use crate::support::Draw;

/// Interval, count, and roughly how many seconds that is.
type Rhythm = (&'static str, i64, i64);
const RHYTHMS: [Rhythm; 7] = [
    ("month", 1, 30 * DAY),
    ("month", 1, 30 * DAY),
    ("month", 1, 30 * DAY),
    ("year", 1, 365 * DAY),
    ("month", 3, 91 * DAY),
    ("week", 1, 7 * DAY),
    ("day", 30, 30 * DAY),
];

/// With the least that a processor charges.
const CURRENCIES: [(&str, i64); 4] = [("eur", 50), ("eur", 50), ("jpy", 50), ("kwd", 0)];

/// A log: prices, rates and coupons by name, and three to twenty actions, the first of which is to subscribe. Some of
/// the prices recur in another rhythm.
pub fn log(draw: &mut Draw) -> Value {
    let (rhythm, other) = (draw.pick(&RHYTHMS), draw.pick(&RHYTHMS));
    let (prices, others) = (prices(draw, "p", rhythm), prices(draw, "q", other));
    let mut rates = serde_json::Map::new();
    for n in 0..draw.int(0, 3) {
        let percentage = draw.pick(&["19", "7", "7.25", "8.875", "9.975", "0", "20", "5.5", "25"]);
        rates.insert(format!("r{n}"), json!({ "percentage": percentage, "inclusive": draw.one_in(3) }));
    }
    let mut coupons = serde_json::Map::new();
    for n in 0..draw.int(0, 3) {
        coupons.insert(format!("c{n}"), coupon(draw));
    }
    let mut case = Case {
        draw,
        period: rhythm.2.min(other.2),
        prices: names(&prices),
        others: names(&others),
        rates: names(&rates),
        coupons: names(&coupons),
        now: START.0,
        items: Vec::new(),
        made: 0,
    };
    let actions = case.actions();
    let prices: serde_json::Map<String, Value> = prices.into_iter().chain(others).collect();
    let (currency, least) = draw.pick(&CURRENCIES);
    json!({ "currency": currency, "least": least, "prices": prices, "rates": rates, "coupons": coupons, "actions": actions })
}

fn prices(draw: &mut Draw, prefix: &str, rhythm: Rhythm) -> serde_json::Map<String, Value> {
    let each = (0..draw.int(2, 5)).map(|n| {
        let mut price = price(draw);
        (price["interval"], price["count"]) = (rhythm.0.into(), rhythm.1.into());
        (format!("{prefix}{n}"), price)
    });
    each.collect()
}

fn names(map: &serde_json::Map<String, Value>) -> Vec<String> {
    map.keys().cloned().collect()
}

fn price(draw: &mut Draw) -> Value {
    let cents = |draw: &mut Draw| draw.int(0, 9999).to_string();
    match draw.int(1, 8) {
        1 => json!({ "unit": format!("{}.{:03}", draw.int(0, 99), draw.int(0, 999)) }),
        2 => json!({ "unit": cents(draw), "divide_by": draw.int(2, 10), "round": draw.pick(&["up", "down"]) }),
        3 | 4 => {
            let (mut up_to, last) = (0, draw.int(0, 3));
            let tiers: Vec<Value> = (0..=last)
                .map(|n| {
                    up_to += draw.int(1, 10);
                    let mut tier =
                        json!({ "up_to": if n == last { Value::Null } else { up_to.into() }, "unit": cents(draw) });
                    if draw.one_in(3) {
                        tier["flat"] = cents(draw).into();
                    }
                    tier
                })
                .collect();
            json!({ "tiers_mode": draw.pick(&["graduated", "volume"]), "tiers": tiers })
        }
        5 => json!({ "unit": draw.int(0, 3).to_string() }),
        _ => json!({ "unit": draw.pick(&["999", "1000", "1001", "1999", "2000", "4999", "120000"]) }),
    }
}

fn coupon(draw: &mut Draw) -> Value {
    let mut coupon = json!({ "duration": draw.pick(&["once", "once", "repeating", "repeating", "forever"]) });
    if coupon["duration"] == "repeating" {
        coupon["months"] = draw.int(1, 6).into();
    }
    if draw.one_in(2) {
        coupon["percent"] = draw.pick(&["10", "12.5", "33.33", "50", "99.99", "100"]).into();
    } else {
        coupon["amount"] = draw.pick(&[1, 99, 500, 1000, 100_000]).into();
    }
    coupon
}

struct Case<'a> {
    draw: &'a mut Draw,
    /// Seconds, of the shorter rhythm.
    period: i64,
    prices: Vec<String>,
    rates: Vec<String>,
    coupons: Vec<String>,
    /// In the other rhythm.
    others: Vec<String>,
    now: i64,
    items: Vec<String>,
    /// How many items there ever were.
    made: usize,
}

impl Case<'_> {
    fn actions(&mut self) -> Vec<Value> {
        // Any second of four years, and more often the end of a month.
        self.now +=
            if self.draw.one_in(2) { self.draw.int(0, 4 * 365 * DAY) } else { self.draw.int(-2 * DAY, 2 * DAY) };
        let mut actions = vec![self.subscribe()];
        for _ in 0..self.draw.int(2, 19) {
            self.now += self.gap();
            let action = self.action();
            actions.push(action);
        }
        actions
    }

    fn gap(&mut self) -> i64 {
        let period = self.period;
        match self.draw.int(1, 8) {
            1 => 0,
            2 => self.draw.int(1, 3),
            3 => self.draw.int(1, 3) * HOUR,
            4 | 5 => self.draw.int(1, period),
            6 => period / 2,
            7 => self.draw.int(period - DAY, period + DAY),
            _ => self.draw.int(1, 5 * period / 2),
        }
    }

    fn some_rates(&mut self) -> Vec<String> {
        let mut some = self.rates.clone();
        some.retain(|_| self.draw.one_in(2));
        some
    }

    fn some_coupons(&mut self) -> Vec<String> {
        let mut some = self.coupons.clone();
        some.retain(|_| self.draw.one_in(2));
        some
    }

    fn item(&mut self, name: String) -> Value {
        let quantity = self.draw.pick(&[1, 1, 1, 2, 3, 5, 6, 10, 11, 20]);
        let rates = if self.draw.one_in(4) { self.some_rates() } else { Vec::new() };
        json!({ "item": name, "price": self.draw.pick(&self.prices.clone()), "quantity": quantity, "rates": rates })
    }

    fn subscribe(&mut self) -> Value {
        let mut unused = self.prices.clone();
        let mut items = Vec::new();
        for n in 0..self.draw.int(1, 3).min(self.prices.len().try_into().unwrap()) {
            let mut item = self.item(format!("i{n}"));
            // A price stands on a subscription once.
            let price = self.draw.pick(&unused);
            unused.retain(|name| *name != price);
            item["price"] = price.into();
            self.items.push(format!("i{n}"));
            self.made += 1;
            items.push(item);
        }
        let discounts = self.some_coupons();
        let mut action = json!({
            "do": "subscribe", "at": self.now, "items": items, "rates": self.some_rates(), "pays": self.draw.one_in(2),
            "discounts": discounts,
        });
        if self.draw.one_in(4) {
            let seconds = self.draw.int(1, 40 * DAY);
            action["trial_end"] = (self.now + self.draw.pick(&[14 * DAY, 30 * DAY, seconds])).into();
        }
        action
    }

    fn action(&mut self) -> Value {
        let at = self.now;
        match self.draw.int(1, 20) {
            1 => json!({ "do": "cancel_at_period_end", "at": at, "flag": !self.draw.one_in(3) }),
            2 if self.draw.one_in(2) => {
                let (prorate, invoice_now) = (self.draw.one_in(2), self.draw.one_in(2));
                json!({ "do": "cancel", "at": at, "prorate": prorate, "invoice_now": invoice_now })
            }
            3 => {
                let amount = self.draw.pick(&[-1, 1, -49, 49, -50, 50, -100, -1999, 1999, -20_000, 5000]);
                json!({ "do": "adjust_balance", "at": at, "amount": amount })
            }
            4 => json!({ "do": "pay", "at": at }),
            5 => json!({ "do": "discount", "at": at, "coupons": self.some_coupons() }),
            6 => {
                let since = self.draw.pick(&["now", "none", "item_current_period_start"]);
                let invoicing = self.draw.pick(&["invoice", "pending_invoice_item"]);
                json!({ "do": "pause", "at": at, "unused_time_from": since, "invoicing": invoicing })
            }
            7 | 8 => {
                let behavior = self.draw.pick(&["create_prorations", "always_invoice", "none"]);
                json!({ "do": "resume", "at": at, "anchor": self.draw.pick(&["now", "unchanged"]), "behavior": behavior })
            }
            9..=11 => json!({ "do": "wait", "at": at }),
            12 => self.other_rhythm(),
            _ => self.change(),
        }
    }

    /// Items come, go, and change their prices and quantities.
    fn change(&mut self) -> Value {
        let mut items = Vec::new();
        for name in self.items.clone() {
            if self.items.len() > 1 && self.draw.one_in(8) {
                self.items.retain(|other| *other != name);
                items.push(json!({ "item": name, "deleted": true }));
            } else if self.draw.one_in(2) {
                let mut item = json!({ "item": name });
                if !self.draw.one_in(3) {
                    item["price"] = self.draw.pick(&self.prices.clone()).into();
                }
                if self.draw.one_in(2) {
                    item["quantity"] = self.draw.pick(&[0, 1, 2, 3, 6, 11]).into();
                }
                items.push(item);
            }
        }
        if self.items.len() < 5 && self.draw.one_in(4) {
            let name = format!("i{}", self.made);
            self.made += 1;
            self.items.push(name.clone());
            items.push(self.item(name));
        }
        let mut action = self.changed(items);
        match self.draw.int(1, 12) {
            1 => action["anchor"] = "now".into(),
            _ if action["items"].as_array().is_some_and(Vec::is_empty) => action["do"] = "wait".into(),
            2 => action["proration_date"] = (self.now - self.draw.int(0, 3 * DAY)).into(),
            _ => {}
        }
        action
    }

    /// All that is left of a log is in the other rhythm, and may come back from there.
    fn other_rhythm(&mut self) -> Value {
        std::mem::swap(&mut self.prices, &mut self.others);
        let mut free = self.prices.clone();
        let mut items = Vec::new();
        for name in self.items.clone() {
            if free.is_empty() {
                self.items.retain(|other| *other != name);
                items.push(json!({ "item": name, "deleted": true }));
                continue;
            }
            let price = self.draw.pick(&free);
            free.retain(|other| *other != price);
            items.push(json!({ "item": name, "price": price }));
        }
        self.changed(items)
    }

    fn changed(&mut self, items: Vec<Value>) -> Value {
        let behavior =
            self.draw.pick(&["create_prorations", "always_invoice", "always_invoice", "full_difference", "none"]);
        json!({ "do": "change", "at": self.now, "items": items, "behavior": behavior })
    }
}
