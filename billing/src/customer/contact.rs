//! How a customer is reached: postal addresses and mail, and what they must hold.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::patch::check_text;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Address {
    pub city: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    pub line1: Option<String>,
    pub line2: Option<String>,
    pub postal_code: Option<String>,
    pub state: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Shipping {
    pub address: Address,
    pub name: String,
    pub phone: Option<String>,
}

/// An address that mail can be sent to: one `@`, a dotted or local host, nothing that could end a header.
pub fn check_email(email: &str, param: &str) -> Result<()> {
    let invalid = || Error::Invalid {
        param: param.into(),
        code: "email_invalid",
        message: format!("Invalid email address: {email}"),
    };
    let (local, host) = email.split_once('@').ok_or_else(invalid)?;
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"@,;:<>()[]\\\"".contains(c);
    let fine = !local.is_empty()
        && !host.is_empty()
        && email.len() <= 512
        && local.chars().all(plain)
        && host.chars().all(plain);
    if fine && !host.starts_with('.') && !host.ends_with('.') { Ok(()) } else { Err(invalid()) }
}

pub(super) fn check_address(address: &Address, param: &str) -> Result<()> {
    if let Some(country) = address.country.as_deref()
        && !(country.len() == 2 && country.chars().all(|c| c.is_ascii_uppercase()))
    {
        return Err(Error::invalid(
            format!("{param}[country]"),
            "Country is a two-letter ISO 3166-1 code in upper case.",
        ));
    }
    let lines = [&address.city, &address.line1, &address.line2, &address.postal_code, &address.state];
    lines.iter().try_for_each(|line| check_text(line.as_deref().unwrap_or_default(), 500, param))
}
