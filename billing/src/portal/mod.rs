//! The portal's side of the books: what a configuration allows, how a session begins and ends.

pub mod acts;
pub mod branding;
pub mod change;
pub mod configuration;
pub mod details;
pub mod features;
pub mod feedback;
pub mod methods;
pub mod pausing;
pub mod session;

pub use configuration::{Configuration, ConfigurationUpdate};
pub use features::Features;
pub use session::{NewSession, Session};
