//! Decimals of the wire (`unit_amount_decimal`, `percent_off`, `percentage`): read from and written as text, exact in
//! between.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Number;

use crate::error::{Error, Result};

/// The most places after the point (Stripe's for `unit_amount_decimal`).
pub const PLACES: u32 = 12;
/// How many of the smallest step make one.
pub const ONE: i128 = 10_i128.pow(PLACES);

/// A number from 0 up, in steps of 10⁻¹². Text in the database and in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(i128);

impl Decimal {
    /// Nine digits before the point and twelve behind it: products with quantities and seconds fit i128.
    const MOST: i128 = 999_999_999 * ONE;

    pub const fn whole(number: u32) -> Self {
        Self(number as i128 * ONE)
    }

    /// Reads digits with up to `places` behind a point; anything else is refused in `param`'s name.
    pub fn parse(text: &str, places: u32, param: &str) -> Result<Self> {
        let refuse = |message: String| Err(Error::invalid(param, message));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return refuse(format!("Invalid decimal: {}", text.chars().take(40).collect::<String>()));
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > places as usize {
            return refuse(format!("Invalid decimal: at most {places} decimal places are allowed."));
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() > 9 {
            return refuse("Invalid decimal: the number is too large.".into());
        }
        // At most 21 digits, all of them digits.
        let steps = format!("{whole}{fraction:0<12}").parse::<i128>().unwrap_or(Self::MOST);
        Ok(Self(steps))
    }

    /// In steps of 10⁻¹².
    pub const fn steps(self) -> i128 {
        self.0
    }

    /// The number itself where it has no fraction.
    pub fn as_whole(self) -> Option<i64> {
        (self.0 % ONE == 0).then(|| i64::try_from(self.0 / ONE).ok()).flatten()
    }

    /// A JSON number of the same digits.
    pub fn number(self) -> Option<Number> {
        self.to_string().parse().ok()
    }

    /// The same digits with the point `by` places further left and at least `by` places shown: cents as euros.
    pub fn shifted(self, by: u32) -> String {
        let by = by as usize;
        let digits = format!("{:0>width$}", self.0, width = PLACES as usize + by + 1);
        let (whole, fraction) = digits.split_at(digits.len() - PLACES as usize - by);
        let kept = fraction.trim_end_matches('0').len().max(by);
        if kept == 0 { whole.to_owned() } else { format!("{whole}.{}", &fraction[..kept]) }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shifted(0))
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text, PLACES, "decimal").map_err(serde::de::Error::custom)
    }
}

impl<D: sqlx::Database> sqlx::Type<D> for Decimal
where
    String: sqlx::Type<D>,
{
    fn type_info() -> D::TypeInfo {
        <String as sqlx::Type<D>>::type_info()
    }
    fn compatible(ty: &D::TypeInfo) -> bool {
        <String as sqlx::Type<D>>::compatible(ty)
    }
}

impl<'r, D: sqlx::Database> sqlx::Decode<'r, D> for Decimal
where
    String: sqlx::Decode<'r, D>,
{
    fn decode(value: D::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        let text = <String as sqlx::Decode<'r, D>>::decode(value)?;
        Ok(Self::parse(&text, PLACES, "decimal")?)
    }
}

impl<'q, D: sqlx::Database> sqlx::Encode<'q, D> for Decimal
where
    String: sqlx::Encode<'q, D>,
{
    fn encode_by_ref(&self, buffer: &mut D::ArgumentBuffer) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        <String as sqlx::Encode<'q, D>>::encode(self.to_string(), buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Decimal> {
        Decimal::parse(text, PLACES, "p")
    }

    #[test]
    fn digits_come_back_as_they_were() {
        for (text, shown) in [
            ("0", "0"),
            ("1000", "1000"),
            ("1000.00", "1000"),
            ("0.5", "0.5"),
            ("007.250", "7.25"),
            ("0.000000000001", "0.000000000001"),
            ("0.0000000000010000", "0.000000000001"),
            ("999999999.999999999999", "999999999.999999999999"),
        ] {
            assert_eq!(read(text).map(|d| d.to_string()), Ok(shown.to_owned()));
        }
        assert_eq!(read("12.5").unwrap().number().unwrap().to_string(), "12.5");
        assert_eq!(read("19").unwrap().as_whole(), Some(19));
        assert_eq!(read("19.5").unwrap().as_whole(), None);
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for wrong in ["", "-1", "+1", "1e3", ".5", "1.", "1.x", "1,5", "1.2.3", " 1", "１２", "NaN", "1000000000"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read("0.0000000000001").is_err(), "thirteen places");
        assert!(Decimal::parse("7.12345", 4, "percentage").is_err());
        assert_eq!(Decimal::parse("7.1234000", 4, "percentage").map(|d| d.to_string()), Ok("7.1234".into()));
    }

    #[test]
    fn cents_are_shown_as_euros() {
        let shown = |text: &str, by| read(text).unwrap().shifted(by);
        assert_eq!(shown("2000", 2), "20.00");
        assert_eq!(shown("0.5", 2), "0.005");
        assert_eq!(shown("5", 2), "0.05");
        assert_eq!(shown("1999", 0), "1999");
        assert_eq!(shown("1005", 3), "1.005");
        assert_eq!(shown("0", 2), "0.00");
    }

    proptest! {
        #[test]
        fn text_and_number_are_the_same(steps in 0..Decimal::MOST) {
            let decimal = Decimal(steps);
            prop_assert_eq!(read(&decimal.to_string()), Ok(decimal));
            let json = serde_json::to_string(&decimal).unwrap();
            prop_assert_eq!(serde_json::from_str::<Decimal>(&json).unwrap(), decimal);
        }
    }
}
