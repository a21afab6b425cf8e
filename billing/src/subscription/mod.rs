//! Subscriptions: what a customer pays for again and again, and the states it goes through.

pub mod added;
pub(crate) mod billed;
pub mod cancel;
pub mod change;
pub mod collection;
pub mod create;
pub mod discounts;
pub mod due;
mod first;
pub mod items;
pub mod pause;
pub mod pending;
pub mod planned;
pub mod proposal;
pub mod resume;
pub mod scheduled;
pub mod status;
pub mod turn;
pub mod update;
pub mod withdraw;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::actor::Actor;
use crate::catalog::Price;
use crate::catalog::tax_rate::{self, Named};
use crate::clock::Seconds;
use crate::customer::Customer;
use crate::discount::{self, Discount, Holder};
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::money::Currency;
use crate::page::{Listed, Page, page};
use crate::patch::Metadata;
use crate::period::Recurring;
use crate::store::{Json, Tx, all, maybe, run};
use crate::text_enum::text_enum;
use crate::{catalog, wire};

pub use added::AddedItem;
pub use change::ProrationBehavior;
pub use collection::PauseCollection;
pub use create::NewSubscription;
pub use items::{ItemChange, NewItem};
pub use pending::PendingUpdate;
pub use planned::PlannedItem;
pub use proposal::Proposal;
pub use scheduled::ScheduledChange;
pub use status::Status;
pub use turn::{Anchor, TrialEnd};
pub use update::{SubscriptionUpdate, Updated};

text_enum!(CollectionMethod { ChargeAutomatically = "charge_automatically", SendInvoice = "send_invoice" });
text_enum!(MissingPaymentMethod { Cancel = "cancel", CreateInvoice = "create_invoice", Pause = "pause" });

text_enum!(
    /// Why a customer says they leave: Stripe's values.
    Feedback {
        CustomerService = "customer_service",
        LowQuality = "low_quality",
        MissingFeatures = "missing_features",
        Other = "other",
        SwitchedService = "switched_service",
        TooComplex = "too_complex",
        TooExpensive = "too_expensive",
        Unused = "unused",
    }
);

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CancellationDetails {
    pub comment: Option<String>,
    pub feedback: Option<Feedback>,
    /// The id of a feedback option: a reason in the merchant's own words.
    pub feedback_option: Option<String>,
    /// `cancellation_requested`, `payment_failed`, …
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Subscription {
    pub id: String,
    pub customer: String,
    pub clock_id: Option<String>,
    pub status: Status,
    pub currency: Currency,
    pub collection_method: CollectionMethod,
    pub days_until_due: Option<i64>,
    pub billing_cycle_anchor: Seconds,
    /// The current period is number `cycle`, counted from the anchor.
    pub cycle: i64,
    pub current_period_start: Seconds,
    pub current_period_end: Seconds,
    pub start_date: Seconds,
    pub trial_start: Option<Seconds>,
    pub trial_end: Option<Seconds>,
    pub cancel_at: Option<Seconds>,
    pub cancel_at_period_end: bool,
    pub canceled_at: Option<Seconds>,
    pub ended_at: Option<Seconds>,
    pub cancellation_details: Json<CancellationDetails>,
    pub pause_collection: Option<Json<PauseCollection>>,
    pub paused_at: Option<Seconds>,
    pub resumes_at: Option<Seconds>,
    pub pending_update: Option<Json<PendingUpdate>>,
    pub pending_update_expires_at: Option<Seconds>,
    pub pending_setup_intent: Option<String>,
    pub default_payment_method: Option<String>,
    /// For items without rates of their own.
    pub default_tax_rates: Json<Vec<Named>>,
    /// Whether the merchant's rates for where the customer is apply, where none is named.
    pub automatic_tax: bool,
    pub trial_settings: Json<TrialSettings>,
    pub payment_settings: Json<PaymentSettings>,
    pub invoice_settings: Json<Value>,
    pub latest_invoice: Option<String>,
    pub description: Option<String>,
    pub metadata: Json<Metadata>,
    /// The end of the period that the merchant was last told of beforehand.
    pub told: Option<Seconds>,
    pub next_due: Option<Seconds>,
    pub parked_at: Option<Seconds>,
    pub created: Seconds,
    pub version: i64,
    #[sqlx(skip)]
    pub items: Vec<Item>,
    /// Its own; without any, its customer's is taken off.
    #[sqlx(skip)]
    pub discounts: Vec<Discount>,
    /// What waits for the end of the period, or of a pause.
    #[sqlx(skip)]
    pub scheduled: Option<ScheduledChange>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialSettings {
    pub missing_payment_method: MissingPaymentMethod,
}

impl Default for TrialSettings {
    fn default() -> Self {
        Self { missing_payment_method: MissingPaymentMethod::CreateInvoice }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PaymentSettings {
    pub payment_method_types: Option<Vec<String>>,
    /// `off` or `on_subscription`
    pub save_default_payment_method: Option<String>,
}

/// One thing subscribed to.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub id: String,
    pub subscription: String,
    pub position: i64,
    pub price: Price,
    pub product_name: String,
    pub quantity: i64,
    pub current_period_start: Seconds,
    pub current_period_end: Seconds,
    pub tax_rates: Vec<Named>,
    /// Off this item alone, before the subscription's.
    pub discounts: Vec<Discount>,
    pub metadata: Metadata,
    pub created: Seconds,
}

#[derive(sqlx::FromRow)]
struct ItemRow {
    id: String,
    subscription: String,
    position: i64,
    price: String,
    product_name: String,
    quantity: i64,
    current_period_start: Seconds,
    current_period_end: Seconds,
    tax_rates: Json<Vec<Named>>,
    metadata: Json<Metadata>,
    created: Seconds,
}

macro_rules! columns {
    () => {
        "id, customer, clock_id, status, currency, collection_method, days_until_due, billing_cycle_anchor, cycle, current_period_start, \
         current_period_end, start_date, trial_start, trial_end, cancel_at, cancel_at_period_end, canceled_at, ended_at, \
         cancellation_details, pause_collection, paused_at, resumes_at, pending_update, pending_update_expires_at, pending_setup_intent, \
         default_payment_method, default_tax_rates, automatic_tax, trial_settings, payment_settings, invoice_settings, latest_invoice, \
         description, metadata, told, next_due, parked_at, created, version"
    };
}
pub(crate) use columns;

impl Subscription {
    pub fn recurring(&self) -> Option<Recurring> {
        self.items.first().and_then(|item| item.price.recurring())
    }

    /// Whether no end is set.
    pub fn goes_on(&self) -> bool {
        self.cancel_at.is_none() && !self.cancel_at_period_end
    }

    /// What the next renewal bills, in minor units, before discounts and tax.
    pub fn renewal_amount(&self) -> Result<i64> {
        self.items.iter().map(|item| item.price.amount(item.quantity)).sum()
    }

    /// Whether there is a way to be paid: a method, or an invoice that is sent.
    pub fn can_pay(&self, customer: &Customer) -> bool {
        self.collection_method == CollectionMethod::SendInvoice
            || self.default_payment_method.is_some()
            || customer.default_payment_method.is_some()
    }
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Subscription> {
    let mut subscription: Subscription = maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from subscription where tenant = $1 and id = $2 and (cast($3 as text) is null or customer = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("subscription", id))?;
    load(tx, who, &mut subscription).await?;
    Ok(subscription)
}

/// One item by its own id.
pub async fn item(tx: &mut Tx, who: &Actor, id: &str) -> Result<Item> {
    let owner: Option<(String,)> = maybe!(
        tx,
        "select subscription from subscription_item where tenant = $1 and id = $2 and deleted_at is null",
        who.tenant.key,
        id
    )?;
    let missing = || Error::missing("subscription_item", id);
    let subscription = get(tx, who, &owner.ok_or_else(missing)?.0).await.map_err(|_| missing())?;
    subscription.items.into_iter().find(|item| item.id == id).ok_or_else(missing)
}

/// Filters of a list. `Ended` is Stripe's `status=ended`; without a status, canceled ones are left out.
#[derive(Debug, Clone, Default)]
pub struct SubscriptionFilter {
    pub customer: Option<String>,
    pub status: StatusFilter,
    pub price: Option<String>,
    /// Without one, and without a customer, those on test clocks are left out.
    pub test_clock: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatusFilter {
    #[default]
    NotCanceled,
    All,
    Ended,
    Is(Status),
}

pub async fn list(tx: &mut Tx, who: &Actor, page: &Page, filter: &SubscriptionFilter) -> Result<Listed<Subscription>> {
    let (state, is) = match filter.status {
        StatusFilter::NotCanceled => ("not_canceled", None),
        StatusFilter::All => ("all", None),
        StatusFilter::Ended => ("ended", None),
        StatusFilter::Is(status) => ("is", Some(status.name())),
    };
    let customer = who.customer().or(filter.customer.as_deref());
    let listed: Result<Listed<Subscription>> = match customer {
        Some(customer) => page!(
            tx,
            who,
            page,
            "subscription" if "customer = $3",
            columns!(),
            "customer = $7 and ($8 = 'all' or ($8 = 'not_canceled' and status <> 'canceled') or ($8 = 'is' and status = $9)
              or ($8 = 'ended' and status in ('canceled', 'incomplete_expired')))
             and (cast($10 as text) is null or exists (select 1 from subscription_item i where i.tenant = $1 and i.subscription = subscription.id and i.price = $10 and i.deleted_at is null))
             and (cast($11 as text) is null or clock_id = $11)",
            customer,
            state,
            is,
            filter.price,
            filter.test_clock
        ),
        None => page!(
            tx,
            who,
            page,
            "subscription" if "customer = $3",
            columns!(),
            "($7 = 'all' or ($7 = 'not_canceled' and status <> 'canceled') or ($7 = 'is' and status = $8)
              or ($7 = 'ended' and status in ('canceled', 'incomplete_expired')))
             and (cast($9 as text) is null or exists (select 1 from subscription_item i where i.tenant = $1 and i.subscription = subscription.id and i.price = $9 and i.deleted_at is null))
             and clock_id is not distinct from $10",
            state,
            is,
            filter.price,
            filter.test_clock
        ),
    };
    let mut listed = listed?;
    for subscription in &mut listed.data {
        load(tx, who, subscription).await?;
    }
    Ok(listed)
}

async fn load(tx: &mut Tx, who: &Actor, subscription: &mut Subscription) -> Result<()> {
    subscription.scheduled = scheduled::of(tx, who, &subscription.id).await?;
    let rows: Vec<ItemRow> = all!(
        tx,
        "select i.id, i.subscription, i.position, i.price, p.name as product_name, i.quantity, i.current_period_start, i.current_period_end,
                i.tax_rates, i.metadata, i.created
         from subscription_item i
         join price on price.tenant = i.tenant and price.id = i.price
         join product p on p.tenant = i.tenant and p.id = price.product
         where i.tenant = $1 and i.subscription = $2 and i.deleted_at is null order by i.position",
        who.tenant.key,
        &subscription.id
    )?;
    tax_rate::load(tx, who, &mut subscription.default_tax_rates).await?;
    let mut live = discount::record::live(tx, who, &subscription.customer).await?;
    let own = Holder::Subscription(&subscription.id);
    subscription.discounts = live.extract_if(.., |discount| discount.holder() == own).collect();
    for mut row in rows {
        let own = Holder::Item(&row.subscription, &row.id);
        let discounts = live.extract_if(.., |discount| discount.holder() == own).collect();
        let price = catalog::price::get(tx, who, &row.price).await?;
        tax_rate::load(tx, who, &mut row.tax_rates).await?;
        subscription.items.push(Item {
            id: row.id,
            subscription: row.subscription,
            position: row.position,
            price,
            product_name: row.product_name,
            quantity: row.quantity,
            current_period_start: row.current_period_start,
            current_period_end: row.current_period_end,
            tax_rates: row.tax_rates.0,
            discounts,
            metadata: row.metadata.0,
            created: row.created,
        });
    }
    Ok(())
}

/// Writes every field that states and updates move; `Busy` if somebody else wrote first.
pub(crate) async fn save(tx: &mut Tx, who: &Actor, subscription: &mut Subscription) -> Result<()> {
    subscription.next_due = subscription.due();
    scheduled::follow(tx, who, subscription).await?;
    let saved = run!(
        tx,
        "update subscription set status = $3, billing_cycle_anchor = $4, cycle = $5, current_period_start = $6, current_period_end = $7,
         trial_end = $8, cancel_at = $9, cancel_at_period_end = $10, canceled_at = $11, ended_at = $12, cancellation_details = $13,
         paused_at = $14, resumes_at = $15, default_payment_method = $16, latest_invoice = $17, description = $18, metadata = $19,
         next_due = $20, parked_at = $21, default_tax_rates = $22, automatic_tax = $23, collection_method = $24, days_until_due = $25,
         payment_settings = $26, trial_start = $27, pause_collection = $28, trial_settings = $29, pending_update = $30,
         pending_update_expires_at = $31, told = $32, wakes_at = $33, version = version + 1
         where tenant = $1 and id = $2 and version = $34",
        who.tenant.key,
        &subscription.id,
        subscription.status,
        subscription.billing_cycle_anchor,
        subscription.cycle,
        subscription.current_period_start,
        subscription.current_period_end,
        subscription.trial_end,
        subscription.cancel_at,
        subscription.cancel_at_period_end,
        subscription.canceled_at,
        subscription.ended_at,
        &subscription.cancellation_details,
        subscription.paused_at,
        subscription.resumes_at,
        &subscription.default_payment_method,
        &subscription.latest_invoice,
        &subscription.description,
        &subscription.metadata,
        subscription.next_due,
        subscription.parked_at,
        &subscription.default_tax_rates,
        subscription.automatic_tax,
        subscription.collection_method,
        subscription.days_until_due,
        &subscription.payment_settings,
        subscription.trial_start,
        &subscription.pause_collection,
        &subscription.trial_settings,
        &subscription.pending_update,
        subscription.pending_update_expires_at,
        subscription.told,
        subscription.wakes(),
        subscription.version
    )?;
    if saved != 1 {
        return Err(Error::Busy);
    }
    subscription.version += 1;
    run!(
        tx,
        "update subscription_item set current_period_start = $3, current_period_end = $4
         where tenant = $1 and subscription = $2 and deleted_at is null and (current_period_start <> $3 or current_period_end <> $4)",
        who.tenant.key,
        &subscription.id,
        subscription.current_period_start,
        subscription.current_period_end
    )?;
    for item in &mut subscription.items {
        item.current_period_start = subscription.current_period_start;
        item.current_period_end = subscription.current_period_end;
    }
    Ok(())
}

pub(crate) async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&Subscription>,
    after: &Subscription,
    action: &'static str,
    events: &[&'static str],
) -> Result<()> {
    if before.is_some_and(|before| before.status != after.status && !before.status.may_become(after.status)) {
        return Err(Error::internal("a subscription made a move that it cannot make"));
    }
    let render = |subscription: &Subscription| wire::subscription(&who.tenant, subscription);
    let change = Change {
        object: "subscription",
        id: &after.id,
        customer: Some(&after.customer),
        before: before.map(render),
        after: Some(render(after)),
        action,
        events,
    };
    record(tx, who, change).await
}
