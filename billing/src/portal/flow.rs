//! Flows: a session for one thing, which begins at its page and says where to go when it is done (Stripe's `flow_data`,
//! field by field).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::actor::Actor;
use crate::catalog::{coupon, promotion_code};
use crate::discount::Wanted;
use crate::error::{Error, Result};
use crate::patch::check_text;
use crate::portal::change::{self, Given, Wished};
use crate::portal::configuration::{Configuration, check_url};
use crate::portal::features::Features;
use crate::portal::{may_write, pausing};
use crate::store::Tx;
use crate::subscription::{self, Subscription};
use crate::text_enum::text_enum;

text_enum!(FlowType {
    CustomerUpdate = "customer_update",
    PaymentMethodUpdate = "payment_method_update",
    SubscriptionCancel = "subscription_cancel",
    SubscriptionPause = "subscription_pause",
    SubscriptionUpdate = "subscription_update",
    SubscriptionUpdateConfirm = "subscription_update_confirm",
});
text_enum!(After { HostedConfirmation = "hosted_confirmation", PortalHomepage = "portal_homepage", Redirect = "redirect" });
text_enum!(RetentionType { CouponOffer = "coupon_offer" });

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    pub after_completion: AfterCompletion,
    /// `{}` where it is one of these.
    pub customer_update: Option<Map<String, Value>>,
    pub subscription_cancel: Option<Cancel>,
    pub subscription_pause: Option<Of>,
    pub subscription_update: Option<Of>,
    pub subscription_update_confirm: Option<Confirm>,
    pub r#type: FlowType,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AfterCompletion {
    pub hosted_confirmation: Option<HostedConfirmation>,
    pub redirect: Option<Redirect>,
    pub r#type: After,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedConfirmation {
    pub custom_message: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    pub return_url: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Of {
    pub subscription: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    pub retention: Option<Retention>,
    pub subscription: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    pub coupon_offer: CouponOffer,
    pub r#type: RetentionType,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponOffer {
    pub coupon: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirm {
    pub discounts: Option<Vec<Discount>>,
    /// One.
    pub items: Vec<Item>,
    pub subscription: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discount {
    pub coupon: Option<String>,
    pub promotion_code: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub id: String,
    pub price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<i64>,
}

impl Flow {
    /// The subscription that it is about.
    pub fn subscription(&self) -> Option<&str> {
        let of = self.subscription_pause.as_ref().or(self.subscription_update.as_ref()).map(|of| &of.subscription);
        let cancel = self.subscription_cancel.as_ref().map(|cancel| &cancel.subscription);
        let confirm = self.subscription_update_confirm.as_ref().map(|confirm| &confirm.subscription);
        of.or(cancel).or(confirm).map(String::as_str)
    }

    pub fn retention_coupon(&self) -> Option<&str> {
        let retention = self.subscription_cancel.as_ref()?.retention.as_ref()?;
        Some(&retention.coupon_offer.coupon)
    }

    /// The change that waits to be confirmed, where it is one of these.
    pub fn wished(&self, subscription: &Subscription) -> Option<Wished> {
        let confirm = self.subscription_update_confirm.as_ref().filter(|own| own.subscription == subscription.id)?;
        let asked = confirm.items.first()?;
        let item = subscription.items.iter().find(|item| item.id == asked.id)?;
        Some(Wished {
            subscription: subscription.id.clone(),
            item: item.id.clone(),
            price: asked.price.clone().unwrap_or_else(|| item.price.id.clone()),
            quantity: asked.quantity.unwrap_or(item.quantity),
            discount: confirm.discounts.as_ref().and_then(|given| given.first()).and_then(Discount::given),
        })
    }
}

impl Discount {
    fn given(&self) -> Option<Given> {
        let coupon = self.coupon.clone().map(Wanted::Coupon);
        coupon.or(self.promotion_code.clone().map(Wanted::PromotionCode)).map(Given::ByMerchant)
    }
}

/// Refuses a flow that its configuration does not allow, or that leads nowhere for this customer. Errors name the field
/// in the caller's terms: `flow_data[subscription_cancel][subscription]`.
pub async fn check(tx: &mut Tx, who: &Actor, allowed: &Configuration, customer: &str, flow: &Flow) -> Result<()> {
    check_after(who, &flow.after_completion)?;
    check_shape(flow)?;
    if !is_on(&allowed.features, flow.r#type) {
        let message = format!("A flow of type {} needs that feature in the portal configuration.", flow.r#type.name());
        return Err(Error::invalid("flow_data[type]", message));
    }
    let Some(id) = flow.subscription() else { return Ok(()) };
    let param = format!("flow_data[{}][subscription]", flow.r#type.name());
    let subscription = subscription::get(tx, who, id).await.map_err(|error| error.on(&param))?;
    if subscription.customer != customer {
        return Err(Error::missing("subscription", id).on(param));
    }
    let is_open = match flow.r#type {
        FlowType::SubscriptionCancel => !subscription.status.is_ended() && subscription.goes_on(),
        FlowType::SubscriptionPause => pausing::is_pausable(&subscription),
        _ => change::is_changeable(&subscription),
    };
    if !is_open {
        let message =
            format!("The subscription is {}, or ends: nothing of it can be changed so.", subscription.status.name());
        return Err(Error::invalid(param, message));
    }
    if let Some(coupon) = flow.retention_coupon() {
        let param = "flow_data[subscription_cancel][retention][coupon_offer][coupon]";
        coupon::get(tx, who, coupon).await.map_err(|error| error.on(param))?;
    }
    match &flow.subscription_update_confirm {
        Some(confirm) => Box::pin(check_confirm(tx, who, allowed, flow, confirm, &subscription)).await,
        None => Ok(()),
    }
}

fn is_on(features: &Features, flow: FlowType) -> bool {
    match flow {
        FlowType::CustomerUpdate => features.customer_update.enabled,
        FlowType::PaymentMethodUpdate => features.payment_method_update.enabled,
        FlowType::SubscriptionCancel => features.subscription_cancel.enabled,
        FlowType::SubscriptionPause => features.subscription_pause.enabled,
        FlowType::SubscriptionUpdate | FlowType::SubscriptionUpdateConfirm => features.subscription_update.enabled,
    }
}

fn check_after(who: &Actor, after: &AfterCompletion) -> Result<()> {
    let param = |field: &str| format!("flow_data[after_completion][{field}]");
    if (after.r#type == After::Redirect) != after.redirect.is_some() {
        return Err(Error::invalid(param("redirect"), "A redirect, and nothing else, says where to."));
    }
    if after.hosted_confirmation.is_some() && after.r#type != After::HostedConfirmation {
        return Err(Error::invalid(param("hosted_confirmation"), "Only a hosted confirmation has a message."));
    }
    if let Some(redirect) = &after.redirect {
        check_url(&redirect.return_url, who.tenant.livemode, &param("redirect][return_url"))?;
    }
    let message = after.hosted_confirmation.as_ref().and_then(|own| own.custom_message.as_deref());
    check_text(message.unwrap_or_default(), 500, &param("hosted_confirmation][custom_message"))
}

/// What is said is of its type, and of no other.
fn check_shape(flow: &Flow) -> Result<()> {
    let said = [
        (FlowType::SubscriptionCancel, flow.subscription_cancel.is_some()),
        (FlowType::SubscriptionPause, flow.subscription_pause.is_some()),
        (FlowType::SubscriptionUpdate, flow.subscription_update.is_some()),
        (FlowType::SubscriptionUpdateConfirm, flow.subscription_update_confirm.is_some()),
    ];
    for (kind, is_said) in said {
        if is_said != (kind == flow.r#type) {
            let message = format!("`{}` is for flows of that type, which must have it.", kind.name());
            return Err(Error::invalid(format!("flow_data[{}]", kind.name()), message));
        }
    }
    Ok(())
}

async fn check_confirm(
    tx: &mut Tx,
    who: &Actor,
    allowed: &Configuration,
    flow: &Flow,
    confirm: &Confirm,
    subscription: &Subscription,
) -> Result<()> {
    let within = |field: &str| format!("flow_data[subscription_update_confirm]{field}");
    let [item] = confirm.items.as_slice() else {
        return Err(Error::invalid(within("[items]"), "Exactly one item can be changed in a flow."));
    };
    if confirm.discounts.as_ref().is_some_and(|given| given.len() > 1) {
        return Err(Error::invalid(within("[discounts]"), "At most one discount can be given in a flow."));
    }
    for discount in confirm.discounts.iter().flatten() {
        match (&discount.coupon, &discount.promotion_code) {
            (Some(id), None) => {
                _ = coupon::get(tx, who, id).await.map_err(|error| error.on(within("[discounts][0][coupon]")))?;
            }
            (None, Some(id)) => {
                let param = within("[discounts][0][promotion_code]");
                _ = promotion_code::get(tx, who, id).await.map_err(|error| error.on(param))?;
            }
            _ => return Err(Error::invalid(within("[discounts][0]"), "A discount is a coupon or a promotion code.")),
        }
    }
    let missing = || Error::missing("subscription_item", &item.id).on(within("[items][0][id]"));
    let wished = flow.wished(subscription).ok_or_else(missing)?;
    may_write(who, true)?;
    change::plan(tx, who, allowed, &wished).await.map(|_| ()).map_err(|error| match error {
        Error::Invalid { param, code, message } => {
            let param =
                if param == "promotion_code" { within("[discounts]") } else { within(&format!("[items][0][{param}]")) };
            Error::Invalid { param, code, message }
        }
        other => other,
    })
}
