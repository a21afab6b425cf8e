//! Payments that fail: tried again on the merchant's schedule, and what follows the last attempt.

use std::sync::Arc;

use billing::gateway::PaymentGateway;
use billing::invoice::draft::{InvoiceUpdate, NewInvoice};
use billing::invoice::item::edit::NewInvoiceItem;
use billing::invoice::{Invoice, Status as InvoiceStatus};
use billing::settings::{self, AfterLastAttempt, SettingsUpdate};
use billing::subscription::{CollectionMethod, NewSubscription, Status, Subscription};
use billing::{Seconds, customer, work};

use crate::invoice_items::{add, draft, draft_for, over};
use crate::support::{DAY, HOUR, MINUTE, Stage, at, done, on_both, plan};

const DUE: &str = "2026-02-28";

impl Stage {
    /// Does all that is due now.
    async fn work_off(&self) {
        let gateway: Arc<dyn PaymentGateway> = self.sandbox.clone();
        while work::one(&self.db, &gateway).await.unwrap() {}
    }

    /// Goes on hour by hour, and does what is due.
    async fn live_through(&self, end: Seconds) {
        while self.now() < end {
            self.go_to(self.now().plus(6 * HOUR).min(end));
            self.work_off().await;
        }
    }

    /// Pays with another method from now on.
    async fn pay_with(&self, subscription: &Subscription, test_method: &str) {
        let customer = self.customer_named(&subscription.customer).await;
        let method = self.method(&customer, test_method).await;
        self.set_default(&customer, &method).await;
    }

    async fn follow(&self, end: AfterLastAttempt) {
        let update = SettingsUpdate { after_last_attempt: Some(end), ..SettingsUpdate::default() };
        done!(self, |tx| settings::update(tx, &self.who, update.clone()));
    }

    /// One whose renewal has just failed, and its invoice.
    async fn behind(&self, test_method: &str) -> (Subscription, Invoice) {
        let subscription = self.active().await;
        self.pay_with(&subscription, test_method).await;
        self.go_to(at(DUE).plus(HOUR));
        self.work_off().await;
        let after = self.subscription(&subscription.id).await;
        let invoice = self.invoice(after.latest_invoice.as_ref().unwrap()).await;
        assert_eq!((after.status, invoice.status), (Status::PastDue, InvoiceStatus::Open));
        (after, invoice)
    }

    async fn attempts(&self) -> i64 {
        self.number("select count(*) from payment_attempt where invoice in (select id from invoice where billing_reason = 'subscription_cycle')").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_renewal_is_tried_eight_times_in_fourteen_days() {
    on_both(async |stage| {
        let (subscription, first) = stage.behind("pm_card_chargeDeclinedInsufficientFunds").await;
        let failed_at = first.retries_from.unwrap();
        assert_eq!((first.attempt_count, first.next_payment_attempt), (1, Some(failed_at.plus(DAY))));
        for (n, day) in [1, 3, 5, 7, 9, 11].into_iter().enumerate() {
            stage.go_to(failed_at.plus(day * DAY - 1));
            stage.work_off().await;
            assert_eq!(stage.attempts().await, i64::try_from(n).unwrap() + 1, "not before its time");
            stage.pass(1);
            stage.work_off().await;
            assert_eq!(stage.attempts().await, i64::try_from(n).unwrap() + 2);
        }
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::PastDue);
        stage.live_through(failed_at.plus(20 * DAY)).await;
        let (after, invoice) = (stage.subscription(&subscription.id).await, stage.invoice(&first.id).await);
        assert_eq!(stage.attempts().await, 8);
        assert_eq!((after.status, after.ended_at), (Status::Canceled, Some(failed_at.plus(14 * DAY))));
        assert_eq!(after.cancellation_details.reason.as_deref(), Some("payment_failed"));
        assert_eq!((invoice.status, invoice.attempt_count), (InvoiceStatus::Open, 8));
        assert_eq!((invoice.auto_advance, invoice.next_payment_attempt), (false, None));
        assert_eq!(stage.agreed().await, 1000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_gets_the_money_puts_it_in_order() {
    on_both(async |stage| {
        let (subscription, first) = stage.behind("pm_card_chargeDeclined").await;
        stage.pass(DAY - HOUR);
        stage.pay_with(&subscription, "pm_card_visa").await;
        stage.live_through(at(DUE).plus(2 * DAY)).await;
        let (after, invoice) = (stage.subscription(&subscription.id).await, stage.invoice(&first.id).await);
        assert_eq!((after.status, invoice.status), (Status::Active, InvoiceStatus::Paid));
        assert_eq!((invoice.attempt_count, invoice.next_payment_attempt), (2, None));
        stage.live_through(at(DUE).plus(20 * DAY)).await;
        assert_eq!((stage.attempts().await, stage.agreed().await), (2, 2000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_attempt_does_not_move_the_schedule() {
    on_both(async |stage| {
        let (_, first) = stage.behind("pm_card_chargeDeclined").await;
        let next = first.next_payment_attempt;
        for _ in 0..3 {
            stage.pass(HOUR);
            let after = stage.collect(&stage.invoice(&first.id).await).await.unwrap();
            assert_eq!((after.attempt_count, after.next_payment_attempt), (1, next));
        }
        stage.go_to(next.unwrap());
        stage.work_off().await;
        assert_eq!(stage.invoice(&first.id).await.attempt_count, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_decline_waits_for_another_method() {
    on_both(async |stage| {
        let (subscription, first) = stage.behind("pm_card_chargeDeclinedStolenCard").await;
        let failed_at = first.retries_from.unwrap();
        stage.live_through(failed_at.plus(4 * DAY)).await;
        let waiting = stage.invoice(&first.id).await;
        assert_eq!((stage.attempts().await, waiting.attempt_count), (1, 1), "the card is asked no more");
        assert_eq!(waiting.next_payment_attempt, Some(failed_at.plus(5 * DAY)), "and the schedule goes on");
        stage.pay_with(&subscription, "pm_card_visa").await;
        stage.live_through(failed_at.plus(6 * DAY)).await;
        assert_eq!(stage.invoice(&first.id).await.status, InvoiceStatus::Paid);
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::Active);
        assert_eq!(stage.agreed().await, 2000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_the_customer_must_confirm_is_not_asked_again_and_ends_with_the_schedule() {
    on_both(async |stage| {
        let (subscription, _) = stage.behind("pm_card_authenticationRequired").await;
        stage.live_through(at(DUE).plus(16 * DAY)).await;
        assert_eq!(stage.attempts().await, 1);
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::Canceled);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unpaid_gets_drafts_that_nobody_collects() {
    on_both(async |stage| {
        stage.follow(AfterLastAttempt::Unpaid).await;
        let (subscription, first) = stage.behind("pm_card_chargeDeclined").await;
        stage.live_through(at("2026-06-02")).await;
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.status, after.current_period_start), (Status::Unpaid, at("2026-05-31")));
        let invoices = stage.invoices(&subscription.customer).await;
        let drafts: Vec<&Invoice> = invoices.iter().filter(|invoice| invoice.status == InvoiceStatus::Draft).collect();
        assert_eq!(drafts.len(), 3, "one a period");
        assert!(drafts.iter().all(|draft| !draft.auto_advance && draft.next_payment_attempt.is_none()));
        assert_eq!(stage.attempts().await, 8, "no attempts any more");
        assert_eq!(stage.invoice(&first.id).await.status, InvoiceStatus::Open);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_may_pause_instead() {
    on_both(async |stage| {
        stage.follow(AfterLastAttempt::Pause).await;
        let (subscription, _) = stage.behind("pm_card_chargeDeclined").await;
        stage.live_through(at("2026-06-02")).await;
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::Paused);
        assert_eq!(stage.invoices(&subscription.customer).await.len(), 2, "and bills no more");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stood_still_tries_once_and_not_for_each_day() {
    on_both(async |stage| {
        let (subscription, first) = stage.behind("pm_card_chargeDeclined").await;
        let failed_at = first.retries_from.unwrap();
        stage.go_to(failed_at.plus(8 * DAY));
        stage.work_off().await;
        assert_eq!((stage.attempts().await, stage.invoice(&first.id).await.attempt_count), (2, 2));
        assert_eq!(stage.invoice(&first.id).await.next_payment_attempt, Some(failed_at.plus(9 * DAY)));
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::PastDue);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_invoice_is_not_retried_and_expires() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_chargeDeclined").await, stage.price(1000).await);
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        let invoice = stage.invoice(subscription.latest_invoice.as_ref().unwrap()).await;
        assert_eq!((invoice.attempt_count, invoice.next_payment_attempt), (1, None));
        stage.live_through(stage.now().plus(3 * DAY)).await;
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::IncompleteExpired);
        assert_eq!(stage.invoice(&invoice.id).await.status, InvoiceStatus::Void);
        assert_eq!(stage.number("select count(*) from payment_attempt").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_its_door_did_not_live_to_make_is_made() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let created = stage.create(plan(&customer, &price)).await;
        assert!(created.collect, "the door would charge it now");
        stage.work_off().await;
        assert_eq!(stage.subscription(&created.subscription.id).await.status, Status::Incomplete);
        stage.pass(10 * MINUTE);
        stage.work_off().await;
        assert_eq!(stage.subscription(&created.subscription.id).await.status, Status::Active);
        assert_eq!(stage.agreed().await, 1000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_that_was_sent_is_overdue_on_its_day_and_given_up_in_the_end() {
    on_both(async |stage| {
        let (customer, price) = (stage.customer().await, stage.price(1000).await);
        let new = NewSubscription {
            collection_method: CollectionMethod::SendInvoice,
            days_until_due: Some(10),
            ..plan(&customer, &price)
        };
        let subscription = stage.create(new).await.subscription;
        let sent = stage.invoice(subscription.latest_invoice.as_ref().unwrap()).await;
        let due = sent.due_date.unwrap();
        stage.live_through(due.plus(-1)).await;
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::Active);
        stage.live_through(due).await;
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::PastDue);
        assert_eq!(stage.events_of(&sent.id).await.last().unwrap(), "invoice.overdue");
        stage.live_through(due.plus(14 * DAY)).await;
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.status, after.ended_at), (Status::Canceled, Some(due.plus(14 * DAY))));
        assert_eq!(stage.number("select count(*) from payment_attempt").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_goes_on_by_itself_is_finalised_after_its_hour_and_charged() {
    on_both(async |stage| {
        let payer = stage.payer("pm_card_visa").await;
        let mut drafts = Vec::new();
        for auto_advance in [true, false] {
            let fields = InvoiceUpdate { auto_advance: Some(auto_advance), ..InvoiceUpdate::default() };
            let made = draft(stage, NewInvoice { fields, ..draft_for(&payer) }).await;
            add(stage, NewInvoiceItem { invoice: Some(made.id.clone()), ..over(&payer, 700) }).await;
            drafts.push(made);
        }
        stage.pass(HOUR - 1);
        stage.work_off().await;
        assert_eq!(stage.invoice(&drafts[0].id).await.status, InvoiceStatus::Draft);
        stage.pass(1);
        stage.work_off().await;
        let [on, off] = [stage.invoice(&drafts[0].id).await, stage.invoice(&drafts[1].id).await];
        assert_eq!((on.status, on.amount_paid, off.status), (InvoiceStatus::Paid, 700, InvoiceStatus::Draft));
        assert_eq!(stage.agreed().await, 700);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_any_more_who_was_deleted() {
    on_both(async |stage| {
        let (subscription, first) = stage.behind("pm_card_chargeDeclined").await;
        done!(stage, |tx| customer::delete(tx, &stage.who, &subscription.customer));
        stage.live_through(at(DUE).plus(16 * DAY)).await;
        assert_eq!((stage.attempts().await, stage.invoice(&first.id).await.next_payment_attempt), (1, None));
    })
    .await;
}
