//! When a payment failed: what it was for, why, when it is tried again, until when access lasts, and the ways to mend it.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use super::invoice::PayInvoice;
use crate::error::Result;
use crate::parts::{Fact, Facts, Form, Icon, Loaded, Page, Paying, PayingView, Price, Shown, icon, pay_failure};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    pub owed: Vec<Owed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// What it is for.
    pub what: String,
    pub amount: String,
    /// `Invoice ACME-0001`
    pub invoice: String,
    pub facts: Vec<Fact>,
    pub paying: Paying,
}

#[server]
pub async fn read_repair() -> Result<Shown> {
    let session = crate::session::Session::current()?;
    let mut tx = session.db.read().await?;
    let page = crate::present::paying::repair(&mut tx, &session).await?;
    Ok(session.show(&page))
}

pub struct RepairPage(Page);

#[lazy_route]
impl LazyRoute for RepairPage {
    fn data() -> Self {
        Self(Resource::new_blocking(|| (), |()| read_repair()))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(repair)/> }.into_any()
    }
}

fn repair(page: Repair, form: Form) -> AnyView {
    let pay = ServerAction::<PayInvoice>::new();
    let body = if page.owed.is_empty() { nothing() } else { owed(page.owed, form, pay) };
    view! {
        <Title text=t!(repair.title)/>
        <a class="back" href="/">{icon(Icon::Back)}{t!(subscription.back)}</a>
        <h1>{t!(repair.title)}</h1>
        {pay_failure(pay)}
        {body}
    }
    .into_any()
}

fn owed(owed: Vec<Owed>, form: Form, pay: ServerAction<PayInvoice>) -> AnyView {
    let each = move |(n, owed): (usize, Owed)| {
        let name = format!("owed-{n}");
        view! {
            <article class="card owed" aria-labelledby=name.clone()>
                <header><h2 id=name.clone()><bdi>{owed.what}</bdi></h2><span class="hint">{owed.invoice}</span></header>
                <Price amount=Some(owed.amount) every=None/>
                <PayingView paying=owed.paying form=form.clone() action=pay/>
                <Facts facts=owed.facts/>
            </article>
        }
        .into_any()
    };
    owed.into_iter().enumerate().map(each).collect_view().into_any()
}

fn nothing() -> AnyView {
    view! {
        <div class="card empty">
            <span class="badge large">{icon(Icon::Done)}</span>
            <h2>{t!(repair.none)}</h2>
            <p>{t!(repair.none_text)}</p>
            <div class="actions"><a class="button primary" href="/">{t!(error.home)}</a></div>
        </div>
    }
    .into_any()
}
