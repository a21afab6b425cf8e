//! The audit log in plain words. What it does not know how to say means nothing to a customer, and is left out.

use std::collections::BTreeMap;

use billing::audit::{self, Told};
use billing::customer::payment_method::{Details, MethodType};
use billing::{Currency, Error, Page, Result, Seconds, Tx, subscription};
use leptos_router::location::Url;
use serde_json::Value;

use super::{method, standing};
use crate::pages::activity::Activity;
use crate::parts::Drawn;
use crate::parts::log::{Day, Deed, log};
use crate::session::Session;
use crate::text::{Locale, format, say};

const ENTRIES: i64 = 30;

/// What the sentences need beside the log.
struct Teller<'a> {
    locale: Locale,
    merchant: &'a str,
    /// Whether invoices may be seen here.
    has_invoices: bool,
    /// Subscriptions by their names.
    plans: BTreeMap<String, String>,
}

pub async fn read(tx: &mut Tx, session: &Session, before: Option<String>) -> Result<Activity> {
    let customer = &session.guest.customer.id;
    let page = Page { starting_after: before.clone(), ..Page::first(ENTRIES) };
    let listed = audit::activity(tx, &session.who, customer, &page).await?;
    let mut plans = BTreeMap::new();
    for entry in listed.data.iter().filter(|entry| entry.action.starts_with("customer.subscription.")) {
        if !plans.contains_key(&entry.object_id) {
            match subscription::get(tx, &session.who, &entry.object_id).await {
                Ok(found) => _ = plans.insert(entry.object_id.clone(), standing::name(&found)),
                Err(Error::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    let teller = Teller {
        locale: session.locale,
        merchant: &session.guest.brand.name,
        has_invoices: session.guest.configuration.features.invoice_history.enabled,
        plans,
    };
    let days = teller.days(&listed.data);
    let last = listed.data.last().filter(|_| listed.has_more);
    Ok(Activity {
        log: (!days.is_empty()).then(|| Drawn::new(|| log(days))),
        older: last.map(|entry| format!("/activity?before={}", Url::escape(&entry.id))),
        newest: before.map(|_| "/activity".to_owned()),
    })
}

impl Teller<'_> {
    fn days(&self, entries: &[Told]) -> Vec<Day> {
        let mut days: Vec<Day> = Vec::new();
        for entry in entries {
            let Some((what, href)) = self.tell(entry) else { continue };
            let at = entry.at_ms.seconds();
            let date = format::date(self.locale, at);
            if days.last().is_none_or(|day| day.date != date) {
                days.push(Day { date, deeds: Vec::new() });
            }
            if let Some(day) = days.last_mut() {
                day.deeds.push(Deed { what, href, who: self.who(&entry.origin), time: self.time(at) });
            }
        }
        days
    }

    fn time(&self, at: Seconds) -> String {
        say!(did.time, self.locale, time = format::time(self.locale, at))
    }

    fn who(&self, origin: &str) -> String {
        match origin {
            "portal" => say!(by.you, self.locale),
            "api" => self.merchant.to_owned(),
            _ => say!(by.itself, self.locale),
        }
    }

    /// The sentence, and where what it speaks of can be seen.
    fn tell(&self, entry: &Told) -> Option<(String, Option<String>)> {
        let locale = self.locale;
        let object = entry.event.as_ref().map(|event| &event["object"]);
        match entry.action.as_str() {
            "billing_portal.session.started" => Some((say!(did.signed_in, locale), None)),
            "customer.created" => Some((say!(did.began, locale), None)),
            "customer.updated" => self.changed(entry).map(|what| (what, None)),
            "payment_method.attached" => Some((say!(did.method_added, locale, method = self.method(object?)?), None)),
            "payment_method.detached" => Some((say!(did.method_removed, locale, method = self.method(object?)?), None)),
            "customer.tax_id.created" => {
                Some((say!(did.tax_id_added, locale, value = object?["value"].as_str()?), None))
            }
            "customer.tax_id.deleted" => {
                Some((say!(did.tax_id_removed, locale, value = object?["value"].as_str()?), None))
            }
            action if action.starts_with("customer.subscription.") => {
                let plan = self.plans.get(&entry.object_id)?;
                let what = self.subscription(action, plan, entry)?;
                Some((what, Some(format!("/subscriptions/{}", entry.object_id))))
            }
            action if action.starts_with("invoice.") && self.has_invoices => {
                let what = self.invoice(action, object?)?;
                Some((what, Some(format!("/invoices/{}", entry.object_id))))
            }
            _ => None,
        }
    }

    fn subscription(&self, action: &str, plan: &str, entry: &Told) -> Option<String> {
        let locale = self.locale;
        match action {
            "customer.subscription.created" => Some(say!(did.subscribed, locale, plan = plan)),
            "customer.subscription.deleted" => Some(say!(did.ended, locale, plan = plan)),
            "customer.subscription.paused" => Some(say!(did.paused, locale, plan = plan)),
            "customer.subscription.resumed" => Some(say!(did.resumed, locale, plan = plan)),
            _ => {
                let (before, after) = (entry.before.as_ref()?, entry.after.as_ref()?);
                if priced(before) != priced(after) {
                    return Some(say!(did.plan_changed, locale, plan = plan));
                }
                if after.get("default_payment_method").is_some() {
                    return Some(say!(did.paid_otherwise, locale, plan = plan));
                }
                match after.get("cancel_at_period_end")?.as_bool()? {
                    true => Some(say!(did.canceled, locale, plan = plan)),
                    false => Some(say!(did.kept, locale, plan = plan)),
                }
            }
        }
    }

    fn invoice(&self, action: &str, object: &Value) -> Option<String> {
        let locale = self.locale;
        let number = object["number"].as_str()?;
        let currency = Currency::parse(object["currency"].as_str()?, "currency").ok()?;
        let money = |field: &str| Some(format::money(locale, object[field].as_i64()?, &currency));
        Some(match action {
            "invoice.finalized" => say!(did.invoiced, locale, number = number, amount = money("total")?),
            // Nothing was due, so nothing was paid.
            "invoice.paid" if object["amount_paid"].as_i64()? == 0 => return None,
            "invoice.paid" => say!(did.paid, locale, number = number, amount = money("amount_paid")?),
            "invoice.payment_failed" => say!(did.failed, locale, amount = money("amount_remaining")?, number = number),
            "invoice.payment_action_required" => {
                say!(did.to_confirm, locale, amount = money("amount_remaining")?, number = number)
            }
            "invoice.voided" => say!(did.voided, locale, number = number),
            "invoice.marked_uncollectible" => say!(did.written_off, locale, number = number),
            _ => return None,
        })
    }

    /// Which of the details changed; nothing where it was something that a customer does not see.
    fn changed(&self, entry: &Told) -> Option<String> {
        let (locale, before) = (self.locale, entry.before.as_ref()?);
        let has = |field: &str| before.get(field).is_some();
        if before.get("invoice_settings").is_some_and(|settings| settings.get("default_payment_method").is_some()) {
            return Some(say!(did.default_changed, locale));
        }
        let fields = [
            (has("name"), say!(detail.name, locale)),
            (has("email"), say!(detail.email, locale)),
            (has("phone"), say!(detail.phone, locale)),
            (has("address"), say!(detail.address, locale)),
            (has("shipping"), say!(detail.shipping, locale)),
        ];
        let changed: Vec<String> = fields.into_iter().filter_map(|(has, label)| has.then_some(label)).collect();
        (!changed.is_empty()).then(|| say!(did.details_changed, locale, fields = format::list(locale, &changed)))
    }

    /// `Visa •••• 4242`, from the method as it goes out.
    fn method(&self, object: &Value) -> Option<String> {
        let kind = MethodType::parse(object["type"].as_str()?, "type").ok()?;
        let shown = &object[kind.name()];
        let text = |field: &str| shown[field].as_str().unwrap_or_default().to_owned();
        let brand = ["brand", "bank_name", "operator"].into_iter().map(text).find(|name| !name.is_empty());
        let details = Details { brand: brand.unwrap_or_default(), last4: text("last4"), ..Details::default() };
        Some(method::described(self.locale, kind, &details))
    }
}

/// What is subscribed to: prices and quantities. A renewal moves the items' periods and leaves these as they are.
fn priced(subscription: &Value) -> Vec<(&Value, &Value)> {
    let items = subscription["items"]["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| (&item["price"]["id"], &item["quantity"])).collect()
}

#[cfg(test)]
mod tests;
