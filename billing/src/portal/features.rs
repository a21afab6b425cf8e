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
text_enum!(OfferKind { Coupon = "coupon", FreeDays = "free_days", Pause = "pause", Price = "price" });
text_enum!(PauseDuration { Indefinite = "indefinite", IntervalOptions = "interval_options" });

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Features {
    pub customer_update: CustomerUpdate,
    pub invoice_history: Toggle,
    pub payment_method_update: PaymentMethodUpdate,
    pub subscription_cancel: SubscriptionCancel,
    /// Ours.
    #[serde(default)]
    pub subscription_create: SubscriptionCreate,
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
            invoice_history: Toggle { enabled: false },
            payment_method_update: PaymentMethodUpdate { enabled: false, payment_method_configuration: None },
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
            required: false,
        };
        features
    }

    /// Refuses what contradicts itself, naming the field.
    pub fn check(&self) -> Result<()> {
        if self.customer_update.enabled && self.customer_update.allowed_updates.is_empty() {
            return refuse(
                "customer_update][allowed_updates",
                "Allowing updates needs at least one field that may change.",
            );
        }
        self.check_cancel()?;
        self.check_offers()?;
        self.check_pause()?;
        self.check_create()?;
        self.check_update()
    }

    fn check_cancel(&self) -> Result<()> {
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
        let question = &cancel.cancellation_reason;
        let has_own = question.feedback_options.as_ref().is_some_and(|own| !own.is_empty());
        if question.enabled && question.options.is_empty() && !has_own {
            return refuse(
                "subscription_cancel][cancellation_reason][options",
                "Asking for a reason needs at least one option.",
            );
        }
        if question.required && !question.enabled {
            return refuse(
                "subscription_cancel][cancellation_reason][required",
                "A reason that is not asked for cannot be required.",
            );
        }
        Ok(())
    }

    fn check_offers(&self) -> Result<()> {
        let cancel = &self.subscription_cancel;
        let OfferLimit { count, months } = cancel.offer_limit;
        if !(0..=100).contains(&count) || !(1..=120).contains(&months) {
            let field = if (1..=120).contains(&months) { "count" } else { "months" };
            let message = "Up to 100 offers in 1 to 120 months may be taken.";
            return refuse(&format!("subscription_cancel][offer_limit][{field}"), message);
        }
        let question = &cancel.cancellation_reason;
        let own = question.feedback_options.as_deref().unwrap_or_default();
        for (n, offer) in cancel.offers.iter().enumerate() {
            let at = |field: &str| format!("subscription_cancel][offers][{n}][{field}");
            let given = [
                (OfferKind::Coupon, offer.coupon.is_some(), "coupon"),
                (OfferKind::FreeDays, offer.free_days.is_some(), "free_days"),
                (OfferKind::Price, offer.price.is_some(), "price"),
            ];
            for (kind, is_given, field) in given {
                if is_given != (kind == offer.r#type) {
                    let message = format!("An offer of type {} has `{field}`, and no other has.", kind.name());
                    return refuse(&at(field), &message);
                }
            }
            if offer.free_days.is_some_and(|days| !(1..=365).contains(&days)) {
                return refuse(&at("free_days"), "From 1 to 365 days may be free.");
            }
            if offer.r#type == OfferKind::Pause && !self.subscription_pause.enabled {
                return refuse(&at("type"), "Offering a pause needs `subscription_pause` to be enabled.");
            }
            let may_change = self.subscription_update.enabled
                && self.subscription_update.default_allowed_updates.contains(&ChangeAllowed::Price);
            if offer.r#type == OfferKind::Price && !may_change {
                return refuse(&at("type"), "Offering a price needs `subscription_update` to allow changes of price.");
            }
            for (m, reason) in offer.reasons.iter().enumerate() {
                let is_usual = question.options.iter().any(|word| word.name() == reason);
                if !(question.enabled && (is_usual || own.contains(reason))) {
                    return refuse(&at(&format!("reasons][{m}")), "This is not one of the reasons that are asked for.");
                }
            }
        }
        Ok(())
    }

    fn check_pause(&self) -> Result<()> {
        let pause = &self.subscription_pause;
        let chooses = pause.duration.r#type == PauseDuration::IntervalOptions;
        let field = "subscription_pause][duration][interval_options";
        if pause.enabled && chooses && pause.duration.interval_options.is_empty() {
            return refuse(field, "Choosing how long to pause needs at least one option.");
        }
        let lasts = |option: &IntervalOption| (1..=option.interval.most()).contains(&option.interval_count);
        if !pause.duration.interval_options.iter().all(lasts) {
            return refuse(field, "A pause lasts from one interval to three years.");
        }
        Ok(())
    }

    fn check_update(&self) -> Result<()> {
        let update = &self.subscription_update;
        if update.enabled && (update.default_allowed_updates.is_empty() || update.products.is_empty()) {
            let field = if update.products.is_empty() { "products" } else { "default_allowed_updates" };
            return refuse(
                &format!("subscription_update][{field}"),
                "Allowing changes needs products and what may change.",
            );
        }
        check_quantities("subscription_update", &update.products)
    }

    fn check_create(&self) -> Result<()> {
        let create = &self.subscription_create;
        if create.enabled && create.products.is_empty() {
            return refuse("subscription_create][products", "Selling needs products.");
        }
        check_quantities("subscription_create", &create.products)
    }
}

fn check_quantities(feature: &str, products: &[AllowedProduct]) -> Result<()> {
    for (n, product) in products.iter().enumerate() {
        let quantity = &product.adjustable_quantity;
        if quantity.minimum < 0 || quantity.maximum.is_some_and(|most| most < quantity.minimum) {
            return refuse(
                &format!("{feature}][products][{n}][adjustable_quantity][maximum"),
                "The maximum must not be below the minimum.",
            );
        }
    }
    Ok(())
}

fn refuse(field: &str, message: &str) -> Result<()> {
    Err(Error::invalid(format!("features[{field}]"), message))
}
