//! What takes too long, and what breaks.

use std::any::Any;
use std::time::Duration;

use app::session::Visit;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use crate::shell;

/// A page that takes longer than this is given up, and what it read with goes back to the pool.
const MOST_TIME: Duration = Duration::from_secs(30);

pub async fn in_time(request: Request, next: Next) -> Response {
    let locale = request.extensions().get::<Visit>().map(|v| v.locale).unwrap_or_default();
    tokio::time::timeout(MOST_TIME, next.run(request)).await.unwrap_or_else(|_| {
        tracing::warn!("a page took too long");
        shell::broken(locale)
    })
}

/// A panic costs its own request, nothing else. The log has it from [`crate::log::panicked`].
pub fn broken(_: Box<dyn Any + Send + 'static>) -> Response {
    shell::broken(app::text::Locale::default())
}
