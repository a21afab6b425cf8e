//! The only way out to addresses that others have named: it reaches nothing inside, follows nobody on, waits for nobody
//! long, and reads little.

mod address;

use std::error::Error as StdError;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use billing::Error;
use http::{HeaderMap, Method};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::config::Settings;

/// How long one request may take, from the look-up of the name to the last byte that is read.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// As much of an answer is read; the rest stays where it is.
pub const MOST_BODY: usize = 64 * 1024;
/// A connection that is kept open for the next request is closed after this long.
const IDLE: Duration = Duration::from_secs(10);
/// How long a name may take to be looked up when an address is only written down.
const LOOK_UP: Duration = Duration::from_secs(5);

/// Where requests may go.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Also to this machine and its private network, at any port: for development.
    pub allow_private: bool,
    pub ports: Vec<u16>,
}

pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// The first [`MOST_BODY`] bytes.
    pub body: Vec<u8>,
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing was sent.
    #[error("{0}")]
    Refused(&'static str),
    #[error("there was no whole answer in time")]
    Timeout,
    #[error("{0}")]
    Broken(String),
}

const INSIDE: &str = "the host is, or one of its addresses is, not on the public internet";
const PORT: &str = "the port is none of those that are allowed";
const NO_HOST: &str = "the URL names no host that could be asked";

/// Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    client: reqwest::Client,
    names: Arc<Vetted>,
    patience: Duration,
}

impl Outbound {
    /// As the settings say, with the names and the trusted roots of the system; the error is the one line to print.
    pub fn of(settings: &Settings) -> Result<Self, String> {
        let rules = Rules { allow_private: settings.allow_private_webhooks, ports: settings.webhook_ports.clone() };
        Self::with_rules(rules)
    }

    /// By other rules, with the names and roots of the system.
    pub fn with_rules(rules: Rules) -> Result<Self, String> {
        Self::build(rules, Arc::new(SystemNames), true)
    }

    /// With other names.
    pub fn with_names(rules: Rules, names: Arc<dyn Resolve>) -> Result<Self, String> {
        Self::build(rules, names, false)
    }

    fn build(rules: Rules, names: Arc<dyn Resolve>, system_roots: bool) -> Result<Self, String> {
        let names = Arc::new(Vetted { names, rules });
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .dns_resolver(names.clone())
            .pool_idle_timeout(IDLE)
            .tls_built_in_native_certs(system_roots)
            .user_agent(concat!("Portico/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { client: client.map_err(|e| said(&e))?, names, patience: PATIENCE })
    }

    /// With less patience.
    pub fn waiting(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sends a request to wherever it may go and reads the answer, whatever its status.
    pub async fn send(&self, request: Request) -> Result<Answer, Failure> {
        self.names.rules.check(&request.url)?;
        let sent = tokio::time::timeout(self.patience, self.exchange(request));
        sent.await.unwrap_or(Err(Failure::Timeout))
    }

    async fn exchange(&self, request: Request) -> Result<Answer, Failure> {
        let Request { method, url, headers, body } = request;
        let sent = self.client.request(method, url).headers(headers).body(body).send();
        let mut answer = sent.await.map_err(failure)?;
        let mut body = Vec::new();
        while body.len() < MOST_BODY
            && let Some(chunk) = answer.chunk().await.map_err(failure)?
        {
            body.extend_from_slice(&chunk[..chunk.len().min(MOST_BODY - body.len())]);
        }
        Ok(Answer { status: answer.status().as_u16(), headers: std::mem::take(answer.headers_mut()), body })
    }

    /// Refuses an address that is only written down, for later, if nothing would be sent there. A name that nobody knows
    /// yet is no such reason: every sending asks again.
    pub async fn check(&self, url: &Url) -> Result<(), Failure> {
        self.names.rules.check(url)?;
        let Some(name) = url.domain().and_then(|name| name.parse::<Name>().ok()) else { return Ok(()) };
        match tokio::time::timeout(LOOK_UP, self.names.resolve(name)).await {
            Ok(Err(error)) if is_inside(&*error) => Err(Failure::Refused(INSIDE)),
            _ => Ok(()),
        }
    }

    /// The same of a parameter, which the error names. What is no URL is left to who reads it.
    pub async fn check_param(&self, text: &str, param: &str) -> billing::Result<()> {
        let Ok(url) = Url::parse(text) else { return Ok(()) };
        let refuse = |why: Failure| Error::Invalid {
            param: param.into(),
            code: "url_invalid",
            message: format!("Nothing is sent to this URL: {why}."),
        };
        self.check(&url).await.map_err(refuse)
    }
}

impl Rules {
    /// What can be told without asking for the name.
    fn check(&self, url: &Url) -> Result<(), Failure> {
        let port = url.port_or_known_default().ok_or(Failure::Refused(NO_HOST))?;
        if !self.allow_private && !self.ports.contains(&port) {
            return Err(Failure::Refused(PORT));
        }
        let address: IpAddr = match url.host() {
            Some(Host::Ipv4(ip)) => ip.into(),
            Some(Host::Ipv6(ip)) => ip.into(),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(Failure::Refused(NO_HOST)),
        };
        if self.permits(address) { Ok(()) } else { Err(Failure::Refused(INSIDE)) }
    }

    fn permits(&self, address: IpAddr) -> bool {
        address::is_global(address) || self.allow_private && address::is_near(address)
    }
}

/// Names of which every address may be connected to; the connection goes to the addresses that were looked at.
struct Vetted {
    names: Arc<dyn Resolve>,
    rules: Rules,
}

#[derive(Debug, thiserror::Error)]
#[error("{INSIDE}")]
struct Inside;

impl Resolve for Vetted {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, rules) = (self.names.resolve(name), self.rules.clone());
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = found.await?.collect();
            if !addresses.iter().all(|address| rules.permits(address.ip())) {
                return Err(Inside.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The error, and what it came from, and so on.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (**error).source())
}

fn is_inside(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|error| error.is::<Inside>())
}

fn failure(error: reqwest::Error) -> Failure {
    if is_inside(&error) { Failure::Refused(INSIDE) } else { Failure::Broken(said(&error)) }
}

/// The innermost reason, without the URL: that may hold what only the receiver should know.
fn said(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests;
