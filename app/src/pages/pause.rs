//! Pausing: what happens, for how long, and the way back at any time.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{Closed, ClosedView, Effects, Form, FormFailure, FormKeys, Icon, Loaded, Page, Shown, aside, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pausing {
    pub id: String,
    pub plan: String,
    /// Where leaving it undone leads.
    pub keep: String,
    pub way: Way,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    Open {
        effects: Vec<String>,
        /// How long it may last; empty where that is left open.
        lengths: Vec<String>,
    },
    Closed(Closed),
}

#[server]
pub async fn read_pausing(id: String) -> Result<Shown> {
    use crate::present::pause as present;
    let session = crate::session::Session::current()?;
    session.needs(|features| features.subscription_pause.enabled)?;
    let mut tx = session.db.read().await?;
    let books = crate::present::subscription::read(&mut tx, &session, &id).await?;
    Ok(session.show(&present::view(&session, &books)?))
}

/// `length` is the number of the one that is chosen.
#[server]
pub async fn pause_subscription(session: String, key: String, id: String, length: Option<usize>) -> Result<()> {
    use billing::portal::pausing;
    let session = crate::session::Session::of_form(&session, key)?;
    let configuration = &session.guest.configuration;
    let paused =
        billing::transact!(session.db, |tx| pausing::pause(tx, &session.who, configuration, &id, length).await)?;
    leptos_axum::redirect(&session.onward(format!("/subscriptions/{}?done=paused", paused.id)));
    Ok(())
}

pub struct PausePage(Page);

#[lazy_route]
impl LazyRoute for PausePage {
    fn data() -> Self {
        let params = use_params_map();
        let id = move || params.with(|params| params.get("id")).unwrap_or_default();
        Self(Resource::new_blocking(id, read_pausing))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(pausing)/> }.into_any()
    }
}

fn pausing(page: Pausing, form: Form) -> AnyView {
    let href = format!("/subscriptions/{}", page.id);
    let body = match page.way {
        Way::Closed(closed) => view! { <ClosedView closed back=page.keep/> }.into_any(),
        Way::Open { effects, lengths } => pause_form(effects, lengths, page.id, page.keep, form),
    };
    view! {
        <Title text=t!(pause.title)/>
        <a class="back" href=href>{icon(Icon::Back)}{t!(cancel.back)}</a>
        <header class="title">
            <h1>{t!(pause.title)}</h1>
            <p class="subtitle"><bdi>{page.plan}</bdi></p>
        </header>
        {body}
    }
    .into_any()
}

fn pause_form(effects: Vec<String>, lengths: Vec<String>, id: String, keep: String, form: Form) -> AnyView {
    let pause = ServerAction::<PauseSubscription>::new();
    let failed = move || pause.value().get().and_then(Result::err).map(|error| view! { <FormFailure error/> });
    view! {
        {failed}
        <Effects effects/>
        <ActionForm action=pause>
            <FormKeys form/>
            <input type="hidden" name="id" value=id/>
            {(!lengths.is_empty()).then(|| question(lengths))}
            <div class="actions">
                <button type="submit" class="button primary" disabled=move || pause.pending().get()>{t!(pause.confirm)}</button>
                {aside(keep, t!(pause.keep))}
            </div>
        </ActionForm>
    }
    .into_any()
}

fn question(lengths: Vec<String>) -> AnyView {
    let each = |(n, length): (usize, String)| {
        view! {
            <label class="choice">
                <input type="radio" name="length" value=n.to_string() required checked=n == 0/>
                <span>{length}</span>
            </label>
        }
        .into_any()
    };
    view! {
        <fieldset class="card question">
            <legend>{t!(pause.length)}</legend>
            <div class="choices">{lengths.into_iter().enumerate().map(each).collect_view()}</div>
        </fieldset>
    }
    .into_any()
}
