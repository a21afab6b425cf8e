//! Invoices and credit notes say what their lines add up to.

use std::collections::HashMap;

use serde_json::Value;

use crate::check::{MOST, Violation, broken};
use crate::credit_note::part::Part;
use crate::error::Result;
use crate::store::{Tx, all};

/// How many lines are read at a time, whose taxes and discounts are taken apart here.
const PAGE: i64 = 10_000;

/// A document's tenant and id.
type Document = (i64, String);

#[derive(sqlx::FromRow)]
struct Line {
    tenant: i64,
    id: String,
    document: String,
    discount: i64,
    tax: i64,
    discount_amounts: String,
    taxes: String,
}

macro_rules! sums {
    ($document:literal, $line:literal) => {
        concat!(
            "select d.id, 'it says ' || cast(d.subtotal as text) || ' less ' || cast(d.discount as text) || ' with ' || cast(d.tax as text)
                    || ' of tax, its lines say ' || cast(coalesce(l.amount, 0) as text) || ', ' || cast(coalesce(l.discount, 0) as text)
                    || ', ' || cast(coalesce(l.tax, 0) as text) as what
             from ", $document, " d left join (
                 select tenant, ", $document, " as document, cast(sum(amount) as bigint) as amount,
                        cast(sum(discount) as bigint) as discount, cast(sum(tax) as bigint) as tax
                 from ", $line, " group by tenant, ", $document, ") l on l.tenant = d.tenant and l.document = d.id
             where d.subtotal <> coalesce(l.amount, 0) or d.discount <> coalesce(l.discount, 0) or d.tax <> coalesce(l.tax, 0)"
        )
    };
}

/// Documents whose total is not their subtotal less discounts: what must be the tax that comes on top.
macro_rules! on_top {
    ($document:literal) => {
        concat!(
            "select tenant, id, total - subtotal + discount from ",
            $document,
            " where total <> subtotal - discount"
        )
    };
}

macro_rules! lines {
    ($document:literal, $line:literal) => {
        concat!(
            "select tenant, id, ",
            $document,
            " as document, discount, tax, discount_amounts, taxes from ",
            $line,
            " where (tenant, id) > ($1, $2) and (discount <> 0 or tax <> 0) order by tenant, id limit $3"
        )
    };
}

pub(super) async fn add_up(tx: &mut Tx) -> Result<Vec<Violation>> {
    let mut found = broken!(tx, sums!("invoice", "invoice_line"));
    found.extend(broken!(tx, sums!("credit_note", "credit_note_line")));
    found.extend(totals(tx, on_top!("invoice"), lines!("invoice", "invoice_line")).await?);
    found.extend(totals(tx, on_top!("credit_note"), lines!("credit_note", "credit_note_line")).await?);
    Ok(found)
}

/// The total, by what stands beside each line: each discount and each tax by its rate, on top or within.
async fn totals(tx: &mut Tx, on_top: &'static str, lines: &'static str) -> Result<Vec<Violation>> {
    let mut found = Vec::new();
    let declared: Vec<(i64, String, i64)> = all!(tx, on_top)?;
    let mut left: HashMap<Document, i64> =
        declared.into_iter().map(|(tenant, id, on_top)| ((tenant, id), on_top)).collect();
    let (mut tenant, mut last) = (i64::MIN, String::new());
    loop {
        let page: Vec<Line> = all!(tx, lines, tenant, &last, PAGE)?;
        let Some(end) = page.last() else { break };
        (tenant, last) = (end.tenant, end.id.clone());
        for line in page {
            let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
            let part = Part::read(0, &read(&line.discount_amounts), &read(&line.taxes));
            if (part.discount(), part.tax()) != (line.discount, line.tax) && found.len() < MOST {
                let what = format!(
                    "it says {} off and {} of tax, what stands beside it says {} and {}",
                    line.discount,
                    line.tax,
                    part.discount(),
                    part.tax()
                );
                found.push(Violation { id: line.id, what });
            }
            if part.exclusive() != 0 {
                *left.entry((line.tenant, line.document)).or_default() -= part.exclusive();
            }
        }
    }
    let mut wrong: Vec<_> = left.into_iter().filter(|(_, off)| *off != 0).collect();
    wrong.sort();
    let total = |((_, id), off): (Document, i64)| Violation {
        id,
        what: format!("its total is {off} off its lines less discounts and with the tax on top"),
    };
    found.extend(wrong.into_iter().take(MOST).map(total));
    Ok(found)
}
