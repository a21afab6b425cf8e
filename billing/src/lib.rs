//! The books: records, rules and operations over one SQL text for two databases. Knows no HTTP and no HTML.

// The largest objects of the wire are one `json!` of some seventy fields.
#![recursion_limit = "256"]
// Money and rates are integers and ratios of integers.
#![deny(clippy::float_arithmetic)]

pub mod actor;
pub mod audit;
pub mod bulk;
pub mod catalog;
pub mod check;
pub mod clock;
pub mod credit_note;
pub mod customer;
pub mod cycle;
pub mod decimal;
pub mod directory;
pub mod discount;
pub mod document;
pub mod dunning;
pub mod error;
pub mod event;
pub mod gateway;
pub mod id;
pub mod idempotency;
pub mod invoice;
pub mod job;
#[cfg(test)]
mod laws;
pub mod limit;
pub mod mail;
pub mod money;
pub mod page;
pub mod patch;
pub mod payment;
pub mod period;
pub mod portal;
pub mod preview;
pub mod proration;
pub mod quote;
pub mod refund;
pub mod seal;
pub mod settings;
pub mod setup_intent;
pub mod store;
pub mod subscription;
pub mod tax;
pub mod test_clock;
mod text_enum;
pub mod webhook;
pub mod wire;
pub mod work;

pub use actor::{Actor, Origin, Tenant, Trace};
pub use clock::{Clock, Millis, Seconds};
pub use decimal::Decimal;
pub use error::{Error, Result};
pub use event::{Change, Event};
pub use money::Currency;
pub use page::{Listed, Page};
pub use patch::{Metadata, MetadataPatch, Patch};
pub use store::{Db, Json, Tx};
