//! Setup intents: a method is stored, declined, or waits for its customer.

use billing::gateway::sandbox::test_method;
use billing::setup_intent::{self, Given, IntentFilter, NewIntent, Reason, SetupIntent, Status, Usage};
use billing::{Page, Patch, Tenant};

use crate::support::{Stage, done, field, kind, on_both, refused, seen};

fn new(customer: &str, method: Option<Given>) -> NewIntent {
    NewIntent {
        customer: customer.into(),
        method,
        usage: Usage::OffSession,
        description: Some("For later".into()),
        metadata: Patch::Set([("a".to_owned(), Some("b".to_owned()))].into()),
    }
}

fn test(id: &str) -> Given {
    Given::Test { id: id.into(), method: Box::new(test_method(id, 2026).unwrap()) }
}

async fn made(stage: &Stage, customer: &str) -> SetupIntent {
    done!(stage, |tx| setup_intent::create(tx, &stage.who, new(customer, None)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_intent_stores_its_method() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let intent = made(stage, &customer.id).await;
        assert_eq!((intent.status, &intent.payment_method), (Status::RequiresPaymentMethod, &None));
        let nothing = refused!(stage, |tx| setup_intent::confirm(tx, &stage.who, &intent.id, None));
        assert_eq!((field(&nothing), kind(&nothing)), ("payment_method", "parameter_missing"));
        let done = done!(stage, |tx| setup_intent::confirm(tx, &stage.who, &intent.id, Some(test("pm_card_visa"))));
        assert_eq!(done.status, Status::Succeeded);
        assert_eq!(done, seen!(stage, |tx| setup_intent::get(tx, &stage.who, &intent.id)));
        let method = done.payment_method.clone().unwrap();
        assert_eq!(stage.events_of(&method).await, ["payment_method.attached"]);
        assert_eq!(stage.events_of(&intent.id).await, ["setup_intent.created", "setup_intent.succeeded"]);

        let again = refused!(stage, |tx| setup_intent::confirm(tx, &stage.who, &intent.id, Some(test("pm_card_visa"))));
        assert_eq!(kind(&again), "setup_intent_unexpected_state");
        let late = refused!(stage, |tx| setup_intent::cancel(tx, &stage.who, &intent.id, None));
        assert_eq!(kind(&late), "setup_intent_unexpected_state");

        let stored = Given::Stored(method.clone());
        let second = done!(stage, |tx| setup_intent::create(tx, &stage.who, new(&customer.id, Some(stored.clone()))));
        assert_eq!(second.status, Status::RequiresConfirmation);
        let second = done!(stage, |tx| setup_intent::confirm(tx, &stage.who, &second.id, Some(stored.clone())));
        assert_eq!((second.status, second.payment_method), (Status::Succeeded, Some(method.clone())));
        assert_eq!(stage.events_of(&method).await, ["payment_method.attached"], "it was stored before");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_processor_says_is_kept() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let intent = made(stage, &customer.id).await;
        let given = || Some(test("pm_card_chargeDeclinedLostCard"));
        let declined = done!(stage, |tx| setup_intent::confirm(tx, &stage.who, &intent.id, given()));
        assert_eq!(declined.status, Status::RequiresPaymentMethod);
        assert_eq!(declined.last_error.as_ref().unwrap()["decline_code"], "lost_card");
        let given = || Some(test("pm_card_authenticationRequired"));
        let waiting = done!(stage, |tx| setup_intent::confirm(tx, &stage.who, &intent.id, given()));
        assert_eq!((waiting.status, &waiting.last_error), (Status::RequiresAction, &None));
        assert_eq!(waiting.next_action.as_ref().unwrap()["type"], "redirect_to_url");
        let reason = Some(Reason::Abandoned);
        let canceled = done!(stage, |tx| setup_intent::cancel(tx, &stage.who, &intent.id, reason));
        assert_eq!((canceled.status, canceled.canceled_at), (Status::Canceled, Some(stage.now())));
        assert_eq!((canceled.cancellation_reason, &canceled.next_action), (reason, &None));
        assert_eq!(canceled, seen!(stage, |tx| setup_intent::get(tx, &stage.who, &intent.id)));
        let names =
            ["created", "setup_failed", "requires_action", "canceled"].map(|name| format!("setup_intent.{name}"));
        assert_eq!(stage.events_of(&intent.id).await, names);
        let later = Some(test("pm_card_chargeCustomerFail"));
        let intent = made(stage, &customer.id).await;
        let stored = done!(stage, |tx| setup_intent::confirm(tx, &stage.who, &intent.id, later.clone()));
        assert_eq!(stored.status, Status::Succeeded, "this card fails when it is charged");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_is_its_customers_own() {
    on_both(async |stage| {
        let (ada, bob) = (stage.customer().await, stage.customer().await);
        let (hers, his) = (made(stage, &ada.id).await, made(stage, &bob.id).await);
        let method = stage.method(&bob, "pm_card_visa").await.id;
        let theirs = Given::Stored(method);
        let error = refused!(stage, |tx| setup_intent::create(tx, &stage.who, new(&ada.id, Some(theirs.clone()))));
        assert_eq!((field(&error), kind(&error)), ("payment_method", "missing"));
        let error = refused!(stage, |tx| setup_intent::confirm(tx, &stage.who, &hers.id, Some(theirs.clone())));
        assert_eq!((field(&error), kind(&error)), ("payment_method", "missing"));
        let error = refused!(stage, |tx| setup_intent::create(tx, &stage.who, new("cus_no", None)));
        assert_eq!((field(&error), kind(&error)), ("customer", "missing"));
        let me = stage.portal(&ada);
        for error in [
            refused!(stage, |tx| setup_intent::get(tx, &me, &his.id)),
            refused!(stage, |tx| setup_intent::cancel(tx, &me, &his.id, None)),
            refused!(stage, |tx| setup_intent::create(tx, &me, new(&bob.id, None))),
            refused!(stage, |tx| setup_intent::get(tx, &stage.stranger, &his.id)),
        ] {
            assert_eq!(kind(&error), "missing");
        }
        let listed = async |who: &billing::Actor, customer: Option<&str>| {
            let filter = IntentFilter { customer: customer.map(str::to_owned), ..IntentFilter::default() };
            let found = seen!(stage, |tx| setup_intent::list(tx, who, &Page::first(10), &filter));
            found.data.into_iter().map(|intent| intent.id).collect::<Vec<_>>()
        };
        assert_eq!(listed(&stage.who, None).await, [his.id.clone(), hers.id.clone()]);
        assert_eq!(listed(&stage.who, Some(&bob.id)).await, [his.id.clone()]);
        assert_eq!(listed(&me, Some(&bob.id)).await, [hers.id.clone()]);
        assert!(listed(&stage.stranger, None).await.is_empty());
        let live =
            billing::Actor { tenant: Tenant { livemode: true, ..stage.who.tenant.clone() }, ..stage.who.clone() };
        let error = refused!(stage, |tx| setup_intent::confirm(tx, &live, &hers.id, Some(test("pm_card_visa"))));
        assert_eq!(kind(&error), "forbidden");
    })
    .await;
}
