//! Changes, purchases and resumptions at random, through the portal's own functions: what the page says is due is what
//! is billed and charged, and what does not hold any more is shown again and bills nothing.

use app::text::Locale;
use app::text::format::money;
use billing::catalog::{NewTaxRate, TaxRateUpdate};
use billing::customer::{self, Address, CustomerUpdate};
use billing::invoice::{Invoice, Status};
use billing::period::Interval;
use billing::subscription::{self, StatusFilter, Subscription, SubscriptionFilter};
use billing::{Currency, Decimal, Page, Patch, transact};
use serde_json::json;
use url::form_urlencoded::Serializer;

use crate::dice::{Dice, seed};
use crate::stage::{Merchant, Stage};
use crate::visitor::{Visitor, allow};

/// Confirmations of one customer's before another comes.
const EACH: usize = 12;
const HOUR: i64 = 3_600_000;

/// How often what happened.
#[derive(Debug, Default)]
struct Tally {
    confirmed: usize,
    charged: usize,
    stale: usize,
}

struct Shop<'a> {
    stage: &'a Stage,
    merchant: Merchant,
    prices: Vec<String>,
    rate: String,
    tally: Tally,
}

/// What a page shows, and how it is confirmed.
struct Offer {
    due: String,
    confirm: &'static str,
    fields: String,
}

impl<'a> Shop<'a> {
    /// Eight plans, monthly and yearly, taxed in Germany; everything may be changed to everything.
    async fn open(stage: &'a Stage) -> Self {
        let merchant = stage.merchant("Acme").await;
        let mut prices = vec![merchant.price.clone()];
        for (n, unit) in [1, 333, 1000, 2345, 9_999, 120_000, 33].into_iter().enumerate() {
            let interval = if n % 2 == 0 { Interval::Month } else { Interval::Year };
            prices.push(stage.price_every(&merchant, interval, unit).await);
        }
        let rate = NewTaxRate {
            display_name: "VAT".into(),
            inclusive: false,
            percentage: Decimal::whole(19),
            fields: TaxRateUpdate { country: Patch::Set("DE".into()), ..TaxRateUpdate::default() },
        };
        let rate =
            transact!(stage.app.db, |tx| billing::catalog::tax_rate::create(tx, &merchant.who, rate.clone()).await);
        let sold = json!([{
            "product": merchant.product,
            "adjustable_quantity": { "enabled": true, "minimum": 1, "maximum": 99 },
        }]);
        let change = json!({
            "enabled": true,
            "default_allowed_updates": ["price", "quantity", "promotion_code"],
            "products": sold,
            "proration_behavior": "always_invoice",
        });
        let pause = json!({ "enabled": true, "at_period_end": false });
        let features = json!({
            "subscription_create": { "enabled": true, "products": sold },
            "subscription_pause": pause,
            "subscription_update": change,
        });
        allow(stage, &merchant, features).await;
        Self { stage, merchant, prices, rate: rate.unwrap().id, tally: Tally::default() }
    }

    async fn buyer(&self, dice: &mut Dice) -> String {
        let who = &self.merchant.who;
        let (id, _) = self.stage.customer(who).await;
        let address = Address { country: Some(dice.pick(&["DE", "US"]).into()), ..Address::default() };
        let update = CustomerUpdate { address: Patch::Set(address), ..CustomerUpdate::default() };
        transact!(self.stage.app.db, |tx| customer::update(tx, who, &id, update.clone()).await).unwrap();
        id
    }

    async fn held(&self, customer: &str) -> Option<Subscription> {
        let filter = SubscriptionFilter {
            customer: Some(customer.into()),
            status: StatusFilter::NotCanceled,
            ..SubscriptionFilter::default()
        };
        let mut tx = self.stage.app.db.read().await.unwrap();
        let page = Page::first(1);
        subscription::list(&mut tx, &self.merchant.who, &page, &filter).await.unwrap().data.pop()
    }

    async fn invoices(&self, customer: &str) -> Vec<Invoice> {
        let mut tx = self.stage.app.db.read().await.unwrap();
        let filter = billing::invoice::InvoiceFilter { customer: Some(customer.into()), ..Default::default() };
        billing::invoice::list(&mut tx, &self.merchant.who, &Page::first(100), &filter).await.unwrap().data
    }

    /// What is asked for next: a first purchase, going on after a pause, or a change.
    async fn wish(&self, dice: &mut Dice, visitor: &Visitor<'_>, held: Option<&Subscription>) -> Option<Offer> {
        let price = self.prices[dice.below(self.prices.len())].clone();
        let quantity = (1 + dice.below(12)).to_string();
        let mut wish = vec![("wish[item]", String::new()), ("wish[price]", price), ("wish[quantity]", quantity)];
        let (read, confirm, more) = match held {
            None => ("purchase/read_purchase", "purchase/buy", Vec::new()),
            Some(held) if held.status == subscription::Status::Paused => {
                wish.clear();
                let of = vec![("id", held.id.clone()), ("stale", "false".into())];
                ("resume/read_resuming", "resume/resume_subscription", of)
            }
            Some(held) => {
                wish[0].1.clone_from(&held.items[0].id);
                let of = vec![("id", held.id.clone()), ("stale", "false".into())];
                ("review/read_review", "review/confirm_change", of)
            }
        };
        let mut fields = wish;
        fields.extend(more);
        let page = visitor.read(read, &form(&fields)).await.ok()?;
        let asked = if page["quoted"].is_object() { &page } else { &page["way"]["Open"] };
        let quoted = &asked["quoted"];
        if let Some(method) = asked["methods"][0]["value"].as_str() {
            fields.push(("method", method.into()));
        }
        fields.push(("quote", quoted["token"].as_str()?.into()));
        Some(Offer { due: quoted["due"].as_str()?.to_owned(), confirm, fields: form(&fields) })
    }

    /// One look at what it costs, and its confirmation.
    async fn confirm(&mut self, dice: &mut Dice, customer: &str) {
        let visitor = Visitor::of(self.stage, &self.merchant.who, customer).await;
        let held = self.held(customer).await;
        let Some(offer) = self.wish(dice, &visitor, held.as_ref()).await else { return };
        let before = self.invoices(customer).await;
        let is_changed = dice.below(12) == 0;
        if is_changed {
            self.change_terms(dice).await;
        }
        let (_, to) = visitor.send(offer.confirm, &offer.fields).await;
        assert!(!to.contains("__err="), "{to}");
        if to.contains("stale") {
            assert!(is_changed, "nothing had changed: {to}");
            assert_eq!(self.invoices(customer).await, before, "what is shown again has billed nothing");
            self.tally.stale += 1;
            return;
        }
        let after = self.invoices(customer).await;
        let mut made = after.iter().filter(|invoice| before.iter().all(|other| other.id != invoice.id));
        let (invoice, more) = (made.next(), made.next());
        assert!(more.is_none(), "one confirmation, one invoice");
        let said = |amount: i64| money(Locale::En, amount, &Currency::parse("usd", "currency").unwrap());
        assert_eq!(offer.due, said(invoice.map_or(0, |invoice| invoice.amount_due)), "{:?}", offer.fields);
        if let Some(invoice) = invoice {
            assert_eq!((invoice.status, invoice.amount_paid), (Status::Paid, invoice.amount_due));
            self.tally.charged += usize::from(invoice.amount_due > 0);
        }
        if dice.below(4) == 0 {
            visitor.send(offer.confirm, &offer.fields).await;
            assert_eq!(self.invoices(customer).await, after, "sent again, it does nothing more");
        }
        self.tally.confirmed += 1;
    }

    /// Taxes rise, or are no longer asked for; between a look and its confirmation.
    async fn change_terms(&self, dice: &mut Dice) {
        let update = TaxRateUpdate { active: Some(dice.below(2) == 0), ..TaxRateUpdate::default() };
        let who = &self.merchant.who;
        let changed = transact!(self.stage.app.db, |tx| {
            billing::catalog::tax_rate::update(tx, who, &self.rate, update.clone()).await
        });
        changed.unwrap();
    }

    async fn pause(&self, customer: &str) {
        let Some(held) = self.held(customer).await else { return };
        let visitor = Visitor::of(self.stage, &self.merchant.who, customer).await;
        visitor.send("pause/pause_subscription", &format!("id={}", held.id)).await;
    }
}

fn form(fields: &[(&str, String)]) -> String {
    let mut form = Serializer::new(String::new());
    form.extend_pairs(fields).finish()
}

async fn what_is_shown_is_what_is_charged(stage: &Stage, confirmations: usize) {
    let seed = seed();
    let (mut dice, mut shop) = (Dice(seed), Shop::open(stage).await);
    // A wish for what there is already is none; nearly every other is confirmed.
    for _ in 0..2 * confirmations / EACH {
        if shop.tally.confirmed >= confirmations {
            break;
        }
        let customer = shop.buyer(&mut dice).await;
        for _ in 0..EACH {
            shop.confirm(&mut dice, &customer).await;
            if dice.below(6) == 0 {
                shop.pause(&customer).await;
            }
            stage.clock.advance(HOUR * i64::try_from(dice.below(48)).unwrap());
        }
    }
    let Tally { confirmed, charged, stale } = shop.tally;
    assert!(confirmed >= confirmations, "seed {seed}: {confirmed}");
    // About one in twenty-five is shown again: a hundred may have none.
    assert!(
        charged * 6 > confirmed && (stale > 0 || confirmations < 500),
        "seed {seed}: {charged} of {confirmed} charged, {stale} shown again"
    );
}

fn confirmations() -> usize {
    if std::env::var("PORTICO_TEST_SCALE").is_ok_and(|scale| scale == "release") { 10_000 } else { 1_000 }
}

/// On a thread of its own: a page that asks for a quote, which asks for an invoice, is deep before it is optimized.
fn with_room(work: impl AsyncFnOnce() + Send + 'static) {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work());
    std::thread::Builder::new().stack_size(16 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn what_is_shown_is_what_is_charged_on_sqlite() {
    with_room(async || what_is_shown_is_what_is_charged(&Stage::new().await, confirmations()).await);
}

#[test]
fn what_is_shown_is_what_is_charged_on_postgres() {
    with_room(async || {
        let Some(stage) = Stage::on_postgres().await else { return };
        what_is_shown_is_what_is_charged(&stage, confirmations() / 10).await;
    });
}
