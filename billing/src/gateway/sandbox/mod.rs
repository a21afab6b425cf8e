//! The built-in test processor, with its own ledger in its own database, so that books can be compared after any fault.

mod ledger;
mod methods;
mod numbers;

use crate::error::Result;
use crate::gateway::{Answer, Charge, Entered, Entry, Notice, Outcome, PaymentGateway, Refund, Refunded, Taken};
use ledger::Ledger;
use methods::{Behaviour, Fault, behaviour};
pub use methods::{Setup, setup, test_method, test_method_at};

pub struct Sandbox {
    ledger: Ledger,
}

/// How the sandbox answers a charge. Whoever asks it in the same process hears an [`Outcome::Unknown`] of both faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Outcome(Outcome),
    /// Nothing: who asks waits in vain.
    Nothing,
    /// That it broke.
    Broken,
}

/// The sandbox's name for the charge with this key.
pub(crate) fn reference(key: &str) -> String {
    ledger::reference(ledger::CHARGE, key)
}

impl Sandbox {
    /// Opens the ledger (`sqlite://…`), created if absent.
    pub async fn open(url: &str) -> Result<Self> {
        Ok(Self { ledger: Ledger::open(url).await? })
    }

    /// Charges by the method's behaviour. A key that was charged is not charged again, and is answered plainly.
    pub async fn asked(&self, charge: &Charge) -> Result<Said> {
        let behaviour = behaviour(&charge.method);
        let (is_first, outcome) = self.ledger.charge(charge, behaviour).await?;
        Ok(match (behaviour, outcome) {
            (Behaviour::Fault(Fault::ErrorAfter), _) if is_first => Said::Broken,
            (Behaviour::Fault(_), _) if is_first => Said::Nothing,
            (_, Some(outcome)) => Said::Outcome(outcome),
            (_, None) => Said::Nothing,
        })
    }

    /// Writes down charges that were captured long ago, of customers who come with their history.
    pub async fn remember(&self, charges: &[Charge]) -> Result<()> {
        self.ledger.remember(charges).await
    }

    /// The sum of all captured charges in one currency: the other side of the books.
    pub async fn captured(&self, currency: &str) -> Result<i64> {
        self.ledger.captured(currency).await
    }

    /// The sum of all that was given back in one currency.
    pub async fn refunded(&self, currency: &str) -> Result<i64> {
        self.ledger.refunded(currency).await
    }

    /// Every charge that was captured, by key: its amount and what of it was given back.
    pub async fn captures(&self) -> Result<Vec<(String, i64, i64)>> {
        self.ledger.captures().await
    }

    /// The keys of charges of which it still has news to tell.
    pub async fn untold(&self) -> Result<Vec<String>> {
        self.ledger.untold().await
    }
}

impl PaymentGateway for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn entry(&self) -> Entry {
        Entry::Ours
    }

    fn take<'a>(&'a self, entered: &'a Entered) -> Answer<'a, Taken> {
        Box::pin(async move { numbers::take(entered).map_or(Taken::Unknown, |method| Taken::Method(Box::new(method))) })
    }

    fn charge<'a>(&'a self, charge: &'a Charge) -> Answer<'a, Outcome> {
        Box::pin(async move {
            match self.asked(charge).await {
                Ok(Said::Outcome(outcome)) => outcome,
                Ok(Said::Nothing | Said::Broken) | Err(_) => Outcome::Unknown,
            }
        })
    }

    fn look_up<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Outcome>> {
        Box::pin(async move { self.ledger.find(key).await.unwrap_or(Some(Outcome::Unknown)) })
    }

    fn refund<'a>(&'a self, refund: &'a Refund) -> Answer<'a, Refunded> {
        Box::pin(async move { self.ledger.give_back(refund).await.unwrap_or(Refunded::Unknown) })
    }

    fn challenge<'a>(&'a self, reference: &'a str, is_confirmed: bool) -> Answer<'a, Option<Outcome>> {
        let fate = move |method: &str| match behaviour(method) {
            _ if !is_confirmed => ("declined", Some("authentication_required")),
            Behaviour::Authenticate(Some(code)) => ("declined", Some(code)),
            _ => ("succeeded", None),
        };
        Box::pin(async move { self.ledger.end(reference, fate).await.unwrap_or(Some(Outcome::Unknown)) })
    }

    fn notices(&self) -> Answer<'_, Vec<Notice>> {
        Box::pin(async move { self.ledger.notices().await.unwrap_or_default() })
    }

    fn noticed(&self, id: i64) -> Answer<'_, ()> {
        // One that stays is told again, which changes nothing.
        Box::pin(async move { self.ledger.noticed(id).await.unwrap_or_default() })
    }
}
