//! Paying from the portal: once, however often and however fast the button is pressed; and what is told when it fails.

use axum::http::{StatusCode, header};
use billing::customer::{CustomerUpdate, payment_method};
use billing::gateway::sandbox::test_method;
use billing::payment::charge::{self, AttemptStatus, ChargeFilter};
use billing::{Page, Patch, invoice, transact};
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::stage::{Merchant, Stage, form, page};

async fn charge_to(stage: &Stage, merchant: &Merchant, customer: &str, card: &str) {
    transact!(stage.app.db, |tx| {
        let card = test_method(card, 2030).unwrap();
        let method = payment_method::attach(tx, &merchant.who, customer, card).await?;
        let default = CustomerUpdate { default_payment_method: Patch::Set(method.id), ..CustomerUpdate::default() };
        billing::customer::update(tx, &merchant.who, customer, default).await
    })
    .unwrap();
}

/// A customer whose first payment failed, and its invoice.
async fn behind(stage: &Stage, merchant: &Merchant, card: &str) -> (String, String) {
    let customer =
        transact!(stage.app.db, |tx| billing::customer::create(tx, &merchant.who, CustomerUpdate::default()).await);
    let customer = customer.unwrap().id;
    charge_to(stage, merchant, &customer, card).await;
    let (_, invoice) = stage.subscription(&merchant.who, &customer, &merchant.price).await;
    (customer, invoice)
}

async fn attempts(stage: &Stage, merchant: &Merchant, customer: &str) -> Vec<AttemptStatus> {
    let mut tx = stage.app.db.read().await.unwrap();
    let filter = ChargeFilter { customer: Some(customer.into()), payment_intent: None };
    let listed = charge::list(&mut tx, &merchant.who, &Page::first(100), &filter).await.unwrap();
    listed.data.into_iter().map(|charge| charge.status).collect()
}

async fn a_hundred_presses_pay_once_on(stage: Stage) {
    let merchant = stage.merchant("Acme").await;
    let (customer, owed) = behind(&stage, &merchant, "pm_card_chargeCustomerFail").await;
    charge_to(&stage, &merchant, &customer, "pm_card_visa").await;
    let (cookie, session) = stage.sign_in(&merchant.who, &customer).await;
    let mut presses = JoinSet::new();
    for n in 0..100 {
        let body = format!("session={session}&key=k{n}&id={owed}");
        let press = form("/do/app/pages/invoice/pay_invoice", &cookie, &body);
        presses.spawn(stage.router.clone().oneshot(press));
    }
    while let Some(answer) = presses.join_next().await {
        assert_eq!(answer.unwrap().unwrap().status(), StatusCode::SEE_OTHER);
    }
    let mut tx = stage.app.db.read().await.unwrap();
    assert_eq!(invoice::get(&mut tx, &merchant.who, &owed).await.unwrap().status, invoice::Status::Paid);
    drop(tx);
    assert_eq!(attempts(&stage, &merchant, &customer).await, [AttemptStatus::Succeeded, AttemptStatus::Declined]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_presses_pay_once_on_sqlite() {
    a_hundred_presses_pay_once_on(Stage::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_presses_pay_once_on_postgres() {
    if let Some(stage) = Stage::on_postgres().await {
        a_hundred_presses_pay_once_on(stage).await;
    }
}

#[tokio::test]
async fn while_nothing_is_known_there_is_no_button_and_a_press_charges_nothing() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (customer, owed) = behind(&stage, &merchant, "pm_card_chargeCustomerFail").await;
    charge_to(&stage, &merchant, &customer, "pm_sandbox_timeoutAfterCharge").await;
    let (cookie, session) = stage.sign_in(&merchant.who, &customer).await;
    let body = format!("session={session}&key=k&id={owed}");
    for _ in 0..3 {
        let answer = stage.send(form("/do/app/pages/invoice/pay_invoice", &cookie, &body)).await;
        assert_eq!(answer.headers()[header::LOCATION], "/repair");
    }
    assert_eq!(attempts(&stage, &merchant, &customer).await, [AttemptStatus::Unknown, AttemptStatus::Declined]);
    for path in ["/repair".to_owned(), format!("/invoices/{owed}")] {
        let (_, html) = stage.text(page(&path, &cookie)).await;
        let (_, body) = html.split_once("<body").unwrap();
        assert!(body.contains("We are waiting for an answer") && !body.contains("Pay $19.00 now"), "{path}");
    }
}

#[tokio::test]
async fn what_failed_is_told_with_its_reason_and_the_ways_to_mend_it() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (customer, _) =
        behind(&stage, &merchant, "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds").await;
    let (cookie, _) = stage.sign_in(&merchant.who, &customer).await;
    let (_, html) = stage.text(page("/", &cookie)).await;
    assert!(html.contains("href=\"/repair\""), "one press from the overview");
    let (_, html) = stage.text(page("/repair", &cookie)).await;
    for part in ["Team", "$19.00", "Confirm payment", "href=\"/payment-methods/add?next=%2Frepair\""] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    let (_, html) = stage.text(page("/repair", &cookie)).await;
    assert!(html.contains("Everything is paid"));
}
