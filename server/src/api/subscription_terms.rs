//! The parameters of a subscription, at its start and later.

use billing::catalog::PriceData;
use billing::subscription::cancel::Cancellation;
use billing::subscription::collection::{Behavior, PauseCollection};
use billing::subscription::create::{PaymentBehavior, Trial};
use billing::subscription::{
    AddedItem, Anchor, CollectionMethod, Feedback, ItemChange, MissingPaymentMethod, NewItem, NewSubscription,
    PaymentSettings, ProrationBehavior, SubscriptionUpdate, TrialEnd, TrialSettings,
};
use billing::{Error, Patch, Result};

use super::params::{Params, missing, unsupported};
use super::{discounts, prices};

/// Known at creation and later, and not supported yet.
const UNSUPPORTED: &[&str] = &[
    "application_fee_percent",
    "billing_schedules",
    "billing_thresholds",
    "default_source",
    "invoice_settings",
    "on_behalf_of",
    "pending_invoice_item_interval",
    "transfer_data",
];
const UNSUPPORTED_AT_CREATION: &[&str] = &["billing_cycle_anchor_config", "customer_account"];
const UNSUPPORTED_LATER: &[&str] = &["trial_from_plan"];
const UNSUPPORTED_OF_ITEMS: &[&str] = &["billing_thresholds", "current_trial"];

/// What is said of a cancellation.
#[derive(Default)]
struct Said {
    comment: Patch<String>,
    feedback: Patch<Feedback>,
    feedback_option: Patch<String>,
}

fn read_cancellation(params: &mut Params) -> Result<Said> {
    let details = params.object("cancellation_details", |details| {
        Ok(Said {
            comment: details.patch_text("comment")?,
            feedback: details.patch_word("feedback", Feedback::parse)?,
            feedback_option: details.patch_text("feedback_option")?,
        })
    })?;
    Ok(details.unwrap_or_default())
}

/// How it ends at once.
pub(super) fn read_end(params: &mut Params) -> Result<Cancellation> {
    let said = read_cancellation(params)?;
    Ok(Cancellation {
        comment: said.comment.into_option(),
        feedback: said.feedback.into_option(),
        feedback_option: said.feedback_option.into_option(),
        prorate: params.boolean("prorate")?.unwrap_or(false),
        invoice_now: params.boolean("invoice_now")?.unwrap_or(false),
    })
}

pub(super) fn read_update(params: &mut Params) -> Result<SubscriptionUpdate> {
    let said = read_cancellation(params)?;
    read_habits(params)?;
    params.unsupported(UNSUPPORTED_LATER)?;
    Ok(SubscriptionUpdate {
        items: params.objects("items", read_item_change)?.unwrap_or_default(),
        add_invoice_items: params.objects("add_invoice_items", read_added)?.unwrap_or_default(),
        proration_behavior: params.word("proration_behavior", ProrationBehavior::parse)?,
        proration_date: params.timestamp("proration_date")?,
        billing_cycle_anchor: params.word("billing_cycle_anchor", Anchor::parse)?,
        trial_end: read_trial_end(params)?,
        payment_behavior: params.word("payment_behavior", PaymentBehavior::parse)?,
        cancel_at_period_end: params.boolean("cancel_at_period_end")?,
        cancel_at: read_new_cancel_at(params)?,
        comment: said.comment,
        feedback: said.feedback,
        feedback_option: said.feedback_option,
        collection_method: params.word("collection_method", CollectionMethod::parse)?,
        days_until_due: params.integer("days_until_due")?,
        payment_settings: read_payment_settings(params)?,
        default_payment_method: params.patch_text("default_payment_method")?,
        default_tax_rates: params.patch_texts("default_tax_rates")?,
        automatic_tax: read_automatic_tax(params)?,
        discounts: discounts::read(params)?,
        pause_collection: params.patch_object("pause_collection", read_pause_collection)?,
        trial_settings: read_trial_settings(params)?,
        description: params.patch_text("description")?,
        metadata: params.metadata()?,
    })
}

pub(super) fn read_new(params: &mut Params) -> Result<NewSubscription> {
    read_habits(params)?;
    params.unsupported(UNSUPPORTED_AT_CREATION)?;
    params.object("billing_mode", |mode| {
        mode.fixed("type", &["flexible"])?;
        mode.unsupported(&["flexible"])
    })?;
    Ok(NewSubscription {
        customer: params.required_text("customer")?,
        items: params.objects("items", read_item)?.unwrap_or_default(),
        add_invoice_items: params.objects("add_invoice_items", read_added)?.unwrap_or_default(),
        backdate_start_date: params.timestamp("backdate_start_date")?,
        billing_cycle_anchor: params.timestamp("billing_cycle_anchor")?,
        proration_behavior: params
            .word("proration_behavior", ProrationBehavior::parse)?
            .unwrap_or(ProrationBehavior::CreateProrations),
        trial: read_trial(params)?,
        trial_settings: read_trial_settings(params)?.unwrap_or_default(),
        cancel_at_period_end: params.boolean("cancel_at_period_end")?.unwrap_or(false),
        cancel_at: read_cancel_at(params)?,
        default_payment_method: params.patch_text("default_payment_method")?.into_option(),
        collection_method: params
            .word("collection_method", CollectionMethod::parse)?
            .unwrap_or(CollectionMethod::ChargeAutomatically),
        days_until_due: params.integer("days_until_due")?,
        payment_behavior: params
            .word("payment_behavior", parse_payment_behavior)?
            .unwrap_or(PaymentBehavior::AllowIncomplete),
        payment_settings: read_payment_settings(params)?.unwrap_or_default(),
        default_tax_rates: params.patch_texts("default_tax_rates")?.into_option().unwrap_or_default(),
        automatic_tax: read_automatic_tax(params)?.unwrap_or(false),
        discounts: discounts::read(params)?.into_option().unwrap_or_default(),
        description: params.patch_text("description")?.into_option(),
        metadata: params.metadata()?,
    })
}

/// What SDK users say by habit and what changes nothing here: every charge is off-session.
fn read_habits(params: &mut Params) -> Result<()> {
    params.boolean("off_session")?;
    params.unsupported(UNSUPPORTED)
}

/// Whether the merchant's rates for where the customer is apply.
pub(super) fn read_automatic_tax(params: &mut Params) -> Result<Option<bool>> {
    params.object("automatic_tax", |tax| {
        tax.unsupported(&["liability"])?;
        tax.boolean("enabled")?.ok_or_else(|| missing(tax.name("enabled")))
    })
}

pub(super) fn read_item(item: &mut Params) -> Result<NewItem> {
    item.unsupported(UNSUPPORTED_OF_ITEMS)?;
    let (price, price_data) = read_priced(item, true)?;
    if price.is_none() && price_data.is_none() {
        return Err(missing(item.name("price")));
    }
    Ok(NewItem {
        price: price.unwrap_or_default(),
        price_data,
        quantity: item.integer("quantity")?,
        tax_rates: item.patch_texts("tax_rates")?.into_option().unwrap_or_default(),
        discounts: item.patch_objects("discounts", discounts::read_one)?.into_option().unwrap_or_default(),
        metadata: item.metadata()?,
    })
}

/// A price that is named, or said: one of the two.
pub(super) fn read_priced(item: &mut Params, recurs: bool) -> Result<(Option<String>, Option<PriceData>)> {
    let (named, said) = (read_price(item)?, item.object("price_data", |data| prices::read_data(data, recurs))?);
    match (&named, &said) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: price, price_data.";
            Err(Error::invalid(item.name("price_data"), message))
        }
        _ => Ok((named, said)),
    }
}

/// `plan` is its older name.
fn read_price(item: &mut Params) -> Result<Option<String>> {
    match (item.text("price")?, item.text("plan")?) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: price, plan.";
            Err(Error::invalid(item.name("plan"), message))
        }
        (price, plan) => Ok(price.or(plan)),
    }
}

pub(super) fn read_item_change(item: &mut Params) -> Result<ItemChange> {
    item.unsupported(UNSUPPORTED_OF_ITEMS)?;
    item.unsupported(&["clear_usage"])?;
    let (price, price_data) = read_priced(item, true)?;
    Ok(ItemChange {
        id: item.text("id")?,
        price,
        price_data,
        quantity: item.integer("quantity")?,
        deleted: item.boolean("deleted")?.unwrap_or(false),
        tax_rates: item.patch_texts("tax_rates")?,
        discounts: item.patch_objects("discounts", discounts::read_one)?,
        metadata: item.metadata()?,
    })
}

fn read_added(item: &mut Params) -> Result<AddedItem> {
    item.unsupported(&["discounts", "period"])?;
    let (price, price_data) = (item.text("price")?, item.object("price_data", |data| prices::read_data(data, false))?);
    if price.is_some() == price_data.is_some() {
        let message = "One of price and price_data is needed, and not both.";
        let (param, code) = (item.name("price"), "parameter_missing");
        return Err(Error::Invalid { param, code, message: message.into() });
    }
    Ok(AddedItem {
        price: price.unwrap_or_default(),
        price_data,
        quantity: item.integer("quantity")?,
        tax_rates: item.patch_texts("tax_rates")?.into_option().unwrap_or_default(),
        metadata: item.metadata()?,
    })
}

pub(super) fn read_trial_end(params: &mut Params) -> Result<Option<TrialEnd>> {
    if params.is_text("trial_end", "now") {
        params.text("trial_end")?;
        return Ok(Some(TrialEnd::Now));
    }
    Ok(params.timestamp("trial_end")?.map(TrialEnd::At))
}

fn read_trial(params: &mut Params) -> Result<Trial> {
    let is_now = params.is_text("trial_end", "now");
    let end = if is_now { params.text("trial_end")?.and(None) } else { params.timestamp("trial_end")? };
    let days = params.integer("trial_period_days")?;
    let from_price = params.boolean("trial_from_plan")?.unwrap_or(false);
    let said = usize::from(is_now || end.is_some()) + usize::from(days.is_some()) + usize::from(from_price);
    if said > 1 {
        let message = "You may only specify one of these parameters: trial_end, trial_period_days, trial_from_plan.";
        return Err(Error::invalid("trial_end", message));
    }
    Ok(match (end, days) {
        (Some(end), _) => Trial::Until(end),
        (None, Some(days)) => Trial::Days(days),
        (None, None) if from_price => Trial::FromPrice,
        (None, None) => Trial::None,
    })
}

fn read_trial_settings(params: &mut Params) -> Result<Option<TrialSettings>> {
    let settings = params.object("trial_settings", |settings| {
        settings.required_object("end_behavior", |end| end.word("missing_payment_method", MissingPaymentMethod::parse))
    })?;
    Ok(settings.flatten().map(|missing_payment_method| TrialSettings { missing_payment_method }))
}

fn read_pause_collection(pause: &mut Params) -> Result<PauseCollection> {
    let behavior = pause.word("behavior", Behavior::parse)?.ok_or_else(|| missing(pause.name("behavior")));
    Ok(PauseCollection { resumes_at: pause.timestamp("resumes_at")?, behavior: behavior? })
}

/// An instant. Stripe's words for one (`min_period_end`, …) are not supported.
fn read_cancel_at(params: &mut Params) -> Result<Option<billing::Seconds>> {
    for word in ["max_billed_until", "max_period_end", "min_period_end"] {
        if params.is_text("cancel_at", word) {
            return Err(unsupported("cancel_at"));
        }
    }
    params.timestamp("cancel_at")
}

/// The same of one that runs already: `""` takes it back.
pub(super) fn read_new_cancel_at(params: &mut Params) -> Result<Patch<billing::Seconds>> {
    if params.is_text("cancel_at", "") {
        params.patch_text("cancel_at")?;
        return Ok(Patch::Clear);
    }
    Ok(read_cancel_at(params)?.map_or(Patch::Keep, Patch::Set))
}

fn parse_payment_behavior(text: &str, param: &str) -> Result<PaymentBehavior> {
    match text {
        "pending_if_incomplete" => Err(unsupported(param)),
        _ => PaymentBehavior::parse(text, param),
    }
}

fn read_payment_settings(params: &mut Params) -> Result<Option<PaymentSettings>> {
    params.object("payment_settings", |settings| {
        settings.unsupported(&["payment_method_options"])?;
        Ok(PaymentSettings {
            payment_method_types: settings.patch_texts("payment_method_types")?.into_option(),
            save_default_payment_method: settings.word("save_default_payment_method", parse_save)?,
        })
    })
}

fn parse_save(text: &str, param: &str) -> Result<String> {
    match text {
        "off" | "on_subscription" => Ok(text.to_owned()),
        _ => Err(Error::invalid(param, format!("Invalid {param}: must be one of off, on_subscription"))),
    }
}
