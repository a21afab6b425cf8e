//! What a portal session does not show, and why: for whoever wonders where a button is.

use serde::Serialize;

use crate::actor::Actor;
use crate::error::Result;
use crate::page::Page;
use crate::portal::configuration::Configuration;
use crate::portal::{change, pausing};
use crate::store::Tx;
use crate::subscription::{self, StatusFilter, Subscription, SubscriptionFilter};
use crate::text_enum::text_enum;

text_enum!(
    /// A part of the portal.
    Section {
        BillingDetails = "billing_details",
        Cancel = "cancel",
        ChangePlan = "change_plan",
        Invoices = "invoices",
        Navigation = "navigation",
        Pause = "pause",
        PayInvoice = "pay_invoice",
        PaymentMethods = "payment_methods",
        Purchase = "purchase",
    }
);
text_enum!(
    /// Why it is not shown.
    Reason {
        FeatureDisabled = "feature_disabled",
        // The session is for one thing.
        Flow = "flow",
        // A subscription runs already.
        HasSubscription = "has_subscription",
        NoSubscription = "no_subscription",
        // The configuration has nothing else to choose.
        NothingOffered = "nothing_offered",
        // Its subscription is ending, unpaid, paused, or waits for a change.
        SubscriptionState = "subscription_state",
    }
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Hidden {
    pub section: Section,
    pub reason: Reason,
    /// The field of the configuration that decides it, if one does.
    pub param: Option<&'static str>,
}

/// What a session of a customer's would not show, as things are now; `focus` is the subscription that it is about, else
/// it is the newest that lives.
pub(super) async fn of(
    tx: &mut Tx,
    who: &Actor,
    allowed: &Configuration,
    (customer, focus): (&str, Option<&str>),
    in_flow: bool,
) -> Result<Vec<Hidden>> {
    let mut hidden = switched_off(allowed);
    if in_flow {
        hidden.push(Hidden { section: Section::Navigation, reason: Reason::Flow, param: None });
    }
    let filter = SubscriptionFilter {
        customer: Some(customer.into()),
        status: StatusFilter::NotCanceled,
        ..SubscriptionFilter::default()
    };
    let lives = |subscription: &Subscription| !subscription.status.is_ended();
    let held = subscription::list(tx, who, &Page::first(100), &filter).await?.data;
    let held: Vec<Subscription> = held.into_iter().filter(lives).collect();
    let about = held.iter().find(|held| focus.is_none_or(|id| held.id == id));
    let features = &allowed.features;
    let mut push = |is_on: bool, section, reason: Option<Reason>| {
        hidden.extend(reason.filter(|_| is_on).map(|reason| Hidden { section, reason, param: None }));
    };
    let of_one = |is_open: bool| match about {
        None => Some(Reason::NoSubscription),
        Some(_) if !is_open => Some(Reason::SubscriptionState),
        Some(_) => None,
    };
    push(features.subscription_cancel.enabled, Section::Cancel, of_one(about.is_some_and(Subscription::goes_on)));
    push(features.subscription_pause.enabled, Section::Pause, of_one(about.is_some_and(pausing::is_pausable)));
    let has_one = (!held.is_empty()).then_some(Reason::HasSubscription);
    push(features.subscription_create.enabled, Section::Purchase, has_one);
    let changeable = about.filter(|about| change::is_changeable(about));
    push(features.subscription_update.enabled, Section::ChangePlan, of_one(changeable.is_some()));
    if let (Some(about), true) = (changeable, features.subscription_update.enabled) {
        let mut offered = false;
        for item in &about.items {
            offered |= !change::offers(tx, who, allowed, about, item).await?.is_empty();
        }
        push(!offered, Section::ChangePlan, Some(Reason::NothingOffered));
    }
    Ok(hidden)
}

/// What the configuration does not allow anybody.
fn switched_off(allowed: &Configuration) -> Vec<Hidden> {
    let f = &allowed.features;
    let (invoices, methods) = ("features[invoice_history][enabled]", "features[payment_method_update][enabled]");
    let off = [
        (f.customer_update.enabled, Section::BillingDetails, "features[customer_update][enabled]"),
        (f.subscription_cancel.enabled, Section::Cancel, "features[subscription_cancel][enabled]"),
        (f.subscription_update.enabled, Section::ChangePlan, "features[subscription_update][enabled]"),
        (f.invoice_history.enabled, Section::Invoices, invoices),
        (f.subscription_pause.enabled, Section::Pause, "features[subscription_pause][enabled]"),
        (f.invoice_payment.enabled, Section::PayInvoice, "features[invoice_payment][enabled]"),
        (f.payment_method_update.enabled, Section::PaymentMethods, methods),
        (f.subscription_create.enabled, Section::Purchase, "features[subscription_create][enabled]"),
    ];
    let off = off.into_iter().filter(|(is_on, ..)| !is_on);
    let mut hidden: Vec<Hidden> = off
        .map(|(_, section, param)| Hidden { section, reason: Reason::FeatureDisabled, param: Some(param) })
        .collect();
    let none = f.payment_method_update.accepted_types.is_empty();
    if f.payment_method_update.enabled && none {
        let param = Some("features[payment_method_update][accepted_types]");
        hidden.push(Hidden { section: Section::PaymentMethods, reason: Reason::NothingOffered, param });
    }
    hidden
}
