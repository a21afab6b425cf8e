//! The portal's doors, asked over HTTP: links and sessions, who may call what, where a form may come from.

// A test that cannot be set up has failed.
#![allow(clippy::unwrap_used)]

mod callers;
mod doors;
mod links;
mod stage;
