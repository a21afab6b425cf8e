//! Products: a name and description that prices hang on.

use serde_json::Value;

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::page::{Listed, Page, page};
use crate::patch::{Metadata, MetadataPatch, Patch, check_text, merge_metadata};
use crate::store::{Json, Tx, maybe, one, run};
use crate::{id, wire};

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Product {
    pub id: String,
    pub external_id: Option<String>,
    pub active: bool,
    pub name: String,
    pub description: Option<String>,
    /// The price that stands for the product where none is named.
    pub default_price: Option<String>,
    pub images: Json<Vec<String>>,
    pub marketing_features: Json<Vec<String>>,
    pub package_dimensions: Option<Json<Value>>,
    pub shippable: Option<bool>,
    pub statement_descriptor: Option<String>,
    pub tax_code: Option<String>,
    pub unit_label: Option<String>,
    pub url: Option<String>,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    pub updated: Seconds,
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, external_id, active, name, description, default_price, images, marketing_features, package_dimensions, \
         shippable, statement_descriptor, tax_code, unit_label, url, metadata, created, updated, version"
    };
}

#[derive(Debug, Clone, Default)]
pub struct NewProduct {
    pub id: Option<String>,
    pub name: String,
    pub active: Option<bool>,
    pub fields: ProductUpdate,
}

/// What may be said of a product; `name` and `active` of a new one stand in [`NewProduct`].
#[derive(Debug, Clone, Default)]
pub struct ProductUpdate {
    pub external_id: Patch<String>,
    pub active: Option<bool>,
    pub name: Option<String>,
    pub description: Patch<String>,
    pub default_price: Patch<String>,
    pub images: Patch<Vec<String>>,
    pub marketing_features: Patch<Vec<String>>,
    pub shippable: Option<bool>,
    pub statement_descriptor: Patch<String>,
    pub tax_code: Patch<String>,
    pub unit_label: Patch<String>,
    pub url: Patch<String>,
    pub metadata: MetadataPatch,
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Product> {
    maybe!(tx, concat!("select ", columns!(), " from product where tenant = $1 and id = $2"), who.tenant.key, id)?
        .ok_or_else(|| Error::missing("product", id))
}

/// Filters of a list; all that are given must hold.
#[derive(Debug, Clone, Default)]
pub struct ProductFilter {
    pub active: Option<bool>,
    pub external_id: Option<String>,
}

pub async fn list(tx: &mut Tx, who: &Actor, page: &Page, filter: &ProductFilter) -> Result<Listed<Product>> {
    page!(
        tx,
        who,
        page,
        "product",
        columns!(),
        "(cast($7 as boolean) is null or active = $7) and (cast($8 as text) is null or external_id = $8)",
        filter.active,
        filter.external_id
    )
}

pub async fn create(tx: &mut Tx, who: &Actor, new: NewProduct) -> Result<Product> {
    if let Some(id) = &new.id {
        check_id(tx, who, id).await?;
    }
    let now = tx.now.seconds();
    let mut product = Product {
        id: new.id.unwrap_or_else(|| id::new("prod", tx.now)),
        external_id: None,
        active: new.active.unwrap_or(true),
        name: new.name,
        description: None,
        default_price: None,
        images: Json::default(),
        marketing_features: Json::default(),
        package_dimensions: None,
        shippable: None,
        statement_descriptor: None,
        tax_code: None,
        unit_label: None,
        url: None,
        metadata: Json::default(),
        created: now,
        updated: now,
        version: 1,
    };
    apply(tx, who, &mut product, new.fields).await?;
    run!(
        tx,
        concat!(
            "insert into product (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"
        ),
        who.tenant.key,
        &product.id,
        &product.external_id,
        product.active,
        &product.name,
        &product.description,
        &product.default_price,
        &product.images,
        &product.marketing_features,
        &product.package_dimensions,
        product.shippable,
        &product.statement_descriptor,
        &product.tax_code,
        &product.unit_label,
        &product.url,
        &product.metadata,
        product.created,
        product.updated,
        product.version
    )?;
    announce(tx, who, None, Some(&product), "product.created").await?;
    Ok(product)
}

pub async fn update(tx: &mut Tx, who: &Actor, id: &str, update: ProductUpdate) -> Result<Product> {
    let before = get(tx, who, id).await?;
    let mut product = before.clone();
    if let Some(name) = &update.name {
        product.name.clone_from(name);
    }
    if let Some(active) = update.active {
        product.active = active;
    }
    apply(tx, who, &mut product, update).await?;
    if product == before {
        return Ok(product);
    }
    product.updated = tx.now.seconds();
    save(tx, who, &mut product).await?;
    announce(tx, who, Some(&before), Some(&product), "product.updated").await?;
    Ok(product)
}

/// Deletes a product that no price hangs on; others can only be archived (`active=false`), as at Stripe.
pub async fn delete(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    let product = get(tx, who, id).await?;
    let (prices,): (i64,) =
        one!(tx, "select count(*) from price where tenant = $1 and product = $2", who.tenant.key, id)?;
    if prices > 0 {
        return Err(Error::invalid(
            "id",
            "This product cannot be deleted because it has one or more user-created prices.",
        ));
    }
    run!(tx, "delete from product where tenant = $1 and id = $2", who.tenant.key, id)?;
    announce(tx, who, Some(&product), None, "product.deleted").await
}

async fn apply(tx: &mut Tx, who: &Actor, product: &mut Product, update: ProductUpdate) -> Result<()> {
    update.description.apply(&mut product.description);
    update.images.apply_or_default(&mut product.images.0);
    update.marketing_features.apply_or_default(&mut product.marketing_features.0);
    update.statement_descriptor.apply(&mut product.statement_descriptor);
    update.tax_code.apply(&mut product.tax_code);
    update.unit_label.apply(&mut product.unit_label);
    update.url.apply(&mut product.url);
    product.shippable = update.shippable.or(product.shippable);
    merge_metadata(&mut product.metadata.0, update.metadata)?;
    if let Patch::Set(price) = &update.default_price {
        let price = super::price::get(tx, who, price).await.map_err(|e| e.on("default_price"))?;
        if price.product != product.id {
            return Err(Error::invalid("default_price", "The default price must belong to the product."));
        }
    }
    update.default_price.apply(&mut product.default_price);
    if let Patch::Set(external) = &update.external_id {
        check_external_id(tx, who, external, &product.id).await?;
    }
    update.external_id.apply(&mut product.external_id);
    if product.name.trim().is_empty() {
        return Err(Error::invalid("name", "A product needs a name."));
    }
    check_text(&product.name, 250, "name")?;
    check_text(product.description.as_deref().unwrap_or_default(), 5000, "description")?;
    check_text(product.unit_label.as_deref().unwrap_or_default(), 12, "unit_label")?;
    if product.images.len() > 8 {
        return Err(Error::invalid("images", "A product has up to 8 images."));
    }
    if product.marketing_features.len() > 15 {
        return Err(Error::invalid("marketing_features", "A product has up to 15 marketing features."));
    }
    Ok(())
}

/// Refuses an id of the merchant's own that would not fit into a path.
pub(crate) fn check_id_text(id: &str) -> Result<()> {
    check_text(id, 255, "id")?;
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
        return Err(Error::invalid("id", "Ids are letters, digits, '_', '-' and '.'"));
    }
    Ok(())
}

async fn check_id(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    check_id_text(id)?;
    match get(tx, who, id).await {
        Ok(_) => Err(Error::Invalid {
            param: "id".into(),
            code: "resource_already_exists",
            message: "Product already exists.".into(),
        }),
        Err(Error::Missing { .. }) => Ok(()),
        Err(other) => Err(other),
    }
}

async fn check_external_id(tx: &mut Tx, who: &Actor, external: &str, id: &str) -> Result<()> {
    check_text(external, 255, "external_id")?;
    let taken: Option<(String,)> = maybe!(
        tx,
        "select id from product where tenant = $1 and external_id = $2 and id <> $3",
        who.tenant.key,
        external,
        id
    )?;
    if taken.is_some() {
        return Err(Error::Invalid {
            param: "external_id".into(),
            code: "resource_already_exists",
            message: "Another product has this external_id.".into(),
        });
    }
    Ok(())
}

async fn save(tx: &mut Tx, who: &Actor, product: &mut Product) -> Result<()> {
    let saved = run!(
        tx,
        "update product set external_id = $3, active = $4, name = $5, description = $6, default_price = $7, images = $8, marketing_features = $9,
         shippable = $10, statement_descriptor = $11, tax_code = $12, unit_label = $13, url = $14, metadata = $15, updated = $16, version = version + 1
         where tenant = $1 and id = $2 and version = $17",
        who.tenant.key,
        &product.id,
        &product.external_id,
        product.active,
        &product.name,
        &product.description,
        &product.default_price,
        &product.images,
        &product.marketing_features,
        product.shippable,
        &product.statement_descriptor,
        &product.tax_code,
        &product.unit_label,
        &product.url,
        &product.metadata,
        product.updated,
        product.version
    )?;
    product.version += 1;
    if saved == 1 { Ok(()) } else { Err(Error::Busy) }
}

async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&Product>,
    after: Option<&Product>,
    action: &'static str,
) -> Result<()> {
    let id = after.or(before).map(|p| p.id.clone()).unwrap_or_default();
    let render = |product: &Product| wire::product(&who.tenant, product);
    let change = Change {
        object: "product",
        id: &id,
        customer: None,
        before: before.map(render),
        after: after.map(render),
        action,
        events: &[action],
    };
    record(tx, who, change).await
}
