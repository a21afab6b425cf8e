//! Discounts: what redeeming takes and counts, what is taken off which invoice, and when it is over.

use billing::catalog::promotion_code::{self, Restrictions};
use billing::catalog::{Coupon, CouponUpdate, NewCoupon, NewPromotionCode, Price, PromotionCode, coupon};
use billing::customer::{self, Customer, CustomerUpdate};
use billing::cycle::{self, Step};
use billing::discount::{Duration, Wanted};
use billing::invoice::{Invoice, Status as InvoiceStatus};
use billing::subscription::create::{PaymentBehavior, Trial};
use billing::subscription::{self, CollectionMethod, NewSubscription, Status, Subscription, SubscriptionUpdate};
use billing::{Decimal, Error, Patch, invoice, transact};

use crate::support::{DAY, HOUR, Stage, at, done, field, kind, on_both, plan, refused, seen};

pub fn percent(whole: i64, duration: Duration) -> NewCoupon {
    NewCoupon {
        id: None,
        percent_off: Some(Decimal::parse(&whole.to_string(), 4, "percent_off").unwrap()),
        amount_off: None,
        currency: None,
        duration,
        duration_in_months: None,
        applies_to: None,
        max_redemptions: None,
        redeem_by: None,
        fields: CouponUpdate::default(),
    }
}

pub fn amount(stage: &Stage, amount: i64) -> NewCoupon {
    let currency = Some(stage.eur());
    NewCoupon { percent_off: None, amount_off: Some(amount), currency, ..percent(1, Duration::Forever) }
}

pub async fn made(stage: &Stage, new: NewCoupon) -> Coupon {
    done!(stage, |tx| coupon::create(tx, &stage.who, new.clone()))
}

async fn promoted(stage: &Stage, coupon: &Coupon, restrictions: Restrictions) -> PromotionCode {
    let new = code(coupon, restrictions);
    done!(stage, |tx| promotion_code::create(tx, &stage.who, new.clone()))
}

fn code(coupon: &Coupon, restrictions: Restrictions) -> NewPromotionCode {
    NewPromotionCode {
        coupon: coupon.id.clone(),
        code: None,
        active: true,
        customer: None,
        restrictions,
        max_redemptions: None,
        expires_at: None,
        metadata: Patch::Keep,
    }
}

pub fn by(coupon: &Coupon) -> Wanted {
    Wanted::Coupon(coupon.id.clone())
}

pub fn with(wanted: &[Wanted]) -> SubscriptionUpdate {
    SubscriptionUpdate { discounts: Patch::Set(wanted.to_vec()), ..SubscriptionUpdate::default() }
}

pub fn discounted(customer: &Customer, price: &Price, wanted: &[Wanted]) -> NewSubscription {
    NewSubscription { discounts: wanted.to_vec(), ..plan(customer, price) }
}

async fn update(stage: &Stage, id: &str, update: SubscriptionUpdate) -> Subscription {
    done!(stage, |tx| subscription::update::update(tx, &stage.who, id, update.clone())).subscription
}

async fn times(stage: &Stage, id: &str) -> i64 {
    seen!(stage, |tx| coupon::get_or_deleted(tx, &stage.who, id)).times_redeemed
}

/// Lets the periods begin that are due, and collects what they cost.
async fn renew(stage: &Stage, subscription: &Subscription, to: &str) {
    stage.go_to(at(to));
    loop {
        match done!(stage, |tx| cycle::advance(tx, &stage.system(), &subscription.id)) {
            Step::Waiting => return,
            Step::Billed(invoice) if invoice.status == InvoiceStatus::Open && is_charged(&invoice) => {
                stage.collect(&invoice).await.unwrap();
            }
            _ => {}
        }
    }
}

fn is_charged(invoice: &Invoice) -> bool {
    !invoice.attempted && invoice.collection_method == CollectionMethod::ChargeAutomatically
}

async fn paid(stage: &Stage, subscription: &Subscription) -> Vec<i64> {
    stage.invoices(&subscription.customer).await.iter().map(|invoice| invoice.amount_paid).collect()
}

fn taken(invoice: &Invoice) -> Vec<(i64, String)> {
    invoice.discounts_taken().into_iter().map(|taken| (taken.amount, taken.discount)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_are_taken_off_in_their_order() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(2000).await);
        let (five, tenth) = (made(stage, amount(stage, 500)).await, made(stage, percent(10, Duration::Forever)).await);
        let new = discounted(&customer, &price, &[by(&five), by(&tenth)]);
        let subscription = stage.subscribe(new).await;
        let [first, second] = subscription.discounts.as_slice() else { panic!("two discounts") };
        assert_eq!((&first.coupon, &second.coupon), (&five.id, &tenth.id));
        let invoice = stage.invoice(subscription.latest_invoice.as_ref().unwrap()).await;
        assert_eq!((invoice.subtotal, invoice.discount, invoice.total, invoice.amount_paid), (2000, 650, 1350, 1350));
        assert_eq!(taken(&invoice), [(500, first.id.clone()), (150, second.id.clone())]);
        assert_eq!((times(stage, &five.id).await, times(stage, &tenth.id).await), (1, 1));
        assert_eq!(stage.events_of(&first.id).await, ["customer.discount.created"]);

        // Kept by its id and turned round: nothing is redeemed anew.
        let turned = with(&[Wanted::Existing(second.id.clone()), Wanted::Existing(first.id.clone())]);
        let after = update(stage, &subscription.id, turned).await;
        assert_eq!(after.discounts.iter().map(|d| &d.id).collect::<Vec<_>>(), [&second.id, &first.id]);
        assert_eq!(times(stage, &five.id).await, 1);
        let same = update(stage, &subscription.id, with(&[])).await;
        assert_eq!(same.discounts.len(), 2, "an empty list changes nothing");
        renew(stage, &subscription, "2026-02-28").await;
        assert_eq!(paid(stage, &subscription).await, [1350, 1300]);

        let cleared = SubscriptionUpdate { discounts: Patch::Clear, ..SubscriptionUpdate::default() };
        assert!(update(stage, &subscription.id, cleared).await.discounts.is_empty());
        assert_eq!(stage.events_of(&first.id).await, ["customer.discount.created", "customer.discount.deleted"]);
        renew(stage, &subscription, "2026-03-31").await;
        assert_eq!(paid(stage, &subscription).await, [1350, 1300, 2000]);
        assert_eq!(times(stage, &five.id).await, 1, "what was redeemed stays counted");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_is_used_up_by_the_first_invoice_that_costs_something() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let half = made(stage, percent(50, Duration::Once)).await;
        let new = NewSubscription { trial: Trial::Days(7), ..discounted(&customer, &price, &[by(&half)]) };
        let subscription = stage.subscribe(new).await;
        assert_eq!(subscription.discounts.len(), 1, "a trial's invoice of nothing uses nothing up");
        renew(stage, &subscription, "2026-02-07").await;
        renew(stage, &subscription, "2026-03-07").await;
        assert_eq!(paid(stage, &subscription).await, [0, 500, 1000]);
        assert!(stage.subscription(&subscription.id).await.discounts.is_empty());
        let events = stage.events_of(&subscription.discounts[0].id).await;
        assert_eq!(events, ["customer.discount.created", "customer.discount.deleted"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repeating_is_for_the_periods_that_begin_before_its_end() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let months = NewCoupon { duration_in_months: Some(3), ..percent(50, Duration::Repeating) };
        let coupon = made(stage, months).await;
        let subscription = stage.subscribe(discounted(&customer, &price, &[by(&coupon)])).await;
        let id = subscription.discounts[0].id.clone();
        assert_eq!(subscription.discounts[0].ends, Some(at("2026-04-30")));
        renew(stage, &subscription, "2026-03-31").await;
        assert_eq!(stage.subscription(&subscription.id).await.discounts.len(), 1);
        renew(stage, &subscription, "2026-05-31").await;
        // Redeemed on 31 January: January, February and March, not 30 April.
        assert_eq!(paid(stage, &subscription).await, [500, 500, 500, 1000, 1000]);
        assert!(stage.subscription(&subscription.id).await.discounts.is_empty());
        assert_eq!(stage.events_of(&id).await, ["customer.discount.created", "customer.discount.deleted"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_discount_is_for_what_has_none_of_its_own() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let (tenth, half) =
            (made(stage, percent(10, Duration::Forever)).await, made(stage, percent(50, Duration::Once)).await);
        let set = |coupon: &Coupon| CustomerUpdate { discount: Patch::Set(by(coupon)), ..CustomerUpdate::default() };
        let first = done!(stage, |tx| customer::update(tx, &stage.who, &customer.id, set(&half))).discount.unwrap();
        let held = done!(stage, |tx| customer::update(tx, &stage.who, &customer.id, set(&tenth))).discount.unwrap();
        assert_eq!(stage.customer_named(&customer.id).await.discount.as_ref(), Some(&held));
        assert_eq!(stage.events_of(&first.id).await, ["customer.discount.created"]);
        assert_eq!(stage.events_of(&held.id).await, ["customer.discount.updated"]);

        let subscription = stage.subscribe(discounted(&customer, &price, &[by(&half)])).await;
        renew(stage, &subscription, "2026-02-28").await;
        assert_eq!(paid(stage, &subscription).await, [500, 900]);
        let inherited = update(stage, &subscription.id, with(&[Wanted::Existing(held.id.clone())])).await;
        assert_eq!((&inherited.discounts[0].coupon, times(stage, &tenth.id).await), (&tenth.id, 1));
        let gone = done!(stage, |tx| customer::offer::remove(tx, &stage.who, &customer.id));
        assert_eq!(gone.id, held.id);
        assert_eq!(kind(&refused!(stage, |tx| customer::offer::remove(tx, &stage.who, &customer.id))), "missing");
        done!(stage, |tx| subscription::discounts::remove(tx, &stage.who, &subscription.id));
        let error = refused!(stage, |tx| subscription::discounts::remove(tx, &stage.who, &subscription.id));
        assert_eq!(kind(&error), "missing");
        renew(stage, &subscription, "2026-03-31").await;
        assert_eq!(paid(stage, &subscription).await, [500, 900, 1000]);
        // In one list with what another customer was given, there is nothing to reach.
        let stranger = stage.customer().await;
        let new = discounted(&stranger, &price, &[Wanted::Existing(held.id.clone())]);
        assert_eq!(stage.create_refused(new).await, "discounts[0][discount]");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_items_discount_and_one_for_a_product_leave_the_rest_alone() {
    on_both(async |stage| {
        let customer = stage.payer("pm_card_visa").await;
        let (a, b) = (stage.price(1000).await, stage.price(2000).await);
        let half = made(stage, percent(50, Duration::Forever)).await;
        let for_b = NewCoupon { applies_to: Some(vec![b.product.clone()]), ..amount(stage, 300) };
        let for_b = made(stage, for_b).await;
        let mut new = discounted(&customer, &a, &[by(&for_b)]);
        new.items.extend(plan(&customer, &b).items);
        new.items[0].discounts = vec![by(&half)];
        let subscription = stage.subscribe(new).await;
        assert_eq!(subscription.items[0].discounts[0].coupon, half.id);
        let invoice = stage.invoice(subscription.latest_invoice.as_ref().unwrap()).await;
        assert_eq!(invoice.lines.iter().map(|line| line.discount).collect::<Vec<_>>(), [500, 300]);
        assert!(invoice.lines[0].discount_amounts[0].own && !invoice.lines[1].discount_amounts[0].own);
        assert_eq!((invoice.total, invoice.amount_paid), (2200, 2200));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_off_starts_without_a_card() {
    on_both(async |stage| {
        let (customer, price) = (stage.customer().await, stage.price(1000).await);
        let free = made(stage, percent(100, Duration::Forever)).await;
        let subscription = stage.subscribe(discounted(&customer, &price, &[by(&free)])).await;
        let invoice = stage.invoice(subscription.latest_invoice.as_ref().unwrap()).await;
        assert_eq!((subscription.status, invoice.status), (Status::Active, InvoiceStatus::Paid));
        assert_eq!((invoice.subtotal, invoice.discount, invoice.amount_due), (1000, 1000, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_redeemed_is_named_and_counts_nothing() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let refused = async |wanted: &[Wanted]| {
            let new = discounted(&customer, &price, wanted);
            let error: Error = refused!(stage, |tx| subscription::create::create(tx, &stage.who, new.clone()));
            (field(&error).to_owned(), kind(&error).to_owned())
        };
        let named = |param: &str, code: &str| (param.to_owned(), code.to_owned());
        let half = made(stage, percent(50, Duration::Forever)).await;
        assert_eq!(refused(&[Wanted::Coupon("no".into())]).await, named("discounts[0][coupon]", "missing"));
        assert_eq!(refused(&[by(&half), by(&half)]).await, named("discounts[1]", "parameter_invalid"));
        let usd = billing::Currency::parse("usd", "currency").unwrap();
        let dollars = made(stage, NewCoupon { currency: Some(usd), ..amount(stage, 100) }).await;
        assert_eq!(refused(&[by(&dollars)]).await, named("discounts[0][coupon]", "parameter_invalid"));
        let late = made(stage, NewCoupon { redeem_by: Some(stage.now().plus(5)), ..percent(5, Duration::Once) }).await;

        let restricted = async |restrictions: Restrictions| {
            let code = promoted(stage, &half, restrictions).await;
            refused(&[Wanted::PromotionCode(code.id)]).await
        };
        let minimum = |minimum_amount, currency| Restrictions {
            first_time_transaction: false,
            minimum_amount: Some(minimum_amount),
            minimum_amount_currency: Some(currency),
        };
        let refusal = || named("discounts[0][promotion_code]", "promotion_code_invalid");
        assert_eq!(restricted(minimum(1001, stage.eur())).await, refusal());
        let usd = billing::Currency::parse("usd", "currency").unwrap();
        assert_eq!(restricted(minimum(500, usd)).await, refusal());
        let other = stage.customer().await;
        let his = NewPromotionCode { customer: Some(other.id), ..code(&half, Restrictions::default()) };
        let his = done!(stage, |tx| promotion_code::create(tx, &stage.who, his.clone()));
        assert_eq!(refused(&[Wanted::PromotionCode(his.id)]).await, refusal());
        let brief = NewPromotionCode { expires_at: Some(stage.now().plus(5)), ..code(&half, Restrictions::default()) };
        let brief = done!(stage, |tx| promotion_code::create(tx, &stage.who, brief.clone()));
        stage.pass(6);
        assert_eq!(refused(&[by(&late)]).await, named("discounts[0][coupon]", "coupon_expired"));
        assert_eq!(refused(&[Wanted::PromotionCode(brief.id)]).await, refusal());

        assert_eq!(times(stage, &half.id).await, 0);
        assert_eq!(stage.number("select count(*) from discount").await, 0);
        let exact = promoted(stage, &half, minimum(1000, stage.eur())).await;
        stage.subscribe(discounted(&customer, &price, &[Wanted::PromotionCode(exact.id.clone())])).await;
        let counted = seen!(stage, |tx| promotion_code::get(tx, &stage.who, &exact.id));
        assert_eq!((counted.times_redeemed, times(stage, &half.id).await), (1, 1));
        let first_time = Restrictions { first_time_transaction: true, ..Restrictions::default() };
        assert_eq!(restricted(first_time).await, refusal(), "they have paid");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_invoice_that_is_void_gives_the_redemption_back_once() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_chargeDeclined").await, stage.price(1000).await);
        let only = made(stage, NewCoupon { max_redemptions: Some(1), ..percent(50, Duration::Once) }).await;
        let code = promoted(stage, &only, Restrictions::default()).await;
        let new = NewSubscription {
            payment_behavior: PaymentBehavior::DefaultIncomplete,
            ..discounted(&customer, &price, &[Wanted::PromotionCode(code.id.clone())])
        };
        let subscription = stage.create(new).await.subscription;
        assert_eq!((subscription.status, times(stage, &only.id).await), (Status::Incomplete, 1));
        stage.pass(23 * HOUR);
        let step = done!(stage, |tx| cycle::advance(tx, &stage.system(), &subscription.id));
        assert!(matches!(step, Step::Expired));
        assert_eq!(times(stage, &only.id).await, 0);
        let code = seen!(stage, |tx| promotion_code::get(tx, &stage.who, &code.id));
        assert_eq!(code.times_redeemed, 0);
        let id = subscription.latest_invoice.unwrap();
        let again = refused!(stage, |tx| invoice::void(tx, &stage.who, &id, stage.now()));
        assert_eq!((kind(&again), times(stage, &only.id).await), ("invoice_not_open", 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_on_an_invoice_that_is_void_is_for_the_next() {
    on_both(async |stage| {
        let (customer, price) = (stage.customer().await, stage.price(1000).await);
        let once = made(stage, percent(50, Duration::Once)).await;
        let new = NewSubscription {
            collection_method: CollectionMethod::SendInvoice,
            days_until_due: Some(14),
            ..discounted(&customer, &price, &[by(&once)])
        };
        let subscription = stage.create(new).await.subscription;
        let id = subscription.latest_invoice.clone().unwrap();
        assert!(stage.subscription(&subscription.id).await.discounts.is_empty());
        stage.pass(DAY);
        done!(stage, |tx| invoice::void(tx, &stage.who, &id, stage.now()));
        assert_eq!(stage.subscription(&subscription.id).await.discounts.len(), 1);
        assert_eq!(times(stage, &once.id).await, 1, "the same redemption");
        renew(stage, &subscription, "2026-03-31").await;
        let totals: Vec<i64> = stage.invoices(&customer.id).await.iter().map(|i| i.total).collect();
        assert_eq!(totals, [500, 500, 1000]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five_hundred_racers_one_wins_the_last_redemption() {
    on_both(async |stage| {
        let price = stage.price(1000).await;
        let last = made(stage, NewCoupon { max_redemptions: Some(1), ..percent(50, Duration::Forever) }).await;
        let mut customers = Vec::new();
        for _ in 0..500 {
            customers.push(stage.customer().await);
        }
        let racers = customers.iter().map(|customer| {
            let (db, who) = (stage.db.clone(), stage.who.clone());
            let new = NewSubscription {
                payment_behavior: PaymentBehavior::DefaultIncomplete,
                ..discounted(customer, &price, &[by(&last)])
            };
            tokio::spawn(async move {
                transact!(db, |tx| subscription::create::create(tx, &who, new.clone()).await).map(|_| ())
            })
        });
        let mut won = 0;
        for racer in futures::future::join_all(racers).await {
            match racer.unwrap() {
                Ok(()) => won += 1,
                Err(error) => assert_eq!((kind(&error), field(&error)), ("coupon_expired", "discounts[0][coupon]")),
            }
        }
        assert_eq!((won, times(stage, &last.id).await), (1, 1));
        assert_eq!(stage.number("select count(*) from discount").await, 1);
        assert_eq!(stage.number("select count(*) from subscription").await, 1);
    })
    .await;
}
