//! What was typed in the hosted fields: a reference that is good once and in its own session, the setup intent behind it,
//! and what a new default pays.

use billing::customer::payment_method::{MethodType, NewMethod};
use billing::customer::{Customer, payment_method};
use billing::gateway::sandbox::test_method;
use billing::invoice::Status as Standing;
use billing::portal::configuration::{self, Configuration, ConfigurationUpdate};
use billing::portal::fields::{self, Errand, Ticket};
use billing::portal::paying;
use billing::portal::session::{self, NewSession, SessionOrigin};
use billing::setup_intent::{SetupIntent, Status};
use billing::subscription::{self, NewSubscription};
use billing::{Actor, Page};
use serde_json::{Value, json};

use crate::support::{Stage, done, kind, on_both, plan, refused, seen};

async fn portal(stage: &Stage, update: Value) -> Configuration {
    let features = Some(json!({ "payment_method_update": update }));
    let update = ConfigurationUpdate { features, ..ConfigurationUpdate::default() };
    done!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()))
}

async fn open(stage: &Stage, customer: &Customer) -> Actor {
    let new = NewSession {
        customer: customer.id.clone(),
        configuration: None,
        return_url: None,
        cancel_url: None,
        locale: None,
        subscription: None,
        flow: None,
        origin: SessionOrigin::Api,
    };
    let made = done!(stage, |tx| session::create(tx, &stage.who, new.clone()));
    stage.guest(customer, &made.session.id, false)
}

fn typed(test_id: &str) -> NewMethod {
    test_method(test_id, 2026).unwrap()
}

async fn kept(stage: &Stage, me: &Actor, allowed: &Configuration, test_id: &str, default: bool) -> String {
    done!(stage, |tx| fields::keep(tx, me, allowed, typed(test_id), default))
}

async fn redeemed(stage: &Stage, me: &Actor, allowed: &Configuration, test_id: &str) -> SetupIntent {
    let reference = kept(stage, me, allowed, test_id, true).await;
    done!(stage, |tx| fields::redeem(tx, me, allowed, &reference))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_is_good_once_and_in_its_own_session() {
    on_both(async |stage| {
        let (ada, bob) = (stage.customer().await, stage.customer().await);
        let allowed = portal(stage, json!({ "enabled": true })).await;
        let (me, again, other) = (open(stage, &ada).await, open(stage, &ada).await, open(stage, &bob).await);
        let reference = kept(stage, &me, &allowed, "pm_card_visa", false).await;
        assert!(stage.events().await.iter().all(|(event, _)| !event.starts_with("payment_method")));
        for stranger in [&again, &other] {
            let error = refused!(stage, |tx| fields::redeem(tx, stranger, &allowed, &reference));
            assert_eq!(kind(&error), "missing");
        }
        assert_eq!(seen!(stage, |tx| fields::peek(tx, &me, &reference)).details.last4, "4242");
        let intent = done!(stage, |tx| fields::redeem(tx, &me, &allowed, &reference));
        assert_eq!(intent.status, Status::Succeeded);
        let method = intent.payment_method.unwrap();
        assert_eq!(stage.events_of(&method).await, ["payment_method.attached"]);
        assert_eq!(stage.events_of(&intent.id).await, ["setup_intent.created", "setup_intent.succeeded"]);
        assert_eq!(stage.customer_named(&ada.id).await.default_payment_method, Some(method), "it is the only one");
        let error = refused!(stage, |tx| fields::redeem(tx, &me, &allowed, &reference));
        assert_eq!(kind(&error), "missing", "taken once");

        let late = kept(stage, &me, &allowed, "pm_card_amex", false).await;
        stage.clock.advance(30 * 60 * 1000);
        let error = refused!(stage, |tx| fields::redeem(tx, &me, &allowed, &late));
        assert_eq!(kind(&error), "missing", "half an hour is enough");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_configuration_accepts_is_kept() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let me = open(stage, &customer).await;
        let cards = portal(stage, json!({ "enabled": true, "accepted_types": ["card"] })).await;
        let keep = async |allowed: &Configuration, who: &Actor, id: &str| {
            kind(&refused!(stage, |tx| fields::keep(tx, who, allowed, typed(id), false))).to_owned()
        };
        assert_eq!(keep(&cards, &me, "pm_sepaDebit").await, "forbidden");
        let preview = stage.guest(&customer, me.session().unwrap(), true);
        assert_eq!(keep(&cards, &preview, "pm_card_visa").await, "forbidden");
        assert_eq!(keep(&cards, &stage.who, "pm_card_visa").await, "forbidden");
        let reference = kept(stage, &me, &cards, "pm_card_visa", false).await;
        let off = portal(stage, json!({ "enabled": false })).await;
        let error = refused!(stage, |tx| fields::redeem(tx, &me, &off, &reference));
        assert_eq!(kind(&error), "forbidden", "it was switched off meanwhile");
        let all = portal(stage, json!({ "enabled": true, "accepted_types": MethodType::ALL })).await;
        for (id, mandates) in [("pm_sepaDebit", 1), ("pm_usBankAccount", 2), ("pm_mobileMoney", 2)] {
            assert_eq!(redeemed(stage, &me, &all, id).await.status, Status::Succeeded);
            let given = stage.number("select count(*) from mandate where acceptance like '%\"online\":true%'").await;
            assert_eq!(given, mandates, "{id}: only what is debited needs leave");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_waits_for_its_customer_or_is_refused() {
    on_both(async |stage| {
        let customer = stage.payer("pm_card_visa").await;
        let allowed = portal(stage, json!({ "enabled": true })).await;
        let me = open(stage, &customer).await;
        let refused = redeemed(stage, &me, &allowed, "pm_card_chargeDeclinedInsufficientFunds").await;
        assert_eq!(refused.last_error.as_ref().unwrap()["decline_code"], "insufficient_funds");
        assert_eq!(stage.events_of(&refused.id).await.last().unwrap(), "setup_intent.setup_failed");

        let no = redeemed(stage, &me, &allowed, "pm_card_threeDSecure2Required").await;
        assert_eq!(no.status, Status::RequiresAction);
        let no = done!(stage, |tx| fields::answer(tx, &me, &no.id, false));
        assert_eq!(no.last_error.as_ref().unwrap()["decline_code"], "authentication_required");
        let page = Page::first(10);
        let held = seen!(stage, |tx| payment_method::list(tx, &me, &customer.id, &page, None));
        assert_eq!(held.data.len(), 1, "nothing was stored");

        let yes = redeemed(stage, &me, &allowed, "pm_card_threeDSecure2Required").await;
        let yes = done!(stage, |tx| fields::answer(tx, &me, &yes.id, true));
        assert_eq!(yes.status, Status::Succeeded);
        assert_eq!(
            stage.customer_named(&customer.id).await.default_payment_method,
            yes.payment_method,
            "as it was wished"
        );
        let again = done!(stage, |tx| fields::answer(tx, &me, &yes.id, false));
        assert_eq!(again, yes, "it is answered once");
        let other = stage.portal(&stage.customer().await);
        let error = refused!(stage, |tx| fields::answer(tx, &other, &yes.id, true));
        assert_eq!(kind(&error), "missing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_default_pays_what_failed_and_is_charged_from_then_on() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_chargeCustomerFail").await, stage.price(1000).await);
        let own = stage.method(&customer, "pm_card_chargeCustomerFail").await.id;
        let new = NewSubscription { default_payment_method: Some(own), ..plan(&customer, &price) };
        let living = stage.subscribe(new).await;
        let failed = living.latest_invoice.clone().unwrap();
        let allowed = portal(stage, json!({ "enabled": true })).await;
        let me = open(stage, &customer).await;
        assert_eq!(seen!(stage, |tx| paying::failed(tx, &me)).len(), 1);
        let method = redeemed(stage, &me, &allowed, "pm_card_visa").await.payment_method.unwrap();
        let gateway = || stage.sandbox.clone();
        paying::pay_failed(&stage.db, gateway(), &me, &allowed, &method).await.unwrap();
        assert_eq!(stage.invoice(&failed).await.status, Standing::Paid);
        let living = stage.subscription(&living.id).await;
        assert_eq!(
            (living.status, living.default_payment_method),
            (subscription::Status::Active, Some(method.clone()))
        );
        assert_eq!(stage.captured().await, 1000);
        paying::pay_failed(&stage.db, gateway(), &me, &allowed, &method).await.unwrap();
        assert_eq!(stage.captured().await, 1000, "there is nothing left to pay");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_sealed_and_ends() {
    on_both(async |stage| {
        let me = open(stage, &stage.customer().await).await;
        let errand = Errand::Enter { kind: MethodType::Card, then: "/payment-methods/add".into() };
        let tx = stage.db.read().await.unwrap();
        let sealed = Ticket::issue(&tx, &me, (me.session(), "http://localhost:3000"), errand.clone(), "de").unwrap();
        assert!(!sealed.contains("bps_"));
        let open = Ticket::open(&tx, &sealed).unwrap();
        assert_eq!((open.errand, open.session.as_deref(), open.locale.as_str()), (errand, me.session(), "de"));
        assert_eq!(kind(&Ticket::open(&tx, &sealed[1..]).unwrap_err()), "missing");
        drop(tx);
        stage.clock.advance(30 * 60 * 1000);
        let tx = stage.db.read().await.unwrap();
        assert_eq!(kind(&Ticket::open(&tx, &sealed).unwrap_err()), "missing");
    })
    .await;
}
