//! Quotes of random changes of random subscriptions: what is confirmed costs exactly what was quoted, and what is not as
//! it was quoted any more is answered with a fresh quote and changes nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

use billing::catalog::cost::{Tier, TiersMode, Transform};
use billing::catalog::{
    Cost, CouponUpdate, NewCoupon, NewPrice, NewTaxRate, Price, TaxRateUpdate, coupon, price, tax_rate,
};
use billing::customer::{self, Address, CustomerUpdate};
use billing::cycle::{self, Step};
use billing::discount::{Duration, Wanted};
use billing::invoice::item::edit::{self, InvoiceItemUpdate, NewInvoiceItem, Worth};
use billing::invoice::{Invoice, Status as InvoiceStatus};
use billing::quote::{self, Change, Confirmed, Quote};
use billing::subscription::cancel::Cancellation;
use billing::subscription::create::{PaymentBehavior, Trial};
use billing::subscription::pause::{Pause, UnusedTime};
use billing::subscription::resume::Resume;
use billing::subscription::{
    self, Anchor, ItemChange, NewSubscription, ProrationBehavior, Status, Subscription, SubscriptionUpdate, TrialEnd,
};
use billing::{Decimal, Error, Patch};

use crate::changes::YEARLY;
use crate::previews::books;
use crate::quotes::money;
use crate::support::{DAY, Draw, HOUR, MINUTE, MONTHLY, Stage, change, done, kind, on_both, plain_price, plan, scale};

/// Confirmations in one database, before it is large enough to be slow.
const A_DATABASE: usize = 250;
/// Changes of one subscription before another takes its place.
const MOST_CHANGES: u32 = 25;

/// What the merchant sells, and on what terms.
struct Scene<'a> {
    stage: &'a Stage,
    prices: Vec<Price>,
    coupons: Vec<String>,
    rates: Vec<String>,
}

/// How often what happened.
#[derive(Debug, Default)]
struct Tally {
    confirmed: usize,
    billed: usize,
    stale: usize,
    refused: usize,
    renewed: usize,
}

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text, 12, "amount").unwrap()
}

fn tiered(mode: TiersMode) -> Cost {
    let tier = |up_to, unit: &str, flat: Option<&str>| Tier {
        up_to,
        unit_amount: Some(decimal(unit)),
        flat_amount: flat.map(decimal),
    };
    Cost::Tiered {
        mode,
        tiers: vec![tier(Some(5), "700", None), tier(Some(10), "650.5", Some("99")), tier(None, "600", None)],
    }
}

impl<'a> Scene<'a> {
    async fn set(stage: &'a Stage) -> Self {
        let packages = Transform { divide_by: 3, round: billing::catalog::cost::Round::Up };
        let costs = [
            Cost::unit(1000),
            Cost::unit(2345),
            Cost::unit(1),
            Cost::unit(0),
            Cost::PerUnit { unit: decimal("33.333"), transform: None },
            Cost::PerUnit { unit: decimal("1999"), transform: Some(packages) },
            tiered(TiersMode::Graduated),
            tiered(TiersMode::Volume),
        ];
        let mut prices = Vec::new();
        for cost in costs {
            for recurring in [MONTHLY, YEARLY] {
                let product = stage.price(1).await.product;
                let plain = plain_price(stage.eur(), &product, 1);
                let new = NewPrice { recurring: Some(recurring), cost: cost.clone(), ..plain };
                prices.push(done!(stage, |tx| price::create(tx, &stage.who, new.clone())));
            }
        }
        let mut coupons = Vec::new();
        for (percent, amount, duration) in [
            (Some("12.5"), None, Duration::Forever),
            (Some("33"), None, Duration::Once),
            (None, Some(500), Duration::Forever),
            (None, Some(99_999), Duration::Once),
            (Some("50"), None, Duration::Repeating),
        ] {
            coupons.push(offer(stage, percent, amount, duration).await);
        }
        let mut rates = Vec::new();
        for (percentage, inclusive, country) in [("19", false, Some("DE")), ("7.25", false, None), ("4", true, None)] {
            let fields = TaxRateUpdate {
                country: country.map_or(Patch::Keep, |country| Patch::Set(country.into())),
                ..TaxRateUpdate::default()
            };
            let percentage = Decimal::parse(percentage, 4, "percentage").unwrap();
            let new = NewTaxRate { display_name: "Tax".into(), inclusive, percentage, fields };
            rates.push(done!(stage, |tx| tax_rate::create(tx, &stage.who, new.clone())).id);
        }
        Self { stage, prices, coupons, rates }
    }

    /// A subscription that somebody is about to buy.
    async fn purchase(&self, draw: &mut Draw) -> NewSubscription {
        let customer = self.stage.payer("pm_card_visa").await;
        let address = Address { country: Some(draw.pick(&["DE", "FR"]).into()), ..Address::default() };
        let lives = CustomerUpdate { address: Patch::Set(address), ..CustomerUpdate::default() };
        let customer = done!(self.stage, |tx| customer::update(tx, &self.stage.who, &customer.id, lives.clone()));
        let price = draw.pick(&self.prices);
        let mut new = plan(&customer, &price);
        new.items[0].quantity = Some(draw.int(0, 14));
        for _ in 0..draw.int(0, 2) {
            let price = draw.pick(&self.prices);
            let is_new = new.items.iter().all(|item| item.price != price.id);
            if is_new && price.interval == self.named(&new.items[0].price).interval {
                let quantity = Some(draw.int(1, 7));
                new.items.push(subscription::NewItem { price: price.id, quantity, ..new.items[0].clone() });
            }
        }
        (new.automatic_tax, new.default_tax_rates) = match draw.int(0, 2) {
            0 => (true, Vec::new()),
            1 => (false, vec![draw.pick(&self.rates[1..])]),
            _ => (false, Vec::new()),
        };
        if draw.one_in(3) {
            new.discounts = self.offers(draw);
        }
        match draw.int(0, 9) {
            0 => new.trial = Trial::Days(draw.int(1, 20)),
            1 => new.billing_cycle_anchor = Some(self.stage.now().plus(draw.int(1, 27 * DAY))),
            _ => {}
        }
        new
    }

    fn named(&self, id: &str) -> &Price {
        self.prices.iter().find(|price| price.id == id).unwrap()
    }

    fn offers(&self, draw: &mut Draw) -> Vec<Wanted> {
        let mut offers = vec![Wanted::Coupon(draw.pick(&self.coupons))];
        let other = Wanted::Coupon(draw.pick(&self.coupons));
        if !offers.contains(&other) {
            offers.push(other);
        }
        offers
    }

    /// Something that might be done to a subscription.
    fn change(&self, draw: &mut Draw, of: &Subscription) -> Change {
        let subscription = of.id.clone();
        if of.status == Status::Paused {
            let anchor = draw.pick(&[Anchor::Now, Anchor::Unchanged]);
            let proration_behavior =
                draw.pick(&[ProrationBehavior::CreateProrations, ProrationBehavior::AlwaysInvoice]);
            return Change::Resume {
                subscription,
                resume: Resume { anchor, proration_behavior, proration_date: None },
            };
        }
        match draw.int(0, 19) {
            0 => {
                let (prorate, invoice_now) = (draw.one_in(2), draw.one_in(2));
                Change::Cancel {
                    subscription,
                    cancellation: Cancellation { prorate, invoice_now, ..Default::default() },
                }
            }
            1 => {
                let unused_time_from = draw.pick(&[UnusedTime::Now, UnusedTime::None]);
                let resumes_at = draw.one_in(2).then(|| self.stage.now().plus(40 * DAY));
                let pause = Pause { at_period_end: draw.one_in(3), resumes_at, unused_time_from, ..Pause::default() };
                Change::Pause { subscription, pause }
            }
            2 => Change::Schedule { subscription, items: vec![self.item(draw, of)] },
            _ => Change::Update { subscription, update: Box::new(self.update(draw, of)) },
        }
    }

    fn item(&self, draw: &mut Draw, of: &Subscription) -> ItemChange {
        let own = draw.pick(&of.items);
        let interval = own.price.interval;
        let prices: Vec<&Price> = self.prices.iter().filter(|price| price.interval == interval).collect();
        match draw.int(0, 6) {
            0 => ItemChange {
                price: Some(draw.pick(&prices).id.clone()),
                quantity: Some(draw.int(1, 9)),
                ..ItemChange::default()
            },
            1 if of.items.len() > 1 => ItemChange { id: Some(own.id), deleted: true, ..ItemChange::default() },
            2 | 3 => ItemChange {
                id: Some(own.id),
                price: Some(draw.pick(&self.prices).id),
                quantity: draw.one_in(2).then(|| draw.int(0, 14)),
                ..ItemChange::default()
            },
            _ => ItemChange { id: Some(own.id), quantity: Some(draw.int(0, 14)), ..ItemChange::default() },
        }
    }

    fn update(&self, draw: &mut Draw, of: &Subscription) -> SubscriptionUpdate {
        use ProrationBehavior::{AlwaysInvoice, CreateProrations, FullDifference, None as Unbilled};
        let behaviors = [AlwaysInvoice, AlwaysInvoice, AlwaysInvoice, CreateProrations, FullDifference, Unbilled];
        let mut update =
            SubscriptionUpdate { proration_behavior: Some(draw.pick(&behaviors)), ..SubscriptionUpdate::default() };
        match draw.int(0, 11) {
            0 => update.discounts = Patch::Set(self.offers(draw)),
            1 => update.discounts = Patch::Clear,
            2 => update.cancel_at_period_end = Some(!of.cancel_at_period_end),
            3 => update.billing_cycle_anchor = Some(Anchor::Now),
            4 if draw.one_in(2) => {
                update.trial_end = Some(TrialEnd::At(self.stage.now().plus(draw.int(HOUR, 20 * DAY))))
            }
            4 => update.trial_end = Some(TrialEnd::Now),
            5 => (update.discounts, update.items) = (Patch::Set(self.offers(draw)), vec![self.item(draw, of)]),
            6 => {
                update.items = vec![self.item(draw, of)];
                update.payment_behavior = Some(PaymentBehavior::PendingIfIncomplete);
            }
            7 => {
                update.items = vec![self.item(draw, of)];
                let since = draw.int(0, self.stage.now().0 - of.current_period_start.0);
                update.proration_date = Some(of.current_period_start.plus(since));
            }
            _ => update.items = vec![self.item(draw, of)],
        }
        update
    }

    /// Something that makes a quote stale: the subscription is another one, the time is over, or other money is due.
    async fn interfere(&self, draw: &mut Draw, quote: &Quote, customer: &str) {
        let stage = self.stage;
        let is_owed = quote.due_now() > 0;
        match (draw.int(0, 2), quote.change.subscription()) {
            (0, _) if is_owed => {
                let balance = Some(-draw.int(1, 5000));
                let credit = CustomerUpdate { balance, ..CustomerUpdate::default() };
                let before = done!(stage, |tx| customer::get(tx, &stage.who, customer)).balance;
                if Some(before) == balance {
                    return stage.pass(10 * MINUTE);
                }
                done!(stage, |tx| customer::update(tx, &stage.who, customer, credit.clone()));
            }
            (1, Some(id)) => {
                let note = Patch::Set(format!("note {}", draw.int(0, 1_000_000_000)));
                let told = SubscriptionUpdate { description: note, ..SubscriptionUpdate::default() };
                done!(stage, |tx| subscription::update::update(tx, &stage.who, id, told.clone()));
            }
            (2, _) if is_owed && self.takes_up(quote) => {
                let amount = draw.int(1, 5000);
                let item = NewInvoiceItem {
                    customer: customer.into(),
                    subscription: None,
                    invoice: None,
                    currency: None,
                    fields: InvoiceItemUpdate { worth: Some(Worth::Amount(amount)), ..Default::default() },
                };
                done!(stage, |tx| edit::create(tx, &stage.who, item.clone()));
            }
            _ => stage.pass(draw.int(10, 60) * MINUTE),
        }
    }

    /// Whether its invoice takes up what waits; that of a change that waits for its payment does not.
    fn takes_up(&self, quote: &Quote) -> bool {
        let waits = |update: &SubscriptionUpdate| update.payment_behavior == Some(PaymentBehavior::PendingIfIncomplete);
        !matches!(&quote.change, Change::Update { update, .. } if waits(update))
    }

    /// Holds what was confirmed against what was quoted, and pays it.
    async fn settle(&self, quote: &Quote, done: &quote::Done) -> Option<Invoice> {
        let id = done.invoice.as_ref();
        assert_eq!(id.is_some(), quote.invoice.is_some());
        let made = self.stage.invoice(id?).await;
        assert_eq!(Some(money(&made)), quote.invoice.as_ref().map(money), "{:?}", quote.change);
        if !done.collect {
            return Some(made);
        }
        let captured = self.stage.captured().await;
        let paid = self.stage.collect(&made).await.unwrap();
        assert_eq!((paid.status, paid.amount_paid), (InvoiceStatus::Paid, quote.due_now()));
        assert_eq!(self.stage.captured().await - captured, quote.due_now());
        Some(paid)
    }

    /// Lets time do what it does until now, and pays.
    async fn catch_up(&self, id: &str) -> Option<Invoice> {
        let mut last = None;
        loop {
            match done!(self.stage, |tx| cycle::advance(tx, &self.stage.system(), id)) {
                Step::Waiting => return last,
                Step::Billed(invoice) => {
                    let invoice = match invoice.status {
                        InvoiceStatus::Open if !invoice.attempted => self.stage.collect(&invoice).await.unwrap(),
                        _ => *invoice,
                    };
                    last.get_or_insert(invoice);
                }
                _ => {}
            }
        }
    }

    /// One change from its quote to its confirmation. Answers the subscription that it is of then.
    async fn play(&self, draw: &mut Draw, of: Option<&Subscription>, tally: &mut Tally) -> Option<Subscription> {
        let (stage, change) = match of {
            Some(of) => (self.stage, self.change(draw, of)),
            None => (self.stage, Change::Start(Box::new(self.purchase(draw).await))),
        };
        let customer = of.map(|of| of.customer.clone()).or(change.customer().map(str::to_owned)).unwrap();
        let me = stage.portal(&stage.customer_named(&customer).await);
        let quote = match change!(stage, |tx| quote::make(tx, &me, change.clone())) {
            Ok(quote) => quote,
            Err(error) => {
                // What cannot be done is refused as it would be without a quote.
                assert!(!matches!(error, Error::Internal(_) | Error::Busy), "{change:?}: {error:?}");
                assert!(!kind(&error).is_empty());
                tally.refused += 1;
                return of.cloned();
            }
        };
        let mut quote = quote;
        if draw.one_in(3) {
            self.interfere(draw, &quote, &customer).await;
            let before = books(stage).await;
            let confirmed = done!(stage, |tx| quote::confirm(tx, &me, &quote.token));
            let Confirmed::Stale(fresh) = confirmed else { panic!("it is not stale: {:?}", quote.change) };
            assert_eq!(books(stage).await, before, "a stale quote changes nothing: {:?}", quote.change);
            (quote, tally.stale) = (*fresh, tally.stale + 1);
        }
        stage.pass(draw.int(0, 10 * MINUTE - 1));
        let confirmed = done!(stage, |tx| quote::confirm(tx, &me, &quote.token));
        let Confirmed::Done(done) = confirmed else { panic!("it is stale: {:?}", quote.change) };
        let made = self.settle(&quote, &done).await;
        (tally.confirmed, tally.billed) = (tally.confirmed + 1, tally.billed + usize::from(made.is_some()));
        if let Some(renewal) = quote.renewal.as_ref().filter(|_| draw.one_in(8)) {
            stage.go_to(renewal.created.max(stage.now()));
            let before = stage.subscription(&done.subscription).await;
            let Some(made) = self.catch_up(&done.subscription).await else {
                let after = stage.subscription(&done.subscription).await;
                panic!("no renewal at {:?}\n{before:?}\n{after:?}\nafter {:?}", renewal.created, quote.change)
            };
            assert_eq!(money(&made), money(renewal), "the renewal after {:?}", quote.change);
            tally.renewed += 1;
        }
        let after = stage.subscription(&done.subscription).await;
        (!after.status.is_ended()).then_some(after)
    }
}

async fn offer(stage: &Stage, percent: Option<&str>, amount_off: Option<i64>, duration: Duration) -> String {
    let new = NewCoupon {
        id: None,
        percent_off: percent.map(|text| Decimal::parse(text, 4, "percent_off").unwrap()),
        amount_off,
        currency: amount_off.map(|_| stage.eur()),
        duration,
        duration_in_months: (duration == Duration::Repeating).then_some(2),
        applies_to: None,
        max_redemptions: None,
        redeem_by: None,
        fields: CouponUpdate::default(),
    };
    done!(stage, |tx| coupon::create(tx, &stage.who, new.clone())).id
}

async fn many(stage: &Stage, seed: u64) {
    let scene = Scene::set(stage).await;
    let (mut draw, mut tally) = (Draw::new(seed), Tally::default());
    let (mut running, mut changes) = (None, 0);
    while tally.confirmed < A_DATABASE {
        stage.pass(draw.int(1, 60 * HOUR));
        if changes == MOST_CHANGES {
            (running, changes) = (None, 0);
        }
        if let Some(of) = &running {
            let of: &Subscription = of;
            scene.catch_up(&of.id).await;
            running = Some(stage.subscription(&of.id).await).filter(|of| !of.status.is_ended());
        }
        changes = if running.is_some() { changes + 1 } else { 0 };
        running = Box::pin(scene.play(&mut draw, running.as_ref(), &mut tally)).await;
    }
    println!("{seed}: {tally:?}");
    assert!(tally.billed * 4 > tally.confirmed && tally.stale * 5 > tally.confirmed && tally.renewed > 5, "{tally:?}");
}

#[test]
fn what_is_confirmed_is_what_was_quoted() {
    let (databases, next) = (scale(500, 10_000) / A_DATABASE, AtomicUsize::new(0));
    let worker = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= databases {
                return;
            }
            runtime.block_on(on_both(async |stage| Box::pin(many(stage, seed as u64)).await));
        }
    };
    std::thread::scope(|threads| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            threads.spawn(worker);
        }
    });
}
