//! What can be expanded, and what is said of what cannot.

use super::*;
use serde_json::json;

fn read(shape: Shape, path: &str) -> Result<Expand> {
    let fields = json!({ "expand": [path] });
    Expand::read(&mut Params::new(fields.as_object().cloned().unwrap_or_default()), shape)
}

#[test]
fn what_sdk_users_expand_is_known() {
    let subscription =
        ["customer", "latest_invoice.payment_intent", "items.data.price.product", "latest_invoice.customer"];
    for path in subscription {
        assert!(read(Shape::One(Kind::Subscription), path).is_ok(), "{path}");
    }
    assert!(read(Shape::Many(Kind::Subscription), "data.default_payment_method.customer").is_ok());
    assert!(read(Shape::Many(Kind::Price), "data.product").is_ok());
    assert!(read(Shape::One(Kind::Customer), "subscriptions.data.latest_invoice").is_ok());
    assert!(read(Shape::One(Kind::Invoice), "parent.subscription_details.subscription").is_ok());
}

#[test]
fn what_is_unknown_is_named() {
    let message = |shape, path| read(shape, path).unwrap_err().to_string();
    assert_eq!(message(Shape::One(Kind::Customer), "foo"), "This property cannot be expanded (foo).");
    assert_eq!(message(Shape::Many(Kind::Customer), "email"), "This property cannot be expanded (email).");
    assert_eq!(message(Shape::One(Kind::Price), "product.name"), "This property cannot be expanded (product.name).");
    assert_eq!(message(Shape::One(Kind::Price), "tiers.x"), "This property cannot be expanded (tiers.x).");
    assert!(message(Shape::Many(Kind::Subscription), "data.items.data.price.product").contains("more than 4 levels"));
    assert!(read(Shape::One(Kind::Customer), "").is_err());
    assert!(read(Shape::One(Kind::Customer), "a..b").is_err());
}
