//! The audit log, as it is read.

use billing::audit::Entry;
use billing::audit::list::{self as log, EntryFilter};
use billing::customer::{self, CustomerUpdate};
use billing::{Actor, Page, Patch};

use crate::support::{Stage, done, field, kind, on_both, refused, seen};

async fn found(stage: &Stage, who: &Actor, page: Page, filter: EntryFilter) -> Vec<Entry> {
    seen!(stage, |tx| log::list(tx, who, &page, &filter)).data
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_found_by_what_they_are_about() {
    on_both(async |stage| {
        let start = stage.now();
        let (ada, bob) = (stage.customer().await, stage.customer().await);
        stage.pass(60);
        let me = stage.portal(&ada);
        let named = CustomerUpdate { name: Patch::Set("Ada King".into()), ..CustomerUpdate::default() };
        done!(stage, |tx| customer::update(tx, &me, &ada.id, named.clone()));
        let about = async |filter: EntryFilter| {
            let entries = found(stage, &stage.who, Page::first(100), filter).await;
            entries.into_iter().map(|entry| (entry.action, entry.object_id)).collect::<Vec<_>>()
        };
        let all = EntryFilter::default;
        let updated = ("customer.updated".to_owned(), ada.id.clone());
        let created = |id: &String| ("customer.created".to_owned(), id.clone());
        assert_eq!(about(all()).await[..3], [updated.clone(), created(&bob.id), created(&ada.id)]);
        assert_eq!(about(EntryFilter { customer: Some(bob.id.clone()), ..all() }).await, [created(&bob.id)]);
        assert_eq!(
            about(EntryFilter { object: Some(ada.id.clone()), ..all() }).await,
            [updated.clone(), created(&ada.id)]
        );
        assert_eq!(about(EntryFilter { action: Some("customer.updated".into()), ..all() }).await, [updated.clone()]);
        assert_eq!(about(EntryFilter { origin: Some("portal".into()), ..all() }).await, [updated.clone()]);
        assert!(about(EntryFilter { action: Some("nothing".into()), ..all() }).await.is_empty());
        let late = Page { created: (start.plus(60).0, start.plus(60).0), ..Page::first(10) };
        let entries = found(stage, &stage.who, late, all()).await;
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].before.as_ref().unwrap().0, serde_json::json!({"name": "Ada"}));
        assert_eq!(entries[0].after.as_ref().unwrap().0, serde_json::json!({"name": "Ada King"}));
        assert_eq!(seen!(stage, |tx| log::get(tx, &stage.who, &entries[0].id)).id, entries[0].id);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_page_both_ways_and_stay_with_their_owner() {
    on_both(async |stage| {
        let (ada, bob) = (stage.customer().await, stage.customer().await);
        for _ in 0..5 {
            stage.customer().await;
        }
        let ids = async |page: Page| {
            let entries = found(stage, &stage.who, page, EntryFilter::default()).await;
            entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>()
        };
        let all = ids(Page::first(100)).await;
        assert!(all.is_sorted_by(|a, b| a > b));
        let after = Page { starting_after: Some(all[1].clone()), ..Page::first(2) };
        assert_eq!(ids(after).await, all[2..4]);
        let before = Page { ending_before: Some(all[4].clone()), ..Page::first(2) };
        assert_eq!(ids(before).await, all[2..4]);

        let (me, him) = (stage.portal(&ada), stage.portal(&bob));
        let hers = found(
            stage,
            &me,
            Page::first(10),
            EntryFilter { customer: Some(bob.id.clone()), ..EntryFilter::default() },
        )
        .await;
        assert!(hers.len() == 1 && hers[0].object_id == ada.id);
        for who in [&him, &stage.stranger] {
            let error = refused!(stage, |tx| log::get(tx, who, &hers[0].id));
            assert_eq!(kind(&error), "missing");
            let from = Page { starting_after: Some(hers[0].id.clone()), ..Page::first(10) };
            let error = refused!(stage, |tx| log::list(tx, who, &from, &EntryFilter::default()));
            assert_eq!((field(&error), kind(&error)), ("starting_after", "missing"));
        }
    })
    .await;
}
