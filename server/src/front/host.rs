//! Under which host one is asked: the public URL's, or a merchant's own.

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use billing::Tenant;
use billing::portal::domain;

use crate::api::error::Failure;
use crate::config::authority;
use crate::shell;
use crate::state::App;

/// Where a request has come to, in its extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As in a `Host` header, in lower case: what cookies are bound to.
    pub authority: String,
    /// `https://billing.example.com`
    pub origin: String,
    /// Whose own host it is; `None` on the public URL's, which is everybody's.
    pub owner: Option<Tenant>,
}

impl Place {
    /// Whether what is this tenant's may be seen here.
    pub fn serves(&self, tenant: &Tenant) -> bool {
        self.owner.as_ref().is_none_or(|owner| owner == tenant)
    }
}

/// The portal answers under the public URL and under proven domains; any other host gets nothing.
pub async fn portal_host(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let Some(authority) = asked(&request) else { return StatusCode::MISDIRECTED_REQUEST.into_response() };
    match place(&app, authority).await {
        Ok(Some(place)) => {
            request.extensions_mut().insert(place);
            next.run(request).await
        }
        Ok(None) => StatusCode::MISDIRECTED_REQUEST.into_response(),
        Err(error) => {
            tracing::error!(?error, "a host could not be looked up");
            shell::broken(app::text::Locale::default())
        }
    }
}

/// What is for the merchant's own people answers under the public URL only.
pub async fn public_host(State(app): State<App>, request: Request, next: Next) -> Response {
    if is_public(&app, &request) { next.run(request).await } else { StatusCode::MISDIRECTED_REQUEST.into_response() }
}

/// So does the merchant API, in its own words.
pub async fn api_host(State(app): State<App>, request: Request, next: Next) -> Response {
    if is_public(&app, &request) {
        return next.run(request).await;
    }
    let mut refused = Failure::unknown_path(request.method().as_str(), request.uri().path());
    refused.status = StatusCode::MISDIRECTED_REQUEST;
    refused.into_response()
}

async fn place(app: &App, authority: String) -> billing::Result<Option<Place>> {
    let (scheme, public) = app.settings.public_url.split_once("://").unwrap_or_default();
    let of = |owner| Some(Place { origin: format!("{scheme}://{authority}"), authority: authority.clone(), owner });
    if authority == public {
        return Ok(of(None));
    }
    // A domain stands before the same front, and so on the same port.
    let Some(name) = authority.strip_suffix(port(public)).filter(|name| !name.contains([':', '@', '['])) else {
        return Ok(None);
    };
    let owner = domain::by_name(&mut app.db.read().await?, name).await?;
    Ok(owner.and_then(|owner| of(Some(owner))))
}

/// `:3000`, or nothing.
fn port(authority: &str) -> &str {
    let at = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
    at.map_or("", |at| &authority[at..])
}

fn is_public(app: &App, request: &Request) -> bool {
    asked(request).is_some_and(|authority| authority == app.settings.authority())
}

/// The one host that a request names. A whole URL in its first line must name the same as the header, if there is one:
/// what stands in front may have believed the other.
fn asked(request: &Request) -> Option<String> {
    let in_line = request.uri().authority().map(|authority| authority.as_str());
    let named = match (in_line, request.headers().contains_key(HOST)) {
        (Some(line), false) => line,
        (Some(line), true) => host(request.headers()).filter(|host| host.eq_ignore_ascii_case(line))?,
        (None, _) => host(request.headers())?,
    };
    Some(named.to_ascii_lowercase())
}

/// So do the hosted fields, under theirs.
pub async fn fields_host(State(app): State<App>, request: Request, next: Next) -> Response {
    if asked(&request).is_some_and(|named| named == authority(&app.settings.fields_url())) {
        return next.run(request).await;
    }
    StatusCode::MISDIRECTED_REQUEST.into_response()
}

/// The one `Host` header; none if it is absent or said twice.
pub fn host(headers: &HeaderMap) -> Option<&str> {
    let mut named = headers.get_all(HOST).iter();
    let host = named.next()?.to_str().ok()?;
    if named.next().is_none() { Some(host) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_stands_behind_the_host() {
        assert_eq!(
            (port("localhost:3000"), port("billing.example"), port("[::1]"), port("[::1]:1")),
            (":3000", "", "", ":1")
        );
    }
}
