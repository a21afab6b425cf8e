//! Deliveries: who is sent what, by whom, how often, and until when.

use std::collections::{BTreeMap, HashSet};

use billing::customer::{self, CustomerUpdate};
use billing::subscription::{self, SubscriptionUpdate};
use billing::webhook::delivery::{self, Delivery, Filter, Status};
use billing::webhook::lane::{self, Batch, Lane, Message, Outcome};
use billing::webhook::replay::{self, Range};
use billing::webhook::{self, Endpoint, EndpointUpdate, NewEndpoint};
use billing::{Error, Page, Patch, Seconds, transact};

use crate::support::{DAY, HOUR, MINUTE, Stage, done, kind, on_both, plan, refused, seen};

const GIVE_UP: i64 = 75 * HOUR + 35 * MINUTE;

impl Stage {
    pub async fn endpoint(&self, name: &str, events: &[&str]) -> Endpoint {
        let new = NewEndpoint {
            url: format!("https://{name}.example/hooks"),
            enabled_events: events.iter().map(|name| (*name).to_owned()).collect(),
            api_version: None,
            fields: EndpointUpdate::default(),
        };
        done!(self, |tx| webhook::create(tx, &self.who, new.clone())).0
    }

    pub async fn endpoint_now(&self, endpoint: &Endpoint) -> Endpoint {
        seen!(self, |tx| webhook::get(tx, &self.who, &endpoint.id))
    }

    /// An event of its own: somebody's name is another.
    pub async fn happens(&self, customer: &customer::Customer, name: &str) {
        let update = CustomerUpdate { name: Patch::Set(name.into()), ..CustomerUpdate::default() };
        done!(self, |tx| customer::update(tx, &self.who, &customer.id, update.clone()));
    }

    pub async fn log(&self, endpoint: &Endpoint) -> Vec<Delivery> {
        let filter = Filter { endpoint: Some(endpoint.id.clone()), ..Filter::default() };
        let page = Page::first(100);
        let mut log = seen!(self, |tx| delivery::list(tx, &self.who, &page, &filter)).data;
        log.reverse();
        log
    }

    async fn names(&self, endpoint: &Endpoint) -> Vec<String> {
        self.log(endpoint).await.into_iter().map(|delivery| delivery.name).collect()
    }

    pub async fn enter(&self) -> Option<Lane> {
        done!(self, |tx| lane::claim(tx))
    }

    pub async fn batch(&self, lane: &Lane) -> Option<Batch> {
        seen!(self, |tx| lane::batch(tx, lane))
    }

    /// Everything that is due, wherever, answered like this; answers with what was sent.
    pub async fn answered(&self, outcome: &Outcome) -> Vec<Message> {
        let mut sent = Vec::new();
        while let Some(lane) = self.enter().await {
            while let Some(batch) = self.batch(&lane).await {
                let settled: Vec<_> = batch.messages.into_iter().map(|message| (message, outcome.clone())).collect();
                done!(self, |tx| lane::settle(tx, &lane, &settled));
                sent.extend(settled.into_iter().map(|(message, _)| message));
            }
            done!(self, |tx| lane::leave(tx, &lane));
        }
        sent
    }

    /// Moves the clock to the next attempt.
    async fn next_attempt(&self, endpoint: &Endpoint) -> bool {
        let next = self.log(endpoint).await.into_iter().filter_map(|delivery| delivery.next_ms).min();
        if let Some(next) = next {
            self.clock.advance(next.0 - self.clock.wall().0);
        }
        next.is_some()
    }
}

pub fn answer(status: u16) -> Outcome {
    Outcome { status: Some(status), ..Outcome::default() }
}

fn silence() -> Outcome {
    Outcome { error: Some("there was no whole answer in time".into()), ..Outcome::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_sent_what_it_lists_under_the_names_it_lists() {
    on_both(async |stage| {
        let before = stage.events().await.len();
        let all = stage.endpoint("all", &["*"]).await;
        let both = stage.endpoint("both", &["subscription.updated", "customer.subscription.updated"]).await;
        let method = stage.endpoint("method", &["customer.payment_method_updated"]).await;
        let off = stage.endpoint("off", &["*"]).await;
        let disabled = EndpointUpdate { disabled: Some(true), ..EndpointUpdate::default() };
        done!(stage, |tx| webhook::update(tx, &stage.who, &off.id, disabled.clone()));
        let elsewhere = NewEndpoint {
            url: "https://stranger.example/".into(),
            enabled_events: vec!["*".into()],
            api_version: None,
            fields: EndpointUpdate::default(),
        };
        done!(stage, |tx| webhook::create(tx, &stage.stranger, elsewhere.clone()));

        let customer = stage.payer("pm_card_visa").await;
        let price = stage.price(1000).await;
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        let end = SubscriptionUpdate { cancel_at_period_end: Some(true), ..SubscriptionUpdate::default() };
        done!(stage, |tx| subscription::update::update(tx, &stage.who, &subscription.id, end.clone()));

        let told: Vec<String> = stage.events().await.into_iter().skip(before).map(|(name, _)| name).collect();
        let sent = stage.names(&all).await;
        assert_eq!(sent, told, "everything, once, in its order");
        assert!(sent.iter().any(|name| name == "subscription.cancellation_scheduled"));
        assert!(!sent.iter().any(|name| webhook::ALIASES.contains(&name.as_str())));
        let updated = told.iter().filter(|name| *name == "customer.subscription.updated").count();
        let mut counted = BTreeMap::new();
        for name in stage.names(&both).await {
            *counted.entry(name).or_insert(0) += 1;
        }
        let twice = ["customer.subscription.updated", "subscription.updated"].map(|name| (name.to_owned(), updated));
        assert_eq!(counted, BTreeMap::from(twice));
        assert!(stage.names(&off).await.is_empty());
        assert_eq!(stage.number("select count(*) from delivery where tenant <> 1").await, 0, "nothing of it is theirs");

        // Attached, and made the default: both times the object is the method.
        let sent = stage.answered(&answer(200)).await;
        let of_method: Vec<&Message> = sent.iter().filter(|m| m.name == "customer.payment_method_updated").collect();
        assert_eq!(of_method.len(), stage.log(&method).await.len());
        for message in &of_method {
            let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
            assert_eq!(
                (&body["data"]["object"]["object"], &body["type"]),
                (&"payment_method".into(), &message.name.as_str().into())
            );
            assert_eq!(body["data"]["object"]["customer"], customer.id.as_str());
        }
        assert_eq!(of_method.len(), 2);
        let ids: HashSet<_> = sent.iter().map(|message| (&message.webhook_id, message.id.as_str())).collect();
        assert_eq!(ids.len(), sent.len());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rolled_back_is_sent_to_nobody() {
    on_both(async |stage| {
        let endpoint = stage.endpoint("all", &["*"]).await;
        let failed: billing::Result<()> = transact!(stage.db, |tx| {
            customer::create(tx, &stage.who, CustomerUpdate::default()).await?;
            Err(Error::conflict("no", "No."))
        });
        assert!(failed.is_err());
        assert!(stage.log(&endpoint).await.is_empty());
        stage.customer().await;
        assert_eq!(stage.names(&endpoint).await, ["customer.created"]);
        let customer = stage.customer().await;
        assert_eq!(stage.last_event(&customer.id).await.pending_webhooks, 1);
        stage.answered(&answer(204)).await;
        assert_eq!(stage.last_event(&customer.id).await.pending_webhooks, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workers_send_each_once() {
    on_both(async |stage| {
        let mut endpoints = Vec::new();
        for name in ["a", "b", "c", "d", "e"] {
            endpoints.push(stage.endpoint(name, &["customer.updated"]).await);
        }
        let customer = stage.customer().await;
        for n in 0..20 {
            stage.happens(&customer, &format!("name {n}")).await;
        }
        let workers = (0..6).map(|_| {
            let db = stage.db.clone();
            tokio::spawn(async move {
                let mut sent = Vec::new();
                while let Some(lane) = transact!(db, |tx| lane::claim(tx).await).unwrap() {
                    let mut tx = db.read().await.unwrap();
                    let batch = lane::batch(&mut tx, &lane).await.unwrap();
                    drop(tx);
                    for message in batch.into_iter().flat_map(|batch| batch.messages) {
                        sent.push(message.id.clone());
                        let settled = [(message, answer(200))];
                        transact!(db, |tx| lane::settle(tx, &lane, &settled).await).unwrap();
                    }
                    transact!(db, |tx| lane::leave(tx, &lane).await).unwrap();
                }
                sent
            })
        });
        let mut sent = Vec::new();
        for worker in workers {
            sent.extend(worker.await.unwrap());
        }
        let each: HashSet<&String> = sent.iter().collect();
        assert_eq!((sent.len(), each.len()), (100, 100));
        for endpoint in &endpoints {
            let log = stage.log(endpoint).await;
            assert!(log.iter().all(|d| d.status == Status::Delivered && d.attempts == 1 && d.last_status == Some(200)));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_leaves_its_lane_after_a_minute_and_keeps_no_other() {
    on_both(async |stage| {
        let slow = stage.endpoint("slow", &["customer.updated"]).await;
        let quick = stage.endpoint("quick", &["customer.updated"]).await;
        let customer = stage.customer().await;
        stage.happens(&customer, "Renamed").await;
        let first = stage.enter().await.unwrap();
        let second = stage.enter().await.unwrap();
        let mut entered = [first.endpoint.as_str(), second.endpoint.as_str()];
        entered.sort_unstable();
        let mut both = [slow.id.as_str(), quick.id.as_str()];
        both.sort_unstable();
        assert_eq!(entered, both, "nobody waits behind another's receiver");
        assert_eq!(stage.enter().await, None, "one worker at a time is in a lane");
        stage.pass(61);
        assert!(stage.enter().await.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_tried_for_three_days_and_longer() {
    on_both(async |stage| {
        let endpoint = stage.endpoint("down", &["customer.created"]).await;
        stage.customer().await;
        let (mut at, mut sent) = (Vec::new(), Vec::new());
        while stage.next_attempt(&endpoint).await {
            at.push(stage.clock.wall().0);
            sent.extend(stage.answered(&silence()).await);
        }
        let usual = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, DAY];
        for (n, pause) in at.windows(2).map(|pair| pair[1] - pair[0]).enumerate() {
            let usual = usual[n.min(8)] * 1000;
            assert!((usual * 8 / 10..=usual * 12 / 10).contains(&pause), "pause {n} was {pause} ms");
        }
        assert!(at[at.len() - 1] - at[0] >= GIVE_UP * 1000, "{at:?}");
        assert!(at[at.len() - 2] - at[0] < GIVE_UP * 1000, "and no longer than that");
        assert!(sent.windows(2).all(|pair| pair[0].webhook_id == pair[1].webhook_id && pair[0].body == pair[1].body));
        let [lost] = stage.log(&endpoint).await.try_into().unwrap();
        assert_eq!((lost.status, lost.attempts), (Status::Failed, i64::try_from(at.len()).unwrap()));
        assert_eq!(lost.last_error.as_deref(), Some("there was no whole answer in time"));

        let later = stage.endpoint("later", &["product.created"]).await;
        stage.price(1000).await;
        let begun = stage.now();
        while stage.now() < begun.plus(72 * HOUR) {
            assert!(stage.next_attempt(&later).await, "there is another attempt");
            let outcome = if stage.now() < begun.plus(72 * HOUR) { answer(500) } else { answer(200) };
            stage.answered(&outcome).await;
        }
        let [kept] = stage.log(&later).await.try_into().unwrap();
        assert_eq!((kept.status, kept.last_status), (Status::Delivered, Some(200)), "down for 72 hours, and not lost");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_says_when_it_wants_to_be_asked_again() {
    on_both(async |stage| {
        let endpoint = stage.endpoint("busy", &["customer.created"]).await;
        stage.customer().await;
        for (asked, waits) in [(3 * HOUR, 3 * HOUR), (1000 * DAY, DAY)] {
            stage.answered(&Outcome { retry_after_ms: Some(asked * 1000), ..answer(503) }).await;
            let before = stage.now();
            assert!(stage.next_attempt(&endpoint).await);
            assert_eq!(stage.now(), before.plus(waits));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rotation_both_secrets_sign_for_a_day() {
    on_both(async |stage| {
        let endpoint = stage.endpoint("all", &["*"]).await;
        let old = seen!(stage, |tx| webhook::secret(tx, &stage.who, &endpoint.id));
        stage.customer().await;
        let (after, new) = done!(stage, |tx| webhook::rotate(tx, &stage.who, &endpoint.id));
        assert_eq!(after.previous_secret_expires, Some(stage.now().plus(DAY)));
        assert_eq!(after, stage.endpoint_now(&endpoint).await);
        let lane = stage.enter().await.unwrap();
        assert_eq!(stage.batch(&lane).await.unwrap().secrets, [new.clone(), old.clone()]);
        stage.pass(DAY - 1);
        assert_eq!(stage.batch(&lane).await.unwrap().secrets, [new.clone(), old]);
        stage.pass(1);
        assert_eq!(stage.batch(&lane).await.unwrap().secrets, [new.clone()]);
        let (_, newest) = done!(stage, |tx| webhook::rotate(tx, &stage.who, &endpoint.id));
        assert_eq!(stage.batch(&lane).await.unwrap().secrets, [newest, new]);
        assert_eq!(kind(&refused!(stage, |tx| webhook::rotate(tx, &stage.stranger, &endpoint.id))), "missing");
        let stored: Vec<(String,)> = stage.rows("select secret || previous_secret from webhook_endpoint").await;
        assert!(!stored[0].0.contains("whsec_"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_sent_again() {
    on_both(async |stage| {
        // What made the merchant is not part of it.
        stage.pass(HOUR);
        let begun = stage.now().0;
        let all = stage.endpoint("all", &["*"]).await;
        let some = stage.endpoint("some", &["customer.created"]).await;
        let ada = stage.customer().await;
        stage.pass(HOUR);
        stage.happens(&ada, "Renamed").await;
        let first = stage.answered(&answer(200)).await;
        let event = stage.last_event(&ada.id).await;
        assert_eq!(event.r#type, "customer.updated");

        assert_eq!(done!(stage, |tx| replay::one(tx, &stage.who, &event.id, None)), 1);
        let [again] = stage.answered(&answer(200)).await.try_into().unwrap();
        let before = first.iter().find(|message| message.id == again.id).expect("the same delivery");
        assert_eq!((&again.webhook_id, &again.body), (&before.webhook_id, &before.body));
        let error = refused!(stage, |tx| replay::one(tx, &stage.who, &event.id, Some(&some.id)));
        assert_eq!(crate::support::field(&error), "webhook_endpoint");

        let range = |from: i64, status: Option<Status>| Range { from: Seconds(from), until: stage.now(), status };
        let whole = range(begun, None);
        assert_eq!(done!(stage, |tx| replay::range(tx, &stage.who, &all.id, &whole)), 2);
        let late = range(stage.now().0, None);
        assert_eq!(done!(stage, |tx| replay::range(tx, &stage.who, &some.id, &late)), 0);
        assert_eq!(stage.answered(&answer(400)).await.len(), 2);
        let failed = range(begun, Some(Status::Failed));
        assert_eq!(done!(stage, |tx| replay::range(tx, &stage.who, &all.id, &failed)), 0, "they are still tried");
        while stage.next_attempt(&all).await {
            stage.answered(&answer(400)).await;
        }
        let failed = range(begun, Some(Status::Failed));
        assert_eq!(done!(stage, |tx| replay::range(tx, &stage.who, &all.id, &failed)), 2);
        assert_eq!(stage.answered(&answer(200)).await.len(), 2);

        let off = EndpointUpdate { disabled: Some(true), ..EndpointUpdate::default() };
        done!(stage, |tx| webhook::update(tx, &stage.who, &all.id, off.clone()));
        let error = refused!(stage, |tx| replay::range(tx, &stage.who, &all.id, &whole));
        assert_eq!(kind(&error), "webhook_endpoint_disabled");
        let error = refused!(stage, |tx| replay::one(tx, &stage.stranger, &event.id, None));
        assert_eq!(kind(&error), "missing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_the_merchants_own_and_is_kept_for_a_month() {
    on_both(async |stage| {
        let endpoint = stage.endpoint("all", &["customer.created"]).await;
        let customer = stage.customer().await;
        stage.answered(&answer(200)).await;
        stage.pass(29 * DAY);
        stage.customer().await;
        let log = stage.log(&endpoint).await;
        let by = async |filter: Filter| {
            let page = Page::first(10);
            seen!(stage, |tx| delivery::list(tx, &stage.who, &page, &filter)).data
        };
        assert_eq!(by(Filter { status: Some(Status::Pending), ..Filter::default() }).await, log[1..]);
        assert_eq!(by(Filter { event: Some(log[0].event.clone()), ..Filter::default() }).await, log[..1]);
        assert!(by(Filter { endpoint: Some("we_no".into()), ..Filter::default() }).await.is_empty());
        let id = &log[0].id;
        assert_eq!(kind(&refused!(stage, |tx| delivery::get(tx, &stage.stranger, id))), "missing");
        assert_eq!(kind(&refused!(stage, |tx| delivery::get(tx, &stage.portal(&customer), id))), "forbidden");
        assert_eq!(done!(stage, |tx| delivery::prune(tx)), 0);
        stage.pass(2 * DAY);
        assert_eq!(done!(stage, |tx| delivery::prune(tx)), 1, "what is not settled stays");
        assert_eq!(stage.log(&endpoint).await, log[1..]);
    })
    .await;
}
