//! `portico demo`: a merchant with customers in every state, made by running the operations under a clock of the past.

mod stories;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use billing::catalog::price::{NewPrice, PriceProduct};
use billing::catalog::{Cost, NewProduct, Price, ProductUpdate};
use billing::customer::{Address, CustomerFilter, CustomerUpdate, payment_method};
use billing::gateway::PaymentGateway;
use billing::gateway::sandbox::test_method;
use billing::patch::Patch;
use billing::period::Recurring;
use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::portal::session::{self, NewSession, SessionOrigin};
use billing::subscription::create::{PaymentBehavior, Trial};
use billing::subscription::{
    self, CollectionMethod, Feedback, NewItem, NewSubscription, ProrationBehavior, SubscriptionUpdate,
};
use billing::{Actor, Clock, Currency, Db, Error, Result, Trace, cycle, directory, payment, transact};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{console, detail, open, open_at, sandbox};
use crate::config::Settings;
use stories::{PRICES, PRODUCTS, Plan, STORIES, Story, Then};

const MERCHANT: &str = "Northwind Studio";
const DAY: i64 = 24 * 60 * 60 * 1000;
/// The customer that the printed portal link belongs to.
const FIRST: &str = "active";

/// Kept beside the database, so that a second run prints the same key: keys are stored as hashes only.
#[derive(Serialize, Deserialize)]
struct Kept {
    merchant: String,
    secret_key: String,
}

pub async fn run(settings: &Settings, as_json: bool) -> std::result::Result<(), String> {
    let db = open(settings).await?;
    let kept = match read_kept(&db, settings).await.map_err(|e| detail(&e))? {
        Some(kept) => kept,
        None => {
            let kept = load(settings).await?;
            keep(settings, &kept)?;
            kept
        }
    };
    let made = report(&db, &kept).await.map_err(|e| detail(&e))?;
    let link = format!("{}/session/{}", settings.public_url, made.secret);
    if as_json {
        let customers: serde_json::Map<String, serde_json::Value> =
            made.customers.into_iter().map(|(k, v)| (k, json!(v))).collect();
        println!(
            "{}",
            json!({ "merchant": kept.merchant, "secret_key": kept.secret_key, "customers": customers, "portal_url": link })
        );
        return Ok(());
    }
    println!("Demo merchant   {MERCHANT} ({})", kept.merchant);
    println!("Test key        {}", kept.secret_key);
    for (state, id) in made.customers {
        println!("  {state:<20} {id}");
    }
    println!("Portal link     {link}\n                (opens {FIRST}'s portal, once, within 30 minutes)");
    Ok(())
}

fn kept_path(settings: &Settings) -> PathBuf {
    let beside =
        settings.database_url.strip_prefix("sqlite://").map(|path| Path::new(path).with_file_name("demo.json"));
    beside.unwrap_or_else(|| "data/demo.json".into())
}

async fn read_kept(db: &Db, settings: &Settings) -> Result<Option<Kept>> {
    let Ok(text) = std::fs::read_to_string(kept_path(settings)) else { return Ok(None) };
    let Ok(kept) = serde_json::from_str::<Kept>(&text) else { return Ok(None) };
    let mut tx = db.read().await?;
    let caller = directory::by_key(&mut tx, &kept.secret_key, Trace::default()).await?;
    Ok(caller.is_some_and(|who| who.tenant.merchant == kept.merchant).then_some(kept))
}

fn keep(settings: &Settings, kept: &Kept) -> std::result::Result<(), String> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let path = kept_path(settings);
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(serde_json::to_string(kept)?.as_bytes())
    };
    write().map_err(|e| format!("{}: {e}", path.display()))
}

struct Report {
    customers: Vec<(String, String)>,
    secret: String,
}

/// The demo's customers by state, and a fresh link for the first.
async fn report(db: &Db, kept: &Kept) -> Result<Report> {
    let mut tx = db.read().await?;
    let who = console(directory::tenant(&mut tx, &kept.merchant, false).await?);
    let mut customers = Vec::new();
    for story in STORIES {
        let external = format!("demo_{}", story.state);
        let filter = CustomerFilter { external_id: Some(external), ..CustomerFilter::default() };
        let found = billing::customer::list(&mut tx, &who, &billing::Page::first(1), &filter).await?;
        customers.extend(found.data.into_iter().map(|c| (story.state.to_owned(), c.id)));
    }
    drop(tx);
    let customer = customers.iter().find(|(state, _)| state == FIRST).map(|(_, id)| id.clone());
    let new = NewSession {
        flow: None,
        customer: customer.ok_or_else(|| Error::internal("the demo's first customer is gone"))?,
        configuration: None,
        return_url: Some("http://127.0.0.1:3002/account".into()),
        cancel_url: None,
        locale: None,
        subscription: None,
        origin: SessionOrigin::Console,
    };
    let minted = transact!(db, |tx| session::create(tx, &who, new.clone()).await)?;
    Ok(Report { customers, secret: minted.secret })
}

/// Makes everything, under a clock that begins in the past and is moved from event to event.
async fn load(settings: &Settings) -> std::result::Result<Kept, String> {
    let now = Clock::system().wall();
    let first = STORIES.iter().filter_map(|s| s.plan.as_ref()).map(|p| p.days).max().unwrap_or_default();
    let clock = Clock::manual(now.plus(-(first + 1) * DAY));
    let db = open_at(settings, clock.clone()).await?;
    let gateway = sandbox::gateway(settings).await?;
    let mut stage = Stage { db, gateway, clock, now: now.0 };
    stage.load().await.map_err(|e| format!("the demo could not be loaded: {}", detail(&e)))
}

struct Stage {
    db: Db,
    gateway: Arc<dyn PaymentGateway>,
    clock: Clock,
    now: i64,
}

impl Stage {
    async fn load(&mut self) -> Result<Kept> {
        let usd = Currency::parse("usd", "currency")?;
        let (merchant, who, key) = transact!(self.db, |tx| {
            let merchant = directory::create_merchant(tx, MERCHANT, "US", &usd).await?;
            let who = console(directory::tenant(tx, &merchant.id, false).await?);
            let (_, key) = directory::create_key(tx, &who, Some("demo")).await?;
            Ok((merchant, who, key))
        })?;
        let prices = self.catalogue(&who, &usd).await?;
        self.allow_changes(&who, &prices).await?;
        for story in STORIES {
            self.tell(&who, story, &prices).await?;
        }
        Ok(Kept { merchant: merchant.id, secret_key: key })
    }

    async fn catalogue(&self, who: &Actor, usd: &Currency) -> Result<Vec<Price>> {
        transact!(self.db, |tx| {
            let mut prices = Vec::new();
            for (id, name, description, features) in PRODUCTS {
                let fields = ProductUpdate {
                    marketing_features: Patch::Set(features.iter().map(|&feature| feature.into()).collect()),
                    external_id: Patch::Set((*id).into()),
                    description: Patch::Set((*description).into()),
                    ..Default::default()
                };
                let new = NewProduct { id: None, name: (*name).into(), active: None, fields };
                let product = billing::catalog::product::create(tx, who, new).await?;
                for (_, key, amount, interval) in PRICES.iter().filter(|p| p.0 == *id) {
                    let fields =
                        billing::catalog::PriceUpdate { lookup_key: Patch::Set((*key).into()), ..Default::default() };
                    let new = NewPrice {
                        currency: usd.clone(),
                        product: PriceProduct::Existing(product.id.clone()),
                        cost: Cost::unit(*amount),
                        recurring: Some(Recurring { interval: *interval, count: 1 }),
                        trial_period_days: None,
                        active: None,
                        tax_behavior: None,
                        transfer_lookup_key: false,
                        fields,
                    };
                    prices.push(billing::catalog::price::create(tx, who, new).await?);
                }
            }
            Ok(prices)
        })
    }

    /// In the portal, plans change at once when they grow and with the period when they shrink; seats are adjustable.
    async fn allow_changes(&self, who: &Actor, prices: &[Price]) -> Result<()> {
        let mut products: Vec<serde_json::Value> = Vec::new();
        for price in prices {
            let is_listed = products.iter().any(|product| product["product"] == *price.product);
            let by_the_seat = price.lookup_key.as_deref().is_some_and(|key| key.starts_with("team"));
            if !is_listed {
                let adjustable = json!({ "enabled": by_the_seat, "minimum": 1, "maximum": 50 });
                products.push(json!({ "product": price.product, "adjustable_quantity": adjustable }));
            }
        }
        let conditions = json!([{ "type": "decreasing_item_amount" }, { "type": "shortening_interval" }]);
        let lengths =
            json!([{ "interval": "month", "interval_count": 1 }, { "interval": "month", "interval_count": 3 }]);
        let features = json!({
            "subscription_pause": {
                "enabled": true,
                "duration": { "type": "interval_options", "interval_options": lengths },
            },
            "subscription_update": {
                "enabled": true,
                "default_allowed_updates": ["price", "quantity", "promotion_code"],
                "proration_behavior": "always_invoice",
                "schedule_at_period_end": { "conditions": conditions },
                "products": products,
            },
        });
        transact!(self.db, |tx| {
            let update = ConfigurationUpdate { features: Some(features.clone()), ..Default::default() };
            configuration::update(tx, who, "default", update).await
        })?;
        Ok(())
    }

    async fn tell(&mut self, who: &Actor, story: &Story, prices: &[Price]) -> Result<()> {
        self.at(story.plan.as_ref().map_or(30, |p| p.days));
        let update = CustomerUpdate {
            external_id: Patch::Set(format!("demo_{}", story.state)),
            name: Patch::Set(story.name.into()),
            email: Patch::Set(story.email.into()),
            preferred_locales: Patch::Set(vec![story.locale.into()]),
            address: Patch::Set(Address {
                city: Some(story.city.into()),
                country: Some(story.country.into()),
                ..Default::default()
            }),
            ..Default::default()
        };
        let customer = transact!(self.db, |tx| billing::customer::create(tx, who, update.clone()).await)?;
        let Some(plan) = &story.plan else { return Ok(()) };
        if let Some(method) = plan.method {
            self.pay_with(who, &customer.id, method).await?;
        }
        let price = prices.iter().find(|p| p.lookup_key.as_deref() == Some(plan.price));
        let price = price.ok_or_else(|| Error::internal(format!("the demo has no price {}", plan.price)))?;
        let subscription = self.subscribe(who, &customer.id, &price.id, plan).await?;
        for (days, then) in plan.then {
            self.pass_time(who, &subscription, *days).await?;
            self.happen(who, &customer.id, &subscription, *then).await?;
        }
        self.pass_time(who, &subscription, 0).await
    }

    async fn subscribe(&self, who: &Actor, customer: &str, price: &str, plan: &Plan) -> Result<String> {
        let new = NewSubscription {
            customer: customer.into(),
            items: vec![NewItem {
                price: price.into(),
                price_data: None,
                quantity: Some(plan.quantity),
                tax_rates: Vec::new(),
                discounts: Vec::new(),
                metadata: Patch::Keep,
            }],
            add_invoice_items: Vec::new(),
            backdate_start_date: None,
            billing_cycle_anchor: None,
            proration_behavior: ProrationBehavior::CreateProrations,
            trial: if plan.trial_days > 0 { Trial::Days(plan.trial_days) } else { Trial::None },
            trial_settings: Default::default(),
            cancel_at_period_end: false,
            cancel_at: None,
            default_payment_method: None,
            collection_method: CollectionMethod::ChargeAutomatically,
            days_until_due: None,
            payment_behavior: PaymentBehavior::AllowIncomplete,
            payment_settings: Default::default(),
            default_tax_rates: Vec::new(),
            automatic_tax: false,
            discounts: Vec::new(),
            description: None,
            metadata: Patch::Keep,
        };
        let created = transact!(self.db, |tx| subscription::create::create(tx, who, new.clone()).await)?;
        if created.collect {
            payment::collect(&self.db, self.gateway.clone(), who, &created.invoice.id).await?;
        }
        Ok(created.subscription.id)
    }

    async fn happen(&self, who: &Actor, customer: &str, subscription: &str, then: Then) -> Result<()> {
        match then {
            Then::CancelAtPeriodEnd => {
                let update = SubscriptionUpdate {
                    cancel_at_period_end: Some(true),
                    feedback: Patch::Set(Feedback::Unused),
                    ..Default::default()
                };
                transact!(self.db, |tx| subscription::update::update(tx, who, subscription, update.clone()).await)?;
            }
            Then::CancelNow => {
                transact!(self.db, |tx| subscription::cancel::now(
                    tx,
                    who,
                    subscription,
                    Some(Feedback::SwitchedService),
                    None
                )
                .await)?;
            }
            Then::CardFails => self.pay_with(who, customer, "pm_card_chargeDeclinedInsufficientFunds").await?,
        }
        Ok(())
    }

    /// Attaches a test method and makes it the customer's default.
    async fn pay_with(&self, who: &Actor, customer: &str, method: &str) -> Result<()> {
        let method =
            test_method(method, 2027).ok_or_else(|| Error::internal("the sandbox does not know this method"))?;
        transact!(self.db, |tx| {
            let method = payment_method::attach(tx, who, customer, method.clone()).await?;
            let update = CustomerUpdate { default_payment_method: Patch::Set(method.id), ..Default::default() };
            billing::customer::update(tx, who, customer, update).await
        })?;
        Ok(())
    }

    /// Moves the clock to `days` ago, stopping wherever something is due on the subscription.
    async fn pass_time(&mut self, who: &Actor, id: &str, days: i64) -> Result<()> {
        let end = self.now - days * DAY;
        loop {
            let mut tx = self.db.read().await?;
            let due = subscription::get(&mut tx, who, id).await?.next_due;
            drop(tx);
            match due.filter(|due| due.0 * 1000 <= end) {
                None => break,
                Some(due) => self.clock.advance(due.0 * 1000 - self.clock.wall().0),
            }
            let step = transact!(self.db, |tx| cycle::advance(tx, who, id).await)?;
            if let cycle::Step::Billed(invoice) = step
                && invoice.amount_remaining() > 0
            {
                payment::collect(&self.db, self.gateway.clone(), who, &invoice.id).await?;
            }
        }
        self.at(days);
        Ok(())
    }

    fn at(&self, days: i64) {
        self.clock.advance(self.now - days * DAY - self.clock.wall().0);
    }
}
