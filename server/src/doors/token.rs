//! A token of a merchant's own sign-in: by whom it is, whether it is genuine, and which customer it names.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use billing::portal::focus::Named;
use billing::portal::issuer::{Algorithm, Issuer, Match};
use billing::{Error, Millis, Result, Tenant, directory};
use http::{HeaderMap, Method};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};
use url::Url;

use crate::outbound::Request;
use crate::state::App;

/// How long keys that an issuer publishes are believed without asking again, and how soon an unknown one is asked for.
const KEYS_LIVE_MS: i64 = 5 * 60 * 1000;
const KEYS_AGAIN_MS: i64 = 30 * 1000;
/// A token is no longer than this.
const MOST_TOKEN: usize = 16 * 1024;

type Claims = Map<String, Value>;

/// Who is signed in, by the word of an issuer of this merchant's.
pub struct Verified {
    pub tenant: Tenant,
    pub issuer: Issuer,
    pub named: Named,
}

/// `None` where it is not to be believed, for whatever reason.
pub async fn verify(app: &App, token: &str) -> Result<Option<Verified>> {
    let Some(said) = unverified(token) else { return Ok(None) };
    let Some((tenant, issuer)) = addressed(app, &said).await? else { return Ok(None) };
    let Some(key) = key(app, &issuer, token).await? else { return Ok(None) };
    let Some(claims) = genuine(token, &key, issuer.settings.algorithm) else { return Ok(None) };
    let now = app.db.clock().wall().seconds().0;
    if !is_current(&claims, now, issuer.settings.clock_skew) {
        return Ok(None);
    }
    Ok(named(&claims, &issuer).map(|named| Verified { tenant, issuer, named }))
}

/// What it says before anybody has looked whether it is genuine.
fn unverified(token: &str) -> Option<Claims> {
    let mut parts = token.split('.').skip(1);
    let (claims, _signature) = (parts.next()?, parts.next()?);
    if token.len() > MOST_TOKEN || parts.next().is_some() {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// The issuer that it names, where it is for us.
async fn addressed(app: &App, said: &Claims) -> Result<Option<(Tenant, Issuer)>> {
    let Some(iss) = said.get("iss").and_then(Value::as_str) else { return Ok(None) };
    let audiences: Vec<&str> = match said.get("aud") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(None),
    };
    let mut tx = app.db.read().await?;
    let known = directory::issuers(&mut tx, iss).await?;
    Ok(known.into_iter().find(|(_, issuer)| audiences.contains(&issuer.audience.as_str())))
}

/// The key that it must be signed with.
async fn key(app: &App, issuer: &Issuer, token: &str) -> Result<Option<DecodingKey>> {
    let settings = &issuer.settings;
    if let Some(url) = &settings.jwks_url {
        let kid = decode_header(token).ok().and_then(|header| header.kid);
        return Ok(published(app, url, kid.as_deref(), settings.algorithm)
            .await?
            .and_then(|jwk| DecodingKey::from_jwk(&jwk).ok()));
    }
    if let Some(pem) = &settings.public_key {
        return Ok(public(pem, settings.algorithm));
    }
    let tx = app.db.read().await?;
    Ok(issuer.secret(&tx)?.map(|secret| DecodingKey::from_secret(secret.as_bytes())))
}

fn public(pem: &str, algorithm: Algorithm) -> Option<DecodingKey> {
    match algorithm {
        Algorithm::Rs256 => DecodingKey::from_rsa_pem(pem.as_bytes()).ok(),
        Algorithm::Es256 => DecodingKey::from_ec_pem(pem.as_bytes()).ok(),
        Algorithm::EdDsa => DecodingKey::from_ed_pem(pem.as_bytes()).ok(),
        Algorithm::Hs256 => None,
    }
}

/// Refuses a public key that no token could be checked with.
pub fn check_public_key(issuer: &Issuer) -> Result<()> {
    let settings = &issuer.settings;
    match &settings.public_key {
        Some(pem) if public(pem, settings.algorithm).is_none() => {
            let message = format!("This is no public key for {} in PEM.", settings.algorithm.name());
            Err(Error::invalid("public_key", message))
        }
        _ => Ok(()),
    }
}

struct Keys {
    read: Millis,
    keys: Arc<Vec<Jwk>>,
}

/// What issuers have published, by the address: forgotten with the process, and read again after a while.
static PUBLISHED: LazyLock<Mutex<HashMap<String, Keys>>> = LazyLock::new(Mutex::default);

async fn published(app: &App, url: &str, kid: Option<&str>, algorithm: Algorithm) -> Result<Option<Jwk>> {
    let now = app.db.clock().wall();
    let kept = {
        let all = PUBLISHED.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(url).filter(|kept| now < kept.read.plus(KEYS_LIVE_MS)).map(|kept| (kept.read, kept.keys.clone()))
    };
    if let Some((read, keys)) = &kept {
        let found = find(keys, kid, algorithm);
        if found.is_some() || now < read.plus(KEYS_AGAIN_MS) {
            return Ok(found);
        }
    }
    let keys = Arc::new(fetch(app, url).await?);
    let found = find(&keys, kid, algorithm);
    PUBLISHED.lock().unwrap_or_else(PoisonError::into_inner).insert(url.to_owned(), Keys { read: now, keys });
    Ok(found)
}

/// Without a name in the token, the only one there is.
fn find(keys: &[Jwk], kid: Option<&str>, algorithm: Algorithm) -> Option<Jwk> {
    let fits = |jwk: &&Jwk| {
        matches!(
            (algorithm, &jwk.algorithm),
            (Algorithm::Rs256, AlgorithmParameters::RSA(_))
                | (Algorithm::Es256, AlgorithmParameters::EllipticCurve(_))
                | (Algorithm::EdDsa, AlgorithmParameters::OctetKeyPair(_))
        )
    };
    let mut fitting = keys.iter().filter(fits).filter(|jwk| kid.is_none() || jwk.common.key_id.as_deref() == kid);
    let first = fitting.next()?;
    fitting.next().is_none().then(|| first.clone())
}

async fn fetch(app: &App, url: &str) -> Result<Vec<Jwk>> {
    let broken = |why: String| Error::Unavailable(format!("an issuer's keys could not be read: {why}"));
    let url = Url::parse(url).map_err(|e| broken(e.to_string()))?;
    let request = Request { method: Method::GET, url, headers: HeaderMap::new(), body: Vec::new() };
    let answer = app.outbound.send(request).await.map_err(|e| broken(e.to_string()))?;
    if answer.status != 200 {
        return Err(broken(format!("status {}", answer.status)));
    }
    let body: Value = serde_json::from_slice(&answer.body).map_err(|e| broken(e.to_string()))?;
    // Of kinds that nobody here knows there may be some.
    let keys = body["keys"].as_array().into_iter().flatten();
    Ok(keys.filter_map(|key| serde_json::from_value(key.clone()).ok()).collect())
}

/// The claims, if the signature is the key's. The times are ours to judge, by our clock.
fn genuine(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Option<Claims> {
    let mut rules = Validation::new(match algorithm {
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
    });
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.required_spec_claims = HashSet::new();
    decode::<Claims>(token, key, &rules).ok().map(|token| token.claims)
}

/// It ends, has not yet, and has begun.
fn is_current(claims: &Claims, now: i64, skew: i64) -> bool {
    let at = |name: &str| claims.get(name).map(|value| value.as_i64());
    let has_begun = |begins: Option<Option<i64>>| match begins {
        None => true,
        Some(begins) => begins.is_some_and(|begins| begins <= now.saturating_add(skew)),
    };
    let ends = at("exp").flatten().is_some_and(|ends| now < ends.saturating_add(skew));
    ends && has_begun(at("nbf")) && has_begun(at("iat"))
}

fn named(claims: &Claims, issuer: &Issuer) -> Option<Named> {
    let value = match claims.get(&issuer.settings.claim)? {
        Value::String(text) if !text.is_empty() => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    match issuer.settings.matches {
        Match::ExternalId => Some(Named { external: Some(value), ..Named::default() }),
        Match::Email if claims.get("email_verified") == Some(&Value::Bool(true)) => {
            Some(Named { email: Some(value), ..Named::default() })
        }
        Match::Email => None,
    }
}
