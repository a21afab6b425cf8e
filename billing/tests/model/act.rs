//! Does what a log says to the real books, and tells what came of it.

use std::cell::RefCell;
use std::collections::HashMap;

use billing::catalog::cost::{Round, Tier, TiersMode, Transform};
use billing::catalog::{Cost, NewPrice, NewTaxRate, TaxRateUpdate, price, tax_rate};
use billing::customer::balance::{self, Adjustment};
use billing::cycle::{self, Step};
use billing::invoice::{Invoice, Line, Status};
use billing::period::Recurring;
use billing::subscription::create::Trial;
use billing::subscription::{self, CollectionMethod, NewItem, NewSubscription, Subscription, SubscriptionUpdate};
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
        let mut play = Play { scene: self, log, customer, subscription: None, pays, names: HashMap::new() };
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
                change!(stage, |tx| subscription::cancel::now(tx, &stage.who, &id, None, None))?;
            }
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

    async fn update(&self, update: SubscriptionUpdate) -> Result<Subscription> {
        let (stage, id) = (self.scene.stage, self.subscription.clone().unwrap());
        let updated = change!(stage, |tx| subscription::update::update(tx, &stage.who, &id, update.clone()));
        updated.map(|updated| updated.subscription)
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
        let customer = stage.customer_named(&self.customer).await;
        let price = seen!(stage, |tx| price::get(tx, &stage.who, &items[0].price));
        let sent = !self.pays;
        let new = NewSubscription {
            items,
            trial: action["trial_end"].as_i64().map_or(Trial::None, |end| Trial::Until(Seconds(end))),
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
            self.names.insert(item.id.clone(), text(&given["item"]).to_owned());
        }
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
        let taxes = l.taxes.as_array().into_iter().flatten();
        let taxes = taxes.map(|tax| json!([name(text(&tax["tax_rate_details"]["tax_rate"])), tax["amount"]]));
        json!([
            l.subscription_item.as_deref().and_then(name),
            l.quantity,
            l.amount,
            l.period_start,
            l.period_end,
            l.proration,
            [],
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
