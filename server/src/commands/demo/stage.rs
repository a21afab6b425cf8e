//! Plays the stories by running the operations, under a clock that is set to the past and moved from act to act.

use std::sync::Arc;

use billing::customer::balance::{self, Adjustment};
use billing::customer::tax_id::{self, NewTaxId};
use billing::customer::{self, Address, CustomerUpdate, payment_method};
use billing::discount::Wanted;
use billing::gateway::PaymentGateway;
use billing::gateway::sandbox::test_method;
use billing::patch::Patch;
use billing::settings::{self, SettingsUpdate};
use billing::subscription::create::{PaymentBehavior, Trial};
use billing::subscription::pause::{self, Pause};
use billing::subscription::{
    self, CollectionMethod, ItemChange, NewItem, NewSubscription, ProrationBehavior, Subscription, SubscriptionUpdate,
    cancel, scheduled,
};
use billing::{Actor, Db, Error, Result, Seconds, invoice, mail, payment, transact, work};

use super::catalogue::Shelf;
use super::stories::{Act, Story, Terms};

const HOUR: i64 = 60 * 60;
/// How long ago somebody came to whom nothing has happened since.
const IDLE: i64 = 30 * 24;
/// On average, in seconds; cards expire four years from now.
const YEAR: i64 = 31_556_952;

pub struct Stage {
    /// Its clock is the stage's to move.
    pub db: Db,
    pub gateway: Arc<dyn PaymentGateway>,
    pub who: Actor,
    pub shelf: Shelf,
    /// When the stories end.
    pub now: Seconds,
}

impl Stage {
    /// Answers who it was.
    pub async fn tell(&self, story: &Story<'_>) -> Result<String> {
        self.set_clock(story.acts.first().map_or(IDLE, |(ago, _)| *ago));
        let customer = self.introduce(story).await?;
        let mut subscription = None;
        for (ago, act) in story.acts {
            self.pass_time(&customer, *ago).await?;
            match act {
                Act::Subscribe(terms) => subscription = Some(self.subscribe(&customer, terms).await?),
                Act::PayWith(method) => self.pay_with(&customer, method).await?,
                Act::Credit(amount, why) => self.credit(&customer, *amount, why).await?,
                Act::AfterLastAttempt(then) => {
                    let update = SettingsUpdate { after_last_attempt: Some(*then), ..SettingsUpdate::default() };
                    transact!(self.db, |tx| settings::update(tx, &self.who, update.clone()).await)?;
                }
                other => {
                    let none = || Error::internal("a story that has not begun to subscribe");
                    self.happen(subscription.as_deref().ok_or_else(none)?, *other).await?;
                }
            }
        }
        self.pass_time(&customer, 0).await?;
        transact!(self.db, |tx| mail::queue::drop_all(tx, &self.who, &customer).await)?;
        Ok(customer)
    }

    async fn introduce(&self, story: &Story<'_>) -> Result<String> {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let place = &story.place;
        let update = CustomerUpdate {
            external_id: given(story.state).map_or(Patch::Keep, |state| Patch::Set(format!("demo_{state}"))),
            name: Patch::Set(story.name.into()),
            email: Patch::Set(story.email.into()),
            preferred_locales: Patch::Set(vec![story.locale.into()]),
            tax_exempt: story.tax.map_or(Patch::Keep, |(exempt, ..)| Patch::Set(exempt)),
            address: Patch::Set(Address {
                line1: given(place.line1),
                line2: None,
                city: given(place.city),
                postal_code: given(place.postal_code),
                state: given(place.state),
                country: given(place.country),
            }),
            ..CustomerUpdate::default()
        };
        transact!(self.db, |tx| {
            let made = customer::create(tx, &self.who, update.clone()).await?;
            if let Some((_, kind, value)) = story.tax {
                let new = NewTaxId { r#type: kind.into(), value: value.into() };
                tax_id::create(tx, &self.who, &made.id, new).await?;
            }
            Ok(made.id)
        })
    }

    async fn subscribe(&self, customer: &str, terms: &Terms) -> Result<String> {
        let new = self.new_subscription(customer, terms)?;
        let created = transact!(self.db, |tx| subscription::create::create(tx, &self.who, new.clone()).await)?;
        if created.collect {
            self.collect(&created.invoice.id).await?;
        }
        Ok(created.subscription.id)
    }

    fn new_subscription(&self, customer: &str, terms: &Terms) -> Result<NewSubscription> {
        let item = |(key, quantity): &(&str, i64)| {
            Ok(NewItem {
                price: self.shelf.price(key)?.id.clone(),
                price_data: None,
                quantity: Some(*quantity),
                tax_rates: Vec::new(),
                discounts: Vec::new(),
                metadata: Patch::Keep,
            })
        };
        let code = terms.promotion_code.map(|text| self.shelf.code(text)).transpose()?;
        Ok(NewSubscription {
            customer: customer.into(),
            items: terms.items.iter().map(item).collect::<Result<_>>()?,
            add_invoice_items: Vec::new(),
            backdate_start_date: None,
            billing_cycle_anchor: None,
            proration_behavior: ProrationBehavior::CreateProrations,
            trial: if terms.trial_days > 0 { Trial::Days(terms.trial_days) } else { Trial::None },
            trial_settings: Default::default(),
            cancel_at_period_end: false,
            cancel_at: None,
            default_payment_method: None,
            collection_method: match terms.days_until_due {
                Some(_) => CollectionMethod::SendInvoice,
                None => CollectionMethod::ChargeAutomatically,
            },
            days_until_due: terms.days_until_due,
            payment_behavior: PaymentBehavior::AllowIncomplete,
            payment_settings: Default::default(),
            default_tax_rates: Vec::new(),
            automatic_tax: terms.is_taxed,
            discounts: code.map(|id| Wanted::PromotionCode(id.into())).into_iter().collect(),
            description: None,
            metadata: Patch::Keep,
        })
    }

    /// What happens to a subscription once it has begun.
    async fn happen(&self, id: &str, act: Act) -> Result<()> {
        let before = subscription::get(&mut self.db.read().await?, &self.who, id).await?;
        match act {
            Act::Change(price, quantity) => {
                let items = vec![self.change(&before, price, quantity)?];
                let proration_behavior = Some(ProrationBehavior::AlwaysInvoice);
                self.update(id, SubscriptionUpdate { items, proration_behavior, ..Default::default() }).await?;
            }
            Act::Schedule(price, quantity) => {
                let change = [self.change(&before, price, quantity)?];
                transact!(self.db, |tx| scheduled::schedule(tx, &self.who, id, &change).await)?;
            }
            Act::CancelAtPeriodEnd(why) => {
                let (cancel_at_period_end, feedback) = (Some(true), Patch::Set(why));
                self.update(id, SubscriptionUpdate { cancel_at_period_end, feedback, ..Default::default() }).await?;
            }
            Act::CancelNow(why) => {
                transact!(self.db, |tx| cancel::now(tx, &self.who, id, Some(why), None).await)?;
            }
            Act::Pause(days) => {
                let resumes_at = Some(self.db.clock().wall().seconds().plus(days * 24 * HOUR));
                let pause = Pause { resumes_at, ..Pause::default() };
                transact!(self.db, |tx| pause::pause(tx, &self.who, id, pause).await)?;
            }
            Act::Transfer => {
                let latest = before.latest_invoice.unwrap_or_default();
                let now = self.db.clock().wall().seconds();
                transact!(self.db, |tx| invoice::pay_out_of_band(tx, &self.who, &latest, now).await)?;
            }
            Act::Subscribe(_) | Act::PayWith(_) | Act::Credit(..) | Act::AfterLastAttempt(_) => {}
        }
        Ok(())
    }

    /// The first item goes to another price or quantity.
    fn change(&self, subscription: &Subscription, price: &str, quantity: i64) -> Result<ItemChange> {
        Ok(ItemChange {
            id: subscription.items.first().map(|item| item.id.clone()),
            price: Some(self.shelf.price(price)?.id.clone()),
            quantity: Some(quantity),
            ..ItemChange::default()
        })
    }

    async fn update(&self, id: &str, update: SubscriptionUpdate) -> Result<()> {
        let updated = transact!(self.db, |tx| {
            Box::pin(subscription::update::update(tx, &self.who, id, update.clone())).await
        })?;
        match updated.invoice.filter(|_| updated.collect) {
            Some(invoice) => self.collect(&invoice.id).await,
            None => Ok(()),
        }
    }

    async fn collect(&self, invoice: &str) -> Result<()> {
        payment::collect(&self.db, self.gateway.clone(), &self.who, invoice).await?;
        Ok(())
    }

    /// Attaches a test method and makes it the customer's default.
    async fn pay_with(&self, customer: &str, method: &str) -> Result<()> {
        let unknown = || Error::internal(format!("the sandbox does not know {method}"));
        let method = test_method(method, 1970 + self.now.0 / YEAR).ok_or_else(unknown)?;
        transact!(self.db, |tx| {
            let method = payment_method::attach(tx, &self.who, customer, method.clone()).await?;
            let update = CustomerUpdate { default_payment_method: Patch::Set(method.id), ..Default::default() };
            customer::update(tx, &self.who, customer, update).await
        })?;
        Ok(())
    }

    async fn credit(&self, customer: &str, amount: i64, why: &str) -> Result<()> {
        transact!(self.db, |tx| {
            let currency = customer::get(tx, &self.who, customer).await?.currency;
            let currency = currency.ok_or_else(|| Error::internal("a customer who was never billed"))?;
            let description = Patch::Set(why.into());
            let credit = Adjustment { amount, currency, description, metadata: Patch::Keep };
            balance::adjust(tx, &self.who, customer, credit).await
        })?;
        Ok(())
    }

    /// Moves the clock to so many hours ago, stopping wherever something is due for the customer.
    async fn pass_time(&self, customer: &str, ago: i64) -> Result<()> {
        let end = self.now.plus(-ago * HOUR);
        while Box::pin(work::next_of(&self.db, &self.gateway, &self.who, customer, end)).await? {}
        self.set_clock(ago);
        Ok(())
    }

    fn set_clock(&self, ago: i64) {
        let clock = self.db.clock();
        clock.advance((self.now.0 - ago * HOUR) * 1000 - clock.wall().0);
    }
}
