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

/// A log: prices, rates and coupons by name, and three to ten actions, the first of which is to subscribe.
pub fn log(draw: &mut Draw) -> Value {
    let rhythm = draw.pick(&RHYTHMS);
    let mut prices = serde_json::Map::new();
    for n in 0..draw.int(2, 5) {
        let mut price = price(draw);
        (price["interval"], price["count"]) = (rhythm.0.into(), rhythm.1.into());
        prices.insert(format!("p{n}"), price);
    }
    let mut rates = serde_json::Map::new();
    for n in 0..draw.int(0, 3) {
        let percentage = draw.pick(&["19", "7", "7.25", "8.875", "9.975", "0", "20", "5.5", "25"]);
        rates.insert(format!("r{n}"), json!({ "percentage": percentage, "inclusive": draw.one_in(3) }));
    }
    let mut case = Case { draw, rhythm, prices: names(&prices), rates: names(&rates), now: START.0, items: Vec::new() };
    let actions = case.actions();
    let (currency, least) = draw.pick(&CURRENCIES);
    json!({ "currency": currency, "least": least, "prices": prices, "rates": rates, "coupons": {}, "actions": actions })
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

struct Case<'a> {
    draw: &'a mut Draw,
    rhythm: Rhythm,
    prices: Vec<String>,
    rates: Vec<String>,
    now: i64,
    items: Vec<String>,
}

impl Case<'_> {
    fn actions(&mut self) -> Vec<Value> {
        // Any second of four years, and more often the end of a month.
        self.now +=
            if self.draw.one_in(2) { self.draw.int(0, 4 * 365 * DAY) } else { self.draw.int(-2 * DAY, 2 * DAY) };
        let mut actions = vec![self.subscribe()];
        for _ in 0..self.draw.int(2, 9) {
            self.now += self.gap();
            let action = self.action();
            actions.push(action);
        }
        actions
    }

    fn gap(&mut self) -> i64 {
        let period = self.rhythm.2;
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
            items.push(item);
        }
        let mut action = json!({
            "do": "subscribe", "at": self.now, "items": items, "rates": self.some_rates(), "pays": self.draw.one_in(2),
        });
        if self.draw.one_in(4) {
            let seconds = self.draw.int(1, 40 * DAY);
            action["trial_end"] = (self.now + self.draw.pick(&[14 * DAY, 30 * DAY, seconds])).into();
        }
        action
    }

    fn action(&mut self) -> Value {
        match self.draw.int(1, 10) {
            1 => json!({ "do": "cancel_at_period_end", "at": self.now, "flag": !self.draw.one_in(3) }),
            2 => json!({ "do": "cancel", "at": self.now }),
            3 | 4 => {
                let amount = self.draw.pick(&[-1, 1, -49, 49, -50, 50, -100, -1999, 1999, -20_000, 5000]);
                json!({ "do": "adjust_balance", "at": self.now, "amount": amount })
            }
            _ => json!({ "do": "wait", "at": self.now }),
        }
    }
}
