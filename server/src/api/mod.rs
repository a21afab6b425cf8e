//! The merchant API: Stripe's dialect for the objects that Portico has, on `/v1`.

/// Makes a change in one transaction and renders its answer there: `change!(call, |tx| wire::…(&update(tx, …).await?))`.
macro_rules! change {
    ($call:expr, |$tx:ident| $work:expr) => {{
        let call: &$crate::api::call::Ready = &$call;
        billing::transact!(call.app.db, |$tx| {
            let value: serde_json::Value = $work;
            call.keep($tx, value).await
        })
    }};
}

mod account;
pub mod answer;
mod audit_entries;
pub mod auth;
mod balance_transactions;
mod body;
pub mod call;
mod charges;
mod configuration_features;
mod configurations;
mod coupons;
mod credit_notes;
mod customers;
pub mod describe;
mod discounts;
pub mod error;
mod events;
pub mod expand;
mod feedback_options;
pub mod form;
mod idempotency;
mod invoice_items;
mod invoice_lines;
mod invoice_moves;
mod invoice_payments;
mod invoices;
pub mod known;
mod list;
mod mandates;
pub mod params;
mod payment_intents;
mod payment_methods;
mod portal_domains;
mod portal_issuers;
mod portal_settings;
mod previews;
mod price_terms;
mod prices;
mod products;
mod promotion_codes;
mod refunds;
mod sessions;
mod setup_intents;
mod subscription_changes;
mod subscription_items;
mod subscription_quotes;
mod subscription_terms;
mod subscriptions;
mod tax_ids;
mod tax_rates;
mod test_clocks;
mod webhook_deliveries;
mod webhook_endpoints;

use std::future::Future;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{MethodFilter, MethodRouter, any, on};
use billing::{Actor, Result};
use tower_http::catch_panic::CatchPanicLayer;

use crate::state::App;
use answer::{Limits, Reply};
use call::Call;
use describe::Endpoint;

/// The largest body that a request may have, in bytes.
pub const MOST_BODY: usize = 1024 * 1024;
const MOST_TIME: Duration = Duration::from_secs(30);

/// Declares the routes once: as the table that tests walk, and as the router.
macro_rules! routes {
    ($($method:ident $path:literal => $handler:path;)+) => {
        /// Every endpoint: its method and its path.
        pub const ROUTES: &[(&str, &str)] = &[$((stringify!($method), $path)),+];

        fn routes() -> Router<App> {
            Router::new()$(.route($path, handle(MethodFilter::$method, $handler)))+
        }

        /// What each endpoint takes and answers, as its handler says.
        pub async fn describe(app: &App, who: &Actor) -> Vec<Endpoint> {
            // Each on the heap: together they would be too much for a thread's stack.
            vec![$(Box::pin(describe::endpoint(app, who, stringify!($method), $path, $handler)).await),+]
        }
    };
}

routes! {
    GET    "/v1/account" => account::retrieve;
    GET    "/v1/accounts/{id}" => account::retrieve_by_id;

    POST   "/v1/customers" => customers::create;
    GET    "/v1/customers" => customers::list;
    GET    "/v1/customers/{id}" => customers::retrieve;
    POST   "/v1/customers/{id}" => customers::update;
    DELETE "/v1/customers/{id}" => customers::delete;
    POST   "/v1/customers/{id}/balance_transactions" => balance_transactions::create;
    GET    "/v1/customers/{id}/balance_transactions" => balance_transactions::list;
    GET    "/v1/customers/{id}/balance_transactions/{inner}" => balance_transactions::retrieve;
    POST   "/v1/customers/{id}/balance_transactions/{inner}" => balance_transactions::update;
    DELETE "/v1/customers/{id}/discount" => discounts::delete_of_customer;
    GET    "/v1/customers/{id}/payment_methods" => payment_methods::list_of_customer;
    GET    "/v1/customers/{id}/payment_methods/{inner}" => payment_methods::retrieve_of_customer;
    GET    "/v1/customers/{id}/subscriptions" => subscriptions::list_of_customer;
    POST   "/v1/customers/{id}/tax_ids" => tax_ids::create_of_customer;
    GET    "/v1/customers/{id}/tax_ids" => tax_ids::list_of_customer;
    GET    "/v1/customers/{id}/tax_ids/{inner}" => tax_ids::retrieve_of_customer;
    DELETE "/v1/customers/{id}/tax_ids/{inner}" => tax_ids::delete_of_customer;

    POST   "/v1/tax_ids" => tax_ids::create;
    GET    "/v1/tax_ids" => tax_ids::list;
    GET    "/v1/tax_ids/{id}" => tax_ids::retrieve;
    DELETE "/v1/tax_ids/{id}" => tax_ids::delete;

    POST   "/v1/products" => products::create;
    GET    "/v1/products" => products::list;
    GET    "/v1/products/{id}" => products::retrieve;
    POST   "/v1/products/{id}" => products::update;
    DELETE "/v1/products/{id}" => products::delete;

    POST   "/v1/prices" => prices::create;
    GET    "/v1/prices" => prices::list;
    GET    "/v1/prices/{id}" => prices::retrieve;
    POST   "/v1/prices/{id}" => prices::update;

    POST   "/v1/coupons" => coupons::create;
    GET    "/v1/coupons" => coupons::list;
    GET    "/v1/coupons/{id}" => coupons::retrieve;
    POST   "/v1/coupons/{id}" => coupons::update;
    DELETE "/v1/coupons/{id}" => coupons::delete;

    POST   "/v1/promotion_codes" => promotion_codes::create;
    GET    "/v1/promotion_codes" => promotion_codes::list;
    GET    "/v1/promotion_codes/{id}" => promotion_codes::retrieve;
    POST   "/v1/promotion_codes/{id}" => promotion_codes::update;

    POST   "/v1/tax_rates" => tax_rates::create;
    GET    "/v1/tax_rates" => tax_rates::list;
    GET    "/v1/tax_rates/{id}" => tax_rates::retrieve;
    POST   "/v1/tax_rates/{id}" => tax_rates::update;

    POST   "/v1/payment_methods" => payment_methods::create;
    GET    "/v1/payment_methods" => payment_methods::list;
    GET    "/v1/payment_methods/{id}" => payment_methods::retrieve;
    POST   "/v1/payment_methods/{id}" => payment_methods::update;
    POST   "/v1/payment_methods/{id}/attach" => payment_methods::attach;
    POST   "/v1/payment_methods/{id}/detach" => payment_methods::detach;

    POST   "/v1/subscriptions" => subscriptions::create;
    GET    "/v1/subscriptions" => subscriptions::list;
    GET    "/v1/subscriptions/{id}" => subscriptions::retrieve;
    POST   "/v1/subscriptions/{id}" => subscriptions::update;
    DELETE "/v1/subscriptions/{id}" => subscriptions::cancel;
    POST   "/v1/subscriptions/{id}/cancel" => subscriptions::cancel;
    DELETE "/v1/subscriptions/{id}/discount" => discounts::delete_of_subscription;
    POST   "/v1/subscriptions/{id}/pause" => subscription_changes::pause;
    POST   "/v1/subscriptions/{id}/resume" => subscription_changes::resume;
    GET    "/v1/subscriptions/{id}/scheduled_changes" => subscription_changes::list;
    POST   "/v1/subscriptions/{id}/scheduled_change/cancel" => subscription_changes::undo;
    POST   "/v1/subscriptions/{id}/pending_update/cancel" => subscription_changes::drop_pending;

    POST   "/v1/subscription_quotes" => subscription_quotes::create;
    POST   "/v1/subscription_quotes/confirm" => subscription_quotes::confirm;

    POST   "/v1/subscription_items" => subscription_items::create;
    GET    "/v1/subscription_items" => subscription_items::list;
    GET    "/v1/subscription_items/{id}" => subscription_items::retrieve;
    POST   "/v1/subscription_items/{id}" => subscription_items::update;
    DELETE "/v1/subscription_items/{id}" => subscription_items::delete;

    POST   "/v1/invoiceitems" => invoice_items::create;
    GET    "/v1/invoiceitems" => invoice_items::list;
    GET    "/v1/invoiceitems/{id}" => invoice_items::retrieve;
    POST   "/v1/invoiceitems/{id}" => invoice_items::update;
    DELETE "/v1/invoiceitems/{id}" => invoice_items::delete;

    POST   "/v1/invoices" => invoice_moves::create;
    GET    "/v1/invoices" => invoices::list;
    POST   "/v1/invoices/create_preview" => previews::create;
    GET    "/v1/invoices/{id}" => invoices::retrieve;
    POST   "/v1/invoices/{id}" => invoice_moves::update;
    DELETE "/v1/invoices/{id}" => invoice_moves::delete;
    POST   "/v1/invoices/{id}/finalize" => invoice_moves::finalize;
    POST   "/v1/invoices/{id}/send" => invoice_moves::send;
    POST   "/v1/invoices/{id}/pay" => invoice_moves::pay;
    POST   "/v1/invoices/{id}/void" => invoice_moves::void;
    POST   "/v1/invoices/{id}/mark_uncollectible" => invoice_moves::mark_uncollectible;
    GET    "/v1/invoices/{id}/lines" => invoices::lines;
    POST   "/v1/invoices/{id}/add_lines" => invoice_lines::add;
    POST   "/v1/invoices/{id}/update_lines" => invoice_lines::update;
    POST   "/v1/invoices/{id}/remove_lines" => invoice_lines::remove;

    GET    "/v1/invoice_payments" => invoice_payments::list;
    GET    "/v1/invoice_payments/{id}" => invoice_payments::retrieve;

    POST   "/v1/credit_notes" => credit_notes::create;
    GET    "/v1/credit_notes" => credit_notes::list;
    GET    "/v1/credit_notes/preview" => credit_notes::preview;
    GET    "/v1/credit_notes/preview/lines" => credit_notes::preview_lines;
    GET    "/v1/credit_notes/{id}" => credit_notes::retrieve;
    POST   "/v1/credit_notes/{id}" => credit_notes::update;
    GET    "/v1/credit_notes/{id}/lines" => credit_notes::lines;
    POST   "/v1/credit_notes/{id}/void" => credit_notes::void;

    POST   "/v1/refunds" => refunds::create;
    GET    "/v1/refunds" => refunds::list;
    GET    "/v1/refunds/{id}" => refunds::retrieve;
    POST   "/v1/refunds/{id}" => refunds::update;
    POST   "/v1/refunds/{id}/cancel" => refunds::cancel;

    GET    "/v1/payment_intents" => payment_intents::list;
    GET    "/v1/payment_intents/{id}" => payment_intents::retrieve;

    GET    "/v1/charges" => charges::list;
    GET    "/v1/charges/{id}" => charges::retrieve;

    GET    "/v1/mandates/{id}" => mandates::retrieve;

    POST   "/v1/setup_intents" => setup_intents::create;
    GET    "/v1/setup_intents" => setup_intents::list;
    GET    "/v1/setup_intents/{id}" => setup_intents::retrieve;
    POST   "/v1/setup_intents/{id}/confirm" => setup_intents::confirm;
    POST   "/v1/setup_intents/{id}/cancel" => setup_intents::cancel;

    GET    "/v1/events" => events::list;
    GET    "/v1/events/{id}" => events::retrieve;
    POST   "/v1/events/{id}/retry" => events::retry;

    POST   "/v1/webhook_endpoints" => webhook_endpoints::create;
    GET    "/v1/webhook_endpoints" => webhook_endpoints::list;
    GET    "/v1/webhook_endpoints/{id}" => webhook_endpoints::retrieve;
    POST   "/v1/webhook_endpoints/{id}" => webhook_endpoints::update;
    DELETE "/v1/webhook_endpoints/{id}" => webhook_endpoints::delete;
    POST   "/v1/webhook_endpoints/{id}/rotate_secret" => webhook_endpoints::rotate_secret;
    POST   "/v1/webhook_endpoints/{id}/replay" => webhook_endpoints::replay;

    GET    "/v1/webhook_deliveries" => webhook_deliveries::list;
    GET    "/v1/webhook_deliveries/{id}" => webhook_deliveries::retrieve;

    GET    "/v1/audit_entries" => audit_entries::list;
    GET    "/v1/audit_entries/{id}" => audit_entries::retrieve;

    POST   "/v1/billing/feedback_options" => feedback_options::create;
    GET    "/v1/billing/feedback_options" => feedback_options::list;
    GET    "/v1/billing/feedback_options/{id}" => feedback_options::retrieve;
    POST   "/v1/billing/feedback_options/{id}" => feedback_options::update;
    POST   "/v1/billing/feedback_options/{id}/deactivate" => feedback_options::deactivate;

    POST   "/v1/billing_portal/sessions" => sessions::create;
    POST   "/v1/billing_portal/sessions/{id}/revoke" => sessions::revoke;

    POST   "/v1/portal_domains" => portal_domains::create;
    GET    "/v1/portal_domains" => portal_domains::list;
    GET    "/v1/portal_domains/{id}" => portal_domains::retrieve;
    DELETE "/v1/portal_domains/{id}" => portal_domains::delete;
    POST   "/v1/portal_domains/{id}/verify" => portal_domains::verify;

    POST   "/v1/portal_issuers" => portal_issuers::create;
    GET    "/v1/portal_issuers" => portal_issuers::list;
    GET    "/v1/portal_issuers/{id}" => portal_issuers::retrieve;
    POST   "/v1/portal_issuers/{id}" => portal_issuers::update;
    DELETE "/v1/portal_issuers/{id}" => portal_issuers::delete;

    GET    "/v1/portal_settings" => portal_settings::retrieve;
    POST   "/v1/portal_settings" => portal_settings::update;
    GET    "/v1/portal_branding" => portal_settings::retrieve_branding;
    POST   "/v1/portal_branding" => portal_settings::update_branding;

    POST   "/v1/billing_portal/configurations" => configurations::create;
    GET    "/v1/billing_portal/configurations" => configurations::list;
    GET    "/v1/billing_portal/configurations/{id}" => configurations::retrieve;
    POST   "/v1/billing_portal/configurations/{id}" => configurations::update;
    POST   "/v1/billing_portal/configurations/{id}/preview" => sessions::preview;

    POST   "/v1/test_helpers/test_clocks" => test_clocks::create;
    GET    "/v1/test_helpers/test_clocks" => test_clocks::list;
    GET    "/v1/test_helpers/test_clocks/{id}" => test_clocks::retrieve;
    DELETE "/v1/test_helpers/test_clocks/{id}" => test_clocks::delete;
    POST   "/v1/test_helpers/test_clocks/{id}/advance" => test_clocks::advance;
}

/// Everything below `/v1`, and what is not there.
pub fn router(app: App) -> Router {
    serve(app, routes(), MOST_TIME)
}

/// One endpoint: `work` answers a [`Call`].
pub fn handle<F, Fut>(method: MethodFilter, work: F) -> MethodRouter<App>
where
    F: FnOnce(Call) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply>> + Send + 'static,
{
    on(method, |State(app): State<App>, request: Request| call::run(app, request, work))
}

/// Puts what every answer needs around routes below `/v1`.
pub fn serve(app: App, routes: Router<App>, time: Duration) -> Router {
    let limits = Limits { clock: app.db.clock().clone(), time };
    // The layer around them gives the router's bare answers their envelope.
    let nothing = || any(async || StatusCode::NOT_FOUND);
    routes
        .route("/v1", nothing())
        .route("/v1/", nothing())
        .route("/v1/{*rest}", nothing())
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(CatchPanicLayer::custom(answer::panicked))
        .layer(middleware::from_fn_with_state(limits, answer::answer))
        .with_state(app)
}
