//! `portico sandbox`: the built-in test processor as a process of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use billing::gateway::PaymentGateway;
use billing::gateway::sandbox::Sandbox;
use clap::Args;
use tokio::net::TcpListener;

use super::{detail, serve};
use crate::config::Settings;
use crate::log;
use crate::sandbox::{PATIENCE, Remote, router};

#[derive(Debug, Args)]
pub struct Options {
    /// The address to listen on. Whoever reaches it is answered.
    #[arg(long, default_value = "127.0.0.1:3003")]
    listen: SocketAddr,
}

pub async fn run(settings: &Settings, options: &Options) -> Result<(), String> {
    let log = log::subscriber(settings, std::io::stderr)?;
    tracing::subscriber::set_global_default(log).map_err(|e| e.to_string())?;
    let sandbox = Arc::new(open(settings).await?);
    let listener =
        TcpListener::bind(options.listen).await.map_err(|e| format!("cannot listen on {}: {e}", options.listen))?;
    tracing::info!(addr = %options.listen, "the sandbox is open");
    // Nobody is waited for: some of those who ask wait for ever.
    tokio::select! {
        ended = axum::serve(listener, router(sandbox)) => ended.map_err(|e| format!("the sandbox stopped: {e}")),
        () = serve::stop_signal() => Ok(()),
    }
}

/// The gateway of test mode: this process itself, or the one that the settings name.
pub async fn gateway(settings: &Settings) -> Result<Arc<dyn PaymentGateway>, String> {
    Ok(match &settings.sandbox_url {
        Some(url) => Arc::new(Remote::at(url, PATIENCE)?),
        None => Arc::new(open(settings).await?),
    })
}

pub async fn open(settings: &Settings) -> Result<Sandbox, String> {
    let opened = Sandbox::open(&settings.sandbox_ledger()).await;
    opened.map_err(|e| format!("cannot open the sandbox's ledger: {}", detail(&e)))
}
