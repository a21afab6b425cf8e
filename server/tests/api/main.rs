//! The merchant API on both databases: what the official SDKs send, and what they must never see.

// A test stops at the first thing that is not as it should be.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod audit_entries;
mod balance_transactions;
mod catalog;
mod charges;
mod configurations;
mod credit_notes;
mod customers;
mod dialect;
mod discounts;
mod events;
mod expand;
mod idempotency;
mod invoice_moves;
mod invoices;
mod isolation;
mod lists;
mod machinery;
mod nasty;
mod offers;
mod payment_methods;
mod portal_domains;
mod portal_settings;
mod previews;
mod said_with_it;
mod sessions;
mod setup_intents;
mod subscription_changes;
mod subscription_items;
mod subscription_quotes;
mod subscriptions;
mod tax_ids;
mod taxes;
mod test_clocks;
mod webhook_deliveries;
mod webhook_endpoints;
