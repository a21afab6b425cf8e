//! What a customer does in the portal, as far as the configuration lets them.

use billing::portal::canceling::{self, Cancellation};
use billing::portal::configuration::{self, Configuration, ConfigurationUpdate};
use billing::portal::feedback;
use billing::quote::Confirmed;
use billing::subscription::{self, Feedback, Status, Subscription};
use billing::{Actor, Error, Tx};
use serde_json::json;

use crate::changes::{HALF, since_april};
use crate::support::{Stage, at, done, field, kind, on_both, refused, seen};

/// The default configuration with these features of canceling.
async fn allowed(stage: &Stage, cancel: serde_json::Value) -> Configuration {
    let features = Some(json!({ "subscription_cancel": cancel }));
    let update = ConfigurationUpdate { features, ..ConfigurationUpdate::default() };
    done!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()))
}

/// As the page does it: with the quote that was shown, where it is at once.
async fn cancel(
    tx: &mut Tx,
    who: &Actor,
    portal: &Configuration,
    id: &str,
    why: Cancellation,
) -> Result<Subscription, Error> {
    let ended = subscription::get(tx, who, id).await?.status.is_ended();
    let quote = if ended { None } else { canceling::quote(tx, who, portal, id).await? };
    match canceling::cancel(tx, who, portal, id, why, quote.as_ref().map(|quote| quote.token.as_str())).await? {
        Confirmed::Done(done) => subscription::get(tx, who, &done.subscription).await,
        Confirmed::Stale(_) => panic!("nothing has changed since the quote"),
    }
}

async fn me(stage: &Stage, subscription: &Subscription) -> Actor {
    stage.portal(&stage.customer_named(&subscription.customer).await)
}

fn because(feedback: Feedback, comment: &str) -> Cancellation {
    Cancellation { feedback: Some(feedback), comment: Some(comment.into()), ..Cancellation::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn canceling_at_the_end_of_the_period_can_be_undone() {
    on_both(async |stage| {
        let before = stage.active().await;
        let (me, portal) = (me(stage, &before).await, allowed(stage, json!({})).await);
        let why = || because(Feedback::Unused, "  Moving on  ");
        let set = done!(stage, |tx| cancel(tx, &me, &portal, &before.id, why()));
        assert_eq!((set.status, set.cancel_at), (Status::Active, Some(at("2026-02-28"))));
        assert_eq!(set.cancellation_details.feedback, Some(Feedback::Unused));
        assert_eq!(stage.last_event(&before.id).await.origin, "portal");
        assert_eq!(stage.last_event(&before.id).await.session.as_deref(), Some("bps_open"));
        let said = stage.events().await.len();
        let again = done!(stage, |tx| cancel(tx, &me, &portal, &before.id, Cancellation::default()));
        assert_eq!((again, stage.events().await.len()), (set, said));

        let undone = done!(stage, |tx| canceling::undo(tx, &me, &portal, &before.id));
        assert_eq!((undone.cancel_at_period_end, undone.cancel_at, undone.canceled_at), (false, None, None));
        let again = done!(stage, |tx| canceling::undo(tx, &me, &portal, &before.id));
        assert_eq!((again, stage.events().await.len()), (undone, said + 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn canceling_at_once_cannot_be_undone() {
    on_both(async |stage| {
        let before = stage.active().await;
        let (me, portal) = (me(stage, &before).await, allowed(stage, json!({"mode": "immediately"})).await);
        let blank = || Cancellation { comment: Some("  ".into()), ..Cancellation::default() };
        let ended = done!(stage, |tx| cancel(tx, &me, &portal, &before.id, blank()));
        assert_eq!((ended.status, ended.ended_at), (Status::Canceled, Some(stage.now())));
        assert_eq!(ended.cancellation_details.comment, None);
        stage.pass(5);
        let again = done!(stage, |tx| cancel(tx, &me, &portal, &before.id, blank()));
        assert_eq!(again, ended);
        let error = refused!(stage, |tx| canceling::undo(tx, &me, &portal, &before.id));
        assert_eq!(kind(&error), "subscription_ended");
        let said = stage.events_of(&before.id).await;
        assert_eq!(said.iter().filter(|e| *e == "customer.subscription.deleted").count(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feature_that_is_off_refuses_the_call() {
    on_both(async |stage| {
        let before = stage.active().await;
        let (me, portal) = (me(stage, &before).await, allowed(stage, json!({"enabled": false})).await);
        let error = refused!(stage, |tx| cancel(tx, &me, &portal, &before.id, Cancellation::default()));
        assert!(matches!(error, Error::Forbidden(_)));
        let error = refused!(stage, |tx| canceling::undo(tx, &me, &portal, &before.id));
        assert!(matches!(error, Error::Forbidden(_)));
        assert_eq!(stage.subscription(&before.id).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_reasons_that_are_offered_are_taken() {
    on_both(async |stage| {
        let before = stage.active().await;
        let me = me(stage, &before).await;
        let refused = async |portal: &Configuration| {
            let why = || because(Feedback::Other, "x");
            let error = refused!(stage, |tx| cancel(tx, &me, portal, &before.id, why()));
            field(&error).to_owned()
        };
        let some = json!({"cancellation_reason": {"enabled": true, "options": ["unused"]}});
        assert_eq!(refused(&allowed(stage, some).await).await, "feedback");
        let none = json!({"cancellation_reason": {"enabled": false, "options": ["other"]}});
        let portal = allowed(stage, none).await;
        assert_eq!(refused(&portal).await, "feedback");
        let long = || Cancellation { comment: Some("x".repeat(5001)), ..Cancellation::default() };
        let error = refused!(stage, |tx| cancel(tx, &me, &portal, &before.id, long()));
        assert_eq!(field(&error), "cancellation_details[comment]");
        assert_eq!(stage.subscription(&before.id).await, before);
        done!(stage, |tx| cancel(tx, &me, &portal, &before.id, Cancellation::default()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_may_be_said_in_the_merchants_words() {
    on_both(async |stage| {
        let before = stage.active().await;
        let me = me(stage, &before).await;
        let option = async |text: &str| done!(stage, |tx| feedback::create(tx, &stage.who, text)).id;
        let (one, other, unlisted) = (option("Too many mails").await, option("Moved").await, option("Rain").await);
        let asked = json!({"enabled": true, "options": [], "feedback_options": [other, one]});
        let portal = allowed(stage, json!({"cancellation_reason": asked})).await;
        let listed = seen!(stage, |tx| feedback::in_use(tx, &me, &[other.clone(), one.clone()]));
        assert_eq!(listed.iter().map(|option| &option.description).collect::<Vec<_>>(), ["Moved", "Too many mails"]);

        let own = |id: &str| Cancellation { feedback_option: Some(id.into()), ..Cancellation::default() };
        done!(stage, |tx| feedback::deactivate(tx, &stage.who, &other));
        for id in [&unlisted, &other, &"bfo_no".to_owned()] {
            let error = refused!(stage, |tx| cancel(tx, &me, &portal, &before.id, own(id)));
            assert_eq!(field(&error), "feedback");
        }
        let listed = seen!(stage, |tx| feedback::in_use(tx, &me, &[other.clone(), one.clone()]));
        assert_eq!(listed.len(), 1, "what is out of use is not offered");
        // What is out of use since is no reason to refuse another change, but is not chosen anew.
        let portal = allowed(stage, json!({"mode": "immediately"})).await;
        let again = json!({"cancellation_reason": {"feedback_options": [one]}});
        allowed(stage, again).await;
        let back = json!({"subscription_cancel": {"cancellation_reason": {"feedback_options": [one, other]}}});
        let update = ConfigurationUpdate { features: Some(back), ..ConfigurationUpdate::default() };
        let error = refused!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()));
        assert_eq!(field(&error), "features[subscription_cancel][cancellation_reason][feedback_options][1]");

        let ended = done!(stage, |tx| cancel(tx, &me, &portal, &before.id, own(&one)));
        assert_eq!(ended.cancellation_details.feedback_option.as_deref(), Some(one.as_str()));
        assert_eq!((ended.status, ended.cancellation_details.feedback), (Status::Canceled, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_changes_nothing() {
    on_both(async |stage| {
        let before = stage.active().await;
        let customer = stage.customer_named(&before.customer).await;
        let looking = stage.guest(&customer, "bps_preview", true);
        let portal = seen!(stage, |tx| configuration::get(tx, &stage.who, "default"));
        let error = refused!(stage, |tx| cancel(tx, &looking, &portal, &before.id, Cancellation::default()));
        assert!(matches!(error, Error::Forbidden(_)));
        let error = refused!(stage, |tx| canceling::undo(tx, &looking, &portal, &before.id));
        assert!(matches!(error, Error::Forbidden(_)));
        assert_eq!(seen!(stage, |tx| billing::subscription::get(tx, &looking, &before.id)), before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_cancels_what_is_somebody_elses() {
    on_both(async |stage| {
        let before = stage.active().await;
        let portal = allowed(stage, json!({"mode": "immediately"})).await;
        let other = stage.portal(&stage.customer().await);
        let error = refused!(stage, |tx| cancel(tx, &other, &portal, &before.id, Cancellation::default()));
        assert_eq!(kind(&error), "missing");
        assert_eq!(kind(&refused!(stage, |tx| canceling::undo(tx, &other, &portal, &before.id))), "missing");
        assert_eq!(stage.subscription(&before.id).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn canceling_at_once_gives_back_what_was_quoted() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let me = me(stage, &before).await;
        let feature = json!({"mode": "immediately", "proration_behavior": "create_prorations"});
        let portal = allowed(stage, feature).await;
        stage.pass(HALF);
        let why = || because(Feedback::Unused, "Bye");
        let none = refused!(stage, |tx| canceling::cancel(tx, &me, &portal, &before.id, why(), None));
        assert_eq!(field(&none), "quote");
        let quote = done!(stage, |tx| canceling::quote(tx, &me, &portal, &before.id)).unwrap();
        assert_eq!(quote.waiting.iter().map(|item| item.amount).collect::<Vec<_>>(), [-500]);

        // A quote for something else, or of another configuration, is not one for this.
        let plain = allowed(stage, json!({"proration_behavior": "none"})).await;
        let token = Some(quote.token.as_str());
        let stale = done!(stage, |tx| canceling::cancel(tx, &me, &plain, &before.id, why(), token));
        let Confirmed::Stale(fresh) = stale else { panic!("it would give back nothing now") };
        assert_eq!((fresh.waiting.len(), stage.subscription(&before.id).await), (0, before.clone()));

        let portal = allowed(stage, json!({"proration_behavior": "create_prorations"})).await;
        let confirmed = done!(stage, |tx| canceling::cancel(tx, &me, &portal, &before.id, why(), token));
        assert!(matches!(confirmed, Confirmed::Done(_)));
        let ended = stage.subscription(&before.id).await;
        assert_eq!((ended.status, ended.cancellation_details.feedback), (Status::Canceled, Some(Feedback::Unused)));
        assert_eq!(ended.cancellation_details.comment.as_deref(), Some("Bye"));
        let waiting = seen!(stage, |tx| billing::invoice::item::waiting(tx, &stage.who, &before.customer, None));
        assert_eq!(waiting.iter().map(|item| item.amount).collect::<Vec<_>>(), [-500]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_may_be_required() {
    on_both(async |stage| {
        let before = stage.active().await;
        let me = me(stage, &before).await;
        let portal = allowed(stage, json!({"cancellation_reason": {"required": true}})).await;
        let error = refused!(stage, |tx| cancel(tx, &me, &portal, &before.id, Cancellation::default()));
        assert_eq!(field(&error), "feedback");
        done!(stage, |tx| cancel(tx, &me, &portal, &before.id, because(Feedback::Other, "")));
        let unasked = json!({"subscription_cancel": {"cancellation_reason": {"enabled": false}}});
        let update = ConfigurationUpdate { features: Some(unasked), ..ConfigurationUpdate::default() };
        let error = refused!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()));
        assert_eq!(field(&error), "features[subscription_cancel][cancellation_reason][required]");
    })
    .await;
}
