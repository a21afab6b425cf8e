//! The command line: one program, one subcommand for each thing an operator does.

use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{self, Settings};
use crate::{commands, reference};

#[derive(Debug, Parser)]
#[command(
    name = "portico",
    version,
    about = "A self-hosted, white-label billing portal that speaks Stripe's API dialect"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the portal and the merchant API, and run the workers.
    Serve(commands::serve::Options),
    /// Load a demo merchant with customers in every state. Safe to repeat.
    Demo(commands::demo::Options),
    /// Merchants.
    #[command(subcommand)]
    Merchant(commands::merchant::Command),
    /// Serve the built-in test processor by itself; `serve` finds it by PORTICO_SANDBOX_URL.
    Sandbox(commands::sandbox::Options),
    /// API keys; a key's text is shown once, when it is made.
    #[command(subcommand)]
    Key(commands::key::Command),
    /// Portal sessions for support staff.
    #[command(subcommand)]
    Session(commands::session::Command),
    /// Subscriptions that were stopped before they could be billed twice.
    #[command(subcommand)]
    Subscription(commands::subscription::Command),
    /// Bring the database's schema up to date.
    Migrate,
    /// Write a consistent copy of an SQLite database while it is in use.
    Backup {
        /// Where to; a file that is there already is not written over.
        file: PathBuf,
    },
    /// Prove the books: look at every invariant over the whole database; fails where one is broken.
    Check(commands::check::Options),
    /// The audit log: whether it is what it was.
    #[command(subcommand)]
    Audit(commands::audit::Command),
    /// Webhooks: to a receiver in development, and again what was sent.
    #[command(subcommand)]
    Webhooks(commands::webhooks::Command),
    /// Print the OpenAPI document of the merchant API.
    Openapi,
    /// Ask the running server whether it is ready; for containers.
    Healthcheck,
}

/// Reads the arguments and settings and runs the command; the error is the one line to print.
pub async fn run() -> Result<(), String> {
    let cli = parse()?;
    let settings = cli.settings;
    match cli.command {
        Command::Serve(options) => commands::serve::run(settings, options).await,
        Command::Demo(options) => commands::demo::run(&settings, &options).await,
        Command::Merchant(command) => commands::merchant::run(&settings, command).await,
        Command::Sandbox(options) => commands::sandbox::run(&settings, &options).await,
        Command::Key(command) => commands::key::run(&settings, command).await,
        Command::Session(command) => commands::session::run(&settings, command).await,
        Command::Subscription(command) => commands::subscription::run(&settings, command).await,
        Command::Migrate => commands::open(&settings).await.map(|_| println!("The database is up to date.")),
        Command::Backup { file } => commands::backup::run(&settings, &file).await,
        Command::Check(options) => commands::check::run(&settings, &options).await,
        Command::Audit(command) => commands::audit::run(&settings, command).await,
        Command::Webhooks(command) => commands::webhooks::run(&settings, command).await,
        Command::Openapi => {
            print!("{}", reference::OPENAPI);
            Ok(())
        }
        Command::Healthcheck => commands::healthcheck(&settings).await,
    }
}

fn parse() -> Result<Cli, String> {
    match dotenvy::dotenv() {
        Ok(_) | Err(dotenvy::Error::Io(_)) => {}
        Err(error) => return Err(format!(".env: {error}")),
    }
    let mut command = Cli::command();
    let known: Vec<String> = command.get_arguments().filter_map(|a| a.get_env()?.to_str().map(str::to_owned)).collect();
    config::refuse_unknown_variables(&known)?;
    for (argument, value) in config::file_defaults()?.into_iter().chain(config::secret_files()?) {
        command = command.mut_arg(argument, |a| a.default_value(value));
    }
    let matches = command.get_matches();
    Cli::from_arg_matches(&matches).map_err(|e| e.to_string())
}
