//! The pages of signing in: the address, the code, the mail's link, the choice between those who share an address.

use std::collections::HashMap;

use app::pages::login::{ChoosePage, LoginPage, OftenPage, SentPage, Trouble, choices};
use app::session::Visit;
use axum::body::Bytes;
use axum::extract::{Extension, Path, Query, State};
use axum::http::header::{HeaderName, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use billing::directory::{self, Lobby};
use billing::portal::login::{self, Destination, Entry, Request};
use billing::{Error, Result, transact};
use leptos::prelude::*;
use url::form_urlencoded;

use super::{Turn, count_try, locale, place};
use crate::cookie::Held;
use crate::entry::redirect;
use crate::front::Place;
use crate::state::App;
use crate::{cookie, shell, visit};

type Asked = HashMap<String, String>;

/// `GET /login/{token}`. Whoever is signed in already goes where the address says.
pub async fn ask(
    State(app): State<App>,
    Path(token): Path<String>,
    Query(query): Query<Asked>,
    Extension(visit): Extension<Visit>,
    Extension(host): Extension<Place>,
    headers: HeaderMap,
) -> Response {
    let lobby = match lobby(&app, &host, &token).await {
        Ok(Some(lobby)) => lobby,
        Ok(None) => return shell::missing(Some(&visit)),
        Err(error) => return broken(&error, &headers),
    };
    let destination = destination(&query).unwrap_or(Destination::Home);
    match &visit.guest {
        Some(guest) if guest.tenant == lobby.tenant => redirect(place(destination, &guest.configuration)),
        _ => login_page(&headers, &lobby, &token, destination, "", None),
    }
}

/// `POST /login/{token}`: the address.
pub async fn asked(
    State(app): State<App>,
    Path(token): Path<String>,
    Extension(visit): Extension<Visit>,
    Extension(host): Extension<Place>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = form(&body);
    let lobby = match lobby(&app, &host, &token).await {
        Ok(Some(lobby)) => lobby,
        Ok(None) => return shell::missing(Some(&visit)),
        Err(error) => return broken(&error, &headers),
    };
    let destination = destination(&form).unwrap_or(Destination::Home);
    let email = form.get("email").map(String::as_str).unwrap_or_default();
    match super::ask(&app, &lobby, (email, destination), &headers, &visit.trace).await {
        Ok(Turn::Done(cookie)) => with(redirect(&format!("/login/{token}/code")), SET_COOKIE, cookie),
        Ok(Turn::Wait(seconds)) => often(&headers, Some(&lobby), seconds),
        Err(Error::Invalid { .. }) => {
            login_page(&headers, &lobby, &token, destination, email, Some(Trouble::NoAddress))
        }
        Err(error) => broken(&error, &headers),
    }
}

fn login_page(
    headers: &HeaderMap,
    lobby: &Lobby,
    token: &str,
    destination: Destination,
    email: &str,
    trouble: Option<Trouble>,
) -> Response {
    let (brand, action, email) = (lobby.brand.clone(), format!("/login/{token}"), email.to_owned());
    let destination = destination.name();
    let status = if trouble.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    shell::page(
        locale(headers, Some(lobby)),
        status,
        Some(&lobby.brand),
        move || view! { <LoginPage brand action destination email trouble/> },
    )
}

/// `GET /login/{token}/code`: what was asked for in this browser is on its way, if to anybody.
pub async fn sent(
    State(app): State<App>,
    Path(token): Path<String>,
    Extension(visit): Extension<Visit>,
    Extension(host): Extension<Place>,
    headers: HeaderMap,
) -> Response {
    match held(&app, &host, &token, &headers).await {
        Ok(Some((lobby, request))) => {
            let trouble = request.as_ref().filter(|own| !own.is_open(app.db.clock().wall())).map(|_| Trouble::DeadCode);
            sent_page(&headers, &lobby, &token, request, trouble)
        }
        Ok(None) => shell::missing(Some(&visit)),
        Err(error) => broken(&error, &headers),
    }
}

/// `POST /login/{token}/code`: the code.
pub async fn code(
    State(app): State<App>,
    Path(token): Path<String>,
    Extension(visit): Extension<Visit>,
    Extension(host): Extension<Place>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (lobby, request) = match held(&app, &host, &token, &headers).await {
        Ok(Some(held)) => held,
        Ok(None) => return shell::missing(Some(&visit)),
        Err(error) => return broken(&error, &headers),
    };
    match count_try(&app, &visit.trace).await {
        Ok(None) => {}
        Ok(Some(seconds)) => return often(&headers, Some(&lobby), seconds),
        Err(error) => return broken(&error, &headers),
    }
    let given = form(&body).remove("code").unwrap_or_default();
    let browser = cookie::read_login(&headers, &app.settings).unwrap_or_default();
    let (who, bound) = (lobby.actor(visit.trace.clone()), visit::bound(&host, false));
    let entered = transact!(app.db, |tx| login::enter_by_code(tx, &who, &browser, &given, &bound).await);
    match entered {
        Ok(Some((destination, entry))) => let_in(&app, &lobby, destination, entry),
        Ok(None) => {
            let is_last = request.as_ref().is_none_or(|own| own.wrong_codes + 1 >= login::MOST_WRONG);
            let trouble = if is_last { Trouble::DeadCode } else { Trouble::WrongCode };
            sent_page(&headers, &lobby, &token, request, Some(trouble))
        }
        Err(Error::Missing { .. }) => sent_page(&headers, &lobby, &token, request, Some(Trouble::DeadCode)),
        Err(error) => broken(&error, &headers),
    }
}

fn sent_page(
    headers: &HeaderMap,
    lobby: &Lobby,
    token: &str,
    request: Option<Request>,
    trouble: Option<Trouble>,
) -> Response {
    let (action, email) = (format!("/login/{token}/code"), request.as_ref().map(|own| own.email.clone()));
    let destination = request.map_or(Destination::Home, |own| own.destination).name();
    let again = format!("/login/{token}?destination={destination}");
    let brand = lobby.brand.clone();
    let status = if trouble.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    shell::page(
        locale(headers, Some(lobby)),
        status,
        Some(&lobby.brand),
        move || view! { <SentPage brand email action again trouble/> },
    )
}

/// `GET /access/{secret}`: what a mail leads to. Changes nothing, whoever looks.
pub async fn open(
    State(app): State<App>,
    Path(secret): Path<String>,
    Extension(visit): Extension<Visit>,
    Extension(host): Extension<Place>,
    headers: HeaderMap,
) -> Response {
    let found = async {
        let mut tx = app.db.read().await?;
        seen(&mut tx, &host, &secret).await
    };
    let page = match found.await {
        Ok(Some((lobby, request))) if request.is_open(app.db.clock().wall()) => {
            shell::admit(locale(&headers, Some(&lobby)), &lobby, &request.email, format!("/access/{secret}"))
        }
        Ok(Some((lobby, _))) => shell::gone(locale(&headers, Some(&lobby)), &lobby),
        Ok(None) => shell::expired(visit.locale, None, StatusCode::NOT_FOUND),
        Err(error) => broken(&error, &headers),
    };
    with_secret(page)
}

/// `POST /access/{secret}`: its button.
pub async fn open_by_button(
    State(app): State<App>,
    Path(secret): Path<String>,
    Extension(visit): Extension<Visit>,
    Extension(host): Extension<Place>,
    headers: HeaderMap,
) -> Response {
    match count_try(&app, &visit.trace).await {
        Ok(None) => {}
        Ok(Some(seconds)) => return with_secret(often(&headers, None, seconds)),
        Err(error) => return with_secret(broken(&error, &headers)),
    }
    match super::enter(&app, &host, &secret, &visit.trace).await {
        Ok((lobby, destination, entry)) => let_in(&app, &lobby, destination, entry),
        Err(Error::Missing { .. }) => {
            let found = async {
                let mut tx = app.db.read().await?;
                seen(&mut tx, &host, &secret).await
            };
            with_secret(match found.await {
                Ok(Some((lobby, _))) => shell::gone(locale(&headers, Some(&lobby)), &lobby),
                _ => shell::expired(visit.locale, None, StatusCode::NOT_FOUND),
            })
        }
        Err(error) => with_secret(broken(&error, &headers)),
    }
}

/// `GET /choose`: those who share the address that was proven.
pub async fn choice(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(host): Extension<Place>,
    headers: HeaderMap,
) -> Response {
    match offered(&app, &host, &visit, &headers).await {
        Ok(page) => page,
        Err(Error::Missing { .. }) => shell::expired(visit.locale, None, StatusCode::GONE),
        Err(error) => broken(&error, &headers),
    }
}

async fn offered(app: &App, host: &Place, visit: &Visit, headers: &HeaderMap) -> Result<Response> {
    let mut tx = app.db.read().await?;
    let (lobby, request) = proven(&mut tx, app, host, headers).await?;
    let who = lobby.actor(visit.trace.clone());
    let sharing = login::choices(&mut tx, &who, &request).await?;
    let locale = locale(headers, Some(&lobby));
    let choices = choices(&mut tx, &who, locale, sharing).await?;
    let brand = lobby.brand.clone();
    Ok(shell::page(locale, StatusCode::OK, Some(&lobby.brand), move || view! { <ChoosePage brand choices/> }))
}

/// What a mail's link was made for, if it may be seen here.
async fn seen(tx: &mut billing::Tx, host: &Place, secret: &str) -> Result<Option<(Lobby, Request)>> {
    Ok(directory::by_login_link(tx, secret).await?.filter(|(lobby, _)| host.serves(&lobby.tenant)))
}

async fn proven(tx: &mut billing::Tx, app: &App, host: &Place, headers: &HeaderMap) -> Result<(Lobby, Request)> {
    let cookie = cookie::read_login(headers, &app.settings).unwrap_or_default();
    let found = directory::by_login_proof(tx, &cookie).await?;
    let found = found.filter(|(lobby, _)| host.serves(&lobby.tenant));
    found.ok_or_else(|| Error::missing("login_request", "proof"))
}

/// `POST /choose`: the one chosen.
pub async fn choose(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(host): Extension<Place>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let customer = form(&body).remove("customer").unwrap_or_default();
    let chosen = async {
        let mut tx = app.db.read().await?;
        let (lobby, request) = proven(&mut tx, &app, &host, &headers).await?;
        drop(tx);
        let (who, bound) = (lobby.actor(visit.trace.clone()), visit::bound(&host, false));
        let entry = transact!(app.db, |tx| login::choose(tx, &who, &request, &customer, &bound).await)?;
        Ok::<_, Error>((lobby, request.destination, entry))
    };
    match chosen.await {
        Ok((lobby, destination, entry)) => let_in(&app, &lobby, destination, entry),
        Err(Error::Missing { .. }) => shell::expired(visit.locale, None, StatusCode::GONE),
        Err(error) => broken(&error, &headers),
    }
}

/// Into the portal, or to the choice.
fn let_in(app: &App, lobby: &Lobby, destination: Destination, entry: Entry) -> Response {
    let settings = &app.settings;
    match entry {
        Entry::In { session, cookie } => {
            let response = redirect(place(destination, &lobby.configuration));
            let held = Held { value: cookie, is_framed: false };
            let own = cookie::set(settings, &held, session.max_ms / 1000);
            let all = own.into_iter().chain([cookie::set_login(settings, "", 0)]);
            all.fold(response, |response, cookie| with(response, SET_COOKIE, cookie))
        }
        Entry::Choice { proof, .. } => {
            with(redirect("/choose"), SET_COOKIE, cookie::set_login(settings, &proof, login::LIVES_MS / 1000))
        }
    }
}

/// The login page with this token, if it is open.
async fn lobby(app: &App, host: &Place, token: &str) -> Result<Option<Lobby>> {
    let mut tx = app.db.read().await?;
    let found = directory::by_login_token(&mut tx, token).await?;
    Ok(found.filter(|lobby| lobby.is_open() && host.serves(&lobby.tenant)))
}

/// The login page, and what was asked for there in this browser.
async fn held(app: &App, host: &Place, token: &str, headers: &HeaderMap) -> Result<Option<(Lobby, Option<Request>)>> {
    let Some(lobby) = lobby(app, host, token).await? else { return Ok(None) };
    let cookie = cookie::read_login(headers, &app.settings).unwrap_or_default();
    let mut tx = app.db.read().await?;
    let own = directory::by_login_browser(&mut tx, &cookie).await?;
    Ok(Some((lobby.clone(), own.filter(|(of, _)| of.tenant == lobby.tenant).map(|(_, request)| request))))
}

fn destination(asked: &Asked) -> Option<Destination> {
    Destination::parse(asked.get("destination")?, "destination").ok()
}

fn form(body: &[u8]) -> Asked {
    form_urlencoded::parse(body).into_owned().collect()
}

fn often(headers: &HeaderMap, lobby: Option<&Lobby>, seconds: i64) -> Response {
    let brand = lobby.map(|lobby| lobby.brand.clone());
    let minutes = (seconds + 59) / 60;
    let page = shell::page(locale(headers, lobby), StatusCode::TOO_MANY_REQUESTS, brand.clone().as_ref(), move || {
        view! { <OftenPage brand minutes/> }
    });
    with(page, RETRY_AFTER, HeaderValue::from(seconds))
}

fn with(mut response: Response, name: HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().append(name, value);
    response
}

/// The path holds a secret, and the form must say where it comes from: only the origin is sent on.
fn with_secret(mut page: Response) -> Response {
    page.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    page
}

fn broken(error: &Error, headers: &HeaderMap) -> Response {
    tracing::error!(?error, "somebody could not be let in");
    shell::broken(locale(headers, None))
}
