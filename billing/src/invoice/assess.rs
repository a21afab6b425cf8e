//! What the lines of an invoice bear: which tax rates apply to each, how much that is, and what the document adds up to.

use serde_json::{Value, json};

use crate::actor::Actor;
use crate::catalog::price::TaxBehavior;
use crate::catalog::{TaxRate, tax_rate};
use crate::customer::Customer;
use crate::error::Result;
use crate::invoice::{NewLine, Terms};
use crate::money::bounded;
use crate::store::{Tx, maybe};
use crate::tax::{self, Parties, Rate, Reason};

/// One line's taxes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Borne {
    /// Exclusive and inclusive together.
    pub tax: i64,
    /// On top of the line.
    pub exclusive: i64,
    /// Each by its rate, in Stripe's shape.
    pub taxes: Value,
}

/// What an invoice adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub subtotal: i64,
    pub discount: i64,
    pub tax: i64,
    pub total: i64,
}

/// A rate as it stands on one line.
#[derive(Debug, Clone)]
pub(crate) struct Applied {
    pub id: String,
    pub rate: Rate,
}

/// Who is billed by whom, and which rates that makes.
pub(crate) struct Basis {
    pub untaxed: Option<Reason>,
    /// The merchant's rates for where the customer is; `None` where they are not asked for.
    pub automatic: Option<Vec<TaxRate>>,
}

/// The taxes on what discounts have left of each line: by the line's own rates, else the invoice's, else, with automatic
/// tax, by the merchant's for the customer's country and state. A credit is taxed as its debit was.
pub(crate) async fn lines(
    tx: &mut Tx,
    who: &Actor,
    (merchant, customer): (&str, &Customer),
    terms: &Terms,
    lines: &[NewLine],
    left: &[i64],
) -> Result<Vec<Borne>> {
    let basis = basis(tx, who, (merchant, customer), terms).await?;
    let mut each = Vec::new();
    for (line, left) in lines.iter().zip(left) {
        each.push(match &line.taxes {
            Some(taxes) => as_before(tx, who, *left, taxes).await?,
            None => bear(*left, &rates(line, terms, &basis), &basis),
        });
    }
    Ok(each)
}

/// The document: the sum of its lines as they are, what discounts take, and the exclusive tax on top of what is `left`.
pub(crate) fn sums(lines: &[NewLine], left: &[i64], borne: &[Borne]) -> Result<Sums> {
    let sum = |amounts: &mut dyn Iterator<Item = i64>| bounded(amounts.map(i128::from).sum(), "items");
    let subtotal = sum(&mut lines.iter().map(|line| line.amount))?;
    let exclusive = borne.iter().map(|line| line.exclusive);
    Ok(Sums {
        subtotal,
        discount: subtotal - sum(&mut left.iter().copied())?,
        tax: sum(&mut borne.iter().map(|line| line.tax))?,
        total: sum(&mut left.iter().copied().chain(exclusive))?,
    })
}

async fn basis(tx: &mut Tx, who: &Actor, (merchant, customer): (&str, &Customer), terms: &Terms) -> Result<Basis> {
    let address = customer.address.as_ref();
    let vat_id = vat_country(tx, who, &customer.id).await?;
    let parties = Parties {
        merchant,
        customer: address.and_then(|address| address.country.as_deref()),
        exempt: customer.tax_exempt,
        vat_id: vat_id.as_deref(),
    };
    let automatic = match terms.automatic_tax {
        false => None,
        true => {
            let state = address.and_then(|address| address.state.as_deref());
            let mut rates = tax_rate::of_country(tx, who, parties.customer).await?;
            rates.retain(|rate| parties.are_under(rate.country.as_deref(), rate.state.as_deref(), state));
            Some(rates)
        }
    };
    Ok(Basis { untaxed: parties.untaxed(), automatic })
}

/// The country of the customer's verified EU VAT ID.
async fn vat_country(tx: &mut Tx, who: &Actor, customer: &str) -> Result<Option<String>> {
    let found: Option<(Option<String>,)> = maybe!(
        tx,
        "select country from tax_id where tenant = $1 and customer = $2 and type = 'eu_vat' and verification = 'verified'
         and deleted_at is null order by created, id limit 1",
        who.tenant.key,
        customer
    )?;
    Ok(found.and_then(|(country,)| country))
}

fn rates(line: &NewLine, terms: &Terms, basis: &Basis) -> Vec<Applied> {
    let named = if line.tax_rates.is_empty() { &terms.default_tax_rates } else { &line.tax_rates };
    if !named.is_empty() {
        let rates = named.iter().filter_map(|named| named.rate.as_ref());
        return rates.map(|rate| apply(rate, rate.inclusive)).collect();
    }
    let behavior = line.tax_behavior.or(line.price.as_ref().map(|price| price.tax_behavior));
    let automatic = basis.automatic.iter().flatten().map(|rate| match behavior {
        Some(TaxBehavior::Inclusive) => apply(rate, true),
        Some(TaxBehavior::Exclusive) => apply(rate, false),
        Some(TaxBehavior::Unspecified) | None => apply(rate, rate.inclusive),
    });
    automatic.collect()
}

/// The same rates, for the same reasons, as on the line whose `taxes` these are.
async fn as_before(tx: &mut Tx, who: &Actor, amount: i64, taxes: &Value) -> Result<Borne> {
    let (mut rates, mut untaxed) = (Vec::new(), None);
    for tax in taxes.as_array().into_iter().flatten() {
        let reason = Reason::parse(tax["taxability_reason"].as_str().unwrap_or_default(), "taxability_reason")?;
        if !matches!(reason, Reason::StandardRated | Reason::ZeroRated) {
            untaxed = Some(reason);
        }
        if let Some(id) = tax["tax_rate_details"]["tax_rate"].as_str() {
            let rate = tax_rate::get(tx, who, id).await?;
            rates.push(apply(&rate, tax["tax_behavior"] == "inclusive"));
        }
    }
    // Automatic tax that found no rate left its reason alone.
    let automatic = (rates.is_empty() && untaxed.is_some()).then(Vec::new);
    Ok(bear(amount, &rates, &Basis { untaxed, automatic }))
}

fn apply(rate: &TaxRate, inclusive: bool) -> Applied {
    Applied { id: rate.id.clone(), rate: Rate { percentage: rate.percentage, inclusive } }
}

pub(crate) fn bear(amount: i64, rates: &[Applied], basis: &Basis) -> Borne {
    let nothing = |taxes: Vec<Value>| Borne { tax: 0, exclusive: 0, taxes: taxes.into() };
    if rates.is_empty() && basis.automatic.is_some() {
        return nothing(vec![entry(0, amount, None, basis.untaxed.unwrap_or(Reason::NotCollecting))]);
    }
    if let Some(reason) = basis.untaxed {
        return nothing(rates.iter().map(|applied| entry(0, amount, Some(applied), reason)).collect());
    }
    let plain: Vec<Rate> = rates.iter().map(|applied| applied.rate).collect();
    let taxed = tax::on_line(amount, &plain);
    let each = rates.iter().zip(&taxed.taxes);
    let exclusive = each.clone().filter(|(applied, _)| !applied.rate.inclusive).map(|(_, tax)| tax).sum();
    let taxes = each.map(|(applied, tax)| {
        let is_zero = applied.rate.percentage.steps() == 0;
        entry(*tax, taxed.net, Some(applied), if is_zero { Reason::ZeroRated } else { Reason::StandardRated })
    });
    Borne { tax: taxed.taxes.iter().sum(), exclusive, taxes: taxes.collect() }
}

/// One entry of a line's `taxes`.
fn entry(amount: i64, taxable: i64, applied: Option<&Applied>, reason: Reason) -> Value {
    let behavior = if applied.is_some_and(|applied| applied.rate.inclusive) { "inclusive" } else { "exclusive" };
    json!({
        "amount": amount,
        "tax_behavior": behavior,
        "tax_rate_details": applied.map(|applied| json!({ "tax_rate": applied.id })),
        "taxability_reason": reason,
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Seconds;
    use crate::decimal::Decimal;
    use proptest::prelude::*;

    fn applied() -> impl Strategy<Value = Applied> {
        (0u32..300_000, any::<bool>()).prop_map(|(n, inclusive)| {
            let text = format!("{}.{:04}", n / 10_000, n % 10_000);
            let percentage = Decimal::parse(&text, tax_rate::PLACES, "percentage").unwrap();
            Applied { id: text, rate: Rate { percentage, inclusive } }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn a_document_is_the_sum_of_its_rounded_lines(
            lines in proptest::collection::vec((-500_000i64..1_000_000, proptest::collection::vec(applied(), 0..3)), 0..8),
        ) {
            let basis = Basis { untaxed: None, automatic: None };
            let amounts: Vec<i64> = lines.iter().map(|(amount, _)| *amount).collect();
            let borne: Vec<Borne> = lines.iter().map(|(amount, rates)| bear(*amount, rates, &basis)).collect();
            let at = (Seconds(0), Seconds(1));
            let new: Vec<NewLine> = amounts.iter().map(|amount| NewLine::new("x".into(), 1, *amount, at)).collect();
            let sums = sums(&new, &amounts, &borne).unwrap();
            prop_assert_eq!(sums.subtotal, amounts.iter().sum::<i64>());
            let entries = || borne.iter().flat_map(|line| line.taxes.as_array().unwrap());
            let amount = |entry: &Value| entry["amount"].as_i64().unwrap();
            prop_assert_eq!(sums.tax, entries().map(amount).sum::<i64>());
            let on_top: i64 = entries().filter(|entry| entry["tax_behavior"] == "exclusive").map(amount).sum();
            prop_assert_eq!(sums.total, sums.subtotal + on_top);
        }

        #[test]
        fn who_is_not_taxed_pays_the_line(amount in -500_000i64..1_000_000, rates in proptest::collection::vec(applied(), 0..3)) {
            let basis = Basis { untaxed: Some(Reason::ReverseCharge), automatic: None };
            let borne = bear(amount, &rates, &basis);
            prop_assert_eq!((borne.tax, borne.exclusive), (0, 0));
            prop_assert_eq!(borne.taxes.as_array().unwrap().len(), rates.len());
        }
    }
}
