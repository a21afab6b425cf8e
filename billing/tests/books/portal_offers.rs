//! What is offered to who is about to cancel: by reason, so often, and only what makes sense.

use billing::portal::canceling::Cancellation;
use billing::portal::configuration::{self, Configuration, ConfigurationUpdate};
use billing::portal::offers::{self, What};
use billing::portal::session::{self, Minted, NewSession, Session, SessionOrigin};
use billing::subscription::{Feedback, Status, Subscription};
use billing::{Actor, catalog};
use serde_json::{Value, json};

use crate::changes::{HALF, since_april};
use crate::offers::{coupon, half};
use crate::support::{DAY, Stage, at, done, field, kind, on_both, refused, seen};

async fn features(stage: &Stage, features: Value) -> Configuration {
    let update = ConfigurationUpdate { features: Some(features), ..ConfigurationUpdate::default() };
    done!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()))
}

async fn refused_field(stage: &Stage, features: Value) -> String {
    let update = ConfigurationUpdate { features: Some(features), ..ConfigurationUpdate::default() };
    field(&refused!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()))).to_owned()
}

/// Who thinks of leaving, in a session of their own.
struct Leaver {
    before: Subscription,
    me: Actor,
    session: Session,
}

impl Leaver {
    async fn come(stage: &Stage) -> Self {
        let before = since_april(stage, |new| new).await;
        stage.pass(HALF);
        let new = NewSession {
            customer: before.customer.clone(),
            configuration: None,
            return_url: None,
            cancel_url: None,
            locale: None,
            subscription: None,
            flow: None,
            origin: SessionOrigin::Api,
        };
        let Minted { session, .. } = done!(stage, |tx| session::create(tx, &stage.who, new.clone()));
        let me = stage.guest(&stage.customer_named(&before.customer).await, &session.id, false);
        Self { before, me, session }
    }

    async fn open(&self, stage: &Stage, portal: &Configuration) -> Vec<offers::Offer> {
        let subscription = stage.subscription(&self.before.id).await;
        seen!(stage, |tx| offers::open(tx, &self.me, portal, &self.session, &subscription))
    }

    async fn keys(&self, stage: &Stage, portal: &Configuration) -> Vec<Option<String>> {
        self.open(stage, portal).await.iter().map(|offer| offer.what.key()).collect()
    }

    async fn take(&self, stage: &Stage, portal: &Configuration, key: &str) -> billing::Result<Subscription> {
        let why = || Cancellation { feedback: Some(Feedback::TooExpensive), ..Cancellation::default() };
        billing::transact!(stage.db, |tx| offers::accept(
            tx,
            &self.me,
            portal,
            &self.session,
            &self.before.id,
            key,
            why()
        )
        .await)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_is_taken_once_in_twelve_months() {
    on_both(async |stage| {
        let leaver = Leaver::come(stage).await;
        let (half, other) = (coupon(stage, half()).await, coupon(stage, half()).await);
        let offer = |coupon: &str| json!({"type": "coupon", "coupon": coupon, "reasons": ["too_expensive"]});
        let offers = json!({"offers": [offer(&half.id)], "retention_coupon_id": other.id});
        let portal = features(stage, json!({"subscription_cancel": offers})).await;
        let open = leaver.open(stage, &portal).await;
        let (first, second) = (format!("coupon:{}", half.id), format!("coupon:{}", other.id));
        assert_eq!(
            open.iter().map(|offer| offer.what.key()).collect::<Vec<_>>(),
            [Some(first.clone()), Some(second.clone())]
        );
        assert_eq!((open[0].reasons.as_slice(), open[1].reasons.len()), (["too_expensive".to_owned()].as_slice(), 0));
        let subscription = stage.subscription(&leaver.before.id).await;
        let quote = done!(stage, |tx| offers::quote(tx, &leaver.me, &subscription, &open[0].what)).unwrap();
        assert_eq!((quote.due_now(), quote.renewal.map(|renewal| renewal.amount_due)), (0, Some(500)));
        assert_eq!(stage.subscription(&leaver.before.id).await, subscription, "showing one writes nothing");

        let kept = leaver.take(stage, &portal, &first).await.unwrap();
        assert_eq!(
            kept.discounts.iter().map(|discount| discount.coupon.as_str()).collect::<Vec<_>>(),
            [half.id.as_str()]
        );
        assert_eq!((kept.status, kept.cancel_at), (Status::Active, None));
        assert_eq!(stage.invoices(&kept.customer).await.len(), 1, "nothing is billed for it");
        assert!(stage.audit().await.iter().any(|(action, _)| action == "customer.subscription.offer_taken"));
        let taken = seen!(stage, |tx| session::get(tx, &stage.who, &leaver.session.id));
        assert!(taken.completed_ms.is_some());

        // The other one too is one too many, and nothing is offered any more.
        for key in [&first, &second] {
            assert_eq!(kind(&leaver.take(stage, &portal, key).await.unwrap_err()), "offer_unavailable");
        }
        assert!(leaver.keys(stage, &portal).await.is_empty());
        stage.pass(366 * DAY);
        assert_eq!(leaver.keys(stage, &portal).await, [Some(second)], "what one has already is no offer");
        let often = features(stage, json!({"subscription_cancel": {"offer_limit": {"count": 0}}})).await;
        assert!(leaver.keys(stage, &often).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn free_days_put_the_next_payment_off() {
    on_both(async |stage| {
        let leaver = Leaver::come(stage).await;
        let offers = json!({"offers": [{"type": "free_days", "free_days": 30}]});
        let portal = features(stage, json!({"subscription_cancel": offers})).await;
        let kept = leaver.take(stage, &portal, "free_days:30").await.unwrap();
        assert_eq!(kept.current_period_end, at("2026-05-31"));
        assert_eq!(stage.invoices(&kept.customer).await.iter().map(|invoice| invoice.total).sum::<i64>(), 1000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_and_a_cheaper_price_are_ways_on() {
    on_both(async |stage| {
        let leaver = Leaver::come(stage).await;
        let (lower, higher) = (stage.price(500).await, stage.price(2000).await);
        let products: Vec<Value> =
            [&leaver.before.items[0].price, &lower, &higher].map(|price| json!({"product": price.product})).into();
        let of = |price: &catalog::Price| json!({"type": "price", "price": price.id});
        let all = |offers: Value| {
            json!({
                "subscription_pause": {"enabled": true},
                "subscription_update": {"enabled": true, "default_allowed_updates": ["price"], "products": products},
                "subscription_cancel": {"offers": offers},
            })
        };
        let portal = features(stage, all(json!([of(&higher), {"type": "pause"}, of(&lower)]))).await;
        let open = leaver.open(stage, &portal).await;
        assert!(matches!(open[0].what, What::Pause), "a dearer one is no offer");
        let What::Price { price, quantity, .. } = &open[1].what else { panic!("the lower one") };
        assert_eq!((open.len(), &price.id, *quantity), (2, &lower.id, 1));
        assert_eq!(leaver.keys(stage, &portal).await, [None, None], "they have pages of their own");

        let unlisted = stage.price(300).await;
        let path = |field: &str| format!("features[subscription_cancel][offers][0][{field}]");
        assert_eq!(refused_field(stage, all(json!([of(&unlisted)]))).await, path("price"));
        for (offer, wrong) in [
            (json!({"type": "coupon"}), "coupon"),
            (json!({"type": "coupon", "coupon": "no"}), "coupon"),
            (json!({"type": "pause", "free_days": 3}), "free_days"),
            (json!({"type": "free_days", "free_days": 400}), "free_days"),
            (json!({"type": "free_days", "free_days": 4, "reasons": ["hunger"]}), "reasons][0"),
        ] {
            assert_eq!(refused_field(stage, all(json!([offer]))).await, path(wrong));
        }
        let off = json!({"subscription_pause": {"enabled": false}});
        assert_eq!(refused_field(stage, off).await, "features[subscription_cancel][offers][1][type]");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_offered_where_there_is_nothing_to_keep() {
    on_both(async |stage| {
        let leaver = Leaver::come(stage).await;
        let offers = json!({"offers": [{"type": "free_days", "free_days": 30}]});
        let portal = features(stage, json!({"subscription_cancel": offers})).await;
        let id = &leaver.before.id;
        let none = || Cancellation::default();
        done!(stage, |tx| billing::portal::canceling::cancel(tx, &leaver.me, &portal, id, none(), None));
        assert!(leaver.keys(stage, &portal).await.is_empty());
        assert_eq!(kind(&leaver.take(stage, &portal, "free_days:30").await.unwrap_err()), "offer_unavailable");
        let rival = stage.customer().await;
        let (stranger, own) = (stage.portal(&rival), &leaver.session);
        let error = refused!(stage, |tx| offers::accept(tx, &stranger, &portal, own, id, "free_days:30", none()));
        assert_eq!(kind(&error), "missing");
    })
    .await;
}
