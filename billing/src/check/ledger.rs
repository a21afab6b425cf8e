//! The other side of the books: what the test processor's own ledger says was captured and given back.

use std::collections::{BTreeMap, HashSet};

use crate::check::Violation;
use crate::error::Result;
use crate::gateway::sandbox::Sandbox;
use crate::store::{Tx, all};

/// What was captured by key, with what of it was given back; and the keys of which news is still to be told.
#[derive(Default)]
pub(super) struct Side {
    captured: BTreeMap<String, (i64, i64)>,
    untold: HashSet<String>,
}

impl Side {
    pub(super) async fn read(ledger: Option<&Sandbox>) -> Result<Option<Self>> {
        let Some(ledger) = ledger else { return Ok(None) };
        let untold = ledger.untold().await?.into_iter().collect();
        let captured = ledger.captures().await?;
        Ok(Some(Self {
            captured: captured.into_iter().map(|(key, amount, back)| (key, (amount, back))).collect(),
            untold,
        }))
    }

    pub(super) fn len(&self) -> i64 {
        i64::try_from(self.captured.len()).unwrap_or(i64::MAX)
    }
}

/// A charge as the books have it.
#[derive(sqlx::FromRow)]
struct Charge {
    tenant: i64,
    invoice: String,
    number: i64,
    status: String,
    amount: i64,
    /// What the processor has said that it gave back, and what it is still asked for.
    back: i64,
    asked: i64,
}

/// The charges of the test processor, by key.
pub(super) struct Books(BTreeMap<String, Charge>);

impl Books {
    pub(super) async fn read(tx: &mut Tx) -> Result<Self> {
        let charges: Vec<Charge> = all!(
            tx,
            "select a.tenant, a.invoice, a.number, a.status, a.amount, coalesce(r.back, 0) as back, coalesce(r.asked, 0) as asked
             from payment_attempt a left join (
                 select tenant, payment_attempt, cast(sum(case when status = 'succeeded' then amount else 0 end) as bigint) as back,
                        cast(sum(case when status = 'pending' then amount else 0 end) as bigint) as asked
                 from refund group by tenant, payment_attempt) r on r.tenant = a.tenant and r.payment_attempt = a.id
             where a.gateway = 'sandbox'"
        )?;
        let key = |charge: &Charge| format!("{}/{}/{}", charge.tenant, charge.invoice, charge.number);
        Ok(Self(charges.into_iter().map(|charge| (key(&charge), charge)).collect()))
    }

    /// What was captured earlier is in the books; what is in the books was captured by now. What is under way is not
    /// known yet.
    pub(super) fn differences(&self, earlier: &Side, later: &Side) -> Vec<Violation> {
        let mut found = Vec::new();
        let mut say = |key: &str, what: String| found.push(Violation { id: key.to_owned(), what });
        for (key, (amount, back)) in &earlier.captured {
            match self.0.get(key) {
                None => say(key, format!("{amount} was captured, the books do not know of it")),
                Some(charge) if charge.status == "succeeded" => {
                    if *back > charge.back + charge.asked {
                        say(key, format!("{back} was given back, the books say {}", charge.back));
                    }
                }
                Some(charge) if ["processing", "unknown"].contains(&charge.status.as_str()) => {}
                Some(_) if earlier.untold.contains(key) => {}
                Some(charge) => say(key, format!("{amount} was captured, the books say it was {}", charge.status)),
            }
        }
        for (key, charge) in self.0.iter().filter(|(_, charge)| charge.status == "succeeded") {
            match later.captured.get(key) {
                None => say(key, format!("the books say {} was paid, nothing was captured", charge.amount)),
                Some((amount, _)) if *amount != charge.amount => {
                    say(key, format!("the books say {} was paid, {amount} was captured", charge.amount));
                }
                Some((_, back)) if *back < charge.back => {
                    say(key, format!("the books say {} was given back, the processor {back}", charge.back));
                }
                Some(_) => {}
            }
        }
        found
    }
}
