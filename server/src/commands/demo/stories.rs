//! The demo's cast: what it sells, who buys, and what happens to them.

use billing::period::Interval;

/// What a demo customer is like.
pub struct Story {
    /// Also its `external_id`, as `demo_…`.
    pub state: &'static str,
    pub name: &'static str,
    pub email: &'static str,
    pub locale: &'static str,
    pub country: &'static str,
    pub city: &'static str,
    /// `None` for a customer who never subscribed.
    pub plan: Option<Plan>,
}

pub struct Plan {
    pub price: &'static str,
    pub quantity: i64,
    /// How long ago it began.
    pub days: i64,
    pub trial_days: i64,
    pub method: Option<&'static str>,
    /// What happened after it began, and how many days ago.
    pub then: &'static [(i64, Then)],
}

#[derive(Clone, Copy)]
pub enum Then {
    CancelAtPeriodEnd,
    CancelNow,
    /// The default card is replaced by one that is declined.
    CardFails,
}

pub const PRICES: &[(&str, &str, u32, Interval)] = &[
    ("starter", "starter_monthly", 900, Interval::Month),
    ("starter", "starter_yearly", 9_000, Interval::Year),
    ("team", "team_monthly", 1_900, Interval::Month),
    ("team", "team_yearly", 19_000, Interval::Year),
    ("studio", "studio_monthly", 4_900, Interval::Month),
];
/// Id, name, description, what is in it.
pub const PRODUCTS: &[(&str, &str, &str, &[&str])] = &[
    ("starter", "Starter", "For one person who is just beginning", &["3 projects", "1 GB of files"]),
    (
        "team",
        "Team",
        "Shared projects, priced by the seat",
        &["Unlimited projects", "100 GB of files", "Roles and comments"],
    ),
    (
        "studio",
        "Studio",
        "Everything, with priority support",
        &["Everything in Team", "1 TB of files", "Priority support"],
    ),
];

const fn plan(price: &'static str, quantity: i64, days: i64, then: &'static [(i64, Then)]) -> Option<Plan> {
    Some(Plan { price, quantity, days, trial_days: 0, method: Some("pm_card_visa"), then })
}

pub const STORIES: &[Story] = &[
    Story {
        state: "active",
        name: "Maya Lindqvist",
        email: "maya@lindqvist.example",
        locale: "en",
        country: "US",
        city: "Portland",
        plan: plan("team_monthly", 5, 130, &[]),
    },
    Story {
        state: "trialing",
        name: "Tomas Bauer",
        email: "tomas@bauer.example",
        locale: "de",
        country: "DE",
        city: "Leipzig",
        plan: Some(Plan { price: "studio_monthly", quantity: 1, days: 5, trial_days: 14, method: None, then: &[] }),
    },
    Story {
        state: "scheduled_to_cancel",
        name: "Leila Haddad",
        email: "leila@haddad.example",
        locale: "ar",
        country: "AE",
        city: "Dubai",
        plan: plan("starter_monthly", 1, 80, &[(2, Then::CancelAtPeriodEnd)]),
    },
    Story {
        state: "past_due",
        name: "Owen Price",
        email: "owen@price.example",
        locale: "en-GB",
        country: "GB",
        city: "Leeds",
        plan: plan("studio_monthly", 1, 65, &[(20, Then::CardFails)]),
    },
    Story {
        state: "canceled",
        name: "Ines Costa",
        email: "ines@costa.example",
        locale: "en",
        country: "PT",
        city: "Porto",
        plan: plan("starter_monthly", 1, 160, &[(35, Then::CancelNow)]),
    },
    Story {
        state: "yearly",
        name: "Arthur & Daughters",
        email: "accounts@arthur.example",
        locale: "en",
        country: "US",
        city: "Boise",
        plan: plan("team_yearly", 12, 400, &[]),
    },
    Story {
        state: "no_subscription",
        name: "Noor Jansen",
        email: "noor@jansen.example",
        locale: "en",
        country: "NL",
        city: "Utrecht",
        plan: None,
    },
];
