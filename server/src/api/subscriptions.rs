//! Subscriptions: create (and collect the first invoice), retrieve, update, cancel, list.

use billing::subscription::cancel as ending;
use billing::subscription::create::PaymentBehavior;
use billing::subscription::withdraw::withdraw;
use billing::subscription::{self, NewSubscription, Status, StatusFilter, SubscriptionFilter, Updated};
use billing::{Currency, Error, Result, Tx, invoice, payment, transact, wire};

use super::answer::Reply;
use super::call::{Call, Ready};
use super::expand::{Kind, Shape};
use super::list;
use super::params::missing;
use super::subscription_terms::{read_end, read_item_change, read_new, read_update};

/// The subscription is made and committed, then its first invoice is charged, then the answer is given. The request's
/// key knows the invoice from the start: sent again after a crash, the request goes on instead of beginning anew.
pub async fn create(mut call: Call) -> Result<Reply> {
    let new = read_new(&mut call.params)?;
    let only_if_paid = new.payment_behavior == PaymentBehavior::ErrorIfIncomplete;
    let currency = call.params.word("currency", Currency::parse)?;
    let call = call.ready(Shape::One(Kind::Subscription))?;
    let begun = match call.made() {
        Some(made) => Begun::Unpaid(made.to_owned()),
        None => begin(&call, new, currency).await?,
    };
    finished(&call, begun, only_if_paid).await
}

pub(super) enum Begun {
    Answered(Reply),
    /// An invoice that is to be charged now.
    Unpaid(String),
}

async fn begin(call: &Ready, new: NewSubscription, currency: Option<Currency>) -> Result<Begun> {
    transact!(call.app.db, |tx| {
        let created = subscription::create::create(tx, &call.who, new.clone()).await?;
        check_currency(currency.as_ref(), &created.subscription.currency)?;
        let (subscription, collect) = (created.subscription, created.collect);
        begun(tx, call, Updated { subscription, invoice: Some(created.invoice), collect }, false).await
    })
}

fn check_currency(wanted: Option<&Currency>, actual: &Currency) -> Result<()> {
    match wanted {
        Some(wanted) if wanted != actual => {
            let message = format!("The currency of the subscription's prices is {actual}, not {wanted}.");
            Err(Error::invalid("currency", message))
        }
        _ => Ok(()),
    }
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Subscription))?;
    let mut tx = call.read().await?;
    let subscription = subscription::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::subscription(&call.who.tenant, &subscription)).await
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let customer = call.params.text("customer")?;
    list_for(call, customer, "/v1/subscriptions").await
}

pub async fn list_of_customer(mut call: Call) -> Result<Reply> {
    let customer = std::mem::take(&mut call.id);
    let url = format!("/v1/customers/{customer}/subscriptions");
    list_for(call, Some(customer), &url).await
}

async fn list_for(mut call: Call, customer: Option<String>, url: &str) -> Result<Reply> {
    let params = &mut call.params;
    let page = list::page(params)?;
    let status = params.word("status", parse_status)?.unwrap_or_default();
    let (price, test_clock) = (params.text("price")?, params.text("test_clock")?);
    let filter = SubscriptionFilter { customer, status, price, test_clock };
    params.unsupported(&[
        "automatic_tax",
        "collection_method",
        "current_period_end",
        "current_period_start",
        "customer_account",
        "plan",
    ])?;
    let call = call.ready(Shape::Many(Kind::Subscription))?;
    let mut tx = call.read().await?;
    if let Some(customer) = &filter.customer {
        billing::customer::get_or_deleted(&mut tx, &call.who, customer).await.map_err(|e| e.on("customer"))?;
    }
    let found = subscription::list(&mut tx, &call.who, &page, &filter).await?;
    call.show_list(&mut tx, url, found, |s| wire::subscription(&call.who.tenant, s)).await
}

fn parse_status(text: &str, param: &str) -> Result<StatusFilter> {
    match text {
        "all" => Ok(StatusFilter::All),
        "ended" => Ok(StatusFilter::Ended),
        _ => Status::parse(text, param).map(StatusFilter::Is).map_err(|_| {
            Error::invalid(param, format!("Invalid {param}: must be one of {}, all, ended", Status::ALL.join(", ")))
        }),
    }
}

/// The change is made and committed with its invoice, then that is charged, then the answer is given, as at creation.
pub async fn update(mut call: Call) -> Result<Reply> {
    if call.params.boolean("schedule_at_period_end")? == Some(true) {
        return schedule(call).await;
    }
    let id = call.id.clone();
    let update = read_update(&mut call.params)?;
    let only_if_paid = update.payment_behavior == Some(PaymentBehavior::ErrorIfIncomplete);
    let call = call.ready(Shape::One(Kind::Subscription))?;
    let begun = match call.made() {
        Some(made) => Begun::Unpaid(made.to_owned()),
        None => transact!(call.app.db, |tx| {
            let updated = subscription::update::update(tx, &call.who, &id, update.clone()).await?;
            begun(tx, &call, updated, only_if_paid).await
        })?,
    };
    finished(&call, begun, only_if_paid).await
}

pub async fn cancel(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let cancellation = read_end(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::Subscription))?;
    let begun = match call.made() {
        Some(made) => Begun::Unpaid(made.to_owned()),
        None => transact!(call.app.db, |tx| {
            let ended = ending::at_once(tx, &call.who, &id, cancellation.clone()).await?;
            begun(tx, &call, ended, false).await
        })?,
    };
    finished(&call, begun, false).await
}

/// Ours: the items change when the period ends, without proration. What else an update may say is said in another.
async fn schedule(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let items = call.params.objects("items", read_item_change)?.unwrap_or_default();
    call.params.fixed("proration_behavior", &["none"])?;
    let call = call.ready(Shape::One(Kind::Subscription))?;
    if items.is_empty() {
        return Err(missing("items"));
    }
    change!(call, |tx| {
        let subscription = subscription::scheduled::schedule(tx, &call.who, &id, &items).await?;
        wire::subscription(&call.who.tenant, &subscription)
    })
}

/// Where nothing is to be charged, the change is the answer. What is only made if it is paid for, and cannot be paid,
/// goes on to be taken back.
pub(super) async fn begun(tx: &mut Tx, call: &Ready, updated: Updated, only_if_paid: bool) -> Result<Begun> {
    match updated.invoice {
        Some(invoice) if updated.collect || only_if_paid => {
            call.note(tx, &invoice.id).await?;
            Ok(Begun::Unpaid(invoice.id))
        }
        _ => {
            let value = wire::subscription(&call.who.tenant, &updated.subscription);
            Ok(Begun::Answered(call.keep(tx, value).await?))
        }
    }
}

/// Charges what was made, and answers with the subscription as that leaves it; or with the decline, where it was to be
/// only if it is paid for.
pub(super) async fn finished(call: &Ready, begun: Begun, only_if_paid: bool) -> Result<Reply> {
    let invoice = match begun {
        Begun::Answered(reply) => return Ok(reply),
        Begun::Unpaid(invoice) => invoice,
    };
    let id = charge(call, &invoice, only_if_paid).await?;
    change!(call, |tx| {
        // Only the key changes here; the subscription was changed when its invoice was made and when that was paid.
        tx.unaudited();
        wire::subscription(&call.who.tenant, &subscription::get(tx, &call.who, &id).await?)
    })
}

/// Charges an invoice, unless that has been done, and answers whose it is: its subscription's. A decline leaves that
/// `incomplete` or `past_due`, which is an error only where it was to be only if it is paid for; so does a charge whose
/// fate is not known yet.
pub(super) async fn charge(call: &Ready, made: &str, only_if_paid: bool) -> Result<String> {
    payment::collect_first(&call.app.db, call.app.gateway.clone(), &call.who, made).await?;
    if only_if_paid && let Some(declined) = transact!(call.app.db, |tx| withdraw(tx, &call.who, made).await)? {
        return Err(declined);
    }
    let found = invoice::get(&mut call.read().await?, &call.who, made).await?;
    found.subscription.ok_or_else(|| Error::internal("a change of a subscription made an invoice of none"))
}
