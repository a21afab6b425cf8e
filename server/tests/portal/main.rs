//! The portal's doors, asked over HTTP: links and sessions, who may call what, where a form may come from.

// A test that cannot be set up has failed; lists of ids read best as they are.
#![allow(clippy::unwrap_used, clippy::cloned_ref_to_slice_refs)]

mod callers;
mod configured;
mod confirmations;
mod dice;
mod documents;
mod domains;
mod doors;
mod exports;
mod fields;
mod flat;
mod forgeries;
mod forms;
mod framed;
mod fuzz;
mod hosted;
mod hostile;
mod links;
mod login;
mod login_safety;
mod look;
mod mailbox;
mod matrix;
#[path = "../support/outward.rs"]
mod outward;
mod paying;
mod references;
mod signed_in;
mod stage;
mod visitor;
