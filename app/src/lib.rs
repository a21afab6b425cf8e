//! The portal's pages and parts: rendered on the server, hydrated in the browser.

// Views are types, one inside the other: a page of a few sections is deeper than the default.
#![recursion_limit = "256"]

pub mod error;
#[cfg(feature = "ssr")]
pub mod letter;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod paper;
pub mod parts;
#[cfg(feature = "ssr")]
mod present;
#[cfg(feature = "ssr")]
pub mod session;
pub mod text;

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{Lazy, SsrMode, path};

use pages::activity::ActivityPage;
use pages::add_method::AddMethodPage;
use pages::cancel::CancelPage;
use pages::change::ChangePage;
use pages::confirm::ConfirmPage;
use pages::details::DetailsPage;
use pages::details_form::DetailsFormPage;
use pages::done::DonePage;
use pages::invoice::InvoicePage;
use pages::invoices::InvoicesPage;
use pages::methods::MethodsPage;
use pages::overview::OverviewPage;
use pages::pause::PausePage;
use pages::purchase::PurchasePage;
use pages::repair::RepairPage;
use pages::resume::ResumePage;
use pages::review::ReviewPage;
use pages::subscribe::SubscribePage;
use pages::subscription::SubscriptionPage;
use parts::{Frame, Missing};

/// The portal of a customer with a living session. Every page is complete when it leaves the server. The overview is
/// what most come for: the code of the other pages is fetched when they are opened.
#[component]
pub fn App() -> impl IntoView {
    #[cfg(feature = "ssr")]
    text::provide(session::locale());
    provide_meta_context();
    view! {
        <Router>
            <Frame>
                <FlatRoutes fallback=Missing>
                    <Route path=path!("/") view=OverviewPage ssr=SsrMode::Async/>
                    <Route path=path!("/subscriptions/:id") view={Lazy::<SubscriptionPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/subscriptions/:id/cancel") view={Lazy::<CancelPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/subscriptions/:id/change") view={Lazy::<ChangePage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/subscriptions/:id/change/review") view={Lazy::<ReviewPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/subscriptions/:id/pause") view={Lazy::<PausePage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/subscriptions/:id/resume") view={Lazy::<ResumePage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/subscribe") view={Lazy::<SubscribePage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/subscribe/review") view={Lazy::<PurchasePage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/invoices") view={Lazy::<InvoicesPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/invoices/:id") view={Lazy::<InvoicePage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/payment-methods") view={Lazy::<MethodsPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/payment-methods/add") view={Lazy::<AddMethodPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/confirm") view={Lazy::<ConfirmPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/repair") view={Lazy::<RepairPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/details") view={Lazy::<DetailsPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/details/:part") view={Lazy::<DetailsFormPage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/done") view={Lazy::<DonePage>::new()} ssr=SsrMode::Async/>
                    <Route path=path!("/activity") view={Lazy::<ActivityPage>::new()} ssr=SsrMode::Async/>
                </FlatRoutes>
            </Frame>
        </Router>
    }
}

/// Takes over the page that the server rendered, once the code of that page is there.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    #[cfg(debug_assertions)]
    std::panic::set_hook(Box::new(|panic| leptos::logging::error!("{panic}")));
    let texts = text::Texts::of_document();
    leptos::mount::hydrate_lazy(move || {
        provide_context(texts);
        view! { <App/> }
    });
}
