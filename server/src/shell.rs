//! The document: the portal's pages with their hydration script and security policy, and the pages that need no script.

use app::pages::entry::{BrokenPage, ContinuePage, ExpiredPage, MissingPage, RefusedPage};
use app::pages::hosted::{HostedExpiredPage, HostedInvoice, HostedInvoicePage};
use app::session::Visit;
use app::text::{self, Locale};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use billing::directory::Guest;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::MetaTags;

use crate::entry::way_back;
use crate::site::{self, Names};

/// The policy of every page that runs our script.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; font-src 'self'; \
         manifest-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; \
         frame-ancestors 'none'"
    )
}

/// The policy of a page that runs none.
const STATIC_POLICY: &str = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; form-action 'self'; \
                             base-uri 'none'; frame-ancestors 'none'";

/// A page of the app, rendered on the server and hydrated in the browser.
pub fn document() -> impl IntoView {
    let locale =
        use_context::<Parts>().and_then(|parts| parts.extensions.get::<Visit>().map(|v| v.locale)).unwrap_or_default();
    let nonce = use_nonce();
    if let (Some(nonce), Some(response)) = (&nonce, use_context::<ResponseOptions>()) {
        if let Ok(policy) = HeaderValue::from_str(&policy(nonce)) {
            response.insert_header(CONTENT_SECURITY_POLICY, policy);
        }
        response.insert_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let names = site::names();
    view! {
        <!DOCTYPE html>
        <html lang=locale.tag() dir=locale.dir()>
            <head>
                <Head names/>
                <link rel="modulepreload" href=format!("/{}", names.js) nonce=nonce.clone()/>
                <link rel="modulepreload" href=format!("/{}", names.split) nonce=nonce.clone()/>
                <link rel="preload" href=format!("/{}", names.wasm) r#as="fetch" r#type="application/wasm" crossorigin=""/>
                <script type="application/json" id="texts" inner_html=text::payload(locale)></script>
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
fn Head(names: &'static Names) -> impl IntoView {
    view! {
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <meta name="robots" content="noindex"/>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
        <link rel="stylesheet" href=format!("/{}", names.css)/>
    }
}

/// The page a mail scanner sees, and a person whose browser was not led here: one button.
pub fn continue_page(locale: Locale, guest: &Guest, action: &str) -> Response {
    let (merchant, action) = (guest.merchant.name.clone(), action.to_owned());
    let email = guest.customer.email.clone();
    page(locale, StatusCode::OK, move || view! { <ContinuePage merchant email action/> })
}

/// The session has ended, or never began: who the merchant is, and the way back.
pub fn expired(locale: Locale, guest: Option<&Guest>, status: StatusCode) -> Response {
    let merchant = guest.map(|guest| guest.merchant.name.clone());
    let back = guest.and_then(way_back);
    page(locale, status, move || view! { <ExpiredPage merchant back/> })
}

pub fn missing(locale: Locale, signed_in: bool) -> Response {
    page(locale, StatusCode::NOT_FOUND, move || view! { <MissingPage signed_in/> })
}

pub fn refused(locale: Locale) -> Response {
    page(locale, StatusCode::FORBIDDEN, || view! { <RefusedPage/> })
}

pub fn broken(locale: Locale) -> Response {
    page(locale, StatusCode::INTERNAL_SERVER_ERROR, || view! { <BrokenPage/> })
}

/// One invoice, for whoever holds its link.
pub fn hosted_invoice(locale: Locale, invoice: HostedInvoice) -> Response {
    let title = invoice.title.clone();
    titled_page(locale, StatusCode::OK, title, move || view! { <HostedInvoicePage invoice/> })
}

pub fn hosted_expired(locale: Locale, merchant: &str, status: StatusCode) -> Response {
    let merchant = merchant.to_owned();
    page(locale, status, move || view! { <HostedExpiredPage merchant/> })
}

fn page<V: IntoView + 'static>(locale: Locale, status: StatusCode, body: impl FnOnce() -> V + 'static) -> Response {
    titled_page(locale, status, text::title(locale), body)
}

/// A page without any script.
fn titled_page<V: IntoView + 'static>(
    locale: Locale,
    status: StatusCode,
    title: String,
    body: impl FnOnce() -> V + 'static,
) -> Response {
    let html = Owner::new().with(|| {
        text::provide(locale);
        let names = site::names();
        view! {
            <html lang=locale.tag() dir=locale.dir()>
                <head>
                    <Head names/>
                    <title>{title}</title>
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
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(STATIC_POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
