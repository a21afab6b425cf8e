//! The hosted fields: where numbers are typed, and where a bank asks its customer. A listener on an origin of its own,
//! which neither reads nor sets a cookie: what lets somebody in is a ticket that the portal sealed. A number goes from
//! here to the gateway; the portal is handed a reference.

mod confirm;
mod enter;
mod typed;

use app::pages::fields::OverPage;
use app::text::Locale;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use billing::directory::{self, Guest};
use billing::portal::fields::Ticket;
use billing::{Actor, Error, Result, Tenant, Trace};
use leptos::prelude::*;

use crate::state::App;
use crate::{framing, front, shell, site};

/// Every path of this listener, for the table of callers × endpoints.
pub const ROUTES: &[(&str, &str)] = &[
    ("GET", "/enter/{ticket}"),
    ("POST", "/enter/{ticket}"),
    ("GET", "/confirm/{ticket}"),
    ("POST", "/confirm/{ticket}"),
    ("GET", "/favicon.svg"),
];

pub fn router(app: App) -> Router {
    Router::new()
        .route("/enter/{ticket}", get(enter::show).post(enter::take))
        .route("/confirm/{ticket}", get(confirm::show).post(confirm::answer))
        .route("/favicon.svg", get(site::file))
        .layer(from_fn(front::small_body))
        .layer(from_fn(front::in_time))
        .layer(from_fn_with_state(app.clone(), own_forms))
        .layer(from_fn_with_state(app.clone(), front::fields_host))
        .layer(axum::middleware::map_response(no_referrer))
        .layer(from_fn_with_state(app.clone(), front::headers))
        .layer(from_fn(front::observe))
        .layer(from_fn_with_state(app.clone(), front::identify))
        .with_state(app)
}

/// What is posted here comes from a page of here.
async fn own_forms(State(app): State<App>, request: Request, next: Next) -> Response {
    if *request.method() == Method::POST && !front::is_from(request.headers(), &app.settings.fields_url()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

/// The path is a ticket: it goes nowhere from here, but for the origin that a form must say.
async fn no_referrer(mut response: Response) -> Response {
    let policy = axum::http::HeaderValue::from_static("strict-origin");
    response.headers_mut().insert(axum::http::header::REFERRER_POLICY, policy);
    response
}

/// Who came with a ticket.
pub(crate) struct Caller {
    pub ticket: Ticket,
    pub tenant: Tenant,
    /// Whose portal session it is; none for the holder of an invoice's link.
    pub guest: Option<Guest>,
    pub merchant: String,
    pub locale: Locale,
}

impl Caller {
    /// Who may frame what is shown: the portal, and the pages that may frame that.
    pub fn parents(&self) -> String {
        let listed = self.guest.as_ref().map(|guest| framing::parents(&guest.configuration)).unwrap_or_default();
        let mut all = vec![self.ticket.portal.clone()];
        all.extend(listed.iter().cloned());
        all.join(" ")
    }

    /// Acts as the customer in their session, else as the gateway that asks.
    pub fn actor(&self, trace: Trace) -> Actor {
        match &self.guest {
            Some(guest) => guest.actor(trace),
            None => Actor { trace, ..Actor::system(self.tenant.clone(), "gateway") },
        }
    }
}

/// `Missing` where the ticket is none, or its session is over.
pub(crate) async fn caller(app: &App, sealed: &str) -> Result<Caller> {
    let mut tx = app.db.read().await?;
    let ticket = Ticket::open(&tx, sealed)?;
    let tenant = directory::tenant_by_key(&mut tx, ticket.tenant).await?;
    let guest = match &ticket.session {
        Some(session) => {
            let found = directory::by_session(&mut tx, ticket.tenant, session).await?;
            let alive = found.filter(|guest| guest.is_alive(app.db.clock().wall()));
            Some(alive.ok_or_else(|| Error::missing("billing_portal.session", session))?)
        }
        None => None,
    };
    let merchant = match &guest {
        Some(guest) => guest.brand.name.clone(),
        None => directory::merchant(&mut tx, &tenant.merchant).await?.name,
    };
    let locale = Locale::choose(Some(&ticket.locale), &[], "", None);
    Ok(Caller { ticket, tenant, guest, merchant, locale })
}

/// A ticket that is over, and what else cannot be shown.
pub(crate) fn refuse(app: &App, error: &Error, locale: Locale) -> Response {
    let status = match error {
        Error::Missing { .. } => StatusCode::GONE,
        Error::Forbidden(_) => StatusCode::FORBIDDEN,
        other => {
            tracing::error!(error = ?other, "the hosted fields could not answer");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    let title = app::text::title(locale);
    let portal = app.settings.public_url.clone();
    shell::fields(locale, status, None, title, (None, &app.settings.public_url), move || view! { <OverPage portal/> })
}
