//! The vector file, row by row; what prices cost, after they have been through each database.

use billing::catalog::cost::{Cost, Round, Tier, TiersMode, Transform};
use billing::catalog::{NewPrice, price};
use billing::customer::TaxExempt;
use billing::decimal::{Decimal, PLACES};
use billing::discount::{self, Duration, Off};
use billing::period::{Interval, Recurring};
use billing::proration::{self, Span};
use billing::tax::{self, Parties, Rate};
use billing::{Json, Seconds};
use serde_json::Value;

use crate::support::{Stage, at, done, on_both, plain_price, seen};

fn rows(section: &str) -> Vec<Value> {
    let vectors: Value =
        serde_json::from_str(include_str!("../vectors/arithmetic.json")).expect("the vectors are JSON");
    let rows = vectors[section]["rows"].as_array().expect("a section has rows");
    assert!(!rows.is_empty());
    rows.clone()
}

fn int(row: &Value, name: &str) -> i64 {
    row[name].as_i64().unwrap_or_else(|| panic!("{name} of {row}"))
}

fn ints(row: &Value) -> Vec<i64> {
    row.as_array().expect("a list").iter().map(|n| n.as_i64().expect("a number")).collect()
}

fn decimal(value: &Value) -> Option<Decimal> {
    value.as_str().map(|text| Decimal::parse(text, PLACES, "vector").expect("a decimal"))
}

/// A day, or a minute of it.
fn day(text: &Value) -> Seconds {
    let text = text.as_str().expect("a day");
    if text.contains(' ') { at(text) } else { at(&format!("{text} 00:00")) }
}

fn off(row: &Value) -> Vec<Off> {
    let each = row["off"].as_array().expect("discounts").iter();
    each.map(|off| decimal(&off["percent"]).map_or_else(|| Off::Amount(int(off, "amount")), Off::Percent)).collect()
}

fn rates(row: &Value) -> Vec<Rate> {
    let rate = |rate: &Value| Rate {
        percentage: decimal(&rate["percentage"]).expect("a percentage"),
        inclusive: rate["inclusive"] == true,
    };
    row["rates"].as_array().expect("rates").iter().map(rate).collect()
}

#[test]
fn there_are_rows_enough() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/arithmetic.json")).unwrap();
    let sections = vectors.as_object().unwrap().iter().filter(|(name, _)| *name != "about");
    let rows: usize = sections.map(|(name, _)| rows(name).len()).sum();
    assert!(rows >= 300, "{rows}");
}

#[test]
fn periods() {
    for row in rows("periods") {
        let interval: Interval = serde_json::from_value(row["interval"].clone()).unwrap();
        let recurring = Recurring { interval, count: int(&row, "count") };
        let starts = ints(&row["n"]).into_iter().map(|n| recurring.start_of(day(&row["anchor"]), n).unwrap());
        let expected: Vec<Seconds> = row["starts"].as_array().unwrap().iter().map(day).collect();
        assert_eq!(starts.collect::<Vec<_>>(), expected, "{row}");
    }
}

#[test]
fn switches() {
    for row in rows("switches") {
        let unit = int(&row, "unit");
        let period = Span::new(Seconds(0), Seconds(int(&row, "of") * unit)).unwrap();
        let (mut debited, mut over, mut net) = (int(&row, "first"), period, 0);
        for switch in row["switches"].as_array().unwrap() {
            let now = Seconds(period.seconds() - int(switch, "left") * unit);
            let lines = (proration::credit(debited, over, now), proration::debit(int(switch, "price"), period, now));
            assert_eq!(lines, (int(switch, "credit"), int(switch, "debit")), "{switch} of {row}");
            (debited, over, net) = (lines.1, over.rest(now).unwrap(), net + lines.0 + lines.1);
        }
        assert_eq!(net, int(&row, "net"), "{row}");
    }
}

#[test]
fn documents() {
    for row in rows("documents") {
        let (discounts, rates) = (off(&row), rates(&row));
        let lines = row["lines"].as_array().unwrap();
        let mut left: Vec<i64> = lines.iter().filter(|l| l["fixed"] != true).map(|l| int(l, "amount")).collect();
        let taken: Vec<Vec<i64>> = discounts.iter().map(|off| off.take(&mut left)).collect();
        let (mut open, mut total) = (0, 0);
        for line in lines {
            let mut own = vec![0; taken.len()];
            if line["fixed"] != true {
                own = taken.iter().map(|parts| parts[open]).collect();
                open += 1;
            }
            let taxed = tax::on_line(int(line, "amount") - own.iter().sum::<i64>(), &rates);
            assert_eq!(own, ints(&line["discounts"]), "{line} of {row}");
            assert_eq!((taxed.net, &taxed.taxes), (int(line, "net"), &ints(&line["taxes"])), "{line} of {row}");
            total += taxed.net + taxed.taxes.iter().sum::<i64>();
        }
        assert_eq!(total, int(&row, "total"), "{row}");
    }
}

#[test]
fn credits_and_debits() {
    for row in rows("credit_and_debit") {
        let (of, left) = (int(&row, "of"), int(&row, "left"));
        let (period, now) = (Span::new(Seconds(0), Seconds(of)).unwrap(), Seconds(of - left));
        assert_eq!(proration::credit(int(&row, "debited"), period, now), int(&row, "credit"), "{row}");
        assert_eq!(proration::debit(int(&row, "price"), period, now), int(&row, "debit"), "{row}");
    }
    for row in rows("days_left") {
        let period = Span::new(day(&row["from"]), day(&row["to"])).unwrap();
        assert_eq!(period.seconds(), int(&row, "of") * 86_400, "{row}");
        assert_eq!(period.left_at(day(&row["at"])), int(&row, "left") * 86_400, "{row}");
    }
    for row in rows("full_difference") {
        assert_eq!(proration::full_difference(int(&row, "old"), int(&row, "new")), int(&row, "net"), "{row}");
    }
    for row in rows("steps") {
        let step = int(&row, "step").try_into().unwrap();
        assert_eq!(proration::to_step(int(&row, "amount"), step), int(&row, "near"), "{row}");
    }
}

#[test]
fn discounts() {
    for row in rows("discounts") {
        let before = ints(&row["lines"]);
        let mut lines = before.clone();
        for off in off(&row) {
            off.take(&mut lines);
        }
        let taken: Vec<i64> = before.iter().zip(lines).map(|(before, left)| before - left).collect();
        assert_eq!(taken, ints(&row["taken"]), "{row}");
    }
    let duration = |row: &Value| Duration::parse(row["duration"].as_str().unwrap(), "duration").unwrap();
    for row in rows("redemptions") {
        let end = discount::ends(duration(&row), row["months"].as_i64(), day(&row["redeemed"])).unwrap();
        for (list, is_covered) in [("covered", true), ("beyond", false)] {
            for start in row[list].as_array().unwrap() {
                assert_eq!(discount::covers(end, day(start)), is_covered, "{start} of {row}");
            }
        }
    }
    for row in rows("once") {
        let only_prorations = row["only_prorations"] == true;
        assert_eq!(
            discount::uses_up(duration(&row), int(&row, "amount"), only_prorations),
            row["used_up"] == true,
            "{row}"
        );
    }
}

#[test]
fn taxes() {
    for row in rows("taxes") {
        let rates = rates(&row);
        for (n, amount) in ints(&row["lines"]).into_iter().enumerate() {
            let taxed = tax::on_line(amount, &rates);
            assert_eq!((taxed.net, taxed.taxes), (ints(&row["net"])[n], ints(&row["taxes"][n])), "line {n} of {row}");
        }
    }
    for row in rows("notes") {
        let mut credited = (0, 0);
        for note in row["notes"].as_array().unwrap() {
            let amount = int(note, "amount");
            let tax = tax::on_note((int(&row, "amount"), int(&row, "tax")), credited, amount);
            assert_eq!(tax, int(note, "tax"), "{note} of {row}");
            credited = (credited.0 + amount, credited.1 + tax);
        }
        assert_eq!(credited, (int(&row, "amount"), int(&row, "tax")), "{row}");
    }
    for row in rows("parties") {
        let parties = Parties {
            merchant: row["merchant"].as_str().unwrap(),
            customer: row["customer"].as_str(),
            exempt: TaxExempt::parse(row["exempt"].as_str().unwrap(), "exempt").unwrap(),
            vat_id: row["vat_id"].as_str(),
        };
        assert_eq!(parties.untaxed().map(tax::Reason::name), row["untaxed"].as_str(), "{row}");
    }
}

/// The price as each database gives it back.
async fn kept(stage: &Stage, product: &str, cost: Cost) -> billing::catalog::Price {
    let new = NewPrice { cost: cost.clone(), ..plain_price(stage.eur(), product, 0) };
    let made = done!(stage, |tx| price::create(tx, &stage.who, new.clone()));
    let read = seen!(stage, |tx| price::get(tx, &stage.who, &made.id));
    assert_eq!((&read, read.cost()), (&made, Ok(cost)));
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_quantity_costs() {
    on_both(async |stage| {
        let product = stage.price(100).await.product;
        for row in rows("units") {
            let round = row["round"].as_str().map(|word| Round::parse(word, "round").unwrap());
            let transform = round.map(|round| Transform { divide_by: int(&row, "divide_by"), round });
            let cost = Cost::PerUnit { unit: decimal(&row["unit"]).unwrap(), transform };
            let price = kept(stage, &product, cost).await;
            assert_eq!(price.amount(int(&row, "quantity")).ok(), row["amount"].as_i64(), "{row}");
            assert_eq!(price.unit_amount_decimal.map(|unit| unit.to_string()).as_deref(), row["unit"].as_str());
        }
        for row in rows("tiers") {
            let tier = |tier: &Value| Tier {
                up_to: tier["up_to"].as_i64(),
                unit_amount: decimal(&tier["unit"]),
                flat_amount: decimal(&tier["flat"]),
            };
            let tiers: Vec<Tier> = row["tiers"].as_array().unwrap().iter().map(tier).collect();
            for mode in [TiersMode::Volume, TiersMode::Graduated] {
                let price = kept(stage, &product, Cost::Tiered { mode, tiers: tiers.clone() }).await;
                assert_eq!((price.unit_amount, &price.tiers), (None, &Some(Json(tiers.clone()))));
                for quantity in row["quantities"].as_array().unwrap() {
                    let amount = int(quantity, mode.name());
                    assert_eq!(price.amount(int(quantity, "quantity")), Ok(amount), "{} {quantity}", mode.name());
                }
            }
        }
    })
    .await;
}
