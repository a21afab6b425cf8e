//! Test clocks: create, retrieve, list, advance, delete.

use billing::{Result, test_clock, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;
use super::params::missing;

pub async fn create(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let frozen_time = params.timestamp("frozen_time")?.ok_or_else(|| missing("frozen_time"))?;
    let name = params.text("name")?;
    let call = call.ready(Shape::One(Kind::TestClock))?;
    change!(call, |tx| wire::test_clock(
        &call.who.tenant,
        &test_clock::create(tx, &call.who, frozen_time, name.clone()).await?
    ))
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::TestClock))?;
    let mut tx = call.read().await?;
    let clock = test_clock::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::test_clock(&call.who.tenant, &clock)).await
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let page = list::undated_page(&mut call.params)?;
    let call = call.ready(Shape::Many(Kind::TestClock))?;
    let mut tx = call.read().await?;
    let found = test_clock::list(&mut tx, &call.who, &page).await?;
    let url = "/v1/test_helpers/test_clocks";
    call.show_list(&mut tx, url, found, |clock| wire::test_clock(&call.who.tenant, clock)).await
}

/// Begins to; a worker goes on, and the clock says when it is ready.
pub async fn advance(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let to = call.params.timestamp("frozen_time")?.ok_or_else(|| missing("frozen_time"))?;
    let call = call.ready(Shape::One(Kind::TestClock))?;
    change!(call, |tx| wire::test_clock(&call.who.tenant, &test_clock::advance(tx, &call.who, &id, to).await?))
}

pub async fn delete(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::TestClock))?;
    change!(call, |tx| {
        test_clock::delete(tx, &call.who, &id).await?;
        wire::deleted("test_helpers.test_clock", &id)
    })
}
