//! Customers written in bulk: what the operations made of one, made of many, and the operations go on with them.

use std::collections::BTreeSet;

use billing::bulk::{self, Newcomer, Pattern, Writer};
use billing::customer::payment_method;
use billing::customer::{self, CustomerUpdate};
use billing::invoice::Status as Paid;
use billing::payment::charge::{self, ChargeFilter};
use billing::subscription::{self, ItemChange, ProrationBehavior, Status, SubscriptionFilter, SubscriptionUpdate};
use billing::{Page, Patch, transact, wire, work};
use serde_json::{Value, json};

use crate::support::{DAY, HOUR, Stage, done, on_both, plan, refused, seen};

const NAME: &str = "Ada Byrne";

impl Stage {
    /// A customer who has paid for three months.
    async fn pattern(&self) -> String {
        let new = CustomerUpdate {
            name: Patch::Set(NAME.into()),
            email: Patch::Set("ada@byrne.example".into()),
            preferred_locales: Patch::Set(vec!["en".into()]),
            ..CustomerUpdate::default()
        };
        let customer = done!(self, |tx| customer::create(tx, &self.who, new.clone()));
        let method = self.method(&customer, "pm_sepaDebit").await;
        let customer = self.set_default(&customer, &method).await;
        let price = self.price(1250).await;
        self.subscribe(plan(&customer, &price)).await;
        self.work_for(70).await;
        customer.id
    }

    async fn work_for(&self, days: i64) {
        for _ in 0..days {
            self.pass(DAY);
            while work::one(&self.db, &(self.sandbox.clone() as _)).await.unwrap() {}
        }
    }

    async fn write(&self, customer: &str, newcomers: &[Newcomer]) {
        let pattern = Pattern::read(&mut self.db.read().await.unwrap(), &self.who, customer).await.unwrap();
        let mut writer = Writer::begin(&mut self.db.read().await.unwrap(), &self.who).await.unwrap();
        let charges = transact!(self.db, |tx| writer.write(tx, &self.who, &pattern, newcomers).await).unwrap();
        self.sandbox.remember(&charges).await.unwrap();
    }

    async fn subscription_of(&self, customer: &str) -> subscription::Subscription {
        let filter = SubscriptionFilter { customer: Some(customer.into()), ..Default::default() };
        let page = Page::first(10);
        let mut found = seen!(self, |tx| subscription::list(tx, &self.who, &page, &filter)).data;
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    /// All that the API says of a customer and what is theirs, without what is nobody else's.
    async fn shown(&self, id: &str, later: i64) -> Value {
        let (tenant, page) = (&self.who.tenant, Page::first(100));
        let customer = self.customer_named(id).await;
        let methods = seen!(self, |tx| payment_method::list(tx, &self.who, id, &page, None)).data;
        let filter = ChargeFilter { customer: Some(id.into()), payment_intent: None };
        let charges = seen!(self, |tx| charge::list(tx, &self.who, &page, &filter)).data;
        let all = json!({
            "customer": wire::customer(tenant, &customer),
            "methods": methods.iter().map(|method| wire::payment_method(tenant, method)).collect::<Vec<_>>(),
            "subscription": wire::subscription(tenant, &self.subscription_of(id).await),
            "invoices": self.invoices(id).await.iter().map(|i| wire::invoice(tenant, i)).collect::<Vec<_>>(),
            "charges": charges.iter().map(|charge| wire::charge(tenant, charge)).collect::<Vec<_>>(),
        });
        let own = [(customer.name, "NAME"), (customer.email, "EMAIL"), (Some(customer.invoice_prefix), "PREFIX")];
        let own: Vec<(String, &str)> = own.into_iter().map(|(text, word)| (text.unwrap(), word)).collect();
        without(all, &own, later)
    }
}

/// The same with words for ids and names, and with instants as they were to the pattern.
fn without(value: Value, own: &[(String, &str)], later: i64) -> Value {
    match value {
        Value::Object(fields) => {
            // What is bought is the merchant's, and as old for everybody.
            let age = |name: &str| if ["plan", "price"].contains(&name) { 0 } else { later };
            let each = fields.into_iter().map(|(name, value)| {
                let later = age(&name);
                (name, without(value, own, later))
            });
            Value::Object(each.collect())
        }
        Value::Array(list) => list.into_iter().map(|value| without(value, own, later)).collect(),
        Value::Number(number) if number.as_i64().is_some_and(|n| n > 1_000_000_000) => {
            (number.as_i64().unwrap() - later).into()
        }
        Value::String(text) => {
            let text = own.iter().fold(text, |text, (mark, word)| text.replace(mark, word));
            let words = text.split_inclusive(['/', '=']).map(|word| {
                let bare = word.trim_end_matches(['/', '=']);
                if billing::id::time_of(bare).is_some() {
                    word.replace(bare, bare.split('_').next().unwrap())
                } else {
                    word.into()
                }
            });
            words.collect::<String>().into()
        }
        other => other,
    }
}

fn newcomer(name: &str, later: i64) -> Newcomer {
    Newcomer { name: name.into(), email: format!("{}@post.example", name.to_lowercase().replace(' ', ".")), later }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_in_bulk_is_what_the_operations_would_have_made() {
    on_both(async |stage| {
        let pattern = stage.pattern().await;
        let newcomers = [newcomer("Emil Novak", 60), newcomer("Mei Tanaka", 2 * HOUR)];
        stage.write(&pattern, &newcomers).await;
        let known: Vec<(String, String)> = stage.rows("select id, name from customer order by id").await;
        assert_eq!(known.len(), 3);
        let expected = stage.shown(&pattern, 0).await;
        assert_eq!(expected["invoices"].as_array().map(Vec::len), Some(3));
        for newcomer in &newcomers {
            let (id, _) = known.iter().find(|(_, name)| *name == newcomer.name).unwrap();
            assert_eq!(stage.customer_named(id).await.email.as_ref(), Some(&newcomer.email));
            assert_eq!(stage.shown(id, newcomer.later).await, expected);
        }
        stage.agreed().await;

        let numbers: Vec<(String,)> = stage.rows("select number from invoice").await;
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), 9, "every number is somebody's own");
        assert_eq!(stage.number("select count(*) from hosted_invoice").await, 3 + 2, "old links open nothing");
        assert_eq!(stage.number("select count(*) from mandate").await, 3);
        let told: Vec<(String, String, Option<String>)> =
            stage.rows("select actor, action, event from audit_entry where actor = 'import' order by id").await;
        assert!(told.iter().all(|(actor, _, event)| actor == bulk::ACTOR && event.is_none()));
        // Each has its own: customer, method, subscription, and three invoices.
        assert_eq!(told.len(), 2 * (3 + 3));
        assert_eq!(
            stage.number("select count(distinct wakes_at - next_due) from subscription").await,
            3,
            "spread over the hour"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operations_go_on_with_who_came_in_bulk() {
    on_both(async |stage| {
        let pattern = stage.pattern().await;
        stage.write(&pattern, &[newcomer("Emil Novak", 60), newcomer("Mei Tanaka", 300)]).await;
        stage.work_for(31).await;
        let all: Vec<(String,)> = stage.rows("select id from customer order by id").await;
        for (id,) in &all {
            let invoices = stage.invoices(id).await;
            assert_eq!(invoices.iter().map(|i| i.status).collect::<Vec<_>>(), [Paid::Paid; 4]);
            assert!(
                invoices
                    .windows(2)
                    .all(|pair| pair[0].period_end == pair[1].period_start && pair[0].number < pair[1].number)
            );
            assert_eq!(stage.subscription_of(id).await.status, Status::Active);
        }
        let newest = stage.subscription_of(&all[2].0).await;
        let update = SubscriptionUpdate {
            items: vec![ItemChange { id: Some(newest.items[0].id.clone()), quantity: Some(3), ..Default::default() }],
            proration_behavior: Some(ProrationBehavior::AlwaysInvoice),
            ..Default::default()
        };
        let updated = done!(stage, |tx| subscription::update::update(tx, &stage.who, &newest.id, update.clone()));
        let paid = stage.collect(&updated.invoice.unwrap()).await.unwrap();
        assert_eq!((paid.status, paid.billing_reason.as_str()), (Paid::Paid, "subscription_update"));
        stage.agreed().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_would_break_its_documents_is_refused() {
    on_both(async |stage| {
        let customer = stage.pattern().await;
        let pattern = Pattern::read(&mut stage.db.read().await.unwrap(), &stage.who, &customer).await.unwrap();
        let mut writer = Writer::begin(&mut stage.db.read().await.unwrap(), &stage.who).await.unwrap();
        let bad = [newcomer("A \"B\" C", 0)];
        refused!(stage, |tx| writer.write(tx, &stage.who, &pattern, &bad));
        assert_eq!(stage.number("select count(*) from customer").await, 1);
    })
    .await;
}
