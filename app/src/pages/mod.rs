//! One file a page: what it asks the server, what it shows, how it looks.

pub mod cancel;
#[cfg(feature = "ssr")]
pub mod entry;
pub mod invoices;
pub mod overview;
pub mod subscription;
