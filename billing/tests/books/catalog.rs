//! What the merchant sells: products and prices.

use billing::catalog::cost::{Round, Tier, TiersMode, Transform};
use billing::catalog::price::{self, PriceFilter, PriceProduct, PriceType, TaxBehavior};
use billing::catalog::product::{self, ProductFilter};
use billing::catalog::{Cost, NewPrice, NewProduct, PriceUpdate, Product, ProductUpdate};
use billing::period::{Interval, Recurring};
use billing::{Currency, Decimal, Page, Patch};

use crate::support::{Stage, done, field, kind, on_both, plain_price, refused, seen};

fn named(name: &str) -> NewProduct {
    NewProduct { id: None, name: name.into(), active: None, fields: ProductUpdate::default() }
}

async fn product(stage: &Stage) -> Product {
    done!(stage, |tx| product::create(tx, &stage.who, named("Pro")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_kept_as_it_was_given() {
    on_both(async |stage| {
        let fields = ProductUpdate {
            external_id: Patch::Set("sku-1".into()),
            description: Patch::Set("Everything".into()),
            images: Patch::Set(vec!["https://example.com/a.png".into()]),
            marketing_features: Patch::Set(vec!["Fast".into()]),
            shippable: Some(false),
            statement_descriptor: Patch::Set("PRO".into()),
            tax_code: Patch::Set("txcd_1".into()),
            unit_label: Patch::Set("seat".into()),
            url: Patch::Set("https://example.com".into()),
            metadata: Patch::Set([("tier".to_owned(), Some("gold".to_owned()))].into()),
            ..ProductUpdate::default()
        };
        let new = NewProduct { id: Some("pro-1.a_b".into()), active: Some(false), fields, ..named("Pro") };
        let made = done!(stage, |tx| product::create(tx, &stage.who, new.clone()));
        assert_eq!((made.id.as_str(), made.active, made.created), ("pro-1.a_b", false, stage.now()));
        assert_eq!(made.metadata["tier"], "gold");
        assert_eq!(seen!(stage, |tx| product::get(tx, &stage.who, "pro-1.a_b")), made);
        assert_eq!(stage.events_of("pro-1.a_b").await, ["product.created"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_is_not_as_it_must_be_is_refused_by_name() {
    on_both(async |stage| {
        let refused = async |new: NewProduct| {
            let error = refused!(stage, |tx| product::create(tx, &stage.who, new.clone()));
            (field(&error).to_owned(), kind(&error).to_owned())
        };
        let taken = NewProduct { id: Some("taken".into()), ..named("Pro") };
        done!(stage, |tx| product::create(tx, &stage.who, taken.clone()));
        assert_eq!(refused(taken).await, ("id".into(), "resource_already_exists".into()));
        assert_eq!(refused(NewProduct { id: Some("a b".into()), ..named("Pro") }).await.0, "id");
        assert_eq!(refused(NewProduct { id: Some(String::new()), ..named("Pro") }).await.0, "id");
        assert_eq!(refused(named("  ")).await.0, "name");
        assert_eq!(refused(named(&"x".repeat(251))).await.0, "name");
        assert_eq!(refused(named("a\u{1b}b")).await.0, "name");
        let with = |fields| NewProduct { fields, ..named("Pro") };
        let images = Patch::Set(vec!["https://example.com".to_owned(); 9]);
        assert_eq!(refused(with(ProductUpdate { images, ..Default::default() })).await.0, "images");
        let marketing_features = Patch::Set(vec!["x".to_owned(); 16]);
        let many = ProductUpdate { marketing_features, ..Default::default() };
        assert_eq!(refused(with(many)).await.0, "marketing_features");
        let unit_label = Patch::Set("thirteen long".to_owned());
        assert_eq!(refused(with(ProductUpdate { unit_label, ..Default::default() })).await.0, "unit_label");
        let metadata = Patch::Set([("a[b]".to_owned(), Some("c".to_owned()))].into());
        assert_eq!(refused(with(ProductUpdate { metadata, ..Default::default() })).await.0, "metadata[a[b]]");
        assert_eq!(stage.number("select count(*) from product").await, 1, "refusals change nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_it_names_and_says_so_once() {
    on_both(async |stage| {
        let before = product(stage).await;
        stage.pass(5);
        let update = ProductUpdate {
            name: Some("Team".into()),
            description: Patch::Set("For many".into()),
            metadata: Patch::Set([("a".to_owned(), Some("1".to_owned())), ("b".to_owned(), None)].into()),
            ..ProductUpdate::default()
        };
        let after = done!(stage, |tx| product::update(tx, &stage.who, &before.id, update.clone()));
        assert_eq!((after.name.as_str(), after.updated), ("Team", stage.now()));
        assert_eq!(after, seen!(stage, |tx| product::get(tx, &stage.who, &before.id)));
        let event = stage.last_event(&before.id).await;
        assert_eq!(event.data["previous_attributes"]["name"], "Pro");
        assert_eq!(event.data["object"]["name"], "Team");

        let same = done!(stage, |tx| product::update(tx, &stage.who, &before.id, update.clone()));
        assert_eq!(same, after);
        let cleared = ProductUpdate { description: Patch::Clear, metadata: Patch::Clear, ..ProductUpdate::default() };
        let cleared = done!(stage, |tx| product::update(tx, &stage.who, &before.id, cleared.clone()));
        assert_eq!((cleared.description, cleared.metadata.len()), (None, 0));
        assert_eq!(stage.events_of(&before.id).await, ["product.created", "product.updated", "product.updated"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_external_id_names_one_product() {
    on_both(async |stage| {
        let with = |id: &str| ProductUpdate { external_id: Patch::Set(id.into()), ..ProductUpdate::default() };
        let (one, two) = (product(stage).await, product(stage).await);
        done!(stage, |tx| product::update(tx, &stage.who, &one.id, with("sku-1")));
        let error = refused!(stage, |tx| product::update(tx, &stage.who, &two.id, with("sku-1")));
        assert_eq!((field(&error), kind(&error)), ("external_id", "resource_already_exists"));
        done!(stage, |tx| product::update(tx, &stage.who, &one.id, with("sku-1")));

        let filter = ProductFilter { external_id: Some("sku-1".into()), ..ProductFilter::default() };
        let page = Page::first(10);
        let found = seen!(stage, |tx| product::list(tx, &stage.who, &page, &filter));
        assert_eq!(found.data.iter().map(|p| &p.id).collect::<Vec<_>>(), [&one.id]);
        let theirs = seen!(stage, |tx| product::list(tx, &stage.stranger, &page, &filter));
        assert!(theirs.data.is_empty());
        let elsewhere = NewProduct { fields: with("sku-1"), ..named("Tea") };
        done!(stage, |tx| product::create(tx, &stage.stranger, elsewhere.clone()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_can_be_deleted_until_a_price_hangs_on_it() {
    on_both(async |stage| {
        let (free, priced) = (product(stage).await, product(stage).await);
        let new = plain_price(stage.eur(), &priced.id, 100);
        let price = done!(stage, |tx| price::create(tx, &stage.who, new.clone()));
        done!(stage, |tx| product::delete(tx, &stage.who, &free.id));
        assert_eq!(kind(&refused!(stage, |tx| product::get(tx, &stage.who, &free.id))), "missing");
        assert_eq!(stage.events_of(&free.id).await, ["product.created", "product.deleted"]);
        assert_eq!(field(&refused!(stage, |tx| product::delete(tx, &stage.who, &priced.id))), "id");

        let set = |id: &str| ProductUpdate { default_price: Patch::Set(id.into()), ..ProductUpdate::default() };
        let after = done!(stage, |tx| product::update(tx, &stage.who, &priced.id, set(&price.id)));
        assert_eq!(after.default_price.as_ref(), Some(&price.id));
        let other = product(stage).await;
        let foreign = refused!(stage, |tx| product::update(tx, &stage.who, &other.id, set(&price.id)));
        assert_eq!(field(&foreign), "default_price");
        let unknown = refused!(stage, |tx| product::update(tx, &stage.who, &other.id, set("price_no")));
        assert_eq!((field(&unknown), kind(&unknown)), ("default_price", "missing"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_listed_by_whether_they_are_active() {
    on_both(async |stage| {
        let (on, off) = (product(stage).await, product(stage).await);
        let archive = ProductUpdate { active: Some(false), ..ProductUpdate::default() };
        done!(stage, |tx| product::update(tx, &stage.who, &off.id, archive.clone()));
        let listed = async |active| {
            let filter = ProductFilter { active, ..ProductFilter::default() };
            let page = Page::first(10);
            let listed = seen!(stage, |tx| product::list(tx, &stage.who, &page, &filter));
            listed.data.into_iter().map(|p| p.id).collect::<Vec<_>>()
        };
        assert_eq!(listed(None).await, [off.id.clone(), on.id.clone()]);
        assert_eq!(listed(Some(true)).await, [on.id]);
        assert_eq!(listed(Some(false)).await, [off.id]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_kept_as_it_was_given() {
    on_both(async |stage| {
        let product = product(stage).await;
        let fields = PriceUpdate {
            external_id: Patch::Set("p-1".into()),
            lookup_key: Patch::Set("pro_monthly".into()),
            nickname: Patch::Set("Monthly".into()),
            metadata: Patch::Set([("a".to_owned(), Some("1".to_owned()))].into()),
            ..PriceUpdate::default()
        };
        let new = NewPrice {
            recurring: Some(Recurring { interval: Interval::Month, count: 3 }),
            trial_period_days: Some(14),
            tax_behavior: Some(TaxBehavior::Inclusive),
            fields,
            ..plain_price(stage.eur(), &product.id, 2999)
        };
        let made = done!(stage, |tx| price::create(tx, &stage.who, new.clone()));
        assert_eq!(made, seen!(stage, |tx| price::get(tx, &stage.who, &made.id)));
        assert_eq!((made.r#type, made.unit_amount_decimal), (PriceType::Recurring, Some(Decimal::whole(2999))));
        assert_eq!(made.amount(3), Ok(8997));
        assert_eq!(stage.events_of(&made.id).await, ["price.created"]);

        let once = plain_price(stage.eur(), &product.id, 0);
        let once = done!(stage, |tx| price::create(tx, &stage.who, once.clone()));
        assert_eq!((once.r#type, once.recurring(), once.active), (PriceType::OneTime, None, true));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_can_bring_its_product() {
    on_both(async |stage| {
        let with = |name: &str| NewPrice {
            product: PriceProduct::New(Box::new(named(name))),
            ..plain_price(stage.eur(), "", 500)
        };
        let made = done!(stage, |tx| price::create(tx, &stage.who, with("Extra")));
        assert_eq!(seen!(stage, |tx| product::get(tx, &stage.who, &made.product)).name, "Extra");
        let error = refused!(stage, |tx| price::create(tx, &stage.who, with("")));
        assert_eq!(field(&error), "product_data[name]");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_is_not_as_it_must_be_is_refused_by_name() {
    on_both(async |stage| {
        let product = product(stage).await;
        let refused = async |new: NewPrice| {
            let error = refused!(stage, |tx| price::create(tx, &stage.who, new.clone()));
            field(&error).to_owned()
        };
        let plain = || plain_price(stage.eur(), &product.id, 100);
        assert_eq!(refused(NewPrice { cost: Cost::unit(100_000_000), ..plain() }).await, "unit_amount");
        let transform = Some(Transform { divide_by: 0, round: Round::Up });
        let packages = Cost::PerUnit { unit: Decimal::whole(1), transform };
        assert_eq!(refused(NewPrice { cost: packages, ..plain() }).await, "transform_quantity[divide_by]");
        let every = |interval, count| Some(Recurring { interval, count });
        for (interval, most) in
            [(Interval::Day, 1095), (Interval::Week, 156), (Interval::Month, 36), (Interval::Year, 3)]
        {
            for count in [0, most + 1] {
                let new = NewPrice { recurring: every(interval, count), ..plain() };
                assert_eq!(refused(new).await, "recurring[interval_count]");
            }
            let new = NewPrice { recurring: every(interval, most), ..plain() };
            done!(stage, |tx| price::create(tx, &stage.who, new.clone()));
        }
        let unknown = PriceProduct::Existing("prod_no".into());
        assert_eq!(refused(NewPrice { product: unknown, ..plain() }).await, "product");
        let nickname = PriceUpdate { nickname: Patch::Set("x".repeat(5001)), ..PriceUpdate::default() };
        assert_eq!(refused(NewPrice { fields: nickname, ..plain() }).await, "nickname");
        assert_eq!(field(&Currency::parse("zzz", "currency").unwrap_err()), "currency");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tiers_that_do_not_reach_from_one_to_the_end_are_refused_by_name() {
    on_both(async |stage| {
        let product = product(stage).await;
        let tier =
            |up_to: Option<i64>, unit: u32| Tier { up_to, unit_amount: Some(Decimal::whole(unit)), flat_amount: None };
        let refused = async |tiers: Vec<Tier>| {
            let cost = Cost::Tiered { mode: TiersMode::Volume, tiers };
            let new = NewPrice { cost, ..plain_price(stage.eur(), &product.id, 0) };
            let error = refused!(stage, |tx| price::create(tx, &stage.who, new.clone()));
            field(&error).to_owned()
        };
        let bare = |up_to| Tier { unit_amount: None, ..tier(up_to, 0) };
        let flat = |flat| Tier { flat_amount: Some(Decimal::whole(flat)), ..bare(None) };
        assert_eq!(refused(vec![]).await, "tiers");
        assert_eq!(refused(vec![tier(Some(1), 1); 101]).await, "tiers");
        assert_eq!(refused(vec![tier(Some(5), 1)]).await, "tiers[0][up_to]");
        assert_eq!(refused(vec![tier(None, 1), tier(None, 1)]).await, "tiers[0][up_to]");
        assert_eq!(refused(vec![tier(Some(0), 1), tier(None, 1)]).await, "tiers[0][up_to]");
        assert_eq!(refused(vec![tier(Some(5), 1), tier(Some(5), 1), tier(None, 1)]).await, "tiers[1][up_to]");
        assert_eq!(refused(vec![tier(Some(5), 1), bare(None)]).await, "tiers[1][unit_amount]");
        assert_eq!(refused(vec![tier(None, 100_000_000)]).await, "tiers[0][unit_amount]");
        assert_eq!(refused(vec![flat(100_000_000)]).await, "tiers[0][flat_amount]");
        assert_eq!(stage.number("select count(*) from price").await, 0, "refusals change nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_price_costs_never_changes_and_its_tax_behavior_is_said_once() {
    on_both(async |stage| {
        let price = stage.price(100).await;
        let says = |behavior| PriceUpdate { tax_behavior: Some(behavior), ..PriceUpdate::default() };
        let after = done!(stage, |tx| price::update(tx, &stage.who, &price.id, says(TaxBehavior::Exclusive)));
        assert_eq!((after.tax_behavior, after.unit_amount), (TaxBehavior::Exclusive, Some(100)));
        done!(stage, |tx| price::update(tx, &stage.who, &price.id, says(TaxBehavior::Exclusive)));
        let error = refused!(stage, |tx| price::update(tx, &stage.who, &price.id, says(TaxBehavior::Inclusive)));
        assert_eq!(field(&error), "tax_behavior");
        assert_eq!(stage.events_of(&price.id).await, ["price.created", "price.updated"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookup_key_names_one_price_and_moves_when_asked_to() {
    on_both(async |stage| {
        let (old, new) = (stage.price(100).await, stage.price(200).await);
        let key = |transfer| PriceUpdate {
            lookup_key: Patch::Set("standard".into()),
            transfer_lookup_key: transfer,
            ..PriceUpdate::default()
        };
        done!(stage, |tx| price::update(tx, &stage.who, &old.id, key(false)));
        let error = refused!(stage, |tx| price::update(tx, &stage.who, &new.id, key(false)));
        assert_eq!((field(&error), kind(&error)), ("lookup_key", "resource_already_exists"));
        done!(stage, |tx| price::update(tx, &stage.who, &new.id, key(true)));
        assert_eq!(seen!(stage, |tx| price::get(tx, &stage.who, &old.id)).lookup_key, None);
        assert_eq!(seen!(stage, |tx| price::get(tx, &stage.who, &new.id)).lookup_key.as_deref(), Some("standard"));
        assert_eq!(stage.last_event(&old.id).await.data["previous_attributes"]["lookup_key"], "standard");

        let newest =
            NewPrice { transfer_lookup_key: true, fields: key(false), ..plain_price(stage.eur(), &old.product, 1) };
        let newest = done!(stage, |tx| price::create(tx, &stage.who, newest.clone()));
        let filter = PriceFilter { lookup_key: Some("standard".into()), ..PriceFilter::default() };
        let page = Page::first(10);
        let found = seen!(stage, |tx| price::list(tx, &stage.who, &page, &filter));
        assert_eq!(found.data, [newest]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_are_listed_by_every_filter() {
    on_both(async |stage| {
        let monthly = stage.price(100).await;
        let other = stage.price(200).await;
        let once = plain_price(Currency::parse("usd", "currency").unwrap(), &other.product, 300);
        let once = done!(stage, |tx| price::create(tx, &stage.who, once.clone()));
        let update =
            PriceUpdate { active: Some(false), external_id: Patch::Set("p-1".into()), ..PriceUpdate::default() };
        done!(stage, |tx| price::update(tx, &stage.who, &monthly.id, update.clone()));
        let taken = PriceUpdate { external_id: Patch::Set("p-1".into()), ..PriceUpdate::default() };
        let error = refused!(stage, |tx| price::update(tx, &stage.who, &once.id, taken.clone()));
        assert_eq!((field(&error), kind(&error)), ("external_id", "resource_already_exists"));

        let listed = async |filter: PriceFilter| {
            let page = Page::first(10);
            let listed = seen!(stage, |tx| price::list(tx, &stage.who, &page, &filter));
            listed.data.into_iter().map(|p| p.id).collect::<Vec<_>>()
        };
        let all = PriceFilter::default;
        assert_eq!(listed(all()).await, [&once.id, &other.id, &monthly.id].map(Clone::clone));
        assert_eq!(listed(PriceFilter { active: Some(false), ..all() }).await, [monthly.id.clone()]);
        assert_eq!(listed(PriceFilter { currency: Some("usd".into()), ..all() }).await, [once.id.clone()]);
        let both = [once.id.clone(), other.id.clone()];
        assert_eq!(listed(PriceFilter { product: Some(other.product.clone()), ..all() }).await, both);
        assert_eq!(listed(PriceFilter { r#type: Some("one_time".into()), ..all() }).await, [once.id.clone()]);
        assert_eq!(listed(PriceFilter { external_id: Some("p-1".into()), ..all() }).await, [monthly.id.clone()]);
        assert!(listed(PriceFilter { external_id: Some("p-2".into()), ..all() }).await.is_empty());
    })
    .await;
}
