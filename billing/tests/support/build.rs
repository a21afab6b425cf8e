//! The things that most tests begin with.

use billing::catalog::price::{self, PriceProduct};
use billing::catalog::{Cost, NewPrice, NewProduct, Price, PriceUpdate, ProductUpdate, product};
use billing::customer::payment_method::{self, PaymentMethod};
use billing::customer::{self, Customer, CustomerUpdate};
use billing::gateway::sandbox;
use billing::invoice::Invoice;
use billing::period::{Interval, Recurring};
use billing::subscription::create::{Created, PaymentBehavior, Trial};
use billing::subscription::{
    self, CollectionMethod, NewItem, NewSubscription, PaymentSettings, ProrationBehavior, Subscription, TrialSettings,
};
use billing::{Actor, Currency, Error, Patch, Result, payment};

use super::{Stage, done};

pub const MONTHLY: Recurring = Recurring { interval: Interval::Month, count: 1 };

impl Stage {
    pub fn eur(&self) -> Currency {
        Currency::parse("eur", "currency").expect("a currency")
    }

    /// A customer with nothing but a name.
    pub async fn customer(&self) -> Customer {
        self.customer_of(&self.who).await
    }

    pub async fn customer_of(&self, who: &Actor) -> Customer {
        let new = CustomerUpdate { name: Patch::Set("Ada".into()), ..CustomerUpdate::default() };
        done!(self, |tx| customer::create(tx, who, new.clone()))
    }

    /// A customer who pays with one of the sandbox's test methods by default.
    pub async fn payer(&self, test_method: &str) -> Customer {
        let customer = self.customer().await;
        let method = self.method(&customer, test_method).await;
        self.set_default(&customer, &method).await
    }

    pub async fn method(&self, customer: &Customer, test_method: &str) -> PaymentMethod {
        let new = sandbox::test_method(test_method, 2026).expect("a test method");
        done!(self, |tx| payment_method::attach(tx, &self.who, &customer.id, new.clone()))
    }

    pub async fn set_default(&self, customer: &Customer, method: &PaymentMethod) -> Customer {
        let update =
            CustomerUpdate { default_payment_method: Patch::Set(method.id.clone()), ..CustomerUpdate::default() };
        done!(self, |tx| customer::update(tx, &self.who, &customer.id, update.clone()))
    }

    /// A monthly price in euro cents, on a product of its own.
    pub async fn price(&self, amount: i64) -> Price {
        self.price_of(&self.who, amount, Some(MONTHLY)).await
    }

    pub async fn price_of(&self, who: &Actor, amount: i64, recurring: Option<Recurring>) -> Price {
        let product = NewProduct { id: None, name: "Pro".into(), active: None, fields: ProductUpdate::default() };
        let product = done!(self, |tx| product::create(tx, who, product.clone()));
        let new = NewPrice { recurring, ..plain_price(self.eur(), &product.id, amount) };
        done!(self, |tx| price::create(tx, who, new.clone()))
    }

    /// Subscribes, and collects the first invoice as the door does.
    pub async fn subscribe(&self, new: NewSubscription) -> Subscription {
        let created = self.create(new).await;
        if created.collect {
            self.collect(&created.invoice).await.expect("the gateway is asked");
        }
        self.subscription(&created.subscription.id).await
    }

    pub async fn create(&self, new: NewSubscription) -> Created {
        done!(self, |tx| subscription::create::create(tx, &self.who, new.clone()))
    }

    /// An active subscription of a customer who pays 10.00 EUR a month.
    pub async fn active(&self) -> Subscription {
        let (customer, price) = (self.payer("pm_card_visa").await, self.price(1000).await);
        self.subscribe(plan(&customer, &price)).await
    }

    /// The parameter that a refused subscription names.
    pub async fn create_refused(&self, new: NewSubscription) -> String {
        let error = super::refused!(self, |tx| subscription::create::create(tx, &self.who, new.clone()));
        field(&error).to_owned()
    }

    pub async fn customer_named(&self, id: &str) -> Customer {
        super::seen!(self, |tx| customer::get(tx, &self.who, id))
    }

    pub async fn subscription(&self, id: &str) -> Subscription {
        super::seen!(self, |tx| subscription::get(tx, &self.who, id))
    }

    pub async fn invoice(&self, id: &str) -> Invoice {
        super::seen!(self, |tx| billing::invoice::get(tx, &self.who, id))
    }

    /// A customer's invoices, oldest first.
    pub async fn invoices(&self, customer: &str) -> Vec<Invoice> {
        let filter = billing::invoice::InvoiceFilter { customer: Some(customer.into()), ..Default::default() };
        let page = billing::Page::first(100);
        let mut listed = super::seen!(self, |tx| billing::invoice::list(tx, &self.who, &page, &filter));
        listed.data.reverse();
        listed.data
    }

    pub async fn collect(&self, invoice: &Invoice) -> Result<Invoice> {
        payment::collect(&self.db, self.sandbox.clone(), &self.who, &invoice.id).await
    }
}

/// A one-time price without anything special.
pub fn plain_price(currency: Currency, product: &str, amount: i64) -> NewPrice {
    NewPrice {
        currency,
        product: PriceProduct::Existing(product.into()),
        cost: Cost::unit(amount.try_into().expect("an amount from 0 up")),
        recurring: None,
        trial_period_days: None,
        active: None,
        tax_behavior: None,
        transfer_lookup_key: false,
        fields: PriceUpdate::default(),
    }
}

/// One unit of a price, charged automatically, without a trial.
pub fn plan(customer: &Customer, price: &Price) -> NewSubscription {
    NewSubscription {
        customer: customer.id.clone(),
        items: vec![NewItem {
            price: price.id.clone(),
            price_data: None,
            quantity: None,
            tax_rates: Vec::new(),
            discounts: Vec::new(),
            metadata: Patch::Keep,
        }],
        add_invoice_items: Vec::new(),
        backdate_start_date: None,
        billing_cycle_anchor: None,
        proration_behavior: ProrationBehavior::CreateProrations,
        trial: Trial::None,
        trial_settings: TrialSettings::default(),
        cancel_at_period_end: false,
        cancel_at: None,
        default_payment_method: None,
        collection_method: CollectionMethod::ChargeAutomatically,
        days_until_due: None,
        payment_behavior: PaymentBehavior::AllowIncomplete,
        payment_settings: PaymentSettings::default(),
        default_tax_rates: Vec::new(),
        automatic_tax: false,
        discounts: Vec::new(),
        description: None,
        metadata: Patch::Keep,
    }
}

/// The parameter that a refusal names.
pub fn field(error: &Error) -> &str {
    match error {
        Error::Invalid { param, .. } | Error::Missing { param, .. } => param,
        other => panic!("{other:?} names no parameter"),
    }
}

/// The code of a refusal, or its kind where it has none.
pub fn kind(error: &Error) -> &str {
    match error {
        Error::Invalid { code, .. } | Error::Conflict { code, .. } => code,
        Error::Missing { .. } => "missing",
        Error::Forbidden(_) => "forbidden",
        Error::Declined { .. } => "declined",
        Error::Busy => "busy",
        Error::TooOften(_) => "too_often",
        Error::KeyReused => "key_reused",
        Error::Unavailable(_) => "unavailable",
        Error::Internal(text) => panic!("a defect: {text}"),
    }
}
