//! What can go wrong for a reader, in a form that may be shown: no detail of ours travels to the browser.

use std::fmt;

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::{Bytes, Encodes};
use serde::{Deserialize, Serialize};

use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Error {
    /// There is no living session.
    SignedOut,
    /// The form was drawn in another session than the browser has now.
    Stale,
    /// The portal does not offer this, or the session only looks.
    Forbidden,
    NotFound,
    /// A field does not hold what it must.
    Invalid(Problem),
    /// The state does not allow it any more.
    Conflict,
    /// Something is charged to the only payment method there is.
    MethodNeeded,
    /// An earlier request is still running.
    Busy,
    /// Nothing can be changed right now, or nobody answers.
    Unavailable,
    /// A defect of ours.
    Broken,
}

/// What is wrong with an entry. No free text: without JavaScript an error comes back in the address, where anybody could
/// write one, and a page of ours must not say what a stranger wants it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Problem {
    /// The reason given is none of those offered.
    NotOffered,
    TooLong,
    /// A tax ID that is not written as its type is.
    TaxId,
    /// Something that must be filled in is empty.
    Required,
    /// A line is too long, or holds what cannot be written.
    Unwritable,
    /// A promotion code that cannot be used.
    Code,
    /// More or fewer than may be had, or no number.
    Quantity,
    Other,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The HTTP status that says the same.
    pub fn status(&self) -> u16 {
        match self {
            Self::SignedOut => 401,
            Self::Stale | Self::Conflict | Self::MethodNeeded | Self::Busy => 409,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Invalid(_) => 400,
            Self::Unavailable => 503,
            Self::Broken => 500,
        }
    }

    /// Gives the answer that is being made this error's status; in the browser there is none.
    pub fn announce(&self) {
        #[cfg(feature = "ssr")]
        crate::session::answer_with(self.status());
    }

    /// What happened, for a heading.
    pub fn title(&self) -> String {
        match self {
            Self::SignedOut => t!(error.signed_out.title),
            Self::Stale => t!(error.stale.title),
            Self::Forbidden => t!(error.forbidden.title),
            Self::NotFound => t!(missing.title),
            Self::Invalid(_) => t!(error.invalid.title),
            Self::Conflict => t!(error.conflict.title),
            Self::MethodNeeded => t!(error.method_needed.title),
            Self::Busy => t!(error.busy.title),
            Self::Unavailable => t!(error.unavailable.title),
            Self::Broken => t!(error.broken.title),
        }
    }

    /// Whether anything was changed, and what to do.
    pub fn text(&self) -> String {
        match self {
            Self::SignedOut => t!(error.signed_out.text),
            Self::Stale => t!(error.stale.text),
            Self::Forbidden => t!(error.forbidden.text),
            Self::NotFound => t!(missing.text),
            Self::Invalid(Problem::NotOffered) => t!(error.invalid.not_offered),
            Self::Invalid(Problem::TooLong) => t!(error.invalid.too_long),
            Self::Invalid(Problem::TaxId) => t!(error.invalid.tax_id),
            Self::Invalid(Problem::Required) => t!(error.invalid.required),
            Self::Invalid(Problem::Unwritable) => t!(error.invalid.unwritable),
            Self::Invalid(Problem::Code) => t!(error.invalid.code),
            Self::Invalid(Problem::Quantity) => t!(error.invalid.quantity),
            Self::Invalid(Problem::Other) => t!(error.invalid.text),
            Self::Conflict => t!(error.conflict.text),
            Self::MethodNeeded => t!(error.method_needed.text),
            Self::Busy => t!(error.busy.text),
            Self::Unavailable => t!(error.unavailable.text),
            Self::Broken => t!(error.broken.text),
        }
    }

    /// Whether asking again may help.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable | Self::Broken)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Error {}

impl FromServerFnError for Error {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(value: ServerFnErrorErr) -> Self {
        match value {
            ServerFnErrorErr::Request(_) => Self::Unavailable,
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::Conflict
            }
            _ => Self::Broken,
        }
    }

    /// Written on the server only: the one place where an answer to the browser gets its error's status.
    fn ser(&self) -> Bytes {
        self.announce();
        JsonEncoding::encode(self).unwrap_or_else(|_| Bytes::from_static(b"\"Broken\""))
    }
}
