//! The books' tests, one file a feature, in one program so that it links once. Each runs on both databases.

// A test stops at the first thing that is not as it should be; lists of ids read best as they are.
#![allow(clippy::unwrap_used, clippy::cloned_ref_to_slice_refs)]

#[path = "../support/mod.rs"]
mod support;

mod arithmetic;
mod cancellation;
mod catalog;
mod customers;
mod cycle;
mod directory;
mod events;
mod idempotency;
mod invoices;
mod isolation;
mod jobs;
mod offers;
mod payment_methods;
mod payments;
mod portal_acts;
mod portal_configuration;
mod portal_sessions;
mod subscriptions;
mod taxes;
