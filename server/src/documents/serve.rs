//! The doors to documents: the customer's own from the portal, an invoice's from its own page, and the links of the API.

use app::paper::{Asked, Kind, Paper};
use app::session::Visit;
use app::text::Locale;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use billing::directory::{self, Guest};
use billing::invoice::hosted::Hosted;
use billing::invoice::{self, Status};
use billing::payment::charge::{self, AttemptStatus};
use billing::{Actor, Error, Result, Tx, credit_note, document};

use super::{file, print};
use crate::front::Place;
use crate::state::App;
use crate::{hosted, shell};

/// Documents of those in a living session.
pub fn own() -> Router<App> {
    Router::new()
        .route("/invoices/{id}/pdf", get(own_invoice))
        .route("/invoices/{id}/receipt", get(own_receipt))
        .route("/credit-notes/{id}/pdf", get(own_credit_note))
}

/// Documents of those who hold a link.
pub fn open() -> Router<App> {
    Router::new()
        .route("/invoice/{secret}/pdf", get(of_hosted))
        .route("/documents/{merchant}/{object}/{mark}", get(of_link))
}

async fn own_invoice(State(app): State<App>, Extension(visit): Extension<Visit>, Path(id): Path<String>) -> Response {
    answer_own(&app, &visit, Wanted::Invoice(id)).await
}

async fn own_receipt(State(app): State<App>, Extension(visit): Extension<Visit>, Path(id): Path<String>) -> Response {
    answer_own(&app, &visit, Wanted::Receipt(id)).await
}

async fn own_credit_note(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Response {
    answer_own(&app, &visit, Wanted::CreditNote(id)).await
}

/// Which document is asked for, by the id of its object.
enum Wanted {
    Invoice(String),
    Receipt(String),
    CreditNote(String),
    /// The receipt of the invoice that was charged.
    Charge(String),
}

impl Wanted {
    /// What a link is of: an id says what it is the id of.
    fn of(object: String) -> Option<Self> {
        match object.split_once('_')?.0 {
            "in" => Some(Self::Invoice(object)),
            "cn" => Some(Self::CreditNote(object)),
            "ch" => Some(Self::Charge(object)),
            _ => None,
        }
    }

    async fn invoice(&self, tx: &mut Tx, who: &Actor) -> Result<String> {
        Ok(match self {
            Self::Invoice(id) | Self::Receipt(id) => id.clone(),
            Self::CreditNote(id) => credit_note::get(tx, who, id).await?.invoice,
            Self::Charge(id) => {
                let found = charge::get(tx, who, id).await?;
                let is_paid = found.status == AttemptStatus::Succeeded;
                if is_paid { found.invoice } else { return Err(Error::missing("charge", id)) }
            }
        })
    }
}

async fn answer_own(app: &App, visit: &Visit, wanted: Wanted) -> Response {
    let Some(guest) = &visit.guest else { return shell::missing(Some(visit)) };
    if !guest.configuration.features.invoice_history.enabled {
        return shell::refused(Some(visit));
    }
    let who = guest.actor(visit.trace.clone());
    let found = read_own(app, guest, &who, visit.locale, &wanted).await;
    answer(found, visit.locale, || shell::missing(Some(visit))).await
}

async fn read_own(app: &App, guest: &Guest, who: &Actor, locale: Locale, wanted: &Wanted) -> Result<Paper> {
    let mut tx = app.db.read().await?;
    let now = billing::customer::now(&mut tx, who, &guest.customer).await?;
    let asked = Asked { who, locale, merchant: &guest.merchant, brand: &guest.brand, now };
    paper(&mut tx, &asked, wanted).await
}

async fn of_hosted(
    State(app): State<App>,
    Extension(place): Extension<Place>,
    Path(secret): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = match hosted::find(&app, &place, &secret).await {
        Ok(Some(found)) => found,
        Ok(None) => return shell::unknown_invoice(hosted::locale(&headers, None)),
        Err(error) => return broken(hosted::locale(&headers, None), &error),
    };
    let locale = hosted::locale(&headers, Some(&found));
    if !found.is_open() {
        return shell::hosted_expired(locale, &found.brand);
    }
    let wanted = Wanted::Invoice(found.invoice.id.clone());
    answer(read_linked(&app, &found, locale, &wanted).await, locale, || shell::unknown_invoice(locale)).await
}

/// In the customer's language, whoever asks: the bytes of a link are the same wherever they are fetched.
async fn of_link(
    State(app): State<App>,
    Extension(place): Extension<Place>,
    Path((merchant, object, mark)): Path<(String, String, String)>,
) -> Response {
    let unknown = || shell::unknown_invoice(Locale::default());
    let found = match find_linked(&app, &merchant, object, &mark).await {
        Ok(Some(found)) if place.serves(&found.0.tenant) => found,
        Ok(_) | Err(Error::Missing { .. }) => return unknown(),
        Err(error) => return broken(Locale::default(), &error),
    };
    let (hosted, wanted) = found;
    let usual = hosted.brand.default_locale.as_deref();
    let locale = Locale::choose(None, &hosted.customer.preferred_locales, "", usual);
    answer(read_linked(&app, &hosted, locale, &wanted).await, locale, unknown).await
}

async fn find_linked(app: &App, merchant: &str, object: String, mark: &str) -> Result<Option<(Hosted, Wanted)>> {
    let mut tx = app.db.read().await?;
    let Some(tenant) = document::find(&mut tx, merchant, &object, mark).await? else { return Ok(None) };
    let Some(wanted) = Wanted::of(object) else { return Ok(None) };
    let who = Actor::system(tenant.clone(), "documents");
    let invoice = wanted.invoice(&mut tx, &who).await?;
    Ok(Some((directory::hosted(&mut tx, tenant, &invoice).await?, wanted)))
}

async fn read_linked(app: &App, hosted: &Hosted, locale: Locale, wanted: &Wanted) -> Result<Paper> {
    let who = hosted.actor();
    let mut tx = app.db.read().await?;
    let asked = Asked { who: &who, locale, merchant: &hosted.merchant, brand: &hosted.brand, now: hosted.now };
    paper(&mut tx, &asked, wanted).await
}

async fn paper(tx: &mut Tx, asked: &Asked<'_>, wanted: &Wanted) -> Result<Paper> {
    if let Wanted::CreditNote(id) = wanted {
        let note = credit_note::get(tx, asked.who, id).await?;
        return asked.credit_note(tx, note).await;
    }
    let id = wanted.invoice(tx, asked.who).await?;
    let found = invoice::get(tx, asked.who, &id).await?;
    let kind = if matches!(wanted, Wanted::Invoice(_)) { Kind::Invoice } else { Kind::Receipt };
    // Nothing is receipted that was not paid.
    if kind == Kind::Receipt && found.status != Status::Paid {
        return Err(Error::missing("invoice", &id));
    }
    asked.invoice(tx, found, kind).await
}

async fn answer(found: Result<Paper>, locale: Locale, missing: impl FnOnce() -> Response) -> Response {
    let printed = match found {
        Ok(paper) => {
            let name = format!("{}.pdf", paper.title);
            print(paper).await.map(|bytes| file::response(&name, "application/pdf", bytes))
        }
        Err(error) => Err(error),
    };
    match printed {
        Ok(response) => response,
        Err(Error::Missing { .. }) => missing(),
        Err(error) => broken(locale, &error),
    }
}

fn broken(locale: Locale, error: &Error) -> Response {
    tracing::error!(?error, "a document could not be made");
    shell::broken(locale)
}
