//! When something cannot be shown or done: what happened, whether anything was changed, what to do.

use leptos::prelude::*;
use leptos::server_fn::error::ServerFnUrlError;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::{Icon, icon};
use crate::error::Error;
use crate::text::t;

/// In place of a page.
#[component]
pub fn Failure(error: Error) -> AnyView {
    error.announce();
    reload_if_signed_out(&error);
    let shape = if error == Error::NotFound { Icon::Missing } else { Icon::Warning };
    let retry =
        error.may_pass().then(|| view! { <a class="button primary" href="" rel="external">{t!(error.retry)}</a> });
    let home = if error.may_pass() { "button" } else { "button primary" };
    view! {
        <Title text=error.title()/>
        {refused().map(|error| view! { <FormFailure error/> })}
        <div class="empty page">
            <span class="badge large">{icon(shape)}</span>
            <h1>{error.title()}</h1>
            <p>{error.text()}</p>
            <div class="actions">
                {retry}
                <a class=home href="/">{t!(error.home)}</a>
            </div>
        </div>
    }
    .into_any()
}

/// A form sent without JavaScript comes back with its error in the address; its page may be gone meanwhile.
fn refused() -> Option<Error> {
    let error = use_query_map().with_untracked(|query| query.get("__err"))?;
    Some(ServerFnUrlError::<Error>::decode_err(&error))
}

/// What an entry that is wrong is described by: what is said of the form it stands in.
pub const REFUSAL: &str = "refusal";

/// Above a form that was refused.
#[component]
pub fn FormFailure(error: Error) -> AnyView {
    reload_if_signed_out(&error);
    view! {
        <div class="alert bad" role="alert" id=REFUSAL>
            {icon(Icon::Warning)}
            <div class="alert-text">
                <p class="alert-title">{error.title()}</p>
                <p>{error.text()}</p>
            </div>
        </div>
    }
    .into_any()
}

/// No route of ours leads here.
#[component]
pub fn Missing() -> AnyView {
    view! { <Failure error=Error::NotFound/> }.into_any()
}

/// The server has a page for those whose session has ended: it names the merchant and the way back.
fn reload_if_signed_out(error: &Error) {
    if *error == Error::SignedOut {
        Effect::new(|_| {
            let _ = window().location().reload();
        });
    }
}
