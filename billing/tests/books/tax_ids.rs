//! Tax IDs: their form, whose they are, what is said of them.

use billing::customer::tax_id::{self, NewTaxId, TaxId, Verification};
use billing::{Page, Patch, Tenant, customer};

use crate::support::{Stage, done, field, kind, on_both, plan, refused, seen};

fn new(kind: &str, value: &str) -> NewTaxId {
    NewTaxId { r#type: kind.into(), value: value.into() }
}

async fn listed(stage: &Stage, customer: &str) -> Vec<TaxId> {
    seen!(stage, |tx| tax_id::list(tx, &stage.who, customer, &Page::first(10))).data
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tax_id_is_kept_as_it_was_entered() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let vat = done!(stage, |tx| tax_id::create(tx, &stage.who, &customer.id, new("eu_vat", "  de 123 456 789 ")));
        assert_eq!((vat.value.as_str(), vat.country.as_deref()), ("de 123 456 789", Some("DE")));
        assert_eq!(
            (&vat.customer, vat.verification, vat.created),
            (&customer.id, Verification::Unavailable, stage.now())
        );
        assert_eq!(vat, seen!(stage, |tx| tax_id::get(tx, &stage.who, &vat.id)));
        let oss = done!(stage, |tx| tax_id::create(tx, &stage.who, &customer.id, new("eu_oss_vat", "EU123456789")));
        assert_eq!(oss.country, None);
        assert_eq!(listed(stage, &customer.id).await, [oss.clone(), vat.clone()]);
        assert_eq!(stage.events_of(&vat.id).await, ["customer.tax_id.created"]);
        assert_eq!(stage.last_event(&vat.id).await.customer.as_ref(), Some(&customer.id));

        done!(stage, |tx| tax_id::delete(tx, &stage.who, &vat.id));
        assert_eq!(listed(stage, &customer.id).await, [oss]);
        assert_eq!(stage.events_of(&vat.id).await, ["customer.tax_id.created", "customer.tax_id.deleted"]);
        let gone = refused!(stage, |tx| tax_id::get(tx, &stage.who, &vat.id));
        assert_eq!(kind(&gone), "missing");
        let again = refused!(stage, |tx| tax_id::delete(tx, &stage.who, &vat.id));
        assert_eq!(kind(&again), "missing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tax_id_that_is_none_is_refused_by_name() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        for (kind_of, value, param, code) in [
            ("eu_vat", "DE12", "value", "tax_id_invalid"),
            ("eu_vat", "", "value", "tax_id_invalid"),
            ("eu_vat", "DE123456789\u{7}", "value", "parameter_invalid"),
            ("xx_vat", "DE123456789", "type", "parameter_invalid"),
            ("us_ein", "000000000X", "value", "tax_id_invalid"),
        ] {
            let error = refused!(stage, |tx| tax_id::create(tx, &stage.who, &customer.id, new(kind_of, value)));
            assert_eq!((field(&error), kind(&error)), (param, code), "{kind_of} {value}");
        }
        let nobody = refused!(stage, |tx| tax_id::create(tx, &stage.who, "cus_no", new("eu_vat", "DE123456789")));
        assert_eq!((field(&nobody), kind(&nobody)), ("customer", "missing"));
        assert!(listed(stage, &customer.id).await.is_empty());
        for n in 0..20 {
            done!(stage, |tx| tax_id::create(tx, &stage.who, &customer.id, new("us_ein", &format!("{n:09}"))));
        }
        let full = refused!(stage, |tx| tax_id::create(tx, &stage.who, &customer.id, new("us_ein", "123456789")));
        assert_eq!(kind(&full), "tax_id_limit_reached");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_test_mode_stripes_numbers_answer_for_the_register() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        for (value, status, events) in [
            ("000000000", Verification::Verified, 2),
            ("DE000000000", Verification::Verified, 2),
            ("DE111111111", Verification::Unverified, 2),
            ("222222222", Verification::Pending, 1),
        ] {
            let made = done!(stage, |tx| tax_id::create(tx, &stage.who, &customer.id, new("eu_vat", value)));
            assert_eq!(made.verification, status, "{value}");
            assert_eq!(made, seen!(stage, |tx| tax_id::get(tx, &stage.who, &made.id)));
            assert_eq!(stage.events_of(&made.id).await.len(), events, "{value}");
        }
        let live =
            billing::Actor { tenant: Tenant { livemode: true, ..stage.who.tenant.clone() }, ..stage.who.clone() };
        let error = refused!(stage, |tx| tax_id::create(tx, &live, &customer.id, new("eu_vat", "000000000")));
        assert_eq!(kind(&error), "tax_id_invalid");
        let made = done!(stage, |tx| tax_id::create(tx, &live, &customer.id, new("eu_vat", "DE000000000")));
        assert_eq!(made.verification, Verification::Unavailable);
        let told = done!(stage, |tx| tax_id::verify(tx, &stage.who, &made.id, Verification::Unverified));
        assert_eq!(told.verification, Verification::Unverified);
        let event = stage.last_event(&made.id).await;
        assert_eq!(event.r#type, "customer.tax_id.updated");
        assert_eq!(event.data["previous_attributes"], serde_json::json!({"verification": {"status": "unavailable"}}));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_print_the_tax_ids_of_their_day() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let first = done!(stage, |tx| tax_id::create(tx, &stage.who, &customer.id, new("eu_vat", "DE123456789")));
        stage.pass(1);
        done!(stage, |tx| tax_id::create(tx, &stage.who, &customer.id, new("us_ein", "12-3456789")));
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        let id = subscription.latest_invoice.unwrap();
        let printed = vec![("eu_vat".to_owned(), "DE123456789".to_owned()), ("us_ein".into(), "12-3456789".into())];
        assert_eq!(stage.invoice(&id).await.bill_to.tax_ids, printed);
        done!(stage, |tx| tax_id::delete(tx, &stage.who, &first.id));
        assert_eq!(stage.invoice(&id).await.bill_to.tax_ids, printed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_in_the_portal_has_its_own_only() {
    on_both(async |stage| {
        let (ada, bob) = (stage.customer().await, stage.customer().await);
        let (her, him) = (stage.portal(&ada), stage.portal(&bob));
        let made = done!(stage, |tx| tax_id::create(tx, &her, &ada.id, new("eu_vat", "DE123456789")));
        assert_eq!(stage.last_event(&made.id).await.origin, "portal");
        let refusals = [
            refused!(stage, |tx| tax_id::create(tx, &him, &ada.id, new("eu_vat", "DE123456789"))),
            refused!(stage, |tx| tax_id::get(tx, &him, &made.id)),
            refused!(stage, |tx| tax_id::of_customer(tx, &stage.who, &bob.id, &made.id)),
            refused!(stage, |tx| tax_id::verify(tx, &him, &made.id, Verification::Verified)),
            refused!(stage, |tx| tax_id::delete(tx, &him, &made.id)),
            refused!(stage, |tx| tax_id::list(tx, &him, &ada.id, &Page::first(10))),
            refused!(stage, |tx| tax_id::delete(tx, &stage.stranger, &made.id)),
            refused!(stage, |tx| tax_id::get(tx, &stage.stranger, &made.id)),
        ];
        for (n, error) in refusals.iter().enumerate() {
            assert_eq!(kind(error), "missing", "{n}");
        }
        let from = Page { starting_after: Some(made.id.clone()), ..Page::first(10) };
        let error = refused!(stage, |tx| tax_id::list(tx, &him, &bob.id, &from));
        assert_eq!((field(&error), kind(&error)), ("starting_after", "missing"));
        let named = customer::CustomerUpdate { name: Patch::Set("Ada".into()), ..Default::default() };
        done!(stage, |tx| customer::update(tx, &her, &ada.id, named.clone()));
        done!(stage, |tx| tax_id::delete(tx, &her, &made.id));
    })
    .await;
}
