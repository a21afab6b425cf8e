//! One part of the billing details to fill in: contact, billing address or shipping address.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{
    Drawn, Field, Fields, Form, FormFailure, FormKeys, Icon, Loaded, Page, QueryForm, Select, Shown, icon,
};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetailsForm {
    /// `contact`, `address` or `shipping`
    pub part: String,
    pub title: String,
    /// An address's country decides what else there is to fill in: it is chosen first.
    pub country: Option<Country>,
    pub fields: Vec<Field>,
    /// Where one came from to fill it in, and goes back to.
    pub next: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Country {
    /// ISO 3166-1 alpha-2; empty where none is chosen yet.
    pub code: String,
    pub options: Drawn,
}

/// What a form holds. A field that the form has not is left alone; one that is empty is cleared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entered {
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub line_one: Option<String>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub line_two: Option<String>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
}

/// What is there but empty is said to be empty: a form's encoding takes an empty entry for none where it may be absent.
fn given<'de, D: serde::Deserializer<'de>>(entry: D) -> std::result::Result<Option<String>, D::Error> {
    String::deserialize(entry).map(Some)
}

#[server]
pub async fn read_details_form(part: String, country: Option<String>, next: Option<String>) -> Result<Shown> {
    let session = crate::session::Session::current()?;
    Ok(session.show(&crate::present::details::form(&session, &part, country, next)?))
}

#[server]
pub async fn save_details(
    session: String,
    key: String,
    part: String,
    entered: Option<Entered>,
    next: Option<String>,
) -> Result<()> {
    use billing::portal::details;
    let session = crate::session::Session::of_form(&session, key)?;
    let update = crate::present::details::entered(&part, entered.unwrap_or_default())?;
    let configuration = &session.guest.configuration;
    let saved =
        billing::transact!(session.db, |tx| details::update(tx, &session.who, configuration, update.clone()).await)?;
    let to = crate::present::details::after(next, || format!("/details?done=saved&of={}", saved.id));
    leptos_axum::redirect(&session.onward(to));
    Ok(())
}

pub struct DetailsFormPage(Page);

#[lazy_route]
impl LazyRoute for DetailsFormPage {
    fn data() -> Self {
        let (params, query) = (use_params_map(), use_query_map());
        let asked = move || {
            let part = params.with(|params| params.get("part")).unwrap_or_default();
            query.with(|query| (part, query.get("country"), query.get("next")))
        };
        Self(Resource::new_blocking(asked, |(part, country, next)| read_details_form(part, country, next)))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(details_form)/> }.into_any()
    }
}

fn details_form(page: DetailsForm, form: Form) -> AnyView {
    let save = ServerAction::<SaveDetails>::new();
    let failed = move || save.value().get().and_then(Result::err).map(|error| view! { <FormFailure error/> });
    let chosen = page.country.as_ref().map(|country| country.code.clone());
    let ready = chosen.as_ref().is_none_or(|code| !code.is_empty());
    let href = format!("/details/{}", page.part);
    let next = page.next.clone();
    let entries = ready.then(|| {
        view! {
            <ActionForm action=save>
                <FormKeys form/>
                <input type="hidden" name="part" value=page.part/>
                {page.next.map(|next| view! { <input type="hidden" name="next" value=next/> })}
                {chosen.map(|code| view! { <input type="hidden" name="entered[country]" value=code/> })}
                <div class="card"><Fields fields=page.fields/></div>
                <div class="actions">
                    <button type="submit" class="button primary" disabled=move || save.pending().get()>{t!(form.save)}</button>
                    <a class="button" href="/details">{t!(form.leave)}</a>
                </div>
            </ActionForm>
        }
    });
    view! {
        <Title text=page.title.clone()/>
        <a class="back" href="/details">{icon(Icon::Back)}{t!(details.back)}</a>
        <h1>{page.title}</h1>
        {failed}
        {page.country.map(|country| choose_country(country, href, next))}
        {entries}
    }
    .into_any()
}

fn choose_country(country: Country, href: String, next: Option<String>) -> AnyView {
    let label = if country.code.is_empty() { t!(form.choose_country) } else { t!(form.change_country) };
    view! {
        <QueryForm action=href role="form" label=t!(form.country)>
            {next.map(|next| view! { <input type="hidden" name="next" value=next/> })}
            <Select name="country" label=t!(form.country) options=country.options/>
            <div class="actions"><button type="submit" class="button">{label}</button></div>
        </QueryForm>
    }
    .into_any()
}
