//! The two signatures that go with a body: Stripe's and the one of Standard Webhooks, from one secret.
//!
//! Sources: docs.stripe.com/webhooks (Verify webhook signatures manually); standardwebhooks.com, version 1.0.0.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::id;

const PREFIX: &str = "whsec_";

/// A new secret: `whsec_` and 256 random bits in base64.
pub fn secret() -> String {
    format!("{PREFIX}{}", STANDARD.encode(id::random_bytes()))
}

/// `Stripe-Signature`: `t=1760000000,v1=…`, one `v1` for each secret. The key is the secret's whole text.
pub fn stripe(secrets: &[String], at: Seconds, body: &str) -> Result<String> {
    let mut header = format!("t={}", at.0);
    for secret in secrets {
        let sum = hmac(secret.as_bytes(), &[&at.0.to_string(), body])?;
        header.push_str(&format!(",v1={}", hex::encode(sum)));
    }
    Ok(header)
}

/// `webhook-signature`: `v1,…`, one for each secret. The key is what the secret's base64 says; `id` is the `webhook-id` and
/// `at` the `webhook-timestamp` beside it.
pub fn standard(secrets: &[String], id: &str, at: Seconds, body: &str) -> Result<String> {
    let mut signatures = Vec::new();
    for secret in secrets {
        let key = secret.strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok());
        let key = key.ok_or_else(|| Error::internal("a webhook secret that is not written like one"))?;
        let sum = hmac(&key, &[id, &at.0.to_string(), body])?;
        signatures.push(format!("v1,{}", STANDARD.encode(sum)));
    }
    Ok(signatures.join(" "))
}

/// Of the parts with full stops between.
fn hmac(key: &[u8], parts: &[&str]) -> Result<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(Error::internal)?;
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            mac.update(b".");
        }
        mac.update(part.as_bytes());
    }
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that the Standard Webhooks libraries test with.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: Seconds = Seconds(1_614_265_330);
    const BODY: &str = r#"{"test": 2432232314}"#;

    fn signed(secrets: &[&str], id: &str, at: Seconds, body: &str) -> (String, String) {
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        (stripe(&secrets, at, body).unwrap(), standard(&secrets, id, at, body).unwrap())
    }

    #[test]
    fn the_standards_example_is_signed_as_it_says() {
        assert_eq!(signed(&[SECRET], ID, AT, BODY).1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    /// `printf '1614265330.{"test": 2432232314}' | openssl dgst -sha256 -hmac whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`
    #[test]
    fn stripes_is_made_with_the_whole_text() {
        let expected = "t=1614265330,v1=2e37df5d4a028c51a7f3133d64ae1e300d2c2c900f1b1d49d4369ad2530f8964";
        assert_eq!(signed(&[SECRET], ID, AT, BODY).0, expected);
    }

    #[test]
    fn two_secrets_sign_side_by_side() {
        let new = secret();
        let (stripe, standard) = signed(&[&new, SECRET], ID, AT, BODY);
        let (of_new, of_old) = (signed(&[&new], ID, AT, BODY), signed(&[SECRET], ID, AT, BODY));
        assert_eq!(stripe, format!("{},{}", of_new.0, of_old.0.split_once(',').unwrap().1));
        assert_eq!(standard, format!("{} {}", of_new.1, of_old.1));
        assert!(super::standard(&["secret".into()], ID, AT, BODY).is_err());
    }

    #[test]
    fn one_bit_anywhere_is_another_signature() {
        let right = signed(&[SECRET], ID, AT, BODY);
        for bit in 0..BODY.len() * 7 {
            let mut bytes = BODY.as_bytes().to_vec();
            bytes[bit / 7] ^= 1 << (bit % 7);
            let other = signed(&[SECRET], ID, AT, std::str::from_utf8(&bytes).unwrap());
            assert!(other.0 != right.0 && other.1 != right.1, "bit {bit}");
        }
        assert_ne!(signed(&[SECRET], ID, AT.plus(1), BODY), right);
        assert_ne!(signed(&[SECRET], "msg_", AT, BODY).1, right.1);
    }
}
