//! Who calls: the secret key of a merchant in one mode, as a bearer token or as the user of HTTP Basic.

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use billing::{Actor, Db, Trace, directory};

use super::error::Failure;

/// The caller behind the request's key. What was sent is never repeated.
pub async fn authenticate(db: &Db, headers: &HeaderMap, trace: Trace) -> Result<Actor, Failure> {
    let key = key(headers).ok_or_else(Failure::no_key)?;
    let mut tx = db.read().await?;
    let who = directory::by_key(&mut tx, &key, trace).await?.ok_or_else(Failure::wrong_key)?;
    check_account(headers, &who)?;
    Ok(who)
}

fn key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    let key = if scheme.eq_ignore_ascii_case("bearer") {
        rest.trim().to_owned()
    } else if scheme.eq_ignore_ascii_case("basic") {
        let pair = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
        pair.split_once(':').map_or(pair.as_str(), |(user, _)| user).to_owned()
    } else {
        return None;
    };
    Some(key).filter(|key| !key.is_empty())
}

/// A key acts for its own account; naming that account is fine.
fn check_account(headers: &HeaderMap, who: &Actor) -> Result<(), Failure> {
    for name in ["stripe-account", "stripe-context"] {
        if headers.get_all(name).iter().any(|value| value.as_bytes() != who.tenant.merchant.as_bytes()) {
            return Err(Failure::other_account());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(value: &str) -> Option<String> {
        key(&HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]))
    }

    #[test]
    fn a_key_comes_as_bearer_or_as_basic_user() {
        assert_eq!(key_of("Bearer sk_test_1").as_deref(), Some("sk_test_1"));
        assert_eq!(key_of("bearer  sk_test_1 ").as_deref(), Some("sk_test_1"));
        assert_eq!(key_of(&format!("Basic {}", STANDARD.encode("sk_test_1:"))).as_deref(), Some("sk_test_1"));
        assert_eq!(key_of(&format!("basic {}", STANDARD.encode("sk_test_1"))).as_deref(), Some("sk_test_1"));
        for wrong in ["Bearer", "Bearer ", "Digest x", "Basic %%%", "Basic Og=="] {
            assert_eq!(key_of(wrong), None, "{wrong}");
        }
    }
}
