//! Events and the audit log: written with the change, in its transaction, or not at all.

use billing::catalog::{PriceUpdate, price};
use billing::customer::{self, CustomerUpdate};
use billing::event::{self, Change};
use billing::{Error, Page, Patch, Trace, audit, transact};
use serde_json::json;

use crate::support::{Stage, done, field, kind, on_both, refused, seen};

fn named(name: &str) -> CustomerUpdate {
    CustomerUpdate { name: Patch::Set(name.into()), ..CustomerUpdate::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rolled_back_leaves_nothing() {
    on_both(async |stage| {
        let before = stage.number("select count(*) from event").await;
        let failed: billing::Result<()> = transact!(stage.db, |tx| {
            customer::create(tx, &stage.who, named("Ada")).await?;
            Err(Error::conflict("no", "No."))
        });
        assert_eq!(kind(&failed.unwrap_err()), "no");
        let mut tx = stage.db.begin().await.unwrap();
        customer::create(&mut tx, &stage.who, named("Bob")).await.unwrap();
        drop(tx);
        for table in ["select count(*) from customer", "select count(*) from audit_entry where object = 'customer'"] {
            assert_eq!(stage.number(table).await, 0);
        }
        assert_eq!(stage.number("select count(*) from event").await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_without_an_audit_entry_cannot_be_committed() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let mut tx = stage.db.begin().await.unwrap();
        let complete = billing::portal::session::complete(&mut tx, &stage.portal(&customer)).await;
        complete.unwrap();
        tx.commit().await.expect("nothing was touched: there is no such session");

        let minted = done!(stage, |tx| billing::portal::session::create(
            tx,
            &stage.who,
            billing::portal::NewSession {
                flow: None,
                customer: customer.id.clone(),
                configuration: None,
                return_url: None,
                cancel_url: None,
                locale: None,
                subscription: None,
                origin: billing::portal::session::SessionOrigin::Api,
            }
        ));
        let me = stage.guest(&customer, &minted.session.id, false);
        let mut tx = stage.db.begin().await.unwrap();
        billing::portal::session::complete(&mut tx, &me).await.unwrap();
        assert!(matches!(tx.commit().await.unwrap_err(), Error::Internal(_)));
        assert_eq!(stage.number("select count(*) from portal_session where completed_ms is not null").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_itself_keeps_the_audit_log_as_it_is() {
    on_both(async |stage| {
        stage.customer().await;
        let seal = "insert into audit_seal (tenant, chain, sequence, entry, hash, sealed_ms) values (1, '', 1, 'aud_1', 'x', 1)";
        stage.force(seal).await.unwrap();
        for sql in [
            "update audit_entry set action = 'x'",
            "update audit_entry set before = null where customer is not null",
            "delete from audit_entry",
            "update audit_seal set hash = 'y'",
            "delete from audit_seal",
        ] {
            let error = stage.force(sql).await.unwrap_err();
            assert!(error.to_string().contains("append-only"), "{sql}: {error}");
        }
        if !stage.db.is_sqlite() {
            for sql in ["truncate audit_entry", "truncate audit_seal"] {
                assert!(stage.force(sql).await.unwrap_err().to_string().contains("append-only"));
            }
        }
        assert!(stage.number("select count(*) from audit_entry").await > 0);
        assert_eq!(stage.number("select count(*) from audit_seal").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_one_object_count_up() {
    on_both(async |stage| {
        let (ada, bob) = (stage.customer().await, stage.customer().await);
        for name in ["A", "B", "B", "C"] {
            done!(stage, |tx| customer::update(tx, &stage.who, &ada.id, named(name)));
        }
        done!(stage, |tx| customer::update(tx, &stage.who, &bob.id, named("D")));
        let rows: Vec<(String, i64)> = stage
            .rows("select object_id, sequence from event where customer is not null order by object_id, sequence")
            .await;
        let counted = |id: &str| rows.iter().filter(|(object, _)| object == id).map(|(_, n)| *n).collect::<Vec<_>>();
        assert_eq!((counted(&ada.id), counted(&bob.id)), (vec![1, 2, 3, 4], vec![1, 2]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_says_what_was_before_and_who_asked() {
    on_both(async |stage| {
        let price = stage.price(100).await;
        let mut who = stage.who.clone();
        who.trace = Trace {
            request: Some("req_7".into()),
            idempotency_key: Some("key-7".into()),
            ip: Some("203.0.113.7".into()),
            user_agent: Some("curl".into()),
        };
        let update = PriceUpdate {
            nickname: Patch::Set("N".into()),
            metadata: Patch::Set([("a".to_owned(), Some("1".to_owned()))].into()),
            ..PriceUpdate::default()
        };
        done!(stage, |tx| price::update(tx, &who, &price.id, update.clone()));
        let event = stage.last_event(&price.id).await;
        assert_eq!(event.data["previous_attributes"], json!({"nickname": null, "metadata": {"a": null}}));
        assert_eq!(event.data["object"]["metadata"], json!({"a": "1"}));
        assert_eq!((event.origin.as_str(), event.session), ("api", None));
        assert_eq!((event.request_id.as_deref(), event.idempotency_key.as_deref()), (Some("req_7"), Some("key-7")));
        assert_eq!(event.created, stage.now());
        let got = seen!(stage, |tx| event::get(tx, &stage.who, &event.id));
        assert_eq!(got.data.0, event.data.0);

        type Row = (String, String, String, String, String, String);
        let entries: Vec<Row> = stage
            .rows("select actor, ip, user_agent, event, before, after from audit_entry where action = 'price.updated'")
            .await;
        let (actor, ip, agent, told, before, after) = &entries[0];
        assert_eq!((actor.as_str(), ip.as_str(), agent.as_str()), ("key_umbra", "203.0.113.7", "curl"));
        assert_eq!(told, &event.id);
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(parsed(before), json!({"nickname": null, "metadata": {"a": null}}));
        assert_eq!(parsed(after), json!({"nickname": "N", "metadata": {"a": "1"}}));
        assert_eq!(entries.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_nobody_outside_can_see_is_audited_only() {
    on_both(async |stage| {
        let same = || Some(json!({"id": "x", "object": "product"}));
        let change = || Change {
            object: "product",
            id: "x",
            customer: None,
            before: same(),
            after: same(),
            action: "product.updated",
            events: &["product.updated"],
        };
        done!(stage, |tx| event::record(tx, &stage.who, change()));
        assert!(stage.events_of("x").await.is_empty());
        assert!(stage.audit().await.contains(&("product.updated".into(), "x".into())));
        let two =
            || Change { after: Some(json!({"id": "y"})), events: &["product.updated", "price.updated"], ..change() };
        done!(stage, |tx| event::record(tx, &stage.who, two()));
        assert_eq!(stage.events_of("x").await, ["product.updated", "price.updated"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_by_type_and_family() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let listed = async |kind: Option<&str>| {
            let page = Page::first(100);
            let listed = seen!(stage, |tx| event::list(tx, &stage.who, &page, kind));
            listed.data.into_iter().map(|e| e.r#type).collect::<Vec<_>>()
        };
        let all = listed(None).await;
        assert_eq!(listed(Some("*")).await, all);
        assert_eq!(listed(Some("invoice.paid")).await, ["invoice.paid"]);
        assert_eq!(listed(Some("invoice.*")).await, ["invoice.paid", "invoice.finalized", "invoice.created"]);
        let family = listed(Some("customer.subscription.*")).await;
        assert_eq!(family, ["customer.subscription.updated", "customer.subscription.created"]);
        assert!(listed(Some("customer.*")).await.len() > family.len());
        assert!(listed(Some("payment_intent")).await.is_empty());

        let mut read: Vec<billing::Event> = Vec::new();
        loop {
            let page = Page { starting_after: read.last().map(|e| e.id.clone()), ..Page::first(2) };
            let listed = seen!(stage, |tx| event::list(tx, &stage.who, &page, None));
            read.extend(listed.data);
            if !listed.has_more {
                break;
            }
        }
        assert_eq!(read.iter().map(|e| e.r#type.clone()).collect::<Vec<_>>(), all);
        assert!(read.iter().any(|e| e.object_id == subscription.id));
        let unknown = Page { starting_after: Some("evt_no".into()), ..Page::first(2) };
        assert_eq!(field(&refused!(stage, |tx| event::list(tx, &stage.who, &unknown, None))), "starting_after");
    })
    .await;
}

/// Everything that a merchant and a customer can change leaves an entry.
#[tokio::test(flavor = "multi_thread")]
async fn every_change_has_an_entry() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        done!(stage, |tx| billing::subscription::cancel::now(tx, &stage.who, &subscription.id, None, None));
        done!(stage, |tx| customer::delete(tx, &stage.who, &subscription.customer));
        let actions: Vec<String> = stage.audit().await.into_iter().map(|(action, _)| action).collect();
        let expected = [
            "account.created",
            "billing_portal.configuration.created",
            "customer.created",
            "payment_method.attached",
            "customer.updated",
            "product.created",
            "price.created",
            "invoice.created",
            "invoice.finalized",
            "customer.subscription.created",
            "payment_intent.created",
            "payment.attempted",
            "payment.settled",
            "payment_intent.succeeded",
            "invoice.paid",
            "customer.subscription.updated",
            "customer.subscription.deleted",
            "customer.deleted",
        ];
        for action in expected {
            assert!(actions.iter().any(|a| a == action), "{action} in {actions:?}");
        }
        let lost = "select count(*) from event e where not exists
            (select 1 from audit_entry a where a.tenant = e.tenant and a.object_id = e.object_id and a.action = e.type)";
        assert_eq!(stage.number(lost).await, 0, "each event has the entry of its change");
    })
    .await;
}

async fn activity(stage: &Stage, who: &billing::Actor, customer: &str, page: &Page) -> (Vec<String>, bool) {
    let listed = seen!(stage, |tx| audit::of_customer(tx, who, customer, page));
    (listed.data.into_iter().map(|entry| entry.action).collect(), listed.has_more)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_activity_is_read_newest_first_and_by_page() {
    on_both(async |stage| {
        let (ada, bob) = (stage.customer().await, stage.customer().await);
        for name in ["A", "B"] {
            done!(stage, |tx| customer::update(tx, &stage.who, &ada.id, named(name)));
        }
        let all = ["customer.updated", "customer.updated", "customer.created"].map(String::from).to_vec();
        assert_eq!(activity(stage, &stage.who, &ada.id, &Page::first(10)).await, (all.clone(), false));
        assert_eq!(activity(stage, &stage.who, &ada.id, &Page::first(2)).await, (all[..2].to_vec(), true));
        let first = seen!(stage, |tx| audit::of_customer(tx, &stage.who, &ada.id, &Page::first(2)));
        let next = Page { starting_after: Some(first.data[1].id.clone()), ..Page::first(2) };
        assert_eq!(activity(stage, &stage.who, &ada.id, &next).await, (all[2..].to_vec(), false));
        assert_eq!(first.data[0].before.as_ref().unwrap()["name"], "A");
        assert_eq!(first.data[0].after.as_ref().unwrap()["name"], "B");
        let me = stage.portal(&bob);
        let mine = activity(stage, &me, &ada.id, &Page::first(10)).await.0;
        assert_eq!(mine, ["customer.created"], "a customer reads their own, whatever they ask for");
        assert!(activity(stage, &stage.stranger, &ada.id, &Page::first(10)).await.0.is_empty());
    })
    .await;
}
