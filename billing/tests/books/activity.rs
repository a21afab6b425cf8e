//! What a customer is told of the audit log.

use billing::portal::methods;
use billing::{Page, audit, portal::configuration};

use crate::support::{Stage, done, on_both, plan, seen};

async fn told(stage: &Stage, who: &billing::Actor, customer: &str, page: &Page) -> (Vec<audit::Told>, bool) {
    let listed = seen!(stage, |tx| audit::activity(tx, who, customer, page));
    (listed.data, listed.has_more)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_told_newest_first_with_its_object() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        let me = stage.portal(&customer);
        let (entries, more) = told(stage, &me, &customer.id, &Page::first(100)).await;
        assert!(!more);
        let actions: Vec<_> = entries.iter().rev().map(|entry| entry.action.as_str()).collect();
        for action in ["customer.created", "payment_method.attached", "invoice.finalized", "invoice.paid"] {
            assert!(actions.contains(&action), "{action} in {actions:?}");
        }
        assert!(!actions.contains(&"payment.attempted"), "the works are not told of");
        assert!(entries.is_sorted_by(|newer, older| newer.id > older.id));
        let paid = entries.iter().find(|entry| entry.action == "invoice.paid").unwrap();
        assert_eq!(Some(&paid.object_id), subscription.latest_invoice.as_ref());
        assert_eq!(paid.event.as_ref().unwrap()["object"]["amount_paid"].as_i64(), Some(1000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_pages_by_key_and_says_who() {
    on_both(async |stage| {
        let customer = stage.payer("pm_card_visa").await;
        let second = stage.method(&customer, "pm_card_amex").await;
        let portal = seen!(stage, |tx| configuration::get(tx, &stage.who, "default"));
        let me = stage.portal(&customer);
        done!(stage, |tx| methods::set_default(tx, &me, &portal, &second.id));
        let (all, _) = told(stage, &me, &customer.id, &Page::first(100)).await;
        let mut read: Vec<String> = Vec::new();
        loop {
            let page = Page { starting_after: read.last().cloned(), ..Page::first(2) };
            let (entries, more) = told(stage, &me, &customer.id, &page).await;
            read.extend(entries.into_iter().map(|entry| entry.id));
            if !more {
                break;
            }
        }
        assert_eq!(read, all.iter().map(|entry| entry.id.clone()).collect::<Vec<_>>());
        assert_eq!((all[0].action.as_str(), all[0].origin.as_str()), ("customer.updated", "portal"));
        assert!(all[1..].iter().all(|entry| entry.origin == "api"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_somebody_else() {
    on_both(async |stage| {
        let (ada, bob) = (stage.payer("pm_card_visa").await, stage.customer().await);
        let (entries, _) = told(stage, &stage.portal(&bob), &ada.id, &Page::first(100)).await;
        assert_eq!(entries.len(), 1, "his own beginning, whoever he names");
        assert_eq!(entries[0].object_id, bob.id);
        assert!(told(stage, &stage.stranger, &ada.id, &Page::first(100)).await.0.is_empty());
    })
    .await;
}
