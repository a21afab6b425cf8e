//! Ids are a prefix and a UUIDv7 in Crockford base32; secrets are 32 random bytes, kept only as a hash.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::clock::Millis;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new id such as `cus_01k9zq…`: sorts by the wall time it was made at, and those that one process makes in one
/// millisecond (the events of one transaction) by the order it made them in.
pub fn new(prefix: &str, at: Millis) -> String {
    let mut random = [0; 10];
    fill(&mut random);
    random[..4].copy_from_slice(&count());
    let bytes = uuid::Builder::from_unix_timestamp_millis(u64::try_from(at.0).unwrap_or_default(), &random).into_uuid();
    spelt(prefix, bytes.as_u128())
}

/// What no id that is made at `at` or later sorts before.
pub(crate) fn earliest(prefix: &str, at: Millis) -> String {
    spelt(prefix, u128::try_from(at.0).unwrap_or_default() << 80)
}

fn spelt(prefix: &str, mut number: u128) -> String {
    let mut text = [0; 26];
    for slot in text.iter_mut().rev() {
        *slot = ALPHABET[(number & 31) as usize];
        number >>= 5;
    }
    format!("{prefix}_{}", String::from_utf8_lossy(&text))
}

/// When an id was made; `None` for what [`new`] never made.
pub fn time_of(id: &str) -> Option<Millis> {
    let (_, text) = id.split_once('_')?;
    let digit = |letter: &u8| ALPHABET.iter().position(|known| known == letter);
    // 48 bits, after the two that are always zero.
    let first = text.as_bytes().get(..10).filter(|_| text.len() == 26)?;
    first.iter().try_fold(0, |sum, letter| Some(sum << 5 | i64::try_from(digit(letter)?).ok()?)).map(Millis)
}

/// The first 32 bits behind an id's time: 26 that count (RFC 9562, 6.2, method 1), where the version and the variant
/// leave room. Begins anywhere in the lower half, so that it turns over after 33 million ids at the earliest.
fn count() -> [u8; 4] {
    static NEXT: OnceLock<AtomicU32> = OnceLock::new();
    let next = NEXT.get_or_init(|| {
        let mut start = [0; 4];
        fill(&mut start);
        AtomicU32::new(u32::from_be_bytes(start) >> 7)
    });
    let n = next.fetch_add(1, Ordering::Relaxed) & 0x3ff_ffff;
    // 12 bits beside the version, then 14 beside the variant.
    ((n >> 14) << 16 | (n & 0x3fff)).to_be_bytes()
}

/// Eight letters and digits for what people read and type: a coupon's id, a promotion code.
pub fn short(at: Millis) -> String {
    let id = new("", at);
    id[id.len() - 8..].to_ascii_uppercase()
}

/// 256 random bits from the operating system, URL-safe (43 characters).
pub fn secret() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes())
}

/// 256 random bits from the operating system.
pub(crate) fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    fill(&mut bytes);
    bytes
}

/// Any number.
pub(crate) fn random() -> u64 {
    let mut bytes = [0; 8];
    fill(&mut bytes);
    u64::from_be_bytes(bytes)
}

/// What is stored of a secret: its SHA-256 in hex. 256 random bits need no slow hash.
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

fn fill(bytes: &mut [u8]) {
    // The operating system's generator does not fail after boot; there is no safe way on without it.
    #[allow(clippy::expect_used)]
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_sort_by_time_and_keep_their_prefix() {
        let early = new("cus", Millis(1_700_000_000_000));
        let late = new("cus", Millis(1_700_000_000_001));
        assert!(early < late);
        assert!(
            earliest("cus", Millis(1_700_000_000_000)) <= early && early < earliest("cus", Millis(1_700_000_000_001))
        );
        assert!(early.starts_with("cus_0"));
        assert_eq!(early.len(), "cus_".len() + 26);
        assert_eq!(time_of(&late), Some(Millis(1_700_000_000_001)));
        assert_eq!((time_of("cus_1"), time_of("welcome"), time_of(&late.replace('_', ""))), (None, None, None));
    }

    #[test]
    fn ids_of_one_millisecond_sort_by_the_order_they_were_made_in() {
        let made: Vec<String> = (0..10_000).map(|_| new("evt", Millis(1_700_000_000_000))).collect();
        assert!(made.is_sorted());
        let tails: HashSet<&str> = made.iter().map(|id| &id[id.len() - 8..]).collect();
        assert_eq!(tails.len(), made.len(), "the tail stays random: invoice numbers begin with it");
    }

    #[test]
    fn secrets_are_256_bits_and_never_repeat() {
        let many: HashSet<String> = (0..100_000).map(|_| secret()).collect();
        assert_eq!(many.len(), 100_000);
        assert!(many.iter().all(|s| s.len() == 43));
    }

    /// Chi-square over the byte values of a million bytes: 255 degrees of freedom, p between 0.0001 and 0.9999.
    #[test]
    fn secrets_spread_over_all_bytes() {
        let mut seen = [0i64; 256];
        for _ in 0..31_250 {
            let mut bytes = [0; 32];
            fill(&mut bytes);
            bytes.iter().for_each(|b| seen[usize::from(*b)] += 1);
        }
        let expected = 31_250 * 32 / 256;
        let scaled: i64 = seen.iter().map(|n| (n - expected) * (n - expected)).sum();
        let chi = scaled / expected;
        assert!((170..=350).contains(&chi), "chi-square {chi}");
    }
}
