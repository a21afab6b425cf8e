//! What can be quoted: the operations that move money, each with what it is given, and what carrying one out has done.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::error::Result;
use crate::invoice::{self, Invoice};
use crate::store::Tx;
use crate::subscription::cancel::{self, Cancellation};
use crate::subscription::create::PaymentBehavior;
use crate::subscription::pause::{self, Pause};
use crate::subscription::resume::{self, Resume};
use crate::subscription::{
    self, ItemChange, NewSubscription, Subscription, SubscriptionUpdate, create, scheduled, update,
};

/// A change of what a customer pays for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A subscription that is not there yet.
    Start(Box<NewSubscription>),
    /// Now: other items, prices, intervals, quantities or discounts, an end that is set or taken back.
    Update {
        subscription: String,
        update: Box<SubscriptionUpdate>,
    },
    /// The items, when the period ends.
    Schedule {
        subscription: String,
        items: Vec<ItemChange>,
    },
    /// The end, at once.
    Cancel {
        subscription: String,
        cancellation: Cancellation,
    },
    Pause {
        subscription: String,
        pause: Pause,
    },
    Resume {
        subscription: String,
        resume: Resume,
    },
}

/// What carrying a change out has done.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub subscription: Subscription,
    /// What is billed at once.
    pub invoice: Option<Invoice>,
    /// Whether the door is to charge it now.
    pub collect: bool,
}

impl From<update::Updated> for Outcome {
    fn from(updated: update::Updated) -> Self {
        Self { subscription: updated.subscription, invoice: updated.invoice, collect: updated.collect }
    }
}

impl Change {
    /// The subscription that it changes; none yet for one that starts.
    pub fn subscription(&self) -> Option<&str> {
        match self {
            Self::Start(_) => None,
            Self::Update { subscription, .. }
            | Self::Schedule { subscription, .. }
            | Self::Cancel { subscription, .. }
            | Self::Pause { subscription, .. }
            | Self::Resume { subscription, .. } => Some(subscription),
        }
    }

    /// Whose subscription starts.
    pub fn customer(&self) -> Option<&str> {
        match self {
            Self::Start(new) => Some(&new.customer),
            _ => None,
        }
    }

    /// Whether it is to be only if it is paid for.
    pub fn only_if_paid(&self) -> bool {
        let behavior = match self {
            Self::Start(new) => Some(new.payment_behavior),
            Self::Update { update, .. } => update.payment_behavior,
            _ => None,
        };
        behavior == Some(PaymentBehavior::ErrorIfIncomplete)
    }

    /// Does it, as whoever asks could without a quote.
    pub async fn carry_out(&self, tx: &mut Tx, who: &Actor) -> Result<Outcome> {
        match self {
            Self::Start(new) => {
                let created = Box::pin(create::create(tx, who, (**new).clone())).await?;
                let (subscription, collect) = (created.subscription, created.collect);
                Ok(Outcome { subscription, invoice: Some(created.invoice), collect })
            }
            Self::Update { subscription, update } => {
                Ok(Box::pin(update::update(tx, who, subscription, (**update).clone())).await?.into())
            }
            Self::Schedule { subscription, items } => {
                let subscription = Box::pin(scheduled::schedule(tx, who, subscription, items)).await?;
                Ok(Outcome { subscription, invoice: None, collect: false })
            }
            Self::Cancel { subscription, cancellation } => {
                Ok(Box::pin(cancel::at_once(tx, who, subscription, cancellation.clone())).await?.into())
            }
            Self::Pause { subscription, pause } => Box::pin(paused(tx, who, subscription, *pause)).await,
            Self::Resume { subscription, resume } => {
                let resumed = Box::pin(resume::resume(tx, who, subscription, *resume)).await?;
                let collect = resumed.invoice.as_ref().is_some_and(Invoice::is_to_be_charged);
                Ok(Outcome { subscription: resumed.subscription, invoice: resumed.invoice, collect })
            }
        }
    }
}

async fn paused(tx: &mut Tx, who: &Actor, id: &str, pause: Pause) -> Result<Outcome> {
    let before = subscription::get(tx, who, id).await?.latest_invoice;
    let subscription = pause::pause(tx, who, id, pause).await?;
    let invoice = match &subscription.latest_invoice {
        Some(made) if before.as_ref() != Some(made) => Some(invoice::get(tx, who, made).await?),
        _ => None,
    };
    Ok(Outcome { subscription, invoice, collect: false })
}
