//! Payment methods: which there are, which is charged, and one less.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{
    Form, FormFailure, FormKeys, Icon, Loaded, Method, MethodView, Notice, Page, Pill, PillView, Shown, icon,
};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Methods {
    pub held: Vec<Held>,
    /// Where one is added, if one may be.
    pub add: Option<String>,
    /// What has just been done, where the books agree that it was.
    pub done: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub id: String,
    pub method: Method,
    /// It is what is charged unless something else is said.
    pub default: Option<Pill>,
    /// `Used for Team`
    pub used: Option<String>,
    pub may_become_default: bool,
    pub removal: Removal,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Removal {
    /// What comes of it.
    Open(String),
    /// Why not.
    Kept(String),
    Off,
}

/// `done` and `of` are what the page is said to come from; they are believed only where the books agree.
#[server]
pub async fn read_methods(done: Option<String>, of: Option<String>) -> Result<Shown> {
    use crate::present::methods as present;
    let session = crate::session::Session::current()?;
    session.needs(|features| features.payment_method_update.is_open())?;
    let mut tx = session.db.read().await?;
    let books = present::read(&mut tx, &session, done.zip(of)).await?;
    Ok(session.show(&present::view(session.locale, session.who.is_read_only(), &books)))
}

#[server]
pub async fn set_default_method(session: String, key: String, id: String) -> Result<()> {
    use billing::portal::methods;
    let session = crate::session::Session::of_form(&session, key)?;
    let configuration = &session.guest.configuration;
    billing::transact!(session.db, |tx| methods::set_default(tx, &session.who, configuration, &id).await)?;
    let to = format!("/payment-methods?done=default&of={id}");
    leptos_axum::redirect(&crate::present::paying::after_new_default(&session, &id, to).await?);
    Ok(())
}

#[server]
pub async fn remove_method(session: String, key: String, id: String) -> Result<()> {
    use billing::portal::methods;
    let session = crate::session::Session::of_form(&session, key)?;
    let configuration = &session.guest.configuration;
    billing::transact!(session.db, |tx| methods::remove(tx, &session.who, configuration, &id).await)?;
    leptos_axum::redirect(&format!("/payment-methods?done=removed&of={id}"));
    Ok(())
}

pub struct MethodsPage(Page);

#[lazy_route]
impl LazyRoute for MethodsPage {
    fn data() -> Self {
        let query = use_query_map();
        let asked = move || query.with(|query| (query.get("done"), query.get("of")));
        Self(Resource::new_blocking(asked, |(done, of)| read_methods(done, of)))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(methods)/> }.into_any()
    }
}

fn methods(page: Methods, form: Form) -> AnyView {
    let set_default = ServerAction::<SetDefaultMethod>::new();
    let remove = ServerAction::<RemoveMethod>::new();
    let failed = move || {
        let error =
            set_default.value().get().and_then(Result::err).or_else(|| remove.value().get().and_then(Result::err));
        error.map(|error| view! { <FormFailure error/> })
    };
    let body = if page.held.is_empty() {
        none()
    } else {
        // By their ids: a disclosure that is open goes with its card, and never passes to the one that takes its place.
        let each = move |held: Held| view! { <li>{row(held, form.clone(), set_default, remove)}</li> };
        let held = page.held;
        view! {
            <ul class="methods"><For each=move || held.clone() key=|held| held.id.clone() children=each/></ul>
        }
        .into_any()
    };
    let add = page.add.map(|href| {
        view! { <div class="actions adding-link"><a class="button primary" href=href>{t!(adding.title)}</a></div> }
    });
    view! {
        <Title text=t!(methods.title)/>
        {page.done.map(|text| view! { <Notice text href="/payment-methods".to_owned()/> })}
        <h1>{t!(methods.title)}</h1>
        {failed}
        {body}
        {add}
    }
    .into_any()
}

fn row(
    held: Held,
    form: Form,
    set_default: ServerAction<SetDefaultMethod>,
    remove: ServerAction<RemoveMethod>,
) -> AnyView {
    let (id, keys) = (held.id.clone(), form.clone());
    let choose = held.may_become_default.then(move || {
        view! {
            <ActionForm action=set_default>
                <FormKeys form=keys/>
                <input type="hidden" name="id" value=id/>
                <button type="submit" class="button small" disabled=move || set_default.pending().get()>{t!(methods.make_default)}</button>
            </ActionForm>
        }
    });
    let take = match held.removal {
        Removal::Open(text) => removal(text, held.id, form, remove),
        Removal::Kept(text) => view! { <p class="hint">{text}</p> }.into_any(),
        Removal::Off => ().into_any(),
    };
    view! {
        <article class="card held">
            <MethodView method=held.method/>
            {held.default.map(|pill| view! { <PillView pill/> })}
            {held.used.map(|used| view! { <p class="hint used">{used}</p> })}
            <div class="acts">{choose}{take}</div>
        </article>
    }
    .into_any()
}

/// The browser's own disclosure: what comes of it is read before the button that does it is there.
fn removal(text: String, id: String, form: Form, remove: ServerAction<RemoveMethod>) -> AnyView {
    view! {
        <details class="removal">
            <summary class="button small">{t!(methods.remove)}</summary>
            <p>{text}</p>
            <ActionForm action=remove>
                <FormKeys form/>
                <input type="hidden" name="id" value=id/>
                <button type="submit" class="button danger-fill" disabled=move || remove.pending().get()>{t!(methods.confirm)}</button>
            </ActionForm>
        </details>
    }
    .into_any()
}

fn none() -> AnyView {
    view! {
        <div class="card empty">
            <span class="badge large">{icon(Icon::Card)}</span>
            <h2>{t!(overview.no_method)}</h2>
            <p>{t!(methods.none)}</p>
        </div>
    }
    .into_any()
}
