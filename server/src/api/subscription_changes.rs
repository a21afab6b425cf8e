//! What stops a subscription and lets it go on, what is scheduled on it, and what waits for its payment.

use billing::invoice::Invoice;
use billing::subscription::pause::{self as stopping, Invoicing, Pause, UnusedTime};
use billing::subscription::resume::{self as going_on, Resume, Resumed};
use billing::subscription::{Anchor, ProrationBehavior, Updated, pending, scheduled};
use billing::{Result, transact, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;
use super::params::Params;
use super::subscriptions::{Begun, begun, finished};

/// Stops it now, or with `at_period_end` (ours) when the period ends, until `resumes_at` (ours) if that is given.
pub async fn pause(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let pause = read_pause(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::Subscription))?;
    change!(call, |tx| {
        let subscription = stopping::pause(tx, &call.who, &id, pause).await?;
        wire::subscription(&call.who.tenant, &subscription)
    })
}

pub(super) fn read_pause(params: &mut Params) -> Result<Pause> {
    params.fixed("type", &["subscription"])?;
    let unused = params.object("bill_for", |bill_for| {
        // There is no usage to bill for, from whenever.
        bill_for.object("outstanding_usage_through", |usage| usage.fixed("type", &["none", "now"]))?;
        bill_for.object("unused_time_from", |from| from.word("type", UnusedTime::parse))
    })?;
    let asked = Pause::default();
    Ok(Pause {
        at_period_end: params.boolean("at_period_end")?.unwrap_or(false),
        resumes_at: params.timestamp("resumes_at")?,
        unused_time_from: unused.flatten().flatten().unwrap_or(asked.unused_time_from),
        invoicing: params.word("invoicing_behavior", Invoicing::parse)?.unwrap_or(asked.invoicing),
    })
}

/// The subscription goes on and that is committed, then its invoice is charged, then the answer is given.
pub async fn resume(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let resume = read_resume(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::Subscription))?;
    let begun = match call.made() {
        Some(made) => Begun::Unpaid(made.to_owned()),
        None => transact!(call.app.db, |tx| {
            let Resumed { subscription, invoice } = going_on::resume(tx, &call.who, &id, resume).await?;
            let collect = invoice.as_ref().is_some_and(Invoice::is_to_be_charged);
            begun(tx, &call, Updated { subscription, invoice, collect }, false).await
        })?,
    };
    finished(&call, begun, false).await
}

pub(super) fn read_resume(params: &mut Params) -> Result<Resume> {
    params.fixed("payment_behavior", &["resume_on_payment_attempt"])?;
    let anchor = params.object("billing_cycle_anchor", |anchor| anchor.word("type", Anchor::parse))?;
    let asked = Resume::default();
    Ok(Resume {
        anchor: anchor.flatten().unwrap_or(asked.anchor),
        proration_behavior: params
            .word("proration_behavior", ProrationBehavior::parse)?
            .unwrap_or(asked.proration_behavior),
        proration_date: params.timestamp("proration_date")?,
    })
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let page = list::page(&mut call.params)?;
    let call = call.ready(Shape::Many(Kind::ScheduledChange))?;
    let mut tx = call.read().await?;
    let found = scheduled::list(&mut tx, &call.who, &id, &page).await?;
    let url = format!("/v1/subscriptions/{id}/scheduled_changes");
    call.show_list(&mut tx, &url, found, |change| wire::scheduled_change(&call.who.tenant, change)).await
}

/// Takes back what is scheduled. Where nothing is, nothing changes.
pub async fn undo(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Subscription))?;
    change!(call, |tx| {
        let subscription = scheduled::undo(tx, &call.who, &id).await?;
        wire::subscription(&call.who.tenant, &subscription)
    })
}

/// Drops the change that waits for its payment. Where none does, nothing changes.
pub async fn drop_pending(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Subscription))?;
    change!(call, |tx| {
        let subscription = pending::drop_update(tx, &call.who, &id).await?;
        wire::subscription(&call.who.tenant, &subscription)
    })
}
