//! Sessions for one thing: what a flow may be about, and what is refused by name.

use billing::portal::change::Given;
use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::portal::flow::{
    After, AfterCompletion, Cancel, Confirm, CouponOffer, Discount, Flow, FlowType, HostedConfirmation, Item, Of,
    Redirect, Retention, RetentionType,
};
use billing::portal::session::{self, NewSession, SessionOrigin};
use billing::subscription::Subscription;
use serde_json::json;

use crate::changes::since_april;
use crate::offers::{coupon, half};
use crate::support::{Stage, done, field, kind, on_both, refused, seen};

fn flow(r#type: FlowType) -> Flow {
    Flow {
        after_completion: AfterCompletion { hosted_confirmation: None, redirect: None, r#type: After::PortalHomepage },
        customer_update: (r#type == FlowType::CustomerUpdate).then(Default::default),
        subscription_cancel: None,
        subscription_pause: None,
        subscription_update: None,
        subscription_update_confirm: None,
        r#type,
    }
}

fn of(subscription: &Subscription) -> Option<Of> {
    Some(Of { subscription: subscription.id.clone() })
}

fn session(customer: &str, flow: Flow) -> NewSession {
    NewSession {
        customer: customer.into(),
        configuration: None,
        return_url: None,
        cancel_url: None,
        locale: None,
        subscription: None,
        flow: Some(flow),
        origin: SessionOrigin::Api,
    }
}

async fn wrong(stage: &Stage, customer: &str, flow: Flow) -> String {
    field(&refused!(stage, |tx| session::create(tx, &stage.who, session(customer, flow.clone())))).to_owned()
}

async fn allow(stage: &Stage, features: serde_json::Value) {
    let update = ConfigurationUpdate { features: Some(features), ..ConfigurationUpdate::default() };
    done!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_kept_as_it_was_asked_for_until_it_is_done() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let half = coupon(stage, half()).await;
        let coupon_offer = CouponOffer { coupon: half.id.clone() };
        let retention = Some(Retention { coupon_offer, r#type: RetentionType::CouponOffer });
        let cancel = Cancel { retention, subscription: before.id.clone() };
        let asked = Flow { subscription_cancel: Some(cancel), ..flow(FlowType::SubscriptionCancel) };
        let made = done!(stage, |tx| session::create(tx, &stage.who, session(&before.customer, asked.clone()))).session;
        let kept = seen!(stage, |tx| session::get(tx, &stage.who, &made.id));
        assert_eq!(kept.flow.as_deref(), Some(&asked));
        assert_eq!((kept.in_flow(), asked.subscription()), (Some(&asked), Some(before.id.as_str())));
        assert_eq!(asked.retention_coupon(), Some(half.id.as_str()));
        let over = session::Session { completed_ms: Some(stage.clock.wall()), ..kept };
        assert_eq!(over.in_flow(), None, "it ends in the portal");
        let after = AfterCompletion {
            hosted_confirmation: Some(HostedConfirmation { custom_message: Some("Thanks".into()) }),
            redirect: None,
            r#type: After::HostedConfirmation,
        };
        let stays = Flow { after_completion: after, ..asked };
        let over = session::Session { flow: Some(billing::Json(stays.clone())), ..over };
        assert_eq!(over.in_flow(), Some(&stays), "it ends on its own page");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leads_nowhere_is_refused_by_name() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let mine = before.customer.as_str();
        let pause = || Flow { subscription_pause: of(&before), ..flow(FlowType::SubscriptionPause) };
        assert_eq!(wrong(stage, mine, pause()).await, "flow_data[type]", "the feature is off");
        allow(stage, json!({"subscription_pause": {"enabled": true}})).await;
        done!(stage, |tx| session::create(tx, &stage.who, session(mine, pause())));
        done!(stage, |tx| session::create(tx, &stage.who, session(mine, flow(FlowType::CustomerUpdate))));
        assert_eq!(wrong(stage, mine, flow(FlowType::SubscriptionPause)).await, "flow_data[subscription_pause]");
        let two = Flow { subscription_cancel: None, subscription_update: of(&before), ..pause() };
        assert_eq!(wrong(stage, mine, two).await, "flow_data[subscription_update]");
        let rival = stage.customer().await;
        let theirs = refused!(stage, |tx| session::create(tx, &stage.who, session(&rival.id, pause())));
        assert_eq!((kind(&theirs), field(&theirs)), ("missing", "flow_data[subscription_pause][subscription]"));

        let after = |r#type: After, to: Option<&str>| AfterCompletion {
            hosted_confirmation: None,
            redirect: to.map(|to| Redirect { return_url: to.into() }),
            r#type,
        };
        for (after, field) in [
            (after(After::Redirect, None), "flow_data[after_completion][redirect]"),
            (after(After::PortalHomepage, Some("https://a.test")), "flow_data[after_completion][redirect]"),
            (after(After::Redirect, Some("javascript:1")), "flow_data[after_completion][redirect][return_url]"),
        ] {
            assert_eq!(wrong(stage, mine, Flow { after_completion: after, ..pause() }).await, field);
        }
        let ended = billing::subscription::cancel::now;
        done!(stage, |tx| ended(tx, &stage.who, &before.id, None, None));
        assert_eq!(wrong(stage, mine, pause()).await, "flow_data[subscription_pause][subscription]");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_to_be_confirmed_is_one_that_could_be() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let (mine, higher) = (before.customer.as_str(), stage.price(2000).await);
        let products: Vec<_> = [&before.items[0].price, &higher].map(|price| json!({"product": price.product})).into();
        let update = json!({"enabled": true, "default_allowed_updates": ["price"], "products": products});
        allow(stage, json!({"subscription_update": update})).await;
        let item = |price: &str| Item { id: before.items[0].id.clone(), price: Some(price.into()), quantity: None };
        let confirm = |items: Vec<Item>, discounts: Option<Vec<Discount>>| Flow {
            subscription_update_confirm: Some(Confirm { discounts, items, subscription: before.id.clone() }),
            ..flow(FlowType::SubscriptionUpdateConfirm)
        };
        let half = coupon(stage, half()).await;
        let given = || Some(vec![Discount { coupon: Some(half.id.clone()), promotion_code: None }]);
        let asked = confirm(vec![item(&higher.id)], given());
        done!(stage, |tx| session::create(tx, &stage.who, session(mine, asked.clone())));
        let wished = asked.wished(&before).unwrap();
        assert_eq!((wished.price, wished.quantity), (higher.id.clone(), 1));
        let wanted = billing::discount::Wanted::Coupon(half.id.clone());
        assert_eq!(wished.discount, Some(Given::ByMerchant(wanted)));

        let foreign = stage.price(700).await;
        let within = |field: &str| format!("flow_data[subscription_update_confirm]{field}");
        let stranger = Item { id: "si_no".into(), ..item(&higher.id) };
        let neither = Some(vec![Discount { coupon: None, promotion_code: None }]);
        for (flow, field) in [
            (confirm(Vec::new(), None), "[items]"),
            (confirm(vec![item(&higher.id), item(&higher.id)], None), "[items]"),
            (confirm(vec![stranger], None), "[items][0][id]"),
            (confirm(vec![item(&foreign.id)], None), "[items][0][price]"),
            (confirm(vec![item(&before.items[0].price.id)], None), "[items][0][price]"),
            (confirm(vec![item(&higher.id)], neither), "[discounts][0]"),
        ] {
            assert_eq!(wrong(stage, mine, flow).await, within(field));
        }
    })
    .await;
}
