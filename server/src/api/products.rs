//! Products: create, retrieve, update, delete, list.

use billing::catalog::price::{self, PriceProduct};
use billing::catalog::product::{self, ProductFilter};
use billing::catalog::{NewPrice, NewProduct, Product, ProductUpdate};
use billing::{Actor, Error, Listed, Page, Patch, Result, Tx, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;
use super::params::Params;
use super::prices;

/// A list by ids answers them all on one page.
const MOST_IDS: usize = 100;

pub async fn create(mut call: Call) -> Result<Reply> {
    let new = read_new(&mut call.params)?;
    let price = call.params.object("default_price_data", prices::read_default)?;
    let call = call.ready(Shape::One(Kind::Product))?;
    change!(call, |tx| {
        let mut product = product::create(tx, &call.who, new.clone()).await?;
        if let Some(price) = price.clone() {
            product = add_default_price(tx, &call.who, &product, price).await?;
        }
        wire::product(&call.who.tenant, &product)
    })
}

async fn add_default_price(tx: &mut Tx, who: &Actor, product: &Product, new: NewPrice) -> Result<Product> {
    let new = NewPrice { product: PriceProduct::Existing(product.id.clone()), ..new };
    let price = price::create(tx, who, new).await.map_err(|e| e.within("default_price_data"))?;
    let update = ProductUpdate { default_price: Patch::Set(price.id), ..ProductUpdate::default() };
    product::update(tx, who, &product.id, update).await
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Product))?;
    let mut tx = call.read().await?;
    let product = product::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::product(&call.who.tenant, &product)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let params = &mut call.params;
    let update = ProductUpdate {
        name: params.text("name")?,
        active: params.boolean("active")?,
        default_price: params.patch_text("default_price")?,
        external_id: params.patch_text("external_id")?,
        ..read(params)?
    };
    let call = call.ready(Shape::One(Kind::Product))?;
    change!(call, |tx| {
        let product = product::update(tx, &call.who, &id, update.clone()).await?;
        wire::product(&call.who.tenant, &product)
    })
}

pub async fn delete(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Product))?;
    change!(call, |tx| {
        product::delete(tx, &call.who, &id).await?;
        wire::deleted("product", &id)
    })
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let page = list::page(params)?;
    let filter = ProductFilter { active: params.boolean("active")?, external_id: params.text("external_id")? };
    let ids = params.texts("ids")?;
    params.fixed("type", &["service"])?;
    let call = call.ready(Shape::Many(Kind::Product))?;
    let mut tx = call.read().await?;
    let found = match ids {
        Some(ids) => by_ids(&mut tx, &call.who, &page, &filter, ids).await?,
        None => product::list(&mut tx, &call.who, &page, &filter).await?,
    };
    call.show_list(&mut tx, "/v1/products", found, |product| wire::product(&call.who.tenant, product)).await
}

/// The products with these ids that the filter lets through; ids of none are passed over.
async fn by_ids(
    tx: &mut Tx,
    who: &Actor,
    page: &Page,
    filter: &ProductFilter,
    ids: Vec<String>,
) -> Result<Listed<Product>> {
    if ids.len() > MOST_IDS {
        return Err(Error::invalid("ids", format!("Up to {MOST_IDS} ids can be asked for at a time.")));
    }
    if page.starting_after.is_some() || page.ending_before.is_some() {
        return Err(Error::invalid("ids", "`ids` cannot be used with `starting_after` or `ending_before`."));
    }
    let mut found = Vec::new();
    for id in ids {
        match product::get(tx, who, &id).await {
            Ok(product) => found.push(product),
            Err(Error::Missing { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    found.retain(|p| {
        (page.created.0..=page.created.1).contains(&p.created.0)
            && filter.active.is_none_or(|active| active == p.active)
            && filter.external_id.as_ref().is_none_or(|id| Some(id) == p.external_id.as_ref())
    });
    let found = Listed { data: found, has_more: false };
    Ok(list::merge(page, vec![found], |p| (p.created, p.id.clone())))
}

/// What `POST /v1/products` and the `product_data` of a price have in common.
pub fn read_new(params: &mut Params) -> Result<NewProduct> {
    let external_id = params.patch_text("external_id")?;
    Ok(NewProduct {
        id: params.text("id")?,
        name: params.required_text("name")?,
        active: params.boolean("active")?,
        fields: ProductUpdate { external_id, ..read(params)? },
    })
}

fn read(params: &mut Params) -> Result<ProductUpdate> {
    params.fixed("type", &["service"])?;
    Ok(ProductUpdate {
        description: params.patch_text("description")?,
        images: params.patch_texts("images")?,
        marketing_features: params.patch_objects("marketing_features", |feature| feature.required_text("name"))?,
        shippable: params.boolean("shippable")?,
        statement_descriptor: params.patch_text("statement_descriptor")?,
        tax_code: params.patch_text("tax_code")?,
        unit_label: params.patch_text("unit_label")?,
        url: params.patch_text("url")?,
        metadata: params.metadata()?,
        ..ProductUpdate::default()
    })
}
