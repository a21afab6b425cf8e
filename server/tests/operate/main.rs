//! What an operator relies on: the log, the metrics, the way it stops, and the documents that are made from the program.

// A test stops at the first thing that is not as it should be.
#![allow(clippy::unwrap_used)]

#[path = "../../../billing/tests/shapes/catalog.rs"]
#[allow(dead_code)]
mod catalog;
#[path = "../../../billing/tests/shapes/records.rs"]
#[allow(dead_code)]
mod records;
#[path = "../support/mod.rs"]
mod support;

mod audit;
mod backup;
mod check;
mod demo;
mod drain;
mod logs;
mod mails;
mod metrics;
mod openapi;
mod schema;
mod settings;
mod slow;
mod webhooks;
