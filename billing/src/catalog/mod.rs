//! What the merchant sells: products and their prices, what is taken off them and what is added to them.

pub mod cost;
pub mod coupon;
pub mod inline;
pub mod price;
pub mod product;
pub mod promotion_code;
pub mod tax_rate;

pub use cost::Cost;
pub use coupon::{Coupon, CouponUpdate, NewCoupon};
pub use inline::PriceData;
pub use price::{NewPrice, Price, PriceUpdate};
pub use product::{NewProduct, Product, ProductUpdate};
pub use promotion_code::{NewPromotionCode, PromotionCode};
pub use tax_rate::{NewTaxRate, TaxRate, TaxRateUpdate};
