//! New items that wait for the end of the period.

use billing::cycle::{self, Step};
use billing::invoice::Invoice;
use billing::period::{Interval, Recurring};
use billing::subscription::create::Trial;
use billing::subscription::scheduled::{self, Kind, State};
use billing::subscription::{self, ItemChange, NewSubscription, Status, Subscription, SubscriptionUpdate};
use billing::{Actor, Page, Result, event};

use crate::support::{DAY, Stage, at, change, done, field, kind, on_both, plan, refused, seen};

const YEARLY: Recurring = Recurring { interval: Interval::Year, count: 1 };

async fn schedule_as(stage: &Stage, who: &Actor, id: &str, items: Vec<ItemChange>) -> Result<Subscription> {
    change!(stage, |tx| scheduled::schedule(tx, who, id, &items))
}

/// The first item goes over to another price.
async fn to_price(stage: &Stage, subscription: &Subscription, price: &str) -> Subscription {
    let change =
        ItemChange { id: Some(subscription.items[0].id.clone()), price: Some(price.into()), ..ItemChange::default() };
    schedule_as(stage, &stage.who, &subscription.id, vec![change]).await.unwrap()
}

fn quantity(subscription: &Subscription, quantity: i64) -> Vec<ItemChange> {
    let id = Some(subscription.items[0].id.clone());
    vec![ItemChange { id, quantity: Some(quantity), ..ItemChange::default() }]
}

async fn renew(stage: &Stage, id: &str) -> Invoice {
    match done!(stage, |tx| cycle::advance(tx, &stage.system(), id)) {
        Step::Billed(invoice) => *invoice,
        other => panic!("a period is due, and not {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cheaper_plan_begins_with_the_next_period_and_nothing_is_prorated() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let id = &subscription.id;
        let cheaper = stage.price(600).await;
        stage.pass(10 * DAY);
        let waiting = to_price(stage, &subscription, &cheaper.id).await;
        let change = waiting.scheduled.clone().unwrap();
        assert_eq!((change.kind, change.due), (Kind::Update, subscription.current_period_end));
        assert_eq!((change.change.items.len(), &change.change.items[0].price), (1, &cheaper.id));
        assert_eq!(waiting.items, subscription.items, "until then nothing changes");
        assert_eq!(waiting, stage.subscription(id).await);

        stage.go_to(subscription.current_period_end.plus(2 * DAY));
        let invoice = renew(stage, id).await;
        assert_eq!((invoice.total, invoice.lines.len(), invoice.created), (600, 1, subscription.current_period_end));
        assert_eq!(invoice.billing_reason, "subscription_cycle");
        let after = stage.subscription(id).await;
        assert_eq!((&after.items[0].id, &after.items[0].price.id), (&subscription.items[0].id, &cheaper.id));
        assert_eq!((after.billing_cycle_anchor, after.scheduled), (subscription.billing_cycle_anchor, None));
        assert_eq!((after.current_period_start, after.current_period_end), (at("2026-02-28"), at("2026-03-31")));
        let applied = "customer.subscription.pending_update_applied";
        let page = Page::first(10);
        let told = seen!(stage, |tx| event::list(tx, &stage.who, &page, Some(applied))).data;
        assert_eq!((told.len(), &told[0].data["object"]["items"]["data"][0]["price"]["id"]), (1, &cheaper.id.into()));
        let all = seen!(stage, |tx| scheduled::list(tx, &stage.who, id, &page)).data;
        assert_eq!((all[0].status, all[0].settled_at), (State::Applied, Some(subscription.current_period_end)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_interval_begins_a_rhythm_of_its_own() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let yearly = stage.price_of(&stage.who, 9000, Some(YEARLY)).await;
        to_price(stage, &subscription, &yearly.id).await;
        stage.go_to(at("2026-02-28"));
        let invoice = renew(stage, &subscription.id).await;
        assert_eq!(
            (invoice.total, invoice.period_start, invoice.period_end),
            (9000, at("2026-02-28"), at("2027-02-28"))
        );
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.billing_cycle_anchor, after.cycle), (at("2026-02-28"), 0));
        assert_eq!(after.items[0].current_period_end, at("2027-02-28"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn items_come_and_go_and_what_was_decided_holds() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let id = &subscription.id;
        let (other, archived) = (stage.price(300).await, stage.price(200).await);
        let changes = vec![
            ItemChange { price: Some(other.id.clone()), quantity: Some(2), ..ItemChange::default() },
            ItemChange { price: Some(archived.id.clone()), ..ItemChange::default() },
            ItemChange { id: Some(subscription.items[0].id.clone()), deleted: true, ..ItemChange::default() },
        ];
        schedule_as(stage, &stage.who, id, changes).await.unwrap();
        let archive = billing::catalog::PriceUpdate { active: Some(false), ..Default::default() };
        done!(stage, |tx| billing::catalog::price::update(tx, &stage.who, &archived.id, archive.clone()));
        stage.go_to(at("2026-02-28"));
        let invoice = renew(stage, id).await;
        assert_eq!(invoice.lines.iter().map(|line| line.amount).collect::<Vec<_>>(), [600, 200]);
        let after = stage.subscription(id).await;
        let items: Vec<_> = after.items.iter().map(|item| (item.price.id.as_str(), item.quantity)).collect();
        assert_eq!(items, [(other.id.as_str(), 2), (archived.id.as_str(), 1)]);
        assert!(after.items.iter().all(|item| item.current_period_start == at("2026-02-28")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_at_once_takes_the_place_of_what_waited() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let id = &subscription.id;
        schedule_as(stage, &stage.who, id, quantity(&subscription, 3)).await.unwrap();
        let back = schedule_as(stage, &stage.who, id, quantity(&subscription, 1)).await.unwrap();
        assert_eq!(back.scheduled, None, "what stands already takes back what waits");
        schedule_as(stage, &stage.who, id, quantity(&subscription, 3)).await.unwrap();
        let update = SubscriptionUpdate { items: quantity(&subscription, 5), ..SubscriptionUpdate::default() };
        let customer = stage.portal(&stage.customer_named(&subscription.customer).await);
        let error = refused!(stage, |tx| subscription::update::update(tx, &customer, id, update.clone()));
        assert_eq!(kind(&error), "forbidden", "the merchant's change stays");
        done!(stage, |tx| subscription::update::update(tx, &stage.who, id, update.clone()));
        let after = stage.subscription(id).await;
        assert_eq!((after.items[0].quantity, after.scheduled), (5, None));
        let page = Page::first(10);
        let all = seen!(stage, |tx| scheduled::list(tx, &stage.who, id, &page)).data;
        assert_eq!(all.iter().map(|change| change.status).collect::<Vec<_>>(), [State::Replaced, State::Replaced]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let id = &subscription.id;
        let error = schedule_as(stage, &stage.who, id, quantity(&subscription, -1)).await.unwrap_err();
        assert_eq!(field(&error), "items[0][quantity]");
        let none = vec![ItemChange { id: Some("si_none".into()), quantity: Some(1), ..ItemChange::default() }];
        assert_eq!(field(&schedule_as(stage, &stage.who, id, none).await.unwrap_err()), "items[0][id]");
        let flag = SubscriptionUpdate { cancel_at_period_end: Some(true), ..SubscriptionUpdate::default() };
        done!(stage, |tx| subscription::update::update(tx, &stage.who, id, flag.clone()));
        let error = schedule_as(stage, &stage.who, id, quantity(&subscription, 2)).await.unwrap_err();
        assert_eq!(kind(&error), "subscription_canceling");
        done!(stage, |tx| subscription::cancel::now(tx, &stage.who, id, None, None));
        let error = schedule_as(stage, &stage.who, id, quantity(&subscription, 2)).await.unwrap_err();
        assert_eq!(kind(&error), "subscription_unexpected_state");
        assert!(seen!(stage, |tx| scheduled::list(tx, &stage.who, id, &Page::first(10))).data.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn during_a_trial_it_waits_for_the_trials_end() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let new = NewSubscription { trial: Trial::Days(14), ..plan(&customer, &price) };
        let subscription = stage.subscribe(new).await;
        schedule_as(stage, &stage.who, &subscription.id, quantity(&subscription, 2)).await.unwrap();
        stage.go_to(subscription.trial_end.unwrap());
        assert_eq!(renew(stage, &subscription.id).await.total, 2000);
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::Active);
    })
    .await;
}
