//! Payment methods in words: brand, last digits, until when.

use billing::Seconds;
use billing::customer::payment_method::{Details, MethodType, PaymentMethod};

use crate::parts::{Method, MethodKind, Pill, Tone};
use crate::text::{Locale, format, say};

/// How long before its end a card is said to expire soon.
const SOON: i64 = 60 * 86_400;

/// Whether a card can still be charged, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    Lasting,
    Expiring,
    Expired,
}

pub fn method(locale: Locale, now: Seconds, method: &PaymentMethod) -> Method {
    of_details(locale, now, method.r#type, &method.details)
}

pub fn of_details(locale: Locale, now: Seconds, kind: MethodType, details: &Details) -> Method {
    let name = name(locale, kind, details);
    let digits = details.last4.clone();
    let pill = match validity(now, details) {
        Validity::Lasting => None,
        Validity::Expiring => Some(Pill { tone: Tone::Warn, label: say!(method.expiring, locale) }),
        Validity::Expired => Some(Pill { tone: Tone::Bad, label: say!(method.expired, locale) }),
    };
    Method {
        kind: match kind {
            MethodType::Card => MethodKind::Card,
            MethodType::SepaDebit | MethodType::UsBankAccount => MethodKind::Bank,
            MethodType::MobileMoney => MethodKind::Phone,
        },
        spoken: say!(method.spoken, locale, name = name, digits = digits),
        expiry: last_month(locale, details).map(|month| say!(method.expires, locale, month = month)),
        name,
        digits,
        pill,
    }
}

/// `Visa •••• 4242`, for a sentence.
pub fn short(locale: Locale, method: &PaymentMethod) -> String {
    described(locale, method.r#type, &method.details)
}

/// The same from what may be shown of it.
pub fn described(locale: Locale, kind: MethodType, details: &Details) -> String {
    format!("{} •••• {}", name(locale, kind, details), details.last4)
}

/// `December 2027`
pub fn last_month(locale: Locale, details: &Details) -> Option<String> {
    Some(format::month(locale, details.exp_year?, details.exp_month?))
}

/// A card is good until its month is over.
pub fn validity(now: Seconds, details: &Details) -> Validity {
    match details.ends() {
        Some(end) if end <= now => Validity::Expired,
        Some(end) if end.0 - now.0 < SOON => Validity::Expiring,
        _ => Validity::Lasting,
    }
}

fn name(locale: Locale, kind: MethodType, details: &Details) -> String {
    match kind {
        MethodType::Card => brand(locale, &details.brand),
        MethodType::SepaDebit => say!(method.sepa_debit, locale),
        MethodType::UsBankAccount => given(&details.brand, say!(method.us_bank_account, locale)),
        MethodType::MobileMoney => given(&details.brand, say!(method.mobile_money, locale)),
    }
}

fn given(name: &str, otherwise: String) -> String {
    if name.is_empty() { otherwise } else { name.to_owned() }
}

/// Card networks as they write themselves.
fn brand(locale: Locale, code: &str) -> String {
    let name = match code {
        "amex" => "American Express",
        "cartes_bancaires" => "Cartes Bancaires",
        "diners" => "Diners Club",
        "discover" => "Discover",
        "eftpos_au" => "eftpos",
        "jcb" => "JCB",
        "mastercard" => "Mastercard",
        "unionpay" => "UnionPay",
        "visa" => "Visa",
        _ => return say!(method.card, locale),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::sample::{at, card};

    #[test]
    fn a_card_in_words() {
        let shown = method(Locale::De, at("2026-11-20"), &card(12, 2027));
        assert_eq!((shown.name.as_str(), shown.digits.as_str()), ("Visa", "4242"));
        assert_eq!(shown.spoken, "Visa mit den Endziffern 4242");
        assert_eq!(shown.expiry.as_deref(), Some("Gültig bis Dezember 2027"));
        assert_eq!(shown.pill, None);
    }

    #[test]
    fn a_card_is_good_until_its_month_is_over() {
        let validity = |month, year, now: &str| validity(at(now), &card(month, year).details);
        assert_eq!(validity(12, 2027, "2026-11-20"), Validity::Lasting);
        assert_eq!(validity(1, 2027, "2026-12-02"), Validity::Lasting);
        assert_eq!(validity(1, 2027, "2026-12-04"), Validity::Expiring);
        assert_eq!(validity(11, 2026, "2026-11-30"), Validity::Expiring);
        assert_eq!(validity(11, 2026, "2026-12-01"), Validity::Expired);
        assert_eq!(super::validity(at("2026-12-01"), &Details::default()), Validity::Lasting);
    }
}
