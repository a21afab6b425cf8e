//! Records as pages show them: every amount, date and sentence in the reader's language, so that the browser formats
//! nothing and sees nothing of the books.

pub mod cancel;
pub mod frame;
pub mod invoices;
pub mod method;
pub mod overview;
mod refusal;
#[cfg(test)]
mod sample;
pub mod standing;
pub mod subscription;
