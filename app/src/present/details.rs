//! The customer's billing details as lines to read and as forms to fill in.

use billing::customer::{Address, Customer, Shipping, tax_id};
use billing::patch::Patch;
use billing::portal::details::{DetailsUpdate, allows};
use billing::portal::features::AllowedUpdate;
use billing::{Error, Page, Result, Tx};

use super::{address, deed, tax_ids};
use crate::pages::details::{Block, Details};
use crate::pages::details_form::{Country, DetailsForm, Entered};
use crate::parts::{Choice, Field, options};
use crate::session::Session;
use crate::text::{Locale, countries, say};

/// A place that a form may lead back to: a purchase of ours, and nothing else.
fn back(next: Option<String>) -> Option<String> {
    next.filter(|next| next.starts_with("/subscribe/review?"))
}

/// Where a saved form leads.
pub fn after(next: Option<String>, usual: impl FnOnce() -> String) -> String {
    back(next).unwrap_or_else(usual)
}

pub async fn read(
    tx: &mut Tx,
    session: &Session,
    said: Option<(String, String)>,
    next: Option<String>,
) -> Result<Details> {
    let (locale, customer) = (session.locale, &session.guest.customer);
    let may = |field| !session.who.is_read_only() && allows(&session.guest.configuration, field);
    let held = tax_id::list(tx, &session.who, &customer.id, &Page::first(100)).await?.data;
    let next = back(next);
    let mut blocks = blocks(locale, customer, may);
    if let Some(next) = &next {
        let encoded: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        for edit in blocks.iter_mut().filter_map(|block| block.edit.as_mut()) {
            edit.push_str("?next=");
            edit.push_str(&encoded);
        }
    }
    Ok(Details {
        blocks,
        next,
        tax_ids: tax_ids::view(locale, customer, &held, may(AllowedUpdate::TaxId)),
        note: say!(detail.note, locale),
        done: just_done(tx, session, said).await?,
    })
}

/// What the page may say was done.
async fn just_done(tx: &mut Tx, session: &Session, said: Option<(String, String)>) -> Result<Option<String>> {
    let Some((done, of)) = said else { return Ok(None) };
    let (action, text) = match done.as_str() {
        "saved" => ("customer.updated", say!(detail.saved, session.locale)),
        "added" => ("customer.tax_id.created", say!(detail.tax_added, session.locale)),
        "removed" => ("customer.tax_id.deleted", say!(detail.tax_removed, session.locale)),
        _ => return Ok(None),
    };
    Ok(deed::just_was(tx, session, action, &of).await?.then_some(text))
}

fn blocks(locale: Locale, customer: &Customer, may: impl Fn(AllowedUpdate) -> bool) -> Vec<Block> {
    let block = |part: &str, title: String, lines: Vec<String>, may: bool| Block {
        part: part.into(),
        title,
        none: lines.is_empty().then(|| say!(detail.none, locale)),
        lines,
        edit: may.then(|| format!("/details/{part}")),
    };
    let contact = [&customer.name, &customer.email, &customer.phone].into_iter().flatten().cloned().collect();
    let billed = customer.address.as_ref().map(|address| address::lines(locale, address)).unwrap_or_default();
    let named = may(AllowedUpdate::Name) || may(AllowedUpdate::Phone);
    let mut blocks = vec![
        block("contact", say!(detail.contact, locale), contact, named),
        block("address", say!(detail.address, locale), billed, may(AllowedUpdate::Address)),
    ];
    if customer.shipping.is_some() || may(AllowedUpdate::Shipping) {
        let shipped = customer.shipping.as_ref().map(|shipping| shipping_lines(locale, shipping)).unwrap_or_default();
        blocks.push(block("shipping", say!(detail.shipping, locale), shipped, may(AllowedUpdate::Shipping)));
    }
    blocks
}

fn shipping_lines(locale: Locale, shipping: &Shipping) -> Vec<String> {
    let mut lines: Vec<String> = Some(shipping.name.clone()).filter(|name| !name.is_empty()).into_iter().collect();
    lines.extend(address::lines(locale, &shipping.address));
    lines.extend(shipping.phone.clone());
    lines
}

/// The form of one part; refused where the part may not be changed, missing where there is no such part.
pub fn form(session: &Session, part: &str, country: Option<String>, next: Option<String>) -> Result<DetailsForm> {
    Ok(DetailsForm { next: back(next), ..part_form(session, part, country)? })
}

fn part_form(session: &Session, part: &str, country: Option<String>) -> Result<DetailsForm> {
    let (locale, customer) = (session.locale, &session.guest.customer);
    let may = |field| !session.who.is_read_only() && allows(&session.guest.configuration, field);
    let country = country.filter(|code| countries::exists(code));
    let refused = Error::Forbidden("This part of the details cannot be changed here.");
    match part {
        "contact" if may(AllowedUpdate::Name) || may(AllowedUpdate::Phone) => {
            let name = may(AllowedUpdate::Name).then(|| name(locale, customer.name.as_deref()));
            let phone = may(AllowedUpdate::Phone).then(|| phone(locale, customer.phone.as_deref()));
            let fields = [name, phone].into_iter().flatten().map(entry).collect();
            Ok(DetailsForm {
                part: part.into(),
                title: say!(detail.contact, locale),
                country: None,
                fields,
                next: None,
            })
        }
        "address" if may(AllowedUpdate::Address) => {
            let known = customer.address.as_ref().map(|address| address.0.clone()).unwrap_or_default();
            Ok(address_form(locale, part, say!(detail.address, locale), &known, country, Vec::new()))
        }
        "shipping" if may(AllowedUpdate::Shipping) => {
            let known = customer.shipping.as_ref().map(|shipping| shipping.0.clone()).unwrap_or_default();
            let own = Some(known.name.as_str()).filter(|name| !name.is_empty()).or(customer.name.as_deref());
            let named = Field { required: true, ..name(locale, own) };
            let called = phone(locale, known.phone.as_deref());
            let title = say!(detail.shipping, locale);
            Ok(address_form(locale, part, title, &known.address, country, vec![named, called]))
        }
        "contact" | "address" | "shipping" => Err(refused),
        _ => Err(Error::missing("customer", part)),
    }
}

fn address_form(
    locale: Locale,
    part: &str,
    title: String,
    known: &Address,
    country: Option<String>,
    before: Vec<Field>,
) -> DetailsForm {
    let code = country.or_else(|| known.country.clone()).unwrap_or_default();
    let mut choices = address::choices(locale, &code);
    if code.is_empty() {
        choices.insert(0, Choice { value: String::new(), label: say!(detail.country, locale), chosen: true });
    }
    let kind = if part == "shipping" { "shipping" } else { "billing" };
    let fields = before.into_iter().chain(address::fields(locale, &code, known));
    let fields = fields.map(|field| Field { autocomplete: format!("{kind} {}", field.autocomplete), ..entry(field) });
    let fields = if code.is_empty() { Vec::new() } else { fields.collect() };
    DetailsForm {
        part: part.into(),
        title,
        country: Some(Country { code, options: options(choices) }),
        fields,
        next: None,
    }
}

/// Under the name that the form sends it by.
fn entry(field: Field) -> Field {
    Field { name: format!("entered[{}]", field.name), ..field }
}

fn name(locale: Locale, value: Option<&str>) -> Field {
    field("name", say!(detail.name, locale), value, "name", 256)
}

fn phone(locale: Locale, value: Option<&str>) -> Field {
    field("phone", say!(detail.phone, locale), value, "tel", 20)
}

fn field(name: &str, label: String, value: Option<&str>, autocomplete: &str, longest: u32) -> Field {
    let (value, autocomplete) = (value.unwrap_or_default().to_owned(), autocomplete.to_owned());
    Field { name: name.into(), label, value, autocomplete, required: false, longest }
}

/// What a form holds, as the update that it asks for.
pub fn entered(part: &str, entered: Entered) -> Result<DetailsUpdate> {
    let update = DetailsUpdate::default();
    match part {
        "contact" => Ok(DetailsUpdate { name: patch(entered.name), phone: patch(entered.phone), ..update }),
        "address" => Ok(DetailsUpdate { address: Patch::Set(address_of(&entered)?), ..update }),
        "shipping" => {
            let address = address_of(&entered)?;
            let name =
                given(entered.name).ok_or_else(|| Error::invalid("required", "A shipping address has a name."))?;
            let shipping = Shipping { address, name, phone: given(entered.phone) };
            Ok(DetailsUpdate { shipping: Patch::Set(shipping), ..update })
        }
        _ => Err(Error::missing("customer", part)),
    }
}

fn address_of(entered: &Entered) -> Result<Address> {
    let address = Address {
        city: given(entered.city.clone()),
        country: given(entered.country.clone()),
        line1: given(entered.line_one.clone()),
        line2: given(entered.line_two.clone()),
        postal_code: given(entered.postal_code.clone()),
        state: given(entered.state.clone()),
    };
    if address::is_complete(&address) {
        Ok(address)
    } else {
        Err(Error::invalid("required", "A line that the address's country asks for is empty."))
    }
}

fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn patch(text: Option<String>) -> Patch<String> {
    match text {
        None => Patch::Keep,
        Some(text) => given(Some(text)).map_or(Patch::Clear, Patch::Set),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::sample::customer;

    fn street() -> Entered {
        let some = |text: &str| Some(text.to_owned());
        Entered {
            country: some("DE"),
            line_one: some(" Lange Gasse 1 "),
            line_two: some(""),
            postal_code: some("53111"),
            city: some("Bonn"),
            ..Entered::default()
        }
    }

    #[test]
    fn only_what_may_be_changed_has_a_way_to_change_it() {
        let edits = |may: &[AllowedUpdate]| -> Vec<Option<String>> {
            blocks(Locale::En, &customer(), |field| may.contains(&field)).into_iter().map(|block| block.edit).collect()
        };
        assert_eq!(edits(&[]), [None, None]);
        let (contact, address) = (Some("/details/contact".to_owned()), Some("/details/address".to_owned()));
        assert_eq!(edits(&[AllowedUpdate::Phone, AllowedUpdate::Address]), [contact, address]);
        assert_eq!(edits(&[AllowedUpdate::Shipping])[2].as_deref(), Some("/details/shipping"));
    }

    #[test]
    fn an_address_is_taken_trimmed_and_whole() {
        let DetailsUpdate { address: Patch::Set(address), name: Patch::Keep, .. } =
            entered("address", street()).unwrap()
        else {
            panic!("the address alone is set")
        };
        assert_eq!((address.line1.as_deref(), address.line2), (Some("Lange Gasse 1"), None));
        let without = Entered { postal_code: Some("  ".into()), ..street() };
        let error = entered("address", without).unwrap_err();
        assert!(matches!(error, Error::Invalid { param, .. } if param == "required"));
        assert!(entered("shipping", street()).is_err(), "a name is missing");
        assert!(entered("shipping", Entered { name: Some("Ada".into()), ..street() }).is_ok());
        assert!(entered("anything", street()).is_err());
    }

    #[test]
    fn an_empty_entry_clears_and_an_absent_one_keeps() {
        let contact = Entered { name: Some(String::new()), ..Entered::default() };
        let update = entered("contact", contact).unwrap();
        assert_eq!((update.name, update.phone), (Patch::Clear, Patch::Keep));
        let contact = Entered { phone: Some(" 5 ".into()), ..Entered::default() };
        assert_eq!(entered("contact", contact).unwrap().phone, Patch::Set("5".into()));
    }

    #[test]
    fn a_form_begins_with_the_country() {
        let known = Address { country: Some("US".into()), city: Some("Boise".into()), ..Address::default() };
        let form = address_form(Locale::En, "shipping", String::new(), &known, Some("JP".into()), Vec::new());
        assert_eq!(form.country.as_ref().unwrap().code, "JP");
        assert_eq!(form.fields[0].name, "entered[postal_code]");
        assert_eq!(form.fields[0].autocomplete, "shipping postal-code");
        assert_eq!(form.fields[2].value, "Boise");
        let html = form.country.unwrap().options.html();
        assert!(html.contains(">Japan<") && html.matches(" selected").count() == 1, "one is chosen");
    }
}
