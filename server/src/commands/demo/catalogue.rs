//! What the demo's merchant sells, takes off and taxes, and what its portal allows.

use billing::catalog::cost::{Cost, Tier, TiersMode};
use billing::catalog::coupon::{self, CouponUpdate, NewCoupon};
use billing::catalog::price::{self, NewPrice, PriceProduct, PriceUpdate, TaxBehavior};
use billing::catalog::promotion_code::{self, NewPromotionCode, PromotionCode};
use billing::catalog::tax_rate::{self, NewTaxRate, TaxRateUpdate, TaxType};
use billing::catalog::{NewProduct, Price, ProductUpdate, product};
use billing::discount::Duration;
use billing::patch::Patch;
use billing::period::{Interval, Recurring};
use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::{Actor, Currency, Decimal, Error, Page, Result, Tx};
use serde_json::json;

use Interval::{Month, Year};

/// Id, name, description, what is in it.
const PRODUCTS: &[(&str, &str, &str, &[&str])] = &[
    ("starter", "Starter", "For one person who is just beginning", &["3 projects", "1 GB of files"]),
    (
        "team",
        "Team",
        "Shared projects, priced by the seat",
        &["Unlimited projects", "100 GB of files", "Roles and comments"],
    ),
    (
        "studio",
        "Studio",
        "Everything, with priority support",
        &["Everything in Team", "1 TB of files", "Priority support"],
    ),
    ("archive", "Archive", "Finished projects, kept for good", &["By the 100 GB", "The more, the cheaper"]),
];

/// Product, lookup key, minor units and their currency, how often. The archive's is tiered.
const PRICES: &[(&str, &str, (u32, &str), Interval)] = &[
    ("starter", "starter_monthly", (900, "usd"), Month),
    ("starter", "starter_yearly", (9_000, "usd"), Year),
    ("team", "team_monthly", (1_900, "usd"), Month),
    ("team", "team_yearly", (19_000, "usd"), Year),
    ("studio", "studio_monthly", (4_900, "usd"), Month),
    ("studio", "studio_yearly", (49_000, "usd"), Year),
    ("starter", "starter_monthly_eur", (900, "eur"), Month),
    ("team", "team_monthly_eur", (1_800, "eur"), Month),
    ("team", "team_yearly_eur", (18_000, "eur"), Year),
    ("studio", "studio_monthly_eur", (4_500, "eur"), Month),
    ("starter", "starter_monthly_jpy", (1_350, "jpy"), Month),
    ("studio", "studio_monthly_jpy", (7_400, "jpy"), Month),
    ("archive", "archive_monthly", (500, "usd"), Month),
];
/// The last unit of a tier, and what each in it costs.
const ARCHIVE: [(Option<i64>, u32); 3] = [(Some(10), 500), (Some(50), 400), (None, 300)];

/// Name, whether it is in the price, percent, country, state, kind.
const TAXES: &[(&str, bool, u32, &str, &str, TaxType)] = &[
    ("USt.", false, 19, "DE", "", TaxType::Vat),
    ("TVA", false, 20, "FR", "", TaxType::Vat),
    ("IVA", false, 22, "IT", "", TaxType::Vat),
    ("BTW", false, 21, "NL", "", TaxType::Vat),
    ("消費税", true, 10, "JP", "", TaxType::Jct),
    ("Sales tax", false, 6, "US", "MD", TaxType::SalesTax),
];

/// What the stories find on the shelf.
#[derive(Clone)]
pub struct Shelf {
    prices: Vec<Price>,
    codes: Vec<PromotionCode>,
}

impl Shelf {
    /// As it stands.
    pub async fn read(tx: &mut Tx, who: &Actor) -> Result<Self> {
        let all = Page::first(100);
        let prices = price::list(tx, who, &all, &Default::default()).await?.data;
        let codes = promotion_code::list(tx, who, &all, &Default::default()).await?.data;
        Ok(Self { prices, codes })
    }

    /// The price under a lookup key.
    pub fn price(&self, key: &str) -> Result<&Price> {
        let found = self.prices.iter().find(|price| price.lookup_key.as_deref() == Some(key));
        found.ok_or_else(|| Error::internal(format!("the demo has no price {key}")))
    }

    /// The id of a promotion code.
    pub fn code(&self, text: &str) -> Result<&str> {
        let found = self.codes.iter().find(|code| code.code == text);
        found.map(|code| code.id.as_str()).ok_or_else(|| Error::internal(format!("the demo has no code {text}")))
    }
}

/// Fills the shelf, and opens the portal to it.
pub async fn fill(tx: &mut Tx, who: &Actor) -> Result<Shelf> {
    let mut prices = Vec::new();
    for (id, name, description, features) in PRODUCTS {
        let fields = ProductUpdate {
            marketing_features: Patch::Set(features.iter().map(|&feature| feature.into()).collect()),
            external_id: Patch::Set((*id).into()),
            description: Patch::Set((*description).into()),
            ..ProductUpdate::default()
        };
        let new = NewProduct { id: None, name: (*name).into(), active: None, fields };
        let product = product::create(tx, who, new).await?;
        for (_, key, cost, interval) in PRICES.iter().filter(|price| price.0 == *id) {
            prices.push(price::create(tx, who, new_price(&product.id, key, *cost, *interval)?).await?);
        }
    }
    let codes = offers(tx, who).await?;
    taxes(tx, who).await?;
    open_portal(tx, who, &prices).await?;
    Ok(Shelf { prices, codes })
}

fn new_price(product: &str, key: &str, (amount, currency): (u32, &str), interval: Interval) -> Result<NewPrice> {
    let tier = |(up_to, amount)| Tier { up_to, unit_amount: Some(Decimal::whole(amount)), flat_amount: None };
    let cost = match key {
        "archive_monthly" => {
            Cost::Tiered { mode: TiersMode::Graduated, tiers: ARCHIVE.into_iter().map(tier).collect() }
        }
        _ => Cost::unit(amount),
    };
    Ok(NewPrice {
        currency: Currency::parse(currency, "currency")?,
        product: PriceProduct::Existing(product.into()),
        cost,
        recurring: Some(Recurring { interval, count: 1 }),
        trial_period_days: None,
        active: None,
        tax_behavior: (currency == "jpy").then_some(TaxBehavior::Inclusive),
        transfer_lookup_key: false,
        fields: PriceUpdate { lookup_key: Patch::Set(key.into()), ..PriceUpdate::default() },
    })
}

async fn offers(tx: &mut Tx, who: &Actor) -> Result<Vec<PromotionCode>> {
    let usd = Currency::parse("usd", "currency")?;
    let welcome = NewCoupon {
        id: Some("welcome".into()),
        percent_off: Some(Decimal::whole(20)),
        amount_off: None,
        currency: None,
        duration: Duration::Repeating,
        duration_in_months: Some(12),
        applies_to: None,
        max_redemptions: None,
        redeem_by: None,
        fields: CouponUpdate { name: Patch::Set("20 % off the first year".into()), ..CouponUpdate::default() },
    };
    let spring = NewCoupon {
        id: Some("spring".into()),
        percent_off: None,
        amount_off: Some(1_000),
        currency: Some(usd),
        duration: Duration::Once,
        duration_in_months: None,
        fields: CouponUpdate { name: Patch::Set("$10 off".into()), ..CouponUpdate::default() },
        ..welcome.clone()
    };
    let mut codes = Vec::new();
    for (coupon, code) in [(welcome, "WELCOME20"), (spring, "SPRING10")] {
        let coupon = coupon::create(tx, who, coupon).await?;
        let new = NewPromotionCode {
            coupon: coupon.id,
            code: Some(code.into()),
            active: true,
            customer: None,
            restrictions: Default::default(),
            max_redemptions: None,
            expires_at: None,
            metadata: Default::default(),
        };
        codes.push(promotion_code::create(tx, who, new).await?);
    }
    Ok(codes)
}

async fn taxes(tx: &mut Tx, who: &Actor) -> Result<()> {
    for (name, inclusive, percent, country, state, kind) in TAXES {
        let state = if state.is_empty() { Patch::Keep } else { Patch::Set((*state).into()) };
        let fields = TaxRateUpdate {
            country: Patch::Set((*country).into()),
            state,
            tax_type: Patch::Set(*kind),
            ..TaxRateUpdate::default()
        };
        let (display_name, percentage) = ((*name).into(), Decimal::whole(*percent));
        tax_rate::create(tx, who, NewTaxRate { display_name, inclusive: *inclusive, percentage, fields }).await?;
    }
    Ok(())
}

/// In the portal, plans change at once when they grow and with the period when they shrink; seats are adjustable.
async fn open_portal(tx: &mut Tx, who: &Actor, prices: &[Price]) -> Result<()> {
    let is_of = |price: &Price, plan: &str| price.lookup_key.as_deref().is_some_and(|key| key.starts_with(plan));
    let products: Vec<_> = ["starter", "team", "studio"]
        .into_iter()
        .filter_map(|plan| {
            let price = prices.iter().find(|price| is_of(price, plan))?;
            let adjustable = json!({ "enabled": plan == "team", "minimum": 1, "maximum": 50 });
            Some(json!({ "product": price.product, "adjustable_quantity": adjustable }))
        })
        .collect();
    let conditions = json!([{ "type": "decreasing_item_amount" }, { "type": "shortening_interval" }]);
    let lengths = json!([{ "interval": "month", "interval_count": 1 }, { "interval": "month", "interval_count": 3 }]);
    let features = json!({
        "subscription_create": { "enabled": true, "products": products },
        "subscription_pause": {
            "enabled": true,
            "duration": { "type": "interval_options", "interval_options": lengths },
        },
        "subscription_update": {
            "enabled": true,
            "default_allowed_updates": ["price", "quantity", "promotion_code"],
            "proration_behavior": "always_invoice",
            "schedule_at_period_end": { "conditions": conditions },
            "products": products,
        },
    });
    let update = ConfigurationUpdate { features: Some(features), ..ConfigurationUpdate::default() };
    configuration::update(tx, who, "default", update).await?;
    Ok(())
}
