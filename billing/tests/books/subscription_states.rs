//! The states of a subscription: what moves it, and that nothing ever moves it where it cannot go.

use billing::settings::{self, AfterLastAttempt, SettingsUpdate};
use billing::subscription::create::Trial;
use billing::subscription::pause::{self, Pause};
use billing::subscription::resume::{self, Resume};
use billing::subscription::scheduled::{self, Kind};
use billing::subscription::{self, Status, Subscription, SubscriptionUpdate, cancel, status};
use billing::{Error, Page, cycle, event, invoice};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::support::{DAY, HOUR, Stage, change, done, on_both, plan, seen};

async fn behind(stage: &Stage) -> Subscription {
    let subscription = stage.active().await;
    let customer = stage.customer_named(&subscription.customer).await;
    let bad = stage.method(&customer, "pm_card_chargeDeclined").await;
    stage.set_default(&customer, &bad).await;
    stage.go_to(subscription.current_period_end);
    step(stage, &subscription.id).await;
    stage.subscription(&subscription.id).await
}

/// One step of time, and the charge that follows it.
async fn step(stage: &Stage, id: &str) {
    let system = stage.system();
    let step = done!(stage, |tx| cycle::advance(tx, &system, id));
    if let cycle::Step::Billed(invoice) = step
        && invoice.status == invoice::Status::Open
        && !invoice.attempted
    {
        stage.collect(&invoice).await.unwrap();
    }
}

async fn set_end(stage: &Stage, end: AfterLastAttempt) {
    let update = SettingsUpdate { after_last_attempt: Some(end), ..SettingsUpdate::default() };
    done!(stage, |tx| settings::update(tx, &stage.who, update.clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_last_attempt_comes_what_the_merchant_set() {
    on_both(async |stage| {
        let ends = [
            (AfterLastAttempt::Cancel, Status::Canceled, "customer.subscription.deleted"),
            (AfterLastAttempt::Unpaid, Status::Unpaid, "customer.subscription.updated"),
            (AfterLastAttempt::Pause, Status::Paused, "customer.subscription.paused"),
        ];
        for (end, state, event) in ends {
            set_end(stage, end).await;
            let late = behind(stage).await;
            assert_eq!(late.status, Status::PastDue);
            let now = stage.now();
            let after = done!(stage, |tx| status::give_up(tx, &stage.system(), &late.id, now));
            assert_eq!((after.status, &stage.subscription(&late.id).await), (state, &after));
            assert_eq!(stage.last_event(&late.id).await.r#type, event);
            assert_eq!(after.ended_at, (state == Status::Canceled).then_some(now));
            assert_eq!(after.paused_at, (state == Status::Paused).then_some(now));
            // Once is enough.
            assert_eq!(done!(stage, |tx| status::give_up(tx, &stage.system(), &late.id, now)), after);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unpaid_is_in_order_again_with_its_latest_invoice() {
    on_both(async |stage| {
        set_end(stage, AfterLastAttempt::Unpaid).await;
        let late = behind(stage).await;
        done!(stage, |tx| status::give_up(tx, &stage.system(), &late.id, stage.now()));
        let customer = stage.customer_named(&late.customer).await;
        let good = stage.method(&customer, "pm_card_visa").await;
        stage.set_default(&customer, &good).await;
        let latest = stage.invoice(late.latest_invoice.as_ref().unwrap()).await;
        stage.collect(&latest).await.unwrap();
        assert_eq!(stage.subscription(&late.id).await.status, Status::Active);
    })
    .await;
}

/// What may happen to a subscription, in any order.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Pass(i64),
    Step,
    Cancel,
    Flag(bool),
    Method(&'static str),
    Pay,
    GiveUp(AfterLastAttempt),
    /// Now or with the period, until a number of days later if it is not 0.
    Pause(bool, i64),
    Resume,
    Undo,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    use proptest::prelude::*;
    let deed = prop_oneof![
        3 => (1i64..40 * 24).prop_map(|hours| Deed::Pass(hours * HOUR)),
        5 => Just(Deed::Step),
        1 => Just(Deed::Cancel),
        1 => any::<bool>().prop_map(Deed::Flag),
        2 => prop::sample::select(vec!["pm_card_visa", "pm_card_chargeDeclined", "pm_card_authenticationRequired"])
            .prop_map(Deed::Method),
        3 => Just(Deed::Pay),
        2 => prop::sample::select(vec![AfterLastAttempt::Cancel, AfterLastAttempt::Unpaid, AfterLastAttempt::Pause])
            .prop_map(Deed::GiveUp),
        2 => (any::<bool>(), 0i64..60).prop_map(|(at_period_end, days)| Deed::Pause(at_period_end, days)),
        2 => Just(Deed::Resume),
        1 => Just(Deed::Undo),
    ];
    proptest::collection::vec(deed, 4..16)
}

async fn perform(stage: &Stage, subscription: &Subscription, deed: Deed) -> Result<(), Error> {
    let (who, system, id) = (&stage.who, stage.system(), subscription.id.as_str());
    match deed {
        Deed::Pass(seconds) => stage.pass(seconds),
        Deed::Step => step(stage, id).await,
        Deed::Cancel => _ = change!(stage, |tx| cancel::now(tx, who, id, None, None))?,
        Deed::Flag(flag) => {
            let update = SubscriptionUpdate { cancel_at_period_end: Some(flag), ..SubscriptionUpdate::default() };
            change!(stage, |tx| subscription::update::update(tx, who, id, update.clone()))?;
        }
        Deed::Method(name) => {
            let customer = stage.customer_named(&subscription.customer).await;
            let method = stage.method(&customer, name).await;
            stage.set_default(&customer, &method).await;
        }
        Deed::Pay => {
            let latest = stage.subscription(id).await.latest_invoice.unwrap();
            stage.collect(&stage.invoice(&latest).await).await?;
        }
        Deed::GiveUp(end) => {
            set_end(stage, end).await;
            change!(stage, |tx| status::give_up(tx, &system, id, stage.now()))?;
        }
        Deed::Pause(at_period_end, days) => {
            let resumes_at = (days > 0).then(|| stage.now().plus(days * DAY));
            change!(stage, |tx| pause::pause(tx, who, id, Pause { at_period_end, resumes_at, ..Pause::default() }))?;
        }
        Deed::Resume => {
            let resumed = change!(stage, |tx| resume::resume(tx, who, id, Resume::default()))?;
            if let Some(invoice) = resumed.invoice.filter(|invoice| !invoice.attempted) {
                stage.collect(&invoice).await?;
            }
        }
        Deed::Undo => _ = change!(stage, |tx| scheduled::undo(tx, who, id))?,
    }
    Ok(())
}

/// The states that its events tell of, in order.
async fn told(stage: &Stage, id: &str) -> Vec<Status> {
    let page = Page::first(100);
    let listed = seen!(stage, |tx| event::list(tx, &stage.who, &page, Some("customer.subscription.*")));
    let mut states: Vec<Status> = Vec::new();
    for event in listed.data.iter().rev().filter(|event| event.object_id == id) {
        let state = event.data["object"]["status"].as_str().unwrap();
        let state = Status::parse(state, "status").unwrap();
        if states.last() != Some(&state) {
            states.push(state);
        }
    }
    states
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_no_move_is_one_that_cannot_be() {
    on_both(async |stage| {
        let mut runner = TestRunner::deterministic();
        for n in 0..24 {
            let deeds = deeds().new_tree(&mut runner).unwrap().current();
            let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
            let trial = if n % 3 == 0 { Trial::Days(14) } else { Trial::None };
            let mut subscription = stage
                .create(billing::subscription::NewSubscription { trial, ..plan(&customer, &price) })
                .await
                .subscription;
            for deed in &deeds {
                if let Err(Error::Internal(text)) = perform(stage, &subscription, *deed).await {
                    panic!("{deed:?} of {deeds:?}: {text}");
                }
                let after = stage.subscription(&subscription.id).await;
                assert_eq!(after.ended_at.is_some(), after.status.is_ended(), "{deed:?} of {deeds:?}");
                assert_eq!(after.paused_at.is_some(), after.status == Status::Paused, "{deed:?} of {deeds:?}");
                let sleeps = after.status == Status::Paused && after.resumes_at.is_none();
                assert_eq!(after.next_due.is_none(), after.status.is_ended() || (sleeps && after.cancel_at.is_none()));
                assert!(after.scheduled.is_none() || !after.status.is_ended(), "{deed:?} of {deeds:?}");
                let back =
                    after.scheduled.as_ref().filter(|change| change.kind == Kind::Resume).map(|change| change.due);
                assert_eq!(back, after.resumes_at, "{deed:?} of {deeds:?}");
                let stays = after.status == subscription.status || subscription.status.may_become(after.status);
                // One that goes on or renews may learn in the same step that its charge failed.
                let through = matches!(deed, Deed::Step | Deed::Resume) && after.status == Status::PastDue;
                assert!(stays || through, "{:?} to {:?}: {deed:?} of {deeds:?}", subscription.status, after.status);
                subscription = after;
            }
            let told = told(stage, &subscription.id).await;
            assert!(told.windows(2).all(|pair| pair[0].may_become(pair[1])), "{told:?} after {deeds:?}");
            assert_eq!(told.last(), Some(&subscription.status), "nothing happens in silence");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_is_not_moved_by_money_that_comes_late() {
    on_both(async |stage| {
        let late = behind(stage).await;
        stage.pass(DAY);
        done!(stage, |tx| cancel::now(tx, &stage.who, &late.id, None, None));
        let customer = stage.customer_named(&late.customer).await;
        let good = stage.method(&customer, "pm_card_visa").await;
        stage.set_default(&customer, &good).await;
        let latest = stage.invoice(late.latest_invoice.as_ref().unwrap()).await;
        stage.collect(&latest).await.unwrap();
        assert_eq!(stage.subscription(&late.id).await.status, Status::Canceled);
    })
    .await;
}
