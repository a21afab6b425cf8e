//! Tax on invoices: by named rates, or by where the customer is.

use billing::catalog::price::{self, TaxBehavior};
use billing::catalog::tax_rate;
use billing::catalog::{NewPrice, NewTaxRate, Price, TaxRate, TaxRateUpdate};
use billing::customer::{self, Address, Customer, CustomerUpdate, TaxExempt};
use billing::invoice::Invoice;
use billing::subscription::{CollectionMethod, NewItem, NewSubscription, Subscription, SubscriptionUpdate, update};
use billing::{Decimal, Patch, cycle, wire};
use serde_json::{Value, json};

use crate::support::{MONTHLY, Stage, done, on_both, plain_price, plan, refused};

struct Made {
    subscription: Subscription,
    invoice: Invoice,
    wire: Value,
}

pub async fn rate(stage: &Stage, percentage: &str, inclusive: bool, place: Option<(&str, Option<&str>)>) -> TaxRate {
    let new = NewTaxRate {
        display_name: "Tax".into(),
        inclusive,
        percentage: Decimal::parse(percentage, 4, "percentage").unwrap(),
        fields: TaxRateUpdate {
            country: place.map_or(Patch::Keep, |(country, _)| Patch::Set(country.into())),
            state: place.and_then(|(_, state)| state).map_or(Patch::Keep, |state| Patch::Set(state.into())),
            ..TaxRateUpdate::default()
        },
    };
    done!(stage, |tx| tax_rate::create(tx, &stage.who, new.clone()))
}

async fn customer_in(stage: &Stage, country: &str, state: Option<&str>, exempt: TaxExempt) -> Customer {
    let address = Address { country: Some(country.into()), state: state.map(Into::into), ..Address::default() };
    let new =
        CustomerUpdate { address: Patch::Set(address), tax_exempt: Patch::Set(exempt), ..CustomerUpdate::default() };
    done!(stage, |tx| customer::create(tx, &stage.who, new.clone()))
}

async fn priced(stage: &Stage, amount: i64, behavior: Option<TaxBehavior>) -> Price {
    let product = stage.price(1).await.product;
    let new =
        NewPrice { recurring: Some(MONTHLY), tax_behavior: behavior, ..plain_price(stage.eur(), &product, amount) };
    done!(stage, |tx| price::create(tx, &stage.who, new.clone()))
}

/// Sent invoices need no method.
fn sent(customer: &Customer, price: &Price) -> NewSubscription {
    NewSubscription {
        collection_method: CollectionMethod::SendInvoice,
        days_until_due: Some(30),
        ..plan(customer, price)
    }
}

async fn made(stage: &Stage, new: NewSubscription) -> Made {
    let created = stage.create(new).await;
    let invoice = stage.invoice(&created.invoice.id).await;
    assert_eq!(created.invoice, invoice, "what is made is what is kept");
    let wire = wire::invoice(&stage.who.tenant, &invoice);
    Made { subscription: created.subscription, invoice, wire }
}

/// Subtotal, tax, total.
fn sums(invoice: &Invoice) -> (i64, i64, i64) {
    assert_eq!(invoice.amount_due, invoice.total);
    (invoice.subtotal, invoice.tax, invoice.total)
}

#[tokio::test(flavor = "multi_thread")]
async fn tax_is_rounded_on_each_line_and_summed() {
    on_both(async |stage| {
        let vat = rate(stage, "10", false, None).await;
        let customer = stage.customer().await;
        let first = priced(stage, 5, None).await;
        let mut new = NewSubscription { default_tax_rates: vec![vat.id.clone()], ..sent(&customer, &first) };
        for _ in 0..11 {
            let price = priced(stage, 5, None).await;
            let item = NewItem { price: price.id, price_data: None, quantity: None, tax_rates: Vec::new(), discounts: Vec::new(), metadata: Patch::Keep };
            new.items.push(item);
        }
        let made = made(stage, new).await;
        assert_eq!(sums(&made.invoice), (60, 12, 72), "twelve times 0.05 and 0.01");
        let lines = &made.wire["lines"];
        assert_eq!((lines["data"].as_array().unwrap().len(), &lines["has_more"]), (10, &json!(true)));
        let total = json!([{
            "amount": 12, "tax_behavior": "exclusive", "tax_rate_details": {"tax_rate": vat.id}, "taxability_reason": "standard_rated",
            "taxable_amount": 60, "type": "tax_rate_details",
        }]);
        assert_eq!(made.wire["total_taxes"], total, "also of the lines that are not shown");
        assert_eq!((&made.wire["tax"], &made.wire["total_excluding_tax"]), (&json!(12), &json!(60)));
        assert_eq!(made.wire["total_tax_amounts"][0]["tax_rate"], json!(vat.id));
        let shown = wire::subscription(&stage.who.tenant, &stage.subscription(&made.subscription.id).await);
        assert_eq!(shown["default_tax_rates"][0]["id"], json!(vat.id));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_items_own_rates_come_before_the_subscriptions() {
    on_both(async |stage| {
        let (high, low) = (rate(stage, "19", false, None).await, rate(stage, "7", true, None).await);
        let (customer, price) = (stage.customer().await, priced(stage, 1070, None).await);
        let other = priced(stage, 1000, None).await;
        let mut new = NewSubscription { default_tax_rates: vec![high.id.clone()], ..sent(&customer, &price) };
        new.items[0].tax_rates = vec![low.id.clone()];
        new.items.push(NewItem {
            price: other.id,
            price_data: None,
            quantity: None,
            tax_rates: Vec::new(),
            discounts: Vec::new(),
            metadata: Patch::Keep,
        });
        let made = made(stage, new).await;
        assert_eq!(sums(&made.invoice), (2070, 70 + 190, 2260), "0.70 is in the price, 1.90 is not");
        assert_eq!(
            (&made.wire["total_excluding_tax"], &made.wire["subtotal_excluding_tax"]),
            (&json!(2000), &json!(2000))
        );
        let amounts: Vec<_> = made.invoice.lines.iter().map(|line| (line.amount, line.tax)).collect();
        assert_eq!(amounts, [(1070, 70), (1000, 190)]);
        let item = wire::item(&stage.who.tenant, &stage.subscription(&made.subscription.id).await.items[0]);
        assert_eq!(item["tax_rates"][0]["percentage"], json!(7));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn automatic_tax_is_that_of_the_customers_country_and_state() {
    on_both(async |stage| {
        let german = rate(stage, "19", true, Some(("DE", None))).await;
        rate(stage, "20", false, Some(("FR", None))).await;
        let federal = rate(stage, "5", false, Some(("CA", None))).await;
        let quebec = rate(stage, "9.975", false, Some(("CA", Some("QC")))).await;
        let old = rate(stage, "16", false, Some(("DE", None))).await;
        let archive = TaxRateUpdate { active: Some(false), ..TaxRateUpdate::default() };
        done!(stage, |tx| tax_rate::update(tx, &stage.who, &old.id, archive.clone()));

        let taxes = async |country: &str, state: Option<&str>, exempt, behavior| {
            let customer = customer_in(stage, country, state, exempt).await;
            let price = priced(stage, 11900, behavior).await;
            let made = made(stage, NewSubscription { automatic_tax: true, ..sent(&customer, &price) }).await;
            assert_eq!(made.wire["automatic_tax"]["status"], "complete");
            let each = made.invoice.lines[0].taxes.as_array().unwrap().iter().map(|tax| {
                let rate = tax["tax_rate_details"]["tax_rate"].as_str().unwrap_or_default().to_owned();
                (rate, tax["amount"].as_i64().unwrap(), tax["taxability_reason"].as_str().unwrap().to_owned())
            });
            (sums(&made.invoice).2, each.collect::<Vec<_>>())
        };
        let one = |rate: &str, amount, reason: &str| (rate.to_owned(), amount, reason.to_owned());
        let (taxed, free) = (TaxExempt::None, TaxExempt::Exempt);
        let standard = "standard_rated";
        assert_eq!(taxes("DE", None, taxed, None).await, (11900, vec![one(&german.id, 1900, standard)]));
        let on_top = taxes("DE", None, taxed, Some(TaxBehavior::Exclusive)).await;
        assert_eq!(on_top, (14161, vec![one(&german.id, 2261, standard)]), "the price says how");
        let both = vec![one(&federal.id, 595, standard), one(&quebec.id, 1187, standard)];
        assert_eq!(taxes("CA", Some("QC"), taxed, None).await, (13682, both));
        assert_eq!(taxes("CA", Some("ON"), taxed, None).await, (12495, vec![one(&federal.id, 595, standard)]));
        assert_eq!(taxes("JP", None, taxed, None).await, (11900, vec![one("", 0, "not_collecting")]));
        assert_eq!(taxes("DE", None, free, None).await, (11900, vec![one(&german.id, 0, "customer_exempt")]));
        let reverse = taxes("FR", None, TaxExempt::Reverse, None).await;
        assert_eq!((reverse.0, reverse.1[0].1, reverse.1[0].2.as_str()), (11900, 0, "reverse_charge"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_vat_id_of_another_member_state_turns_the_charge_around() {
    on_both(async |stage| {
        rate(stage, "20", false, Some(("FR", None))).await;
        let customer = customer_in(stage, "FR", None, TaxExempt::None).await;
        let price = priced(stage, 1000, None).await;
        let total = async || {
            let price = priced(stage, 1000, None).await;
            made(stage, NewSubscription { automatic_tax: true, ..sent(&customer, &price) }).await.invoice.total
        };
        assert_eq!(total().await, 1200);
        stage
            .force(
                "insert into tax_id (tenant, id, customer, type, value, country, verification, created)
                 select tenant, 'txi_1', id, 'eu_vat', 'FRAB123456789', 'FR', 'pending', created from customer",
            )
            .await
            .unwrap();
        assert_eq!(total().await, 1200, "a number that nobody has verified proves nothing");
        stage.force("update tax_id set verification = 'verified'").await.unwrap();
        let made = made(stage, NewSubscription { automatic_tax: true, ..sent(&customer, &price) }).await;
        assert_eq!((made.invoice.total, made.invoice.tax), (1000, 0));
        assert_eq!(made.wire["total_taxes"][0]["taxability_reason"], "reverse_charge");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_rates_is_for_the_next_invoice() {
    on_both(async |stage| {
        let vat = rate(stage, "19", false, None).await;
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        let set = |rates| SubscriptionUpdate { default_tax_rates: rates, ..SubscriptionUpdate::default() };
        let named = set(Patch::Set(vec![vat.id.clone()]));
        done!(stage, |tx| update::update(tx, &stage.who, &subscription.id, named.clone()));
        assert_eq!(
            stage.last_event(&subscription.id).await.data["object"]["default_tax_rates"][0]["id"],
            json!(vat.id)
        );
        let renew = async || {
            stage.go_to(stage.subscription(&subscription.id).await.current_period_end);
            done!(stage, |tx| cycle::advance(tx, &stage.who, &subscription.id));
            stage.invoices(&customer.id).await.pop().unwrap()
        };
        assert_eq!(sums(&renew().await), (1000, 190, 1190));
        done!(stage, |tx| update::update(tx, &stage.who, &subscription.id, set(Patch::Clear)));
        assert_eq!(sums(&renew().await), (1000, 0, 1000));
        let automatic = SubscriptionUpdate { automatic_tax: Some(true), ..SubscriptionUpdate::default() };
        done!(stage, |tx| update::update(tx, &stage.who, &subscription.id, automatic.clone()));
        assert_eq!(renew().await.lines[0].taxes[0]["taxability_reason"], "not_collecting");
        let both = refused!(stage, |tx| update::update(tx, &stage.who, &subscription.id, named.clone()));
        assert_eq!(crate::support::field(&both), "default_tax_rates");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_that_cannot_be_named_are_refused_by_name() {
    on_both(async |stage| {
        let (customer, price) = (stage.customer().await, stage.price(100).await);
        let (vat, old) = (rate(stage, "19", false, None).await, rate(stage, "16", false, None).await);
        let archive = TaxRateUpdate { active: Some(false), ..TaxRateUpdate::default() };
        done!(stage, |tx| tax_rate::update(tx, &stage.who, &old.id, archive.clone()));
        let named = |ids: &[&str]| NewSubscription {
            default_tax_rates: ids.iter().map(|id| (*id).to_owned()).collect(),
            ..sent(&customer, &price)
        };
        assert_eq!(stage.create_refused(named(&["txr_no"])).await, "default_tax_rates[0]");
        assert_eq!(stage.create_refused(named(&[&vat.id, &old.id])).await, "default_tax_rates[1]");
        assert_eq!(stage.create_refused(named(&[&vat.id, &vat.id])).await, "default_tax_rates[1]");
        assert_eq!(stage.create_refused(named(&["x"; 6])).await, "default_tax_rates");
        let both = NewSubscription { automatic_tax: true, ..named(&[&vat.id]) };
        assert_eq!(stage.create_refused(both).await, "default_tax_rates");
        let mut own = named(&[]);
        own.items[0].tax_rates = vec!["txr_no".into()];
        assert_eq!(stage.create_refused(own).await, "items[0][tax_rates][0]");
    })
    .await;
}
