//! The last look before something changes: what it costs, when it counts, and one button that does exactly that.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use leptos_router::params::ParamsMap;
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{
    Closed, ClosedView, Form, FormFailure, FormKeys, Icon, Loaded, Page, QueryForm, Quoted, QuotedView, Shown, aside,
    icon,
};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub id: String,
    /// `From Basic to Pro × 3`
    pub what: String,
    /// Where leaving it undone leads.
    pub keep: String,
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
    /// `Pay €5.00 and change`
    pub confirm: String,
    /// `None` where no promotion code may be given.
    pub code: Option<Code>,
}

/// What is wished for, as the address says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    pub item: String,
    pub price: String,
    pub quantity: String,
    pub code: Option<String>,
}

impl Wish {
    pub fn of(query: &ParamsMap) -> Self {
        let said = |name: &str| query.get(name).unwrap_or_default();
        let code = query.get("code").filter(|code| !code.trim().is_empty());
        Self { item: said("item"), price: said("price"), quantity: said("quantity"), code }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    pub value: String,
    /// What is wrong with the one that was given.
    pub problem: Option<String>,
}

/// `stale` is said by a confirmation that came too late.
#[server]
pub async fn read_review(id: String, wish: Wish, stale: bool) -> Result<Shown> {
    use crate::present::review as present;
    let session = crate::session::Session::current()?;
    session.needs(|features| features.subscription_update.enabled)?;
    let page = present::read(&session, &id, wish, stale).await?;
    Ok(session.show(&page))
}

#[server]
pub async fn confirm_change(session: String, key: String, id: String, wish: Wish, quote: String) -> Result<()> {
    use crate::present::review as present;
    let session = crate::session::Session::of_form(&session, key)?;
    let next = present::confirm(&session, &id, wish, &quote).await?;
    leptos_axum::redirect(&next);
    Ok(())
}

pub struct ReviewPage(Page);

#[lazy_route]
impl LazyRoute for ReviewPage {
    fn data() -> Self {
        let (params, query) = (use_params_map(), use_query_map());
        let asked = move || {
            let id = params.with(|params| params.get("id")).unwrap_or_default();
            query.with(|query| (id, Wish::of(query), query.get("stale").is_some()))
        };
        Self(Resource::new_blocking(asked, |(id, wish, stale)| read_review(id, wish, stale)))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(review)/> }.into_any()
    }
}

fn review(page: Review, form: Form) -> AnyView {
    let change = format!("/subscriptions/{}/change", page.id);
    let body = match page.way {
        Way::Closed(closed) => view! { <ClosedView closed back=page.keep/> }.into_any(),
        Way::Open(asked) => asked_for(*asked, page.id, page.keep, &change, form),
    };
    view! {
        <Title text=t!(review.title)/>
        <a class="back" href=change>{icon(Icon::Back)}{t!(review.back)}</a>
        <header class="title">
            <h1>{t!(review.title)}</h1>
            <p class="subtitle">{page.what}</p>
        </header>
        {body}
    }
    .into_any()
}

fn asked_for(asked: Asked, id: String, keep: String, change: &str, form: Form) -> AnyView {
    let confirm = ServerAction::<ConfirmChange>::new();
    let failed = move || confirm.value().get().and_then(Result::err).map(|error| view! { <FormFailure error/> });
    let token = asked.quoted.token.clone();
    let wish = asked.wish.clone();
    view! {
        {failed}
        <QuotedView quoted=asked.quoted/>
        {asked.code.map(|code| promotion(code, asked.wish, format!("{change}/review")))}
        <ActionForm action=confirm>
            <FormKeys form/>
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="wish[item]" value=wish.item/>
            <input type="hidden" name="wish[price]" value=wish.price/>
            <input type="hidden" name="wish[quantity]" value=wish.quantity/>
            {wish.code.map(|code| view! { <input type="hidden" name="wish[code]" value=code/> })}
            <input type="hidden" name="quote" value=token/>
            <div class="actions">
                <button type="submit" class="button primary" disabled=move || confirm.pending().get()>{asked.confirm}</button>
                {aside(keep, t!(review.keep))}
            </div>
            <p class="hint">{t!(review.exactly)}</p>
        </ActionForm>
    }
    .into_any()
}

pub fn promotion(code: Code, wish: Wish, action: String) -> AnyView {
    let problem = code.problem.clone().map(|problem| {
        view! { <p class="problem" id="code-problem">{icon(Icon::Warning)}{problem}</p> }
    });
    view! {
        <QueryForm action>
            <input type="hidden" name="item" value=wish.item/>
            <input type="hidden" name="price" value=wish.price/>
            <input type="hidden" name="quantity" value=wish.quantity/>
            <div class="entry">
                <label class="field" for="field-code">{t!(review.code)}</label>
                <input
                    id="field-code" name="code" value=code.value.clone() prop:value=code.value maxlength="100" dir="auto"
                    autocomplete="off" autocapitalize="characters" spellcheck="false"
                    aria-invalid=code.problem.is_some().then_some("true")
                    aria-describedby=code.problem.is_some().then_some("code-problem")
                />
            </div>
            <button type="submit" class="button">{t!(review.apply)}</button>
            {problem}
        </QueryForm>
    }
    .into_any()
}
