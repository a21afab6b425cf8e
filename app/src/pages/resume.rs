//! Going on after a pause: what that costs, and one button that does exactly that.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{Form, FormFailure, FormKeys, Icon, Loaded, Page, Quoted, QuotedView, Shown, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resuming {
    pub id: String,
    pub plan: String,
    pub quoted: Quoted,
    /// `Pay €5.00 and resume`
    pub confirm: String,
}

/// `stale` is said by a confirmation that came too late.
#[server]
pub async fn read_resuming(id: String, stale: bool) -> Result<Shown> {
    let session = crate::session::Session::current()?;
    session.needs(|features| features.subscription_pause.enabled)?;
    let page = crate::present::pause::resuming(&session, &id, stale).await?;
    Ok(session.show(&page))
}

#[server]
pub async fn resume_subscription(session: String, key: String, id: String, quote: String) -> Result<()> {
    let session = crate::session::Session::of_form(&session, key)?;
    let next = crate::present::pause::resume(&session, &id, &quote).await?;
    leptos_axum::redirect(&next);
    Ok(())
}

pub struct ResumePage(Page);

#[lazy_route]
impl LazyRoute for ResumePage {
    fn data() -> Self {
        let (params, query) = (use_params_map(), use_query_map());
        let asked = move || {
            let id = params.with(|params| params.get("id")).unwrap_or_default();
            (id, query.with(|query| query.get("stale").is_some()))
        };
        Self(Resource::new_blocking(asked, |(id, stale)| read_resuming(id, stale)))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(resuming)/> }.into_any()
    }
}

fn resuming(page: Resuming, form: Form) -> AnyView {
    let resume = ServerAction::<ResumeSubscription>::new();
    let failed = move || resume.value().get().and_then(Result::err).map(|error| view! { <FormFailure error/> });
    let href = format!("/subscriptions/{}", page.id);
    let token = page.quoted.token.clone();
    view! {
        <Title text=t!(resume.title)/>
        <a class="back" href=href.clone()>{icon(Icon::Back)}{t!(cancel.back)}</a>
        <header class="title">
            <h1>{t!(resume.title)}</h1>
            <p class="subtitle"><bdi>{page.plan}</bdi></p>
        </header>
        {failed}
        <QuotedView quoted=page.quoted/>
        <ActionForm action=resume>
            <FormKeys form/>
            <input type="hidden" name="id" value=page.id/>
            <input type="hidden" name="quote" value=token/>
            <div class="actions">
                <button type="submit" class="button primary" disabled=move || resume.pending().get()>{page.confirm}</button>
                <a class="button" href=href>{t!(resume.keep)}</a>
            </div>
            <p class="hint">{t!(review.exactly)}</p>
        </ActionForm>
    }
    .into_any()
}
