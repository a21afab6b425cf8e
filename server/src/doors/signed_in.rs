//! `POST /api/billing/portal`: a portal link for whoever is signed in at the merchant's, by the token that says so.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    AUTHORIZATION, ORIGIN, VARY, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use billing::portal::configuration::{self, Lifetimes};
use billing::portal::session::{self, SessionOrigin, Terms};
use billing::portal::{NewSession, focus};
use billing::{Actor, Error, Result, Trace, directory, transact};
use serde_json::{Value, json};

use super::json::{Fields, Wrong, answer, is_ours};
use super::token::{Verified, verify};
use crate::state::App;

/// How long the link waits, and how long the session lives without a request.
const HOUR: i64 = 60 * 60;

struct Asked {
    return_url: String,
    configuration: Option<String>,
}

pub async fn portal(
    State(app): State<App>,
    Extension(trace): Extension<Trace>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let answered = answered(&app, trace, &headers, body).await;
    allowed(&app, &headers, answered).await
}

/// `OPTIONS`: a browser asks whether a page of this origin may call.
pub async fn preflight(State(app): State<App>, headers: HeaderMap) -> Response {
    let mut response = allowed(&app, &headers, StatusCode::NO_CONTENT.into_response()).await;
    if response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        let own = response.headers_mut();
        own.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        own.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type"));
        own.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

/// Says so to browsers where a merchant has listed the origin.
async fn allowed(app: &App, headers: &HeaderMap, mut response: Response) -> Response {
    response.headers_mut().insert(VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = headers.get(ORIGIN).and_then(|v| v.to_str().ok()) else { return response };
    let known = async {
        let mut tx = app.db.read().await?;
        directory::knows_origin(&mut tx, origin).await
    };
    if matches!(known.await, Ok(true))
        && let Ok(origin) = HeaderValue::from_str(origin)
    {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}

async fn answered(app: &App, trace: Trace, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let verified = match bearer(headers) {
        Some(token) => verify(app, token).await,
        None => Ok(None),
    };
    let verified = match verified {
        Ok(Some(verified)) => verified,
        Ok(None) => return unauthorized(),
        Err(error) => return failed(&error),
    };
    let asked = Fields::parse(body).and_then(|fields| read(fields, &verified));
    let asked = match asked {
        Ok(asked) => asked,
        Err(refusal) => return invalid(&refusal.message),
    };
    match mint(app, trace, &verified, &asked).await {
        Ok(url) => answer(StatusCode::OK, &json!({ "success": true, "data": { "url": url } })),
        Err(error) => failed(&error),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn read(mut fields: Fields, verified: &Verified) -> Result<Asked, Wrong> {
    let asked = Asked {
        return_url: fields.text("returnUrl")?.ok_or_else(|| Wrong::new("returnUrl", "returnUrl is required"))?,
        configuration: fields.text("configuration")?,
    };
    fields.finish()?;
    configuration::check_url(&asked.return_url, verified.tenant.livemode, "returnUrl")
        .map_err(|error| Wrong::new("returnUrl", format!("returnUrl: {error}")))?;
    if !verified.issuer.returns_to(&asked.return_url) {
        return Err(Wrong::new("returnUrl", "returnUrl is not one of the URLs that customers may be sent back to"));
    }
    Ok(asked)
}

async fn mint(app: &App, trace: Trace, verified: &Verified, asked: &Asked) -> Result<String> {
    let who = Actor { trace, ..Actor::system(verified.tenant.clone(), "signed_in") };
    transact!(app.db, |tx| {
        let customer = focus::customer(tx, &who, &verified.named).await?;
        let customer = customer.ok_or_else(|| Error::missing("customer", "").on("customer"))?;
        let chosen = asked.configuration.as_deref().unwrap_or("default");
        let usual = configuration::get(tx, &who, chosen).await.map_err(|error| error.on("configuration"))?.session.0;
        let new = NewSession {
            customer: customer.id,
            configuration: asked.configuration.clone(),
            return_url: Some(asked.return_url.clone()),
            cancel_url: None,
            locale: None,
            subscription: None,
            flow: None,
            origin: SessionOrigin::SignedIn,
        };
        let lifetimes = Lifetimes { link_ttl: HOUR, idle: HOUR, max: usual.max.max(HOUR) };
        let terms = Terms { lifetimes: Some(lifetimes), ..Terms::default() };
        Ok(session::create_on(tx, &who, new, terms).await?.url)
    })
}

fn failed(error: &Error) -> Response {
    match error {
        Error::Missing { param, .. } if param == "customer" => {
            refused(StatusCode::NOT_FOUND, "NOT_FOUND", "No billing customer record found")
        }
        Error::Missing { param, .. } | Error::Invalid { param, .. } => invalid(&format!("{param}: {error}")),
        Error::Unavailable(_) => {
            is_ours(error);
            refused(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "This cannot be done right now")
        }
        other => {
            is_ours(other);
            refused(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "Something went wrong on our side")
        }
    }
}

fn unauthorized() -> Response {
    let mut response = refused(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Authentication required");
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn invalid(message: &str) -> Response {
    refused(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
}

fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    let body: Value = json!({ "success": false, "error": { "code": code, "message": message } });
    answer(status, &body)
}
