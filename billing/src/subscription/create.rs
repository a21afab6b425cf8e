//! Starting a subscription: its items, its trial, its first period and the invoice for it.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::catalog::tax_rate;
use crate::clock::Seconds;
use crate::customer::{self, Customer, payment_method};
use crate::discount::Wanted;
use crate::error::{Error, Result};
use crate::invoice::{self, Invoice};
use crate::patch::{MetadataPatch, Patch, check_text, merge_metadata};
use crate::period::Recurring;
use crate::store::{Json, Tx, run};
use crate::subscription::items::{self, ItemChange, NewItem};
use crate::subscription::turn::check_trial_end;
use crate::subscription::update::check_taxes;
use crate::subscription::{
    AddedItem, CollectionMethod, Item, PaymentSettings, ProrationBehavior, Status, Subscription, TrialSettings, added,
    announce, columns, discounts, first,
};
use crate::text_enum::text_enum;
use crate::{id, payment};

const MOST_DAYS_UNTIL_DUE: i64 = 3650;

text_enum!(
    /// What becomes of a start or a change that is not paid for at once: it is made and owed; it is made, and not
    /// charged before the customer confirms; it is not made; a change waits for its payment.
    PaymentBehavior {
        AllowIncomplete = "allow_incomplete",
        DefaultIncomplete = "default_incomplete",
        ErrorIfIncomplete = "error_if_incomplete",
        PendingIfIncomplete = "pending_if_incomplete",
    }
);

impl PaymentBehavior {
    /// Whether a change is made only once it is paid for.
    pub(crate) fn waits(self) -> bool {
        matches!(self, Self::PendingIfIncomplete | Self::ErrorIfIncomplete)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewSubscription {
    pub customer: String,
    pub items: Vec<NewItem>,
    /// Billed once, with the first invoice.
    pub add_invoice_items: Vec<AddedItem>,
    /// That it began in the past: the time since then is billed with the first invoice, unless
    /// [`NewSubscription::proration_behavior`] is `none`.
    pub backdate_start_date: Option<Seconds>,
    /// Where whole periods begin; until then a part of one is billed. `None` is now.
    pub billing_cycle_anchor: Option<Seconds>,
    /// Whether that part costs anything: all but `none` say so.
    pub proration_behavior: ProrationBehavior,
    pub trial: Trial,
    pub trial_settings: TrialSettings,
    pub cancel_at_period_end: bool,
    pub cancel_at: Option<Seconds>,
    pub default_payment_method: Option<String>,
    pub collection_method: CollectionMethod,
    pub days_until_due: Option<i64>,
    pub payment_behavior: PaymentBehavior,
    pub payment_settings: PaymentSettings,
    /// Ids.
    pub default_tax_rates: Vec<String>,
    pub automatic_tax: bool,
    pub discounts: Vec<Wanted>,
    pub description: Option<String>,
    pub metadata: MetadataPatch,
}

/// How long nothing is charged at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trial {
    None,
    Days(i64),
    Until(Seconds),
    /// As long as the price says (`trial_from_plan`).
    FromPrice,
}

/// A subscription just made and the invoice of its first period, still to be collected if it is open.
pub struct Created {
    pub subscription: Subscription,
    pub invoice: Invoice,
    /// Whether the door is to charge the invoice now.
    pub collect: bool,
}

pub async fn create(tx: &mut Tx, who: &Actor, new: NewSubscription) -> Result<Created> {
    if new.payment_behavior == PaymentBehavior::PendingIfIncomplete {
        let message =
            "`pending_if_incomplete` lets a change wait for its payment; here there is nothing to change yet.";
        return Err(Error::invalid("payment_behavior", message));
    }
    let customer = customer::get(tx, who, &new.customer).await.map_err(|e| e.on("customer"))?;
    let now = customer::now(tx, who, &customer).await?;
    if new.items.is_empty() {
        let message = "Missing required param: items.".into();
        return Err(Error::Invalid { param: "items".into(), code: "parameter_missing", message });
    }
    let id = id::new("sub", tx.now);
    let changes: Vec<ItemChange> = new.items.iter().cloned().map(ItemChange::from).collect();
    let items = items::change(tx, who, (&id, &[]), customer.currency.as_ref(), &changes, now).await?.kept;
    let mut subscription = assemble(tx, who, &customer, &new, (id, items), now).await?;
    begin(&mut subscription, &new, now)?;
    redeem(tx, who, &mut subscription, &new, now).await?;
    let mut lines = first::lines(tx, who, &subscription, new.proration_behavior).await?;
    lines.extend(added::lines(tx, who, &subscription, &new.add_invoice_items, now).await?);
    insert(tx, who, &mut subscription).await?;
    let mut invoice = invoice::bill_period(tx, who, &subscription, "subscription_create", lines, now).await?;
    subscription.latest_invoice = Some(invoice.id.clone());
    let collect = decide_status(&customer, &mut subscription, &new, invoice.amount_due)?;
    super::save(tx, who, &mut subscription).await?;
    announce(tx, who, None, &subscription, "customer.subscription.created", &["customer.subscription.created"]).await?;
    let collect = collect && invoice.status == invoice::Status::Open;
    if collect {
        payment::expect(tx, who, &mut invoice).await?;
    }
    Ok(Created { subscription, invoice, collect })
}

async fn redeem(
    tx: &mut Tx,
    who: &Actor,
    subscription: &mut Subscription,
    new: &NewSubscription,
    now: Seconds,
) -> Result<()> {
    for (n, item) in new.items.iter().enumerate() {
        let (item, wanted) = (format!("items[{n}]"), Patch::Set(item.discounts.clone()));
        discounts::set_of_item(tx, who, subscription, (n, &item), &wanted, now).await?;
    }
    discounts::set(tx, who, subscription, &Patch::Set(new.discounts.clone()), now).await
}

fn trial_end(trial: &Trial, items: &[Item], now: Seconds) -> Result<Option<Seconds>> {
    let end = match trial {
        Trial::None => return Ok(None),
        Trial::Days(0) => return Ok(None),
        Trial::Days(days) if (1..=730).contains(days) => now.plus(days * 86_400),
        Trial::Days(_) => return Err(Error::invalid("trial_period_days", "A trial lasts up to 730 days.")),
        Trial::Until(end) => *end,
        Trial::FromPrice => match items.iter().filter_map(|item| item.price.trial_period_days).max() {
            Some(days) if days > 0 => now.plus(days * 86_400),
            _ => return Ok(None),
        },
    };
    check_trial_end(end, now)?;
    Ok(Some(end))
}

async fn assemble(
    tx: &mut Tx,
    who: &Actor,
    customer: &Customer,
    new: &NewSubscription,
    (id, items): (String, Vec<Item>),
    now: Seconds,
) -> Result<Subscription> {
    let (currency, _) = items::common_terms(&items)?;
    if let Some(method) = &new.default_payment_method {
        payment_method::of_customer(tx, who, &customer.id, method).await.map_err(|e| e.on("default_payment_method"))?;
    }
    let default_tax_rates = tax_rate::named(tx, who, &new.default_tax_rates, "default_tax_rates").await?;
    check_taxes(&default_tax_rates, new.automatic_tax)?;
    check_days_until_due(new.collection_method, new.days_until_due)?;
    if new.cancel_at.is_some_and(|at| at <= now) {
        return Err(Error::invalid("cancel_at", "cancel_at must be in the future."));
    }
    if new.cancel_at.is_some() && new.cancel_at_period_end {
        return Err(Error::invalid("cancel_at", "Give cancel_at or cancel_at_period_end, not both."));
    }
    check_text(new.description.as_deref().unwrap_or_default(), 500, "description")?;
    let mut metadata = Default::default();
    merge_metadata(&mut metadata, new.metadata.clone())?;
    Ok(Subscription {
        id,
        customer: customer.id.clone(),
        clock_id: customer.clock_id.clone(),
        status: Status::Incomplete,
        currency,
        collection_method: new.collection_method,
        days_until_due: new.days_until_due,
        billing_cycle_anchor: now,
        cycle: 0,
        current_period_start: now,
        current_period_end: now,
        start_date: now,
        trial_start: None,
        trial_end: None,
        cancel_at: new.cancel_at,
        cancel_at_period_end: new.cancel_at_period_end,
        canceled_at: None,
        ended_at: None,
        cancellation_details: Json::default(),
        pause_collection: None,
        paused_at: None,
        resumes_at: None,
        pending_update: None,
        pending_update_expires_at: None,
        pending_setup_intent: None,
        default_payment_method: new.default_payment_method.clone(),
        default_tax_rates: Json(default_tax_rates),
        automatic_tax: new.automatic_tax,
        trial_settings: Json(new.trial_settings.clone()),
        payment_settings: Json(new.payment_settings.clone()),
        invoice_settings: Json(serde_json::json!({})),
        latest_invoice: None,
        description: new.description.clone(),
        metadata: Json(metadata),
        told: None,
        next_due: None,
        parked_at: None,
        created: now,
        version: 1,
        items,
        discounts: Vec::new(),
        scheduled: None,
    })
}

/// Sets the first period of a subscription whose items are known.
fn begin(subscription: &mut Subscription, new: &NewSubscription, now: Seconds) -> Result<()> {
    let (_, recurring) = items::common_terms(&subscription.items)?;
    let trial_end = trial_end(&new.trial, &subscription.items, now)?;
    let anchor = anchor(new, trial_end, recurring, now)?;
    subscription.start_date = start_date(new, trial_end, now)?;
    // What comes before the anchor, a trial or a part of a period, is period -1.
    subscription.billing_cycle_anchor = anchor;
    subscription.cycle = if anchor > now { -1 } else { 0 };
    subscription.current_period_end = recurring.start_of(anchor, subscription.cycle + 1)?;
    if new.backdate_start_date.is_some() {
        let whole = recurring.start_of(anchor, subscription.cycle)?;
        subscription.current_period_start = whole.max(subscription.start_date);
    }
    (subscription.trial_start, subscription.trial_end) = (trial_end.map(|_| now), trial_end);
    if new.cancel_at_period_end {
        subscription.cancel_at = Some(subscription.current_period_end);
    }
    if subscription.cancel_at.is_some() {
        subscription.canceled_at = Some(now);
        subscription.cancellation_details.0.reason = Some("cancellation_requested".into());
    }
    for item in &mut subscription.items {
        item.current_period_start = subscription.current_period_start;
        item.current_period_end = subscription.current_period_end;
    }
    Ok(())
}

fn start_date(new: &NewSubscription, trial_end: Option<Seconds>, now: Seconds) -> Result<Seconds> {
    let Some(date) = new.backdate_start_date else { return Ok(now) };
    let refuse = |code, message: &str| {
        let (param, message) = ("backdate_start_date".into(), message.into());
        Err(Error::Invalid { param, code, message })
    };
    match trial_end {
        Some(_) => refuse("parameter_unsupported", "A trial that began in the past is not supported here."),
        None if date > now => refuse("parameter_invalid", "backdate_start_date cannot be in the future."),
        None => Ok(date),
    }
}

/// Where whole periods begin: at the end of the trial, at the instant that was asked for, or now.
fn anchor(new: &NewSubscription, trial_end: Option<Seconds>, recurring: Recurring, now: Seconds) -> Result<Seconds> {
    let refuse = |code, message: &str| {
        let (param, message) = ("billing_cycle_anchor".into(), message.into());
        Err(Error::Invalid { param, code, message })
    };
    match (new.billing_cycle_anchor, trial_end) {
        (None, trial_end) => Ok(trial_end.unwrap_or(now)),
        (Some(_), Some(_)) => {
            refuse("parameter_unsupported", "A trial with an anchor of its own is not supported here.")
        }
        (Some(anchor), None) if anchor < now => {
            refuse("parameter_invalid", "billing_cycle_anchor cannot be in the past.")
        }
        (Some(anchor), None) if anchor > recurring.start_of(now, 1)? => refuse(
            "parameter_invalid",
            "billing_cycle_anchor cannot be later than the next natural billing date of the subscription.",
        ),
        (Some(anchor), None) => Ok(anchor),
    }
}

pub(crate) fn check_days_until_due(method: CollectionMethod, days: Option<i64>) -> Result<()> {
    let refuse = |message: &str| Err(Error::invalid("days_until_due", message));
    match (method, days) {
        (CollectionMethod::SendInvoice, None) => {
            refuse("days_until_due is required when collection_method is send_invoice.")
        }
        (CollectionMethod::SendInvoice, Some(days)) if !(0..=MOST_DAYS_UNTIL_DUE).contains(&days) => {
            refuse("An invoice is due within ten years.")
        }
        (CollectionMethod::ChargeAutomatically, Some(_)) => {
            refuse("days_until_due is allowed only when collection_method is send_invoice.")
        }
        _ => Ok(()),
    }
}

/// Sets the state to start in, and says whether money is to be collected at once.
fn decide_status(
    customer: &Customer,
    subscription: &mut Subscription,
    new: &NewSubscription,
    amount_due: i64,
) -> Result<bool> {
    subscription.status = match (subscription.trial_end, new.collection_method) {
        (Some(_), _) => Status::Trialing,
        (None, CollectionMethod::SendInvoice) => Status::Active,
        (None, CollectionMethod::ChargeAutomatically) if amount_due == 0 => Status::Active,
        (None, CollectionMethod::ChargeAutomatically) => Status::Incomplete,
    };
    let is_charged = amount_due > 0 && new.collection_method == CollectionMethod::ChargeAutomatically;
    if !is_charged || new.payment_behavior == PaymentBehavior::DefaultIncomplete {
        return Ok(false);
    }
    if new.default_payment_method.is_none() && customer.default_payment_method.is_none() {
        let message = "This customer has no attached payment source or default payment method. Please consider adding a default payment method.";
        return Err(Error::Invalid {
            param: "default_payment_method".into(),
            code: "resource_missing",
            message: message.into(),
        });
    }
    Ok(true)
}

async fn insert(tx: &mut Tx, who: &Actor, s: &mut Subscription) -> Result<()> {
    s.next_due = s.due();
    run!(
        tx,
        concat!(
            "insert into subscription (tenant, ",
            columns!(),
            ", wakes_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
             $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41)"
        ),
        who.tenant.key,
        &s.id,
        &s.customer,
        &s.clock_id,
        s.status,
        &s.currency,
        s.collection_method,
        s.days_until_due,
        s.billing_cycle_anchor,
        s.cycle,
        s.current_period_start,
        s.current_period_end,
        s.start_date,
        s.trial_start,
        s.trial_end,
        s.cancel_at,
        s.cancel_at_period_end,
        s.canceled_at,
        s.ended_at,
        &s.cancellation_details,
        &s.pause_collection,
        s.paused_at,
        s.resumes_at,
        &s.pending_update,
        s.pending_update_expires_at,
        &s.pending_setup_intent,
        &s.default_payment_method,
        &s.default_tax_rates,
        s.automatic_tax,
        &s.trial_settings,
        &s.payment_settings,
        &s.invoice_settings,
        &s.latest_invoice,
        &s.description,
        &s.metadata,
        s.told,
        s.next_due,
        s.parked_at,
        s.created,
        s.version,
        s.wakes()
    )?;
    for item in &s.items {
        items::insert(tx, who, item).await?;
    }
    Ok(())
}
