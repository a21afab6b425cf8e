//! The end of a flow: that it is done, in the merchant's words where it has any, and the way back.

use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{Icon, Loaded, Page, Shown, icon};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub title: String,
    pub text: Option<String>,
    pub is_done: bool,
    /// Where one goes from here, and what that is called.
    pub way: Option<(String, String)>,
    /// Whether that is gone by itself.
    pub goes_on: bool,
}

#[server]
pub async fn read_end() -> Result<Shown> {
    let session = crate::session::Session::current()?;
    Ok(session.show(&crate::present::done::view(&session)?))
}

pub struct DonePage(Page);

#[lazy_route]
impl LazyRoute for DonePage {
    fn data() -> Self {
        Self(Resource::new_blocking(|| (), |()| read_end()))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(|page, _| end(page))/> }.into_any()
    }
}

fn end(page: End) -> AnyView {
    let shape = if page.is_done { Icon::Done } else { Icon::Info };
    let onward = page.goes_on.then(|| view! { <Meta http_equiv="refresh" content="1; url=/leave"/> });
    let way = page.way.map(|(href, label)| {
        view! { <div class="actions"><a class="button primary" href=href rel="external">{label}</a></div> }
    });
    view! {
        <Title text=page.title.clone()/>
        {onward}
        <div class="card empty">
            <span class="badge large">{icon(shape)}</span>
            <h1 tabindex="-1">{page.title}</h1>
            {page.text.map(|text| view! { <p><bdi>{text}</bdi></p> })}
            {way}
        </div>
    }
    .into_any()
}
