//! What a portal configuration lets a customer do: Stripe's features, field by field.

mod check;
mod named;

use serde::{Deserialize, Serialize};

use crate::customer::payment_method::MethodType;
use crate::subscription::Feedback;
use crate::text_enum::text_enum;

pub(in crate::portal) use named::check_named;

text_enum!(AllowedUpdate { Address = "address", Email = "email", Name = "name", Phone = "phone", Shipping = "shipping", TaxId = "tax_id" });
text_enum!(CancelMode { AtPeriodEnd = "at_period_end", Immediately = "immediately" });
text_enum!(Proration {
    AlwaysInvoice = "always_invoice",
    CreateProrations = "create_prorations",
    // Ours: new less old, whatever the date.
    FullDifference = "full_difference",
    None = "none",
});
text_enum!(ChargeTiming { Immediately = "immediately", PeriodEnd = "period_end" });
text_enum!(Effective { AtPeriodEnd = "at_period_end", Immediately = "immediately" });
text_enum!(ChangeAllowed { Price = "price", PromotionCode = "promotion_code", Quantity = "quantity" });
text_enum!(Anchor { Now = "now", Unchanged = "unchanged" });
text_enum!(TrialUpdate { ContinueTrial = "continue_trial", EndTrial = "end_trial" });
text_enum!(Condition { DecreasingItemAmount = "decreasing_item_amount", ShorteningInterval = "shortening_interval" });
text_enum!(OfferKind { Coupon = "coupon", FreeDays = "free_days", Pause = "pause", Price = "price" });
text_enum!(PauseDuration { Indefinite = "indefinite", IntervalOptions = "interval_options" });

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Features {
    pub customer_update: CustomerUpdate,
    /// Ours.
    #[serde(default)]
    pub embedding: Embedding,
    pub invoice_history: Toggle,
    /// Ours: open invoices can be paid.
    #[serde(default)]
    pub invoice_payment: Toggle,
    pub payment_method_update: PaymentMethodUpdate,
    pub subscription_cancel: SubscriptionCancel,
    /// Ours.
    #[serde(default)]
    pub subscription_create: SubscriptionCreate,
    pub subscription_pause: SubscriptionPause,
    pub subscription_update: SubscriptionUpdate,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Ours: what may be added; the section is not shown where nothing may.
    #[serde(default = "every_type")]
    pub accepted_types: Vec<MethodType>,
    pub enabled: bool,
    pub payment_method_configuration: Option<String>,
}

impl PaymentMethodUpdate {
    /// Whether there is anything to manage: the section is hidden when no kind is left.
    pub fn is_open(&self) -> bool {
        self.enabled && !self.accepted_types.is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionCancel {
    pub cancellation_reason: CancellationReason,
    pub enabled: bool,
    pub mode: CancelMode,
    /// Ours: how often one customer may take an offer.
    #[serde(default)]
    pub offer_limit: OfferLimit,
    /// Ours: what is offered instead.
    #[serde(default)]
    pub offers: Vec<CancelOffer>,
    pub proration_behavior: Proration,
    /// Ours: short for one offer of this coupon, whatever the reason.
    #[serde(default)]
    pub retention_coupon_id: Option<String>,
}

/// Pages that may show the portal in a frame.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// Origins, as a browser writes them: `https://app.example.com`.
    #[serde(default)]
    pub parent_origins: Vec<String>,
}

/// What a customer without a subscription may buy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionCreate {
    pub enabled: bool,
    #[serde(default)]
    pub products: Vec<AllowedProduct>,
}

/// Of its type, and of no other, it says what is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelOffer {
    #[serde(default)]
    pub coupon: Option<String>,
    /// How many days later the next payment is.
    #[serde(default)]
    pub free_days: Option<i64>,
    /// One of the prices that plans may be changed to.
    #[serde(default)]
    pub price: Option<String>,
    /// The reasons it is for: Stripe's words or ids of feedback options; empty: all.
    #[serde(default)]
    pub reasons: Vec<String>,
    pub r#type: OfferKind,
}

/// So many in so many months; a pause or a cheaper price is no favour, and not counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferLimit {
    #[serde(default = "one")]
    pub count: i64,
    #[serde(default = "twelve")]
    pub months: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancellationReason {
    pub enabled: bool,
    /// Ids of feedback options, in the order in which they are shown.
    pub feedback_options: Option<Vec<String>>,
    pub options: Vec<Feedback>,
    /// Ours: without one nobody is let on.
    #[serde(default)]
    pub required: bool,
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
    /// Ours: every active product that is paid for again and again, in place of `products`.
    #[serde(default)]
    pub all_products: bool,
    pub billing_cycle_anchor: Option<Anchor>,
    /// Ours: when a change is charged, which itself happens at once. It says no more than `proration_behavior` does, but
    /// for `full_difference`, which is charged at once or with the next invoice.
    #[serde(default)]
    pub charge_timing: Option<ChargeTiming>,
    pub default_allowed_updates: Vec<ChangeAllowed>,
    pub enabled: bool,
    pub products: Vec<AllowedProduct>,
    pub proration_behavior: Proration,
    pub schedule_at_period_end: Schedule,
    /// Ours: which price may go to which. The first that fits rules; where there are any, what none fits is not offered.
    #[serde(default)]
    pub transitions: Vec<Transition>,
    pub trial_update_behavior: TrialUpdate,
}

/// A move from one price to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// How many days after the last move it may be made.
    #[serde(default)]
    pub cooldown_days: Option<i64>,
    /// When it takes effect, whatever `schedule_at_period_end` says.
    #[serde(default)]
    pub effective: Option<Effective>,
    /// `None`: any price.
    #[serde(default)]
    pub from: Option<String>,
    /// `None`: any price.
    #[serde(default)]
    pub to: Option<String>,
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

fn every_type() -> Vec<MethodType> {
    MethodType::EVERY.to_vec()
}

fn one() -> i64 {
    1
}

fn twelve() -> i64 {
    12
}

fn yes() -> bool {
    true
}

impl Default for OfferLimit {
    fn default() -> Self {
        Self { count: 1, months: 12 }
    }
}

impl CancelOffer {
    /// A coupon, whatever the reason.
    pub fn of_coupon(coupon: &str) -> Self {
        Self {
            coupon: Some(coupon.into()),
            free_days: None,
            price: None,
            reasons: Vec::new(),
            r#type: OfferKind::Coupon,
        }
    }
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
            embedding: Embedding::default(),
            invoice_history: Toggle::default(),
            invoice_payment: Toggle::default(),
            payment_method_update: PaymentMethodUpdate {
                accepted_types: every_type(),
                enabled: false,
                payment_method_configuration: None,
            },
            subscription_cancel: SubscriptionCancel {
                cancellation_reason: CancellationReason {
                    enabled: false,
                    feedback_options: None,
                    options: Vec::new(),
                    required: false,
                },
                enabled: false,
                mode: CancelMode::AtPeriodEnd,
                offer_limit: OfferLimit::default(),
                offers: Vec::new(),
                proration_behavior: Proration::None,
                retention_coupon_id: None,
            },
            subscription_create: SubscriptionCreate::default(),
            subscription_pause: SubscriptionPause {
                at_period_end: true,
                duration: Duration { interval_options: Vec::new(), r#type: PauseDuration::Indefinite },
                enabled: false,
            },
            subscription_update: SubscriptionUpdate {
                all_products: false,
                billing_cycle_anchor: None,
                charge_timing: None,
                default_allowed_updates: Vec::new(),
                enabled: false,
                products: Vec::new(),
                proration_behavior: Proration::None,
                schedule_at_period_end: Schedule { conditions: Vec::new() },
                transitions: Vec::new(),
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
        features.invoice_payment.enabled = true;
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
            required: false,
        };
        features
    }
}
