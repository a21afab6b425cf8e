//! What a customer takes away: a year's invoices as a table or as documents, and all that is kept of them. Each is written
//! while it is read, a page of records at a time, so that it takes as little room for a thousand invoices as for one.

mod csv;
mod data;
mod invoices;
mod zip;

use std::io;
use std::sync::Arc;

use app::paper::Asked;
use app::session::Visit;
use app::text::{Locale, format};
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use billing::directory::Guest;
use billing::{Actor, Db, Error, Page, Result, Seconds, audit, transact};
use futures::stream::unfold;
use serde::Deserialize;
use tokio::sync::mpsc::{Sender, channel};

use crate::documents::file;
use crate::shell;
use crate::state::App;

/// How many records are read at a time.
const ROWS: i64 = 50;
/// How many pieces wait for a reader who is slower than we are.
const AHEAD: usize = 4;

pub fn own() -> Router<App> {
    Router::new()
        .route("/export/invoices.csv", get(table))
        .route("/export/invoices.zip", get(documents))
        .route("/export/data.json", get(everything))
}

#[derive(Deserialize)]
struct Asks {
    year: Option<i64>,
}

async fn table(State(app): State<App>, Extension(visit): Extension<Visit>, Query(asks): Query<Asks>) -> Response {
    let Some(year) = asks.year.filter(|year| (1970..=9998).contains(year)) else { return shell::missing(Some(&visit)) };
    let name = |merchant: &str| format!("{merchant} {year}.csv");
    answer(&app, &visit, Export::Table(year), "text/csv; charset=utf-8", name).await
}

async fn documents(State(app): State<App>, Extension(visit): Extension<Visit>, Query(asks): Query<Asks>) -> Response {
    let Some(year) = asks.year.filter(|year| (1970..=9998).contains(year)) else { return shell::missing(Some(&visit)) };
    let name = |merchant: &str| format!("{merchant} {year}.zip");
    answer(&app, &visit, Export::Documents(year), "application/zip", name).await
}

async fn everything(State(app): State<App>, Extension(visit): Extension<Visit>) -> Response {
    let name = |merchant: &str| format!("{merchant}.json");
    answer(&app, &visit, Export::Everything, "application/json", name).await
}

#[derive(Clone, Copy)]
enum Export {
    /// A year's invoices, one a row.
    Table(i64),
    /// A year's invoices as PDF.
    Documents(i64),
    Everything,
}

impl Export {
    fn action(self) -> &'static str {
        match self {
            Self::Table(_) => "customer.invoices_exported",
            Self::Documents(_) => "customer.documents_exported",
            Self::Everything => "customer.data_exported",
        }
    }

    async fn write(self, taker: &Taker, out: &Out) -> Result<()> {
        match self {
            Self::Table(year) => invoices::table(taker, year, out).await,
            Self::Documents(year) => invoices::documents(taker, year, out).await,
            Self::Everything => data::write(taker, out).await,
        }
    }
}

/// Who takes something away.
struct Taker {
    db: Db,
    guest: Arc<Guest>,
    who: Actor,
    locale: Locale,
    /// On the customer's billing clock.
    now: Seconds,
}

impl Taker {
    fn asked(&self) -> Asked<'_> {
        let Guest { merchant, brand, .. } = self.guest.as_ref();
        Asked { who: &self.who, locale: self.locale, merchant, brand, now: self.now }
    }
}

/// Where an export is written to.
struct Out(Sender<io::Result<Bytes>>);

impl Out {
    /// Waits until the reader has room; an error where nobody reads any more.
    async fn write(&self, bytes: impl Into<Bytes>) -> Result<()> {
        self.0.send(Ok(bytes.into())).await.map_err(|_| Error::internal("nobody reads on"))
    }
}

async fn answer(
    app: &App,
    visit: &Visit,
    export: Export,
    mime: &'static str,
    name: impl FnOnce(&str) -> String,
) -> Response {
    let Some(guest) = visit.guest.clone() else { return shell::missing(Some(visit)) };
    if !matches!(export, Export::Everything) && !guest.configuration.features.invoice_history.enabled {
        return shell::refused(Some(visit));
    }
    let name = name(&guest.brand.name);
    match begin(app, visit, guest, export).await {
        Ok(taker) => file::response(&name, mime, body(taker, export)),
        Err(error) => {
            tracing::error!(?error, "an export could not be begun");
            shell::broken(visit.locale)
        }
    }
}

/// Notes in the trail who took what, before any of it leaves.
async fn begin(app: &App, visit: &Visit, guest: Arc<Guest>, export: Export) -> Result<Taker> {
    let who = guest.actor(visit.trace.clone());
    let customer = guest.customer.id.clone();
    let now = transact!(app.db, |tx| {
        audit::note(tx, &who, export.action(), "customer", &customer, Some(&customer)).await?;
        billing::customer::now(tx, &who, &guest.customer).await
    })?;
    Ok(Taker { db: app.db.clone(), guest, who, locale: visit.locale, now })
}

/// What is written beside the answer, piece by piece; it ends early where something fails, so that nobody takes a part for
/// the whole.
fn body(taker: Taker, export: Export) -> Body {
    let (sender, receiver) = channel(AHEAD);
    tokio::spawn(async move {
        let out = Out(sender);
        if let Err(error) = export.write(&taker, &out).await {
            tracing::warn!(?error, action = export.action(), "an export ended early");
            let _ = out.0.send(Err(io::Error::other("the export could not be finished"))).await;
        }
    });
    Body::from_stream(unfold(receiver, async |mut receiver| receiver.recv().await.map(|piece| (piece, receiver))))
}

/// The page after an object, oldest or newest first as its list is.
fn page(after: Option<String>, created: (i64, i64)) -> Page {
    Page { limit: ROWS, starting_after: after, ending_before: None, created }
}

fn in_year(year: i64) -> (i64, i64) {
    format::year(year)
}
