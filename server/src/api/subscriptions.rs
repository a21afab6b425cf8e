//! Subscriptions: create (and collect the first invoice), retrieve, update, cancel, list.

use billing::subscription::create::{PaymentBehavior, Trial};
use billing::subscription::{
    self, CollectionMethod, Feedback, MissingPaymentMethod, NewItem, NewSubscription, PaymentSettings, Status,
    StatusFilter, SubscriptionFilter, SubscriptionUpdate, TrialSettings, cancel as ending,
};
use billing::{Currency, Error, Patch, Result, invoice, payment, transact, wire};

use super::answer::Reply;
use super::call::{Call, Ready};
use super::discounts;
use super::expand::{Kind, Shape};
use super::list;
use super::params::{Params, missing, unsupported};

/// Known at creation and later, and not supported yet.
const UNSUPPORTED: &[&str] = &[
    "add_invoice_items",
    "application_fee_percent",
    "billing_cycle_anchor",
    "billing_schedules",
    "billing_thresholds",
    "default_source",
    "invoice_settings",
    "on_behalf_of",
    "pending_invoice_item_interval",
    "transfer_data",
];
const UNSUPPORTED_AT_CREATION: &[&str] = &["backdate_start_date", "billing_cycle_anchor_config", "customer_account"];
const UNSUPPORTED_LATER: &[&str] = &[
    "cancel_at",
    "collection_method",
    "days_until_due",
    "items",
    "pause_collection",
    "payment_settings",
    "proration_date",
    "trial_end",
    "trial_from_plan",
    "trial_settings",
];
const UNSUPPORTED_OF_ITEMS: &[&str] = &["billing_thresholds", "current_trial", "plan", "price_data"];

/// The subscription is made and committed, then its first invoice is charged, then the answer is given. The request's
/// key knows the subscription from the start: sent again after a crash, the request goes on instead of beginning anew.
pub async fn create(mut call: Call) -> Result<Reply> {
    let new = read_new(&mut call.params)?;
    let currency = call.params.word("currency", Currency::parse)?;
    let call = call.ready(Shape::One(Kind::Subscription))?;
    let id = match call.made() {
        Some(made) => made.to_owned(),
        None => match begin(&call, new, currency).await? {
            Begun::Answered(reply) => return Ok(reply),
            Begun::Unpaid(id) => id,
        },
    };
    collect(&call, &id).await?;
    change!(call, |tx| {
        // Only the key changes here; the subscription was changed when it was made and when it was paid.
        tx.unaudited();
        wire::subscription(&call.who.tenant, &subscription::get(tx, &call.who, &id).await?)
    })
}

enum Begun {
    Answered(Reply),
    /// To be charged now.
    Unpaid(String),
}

async fn begin(call: &Ready, new: NewSubscription, currency: Option<Currency>) -> Result<Begun> {
    transact!(call.app.db, |tx| {
        let created = subscription::create::create(tx, &call.who, new.clone()).await?;
        let subscription = created.subscription;
        check_currency(currency.as_ref(), &subscription.currency)?;
        if created.collect {
            call.note(tx, &subscription.id).await?;
            return Ok(Begun::Unpaid(subscription.id));
        }
        let reply = call.keep(tx, wire::subscription(&call.who.tenant, &subscription)).await?;
        Ok(Begun::Answered(reply))
    })
}

fn check_currency(wanted: Option<&Currency>, actual: &Currency) -> Result<()> {
    match wanted {
        Some(wanted) if wanted != actual => {
            let message = format!("The currency of the subscription's prices is {actual}, not {wanted}.");
            Err(Error::invalid("currency", message))
        }
        _ => Ok(()),
    }
}

/// Charges the first invoice, unless that has been done. A decline leaves the subscription `incomplete`, which is no
/// error here; so does a charge whose fate is not known yet.
async fn collect(call: &Ready, id: &str) -> Result<()> {
    let mut tx = call.read().await?;
    let subscription = subscription::get(&mut tx, &call.who, id).await?;
    let Some(first) = subscription.latest_invoice else { return Ok(()) };
    let invoice = invoice::get(&mut tx, &call.who, &first).await?;
    drop(tx);
    if invoice.status != invoice::Status::Open || invoice.attempted {
        return Ok(());
    }
    match payment::collect(&call.app.db, call.app.gateway.clone(), &call.who, &first).await {
        Ok(_) | Err(Error::Busy) => Ok(()),
        Err(other) => Err(other),
    }
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Subscription))?;
    let mut tx = call.read().await?;
    let subscription = subscription::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::subscription(&call.who.tenant, &subscription)).await
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let customer = call.params.text("customer")?;
    list_for(call, customer, "/v1/subscriptions").await
}

pub async fn list_of_customer(mut call: Call) -> Result<Reply> {
    let customer = std::mem::take(&mut call.id);
    let url = format!("/v1/customers/{customer}/subscriptions");
    list_for(call, Some(customer), &url).await
}

async fn list_for(mut call: Call, customer: Option<String>, url: &str) -> Result<Reply> {
    let params = &mut call.params;
    let page = list::page(params)?;
    let status = params.word("status", parse_status)?.unwrap_or_default();
    let filter = SubscriptionFilter { customer, status, price: params.text("price")? };
    params.unsupported(&[
        "automatic_tax",
        "collection_method",
        "current_period_end",
        "current_period_start",
        "customer_account",
        "plan",
        "test_clock",
    ])?;
    let call = call.ready(Shape::Many(Kind::Subscription))?;
    let mut tx = call.read().await?;
    if let Some(customer) = &filter.customer {
        billing::customer::get_or_deleted(&mut tx, &call.who, customer).await.map_err(|e| e.on("customer"))?;
    }
    let found = subscription::list(&mut tx, &call.who, &page, &filter).await?;
    call.show_list(&mut tx, url, found, |s| wire::subscription(&call.who.tenant, s)).await
}

fn parse_status(text: &str, param: &str) -> Result<StatusFilter> {
    match text {
        "all" => Ok(StatusFilter::All),
        "ended" => Ok(StatusFilter::Ended),
        _ => Status::parse(text, param).map(StatusFilter::Is).map_err(|_| {
            Error::invalid(param, format!("Invalid {param}: must be one of {}, all, ended", Status::ALL.join(", ")))
        }),
    }
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let update = read_update(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::Subscription))?;
    change!(call, |tx| {
        let subscription = subscription::update::update(tx, &call.who, &id, update.clone()).await?;
        wire::subscription(&call.who.tenant, &subscription)
    })
}

pub async fn cancel(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let (comment, feedback) = read_cancellation(&mut call.params)?;
    call.params.fixed("invoice_now", &["false"])?;
    call.params.fixed("prorate", &["false"])?;
    let call = call.ready(Shape::One(Kind::Subscription))?;
    let (comment, feedback) = (comment.into_option(), feedback.into_option());
    change!(call, |tx| {
        let subscription = ending::now(tx, &call.who, &id, feedback, comment.clone()).await?;
        wire::subscription(&call.who.tenant, &subscription)
    })
}

fn read_cancellation(params: &mut Params) -> Result<(Patch<String>, Patch<Feedback>)> {
    let details = params.object("cancellation_details", |details| {
        details.unsupported(&["feedback_option"])?;
        Ok((details.patch_text("comment")?, details.patch_word("feedback", Feedback::parse)?))
    })?;
    Ok(details.unwrap_or_default())
}

fn read_update(params: &mut Params) -> Result<SubscriptionUpdate> {
    let (comment, feedback) = read_cancellation(params)?;
    read_habits(params)?;
    params.unsupported(UNSUPPORTED_LATER)?;
    Ok(SubscriptionUpdate {
        cancel_at_period_end: params.boolean("cancel_at_period_end")?,
        comment,
        feedback,
        default_payment_method: params.patch_text("default_payment_method")?,
        default_tax_rates: params.patch_texts("default_tax_rates")?,
        automatic_tax: read_automatic_tax(params)?,
        discounts: discounts::read(params)?,
        description: params.patch_text("description")?,
        metadata: params.metadata()?,
    })
}

fn read_new(params: &mut Params) -> Result<NewSubscription> {
    read_habits(params)?;
    params.unsupported(UNSUPPORTED_AT_CREATION)?;
    params.object("billing_mode", |mode| {
        mode.fixed("type", &["flexible"])?;
        mode.unsupported(&["flexible"])
    })?;
    Ok(NewSubscription {
        customer: params.required_text("customer")?,
        items: params.objects("items", read_item)?.unwrap_or_default(),
        trial: read_trial(params)?,
        trial_settings: read_trial_settings(params)?,
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
        payment_settings: read_payment_settings(params)?,
        default_tax_rates: params.patch_texts("default_tax_rates")?.into_option().unwrap_or_default(),
        automatic_tax: read_automatic_tax(params)?.unwrap_or(false),
        discounts: discounts::read(params)?.into_option().unwrap_or_default(),
        description: params.patch_text("description")?.into_option(),
        metadata: params.metadata()?,
    })
}

/// What SDK users say by habit and what changes nothing here: every charge is off-session, and nothing is prorated
/// where no item changes.
fn read_habits(params: &mut Params) -> Result<()> {
    params.boolean("off_session")?;
    params.word("proration_behavior", billing::portal::features::Proration::parse)?;
    params.unsupported(UNSUPPORTED)
}

/// Whether the merchant's rates for where the customer is apply.
fn read_automatic_tax(params: &mut Params) -> Result<Option<bool>> {
    params.object("automatic_tax", |tax| {
        tax.unsupported(&["liability"])?;
        tax.boolean("enabled")?.ok_or_else(|| missing(tax.name("enabled")))
    })
}

fn read_item(item: &mut Params) -> Result<NewItem> {
    item.unsupported(UNSUPPORTED_OF_ITEMS)?;
    Ok(NewItem {
        price: item.required_text("price")?,
        quantity: item.integer("quantity")?,
        tax_rates: item.patch_texts("tax_rates")?.into_option().unwrap_or_default(),
        discounts: item.patch_objects("discounts", discounts::read_one)?.into_option().unwrap_or_default(),
        metadata: item.metadata()?,
    })
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

fn read_trial_settings(params: &mut Params) -> Result<TrialSettings> {
    let settings = params.object("trial_settings", |settings| {
        settings.required_object("end_behavior", |end| end.word("missing_payment_method", MissingPaymentMethod::parse))
    })?;
    Ok(settings
        .flatten()
        .map_or_else(TrialSettings::default, |missing_payment_method| TrialSettings { missing_payment_method }))
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

fn parse_payment_behavior(text: &str, param: &str) -> Result<PaymentBehavior> {
    match text {
        "error_if_incomplete" | "pending_if_incomplete" => Err(unsupported(param)),
        _ => PaymentBehavior::parse(text, param),
    }
}

fn read_payment_settings(params: &mut Params) -> Result<PaymentSettings> {
    let settings = params.object("payment_settings", |settings| {
        settings.unsupported(&["payment_method_options"])?;
        Ok(PaymentSettings {
            payment_method_types: settings.patch_texts("payment_method_types")?.into_option(),
            save_default_payment_method: settings.word("save_default_payment_method", parse_save)?,
        })
    })?;
    Ok(settings.unwrap_or_default())
}

fn parse_save(text: &str, param: &str) -> Result<String> {
    match text {
        "off" | "on_subscription" => Ok(text.to_owned()),
        _ => Err(Error::invalid(param, format!("Invalid {param}: must be one of off, on_subscription"))),
    }
}
