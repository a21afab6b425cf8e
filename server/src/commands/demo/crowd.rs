//! `portico demo --customers N`: many who have paid for a year, for load tests. A few are made by running the operations;
//! the rest are written after their pattern.

use std::sync::Arc;

use billing::bulk::{Newcomer, Pattern, Writer};
use billing::gateway::sandbox::Sandbox;
use billing::period::add_months;
use billing::{Actor, Clock, Result, Seconds, directory, transact};

use super::super::{console, detail, open_at, sandbox};
use super::catalogue::Shelf;
use super::stage::Stage;
use super::stories::{Act, Story, place, plain};
use crate::config::Settings;

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;
/// How many are written in one transaction.
const BATCH: usize = 200;
/// Who comes after one pattern begins within so many seconds of it.
const SPREAD: i64 = DAY;
/// At most so many patterns: one for each day of the shortest month on which a period can begin and have been billed.
const MOST_PATTERNS: usize = 26;
/// The first of these days, counted back from today.
const FIRST_DAY: i64 = 2;
/// How many customers there are for one pattern at least.
const FEWEST: usize = 10;

const FIRST_NAMES: &[&str] = &[
    "Ada", "Aisha", "Amara", "Anna", "Antonio", "Arjun", "Astrid", "Bruno", "Carmen", "Chiara", "Daniel", "Diego",
    "Elena", "Emil", "Emma", "Fatima", "Felix", "Freya", "Grace", "Hana", "Henrik", "Ibrahim", "Ingrid", "Isabel",
    "Jakub", "Julia", "Kenji", "Laura", "Leo", "Lucia", "Magnus", "Maria", "Mateo", "Mei", "Nadia", "Noah", "Nora",
    "Oliver", "Omar", "Paula", "Rafael", "Samuel", "Sara", "Sofia", "Thomas", "Tomasz", "Yuki", "Zoe",
];
const LAST_NAMES: &[&str] = &[
    "Abbott", "Almeida", "Andersen", "Baker", "Barros", "Becker", "Bianchi", "Carter", "Castro", "Chen", "Costa",
    "Dahl", "Diallo", "Dubois", "Eriksson", "Evans", "Fischer", "Fontana", "Garcia", "Greco", "Hansen", "Hoffmann",
    "Ito", "Jansen", "Johnson", "Kaya", "Keller", "Khan", "Kowalski", "Larsen", "Lopez", "Martin", "Meyer", "Moreau",
    "Murphy", "Nakamura", "Nguyen", "Novak", "Okafor", "Okoye", "Patel", "Petrov", "Ramos", "Rossi", "Sato", "Schmidt",
    "Silva", "Singh", "Sorensen", "Suzuki", "Taylor", "Tanaka", "Vargas", "Vogel", "Walker", "Weber", "Wilson",
    "Yilmaz", "Zhang",
];
const HOSTS: &[&str] = &["atelier.example", "studio.example", "mail.example", "office.example", "post.example"];

/// Locale and country.
const HOMES: &[(&str, &str)] =
    &[("en", "US"), ("en-GB", "GB"), ("de", "DE"), ("fr", "FR"), ("es", "ES"), ("en-CA", "CA"), ("pt-BR", "BR")];
const PLANS: &[(&str, i64)] =
    &[("starter_monthly", 1), ("team_monthly", 3), ("studio_monthly", 1), ("team_monthly", 8), ("archive_monthly", 25)];
const CARDS: &[&str] = &["pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_card_visa_debit"];

/// Adds generated customers to the demo's merchant. Each has a subscription and twelve paid invoices; the next is due
/// within a month, or `due` now.
pub async fn gather(settings: &Settings, merchant: &str, many: usize, due: bool) -> std::result::Result<(), String> {
    if settings.sandbox_url.is_some() {
        return Err("customers come with charges of long ago, which only the built-in test processor takes over; \
                    leave PORTICO_SANDBOX_URL out"
            .into());
    }
    let now = Clock::system().wall().seconds();
    let db = open_at(settings, Clock::manual(now.into())).await?;
    let sandbox = Arc::new(sandbox::open(settings).await?);
    let crowd = Crowd { sandbox, now, due };
    let gathered = async {
        let mut tx = db.read().await?;
        let who = console(directory::tenant(&mut tx, merchant, false).await?);
        let shelf = Shelf::read(&mut tx, &who).await?;
        drop(tx);
        let stage = Stage { db, gateway: crowd.sandbox.clone(), who, shelf, now: crowd.end() };
        crowd.gather(&stage, many).await
    };
    gathered.await.map_err(|e: billing::Error| format!("the customers could not be added: {}", detail(&e)))
}

struct Crowd {
    sandbox: Arc<Sandbox>,
    now: Seconds,
    due: bool,
}

impl Crowd {
    /// When the patterns' stories end.
    fn end(&self) -> Seconds {
        if self.due { self.now.plus(-3 * HOUR) } else { Seconds(self.now.0.div_euclid(DAY) * DAY) }
    }

    /// When a pattern's year began: twelve invoices before the end, at midnight, so that whoever comes within a day
    /// after it begins on the same day of the month; or so that the thirteenth is due two hours ago.
    fn begin(&self, pattern: usize) -> Result<Seconds> {
        if self.due {
            return add_months(self.now.plus(-2 * HOUR), -12);
        }
        let day = FIRST_DAY + i64::try_from(pattern).unwrap_or_default();
        add_months(self.end().plus(-day * DAY), -11)
    }

    /// How far apart those may begin who come after one pattern.
    fn spread(&self, begin: Seconds) -> i64 {
        // Due now is due within the hour, and on the same day.
        if self.due { (DAY - begin.0.rem_euclid(DAY)).min(HOUR) } else { SPREAD }
    }

    async fn gather(&self, stage: &Stage, many: usize) -> Result<()> {
        let patterns = (many / FEWEST).clamp(1, MOST_PATTERNS).min(many);
        let mut come = 0;
        // Those who came first are written first, so that rows follow each other in the database.
        for n in (0..patterns).rev() {
            let begin = self.begin(n)?;
            let first = self.first(stage, n, begin, come).await?;
            let pattern = Pattern::read(&mut stage.db.read().await?, &stage.who, &first).await?;
            let others = (many - come) / (n + 1) - 1;
            let each = |k: usize| {
                let (k, all) =
                    (i64::try_from(k + 1).unwrap_or_default(), i64::try_from(others + 1).unwrap_or(i64::MAX));
                self.spread(begin) * k / all
            };
            let newcomers: Vec<Newcomer> = (0..others).map(|k| newcomer(come + 1 + k, each(k))).collect();
            self.write(stage, &pattern, &newcomers).await?;
            come += 1 + others;
        }
        Ok(())
    }

    /// One whose year the operations make.
    async fn first(&self, stage: &Stage, n: usize, begin: Seconds, come: usize) -> Result<String> {
        let Newcomer { name, email, .. } = newcomer(come, 0);
        let (locale, country) = HOMES[n % HOMES.len()];
        let place = place("", ("", ""), ("", country));
        let ago = (stage.now.0 - begin.0) / HOUR;
        let acts =
            [(ago, Act::PayWith(CARDS[n % CARDS.len()])), (ago, Act::Subscribe(plain(&PLANS[n % PLANS.len()..][..1])))];
        let story = Story { state: "", name: &name, email: &email, locale, place, tax: None, acts: &acts };
        stage.tell(&story).await
    }

    async fn write(&self, stage: &Stage, pattern: &Pattern, newcomers: &[Newcomer]) -> Result<()> {
        let who: &Actor = &stage.who;
        let mut writer = Writer::begin(&mut stage.db.read().await?, who).await?;
        for some in newcomers.chunks(BATCH) {
            let charges = transact!(stage.db, |tx| writer.write(tx, who, pattern, some).await)?;
            self.sandbox.remember(&charges).await?;
        }
        Ok(())
    }
}

/// The n-th, with a name that others may have too and an address of their own.
fn newcomer(n: usize, later: i64) -> Newcomer {
    let (first, last) = (FIRST_NAMES[n % FIRST_NAMES.len()], LAST_NAMES[n * 7 % LAST_NAMES.len()]);
    let email = format!("{first}.{last}.{n}@{}", HOSTS[n % HOSTS.len()]).to_lowercase();
    Newcomer { name: format!("{first} {last}"), email, later }
}
