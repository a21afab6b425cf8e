//! The portal's side of the books: what a configuration allows, how a session begins and ends.

pub mod branding;
pub mod canceling;
pub mod change;
pub mod configuration;
pub mod details;
pub mod domain;
pub mod features;
pub mod feedback;
pub mod fields;
pub mod flow;
pub mod focus;
pub mod hidden;
pub mod issuer;
pub mod login;
pub mod methods;
pub mod offers;
pub mod pausing;
pub mod paying;
pub mod purchase;
pub mod session;
mod transitions;

use crate::actor::Actor;
use crate::error::{Error, Result};

pub use configuration::{Configuration, ConfigurationUpdate};
pub use features::Features;
pub use session::{NewSession, Session};

/// A preview reads only; a feature that is off refuses the call, not only the button.
fn may_write(who: &Actor, enabled: bool) -> Result<()> {
    if who.is_read_only() {
        return Err(Error::Forbidden("This is a preview: nothing can be changed in it."));
    }
    if enabled { Ok(()) } else { Err(Error::Forbidden("This is not available in this portal.")) }
}
