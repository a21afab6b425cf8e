//! Issuers: whose signed word the merchant takes for who is signed in, and what it is taken for.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::page::{Listed, Page, page};
use crate::patch::{Patch, check_text};
use crate::portal::configuration::check_url;
use crate::store::{Json, Tx, maybe, run};
use crate::text_enum::text_enum;
use crate::{id, wire};

text_enum!(
    /// How its tokens are signed. One that says it is signed otherwise is refused.
    Algorithm { EdDsa = "EdDSA", Es256 = "ES256", Hs256 = "HS256", Rs256 = "RS256" }
);
text_enum!(
    /// What the claim holds: the merchant's own id of a customer, or an address that the issuer says is verified.
    Match { Email = "email", ExternalId = "external_id" }
);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub algorithm: Algorithm,
    /// A shared secret, sealed.
    pub secret: Option<String>,
    /// In PEM.
    pub public_key: Option<String>,
    /// Where the issuer publishes its keys.
    pub jwks_url: Option<String>,
    /// By how many seconds its clock may be off: 0 to 300.
    pub clock_skew: i64,
    /// The claim that names the customer.
    pub claim: String,
    pub matches: Match,
    /// Where customers may be sent back to: these, and what lies below them.
    pub return_urls: Vec<String>,
    /// The pages whose script may ask: origins.
    pub origins: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Issuer {
    pub id: String,
    pub active: bool,
    /// The `iss` of its tokens.
    pub issuer: String,
    /// What is among the `aud` of those that are for us.
    pub audience: String,
    pub settings: Json<Settings>,
    pub created: Seconds,
    pub updated: Seconds,
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, active, issuer, audience, settings, created, updated, version"
    };
}

/// What may be said of an issuer, new or old.
#[derive(Debug, Clone, Default)]
pub struct IssuerUpdate {
    pub active: Option<bool>,
    pub issuer: Option<String>,
    pub audience: Option<String>,
    pub algorithm: Option<Algorithm>,
    pub secret: Patch<String>,
    pub public_key: Patch<String>,
    pub jwks_url: Patch<String>,
    pub clock_skew: Option<i64>,
    pub claim: Option<String>,
    pub matches: Option<Match>,
    pub return_urls: Option<Vec<String>>,
    pub origins: Option<Vec<String>>,
}

impl Issuer {
    /// Whether a customer may be sent back there: to the host of one of its URLs, at or below its path.
    pub fn returns_to(&self, url: &str) -> bool {
        let Ok(wanted) = Url::parse(url) else { return false };
        self.settings.return_urls.iter().filter_map(|allowed| Url::parse(allowed).ok()).any(|allowed| {
            let below = wanted.path().strip_prefix(allowed.path().trim_end_matches('/'));
            allowed.origin() == wanted.origin() && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The shared secret.
    pub fn secret(&self, tx: &Tx) -> Result<Option<String>> {
        self.settings.secret.as_ref().map(|sealed| tx.key.open(&self.id, sealed)).transpose()
    }
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Issuer> {
    maybe!(tx, concat!("select ", columns!(), " from portal_issuer where tenant = $1 and id = $2"), who.tenant.key, id)?
        .ok_or_else(|| Error::missing("portal_issuer", id))
}

pub async fn list(tx: &mut Tx, who: &Actor, page: &Page) -> Result<Listed<Issuer>> {
    page!(tx, who, page, "portal_issuer", columns!(), "true")
}

pub async fn create(tx: &mut Tx, who: &Actor, new: IssuerUpdate) -> Result<Issuer> {
    let needed = |name: &str| Error::Invalid {
        param: name.into(),
        code: "parameter_missing",
        message: format!("Missing required param: {name}."),
    };
    let mut issuer = Issuer {
        id: id::new("iss", tx.now),
        active: true,
        issuer: new.issuer.clone().ok_or_else(|| needed("issuer"))?,
        audience: new.audience.clone().ok_or_else(|| needed("audience"))?,
        settings: Json(Settings {
            algorithm: new.algorithm.ok_or_else(|| needed("algorithm"))?,
            secret: None,
            public_key: None,
            jwks_url: None,
            clock_skew: 60,
            claim: "sub".into(),
            matches: Match::ExternalId,
            return_urls: new.return_urls.clone().ok_or_else(|| needed("return_urls"))?,
            origins: Vec::new(),
        }),
        created: tx.now.seconds(),
        updated: tx.now.seconds(),
        version: 1,
    };
    apply(tx, who, &mut issuer, new).await?;
    run!(
        tx,
        concat!(
            "insert into portal_issuer (tenant, origins, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        ),
        who.tenant.key,
        searched(&issuer.settings.origins),
        &issuer.id,
        issuer.active,
        &issuer.issuer,
        &issuer.audience,
        &issuer.settings,
        issuer.created,
        issuer.updated,
        issuer.version
    )?;
    announce(tx, who, None, Some(&issuer), "portal_issuer.created").await?;
    Ok(issuer)
}

pub async fn update(tx: &mut Tx, who: &Actor, id: &str, update: IssuerUpdate) -> Result<Issuer> {
    let before = get(tx, who, id).await?;
    let mut after = before.clone();
    apply(tx, who, &mut after, update).await?;
    if after == before {
        return Ok(after);
    }
    after.updated = tx.now.seconds();
    let saved = run!(
        tx,
        "update portal_issuer set active = $3, issuer = $4, audience = $5, settings = $6, origins = $7, updated = $8, version = version + 1
         where tenant = $1 and id = $2 and version = $9",
        who.tenant.key,
        &after.id,
        after.active,
        &after.issuer,
        &after.audience,
        &after.settings,
        searched(&after.settings.origins),
        after.updated,
        after.version
    )?;
    if saved != 1 {
        return Err(Error::Busy);
    }
    after.version += 1;
    announce(tx, who, Some(&before), Some(&after), "portal_issuer.updated").await?;
    Ok(after)
}

pub async fn delete(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    let issuer = get(tx, who, id).await?;
    run!(tx, "delete from portal_issuer where tenant = $1 and id = $2", who.tenant.key, id)?;
    announce(tx, who, Some(&issuer), None, "portal_issuer.deleted").await
}

/// As it is looked for: each between spaces.
fn searched(origins: &[String]) -> String {
    format!(" {} ", origins.join(" "))
}

async fn apply(tx: &mut Tx, who: &Actor, issuer: &mut Issuer, update: IssuerUpdate) -> Result<()> {
    let Issuer { id, active, issuer: name, audience, settings, .. } = issuer;
    let settings = &mut settings.0;
    *active = update.active.unwrap_or(*active);
    *name = update.issuer.unwrap_or_else(|| name.clone());
    *audience = update.audience.unwrap_or_else(|| audience.clone());
    settings.algorithm = update.algorithm.unwrap_or(settings.algorithm);
    match update.secret {
        Patch::Keep => {}
        Patch::Clear => settings.secret = None,
        Patch::Set(secret) if secret.len() < 32 => {
            return Err(Error::invalid("secret", "A shared secret is at least 32 bytes long."));
        }
        Patch::Set(secret) => settings.secret = Some(tx.key.seal(id, &secret)?),
    }
    update.public_key.apply(&mut settings.public_key);
    update.jwks_url.apply(&mut settings.jwks_url);
    settings.clock_skew = update.clock_skew.unwrap_or(settings.clock_skew);
    settings.claim = update.claim.unwrap_or_else(|| settings.claim.clone());
    settings.matches = update.matches.unwrap_or(settings.matches);
    settings.return_urls = update.return_urls.unwrap_or_else(|| settings.return_urls.clone());
    settings.origins = update.origins.unwrap_or_else(|| settings.origins.clone());
    check(issuer, who.tenant.livemode)?;
    check_free(tx, issuer).await
}

fn check(issuer: &Issuer, livemode: bool) -> Result<()> {
    let settings = &issuer.settings;
    for (text, param) in
        [(&issuer.issuer, "issuer"), (&issuer.audience, "audience"), (&settings.claim, "customer_claim")]
    {
        if text.is_empty() {
            return Err(Error::invalid(param, format!("{param} must not be empty.")));
        }
        check_text(text, 500, param)?;
    }
    if !(0..=300).contains(&settings.clock_skew) {
        return Err(Error::invalid("clock_skew", "A clock may be off by 0 to 300 seconds."));
    }
    let is_shared = settings.algorithm == Algorithm::Hs256;
    let given = [
        ("secret", settings.secret.is_some(), is_shared),
        ("public_key", settings.public_key.is_some(), !is_shared && settings.jwks_url.is_none()),
        ("jwks_url", settings.jwks_url.is_some(), !is_shared && settings.public_key.is_none()),
    ];
    if let Some((param, ..)) = given.iter().find(|(_, is_given, is_needed)| is_given != is_needed) {
        let message =
            "HS256 needs `secret` and nothing else; the others need `public_key` or `jwks_url`, one of the two.";
        return Err(Error::invalid(*param, message));
    }
    if let Some(url) = &settings.jwks_url {
        check_url(url, livemode, "jwks_url")?;
    }
    if settings.return_urls.is_empty() {
        return Err(Error::invalid("return_urls", "At least one place to come back to is needed."));
    }
    for (n, url) in settings.return_urls.iter().enumerate() {
        check_url(url, livemode, &format!("return_urls[{n}]"))?;
    }
    for (n, origin) in settings.origins.iter().enumerate() {
        let param = format!("origins[{n}]");
        check_url(origin, livemode, &param)?;
        if !Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin) {
            let message = "An origin has a scheme, a host and perhaps a port, and nothing after them.";
            return Err(Error::invalid(param, message));
        }
    }
    Ok(())
}

/// A token says by whom it is and for whom, and that has to lead to one merchant.
async fn check_free(tx: &mut Tx, issuer: &Issuer) -> Result<()> {
    let taken: Option<(String,)> = maybe!(
        tx,
        "select id from portal_issuer where issuer = $1 and audience = $2 and id <> $3",
        &issuer.issuer,
        &issuer.audience,
        &issuer.id
    )?;
    match taken {
        None => Ok(()),
        Some(_) => {
            Err(Error::invalid("audience", "These tokens are taken for another issuer's: use another audience."))
        }
    }
}

async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&Issuer>,
    after: Option<&Issuer>,
    action: &'static str,
) -> Result<()> {
    let render = |issuer: &Issuer| wire::portal_issuer(&who.tenant, issuer);
    let id = before.or(after).map(|issuer| issuer.id.as_str()).unwrap_or_default();
    let change = Change {
        object: "portal_issuer",
        id,
        customer: None,
        before: before.map(render),
        after: after.map(render),
        action,
        events: &[],
    };
    record(tx, who, change).await
}
