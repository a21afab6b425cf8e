//! The layers in front of everything, one concern a file; `web` says which stands before which.

mod answer;
mod caller;
mod form;
mod host;
mod log;
mod mishap;
mod near;

pub use answer::headers;
pub use caller::identify;
pub use form::{MOST_FORM, follow_form, is_from, is_from_elsewhere, same_origin, small_body, wants_page};
pub use host::{Place, api_host, fields_host, host, portal_host, public_host};
pub use log::observe;
pub use mishap::{broken, in_time};
pub use near::{is_from_this_machine, is_same};
