//! Records as pages show them: every amount, date and sentence in the reader's language, so that the browser formats
//! nothing and sees nothing of the books.

pub mod activity;
pub mod adding;
pub mod address;
pub mod cancel;
pub mod change;
pub mod confirm;
mod decline;
mod deed;
pub mod details;
pub mod done;
pub mod frame;
pub mod invoices;
pub mod method;
pub mod methods;
pub mod overview;
pub mod pause;
pub mod paying;
pub mod purchase;
pub mod quoted;
mod refusal;
pub mod review;
#[cfg(test)]
mod sample;
pub mod sheet;
pub mod standing;
mod stay;
pub mod subscription;
pub mod tax_ids;
