//! Billing details: how the customer is named, reached and billed, and the way to change it.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Problem, Result};
use crate::parts::{
    Drawn, Form, FormFailure, FormKeys, Icon, Loaded, Notice, Page, Pill, PillView, REFUSAL, Select, Shown, icon,
};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    pub blocks: Vec<Block>,
    /// `None` where there are none and none may be added.
    pub tax_ids: Option<TaxIds>,
    pub note: String,
    /// What has just been done, where the books agree that it was.
    pub done: Option<String>,
    /// Where one came from to fill them in, and goes back to.
    pub next: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub part: String,
    pub title: String,
    pub lines: Vec<String>,
    /// Where there is nothing yet.
    pub none: Option<String>,
    /// Where it can be changed, if it may be.
    pub edit: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxIds {
    pub title: String,
    pub held: Vec<HeldTaxId>,
    /// Where there is none yet.
    pub none: Option<String>,
    /// The types there are, where one may be added.
    pub types: Option<Drawn>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldTaxId {
    pub id: String,
    pub value: String,
    /// `EU VAT`
    pub kind: String,
    /// What the type's register says, where one was asked.
    pub pill: Option<Pill>,
    pub may_remove: bool,
}

/// `done` and `of` are what the page is said to come from; they are believed only where the books agree.
#[server]
pub async fn read_details(done: Option<String>, of: Option<String>, next: Option<String>) -> Result<Shown> {
    use crate::present::details as present;
    let session = crate::session::Session::current()?;
    let mut tx = session.db.read().await?;
    let page = present::read(&mut tx, &session, done.zip(of), next).await?;
    Ok(session.show(&page))
}

#[server]
pub async fn add_tax_id(session: String, key: String, kind: String, value: String, next: Option<String>) -> Result<()> {
    use billing::customer::tax_id::NewTaxId;
    use billing::portal::details;
    let session = crate::session::Session::of_form(&session, key)?;
    let configuration = &session.guest.configuration;
    let new = || NewTaxId { r#type: kind.clone(), value: value.clone() };
    let added = billing::transact!(session.db, |tx| details::add_tax_id(tx, &session.who, configuration, new()).await)?;
    let to = crate::present::details::after(next, || format!("/details?done=added&of={}", added.id));
    leptos_axum::redirect(&session.onward(to));
    Ok(())
}

#[server]
pub async fn remove_tax_id(session: String, key: String, id: String) -> Result<()> {
    use billing::portal::details;
    let session = crate::session::Session::of_form(&session, key)?;
    let configuration = &session.guest.configuration;
    billing::transact!(session.db, |tx| details::remove_tax_id(tx, &session.who, configuration, &id).await)?;
    leptos_axum::redirect(&session.onward(format!("/details?done=removed&of={id}")));
    Ok(())
}

pub struct DetailsPage(Page);

#[lazy_route]
impl LazyRoute for DetailsPage {
    fn data() -> Self {
        let query = use_query_map();
        let asked = move || query.with(|query| (query.get("done"), query.get("of"), query.get("next")));
        Self(Resource::new_blocking(asked, |(done, of, next)| read_details(done, of, next)))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(details)/> }.into_any()
    }
}

fn details(page: Details, form: Form) -> AnyView {
    let back = page.next.clone().map(|href| {
        view! { <a class="back" href=href>{icon(Icon::Back)}{t!(purchase.back)}</a> }
    });
    view! {
        <Title text=t!(details.title)/>
        {back}
        {page.done.map(|text| view! { <Notice text href="/details".to_owned()/> })}
        <h1>{t!(details.title)}</h1>
        <p class="muted">{page.note}</p>
        {page.blocks.into_iter().map(block).collect_view()}
        {page.tax_ids.map(|held| tax_ids(held, form, page.next.clone()))}
        {page.next.is_none().then(export)}
    }
    .into_any()
}

/// All that is kept, as a file.
fn export() -> AnyView {
    view! {
        <section aria-labelledby="export">
            <div class="heading"><h2 id="export">{t!(export.title)}</h2></div>
            <p class="muted">{t!(export.text)}</p>
            <div class="actions">
                <a class="button" href="/export/data.json" rel="external" download="">{icon(Icon::Download)}{t!(export.all)}</a>
            </div>
        </section>
    }
    .into_any()
}

fn block(block: Block) -> AnyView {
    let id = format!("block-{}", block.part);
    let edit =
        block.edit.map(|href| view! { <a class="onward" href=href aria-describedby=id.clone()>{t!(details.edit)}</a> });
    let lines =
        block.lines.into_iter().map(|line| view! { <span class="line"><bdi>{line}</bdi></span> }).collect_view();
    view! {
        <section aria-labelledby=id.clone()>
            <div class="heading"><h2 id=id.clone()>{block.title}</h2>{edit}</div>
            <div class="card party"><p>{lines}</p>{block.none.map(|none| view! { <p class="muted">{none}</p> })}</div>
        </section>
    }
    .into_any()
}

fn tax_ids(page: TaxIds, form: Form, next: Option<String>) -> AnyView {
    let (add, remove) = (ServerAction::<AddTaxId>::new(), ServerAction::<RemoveTaxId>::new());
    let failed = move || {
        let error = add.value().get().and_then(Result::err).or_else(|| remove.value().get().and_then(Result::err));
        error.map(|error| view! { <FormFailure error/> })
    };
    let keys = form.clone();
    let each = move |held: HeldTaxId| tax_id(held, keys.clone(), remove);
    let list = if page.held.is_empty() {
        view! { <p class="card muted">{page.none}</p> }.into_any()
    } else {
        view! { <ul class="card flush lines">{page.held.into_iter().map(each).collect_view()}</ul> }.into_any()
    };
    view! {
        <section aria-labelledby="tax-ids">
            <div class="heading"><h2 id="tax-ids">{page.title}</h2></div>
            {failed}
            {list}
            {page.types.map(|types| new_tax_id(types, form, next, add))}
        </section>
    }
    .into_any()
}

fn tax_id(held: HeldTaxId, form: Form, remove: ServerAction<RemoveTaxId>) -> AnyView {
    let name = format!("tax-id-{}", held.id);
    let take = held.may_remove.then(|| {
        let (id, name) = (held.id, name.clone());
        view! {
            <ActionForm action=remove>
                <FormKeys form/>
                <input type="hidden" name="id" value=id/>
                <button type="submit" class="button small" aria-describedby=name disabled=move || remove.pending().get()>
                    {t!(methods.remove)}
                </button>
            </ActionForm>
        }
    });
    view! {
        <li>
            <span class="row-text"><strong id=name><bdi>{held.value}</bdi></strong><span class="hint">{held.kind}</span></span>
            {held.pill.map(|pill| view! { <PillView pill/> })}
            {take}
        </li>
    }
    .into_any()
}

fn new_tax_id(types: Drawn, form: Form, next: Option<String>, add: ServerAction<AddTaxId>) -> AnyView {
    let value = add.value();
    let wrong = move || matches!(value.get(), Some(Err(Error::Invalid(Problem::TaxId))));
    // Sent without JavaScript it comes back refused: the entry that was wrong is not folded away.
    let is_open = matches!(value.get_untracked(), Some(Err(_)));
    view! {
        <details class="removal adding" open=is_open>
            <summary class="button">{t!(details.add_tax_id)}</summary>
            <ActionForm action=add>
                <FormKeys form/>
                {next.map(|next| view! { <input type="hidden" name="next" value=next/> })}
                <div class="entries">
                    <Select name="kind" label=t!(details.tax_type) options=types/>
                    <div class="entry">
                        <label class="field" for="field-value">{t!(details.tax_value)}</label>
                        <input
                            id="field-value" type="text" name="value" required=true maxlength="100" autocomplete="off" dir="ltr"
                            aria-invalid=move || wrong().then_some("true") aria-describedby=move || wrong().then_some(REFUSAL)
                        />
                    </div>
                    <div class="actions">
                        <button type="submit" class="button primary" disabled=move || add.pending().get()>{t!(form.save)}</button>
                    </div>
                </div>
            </ActionForm>
        </details>
    }
    .into_any()
}
