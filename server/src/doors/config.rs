//! `/customer-portal-config`: the default configuration of the portal as a few flat fields.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use billing::customer::payment_method::MethodType;
use billing::portal::branding::BrandingUpdate;
use billing::portal::configuration::{self, Configuration, ConfigurationUpdate};
use billing::portal::features::{CancelMode, ChangeAllowed, ChargeTiming, Features, Proration};
use billing::portal::feedback;
use billing::subscription::Feedback;
use billing::{Actor, Error, Page, Patch, Result, Trace, Tx, transact};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::flat::{refused, wrong};
use super::json::{Fields, Wrong, answer, is_ours};
use crate::api::auth::authenticate;
use crate::state::App;

/// The word for a bank account in the flat fields.
const BANK_ACCOUNT: &str = "bank_account";

/// The flat fields, under the names that callers use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Flat {
    payment_methods_enabled: bool,
    accepted_payment_methods: Vec<String>,
    subscriptions_enabled: bool,
    allow_plan_switch: bool,
    allow_quantity_updates: bool,
    /// `None`: all that are active and paid for again and again.
    subscription_product_ids: Option<Vec<String>>,
    cancellations_enabled: bool,
    cancellation_mode: Mode,
    cancellation_proration_enabled: bool,
    cancellation_reasons_enabled: bool,
    /// Stripe's words, or the merchant's own.
    cancellation_reasons: Vec<String>,
    retention_coupon_id: Option<String>,
    subscription_proration_behavior: Behavior,
    subscription_charge_timing: ChargeTiming,
    return_url: Option<String>,
    portal_header: Option<String>,
    /// A domain of the merchant's.
    custom_domain_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Immediately,
    EndOfPeriod,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Behavior {
    None,
    Prorate,
    FullDifference,
}

/// `GET`: as it is.
pub async fn retrieve(State(app): State<App>, Extension(trace): Extension<Trace>, headers: HeaderMap) -> Response {
    let who = match authenticate(&app.db, &headers, trace).await {
        Ok(who) => who,
        Err(failure) => return no_key(failure.status),
    };
    let shown = async {
        let mut tx = app.db.read().await?;
        let configuration = configuration::get(&mut tx, &who, "default").await?;
        view(&mut tx, &who, &configuration).await
    };
    show(shown.await)
}

/// `PATCH`: what is said is changed, `null` puts back what a new merchant has.
pub async fn update(
    State(app): State<App>,
    Extension(trace): Extension<Trace>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let who = match authenticate(&app.db, &headers, trace).await {
        Ok(who) => who,
        Err(failure) => return no_key(failure.status),
    };
    let said = match Fields::parse(body) {
        Ok(fields) => fields.into_map(),
        Err(refusal) => return wrong(refusal),
    };
    let changed = transact!(app.db, |tx| {
        let before = configuration::get(tx, &who, "default").await?;
        let now = view(tx, &who, &before).await?;
        match merged(&now, &said) {
            Err(refusal) => Ok(Err(refusal)),
            Ok(wished) => {
                let update = written(tx, &who, &before, &now, wished).await?;
                let after = Box::pin(configuration::update(tx, &who, "default", update)).await?;
                view(tx, &who, &after).await.map(Ok)
            }
        }
    });
    match changed {
        Ok(Err(refusal)) => wrong(refusal),
        Ok(Ok(flat)) => show(Ok(flat)),
        Err(error) => show(Err(error)),
    }
}

fn show(flat: Result<Flat>) -> Response {
    match flat.and_then(|flat| Ok(serde_json::to_value(flat)?)) {
        Ok(body) => answer(StatusCode::OK, &body),
        Err(error) => failed(error),
    }
}

async fn view(tx: &mut Tx, who: &Actor, of: &Configuration) -> Result<Flat> {
    let features = &of.features;
    let reasons = &features.subscription_cancel.cancellation_reason;
    let own = feedback::in_use(tx, who, reasons.feedback_options.as_deref().unwrap_or_default()).await?;
    let usual = reasons.options.iter().map(|word| word.name().to_owned());
    let flat = flat_of(features, usual.chain(own.into_iter().map(|option| option.description)).collect());
    Ok(Flat {
        return_url: of.default_return_url.clone(),
        portal_header: of.branding.header_text.clone(),
        custom_domain_id: of.custom_domain.clone(),
        ..flat
    })
}

fn flat_of(features: &Features, cancellation_reasons: Vec<String>) -> Flat {
    let (cancel, update) = (&features.subscription_cancel, &features.subscription_update);
    let word = |kind: &MethodType| match kind {
        MethodType::UsBankAccount => BANK_ACCOUNT.to_owned(),
        other => other.name().to_owned(),
    };
    let (behavior, timing) = match (update.proration_behavior, update.charge_timing) {
        (Proration::AlwaysInvoice, _) => (Behavior::Prorate, ChargeTiming::Immediately),
        (Proration::CreateProrations, _) => (Behavior::Prorate, ChargeTiming::PeriodEnd),
        (Proration::FullDifference, timing) => (Behavior::FullDifference, timing.unwrap_or(ChargeTiming::Immediately)),
        (Proration::None, _) => (Behavior::None, ChargeTiming::PeriodEnd),
    };
    Flat {
        payment_methods_enabled: features.payment_method_update.enabled,
        accepted_payment_methods: features.payment_method_update.accepted_types.iter().map(word).collect(),
        subscriptions_enabled: update.enabled,
        allow_plan_switch: update.default_allowed_updates.contains(&ChangeAllowed::Price),
        allow_quantity_updates: update.default_allowed_updates.contains(&ChangeAllowed::Quantity),
        subscription_product_ids: (!update.products.is_empty())
            .then(|| update.products.iter().map(|allowed| allowed.product.clone()).collect()),
        cancellations_enabled: cancel.enabled,
        cancellation_mode: match cancel.mode {
            CancelMode::Immediately => Mode::Immediately,
            CancelMode::AtPeriodEnd => Mode::EndOfPeriod,
        },
        cancellation_proration_enabled: cancel.proration_behavior != Proration::None,
        cancellation_reasons_enabled: cancel.cancellation_reason.enabled,
        cancellation_reasons,
        retention_coupon_id: cancel.retention_coupon_id.clone(),
        subscription_proration_behavior: behavior,
        subscription_charge_timing: timing,
        return_url: None,
        portal_header: None,
        custom_domain_id: None,
    }
}

/// What is said over what is; a `null` stands for what a new merchant has.
fn merged(now: &Flat, said: &Map<String, Value>) -> Result<Flat, Wrong> {
    let object = |flat: &Flat| match serde_json::to_value(flat) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let features = Features::usual();
    let words = features.subscription_cancel.cancellation_reason.options.iter().map(|word| word.name().to_owned());
    let usual = object(&flat_of(&features, words.collect()));
    let mut wished = object(now);
    for (name, value) in said {
        let null = || usual.get(name).cloned().unwrap_or(Value::Null);
        wished.insert(name.clone(), if value.is_null() { null() } else { value.clone() });
    }
    // At the end of what is paid for nothing is left to be paid back.
    let ends = said.get("cancellation_mode").is_some_and(|mode| mode == "end_of_period");
    if ends && !said.contains_key("cancellation_proration_enabled") {
        wished.insert("cancellation_proration_enabled".into(), Value::Bool(false));
    }
    serde_path_to_error::deserialize(Value::Object(wished)).map_err(|error| {
        let message = error.inner().to_string();
        let path = error.path().to_string();
        let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
        Wrong::new(unknown.map_or(path, str::to_owned), message)
    })
}

/// What the configuration has to say for it: of what is not said otherwise than it is, nothing. Reasons in the merchant's own
/// words become feedback options.
async fn written(
    tx: &mut Tx,
    who: &Actor,
    before: &Configuration,
    now: &Flat,
    wished: Flat,
) -> Result<ConfigurationUpdate> {
    let mut features = json!({});
    let mut put = |section: &str, field: &str, is_new: bool, value: Value| {
        if is_new {
            features[section][field] = value;
        }
    };
    let methods = "payment_method_update";
    put(
        methods,
        "enabled",
        wished.payment_methods_enabled != now.payment_methods_enabled,
        json!(wished.payment_methods_enabled),
    );
    let types: Vec<&str> = wished.accepted_payment_methods.iter().map(|word| kind(word)).collect();
    put(methods, "accepted_types", wished.accepted_payment_methods != now.accepted_payment_methods, json!(types));
    write_update(&mut put, before, now, &wished);
    let cancel = "subscription_cancel";
    put(
        cancel,
        "enabled",
        wished.cancellations_enabled != now.cancellations_enabled,
        json!(wished.cancellations_enabled),
    );
    put(
        cancel,
        "mode",
        wished.cancellation_mode != now.cancellation_mode,
        json!(match wished.cancellation_mode {
            Mode::Immediately => CancelMode::Immediately,
            Mode::EndOfPeriod => CancelMode::AtPeriodEnd,
        }),
    );
    let prorated = wished.cancellation_proration_enabled;
    let behavior = if prorated { Proration::CreateProrations } else { Proration::None };
    put(cancel, "proration_behavior", prorated != now.cancellation_proration_enabled, json!(behavior));
    let coupon = json!(wished.retention_coupon_id);
    put(cancel, "retention_coupon_id", wished.retention_coupon_id != now.retention_coupon_id, coupon);
    let asks = (wished.cancellation_reasons_enabled, &wished.cancellation_reasons);
    if asks != (now.cancellation_reasons_enabled, &now.cancellation_reasons) {
        let (options, own) = reasons(tx, who, &wished.cancellation_reasons).await?;
        let own = Some(own).filter(|own| !own.is_empty());
        let question = json!({ "enabled": asks.0, "options": options, "feedback_options": own });
        put(cancel, "cancellation_reason", true, question);
    }
    let patch = |new: Option<String>, old: &Option<String>| match new {
        same if same == *old => Patch::Keep,
        Some(text) => Patch::Set(text),
        None => Patch::Clear,
    };
    let header_text = patch(wished.portal_header, &now.portal_header);
    Ok(ConfigurationUpdate {
        features: features.as_object().is_some_and(|said| !said.is_empty()).then_some(features),
        default_return_url: patch(wished.return_url, &now.return_url),
        custom_domain: patch(wished.custom_domain_id, &now.custom_domain_id),
        branding: Patch::Set(BrandingUpdate { header_text, ..BrandingUpdate::default() }),
        ..ConfigurationUpdate::default()
    })
}

fn kind(word: &str) -> &str {
    if word == BANK_ACCOUNT { MethodType::UsBankAccount.name() } else { word }
}

fn write_update(put: &mut impl FnMut(&str, &str, bool, Value), before: &Configuration, now: &Flat, wished: &Flat) {
    let update = "subscription_update";
    let held = &before.features.subscription_update;
    put(
        update,
        "enabled",
        wished.subscriptions_enabled != now.subscriptions_enabled,
        json!(wished.subscriptions_enabled),
    );
    let allowed = |flat: &Flat| (flat.allow_plan_switch, flat.allow_quantity_updates);
    let kept = held.default_allowed_updates.iter().filter(|what| **what == ChangeAllowed::PromotionCode);
    let chosen = [(allowed(wished).0, &ChangeAllowed::Price), (allowed(wished).1, &ChangeAllowed::Quantity)];
    let updates: Vec<_> = chosen.into_iter().filter(|(is_on, _)| *is_on).map(|(_, what)| what).chain(kept).collect();
    put(update, "default_allowed_updates", allowed(wished) != allowed(now), json!(updates));
    let ids = wished.subscription_product_ids.as_deref().unwrap_or_default();
    let is_counted = wished.allow_quantity_updates;
    let is_new =
        wished.subscription_product_ids != now.subscription_product_ids || is_counted != now.allow_quantity_updates;
    let products: Vec<Value> = ids
        .iter()
        .map(|id| {
            let held = held.products.iter().find(|own| own.product == *id);
            let prices = held.map(|own| own.prices.as_slice()).unwrap_or_default();
            json!({ "product": id, "prices": prices, "adjustable_quantity": { "enabled": is_counted } })
        })
        .collect();
    put(update, "products", is_new, json!(products));
    let is_told =
        is_new || allowed(wished) != allowed(now) || wished.subscriptions_enabled != now.subscriptions_enabled;
    put(update, "all_products", is_told && held.all_products != ids.is_empty(), json!(ids.is_empty()));
    let (behavior, timing) = match (wished.subscription_proration_behavior, wished.subscription_charge_timing) {
        (Behavior::None, _) => (Proration::None, None),
        (Behavior::Prorate, ChargeTiming::Immediately) => (Proration::AlwaysInvoice, None),
        (Behavior::Prorate, ChargeTiming::PeriodEnd) => (Proration::CreateProrations, None),
        (Behavior::FullDifference, timing) => (Proration::FullDifference, Some(timing)),
    };
    let charge = |flat: &Flat| (flat.subscription_proration_behavior, flat.subscription_charge_timing);
    put(update, "proration_behavior", charge(wished) != charge(now), json!(behavior));
    put(update, "charge_timing", charge(wished) != charge(now), json!(timing));
}

/// Stripe's words, and the ids of the merchant's own: each is made once, and found again by what it says.
async fn reasons(tx: &mut Tx, who: &Actor, said: &[String]) -> Result<(Vec<Feedback>, Vec<String>)> {
    let (mut words, mut own) = (Vec::new(), Vec::new());
    for reason in said {
        match Feedback::parse(reason, "cancellation_reasons") {
            Ok(word) => words.push(word),
            Err(_) => own.push(option(tx, who, reason).await?),
        }
    }
    Ok((words, own))
}

async fn option(tx: &mut Tx, who: &Actor, text: &str) -> Result<String> {
    let mut page = Page::first(100);
    loop {
        let listed = feedback::list(tx, who, &page, Some(true)).await?;
        if let Some(found) = listed.data.iter().find(|option| option.description == text) {
            return Ok(found.id.clone());
        }
        page.starting_after = listed.data.last().map(|last| last.id.clone());
        if !listed.has_more {
            let made = feedback::create(tx, who, text).await.map_err(|e| e.on("cancellation_reasons"))?;
            return Ok(made.id);
        }
    }
}

/// What the books call a field is what the caller calls another.
const FIELDS: &[(&str, &str)] = &[
    ("features[payment_method_update][accepted_types]", "accepted_payment_methods"),
    ("features[payment_method_update]", "payment_methods_enabled"),
    ("features[subscription_update][products]", "subscription_product_ids"),
    ("features[subscription_update][default_allowed_updates]", "allow_plan_switch"),
    ("features[subscription_update][charge_timing]", "subscription_charge_timing"),
    ("features[subscription_update]", "subscriptions_enabled"),
    ("features[subscription_cancel][retention_coupon_id]", "retention_coupon_id"),
    ("features[subscription_cancel][proration_behavior]", "cancellation_proration_enabled"),
    ("features[subscription_cancel][cancellation_reason]", "cancellation_reasons"),
    ("features[subscription_cancel]", "cancellations_enabled"),
    ("default_return_url", "return_url"),
    ("branding[header_text]", "portal_header"),
    ("custom_domain", "custom_domain_id"),
];

fn failed(error: Error) -> Response {
    let ours = is_ours(&error);
    match &error {
        Error::Invalid { param, .. } | Error::Missing { param, .. } => {
            let named = FIELDS.iter().find(|(theirs, _)| param.starts_with(theirs));
            wrong(Wrong::new(named.map_or(param.as_str(), |(_, flat)| flat), error.to_string()))
        }
        _ if ours => {
            refused(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong on our side.", None)
        }
        Error::Busy => {
            refused(StatusCode::CONFLICT, "conflict", "Another request is at work on this. Please try again.", None)
        }
        other => refused(StatusCode::BAD_REQUEST, "invalid_request", &other.to_string(), None),
    }
}

fn no_key(status: StatusCode) -> Response {
    refused(status, "unauthorized", "The API key is missing or not valid.", None)
}
