//! Starting a subscription: what it begins with, what its first invoice says, what is refused.

use billing::catalog::{PriceUpdate, price};
use billing::customer::{self};
use billing::invoice::Status as InvoiceStatus;
use billing::period::{Interval, Recurring};
use billing::subscription::create::{PaymentBehavior, Trial};
use billing::subscription::{
    self, CollectionMethod, NewItem, NewSubscription, Status, StatusFilter, SubscriptionFilter, SubscriptionUpdate,
};
use billing::{Currency, Page, Patch, payment};

use crate::support::{DAY, HOUR, MONTHLY, Stage, at, done, field, kind, on_both, plain_price, plan, refused, seen};

fn item(price: &str, quantity: i64) -> NewItem {
    NewItem {
        price: price.into(),
        price_data: None,
        quantity: Some(quantity),
        tax_rates: Vec::new(),
        discounts: Vec::new(),
        metadata: Patch::Keep,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_pays_makes_it_active() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let metadata = Patch::Set([("seat".to_owned(), Some("7".to_owned()))].into());
        let items = vec![NewItem {
            price: price.id.clone(),
            price_data: None,
            quantity: Some(3),
            tax_rates: Vec::new(),
            discounts: Vec::new(),
            metadata: metadata.clone(),
        }];
        let new = NewSubscription { items, metadata, description: Some("Team".into()), ..plan(&customer, &price) };
        let created = stage.create(new).await;
        assert_eq!((created.subscription.status, created.collect), (Status::Incomplete, true));
        assert_eq!(created.subscription, stage.subscription(&created.subscription.id).await);

        let invoice = stage.collect(&created.invoice).await.unwrap();
        let subscription = stage.subscription(&created.subscription.id).await;
        assert_eq!(subscription.status, Status::Active);
        assert_eq!(subscription.latest_invoice, Some(invoice.id.clone()));
        assert_eq!(subscription.current_period_start, at("2026-01-31"));
        assert_eq!(subscription.current_period_end, at("2026-02-28"));
        assert_eq!(subscription.billing_cycle_anchor, at("2026-01-31"));
        assert_eq!(subscription.renewal_amount(), Ok(3000));
        assert_eq!(
            (subscription.metadata["seat"].as_str(), subscription.items[0].metadata["seat"].as_str()),
            ("7", "7")
        );
        assert_eq!(subscription.next_due, Some(at("2026-02-21")), "the merchant is told of the next invoice");

        assert_eq!((invoice.status, invoice.total, invoice.amount_paid), (InvoiceStatus::Paid, 3000, 3000));
        assert_eq!((invoice.attempt_count, invoice.amount_remaining()), (1, 0));
        assert_eq!(invoice.billing_reason, "subscription_create");
        assert_eq!(invoice.number, Some(format!("{}-0001", customer.invoice_prefix)));
        let line = &invoice.lines[0];
        assert_eq!(line.description, "3 × Pro (at 10.00 EUR / month)");
        assert_eq!((line.quantity, line.amount, line.period_end), (3, 3000, at("2026-02-28")));
        assert_eq!(stage.captured().await, 3000);
        let intent = invoice.payment_intent.clone().unwrap();
        let intent = seen!(stage, |tx| payment::intent(tx, &stage.who, &intent));
        assert_eq!((intent.status, intent.amount_received), (payment::IntentStatus::Succeeded, 3000));
        let customer = seen!(stage, |tx| customer::get(tx, &stage.who, &customer.id));
        assert_eq!(customer.currency, Some(stage.eur()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_first_payment_is_told_in_order() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let before = stage.events().await.len();
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        let invoice = subscription.latest_invoice.unwrap();
        let intent = stage.invoice(&invoice).await.payment_intent.unwrap();
        let said = stage.events().await;
        let said: Vec<(&str, &str)> = said[before..].iter().map(|(kind, id)| (kind.as_str(), id.as_str())).collect();
        let expected = [
            ("invoice.created", invoice.as_str()),
            ("customer.updated", customer.id.as_str()),
            ("invoice.finalized", invoice.as_str()),
            ("customer.subscription.created", subscription.id.as_str()),
            ("payment_intent.created", intent.as_str()),
            ("payment_intent.succeeded", intent.as_str()),
            ("invoice.paid", invoice.as_str()),
            ("customer.subscription.updated", subscription.id.as_str()),
        ];
        assert_eq!(said, expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_is_declined_leaves_it_incomplete() {
    on_both(async |stage| {
        let price = stage.price(1000).await;
        let customer = stage.payer("pm_card_chargeDeclinedInsufficientFunds").await;
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        assert_eq!(subscription.status, Status::Incomplete);
        assert_eq!(subscription.next_due, Some(stage.now().plus(23 * HOUR)));
        let invoice = stage.invoice(subscription.latest_invoice.as_ref().unwrap()).await;
        assert_eq!((invoice.status, invoice.attempted, invoice.attempt_count), (InvoiceStatus::Open, true, 1));
        let intent = invoice.payment_intent.clone().unwrap();
        let intent = seen!(stage, |tx| payment::intent(tx, &stage.who, &intent));
        assert_eq!(intent.status, payment::IntentStatus::RequiresPaymentMethod);
        assert_eq!(intent.last_error.as_ref().unwrap()["decline_code"], "insufficient_funds");
        assert_eq!(stage.events_of(&invoice.id).await.last().unwrap(), "invoice.payment_failed");
        assert_eq!(stage.captured().await, 0);

        let method = stage.method(&customer, "pm_card_visa").await;
        stage.set_default(&customer, &method).await;
        let paid = stage.collect(&invoice).await.unwrap();
        assert_eq!((paid.status, paid.attempt_count), (InvoiceStatus::Paid, 1));
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::Active);
        assert_eq!(stage.captured().await, 1000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_wants_its_owner_leaves_it_incomplete() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_authenticationRequired").await, stage.price(1000).await);
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        assert_eq!(subscription.status, Status::Incomplete);
        let invoice = stage.invoice(subscription.latest_invoice.as_ref().unwrap()).await;
        assert_eq!(invoice.status, InvoiceStatus::Open);
        let intent = invoice.payment_intent.clone().unwrap();
        let intent = seen!(stage, |tx| payment::intent(tx, &stage.who, &intent));
        assert_eq!(intent.status, payment::IntentStatus::RequiresAction);
        assert_eq!(stage.events_of(&invoice.id).await.last().unwrap(), "invoice.payment_action_required");
        assert_eq!(stage.captured().await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_may_leave_the_first_charge_to_later() {
    on_both(async |stage| {
        let (customer, price) = (stage.customer().await, stage.price(1000).await);
        let new = NewSubscription { payment_behavior: PaymentBehavior::DefaultIncomplete, ..plan(&customer, &price) };
        let created = stage.create(new).await;
        assert_eq!((created.subscription.status, created.collect), (Status::Incomplete, false));
        assert_eq!((created.invoice.status, created.invoice.attempted), (InvoiceStatus::Open, false));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_is_billed_at_nothing_and_sets_the_anchor_to_its_end() {
    on_both(async |stage| {
        let (customer, price) = (stage.customer().await, stage.price(1000).await);
        let ends = [
            (Trial::Days(14), stage.now().plus(14 * DAY)),
            (Trial::Days(730), stage.now().plus(730 * DAY)),
            (Trial::Until(stage.now().plus(1)), stage.now().plus(1)),
        ];
        for (trial, end) in ends {
            let created = stage.create(NewSubscription { trial, ..plan(&customer, &price) }).await;
            let subscription = &created.subscription;
            assert_eq!((subscription.status, created.collect), (Status::Trialing, false));
            assert_eq!((subscription.trial_start, subscription.trial_end), (Some(stage.now()), Some(end)));
            assert_eq!((subscription.current_period_end, subscription.billing_cycle_anchor), (end, end));
            assert_eq!(subscription.next_due, Some(end.plus(-3 * DAY).max(stage.now())), "the merchant is told first");
            let invoice = &created.invoice;
            assert_eq!((invoice.status, invoice.total, invoice.period_end), (InvoiceStatus::Paid, 0, end));
            assert_eq!(invoice.lines[0].description, "Trial period for Pro");
            assert_eq!(*invoice, stage.invoice(&invoice.id).await);
        }
        assert_eq!(stage.captured().await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_can_come_with_the_price() {
    on_both(async |stage| {
        let (customer, plain) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let new = billing::catalog::NewPrice {
            recurring: Some(MONTHLY),
            trial_period_days: Some(7),
            ..plain_price(stage.eur(), &plain.product, 500)
        };
        let trying = done!(stage, |tx| price::create(tx, &stage.who, new.clone()));
        let from = |price| NewSubscription { trial: Trial::FromPrice, ..plan(&customer, price) };
        assert_eq!(stage.create(from(&trying)).await.subscription.trial_end, Some(stage.now().plus(7 * DAY)));
        assert_eq!(stage.create(from(&plain)).await.subscription.trial_end, None);
        assert_eq!(stage.create(plan(&customer, &trying)).await.subscription.trial_end, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_can_be_sent_instead_of_charged() {
    on_both(async |stage| {
        let (customer, price) = (stage.customer().await, stage.price(1000).await);
        let new = NewSubscription {
            collection_method: CollectionMethod::SendInvoice,
            days_until_due: Some(30),
            ..plan(&customer, &price)
        };
        let created = stage.create(new).await;
        assert_eq!((created.subscription.status, created.collect), (Status::Active, false));
        assert_eq!(created.invoice.status, InvoiceStatus::Open);
        assert_eq!(created.invoice.due_date, Some(stage.now().plus(30 * DAY)));
        assert_eq!(created.invoice.amount_remaining(), 1000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_nothing_needs_no_method() {
    on_both(async |stage| {
        let (customer, free, price) = (stage.customer().await, stage.price(0).await, stage.price(1000).await);
        let none = NewSubscription { items: vec![item(&price.id, 0)], ..plan(&customer, &price) };
        for new in [plan(&customer, &free), none] {
            let created = stage.create(new).await;
            assert_eq!((created.subscription.status, created.collect), (Status::Active, false));
            assert_eq!((created.invoice.status, created.invoice.amount_due), (InvoiceStatus::Paid, 0));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_items_stand_in_order_on_one_invoice() {
    on_both(async |stage| {
        let customer = stage.payer("pm_card_visa").await;
        let mut items = Vec::new();
        for n in 1..=12 {
            items.push(item(&stage.price(n).await.id, n));
        }
        let new = NewSubscription { items: items.clone(), ..plan(&customer, &stage.price(1).await) };
        let created = stage.create(new).await;
        let subscription = stage.subscription(&created.subscription.id).await;
        let prices: Vec<_> = subscription.items.iter().map(|item| item.price.id.clone()).collect();
        assert_eq!(prices, items.iter().map(|item| item.price.clone()).collect::<Vec<_>>());
        assert_eq!(created.invoice.total, (1..=12).map(|n| n * n).sum::<i64>());
        assert_eq!((created.invoice.lines.len(), created.invoice.more_lines), (12, false));
        let rest = seen!(stage, |tx| billing::invoice::line::after(tx, &stage.who, &created.invoice.id, 9, 10));
        assert_eq!((rest.data.len(), rest.has_more), (2, false));
        assert_eq!(rest.data[1].amount, 144);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_told_at_once_when_to_end() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let flagged = NewSubscription { cancel_at_period_end: true, ..plan(&customer, &price) };
        let flagged = stage.subscribe(flagged).await;
        assert_eq!((flagged.cancel_at_period_end, flagged.cancel_at), (true, Some(at("2026-02-28"))));
        assert_eq!(flagged.canceled_at, Some(stage.now()));
        assert_eq!(flagged.cancellation_details.reason.as_deref(), Some("cancellation_requested"));

        let dated = NewSubscription { cancel_at: Some(at("2026-02-14")), ..plan(&customer, &price) };
        let dated = stage.subscribe(dated).await;
        assert_eq!((dated.cancel_at_period_end, dated.cancel_at), (false, Some(at("2026-02-14"))));
        assert_eq!(dated.next_due, Some(at("2026-02-14")));
    })
    .await;
}

/// What each of these refusals names, and how it calls it.
async fn refuse(stage: &Stage, new: NewSubscription) -> (String, String) {
    let error = refused!(stage, |tx| subscription::create::create(tx, &stage.who, new.clone()));
    (field(&error).to_owned(), kind(&error).to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn items_that_cannot_be_sold_together_are_refused_by_name() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let with = |items| NewSubscription { items, ..plan(&customer, &price) };
        let and = |other: &str| with(vec![item(&price.id, 1), item(other, 1)]);
        let second = "items[1][price]".to_owned();
        assert_eq!(refuse(stage, with(vec![])).await, ("items".into(), "parameter_missing".into()));
        let many = vec![item(&price.id, 1); 21];
        assert_eq!(refuse(stage, with(many)).await.0, "items");
        assert_eq!(refuse(stage, and("price_no")).await, (second.clone(), "missing".into()));
        assert_eq!(refuse(stage, and(&price.id)).await.0, second);
        let once = stage.price_of(&stage.who, 1, None).await;
        assert_eq!(refuse(stage, and(&once.id)).await.0, second);
        let theirs = stage.price_of(&stage.stranger, 1, Some(MONTHLY)).await;
        assert_eq!(refuse(stage, and(&theirs.id)).await, (second.clone(), "missing".into()));
        let archived = stage.price(1).await;
        let archive = PriceUpdate { active: Some(false), ..PriceUpdate::default() };
        done!(stage, |tx| price::update(tx, &stage.who, &archived.id, archive.clone()));
        assert_eq!(refuse(stage, and(&archived.id)).await.0, second);
        let yearly = Recurring { interval: Interval::Year, count: 1 };
        let yearly = stage.price_of(&stage.who, 1, Some(yearly)).await;
        assert_eq!(refuse(stage, and(&yearly.id)).await.0, "items");
        let usd = billing::catalog::NewPrice {
            recurring: Some(MONTHLY),
            ..plain_price(Currency::parse("usd", "currency").unwrap(), &price.product, 1)
        };
        let usd = done!(stage, |tx| price::create(tx, &stage.who, usd.clone()));
        assert_eq!(refuse(stage, and(&usd.id)).await.0, second);
        for quantity in [-1, 1_000_000] {
            assert_eq!(refuse(stage, with(vec![item(&price.id, quantity)])).await.0, "items[0][quantity]");
        }
        assert_eq!(refuse(stage, with(vec![item(&price.id, 999_999)])).await.0, "items[0][quantity]", "too much money");
        assert_eq!(stage.number("select count(*) from subscription").await, 0);

        stage.subscribe(plan(&customer, &price)).await;
        let foreign = with(vec![item(&usd.id, 1)]);
        assert_eq!(refuse(stage, foreign).await.0, "items[0][price]", "the customer pays in euros by now");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_that_make_no_sense_are_refused_by_name() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let plain = || plan(&customer, &price);
        let nobody = NewSubscription { customer: "cus_no".into(), ..plain() };
        assert_eq!(refuse(stage, nobody).await, ("customer".into(), "missing".into()));
        for days in [-1, 731] {
            let new = NewSubscription { trial: Trial::Days(days), ..plain() };
            assert_eq!(refuse(stage, new).await.0, "trial_period_days");
        }
        for end in [stage.now(), stage.now().plus(-1), stage.now().plus(730 * DAY + 1)] {
            let new = NewSubscription { trial: Trial::Until(end), ..plain() };
            assert_eq!(refuse(stage, new).await.0, "trial_end");
        }
        let new = NewSubscription { cancel_at: Some(stage.now()), ..plain() };
        assert_eq!(refuse(stage, new).await.0, "cancel_at");
        let both = NewSubscription { cancel_at: Some(stage.now().plus(DAY)), cancel_at_period_end: true, ..plain() };
        assert_eq!(refuse(stage, both).await.0, "cancel_at");
        let unsaid = NewSubscription { collection_method: CollectionMethod::SendInvoice, ..plain() };
        assert_eq!(refuse(stage, unsaid).await.0, "days_until_due");
        let wordy = NewSubscription { description: Some("x".repeat(501)), ..plain() };
        assert_eq!(refuse(stage, wordy).await.0, "description");
        let metadata = Patch::Set([(String::new(), Some("x".to_owned()))].into());
        let keyless = NewSubscription { metadata: metadata.clone(), ..plain() };
        assert_eq!(refuse(stage, keyless).await.0, "metadata[]");
        let items = vec![NewItem { metadata, ..item(&price.id, 1) }];
        assert_eq!(refuse(stage, NewSubscription { items, ..plain() }).await.0, "items[0][metadata][]");

        let other = stage.customer().await;
        let foreign = stage.method(&other, "pm_card_visa").await;
        let new = NewSubscription { default_payment_method: Some(foreign.id), ..plain() };
        assert_eq!(refuse(stage, new).await, ("default_payment_method".into(), "missing".into()));
        let error = refuse(stage, plan(&other, &price)).await;
        assert_eq!(error, ("default_payment_method".into(), "resource_missing".into()));
        assert_eq!(stage.number("select count(*) from subscription").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_it_names_and_says_so_once() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let customer = seen!(stage, |tx| customer::get(tx, &stage.who, &subscription.customer));
        let method = stage.method(&customer, "pm_card_mastercard").await;
        let update = SubscriptionUpdate {
            default_payment_method: Patch::Set(method.id.clone()),
            description: Patch::Set("Team".into()),
            metadata: Patch::Set([("a".to_owned(), Some("1".to_owned()))].into()),
            ..SubscriptionUpdate::default()
        };
        let after = done!(stage, |tx| subscription::update::update(tx, &stage.who, &subscription.id, update.clone()))
            .subscription;
        assert_eq!(after, stage.subscription(&subscription.id).await);
        assert_eq!((after.default_payment_method, after.description), (Some(method.id), Some("Team".into())));
        let said = stage.events_of(&subscription.id).await.len();
        done!(stage, |tx| subscription::update::update(tx, &stage.who, &subscription.id, update.clone()));
        assert_eq!(stage.events_of(&subscription.id).await.len(), said);

        let cleared = SubscriptionUpdate {
            default_payment_method: Patch::Clear,
            description: Patch::Clear,
            metadata: Patch::Clear,
            ..SubscriptionUpdate::default()
        };
        let after = done!(stage, |tx| subscription::update::update(tx, &stage.who, &subscription.id, cleared.clone()))
            .subscription;
        assert_eq!((after.default_payment_method, after.description, after.metadata.len()), (None, None, 0));
        let foreign = stage.method(&stage.customer().await, "pm_card_visa").await;
        let foreign = SubscriptionUpdate { default_payment_method: Patch::Set(foreign.id), ..Default::default() };
        let error =
            refused!(stage, |tx| subscription::update::update(tx, &stage.who, &subscription.id, foreign.clone()));
        assert_eq!(field(&error), "default_payment_method");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_listed_by_customer_status_and_price() {
    on_both(async |stage| {
        let (ada, bob) = (stage.payer("pm_card_visa").await, stage.payer("pm_card_visa").await);
        let (pro, team) = (stage.price(1000).await, stage.price(2000).await);
        let ended = stage.subscribe(plan(&ada, &pro)).await;
        done!(stage, |tx| subscription::cancel::now(tx, &stage.who, &ended.id, None, None));
        let active = stage.subscribe(plan(&ada, &team)).await;
        let trialing = NewSubscription { trial: Trial::Days(7), ..plan(&bob, &pro) };
        let trialing = stage.subscribe(trialing).await;

        let listed = async |customer: Option<&str>, status, price: Option<&str>| {
            let filter = SubscriptionFilter {
                customer: customer.map(Into::into),
                status,
                price: price.map(Into::into),
                test_clock: None,
            };
            let page = Page::first(10);
            let listed = seen!(stage, |tx| subscription::list(tx, &stage.who, &page, &filter));
            assert!(listed.data.iter().all(|s| s.items.len() == 1));
            listed.data.into_iter().map(|s| s.id).collect::<Vec<_>>()
        };
        use StatusFilter::{All, Ended, Is, NotCanceled};
        let (ended, active, trialing) = (ended.id, active.id, trialing.id);
        let both = [trialing.clone(), active.clone()];
        for (customer, both) in [(None, &both[..]), (Some(ada.id.as_str()), &both[1..])] {
            assert_eq!(listed(customer, NotCanceled, None).await, both);
        }
        assert_eq!(listed(None, All, None).await, [&trialing, &active, &ended].map(Clone::clone));
        assert_eq!(listed(Some(&ada.id), All, None).await, [&active, &ended].map(Clone::clone));
        assert_eq!(listed(None, Ended, None).await, [ended.clone()]);
        assert_eq!(listed(Some(&ada.id), Ended, None).await, [ended.clone()]);
        assert_eq!(listed(None, Is(Status::Trialing), None).await, [trialing.clone()]);
        assert!(listed(Some(&ada.id), Is(Status::Trialing), None).await.is_empty());
        assert_eq!(listed(None, All, Some(&pro.id)).await, [&trialing, &ended].map(Clone::clone));
        assert_eq!(listed(Some(&ada.id), All, Some(&team.id)).await, [active]);
    })
    .await;
}
