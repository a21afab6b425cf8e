//! What Portico needs of a payment processor. Calls never run inside a database transaction.

pub mod sandbox;

use std::future::Future;
use std::pin::Pin;

use crate::money::Currency;

pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A charge to make off-session. `key` is natural (invoice and attempt), unique for ever: asked twice, charged once.
#[derive(Debug, Clone)]
pub struct Charge {
    pub key: String,
    pub method: String,
    pub amount: i64,
    pub currency: Currency,
}

/// How an attempt ended, as far as the processor has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Succeeded {
        reference: String,
    },
    Declined {
        reference: String,
        code: String,
    },
    /// The customer must confirm (3-D Secure) at this reference.
    RequiresAction {
        reference: String,
    },
    /// No answer, or one that says nothing: looked up again later, never guessed.
    Unknown,
}

/// Money to give back of a charge that was captured. `key` is natural (the refund's id), unique for ever: asked twice,
/// given back once.
#[derive(Debug, Clone)]
pub struct Refund {
    pub key: String,
    /// The processor's reference of the charge.
    pub charge: String,
    pub amount: i64,
    pub currency: Currency,
}

/// How a refund ended, as far as the processor has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refunded {
    Succeeded {
        reference: String,
    },
    /// `reason` in Stripe's words, `expired_or_canceled_card`.
    Failed {
        reason: String,
    },
    /// No answer: asked again later with the same key.
    Unknown,
}

pub trait PaymentGateway: Send + Sync {
    fn name(&self) -> &'static str;

    /// Charges, or answers what became of the charge with this key.
    fn charge<'a>(&'a self, charge: &'a Charge) -> Answer<'a, Outcome>;

    /// What became of a charge; `None` if the processor never saw it.
    fn look_up<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Outcome>>;

    /// Gives back, or answers what became of the refund with this key.
    fn refund<'a>(&'a self, refund: &'a Refund) -> Answer<'a, Refunded>;
}
