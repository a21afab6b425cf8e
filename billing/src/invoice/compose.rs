//! The one computation of an invoice: all that it says before it has an id and a number. It only reads, so that a
//! preview, a quote and the invoice itself are the same.

use crate::actor::Actor;
use crate::catalog::tax_rate::Named;
use crate::clock::Seconds;
use crate::customer::{self, Customer, balance};
use crate::directory;
use crate::error::Result;
use crate::invoice::assess::{self, Borne, Sums};
use crate::invoice::reduce::{self, Reduced};
use crate::invoice::{BillTo, Invoice, Line, NewLine, Status, credit, item};
use crate::money::Currency;
use crate::settings;
use crate::store::{Json, Tx};
use crate::subscription::collection::Behavior;
use crate::subscription::{CollectionMethod, Subscription};

/// What is to be billed, to whom and why.
#[derive(Debug, Clone)]
pub struct Bill<'a> {
    pub customer: &'a str,
    pub subscription: Option<&'a Subscription>,
    pub currency: Currency,
    pub reason: &'static str,
    pub lines: Vec<NewLine>,
    /// Whether the items that wait for the customer's next invoice are billed with it.
    pub pulls: bool,
    /// Set on the one invoice that bills a subscription's period.
    pub cycle_start: Option<Seconds>,
    pub period: (Seconds, Seconds),
    pub terms: Terms,
    /// On the customer's billing clock.
    pub now: Seconds,
}

/// How an invoice is collected and taxed.
#[derive(Debug, Clone)]
pub struct Terms {
    pub collection_method: CollectionMethod,
    pub days_until_due: Option<i64>,
    /// For lines without rates of their own.
    pub default_tax_rates: Vec<Named>,
    pub automatic_tax: bool,
}

/// An invoice that is not written yet: without id and number, its lines likewise.
#[derive(Debug, Clone)]
pub struct Composed {
    pub invoice: Invoice,
    pub customer: Customer,
    /// The ids of the waiting items that are among its lines.
    pub pulled: Vec<String>,
    pub days_until_due: Option<i64>,
    /// What becomes of it while its subscription's invoices are not collected.
    pub held: Option<Behavior>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            collection_method: CollectionMethod::ChargeAutomatically,
            days_until_due: None,
            default_tax_rates: Vec::new(),
            automatic_tax: false,
        }
    }
}

impl Terms {
    pub fn of(subscription: &Subscription) -> Self {
        Self {
            collection_method: subscription.collection_method,
            days_until_due: subscription.days_until_due,
            default_tax_rates: subscription.default_tax_rates.0.clone(),
            automatic_tax: subscription.automatic_tax,
        }
    }
}

impl<'a> Bill<'a> {
    /// On a subscription's own terms, over its current period, with whatever waits for its next invoice.
    pub fn of(subscription: &'a Subscription, reason: &'static str, lines: Vec<NewLine>, now: Seconds) -> Self {
        Self {
            customer: &subscription.customer,
            subscription: Some(subscription),
            currency: subscription.currency.clone(),
            reason,
            lines,
            pulls: true,
            cycle_start: None,
            period: (subscription.current_period_start, subscription.current_period_end),
            terms: Terms::of(subscription),
            now,
        }
    }
}

impl Bill<'_> {
    fn held(&self) -> Option<Behavior> {
        self.subscription.and_then(|subscription| subscription.holds(self.now))
    }
}

/// Lines, then discounts, then tax on what is left of each, then sums, then the customer's balance.
pub async fn compose(tx: &mut Tx, who: &Actor, bill: &Bill<'_>) -> Result<Composed> {
    let customer = customer::get(tx, who, bill.customer).await?;
    let bill_to = bill_to(tx, who, &customer, bill).await?;
    let country = bill_to.account_country.clone().unwrap_or_default();
    let (pulled, mut lines) = waiting(tx, who, bill).await?;
    lines.extend(bill.lines.iter().cloned());
    let reductions = reduce::reductions(tx, who, bill, &lines).await?;
    let taken = reduce::reduce(&lines, &reductions);
    let left: Vec<i64> = lines.iter().zip(&taken).map(|(line, taken)| line.amount - taken.sum()).collect();
    let borne = assess::lines(tx, who, (&country, &customer), &bill.terms, &lines, &left).await?;
    let sums = assess::sums(&lines, &left, &borne)?;
    let each = lines.into_iter().zip(taken).zip(borne).enumerate();
    let lines = each.map(|(position, ((new, taken), borne))| place(bill, position, new, taken, borne)).collect();
    let balance = balance::of(tx, who, &customer.id, &bill.currency).await?;
    let mut invoice = assemble(bill, bill_to, sums, lines, balance);
    invoice.clock_id.clone_from(&customer.clock_id);
    Ok(Composed { invoice, customer, pulled, days_until_due: bill.terms.days_until_due, held: bill.held() })
}

async fn waiting(tx: &mut Tx, who: &Actor, bill: &Bill<'_>) -> Result<(Vec<String>, Vec<NewLine>)> {
    // What waits is not lost with an invoice that will be void.
    if !bill.pulls || bill.held() == Some(Behavior::Void) {
        return Ok(Default::default());
    }
    let subscription = bill.subscription.map(|subscription| subscription.id.as_str());
    let mut items = item::waiting(tx, who, bill.customer, subscription).await?;
    items.retain(|item| item.currency == bill.currency);
    Ok((items.iter().map(|item| item.id.clone()).collect(), items.into_iter().map(item::InvoiceItem::line).collect()))
}

async fn bill_to(tx: &mut Tx, who: &Actor, customer: &Customer, bill: &Bill<'_>) -> Result<BillTo> {
    let merchant = directory::account(tx, who).await?;
    Ok(BillTo {
        account_name: Some(merchant.name),
        account_country: Some(merchant.country),
        seller: settings::get(tx, who).await?.seller,
        name: customer.name.clone(),
        email: customer.email.clone(),
        phone: customer.phone.clone(),
        address: customer.address.as_ref().map(|a| a.0.clone()),
        shipping: customer.shipping.as_ref().map(|s| s.0.clone()),
        tax_exempt: Some(customer.tax_exempt),
        tax_ids: customer::tax_id::printed(tx, who, &customer.id).await?,
        subscription_metadata: bill.subscription.map(|subscription| subscription.metadata.0.clone()),
        automatic_tax: bill.terms.automatic_tax,
    })
}

fn assemble(bill: &Bill<'_>, bill_to: BillTo, sums: Sums, lines: Vec<Line>, starting_balance: i64) -> Invoice {
    Invoice {
        id: String::new(),
        customer: bill.customer.into(),
        clock_id: None,
        subscription: bill.subscription.map(|subscription| subscription.id.clone()),
        number: None,
        status: Status::Draft,
        billing_reason: bill.reason.into(),
        cycle_start: bill.cycle_start,
        collection_method: bill.terms.collection_method,
        auto_advance: bill.held().is_none(),
        currency: bill.currency.clone(),
        period_start: bill.period.0,
        period_end: bill.period.1,
        subtotal: sums.subtotal,
        discount: sums.discount,
        tax: sums.tax,
        total: sums.total,
        amount_due: credit::settle(sums.total, starting_balance, &bill.currency).due,
        amount_paid: 0,
        amount_overpaid: 0,
        paid_out_of_band: false,
        pre_payment_credit_notes: 0,
        post_payment_credit_notes: 0,
        starting_balance,
        ending_balance: None,
        attempt_count: 0,
        attempted: false,
        next_payment_attempt: None,
        retries_from: None,
        default_payment_method: None,
        default_tax_rates: Json(bill.terms.default_tax_rates.clone()),
        payment_intent: None,
        bill_to: Json(bill_to),
        description: None,
        footer: None,
        metadata: Json::default(),
        created: bill.now,
        due_date: None,
        finalized_at: None,
        paid_at: None,
        voided_at: None,
        marked_uncollectible_at: None,
        version: 1,
        lines,
        more_lines: false,
        hosted_invoice_url: None,
        invoice_pdf: None,
    }
}

fn place(bill: &Bill<'_>, position: usize, new: NewLine, taken: Reduced, borne: Borne) -> Line {
    Line {
        id: String::new(),
        invoice: String::new(),
        position: i64::try_from(position).unwrap_or_default(),
        subscription: new.subscription,
        subscription_item: new.subscription_item,
        invoice_item: new.invoice_item,
        price: new.price.as_ref().map(|price| price.id.clone()),
        product_name: new.product_name,
        description: new.description,
        quantity: new.quantity,
        amount: new.amount,
        discount: taken.sum(),
        discount_amounts: Json(taken.0),
        tax: borne.tax,
        taxes: Json(borne.taxes),
        currency: bill.currency.clone(),
        period_start: new.period_start,
        period_end: new.period_end,
        proration: new.proration,
        discountable: new.discountable,
        details: new.details.map(Json),
        metadata: Json(new.metadata),
        priced: new.price,
    }
}
