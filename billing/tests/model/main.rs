//! The books against a model of them that was written from the rules alone, in another language.

// A test stops at the first thing that is not as it should be.
#![allow(clippy::unwrap_used)]

// What the books' tests stand on; not all of it is needed here.
#[allow(dead_code, unused_imports, unused_macros)]
#[path = "../support/mod.rs"]
mod support;

mod act;
mod draw;
mod operations;
mod referee;
mod replay;
