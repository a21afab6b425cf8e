//! Invoices: what is owed for which period, line by line, and whether it was paid.

pub(crate) mod assess;
mod bill;
pub mod by_hand;
mod compose;
pub mod credit;
pub mod draft;
pub mod hosted;
mod issue;
pub mod item;
mod items;
pub mod line;
pub(crate) mod reduce;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::actor::Actor;
use crate::catalog::tax_rate::{self, Named};
use crate::clock::Seconds;
use crate::customer::{Address, Shipping, TaxExempt};
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::money::Currency;
use crate::page::{Listed, Page, page};
use crate::patch::Metadata;
use crate::settings::Seller;
use crate::store::{Json, Tx, maybe, one, run};
use crate::subscription::CollectionMethod;
use crate::text_enum::text_enum;
use crate::wire;

pub(crate) use bill::take_back;
pub use bill::{bill_period, mark_paid, mark_uncollectible, pay_out_of_band, send, void};
pub use compose::{Bill, Composed, Terms, compose};
pub use issue::issue;
pub use item::InvoiceItem;
pub(crate) use items::{item_line, period_line};
pub use items::{period_lines, trial_lines};
pub use line::{Line, NewLine};
pub use reduce::Taken;

/// What one rate takes, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateBorne {
    /// The rate's id.
    pub rate: String,
    pub inclusive: bool,
    pub tax: i64,
    /// What it is a part of.
    pub net: i64,
}

/// Lines' `taxes` added up by rate, in the order they first stand on a line.
pub fn rates_borne<'a>(taxes: impl Iterator<Item = &'a Value>) -> Vec<RateBorne> {
    let mut totals: Vec<RateBorne> = Vec::new();
    for entry in taxes.filter_map(Value::as_array).flatten() {
        let Some(rate) = entry["tax_rate_details"]["tax_rate"].as_str() else { continue };
        let amount = |name: &str| entry[name].as_i64().unwrap_or_default();
        let (inclusive, tax, net) = (entry["tax_behavior"] == "inclusive", amount("amount"), amount("taxable_amount"));
        match totals.iter_mut().find(|total| total.rate == rate && total.inclusive == inclusive) {
            None => totals.push(RateBorne { rate: rate.to_owned(), inclusive, tax, net }),
            Some(total) => {
                total.tax += tax;
                total.net += net;
            }
        }
    }
    totals
}

text_enum!(Status { Draft = "draft", Open = "open", Paid = "paid", Void = "void", Uncollectible = "uncollectible" });

/// What an invoice shows of others: followed while it is a draft, kept as it stood at finalisation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BillTo {
    /// The merchant's name and country.
    pub account_name: Option<String>,
    pub account_country: Option<String>,
    /// And what else it says of itself.
    #[serde(default)]
    pub seller: Seller,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub address: Option<Address>,
    pub shipping: Option<Shipping>,
    pub tax_exempt: Option<TaxExempt>,
    pub tax_ids: Vec<(String, String)>,
    pub subscription_metadata: Option<Metadata>,
    /// Whether the merchant's rates for where the customer is were asked for.
    #[serde(default)]
    pub automatic_tax: bool,
}

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Invoice {
    pub id: String,
    pub customer: String,
    /// The test clock that its customer's billing runs on, if any.
    pub clock_id: Option<String>,
    pub subscription: Option<String>,
    pub number: Option<String>,
    pub status: Status,
    pub billing_reason: String,
    pub cycle_start: Option<Seconds>,
    pub collection_method: CollectionMethod,
    pub auto_advance: bool,
    pub currency: Currency,
    pub period_start: Seconds,
    pub period_end: Seconds,
    /// Sum of the lines before discounts and exclusive tax.
    pub subtotal: i64,
    pub discount: i64,
    pub tax: i64,
    pub total: i64,
    pub amount_due: i64,
    pub amount_paid: i64,
    pub amount_overpaid: i64,
    pub paid_out_of_band: bool,
    /// What credit notes took off the amount due, and what they gave back of what was paid.
    pub pre_payment_credit_notes: i64,
    pub post_payment_credit_notes: i64,
    pub starting_balance: i64,
    pub ending_balance: Option<i64>,
    pub attempt_count: i64,
    pub attempted: bool,
    /// When it is charged next, a draft finalised, or one that was sent given up.
    pub next_payment_attempt: Option<Seconds>,
    /// The first attempt that failed, or the day on which it was overdue: retries count from it.
    pub retries_from: Option<Seconds>,
    pub default_payment_method: Option<String>,
    /// For lines without rates of their own.
    pub default_tax_rates: Json<Vec<Named>>,
    pub payment_intent: Option<String>,
    pub bill_to: Json<BillTo>,
    pub description: Option<String>,
    pub footer: Option<String>,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    pub due_date: Option<Seconds>,
    pub finalized_at: Option<Seconds>,
    pub paid_at: Option<Seconds>,
    pub voided_at: Option<Seconds>,
    pub marked_uncollectible_at: Option<Seconds>,
    pub version: i64,
    /// The first lines, up to [`line::MOST_READ`]; [`line::list`] pages through all.
    #[sqlx(skip)]
    pub lines: Vec<Line>,
    #[sqlx(skip)]
    pub more_lines: bool,
    /// The invoice's own page; [`list_heads`] leaves it out.
    #[sqlx(skip)]
    pub hosted_invoice_url: Option<String>,
    /// Its document, likewise.
    #[sqlx(skip)]
    pub invoice_pdf: Option<String>,
}

macro_rules! columns {
    () => {
        "id, customer, clock_id, subscription, number, status, billing_reason, cycle_start, collection_method, auto_advance, currency, period_start, \
         period_end, subtotal, discount, tax, total, amount_due, amount_paid, amount_overpaid, paid_out_of_band, pre_payment_credit_notes, \
         post_payment_credit_notes, starting_balance, ending_balance, attempt_count, attempted, next_payment_attempt, retries_from, \
         default_payment_method, default_tax_rates, payment_intent, bill_to, description, footer, metadata, \
         created, due_date, finalized_at, paid_at, voided_at, marked_uncollectible_at, version"
    };
}
pub(crate) use columns;

impl Invoice {
    /// What each discount took off the lines together, in the order they are taken off.
    pub fn discounts_taken(&self) -> Vec<Taken> {
        let mut totals: Vec<Taken> = Vec::new();
        for taken in self.lines.iter().flat_map(|line| &line.discount_amounts.0) {
            match totals.iter_mut().find(|total| total.discount == taken.discount) {
                Some(total) => total.amount += taken.amount,
                None => totals.push(taken.clone()),
            }
        }
        totals
    }

    /// What each rate takes of the lines together.
    pub fn rates_borne(&self) -> Vec<RateBorne> {
        rates_borne(self.lines.iter().map(|line| &line.taxes.0))
    }

    pub fn amount_remaining(&self) -> i64 {
        (self.amount_due - self.amount_paid).max(0)
    }

    /// Whether its first charge is still to be made.
    pub fn is_to_be_charged(&self) -> bool {
        self.status == Status::Open
            && self.collection_method == CollectionMethod::ChargeAutomatically
            && !self.attempted
            && self.amount_remaining() > 0
    }

    /// All that credit notes took off it or gave back.
    pub fn credit_notes(&self) -> i64 {
        self.pre_payment_credit_notes + self.post_payment_credit_notes
    }
}

/// An invoice this caller may see; a customer in the portal sees no drafts.
pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Invoice> {
    let mut invoice: Invoice = maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from invoice where tenant = $1 and id = $2 and (cast($3 as text) is null or (customer = $3 and status <> 'draft'))"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("invoice", id))?;
    load(tx, who, &mut invoice).await?;
    Ok(invoice)
}

#[derive(Debug, Clone, Default)]
pub struct InvoiceFilter {
    pub customer: Option<String>,
    pub subscription: Option<String>,
    pub status: Option<Status>,
    pub collection_method: Option<CollectionMethod>,
    /// Part of the number or of what is billed, in upper or lower case; with a customer only.
    pub search: Option<String>,
}

/// Invoices newest first, with their lines.
pub async fn list(tx: &mut Tx, who: &Actor, page: &Page, filter: &InvoiceFilter) -> Result<Listed<Invoice>> {
    let mut listed = list_heads(tx, who, page, filter).await?;
    for invoice in &mut listed.data {
        load(tx, who, invoice).await?;
    }
    Ok(listed)
}

/// Invoices newest first, without lines: what a list page shows.
pub async fn list_heads(tx: &mut Tx, who: &Actor, page: &Page, filter: &InvoiceFilter) -> Result<Listed<Invoice>> {
    let status = filter.status.map(Status::name);
    let method = filter.collection_method.map(CollectionMethod::name);
    let search = filter.search.as_deref().map(containing);
    match who.customer().or(filter.customer.as_deref()) {
        Some(customer) => page!(
            tx,
            who,
            page,
            "invoice" if "customer = $3 and status <> 'draft'",
            columns!(),
            "customer = $7 and (cast($8 as text) is null or subscription = $8) and (cast($9 as text) is null or status = $9)
             and (cast($10 as text) is null or collection_method = $10) and ($11 or status <> 'draft')
             and (cast($12 as text) is null or lower(number) like lower($12) escape '\\' or exists (
                 select 1 from invoice_line l where l.tenant = $1 and l.invoice = invoice.id
                 and lower(coalesce(l.product_name, l.description)) like lower($12) escape '\\'))",
            customer,
            filter.subscription,
            status,
            method,
            who.customer().is_none(),
            search
        ),
        None => page!(
            tx,
            who,
            page,
            "invoice" if "customer = $3 and status <> 'draft'",
            columns!(),
            "(cast($7 as text) is null or subscription = $7) and (cast($8 as text) is null or status = $8)
             and (cast($9 as text) is null or collection_method = $9)",
            filter.subscription,
            status,
            method
        ),
    }
}

/// A pattern for `like … escape '\'` that finds `text` anywhere, whatever characters it holds.
fn containing(text: &str) -> String {
    let plain = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{plain}%")
}

/// When a customer's first and last invoices were made; `None` where there is none. Drafts do not count.
pub async fn span(tx: &mut Tx, who: &Actor, customer: &str) -> Result<Option<(Seconds, Seconds)>> {
    let (first, last): (Option<Seconds>, Option<Seconds>) = one!(
        tx,
        "select min(created), max(created) from invoice where tenant = $1 and customer = $2 and status <> 'draft'",
        who.tenant.key,
        who.customer().unwrap_or(customer)
    )?;
    Ok(first.zip(last))
}

async fn load(tx: &mut Tx, who: &Actor, invoice: &mut Invoice) -> Result<()> {
    tax_rate::load(tx, who, &mut invoice.default_tax_rates).await?;
    let listed = line::first(tx, who, &invoice.id, line::MOST_READ).await?;
    invoice.more_lines = listed.has_more;
    invoice.lines = listed.data;
    hosted::load(tx, who, invoice).await
}

/// Writes every field that may change; `Busy` if somebody else wrote first.
pub(crate) async fn save(tx: &mut Tx, who: &Actor, i: &mut Invoice) -> Result<()> {
    let saved = run!(
        tx,
        "update invoice set number = $3, status = $4, collection_method = $5, auto_advance = $6, subtotal = $7, discount = $8, tax = $9,
         total = $10, amount_due = $11, amount_paid = $12, amount_overpaid = $13, paid_out_of_band = $14, pre_payment_credit_notes = $15,
         post_payment_credit_notes = $16, starting_balance = $17, ending_balance = $18, attempt_count = $19, attempted = $20,
         next_payment_attempt = $21, default_payment_method = $22, default_tax_rates = $23, payment_intent = $24, bill_to = $25,
         description = $26, footer = $27, metadata = $28, due_date = $29, finalized_at = $30, paid_at = $31, voided_at = $32,
         marked_uncollectible_at = $33, retries_from = $34, next_due = $35, version = version + 1
         where tenant = $1 and id = $2 and version = $36",
        who.tenant.key,
        &i.id,
        &i.number,
        i.status,
        i.collection_method,
        i.auto_advance,
        i.subtotal,
        i.discount,
        i.tax,
        i.total,
        i.amount_due,
        i.amount_paid,
        i.amount_overpaid,
        i.paid_out_of_band,
        i.pre_payment_credit_notes,
        i.post_payment_credit_notes,
        i.starting_balance,
        i.ending_balance,
        i.attempt_count,
        i.attempted,
        i.next_payment_attempt,
        &i.default_payment_method,
        &i.default_tax_rates,
        &i.payment_intent,
        &i.bill_to,
        &i.description,
        &i.footer,
        &i.metadata,
        i.due_date,
        i.finalized_at,
        i.paid_at,
        i.voided_at,
        i.marked_uncollectible_at,
        i.retries_from,
        i.due(),
        i.version
    )?;
    i.version += 1;
    if saved == 1 { Ok(()) } else { Err(Error::Busy) }
}

pub(crate) async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&Invoice>,
    after: &Invoice,
    action: &'static str,
    events: &[&'static str],
) -> Result<()> {
    let render = |invoice: &Invoice| wire::invoice(&who.tenant, invoice);
    let change = Change {
        object: "invoice",
        id: &after.id,
        customer: Some(&after.customer),
        before: before.map(render),
        after: Some(render(after)),
        action,
        events,
    };
    record(tx, who, change).await
}
