//! Every state in the words a customer reads.

use super::*;
use crate::present::sample::{at, card, invoice, item, subscription};

fn said(subscription: &Subscription, open: Option<&Invoice>) -> (String, Vec<String>) {
    let held = Held { subscription: subscription.clone(), method: Some(card(12, 2027)), open: open.cloned() };
    let each = |fact: Fact| {
        [Some(fact.label), Some(fact.value), fact.hint].into_iter().flatten().collect::<Vec<_>>().join("|")
    };
    let facts = facts(Locale::En, &held).into_iter().map(each).collect();
    (pill(Locale::En, subscription).label, facts)
}

fn check(subscription: &Subscription, open: Option<&Invoice>, pill: &str, facts: &[&str]) {
    assert_eq!(said(subscription, open), (pill.to_owned(), facts.iter().map(|f| (*f).to_owned()).collect()));
}

#[test]
fn what_is_paid_and_how_often() {
    let mut plan = subscription(Status::Active);
    assert_eq!(name(&plan), "Pro");
    assert_eq!(price(Locale::De, &plan).as_deref(), Some("20,00\u{a0}€"));
    assert_eq!(every(Locale::De, &plan).as_deref(), Some("pro Monat"));
    plan.items = vec![item("Team", 5, Some(1000)), item("Support", 1, Some(9900))];
    assert_eq!(name(&plan), "Team × 5 + Support");
    assert_eq!(price(Locale::En, &plan).as_deref(), Some("€149.00"));
    plan.items.push(item("Usage", 1, None));
    assert_eq!(price(Locale::En, &plan), None);
    assert_eq!(name(&plan), "Team × 5 + Support + Usage");
    plan.items.push(item("Backups", 1, Some(100)));
    assert_eq!(name(&plan), "Team × 5 + Support + …");
}

#[test]
fn running() {
    let active = subscription(Status::Active);
    check(&active, None, "Active", &["Next charge|December 20, 2026|€20.00 to Visa •••• 4242"]);
    let sent = Subscription { collection_method: CollectionMethod::SendInvoice, ..active };
    check(&sent, None, "Active", &["Next invoice|December 20, 2026|€20.00"]);
    let trial = Subscription { trial_end: Some(at("2026-12-20")), ..subscription(Status::Trialing) };
    let facts = ["Free until|December 20, 2026", "First charge|December 20, 2026|€20.00 to Visa •••• 4242"];
    check(&trial, None, "Free trial", &facts);
}

#[test]
fn ending_and_ended() {
    let ending = Subscription { cancel_at_period_end: true, ..subscription(Status::Active) };
    check(&ending, None, "Canceled", &["Access until|December 20, 2026|No further charge"]);
    let sooner = Subscription { cancel_at: Some(at("2026-12-01")), ..subscription(Status::Trialing) };
    check(&sooner, None, "Canceled", &["Access until|December 1, 2026|No further charge"]);
    let ended =
        Subscription { ended_at: Some(at("2026-11-21")), cancel_at_period_end: true, ..subscription(Status::Canceled) };
    check(&ended, None, "Ended", &["Ended on|November 21, 2026"]);
    assert_eq!(ends_on(&ended), None);
}

#[test]
fn in_trouble() {
    let open = Invoice { next_payment_attempt: Some(at("2026-11-23")), ..invoice(2000) };
    let facts =
        ["Due now|€20.00|Next attempt on November 23, 2026", "Next charge|December 20, 2026|€20.00 to Visa •••• 4242"];
    check(&subscription(Status::PastDue), Some(&open), "Payment failed", &facts);
    let waiting = Subscription { start_date: at("2026-11-20"), ..subscription(Status::Incomplete) };
    check(&waiting, Some(&open), "First payment missing", &["To be paid first|€20.00|by November 20, 2026"]);
    let lapsed = Subscription { start_date: at("2026-11-20"), ..subscription(Status::IncompleteExpired) };
    check(&lapsed, None, "Not started", &["Lapsed on|November 20, 2026|The first payment was not made"]);
}

#[test]
fn paused() {
    let paused = Subscription { paused_at: Some(at("2026-11-01")), ..subscription(Status::Paused) };
    check(&paused, None, "Paused", &["Paused since|November 1, 2026|Nothing is charged while paused"]);
    let back = Subscription { resumes_at: Some(at("2027-02-01")), ..paused };
    check(&back, None, "Paused", &["Paused since|November 1, 2026|Resumes on February 1, 2027"]);
}
