//! Tax rates: a percentage under a name, for one country or state. What it takes never changes; a new rate is a new one.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::decimal::Decimal;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::page::{Listed, Page, page};
use crate::patch::{Metadata, MetadataPatch, Patch, check_text, merge_metadata};
use crate::store::{Json, Tx, all, maybe, run};
use crate::text_enum::text_enum;
use crate::{id, wire};

text_enum!(
    /// What kind of tax it is: Stripe's words.
    TaxType {
        AmusementTax = "amusement_tax",
        CommunicationsTax = "communications_tax",
        Gst = "gst",
        Hst = "hst",
        Igst = "igst",
        Jct = "jct",
        LeaseTax = "lease_tax",
        Pst = "pst",
        Qst = "qst",
        RetailDeliveryFee = "retail_delivery_fee",
        Rst = "rst",
        SalesTax = "sales_tax",
        ServiceTax = "service_tax",
        Vat = "vat",
    }
);

/// How exact a percentage may be (Stripe's limit).
pub const PLACES: u32 = 4;

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct TaxRate {
    pub id: String,
    pub active: bool,
    /// What the customer reads on the invoice: `VAT`.
    pub display_name: String,
    pub description: Option<String>,
    pub inclusive: bool,
    /// Of a hundred.
    pub percentage: Decimal,
    /// ISO 3166-1.
    pub country: Option<String>,
    /// ISO 3166-2 without the country.
    pub state: Option<String>,
    pub jurisdiction: Option<String>,
    pub tax_type: Option<TaxType>,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, active, display_name, description, inclusive, percentage, country, state, jurisdiction, tax_type, metadata, created, version"
    };
}

/// A rate that something names: kept by its id, and read with what names it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Named {
    pub id: String,
    pub rate: Option<TaxRate>,
}

impl From<String> for Named {
    fn from(id: String) -> Self {
        Self { id, rate: None }
    }
}

impl From<Named> for String {
    fn from(named: Named) -> Self {
        named.id
    }
}

#[derive(Debug, Clone)]
pub struct NewTaxRate {
    pub display_name: String,
    pub inclusive: bool,
    pub percentage: Decimal,
    pub fields: TaxRateUpdate,
}

#[derive(Debug, Clone, Default)]
pub struct TaxRateUpdate {
    pub active: Option<bool>,
    pub display_name: Option<String>,
    pub description: Patch<String>,
    pub country: Patch<String>,
    pub state: Patch<String>,
    pub jurisdiction: Patch<String>,
    pub tax_type: Patch<TaxType>,
    pub metadata: MetadataPatch,
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<TaxRate> {
    maybe!(tx, concat!("select ", columns!(), " from tax_rate where tenant = $1 and id = $2"), who.tenant.key, id)?
        .ok_or_else(|| Error::missing("tax_rate", id))
}

const MOST_NAMED: usize = 5;

/// The active rates of these ids, for something that is to name them; `param` is where they were given.
pub async fn named(tx: &mut Tx, who: &Actor, ids: &[String], param: &str) -> Result<Vec<Named>> {
    if ids.len() > MOST_NAMED {
        return Err(Error::invalid(param, format!("Up to {MOST_NAMED} tax rates can be given.")));
    }
    let mut named: Vec<Named> = Vec::new();
    for (n, id) in ids.iter().enumerate() {
        let param = format!("{param}[{n}]");
        let rate = get(tx, who, id).await.map_err(|e| e.on(&param))?;
        if !rate.active {
            return Err(Error::invalid(param, "The tax rate is inactive: only active tax rates can be given."));
        }
        if named.iter().any(|other| other.id == *id) {
            return Err(Error::invalid(param, "A tax rate can be given once."));
        }
        named.push(Named { id: id.clone(), rate: Some(rate) });
    }
    Ok(named)
}

/// Reads the rates that are named.
pub(crate) async fn load(tx: &mut Tx, who: &Actor, named: &mut [Named]) -> Result<()> {
    for one in named {
        one.rate = Some(get(tx, who, &one.id).await?);
    }
    Ok(())
}

/// The active rates of a country, oldest first.
pub(crate) async fn of_country(tx: &mut Tx, who: &Actor, country: Option<&str>) -> Result<Vec<TaxRate>> {
    all!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from tax_rate where tenant = $1 and active and country = $2 order by created, id"
        ),
        who.tenant.key,
        country
    )
}

#[derive(Debug, Clone, Default)]
pub struct TaxRateFilter {
    pub active: Option<bool>,
    pub inclusive: Option<bool>,
}

pub async fn list(tx: &mut Tx, who: &Actor, page: &Page, filter: &TaxRateFilter) -> Result<Listed<TaxRate>> {
    page!(
        tx,
        who,
        page,
        "tax_rate",
        columns!(),
        "(cast($7 as boolean) is null or active = $7) and (cast($8 as boolean) is null or inclusive = $8)",
        filter.active,
        filter.inclusive
    )
}

pub async fn create(tx: &mut Tx, who: &Actor, new: NewTaxRate) -> Result<TaxRate> {
    if new.percentage > Decimal::whole(100) {
        return Err(Error::invalid("percentage", "Invalid decimal: at most 100."));
    }
    let mut rate = TaxRate {
        id: id::new("txr", tx.now),
        active: true,
        display_name: new.display_name,
        description: None,
        inclusive: new.inclusive,
        percentage: new.percentage,
        country: None,
        state: None,
        jurisdiction: None,
        tax_type: None,
        metadata: Json::default(),
        created: tx.now.seconds(),
        version: 1,
    };
    apply(&mut rate, new.fields)?;
    run!(
        tx,
        concat!(
            "insert into tax_rate (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        ),
        who.tenant.key,
        &rate.id,
        rate.active,
        &rate.display_name,
        &rate.description,
        rate.inclusive,
        rate.percentage,
        &rate.country,
        &rate.state,
        &rate.jurisdiction,
        rate.tax_type,
        &rate.metadata,
        rate.created,
        rate.version
    )?;
    announce(tx, who, None, &rate, "tax_rate.created").await?;
    Ok(rate)
}

pub async fn update(tx: &mut Tx, who: &Actor, id: &str, update: TaxRateUpdate) -> Result<TaxRate> {
    let before = get(tx, who, id).await?;
    let mut rate = before.clone();
    apply(&mut rate, update)?;
    if rate == before {
        return Ok(rate);
    }
    save(tx, who, &mut rate).await?;
    announce(tx, who, Some(&before), &rate, "tax_rate.updated").await?;
    Ok(rate)
}

fn apply(rate: &mut TaxRate, update: TaxRateUpdate) -> Result<()> {
    rate.active = update.active.unwrap_or(rate.active);
    if let Some(name) = update.display_name {
        rate.display_name = name;
    }
    update.description.apply(&mut rate.description);
    update.country.apply(&mut rate.country);
    update.state.apply(&mut rate.state);
    update.jurisdiction.apply(&mut rate.jurisdiction);
    update.tax_type.apply(&mut rate.tax_type);
    merge_metadata(&mut rate.metadata.0, update.metadata)?;
    if rate.display_name.trim().is_empty() {
        return Err(Error::invalid("display_name", "A tax rate needs a display name."));
    }
    check_text(&rate.display_name, 50, "display_name")?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    check_text(&text(&rate.description), 5000, "description")?;
    check_text(&text(&rate.jurisdiction), 50, "jurisdiction")?;
    if rate.country.as_deref().is_some_and(|code| code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase())) {
        return Err(Error::invalid("country", "Invalid country: two letters (ISO 3166-1 alpha-2)."));
    }
    match (&rate.state, &rate.country) {
        (Some(_), None) => Err(Error::invalid("state", "A state needs its country.")),
        (Some(state), _)
            if state.is_empty() || state.len() > 10 || !state.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            Err(Error::invalid("state", "Invalid state: an ISO 3166-2 code without its country, such as CA."))
        }
        _ => Ok(()),
    }
}

async fn save(tx: &mut Tx, who: &Actor, rate: &mut TaxRate) -> Result<()> {
    let saved = run!(
        tx,
        "update tax_rate set active = $3, display_name = $4, description = $5, country = $6, state = $7, jurisdiction = $8, tax_type = $9,
         metadata = $10, version = version + 1 where tenant = $1 and id = $2 and version = $11",
        who.tenant.key,
        &rate.id,
        rate.active,
        &rate.display_name,
        &rate.description,
        &rate.country,
        &rate.state,
        &rate.jurisdiction,
        rate.tax_type,
        &rate.metadata,
        rate.version
    )?;
    rate.version += 1;
    if saved == 1 { Ok(()) } else { Err(Error::Busy) }
}

async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&TaxRate>,
    after: &TaxRate,
    action: &'static str,
) -> Result<()> {
    let render = |rate: &TaxRate| wire::tax_rate(&who.tenant, rate);
    let change = Change {
        object: "tax_rate",
        id: &after.id,
        customer: None,
        before: before.map(render),
        after: Some(render(after)),
        action,
        events: &[action],
    };
    record(tx, who, change).await
}
