//! What can be bought: each plan once, by how often it is paid.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use super::change::{Group, plans};
use crate::error::Result;
use crate::parts::{Closed, ClosedView, Icon, Loaded, Page, Shown, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choosing {
    Open(Vec<Group>),
    Closed(Closed),
}

#[server]
pub async fn read_choosing() -> Result<Shown> {
    let session = crate::session::Session::current()?;
    session.needs(|features| features.subscription_create.enabled)?;
    let page = crate::present::purchase::choosing(&session).await?;
    Ok(session.show(&page))
}

pub struct SubscribePage(Page);

#[lazy_route]
impl LazyRoute for SubscribePage {
    fn data() -> Self {
        Self(Resource::new_blocking(|| (), |()| read_choosing()))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(|page, _| choosing(page))/> }.into_any()
    }
}

fn choosing(page: Choosing) -> AnyView {
    let body = match page {
        Choosing::Open(groups) => plans(groups, "/subscribe/review", ""),
        Choosing::Closed(closed) => view! { <ClosedView closed back="/".to_owned()/> }.into_any(),
    };
    view! {
        <Title text=t!(subscribe.title)/>
        <a class="back" href="/">{icon(Icon::Back)}{t!(subscription.back)}</a>
        <header class="title">
            <h1>{t!(subscribe.title)}</h1>
            <p class="subtitle">{t!(subscribe.text)}</p>
        </header>
        {body}
    }
    .into_any()
}
