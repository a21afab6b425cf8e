//! Does what a log says to the real books, and tells what came of it.

use std::cell::RefCell;
use std::collections::HashMap;

use billing::catalog::cost::{Round, Tier, TiersMode, Transform};
use billing::catalog::{Cost, CouponUpdate, NewCoupon, NewPrice, NewTaxRate, TaxRateUpdate, coupon, price, tax_rate};
use billing::customer::balance::{self, Adjustment};
use billing::cycle::{self, Step};
use billing::discount::{Duration, Wanted};
use billing::invoice::{Invoice, Line, Status};
use billing::period::Recurring;
use billing::subscription::cancel::{self, Cancellation};
use billing::subscription::create::Trial;
use billing::subscription::pause::{self, Invoicing, Pause, UnusedTime};
use billing::subscription::resume::{self, Resume};
use billing::subscription::{
    self, Anchor, CollectionMethod, ItemChange, NewItem, NewSubscription, ProrationBehavior, Subscription,
    SubscriptionUpdate,
};
use billing::{Currency, Decimal, Patch, Result, Seconds};
use serde_json::{Value, json};

use crate::support::{Stage, change, done, plain_price, plan, seen};

/// A database that many logs are acted in, with what they have in common.
pub struct Scene<'a> {
    stage: &'a Stage,
    product: String,
    /// Prices and rates by what they are.
    made: RefCell<HashMap<String, String>>,
}

/// One log's customer.
struct Play<'a> {
    scene: &'a Scene<'a>,
    log: &'a Value,
    customer: String,
    subscription: Option<String>,
    pays: bool,
    /// Ids, and the names that the log has for them.
    names: HashMap<String, String>,
    /// The other way round for items.
    items: HashMap<String, String>,
}

impl<'a> Scene<'a> {
    pub async fn set(stage: &'a Stage) -> Self {
        Self { stage, product: stage.price(1).await.product, made: RefCell::default() }
    }

    /// The log with what came of it: the invoices, the balance, and the actions that were refused.
    pub async fn act(&self, log: &Value) -> Value {
        let actions = log["actions"].as_array().unwrap();
        self.stage.go_to(Seconds(int(&actions[0]["at"])));
        let pays = actions[0]["pays"] == true;
        let customer = if pays { self.stage.payer("pm_card_visa").await } else { self.stage.customer().await }.id;
        let mut play =
            Play { scene: self, log, customer, subscription: None, pays, names: HashMap::new(), items: HashMap::new() };
        let mut refused = Vec::new();
        for (n, action) in actions.iter().enumerate() {
            self.stage.go_to(Seconds(int(&action["at"])));
            play.settle().await;
            if play.act(action).await.is_err() {
                refused.push(n);
            }
        }
        play.told(refused).await
    }

    async fn price(&self, log: &Value, name: &str) -> String {
        let (terms, currency) = (&log["prices"][name], text(&log["currency"]));
        // Two of a log may be alike, and are two.
        let key = format!("{currency} {name} {terms}");
        if let Some(id) = self.made.borrow().get(&key) {
            return id.clone();
        }
        let interval = serde_json::from_value(terms["interval"].clone()).unwrap();
        let new = NewPrice {
            cost: cost(terms),
            recurring: Some(Recurring { interval, count: int(&terms["count"]) }),
            ..plain_price(Currency::parse(currency, "currency").unwrap(), &self.product, 0)
        };
        let made = done!(self.stage, |tx| price::create(tx, &self.stage.who, new.clone())).id;
        self.made.borrow_mut().insert(key, made.clone());
        made
    }

    async fn rate(&self, log: &Value, name: &str) -> String {
        let terms = &log["rates"][name];
        let key = format!("{name} {terms}");
        if let Some(id) = self.made.borrow().get(&key) {
            return id.clone();
        }
        let new = NewTaxRate {
            display_name: "Tax".into(),
            inclusive: terms["inclusive"] == true,
            percentage: decimal(&terms["percentage"]).unwrap(),
            fields: TaxRateUpdate::default(),
        };
        let made = done!(self.stage, |tx| tax_rate::create(tx, &self.stage.who, new.clone())).id;
        self.made.borrow_mut().insert(key, made.clone());
        made
    }
}

impl Scene<'_> {
    /// A coupon of one customer's own.
    async fn coupon(&self, log: &Value, name: &str) -> String {
        let terms = &log["coupons"][name];
        let amount_off = terms["amount"].as_i64();
        let new = NewCoupon {
            id: None,
            percent_off: decimal(&terms["percent"]),
            amount_off,
            currency: amount_off.map(|_| Currency::parse(text(&log["currency"]), "currency").unwrap()),
            duration: Duration::parse(text(&terms["duration"]), "duration").unwrap(),
            duration_in_months: terms["months"].as_i64(),
            applies_to: None,
            max_redemptions: None,
            redeem_by: None,
            fields: CouponUpdate::default(),
        };
        done!(self.stage, |tx| coupon::create(tx, &self.stage.who, new.clone())).id
    }
}

impl Play<'_> {
    fn stage(&self) -> &Stage {
        self.scene.stage
    }

    async fn act(&mut self, action: &Value) -> Result<()> {
        match text(&action["do"]) {
            "subscribe" => return self.subscribe(action).await,
            "wait" => {}
            "cancel" => {
                let (stage, id) = (self.scene.stage, self.subscription.clone().unwrap());
                let (prorate, invoice_now) = (action["prorate"] == true, action["invoice_now"] == true);
                let cancellation = Cancellation { prorate, invoice_now, ..Cancellation::default() };
                let ended = change!(stage, |tx| cancel::at_once(tx, &stage.who, &id, cancellation.clone()))?;
                self.collect(ended.invoice.filter(|_| ended.collect)).await;
            }
            "change" => return self.change(action).await,
            "discount" => {
                let wanted = self.coupons(&action["coupons"]).await;
                let discounts = if wanted.is_empty() { Patch::Clear } else { Patch::Set(wanted) };
                self.update(SubscriptionUpdate { discounts, ..SubscriptionUpdate::default() }).await?;
            }
            "pause" => {
                let (stage, id) = (self.scene.stage, self.subscription.clone().unwrap());
                let how = Pause {
                    unused_time_from: UnusedTime::parse(text(&action["unused_time_from"]), "log")?,
                    invoicing: Invoicing::parse(text(&action["invoicing"]), "log")?,
                    ..Pause::default()
                };
                change!(stage, |tx| pause::pause(tx, &stage.who, &id, how))?;
            }
            "resume" => {
                let (stage, id) = (self.scene.stage, self.subscription.clone().unwrap());
                let how = Resume {
                    anchor: Anchor::parse(text(&action["anchor"]), "log")?,
                    proration_behavior: ProrationBehavior::parse(text(&action["behavior"]), "log")?,
                    proration_date: None,
                };
                let resumed = change!(stage, |tx| resume::resume(tx, &stage.who, &id, how))?;
                self.collect(resumed.invoice).await;
            }
            "pay" => self.pay().await,
            "adjust_balance" => {
                let (stage, new) = (
                    self.scene.stage,
                    Adjustment {
                        amount: int(&action["amount"]),
                        currency: self.currency(),
                        description: Patch::Keep,
                        metadata: Patch::Keep,
                    },
                );
                change!(stage, |tx| balance::adjust(tx, &stage.who, &self.customer, new.clone()))?;
            }
            "cancel_at_period_end" => {
                let flag = Some(action["flag"] == true);
                self.update(SubscriptionUpdate { cancel_at_period_end: flag, ..SubscriptionUpdate::default() }).await?;
            }
            other => panic!("nobody knows how to {other}"),
        }
        Ok(())
    }

    fn currency(&self) -> Currency {
        Currency::parse(text(&self.log["currency"]), "currency").unwrap()
    }

    async fn update(&mut self, update: SubscriptionUpdate) -> Result<Subscription> {
        let (stage, id) = (self.scene.stage, self.subscription.clone().unwrap());
        let updated = change!(stage, |tx| subscription::update::update(tx, &stage.who, &id, update.clone()))?;
        self.collect(updated.invoice.filter(|_| updated.collect)).await;
        self.note_discounts(&updated.subscription);
        Ok(updated.subscription)
    }

    /// Charges what is to be charged, as the door does.
    async fn collect(&self, invoice: Option<Invoice>) {
        if let Some(invoice) = invoice.filter(|i| self.pays && i.status == Status::Open && !i.attempted) {
            self.scene.stage.collect(&invoice).await.unwrap();
        }
    }

    /// The money for all that is owed came in another way.
    async fn pay(&self) {
        let stage = self.scene.stage;
        for open in stage.invoices(&self.customer).await.into_iter().filter(|i| i.status == Status::Open) {
            done!(stage, |tx| billing::invoice::pay_out_of_band(tx, &stage.who, &open.id, stage.now()));
        }
    }

    async fn change(&mut self, action: &Value) -> Result<()> {
        let (mut items, mut added) = (Vec::new(), Vec::new());
        for given in action["items"].as_array().unwrap() {
            let name = text(&given["item"]);
            let id = self.items.get(name).cloned();
            if id.is_none() {
                added.push(name.to_owned());
            }
            let tax_rates = if id.is_none() { Patch::Set(self.rates(&given["rates"]).await) } else { Patch::Keep };
            let price = match given["price"].as_str() {
                Some(price) => Some(self.scene.price(self.log, price).await),
                None => None,
            };
            let (quantity, deleted) = (given["quantity"].as_i64(), given["deleted"] == true);
            items.push(ItemChange { id, price, quantity, tax_rates, deleted, ..ItemChange::default() });
        }
        let update = SubscriptionUpdate {
            items,
            proration_behavior: Some(ProrationBehavior::parse(text(&action["behavior"]), "log")?),
            proration_date: action["proration_date"].as_i64().map(Seconds),
            billing_cycle_anchor: action["anchor"].as_str().map(|word| Anchor::parse(word, "log").unwrap()),
            ..SubscriptionUpdate::default()
        };
        let after = self.update(update).await?;
        // What is new stands at the end, in its order.
        for (item, name) in after.items.iter().rev().zip(added.iter().rev()) {
            self.name_item(&item.id, name);
        }
        Ok(())
    }

    fn name_item(&mut self, id: &str, name: &str) {
        self.names.insert(id.to_owned(), name.to_owned());
        self.items.insert(name.to_owned(), id.to_owned());
    }

    async fn coupons(&mut self, names: &Value) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for name in names.as_array().into_iter().flatten().map(text) {
            let coupon = self.scene.coupon(self.log, name).await;
            self.names.insert(coupon.clone(), name.to_owned());
            wanted.push(Wanted::Coupon(coupon));
        }
        wanted
    }

    fn note_discounts(&mut self, subscription: &Subscription) {
        for discount in &subscription.discounts {
            let name = self.names[&discount.coupon].clone();
            self.names.insert(discount.id.clone(), name);
        }
    }

    async fn rates(&mut self, names: &Value) -> Vec<String> {
        let mut ids = Vec::new();
        for name in names.as_array().into_iter().flatten().map(text) {
            let id = self.scene.rate(self.log, name).await;
            self.names.insert(id.clone(), name.to_owned());
            ids.push(id);
        }
        ids
    }

    async fn item(&mut self, item: &Value) -> NewItem {
        NewItem {
            price: self.scene.price(self.log, text(&item["price"])).await,
            price_data: None,
            quantity: Some(int(&item["quantity"])),
            tax_rates: self.rates(&item["rates"]).await,
            discounts: Vec::new(),
            metadata: Patch::Keep,
        }
    }

    async fn subscribe(&mut self, action: &Value) -> Result<()> {
        let stage = self.scene.stage;
        let mut items = Vec::new();
        for item in action["items"].as_array().unwrap() {
            items.push(self.item(item).await);
        }
        let discounts = self.coupons(&action["discounts"]).await;
        let customer = stage.customer_named(&self.customer).await;
        let price = seen!(stage, |tx| price::get(tx, &stage.who, &items[0].price));
        let sent = !self.pays;
        let new = NewSubscription {
            items,
            trial: action["trial_end"].as_i64().map_or(Trial::None, |end| Trial::Until(Seconds(end))),
            discounts,
            default_tax_rates: self.rates(&action["rates"]).await,
            collection_method: if sent { CollectionMethod::SendInvoice } else { CollectionMethod::ChargeAutomatically },
            days_until_due: sent.then_some(30),
            ..plan(&customer, &price)
        };
        let made = change!(stage, |tx| subscription::create::create(tx, &stage.who, new.clone()))?;
        if made.collect {
            stage.collect(&made.invoice).await?;
        }
        for (item, given) in made.subscription.items.iter().zip(action["items"].as_array().unwrap()) {
            self.name_item(&item.id, text(&given["item"]));
        }
        self.note_discounts(&made.subscription);
        self.subscription = Some(made.subscription.id);
        Ok(())
    }

    /// Everything that is due, one step after another, as the worker does it.
    async fn settle(&self) {
        let (stage, Some(id)) = (self.stage(), &self.subscription) else { return };
        loop {
            match done!(stage, |tx| cycle::advance(tx, &stage.system(), id)) {
                Step::Waiting => return,
                Step::Billed(invoice) if self.pays && invoice.status == Status::Open && !invoice.attempted => {
                    stage.collect(&invoice).await.unwrap();
                }
                _ => {}
            }
        }
    }

    async fn told(&self, refused: Vec<usize>) -> Value {
        let mut invoices = self.stage().invoices(&self.customer).await;
        invoices.sort_by_key(|invoice| invoice.number.clone());
        let invoices: Vec<Value> = invoices.iter().map(|invoice| self.invoice(invoice)).collect();
        let mut log = self.log.clone();
        log["invoices"] = invoices.into();
        log["refused"] = refused.into();
        let (stage, currency) = (self.scene.stage, self.currency());
        log["balance"] = seen!(stage, |tx| balance::of(tx, &stage.who, &self.customer, &currency)).into();
        log
    }

    fn invoice(&self, i: &Invoice) -> Value {
        let number = i.number.as_ref().and_then(|number| number.rsplit('-').next()?.parse::<i64>().ok());
        json!({
            "reason": i.billing_reason, "created": i.created, "subtotal": i.subtotal, "discount": i.discount, "tax": i.tax,
            "total": i.total, "starting": i.starting_balance, "ending": i.ending_balance, "due": i.amount_due,
            "paid": i.status == Status::Paid, "number": number,
            "lines": i.lines.iter().map(|line| self.line(line)).collect::<Vec<_>>(),
        })
    }

    fn line(&self, l: &Line) -> Value {
        let name = |id: &str| self.names.get(id).cloned();
        // One that finds nothing left to take says so, which the model does not.
        let discounts = l.discount_amounts.iter().filter(|taken| taken.amount != 0);
        let discounts = discounts.map(|taken| json!([name(&taken.discount), taken.amount]));
        let taxes = l.taxes.as_array().into_iter().flatten();
        let taxes = taxes.map(|tax| json!([name(text(&tax["tax_rate_details"]["tax_rate"])), tax["amount"]]));
        json!([
            l.subscription_item.as_deref().and_then(name),
            l.quantity,
            l.amount,
            l.period_start,
            l.period_end,
            l.proration,
            discounts.collect::<Vec<_>>(),
            taxes.collect::<Vec<_>>(),
        ])
    }
}

fn cost(terms: &Value) -> Cost {
    if let Some(tiers) = terms["tiers"].as_array() {
        let tier = |tier: &Value| Tier {
            up_to: tier["up_to"].as_i64(),
            unit_amount: decimal(&tier["unit"]),
            flat_amount: decimal(&tier["flat"]),
        };
        let mode = TiersMode::parse(text(&terms["tiers_mode"]), "tiers_mode").unwrap();
        return Cost::Tiered { mode, tiers: tiers.iter().map(tier).collect() };
    }
    let round = terms["round"].as_str().map(|word| Round::parse(word, "round").unwrap());
    let transform = round.map(|round| Transform { divide_by: int(&terms["divide_by"]), round });
    Cost::PerUnit { unit: decimal(&terms["unit"]).unwrap(), transform }
}

fn decimal(value: &Value) -> Option<Decimal> {
    value.as_str().map(|text| Decimal::parse(text, 4, "log").expect("a decimal"))
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no integer"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
