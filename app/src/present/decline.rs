//! Why a payment was refused, in plain words: every code that a processor may give (docs.stripe.com/declines/codes, and
//! the failures of debits). What a thief must not learn is said of no card.

use crate::text::{Locale, say};

pub fn words(locale: Locale, code: &str) -> String {
    match code {
        "insufficient_funds" | "withdrawal_count_limit_exceeded" | "card_velocity_exceeded" => {
            say!(decline.funds, locale)
        }
        "expired_card" | "invalid_expiry_month" | "invalid_expiry_year" => say!(decline.expired, locale),
        "incorrect_cvc" | "invalid_cvc" => say!(decline.cvc, locale),
        "incorrect_number" | "invalid_number" | "invalid_account" | "new_account_information_available" => {
            say!(decline.number, locale)
        }
        "incorrect_zip" | "incorrect_address" => say!(decline.address, locale),
        "authentication_required"
        | "authentication_not_handled"
        | "mobile_device_authentication_required"
        | "approve_with_id" => say!(decline.authentication, locale),
        "incorrect_pin"
        | "invalid_pin"
        | "offline_pin_required"
        | "online_or_offline_pin_required"
        | "pin_try_exceeded" => say!(decline.pin, locale),
        "card_not_supported"
        | "currency_not_supported"
        | "invalid_amount"
        | "transaction_not_allowed"
        | "service_not_allowed"
        | "not_permitted" => say!(decline.unsupported, locale),
        "processing_error"
        | "issuer_not_available"
        | "try_again_later"
        | "reenter_transaction"
        | "duplicate_transaction" => say!(decline.later, locale),
        "account_closed"
        | "no_account"
        | "bank_account_restricted"
        | "debit_not_authorized"
        | "revocation_of_authorization"
        | "revocation_of_all_authorizations"
        | "stop_payment_order" => {
            say!(decline.account, locale)
        }
        "testmode_decline" | "test_mode_live_card" => say!(decline.test, locale),
        // `lost_card`, `stolen_card`, `fraudulent` and their like are for the bank to tell.
        _ => say!(decline.bank, locale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code that Stripe documents; those of which the bank alone may say more.
    const SAID: &[&str] = &[
        "authentication_not_handled",
        "authentication_required",
        "approve_with_id",
        "card_not_supported",
        "card_velocity_exceeded",
        "currency_not_supported",
        "duplicate_transaction",
        "expired_card",
        "incorrect_address",
        "incorrect_cvc",
        "incorrect_number",
        "incorrect_pin",
        "incorrect_zip",
        "insufficient_funds",
        "invalid_account",
        "invalid_amount",
        "invalid_cvc",
        "invalid_expiry_month",
        "invalid_expiry_year",
        "invalid_number",
        "invalid_pin",
        "issuer_not_available",
        "mobile_device_authentication_required",
        "new_account_information_available",
        "not_permitted",
        "offline_pin_required",
        "online_or_offline_pin_required",
        "pin_try_exceeded",
        "processing_error",
        "reenter_transaction",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "service_not_allowed",
        "stop_payment_order",
        "test_mode_live_card",
        "testmode_decline",
        "transaction_not_allowed",
        "try_again_later",
        "withdrawal_count_limit_exceeded",
        "account_closed",
        "no_account",
        "bank_account_restricted",
        "debit_not_authorized",
    ];
    const THE_BANKS: &[&str] = &[
        "call_issuer",
        "do_not_honor",
        "do_not_try_again",
        "fraudulent",
        "generic_decline",
        "highest_risk_level",
        "lost_card",
        "merchant_blacklist",
        "no_action_taken",
        "pickup_card",
        "restricted_card",
        "security_violation",
        "stolen_card",
    ];

    #[test]
    fn every_code_has_words_of_its_own_or_is_the_banks_to_tell() {
        for locale in Locale::ALL {
            let bank = say!(decline.bank, locale);
            for code in SAID {
                assert!(words(locale, code) != bank && !words(locale, code).is_empty(), "{code}");
            }
            for code in THE_BANKS {
                assert_eq!(words(locale, code), bank, "{code}");
                assert!(!words(locale, code).contains(code));
            }
        }
    }
}
