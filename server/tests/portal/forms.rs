//! The portal's forms as a browser without JavaScript sends them: what they change, and what they say afterwards.

use axum::http::StatusCode;
use billing::customer::{self, payment_method};
use billing::gateway::sandbox::test_method;
use billing::{Page, transact};
use serde_json::json;

use crate::stage::{Merchant, Stage};
use crate::visitor::{Visitor, allow};

async fn second_card(stage: &Stage, merchant: &Merchant) -> String {
    transact!(stage.app.db, |tx| {
        let card = test_method("pm_card_amex", 2030).unwrap();
        payment_method::attach(tx, &merchant.who, &merchant.customer, card).await
    })
    .unwrap()
    .id
}

async fn methods(stage: &Stage, merchant: &Merchant) -> Vec<String> {
    let mut tx = stage.app.db.read().await.unwrap();
    let page = Page::first(10);
    let listed = payment_method::list(&mut tx, &merchant.who, &merchant.customer, &page, None).await.unwrap();
    listed.data.into_iter().map(|method| method.id).collect()
}

async fn customer(stage: &Stage, merchant: &Merchant) -> customer::Customer {
    let mut tx = stage.app.db.read().await.unwrap();
    customer::get(&mut tx, &merchant.who, &merchant.customer).await.unwrap()
}

#[tokio::test]
async fn another_default_and_then_one_card_less() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let second = second_card(&stage, &merchant).await;
    let visitor = Visitor::new(&stage, &merchant).await;
    let (status, to) = visitor.send("methods/set_default_method", &format!("id={second}")).await;
    assert_eq!(
        (status, to.as_str()),
        (StatusCode::SEE_OTHER, format!("/payment-methods?done=default&of={second}").as_str())
    );
    assert_eq!(customer(&stage, &merchant).await.default_payment_method.as_ref(), Some(&second));
    let (_, html) = visitor.see(&to).await;
    assert!(html.contains("American Express •••• 8431 is now your default."));
    assert!(!visitor.see("/payment-methods?done=default&of=pm_1").await.1.contains("is now your default"));

    let (_, to) = visitor.send("methods/remove_method", &format!("id={}", merchant.method)).await;
    assert_eq!(methods(&stage, &merchant).await, [second.clone()]);
    let (_, html) = visitor.see(&to).await;
    assert!(html.contains("The payment method was removed."));
    assert!(html.contains("This is your only payment method, and a subscription is charged to it."));
    let forged = visitor.see(&format!("/payment-methods?done=removed&of={second}")).await.1;
    assert!(!forged.contains("The payment method was removed."), "an address alone proves nothing");
}

#[tokio::test]
async fn the_last_card_of_a_living_subscription_stays_and_the_page_says_why() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let visitor = Visitor::new(&stage, &merchant).await;
    let (status, to) = visitor.send("methods/remove_method", &format!("id={}", merchant.method)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(to.starts_with("http://localhost:3000/from?") && to.contains("__err="), "{to}");
    let query = to.split_once('?').unwrap().1;
    let (_, html) = visitor.see(&format!("/payment-methods?{query}")).await;
    assert!(html.contains("This payment method is still needed"), "{html}");
    assert_eq!(methods(&stage, &merchant).await, [merchant.method.clone()]);
}

#[tokio::test]
async fn methods_are_hidden_where_they_are_not_offered() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    allow(&stage, &merchant, json!({ "payment_method_update": { "enabled": false } })).await;
    let visitor = Visitor::new(&stage, &merchant).await;
    assert!(!visitor.see("/").await.1.contains("/payment-methods"));
    assert_eq!(visitor.see("/payment-methods").await.0, StatusCode::FORBIDDEN);
    visitor.send("methods/remove_method", &format!("id={}", merchant.method)).await;
    assert_eq!(methods(&stage, &merchant).await, [merchant.method.clone()]);
}

#[tokio::test]
async fn an_address_is_filled_in_by_its_country() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let visitor = Visitor::new(&stage, &merchant).await;
    let (_, html) = visitor.see("/details/address").await;
    assert!(html.contains("Please choose") && !html.contains("entered[city]"), "first the country");
    let (_, html) = visitor.see("/details/address?country=US").await;
    assert!(html.contains("ZIP code") && html.contains("entered[postal_code]"));

    let street =
        "part=address&entered[country]=DE&entered[line_one]=Lange+Gasse+1&entered[line_two]=&entered[city]=Bonn";
    let (_, to) = visitor.send("details_form/save_details", street).await;
    assert!(to.contains("__err="), "a postal code is asked for: {to}");
    let (_, to) = visitor.send("details_form/save_details", &format!("{street}&entered%5Bpostal_code%5D=53111")).await;
    assert_eq!(to, format!("/details?done=saved&of={}", merchant.customer));
    let address = customer(&stage, &merchant).await.address.unwrap().0;
    assert_eq!(
        (address.line1.as_deref(), address.line2, address.postal_code.as_deref()),
        (Some("Lange Gasse 1"), None, Some("53111"))
    );
    let (_, html) = visitor.see(&to).await;
    assert!(html.contains("Your changes are saved.") && html.contains("53111 Bonn") && html.contains("Germany"));
}

#[tokio::test]
async fn a_name_and_a_phone_are_changed_and_cleared() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let visitor = Visitor::new(&stage, &merchant).await;
    let contact = "part=contact&entered[name]=Maya+L.&entered[phone]=%2B49+228+1";
    let (_, to) = visitor.send("details_form/save_details", contact).await;
    assert_eq!(to, format!("/details?done=saved&of={}", merchant.customer));
    let changed = customer(&stage, &merchant).await;
    assert_eq!((changed.name.as_deref(), changed.phone.as_deref()), (Some("Maya L."), Some("+49 228 1")));
    let (_, to) = visitor.send("details_form/save_details", "part=contact&entered[phone]=").await;
    assert_eq!(to, format!("/details?done=saved&of={}", merchant.customer));
    let cleared = customer(&stage, &merchant).await;
    assert_eq!((cleared.name.as_deref(), cleared.phone), (Some("Maya L."), None));
}

#[tokio::test]
async fn a_detail_that_is_not_listed_is_neither_offered_nor_taken() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    allow(&stage, &merchant, json!({ "customer_update": { "enabled": true, "allowed_updates": ["phone"] } })).await;
    let visitor = Visitor::new(&stage, &merchant).await;
    let (_, html) = visitor.see("/details").await;
    assert!(html.contains("/details/contact") && !html.contains("/details/address"));
    assert!(!visitor.see("/details/contact").await.1.contains("entered[name]"));
    for path in ["/details/address", "/details/shipping"] {
        assert_eq!(visitor.see(path).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(visitor.see("/details/secrets").await.0, StatusCode::NOT_FOUND);
    let before = customer(&stage, &merchant).await;
    let (_, to) = visitor.send("details_form/save_details", "part=contact&entered[name]=Eve").await;
    assert!(to.contains("__err="), "{to}");
    assert_eq!(customer(&stage, &merchant).await, before);
}

#[tokio::test]
async fn invoices_are_found_by_a_form_and_paged_by_links() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let visitor = Visitor::new(&stage, &merchant).await;
    let href = format!("/invoices/{}", merchant.invoice);
    for found in ["", "?q=team", "?q=&status=paid&year=", "?status=paid&q=TEAM"] {
        assert!(visitor.see(&format!("/invoices{found}")).await.1.contains(&href), "{found}");
    }
    for missed in ["?q=studio", "?status=open", "?year=2020", "?q=%25"] {
        let (status, html) = visitor.see(&format!("/invoices{missed}")).await;
        assert_eq!(status, StatusCode::OK);
        assert!(!html.contains(&href) && html.contains("No invoices found"), "{missed}");
    }
    assert_eq!(visitor.see("/invoices?status=lost").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(visitor.see("/invoices?after=in_none").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn activity_says_what_was_done_and_by_whom() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let visitor = Visitor::new(&stage, &merchant).await;
    visitor.send("details_form/save_details", "part=contact&entered[phone]=5").await;
    let (_, html) = visitor.see("/activity").await;
    for part in [
        "Billing details were changed: Phone.",
        "The subscription to Team began.",
        "was paid: $19.00.",
        "Visa •••• 4242 was added.",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(html.contains("You") && html.contains("Automatic"));
}

#[tokio::test]
async fn a_tax_id_is_added_and_removed_as_far_as_it_is_allowed() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let visitor = Visitor::new(&stage, &merchant).await;
    let (_, to) = visitor.send("details/add_tax_id", "kind=eu_vat&value=DE12").await;
    assert!(to.contains("__err="), "{to}");
    let (_, html) = visitor.see(&format!("/details?{}", to.split_once('?').unwrap().1)).await;
    assert!(html.contains("This number is not written as its type is."), "{html}");

    let (_, to) = visitor.send("details/add_tax_id", "kind=eu_vat&value=DE000000000").await;
    let id = to.strip_prefix("/details?done=added&of=").unwrap().to_owned();
    let (_, html) = visitor.see(&to).await;
    for part in ["The tax ID was added.", "DE000000000", "EU VAT", "Verified"] {
        assert!(html.contains(part), "{part}");
    }
    let off = json!({ "customer_update": { "enabled": true, "allowed_updates": ["name"] } });
    allow(&stage, &merchant, off).await;
    visitor.send("details/remove_tax_id", &format!("id={id}")).await;
    let (_, html) = visitor.see("/details").await;
    assert!(html.contains("DE000000000") && !html.contains("remove_tax_id") && !html.contains("add_tax_id"));
    let on = json!({ "customer_update": { "allowed_updates": ["tax_id"] } });
    allow(&stage, &merchant, on).await;
    let (_, to) = visitor.send("details/remove_tax_id", &format!("id={id}")).await;
    let (_, html) = visitor.see(&to).await;
    assert!(html.contains("The tax ID was removed.") && !html.contains("DE000000000"));
}

#[tokio::test]
async fn saving_what_is_so_already_is_no_mistake() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let visitor = Visitor::new(&stage, &merchant).await;
    let (_, to) = visitor.send("details_form/save_details", "part=contact&entered[name]=Maya").await;
    assert!(to.starts_with("/details?"), "{to}");
    let (_, to) = visitor.send("methods/set_default_method", &format!("id={}", merchant.method)).await;
    assert!(to.starts_with("/payment-methods?done=default"), "{to}");
}
