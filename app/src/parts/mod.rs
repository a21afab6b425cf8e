//! Pieces that pages are made of. They draw what they are given and ask nothing.

mod alert;
mod closed;
mod drawn;
mod effects;
mod failure;
mod field;
mod fields_frame;
mod frame;
mod icon;
mod invoice_rows;
mod links;
mod loaded;
#[cfg(feature = "ssr")]
pub mod log;
mod mark;
mod method;
mod notice;
mod paying;
mod query_form;
mod quoted;
#[cfg(feature = "ssr")]
pub mod sheet;
mod standing;

pub use alert::{Alert, Alerts};
pub use closed::{Closed, ClosedView, aside};
pub use drawn::{Drawn, DrawnView};
pub use effects::Effects;
pub use failure::{Failure, FormFailure, Missing, REFUSAL};
#[cfg(feature = "ssr")]
pub use field::options;
pub use field::{Choice, Field, Fields, Select};
pub use fields_frame::FieldsFrame;
pub use frame::{Frame, FrameData};
pub use icon::{Icon, icon};
pub use invoice_rows::{InvoiceRow, InvoiceRows};
pub use links::{Links, LinksView};
pub use loaded::{Form, FormKeys, Loaded, Page, Shown};
pub use mark::{Mark, Picture, mark, sign};
pub use method::{Method, MethodKind, MethodView};
pub use notice::Notice;
pub use paying::{PayWay, Paying, PayingView, pay_failure};
pub use query_form::QueryForm;
pub use quoted::{Quoted, QuotedView, Renewed};
pub use standing::{Fact, Facts, Pill, PillView, Price, Tone};
