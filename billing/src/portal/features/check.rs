//! What a configuration may say: contradictions are refused by the name of the field.

use super::{
    AllowedProduct, CancelMode, ChangeAllowed, ChargeTiming, Features, IntervalOption, OfferKind, OfferLimit,
    PauseDuration, Proration, SubscriptionUpdate, Transition,
};
use crate::error::{Error, Result};
use crate::portal::configuration::check_url;

impl Features {
    /// Refuses what contradicts itself, naming the field.
    pub fn check(&self, livemode: bool) -> Result<()> {
        if self.customer_update.enabled && self.customer_update.allowed_updates.is_empty() {
            return refuse(
                "customer_update][allowed_updates",
                "Allowing updates needs at least one field that may change.",
            );
        }
        self.check_embedding(livemode)?;
        self.check_methods()?;
        self.check_cancel()?;
        self.check_offers()?;
        self.check_pause()?;
        self.check_create()?;
        self.check_update()
    }

    fn check_embedding(&self, livemode: bool) -> Result<()> {
        for (n, origin) in self.embedding.parent_origins.iter().enumerate() {
            let field = format!("embedding][parent_origins][{n}");
            check_url(origin, livemode, &format!("features[{field}]"))?;
            if !url::Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin) {
                return refuse(&field, "An origin has a scheme, a host and perhaps a port, and nothing after them.");
            }
        }
        Ok(())
    }

    fn check_methods(&self) -> Result<()> {
        let types = &self.payment_method_update.accepted_types;
        match types.iter().enumerate().find(|(n, kind)| types[..*n].contains(kind)) {
            Some((n, _)) => {
                refuse(&format!("payment_method_update][accepted_types][{n}"), "This type is listed twice.")
            }
            None => Ok(()),
        }
    }

    fn check_cancel(&self) -> Result<()> {
        let cancel = &self.subscription_cancel;
        if matches!(cancel.proration_behavior, Proration::AlwaysInvoice | Proration::FullDifference) {
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
        let says_nothing = update.default_allowed_updates.is_empty() || update.products.is_empty();
        if update.enabled && says_nothing && !update.all_products {
            let field = if update.products.is_empty() { "products" } else { "default_allowed_updates" };
            return refuse(
                &format!("subscription_update][{field}"),
                "Allowing changes needs products and what may change.",
            );
        }
        if update.all_products && !update.products.is_empty() {
            return refuse("subscription_update][products", "All products are allowed already.");
        }
        check_charge(update)?;
        check_transitions(update)?;
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

/// When it is charged follows from how it is prorated, but for the full difference.
fn check_charge(update: &SubscriptionUpdate) -> Result<()> {
    let fits = match (update.proration_behavior, update.charge_timing) {
        (_, None) | (Proration::FullDifference, _) => true,
        (Proration::AlwaysInvoice, Some(timing)) => timing == ChargeTiming::Immediately,
        (Proration::CreateProrations, Some(timing)) => timing == ChargeTiming::PeriodEnd,
        (Proration::None, Some(_)) => false,
    };
    let message = "`always_invoice` charges `immediately`, `create_prorations` at the `period_end`, `none` never.";
    if fits { Ok(()) } else { refuse("subscription_update][charge_timing", message) }
}

fn check_transitions(update: &SubscriptionUpdate) -> Result<()> {
    for (n, transition) in update.transitions.iter().enumerate() {
        let at = |field: &str| format!("subscription_update][transitions][{n}{field}");
        if transition.cooldown_days.is_some_and(|days| !(1..=3_650).contains(&days)) {
            return refuse(&at("][cooldown_days"), "From 1 to 3650 days may lie between two changes.");
        }
        if transition.from.is_some() && transition.from == transition.to {
            return refuse(&at("][to"), "A price does not go to itself.");
        }
        let fits = |other: &Transition| (&other.from, &other.to) == (&transition.from, &transition.to);
        if update.transitions[..n].iter().any(fits) {
            return refuse(&at(""), "This transition is listed twice.");
        }
    }
    Ok(())
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
