//! A page's data on its way from the server: waited for, then shown, or why it cannot be.

use leptos::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Failure;
use crate::error::{Error, Result};
use crate::text::t;

/// A page's view data, with what its forms must carry. The data itself stays the text that it travels as until it is
/// drawn: so all pages wait, arrive and fail in one piece of code, which the browser downloads once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shown {
    pub form: Form,
    page: Box<RawValue>,
}

/// The hidden fields of a page's forms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// The session that the page was drawn in, by its public id.
    pub session: String,
    /// A key for one sending of the form.
    pub key: String,
}

pub type Page = Resource<Result<Shown>>;

impl Shown {
    pub fn new(form: Form, page: &impl Serialize) -> Self {
        // Plain structs of texts, lists and flags: there is nothing in them that JSON could refuse.
        Self { form, page: serde_json::value::to_raw_value(page).unwrap_or_default() }
    }

    /// The page's data, of the type that its server function gave it.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.page.get()).map_err(|_| Error::Broken)
    }

    pub fn draw<T: DeserializeOwned>(self, view: fn(T, Form) -> AnyView) -> AnyView {
        match self.read() {
            Ok(page) => view(page, self.form),
            Err(error) => view! { <Failure error/> }.into_any(),
        }
    }
}

#[component]
pub fn FormKeys(form: Form) -> AnyView {
    view! {
        <input type="hidden" name="session" value=form.session/>
        <input type="hidden" name="key" value=form.key/>
    }
    .into_any()
}

/// Shows a page when its data is there. Data of another session than the frame's (somebody signed in anew in another
/// tab) is never shown in it: the page is loaded again as a whole.
#[component]
pub fn Loaded(page: Page, view: fn(Shown) -> AnyView) -> AnyView {
    let frame = use_context::<Page>();
    let show = move || {
        Suspend::new(async move {
            let frame = match frame {
                Some(frame) => frame.await,
                None => Err(Error::Broken),
            };
            match (page.await, frame) {
                (Ok(shown), Ok(frame)) if shown.form.session == frame.form.session => view(shown),
                (Ok(_), Ok(_)) => view! { <Failure error=Error::SignedOut/> }.into_any(),
                (Err(error), _) | (_, Err(error)) => view! { <Failure error/> }.into_any(),
            }
        })
    };
    view! { <Transition fallback=|| view! { <p class="waiting">{t!(app.loading)}</p> }>{show}</Transition> }.into_any()
}
