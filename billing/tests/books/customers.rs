//! Customers: what may be said of them, how they are found, what their deletion takes along.

use billing::catalog::price;
use billing::customer::{self, Address, CustomField, CustomerFilter, CustomerUpdate, Shipping, TaxExempt};
use billing::portal::session::{self, NewSession, SessionOrigin};
use billing::subscription::{self, Status};
use billing::{Page, Patch, directory};

use crate::support::{Stage, done, field, kind, on_both, plan, refused, seen};

fn everything() -> CustomerUpdate {
    let address = Address {
        city: Some("Köln".into()),
        country: Some("DE".into()),
        line1: Some("Domkloster 4".into()),
        postal_code: Some("50667".into()),
        ..Address::default()
    };
    CustomerUpdate {
        test_clock: None,
        external_id: Patch::Set("u-17".into()),
        name: Patch::Set("Ada Lovelace".into()),
        email: Patch::Set("Ada@example.com".into()),
        phone: Patch::Set("+49 221 1".into()),
        description: Patch::Set("First".into()),
        shipping: Patch::Set(Shipping { address: address.clone(), name: "Ada".into(), phone: None }),
        address: Patch::Set(address),
        default_payment_method: Patch::Keep,
        invoice_prefix: Some("ADA".into()),
        next_invoice_sequence: Some(41),
        custom_fields: Patch::Set(vec![CustomField { name: "PO".into(), value: "7".into() }]),
        footer: Patch::Set("Thanks".into()),
        preferred_locales: Patch::Set(vec!["de".into(), "en".into()]),
        balance: None,
        tax_exempt: Patch::Set(TaxExempt::Reverse),
        discount: Patch::Keep,
        metadata: Patch::Set([("plan".to_owned(), Some("a".to_owned()))].into()),
    }
}

fn email(text: &str) -> CustomerUpdate {
    CustomerUpdate { email: Patch::Set(text.into()), ..CustomerUpdate::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_kept_as_it_was_given() {
    on_both(async |stage| {
        let made = done!(stage, |tx| customer::create(tx, &stage.who, everything()));
        assert_eq!(made, seen!(stage, |tx| customer::get(tx, &stage.who, &made.id)));
        assert_eq!(made.email.as_deref(), Some("Ada@example.com"));
        assert_eq!(made.address.as_ref().unwrap().city.as_deref(), Some("Köln"));
        assert_eq!((made.invoice_prefix.as_str(), made.next_invoice_sequence), ("ADA", 41));
        assert_eq!((made.tax_exempt, made.balance, made.created), (TaxExempt::Reverse, 0, stage.now()));
        assert_eq!(stage.events_of(&made.id).await, ["customer.created"]);

        let bare = done!(stage, |tx| customer::create(tx, &stage.who, CustomerUpdate::default()));
        assert_eq!((bare.name, bare.email, bare.currency, bare.next_invoice_sequence), (None, None, None, 1));
        assert_eq!(bare.invoice_prefix, bare.id[bare.id.len() - 8..].to_uppercase());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_leaves_sets_and_clears() {
    on_both(async |stage| {
        let made = done!(stage, |tx| customer::create(tx, &stage.who, everything()));
        let renamed = CustomerUpdate { name: Patch::Set("Ada King".into()), ..CustomerUpdate::default() };
        let after = done!(stage, |tx| customer::update(tx, &stage.who, &made.id, renamed.clone()));
        assert_eq!(after.name.as_deref(), Some("Ada King"));
        assert_eq!((&after.email, &after.address, &after.metadata), (&made.email, &made.address, &made.metadata));
        let event = stage.last_event(&made.id).await;
        assert_eq!(event.data["previous_attributes"], serde_json::json!({"name": "Ada Lovelace"}));

        done!(stage, |tx| customer::update(tx, &stage.who, &made.id, renamed.clone()));
        assert_eq!(stage.events_of(&made.id).await, ["customer.created", "customer.updated"], "nothing changed");

        let cleared = CustomerUpdate {
            external_id: Patch::Clear,
            name: Patch::Clear,
            email: Patch::Clear,
            phone: Patch::Clear,
            description: Patch::Clear,
            address: Patch::Clear,
            shipping: Patch::Clear,
            custom_fields: Patch::Clear,
            footer: Patch::Clear,
            preferred_locales: Patch::Clear,
            tax_exempt: Patch::Clear,
            metadata: Patch::Clear,
            ..CustomerUpdate::default()
        };
        let bare = done!(stage, |tx| customer::update(tx, &stage.who, &made.id, cleared.clone()));
        assert_eq!((&bare.name, &bare.email, &bare.phone, &bare.description), (&None, &None, &None, &None));
        assert_eq!((&bare.external_id, &bare.address, &bare.shipping), (&None, &None, &None));
        assert_eq!((bare.preferred_locales.len(), bare.metadata.len(), bare.tax_exempt), (0, 0, TaxExempt::None));
        assert_eq!(bare.invoice_settings.0, customer::InvoiceSettings::default());
        assert_eq!(bare, seen!(stage, |tx| customer::get(tx, &stage.who, &made.id)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_merges_by_key() {
    on_both(async |stage| {
        let made = done!(stage, |tx| customer::create(tx, &stage.who, everything()));
        let patch = [
            ("plan".to_owned(), None),
            ("seat".to_owned(), Some("4".to_owned())),
            ("row".to_owned(), Some(String::new())),
        ];
        let update = CustomerUpdate { metadata: Patch::Set(patch.into()), ..CustomerUpdate::default() };
        let after = done!(stage, |tx| customer::update(tx, &stage.who, &made.id, update.clone()));
        assert_eq!(after.metadata.0, [("seat".to_owned(), "4".to_owned())].into());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_that_is_not_as_it_must_be_is_refused_by_name() {
    on_both(async |stage| {
        let refused = async |new: CustomerUpdate| {
            let error = refused!(stage, |tx| customer::create(tx, &stage.who, new.clone()));
            (field(&error).to_owned(), kind(&error).to_owned())
        };
        for text in ["", "ada", "@example.com", "ada@", "a@b@c", "a b@c.d", "a@.c", "a@c.", "a@b\r\nBcc: x@y", "a@b,c"]
        {
            assert_eq!(refused(email(text)).await, ("email".into(), "email_invalid".into()), "{text:?}");
        }
        let all = CustomerUpdate::default;
        let country = |code: &str| Address { country: Some(code.into()), ..Address::default() };
        for code in ["de", "DEU", "D1", ""] {
            assert_eq!(
                refused(CustomerUpdate { address: Patch::Set(country(code)), ..all() }).await.0,
                "address[country]"
            );
        }
        let shipping = Shipping { address: country("x"), name: "Ada".into(), phone: None };
        let error = refused(CustomerUpdate { shipping: Patch::Set(shipping), ..all() }).await;
        assert_eq!(error.0, "shipping[address][country]");
        assert_eq!(refused(CustomerUpdate { name: Patch::Set("x".repeat(257)), ..all() }).await.0, "name");
        assert_eq!(refused(CustomerUpdate { phone: Patch::Set("1".repeat(21)), ..all() }).await.0, "phone");
        assert_eq!(refused(CustomerUpdate { invoice_prefix: Some("ab".into()), ..all() }).await.0, "invoice_prefix");
        assert_eq!(refused(CustomerUpdate { invoice_prefix: Some("AB-C".into()), ..all() }).await.0, "invoice_prefix");
        let unknown = CustomerUpdate { default_payment_method: Patch::Set("pm_no".into()), ..all() };
        assert_eq!(refused(unknown).await, ("invoice_settings[default_payment_method]".into(), "missing".into()));
        let long = [("k".to_owned(), Some("x".repeat(501)))];
        assert_eq!(refused(CustomerUpdate { metadata: Patch::Set(long.into()), ..all() }).await.0, "metadata[k]");
        let many = (0..51).map(|n| (n.to_string(), Some("x".to_owned()))).collect();
        assert_eq!(refused(CustomerUpdate { metadata: Patch::Set(many), ..all() }).await.0, "metadata");

        let made = done!(stage, |tx| customer::create(tx, &stage.who, everything()));
        let lower = CustomerUpdate { next_invoice_sequence: Some(40), ..all() };
        let error = refused!(stage, |tx| customer::update(tx, &stage.who, &made.id, lower.clone()));
        assert_eq!(field(&error), "next_invoice_sequence");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn external_ids_and_invoice_prefixes_name_one_customer_of_a_merchant() {
    on_both(async |stage| {
        done!(stage, |tx| customer::create(tx, &stage.who, everything()));
        let error = refused!(stage, |tx| customer::create(tx, &stage.who, everything()));
        assert_eq!((field(&error), kind(&error)), ("external_id", "resource_already_exists"));
        let prefix = CustomerUpdate { external_id: Patch::Keep, ..everything() };
        let error = refused!(stage, |tx| customer::create(tx, &stage.who, prefix.clone()));
        assert_eq!((field(&error), kind(&error)), ("invoice_prefix", "resource_already_exists"));
        done!(stage, |tx| customer::create(tx, &stage.stranger, everything()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_found_by_email_and_external_id() {
    on_both(async |stage| {
        let ada = done!(stage, |tx| customer::create(tx, &stage.who, everything()));
        let twin = done!(stage, |tx| customer::create(tx, &stage.who, email("Ada@example.com")));
        let lower = done!(stage, |tx| customer::create(tx, &stage.who, email("ada@example.com")));
        let found = async |email: Option<&str>, external: Option<&str>| {
            let page = Page::first(10);
            let (email, external_id) = (email.map(str::to_owned), external.map(str::to_owned));
            let filter = CustomerFilter { email, external_id, test_clock: None };
            let listed = seen!(stage, |tx| customer::list(tx, &stage.who, &page, &filter));
            listed.data.into_iter().map(|c| c.id).collect::<Vec<_>>()
        };
        assert_eq!(found(None, None).await, [lower.id.clone(), twin.id.clone(), ada.id.clone()]);
        assert_eq!(found(Some("Ada@example.com"), None).await, [twin.id.clone(), ada.id.clone()]);
        assert_eq!(found(Some("ada@example.com"), None).await, [lower.id.clone()]);
        assert_eq!(found(None, Some("u-17")).await, [ada.id.clone()]);
        assert_eq!(found(Some("Ada@example.com"), Some("u-17")).await, [ada.id.clone()]);
        assert!(found(Some("ada@example.com"), Some("u-17")).await.is_empty());
        assert!(found(Some("nobody@example.com"), None).await.is_empty());
        done!(stage, |tx| customer::delete(tx, &stage.who, &ada.id));
        assert!(found(None, Some("u-17")).await.is_empty());
        assert_eq!(found(Some("Ada@example.com"), None).await, [twin.id]);
    })
    .await;
}

async fn link(stage: &Stage, customer: &str) -> (String, String) {
    let new = NewSession {
        flow: None,
        customer: customer.into(),
        configuration: None,
        return_url: None,
        cancel_url: None,
        locale: None,
        subscription: None,
        origin: SessionOrigin::Api,
    };
    let minted = done!(stage, |tx| session::create(tx, &stage.who, new.clone()));
    (minted.session.id, minted.secret)
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_customer_ends_what_it_has_and_keeps_what_it_owes() {
    on_both(async |stage| {
        let (customer, one, two) = (stage.payer("pm_card_visa").await, stage.price(1000).await, stage.price(500).await);
        let first = stage.subscribe(plan(&customer, &one)).await;
        let second = stage.subscribe(plan(&customer, &two)).await;
        done!(stage, |tx| subscription::cancel::now(tx, &stage.who, &second.id, None, None));
        let (_, unopened) = link(stage, &customer.id).await;
        let (session, secret) = link(stage, &customer.id).await;
        let cookie = done!(stage, |tx| session::exchange(tx, &stage.system(), &session, &secret, "localhost:3000"));

        stage.pass(60);
        done!(stage, |tx| customer::delete(tx, &stage.who, &customer.id));

        assert_eq!(kind(&refused!(stage, |tx| customer::get(tx, &stage.who, &customer.id))), "missing");
        let stub = seen!(stage, |tx| customer::get_or_deleted(tx, &stage.who, &customer.id));
        assert_eq!(stub.deleted_at, Some(stage.now()));
        assert_eq!(stage.subscription(&first.id).await.status, Status::Canceled);
        let deleted = "customer.subscription.deleted";
        for id in [&first.id, &second.id] {
            assert_eq!(stage.events_of(id).await.iter().filter(|e| *e == deleted).count(), 1);
        }
        assert_eq!(stage.events_of(&customer.id).await.last().unwrap(), "customer.deleted");
        let guest = seen!(stage, |tx| directory::by_cookie(tx, &cookie, "localhost:3000")).unwrap();
        assert!(!guest.is_alive(stage.clock.wall()));
        let waiting = seen!(stage, |tx| directory::by_link(tx, &unopened)).unwrap();
        assert!(waiting.session.revoked_ms.is_some());
        assert_eq!(stage.invoices(&customer.id).await.len(), 2);

        assert_eq!(kind(&refused!(stage, |tx| customer::delete(tx, &stage.who, &customer.id))), "missing");
        let again = email("new@example.com");
        let error = refused!(stage, |tx| customer::update(tx, &stage.who, &customer.id, again.clone()));
        assert_eq!(kind(&error), "missing");
        assert_eq!(seen!(stage, |tx| price::get(tx, &stage.who, &one.id)), one);
    })
    .await;
}
