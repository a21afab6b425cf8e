//! The invoice that a change, or time, would make. The change is carried out, looked at and taken back, so that what is
//! shown is what would be charged; nothing of it is written.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer::tax_id::{self, NewTaxId};
use crate::customer::{self, CustomerUpdate};
use crate::cycle::{self, Step};
use crate::error::{Error, Result};
use crate::id;
use crate::invoice::draft::{self, NewInvoice};
use crate::invoice::item::edit::{self, InvoiceItemUpdate, NewInvoiceItem};
use crate::invoice::{self, Invoice, Line, Status, mark_paid};
use crate::money::Currency;
use crate::quote::Change;
use crate::store::Tx;
use crate::store::attempt::Mark;
use crate::subscription::{self, Status as State, status};

/// What an invoice is previewed of.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A change: the invoice that it makes at once, else the next renewal after it.
    Change(Box<Change>),
    /// A subscription as it is: its next renewal.
    Renewal(String),
    /// What waits for a customer.
    Waiting(Box<NewInvoice>),
}

/// What is supposed beside what is so, for the preview alone.
#[derive(Debug, Clone, Default)]
pub struct Supposed {
    /// That it is done at an instant to come, or, of a subscription that is not there yet, that it began at one.
    pub at: Option<Seconds>,
    /// Of the customer; one is supposed to be there where the subject names none (`""`).
    pub customer: Option<CustomerUpdate>,
    /// The customer's, in place of those there are.
    pub tax_ids: Option<Vec<NewTaxId>>,
    /// That these wait for the customer's next invoice, too, each in its currency if one is said.
    pub items: Vec<(Option<Currency>, InvoiceItemUpdate)>,
}

impl Subject {
    /// Whose it is, where no subscription says that.
    fn customer(&mut self) -> Option<&mut String> {
        match self {
            Self::Change(change) => match &mut **change {
                Change::Start(new) => Some(&mut new.customer),
                _ => None,
            },
            Self::Renewal(_) => None,
            Self::Waiting(new) => Some(&mut new.customer),
        }
    }
}

/// How many steps of time are gone to find the next invoice.
const MOST_STEPS: usize = 12;

/// The invoice as a draft without a number. `tx` must be one to write in, and is as it was afterwards.
///
/// `invoice_upcoming_none` where none would be made.
pub async fn invoice(tx: &mut Tx, who: &Actor, subject: Subject, supposed: Supposed) -> Result<Invoice> {
    let mark = tx.mark().await?;
    let made = Box::pin(make(tx, who, subject, supposed)).await;
    tx.go_back(mark).await?;
    made
}

/// The same while all that it refers to is there to be shown, until the caller goes back to the mark.
pub async fn open(tx: &mut Tx, who: &Actor, subject: Subject, supposed: Supposed) -> Result<(Mark, Invoice)> {
    let mark = tx.mark().await?;
    Ok((mark, Box::pin(make(tx, who, subject, supposed)).await?))
}

/// The invoice of a subscription's next renewal, as it would be made now; `None` where it will make none.
pub(crate) async fn renewal(tx: &mut Tx, who: &Actor, id: &str) -> Result<Option<Invoice>> {
    let mark = tx.mark().await?;
    let made = Box::pin(next(tx, who, id, None)).await.map(|made| made.map(|made| as_draft(tx, made)));
    tx.go_back(mark).await?;
    made
}

async fn make(tx: &mut Tx, who: &Actor, mut subject: Subject, supposed: Supposed) -> Result<Invoice> {
    let customer = customer_of(tx, who, &mut subject).await?;
    if let Some(at) = supposed.at {
        start(tx, who, &customer, &mut subject, at).await?;
    }
    suppose(tx, who, &customer, supposed).await?;
    let (made, id) = match subject {
        Subject::Waiting(new) => {
            let draft = draft::create(tx, who, *new).await?;
            return Ok(as_draft(tx, draft));
        }
        Subject::Renewal(id) => (None, id),
        Subject::Change(change) => {
            let outcome = change.carry_out(tx, who).await?;
            // A subscription that is not there yet has no id to be known by.
            let subscription = change.subscription().map(str::to_owned);
            let made = outcome.invoice.map(|invoice| Invoice { subscription, ..invoice });
            (made, outcome.subscription.id)
        }
    };
    let none = || Error::conflict("invoice_upcoming_none", format!("No upcoming invoices for subscription: {id}"));
    let made = match made {
        Some(made) => made,
        None => next(tx, who, &id, None).await?.ok_or_else(none)?,
    };
    Ok(as_draft(tx, made))
}

async fn customer_of(tx: &mut Tx, who: &Actor, subject: &mut Subject) -> Result<String> {
    if let Some(customer) = subject.customer() {
        if customer.is_empty() {
            *customer = customer::create(tx, who, CustomerUpdate::default()).await?.id;
        }
        return Ok(customer.clone());
    }
    let subscription = match subject {
        Subject::Change(change) => change.subscription().unwrap_or_default(),
        Subject::Renewal(id) => id,
        Subject::Waiting(_) => "",
    };
    Ok(subscription::get(tx, who, subscription).await.map_err(|e| e.on("subscription"))?.customer)
}

/// Done at an instant to come, or begun at one that is gone.
async fn start(tx: &mut Tx, who: &Actor, customer: &str, subject: &mut Subject, at: Seconds) -> Result<()> {
    let customer = customer::get(tx, who, customer).await.map_err(|e| e.on("customer"))?;
    if at >= customer::now(tx, who, &customer).await? {
        tx.freeze(at);
        return Ok(());
    }
    if let Subject::Change(change) = subject
        && let Change::Start(new) = &mut **change
    {
        new.backdate_start_date = Some(at);
        return Ok(());
    }
    Err(Error::invalid("start_date", "What is there already begins at no other instant."))
}

async fn suppose(tx: &mut Tx, who: &Actor, customer: &str, supposed: Supposed) -> Result<()> {
    if let Some(update) = supposed.customer {
        customer::update(tx, who, customer, update).await.map_err(|e| e.within("customer_details"))?;
    }
    if let Some(tax_ids) = supposed.tax_ids {
        tax_id::replace(tx, who, customer, tax_ids).await.map_err(|e| e.within("customer_details"))?;
    }
    for (n, (currency, fields)) in supposed.items.into_iter().enumerate() {
        let new = NewInvoiceItem { customer: customer.to_owned(), subscription: None, invoice: None, currency, fields };
        edit::create(tx, who, new).await.map_err(|e| e.within(&format!("invoice_items[{n}]")))?;
    }
    Ok(())
}

/// The next invoice that time makes of a subscription, if it makes one: the steps to it are taken. `made` is one that has
/// just been made of it; whatever is owed for what begins is supposed to be paid, since otherwise nothing would go on.
pub(crate) async fn next(tx: &mut Tx, who: &Actor, id: &str, made: Option<Invoice>) -> Result<Option<Invoice>> {
    let subscription = subscription::get(tx, who, id).await?;
    let customer = customer::get_or_deleted(tx, who, &subscription.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    let owed = match (made, &subscription.latest_invoice) {
        (None, Some(first)) if subscription.status == State::Incomplete => Some(invoice::get(tx, who, first).await?),
        (made, _) => made,
    };
    if let Some(mut owed) = owed.filter(|invoice| invoice.status == Status::Open) {
        let amount = owed.amount_remaining();
        mark_paid(tx, who, &mut owed, amount, now).await?;
        Box::pin(status::paid(tx, who, &owed, now)).await?;
    }
    for _ in 0..MOST_STEPS {
        let Some(due) = subscription::get(tx, who, id).await?.acts() else { return Ok(None) };
        tx.freeze(due.max(now));
        match Box::pin(cycle::advance(tx, who, id)).await? {
            Step::Billed(invoice) => return Ok(Some(*invoice)),
            Step::Ended | Step::Expired | Step::Parked => return Ok(None),
            _ => {}
        }
    }
    Ok(None)
}

/// As it is shown before it is there.
pub(crate) fn as_draft(tx: &Tx, made: Invoice) -> Invoice {
    let id = id::new("upcoming_in", tx.now);
    let lines = made.lines.into_iter().map(|line| Line { invoice: id.clone(), ..line }).collect();
    Invoice {
        number: None,
        status: Status::Draft,
        ending_balance: None,
        amount_paid: 0,
        amount_overpaid: 0,
        attempt_count: 0,
        attempted: false,
        next_payment_attempt: None,
        payment_intent: None,
        due_date: None,
        finalized_at: None,
        paid_at: None,
        voided_at: None,
        marked_uncollectible_at: None,
        hosted_invoice_url: None,
        invoice_pdf: None,
        lines,
        id,
        ..made
    }
}
