//! `expand[]`: ids in an answer become the objects they stand for, along dotted paths up to four levels deep.
//!
//! What can be expanded is a table of kinds and fields, not a look at the data, so that a wrong path is refused before
//! anything runs, also on an empty list.

use std::collections::HashMap;

use billing::customer::{payment_method, tax_id};
use billing::subscription::SubscriptionFilter;
use billing::{
    Actor, Error, Page, Result, Tx, catalog, credit_note, customer, discount, invoice, payment, portal, refund,
    subscription, test_clock, wire,
};
use serde_json::Value;

use super::params::Params;

const MOST_LEVELS: usize = 4;
const MOST_PATHS: usize = 20;

/// The objects of an answer, and the objects inside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Account,
    AuditEntry,
    BalanceTransaction,
    Branding,
    CancelFeature,
    CancellationDetails,
    CancellationReason,
    Charge,
    Configuration,
    Coupon,
    CreditNote,
    CreditNoteLine,
    CreditNoteLineList,
    CreditNoteRefund,
    Customer,
    Discount,
    DiscountAmount,
    DiscountSource,
    Event,
    Features,
    FeedbackOption,
    Invoice,
    InvoiceItem,
    InvoiceItemParent,
    Line,
    Mandate,
    PaymentIntent,
    PaymentMethod,
    PortalDomain,
    PortalIssuer,
    Price,
    Product,
    PromotionCode,
    Refund,
    ScheduledChange,
    Session,
    Settings,
    SetupIntent,
    Subscription,
    SubscriptionItem,
    TaxRate,
    TestClock,
    InvoicePayment,
    InvoicePaymentList,
    InvoicePaymentPayment,
    InvoiceSettings,
    LineList,
    LineParent,
    LinePricing,
    Parent,
    PriceDetails,
    Promotion,
    SubscriptionDetails,
    SubscriptionItemList,
    SubscriptionList,
    SubscriptionQuote,
    TaxId,
    TaxIdList,
    TaxIdOwner,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookReplay,
}

/// What an endpoint answers with.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    One(Kind),
    Many(Kind),
}

/// What lies behind a field.
enum Field {
    /// The id of an object, or a list of them.
    Id(Kind),
    /// An object or list that is there already.
    Inside(Kind),
    /// A list that is left out unless it is asked for.
    Include(Kind, Included),
    /// Always empty or already whole.
    Whole,
}

/// Lists and values that are read only where they are asked for.
#[derive(Clone, Copy)]
enum Included {
    /// A customer's first subscriptions.
    Subscriptions,
    /// A customer's first tax IDs.
    TaxIds,
    /// What pays an invoice.
    Payments,
    /// What a browser would confirm with; there are no publishable keys, so none.
    Nothing,
}

fn field(kind: Kind, name: &str) -> Option<Field> {
    use Field::{Id, Include, Inside, Whole};
    use Kind::*;
    Some(match (kind, name) {
        (Customer, "invoice_settings") => Inside(InvoiceSettings),
        (Customer, "subscriptions") => Include(SubscriptionList, Included::Subscriptions),
        (Customer, "tax_ids") => Include(TaxIdList, Included::TaxIds),
        (TaxIdList, "data") => Inside(TaxId),
        (TaxId, "customer") | (TaxIdOwner, "customer") => Id(Customer),
        (TaxId, "owner") => Inside(TaxIdOwner),
        (Customer, "discount") => Inside(Discount),
        (Customer | Subscription | Invoice | InvoiceItem, "test_clock") => Id(TestClock),
        (Customer, "default_source") => Whole,
        (Discount, "coupon") => Whole,
        (Discount, "customer") => Id(Customer),
        (Discount, "promotion_code") => Id(PromotionCode),
        (Discount, "source") => Inside(DiscountSource),
        (DiscountSource, "coupon") => Id(Coupon),
        (DiscountAmount, "discount") => Id(Discount),
        (InvoiceSettings, "default_payment_method") => Id(PaymentMethod),
        (BalanceTransaction, "credit_note") => Id(CreditNote),
        (CreditNote | Refund, "customer") => Id(Customer),
        (CreditNote, "invoice") => Id(Invoice),
        (CreditNote, "customer_balance_transaction") => Id(BalanceTransaction),
        (CreditNote, "lines") => Inside(CreditNoteLineList),
        (CreditNote, "refunds") => Inside(CreditNoteRefund),
        (CreditNote | CreditNoteRefund, "refund") => Id(Refund),
        (CreditNoteLineList, "data") => Inside(CreditNoteLine),
        (CreditNoteLine, "tax_rates") => Whole,
        (Refund, "payment_intent") => Id(PaymentIntent),
        (Refund, "payment_method") => Id(PaymentMethod),
        (Refund, "balance_transaction" | "source_transfer_reversal" | "transfer_reversal") => Whole,
        (BalanceTransaction, "customer") => Id(Customer),
        (BalanceTransaction, "invoice") => Id(Invoice),
        (Product, "default_price") => Id(Price),
        (Price, "product") => Id(Product),
        (Price, "tiers" | "currency_options") => Whole,
        (Coupon, "applies_to" | "currency_options") => Whole,
        (PromotionCode, "coupon") => Whole,
        (PromotionCode, "customer") => Id(Customer),
        (PromotionCode, "promotion") => Inside(Promotion),
        (Promotion, "coupon") => Id(Coupon),
        (Subscription, "customer") => Id(Customer),
        (Subscription | SubscriptionItem | InvoiceItem, "discounts") => Id(Discount),
        (Subscription, "discount") => Inside(Discount),
        (Subscription, "default_payment_method") => Id(PaymentMethod),
        (Subscription, "latest_invoice") => Id(Invoice),
        (Subscription, "items") => Inside(SubscriptionItemList),
        (Subscription, "plan") => Inside(Price),
        (
            Subscription,
            "application"
            | "default_source"
            | "default_tax_rates"
            | "on_behalf_of"
            | "pending_setup_intent"
            | "schedule",
        ) => Whole,
        (SubscriptionList, "data") => Inside(Subscription),
        (SubscriptionQuote, "invoice" | "next_invoice") => Inside(Invoice),
        (SubscriptionQuote, "pending_invoice_items") => Inside(InvoiceItem),
        (SubscriptionItemList, "data") => Inside(SubscriptionItem),
        (SubscriptionItem, "price" | "plan") => Inside(Price),
        (SubscriptionItem, "tax_rates") => Whole,
        (Invoice, "customer") => Id(Customer),
        (Invoice, "subscription") => Id(Subscription),
        (Invoice, "payment_intent") => Id(PaymentIntent),
        (Invoice, "default_payment_method") => Id(PaymentMethod),
        (Invoice, "parent") => Inside(Parent),
        (Invoice | Line, "discounts") => Id(Discount),
        (Invoice, "total_discount_amounts") | (Line, "discount_amounts") => Inside(DiscountAmount),
        (Invoice, "lines") => Inside(LineList),
        (Invoice, "payments") => Include(InvoicePaymentList, Included::Payments),
        (Invoice, "confirmation_secret") => Include(InvoicePayment, Included::Nothing),
        (InvoicePaymentList, "data") => Inside(InvoicePayment),
        (InvoicePayment, "invoice") => Id(Invoice),
        (InvoicePayment, "payment") => Inside(InvoicePaymentPayment),
        (InvoicePaymentPayment, "payment_intent") => Id(PaymentIntent),
        (Invoice, "account_tax_ids" | "application" | "default_source" | "latest_revision" | "on_behalf_of") => Whole,
        (Parent, "subscription_details") => Inside(SubscriptionDetails),
        (SubscriptionDetails, "subscription") => Id(Subscription),
        (InvoiceItem, "customer") => Id(Customer),
        (InvoiceItem, "invoice") => Id(Invoice),
        (InvoiceItem, "price") => Inside(Price),
        (InvoiceItem, "pricing") => Inside(LinePricing),
        (InvoiceItem, "parent") => Inside(InvoiceItemParent),
        (InvoiceItem, "tax_rates") => Whole,
        (InvoiceItemParent, "subscription_details") => Inside(SubscriptionDetails),
        (LineList, "data") => Inside(Line),
        (Line, "price" | "plan") => Inside(Price),
        (Line, "pricing") => Inside(LinePricing),
        (Line, "subscription") => Id(Subscription),
        (Line, "parent") => Inside(LineParent),
        (LinePricing, "price_details") => Inside(PriceDetails),
        (PriceDetails, "price") => Id(Price),
        (PaymentMethod, "customer") => Id(Customer),
        (PaymentIntent | SetupIntent, "customer") => Id(Customer),
        (PaymentIntent | SetupIntent, "payment_method") => Id(PaymentMethod),
        (SetupIntent, "application" | "latest_attempt" | "mandate" | "on_behalf_of" | "single_use_mandate") => Whole,
        (PaymentIntent | Charge, "invoice") => Id(Invoice),
        (PaymentIntent, "latest_charge") => Id(Charge),
        (Charge, "customer") => Id(Customer),
        (Charge, "payment_intent") => Id(PaymentIntent),
        (
            Charge,
            "application"
            | "application_fee"
            | "balance_transaction"
            | "failure_balance_transaction"
            | "on_behalf_of"
            | "review"
            | "source_transfer",
        ) => Whole,
        (Mandate, "payment_method") => Id(PaymentMethod),
        (PaymentIntent, "application" | "on_behalf_of" | "review" | "source") => Whole,
        (Session, "configuration") => Id(Configuration),
        (AuditEntry, "customer") => Id(Customer),
        (Configuration | WebhookEndpoint, "application") => Whole,
        (Configuration, "features") => Inside(Features),
        (Features, "subscription_cancel") => Inside(CancelFeature),
        (CancelFeature, "cancellation_reason") => Inside(CancellationReason),
        (CancellationReason, "feedback_options") => Id(FeedbackOption),
        (Subscription, "cancellation_details") => Inside(CancellationDetails),
        (CancellationDetails, "feedback_option") => Id(FeedbackOption),
        _ => return None,
    })
}

/// The paths that a request wants expanded, known to exist.
#[derive(Debug, Clone)]
pub struct Expand {
    shape: Shape,
    paths: Vec<String>,
}

impl Expand {
    pub fn read(params: &mut Params, shape: Shape) -> Result<Self> {
        let paths = params.texts("expand")?.unwrap_or_default();
        if paths.len() > MOST_PATHS {
            return Err(Error::invalid("expand", format!("Up to {MOST_PATHS} properties can be expanded at a time.")));
        }
        let expand = Self { shape, paths };
        expand.paths.iter().try_for_each(|path| expand.check(path))?;
        Ok(expand)
    }

    /// The kind that a path starts at, and what is left of the path: below `data` on a list.
    fn start<'p>(&self, path: &'p str) -> Option<(Kind, &'p str)> {
        match self.shape {
            Shape::One(kind) => Some((kind, path)),
            Shape::Many(kind) => path.strip_prefix("data.").map(|rest| (kind, rest)),
        }
    }

    fn check(&self, path: &str) -> Result<()> {
        let refuse = |code, message| Err(Error::Invalid { param: "expand".into(), code, message });
        if path.split('.').count() > MOST_LEVELS {
            let message = format!("You cannot expand more than {MOST_LEVELS} levels of a property. Property: {path}");
            return refuse("property_expansion_max_depth", message);
        }
        let mut kind = self.start(path).map(|(kind, rest)| (Some(kind), rest));
        let reached = match &mut kind {
            None => false,
            Some((kind, rest)) => rest.split('.').all(|name| {
                let found = kind.and_then(|kind| field(kind, name));
                *kind = match &found {
                    Some(Field::Id(next) | Field::Inside(next) | Field::Include(next, _)) => Some(*next),
                    _ => None,
                };
                found.is_some()
            }),
        };
        if reached {
            Ok(())
        } else {
            refuse("parameter_invalid", format!("This property cannot be expanded ({path})."))
        }
    }

    /// Replaces ids in `root` by what they stand for, each object read once.
    pub async fn apply(&self, tx: &mut Tx, who: &Actor, root: &mut Value) -> Result<()> {
        let mut read = HashMap::new();
        for path in &self.paths {
            let Some((mut kind, rest)) = self.start(path) else { continue };
            let mut places = match self.shape {
                Shape::One(_) => vec![String::new()],
                Shape::Many(_) => elements(root, "/data"),
            };
            for name in rest.split('.') {
                let Some(found) = field(kind, name) else { break };
                places = match found {
                    Field::Whole => break,
                    Field::Inside(next) => {
                        kind = next;
                        places.iter().flat_map(|place| elements(root, &format!("{place}/{name}"))).collect()
                    }
                    Field::Id(next) => {
                        kind = next;
                        let places: Vec<String> =
                            places.iter().flat_map(|place| elements(root, &format!("{place}/{name}"))).collect();
                        for place in &places {
                            replace(tx, who, kind, root.pointer_mut(place), &mut read).await?;
                        }
                        places
                    }
                    Field::Include(next, what) => {
                        kind = next;
                        for place in &places {
                            include(tx, who, what, name, root.pointer_mut(place)).await?;
                        }
                        places.iter().map(|place| format!("{place}/{name}")).collect()
                    }
                };
            }
        }
        Ok(())
    }
}

/// The place itself, or the places of its elements if a list stands there.
fn elements(root: &Value, place: &str) -> Vec<String> {
    match root.pointer(place) {
        Some(Value::Array(list)) => (0..list.len()).map(|n| format!("{place}/{n}")).collect(),
        Some(_) => vec![place.to_owned()],
        None => Vec::new(),
    }
}

async fn replace(
    tx: &mut Tx,
    who: &Actor,
    kind: Kind,
    slot: Option<&mut Value>,
    read: &mut HashMap<(Kind, String), Value>,
) -> Result<()> {
    let Some(slot) = slot else { return Ok(()) };
    let Some(id) = slot.as_str().map(str::to_owned) else { return Ok(()) };
    if let Some(known) = read.get(&(kind, id.clone())) {
        *slot = known.clone();
        return Ok(());
    }
    match load(tx, who, kind, &id).await {
        Ok(object) => {
            *slot = object.clone();
            read.insert((kind, id), object);
            Ok(())
        }
        // An id whose object is gone stays an id.
        Err(Error::Missing { .. }) => Ok(()),
        Err(other) => Err(other),
    }
}

async fn load(tx: &mut Tx, who: &Actor, kind: Kind, id: &str) -> Result<Value> {
    let tenant = &who.tenant;
    Ok(match kind {
        Kind::Charge => wire::charge(tenant, &payment::charge::get(tx, who, id).await?),
        Kind::Configuration => wire::portal_configuration(tenant, &portal::configuration::get(tx, who, id).await?),
        Kind::BalanceTransaction => wire::balance_transaction(tenant, &customer::balance::find(tx, who, id).await?),
        Kind::CreditNote => wire::credit_note(tenant, &credit_note::get(tx, who, id).await?),
        Kind::Refund => wire::refund(tenant, &refund::get(tx, who, id).await?),
        Kind::Coupon => wire::coupon(tenant, &catalog::coupon::get_or_deleted(tx, who, id).await?, tx.now.seconds()),
        Kind::FeedbackOption => wire::feedback_option(tenant, &portal::feedback::get(tx, who, id).await?),
        Kind::Customer => super::customers::render(who, &customer::get_or_deleted(tx, who, id).await?),
        Kind::Discount => wire::discount(tenant, &discount::record::get(tx, who, id).await?),
        Kind::Invoice => wire::invoice(tenant, &invoice::get(tx, who, id).await?),
        Kind::PaymentIntent => wire::payment_intent(tenant, &payment::intent(tx, who, id).await?),
        Kind::PaymentMethod => wire::payment_method(tenant, &payment_method::get(tx, who, id).await?),
        Kind::Price => wire::price(tenant, &catalog::price::get(tx, who, id).await?),
        Kind::Product => wire::product(tenant, &catalog::product::get(tx, who, id).await?),
        Kind::PromotionCode => {
            let code = catalog::promotion_code::get(tx, who, id).await?;
            wire::promotion_code(tenant, &code, tx.now.seconds())
        }
        Kind::Subscription => wire::subscription(tenant, &subscription::get(tx, who, id).await?),
        Kind::TestClock => wire::test_clock(tenant, &test_clock::get(tx, who, id).await?),
        other => return Err(Error::internal(format!("{other:?} is not read by its id"))),
    })
}

/// Reads what is asked for and puts it into its object.
async fn include(tx: &mut Tx, who: &Actor, what: Included, name: &str, object: Option<&mut Value>) -> Result<()> {
    let Some(Value::Object(fields)) = object else { return Ok(()) };
    let Some(id) = fields.get("id").and_then(Value::as_str) else { return Ok(()) };
    if fields.contains_key("deleted") || fields.contains_key(name) {
        return Ok(());
    }
    let value = match what {
        Included::Subscriptions => subscriptions_of(tx, who, id).await?,
        Included::TaxIds => tax_ids_of(tx, who, id).await?,
        Included::Payments => payments_of(tx, who, id).await?,
        Included::Nothing => Value::Null,
    };
    fields.insert(name.into(), value);
    Ok(())
}

async fn subscriptions_of(tx: &mut Tx, who: &Actor, customer: &str) -> Result<Value> {
    let filter = SubscriptionFilter { customer: Some(customer.into()), ..SubscriptionFilter::default() };
    let found = subscription::list(tx, who, &Page::default(), &filter).await?;
    let url = format!("/v1/customers/{customer}/subscriptions");
    Ok(wire::listed(&url, found, |s| wire::subscription(&who.tenant, s)))
}

async fn tax_ids_of(tx: &mut Tx, who: &Actor, customer: &str) -> Result<Value> {
    let found = tax_id::list(tx, who, customer, &Page::default()).await?;
    Ok(wire::listed(&format!("/v1/customers/{customer}/tax_ids"), found, |t| wire::tax_id(&who.tenant, t)))
}

async fn payments_of(tx: &mut Tx, who: &Actor, invoice: &str) -> Result<Value> {
    let invoice = invoice::get(tx, who, invoice).await?;
    let mut data = Vec::new();
    if let Some(intent) = &invoice.payment_intent {
        let intent = payment::intent(tx, who, intent).await?;
        data.push(wire::invoice_payment(&who.tenant, &invoice, &intent));
    }
    Ok(wire::list("/v1/invoice_payments", data, false))
}

#[cfg(test)]
mod tests;
