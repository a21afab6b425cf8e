//! Prices: create, retrieve, update, list.

use billing::catalog::price::{self, PriceFilter, PriceProduct, PriceType, TaxBehavior};
use billing::catalog::{NewPrice, PriceData, PriceUpdate};
use billing::period::{Interval, Recurring};
use billing::{Actor, Currency, Error, Listed, Page, Result, Tx, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;
use super::params::{Params, missing};
use super::{price_terms, products};

const UNSUPPORTED: &[&str] = &["currency_options", "custom_unit_amount"];
const MOST_LOOKUP_KEYS: usize = 10;

pub async fn create(mut call: Call) -> Result<Reply> {
    let new = read_new(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::Price))?;
    change!(call, |tx| wire::price(&call.who.tenant, &price::create(tx, &call.who, new.clone()).await?))
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Price))?;
    let mut tx = call.read().await?;
    let price = price::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::price(&call.who.tenant, &price)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let update = read_update(&mut call.params)?;
    call.params.unsupported(&["currency_options"])?;
    let call = call.ready(Shape::One(Kind::Price))?;
    change!(call, |tx| wire::price(&call.who.tenant, &price::update(tx, &call.who, &id, update.clone()).await?))
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let page = list::page(params)?;
    let filter = PriceFilter {
        active: params.boolean("active")?,
        currency: params.word("currency", Currency::parse)?.map(|currency| currency.code().to_owned()),
        product: params.text("product")?,
        r#type: params.word("type", PriceType::parse)?.map(|kind| kind.name().to_owned()),
        external_id: params.text("external_id")?,
        lookup_key: None,
    };
    let keys = params.texts("lookup_keys")?;
    params.object("recurring", |recurring| {
        recurring.fixed("usage_type", &["licensed"])?;
        recurring.unsupported(&["interval", "meter"])
    })?;
    let call = call.ready(Shape::Many(Kind::Price))?;
    let mut tx = call.read().await?;
    let found = match keys {
        Some(keys) => by_lookup_keys(&mut tx, &call.who, &page, &filter, keys).await?,
        None => price::list(&mut tx, &call.who, &page, &filter).await?,
    };
    call.show_list(&mut tx, "/v1/prices", found, |price| wire::price(&call.who.tenant, price)).await
}

async fn by_lookup_keys(
    tx: &mut Tx,
    who: &Actor,
    page: &Page,
    filter: &PriceFilter,
    keys: Vec<String>,
) -> Result<Listed<billing::catalog::Price>> {
    if keys.len() > MOST_LOOKUP_KEYS {
        return Err(Error::invalid(
            "lookup_keys",
            format!("Up to {MOST_LOOKUP_KEYS} lookup keys can be asked for at a time."),
        ));
    }
    let mut lists = Vec::new();
    for key in keys {
        let filter = PriceFilter { lookup_key: Some(key), ..filter.clone() };
        lists.push(price::list(tx, who, page, &filter).await?);
    }
    Ok(list::merge(page, lists, |price| (price.created, price.id.clone())))
}

fn read_new(params: &mut Params) -> Result<NewPrice> {
    let product = match (params.text("product")?, params.object("product_data", products::read_new)?) {
        (Some(id), None) => PriceProduct::Existing(id),
        (None, Some(new)) => PriceProduct::New(Box::new(new)),
        (None, None) => return Err(missing("product")),
        (Some(_), Some(_)) => {
            return Err(Error::invalid(
                "product_data",
                "You may only specify one of these parameters: product, product_data.",
            ));
        }
    };
    let fields = read_update(params)?;
    Ok(NewPrice {
        active: fields.active,
        tax_behavior: fields.tax_behavior,
        transfer_lookup_key: fields.transfer_lookup_key,
        fields,
        ..read_terms(params, product)?
    })
}

/// The `default_price_data` of a new product.
pub fn read_default(params: &mut Params) -> Result<NewPrice> {
    let fields = PriceUpdate { metadata: params.metadata()?, ..PriceUpdate::default() };
    let tax_behavior = params.word("tax_behavior", TaxBehavior::parse)?;
    // The product is not made yet; its id takes this one's place.
    let product = PriceProduct::Existing(String::new());
    Ok(NewPrice { tax_behavior, fields, ..read_terms(params, product)? })
}

/// The `price_data` of something that is sold again and again, or once.
pub fn read_data(params: &mut Params, recurs: bool) -> Result<PriceData> {
    params.unsupported(&["product_data"])?;
    let currency = params.word("currency", Currency::parse)?.ok_or_else(|| missing(params.name("currency")))?;
    let product = params.required_text("product")?;
    let recurring = match recurs {
        true => Some(params.required_object("recurring", read_recurring)?),
        false => None,
    };
    let tax_behavior = params.word("tax_behavior", TaxBehavior::parse)?;
    let unit = price_terms::read_amount(params, "unit_amount")?;
    let unit = unit.ok_or_else(|| missing(params.name("unit_amount")))?;
    Ok(PriceData { currency, product, recurring, unit, tax_behavior })
}

/// What it costs, and how often.
fn read_terms(params: &mut Params, product: PriceProduct) -> Result<NewPrice> {
    let currency = params.word("currency", Currency::parse)?.ok_or_else(|| missing(params.name("currency")))?;
    let mut trial_period_days = None;
    let recurring = params.object("recurring", |recurring| {
        trial_period_days = recurring.integer("trial_period_days")?;
        if trial_period_days.is_some_and(|days| !(0..=730).contains(&days)) {
            return Err(Error::invalid(recurring.name("trial_period_days"), "A trial lasts up to 730 days."));
        }
        read_recurring(recurring)
    })?;
    params.unsupported(UNSUPPORTED)?;
    Ok(NewPrice {
        currency,
        product,
        cost: price_terms::read(params)?,
        recurring,
        trial_period_days,
        active: None,
        tax_behavior: None,
        transfer_lookup_key: false,
        fields: PriceUpdate::default(),
    })
}

fn read_recurring(params: &mut Params) -> Result<Recurring> {
    let interval = params.word("interval", parse_interval)?.ok_or_else(|| missing(params.name("interval")))?;
    let count = params.integer("interval_count")?.unwrap_or(1);
    params.fixed("usage_type", &["licensed"])?;
    params.unsupported(&["aggregate_usage", "meter"])?;
    Ok(Recurring { interval, count })
}

fn parse_interval(text: &str, param: &str) -> Result<Interval> {
    match text {
        "day" => Ok(Interval::Day),
        "week" => Ok(Interval::Week),
        "month" => Ok(Interval::Month),
        "year" => Ok(Interval::Year),
        _ => Err(Error::invalid(param, format!("Invalid {param}: must be one of day, week, month, year"))),
    }
}

fn read_update(params: &mut Params) -> Result<PriceUpdate> {
    Ok(PriceUpdate {
        external_id: params.patch_text("external_id")?,
        active: params.boolean("active")?,
        lookup_key: params.patch_text("lookup_key")?,
        nickname: params.patch_text("nickname")?,
        tax_behavior: params.word("tax_behavior", TaxBehavior::parse)?,
        transfer_lookup_key: params.boolean("transfer_lookup_key")?.unwrap_or(false),
        metadata: params.metadata()?,
    })
}
