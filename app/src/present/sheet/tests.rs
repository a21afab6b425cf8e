//! What stands on a sheet, and what does not.

use billing::customer::Address;
use billing::directory::Business;
use billing::{Currency, Json};

use super::*;
use crate::present::sample::{at, card, invoice, price};

fn merchant() -> Merchant {
    Merchant {
        id: "acct_1".into(),
        name: "Acme".into(),
        email: None,
        country: "DE".into(),
        default_currency: Currency::parse("eur", "currency").unwrap(),
        business: Json(Business { support_email: Some("help@acme.example".into()), ..Business::default() }),
        created: at("2026-01-01"),
    }
}

fn line(quantity: i64, amount: i64) -> Line {
    Line {
        id: "il_1".into(),
        invoice: "in_1".into(),
        position: 0,
        subscription: Some("sub_1".into()),
        subscription_item: Some("si_1".into()),
        invoice_item: None,
        price: Some("price_1".into()),
        product_name: Some("Team".into()),
        description: "5 × Team (at 10.00 EUR / month)".into(),
        quantity,
        amount,
        discount: 0,
        discount_amounts: Json::default(),
        tax: 0,
        taxes: Json::default(),
        currency: Currency::parse("eur", "currency").unwrap(),
        period_start: at("2026-11-20"),
        period_end: at("2026-12-20"),
        proration: false,
        discountable: true,
        details: None,
        metadata: Json::default(),
        priced: Some(price(Some(1000))),
    }
}

fn shown(invoice: Invoice, lines: Vec<Line>) -> Sheet {
    let billed = Billed {
        now: at("2026-11-20"),
        invoice,
        lines,
        more_lines: false,
        parts: Parts::default(),
        method: Some(card(12, 2027)),
    };
    sheet(Locale::En, &billed, &merchant())
}

fn labels(sheet: &Sheet) -> Vec<(&str, &str)> {
    sheet.bill.sums.iter().map(|sum| (sum.label.as_str(), sum.amount.as_str())).collect()
}

#[test]
fn a_paid_invoice_says_when_and_with_what() {
    let paid = Invoice { amount_paid: 5000, paid_at: Some(at("2026-11-21")), ..invoice(5000) };
    let sheet = shown(paid, vec![line(5, 5000)]);
    assert_eq!((sheet.title.as_str(), sheet.amount.as_str()), ("Invoice ACME-0001", "€50.00"));
    let facts: Vec<_> = sheet.facts.iter().map(|fact| (fact.label.as_str(), fact.value.as_str())).collect();
    assert_eq!(
        facts,
        [("Issued", "November 20, 2026"), ("Paid on", "November 21, 2026"), ("Paid with", "Visa •••• 4242")]
    );
    assert_eq!(labels(&sheet), [("Total", "€50.00"), ("Paid", "-€50.00"), ("Amount due", "€0.00")]);
    let line = &sheet.bill.lines[0];
    assert_eq!((line.name.as_str(), line.detail.as_deref()), ("Team", Some("5 × €10.00 per month")));
    assert_eq!(line.period.as_deref(), Some("November 20 – December 20, 2026"));
}

#[test]
fn an_open_invoice_says_what_is_left_and_when() {
    let open = Invoice {
        status: Status::Open,
        subtotal: 6000,
        discount: 1000,
        tax: 950,
        total: 5950,
        amount_due: 5000,
        amount_paid: 1000,
        due_date: Some(at("2026-12-01")),
        next_payment_attempt: Some(at("2026-11-23")),
        ..invoice(0)
    };
    let sheet = shown(open, Vec::new());
    assert_eq!(sheet.amount, "€40.00");
    assert_eq!(
        labels(&sheet),
        [
            ("Subtotal", "€60.00"),
            ("Discount", "-€10.00"),
            ("Tax", "€9.50"),
            ("Total", "€59.50"),
            ("Applied account balance", "-€9.50"),
            ("Paid", "-€10.00"),
            ("Amount due", "€40.00"),
        ]
    );
    let facts: Vec<_> = sheet.facts.iter().map(|fact| fact.label.as_str()).collect();
    assert_eq!(facts, ["Issued", "Due on", "Next attempt", "Paid with"]);
}

#[test]
fn a_line_that_is_no_price_times_quantity_keeps_its_own_words() {
    let trial = Line { description: "Trial period for Team".into(), ..line(5, 0) };
    let sheet = shown(invoice(0), vec![trial]);
    let names: Vec<_> = sheet.bill.lines.iter().map(|line| (line.name.as_str(), line.detail.is_some())).collect();
    assert_eq!(names, [("Trial period for Team", false)]);
}

#[test]
fn a_proration_is_told_in_the_readers_words() {
    let part = |amount| Line { proration: true, description: "… time on Team after …".into(), ..line(5, amount) };
    let sheet = shown(invoice(0), vec![part(-2500), part(5000)]);
    let told: Vec<_> = sheet.bill.lines.iter().map(|line| (line.name.as_str(), line.detail.as_deref())).collect();
    assert_eq!(told, [("Team × 5", Some("Credit for unused time")), ("Team × 5", Some("Remaining time"))]);
}

#[test]
fn both_parties_are_named_as_they_stood() {
    let mut billed = invoice(5000);
    billed.bill_to.account_name = Some("Acme GmbH".into());
    billed.bill_to.account_country = Some("AT".into());
    billed.bill_to.name = Some("Ada".into());
    billed.bill_to.address =
        Some(Address { city: Some("Bonn".into()), country: Some("DE".into()), ..Address::default() });
    billed.bill_to.tax_ids = vec![("eu_vat".into(), "DE123456789".into())];
    billed.bill_to.tax_exempt = Some(TaxExempt::Reverse);
    let sheet = shown(billed, Vec::new());
    assert_eq!(sheet.parties[0].lines, ["Acme GmbH", "Austria", "help@acme.example"]);
    assert_eq!(sheet.parties[1].lines, ["Ada", "Bonn", "Germany", "Tax ID DE123456789"]);
    assert_eq!(sheet.notes, ["Tax is to be paid by the recipient (reverse charge)."]);
}
