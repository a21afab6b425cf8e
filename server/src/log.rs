//! The log: lines for people or for machines, and on each line of a request the request's id.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use any_spawner::{CustomExecutor, Executor, PinnedFuture, PinnedLocalFuture};
use tracing::{Instrument, Span, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::config::Settings;

/// What the span around a request is called to the filter: it is there whatever else is filtered out, so that a line
/// that does get through says which request it belongs to.
const REQUEST: &str = "portico::request";

/// The span around one request. `route` is the pattern of its path: a path itself may hold a secret.
pub fn span(request: &str, method: &str, route: &str) -> Span {
    tracing::error_span!(target: REQUEST, "request", request, method, route)
}

/// Writes lines as the settings say.
pub fn subscriber<W>(settings: &Settings, writer: W) -> Result<impl Subscriber + Send + Sync + use<W>, String>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter =
        EnvFilter::try_new(format!("{},{REQUEST}=error", settings.log)).map_err(|e| format!("PORTICO_LOG: {e}"))?;
    let lines = fmt::layer::<Registry>().with_ansi(std::io::stderr().is_terminal()).with_writer(writer);
    let lines = match settings.log_format.as_str() {
        "json" => lines.json().with_current_span(true).with_span_list(false).boxed(),
        _ => lines.boxed(),
    };
    Ok(tracing_subscriber::registry().with(lines.with_filter(filter)))
}

/// Writes a panic as a line like any other, of the request that it happened in: for `std::panic::set_hook`, whose own
/// text would break the log's format.
pub fn panicked(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(panic = panic.payload_as_str().unwrap_or_default(), at, "panicked");
}

/// Lets what a page reads beside its own task belong to the page's request. Called before Leptos chooses for itself.
pub fn follow_tasks() {
    // An error says that this, or another executor, is in place already.
    let _ = Executor::init_custom_executor(InSpan);
}

/// Tokio's tasks, in the span of whoever began them.
struct InSpan;

impl CustomExecutor for InSpan {
    fn spawn(&self, future: PinnedFuture<()>) {
        tokio::spawn(future.in_current_span());
    }

    fn spawn_local(&self, future: PinnedLocalFuture<()>) {
        tokio::task::spawn_local(future.in_current_span());
    }

    fn poll_local(&self) {}
}
