//! The benchmark's baseline: a bare axum page of a given size that runs the overview's queries. `bare ADDR DATABASE BYTES`

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use billing::customer::payment_method;
use billing::invoice::{self, InvoiceFilter};
use billing::subscription::{self, StatusFilter, SubscriptionFilter};
use billing::{Clock, Db, Page, Trace, directory};

#[derive(Clone)]
struct Bare {
    db: Db,
    host: String,
    page: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (addr, database) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    let (host, bytes) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default().parse()?);
    let db = Db::open(&database, Clock::system()).await?;
    let app = Router::new().route("/", get(overview)).with_state(Bare { db, host, page: "x".repeat(bytes) });
    axum::serve(tokio::net::TcpListener::bind(addr).await?, app).await?;
    Ok(())
}

async fn overview(State(bare): State<Bare>, headers: HeaderMap) -> Response {
    match read(&bare, &headers).await {
        Ok(()) => Html(bare.page).into_response(),
        Err(error) => (axum::http::StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn read(bare: &Bare, headers: &HeaderMap) -> billing::Result<()> {
    let cookie =
        headers.get("cookie").and_then(|v| v.to_str().ok()).and_then(|v| v.split_once('=')).unwrap_or_default().1;
    let mut tx = bare.db.read().await?;
    let guest = directory::by_cookie(&mut tx, cookie, &bare.host).await?;
    let guest = guest.ok_or_else(|| billing::Error::missing("billing_portal.session", "cookie"))?;
    drop(tx);
    let who = guest.actor(Trace::default());
    let mut tx = bare.db.read().await?;
    if let Some(method) = &guest.customer.default_payment_method {
        payment_method::get(&mut tx, &who, method).await?;
    }
    for (status, rows) in [(StatusFilter::NotCanceled, 50), (StatusFilter::Ended, 3)] {
        let filter = SubscriptionFilter { status, ..SubscriptionFilter::default() };
        subscription::list(&mut tx, &who, &Page::first(rows), &filter).await?;
    }
    invoice::list_heads(&mut tx, &who, &Page::first(5), &InvoiceFilter::default()).await?;
    Ok(())
}
