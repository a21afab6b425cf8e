//! The document: the portal's pages with their hydration script and security policy, and the pages that need no script.

use app::pages::entry::{BrokenPage, ContinuePage, ExpiredInvoicePage, ExpiredPage, MissingPage, RefusedPage};
use app::pages::hosted::{HostedInvoice, HostedInvoicePage};
use app::session::Visit;
use app::text::{self, Locale};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use billing::directory::{Guest, Lobby};
use billing::id;
use billing::portal::branding::{Brand, Look};
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::MetaTags;

use crate::framing;
use crate::leave::way_back;
use crate::look;
use crate::site::{self, Names};

const NOTHING_ALLOWED: HeaderValue = HeaderValue::from_static("default-src 'none'");

/// The policy of every page that runs our script.
fn policy(nonce: &str, fields_url: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; font-src 'self'; \
         manifest-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src {fields_url}; form-action 'self'; base-uri 'none'; \
         object-src 'none'; frame-ancestors 'none'"
    )
}

/// The policy of the page where numbers are typed: framed by the portal alone, and in touch with nobody else.
fn fields_policy(nonce: &str, portal: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self' data:; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors {portal}"
    )
}

/// The policy of a page that runs none.
fn static_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; style-src 'self' 'nonce-{nonce}'; font-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

/// A page of the app, rendered on the server and hydrated in the browser.
pub fn document() -> impl IntoView {
    let visit = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Visit>().cloned());
    let locale = visit.as_ref().map(|visit| visit.locale).unwrap_or_default();
    let framed = visit.as_ref().filter(|visit| visit.is_framed).and_then(|visit| visit.guest.as_ref());
    let framed = framed.map(|guest| framing::script(framing::parents(&guest.configuration)));
    let fields_url = visit.as_ref().map(|visit| visit.fields_url.clone()).unwrap_or_default();
    let look = visit.and_then(|visit| visit.guest).map(|guest| guest.brand.look.clone()).unwrap_or_default();
    let nonce = use_nonce();
    if let (Some(nonce), Some(response)) = (&nonce, use_context::<ResponseOptions>()) {
        if let Ok(policy) = HeaderValue::from_str(&policy(nonce, &fields_url)) {
            response.insert_header(CONTENT_SECURITY_POLICY, policy);
        }
        response.insert_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let (names, ground) = (site::names(), look::ground(&look));
    let class = [ground, framed.as_ref().map(|_| "framed")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    view! {
        <!DOCTYPE html>
        <html lang=locale.tag() dir=locale.dir() class=(!class.is_empty()).then_some(class)>
            <head>
                <Head look nonce=nonce.as_ref().map(ToString::to_string)/>
                <link rel="modulepreload" href=format!("/{}", names.js) nonce=nonce.clone()/>
                <link rel="modulepreload" href=format!("/{}", names.split) nonce=nonce.clone()/>
                <link rel="preload" href=format!("/{}", names.wasm) r#as="fetch" r#type="application/wasm" crossorigin=""/>
                <script type="application/json" id="texts" inner_html=text::payload(locale)></script>
                {framed.map(|script| view! { <script nonce=nonce.clone() inner_html=script></script> })}
                <script type="module" nonce=nonce inner_html=hydration(names)></script>
                <MetaTags/>
            </head>
            <body>
                <app::App/>
            </body>
        </html>
    }
}

/// Marks when the page answers by itself, for those who measure it.
fn hydration(names: &Names) -> String {
    format!(
        "import init,{{hydrate}} from'/{}';init({{module_or_path:'/{}'}}).then(()=>{{hydrate();setTimeout(()=>performance.mark('hydrated'))}})",
        names.js, names.wasm
    )
}

#[component]
fn Head(look: Look, nonce: Option<String>) -> impl IntoView {
    view! {
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <meta name="robots" content="noindex"/>
        {tab_icon(&look)}
        <style nonce=nonce.clone() inner_html=site::style()></style>
        {look::rules(&look).map(|rules| view! { <style nonce=nonce inner_html=rules></style> })}
    }
}

/// What stands in the browser's tab.
fn tab_icon(look: &Look) -> AnyView {
    match &look.icon {
        Some(icon) => view! { <link rel="icon" href=icon.path() type=icon.media_type.name()/> }.into_any(),
        None => view! { <link rel="icon" href="/favicon.svg" type="image/svg+xml"/> }.into_any(),
    }
}

/// The page a mail scanner sees, and a person whose browser was not led here: one button.
pub fn continue_page(locale: Locale, guest: &Guest, action: &str) -> Response {
    let (brand, email, action) = (guest.brand.clone(), guest.customer.email.clone(), action.to_owned());
    page(locale, StatusCode::OK, Some(&guest.brand), move || view! { <ContinuePage brand email action/> })
}

/// The session has ended, or never began: who the merchant is, and the way back.
pub fn expired(locale: Locale, guest: Option<&Guest>, status: StatusCode) -> Response {
    let brand = guest.map(|guest| guest.brand.clone());
    let (back, login) = (guest.and_then(way_back), guest.and_then(|guest| guest.configuration.login_url.clone()));
    page(locale, status, brand.clone().as_ref(), move || view! { <ExpiredPage brand back login/> })
}

/// The same of what a mail led to.
pub fn gone(locale: Locale, lobby: &Lobby) -> Response {
    let (brand, back) = (Some(lobby.brand.clone()), lobby.configuration.default_return_url.clone());
    let login = lobby.configuration.login_url.clone();
    page(locale, StatusCode::GONE, Some(&lobby.brand), move || view! { <ExpiredPage brand back login/> })
}

/// The page that a mail leads to: one button, whose way `action` is.
pub fn admit(locale: Locale, lobby: &Lobby, email: &str, action: String) -> Response {
    let (brand, email) = (lobby.brand.clone(), Some(email.to_owned()));
    page(locale, StatusCode::OK, Some(&lobby.brand), move || view! { <ContinuePage brand email action/> })
}

pub fn missing(visit: Option<&Visit>) -> Response {
    let locale = visit.map(|visit| visit.locale).unwrap_or_default();
    let brand = visit.and_then(|visit| visit.guest.as_deref()).map(|guest| guest.brand.clone());
    page(locale, StatusCode::NOT_FOUND, brand.clone().as_ref(), move || view! { <MissingPage brand/> })
}

pub fn refused(visit: Option<&Visit>) -> Response {
    let locale = visit.map(|visit| visit.locale).unwrap_or_default();
    let brand = visit.and_then(|visit| visit.guest.as_deref()).map(|guest| &guest.brand);
    page(locale, StatusCode::FORBIDDEN, brand, || view! { <RefusedPage/> })
}

pub fn broken(locale: Locale) -> Response {
    page(locale, StatusCode::INTERNAL_SERVER_ERROR, None, || view! { <BrokenPage/> })
}

/// One invoice, for whoever holds its link.
pub fn hosted_invoice(locale: Locale, brand: &Brand, invoice: HostedInvoice) -> Response {
    let title = invoice.title.clone();
    titled_page(locale, StatusCode::OK, Some(brand), title, move || view! { <HostedInvoicePage invoice/> })
}

pub fn hosted_expired(locale: Locale, brand: &Brand) -> Response {
    let own = brand.clone();
    page(locale, StatusCode::GONE, Some(brand), move || view! { <ExpiredInvoicePage brand=own/> })
}

pub fn unknown_invoice(locale: Locale) -> Response {
    page(locale, StatusCode::NOT_FOUND, None, || view! { <MissingPage brand=None/> })
}

/// A page of the door, by itself.
pub fn page<V: IntoView + 'static>(
    locale: Locale,
    status: StatusCode,
    brand: Option<&Brand>,
    body: impl FnOnce() -> V + 'static,
) -> Response {
    titled_page(locale, status, brand, text::title(locale), body)
}

/// A page without any script.
fn titled_page<V: IntoView + 'static>(
    locale: Locale,
    status: StatusCode,
    brand: Option<&Brand>,
    title: String,
    body: impl FnOnce() -> V + 'static,
) -> Response {
    let nonce = id::secret();
    let policy = static_policy(&nonce);
    drawn(locale, status, brand, title, None, (nonce, policy), body)
}

/// A page on the fields' origin. `script` is the page's own, if it runs one.
pub fn fields<V: IntoView + 'static>(
    locale: Locale,
    status: StatusCode,
    brand: Option<&Brand>,
    title: String,
    (script, portal): (Option<&'static str>, &str),
    body: impl FnOnce() -> V + 'static,
) -> Response {
    let nonce = id::secret();
    let policy = fields_policy(&nonce, portal);
    drawn(locale, status, brand, title, script, (nonce, policy), body)
}

fn drawn<V: IntoView + 'static>(
    locale: Locale,
    status: StatusCode,
    brand: Option<&Brand>,
    title: String,
    script: Option<&'static str>,
    (nonce, policy): (String, String),
    body: impl FnOnce() -> V + 'static,
) -> Response {
    let look = brand.map(|brand| brand.look.clone()).unwrap_or_default();
    let html = Owner::new().with(|| {
        text::provide(locale);
        let ground = look::ground(&look);
        let script = script.map(|text| view! { <script type="module" nonce=nonce.clone() inner_html=text></script> });
        view! {
            <html lang=locale.tag() dir=locale.dir() class=ground>
                <head>
                    <Head look nonce=Some(nonce)/>
                    <title>{title}</title>
                    {script}
                </head>
                <body>{body()}</body>
            </html>
        }
        .to_html()
    });
    let mut response = Response::new(format!("<!DOCTYPE html>{html}").into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy).unwrap_or(NOTHING_ALLOWED));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
