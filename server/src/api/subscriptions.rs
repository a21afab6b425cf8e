//! Subscriptions: create (and collect the first invoice), retrieve, update, cancel, list.

use billing::subscription::cancel as ending;
use billing::subscription::create::PaymentBehavior;
use billing::subscription::{self, NewSubscription, Status, StatusFilter, SubscriptionFilter, Updated};
use billing::{Currency, Error, Result, Tx, payment, transact, wire};

use super::answer::Reply;
use super::call::{Call, Ready};
use super::expand::{Kind, Shape};
use super::list;
use super::params::missing;
use super::subscription_terms::{read_end, read_item_change, read_new, read_update};

/// The subscription is made and committed, then its first invoice is charged, then the answer is given. The request's
/// key knows the subscription from the start: sent again after a crash, the request goes on instead of beginning anew.
pub async fn create(mut call: Call) -> Result<Reply> {
    let new = read_new(&mut call.params)?;
    let only_if_paid = new.payment_behavior == PaymentBehavior::ErrorIfIncomplete;
    let currency = call.params.word("currency", Currency::parse)?;
    let call = call.ready(Shape::One(Kind::Subscription))?;
    let id = match call.made() {
        Some(made) => made.to_owned(),
        None => match begin(&call, new, currency).await? {
            Begun::Answered(reply) => return Ok(reply),
            Begun::Unpaid(id) => id,
        },
    };
    charge(&call, &id).await?;
    if only_if_paid
        && let Some(declined) = transact!(call.app.db, |tx| subscription::create::withdraw(tx, &call.who, &id).await)?
    {
        return Err(declined);
    }
    answer(&call, &id).await
}

pub(super) enum Begun {
    Answered(Reply),
    /// To be charged now.
    Unpaid(String),
}

async fn begin(call: &Ready, new: NewSubscription, currency: Option<Currency>) -> Result<Begun> {
    transact!(call.app.db, |tx| {
        let created = subscription::create::create(tx, &call.who, new.clone()).await?;
        let subscription = created.subscription;
        check_currency(currency.as_ref(), &subscription.currency)?;
        if created.collect {
            call.note(tx, &subscription.id).await?;
            return Ok(Begun::Unpaid(subscription.id));
        }
        let reply = call.keep(tx, wire::subscription(&call.who.tenant, &subscription)).await?;
        Ok(Begun::Answered(reply))
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

/// Charges the latest invoice, unless that has been done. A decline leaves the subscription `incomplete` or `past_due`,
/// which is no error here; so does a charge whose fate is not known yet.
pub(super) async fn charge(call: &Ready, id: &str) -> Result<()> {
    let mut tx = call.read().await?;
    let subscription = subscription::get(&mut tx, &call.who, id).await?;
    drop(tx);
    match subscription.latest_invoice {
        Some(first) => payment::collect_first(&call.app.db, call.app.gateway.clone(), &call.who, &first).await,
        None => Ok(()),
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
    let call = call.ready(Shape::One(Kind::Subscription))?;
    if call.made().is_none() {
        let begun = transact!(call.app.db, |tx| {
            let updated = subscription::update::update(tx, &call.who, &id, update.clone()).await?;
            begun(tx, &call, updated).await
        })?;
        if let Begun::Answered(reply) = begun {
            return Ok(reply);
        }
    }
    collected(&call, &id).await
}

pub async fn cancel(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let cancellation = read_end(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::Subscription))?;
    if call.made().is_none() {
        let begun = transact!(call.app.db, |tx| {
            let ended = ending::at_once(tx, &call.who, &id, cancellation.clone()).await?;
            begun(tx, &call, ended).await
        })?;
        if let Begun::Answered(reply) = begun {
            return Ok(reply);
        }
    }
    collected(&call, &id).await
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

/// Where nothing is to be charged, the change is the answer.
async fn begun(tx: &mut Tx, call: &Ready, updated: Updated) -> Result<Begun> {
    let subscription = updated.subscription;
    if updated.collect {
        call.note(tx, &subscription.id).await?;
        return Ok(Begun::Unpaid(subscription.id));
    }
    Ok(Begun::Answered(call.keep(tx, wire::subscription(&call.who.tenant, &subscription)).await?))
}

/// Charges what was made, and answers with the subscription as that leaves it.
pub(super) async fn collected(call: &Ready, id: &str) -> Result<Reply> {
    charge(call, id).await?;
    answer(call, id).await
}

pub(super) async fn answer(call: &Ready, id: &str) -> Result<Reply> {
    change!(call, |tx| {
        // Only the key changes here; the subscription was changed when its invoice was made and when that was paid.
        tx.unaudited();
        wire::subscription(&call.who.tenant, &subscription::get(tx, &call.who, id).await?)
    })
}
