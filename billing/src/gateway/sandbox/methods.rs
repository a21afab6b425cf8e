//! The methods that the sandbox knows, and what each of them does when it is stored and when it is charged.

use sha2::{Digest, Sha256};

use crate::clock::Seconds;
use crate::customer::payment_method::{BillingDetails, Details, MethodType, NewMethod};

/// What a method does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    Succeed,
    /// Refused when it is stored, and when it is charged.
    Decline(&'static str),
    /// Can be stored, and is refused when it is charged.
    DeclineCharge(&'static str),
    /// The customer must confirm: storing it, and every charge. Then it succeeds, or is refused all the same.
    Authenticate(Option<&'static str>),
    /// The customer must confirm when it is stored, and never again.
    AuthenticateSetup,
    /// Charges, and something goes wrong on the way.
    Fault(Fault),
}

/// What can go wrong between the processor and whoever asks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The request is lost: nothing is charged, nothing is answered. Asked once more, it charges.
    TimeoutBefore,
    /// It charges, and the answer is lost.
    TimeoutAfter,
    /// It charges, and answers that it broke.
    ErrorAfter,
    /// It charges; what is told comes by notice only, later.
    Late,
    /// The same, and the notice comes twice.
    NoticeTwice,
    /// The same, and the notice of its end comes before the one of its beginning.
    NoticesReversed,
}

use Behaviour::{Authenticate, AuthenticateSetup, Decline, DeclineCharge, Succeed};
use MethodType::{Card, MobileMoney, SepaDebit, UsBankAccount};

type Row = (&'static str, MethodType, &'static str, &'static str, Behaviour);

const fn fault(name: &'static str, last4: &'static str, fault: Fault) -> Row {
    (name, Card, "visa", last4, Behaviour::Fault(fault))
}

/// Id, type, brand (bank, operator), last four, behaviour. Stripe's names and numbers (docs.stripe.com/testing), but for
/// mobile money, which it does not have, and for the faults, which it does not play.
#[rustfmt::skip]
const METHODS: &[Row] = &[
    ("pm_card_visa", Card, "visa", "4242", Succeed),
    ("pm_card_visa_debit", Card, "visa", "5556", Succeed),
    ("pm_card_mastercard", Card, "mastercard", "4444", Succeed),
    ("pm_card_mastercard_debit", Card, "mastercard", "8210", Succeed),
    ("pm_card_mastercard_prepaid", Card, "mastercard", "5100", Succeed),
    ("pm_card_amex", Card, "amex", "8431", Succeed),
    ("pm_card_discover", Card, "discover", "1117", Succeed),
    ("pm_card_diners", Card, "diners", "0004", Succeed),
    ("pm_card_jcb", Card, "jcb", "0505", Succeed),
    ("pm_card_unionpay", Card, "unionpay", "0005", Succeed),
    ("pm_card_chargeDeclined", Card, "visa", "0002", Decline("generic_decline")),
    ("pm_card_chargeDeclinedInsufficientFunds", Card, "visa", "9995", Decline("insufficient_funds")),
    ("pm_card_chargeDeclinedLostCard", Card, "visa", "9987", Decline("lost_card")),
    ("pm_card_chargeDeclinedStolenCard", Card, "visa", "9979", Decline("stolen_card")),
    ("pm_card_chargeDeclinedExpiredCard", Card, "visa", "0069", Decline("expired_card")),
    ("pm_card_chargeDeclinedIncorrectCvc", Card, "visa", "0127", Decline("incorrect_cvc")),
    ("pm_card_chargeDeclinedProcessingError", Card, "visa", "0119", Decline("processing_error")),
    ("pm_card_chargeDeclinedFraudulent", Card, "visa", "0019", Decline("fraudulent")),
    ("pm_card_chargeDeclinedVelocityLimitExceeded", Card, "visa", "6975", Decline("card_velocity_exceeded")),
    ("pm_card_chargeCustomerFail", Card, "visa", "0341", DeclineCharge("generic_decline")),
    ("pm_card_authenticationRequired", Card, "visa", "3184", Authenticate(None)),
    ("pm_card_threeDSecure2Required", Card, "visa", "3220", Authenticate(None)),
    ("pm_card_authenticationRequiredOnSetup", Card, "visa", "3155", AuthenticateSetup),
    ("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", Card, "visa", "3178", Authenticate(Some("insufficient_funds"))),
    ("pm_sepaDebit", SepaDebit, "Test Bank", "3000", Succeed),
    ("pm_sepaDebit_failed", SepaDebit, "Test Bank", "3001", DeclineCharge("generic_decline")),
    ("pm_usBankAccount_accountClosed", UsBankAccount, "STRIPE TEST BANK", "1113", DeclineCharge("account_closed")),
    ("pm_usBankAccount_insufficientFunds", UsBankAccount, "STRIPE TEST BANK", "2227", DeclineCharge("insufficient_funds")),
    ("pm_usBankAccount", UsBankAccount, "STRIPE TEST BANK", "6789", Succeed),
    ("pm_mobileMoney", MobileMoney, "Test Mobile", "0100", Succeed),
    ("pm_mobileMoney_confirmed", MobileMoney, "Test Mobile", "0101", AuthenticateSetup),
    ("pm_mobileMoney_chargeDeclined", MobileMoney, "Test Mobile", "0102", DeclineCharge("insufficient_funds")),
    fault("pm_sandbox_timeoutBeforeCharge", "7001", Fault::TimeoutBefore),
    fault("pm_sandbox_timeoutAfterCharge", "7002", Fault::TimeoutAfter),
    fault("pm_sandbox_errorAfterCharge", "7003", Fault::ErrorAfter),
    fault("pm_sandbox_lateNotice", "7004", Fault::Late),
    fault("pm_sandbox_noticeTwice", "7005", Fault::NoticeTwice),
    fault("pm_sandbox_noticesReversed", "7006", Fault::NoticesReversed),
];

/// What a method does; one that nobody knows is refused.
pub(super) fn behaviour(name: &str) -> Behaviour {
    METHODS.iter().find(|m| m.0 == name).map_or(Decline("processing_error"), |m| m.4)
}

/// The same as it would be stored at an instant: a card expires some years later.
pub fn test_method_at(test_id: &str, at: Seconds) -> Option<NewMethod> {
    const MEAN_YEAR: i64 = 31_556_952;
    test_method(test_id, 1970 + at.0 / MEAN_YEAR)
}

/// The method that a test id such as `pm_card_visa` stands for. `year` is this year: the cards expire in four.
pub fn test_method(test_id: &str, year: i64) -> Option<NewMethod> {
    let (name, kind, brand, last4, _) = METHODS.iter().find(|m| m.0 == test_id)?;
    let is_card = *kind == Card;
    let country = match kind {
        SepaDebit => "DE",
        MobileMoney => "KE",
        Card | UsBankAccount => "US",
    };
    Some(NewMethod {
        r#type: *kind,
        details: Details {
            brand: (*brand).into(),
            last4: (*last4).into(),
            exp_month: is_card.then_some(12),
            exp_year: is_card.then_some(year + 4),
            country: Some(country.into()),
            funding: is_card.then(|| "credit".into()),
        },
        billing_details: BillingDetails::default(),
        fingerprint: hex::encode(&Sha256::digest(name.as_bytes())[..8]),
        gateway_ref: (*name).into(),
    })
}

/// What becomes of storing a method, by the gateway's name for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    Succeeded,
    Declined(&'static str),
    /// The customer must confirm.
    RequiresAction,
}

pub fn setup(gateway_ref: &str) -> Setup {
    match behaviour(gateway_ref) {
        Succeed | DeclineCharge(_) | Behaviour::Fault(_) => Setup::Succeeded,
        Authenticate(_) | AuthenticateSetup => Setup::RequiresAction,
        Decline(code) => Setup::Declined(code),
    }
}
