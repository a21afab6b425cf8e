//! What an update says of a field: leave it, clear it, or set it. `""` on the wire clears.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Patch<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

pub type Metadata = BTreeMap<String, String>;
/// Per key a new value, or `None` to remove it. `Clear` removes all.
pub type MetadataPatch = Patch<BTreeMap<String, Option<String>>>;

impl<T> Patch<T> {
    /// Applies to an optional field.
    pub fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }

    /// Applies to a field that clears to its default.
    pub fn apply_or_default(self, field: &mut T)
    where
        T: Default,
    {
        match self {
            Self::Keep => {}
            Self::Clear => *field = T::default(),
            Self::Set(value) => *field = value,
        }
    }

    /// The value for a new record.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(f(value)),
        }
    }
}

/// Merges metadata: 50 keys of 40 characters, values of 500 (docs.stripe.com/api/metadata).
pub fn merge_metadata(metadata: &mut Metadata, patch: MetadataPatch) -> Result<()> {
    match patch {
        Patch::Keep => return Ok(()),
        Patch::Clear => metadata.clear(),
        Patch::Set(changes) => {
            for (key, value) in changes {
                if key.is_empty() || key.chars().count() > 40 || key.contains(['[', ']']) {
                    return Err(Error::invalid(
                        format!("metadata[{key}]"),
                        "Metadata keys are 1 to 40 characters without square brackets",
                    ));
                }
                match value.filter(|v| !v.is_empty()) {
                    Some(value) if value.chars().count() > 500 => {
                        return Err(Error::invalid(
                            format!("metadata[{key}]"),
                            "Metadata values are up to 500 characters long",
                        ));
                    }
                    Some(value) => _ = metadata.insert(key, value),
                    None => _ = metadata.remove(&key),
                }
            }
        }
    }
    if metadata.len() > 50 {
        return Err(Error::invalid("metadata", "An object has up to 50 metadata keys"));
    }
    Ok(())
}

/// Refuses text that is longer than `most` characters or holds control characters.
pub fn check_text(value: &str, most: usize, param: &str) -> Result<()> {
    if value.chars().count() > most {
        return Err(Error::invalid(param, format!("Invalid string: must be at most {most} characters")));
    }
    if value.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(Error::invalid(param, "Invalid string: control characters are not allowed"));
    }
    Ok(())
}
