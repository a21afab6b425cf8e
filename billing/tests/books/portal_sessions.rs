//! Portal sessions: minted by the merchant, opened once, alive for so long.

use billing::portal::canceling;
use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::portal::session::{self, Minted, NewSession, Session, SessionOrigin};
use billing::{Actor, Millis, directory};

use crate::support::{HOUR, MINUTE, Stage, done, field, kind, on_both, plan, refused, seen};

const HOST: &str = "localhost:3000";

fn plain(customer: &str) -> NewSession {
    NewSession {
        flow: None,
        customer: customer.into(),
        configuration: None,
        return_url: None,
        cancel_url: None,
        locale: None,
        subscription: None,
        origin: SessionOrigin::Api,
    }
}

async fn mint(stage: &Stage) -> Minted {
    let customer = stage.customer().await;
    done!(stage, |tx| session::create(tx, &stage.who, plain(&customer.id)))
}

async fn open(stage: &Stage, minted: &Minted) -> billing::Result<String> {
    let (id, secret) = (&minted.session.id, &minted.secret);
    billing::transact!(stage.db, |tx| session::exchange(tx, &stage.system(), id, secret, HOST).await)
}

async fn now(stage: &Stage, id: &str) -> Session {
    seen!(stage, |tx| session::get(tx, &stage.who, id))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_kept_as_it_was_asked_for() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let configuration =
            ConfigurationUpdate { link_ttl: Some(120), idle: Some(600), max: Some(900), ..Default::default() };
        let configuration = done!(stage, |tx| configuration::create(tx, &stage.who, configuration.clone()));
        let new = NewSession {
            configuration: Some(configuration.id.clone()),
            return_url: Some("https://shop.test/account?a=b#c".into()),
            cancel_url: Some("http://localhost:8080/".into()),
            locale: Some("de".into()),
            subscription: Some(subscription.id.clone()),
            origin: SessionOrigin::Console,
            ..plain(&subscription.customer)
        };
        let Minted { session, secret, .. } = done!(stage, |tx| session::create(tx, &stage.who, new.clone()));
        assert_eq!(session, now(stage, &session.id).await);
        assert_eq!(session.link_expires_ms, stage.clock.wall().plus(120_000));
        assert_eq!((session.idle_ms, session.max_ms), (600_000, 900_000));
        assert_eq!((session.subscription, session.origin), (Some(subscription.id), SessionOrigin::Console));
        assert_eq!(secret.len(), 43);
        let event = stage.last_event(&session.id).await;
        assert_eq!(event.r#type, "billing_portal.session.created");
        let everything: Vec<(String,)> = stage.rows("select data from event").await;
        assert!(everything.iter().all(|(data,)| !data.contains(&secret)), "the secret is written nowhere");
        let hashed: Vec<(String,)> = stage.rows("select link_hash from portal_session").await;
        assert_eq!(hashed, [(billing::id::hash(&secret),)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_says_where_to_return() {
    on_both(async |stage| {
        let back = billing::Patch::Set("https://shop.test/back".to_owned());
        let update = ConfigurationUpdate { default_return_url: back, ..ConfigurationUpdate::default() };
        done!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()));
        assert_eq!(mint(stage).await.session.return_url.as_deref(), Some("https://shop.test/back"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_makes_no_sense_is_refused_by_name() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let theirs = stage.active().await;
        let refused = async |who: &Actor, new: NewSession| {
            let error = refused!(stage, |tx| session::create(tx, who, new.clone()));
            (field(&error).to_owned(), kind(&error).to_owned())
        };
        let fine = || plain(&customer.id);
        let missing = |name: &str| (name.to_owned(), "missing".to_owned());
        assert_eq!(refused(&stage.who, plain("cus_no")).await, missing("customer"));
        assert_eq!(refused(&stage.stranger, fine()).await, missing("customer"));
        let new = NewSession { configuration: Some("bpc_no".into()), ..fine() };
        assert_eq!(refused(&stage.who, new).await, missing("configuration"));
        let off = ConfigurationUpdate { active: Some(false), ..ConfigurationUpdate::default() };
        let off = done!(stage, |tx| configuration::create(tx, &stage.who, off.clone()));
        let new = NewSession { configuration: Some(off.id), ..fine() };
        assert_eq!(refused(&stage.who, new).await.0, "configuration");
        for subscription in ["sub_no", theirs.id.as_str()] {
            let new = NewSession { subscription: Some(subscription.into()), ..fine() };
            assert_eq!(refused(&stage.who, new).await, missing("subscription"));
        }
        let bad = |url: &str| Some(url.to_owned());
        let new = NewSession { return_url: bad("javascript:alert(1)"), ..fine() };
        assert_eq!(refused(&stage.who, new).await, ("return_url".into(), "url_invalid".into()));
        let new = NewSession { cancel_url: bad("/relative"), ..fine() };
        assert_eq!(refused(&stage.who, new).await, ("cancel_url".into(), "url_invalid".into()));
        let me = stage.portal(&customer);
        assert_eq!(kind(&refused!(stage, |tx| session::create(tx, &me, fine()))), "forbidden");
        assert_eq!(stage.number("select count(*) from portal_session").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_once() {
    on_both(async |stage| {
        let minted = mint(stage).await;
        let wrong = Minted { session: minted.session.clone(), secret: "x".into(), url: String::new() };
        assert_eq!(kind(&open(stage, &wrong).await.unwrap_err()), "missing");
        stage.pass(5);
        let cookie = open(stage, &minted).await.unwrap();
        assert_ne!(cookie, minted.secret);
        let session = now(stage, &minted.session.id).await;
        let at = Some(stage.clock.wall());
        assert_eq!((session.link_used_ms, session.started_ms, session.last_seen_ms), (at, at, at));
        assert_eq!(session.host.as_deref(), Some(HOST));
        assert!(stage.audit().await.contains(&("billing_portal.session.started".into(), session.id.clone())));
        for _ in 0..2 {
            assert_eq!(kind(&open(stage, &minted).await.unwrap_err()), "missing");
        }
        assert_eq!(now(stage, &session.id).await, session);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_dead_thirty_minutes_after_it_was_made() {
    on_both(async |stage| {
        let (early, late) = (mint(stage).await, mint(stage).await);
        stage.pass(30 * MINUTE - 1);
        assert!(open(stage, &early).await.is_ok());
        stage.pass(1);
        assert_eq!(kind(&open(stage, &late).await.unwrap_err()), "missing");
        stage.pass(1);
        assert_eq!(kind(&open(stage, &late).await.unwrap_err()), "missing");
    })
    .await;
}

async fn alive(stage: &Stage, cookie: &str) -> bool {
    let guest = seen!(stage, |tx| directory::by_cookie(tx, cookie, HOST)).unwrap();
    guest.is_alive(stage.clock.wall())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_idles_out_after_thirty_minutes() {
    on_both(async |stage| {
        let minted = mint(stage).await;
        let cookie = open(stage, &minted).await.unwrap();
        let touch = async || done!(stage, |tx| session::touch(tx, &stage.system(), &minted.session.id));
        stage.pass(30 * MINUTE - 1);
        assert!(alive(stage, &cookie).await);
        touch().await;
        stage.pass(30 * MINUTE - 1);
        assert!(alive(stage, &cookie).await, "counted from when it was last used");
        stage.pass(1);
        assert!(!alive(stage, &cookie).await);
        touch().await;
        assert!(!alive(stage, &cookie).await, "a dead session cannot be revived");
        stage.pass(1);
        assert!(!alive(stage, &cookie).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_two_hours_however_busy() {
    on_both(async |stage| {
        let minted = mint(stage).await;
        stage.pass(10 * MINUTE);
        let cookie = open(stage, &minted).await.unwrap();
        for _ in 0..11 {
            stage.pass(10 * MINUTE);
            done!(stage, |tx| session::touch(tx, &stage.system(), &minted.session.id));
        }
        stage.pass(10 * MINUTE - 1);
        assert!(alive(stage, &cookie).await);
        stage.pass(1);
        assert!(!alive(stage, &cookie).await);
        assert_eq!(stage.clock.wall().0 - now(stage, &minted.session.id).await.started_ms.unwrap().0, 2 * HOUR * 1000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn being_in_use_is_written_once_a_minute() {
    on_both(async |stage| {
        let minted = mint(stage).await;
        let id = &minted.session.id;
        done!(stage, |tx| session::touch(tx, &stage.system(), id));
        assert_eq!(now(stage, id).await.last_seen_ms, None, "it has not begun");
        open(stage, &minted).await.unwrap();
        let opened = stage.clock.wall();
        let mut written = Vec::new();
        for second in 1..=180 {
            stage.pass(1);
            if second % 20 == 0 || second % 20 == 19 {
                done!(stage, |tx| session::touch(tx, &stage.system(), id));
                written.push(now(stage, id).await.last_seen_ms.unwrap().0 - opened.0);
            }
        }
        written.dedup();
        assert_eq!(written, [0, 60_000, 120_000, 180_000]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_idle_limit_does_not_end_a_session_in_use() {
    on_both(async |stage| {
        let update = ConfigurationUpdate { idle: Some(60), ..ConfigurationUpdate::default() };
        done!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()));
        let minted = mint(stage).await;
        let cookie = open(stage, &minted).await.unwrap();
        for _ in 0..10 {
            stage.pass(31);
            assert!(alive(stage, &cookie).await);
            done!(stage, |tx| session::touch(tx, &stage.system(), &minted.session.id));
        }
        stage.pass(60);
        assert!(!alive(stage, &cookie).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_session_stays_ended() {
    on_both(async |stage| {
        let (minted, other) = (mint(stage).await, mint(stage).await);
        let cookie = open(stage, &minted).await.unwrap();
        let revoked = done!(stage, |tx| session::revoke(tx, &stage.who, &minted.session.id));
        assert_eq!(revoked.revoked_ms, Some(stage.clock.wall()));
        assert!(!alive(stage, &cookie).await);
        stage.pass(1);
        let again = done!(stage, |tx| session::revoke(tx, &stage.who, &minted.session.id));
        assert_eq!(again, revoked);
        let actions = stage.audit().await;
        assert_eq!(actions.iter().filter(|(action, _)| action == "billing_portal.session.revoked").count(), 1);

        done!(stage, |tx| session::revoke(tx, &stage.who, &other.session.id));
        assert_eq!(kind(&open(stage, &other).await.unwrap_err()), "missing", "nor does its link open");
        assert_eq!(kind(&refused!(stage, |tx| session::revoke(tx, &stage.who, "bps_no"))), "missing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_sessions_end_at_once_of_one_customer_or_of_all() {
    on_both(async |stage| {
        let (ada, bob) = (stage.customer().await, stage.customer().await);
        let mut minted = Vec::new();
        for customer in [&ada, &ada, &bob, &bob] {
            minted.push(done!(stage, |tx| session::create(tx, &stage.who, plain(&customer.id))));
        }
        let tea = stage.customer_of(&stage.stranger).await;
        let theirs = done!(stage, |tx| session::create(tx, &stage.stranger, plain(&tea.id)));
        let me = stage.portal(&ada);
        assert_eq!(done!(stage, |tx| session::revoke_all(tx, &me, None)), 2, "a customer ends its own only");
        assert_eq!(done!(stage, |tx| session::revoke_all(tx, &me, Some(&bob.id))), 0);
        assert!(now(stage, &minted[2].session.id).await.revoked_ms.is_none());
        assert_eq!(done!(stage, |tx| session::revoke_all(tx, &stage.who, Some(&bob.id))), 2);
        assert_eq!(done!(stage, |tx| session::revoke_all(tx, &stage.who, None)), 0);
        let theirs = seen!(stage, |tx| session::get(tx, &stage.stranger, &theirs.session.id));
        assert_eq!(theirs.revoked_ms, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_in_a_session_is_remembered() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        let Minted { session, .. } = done!(stage, |tx| session::create(tx, &stage.who, plain(&customer.id)));
        let me = stage.guest(&customer, &session.id, false);
        let configuration = seen!(stage, |tx| configuration::get(tx, &stage.who, "default"));
        let act = async || {
            done!(stage, |tx| canceling::cancel(tx, &me, &configuration, &subscription.id, Default::default(), None))
        };
        assert_eq!(now(stage, &session.id).await.completed_ms, None);
        act().await;
        let first = Some(stage.clock.wall());
        assert_eq!(now(stage, &session.id).await.completed_ms, first);
        stage.pass(5);
        done!(stage, |tx| canceling::undo(tx, &me, &configuration, &subscription.id));
        assert_eq!(now(stage, &session.id).await.completed_ms, first);
    })
    .await;
}

#[test]
fn a_session_that_never_began_is_not_alive() {
    let session = Session {
        id: "bps_1".into(),
        configuration: "bpc_1".into(),
        customer: "cus_1".into(),
        subscription: None,
        origin: SessionOrigin::Api,
        locale: None,
        flow: None,
        start: None,
        return_url: None,
        cancel_url: None,
        hidden: billing::Json(serde_json::json!([])),
        link_expires_ms: Millis(1),
        link_used_ms: None,
        host: None,
        idle_ms: 1,
        max_ms: 1,
        started_ms: None,
        last_seen_ms: None,
        completed_ms: None,
        revoked_ms: None,
        created: billing::Seconds(0),
        version: 1,
    };
    assert!(!session.is_alive(Millis(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_says_what_it_does_not_show_and_why() {
    on_both(async |stage| {
        let hidden = async |customer: &str| {
            let minted = done!(stage, |tx| session::create(tx, &stage.who, plain(customer)));
            let hidden = minted.session.hidden.0.as_array().unwrap().clone();
            let said = |each: &serde_json::Value, name: &str| each[name].as_str().unwrap_or("-").to_owned();
            let each = hidden.iter().map(|each| (said(each, "section"), said(each, "reason"), said(each, "param")));
            each.collect::<Vec<_>>()
        };
        let of = |section: &str, reason: &str, param: &str| (section.to_owned(), reason.to_owned(), param.to_owned());
        let off =
            |section: &str, feature: &str| of(section, "feature_disabled", &format!("features[{feature}][enabled]"));
        let usual = [
            off("change_plan", "subscription_update"),
            off("pause", "subscription_pause"),
            off("purchase", "subscription_create"),
        ];
        let nobody = stage.customer().await;
        let mut expected = usual.to_vec();
        expected.push(of("cancel", "no_subscription", "-"));
        assert_eq!(hidden(&nobody.id).await, expected);
        let held = stage.active().await;
        assert_eq!(hidden(&held.customer).await, usual);

        let products = serde_json::json!([{ "product": held.items[0].price.product }]);
        let features = serde_json::json!({
            "payment_method_update": { "accepted_types": [] },
            "subscription_create": { "enabled": true, "products": products },
            "subscription_update": { "enabled": true, "default_allowed_updates": ["price"], "products": products },
        });
        let update = ConfigurationUpdate { features: Some(features), ..Default::default() };
        done!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()));
        let accepted = of("payment_methods", "nothing_offered", "features[payment_method_update][accepted_types]");
        let pause = off("pause", "subscription_pause");
        let offered = of("change_plan", "nothing_offered", "-");
        let purchase = of("purchase", "has_subscription", "-");
        assert_eq!(hidden(&held.customer).await, [pause, accepted, purchase, offered]);
    })
    .await;
}
