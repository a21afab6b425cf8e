//! The frame around every page: the merchant, the customer, where one can go, the way back.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use serde::{Deserialize, Serialize};

use super::{Icon, Links, LinksView, Mark, Page, Shown, icon, mark};
use crate::error::Result;
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameData {
    pub mark: Mark,
    pub headline: Option<String>,
    pub customer: Option<String>,
    /// `a•••@example.com`
    pub email: Option<String>,
    /// `Return to Acme`, where the session has somewhere to return to.
    pub way_back: Option<String>,
    pub has_invoices: bool,
    pub has_methods: bool,
    pub is_preview: bool,
    /// What a flow keeps to: below it there is nowhere else to go. `/` is everywhere.
    pub flow: Option<String>,
    pub links: Links,
    /// What the way out is called; none out of a preview.
    pub sign_out: Option<String>,
}

/// What every page is drawn in.
#[server]
pub async fn read_frame() -> Result<Shown> {
    let session = crate::session::Session::current()?;
    Ok(session.show(&crate::present::frame::frame(&session)))
}

#[component]
pub fn Frame(children: Children) -> impl IntoView {
    let data: Page = Resource::new_blocking(|| (), |()| read_frame());
    provide_context(data);
    let path = use_location().pathname;
    focus_after_navigation(path);
    let place = Place { path, title: StoredValue::new(if is_browser() { document().title() } else { String::new() }) };
    let part = move |draw: fn(FrameData, Place) -> AnyView| {
        Suspend::new(async move { data.await.and_then(|shown| shown.read()).ok().map(|data| draw(data, place)) })
    };
    view! {
        <Title text="" formatter=move |page| place.titled(page, "")/>
        <a class="skip" href="#main" rel="external">{t!(app.skip)}</a>
        <div class="frame">
            <Transition fallback=|| ()>{move || part(top)}</Transition>
            <main id="main" tabindex="-1">{children()}</main>
            <Transition fallback=|| ()>{move || part(bottom)}</Transition>
        </div>
    }
}

/// Where the reader is.
#[derive(Clone, Copy)]
struct Place {
    path: Memo<String>,
    /// The title as it stands: the server's, then each page's.
    title: StoredValue<String>,
}

impl Place {
    /// The title of a page. Until one has come that says what it is (`""`), the last one's stays.
    fn titled(self, page: String, merchant: &str) -> String {
        if page.is_empty() {
            return self.title.try_get_value().unwrap_or_default();
        }
        let whole = if merchant.is_empty() { page } else { format!("{page} · {merchant}") };
        // The server writes it into the document as it is; the browser sets it as text.
        let shown = if is_browser() { whole } else { whole.replace('&', "&amp;").replace('<', "&lt;") };
        self.title.try_set_value(shown.clone());
        shown
    }
}

fn top(data: FrameData, place: Place) -> AnyView {
    let path = place.path;
    let merchant = data.mark.name.clone();
    let title = move |page: String| place.titled(page, &merchant);
    let way_back = data.way_back.map(|text| {
        view! { <a class="way-back" href="/leave" rel="external">{icon(Icon::Back)}<span>{text}</span></a> }
    });
    let customer = (data.customer.is_some() || data.email.is_some()).then(|| {
        view! {
            <p class="customer">
                <span class="spoken">{t!(nav.customer)}</span>
                {data.customer.map(|name| view! { <span class="customer-name"><bdi>{name}</bdi></span> })}
                {data.email.map(|email| view! { <span class="hint"><bdi dir="ltr">{email}</bdi></span> })}
            </p>
        }
    });
    let flow = StoredValue::new(data.flow);
    let is_kept = move || {
        flow.with_value(|flow| path.with(|path| flow.as_ref().is_some_and(|own| own == "/" || is_under(path, own))))
    };
    let menu = move || menu(path, data.has_invoices, data.has_methods);
    view! {
        <Title formatter=title/>
        <header class="top" class:flow=is_kept>
            {way_back}
            <div class="merchant">
                {mark(data.mark)}
                {customer}
            </div>
            {data.headline.map(|headline| view! { <p class="headline"><bdi>{headline}</bdi></p> })}
            {move || (!is_kept()).then(menu)}
        </header>
        {data.is_preview.then(|| view! { <p class="preview" role="note">{t!(nav.preview)}</p> })}
    }
    .into_any()
}

fn menu(path: Memo<String>, has_invoices: bool, has_methods: bool) -> AnyView {
    let invoices = has_invoices.then(|| {
        view! { <li>{menu_link(path, "/invoices", t!(nav.invoices), Icon::Invoices)}</li> }
    });
    let methods = has_methods.then(|| {
        view! { <li>{menu_link(path, "/payment-methods", t!(methods.title), Icon::Card)}</li> }
    });
    view! {
        <nav class="menu" aria-label=t!(nav.label)>
            <ul>
                <li>{menu_link(path, "/", t!(nav.overview), Icon::Overview)}</li>
                {invoices}
                {methods}
                <li>{menu_link(path, "/details", t!(details.title), Icon::Person)}</li>
                <li>{menu_link(path, "/activity", t!(activity.title), Icon::History)}</li>
            </ul>
        </nav>
    }
    .into_any()
}

fn menu_link(path: Memo<String>, href: &'static str, label: String, shape: Icon) -> AnyView {
    // A page below it (one invoice) is under the same heading.
    let current = move || path.with(|path| is_under(path, href)).then_some("page");
    view! { <a href=href aria-current=current>{icon(shape)}<span>{label}</span></a> }.into_any()
}

fn is_under(path: &str, href: &str) -> bool {
    let below = path.strip_prefix(href);
    below.is_some_and(|rest| rest.is_empty() || (href != "/" && rest.starts_with('/')))
}

fn bottom(data: FrameData, _: Place) -> AnyView {
    view! { <LinksView links=data.links sign_out=data.sign_out/> }.into_any()
}

/// After a link has been followed without loading a page, reading goes on where the new page begins.
fn focus_after_navigation(path: Memo<String>) {
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now)
            && let Some(main) = document().get_element_by_id("main")
        {
            let main: leptos::web_sys::HtmlElement = leptos::wasm_bindgen::JsCast::unchecked_into(main);
            let _ = main.focus();
        }
        now
    });
}

#[cfg(test)]
mod tests {
    use super::is_under;

    #[test]
    fn a_page_is_under_the_heading_that_leads_to_it() {
        assert!(is_under("/", "/") && is_under("/invoices", "/invoices") && is_under("/invoices/in_1", "/invoices"));
        assert!(
            !is_under("/invoices", "/") && !is_under("/invoices-of-old", "/invoices") && !is_under("/", "/invoices")
        );
    }
}
