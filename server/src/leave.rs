//! The way out of the portal: back to where the merchant said.

use app::session::Visit;
use axum::http::request::Parts;
use axum::response::Response;
use billing::directory::Guest;
use billing::portal::session::SessionOrigin;
use url::Url;

use crate::entry::redirect;
use crate::visit::Ended;

/// `GET /leave`: back to the merchant. Something was done: as its flow says, else to
/// `return_url`; nothing: `cancel_url`, if there is one.
pub async fn leave(request: Parts) -> Response {
    let visit = request.extensions.get::<Visit>();
    let ended = request.extensions.get::<Ended>().map(|ended| ended.0.clone());
    let Some(guest) = visit.and_then(|visit| visit.guest.clone()).or(ended) else { return redirect("/") };
    way_back(&guest).map_or_else(|| redirect("/"), |url| redirect(&url))
}

/// The URL that leaving leads to, if the session or its configuration names one.
pub fn way_back(guest: &Guest) -> Option<String> {
    let session = &guest.session;
    let completed = session.completed_ms.is_some();
    let after = session.flow.as_ref().and_then(|flow| flow.after_completion.redirect.as_ref()).filter(|_| completed);
    if let Some(redirect) = after {
        return Some(redirect.return_url.clone());
    }
    let target = if completed {
        session.return_url.as_ref()
    } else {
        session.cancel_url.as_ref().or(session.return_url.as_ref())
    };
    let mut url = Url::parse(target.or(guest.configuration.default_return_url.as_ref())?).ok()?;
    let is_told = session.cancel_url.is_some() || session.origin == SessionOrigin::Hosted;
    if completed && is_told {
        url.query_pairs_mut().append_pair("success", "true");
    }
    Some(url.into())
}
