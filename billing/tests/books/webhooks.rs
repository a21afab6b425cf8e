//! Webhook endpoints: what they are sent, and the secret that nobody reads twice.

use billing::webhook::{self, EndpointUpdate, NewEndpoint, Status};
use billing::{Page, Patch, wire};

use crate::support::{change, done, field, kind, on_both, refused, seen};

fn new(url: &str, events: &[&str]) -> NewEndpoint {
    NewEndpoint {
        url: url.into(),
        enabled_events: events.iter().map(|name| (*name).to_owned()).collect(),
        api_version: None,
        fields: EndpointUpdate::default(),
    }
}

const URL: &str = "https://shop.example/hooks";

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_lives_and_its_secret_is_kept_sealed() {
    on_both(async |stage| {
        let (made, secret) = done!(stage, |tx| webhook::create(tx, &stage.who, new(URL, &["*"])));
        assert_eq!((made.status, made.api_version.as_str()), (Status::Enabled, wire::API_VERSION));
        let key = secret.strip_prefix("whsec_").expect("a Standard Webhooks secret");
        assert_eq!(base64::Engine::decode(&base64::engine::general_purpose::STANDARD, key).unwrap().len(), 32);
        assert_eq!(seen!(stage, |tx| webhook::secret(tx, &stage.who, &made.id)), secret);
        let stored: Vec<(String,)> = stage.rows("select secret from webhook_endpoint").await;
        assert!(!stored[0].0.contains(key));
        let told: Vec<(String,)> = stage.rows("select coalesce(after, '') from audit_entry").await;
        assert!(told.iter().all(|(after,)| !after.contains(key)));

        let update = EndpointUpdate {
            url: Some("https://shop.example/other".into()),
            enabled_events: Some(vec!["invoice.paid".into(), "subscription.updated".into()]),
            disabled: Some(true),
            description: Patch::Set("Ours".into()),
            metadata: Patch::Set([("a".to_owned(), Some("b".to_owned()))].into()),
        };
        let after = done!(stage, |tx| webhook::update(tx, &stage.who, &made.id, update.clone()));
        assert_eq!((after.status, after.url.as_str()), (Status::Disabled, "https://shop.example/other"));
        assert_eq!(after, seen!(stage, |tx| webhook::get(tx, &stage.who, &made.id)));
        assert_eq!(seen!(stage, |tx| webhook::secret(tx, &stage.who, &made.id)), secret);

        done!(stage, |tx| webhook::delete(tx, &stage.who, &made.id));
        let gone = refused!(stage, |tx| webhook::get(tx, &stage.who, &made.id));
        assert_eq!(kind(&gone), "missing");
        assert!(seen!(stage, |tx| webhook::list(tx, &stage.who, &Page::first(10))).data.is_empty());
        let actions: Vec<String> =
            stage.audit().await.into_iter().filter(|(_, id)| *id == made.id).map(|(a, _)| a).collect();
        assert_eq!(actions, ["webhook_endpoint.created", "webhook_endpoint.updated", "webhook_endpoint.deleted"]);
        assert!(stage.events_of(&made.id).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_not_as_it_must_be_is_refused_by_name() {
    on_both(async |stage| {
        for (url, events, param) in [
            ("http://shop.example/hooks", vec!["*"], "url"),
            ("shop.example", vec!["*"], "url"),
            ("https://ada:secret@shop.example", vec!["*"], "url"),
            (URL, vec![], "enabled_events"),
            (URL, vec!["invoice.paid", "invoice.payed"], "enabled_events[1]"),
            (URL, vec!["checkout.session.completed"], "enabled_events[0]"),
            (URL, vec!["invoice.paid", "invoice.paid"], "enabled_events[1]"),
            (URL, vec!["*", "subscription.updated", "*"], "enabled_events[2]"),
        ] {
            let error = refused!(stage, |tx| webhook::create(tx, &stage.who, new(url, &events)));
            assert_eq!(field(&error), param, "{url} {events:?}");
        }
        for version in ["2026", "2026-10-28.", "2026-10-28.Endive", "latest", "2026-10-28 "] {
            let pinned = NewEndpoint { api_version: Some(version.into()), ..new(URL, &["*"]) };
            let error = refused!(stage, |tx| webhook::create(tx, &stage.who, pinned.clone()));
            assert_eq!(field(&error), "api_version", "{version}");
        }
        for version in ["2020-08-27", "2025-03-31.basil"] {
            let pinned = NewEndpoint { api_version: Some(version.into()), ..new(URL, &["*"]) };
            let (made, _) = done!(stage, |tx| webhook::create(tx, &stage.who, pinned.clone()));
            assert_eq!(made.api_version, version);
        }
        let mut room = 0;
        while change!(stage, |tx| webhook::create(tx, &stage.who, new(URL, &["*"]))).is_ok() {
            room += 1;
        }
        assert_eq!(room, 14);
        let error = refused!(stage, |tx| webhook::create(tx, &stage.who, new(URL, &["*"])));
        assert_eq!(kind(&error), "webhook_endpoint_limit_reached");
        done!(stage, |tx| webhook::create(tx, &stage.stranger, new(URL, &["*"])));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_are_the_merchants_own() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let me = stage.portal(&customer);
        let (made, _) = done!(stage, |tx| webhook::create(tx, &stage.who, new(URL, &["*"])));
        let page = Page::first(10);
        for error in [
            refused!(stage, |tx| webhook::create(tx, &me, new(URL, &["*"]))),
            refused!(stage, |tx| webhook::get(tx, &me, &made.id)),
            refused!(stage, |tx| webhook::list(tx, &me, &page)),
            refused!(stage, |tx| webhook::secret(tx, &me, &made.id)),
        ] {
            assert_eq!(kind(&error), "forbidden");
        }
        for error in [
            refused!(stage, |tx| webhook::get(tx, &stage.stranger, &made.id)),
            refused!(stage, |tx| webhook::secret(tx, &stage.stranger, &made.id)),
            refused!(stage, |tx| webhook::delete(tx, &stage.stranger, &made.id)),
        ] {
            assert_eq!(kind(&error), "missing");
        }
    })
    .await;
}
