//! Starting a subscription: its items, its trial, its first period and the invoice for it.

use crate::actor::Actor;
use crate::catalog;
use crate::catalog::price::PriceType;
use crate::catalog::tax_rate;
use crate::clock::Seconds;
use crate::customer::{self, Customer, payment_method};
use crate::discount::Wanted;
use crate::error::{Error, Result};
use crate::id;
use crate::invoice::{self, Invoice, NewLine};
use crate::money::Currency;
use crate::patch::{MetadataPatch, Patch, check_text, merge_metadata};
use crate::period::Recurring;
use crate::store::{Json, Tx, run};
use crate::subscription::update::check_taxes;
use crate::subscription::{
    CollectionMethod, Item, PaymentSettings, Status, Subscription, TrialSettings, announce, columns, discounts,
};
use crate::text_enum::text_enum;

const MOST_ITEMS: usize = 20;
const MOST_DAYS_UNTIL_DUE: i64 = 3650;
const MOST_TRIAL: i64 = 730 * 86_400;

text_enum!(PaymentBehavior { AllowIncomplete = "allow_incomplete", DefaultIncomplete = "default_incomplete" });

#[derive(Debug, Clone)]
pub struct NewItem {
    pub price: String,
    pub quantity: Option<i64>,
    /// Ids of rates that apply instead of the subscription's.
    pub tax_rates: Vec<String>,
    pub discounts: Vec<Wanted>,
    pub metadata: MetadataPatch,
}

#[derive(Debug, Clone)]
pub struct NewSubscription {
    pub customer: String,
    pub items: Vec<NewItem>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    let customer = customer::get(tx, who, &new.customer).await.map_err(|e| e.on("customer"))?;
    let now = customer::now(tx, who, &customer).await?;
    let prices = read_prices(tx, who, &customer, &new.items).await?;
    let terms = common_terms(&prices)?;
    let trial_end = trial_end(&new.trial, &prices, now)?;
    let mut subscription = assemble(tx, who, &customer, &new, now, trial_end, terms).await?;
    for (position, (item, (price, product_name))) in new.items.iter().zip(prices).enumerate() {
        let tax_rates = tax_rate::named(tx, who, &item.tax_rates, &format!("items[{position}][tax_rates]")).await?;
        let mut metadata = Default::default();
        merge_metadata(&mut metadata, item.metadata.clone())
            .map_err(|e| e.on(format!("items[{position}][metadata]")))?;
        subscription.items.push(Item {
            id: id::new("si", tx.now),
            subscription: subscription.id.clone(),
            position: i64::try_from(position).unwrap_or_default(),
            quantity: item.quantity.unwrap_or(1),
            price,
            product_name,
            current_period_start: subscription.current_period_start,
            current_period_end: subscription.current_period_end,
            tax_rates,
            discounts: Vec::new(),
            metadata,
            created: now,
        });
    }
    for (n, item) in subscription.items.iter().enumerate() {
        item.price.amount(item.quantity).map_err(|e| e.on(format!("items[{n}][quantity]")))?;
    }
    redeem(tx, who, &mut subscription, &new, now).await?;
    let lines = first_lines(&subscription)?;
    insert(tx, who, &mut subscription).await?;
    let invoice = invoice::bill_period(tx, who, &subscription, "subscription_create", lines, now).await?;
    subscription.latest_invoice = Some(invoice.id.clone());
    let collect = decide_status(&customer, &mut subscription, &new, invoice.amount_due)?;
    super::save(tx, who, &mut subscription).await?;
    announce(tx, who, None, &subscription, "customer.subscription.created", &["customer.subscription.created"]).await?;
    let collect = collect && invoice.status == invoice::Status::Open;
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

async fn read_prices(
    tx: &mut Tx,
    who: &Actor,
    customer: &Customer,
    items: &[NewItem],
) -> Result<Vec<(catalog::Price, String)>> {
    if items.is_empty() {
        return Err(Error::Invalid {
            param: "items".into(),
            code: "parameter_missing",
            message: "Missing required param: items.".into(),
        });
    }
    if items.len() > MOST_ITEMS {
        return Err(Error::invalid("items", format!("A subscription has up to {MOST_ITEMS} items.")));
    }
    let mut prices: Vec<(catalog::Price, String)> = Vec::new();
    for (n, item) in items.iter().enumerate() {
        let param = format!("items[{n}][price]");
        let price = catalog::price::get(tx, who, &item.price).await.map_err(|e| e.on(&param))?;
        if !price.active {
            return Err(Error::invalid(
                param,
                format!("The price specified is inactive. This field only accepts active prices: {}", price.id),
            ));
        }
        if price.r#type != PriceType::Recurring {
            return Err(Error::invalid(
                param,
                "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            ));
        }
        let currency = customer.currency.as_ref().or(prices.first().map(|(p, _)| &p.currency));
        if currency.is_some_and(|c| *c != price.currency) {
            return Err(Error::invalid(param, "You cannot combine currencies on a single customer or subscription."));
        }
        if prices.iter().any(|(other, _)| other.id == price.id) {
            return Err(Error::invalid(
                param,
                "A price can stand on a subscription once: change its quantity instead.",
            ));
        }
        if item.quantity.is_some_and(|q| !(0..=999_999).contains(&q)) {
            return Err(Error::invalid(format!("items[{n}][quantity]"), "Invalid integer: a quantity is 0 to 999999."));
        }
        let product = catalog::product::get(tx, who, &price.product).await?;
        prices.push((price, product.name));
    }
    Ok(prices)
}

/// The currency and interval that all items share.
fn common_terms(prices: &[(catalog::Price, String)]) -> Result<(Currency, Recurring)> {
    let first = prices.first().and_then(|(price, _)| Some((price.currency.clone(), price.recurring()?)));
    match first {
        Some(first) if prices.iter().all(|(price, _)| price.recurring() == Some(first.1)) => Ok(first),
        _ => {
            Err(Error::invalid("items", "All prices of a subscription must have the same interval and interval_count."))
        }
    }
}

fn trial_end(trial: &Trial, prices: &[(catalog::Price, String)], now: Seconds) -> Result<Option<Seconds>> {
    let end = match trial {
        Trial::None => return Ok(None),
        Trial::Days(0) => return Ok(None),
        Trial::Days(days) if (1..=730).contains(days) => now.plus(days * 86_400),
        Trial::Days(_) => return Err(Error::invalid("trial_period_days", "A trial lasts up to 730 days.")),
        Trial::Until(end) => *end,
        Trial::FromPrice => match prices.iter().filter_map(|(price, _)| price.trial_period_days).max() {
            Some(days) if days > 0 => now.plus(days * 86_400),
            _ => return Ok(None),
        },
    };
    if end <= now || end.0 - now.0 > MOST_TRIAL {
        return Err(Error::invalid("trial_end", "Invalid timestamp: a trial ends in the future, within 730 days."));
    }
    Ok(Some(end))
}

async fn assemble(
    tx: &mut Tx,
    who: &Actor,
    customer: &Customer,
    new: &NewSubscription,
    now: Seconds,
    trial_end: Option<Seconds>,
    (currency, recurring): (Currency, Recurring),
) -> Result<Subscription> {
    if let Some(method) = &new.default_payment_method {
        payment_method::of_customer(tx, who, &customer.id, method).await.map_err(|e| e.on("default_payment_method"))?;
    }
    let default_tax_rates = tax_rate::named(tx, who, &new.default_tax_rates, "default_tax_rates").await?;
    check_taxes(&default_tax_rates, new.automatic_tax)?;
    check_days_until_due(new)?;
    if new.cancel_at.is_some_and(|at| at <= now) {
        return Err(Error::invalid("cancel_at", "cancel_at must be in the future."));
    }
    if new.cancel_at.is_some() && new.cancel_at_period_end {
        return Err(Error::invalid("cancel_at", "Give cancel_at or cancel_at_period_end, not both."));
    }
    check_text(new.description.as_deref().unwrap_or_default(), 500, "description")?;
    let mut metadata = Default::default();
    merge_metadata(&mut metadata, new.metadata.clone())?;
    // A trial is period 0 of an anchor at its end; without one the first period starts now.
    let anchor = trial_end.unwrap_or(now);
    let (cycle, end) = if let Some(end) = trial_end { (-1, end) } else { (0, recurring.start_of(now, 1)?) };
    let cancel_at = if new.cancel_at_period_end { Some(end) } else { new.cancel_at };
    let mut subscription = Subscription {
        id: id::new("sub", tx.now),
        customer: customer.id.clone(),
        clock_id: customer.clock_id.clone(),
        status: Status::Incomplete,
        currency,
        collection_method: new.collection_method,
        days_until_due: new.days_until_due,
        billing_cycle_anchor: anchor,
        cycle,
        current_period_start: now,
        current_period_end: end,
        start_date: now,
        trial_start: trial_end.map(|_| now),
        trial_end,
        cancel_at,
        cancel_at_period_end: new.cancel_at_period_end,
        canceled_at: cancel_at.map(|_| now),
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
        next_due: None,
        parked_at: None,
        created: now,
        version: 1,
        items: Vec::new(),
        discounts: Vec::new(),
    };
    if cancel_at.is_some() {
        subscription.cancellation_details.0.reason = Some("cancellation_requested".into());
    }
    Ok(subscription)
}

fn check_days_until_due(new: &NewSubscription) -> Result<()> {
    let refuse = |message: &str| Err(Error::invalid("days_until_due", message));
    match (new.collection_method, new.days_until_due) {
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

fn first_lines(subscription: &Subscription) -> Result<Vec<NewLine>> {
    if subscription.trial_end.is_some() {
        Ok(invoice::trial_lines(subscription))
    } else {
        invoice::period_lines(subscription)
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
    if subscription.status != Status::Incomplete || new.payment_behavior == PaymentBehavior::DefaultIncomplete {
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
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
             $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39)"
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
        s.next_due,
        s.parked_at,
        s.created,
        s.version
    )?;
    for item in &s.items {
        run!(
            tx,
            "insert into subscription_item (tenant, id, subscription, position, price, quantity, current_period_start, current_period_end,
             tax_rates, metadata, created) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            who.tenant.key,
            &item.id,
            &s.id,
            item.position,
            &item.price.id,
            item.quantity,
            item.current_period_start,
            item.current_period_end,
            Json(&item.tax_rates),
            Json(&item.metadata),
            item.created
        )?;
    }
    Ok(())
}
