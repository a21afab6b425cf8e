//! What a portal configuration lets a customer do: Stripe's features, field by field.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::subscription::Feedback;
use crate::text_enum::text_enum;

text_enum!(AllowedUpdate { Address = "address", Email = "email", Name = "name", Phone = "phone", Shipping = "shipping", TaxId = "tax_id" });
text_enum!(CancelMode { AtPeriodEnd = "at_period_end", Immediately = "immediately" });
text_enum!(Proration { AlwaysInvoice = "always_invoice", CreateProrations = "create_prorations", None = "none" });
text_enum!(ChangeAllowed { Price = "price", PromotionCode = "promotion_code", Quantity = "quantity" });
text_enum!(Anchor { Now = "now", Unchanged = "unchanged" });
text_enum!(TrialUpdate { ContinueTrial = "continue_trial", EndTrial = "end_trial" });
text_enum!(Condition { DecreasingItemAmount = "decreasing_item_amount", ShorteningInterval = "shortening_interval" });
text_enum!(PauseDuration { Indefinite = "indefinite", IntervalOptions = "interval_options" });

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Features {
    pub customer_update: CustomerUpdate,
    pub invoice_history: Toggle,
    pub payment_method_update: PaymentMethodUpdate,
    pub subscription_cancel: SubscriptionCancel,
    pub subscription_pause: SubscriptionPause,
    pub subscription_update: SubscriptionUpdate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toggle {
    pub enabled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerUpdate {
    pub allowed_updates: Vec<AllowedUpdate>,
    pub enabled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentMethodUpdate {
    pub enabled: bool,
    pub payment_method_configuration: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionCancel {
    pub cancellation_reason: CancellationReason,
    pub enabled: bool,
    pub mode: CancelMode,
    pub proration_behavior: Proration,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancellationReason {
    pub enabled: bool,
    /// Ids of feedback options, in the order in which they are shown.
    pub feedback_options: Option<Vec<String>>,
    pub options: Vec<Feedback>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionPause {
    /// Ours: a pause begins when what is paid for ends, rather than now with credit for the rest.
    #[serde(default = "yes")]
    pub at_period_end: bool,
    pub duration: Duration,
    pub enabled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duration {
    pub interval_options: Vec<IntervalOption>,
    pub r#type: PauseDuration,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntervalOption {
    pub interval: crate::period::Interval,
    #[serde(default = "one")]
    pub interval_count: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionUpdate {
    pub billing_cycle_anchor: Option<Anchor>,
    pub default_allowed_updates: Vec<ChangeAllowed>,
    pub enabled: bool,
    pub products: Vec<AllowedProduct>,
    pub proration_behavior: Proration,
    pub schedule_at_period_end: Schedule,
    pub trial_update_behavior: TrialUpdate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowedProduct {
    #[serde(default)]
    pub adjustable_quantity: AdjustableQuantity,
    /// Empty: every active price of the product.
    #[serde(default)]
    pub prices: Vec<String>,
    pub product: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdjustableQuantity {
    pub enabled: bool,
    #[serde(default)]
    pub maximum: Option<i64>,
    #[serde(default = "one")]
    pub minimum: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    pub conditions: Vec<ScheduleCondition>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleCondition {
    pub r#type: Condition,
}

fn one() -> i64 {
    1
}

fn yes() -> bool {
    true
}

impl Default for AdjustableQuantity {
    fn default() -> Self {
        Self { enabled: false, maximum: None, minimum: 1 }
    }
}

/// Everything off: what a configuration says nothing of is not allowed (Stripe).
impl Default for Features {
    fn default() -> Self {
        Self {
            customer_update: CustomerUpdate { allowed_updates: Vec::new(), enabled: false },
            invoice_history: Toggle { enabled: false },
            payment_method_update: PaymentMethodUpdate { enabled: false, payment_method_configuration: None },
            subscription_cancel: SubscriptionCancel {
                cancellation_reason: CancellationReason { enabled: false, feedback_options: None, options: Vec::new() },
                enabled: false,
                mode: CancelMode::AtPeriodEnd,
                proration_behavior: Proration::None,
            },
            subscription_pause: SubscriptionPause {
                at_period_end: true,
                duration: Duration { interval_options: Vec::new(), r#type: PauseDuration::Indefinite },
                enabled: false,
            },
            subscription_update: SubscriptionUpdate {
                billing_cycle_anchor: None,
                default_allowed_updates: Vec::new(),
                enabled: false,
                products: Vec::new(),
                proration_behavior: Proration::None,
                schedule_at_period_end: Schedule { conditions: Vec::new() },
                trial_update_behavior: TrialUpdate::EndTrial,
            },
        }
    }
}

impl Features {
    /// What a new merchant's default configuration allows.
    pub fn usual() -> Self {
        let allowed_updates = vec![
            AllowedUpdate::Address,
            AllowedUpdate::Email,
            AllowedUpdate::Name,
            AllowedUpdate::Phone,
            AllowedUpdate::TaxId,
        ];
        let mut features =
            Self { customer_update: CustomerUpdate { allowed_updates, enabled: true }, ..Self::default() };
        features.invoice_history.enabled = true;
        features.payment_method_update.enabled = true;
        features.subscription_cancel.enabled = true;
        features.subscription_cancel.cancellation_reason = CancellationReason {
            enabled: true,
            feedback_options: None,
            options: vec![
                Feedback::TooExpensive,
                Feedback::MissingFeatures,
                Feedback::SwitchedService,
                Feedback::Unused,
                Feedback::CustomerService,
                Feedback::TooComplex,
                Feedback::LowQuality,
                Feedback::Other,
            ],
        };
        features
    }

    /// Refuses what contradicts itself, naming the field.
    pub fn check(&self) -> Result<()> {
        let refuse = |field: &str, message: &str| Err(Error::invalid(format!("features[{field}]"), message));
        let cancel = &self.subscription_cancel;
        if cancel.proration_behavior == Proration::AlwaysInvoice {
            return refuse(
                "subscription_cancel][proration_behavior",
                "A cancellation prorates with `create_prorations` or `none`.",
            );
        }
        if cancel.mode == CancelMode::AtPeriodEnd && cancel.proration_behavior != Proration::None {
            return refuse(
                "subscription_cancel][proration_behavior",
                "There is nothing to prorate when canceling at the end of the period.",
            );
        }
        if cancel.cancellation_reason.enabled
            && cancel.cancellation_reason.options.is_empty()
            && cancel.cancellation_reason.feedback_options.as_ref().is_none_or(Vec::is_empty)
        {
            return refuse(
                "subscription_cancel][cancellation_reason][options",
                "Asking for a reason needs at least one option.",
            );
        }
        if self.customer_update.enabled && self.customer_update.allowed_updates.is_empty() {
            return refuse(
                "customer_update][allowed_updates",
                "Allowing updates needs at least one field that may change.",
            );
        }
        let pause = &self.subscription_pause;
        let chooses = pause.duration.r#type == PauseDuration::IntervalOptions;
        if pause.enabled && chooses && pause.duration.interval_options.is_empty() {
            return refuse(
                "subscription_pause][duration][interval_options",
                "Choosing how long to pause needs at least one option.",
            );
        }
        if pause
            .duration
            .interval_options
            .iter()
            .any(|option| !(1..=option.interval.most()).contains(&option.interval_count))
        {
            return refuse(
                "subscription_pause][duration][interval_options",
                "A pause lasts from one interval to three years.",
            );
        }
        let update = &self.subscription_update;
        if update.enabled && (update.default_allowed_updates.is_empty() || update.products.is_empty()) {
            let field = if update.products.is_empty() { "products" } else { "default_allowed_updates" };
            return refuse(
                &format!("subscription_update][{field}"),
                "Allowing changes needs products and what may change.",
            );
        }
        for (n, product) in update.products.iter().enumerate() {
            let quantity = &product.adjustable_quantity;
            if quantity.minimum < 0 || quantity.maximum.is_some_and(|most| most < quantity.minimum) {
                return refuse(
                    &format!("subscription_update][products][{n}][adjustable_quantity][maximum"),
                    "The maximum must not be below the minimum.",
                );
            }
        }
        Ok(())
    }
}
