//! Pieces that pages are made of. They draw what they are given and ask nothing.

mod alert;
mod failure;
mod frame;
mod icon;
mod invoice_rows;
mod loaded;
mod method;
mod notice;
mod standing;

pub use alert::{Alert, Alerts};
pub use failure::{Failure, FormFailure, Missing};
pub use frame::{Frame, FrameData};
pub use icon::{Icon, icon};
pub use invoice_rows::{InvoiceRow, InvoiceRows};
pub use loaded::{Form, FormKeys, Loaded, Page, Shown};
pub use method::{Method, MethodKind, MethodView};
pub use notice::Notice;
pub use standing::{Fact, Facts, Pill, PillView, Price, Tone};
