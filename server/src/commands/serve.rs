//! `portico serve`: opens everything, listens, and drains when it is told to stop.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use billing::{Clock, directory};
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{connect, detail, sandbox};
use crate::config::Settings;
use crate::mail::Post;
use crate::outbound::Outbound;
use crate::state::App;
use crate::{connections, fields, log, metrics, site, web, worker};

/// How long running requests may take once nobody is let in any more.
const DRAIN: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub struct Options {
    /// Serve without running the workers.
    #[arg(long, conflicts_with = "workers_only")]
    no_workers: bool,
    /// Run the workers without serving.
    #[arg(long)]
    workers_only: bool,
}

pub async fn run(settings: Settings, options: Options) -> Result<(), String> {
    let log = log::subscriber(&settings, std::io::stderr)?;
    tracing::subscriber::set_global_default(log).map_err(|e| e.to_string())?;
    std::panic::set_hook(Box::new(log::panicked));
    metrics::start();
    if !options.workers_only {
        site::check()?;
    }
    let post = Post::of(&settings)?;
    let app = open(settings).await?;
    refuse_exposed_live(&app).await?;
    let workers = (!options.no_workers).then(|| {
        let (db, gateway, dns_server) = (app.db.clone(), app.gateway.clone(), app.settings.dns_server);
        worker::start(db, gateway, post, dns_server, app.outbound.clone())
    });
    if options.workers_only {
        stop_signal().await;
    } else {
        app.settings.check_fields()?;
        let listener = bind(&app).await?;
        let (typing, stopped) = fields(&app).await?;
        let delay = Duration::from_secs(app.settings.drain_delay);
        listen(app, listener, stop_signal(), async move { tokio::time::sleep(delay).await }).await;
        drop(stopped);
        _ = tokio::time::timeout(DRAIN, typing).await;
    }
    if let Some(workers) = workers {
        workers.stop().await;
    }
    Ok(())
}

async fn open(settings: Settings) -> Result<App, String> {
    let db = connect(&settings, Clock::system()).await?;
    if settings.auto_migrate {
        db.migrate().await.map_err(|e| format!("cannot migrate the database: {}", detail(&e)))?;
    } else if !db.is_ready().await.map_err(|e| detail(&e))? {
        return Err("the database's schema is not up to date; run `portico migrate`".into());
    }
    let gateway = sandbox::gateway(&settings).await?;
    let outbound = Outbound::of(&settings)?;
    Ok(App { db, gateway, settings: Arc::new(settings), outbound, draining: Arc::new(AtomicBool::new(false)) })
}

/// Real money over plain HTTP on a public name is refused.
async fn refuse_exposed_live(app: &App) -> Result<(), String> {
    let mut tx = app.db.read().await.map_err(|e| detail(&e))?;
    let live = directory::has_live_key(&mut tx).await.map_err(|e| detail(&e))?;
    if live && app.settings.is_exposed() {
        return Err(format!(
            "{} is plain HTTP and a live key exists: serve https, or revoke the key",
            app.settings.public_url
        ));
    }
    Ok(())
}

async fn bind(app: &App) -> Result<TcpListener, String> {
    let addr = app.settings.addr;
    let listener = TcpListener::bind(addr).await.map_err(|e| format!("cannot listen on {addr}: {e}"))?;
    tracing::info!(%addr, public_url = %app.settings.public_url, "serving");
    Ok(listener)
}

/// Answers where numbers are typed, until the sender that is handed back is dropped.
async fn fields(app: &App) -> Result<(JoinHandle<()>, oneshot::Sender<()>), String> {
    let (addr, url) = (app.settings.fields_addr(), app.settings.fields_url());
    let listener = TcpListener::bind(addr).await.map_err(|e| format!("cannot listen on {addr}: {e}"))?;
    tracing::info!(%addr, fields_url = %url, "serving the hosted fields");
    let (stopped, stop) = oneshot::channel::<()>();
    let serving = connections::answer(listener, fields::router(app.clone()), connections::MOST_HEAD_TIME, async {
        _ = stop.await;
    });
    Ok((tokio::spawn(serving), stopped))
}

/// Answers until `told` to stop, and then drains: `/readyz` turns away whoever asks it, after `notice` nobody is let in
/// any more, and what was let in is answered.
pub async fn listen(
    app: App,
    listener: TcpListener,
    told: impl Future<Output = ()> + Send + 'static,
    notice: impl Future<Output = ()> + Send + 'static,
) {
    let draining = app.draining.clone();
    let (closing, closed) = tokio::sync::oneshot::channel::<()>();
    let server = connections::answer(listener, web::router(app), connections::MOST_HEAD_TIME, async move {
        told.await;
        tracing::info!("stopping: not ready for anything new");
        draining.store(true, Ordering::Relaxed);
        notice.await;
        tracing::info!("stopping: answering what was accepted");
        let _ = closing.send(());
    });
    let deadline = async {
        // An error means the server ended by itself, before any signal.
        if closed.await.is_ok() {
            tokio::time::sleep(DRAIN).await;
        }
    };
    tokio::select! {
        () = server => {}
        () = deadline => tracing::warn!("some requests did not finish in time"),
    }
}

/// Waits until the process is told to stop. It listens from the call on: whoever is ready can be told.
pub fn stop_signal() -> impl Future<Output = ()> + Send {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else { return std::future::pending().await };
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    }
}
