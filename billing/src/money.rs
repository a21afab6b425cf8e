//! Money is `i64` minor units with its currency, ratios are integers, and there is one rounding function.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The largest amount of one line or document, in minor units (Stripe's limit).
pub const MAX_AMOUNT: i64 = 99_999_999;

/// An ISO 4217 code in lower case that Stripe knows; decides how many minor units make a unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct Currency(String);

/// Currencies without minor units at Stripe (docs.stripe.com/currencies#zero-decimal). MGA is among them although
/// ISO gives it two decimals; ISK, UGX and HUF keep two decimals on the wire.
const ZERO_DECIMAL: &[&str] =
    &["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"];
const THREE_DECIMAL: &[&str] = &["bhd", "jod", "kwd", "omr", "tnd"];
const TWO_DECIMAL: &[&str] = &[
    "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd", "bdt", "bgn", "bmd", "bnd",
    "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf", "chf", "cny", "cop", "crc", "cve", "czk", "dkk", "dop",
    "dzd", "egp", "etb", "eur", "fjd", "fkp", "gbp", "gel", "ghs", "gip", "gmd", "gtq", "gyd", "hkd", "hnl", "htg",
    "huf", "idr", "ils", "inr", "isk", "jmd", "kes", "kgs", "khr", "kyd", "kzt", "lak", "lbp", "lkr", "lrd", "lsl",
    "mad", "mdl", "mkd", "mmk", "mnt", "mop", "mur", "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn", "nio", "nok",
    "npr", "nzd", "pab", "pen", "pgk", "php", "pkr", "pln", "qar", "ron", "rsd", "rub", "sar", "sbd", "scr", "sek",
    "sgd", "shp", "sle", "sos", "srd", "std", "szl", "thb", "tjs", "top", "try", "ttd", "twd", "tzs", "uah", "ugx",
    "usd", "uyu", "uzs", "wst", "xcd", "yer", "zar", "zmw",
];

impl Currency {
    /// Reads a code in any case; `param` is named when it is unknown.
    pub fn parse(text: &str, param: &str) -> Result<Self> {
        let code = text.to_ascii_lowercase();
        let known = [ZERO_DECIMAL, THREE_DECIMAL, TWO_DECIMAL].iter().any(|list| list.contains(&code.as_str()));
        if known { Ok(Self(code)) } else { Err(Error::invalid(param, format!("Invalid currency: {text}"))) }
    }

    /// The least that Stripe charges, in minor units (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts); 0
    /// where it names none.
    pub fn least_charge(&self) -> i64 {
        match self.code() {
            "usd" | "aud" | "brl" | "cad" | "chf" | "eur" | "inr" | "nzd" | "sgd" => 50,
            "gbp" => 30,
            "bgn" => 100,
            "aed" | "myr" | "pln" | "ron" => 200,
            "dkk" => 250,
            "nok" | "sek" => 300,
            "hkd" => 400,
            "mxn" | "thb" => 1000,
            "czk" => 1500,
            "huf" => 17_500,
            "jpy" => 50,
            _ => 0,
        }
    }

    pub fn code(&self) -> &str {
        &self.0
    }

    /// How many decimals a unit has at Stripe: 0, 2 or 3.
    pub fn decimals(&self) -> u32 {
        if ZERO_DECIMAL.contains(&self.0.as_str()) {
            0
        } else if THREE_DECIMAL.contains(&self.0.as_str()) {
            3
        } else {
            2
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The nearest integer to `a / b`, ties away from zero, applied to the magnitude. `b` must be positive.
pub fn round_ratio(a: i128, b: i128) -> i128 {
    let magnitude = (2 * a.abs() + b) / (2 * b);
    if a < 0 { -magnitude } else { magnitude }
}

/// Brings a computed amount back into the range that documents may hold.
pub fn bounded(amount: i128, param: &str) -> Result<i64> {
    i64::try_from(amount).ok().filter(|a| a.unsigned_abs() <= MAX_AMOUNT.unsigned_abs()).ok_or_else(|| {
        Error::invalid(param, format!("Amounts must be no more than {MAX_AMOUNT} in the currency's smallest unit"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_go_away_from_zero() {
        assert_eq!(round_ratio(1001, 2), 501);
        assert_eq!(round_ratio(-1001, 2), -501);
        assert_eq!(round_ratio(1000, 3), 333);
        assert_eq!(round_ratio(2000, 3), 667);
        assert_eq!(round_ratio(0, 7), 0);
    }

    #[test]
    fn currencies_have_stripes_decimals() {
        let decimals = |code: &str| Currency::parse(code, "currency").map(|c| c.decimals());
        assert_eq!(decimals("USD"), Ok(2));
        assert_eq!(decimals("jpy"), Ok(0));
        assert_eq!(decimals("mga"), Ok(0));
        assert_eq!(decimals("kwd"), Ok(3));
        assert_eq!(decimals("isk"), Ok(2));
        assert!(decimals("xxx").is_err());
    }

    proptest! {
        #[test]
        fn rounding_is_symmetric_and_within_half(a in -1_000_000_000_000i128..1_000_000_000_000, b in 1i128..10_000_000) {
            let rounded = round_ratio(a, b);
            prop_assert_eq!(round_ratio(-a, b), -rounded);
            prop_assert!((2 * (rounded * b - a)).abs() <= b);
        }
    }
}
