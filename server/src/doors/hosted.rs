//! `POST /merchant/session/customer_portal_url`: a portal link for a person whom the merchant names as it knows them.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use billing::portal::NewSession;
use billing::portal::configuration;
use billing::portal::focus::{self, Aim, Named};
use billing::portal::session::{self, SessionOrigin, Terms};
use billing::subscription::Subscription;
use billing::{Actor, Error, Result, Trace, Tx, transact};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::json::{Fields, Wrong, answer, is_ours};
use crate::api::auth::authenticate;
use crate::state::App;

/// What is asked for, under the names that the caller uses.
#[derive(Debug, Clone)]
struct Asked {
    named: Named,
    product: Option<String>,
    price: Option<String>,
    country: Option<String>,
    return_url: Option<String>,
    cancel_url: Option<String>,
}

pub async fn customer_portal_url(
    State(app): State<App>,
    Extension(trace): Extension<Trace>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let who = match authenticate(&app.db, &headers, trace).await {
        Ok(who) => who,
        Err(failure) => return refused(failure.status, "the API key is missing or not valid"),
    };
    let asked = match Fields::parse(body).and_then(read) {
        Ok(asked) => asked,
        Err(wrong) => return refused(StatusCode::BAD_REQUEST, &format!("{}: {}", wrong.field, wrong.message)),
    };
    match Box::pin(mint(&app, &who, &asked)).await {
        Ok(url) => answer(StatusCode::OK, &envelope(0, "", json!({ "url": url }))),
        Err(error) => failed(error),
    }
}

fn read(mut fields: Fields) -> Result<Asked, Wrong> {
    let asked = Asked {
        named: Named {
            user: fields.id("userId")?,
            external: fields.id("externalUserId")?,
            email: fields.text("email")?,
        },
        product: fields.id("productId")?,
        price: fields.id("planId")?,
        country: fields.text("vatCountryCode")?.map(|country| country.to_ascii_uppercase()),
        return_url: fields.text("returnUrl")?,
        cancel_url: fields.text("cancelUrl")?,
    };
    fields.finish()?;
    Ok(asked)
}

/// The link. Its query names the subscription that the portal will be about.
async fn mint(app: &App, who: &Actor, asked: &Asked) -> Result<String> {
    let (url, subscription) = transact!(app.db, |tx| {
        let customer = focus::customer(tx, who, &asked.named).await?;
        let customer = customer.ok_or_else(|| Error::missing("user", "").on("user"))?;
        let product = match &asked.product {
            Some(id) => Some(focus::product(tx, who, id).await.map_err(|e| e.on("productId"))?),
            None => None,
        };
        let held = focus::subscription(tx, who, &customer.id, product.as_deref()).await?;
        if let Some(country) = asked.country.as_ref().filter(|_| held.is_none()) {
            focus::preset_country(tx, who, &customer, country).await.map_err(|e| e.on("vatCountryCode"))?;
        }
        let start = start(tx, who, asked, &customer, held.as_ref()).await?;
        let new = NewSession {
            customer: customer.id,
            configuration: None,
            return_url: asked.return_url.clone(),
            cancel_url: asked.cancel_url.clone(),
            locale: None,
            subscription: held.as_ref().map(|held| held.id.clone()),
            flow: None,
            origin: SessionOrigin::Hosted,
        };
        let terms = Terms { start, ..Terms::default() };
        let minted = session::create_on(tx, who, new, terms).await?;
        Ok((minted.url, minted.session.subscription))
    })?;
    let focus = subscription.map(|id| format!("?subscriptionId={id}")).unwrap_or_default();
    Ok(format!("{url}{focus}"))
}

/// The page that a plan leads to: the look at what it would cost, or where plans are chosen from.
async fn start(
    tx: &mut Tx,
    who: &Actor,
    asked: &Asked,
    customer: &billing::customer::Customer,
    held: Option<&Subscription>,
) -> Result<Option<String>> {
    let Some(id) = &asked.price else { return Ok(None) };
    let price = focus::price(tx, who, id).await.map_err(|e| e.on("planId"))?;
    if held.is_some_and(|held| held.items.iter().any(|item| item.price.id == price.id)) {
        return Ok(None);
    }
    let allowed = configuration::get(tx, who, "default").await?;
    Ok(match focus::aim(tx, who, &allowed, customer, held, &price).await? {
        Some(Aim::Change { item, price, quantity }) => held.map(|held| {
            let page = format!("/subscriptions/{}/change/review", held.id);
            address(&page, &[("item", &item), ("price", &price), ("quantity", &quantity.to_string())])
        }),
        Some(Aim::Buy { price, quantity }) => {
            Some(address("/subscribe/review", &[("item", ""), ("price", &price), ("quantity", &quantity.to_string())]))
        }
        None => None,
    })
}

fn address(page: &str, query: &[(&str, &str)]) -> String {
    format!("{page}?{}", Serializer::new(String::new()).extend_pairs(query).finish())
}

fn failed(error: Error) -> Response {
    let ours = is_ours(&error);
    match error {
        Error::Missing { param, .. } if param == "user" => refused(StatusCode::NOT_FOUND, "user not found"),
        Error::Missing { ref param, .. } | Error::Invalid { ref param, .. } => {
            let field = match param.as_str() {
                "return_url" => "returnUrl",
                "cancel_url" => "cancelUrl",
                other => other,
            };
            refused(StatusCode::BAD_REQUEST, &format!("{field}: {error}"))
        }
        _ if ours => refused(StatusCode::INTERNAL_SERVER_ERROR, "something went wrong on our side"),
        Error::Busy => refused(StatusCode::CONFLICT, "another request is at work on this; try again"),
        other => refused(StatusCode::BAD_REQUEST, &other.to_string()),
    }
}

/// The code in the body is the answer's status; 0 is success.
fn refused(status: StatusCode, message: &str) -> Response {
    answer(status, &envelope(status.as_u16(), message, Value::Null))
}

fn envelope(code: u16, message: &str, data: Value) -> Value {
    json!({ "code": code, "message": message, "data": data })
}
