//! What the merchant is told beforehand: that a trial is about to end, and what the next renewal will cost.

use std::sync::Arc;

use billing::gateway::PaymentGateway;
use billing::period::{Interval, Recurring};
use billing::subscription::collection::{Behavior, PauseCollection};
use billing::subscription::create::Trial;
use billing::subscription::pause::{self, Pause};
use billing::subscription::{self, CollectionMethod, NewSubscription, Status, Subscription, SubscriptionUpdate};
use billing::{Event, Page, Patch, Seconds, event, work};

use crate::invoice_items::{add, over};
use crate::support::{DAY, HOUR, Stage, at, done, on_both, plan, seen};

/// A week before the first renewal of what begins with the tests.
const BEFORE: &str = "2026-02-21";

impl Stage {
    /// A worker's work until nothing is due; answers how much there was.
    async fn work(&self) -> usize {
        let gateway: Arc<dyn PaymentGateway> = self.sandbox.clone();
        let mut done = 0;
        while work::one(&self.db, &gateway).await.unwrap() {
            done += 1;
        }
        done
    }

    /// The same at an instant, by when its turn has come.
    async fn work_at(&self, time: Seconds) -> usize {
        self.go_to(time.plus(HOUR));
        self.work().await
    }

    /// What the merchant was told of a subscription's invoices to come, oldest first.
    async fn upcoming(&self, subscription: &Subscription) -> Vec<Event> {
        let page = Page::first(100);
        let mut listed = seen!(self, |tx| event::list(tx, &self.who, &page, Some("invoice.upcoming"))).data;
        listed.retain(|event| event.data["object"]["subscription"] == *subscription.id);
        listed.reverse();
        listed
    }

    async fn change(&self, subscription: &Subscription, update: SubscriptionUpdate) {
        done!(self, |tx| subscription::update::update(tx, &self.who, &subscription.id, update.clone()));
    }
}

fn canceling(flag: bool) -> SubscriptionUpdate {
    SubscriptionUpdate { cancel_at_period_end: Some(flag), ..SubscriptionUpdate::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_merchant_is_told_of_an_invoice_a_week_before_it_is_made() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let customer = stage.customer_named(&subscription.customer).await;
        add(stage, over(&customer, 250)).await;
        stage.go_to(at(BEFORE).plus(-1));
        assert_eq!((stage.work().await, stage.upcoming(&subscription).await.len()), (0, 0));
        assert_eq!(stage.work_at(at(BEFORE)).await, 1);

        let told = stage.upcoming(&subscription).await;
        let object = &told[0].data["object"];
        assert!(told.len() == 1 && told[0].object_id.starts_with("upcoming_in_"));
        assert_eq!((&object["id"], &object["object"]), (&told[0].object_id.clone().into(), &"invoice".into()));
        assert_eq!((&object["status"], &object["billing_reason"]), (&"draft".into(), &"upcoming".into()));
        assert_eq!((&object["number"], &object["total"]), (&serde_json::Value::Null, &1250.into()));
        let end = subscription.current_period_end;
        assert_eq!((&object["next_payment_attempt"], &object["period_start"]), (&end.0.into(), &end.0.into()));
        assert_eq!(told[0].customer.as_ref(), Some(&customer.id));
        assert!(stage.audit().await.contains(&("invoice.upcoming".into(), told[0].object_id.clone())));
        assert_eq!(stage.invoices(&customer.id).await.len(), 1, "it is not there yet");
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.told, after.next_due, after.current_period_end), (Some(end), Some(end), end));

        stage.work_at(end).await;
        let made = stage.invoices(&customer.id).await;
        assert_eq!((made.len(), made[1].total, made[1].amount_paid), (2, 1250, 1250), "what was told of is billed");
        stage.work_at(at("2026-03-24")).await;
        let told = stage.upcoming(&subscription).await;
        assert_eq!((told.len(), &told[1].data["object"]["total"]), (2, &1000.into()), "once a period");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_workers_tell_once_and_never_of_what_is_over() {
    on_both(async |stage| {
        let mut each = Vec::new();
        for _ in 0..6 {
            each.push(stage.active().await);
        }
        stage.go_to(at("2026-02-28").plus(-1));
        let gateway: Arc<dyn PaymentGateway> = stage.sandbox.clone();
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let (db, gateway) = (stage.db.clone(), gateway.clone());
                tokio::spawn(async move { while work::one(&db, &gateway).await.unwrap() {} })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
        for subscription in &each {
            assert_eq!(stage.upcoming(subscription).await.len(), 1);
        }
        // Nobody worked until the next period was over.
        stage.work_at(at("2026-02-28")).await;
        stage.work_at(at("2026-03-31")).await;
        assert_eq!(stage.number("select count(*) from invoice").await, 3 * 6);
        assert_eq!(stage.number("select count(*) from event where type = 'invoice.upcoming'").await, 6);
        assert_eq!(stage.agreed().await, 3 * 6 * 1000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_an_invoice_that_will_not_be_charged_by_itself() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let sent = NewSubscription {
            collection_method: CollectionMethod::SendInvoice,
            days_until_due: Some(14),
            ..plan(&customer, &price)
        };
        stage.create(sent).await;
        let held = PauseCollection { behavior: Behavior::Void, resumes_at: None };
        let pause_collection = Patch::Set(held);
        let held = stage.active().await;
        stage.change(&held, SubscriptionUpdate { pause_collection, ..SubscriptionUpdate::default() }).await;
        let pausing = stage.active().await;
        let at_end = Pause { at_period_end: true, ..Pause::default() };
        done!(stage, |tx| pause::pause(tx, &stage.who, &pausing.id, at_end));
        let leaving = stage.active().await;
        stage.change(&leaving, canceling(true)).await;

        stage.work_at(at(BEFORE)).await;
        assert_eq!(stage.number("select count(*) from event where type = 'invoice.upcoming'").await, 0);
        assert_eq!(stage.work().await, 0, "and it is not tried again");
        stage.pass(DAY);
        stage.change(&leaving, canceling(false)).await;
        assert_eq!(stage.work_at(stage.now()).await, 1);
        assert_eq!(stage.upcoming(&leaving).await.len(), 1, "whoever stays after all is told of, late");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_renews_every_week_is_not_told_of_beforehand() {
    on_both(async |stage| {
        let weekly = Recurring { interval: Interval::Week, count: 1 };
        let price = stage.price_of(&stage.who, 300, Some(weekly)).await;
        let customer = stage.payer("pm_card_visa").await;
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        assert_eq!(subscription.next_due, Some(at("2026-02-07")));
        assert_eq!(stage.work_at(at("2026-02-07")).await, 1);
        assert!(stage.upcoming(&subscription).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_merchant_is_told_three_days_before_a_trial_ends() {
    on_both(async |stage| {
        let price = stage.price(1000).await;
        let mut on_trial = Vec::new();
        for days in [14, 2] {
            let customer = stage.payer("pm_card_visa").await;
            let trial = Trial::Days(days);
            on_trial.push(stage.subscribe(NewSubscription { trial, ..plan(&customer, &price) }).await);
        }
        let told = async |n: usize| {
            let events = stage.events_of(&on_trial[n].id).await;
            events.iter().filter(|event| *event == "customer.subscription.trial_will_end").count()
        };
        stage.work().await;
        assert_eq!((told(0).await, told(1).await), (0, 1), "a short one at once");
        stage.go_to(at("2026-02-11").plus(-1));
        stage.work().await;
        assert_eq!(told(0).await, 0);
        stage.pass(1);
        stage.work().await;
        assert_eq!((told(0).await, told(1).await), (1, 1));
        stage.go_to(at("2026-02-14").plus(HOUR));
        assert_eq!(stage.work().await, 1);
        assert_eq!((told(0).await, told(1).await), (1, 1), "once");
        let active = stage.subscription(&on_trial[0].id).await;
        assert_eq!((active.status, active.current_period_start), (Status::Active, at("2026-02-14")));
    })
    .await;
}
