//! The built-in test processor, with its own ledger in its own database, so that books can be compared after any fault.

use std::str::FromStr;

use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};

use crate::customer::payment_method::{BillingDetails, Details, MethodType, NewMethod};
use crate::error::{Error, Result};
use crate::gateway::{Answer, Charge, Outcome, PaymentGateway, Refund, Refunded};

pub struct Sandbox {
    ledger: SqlitePool,
}

/// Stripe's test methods (docs.stripe.com/testing) that this processor knows: id, type, brand, last four, behaviour.
const METHODS: &[(&str, MethodType, &str, &str, Behaviour)] = &[
    ("pm_card_visa", MethodType::Card, "visa", "4242", Behaviour::Succeed),
    ("pm_card_visa_debit", MethodType::Card, "visa", "5556", Behaviour::Succeed),
    ("pm_card_mastercard", MethodType::Card, "mastercard", "4444", Behaviour::Succeed),
    ("pm_card_amex", MethodType::Card, "amex", "8431", Behaviour::Succeed),
    ("pm_card_discover", MethodType::Card, "discover", "1117", Behaviour::Succeed),
    ("pm_card_chargeDeclined", MethodType::Card, "visa", "0002", Behaviour::Decline("generic_decline")),
    ("pm_card_chargeCustomerFail", MethodType::Card, "visa", "0341", Behaviour::Decline("generic_decline")),
    (
        "pm_card_chargeDeclinedInsufficientFunds",
        MethodType::Card,
        "visa",
        "9995",
        Behaviour::Decline("insufficient_funds"),
    ),
    ("pm_card_chargeDeclinedLostCard", MethodType::Card, "visa", "9987", Behaviour::Decline("lost_card")),
    ("pm_card_chargeDeclinedStolenCard", MethodType::Card, "visa", "9979", Behaviour::Decline("stolen_card")),
    ("pm_card_chargeDeclinedExpiredCard", MethodType::Card, "visa", "0069", Behaviour::Decline("expired_card")),
    ("pm_card_authenticationRequired", MethodType::Card, "visa", "3184", Behaviour::Authenticate),
    ("pm_sepaDebit", MethodType::SepaDebit, "Test Bank", "3000", Behaviour::Succeed),
    ("pm_usBankAccount", MethodType::UsBankAccount, "STRIPE TEST BANK", "6789", Behaviour::Succeed),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behaviour {
    Succeed,
    Decline(&'static str),
    Authenticate,
}

/// The method that a test id such as `pm_card_visa` stands for. `year` is this year: the cards expire in four.
pub fn test_method(test_id: &str, year: i64) -> Option<NewMethod> {
    let (name, kind, brand, last4, _) = METHODS.iter().find(|m| m.0 == test_id)?;
    let is_card = *kind == MethodType::Card;
    Some(NewMethod {
        r#type: *kind,
        details: Details {
            brand: (*brand).into(),
            last4: (*last4).into(),
            exp_month: is_card.then_some(12),
            exp_year: is_card.then_some(year + 4),
            country: Some(if *kind == MethodType::SepaDebit { "DE" } else { "US" }.into()),
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

/// Stores a method: cards that are declined are declined here already, but for the one that fails its customer later.
pub fn setup(gateway_ref: &str) -> Setup {
    if gateway_ref == "pm_card_chargeCustomerFail" {
        return Setup::Succeeded;
    }
    match METHODS.iter().find(|m| m.0 == gateway_ref).map(|m| m.4) {
        Some(Behaviour::Succeed) => Setup::Succeeded,
        Some(Behaviour::Authenticate) => Setup::RequiresAction,
        Some(Behaviour::Decline(code)) => Setup::Declined(code),
        None => Setup::Declined("processing_error"),
    }
}

impl Sandbox {
    /// Opens the ledger (`sqlite://…`), created if absent.
    pub async fn open(url: &str) -> Result<Self> {
        let options = SqliteConnectOptions::from_str(url)?.create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        if let Some(folder) = options.get_filename().parent() {
            std::fs::create_dir_all(folder).map_err(|e| Error::internal(format!("{}: {e}", folder.display())))?;
        }
        let ledger = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        sqlx::query(
            "create table if not exists charge (
                key text primary key, reference text not null, method text not null, amount bigint not null, currency text not null,
                outcome text not null, code text)",
        )
        .execute(&ledger)
        .await?;
        sqlx::query(
            "create table if not exists refund (
                key text primary key, reference text not null, charge text not null, amount bigint not null, currency text not null)",
        )
        .execute(&ledger)
        .await?;
        Ok(Self { ledger })
    }

    /// The sum of all captured charges in one currency: the other side of the books.
    pub async fn captured(&self, currency: &str) -> Result<i64> {
        let (sum,): (i64,) = sqlx::query_as(
            "select cast(coalesce(sum(amount), 0) as bigint) from charge where outcome = 'succeeded' and currency = $1",
        )
        .bind(currency)
        .fetch_one(&self.ledger)
        .await?;
        Ok(sum)
    }

    /// The sum of all that was given back in one currency.
    pub async fn refunded(&self, currency: &str) -> Result<i64> {
        let (sum,): (i64,) =
            sqlx::query_as("select cast(coalesce(sum(amount), 0) as bigint) from refund where currency = $1")
                .bind(currency)
                .fetch_one(&self.ledger)
                .await?;
        Ok(sum)
    }

    /// Never more than was captured, in one statement.
    async fn give_back(&self, refund: &Refund) -> Result<Refunded> {
        let reference = reference("sbr", &refund.key);
        sqlx::query(
            "insert into refund (key, reference, charge, amount, currency)
             select $1, $2, $3, $4, $5 where exists (
                 select 1 from charge c where c.reference = $3 and c.currency = $5 and c.outcome = 'succeeded'
                 and c.amount >= $4 + (select coalesce(sum(r.amount), 0) from refund r where r.charge = $3))
             on conflict do nothing",
        )
        .bind(&refund.key)
        .bind(&reference)
        .bind(&refund.charge)
        .bind(refund.amount)
        .bind(refund.currency.code())
        .execute(&self.ledger)
        .await?;
        let made: Option<(i64,)> = sqlx::query_as("select amount from refund where key = $1")
            .bind(&refund.key)
            .fetch_optional(&self.ledger)
            .await?;
        Ok(match made {
            Some(_) => Refunded::Succeeded { reference },
            None => Refunded::Failed { reason: "declined".into() },
        })
    }

    async fn settle(&self, charge: &Charge) -> Result<Outcome> {
        let behaviour =
            METHODS.iter().find(|m| m.0 == charge.method).map_or(Behaviour::Decline("processing_error"), |m| m.4);
        let (outcome, code) = match behaviour {
            Behaviour::Succeed => ("succeeded", None),
            Behaviour::Decline(code) => ("declined", Some(code)),
            Behaviour::Authenticate => ("requires_action", None),
        };
        sqlx::query("insert into charge (key, reference, method, amount, currency, outcome, code) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing")
            .bind(&charge.key)
            .bind(reference("sbx", &charge.key))
            .bind(&charge.method)
            .bind(charge.amount)
            .bind(charge.currency.code())
            .bind(outcome)
            .bind(code)
            .execute(&self.ledger)
            .await?;
        Ok(self.find(&charge.key).await?.unwrap_or(Outcome::Unknown))
    }

    async fn find(&self, key: &str) -> Result<Option<Outcome>> {
        let row: Option<(String, String, Option<String>)> =
            sqlx::query_as("select reference, outcome, code from charge where key = $1")
                .bind(key)
                .fetch_optional(&self.ledger)
                .await?;
        Ok(row.map(|(reference, outcome, code)| match outcome.as_str() {
            "succeeded" => Outcome::Succeeded { reference },
            "requires_action" => Outcome::RequiresAction { reference },
            _ => Outcome::Declined { reference, code: code.unwrap_or_else(|| "generic_decline".into()) },
        }))
    }
}

fn reference(prefix: &str, key: &str) -> String {
    format!("{prefix}_{}", hex::encode(&Sha256::digest(key.as_bytes())[..12]))
}

impl PaymentGateway for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn charge<'a>(&'a self, charge: &'a Charge) -> Answer<'a, Outcome> {
        Box::pin(async move { self.settle(charge).await.unwrap_or(Outcome::Unknown) })
    }

    fn look_up<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Outcome>> {
        Box::pin(async move { self.find(key).await.unwrap_or(Some(Outcome::Unknown)) })
    }

    fn refund<'a>(&'a self, refund: &'a Refund) -> Answer<'a, Refunded> {
        Box::pin(async move { self.give_back(refund).await.unwrap_or(Refunded::Unknown) })
    }
}
