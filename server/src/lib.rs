//! The world's way in: the merchant API, the portal's documents, the workers and the command line.

pub mod api;
pub mod ask;
pub mod cli;
pub mod commands;
pub mod config;
pub mod connections;
pub mod cookie;
pub mod dns;
pub mod entry;
pub mod front;
pub mod hosted;
pub mod leave;
pub mod log;
pub mod look;
pub mod mail;
pub mod metrics;
pub mod outbound;
pub mod picture;
pub mod reference;
pub mod sandbox;
pub mod shell;
pub mod site;
pub mod state;
pub mod visit;
pub mod web;
pub mod worker;
