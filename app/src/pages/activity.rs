//! Activity: what was done, when and by whom, newest first.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{Drawn, DrawnView, Icon, Loaded, Page, Shown, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// `None` where nothing was done.
    pub log: Option<Drawn>,
    /// Links to what came before, and to the beginning of the list.
    pub older: Option<String>,
    pub newest: Option<String>,
}

#[server]
pub async fn read_activity(before: Option<String>) -> Result<Shown> {
    let session = crate::session::Session::current()?;
    let mut tx = session.db.read().await?;
    let page = crate::present::activity::read(&mut tx, &session, before).await?;
    Ok(session.show(&page))
}

pub struct ActivityPage(Page);

#[lazy_route]
impl LazyRoute for ActivityPage {
    fn data() -> Self {
        let query = use_query_map();
        let before = move || query.with(|query| query.get("before"));
        Self(Resource::new_blocking(before, read_activity))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(|page, _| activity(page))/> }.into_any()
    }
}

fn activity(page: Activity) -> AnyView {
    let log = match page.log {
        Some(piece) => view! { <DrawnView piece/> }.into_any(),
        None => view! {
            <div class="card empty"><span class="badge large">{icon(Icon::History)}</span><p>{t!(activity.none)}</p></div>
        }
        .into_any(),
    };
    let newest =
        page.newest.map(|href| view! { <a class="button" href=href>{icon(Icon::Previous)}{t!(activity.newest)}</a> });
    let older = page
        .older
        .map(|href| view! { <a class="button older" rel="next" href=href>{t!(invoices.older)}{icon(Icon::Next)}</a> });
    let turns = (newest.is_some() || older.is_some())
        .then(|| view! { <nav class="turns" aria-label=t!(activity.pages)>{newest}{older}</nav> });
    view! {
        <Title text=t!(activity.title)/>
        <h1>{t!(activity.title)}</h1>
        {log}
        {turns}
    }
    .into_any()
}
