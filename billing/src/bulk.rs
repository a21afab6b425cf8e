//! Customers in bulk, for load tests: one that the operations made is read as a pattern, row by row, and written again
//! for many others, each with ids, a name and an hour of its own. So the rows are what operations write, whatever
//! columns there are. Of what happened the audit log keeps that customer, method and subscription came to be and that each
//! invoice was paid; old events are not written, nor links that no longer open anything.

mod pattern;
mod write;

pub use pattern::Pattern;
pub use write::{Newcomer, Writer};

/// Who has written the audit entries of what came in bulk, as the log shows it.
pub const ACTOR: &str = "import";

/// One cell of a row, of the three types that tables have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Int(Option<i64>),
    Bool(Option<bool>),
    Text(Option<String>),
}
