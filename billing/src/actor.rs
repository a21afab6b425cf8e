//! Who asks. A query needs an `Actor` to be asked at all, so that nothing can be read without a tenant.

use serde::{Deserialize, Serialize};

/// A merchant in one mode: the first column of every key. Test and live never meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The column value.
    pub key: i64,
    /// `acct_…`
    pub merchant: String,
    pub livemode: bool,
}

/// Whoever makes a call, with what the audit log needs to know about it.
#[derive(Debug, Clone)]
pub struct Actor {
    pub tenant: Tenant,
    pub origin: Origin,
    pub trace: Trace,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The merchant's backend, by the id of its key.
    Api { key: String },
    /// A customer in the portal: sees and touches that customer's objects only.
    Portal { session: String, customer: String, read_only: bool },
    /// The program itself: a worker, or an operator at the command line.
    System { name: &'static str },
}

/// Where a request came from, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    pub request: Option<String>,
    pub idempotency_key: Option<String>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

impl Actor {
    pub fn system(tenant: Tenant, name: &'static str) -> Self {
        Self { tenant, origin: Origin::System { name }, trace: Trace::default() }
    }

    /// The one customer whose objects this caller may reach; `None` reaches all of the tenant's.
    pub fn customer(&self) -> Option<&str> {
        match &self.origin {
            Origin::Portal { customer, .. } => Some(customer),
            Origin::Api { .. } | Origin::System { .. } => None,
        }
    }

    pub fn session(&self) -> Option<&str> {
        match &self.origin {
            Origin::Portal { session, .. } => Some(session),
            Origin::Api { .. } | Origin::System { .. } => None,
        }
    }

    pub fn origin_name(&self) -> &'static str {
        match self.origin {
            Origin::Api { .. } => "api",
            Origin::Portal { .. } => "portal",
            Origin::System { .. } => "system",
        }
    }

    /// The key, session or worker by name, as the audit log shows it.
    pub fn name(&self) -> &str {
        match &self.origin {
            Origin::Api { key } => key,
            Origin::Portal { session, .. } => session,
            Origin::System { name } => name,
        }
    }

    pub fn is_read_only(&self) -> bool {
        matches!(self.origin, Origin::Portal { read_only: true, .. })
    }
}
