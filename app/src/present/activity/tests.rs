//! Each entry as it is told, and those that are not.

use billing::{Json, Millis};
use serde_json::json;

use super::*;
use crate::present::sample::at;

fn teller(locale: Locale) -> Teller<'static> {
    let plans = BTreeMap::from([("sub_1".to_owned(), "Pro".to_owned())]);
    Teller { locale, merchant: "Acme", has_invoices: true, plans }
}

fn entry(action: &str, object_id: &str) -> Told {
    Told {
        id: "aud_1".into(),
        at_ms: Millis::from(at("2026-11-20")),
        action: action.into(),
        object_id: object_id.into(),
        origin: "portal".into(),
        before: None,
        after: None,
        event: None,
    }
}

fn told(entry: &Told) -> Option<String> {
    teller(Locale::En).tell(entry).map(|(what, _)| what)
}

#[test]
fn subscriptions_are_told_by_what_changed() {
    let moved = |before: Value, after: Value| {
        let changed = Told {
            before: Some(Json(before)),
            after: Some(Json(after)),
            ..entry("customer.subscription.updated", "sub_1")
        };
        told(&changed).unwrap_or_default()
    };
    let updated = |after: Value| moved(json!({}), after);
    let items = |price: &str, quantity: i64, end: i64| json!({"items": {"data": [{"price": {"id": price}, "quantity": quantity, "current_period_end": end}]}});
    assert_eq!(updated(json!({"cancel_at_period_end": true, "cancel_at": 1})), "Pro was canceled.");
    assert_eq!(updated(json!({"cancel_at_period_end": false})), "The cancellation of Pro was taken back.");
    assert_eq!(updated(json!({"default_payment_method": null})), "The payment method of Pro was changed.");
    assert_eq!(moved(items("price_1", 1, 1), items("price_1", 1, 2)), "", "a renewal is told by its invoice");
    assert_eq!(moved(items("price_1", 1, 1), items("price_2", 1, 1)), "Pro was changed.");
    assert_eq!(moved(items("price_1", 1, 1), items("price_1", 5, 1)), "Pro was changed.");
    assert_eq!(told(&entry("customer.subscription.deleted", "sub_1")).as_deref(), Some("Pro ended."));
    assert_eq!(told(&entry("customer.subscription.deleted", "sub_2")), None, "of another's nothing is known");
}

#[test]
fn invoices_are_told_with_number_and_amount() {
    let invoice = |action: &str, locale| {
        let object = json!({"object": {"number": "ACME-0001", "currency": "eur", "total": 2000, "amount_paid": 2000, "amount_remaining": 500}});
        let entry = Told { event: Some(Json(object)), ..entry(action, "in_1") };
        teller(locale).tell(&entry)
    };
    let (what, href) = invoice("invoice.paid", Locale::En).unwrap();
    assert_eq!(what, "Invoice ACME-0001 was paid: €20.00.");
    assert_eq!(href.as_deref(), Some("/invoices/in_1"));
    let (what, _) = invoice("invoice.payment_failed", Locale::De).unwrap();
    assert_eq!(what, "Die Zahlung von 5,00\u{a0}€ für Rechnung ACME-0001 ist fehlgeschlagen.");
    let hidden = Teller { has_invoices: false, ..teller(Locale::En) };
    assert!(hidden.tell(&entry("invoice.paid", "in_1")).is_none());
}

#[test]
fn details_are_told_by_name_and_never_by_value() {
    let updated = |before: Value| told(&Told { before: Some(Json(before)), ..entry("customer.updated", "cus_1") });
    let said = updated(json!({"name": "Ada", "phone": null, "address": {"city": "Bonn"}})).unwrap();
    assert_eq!(said, "Billing details were changed: Name, Phone and Billing address.");
    assert_eq!(updated(json!({"currency": null})), None);
    assert_eq!(
        updated(json!({"invoice_settings": {"default_payment_method": "pm_1"}})).as_deref(),
        Some("The default payment method was changed.")
    );
}

#[test]
fn methods_are_told_by_what_may_be_shown() {
    let object = json!({"object": {"type": "card", "card": {"brand": "visa", "last4": "4242"}}});
    let added = Told { event: Some(Json(object)), ..entry("payment_method.attached", "pm_1") };
    assert_eq!(told(&added).as_deref(), Some("Visa •••• 4242 was added."));
    assert_eq!(told(&entry("payment_method.attached", "pm_1")), None, "without its object there is nothing to say");
}

#[test]
fn days_hold_what_was_done_on_them_and_by_whom() {
    let on = |day: &str, origin: &str| Told {
        at_ms: Millis::from(at(day)).plus(14 * 3_600_000),
        origin: origin.into(),
        ..entry("billing_portal.session.started", "bps_1")
    };
    let quiet = entry("payment.settled", "ch_1");
    let days = teller(Locale::En).days(&[
        on("2026-11-20", "portal"),
        quiet,
        on("2026-11-20", "api"),
        on("2026-11-19", "system"),
    ]);
    assert_eq!(days.iter().map(|day| day.deeds.len()).collect::<Vec<_>>(), [2, 1]);
    let who: Vec<_> = days.iter().flat_map(|day| &day.deeds).map(|deed| deed.who.as_str()).collect();
    assert_eq!(who, ["You", "Acme", "Automatic"]);
    assert_eq!(days[0].deeds[0].time, "2:00\u{a0}PM UTC");
}
