//! `create_preview`: the invoice that a new subscription, a change or the next renewal would make. Nothing is written.

use billing::customer::tax_id::NewTaxId;
use billing::customer::{CustomerUpdate, TaxExempt};
use billing::discount::Wanted;
use billing::invoice::draft::{InvoiceUpdate, NewInvoice};
use billing::invoice::item::edit::InvoiceItemUpdate;
use billing::preview::{self, Subject, Supposed};
use billing::quote::Change;
use billing::subscription::cancel::Cancellation;
use billing::subscription::create::{PaymentBehavior, Trial};
use billing::subscription::pause::Pause;
use billing::subscription::resume::Resume;
use billing::subscription::{
    self, Anchor, CollectionMethod, ItemChange, NewItem, NewSubscription, PaymentSettings, ProrationBehavior,
    SubscriptionUpdate, TrialEnd, TrialSettings,
};
use billing::{Currency, Error, Patch, Result, Seconds, transact, wire};
use serde_json::Value;

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::params::{Params, missing, unsupported};
use super::subscription_changes::read_pause;
use super::subscription_terms::{read_automatic_tax, read_item_change, read_new_cancel_at, read_trial_end};
use super::{customers, discounts, invoice_items, tax_ids};

/// What `subscription_details` says of a subscription, new or there already.
#[derive(Default)]
struct Details {
    items: Vec<ItemChange>,
    anchor: Option<Anchor>,
    /// Of a new one.
    anchored_at: Option<Seconds>,
    proration_behavior: Option<ProrationBehavior>,
    proration_date: Option<Seconds>,
    trial_end: Option<TrialEnd>,
    cancel_at: Patch<Seconds>,
    cancel_at_period_end: Option<bool>,
    default_tax_rates: Patch<Vec<String>>,
    cancel_now: bool,
    pause: Option<Pause>,
    resume: bool,
    start_date: Option<Seconds>,
}

struct Question {
    /// Whose the subscription must be, where both are given.
    customer: Option<String>,
    /// Whether the customer is only supposed to be there.
    is_nobodys: bool,
    currency: Option<Currency>,
    subject: Subject,
    supposed: Supposed,
}

pub async fn create(mut call: Call) -> Result<Reply> {
    let asked = read(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::Invoice))?;
    transact!(call.app.db, |tx| {
        if let (Some(customer), Subject::Change(change)) = (&asked.customer, &asked.subject)
            && let Some(id) = change.subscription()
        {
            let subscription = subscription::get(tx, &call.who, id).await.map_err(|e| e.on("subscription"))?;
            if subscription.customer != *customer {
                return Err(Error::missing("subscription", id).on("subscription"));
            }
        }
        let looked = preview::open(tx, &call.who, asked.subject.clone(), asked.supposed.clone()).await;
        let (mark, invoice) = looked.map_err(place)?;
        if asked.currency.as_ref().is_some_and(|currency| *currency != invoice.currency) {
            let message = format!("The invoice would be in {}.", invoice.currency);
            return Err(Error::invalid("currency", message));
        }
        let mut shown = wire::invoice(&call.who.tenant, &invoice);
        if asked.is_nobodys {
            shown["customer"] = Value::Null;
        }
        // What it refers to can be expanded as long as it is there.
        let reply = call.show(tx, shown).await?;
        tx.go_back(mark).await?;
        call.keep_as_it_is(tx, reply).await
    })
}

/// What is wrong with the change is wrong in `subscription_details`.
fn place(error: Error) -> Error {
    // `customer` is of `customer_details`, too.
    const BESIDE: &[&str] = &["automatic_tax", "customer", "discounts", "invoice_items", "subscription"];
    match &error {
        Error::Invalid { param, .. } | Error::Missing { param, .. } => match param.as_str() {
            "id" => error.on("subscription"),
            "backdate_start_date" => error.on("subscription_details[start_date]"),
            name if BESIDE.iter().any(|own| name.starts_with(own)) => error,
            _ => error.within("subscription_details"),
        },
        _ => error,
    }
}

fn read(params: &mut Params) -> Result<Question> {
    let (customer, subscription) = (params.text("customer")?, params.text("subscription")?);
    params.fixed("preview_mode", &["next"])?;
    let currency = params.word("currency", Currency::parse)?;
    let automatic_tax = read_automatic_tax(params)?;
    let discounts = params.patch_objects("discounts", discounts::read_one)?;
    let details = params.object("subscription_details", read_details)?;
    let (update, tax_ids) = params.object("customer_details", read_customer)?.unzip();
    let supposed = Supposed {
        at: details.as_ref().and_then(|details| details.start_date),
        customer: update,
        tax_ids: tax_ids.flatten(),
        items: params.objects("invoice_items", read_invoice_item)?.unwrap_or_default(),
    };
    let is_nobodys = customer.is_none() && subscription.is_none();
    if is_nobodys && supposed.customer.is_none() {
        let message =
            "Give a subscription, or the customer and what they would buy, or customer_details of one to come.";
        let (param, code) = ("customer".into(), "parameter_missing");
        return Err(Error::Invalid { param, code, message: message.into() });
    }
    let buyer = customer.clone().unwrap_or_default();
    let subject = match (subscription, details) {
        (Some(id), details) => {
            let change = change(id, details.unwrap_or_default(), automatic_tax, discounts)?;
            Subject::Change(Box::new(change))
        }
        (None, None) if !supposed.items.is_empty() => {
            if discounts != Patch::Keep {
                return Err(unsupported("discounts"));
            }
            Subject::Waiting(Box::new(NewInvoice {
                customer: buyer,
                subscription: None,
                currency: currency.clone(),
                pulls: Some(true),
                fields: InvoiceUpdate { automatic_tax, ..InvoiceUpdate::default() },
            }))
        }
        (None, details) => {
            let new = start(buyer, details.unwrap_or_default(), automatic_tax, discounts)?;
            Subject::Change(Box::new(Change::Start(Box::new(new))))
        }
    };
    Ok(Question { customer, is_nobodys, currency, subject, supposed })
}

fn read_customer(details: &mut Params) -> Result<(CustomerUpdate, Option<Vec<NewTaxId>>)> {
    let update = CustomerUpdate {
        address: details.patch_object("address", customers::address)?,
        shipping: details.patch_object("shipping", customers::shipping)?,
        tax_exempt: details.patch_word("tax_exempt", TaxExempt::parse)?,
        ..CustomerUpdate::default()
    };
    Ok((update, details.objects("tax_ids", tax_ids::read)?))
}

fn read_invoice_item(item: &mut Params) -> Result<(Option<Currency>, InvoiceItemUpdate)> {
    Ok((item.word("currency", Currency::parse)?, invoice_items::read(item)?))
}

fn read_details(details: &mut Params) -> Result<Details> {
    details.object("billing_mode", |mode| {
        mode.fixed("type", &["flexible"])?;
        mode.unsupported(&["flexible"])
    })?;
    let (anchor, anchored_at) = read_anchor(details)?;
    let resume = details.is_text("resume_at", "now");
    details.fixed("resume_at", &["now"])?;
    Ok(Details {
        items: details.objects("items", read_item_change)?.unwrap_or_default(),
        anchor,
        anchored_at,
        proration_behavior: details.word("proration_behavior", ProrationBehavior::parse)?,
        proration_date: details.timestamp("proration_date")?,
        trial_end: read_trial_end(details)?,
        cancel_at: read_new_cancel_at(details)?,
        cancel_at_period_end: details.boolean("cancel_at_period_end")?,
        default_tax_rates: details.patch_texts("default_tax_rates")?,
        cancel_now: details.boolean("cancel_now")?.unwrap_or(false),
        pause: details.object("pause", read_pause)?,
        resume,
        start_date: details.timestamp("start_date")?,
    })
}

/// A word, or the instant of a subscription that is not there yet.
fn read_anchor(details: &mut Params) -> Result<(Option<Anchor>, Option<Seconds>)> {
    for word in Anchor::ALL {
        if details.is_text("billing_cycle_anchor", word) {
            return Ok((details.word("billing_cycle_anchor", Anchor::parse)?, None));
        }
    }
    Ok((None, details.timestamp("billing_cycle_anchor")?))
}

/// What becomes of a subscription that is there.
fn change(
    subscription: String,
    details: Details,
    automatic_tax: Option<bool>,
    discounts: Patch<Vec<Wanted>>,
) -> Result<Change> {
    if details.start_date.is_some() {
        return Err(unsupported("subscription_details[start_date]"));
    }
    if details.anchored_at.is_some() {
        let message = "The anchor of a subscription that is there can be `now` or `unchanged`.";
        return Err(Error::invalid("subscription_details[billing_cycle_anchor]", message));
    }
    let behavior = details.proration_behavior;
    let one = [
        ("cancel_now", details.cancel_now),
        ("pause", details.pause.is_some()),
        ("resume_at", details.resume),
        ("items", !details.items.is_empty()),
    ];
    let mut said = one.into_iter().filter(|(_, is_said)| *is_said);
    if let (Some((first, _)), Some((second, _))) = (said.next(), said.next()) {
        let message = format!("You may only specify one of these parameters: {first}, {second}.");
        return Err(Error::invalid(format!("subscription_details[{second}]"), message));
    }
    if details.cancel_now {
        let prorate = behavior != Some(ProrationBehavior::None);
        let cancellation = Cancellation { prorate, invoice_now: true, ..Cancellation::default() };
        return Ok(Change::Cancel { subscription, cancellation });
    }
    if let Some(pause) = details.pause {
        return Ok(Change::Pause { subscription, pause });
    }
    if details.resume {
        let asked = Resume::default();
        let resume = Resume {
            anchor: details.anchor.unwrap_or(asked.anchor),
            proration_behavior: behavior.unwrap_or(asked.proration_behavior),
            proration_date: details.proration_date,
        };
        return Ok(Change::Resume { subscription, resume });
    }
    let update = SubscriptionUpdate {
        items: details.items,
        proration_behavior: behavior,
        proration_date: details.proration_date,
        billing_cycle_anchor: details.anchor,
        trial_end: details.trial_end,
        cancel_at: details.cancel_at,
        cancel_at_period_end: details.cancel_at_period_end,
        default_tax_rates: details.default_tax_rates,
        automatic_tax,
        discounts,
        ..SubscriptionUpdate::default()
    };
    Ok(Change::Update { subscription, update: Box::new(update) })
}

/// A subscription that is not there yet.
fn start(
    customer: String,
    details: Details,
    automatic_tax: Option<bool>,
    discounts: Patch<Vec<Wanted>>,
) -> Result<NewSubscription> {
    let of_what_is_there = [
        ("cancel_now", details.cancel_now),
        ("pause", details.pause.is_some()),
        ("proration_date", details.proration_date.is_some()),
        ("resume_at", details.resume),
    ];
    if let Some((name, _)) = of_what_is_there.into_iter().find(|(_, is_said)| *is_said) {
        return Err(Error::invalid(format!("subscription_details[{name}]"), "This needs a subscription."));
    }
    if details.items.is_empty() {
        return Err(missing("subscription_details[items]"));
    }
    Ok(NewSubscription {
        customer,
        items: details.items.into_iter().enumerate().map(new_item).collect::<Result<_>>()?,
        add_invoice_items: Vec::new(),
        backdate_start_date: None,
        billing_cycle_anchor: details.anchored_at,
        proration_behavior: details.proration_behavior.unwrap_or(ProrationBehavior::CreateProrations),
        trial: match details.trial_end {
            Some(TrialEnd::At(end)) => Trial::Until(end),
            Some(TrialEnd::Now) | None => Trial::None,
        },
        trial_settings: TrialSettings::default(),
        cancel_at_period_end: details.cancel_at_period_end.unwrap_or(false),
        cancel_at: details.cancel_at.into_option(),
        default_payment_method: None,
        collection_method: CollectionMethod::ChargeAutomatically,
        days_until_due: None,
        // Whether it could be paid is not the question.
        payment_behavior: PaymentBehavior::DefaultIncomplete,
        payment_settings: PaymentSettings::default(),
        default_tax_rates: details.default_tax_rates.into_option().unwrap_or_default(),
        automatic_tax: automatic_tax.unwrap_or(false),
        discounts: discounts.into_option().unwrap_or_default(),
        description: None,
        metadata: Patch::Keep,
    })
}

fn new_item((n, item): (usize, ItemChange)) -> Result<NewItem> {
    let name = |name: &str| format!("subscription_details[items][{n}][{name}]");
    if item.id.is_some() || item.deleted {
        return Err(Error::invalid(name("id"), "A subscription that is not there yet has no items yet."));
    }
    if item.price.is_none() && item.price_data.is_none() {
        return Err(missing(name("price")));
    }
    Ok(NewItem {
        price: item.price.unwrap_or_default(),
        price_data: item.price_data,
        quantity: item.quantity,
        tax_rates: item.tax_rates.into_option().unwrap_or_default(),
        discounts: item.discounts.into_option().unwrap_or_default(),
        metadata: item.metadata,
    })
}
