//! `GET /brand/{id}`: a merchant's logo or icon, for whoever asks.

use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use billing::portal::branding::image;

use crate::front::Place;
use crate::state::App;

/// As what it was found to be, whatever it was called. An id is made from the bytes: it never changes what it shows.
pub async fn show(
    State(app): State<App>,
    Extension(place): Extension<Place>,
    Path(id): Path<String>,
) -> Result<Response, StatusCode> {
    let found = find(&app, &place, &id).await.map_err(|error| {
        tracing::error!(?error, "a picture could not be read");
        StatusCode::INTERNAL_SERVER_ERROR
    })?;
    let (kind, bytes) = found.ok_or(StatusCode::NOT_FOUND)?;
    let fixed = |name: HeaderName, value: &'static str| (name, HeaderValue::from_static(value));
    let headers = [
        fixed(CONTENT_TYPE, kind.name()),
        fixed(CACHE_CONTROL, "public, max-age=31536000, immutable"),
        // Mails and the merchant's own pages show it too.
        fixed(HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
        // Opened by itself it is no page of ours.
        fixed(
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
        ),
    ];
    Ok((headers, Body::from(bytes)).into_response())
}

async fn find(app: &App, place: &Place, id: &str) -> billing::Result<Option<(image::MediaType, Vec<u8>)>> {
    let owner = place.owner.as_ref().map(|tenant| tenant.key);
    image::bytes(&mut app.db.read().await?, owner, id).await
}
