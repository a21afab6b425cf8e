//! What Portico needs of a payment processor. Calls never run inside a database transaction.

pub mod sandbox;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde::{Deserialize, Serialize};

use crate::customer::payment_method::{MethodType, NewMethod};
use crate::money::Currency;

pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A charge to make off-session. `key` is natural (invoice and attempt), unique for ever: asked twice, charged once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Charge {
    pub key: String,
    pub method: String,
    pub amount: i64,
    pub currency: Currency,
}

/// How an attempt ended, as far as the processor has said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refund {
    pub key: String,
    /// The processor's reference of the charge.
    pub charge: String,
    pub amount: i64,
    pub currency: Currency,
}

/// How a refund ended, as far as the processor has said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// What a person typed in the hosted fields. It goes to the processor and nowhere else: it has no words for a log.
#[derive(Clone, Serialize, Deserialize)]
pub struct Entered {
    pub kind: MethodType,
    /// A card's or account's number, an IBAN, a phone: without spaces.
    pub number: String,
    /// Two or four digits.
    pub cvc: String,
    pub exp_month: i64,
    /// Four digits.
    pub exp_year: i64,
    /// Of a bank in the United States.
    pub routing: String,
    /// Of a phone.
    pub operator: String,
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What a processor made of what was typed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Taken {
    /// What may be kept of it.
    Method(Box<NewMethod>),
    /// It is no number of this processor's.
    Unknown,
    /// No answer: nothing was kept, and it can be typed again.
    Nothing,
}

/// Where a person types a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// In fields of ours, which go to [`PaymentGateway::take`].
    Ours,
    Nowhere,
}

/// What a processor tells by itself of the charge with this key. It may come late, twice, or out of order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The processor's own number of it.
    pub id: i64,
    pub key: String,
    pub outcome: Outcome,
}

pub trait PaymentGateway: Send + Sync {
    fn name(&self) -> &'static str;

    /// What the hosted fields are to show.
    fn entry(&self) -> Entry {
        Entry::Nowhere
    }

    /// Takes what was typed in them.
    fn take<'a>(&'a self, _entered: &'a Entered) -> Answer<'a, Taken> {
        Box::pin(async { Taken::Unknown })
    }

    /// Charges, or answers what became of the charge with this key.
    fn charge<'a>(&'a self, charge: &'a Charge) -> Answer<'a, Outcome>;

    /// What became of a charge; `None` if the processor never saw it.
    fn look_up<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Outcome>>;

    /// Gives back, or answers what became of the refund with this key.
    fn refund<'a>(&'a self, refund: &'a Refund) -> Answer<'a, Refunded>;

    /// The customer's answer, yes or no, to a charge that waits for it: for a processor whose page for that is ours.
    /// `None` if there is no such charge here.
    fn challenge<'a>(&'a self, _reference: &'a str, _is_confirmed: bool) -> Answer<'a, Option<Outcome>> {
        Box::pin(async { None })
    }

    /// What the processor has to tell, for one that is asked for it; others send it to us.
    fn notices(&self) -> Answer<'_, Vec<Notice>> {
        Box::pin(async { Vec::new() })
    }

    /// A notice has been written down: it need not be told again.
    fn noticed(&self, _id: i64) -> Answer<'_, ()> {
        Box::pin(async {})
    }
}
