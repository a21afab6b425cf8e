//! Portal configurations: named, several a merchant, one default; a session uses one.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::page::{Listed, Page, page};
use crate::patch::{Metadata, MetadataPatch, Patch, check_text, merge_metadata};
use crate::portal::branding::{self, BrandingUpdate, Look};
use crate::portal::domain;
use crate::portal::features::{self, Features};
use crate::store::{Json, Tx, maybe, run};
use crate::{id, wire};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BusinessProfile {
    pub headline: Option<String>,
    pub privacy_policy_url: Option<String>,
    pub terms_of_service_url: Option<String>,
}

/// Lifetimes, in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    /// How long a link waits to be opened: 60 to 7,200.
    pub link_ttl: i64,
    /// How long a session lives without a request.
    pub idle: i64,
    /// How long it lives at most.
    pub max: i64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self { link_ttl: 30 * 60, idle: 30 * 60, max: 2 * 60 * 60 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LoginPage {
    pub enabled: bool,
}

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Configuration {
    pub id: String,
    pub name: Option<String>,
    pub active: bool,
    pub is_default: bool,
    pub default_return_url: Option<String>,
    pub business_profile: Json<BusinessProfile>,
    pub features: Json<Features>,
    pub session: Json<Lifetimes>,
    pub login_page: Json<LoginPage>,
    /// What the address of its login page ends with: stable, and no secret.
    pub login_token: String,
    /// The address of its login page, where it is open and browsers reach the portal.
    #[sqlx(skip)]
    pub login_url: Option<String>,
    /// What looks otherwise than the merchant's branding says.
    pub branding: Json<Look>,
    /// The id of a domain of the merchant's, under which this portal answers while it is proven.
    pub custom_domain: Option<String>,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    pub updated: Seconds,
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, name, active, is_default, default_return_url, business_profile, features, session, login_page, login_token, branding, \
         custom_domain, metadata, created, updated, version"
    };
}

/// What may be said of a configuration, new or old. `features` is merged: objects by key, arrays whole, `""` clears.
#[derive(Debug, Clone, Default)]
pub struct ConfigurationUpdate {
    pub name: Patch<String>,
    pub active: Option<bool>,
    pub default_return_url: Patch<String>,
    pub headline: Patch<String>,
    pub privacy_policy_url: Patch<String>,
    pub terms_of_service_url: Patch<String>,
    pub features: Option<Value>,
    pub link_ttl: Option<i64>,
    pub idle: Option<i64>,
    pub max: Option<i64>,
    pub login_page: Option<bool>,
    pub branding: Patch<BrandingUpdate>,
    pub custom_domain: Patch<String>,
    pub metadata: MetadataPatch,
}

/// By id; `default` is the merchant's default one.
pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Configuration> {
    let found = if id == "default" {
        maybe!(
            tx,
            concat!("select ", columns!(), " from portal_configuration where tenant = $1 and is_default"),
            who.tenant.key
        )
    } else {
        maybe!(
            tx,
            concat!("select ", columns!(), " from portal_configuration where tenant = $1 and id = $2"),
            who.tenant.key,
            id
        )
    };
    let mut found: Configuration = found?.ok_or_else(|| Error::missing("billing_portal.configuration", id))?;
    found.login_url = login_url(tx, who, &found).await?;
    Ok(found)
}

/// Where customers ask for a link by themselves.
async fn login_url(tx: &mut Tx, who: &Actor, of: &Configuration) -> Result<Option<String>> {
    if !of.login_page.enabled || !of.active {
        return Ok(None);
    }
    Ok(domain::portal_url(tx, who, of).await?.map(|portal| format!("{portal}/login/{}", of.login_token)))
}

pub async fn list(
    tx: &mut Tx,
    who: &Actor,
    page: &Page,
    active: Option<bool>,
    is_default: Option<bool>,
) -> Result<Listed<Configuration>> {
    let listed: Result<Listed<Configuration>> = page!(
        tx,
        who,
        page,
        "portal_configuration",
        columns!(),
        "(cast($7 as boolean) is null or active = $7) and (cast($8 as boolean) is null or is_default = $8)",
        active,
        is_default
    );
    let mut listed = listed?;
    for configuration in &mut listed.data {
        configuration.login_url = login_url(tx, who, configuration).await?;
    }
    Ok(listed)
}

pub async fn create(tx: &mut Tx, who: &Actor, new: ConfigurationUpdate) -> Result<Configuration> {
    insert(tx, who, Features::default(), new).await
}

/// The default one of a new merchant: everything that is usual is allowed.
pub async fn create_default(tx: &mut Tx, who: &Actor) -> Result<Configuration> {
    let open = ConfigurationUpdate { login_page: Some(true), ..ConfigurationUpdate::default() };
    insert(tx, who, Features::usual(), open).await
}

/// The merchant's first configuration is its default one.
async fn insert(tx: &mut Tx, who: &Actor, features: Features, new: ConfigurationUpdate) -> Result<Configuration> {
    let any: Option<(String,)> =
        maybe!(tx, "select id from portal_configuration where tenant = $1 limit 1", who.tenant.key)?;
    let now = tx.now.seconds();
    let mut configuration = Configuration {
        id: id::new("bpc", tx.now),
        name: None,
        active: true,
        is_default: any.is_none(),
        default_return_url: None,
        business_profile: Json::default(),
        features: Json(features),
        session: Json::default(),
        login_page: Json::default(),
        login_token: id::secret(),
        login_url: None,
        branding: Json::default(),
        custom_domain: None,
        metadata: Json::default(),
        created: now,
        updated: now,
        version: 1,
    };
    apply(tx, who, &mut configuration, new).await?;
    run!(
        tx,
        concat!(
            "insert into portal_configuration (tenant, ",
            columns!(),
            ", texts) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, '{}')"
        ),
        who.tenant.key,
        &configuration.id,
        &configuration.name,
        configuration.active,
        configuration.is_default,
        &configuration.default_return_url,
        &configuration.business_profile,
        &configuration.features,
        &configuration.session,
        &configuration.login_page,
        &configuration.login_token,
        &configuration.branding,
        &configuration.custom_domain,
        &configuration.metadata,
        configuration.created,
        configuration.updated,
        configuration.version
    )?;
    configuration.login_url = login_url(tx, who, &configuration).await?;
    announce(tx, who, None, &configuration, "billing_portal.configuration.created").await?;
    Ok(configuration)
}

pub async fn update(tx: &mut Tx, who: &Actor, id: &str, update: ConfigurationUpdate) -> Result<Configuration> {
    let before = get(tx, who, id).await?;
    let mut after = before.clone();
    apply(tx, who, &mut after, update).await?;
    after.login_url = login_url(tx, who, &after).await?;
    if after == before {
        return Ok(after);
    }
    after.updated = tx.now.seconds();
    let saved = run!(
        tx,
        "update portal_configuration set name = $3, active = $4, default_return_url = $5, business_profile = $6, features = $7, session = $8,
         branding = $9, custom_domain = $10, metadata = $11, updated = $12, login_page = $13, version = version + 1
         where tenant = $1 and id = $2 and version = $14",
        who.tenant.key,
        &after.id,
        &after.name,
        after.active,
        &after.default_return_url,
        &after.business_profile,
        &after.features,
        &after.session,
        &after.branding,
        &after.custom_domain,
        &after.metadata,
        after.updated,
        &after.login_page,
        after.version
    )?;
    if saved != 1 {
        return Err(Error::Busy);
    }
    after.version += 1;
    announce(tx, who, Some(&before), &after, "billing_portal.configuration.updated").await?;
    Ok(after)
}

async fn apply(tx: &mut Tx, who: &Actor, configuration: &mut Configuration, update: ConfigurationUpdate) -> Result<()> {
    let livemode = who.tenant.livemode;
    let urls = [
        (&update.default_return_url, "default_return_url"),
        (&update.privacy_policy_url, "business_profile[privacy_policy_url]"),
        (&update.terms_of_service_url, "business_profile[terms_of_service_url]"),
    ];
    for (url, param) in urls {
        if let Patch::Set(url) = url {
            check_url(url, livemode, param)?;
        }
    }
    if update.active == Some(false) && configuration.is_default {
        return Err(Error::invalid("active", "The default configuration cannot be deactivated."));
    }
    configuration.active = update.active.unwrap_or(configuration.active);
    check_text(update.name.clone().into_option().as_deref().unwrap_or_default(), 256, "name")?;
    check_text(update.headline.clone().into_option().as_deref().unwrap_or_default(), 60, "business_profile[headline]")?;
    update.name.apply(&mut configuration.name);
    update.default_return_url.apply(&mut configuration.default_return_url);
    update.headline.apply(&mut configuration.business_profile.0.headline);
    update.privacy_policy_url.apply(&mut configuration.business_profile.0.privacy_policy_url);
    update.terms_of_service_url.apply(&mut configuration.business_profile.0.terms_of_service_url);
    merge_metadata(&mut configuration.metadata.0, update.metadata)?;
    let session = &mut configuration.session.0;
    session.link_ttl = update.link_ttl.unwrap_or(session.link_ttl);
    session.idle = update.idle.unwrap_or(session.idle);
    session.max = update.max.unwrap_or(session.max);
    check_lifetimes(session)?;
    configuration.login_page.0.enabled = update.login_page.unwrap_or(configuration.login_page.enabled);
    match update.branding {
        Patch::Keep => {}
        Patch::Clear => configuration.branding = Json::default(),
        Patch::Set(update) => {
            branding::apply(tx, who, &mut configuration.branding.0, update)
                .await
                .map_err(|error| error.within("branding"))?;
        }
    }
    if let Patch::Set(id) = &update.custom_domain {
        domain::get(tx, who, id).await.map_err(|e| e.on("custom_domain"))?;
    }
    update.custom_domain.apply(&mut configuration.custom_domain);
    if let Some(patch) = update.features {
        let mut features = serde_json::to_value(&configuration.features.0)?;
        let offered = configuration.features.subscription_cancel.cancellation_reason.feedback_options.take();
        merge(&mut features, &serde_json::to_value(Features::default())?, &patch);
        configuration.features.0 = serde_path_to_error::deserialize(features).map_err(not_a_feature)?;
        configuration.features.check(livemode)?;
        features::check_named(tx, who, &configuration.features, &offered.unwrap_or_default()).await?;
    }
    Ok(())
}

/// Names the field in the caller's terms: `features[subscription_update][products][0][product]`.
fn not_a_feature(error: serde_path_to_error::Error<serde_json::Error>) -> Error {
    let inner = error.inner().to_string();
    let code = if inner.starts_with("unknown field") { "parameter_unknown" } else { "parameter_invalid" };
    let steps = error.path().iter().map(|step| format!("[{}]", step.to_string().trim_matches(['[', ']'])));
    Error::Invalid {
        param: format!("features{}", steps.collect::<String>()),
        code,
        message: format!("Invalid value: {inner}"),
    }
}

fn check_lifetimes(session: &Lifetimes) -> Result<()> {
    if !(60..=7_200).contains(&session.link_ttl) {
        return Err(Error::invalid("session[link_ttl]", "A link lives 60 to 7200 seconds."));
    }
    if !(60..=86_400).contains(&session.idle) {
        return Err(Error::invalid("session[idle]", "The idle limit is 60 to 86400 seconds."));
    }
    if session.max < session.idle || session.max > 86_400 {
        return Err(Error::invalid(
            "session[max]",
            "A session lives at least as long as its idle limit, at most 86400 seconds.",
        ));
    }
    Ok(())
}

/// Merges objects by key; anything else replaces. `""` puts the default back.
fn merge(target: &mut Value, default: &Value, patch: &Value) {
    match patch {
        Value::Object(changes) => {
            if !target.is_object() {
                *target = Value::Object(Map::new());
            }
            for (key, change) in changes {
                let default = default.get(key).unwrap_or(&Value::Null);
                if let Some(target) = target.as_object_mut() {
                    merge(target.entry(key.clone()).or_insert(Value::Null), default, change);
                }
            }
        }
        Value::String(text) if text.is_empty() => *target = default.clone(),
        other => *target = other.clone(),
    }
}

/// A place to send a customer: absolute, https (http only for loopback in test mode), without user info.
pub fn check_url(text: &str, livemode: bool, param: &str) -> Result<()> {
    let refuse =
        |message: &str| Err(Error::Invalid { param: param.into(), code: "url_invalid", message: message.into() });
    let Ok(url) = url::Url::parse(text) else {
        return refuse("Not a valid URL: URLs must be absolute, with their scheme.");
    };
    if text.len() > 5000 || text.chars().any(char::is_control) {
        return refuse("Not a valid URL.");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("A URL must not carry a user name or password.");
    }
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => return refuse("A URL must name a host."),
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback && !livemode => Ok(()),
        "http" => refuse("Plain http is allowed for loopback hosts in test mode only; use https."),
        _ => refuse("A URL must begin with https://."),
    }
}

async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&Configuration>,
    after: &Configuration,
    action: &'static str,
) -> Result<()> {
    let render = |configuration: &Configuration| wire::portal_configuration(&who.tenant, configuration);
    let change = Change {
        object: "billing_portal.configuration",
        id: &after.id,
        customer: None,
        before: before.map(render),
        after: Some(render(after)),
        action,
        events: &[action],
    };
    record(tx, who, change).await
}
