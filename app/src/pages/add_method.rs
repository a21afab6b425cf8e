//! Adding a payment method: its kind is chosen here, its number is typed in the hosted fields, and what comes back is
//! stored.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{FieldsFrame, Form, FormFailure, FormKeys, Icon, Loaded, Method, MethodView, Page, Shown, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adding {
    /// The kinds there are, where there is more than one.
    pub kinds: Vec<Kind>,
    /// Why the last one was not stored.
    pub refused: Option<String>,
    /// Where one came from, and goes back to.
    pub back: String,
    pub next: Option<String>,
    pub step: Step,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind {
    pub label: String,
    pub href: String,
    pub is_chosen: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// The page on the fields' origin, and that origin.
    Type { src: String, origin: String, kind: String, title: String },
    /// It was typed, and is to be stored.
    Store { method: Method, reference: String },
    /// Numbers cannot be typed now.
    Closed(String),
}

/// `refused` is the setup intent that came to nothing; it is believed as far as the books bear it out.
#[server]
pub async fn read_adding(
    kind: Option<String>,
    next: Option<String>,
    reference: Option<String>,
    refused: Option<String>,
) -> Result<Shown> {
    let session = crate::session::Session::current()?;
    let page = crate::present::adding::read(&session, kind, next, reference, refused).await?;
    Ok(session.show(&page))
}

#[server]
pub async fn add_method(session: String, key: String, reference: String, next: Option<String>) -> Result<()> {
    let session = crate::session::Session::of_form(&session, key)?;
    let to = crate::present::adding::store(&session, &reference, next).await?;
    leptos_axum::redirect(&to);
    Ok(())
}

pub struct AddMethodPage(Page);

#[lazy_route]
impl LazyRoute for AddMethodPage {
    fn data() -> Self {
        let query = use_query_map();
        let asked = move || query.with(|q| (q.get("kind"), q.get("next"), q.get("reference"), q.get("refused")));
        Self(Resource::new_blocking(asked, |(kind, next, reference, refused)| {
            read_adding(kind, next, reference, refused)
        }))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(adding)/> }.into_any()
    }
}

fn adding(page: Adding, form: Form) -> AnyView {
    let add = ServerAction::<AddMethod>::new();
    let failed = move || add.value().get().and_then(Result::err).map(|error| view! { <FormFailure error/> });
    let refused = page.refused.map(|text| {
        view! {
            <div class="alert bad" role="alert">
                {icon(Icon::Warning)}
                <div class="alert-text"><p class="alert-title">{t!(adding.refused)}</p><p>{text}</p></div>
            </div>
        }
    });
    let step = match page.step {
        Step::Type { src, origin, kind, title } => typing(src, origin, kind, title, page.next, form, add),
        Step::Store { method, reference } => storing(method, reference, page.next, page.back.clone(), form, add),
        Step::Closed(text) => view! { <p class="card muted">{text}</p> }.into_any(),
    };
    let kind = |kind: Kind| {
        let current = kind.is_chosen.then_some("page");
        view! { <li><a class="button" href=kind.href aria-current=current>{kind.label}</a></li> }.into_any()
    };
    let kinds = (!page.kinds.is_empty()).then(|| {
        view! { <nav aria-label=t!(adding.kinds)><ul class="kinds">{page.kinds.into_iter().map(kind).collect_view()}</ul></nav> }
    });
    view! {
        <Title text=t!(adding.title)/>
        <a class="back" href=page.back>{icon(Icon::Back)}{t!(adding.back)}</a>
        <h1>{t!(adding.title)}</h1>
        {failed}
        {refused}
        {kinds}
        {step}
    }
    .into_any()
}

fn typing(
    src: String,
    origin: String,
    kind: String,
    title: String,
    next: Option<String>,
    form: Form,
    add: ServerAction<AddMethod>,
) -> AnyView {
    let on_reference = Callback::new(move |reference: String| {
        let (session, key) = (form.session.clone(), form.key.clone());
        add.dispatch(AddMethod { session, key, reference, next: next.clone() });
    });
    let link = view! { <a class="button primary" href=src.clone() rel="external">{t!(adding.type_it)}</a> }.into_any();
    view! {
        <div class="card typing-card" aria-busy=move || add.pending().get().to_string()>
            <FieldsFrame src origin kind title link on_reference/>
        </div>
    }
    .into_any()
}

fn storing(
    method: Method,
    reference: String,
    next: Option<String>,
    back: String,
    form: Form,
    add: ServerAction<AddMethod>,
) -> AnyView {
    view! {
        <div class="card">
            <MethodView method/>
            <ActionForm action=add>
                <FormKeys form/>
                <input type="hidden" name="reference" value=reference/>
                {next.map(|next| view! { <input type="hidden" name="next" value=next/> })}
                <div class="actions">
                    <button type="submit" class="button primary" disabled=move || add.pending().get()>{t!(adding.store)}</button>
                    <a class="button" href=back>{t!(adding.leave)}</a>
                </div>
            </ActionForm>
        </div>
    }
    .into_any()
}
