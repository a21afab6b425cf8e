//! Who asks: the server looks the visitor up once a request, and pages and server functions read it here.

use std::sync::Arc;

use billing::directory::Guest;
use billing::gateway::PaymentGateway;
use billing::portal::Features;
use billing::portal::flow::{After, Flow, FlowType};
use billing::{Actor, Db, Trace};
use http::StatusCode;
use http::request::Parts;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::parts::{Form, Shown};
use crate::text::Locale;

/// One request, as the server's front layer resolved it; it lives in the request's extensions.
#[derive(Clone)]
pub struct Visit {
    pub db: Db,
    pub gateway: Arc<dyn PaymentGateway>,
    /// The origin of the hosted fields.
    pub fields_url: String,
    /// The origin that the portal is asked under.
    pub portal_url: String,
    /// The customer's living session. `None` for everybody else.
    pub guest: Option<Arc<Guest>>,
    /// Whether the page stands in a frame of the merchant's.
    pub is_framed: bool,
    pub locale: Locale,
    pub trace: Trace,
}

/// A customer in a living session: what every page and server function begins with.
#[derive(Clone)]
pub struct Session {
    pub db: Db,
    /// Charges what a customer agrees to.
    pub gateway: Arc<dyn PaymentGateway>,
    /// The origin of the hosted fields.
    pub fields_url: String,
    /// The origin that the portal is asked under.
    pub portal_url: String,
    pub guest: Arc<Guest>,
    pub is_framed: bool,
    pub locale: Locale,
    /// Held to ask anything of the books: it reaches this customer's objects only.
    pub who: Actor,
}

impl Session {
    /// The session of the request being answered; an error where there is none, and while routes are listed at start.
    pub fn current() -> Result<Self> {
        let parts = use_context::<Parts>().ok_or(Error::SignedOut)?;
        let visit = parts.extensions.get::<Visit>().ok_or(Error::SignedOut)?.clone();
        let guest = visit.guest.ok_or(Error::SignedOut)?;
        let who = guest.actor(visit.trace.clone());
        let Visit { db, gateway, fields_url, portal_url, is_framed, locale, .. } = visit;
        Ok(Self { db, gateway, fields_url, portal_url, guest, is_framed, locale, who })
    }

    /// The current session, if the form that is being sent was drawn in it: a stale tab of another customer's session
    /// changes nothing. The form's key goes into the trail of what is done.
    pub fn of_form(session: &str, key: String) -> Result<Self> {
        let mut current = Self::current()?;
        if current.guest.session.id != session {
            return Err(Error::Stale);
        }
        current.who.trace.idempotency_key = Some(key).filter(|key| !key.is_empty() && key.len() <= 255);
        Ok(current)
    }

    /// Refuses what this portal does not offer.
    pub fn needs(&self, offered: impl Fn(&Features) -> bool) -> Result<()> {
        if offered(&self.guest.configuration.features) { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// Where an act that is done leads: `to`, unless a flow says otherwise.
    pub fn onward(&self, to: String) -> String {
        match self.guest.session.in_flow().map(|flow| flow.after_completion.r#type) {
            None => to,
            Some(After::PortalHomepage) => "/".to_owned(),
            Some(After::HostedConfirmation | After::Redirect) => "/done".to_owned(),
        }
    }

    /// Where leaving an act undone leads: `to`, but out of a flow there is only the way back to the merchant.
    pub fn aside(&self, to: String) -> String {
        let leaves = self.guest.session.in_flow().is_some() && crate::present::frame::has_way_back(self);
        if leaves { "/leave".to_owned() } else { to }
    }

    /// A page's view data, with what its forms must carry.
    pub fn show(&self, page: &impl Serialize) -> Shown {
        Shown::new(Form { session: self.guest.session.id.clone(), key: billing::id::secret() }, page)
    }
}

/// Where a session begins: with its flow, else where its door said, else at the subscription in focus, else at the overview.
pub fn landing(guest: &Guest) -> String {
    let session = &guest.session;
    match session.in_flow() {
        Some(_) if session.completed_ms.is_some() => "/done".to_owned(),
        Some(flow) => place(flow),
        None => session.start.clone().unwrap_or_else(|| {
            session.subscription.as_ref().map_or("/".to_owned(), |id| format!("/subscriptions/{id}"))
        }),
    }
}

/// The page that a flow is about.
pub(crate) fn place(flow: &Flow) -> String {
    let of = |page: &str| format!("/subscriptions/{}/{page}", flow.subscription().unwrap_or_default());
    match flow.r#type {
        FlowType::CustomerUpdate => "/details".to_owned(),
        FlowType::PaymentMethodUpdate => "/payment-methods".to_owned(),
        FlowType::SubscriptionCancel => of("cancel"),
        FlowType::SubscriptionPause => of("pause"),
        FlowType::SubscriptionUpdate => of("change"),
        FlowType::SubscriptionUpdateConfirm => of("change/review"),
    }
}

/// The language of the request being answered; English while routes are listed at start.
pub(crate) fn locale() -> Locale {
    use_context::<Parts>()
        .and_then(|parts| parts.extensions.get::<Visit>().map(|visit| visit.locale))
        .unwrap_or_default()
}

/// Sets the status of the answer that is being made.
pub(crate) fn answer_with(status: u16) {
    if let (Some(options), Ok(status)) = (use_context::<ResponseOptions>(), StatusCode::from_u16(status)) {
        options.set_status(status);
    }
}
