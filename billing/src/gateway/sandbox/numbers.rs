//! The numbers that the sandbox knows, as they are typed in the hosted fields: Stripe's test numbers with their documented
//! outcomes (docs.stripe.com/testing). Real ones it does not take: nobody's money is in a test.

use super::methods::test_method;
use crate::customer::payment_method::{MethodType, NewMethod};
use crate::gateway::Entered;

/// Number, and the test method that it is.
const CARDS: &[(&str, &str)] = &[
    ("4242424242424242", "pm_card_visa"),
    ("4000056655665556", "pm_card_visa_debit"),
    ("5555555555554444", "pm_card_mastercard"),
    ("2223003122003222", "pm_card_mastercard"),
    ("5200828282828210", "pm_card_mastercard_debit"),
    ("5105105105105100", "pm_card_mastercard_prepaid"),
    ("378282246310005", "pm_card_amex"),
    ("371449635398431", "pm_card_amex"),
    ("6011111111111117", "pm_card_discover"),
    ("3056930009020004", "pm_card_diners"),
    ("36227206271667", "pm_card_diners"),
    ("3566002020360505", "pm_card_jcb"),
    ("6200000000000005", "pm_card_unionpay"),
    ("4000000000000002", "pm_card_chargeDeclined"),
    ("4000000000009995", "pm_card_chargeDeclinedInsufficientFunds"),
    ("4000000000009987", "pm_card_chargeDeclinedLostCard"),
    ("4000000000009979", "pm_card_chargeDeclinedStolenCard"),
    ("4000000000000069", "pm_card_chargeDeclinedExpiredCard"),
    ("4000000000000127", "pm_card_chargeDeclinedIncorrectCvc"),
    ("4000000000000119", "pm_card_chargeDeclinedProcessingError"),
    ("4100000000000019", "pm_card_chargeDeclinedFraudulent"),
    ("4000000000006975", "pm_card_chargeDeclinedVelocityLimitExceeded"),
    ("4000000000000341", "pm_card_chargeCustomerFail"),
    ("4000002760003184", "pm_card_authenticationRequired"),
    ("4000000000003220", "pm_card_threeDSecure2Required"),
    ("4000002500003155", "pm_card_authenticationRequiredOnSetup"),
    ("4000008260003178", "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"),
];

const IBANS: &[(&str, &str)] = &[
    ("DE89370400440532013000", "pm_sepaDebit"),
    ("AT611904300234573201", "pm_sepaDebit"),
    ("FR1420041010050500013M02606", "pm_sepaDebit"),
    ("NL39RABO0300065264", "pm_sepaDebit"),
    ("DE62370400440532013001", "pm_sepaDebit_failed"),
    ("AT861904300235473202", "pm_sepaDebit_failed"),
];

/// The bank that all of these are at.
const ROUTING: &str = "110000000";
const ACCOUNTS: &[(&str, &str)] = &[
    ("000123456789", "pm_usBankAccount"),
    ("000111111113", "pm_usBankAccount_accountClosed"),
    ("000222222227", "pm_usBankAccount_insufficientFunds"),
];

const PHONES: &[(&str, &str)] = &[
    ("+254700000100", "pm_mobileMoney"),
    ("+254700000101", "pm_mobileMoney_confirmed"),
    ("+254700000102", "pm_mobileMoney_chargeDeclined"),
];

/// Whole ranges that are as good as the first number of each kind, for tests that need one of their own.
const RANGES: &[(MethodType, &str, &str)] = &[
    (MethodType::Card, "42424242", "pm_card_visa"),
    (MethodType::SepaDebit, "DE", "pm_sepaDebit"),
    (MethodType::UsBankAccount, "0001", "pm_usBankAccount"),
    (MethodType::MobileMoney, "+2547000009", "pm_mobileMoney"),
];
/// The bank of the range of IBANs.
const BANK: &str = "37040044";

/// What may be kept of what was typed; `None` for a number that is not the sandbox's.
pub(super) fn take(entered: &Entered) -> Option<NewMethod> {
    let number = entered.number.as_str();
    let table = match entered.kind {
        MethodType::Card => CARDS,
        MethodType::SepaDebit => IBANS,
        MethodType::UsBankAccount if entered.routing == ROUTING => ACCOUNTS,
        MethodType::UsBankAccount => return None,
        MethodType::MobileMoney => PHONES,
    };
    let listed = table.iter().find(|(known, _)| *known == number).map(|(_, name)| *name);
    let name = listed.or_else(|| in_range(entered.kind, number))?;
    let mut method = test_method(name, entered.exp_year)?;
    let last4: String = number.chars().skip(number.chars().count().saturating_sub(4)).collect();
    if last4 != method.details.last4 {
        // Of the number only these stay; two that end alike are as good as one in a test.
        method.fingerprint = format!("{}{last4}", method.fingerprint);
        method.details.last4 = last4;
    }
    match entered.kind {
        MethodType::Card => {
            method.details.exp_month = Some(entered.exp_month);
            method.details.exp_year = Some(entered.exp_year);
        }
        MethodType::SepaDebit => method.details.country = number.get(..2).map(str::to_owned),
        MethodType::MobileMoney => entered.operator.clone_into(&mut method.details.brand),
        MethodType::UsBankAccount => {}
    }
    Some(method)
}

fn in_range(kind: MethodType, number: &str) -> Option<&'static str> {
    let of_bank = |number: &str| kind != MethodType::SepaDebit || number.get(4..12) == Some(BANK);
    let mut ranges = RANGES.iter().filter(|(of, ..)| *of == kind);
    ranges.find(|(_, begins, _)| number.starts_with(begins) && of_bank(number)).map(|(.., name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(kind: MethodType, number: &str) -> Option<NewMethod> {
        let (cvc, routing, operator) = ("123".into(), ROUTING.into(), "M-Pesa".into());
        take(&Entered { kind, number: number.into(), cvc, exp_month: 3, exp_year: 2031, routing, operator })
    }

    #[test]
    fn every_number_is_a_method_of_its_kind_and_keeps_its_last_four() {
        let tables = [
            (MethodType::Card, CARDS),
            (MethodType::SepaDebit, IBANS),
            (MethodType::UsBankAccount, ACCOUNTS),
            (MethodType::MobileMoney, PHONES),
        ];
        for (kind, table) in tables {
            for (number, name) in table {
                let method = typed(kind, number).unwrap();
                assert_eq!((method.r#type, method.gateway_ref.as_str()), (kind, *name));
                assert!(number.ends_with(&method.details.last4) && method.details.last4.len() == 4, "{number}");
                let kept = format!("{method:?}");
                assert!(!kept.contains(number), "{kept}");
            }
        }
    }

    #[test]
    fn a_number_of_nobody_is_not_taken() {
        assert!(typed(MethodType::Card, "4111111111111111").is_none());
        assert!(typed(MethodType::SepaDebit, "DE75512108001245126199").is_none());
        assert!(typed(MethodType::MobileMoney, "+491701234567").is_none());
        assert!(typed(MethodType::UsBankAccount, "987654321").is_none());
    }

    #[test]
    fn a_card_ends_when_it_says_and_a_debit_is_of_its_country() {
        let card = typed(MethodType::Card, "4242424242424242").unwrap().details;
        assert_eq!((card.exp_month, card.exp_year), (Some(3), Some(2031)));
        assert_eq!(
            typed(MethodType::SepaDebit, "AT611904300234573201").unwrap().details.country.as_deref(),
            Some("AT")
        );
        let own = typed(MethodType::Card, "4242424200001230").unwrap();
        assert_eq!((own.details.last4.as_str(), own.gateway_ref.as_str()), ("1230", "pm_card_visa"));
    }
}
