//! The books' tests, one file a feature, in one program so that it links once. Each runs on both databases.

// A test stops at the first thing that is not as it should be; lists of ids read best as they are.
#![allow(clippy::unwrap_used, clippy::cloned_ref_to_slice_refs)]

#[path = "../support/mod.rs"]
mod support;

mod activity;
mod arithmetic;
mod audit;
mod balance;
mod cancellation;
mod catalog;
mod changes;
mod changes_discounted;
mod changes_of_periods;
mod changes_taxed;
mod check;
mod collection;
mod credit_notes;
mod customers;
mod cycle;
mod debts;
mod directory;
mod discounts;
mod dunning;
mod endings;
mod events;
mod faults;
mod hosted_invoices;
mod idempotency;
mod invoice_items;
mod invoice_search;
mod invoices;
mod isolation;
mod jobs;
mod notices;
mod offers;
mod pauses;
mod payment_methods;
mod payments;
mod pending_updates;
mod portal_cancellations;
mod portal_changes;
mod portal_configuration;
mod portal_details;
mod portal_flows;
mod portal_looks;
mod portal_methods;
mod portal_offers;
mod portal_pauses;
mod portal_purchases;
mod portal_sessions;
mod previews;
mod quotes;
mod quotes_at_random;
mod refunds;
mod renewals;
mod scheduled_updates;
mod setup_intents;
mod starts;
mod subscription_states;
mod subscriptions;
mod tax_ids;
mod taxes;
mod test_clocks;
mod webhooks;
