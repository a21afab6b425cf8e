//! Tax IDs in words, and the types that there are to choose from.

use billing::customer::Customer;
use billing::customer::tax_id::format::{self, Format};
use billing::customer::tax_id::{TaxId, Verification};

use crate::pages::details::{HeldTaxId, TaxIds};
use crate::parts::{Choice, Pill, Tone, options};
use crate::text::{Locale, countries, say};

pub fn view(locale: Locale, customer: &Customer, held: &[TaxId], may_change: bool) -> Option<TaxIds> {
    if held.is_empty() && !may_change {
        return None;
    }
    let country = customer.address.as_ref().and_then(|address| address.country.as_deref());
    Some(TaxIds {
        title: say!(detail.tax_ids, locale),
        held: held.iter().map(|tax_id| shown(locale, tax_id, may_change)).collect(),
        none: held.is_empty().then(|| say!(detail.none, locale)),
        types: may_change.then(|| options(types(locale, country))),
    })
}

fn shown(locale: Locale, tax_id: &TaxId, may_remove: bool) -> HeldTaxId {
    let pill = match tax_id.verification {
        Verification::Verified => Some((Tone::Good, say!(detail.verified, locale))),
        Verification::Unverified => Some((Tone::Warn, say!(detail.unverified, locale))),
        Verification::Pending => Some((Tone::Info, say!(detail.pending, locale))),
        Verification::Unavailable => None,
    };
    HeldTaxId {
        id: tax_id.id.clone(),
        value: tax_id.value.clone(),
        kind: kind(&tax_id.r#type),
        pill: pill.map(|(tone, label)| Pill { tone, label }),
        may_remove,
    }
}

/// `EU VAT`, `EIN`: the type's own name, without the country that stands beside it.
fn kind(code: &str) -> String {
    let name = match code.split_once('_') {
        Some((country, rest)) if country != "eu" => rest,
        _ => code,
    };
    name.replace('_', " ").to_uppercase()
}

/// Every type by its country's name, those of the customer's own country first.
fn types(locale: Locale, own: Option<&str>) -> Vec<Choice> {
    let order: Vec<&str> = countries::all(locale).map(|(code, _)| code).collect();
    let place = |format: &Format| {
        let code = format.country.unwrap_or_default();
        (own != Some(code), order.iter().position(|known| *known == code).unwrap_or(order.len()))
    };
    let mut formats: Vec<Format> = format::all().collect();
    formats.sort_by_key(place);
    let each = formats.iter().enumerate().map(|(n, format)| {
        let name = kind(format.r#type);
        let label = match format.country {
            Some(code) => format!("{} – {name} ({})", countries::name(locale, code), format.example),
            None => format!("{name} ({})", format.example),
        };
        Choice { value: format.r#type.into(), label, chosen: n == 0 }
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::sample::{at, customer};

    fn tax_id(verification: Verification) -> TaxId {
        TaxId {
            id: "txi_1".into(),
            customer: "cus_1".into(),
            r#type: "eu_vat".into(),
            value: "DE123456789".into(),
            country: Some("DE".into()),
            verification,
            verified_name: None,
            verified_address: None,
            created: at("2026-11-20"),
            deleted_at: None,
        }
    }

    #[test]
    fn a_number_says_what_its_register_says() {
        let label = |verification| shown(Locale::En, &tax_id(verification), true).pill.map(|pill| pill.label);
        assert_eq!(label(Verification::Verified).as_deref(), Some("Verified"));
        assert_eq!(label(Verification::Unverified).as_deref(), Some("Could not be verified"));
        assert_eq!(label(Verification::Pending).as_deref(), Some("Being verified"));
        assert_eq!(label(Verification::Unavailable), None, "no register was asked");
    }

    #[test]
    fn the_customers_own_country_comes_first() {
        let types = types(Locale::En, Some("US"));
        assert_eq!((types[0].value.as_str(), types[0].chosen), ("us_ein", true));
        assert!(types[0].label.starts_with("United States – EIN ("), "{}", types[0].label);
        assert!(types.iter().any(|choice| choice.label.starts_with("Germany – EU VAT (")));
        assert_eq!(types.iter().filter(|choice| choice.chosen).count(), 1);
        assert_eq!(types.len(), format::all().count());
    }

    #[test]
    fn where_none_is_held_and_none_may_be_added_there_is_nothing_to_see() {
        assert_eq!(view(Locale::En, &customer(), &[], false), None);
        let page = view(Locale::En, &customer(), &[tax_id(Verification::Verified)], false).unwrap();
        assert!(page.types.is_none() && !page.held[0].may_remove);
        assert!(view(Locale::En, &customer(), &[], true).unwrap().types.is_some());
    }
}
