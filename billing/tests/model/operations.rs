//! The vectors of whole operations: what is written there by hand, the books do and the model says.

use serde_json::{Value, json};

use crate::act::Scene;
use crate::referee::Referee;
use crate::support::{Stage, at, on_both};

const INSTANTS: [&str; 3] = ["at", "trial_end", "proration_date"];

/// A row as a log: with what it leaves out, and its instants in seconds.
fn log(row: &Value) -> Value {
    let mut log = row.clone();
    let currency = row["currency"].as_str().unwrap_or("eur");
    (log["currency"], log["least"]) = (currency.into(), if currency == "kwd" { 0 } else { 50 }.into());
    for name in ["rates", "coupons"] {
        if log[name].is_null() {
            log[name] = json!({});
        }
    }
    for price in log["prices"].as_object_mut().unwrap().values_mut() {
        if price.is_string() {
            *price = json!({ "unit": price });
        }
        let (interval, count) = (price["interval"].as_str().unwrap_or("month"), price["count"].as_i64().unwrap_or(1));
        (price["interval"], price["count"]) = (interval.into(), count.into());
    }
    for action in log["actions"].as_array_mut().unwrap() {
        for name in INSTANTS {
            if let Some(text) = action[name].as_str() {
                action[name] = at(text).0.into();
            }
        }
        if action["do"] == "subscribe" && action["pays"].is_null() {
            action["pays"] = true.into();
        }
        for item in action["items"].as_array_mut().into_iter().flatten() {
            if item["rates"].is_null() {
                item["rates"] = json!([]);
            }
        }
        action.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    }
    log
}

fn sum(list: &Value) -> i64 {
    list.as_array().unwrap().iter().filter_map(|one| one[1].as_i64()).sum()
}

/// Of what came of it, what the row speaks of.
fn spoken(expected: &Value, invoice: &Value) -> Value {
    let lines = invoice["lines"].as_array().unwrap();
    let each = |of: &dyn Fn(&Value) -> Value| Value::from(lines.iter().map(of).collect::<Vec<_>>());
    let mut spoken = json!({});
    for name in expected.as_object().unwrap().keys() {
        spoken[name] = match name.as_str() {
            "lines" => each(&|line| line[2].clone()),
            "discounts" => each(&|line| sum(&line[6]).into()),
            "taxes" => each(&|line| sum(&line[7]).into()),
            "starts" => each(&|line| line[3].clone()),
            _ => invoice[name].clone(),
        };
    }
    spoken
}

fn expected(invoice: &Value) -> Value {
    let mut invoice = invoice.clone();
    if let Some(starts) = invoice["starts"].as_array() {
        invoice["starts"] = starts.iter().map(|start| at(start.as_str().unwrap()).0).collect();
    }
    invoice.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    invoice
}

async fn judge(stage: &Stage, referee: &mut Referee, row: &Value) {
    let told = Scene::set(stage).await.act(&log(row)).await;
    let wanted: Vec<Value> = row["invoices"].as_array().unwrap().iter().map(expected).collect();
    let made = told["invoices"].as_array().unwrap();
    let made: Vec<Value> = wanted.iter().zip(made).map(|(wanted, made)| spoken(wanted, made)).collect();
    assert_eq!(made, wanted, "{}", row["case"]);
    assert_eq!(told["invoices"].as_array().unwrap().len(), wanted.len(), "{}", row["case"]);
    assert_eq!(told["balance"].as_i64().unwrap(), row["balance"].as_i64().unwrap_or_default(), "{}", row["case"]);
    let refused = if row["refused"].is_null() { json!([]) } else { row["refused"].clone() };
    assert_eq!(told["refused"], refused, "{}", row["case"]);
    assert_eq!(referee.ask(&told), None, "{}", row["case"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_comes_to_what_is_written() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/operations.json")).unwrap();
    let rows = vectors["rows"].as_array().unwrap();
    assert!(rows.len() >= 80);
    let referee = tokio::sync::Mutex::new(Referee::call());
    on_both(async |stage| {
        // A row's calendar may be before another's.
        for row in rows {
            Box::pin(judge(stage, &mut *referee.lock().await, row)).await;
        }
    })
    .await;
}
