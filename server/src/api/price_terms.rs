//! What a price costs, as its parameters say it: an amount a unit, packages, or tiers.

use billing::catalog::cost::{Cost, Round, Tier, TiersMode, Transform};
use billing::decimal::{Decimal, PLACES};
use billing::money::MAX_AMOUNT;
use billing::{Error, Result};

use super::params::{Params, missing};

pub fn read(params: &mut Params) -> Result<Cost> {
    let tiered = params.word("billing_scheme", parse_scheme)?.unwrap_or(false);
    let unit = read_amount(params, "unit_amount")?;
    let transform = params.object("transform_quantity", read_transform)?;
    let mode = params.word("tiers_mode", TiersMode::parse)?;
    let tiers = params.objects("tiers", read_tier)?;
    if tiered {
        let refuse = |name: &str| {
            Err(Error::invalid(params.name(name), format!("{name} cannot be used with `billing_scheme=tiered`.")))
        };
        return match (unit, transform, mode, tiers) {
            (Some(_), ..) => refuse("unit_amount"),
            (_, Some(_), ..) => refuse("transform_quantity"),
            (_, _, None, _) => Err(missing(params.name("tiers_mode"))),
            (_, _, _, None) => Err(missing(params.name("tiers"))),
            (None, None, Some(mode), Some(tiers)) => Ok(Cost::Tiered { mode, tiers }),
        };
    }
    for (name, is_given) in [("tiers", tiers.is_some()), ("tiers_mode", mode.is_some())] {
        if is_given {
            let message = format!("{name} can be used only with `billing_scheme=tiered`.");
            return Err(Error::invalid(params.name(name), message));
        }
    }
    let unit = unit.ok_or_else(|| Error::Invalid {
        param: params.name("unit_amount"),
        code: "parameter_missing",
        message: "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.".into(),
    })?;
    Ok(Cost::PerUnit { unit, transform })
}

fn parse_scheme(text: &str, param: &str) -> Result<bool> {
    match text {
        "per_unit" => Ok(false),
        "tiered" => Ok(true),
        _ => Err(Error::invalid(param, format!("Invalid {param}: must be one of per_unit, tiered"))),
    }
}

/// An amount in minor units: whole under its name, or with a fraction under its name and `_decimal`.
pub(super) fn read_amount(params: &mut Params, name: &str) -> Result<Option<Decimal>> {
    let fine = format!("{name}_decimal");
    let whole = params.integer(name)?;
    let decimal = params.word(&fine, |text, param| Decimal::parse(text, PLACES, param))?;
    let (param, amount) = match (whole, decimal) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            let message = format!("You may only specify one of these parameters: {name}, {fine}.");
            return Err(Error::invalid(params.name(&fine), message));
        }
        (Some(whole), None) => (params.name(name), u32::try_from(whole).ok().map(Decimal::whole)),
        (None, decimal) => (params.name(&fine), decimal),
    };
    // The limit fits: it is a number of eight digits.
    let most = Decimal::whole(u32::try_from(MAX_AMOUNT).unwrap_or_default());
    match amount.filter(|amount| *amount <= most) {
        Some(amount) => Ok(Some(amount)),
        None => Err(Error::invalid(param, format!("Invalid non-negative amount: at most {MAX_AMOUNT}"))),
    }
}

fn read_tier(tier: &mut Params) -> Result<Tier> {
    let up_to = tier.word("up_to", parse_up_to)?.ok_or_else(|| missing(tier.name("up_to")))?;
    Ok(Tier { up_to, unit_amount: read_amount(tier, "unit_amount")?, flat_amount: read_amount(tier, "flat_amount")? })
}

fn parse_up_to(text: &str, param: &str) -> Result<Option<i64>> {
    match text {
        "inf" => Ok(None),
        _ => text.parse().map(Some).map_err(|_| Error::invalid(param, "Invalid up_to: an integer or `inf`")),
    }
}

fn read_transform(params: &mut Params) -> Result<Transform> {
    let divide_by = params.integer("divide_by")?.ok_or_else(|| missing(params.name("divide_by")))?;
    let round = params.word("round", Round::parse)?.ok_or_else(|| missing(params.name("round")))?;
    Ok(Transform { divide_by, round })
}
