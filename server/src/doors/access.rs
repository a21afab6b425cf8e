//! `POST /customer-portal/access/…`: a magic link is asked for, used, and its session ended, by calls instead of pages.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use billing::directory;
use billing::portal::login::{self, Destination, Entry};
use billing::{Error, Trace, id};
use serde_json::json;

use super::flat::{refused, wrong};
use super::json::{Fields, Wrong, answer, is_ours};
use crate::cookie::Held;
use crate::front::Place;
use crate::login::{Turn, ask, cleared, count_try, end, enter, place};
use crate::state::App;
use crate::{cookie, front, visit};

struct Asked {
    email: String,
    company: Option<String>,
    destination: Destination,
}

/// `request-link`: 202, whoever has the address, if anybody.
pub async fn request_link(
    State(app): State<App>,
    Extension(trace): Extension<Trace>,
    Extension(host): Extension<Place>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let asked =
        match from_a_page_of_ours(&headers).and_then(|()| Fields::parse(body)).and_then(|fields| read(fields, &host)) {
            Ok(asked) => asked,
            Err(refusal) => return wrong(refusal),
        };
    let found = async {
        let mut tx = app.db.read().await?;
        match (&host.owner, &asked.company) {
            // Under its own host a merchant need not say its name, and no other has one.
            (Some(owner), company) if company.as_ref().is_none_or(|id| *id == owner.merchant) => {
                directory::by_owner(&mut tx, owner).await.map(Some)
            }
            (None, Some(company)) => directory::by_merchant(&mut tx, company).await,
            _ => Ok(None),
        }
    };
    let lobby = match found.await {
        Ok(lobby) => lobby,
        Err(error) => return failed(&error),
    };
    let Some(lobby) = lobby else {
        // No such merchant: there is nobody to write to.
        return accepted(cookie::set_login(&app.settings, &id::secret(), login::LIVES_MS / 1000));
    };
    match ask(&app, &lobby, (&asked.email, asked.destination), &headers, &trace).await {
        Ok(Turn::Done(cookie)) => accepted(cookie),
        Ok(Turn::Wait(seconds)) => too_often(seconds),
        Err(error) => failed(&error),
    }
}

fn read(mut fields: Fields, host: &Place) -> Result<Asked, Wrong> {
    let needed =
        |name: &str, value: Option<String>| value.ok_or_else(|| Wrong::new(name, format!("{name} is required.")));
    let email = needed("email", fields.text("email")?)?;
    let company = fields.text("company_id")?;
    if host.owner.is_none() {
        needed("company_id", company.clone())?;
    }
    let destination = fields.text("destination")?.unwrap_or_else(|| Destination::Home.name().into());
    let destination = Destination::parse(&destination, "destination")
        .map_err(|error| Wrong::new("destination", error.to_string()))?;
    billing::customer::check_email(&email, "email").map_err(|error| Wrong::new("email", error.to_string()))?;
    fields.finish()?;
    Ok(Asked { email, company, destination })
}

fn accepted(cookie: HeaderValue) -> Response {
    let mut response = answer(StatusCode::ACCEPTED, &json!({}));
    response.headers_mut().insert(SET_COOKIE, cookie);
    response
}

/// `consume`: the mailed token becomes a session, whose cookie the answer sets.
pub async fn consume(
    State(app): State<App>,
    Extension(trace): Extension<Trace>,
    Extension(host): Extension<Place>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let token = from_a_page_of_ours(&headers).and_then(|()| Fields::parse(body)).and_then(|mut fields| {
        let token = fields.text("token")?;
        fields.finish().map(|()| token.unwrap_or_default())
    });
    let token = match token {
        Ok(token) => token,
        Err(refusal) => return wrong(refusal),
    };
    match count_try(&app, &trace).await {
        Ok(None) => {}
        Ok(Some(seconds)) => return too_often(seconds),
        Err(error) => return failed(&error),
    }
    let (lobby, destination, entry) = match enter(&app, &host, &token, &trace).await {
        Ok(entered) => entered,
        Err(Error::Missing { .. }) => {
            let message = "The token is not valid: it was used, has expired, or never was.";
            return refused(StatusCode::BAD_REQUEST, "invalid_token", message, Some("token"));
        }
        Err(error) => return failed(&error),
    };
    let settings = &app.settings;
    let (page, expires, cookies) = match entry {
        Entry::In { session, cookie } => {
            let expires = session.started_ms.unwrap_or(session.link_expires_ms).plus(session.max_ms);
            let held = Held { value: cookie, is_framed: false };
            let cookies = cookie::set(settings, &held, session.max_ms / 1000);
            (place(destination, &lobby.configuration), expires, cookies.to_vec())
        }
        Entry::Choice { proof, expires } => {
            ("/choose", expires, vec![cookie::set_login(settings, &proof, login::LIVES_MS / 1000)])
        }
    };
    let body = json!({ "url": format!("{}{page}", host.origin), "expires_at": expires.seconds() });
    let mut response = answer(StatusCode::OK, &body);
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// `sign-out`: 204, also where nobody was signed in.
pub async fn sign_out(
    State(app): State<App>,
    Extension(trace): Extension<Trace>,
    Extension(host): Extension<Place>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = from_elsewhere(&headers) {
        return wrong(refusal);
    }
    let ended = async {
        let Some(held) = cookie::read(&headers, &app.settings) else { return Ok(()) };
        match visit::guest(&app, &host, &held).await? {
            Some(guest) => end(&app, &guest, trace, false).await,
            None => Ok(()),
        }
    };
    match ended.await {
        Ok(()) => cleared(&app, StatusCode::NO_CONTENT.into_response()),
        Err(error) => failed(&error),
    }
}

/// Browsers ask before they send JSON to another site, and are not told yes; whatever else comes from a page of another
/// site is refused.
fn from_a_page_of_ours(headers: &HeaderMap) -> Result<(), Wrong> {
    from_elsewhere(headers)?;
    let media = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).and_then(|v| v.split(';').next());
    if media.is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json")) {
        Ok(())
    } else {
        Err(Wrong::new("Content-Type", "The request's body must be application/json."))
    }
}

fn from_elsewhere(headers: &HeaderMap) -> Result<(), Wrong> {
    if front::is_from_elsewhere(headers) {
        return Err(Wrong::new("Sec-Fetch-Site", "This call is not for pages of other sites."));
    }
    Ok(())
}

fn too_often(seconds: i64) -> Response {
    let message = "Too many requests. Please try again later.";
    let mut response = refused(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message, None);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn failed(error: &Error) -> Response {
    is_ours(error);
    refused(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong on our side.", None)
}
