//! A year's invoices: one a row, or each as its document.

use std::collections::HashSet;

use app::paper::Kind;
use billing::invoice::{self, Invoice, InvoiceFilter};
use billing::{Currency, Result, Seconds};
use jiff::Timestamp;

use super::csv::{self, Cell};
use super::zip::Archive;
use super::{Out, Taker, in_year, page};
use crate::documents::{file, print};

/// So that spreadsheets read UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

pub async fn table(taker: &Taker, year: i64, out: &Out) -> Result<()> {
    let titles = app::paper::titles(taker.locale).map(Cell::Text);
    out.write(format!("{BYTE_ORDER_MARK}{}", csv::row(&titles))).await?;
    let mut after = None;
    loop {
        let listed = {
            let mut tx = taker.db.read().await?;
            invoice::list_heads(&mut tx, &taker.who, &page(after, in_year(year)), &InvoiceFilter::default()).await?
        };
        let rows: String = listed.data.iter().map(|invoice| csv::row(&cells(taker, invoice))).collect();
        out.write(rows).await?;
        after = listed.data.last().map(|invoice| invoice.id.clone());
        if !listed.has_more || after.is_none() {
            return Ok(());
        }
    }
}

fn cells(taker: &Taker, invoice: &Invoice) -> [Cell; 13] {
    let day = |at: Option<Seconds>| Cell::Plain(at.map(date).unwrap_or_default());
    let amount = |minor: i64| Cell::Plain(decimal(minor, &invoice.currency));
    [
        Cell::Text(invoice.number.clone().unwrap_or_default()),
        Cell::Text(app::paper::state(taker.locale, invoice.status)),
        Cell::Text(invoice.bill_to.name.clone().unwrap_or_default()),
        day(Some(invoice.finalized_at.unwrap_or(invoice.created))),
        day(invoice.due_date),
        day(invoice.paid_at),
        Cell::Plain(invoice.currency.code().to_ascii_uppercase()),
        amount(invoice.subtotal),
        amount(invoice.discount),
        amount(invoice.tax),
        amount(invoice.total),
        amount(invoice.amount_paid),
        amount(invoice.amount_remaining()),
    ]
}

/// `2026-11-20`, in UTC.
fn date(at: Seconds) -> String {
    let at = Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%d").to_string()
}

/// Minor units as a decimal: `-5.00`.
fn decimal(minor: i64, currency: &Currency) -> String {
    let scale = 10_u64.pow(currency.decimals());
    let (sign, minor) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs());
    let digits = usize::try_from(currency.decimals()).unwrap_or_default();
    match minor % scale {
        _ if scale == 1 => format!("{sign}{minor}"),
        fraction => format!("{sign}{}.{fraction:0digits$}", minor / scale),
    }
}

pub async fn documents(taker: &Taker, year: i64, out: &Out) -> Result<()> {
    let mut archive = Archive::default();
    let mut names = HashSet::new();
    let mut after = None;
    loop {
        let listed = {
            let mut tx = taker.db.read().await?;
            invoice::list_heads(&mut tx, &taker.who, &page(after, in_year(year)), &InvoiceFilter::default()).await?
        };
        for head in &listed.data {
            let paper = {
                let mut tx = taker.db.read().await?;
                let found = invoice::get(&mut tx, &taker.who, &head.id).await?;
                taker.asked().invoice(&mut tx, found, Kind::Invoice).await?
            };
            let (title, made) = (file::safe(&paper.title), paper.made);
            let name = if names.insert(title.clone()) { title } else { format!("{title} {}", head.id) };
            let bytes = print(paper).await?;
            out.write(archive.file(&format!("{name}.pdf"), made.0, &bytes)?).await?;
        }
        after = listed.data.last().map(|invoice| invoice.id.clone());
        if !listed.has_more || after.is_none() {
            return out.write(archive.end()?).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_decimals_of_their_currency() {
        let of = |minor, code| decimal(minor, &Currency::parse(code, "currency").unwrap());
        assert_eq!(
            [of(1905, "usd"), of(-5, "eur"), of(500, "jpy"), of(1234, "kwd")],
            ["19.05", "-0.05", "500", "1.234"]
        );
        assert_eq!(date(Seconds(1_780_000_000)), "2026-05-28");
    }
}
