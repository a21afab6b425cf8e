//! Mails to customers: which events ask for one, what it says, and how it waits until somebody has taken it.

use std::sync::Arc;

use billing::customer::{self, Customer, CustomerUpdate};
use billing::gateway::PaymentGateway;
use billing::mail::queue::{self, Outcome};
use billing::mail::{Mail, Status as MailStatus, Template};
use billing::settings::{self, SettingsUpdate};
use billing::subscription::create::Trial;
use billing::subscription::scheduled;
use billing::subscription::{
    self, ItemChange, NewSubscription, ProrationBehavior, Subscription, SubscriptionUpdate, cancel,
};
use billing::{Patch, Seconds, test_clock, work};

use crate::support::{DAY, HOUR, MINUTE, Stage, at, done, on_both, plan, seen};

impl Stage {
    async fn update_customer(&self, customer: &Customer, update: CustomerUpdate) -> Customer {
        done!(self, |tx| customer::update(tx, &self.who, &customer.id, update.clone()))
    }

    /// A customer who pays, with a name, an address and two languages.
    async fn reader(&self) -> Customer {
        let customer = self.payer("pm_card_visa").await;
        let update = CustomerUpdate {
            email: Patch::Set("ada@example.com".into()),
            preferred_locales: Patch::Set(vec!["de-CH".into(), "en".into()]),
            ..CustomerUpdate::default()
        };
        self.update_customer(&customer, update).await
    }

    async fn subscribed(&self, customer: &Customer, amount: i64) -> Subscription {
        let price = self.price(amount).await;
        self.subscribe(plan(customer, &price)).await
    }

    async fn taken(&self) -> Option<Mail> {
        done!(self, |tx| queue::claim(tx))
    }

    async fn settled(&self, mail: &Mail, outcome: Outcome<'_>) -> MailStatus {
        done!(self, |tx| queue::settle(tx, mail, outcome))
    }

    /// All that waits, taken and sent.
    async fn sent(&self) -> Vec<Mail> {
        let mut sent = Vec::new();
        while let Some(mail) = self.taken().await {
            assert_eq!(self.settled(&mail, Outcome::Sent).await, MailStatus::Sent);
            sent.push(mail);
        }
        sent
    }

    async fn templates(&self) -> Vec<Template> {
        self.sent().await.iter().map(|mail| mail.template).collect()
    }

    async fn works_at(&self, time: Seconds) {
        self.go_to(time.plus(HOUR));
        let gateway: Arc<dyn PaymentGateway> = self.sandbox.clone();
        while work::one(&self.db, &gateway).await.unwrap() {}
    }

    async fn update(&self, subscription: &Subscription, update: SubscriptionUpdate) {
        done!(self, |tx| subscription::update::update(tx, &self.who, &subscription.id, update.clone()));
    }
}

fn to_price(subscription: &Subscription, price: &str) -> ItemChange {
    ItemChange { id: Some(subscription.items[0].id.clone()), price: Some(price.into()), ..ItemChange::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_confirmed_in_the_customers_languages() {
    on_both(async |stage| {
        let stage = stage.reached();
        let usual = SettingsUpdate { default_locale: Patch::Set("fr".into()), ..SettingsUpdate::default() };
        done!(stage, |tx| settings::update(tx, &stage.who, usual.clone()));
        let customer = stage.reader().await;
        let subscription = stage.subscribed(&customer, 1000).await;
        let mails = stage.sent().await;
        let [mail] = mails.as_slice() else { panic!("one mail, and not {mails:?}") };
        let invoice = stage.invoice(subscription.latest_invoice.as_ref().unwrap()).await;
        assert_eq!((mail.template, mail.recipient.as_str()), (Template::Receipt, "ada@example.com"));
        assert_eq!((mail.locale.as_str(), mail.customer.as_deref()), ("de-CH,en,fr", Some(customer.id.as_str())));
        assert_eq!((mail.data.amount, mail.data.currency.as_ref()), (1000, Some(&stage.eur())));
        assert_eq!((&mail.data.number, &mail.data.url), (&invoice.number, &invoice.hosted_invoice_url));
        assert!(mail.data.url.as_ref().unwrap().starts_with("https://billing.example/"));
        assert!(stage.taken().await.is_none(), "once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_occasion_has_its_mail() {
    on_both(async |stage| {
        let stage = stage.reached();
        let customer = stage.reader().await;
        let subscription = stage.subscribed(&customer, 1000).await;
        assert_eq!(stage.templates().await, [Template::Receipt]);
        stage
            .update(&subscription, SubscriptionUpdate { description: Patch::Set("x".into()), ..Default::default() })
            .await;
        assert!(stage.templates().await.is_empty(), "nothing that matters to them");

        let more = SubscriptionUpdate {
            items: vec![ItemChange { quantity: Some(3), ..to_price(&subscription, &subscription.items[0].price.id) }],
            proration_behavior: Some(ProrationBehavior::None),
            ..SubscriptionUpdate::default()
        };
        stage.update(&subscription, more).await;
        let mails = stage.sent().await;
        assert_eq!((mails.len(), mails[0].template, mails[0].data.items[0].1), (1, Template::Changed, 3));

        let cheaper = stage.price(600).await;
        done!(stage, |tx| scheduled::schedule(
            tx,
            &stage.who,
            &subscription.id,
            &[to_price(&subscription, &cheaper.id)]
        ));
        let mails = stage.sent().await;
        let end = subscription.current_period_end;
        assert_eq!((mails.len(), mails[0].template, mails[0].data.at), (1, Template::ChangeScheduled, Some(end)));
        assert_eq!(mails[0].data.items, [("Pro".to_owned(), 3)]);

        stage.works_at(end.plus(-7 * DAY)).await;
        let mails = stage.sent().await;
        assert_eq!((mails.len(), mails[0].template, mails[0].data.at), (1, Template::Upcoming, Some(end)));
        assert_eq!((mails[0].data.amount, mails[0].data.items[0].1), (1800, 3), "as it will be");
        stage.works_at(end).await;
        let templates = stage.templates().await;
        assert!(
            templates.len() == 2 && templates.contains(&Template::Receipt) && templates.contains(&Template::Changed)
        );

        let leave = SubscriptionUpdate { cancel_at_period_end: Some(true), ..SubscriptionUpdate::default() };
        stage.update(&subscription, leave).await;
        let mails = stage.sent().await;
        assert_eq!(
            (mails.len(), mails[0].template, mails[0].data.at),
            (1, Template::Canceling, Some(at("2026-03-31")))
        );
        stage.works_at(at("2026-03-31")).await;
        assert_eq!(stage.templates().await, [Template::Ended]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_and_a_charge_that_failed_are_told_of() {
    on_both(async |stage| {
        let stage = stage.reached();
        let customer = stage.reader().await;
        let price = stage.price(1000).await;
        let new = NewSubscription { trial: Trial::Days(14), ..plan(&customer, &price) };
        let subscription = stage.subscribe(new).await;
        let end = subscription.trial_end.unwrap();
        stage.works_at(end.plus(-3 * DAY)).await;
        let mails = stage.sent().await;
        assert_eq!((mails.len(), mails[0].template, mails[0].data.at), (1, Template::TrialEnding, Some(end)));

        let bad = stage.method(&customer, "pm_card_chargeDeclined").await;
        stage.set_default(&customer, &bad).await;
        stage.works_at(end).await;
        let mails = stage.sent().await;
        assert_eq!((mails.len(), mails[0].template, mails[0].data.amount), (1, Template::PaymentFailed, 1000));
        let failed = stage.invoice(mails[0].data.invoice.as_ref().unwrap()).await;
        assert_eq!((mails[0].data.at, failed.next_payment_attempt.is_some()), (failed.next_payment_attempt, true));
        assert!(stage.collect(&failed).await.is_ok());
        assert!(stage.templates().await.is_empty(), "whoever pays in person sees what becomes of it");

        // Another that fails waits to be sent, and is paid meanwhile.
        stage.works_at(end.plus(DAY)).await;
        let waiting = stage.taken().await.expect("the next attempt failed, too");
        assert!(seen!(stage, |tx| queue::sender(tx, &mut waiting.clone())).is_some());
        let good = stage.method(&customer, "pm_card_visa").await;
        stage.set_default(&customer, &good).await;
        stage.collect(&failed).await.unwrap();
        assert_eq!(
            seen!(stage, |tx| queue::sender(tx, &mut waiting.clone())),
            None,
            "there is nothing left to ask for"
        );
        assert_eq!(stage.settled(&waiting, Outcome::Over).await, MailStatus::Dropped);
        assert_eq!(stage.templates().await, [Template::Receipt]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_or_should_not_be_reached_is_not_written_to() {
    on_both(async |stage| {
        stage.subscribed(&stage.reader().await, 1000).await;
        assert_eq!(stage.templates().await, [], "where nobody reaches the portal");
        let stage = stage.reached();
        let nameless = stage.payer("pm_card_visa").await;
        stage.subscribed(&nameless, 1000).await;
        let clock = done!(stage, |tx| test_clock::create(tx, &stage.who, at("2027-01-10"), None));
        let new = CustomerUpdate {
            test_clock: Some(clock.id.clone()),
            email: Patch::Set("test@example.com".into()),
            ..CustomerUpdate::default()
        };
        let timeless = done!(stage, |tx| customer::create(tx, &stage.who, new.clone()));
        let method = stage.method(&timeless, "pm_card_visa").await;
        stage.subscribed(&stage.set_default(&timeless, &method).await, 1000).await;
        assert_eq!(stage.number("select count(*) from mail").await, 0);

        let customer = stage.reader().await;
        let subscription = stage.subscribed(&customer, 1000).await;
        let mail = stage.taken().await.unwrap();
        done!(stage, |tx| cancel::now(tx, &stage.who, &subscription.id, None, None));
        done!(stage, |tx| customer::delete(tx, &stage.who, &customer.id));
        assert_eq!(seen!(stage, |tx| queue::sender(tx, &mut mail.clone())), None, "nor is who is gone");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_is_told_to_nobody() {
    on_both(async |stage| {
        let stage = stage.reached();
        let customer = stage.reader().await;
        let price = stage.price(1000).await;
        let new = plan(&customer, &price);
        let broken = billing::transact!(stage.db, |tx| {
            subscription::create::create(tx, &stage.who, NewSubscription { trial: Trial::Days(2), ..new.clone() })
                .await?;
            Err::<(), _>(billing::Error::conflict("no", "no"))
        });
        assert!(broken.is_err());
        assert_eq!(stage.number("select count(*) from mail").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_taken_once_and_tried_again_later_and_later() {
    on_both(async |stage| {
        let stage = stage.reached();
        stage.subscribed(&stage.reader().await, 1000).await;
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let db = stage.db.clone();
                tokio::spawn(async move { billing::transact!(db, |tx| queue::claim(tx).await) })
            })
            .collect();
        let mut taken = Vec::new();
        for worker in workers {
            taken.extend(worker.await.unwrap().unwrap());
        }
        assert_eq!(taken.len(), 1, "by one worker");
        stage.pass(2 * MINUTE);
        let mut mail = stage.taken().await.expect("whoever had it is gone");
        assert_eq!(mail.attempts, 2);

        let mut waits = Vec::new();
        while stage.settled(&mail, Outcome::NotNow("the mail server answered 451")).await == MailStatus::Waiting {
            assert!(stage.taken().await.is_none(), "not again at once");
            let wait = stage.number("select next_ms from mail").await - stage.clock.wall().0;
            stage.clock.advance(wait);
            waits.push(wait / 60_000);
            mail = stage.taken().await.unwrap();
        }
        assert_eq!(waits[..6], [5, 15, 60, 180, 360, 360]);
        let late = stage.now().0 - mail.created_ms.seconds().0;
        assert!((3 * DAY..3 * DAY + 6 * HOUR).contains(&late), "given up after {late} seconds");
        stage.settled(&mail, Outcome::Sent).await;
        let rows: Vec<(String, String)> = stage.rows("select status, last_error from mail").await;
        assert_eq!(rows, [("refused".to_owned(), "the mail server answered 451".to_owned())], "settled once");
    })
    .await;
}
