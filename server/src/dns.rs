//! What the DNS says of a name that a merchant has claimed.

use std::net::SocketAddr;
use std::time::Duration;

use billing::portal::domain::Domain;
use billing::portal::domain::proof::Found;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};

/// How long one look may take; somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks `server`, else the system's, for the records that a claim is proven by.
pub async fn look_up(server: Option<SocketAddr>, domain: &Domain) -> Found {
    let asked = tokio::time::timeout(PATIENCE, ask(server, domain)).await;
    match asked {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            tracing::info!(%error, domain = domain.id, "the DNS has not answered");
            Found::Nothing
        }
        Err(_) => Found::Nothing,
    }
}

async fn ask(server: Option<SocketAddr>, domain: &Domain) -> Result<Found, NetError> {
    let resolver = resolver(server)?;
    let cnames = records(&resolver, &domain.domain_name, RecordType::CNAME).await?;
    let texts = records(&resolver, &domain.txt_name(), RecordType::TXT).await?;
    Ok(Found::Records { cnames, texts })
}

/// Made anew for each look, so that nothing old is remembered: whoever has just changed a zone asks again.
fn resolver(server: Option<SocketAddr>) -> Result<TokioResolver, NetError> {
    let mut builder = match server {
        None => Resolver::builder_tokio()?,
        Some(server) => {
            let mut ways = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
            ways.iter_mut().for_each(|way| way.port = server.port());
            let servers = vec![NameServerConfig::new(server.ip(), true, ways.into())];
            let config = ResolverConfig::from_name_servers(servers);
            Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let usual = ResolverOpts::default();
    let options = builder.options_mut();
    (options.timeout, options.attempts) = (PATIENCE / 4, usual.attempts.min(2));
    (options.cache_size, options.ndots) = (0, 1);
    builder.build()
}

/// The records of one kind, as text; none is an answer too.
async fn records(resolver: &TokioResolver, name: &str, kind: RecordType) -> Result<Vec<String>, NetError> {
    // The dot keeps the search domains of this machine out.
    let found = match resolver.lookup(format!("{name}."), kind).await {
        Ok(found) => found,
        Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(found.answers().iter().filter_map(|record| text(&record.data)).collect())
}

fn text(data: &RData) -> Option<String> {
    match data {
        RData::CNAME(name) => Some(name.0.to_ascii()),
        // A long text is sent in parts.
        RData::TXT(texts) => Some(String::from_utf8_lossy(&texts.txt_data.concat()).into_owned()),
        _ => None,
    }
}
