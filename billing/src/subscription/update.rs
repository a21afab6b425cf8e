//! Changing a running subscription: what is said of it, what it is made of, and what that costs.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::catalog::tax_rate::{self, Named};
use crate::clock::Seconds;
use crate::customer::{self, payment_method};
use crate::discount::Wanted;
use crate::error::{Error, Result};
use crate::invoice::{self, Bill, Invoice, NewLine, compose, issue, item};
use crate::patch::{MetadataPatch, Patch, check_text, merge_metadata};
use crate::payment;
use crate::portal::feedback;
use crate::store::{Tx, all, run};
use crate::subscription::change::ProrationBehavior;
use crate::subscription::create::{PaymentBehavior, check_days_until_due};
use crate::subscription::items::{self, ItemChange};
use crate::subscription::proposal::{self, Billing, Proposal};
use crate::subscription::turn::{self, Anchor, TrialEnd, Turn};
use crate::subscription::{
    AddedItem, CollectionMethod, Feedback, PauseCollection, PaymentSettings, Status, Subscription, TrialSettings,
    added, announce, cancel, collection, discounts, get, pending, save, scheduled,
};

/// How many changes that cost something one day takes.
const MOST_CHANGES: i64 = 20;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionUpdate {
    pub items: Vec<ItemChange>,
    /// Billed once, with the change's invoice or the next.
    pub add_invoice_items: Vec<AddedItem>,
    /// `create_prorations` where it is not said.
    pub proration_behavior: Option<ProrationBehavior>,
    /// From when the change counts: in the current period.
    pub proration_date: Option<Seconds>,
    pub billing_cycle_anchor: Option<Anchor>,
    pub trial_end: Option<TrialEnd>,
    pub payment_behavior: Option<PaymentBehavior>,
    pub cancel_at_period_end: Option<bool>,
    pub cancel_at: Patch<Seconds>,
    pub comment: Patch<String>,
    pub feedback: Patch<Feedback>,
    pub feedback_option: Patch<String>,
    pub collection_method: Option<CollectionMethod>,
    pub days_until_due: Option<i64>,
    pub payment_settings: Option<PaymentSettings>,
    pub default_payment_method: Patch<String>,
    /// Ids; from the next invoice on.
    pub default_tax_rates: Patch<Vec<String>>,
    pub automatic_tax: Option<bool>,
    /// In place of those there are.
    pub discounts: Patch<Vec<Wanted>>,
    pub pause_collection: Patch<PauseCollection>,
    pub trial_settings: Option<TrialSettings>,
    pub description: Patch<String>,
    pub metadata: MetadataPatch,
}

/// A subscription as a change has left it, and the invoice that was made of it.
#[derive(Debug, Clone)]
pub struct Updated {
    pub subscription: Subscription,
    pub invoice: Option<Invoice>,
    /// Whether the door is to charge the invoice now.
    pub collect: bool,
}

/// Rates are named, or left to where the customer is.
pub(crate) fn check_taxes(rates: &[Named], automatic: bool) -> Result<()> {
    if automatic && !rates.is_empty() {
        let message = "You cannot set default_tax_rates together with automatic_tax[enabled].";
        return Err(Error::invalid("default_tax_rates", message));
    }
    Ok(())
}

impl SubscriptionUpdate {
    /// Whether it changes what is billed, or when.
    fn touches_billing(&self) -> bool {
        !self.items.is_empty()
            || !self.add_invoice_items.is_empty()
            || self.billing_cycle_anchor == Some(Anchor::Now)
            || self.trial_end.is_some()
    }

    /// Whether it says more than one that has ended can still be told.
    fn is_for_the_living(&self) -> bool {
        self.touches_billing()
            || self.cancel_at_period_end.is_some()
            || self.cancel_at != Patch::Keep
            || self.collection_method.is_some()
            || self.days_until_due.is_some()
            || self.payment_settings.is_some()
            || self.default_payment_method != Patch::Keep
            || self.discounts != Patch::Keep
            || self.default_tax_rates != Patch::Keep
            || self.automatic_tax.is_some()
            || self.pause_collection != Patch::Keep
            || self.trial_settings.is_some()
    }
}

pub async fn update(tx: &mut Tx, who: &Actor, id: &str, update: SubscriptionUpdate) -> Result<Updated> {
    let payment_behavior = update.payment_behavior.unwrap_or(PaymentBehavior::AllowIncomplete);
    // Boxed, since what awaits this would otherwise hold the room for all three.
    let proposal = Box::pin(propose(tx, who, id, update)).await?;
    if payment_behavior.waits() {
        return Box::pin(pending::begin(tx, who, proposal, payment_behavior)).await;
    }
    Box::pin(apply(tx, who, proposal, payment_behavior)).await
}

/// What the update would do. It only reads, but that discounts are redeemed and prices made, since they are in what it
/// costs.
pub async fn propose(tx: &mut Tx, who: &Actor, id: &str, update: SubscriptionUpdate) -> Result<Proposal> {
    let before = get(tx, who, id).await?;
    check_state(&before, &update)?;
    check_can_wait(&update)?;
    if update.touches_billing() {
        pending::check_none(&before)?;
        scheduled::check_open(who, &before)?;
    }
    let customer = customer::get_or_deleted(tx, who, &before.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    let mut after = before.clone();
    say(tx, who, &mut after, &update, now).await?;
    let mut items = items::change(tx, who, (id, &before.items), Some(&before.currency), &update.items, now).await?;
    after.items.clone_from(&items.kept);
    discounts::set_of_items(tx, who, &mut after, &update.items, &items.about, now).await?;
    items.kept.clone_from(&after.items);
    let turn = turn::turn(&before, &mut after, update.trial_end, update.billing_cycle_anchor, now)?;
    let behavior = update.proration_behavior.unwrap_or(ProrationBehavior::CreateProrations);
    let at = proration_date(&before, update.proration_date, turn, now)?;
    let added = added::lines(tx, who, &before, &update.add_invoice_items, now).await?;
    proposal::propose(tx, who, &before, after, items, (turn, Billing { behavior, at, now }), added).await
}

/// What can wait for a payment: what is bought, and when it begins.
fn check_can_wait(update: &SubscriptionUpdate) -> Result<()> {
    let said = [
        ("automatic_tax", update.automatic_tax.is_some()),
        ("cancel_at", update.cancel_at != Patch::Keep),
        ("cancel_at_period_end", update.cancel_at_period_end.is_some()),
        ("collection_method", update.collection_method.is_some()),
        ("days_until_due", update.days_until_due.is_some()),
        ("default_payment_method", update.default_payment_method != Patch::Keep),
        ("default_tax_rates", update.default_tax_rates != Patch::Keep),
        ("description", update.description != Patch::Keep),
        ("discounts", update.discounts != Patch::Keep),
        ("items", update.items.iter().any(|item| item.discounts != Patch::Keep)),
        ("metadata", update.metadata != Patch::Keep),
        ("pause_collection", update.pause_collection != Patch::Keep),
        ("payment_settings", update.payment_settings.is_some()),
        ("trial_end", update.trial_end.is_some()),
        ("trial_settings", update.trial_settings.is_some()),
    ];
    match said.into_iter().find(|(_, is_said)| *is_said) {
        Some((name, _)) if update.payment_behavior.is_some_and(PaymentBehavior::waits) => {
            Err(Error::invalid(name, "This cannot wait for a payment: say it in an update of its own."))
        }
        _ => Ok(()),
    }
}

fn check_state(before: &Subscription, update: &SubscriptionUpdate) -> Result<()> {
    if before.status.is_ended() && update.is_for_the_living() {
        let message = "A canceled subscription can only update its cancellation_details and metadata.";
        return Err(Error::invalid("id", message));
    }
    let is_stuck = before.status == Status::Incomplete
        || (before.status == Status::Paused && (update.trial_end.is_some() || update.billing_cycle_anchor.is_some()));
    if is_stuck && update.touches_billing() {
        let message = format!("What a subscription is made of cannot change while it is {}.", before.status.name());
        return Err(Error::conflict("subscription_unexpected_state", message));
    }
    Ok(())
}

fn proration_date(before: &Subscription, date: Option<Seconds>, turn: Turn, now: Seconds) -> Result<Seconds> {
    let Some(date) = date else { return Ok(now) };
    let last = if turn == Turn::GoesOn { now.max(before.current_period_end.plus(-1)) } else { now };
    if (before.current_period_start..=last).contains(&date) {
        return Ok(date);
    }
    let message = match turn {
        Turn::GoesOn => "Invalid timestamp: a proration counts from an instant of the current period.",
        _ => {
            "Invalid timestamp: where a new period begins, a proration counts from an instant of the current one, up to now."
        }
    };
    Err(Error::invalid("proration_date", message))
}

/// What costs nothing to say.
async fn say(
    tx: &mut Tx,
    who: &Actor,
    after: &mut Subscription,
    update: &SubscriptionUpdate,
    now: Seconds,
) -> Result<()> {
    if let Patch::Set(method) = &update.default_payment_method {
        payment_method::of_customer(tx, who, &after.customer, method)
            .await
            .map_err(|e| e.on("default_payment_method"))?;
    }
    if update.discounts != Patch::Keep {
        discounts::set(tx, who, after, &update.discounts, now).await?;
    }
    match &update.default_tax_rates {
        Patch::Keep => {}
        Patch::Clear => after.default_tax_rates.0.clear(),
        Patch::Set(ids) => after.default_tax_rates.0 = tax_rate::named(tx, who, ids, "default_tax_rates").await?,
    }
    after.automatic_tax = update.automatic_tax.unwrap_or(after.automatic_tax);
    check_taxes(&after.default_tax_rates, after.automatic_tax)?;
    update.default_payment_method.clone().apply(&mut after.default_payment_method);
    say_how_to_collect(after, update)?;
    collection::apply(after, update.pause_collection.clone(), now)?;
    if let Some(settings) = &update.trial_settings {
        after.trial_settings.0 = settings.clone();
    }
    check_text(update.description.clone().into_option().as_deref().unwrap_or_default(), 500, "description")?;
    update.description.clone().apply(&mut after.description);
    merge_metadata(&mut after.metadata.0, update.metadata.clone())?;
    say_when_it_ends(tx, who, after, update, now).await
}

fn say_how_to_collect(after: &mut Subscription, update: &SubscriptionUpdate) -> Result<()> {
    if update.collection_method == Some(CollectionMethod::ChargeAutomatically) {
        after.days_until_due = None;
    }
    after.collection_method = update.collection_method.unwrap_or(after.collection_method);
    after.days_until_due = update.days_until_due.or(after.days_until_due);
    check_days_until_due(after.collection_method, after.days_until_due)?;
    if let Some(settings) = &update.payment_settings {
        after.payment_settings.0 = settings.clone();
    }
    Ok(())
}

async fn say_when_it_ends(
    tx: &mut Tx,
    who: &Actor,
    after: &mut Subscription,
    update: &SubscriptionUpdate,
    now: Seconds,
) -> Result<()> {
    if update.cancel_at_period_end == Some(true) && matches!(update.cancel_at, Patch::Set(_)) {
        return Err(Error::invalid("cancel_at", "Give cancel_at or cancel_at_period_end, not both."));
    }
    match update.cancel_at_period_end {
        Some(true) => cancel::schedule(tx, who, after).await?,
        Some(false) => cancel::unschedule(after),
        None => {}
    }
    match update.cancel_at {
        Patch::Keep => {}
        Patch::Clear => cancel::clear(after),
        Patch::Set(at) => cancel::schedule_at(after, at, now)?,
    }
    let comment = update.comment.clone().into_option();
    check_text(comment.as_deref().unwrap_or_default(), 5000, "cancellation_details[comment]")?;
    update.comment.clone().apply(&mut after.cancellation_details.0.comment);
    update.feedback.clone().apply(&mut after.cancellation_details.0.feedback);
    if let Patch::Set(option) = &update.feedback_option {
        feedback::check_usable(tx, who, option, "cancellation_details[feedback_option]").await?;
    }
    update.feedback_option.clone().apply(&mut after.cancellation_details.0.feedback_option);
    Ok(())
}

/// Writes what was proposed, and makes its invoice.
pub(crate) async fn apply(
    tx: &mut Tx,
    who: &Actor,
    proposal: Proposal,
    payment_behavior: PaymentBehavior,
) -> Result<Updated> {
    let Proposal { before, mut after, items, lines, waiting, is_invoiced, is_priced, now } = proposal;
    if after == before && lines.is_empty() && waiting.is_empty() {
        return Ok(Updated { subscription: after, invoice: None, collect: false });
    }
    if is_priced {
        count_change(tx, who, &before.id, now).await?;
        scheduled::give_way(tx, who, &mut after, now).await?;
    }
    items::save(tx, who, &before.items, &items, now).await?;
    if after.current_period_start != before.current_period_start {
        discounts::expire(tx, who, &mut after).await?;
    }
    save(tx, who, &mut after).await?;
    let mut invoice = match is_invoiced {
        true => Some(bill(tx, who, &mut after, lines, payment_behavior, now).await?),
        false => None,
    };
    for line in waiting {
        item::wait(tx, who, &after.customer, &after.currency, line, now).await?;
    }
    let events: &[&str] = if after.cancel_at_period_end && !before.cancel_at_period_end {
        &["customer.subscription.updated", "subscription.cancellation_scheduled"]
    } else {
        &["customer.subscription.updated"]
    };
    announce(tx, who, Some(&before), &after, "customer.subscription.updated", events).await?;
    let collect = match &mut invoice {
        Some(invoice) if payment_behavior != PaymentBehavior::DefaultIncomplete => {
            begin_collecting(tx, who, &after, invoice).await?
        }
        _ => false,
    };
    if let Some(invoice) = &invoice {
        invoice::credit::settle_owed(tx, who, invoice, now).await?;
    }
    let subscription = if invoice.is_some() { get(tx, who, &before.id).await? } else { after };
    Ok(Updated { subscription, invoice, collect })
}

/// Makes the invoice of a change that is written already.
async fn bill(
    tx: &mut Tx,
    who: &Actor,
    after: &mut Subscription,
    lines: Vec<NewLine>,
    payment_behavior: PaymentBehavior,
    now: Seconds,
) -> Result<Invoice> {
    let composed = compose(tx, who, &Bill::of(after, "subscription_update", lines, now)).await?;
    let invoice = issue(tx, who, composed).await?;
    after.latest_invoice = Some(invoice.id.clone());
    let is_owed = invoice.status == invoice::Status::Open && payment_behavior == PaymentBehavior::DefaultIncomplete;
    if is_owed && after.status == Status::Active {
        after.enter(Status::PastDue, now)?;
    }
    save(tx, who, after).await?;
    Ok(invoice)
}

/// Whether an invoice beside the regular ones is to be charged now. Where there is nothing to charge, that has failed
/// already.
pub(crate) async fn begin_collecting(
    tx: &mut Tx,
    who: &Actor,
    subscription: &Subscription,
    invoice: &mut Invoice,
) -> Result<bool> {
    if invoice.status != invoice::Status::Open || invoice.collection_method == CollectionMethod::SendInvoice {
        return Ok(false);
    }
    let customer = customer::get(tx, who, &subscription.customer).await?;
    if subscription.can_pay(&customer) {
        payment::expect(tx, who, invoice).await?;
        return Ok(true);
    }
    payment::failed(tx, who, invoice, "invoice.payment_failed", true).await?;
    Ok(false)
}

/// Counts a change that costs something, and refuses the one too many of a day (UTC).
pub(crate) async fn count_change(tx: &mut Tx, who: &Actor, id: &str, now: Seconds) -> Result<()> {
    let counted = run!(
        tx,
        "update subscription set changes = case when changes_on = $3 then changes + 1 else 1 end, changes_on = $3
         where tenant = $1 and id = $2 and (changes_on is null or changes_on <> $3 or changes < $4)",
        who.tenant.key,
        id,
        now.0.div_euclid(86_400),
        MOST_CHANGES
    )?;
    match counted {
        1 => Ok(()),
        _ => Err(Error::TooOften("The items of a subscription can change 20 times a day. Please try again tomorrow.")),
    }
}

/// A method is going away: the subscriptions that name it fall back to their customer's default.
pub(crate) async fn forget_method(tx: &mut Tx, who: &Actor, customer: &str, method: &str) -> Result<()> {
    let naming: Vec<(String,)> = all!(
        tx,
        "select id from subscription where tenant = $1 and customer = $2 and default_payment_method = $3 order by created, id",
        who.tenant.key,
        customer,
        method
    )?;
    for (id,) in naming {
        charge_to(tx, who, &id, None).await?;
    }
    Ok(())
}

/// From now on a subscription charges this method of its customer's; with none, their default.
pub(crate) async fn charge_to(tx: &mut Tx, who: &Actor, id: &str, method: Option<&str>) -> Result<()> {
    let before = get(tx, who, id).await?;
    let mut after = Subscription { default_payment_method: method.map(str::to_owned), ..before.clone() };
    save(tx, who, &mut after).await?;
    let event = "customer.subscription.updated";
    announce(tx, who, Some(&before), &after, event, &[event]).await
}
