//! What needs attention, and what does not.

use super::*;
use crate::present::sample::{at, card as visa, invoice, subscription as plan};

fn books(subscription: Subscription, method: Option<PaymentMethod>, open: Option<Invoice>) -> Books {
    let held = Held { subscription, method: method.clone(), open };
    Books {
        now: at("2026-11-20"),
        running: vec![held],
        ended: Vec::new(),
        method,
        has_methods: true,
        invoices: Some(Listed { data: Vec::new(), has_more: false }),
        open: Vec::new(),
        may_change: false,
        may_buy: false,
    }
}

fn titles(books: &Books) -> Vec<String> {
    alerts(Locale::En, books).into_iter().map(|alert| alert.title).collect()
}

#[test]
fn all_is_well() {
    assert!(titles(&books(plan(Status::Active), Some(visa(12, 2027)), None)).is_empty());
    let sent = Subscription { collection_method: CollectionMethod::SendInvoice, ..plan(Status::Active) };
    assert!(titles(&books(sent, None, None)).is_empty());
}

#[test]
fn a_failed_payment_says_how_much_and_what_comes() {
    let open = Invoice { next_payment_attempt: Some(at("2026-11-23")), attempted: true, ..invoice(2000) };
    let told = alerts(Locale::En, &books(plan(Status::PastDue), Some(visa(12, 2027)), Some(open)));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].title, "Your last payment did not go through");
    assert_eq!(told[0].text, "€20.00 for Pro is still open. We will try again on November 23, 2026.");
    assert_eq!(told[0].href.as_deref(), Some("/repair"));
}

#[test]
fn a_first_payment_that_is_missing() {
    let told = alerts(Locale::De, &books(plan(Status::Incomplete), None, Some(invoice(2000))));
    assert_eq!(told.len(), 1);
    assert!(told[0].text.starts_with("Pro beginnt, sobald 20,00\u{a0}€ bezahlt sind."), "{}", told[0].text);
}

#[test]
fn nothing_on_file_matters_only_where_something_will_be_charged() {
    let title = ["There is nothing to charge yet".to_owned()];
    assert_eq!(titles(&books(plan(Status::Active), None, None)), title);
    assert_eq!(titles(&books(plan(Status::Trialing), None, None)), title);
    let ending = Subscription { cancel_at_period_end: true, ..plan(Status::Active) };
    assert!(titles(&books(ending, None, None)).is_empty());
    assert!(titles(&books(plan(Status::Paused), None, None)).is_empty());
}

#[test]
fn a_card_is_told_of_once() {
    let mut two = books(plan(Status::Active), Some(visa(12, 2026)), None);
    two.running.push(Held { subscription: plan(Status::Trialing), method: Some(visa(12, 2026)), open: None });
    assert_eq!(titles(&two), ["Your card expires soon"]);
    assert_eq!(titles(&books(plan(Status::Active), Some(visa(10, 2026)), None)), ["Your card has expired"]);
}

#[test]
fn an_overdue_invoice_is_told_of() {
    let due = Invoice {
        status: billing::invoice::Status::Open,
        collection_method: CollectionMethod::SendInvoice,
        due_date: Some(at("2026-11-19")),
        ..invoice(2000)
    };
    let mut late = books(plan(Status::Active), Some(visa(12, 2027)), None);
    late.open = vec![due];
    let told = alerts(Locale::En, &late);
    assert_eq!(told[0].text, "€20.00 of invoice ACME-0001 was due on November 19, 2026.");
    assert_eq!(told[0].href.as_deref(), Some("/invoices/in_1"));
    late.invoices = None;
    assert_eq!(alerts(Locale::En, &late)[0].href, None, "where invoices are hidden, nothing leads to one");
}

#[test]
fn what_an_ended_subscription_left_open_is_told_of_once() {
    let left = || Invoice { status: billing::invoice::Status::Open, attempted: true, ..invoice(2000) };
    let mut open = books(plan(Status::Active), Some(visa(12, 2027)), None);
    open.open = vec![left()];
    assert_eq!(titles(&open), ["An invoice is still open"]);
    let mut behind = books(plan(Status::PastDue), Some(visa(12, 2027)), Some(left()));
    behind.open = vec![left()];
    assert_eq!(titles(&behind), ["Your last payment did not go through"], "not twice");
    open.open = vec![Invoice { attempted: false, ..left() }];
    assert!(titles(&open).is_empty(), "what has not been tried yet is nothing to worry about");
}

#[test]
fn at_a_glance_what_is_paid_next_when_and_how() {
    let said = |books: &Books| view(Locale::En, books).glance;
    let mut all = books(plan(Status::Active), Some(visa(12, 2027)), None);
    let next = "Next, €20.00 for Pro will be charged to Visa •••• 4242 on December 20, 2026.";
    assert_eq!(said(&all), ["Everything is in order.", next]);
    let sent = Subscription {
        collection_method: CollectionMethod::SendInvoice,
        current_period_end: at("2026-12-01"),
        ..plan(Status::Active)
    };
    all.running.push(Held { subscription: sent, method: None, open: None });
    assert_eq!(said(&all)[1], "Next, €20.00 for Pro will be invoiced on December 1, 2026.");
    assert!(said(&books(plan(Status::PastDue), None, Some(invoice(2000)))).is_empty());
    let ending = Subscription { cancel_at_period_end: true, ..plan(Status::Active) };
    assert_eq!(said(&books(ending, Some(visa(12, 2027)), None)), ["Everything is in order."]);
    let nobody = Books { running: Vec::new(), ..books(plan(Status::Active), None, None) };
    assert!(said(&nobody).is_empty());
}
