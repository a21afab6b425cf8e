//! Settings: flags, `PORTICO_…` variables, `.env`, `Leptos.toml`, in that order of precedence.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use billing::id;
use billing::limit::Limit;
use billing::seal::Key;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use ipnet::IpNet;
use lettre::Address;
use lettre::message::Mailbox;
use serde::Deserialize;
use url::Url;

use crate::mail;

/// Every setting, each with its flag, its variable and its default.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Where the books are kept: sqlite://path or postgres://user@host/name.
    #[arg(
        long,
        global = true,
        env = "PORTICO_DATABASE_URL",
        default_value = "sqlite://data/portico.db",
        hide_env_values = true
    )]
    pub database_url: String,

    /// Where the built-in test processor keeps its own ledger [default: beside the database].
    #[arg(long, global = true, env = "PORTICO_SANDBOX_DATABASE_URL", hide_env_values = true)]
    pub sandbox_database_url: Option<String>,

    /// Where `portico sandbox` serves the built-in test processor, like http://127.0.0.1:3003 [default: this process is it].
    #[arg(long, global = true, env = "PORTICO_SANDBOX_URL", value_parser = public_url)]
    pub sandbox_url: Option<String>,

    /// What sealed rows are sealed with, at least 32 characters [default: made beside a SQLite database at first start].
    #[arg(long, global = true, env = "PORTICO_ENCRYPTION_KEY", hide_env_values = true)]
    pub encryption_key: Option<String>,

    /// The address to listen on.
    #[arg(long, global = true, env = "PORTICO_ADDR", default_value = "127.0.0.1:3000")]
    pub addr: SocketAddr,

    /// How browsers and backends reach this server, without a path.
    #[arg(long, global = true, env = "PORTICO_PUBLIC_URL", default_value = "http://localhost:3000", value_parser = public_url)]
    pub public_url: String,

    /// The address that the hosted fields listen on, where numbers are typed [default: the port after PORTICO_ADDR's].
    #[arg(long, global = true, env = "PORTICO_FIELDS_ADDR")]
    pub fields_addr: Option<SocketAddr>,

    /// How browsers reach the hosted fields: another host than the portal's, since cookies know no ports [default: http://127.0.0.1 and the fields' port].
    #[arg(long, global = true, env = "PORTICO_FIELDS_URL", value_parser = public_url)]
    pub fields_url: Option<String>,

    /// The server that takes mails to customers: smtps://user:password@host, or smtp://… with ?tls=required [default: none, mails are files in data/mail].
    #[arg(long, global = true, env = "PORTICO_SMTP_URL", hide_env_values = true, value_parser = smtp_url)]
    pub smtp_url: Option<String>,

    /// The address that mails are from; the name beside it is the merchant's [default: billing@ and the public URL's host].
    #[arg(long, global = true, env = "PORTICO_MAIL_FROM")]
    pub mail_from: Option<Mailbox>,

    /// Proxies whose X-Forwarded-For is believed, as comma-separated networks (10.0.0.0/8,::1/128).
    #[arg(long, global = true, env = "PORTICO_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<IpNet>,

    /// Whether webhooks also go to this machine and its private network, at any port: for development.
    #[arg(long, global = true, env = "PORTICO_ALLOW_PRIVATE_WEBHOOKS", default_value_t = false, action = clap::ArgAction::Set)]
    pub allow_private_webhooks: bool,

    /// The ports that webhooks go to, with commas between.
    #[arg(long, global = true, env = "PORTICO_WEBHOOK_PORTS", value_delimiter = ',', default_value = "443")]
    pub webhook_ports: Vec<u16>,

    /// The name server that is asked about custom domains, like 127.0.0.1:53 [default: the system's].
    #[arg(long, global = true, env = "PORTICO_DNS_SERVER")]
    pub dns_server: Option<SocketAddr>,

    /// How many login mails one address may be sent, as COUNT/SECONDS; more are not sent, and not told.
    #[arg(long, global = true, env = "PORTICO_LOGIN_ADDRESS_LIMIT", default_value = "3/900", value_delimiter = ',')]
    pub login_address_limit: Vec<Limit>,

    /// How many login mails one client may ask for, as COUNT/SECONDS or COUNT/SECONDS/PAUSE, several with commas; more are refused.
    #[arg(
        long,
        global = true,
        env = "PORTICO_LOGIN_CLIENT_LIMIT",
        default_value = "6/60,12/3600/900",
        value_delimiter = ','
    )]
    pub login_client_limit: Vec<Limit>,

    /// How many login mails one merchant's customers may be sent together; more are not sent, and not told.
    #[arg(
        long,
        global = true,
        env = "PORTICO_LOGIN_MERCHANT_LIMIT",
        default_value = "1000/3600",
        value_delimiter = ','
    )]
    pub login_merchant_limit: Vec<Limit>,

    /// How many mailed links and codes one client may try; more are refused.
    #[arg(long, global = true, env = "PORTICO_LOGIN_TRY_LIMIT", default_value = "10/60", value_delimiter = ',')]
    pub login_try_limit: Vec<Limit>,

    /// How many seconds `/readyz` says no before a stopping server refuses connections: a balancer's time to notice.
    #[arg(long, global = true, env = "PORTICO_DRAIN_DELAY", default_value_t = 0)]
    pub drain_delay: u64,

    /// What is logged, in tracing's syntax (info; warn,server=debug,billing=debug; …).
    #[arg(long, global = true, env = "PORTICO_LOG", default_value = "info")]
    pub log: String,

    /// Log lines for people (text) or for machines (json).
    #[arg(long, global = true, env = "PORTICO_LOG_FORMAT", default_value = "text", value_parser = ["text", "json"])]
    pub log_format: String,

    /// Who may read /metrics from another machine: the bearer of this token [default: nobody else may].
    #[arg(long, global = true, env = "PORTICO_METRICS_TOKEN", hide_env_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub metrics_token: Option<String>,

    /// What a TLS front on another machine puts behind /tls/ask?token= [default: only this machine may ask].
    #[arg(long, global = true, env = "PORTICO_TLS_ASK_TOKEN", hide_env_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub tls_ask_token: Option<String>,

    /// Whether `serve` brings the database's schema up to date when it starts.
    #[arg(long, global = true, env = "PORTICO_AUTO_MIGRATE", default_value_t = true, action = clap::ArgAction::Set)]
    pub auto_migrate: bool,
}

/// Variables of the build and the tests, which the program ignores.
const NOT_OURS: &[&str] = &["PORTICO_CACHE", "PORTICO_TEST_POSTGRES", "PORTICO_TEST_SCALE", "PORTICO_TEST_SEED"];
/// Settings that may hold a password, and so may also stand in a file named by `…_FILE`.
pub const SECRETS: &[(&str, &str)] = &[
    ("PORTICO_DATABASE_URL", "database_url"),
    ("PORTICO_SANDBOX_DATABASE_URL", "sandbox_database_url"),
    ("PORTICO_ENCRYPTION_KEY", "encryption_key"),
    ("PORTICO_METRICS_TOKEN", "metrics_token"),
    ("PORTICO_SMTP_URL", "smtp_url"),
    ("PORTICO_TLS_ASK_TOKEN", "tls_ask_token"),
];

impl Settings {
    /// The host and port that browsers name, as in a `Host` header.
    pub fn authority(&self) -> &str {
        authority(&self.public_url)
    }

    pub fn fields_addr(&self) -> SocketAddr {
        let next = self.addr.port().checked_add(u16::from(self.addr.port() != 0)).unwrap_or_default();
        self.fields_addr.unwrap_or_else(|| SocketAddr::new(self.addr.ip(), next))
    }

    pub fn fields_url(&self) -> String {
        let port = self.fields_addr().port();
        let host = if self.public_url.contains("//127.0.0.1") { "localhost" } else { "127.0.0.1" };
        self.fields_url.clone().unwrap_or_else(|| format!("http://{host}:{port}"))
    }

    /// Numbers are typed on another host than the portal's: one that its cookies are never sent to.
    pub fn check_fields(&self) -> Result<(), String> {
        let host = |url: &str| Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        if host(&self.fields_url()) != host(&self.public_url) {
            return Ok(());
        }
        Err("PORTICO_FIELDS_URL must name another host than PORTICO_PUBLIC_URL: cookies know no ports".into())
    }

    /// Whom mails are from.
    pub fn sender(&self) -> Result<Mailbox, String> {
        if let Some(from) = &self.mail_from {
            return Ok(from.clone());
        }
        let url = Url::parse(&self.public_url).ok();
        // An address in the place of a name stands in brackets.
        let host = match url.as_ref().and_then(Url::host) {
            Some(url::Host::Domain(name)) => name.to_owned(),
            Some(url::Host::Ipv4(ip)) => format!("[{ip}]"),
            Some(url::Host::Ipv6(ip)) => format!("[{ip}]"),
            None => String::new(),
        };
        let address = Address::new("billing", &host);
        let unfit = |_| format!("PORTICO_MAIL_FROM is needed: nothing is mailed from {host}");
        address.map(|address| Mailbox::new(None, address)).map_err(unfit)
    }

    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// Whether the public URL is plain HTTP on a name that others can reach: refused once live keys exist.
    pub fn is_exposed(&self) -> bool {
        let host = Url::parse(&self.public_url).ok().and_then(|url| url.host().map(|host| host.to_owned()));
        let loopback = match host {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        !self.is_https() && !loopback
    }

    /// The test processor's ledger: its own file, beside the books' where those are a file.
    pub fn sandbox_ledger(&self) -> String {
        self.sandbox_database_url.clone().unwrap_or_else(|| {
            let beside =
                self.database_url.strip_prefix("sqlite://").map(|path| Path::new(path).with_file_name("sandbox.db"));
            format!("sqlite://{}", beside.unwrap_or_else(|| "data/sandbox.db".into()).display())
        })
    }
}

/// An origin's host and port, as in a `Host` header.
pub fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, rest)| rest)
}

/// The installation's key: the setting, or the file beside a SQLite database, which the first start makes.
pub fn encryption_key(settings: &Settings) -> Result<Key, String> {
    if let Some(text) = &settings.encryption_key {
        return Key::parse(text).map_err(|e| format!("PORTICO_ENCRYPTION_KEY: {e}"));
    }
    let Some(database) = settings.database_url.strip_prefix("sqlite://") else {
        return Err(
            "PORTICO_ENCRYPTION_KEY is needed with PostgreSQL: at least 32 characters, the same on every process"
                .into(),
        );
    };
    let path = Path::new(database).with_file_name("portico.key");
    let read = || -> std::io::Result<String> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => file.write_all(id::secret().as_bytes())?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        std::fs::read_to_string(&path)
    };
    let text = read().map_err(|e| format!("{}: {e}", path.display()))?;
    Key::parse(&text).map_err(|e| format!("{}: {e}", path.display()))
}

fn smtp_url(text: &str) -> Result<String, String> {
    mail::transport(text).map(|_| text.to_owned())
}

fn public_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|e| e.to_string())?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("must begin with http:// or https:// and name a host".into());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(
            "must be a scheme, a host and perhaps a port: the portal and /v1 stand at the root of a host".into()
        );
    }
    Ok(text.trim_end_matches('/').to_ascii_lowercase())
}

/// `Leptos.toml` as far as it is ours; the block that Leptos reads comes last in it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    server: ServerTable,
    #[serde(default)]
    log: LogTable,
    #[serde(default)]
    mail: MailTable,
    /// Leptos' own block.
    #[serde(default, rename = "workspace")]
    _workspace: Option<toml::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ServerTable {
    addr: Option<String>,
    public_url: Option<String>,
    trusted_proxies: Option<Vec<String>>,
    drain_delay: Option<u64>,
    auto_migrate: Option<bool>,
    fields_addr: Option<String>,
    fields_url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LogTable {
    filter: Option<String>,
    format: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MailTable {
    from: Option<String>,
}

/// What `Leptos.toml` in the working directory says, as (argument, value) defaults. Secrets never stand in it.
pub fn file_defaults() -> Result<Vec<(&'static str, String)>, String> {
    let Ok(text) = std::fs::read_to_string("Leptos.toml") else { return Ok(Vec::new()) };
    let file: File = toml::from_str(&text).map_err(|e| format!("Leptos.toml: {}", e.message()))?;
    let values = [
        ("addr", file.server.addr),
        ("public_url", file.server.public_url),
        ("trusted_proxies", file.server.trusted_proxies.map(|list| list.join(","))),
        ("drain_delay", file.server.drain_delay.map(|seconds| seconds.to_string())),
        ("fields_addr", file.server.fields_addr),
        ("fields_url", file.server.fields_url),
        ("auto_migrate", file.server.auto_migrate.map(|on| on.to_string())),
        ("mail_from", file.mail.from),
        ("log", file.log.filter),
        ("log_format", file.log.format),
    ];
    Ok(values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

/// Secrets from files: `PORTICO_DATABASE_URL_FILE=/run/secrets/db` as (argument, value) defaults.
pub fn secret_files() -> Result<Vec<(&'static str, String)>, String> {
    let mut found = Vec::new();
    for (variable, argument) in SECRETS {
        let Ok(path) = std::env::var(format!("{variable}_FILE")) else { continue };
        if std::env::var_os(variable).is_some() {
            return Err(format!("{variable} and {variable}_FILE are both set; keep one"));
        }
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{variable}_FILE: {path}: {e}"))?;
        found.push((*argument, text.trim_end().to_owned()));
    }
    Ok(found)
}

/// Refuses a `PORTICO_…` variable that no setting reads: a misspelt one would otherwise be silently without effect.
pub fn refuse_unknown_variables(known: &[String]) -> Result<(), String> {
    let is_known = |name: &str| {
        let secret_file = name.strip_suffix("_FILE").is_some_and(|base| SECRETS.iter().any(|secret| secret.0 == base));
        known.iter().any(|k| k == name) || NOT_OURS.contains(&name) || secret_file
    };
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut unknown: Vec<String> = names.filter(|name| name.starts_with("PORTICO_") && !is_known(name)).collect();
    unknown.sort();
    match unknown.first() {
        None => Ok(()),
        Some(name) => Err(format!("unknown setting {name}; `portico serve --help` lists them all")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_on_another_host() {
        #[derive(clap::Parser)]
        struct Flags {
            #[command(flatten)]
            settings: Settings,
        }
        let of =
            |flags: &[&str]| <Flags as clap::Parser>::try_parse_from([&["portico"], flags].concat()).unwrap().settings;
        let usual = of(&["--addr", "127.0.0.1:4000"]);
        assert_eq!((usual.fields_addr().port(), usual.fields_url().as_str()), (4001, "http://127.0.0.1:4001"));
        assert!(usual.check_fields().is_ok());
        let same = of(&["--fields-url", "http://localhost:3001"]);
        assert!(same.check_fields().is_err());
        let near = of(&["--public-url", "http://127.0.0.1:3000"]);
        assert!(near.check_fields().is_ok() && near.fields_url() == "http://localhost:3001");
    }

    #[test]
    fn public_urls_are_origins() {
        assert_eq!(public_url("https://Billing.example.com/"), Ok("https://billing.example.com".into()));
        assert_eq!(public_url("http://localhost:3000"), Ok("http://localhost:3000".into()));
        for bad in
            ["billing.example.com", "ftp://x.org", "https://x.org/portal", "https://x.org/?a=b", "https://user@x.org"]
        {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }
}
