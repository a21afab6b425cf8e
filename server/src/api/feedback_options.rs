//! Feedback options of canceling: create, retrieve, update, deactivate, list.

use billing::portal::feedback::{self, FeedbackOption};
use billing::{Error, Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;

pub async fn create(mut call: Call) -> Result<Reply> {
    let description = call.params.required_text("description")?;
    let call = call.ready(Shape::One(Kind::FeedbackOption))?;
    change!(call, |tx| {
        wire::feedback_option(&call.who.tenant, &feedback::create(tx, &call.who, &description).await?)
    })
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::FeedbackOption))?;
    let mut tx = call.read().await?;
    let option = feedback::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::feedback_option(&call.who.tenant, &option)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let description = call.params.text("description")?;
    let call = call.ready(Shape::One(Kind::FeedbackOption))?;
    change!(call, |tx| {
        let option = feedback::update(tx, &call.who, &id, description.as_deref()).await?;
        wire::feedback_option(&call.who.tenant, &option)
    })
}

pub async fn deactivate(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::FeedbackOption))?;
    change!(call, |tx| wire::feedback_option(&call.who.tenant, &feedback::deactivate(tx, &call.who, &id).await?))
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let page = list::undated_page(&mut call.params)?;
    let active = call.params.word("status", parse_status)?;
    let call = call.ready(Shape::Many(Kind::FeedbackOption))?;
    let mut tx = call.read().await?;
    let found = feedback::list(&mut tx, &call.who, &page, active).await?;
    let render = |option: &FeedbackOption| wire::feedback_option(&call.who.tenant, option);
    call.show_list(&mut tx, "/v1/billing/feedback_options", found, render).await
}

fn parse_status(text: &str, param: &str) -> Result<bool> {
    match text {
        "active" => Ok(true),
        "inactive" => Ok(false),
        _ => Err(Error::invalid(param, format!("Invalid {param}: must be one of active, inactive"))),
    }
}
