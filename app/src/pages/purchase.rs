//! The last look before something is bought: what it costs, who is billed, what pays, and one button that does exactly
//! that.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use super::review::{Code, Wish, promotion};
use crate::error::Result;
use crate::parts::{
    Closed, ClosedView, Fact, Facts, Form, FormFailure, FormKeys, Icon, Loaded, Page, Quoted, QuotedView, Shown, icon,
};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// `Pro × 3`
    pub what: String,
    pub way: Way,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    Open(Box<Asked>),
    Closed(Closed),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub wish: Wish,
    pub quoted: Quoted,
    /// `Pay €5.00 and subscribe`
    pub confirm: String,
    pub code: Option<Code>,
    /// Country and tax IDs: both change what is due.
    pub billed: Vec<Fact>,
    /// Where they are changed, if they may be.
    pub edit: Option<String>,
    pub methods: Vec<Choice>,
    /// Where one is added, if one may be.
    pub add: Option<String>,
    /// What stands where there is nothing to pay with.
    pub none: Option<String>,
    /// Whether the last try was refused.
    pub is_declined: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

/// `said` is what the address says of the last try: `stale` or `declined`.
#[server]
pub async fn read_purchase(wish: Wish, said: Option<String>) -> Result<Shown> {
    let session = crate::session::Session::current()?;
    session.needs(|features| features.subscription_create.enabled)?;
    let page = crate::present::purchase::read(&session, wish, said.as_deref().unwrap_or_default()).await?;
    Ok(session.show(&page))
}

#[server]
pub async fn buy(session: String, key: String, wish: Wish, method: Option<String>, quote: String) -> Result<()> {
    let session = crate::session::Session::of_form(&session, key)?;
    let next = crate::present::purchase::confirm(&session, wish, method, &quote).await?;
    leptos_axum::redirect(&next);
    Ok(())
}

pub struct PurchasePage(Page);

#[lazy_route]
impl LazyRoute for PurchasePage {
    fn data() -> Self {
        let query = use_query_map();
        let asked = move || query.with(|query| (Wish::of(query), query.get("said")));
        Self(Resource::new_blocking(asked, |(wish, said)| read_purchase(wish, said)))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(page)/> }.into_any()
    }
}

fn page(page: Purchase, form: Form) -> AnyView {
    let body = match page.way {
        Way::Closed(closed) => view! { <ClosedView closed back="/".to_owned()/> }.into_any(),
        Way::Open(asked) => asked_for(*asked, form),
    };
    view! {
        <Title text=t!(purchase.title)/>
        <a class="back" href="/subscribe">{icon(Icon::Back)}{t!(review.back)}</a>
        <header class="title">
            <h1>{t!(purchase.title)}</h1>
            <p class="subtitle"><bdi>{page.what}</bdi></p>
        </header>
        {body}
    }
    .into_any()
}

fn asked_for(asked: Asked, form: Form) -> AnyView {
    let confirm = ServerAction::<Buy>::new();
    let failed = move || confirm.value().get().and_then(Result::err).map(|error| view! { <FormFailure error/> });
    let token = asked.quoted.token.clone();
    let wish = asked.wish.clone();
    let declined = asked.is_declined.then(|| {
        view! {
            <div class="alert bad" role="alert">
                {icon(Icon::Warning)}
                <div class="alert-text">
                    <p class="alert-title">{t!(purchase.declined_title)}</p>
                    <p>{t!(purchase.declined)}</p>
                </div>
            </div>
        }
    });
    let may_go_on = asked.none.is_none();
    view! {
        {failed}
        {declined}
        <QuotedView quoted=asked.quoted/>
        {asked.code.map(|code| promotion(code, asked.wish, "/subscribe/review".to_owned()))}
        {billed(asked.billed, asked.edit)}
        <ActionForm action=confirm>
            <FormKeys form/>
            <input type="hidden" name="wish[item]" value=""/>
            <input type="hidden" name="wish[price]" value=wish.price/>
            <input type="hidden" name="wish[quantity]" value=wish.quantity/>
            {wish.code.map(|code| view! { <input type="hidden" name="wish[code]" value=code/> })}
            <input type="hidden" name="quote" value=token/>
            {methods(asked.methods, asked.add, asked.none)}
            {may_go_on.then(|| view! {
                <div class="actions">
                    <button type="submit" class="button primary" disabled=move || confirm.pending().get()>{asked.confirm}</button>
                    <a class="button" href="/">{t!(purchase.leave)}</a>
                </div>
                <p class="hint">{t!(review.exactly)}</p>
            })}
        </ActionForm>
    }
    .into_any()
}

fn billed(facts: Vec<Fact>, edit: Option<String>) -> AnyView {
    let edit = edit.map(|href| view! { <a class="onward" href=href aria-describedby="billed">{t!(details.edit)}</a> });
    view! {
        <section aria-labelledby="billed">
            <div class="heading"><h2 id="billed">{t!(purchase.billed)}</h2>{edit}</div>
            <div class="card calm"><Facts facts/></div>
        </section>
    }
    .into_any()
}

fn methods(methods: Vec<Choice>, add: Option<String>, none: Option<String>) -> AnyView {
    let each = |method: Choice| {
        view! {
            <label class="choice">
                <input type="radio" name="method" value=method.value checked=method.chosen required/>
                <span>{method.label}</span>
            </label>
        }
        .into_any()
    };
    view! {
        <fieldset class="card question">
            <legend>{t!(purchase.method)}</legend>
            {none.map(|text| view! { <p class="muted">{text}</p> })}
            <div class="choices">{methods.into_iter().map(each).collect_view()}</div>
            {add.map(|href| view! { <a class="button" href=href>{t!(adding.title)}</a> })}
        </fieldset>
    }
    .into_any()
}
