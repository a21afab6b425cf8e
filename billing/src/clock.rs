//! Two clocks: the wall (sessions, links, idempotency, deliveries) and the customer's own (billing instants).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A billing instant: whole unix seconds, so that what the API says can be sent back unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct Seconds(pub i64);

/// A wall-clock instant in unix milliseconds: links, sessions, jobs, deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Seconds {
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0 + seconds)
    }
}

impl Millis {
    pub const fn seconds(self) -> Seconds {
        Seconds(self.0.div_euclid(1000))
    }

    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0 + millis)
    }
}

impl From<Seconds> for Millis {
    fn from(seconds: Seconds) -> Self {
        Self(seconds.0 * 1000)
    }
}

/// The wall clock, handed in from outside. Clones share their hands, so a test that moves one moves all.
#[derive(Debug, Clone)]
pub struct Clock {
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    /// The system's clock, moved by a number of milliseconds (0 in production).
    System(Arc<AtomicI64>),
    /// Stands still until it is set.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    pub fn system() -> Self {
        Self { source: Source::System(Arc::new(AtomicI64::new(0))) }
    }

    pub fn manual(at: Millis) -> Self {
        Self { source: Source::Manual(Arc::new(AtomicI64::new(at.0))) }
    }

    pub fn wall(&self) -> Millis {
        match &self.source {
            Source::System(offset) => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX) + offset.load(Ordering::Relaxed))
            }
            Source::Manual(at) => Millis(at.load(Ordering::Relaxed)),
        }
    }

    /// Moves the clock forward (or back) by `millis`.
    pub fn advance(&self, millis: i64) {
        match &self.source {
            Source::System(hand) | Source::Manual(hand) => hand.fetch_add(millis, Ordering::Relaxed),
        };
    }

    /// Whether the clock was moved away from the system's: refused with live keys.
    pub fn is_moved(&self) -> bool {
        match &self.source {
            Source::System(offset) => offset.load(Ordering::Relaxed) != 0,
            Source::Manual(_) => true,
        }
    }
}
