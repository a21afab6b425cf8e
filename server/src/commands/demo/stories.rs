//! The demo's cast: who buys, and what happened to them.

use billing::customer::TaxExempt;
use billing::settings::AfterLastAttempt;
use billing::subscription::Feedback;

/// What a demo customer is like.
pub struct Story<'a> {
    /// Also its `external_id`, as `demo_…`; empty where it is one of many.
    pub state: &'static str,
    pub name: &'a str,
    pub email: &'a str,
    pub locale: &'static str,
    pub place: Place,
    /// How it is taxed where not like everybody, and the type and value of its tax ID.
    pub tax: Option<(TaxExempt, &'static str, &'static str)>,
    /// What happened, in order, and how many hours ago.
    pub acts: &'a [(i64, Act)],
}

#[derive(Clone, Copy)]
pub struct Place {
    pub line1: &'static str,
    pub city: &'static str,
    pub postal_code: &'static str,
    /// Empty where addresses have none.
    pub state: &'static str,
    pub country: &'static str,
}

/// What happens to a customer, or to the subscription that it began last.
#[derive(Clone, Copy)]
pub enum Act {
    /// A test method is attached, and is the default from then on.
    PayWith(&'static str),
    Subscribe(Terms),
    /// To another price or quantity at once; the difference is charged.
    Change(&'static str, i64),
    /// The same when the period ends.
    Schedule(&'static str, i64),
    CancelAtPeriodEnd(Feedback),
    CancelNow(Feedback),
    /// For so many days.
    Pause(i64),
    /// The latest invoice is paid past any gateway.
    Transfer,
    /// The merchant gives so many minor units, and says why.
    Credit(i64, &'static str),
    /// The merchant decides what follows the last attempt to collect.
    AfterLastAttempt(AfterLastAttempt),
}

#[derive(Clone, Copy)]
pub struct Terms {
    /// Lookup keys of prices, and how many of each.
    pub items: &'static [(&'static str, i64)],
    pub trial_days: i64,
    pub promotion_code: Option<&'static str>,
    /// For one whose invoices are sent: after how many days they are due.
    pub days_until_due: Option<i64>,
    /// By the rates of where the customer is.
    pub is_taxed: bool,
}

const fn days(days: i64) -> i64 {
    days * 24
}

pub const fn plain(items: &'static [(&'static str, i64)]) -> Terms {
    Terms { items, trial_days: 0, promotion_code: None, days_until_due: None, is_taxed: false }
}

const fn taxed(items: &'static [(&'static str, i64)]) -> Terms {
    Terms { is_taxed: true, ..plain(items) }
}

pub const fn place(
    line1: &'static str,
    (city, postal_code): (&'static str, &'static str),
    (state, country): (&'static str, &'static str),
) -> Place {
    Place { line1, city, postal_code, state, country }
}

const VISA: Act = Act::PayWith("pm_card_visa");
const DECLINED: Act = Act::PayWith("pm_card_chargeDeclinedInsufficientFunds");

pub const STORIES: &[Story<'static>] = &[
    Story {
        state: "active",
        name: "Maya Lindqvist",
        email: "maya@lindqvist.example",
        locale: "en",
        place: place("1420 SE Division St", ("Portland", "97202"), ("OR", "US")),
        tax: None,
        acts: &[
            (days(738), VISA),
            (days(738), Act::Subscribe(plain(&[("team_monthly", 2)]))),
            (days(400), Act::Change("team_monthly", 5)),
        ],
    },
    Story {
        state: "trialing",
        name: "Tomas Bauer",
        email: "tomas@bauer.example",
        locale: "de",
        place: place("Karl-Heine-Straße 40", ("Leipzig", "04229"), ("", "DE")),
        tax: None,
        acts: &[(days(5), Act::Subscribe(Terms { trial_days: 14, ..taxed(&[("studio_monthly_eur", 1)]) }))],
    },
    Story {
        state: "scheduled_to_cancel",
        name: "Leila Haddad",
        email: "leila@haddad.example",
        locale: "ar",
        place: place("Al Wasl Road 212", ("Dubai", "00000"), ("", "AE")),
        tax: None,
        acts: &[
            (days(260), VISA),
            (days(260), Act::Subscribe(plain(&[("starter_monthly", 1)]))),
            (days(2), Act::CancelAtPeriodEnd(Feedback::Unused)),
        ],
    },
    Story {
        state: "scheduled_to_change",
        name: "Giulia Ferri",
        email: "giulia@studioferri.example",
        locale: "it",
        place: place("Via San Felice 26", ("Bologna", "40122"), ("BO", "IT")),
        tax: None,
        acts: &[
            (days(655), Act::PayWith("pm_card_mastercard")),
            (days(655), Act::Subscribe(taxed(&[("studio_monthly_eur", 1)]))),
            (days(3), Act::Schedule("team_monthly_eur", 2)),
        ],
    },
    Story {
        state: "past_due",
        name: "Owen Price",
        email: "owen@price.example",
        locale: "en-GB",
        place: place("18 Call Lane", ("Leeds", "LS1 6DN"), ("", "GB")),
        tax: None,
        acts: &[(days(369), VISA), (days(369), Act::Subscribe(plain(&[("studio_monthly", 1)]))), (days(20), DECLINED)],
    },
    Story {
        state: "unpaid",
        name: "Hollis & Crane Interiors",
        email: "billing@holliscrane.example",
        locale: "en",
        place: place("77 Congress St", ("Savannah", "31401"), ("GA", "US")),
        tax: None,
        acts: &[
            (days(400), VISA),
            (days(400), Act::Subscribe(plain(&[("studio_monthly", 1)]))),
            (days(50), DECLINED),
            (days(49), Act::AfterLastAttempt(AfterLastAttempt::Unpaid)),
            (days(10), Act::AfterLastAttempt(AfterLastAttempt::Cancel)),
        ],
    },
    Story {
        state: "incomplete",
        name: "Priya Nair",
        email: "priya@nairdesigns.example",
        locale: "en-IN",
        place: place("9 Princess Street", ("Kochi", "682001"), ("KL", "IN")),
        tax: None,
        acts: &[
            (2, Act::PayWith("pm_card_authenticationRequired")),
            (2, Act::Subscribe(plain(&[("studio_monthly", 1)]))),
        ],
    },
    Story {
        state: "incomplete_expired",
        name: "Lucas Whitfield",
        email: "lucas@whitfield.example",
        locale: "en-AU",
        place: place("31 Brunswick St", ("Melbourne", "3065"), ("VIC", "AU")),
        tax: None,
        acts: &[
            (days(9), Act::PayWith("pm_card_chargeCustomerFail")),
            (days(9), Act::Subscribe(plain(&[("team_monthly", 3)]))),
        ],
    },
    Story {
        state: "paused",
        name: "Camille Laurent",
        email: "camille@atelierlaurent.example",
        locale: "fr",
        place: place("12 rue Mercière", ("Lyon", "69002"), ("", "FR")),
        tax: None,
        acts: &[
            (days(500), VISA),
            (days(500), Act::Subscribe(taxed(&[("team_monthly_eur", 3)]))),
            (days(20), Act::Pause(90)),
        ],
    },
    Story {
        state: "canceled",
        name: "Ines Costa",
        email: "ines@costa.example",
        locale: "pt",
        place: place("Rua das Flores 118", ("Porto", "4050-263"), ("", "PT")),
        tax: None,
        acts: &[
            (days(515), VISA),
            (days(515), Act::Subscribe(plain(&[("starter_monthly", 1)]))),
            (days(35), Act::CancelNow(Feedback::SwitchedService)),
        ],
    },
    Story {
        state: "no_subscription",
        name: "Noor Jansen",
        email: "noor@jansen.example",
        locale: "nl",
        place: place("Oudegracht 158", ("Utrecht", "3511 AZ"), ("", "NL")),
        tax: None,
        acts: &[],
    },
    Story {
        state: "yearly",
        name: "Arthur & Daughters",
        email: "accounts@arthur.example",
        locale: "en",
        place: place("204 N 8th St", ("Boise", "83702"), ("ID", "US")),
        tax: None,
        acts: &[
            (days(738), Act::PayWith("pm_card_amex")),
            (days(738), Act::Subscribe(plain(&[("team_yearly", 12)]))),
            (days(200), Act::Change("team_yearly", 15)),
        ],
    },
    Story {
        state: "several_subscriptions",
        name: "Blue Heron Architects",
        email: "office@blueheron.example",
        locale: "en-CA",
        place: place("1661 Hollis St", ("Halifax", "B3J 1V7"), ("NS", "CA")),
        tax: None,
        acts: &[
            (days(700), VISA),
            (days(700), Act::Subscribe(plain(&[("team_yearly", 8)]))),
            (days(310), Act::Subscribe(plain(&[("archive_monthly", 12)]))),
        ],
    },
    Story {
        state: "tiered",
        name: "Kestrel Film Archive",
        email: "finance@kestrelfilm.example",
        locale: "en",
        place: place("55 Water St", ("Brooklyn", "11201"), ("NY", "US")),
        tax: None,
        acts: &[
            (days(430), Act::PayWith("pm_usBankAccount")),
            (days(430), Act::Subscribe(plain(&[("studio_monthly", 1), ("archive_monthly", 64)]))),
        ],
    },
    Story {
        state: "discounted",
        name: "Sofia Marques",
        email: "sofia@marques.example",
        locale: "pt-BR",
        place: place("Rua Augusta 1508", ("São Paulo", "01304-001"), ("SP", "BR")),
        tax: None,
        acts: &[
            (days(290), Act::PayWith("pm_card_mastercard")),
            (days(290), Act::Subscribe(Terms { promotion_code: Some("WELCOME20"), ..plain(&[("studio_monthly", 1)]) })),
            (days(45), Act::Credit(-1500, "For the outage of the file server")),
        ],
    },
    Story {
        state: "tax_exempt",
        name: "Open Harbor Foundation",
        email: "treasurer@openharbor.example",
        locale: "en",
        place: place("601 E Pratt St", ("Baltimore", "21202"), ("MD", "US")),
        tax: Some((TaxExempt::Exempt, "us_ein", "52-1840366")),
        acts: &[(days(560), VISA), (days(560), Act::Subscribe(taxed(&[("team_monthly", 10)])))],
    },
    Story {
        state: "reverse_charge",
        name: "Van Dijk Ontwerp B.V.",
        email: "administratie@vandijkontwerp.example",
        locale: "nl",
        place: place("Witte de Withstraat 63", ("Rotterdam", "3012 BN"), ("", "NL")),
        tax: Some((TaxExempt::Reverse, "eu_vat", "NL854321098B01")),
        acts: &[
            (days(600), Act::PayWith("pm_sepaDebit")),
            (days(600), Act::Subscribe(taxed(&[("studio_monthly_eur", 1)]))),
        ],
    },
    Story {
        state: "taxed",
        name: "Friederike Vogt",
        email: "vogt@vogtundpartner.example",
        locale: "de",
        place: place("Salzstraße 22", ("Freiburg im Breisgau", "79098"), ("", "DE")),
        tax: None,
        acts: &[
            (days(738), Act::PayWith("pm_sepaDebit")),
            (days(738), Act::Subscribe(taxed(&[("team_monthly_eur", 4)]))),
        ],
    },
    Story {
        state: "yen",
        name: "あおぞらデザイン株式会社",
        email: "keiri@aozora-design.example",
        locale: "ja",
        place: place("中央区北浜2-1-5", ("大阪市", "541-0041"), ("大阪府", "JP")),
        tax: None,
        acts: &[
            (days(480), Act::PayWith("pm_card_jcb")),
            (days(480), Act::Subscribe(taxed(&[("studio_monthly_jpy", 1)]))),
        ],
    },
    Story {
        state: "invoiced",
        name: "Meridian School District",
        email: "ap@meridianschools.example",
        locale: "en",
        place: place("1303 E Central Dr", ("Meridian", "83642"), ("ID", "US")),
        tax: None,
        acts: &[
            (days(386), Act::Subscribe(Terms { days_until_due: Some(30), ..plain(&[("team_yearly", 25)]) })),
            (days(361), Act::Transfer),
        ],
    },
    Story {
        state: "mobile_money",
        name: "Wanjiru Kamau",
        email: "wanjiru@kamaucrafts.example",
        locale: "en-KE",
        place: place("Ngong Road 84", ("Nairobi", "00505"), ("", "KE")),
        tax: None,
        acts: &[
            (days(200), Act::PayWith("pm_mobileMoney")),
            (days(200), Act::Subscribe(plain(&[("starter_monthly", 1)]))),
        ],
    },
];
