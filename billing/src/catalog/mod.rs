//! What the merchant sells: products and their prices.

pub mod cost;
pub mod price;
pub mod product;

pub use cost::Cost;
pub use price::{NewPrice, Price, PriceUpdate};
pub use product::{NewProduct, Product, ProductUpdate};
