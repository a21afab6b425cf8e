//! How often something may be done, counted in the database, so that all processes count together.

use std::str::FromStr;

use crate::clock::Millis;
use crate::error::Result;
use crate::id;
use crate::store::{Tx, one, run};

/// So many in so many seconds. With a pause, who asks for more waits that long; else until the time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub most: i64,
    pub seconds: i64,
    pub pause: Option<i64>,
}

impl FromStr for Limit {
    type Err = String;

    /// `3/900`, and with a pause `12/3600/900`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: a limit is COUNT/SECONDS or COUNT/SECONDS/PAUSE, of whole numbers above 0");
        let numbers: Result<Vec<i64>, _> = text.split('/').map(str::parse).collect();
        let numbers = numbers.map_err(|_| wrong())?;
        if numbers.iter().any(|number| !(1..=1_000_000_000).contains(number)) {
            return Err(wrong());
        }
        match numbers[..] {
            [most, seconds] => Ok(Self { most, seconds, pause: None }),
            [most, seconds, pause] => Ok(Self { most, seconds, pause: Some(pause) }),
            _ => Err(wrong()),
        }
    }
}

/// Counts one more of `what` by `whom`. Answers the seconds to wait where that was too many for one of the limits. Whom it
/// counts is kept as a hash.
pub async fn count(tx: &mut Tx, what: &str, whom: &str, limits: &[Limit]) -> Result<Option<i64>> {
    let mut wait = None;
    for limit in limits {
        let key = id::hash(&format!("{what}|{}|{whom}", limit.seconds));
        let (count, until): (i64, Millis) = one!(
            tx,
            "insert into limit_count (key, count, until_ms) values ($1, 1, $2 + $3)
             on conflict (key) do update set
               count = case when limit_count.until_ms <= $2 then 1 else limit_count.count + 1 end,
               until_ms = case when limit_count.until_ms <= $2 then $2 + $3
                               when limit_count.count = $4 and $5 > 0 then $2 + $5
                               else limit_count.until_ms end
             returning count, until_ms",
            key,
            tx.now,
            limit.seconds * 1000,
            limit.most,
            limit.pause.unwrap_or_default() * 1000
        )?;
        if count > limit.most {
            let seconds = (until.0 - tx.now.0 + 999) / 1000;
            wait = wait.max(Some(seconds));
        }
    }
    Ok(wait)
}

/// Forgets what is over.
pub async fn prune(tx: &mut Tx) -> Result<u64> {
    run!(tx, "delete from limit_count where until_ms <= $1", tx.now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_written_with_strokes() {
        assert_eq!("3/900".parse(), Ok(Limit { most: 3, seconds: 900, pause: None }));
        assert_eq!("12/3600/900".parse(), Ok(Limit { most: 12, seconds: 3600, pause: Some(900) }));
        for wrong in ["", "3", "0/9", "3/0", "3/9/0", "a/9", "1/2/3/4", "-1/5"] {
            assert!(wrong.parse::<Limit>().is_err(), "{wrong}");
        }
    }
}
