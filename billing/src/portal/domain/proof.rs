//! What the DNS must say of a name, and what is missing where it does not.

use super::Domain;
use crate::error::{Error, Result};
use crate::text_enum::text_enum;

text_enum!(
    /// Why a name is not served. `Taken` is proven, but served for somebody else, or given up by another merchant not
    /// long ago; `Unanswered` is that no name server has said anything.
    Problem {
        CnameMissing = "cname_missing",
        CnameElsewhere = "cname_elsewhere",
        TxtMissing = "txt_missing",
        Taken = "taken",
        Unanswered = "dns_unanswered",
    }
);

/// What the DNS said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Where the name's CNAME leads, and what its TXT record's texts are.
    Records { cnames: Vec<String>, texts: Vec<String> },
    /// No answer, or one that says nothing: try again.
    Nothing,
}

impl Found {
    pub(super) fn prove(&self, domain: &Domain) -> std::result::Result<(), Problem> {
        let Self::Records { cnames, texts } = self else { return Err(Problem::Unanswered) };
        let leads_here = |name: &String| name.trim_end_matches('.').eq_ignore_ascii_case(&domain.target);
        if cnames.is_empty() {
            return Err(Problem::CnameMissing);
        }
        if !cnames.iter().any(leads_here) {
            return Err(Problem::CnameElsewhere);
        }
        if texts.iter().any(|text| text.trim() == domain.token) { Ok(()) } else { Err(Problem::TxtMissing) }
    }
}

impl Domain {
    /// The name that its TXT record stands under. Nobody who looks a customer's domain up is told what runs it.
    pub fn txt_name(&self) -> String {
        format!("_portal-verification.{}", self.domain_name)
    }
}

/// A host name that may be claimed, as it is kept: lower case, in ASCII.
pub(super) fn name(text: &str) -> Result<String> {
    let refuse = |message: &str| Err(Error::invalid("domain_name", message));
    let Ok(url::Host::Domain(name)) = url::Host::parse(text) else {
        return refuse("Invalid domain name: give a host name like billing.example.com, without a scheme or port.");
    };
    let is_label = |label: &str| {
        let plain = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        plain && !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    // Room is left for the TXT record's name.
    // A name that is decoded first is not the one that was written.
    if text.contains('%') || name.len() > 230 || !name.contains('.') || !name.split('.').all(is_label) {
        return refuse("Invalid domain name: give a whole host name like billing.example.com.");
    }
    if name.ends_with(".localhost") || name.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return refuse("Invalid domain name: it must be one that the DNS knows.");
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_host_names() {
        let of = |text: &str| name(text).ok();
        assert_eq!(of("Billing.Example.COM").as_deref(), Some("billing.example.com"));
        assert_eq!(of("münchen.example").as_deref(), Some("xn--mnchen-3ya.example"));
        let long = format!("{}.example", "a".repeat(64));
        for bad in [
            "",
            "example",
            "billing.example.com.",
            "billing.example.com:443",
            "https://billing.example.com",
            "10.0.0.1",
            "[::1]",
            "0x7f.1",
            "*.example.com",
            "_x.example.com",
            "a..example",
            "-a.example",
            "a b.example",
            "a.localhost",
            "user@a.example",
            "a.example/x",
            &long,
            "a.example\r\nHost: b",
            "a%2eexample",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
