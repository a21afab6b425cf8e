//! What was last billed for the items of a subscription: what a change gives back of, and how it is written down.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::actor::Actor;
use crate::catalog::tax_rate::{self, Named};
use crate::clock::Seconds;
use crate::error::Result;
use crate::proration::Span;
use crate::store::{Json, Tx, all};
use crate::subscription::Subscription;
use crate::subscription::change::Debited;

/// One debit that stands: nothing has given it back or taken its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standing {
    pub item: String,
    pub debited: Debited,
    pub source: Source,
    /// Of a debit that still waits: the rates it will bear.
    pub tax_rates: Vec<Named>,
    /// Of one on an invoice: what it bears.
    pub taxes: Option<Value>,
    pub is_paid: bool,
}

/// Where a debit stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    Item(String),
    Line {
        invoice: String,
        line: String,
        /// The item it waited as: by this it is known to what gave it back before it was invoiced.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<String>,
    },
}

/// What a line says of the debits behind it, beside its amount.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Details {
    /// The debit that this line gives back, or whose place it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles: Option<Source>,
    /// What a later change gives back of, where that is not the line's amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debited: Option<i64>,
}

impl Source {
    fn is(&self, other: &Self) -> bool {
        let waited = |source: &Self| match source {
            Self::Item(id) => Some(id.clone()),
            Self::Line { item, .. } => item.clone(),
        };
        self == other || waited(self).is_some_and(|id| waited(other) == Some(id))
    }
}

impl Details {
    pub(crate) fn read(value: Option<&Value>) -> Self {
        value.and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or_default()
    }

    pub(crate) fn value(&self) -> Option<Value> {
        (*self != Self::default()).then(|| json!(self))
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    invoice: Option<String>,
    invoice_item: Option<String>,
    subscription_item: String,
    amount: i64,
    period_start: Seconds,
    period_end: Seconds,
    tax_rates: Option<Json<Vec<Named>>>,
    taxes: Option<Json<Value>>,
    details: Option<Json<Value>>,
    is_paid: bool,
}

impl Row {
    fn source(&self) -> Source {
        match &self.invoice {
            Some(invoice) => {
                Source::Line { invoice: invoice.clone(), line: self.id.clone(), item: self.invoice_item.clone() }
            }
            None => Source::Item(self.id.clone()),
        }
    }
}

/// The debits of the current period that reach beyond an instant and that nothing has given back, one an item at most.
/// A new period leaves behind what was kept of the one before it.
pub(crate) async fn standing(tx: &mut Tx, who: &Actor, of: &Subscription, at: Seconds) -> Result<Vec<Standing>> {
    let mut rows = invoiced(tx, who, &of.id, at).await?;
    rows.extend(waiting(tx, who, &of.id, at).await?);
    rows.retain(|row| row.period_start >= of.current_period_start);
    let settled: Vec<Source> = rows.iter().filter_map(|row| Details::read(row.details.as_deref()).settles).collect();
    let mut standing: Vec<Standing> = Vec::new();
    for row in rows {
        let source = row.source();
        let amount = Details::read(row.details.as_deref()).debited.unwrap_or(row.amount);
        if amount <= 0 || settled.iter().any(|other| other.is(&source)) {
            continue;
        }
        let mut tax_rates = row.tax_rates.map(|rates| rates.0).unwrap_or_default();
        tax_rate::load(tx, who, &mut tax_rates).await?;
        let over = Span::new(row.period_start, row.period_end)?;
        standing.push(Standing {
            item: row.subscription_item,
            debited: Debited { amount, over },
            source,
            tax_rates,
            taxes: row.taxes.map(|taxes| taxes.0),
            is_paid: row.is_paid,
        });
    }
    Ok(standing)
}

/// Lines of invoices, less their discounts and what credit notes have given back of them.
async fn invoiced(tx: &mut Tx, who: &Actor, subscription: &str, at: Seconds) -> Result<Vec<Row>> {
    all!(
        tx,
        "select l.id, l.invoice, l.invoice_item, l.subscription_item,
                l.amount - l.discount - cast(coalesce((
                    select sum(n.amount - n.discount) from credit_note_line n
                    join credit_note c on c.tenant = n.tenant and c.id = n.credit_note
                    where n.tenant = l.tenant and n.invoice_line = l.id and c.status = 'issued'), 0) as bigint) as amount,
                l.period_start, l.period_end, cast(null as text) as tax_rates, l.taxes, l.details, i.status = 'paid' as is_paid
         from invoice_line l
         join invoice i on i.tenant = l.tenant and i.id = l.invoice
         where l.tenant = $1 and i.subscription = $2 and i.status <> 'void' and l.period_end > $3 and l.period_end > l.period_start
         and l.subscription_item in (select id from subscription_item s where s.tenant = $1 and s.subscription = $2)
         order by l.id",
        who.tenant.key,
        subscription,
        at
    )
}

/// Items that no invoice has taken up yet.
async fn waiting(tx: &mut Tx, who: &Actor, subscription: &str, at: Seconds) -> Result<Vec<Row>> {
    all!(
        tx,
        "select id, invoice, cast(null as text) as invoice_item, subscription_item, amount, period_start, period_end, tax_rates,
                taxes, details, $4 as is_paid
         from invoice_item
         where tenant = $1 and subscription = $2 and invoice is null and deleted_at is null and period_end > $3
         and period_end > period_start and subscription_item is not null
         order by id",
        who.tenant.key,
        subscription,
        at,
        true
    )
}
