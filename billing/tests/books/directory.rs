//! Who somebody is: keys, links and cookies, looked up before a tenant is known.

use billing::portal::session::{self, Minted, NewSession, SessionOrigin};
use billing::{Actor, Origin, Trace, customer, directory, transact};

use crate::support::{HOUR, MINUTE, Stage, done, field, kind, on_both, refused, seen};

async fn caller(stage: &Stage, key: &str) -> Option<Actor> {
    seen!(stage, |tx| directory::by_key(tx, key, Trace::default()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_begins_with_two_modes_that_never_meet() {
    on_both(async |stage| {
        let currency = stage.eur();
        let made = done!(stage, |tx| directory::create_merchant(tx, " Antumbra ", "FR", &currency));
        assert_eq!((made.name.as_str(), made.country.as_str(), &made.default_currency), ("Antumbra", "FR", &currency));
        assert_eq!(made, seen!(stage, |tx| directory::merchant(tx, &made.id)));
        let test = seen!(stage, |tx| directory::tenant(tx, &made.id, false));
        let live = seen!(stage, |tx| directory::tenant(tx, &made.id, true));
        assert_ne!(test.key, live.key);
        assert_eq!((test.livemode, live.livemode), (false, true));
        assert_eq!(seen!(stage, |tx| directory::tenant_by_key(tx, live.key)), live);
        let who = Actor::system(live, "test");
        assert_eq!(seen!(stage, |tx| directory::account(tx, &who)), made);
        assert_eq!(stage.number("select count(*) from portal_configuration where is_default").await, 6);
        let names: Vec<_> = seen!(stage, |tx| directory::merchants(tx)).into_iter().map(|m| m.name).collect();
        assert_eq!(names, ["Umbra Coffee", "Penumbra Tea", "Antumbra"]);

        for name in ["", "  ", &"x".repeat(101), "a\nb"] {
            let error = refused!(stage, |tx| directory::create_merchant(tx, name, "FR", &currency));
            assert_eq!(field(&error), "name");
        }
        assert_eq!(kind(&refused!(stage, |tx| directory::merchant(tx, "acct_no"))), "missing");
        assert_eq!(kind(&refused!(stage, |tx| directory::tenant(tx, "acct_no", false))), "missing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_and_known_by_its_hash() {
    on_both(async |stage| {
        let (key, text) = done!(stage, |tx| directory::create_key(tx, &stage.system(), Some("CI")));
        assert!(text.starts_with("sk_test_pt_") && text.ends_with(&key.last4));
        let caller_of = caller(stage, &text).await.unwrap();
        assert_eq!(caller_of.tenant, stage.who.tenant);
        assert_eq!(caller_of.origin, Origin::Api { key: key.id.clone() });
        assert!(caller(stage, &format!("{text}x")).await.is_none());
        assert!(caller(stage, "").await.is_none());
        assert_eq!(stage.number("select count(*) from api_key where length(hash) = 64").await, 1);
        let listed = seen!(stage, |tx| directory::keys(tx, &stage.who));
        assert_eq!((listed.len(), listed[0].name.as_deref()), (1, Some("CI")));
        assert!(seen!(stage, |tx| directory::keys(tx, &stage.stranger)).is_empty());
        assert!(stage.audit().await.contains(&("api_key.created".into(), key.id)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_dead_at_once_and_a_rolled_one_after_its_grace() {
    on_both(async |stage| {
        let (one, first) = done!(stage, |tx| directory::create_key(tx, &stage.who, None));
        let (two, second) = done!(stage, |tx| directory::create_key(tx, &stage.who, None));
        done!(stage, |tx| directory::revoke_key(tx, &stage.who, &one.id, 0));
        assert!(caller(stage, &first).await.is_none());
        assert!(caller(stage, &second).await.is_some());

        done!(stage, |tx| directory::revoke_key(tx, &stage.who, &two.id, HOUR));
        stage.pass(MINUTE);
        done!(stage, |tx| directory::revoke_key(tx, &stage.who, &two.id, HOUR));
        stage.pass(59 * MINUTE - 1);
        assert!(caller(stage, &second).await.is_some());
        stage.pass(1);
        assert!(caller(stage, &second).await.is_none(), "rolling again gives no more time");

        for (who, id) in [(&stage.who, "key_no"), (&stage.who, one.id.as_str()), (&stage.stranger, two.id.as_str())] {
            assert_eq!(kind(&refused!(stage, |tx| directory::revoke_key(tx, who, id, 0))), "missing");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_key_needs_a_real_gateway() {
    on_both(async |stage| {
        let live = seen!(stage, |tx| directory::tenant(tx, &stage.merchant.id, true));
        let who = Actor::system(live, "test");
        assert_eq!(kind(&refused!(stage, |tx| directory::create_key(tx, &who, None))), "live_gateway_missing");
        stage.force("update tenant set gateway = 'stripe' where livemode").await.unwrap();
        let (_, text) = done!(stage, |tx| directory::create_key(tx, &who, None));
        assert!(text.starts_with("sk_live_pt_"));
        assert!(caller(stage, &text).await.unwrap().tenant.livemode);
    })
    .await;
}

async fn mint(stage: &Stage, customer: &str) -> Minted {
    let new = NewSession {
        flow: None,
        customer: customer.into(),
        configuration: None,
        return_url: None,
        cancel_url: None,
        locale: None,
        subscription: None,
        origin: SessionOrigin::Api,
    };
    done!(stage, |tx| session::create(tx, &stage.who, new.clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_and_a_cookie_lead_to_their_session() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let Minted { session, secret, .. } = mint(stage, &customer.id).await;
        let guest = seen!(stage, |tx| directory::by_link(tx, &secret)).unwrap();
        assert_eq!((&guest.session, &guest.customer, &guest.merchant), (&session, &customer, &stage.merchant));
        assert_eq!(guest.tenant, stage.who.tenant);
        assert!(guest.configuration.is_default && !guest.is_alive(stage.clock.wall()));
        assert!(seen!(stage, |tx| directory::by_link(tx, "no")).is_none());

        let cookie = done!(stage, |tx| session::exchange(tx, &stage.system(), &session.id, &secret, "shop.test"));
        let guest = seen!(stage, |tx| directory::by_cookie(tx, &cookie, "shop.test")).unwrap();
        assert!(guest.is_alive(stage.clock.wall()));
        let actor = guest.actor(Trace::default());
        assert_eq!((actor.customer(), actor.session()), (Some(customer.id.as_str()), Some(session.id.as_str())));
        assert!(!actor.is_read_only());
        assert!(seen!(stage, |tx| directory::by_cookie(tx, &cookie, "evil.test")).is_none(), "bound to its host");
        assert!(seen!(stage, |tx| directory::by_cookie(tx, &secret, "shop.test")).is_none());
        assert!(seen!(stage, |tx| directory::by_link(tx, &secret)).is_some(), "to say what became of it");
        assert!(seen!(stage, |tx| directory::by_link(tx, &cookie)).is_none());

        done!(stage, |tx| session::revoke(tx, &stage.who, &session.id));
        let guest = seen!(stage, |tx| directory::by_cookie(tx, &cookie, "shop.test")).unwrap();
        assert!(!guest.is_alive(stage.clock.wall()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_stays_signed_in_as_a_deleted_customer() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let Minted { session, secret, .. } = mint(stage, &customer.id).await;
        let cookie = done!(stage, |tx| session::exchange(tx, &stage.system(), &session.id, &secret, "shop.test"));
        done!(stage, |tx| customer::delete(tx, &stage.who, &customer.id));
        let guest = seen!(stage, |tx| directory::by_cookie(tx, &cookie, "shop.test")).unwrap();
        assert!(!guest.is_alive(stage.clock.wall()));
        assert!(guest.session.revoked_ms.is_some() && guest.customer.deleted_at.is_some());
        let new = NewSession { customer: customer.id.clone(), ..again(&session) };
        let error = refused!(stage, |tx| session::create(tx, &stage.who, new.clone()));
        assert_eq!((field(&error), kind(&error)), ("customer", "missing"));
    })
    .await;
}

fn again(session: &session::Session) -> NewSession {
    NewSession {
        flow: None,
        customer: session.customer.clone(),
        configuration: None,
        return_url: None,
        cancel_url: None,
        locale: None,
        subscription: None,
        origin: SessionOrigin::Api,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn merchants_made_at_once_get_tenants_of_their_own() {
    on_both(async |stage| {
        let other = stage.process().await;
        let racers = (0..8).map(|n| {
            let (db, currency) = (if n % 2 == 0 { stage.db.clone() } else { other.clone() }, stage.eur());
            tokio::spawn(async move {
                transact!(db, |tx| directory::create_merchant(tx, "Racer", "DE", &currency).await).map(|m| m.id)
            })
        });
        for racer in futures::future::join_all(racers).await {
            racer.unwrap().unwrap();
        }
        assert_eq!(stage.number("select count(*) from tenant").await, 2 * 10);
    })
    .await;
}
