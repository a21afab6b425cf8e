//! One file a page: what it asks the server, what it shows, how it looks.

pub mod activity;
pub mod add_method;
pub mod cancel;
pub mod change;
pub mod confirm;
pub mod details;
pub mod details_form;
pub mod done;
#[cfg(feature = "ssr")]
pub mod entry;
#[cfg(feature = "ssr")]
pub mod fields;
#[cfg(feature = "ssr")]
pub mod hosted;
pub mod invoice;
pub mod invoices;
pub mod methods;
pub mod overview;
pub mod pause;
pub mod purchase;
pub mod repair;
pub mod resume;
pub mod review;
pub mod subscribe;
pub mod subscription;
