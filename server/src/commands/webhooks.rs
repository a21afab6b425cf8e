//! `portico webhooks`: events on their way to a receiver in development, and what was sent sent again.

use std::time::Duration;

use billing::webhook::delivery::Status;
use billing::webhook::replay::{self, Range};
use billing::webhook::{lane, signature};
use billing::{Actor, Db, Event, Page, Seconds, directory, event, transact, wire};
use clap::{Args, Subcommand};
use url::Url;

use super::{console, detail, open, serve, tenant_of};
use crate::config::Settings;
use crate::outbound::{Outbound, Rules};
use crate::webhooks::request;

/// How often it is looked whether something happened.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send events to a URL as they happen, signed with a secret that is printed; for development.
    Listen {
        /// Where to, like localhost:4242/hooks.
        #[arg(long, value_parser = near_url)]
        forward_to: Url,
        /// Only these events, with commas between.
        #[arg(long, value_delimiter = ',')]
        events: Vec<String>,
        #[command(flatten)]
        whose: Whose,
    },
    /// Send one event again, or a time of them to one endpoint.
    Replay {
        /// Of the event.
        #[arg(required_unless_present = "endpoint")]
        id: Option<String>,
        /// Only to this endpoint.
        #[arg(long)]
        endpoint: Option<String>,
        /// From when on, in unix seconds [default: from the first].
        #[arg(long, conflicts_with = "id", requires = "endpoint")]
        since: Option<i64>,
        /// Until when, in unix seconds [default: until now].
        #[arg(long, conflicts_with = "id", requires = "endpoint")]
        until: Option<i64>,
        /// Only what could not be delivered.
        #[arg(long, conflicts_with = "id", requires = "endpoint")]
        failed: bool,
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(Debug, Default, Args)]
pub struct Whose {
    /// Which merchant, where there are several.
    #[arg(long)]
    merchant: Option<String>,
    /// Those of live mode.
    #[arg(long)]
    live: bool,
}

impl Whose {
    async fn actor(&self, db: &Db) -> Result<Actor, String> {
        let mut tenant = tenant_of(db, self.merchant.as_deref()).await?;
        if self.live {
            let mut tx = db.read().await.map_err(|e| detail(&e))?;
            tenant = directory::tenant(&mut tx, &tenant.merchant, true).await.map_err(|e| detail(&e))?;
        }
        Ok(console(tenant))
    }
}

/// With `http://` where no scheme is said, as one writes on the own machine.
fn near_url(text: &str) -> Result<Url, String> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&whole).map_err(|e| e.to_string())?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err("must be http:// or https://".into()) }
}

pub async fn run(settings: &Settings, command: Command) -> Result<(), String> {
    let db = open(settings).await?;
    match command {
        Command::Listen { forward_to, events, whose } => {
            let mut forward = Forward::start(db.clone(), whose.actor(&db).await?, forward_to, events).await?;
            println!("Ready. The signing secret is {} (Ctrl-C ends this).", forward.secret);
            tokio::select! {
                ended = forward.go_on() => ended,
                () = serve::stop_signal() => Ok(()),
            }
        }
        Command::Replay { id, endpoint, since, until, failed, whose } => {
            let who = whose.actor(&db).await?;
            let range = Range {
                from: Seconds(since.unwrap_or(i64::MIN)),
                until: Seconds(until.unwrap_or(i64::MAX)),
                status: failed.then_some(Status::Failed),
            };
            let asked = transact!(db, |tx| match (&id, &endpoint) {
                (Some(id), endpoint) => replay::one(tx, &who, id, endpoint.as_deref()).await,
                (None, Some(endpoint)) => replay::range(tx, &who, endpoint, &range).await,
                (None, None) => Ok(0),
            });
            println!("{} to be sent again; the workers of `portico serve` do so.", asked.map_err(|e| detail(&e))?);
            Ok(())
        }
    }
}

/// Takes what happens from now on to one receiver. Nothing of it is written down.
pub struct Forward {
    db: Db,
    who: Actor,
    url: Url,
    /// The names that are forwarded; all where there are none.
    names: Vec<String>,
    outbound: Outbound,
    pub secret: String,
    /// Up to where it has been looked.
    last: Option<Event>,
}

impl Forward {
    pub async fn start(db: Db, who: Actor, url: Url, names: Vec<String>) -> Result<Self, String> {
        let port = url.port_or_known_default().unwrap_or_default();
        let outbound = Outbound::with_rules(Rules { allow_private: true, ports: vec![port] })?;
        let last = newest(&db, &who).await.map_err(|e| detail(&e))?;
        Ok(Self { db, who, url, names, outbound, secret: signature::secret(), last })
    }

    async fn go_on(&mut self) -> Result<(), String> {
        loop {
            for line in self.step().await.map_err(|e| detail(&e))? {
                println!("{line}");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Forwards what has happened since the last step; answers a line about each.
    pub async fn step(&mut self) -> billing::Result<Vec<String>> {
        let mut lines = Vec::new();
        for event in self.new_events().await? {
            if self.names.is_empty() || self.names.contains(&event.r#type) {
                lines.push(self.forward(&event).await?);
            }
            self.last = Some(event);
        }
        Ok(lines)
    }

    async fn new_events(&self) -> billing::Result<Vec<Event>> {
        let page = Page { limit: 100, ending_before: self.last.as_ref().map(|e| e.id.clone()), ..Page::default() };
        let mut tx = self.db.read().await?;
        let mut found = event::list(&mut tx, &self.who, &page, None).await?.data;
        found.reverse();
        Ok(found)
    }

    async fn forward(&self, event: &Event) -> billing::Result<String> {
        let body = lane::sent_as(&self.who.tenant, event, &event.r#type, wire::API_VERSION).to_string();
        let now = self.db.clock().wall().seconds();
        let secrets = [self.secret.clone()];
        let request = request(self.url.as_str(), &secrets, &event.id, &body, now)?;
        let answer = match self.outbound.send(request).await {
            Ok(answer) => answer.status.to_string(),
            Err(failure) => failure.to_string(),
        };
        Ok(format!("{} [{}] -> {answer}", event.r#type, event.id))
    }
}

async fn newest(db: &Db, who: &Actor) -> billing::Result<Option<Event>> {
    let mut tx = db.read().await?;
    Ok(event::list(&mut tx, who, &Page::first(1), None).await?.data.pop())
}
