//! What a merchant decides for its portal as a whole: settings, look, feedback options.

use billing::directory;
use billing::portal::branding::{self, BrandingUpdate, Colors, Font, Look, brand};
use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::portal::feedback;
use billing::settings::{self, AfterLastAttempt, Numbering, Settings, SettingsUpdate};
use billing::{Page, Patch};
use serde_json::json;

use crate::support::{done, field, kind, on_both, refused, seen};

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_the_usual_until_they_are_said() {
    on_both(async |stage| {
        assert_eq!(seen!(stage, |tx| settings::get(tx, &stage.who)), Settings::default());
        let update = SettingsUpdate {
            seller_address: Patch::Set("Gasse 1\n1010 Wien".into()),
            seller_tax_id: Patch::Set("ATU12345678".into()),
            default_locale: Patch::Set("pt-BR".into()),
            schedule: Patch::Set(vec![1, 4, 9]),
            after_last_attempt: Some(AfterLastAttempt::Unpaid),
            invoice_numbering: Some(Numbering::Merchant),
            owner_email: Patch::Set("owner@shop.example".into()),
        };
        let after = done!(stage, |tx| settings::update(tx, &stage.who, update.clone()));
        assert_eq!(
            (after.dunning.schedule.as_slice(), after.invoice_numbering),
            ([1, 4, 9].as_slice(), Numbering::Merchant)
        );
        assert_eq!(seen!(stage, |tx| settings::get(tx, &stage.who)), after);
        assert_eq!(seen!(stage, |tx| settings::get(tx, &stage.stranger)), Settings::default());
        let clear = SettingsUpdate {
            default_locale: Patch::Clear,
            schedule: Patch::Clear,
            owner_email: Patch::Clear,
            ..SettingsUpdate::default()
        };
        let cleared = done!(stage, |tx| settings::update(tx, &stage.who, clear.clone()));
        assert_eq!((&cleared.default_locale, &cleared.owner_email), (&None, &None));
        assert_eq!(cleared.dunning.schedule, Settings::default().dunning.schedule);
        done!(stage, |tx| settings::update(tx, &stage.who, clear.clone()));
        let actions = stage.audit().await;
        assert_eq!(actions.iter().filter(|(action, _)| action == "portal_settings.updated").count(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_make_no_sense_are_refused_by_name() {
    on_both(async |stage| {
        let schedule =
            |days: &[i64]| SettingsUpdate { schedule: Patch::Set(days.to_vec()), ..SettingsUpdate::default() };
        let locale = |tag: &str| SettingsUpdate { default_locale: Patch::Set(tag.into()), ..SettingsUpdate::default() };
        let mail = SettingsUpdate { owner_email: Patch::Set("nobody".into()), ..SettingsUpdate::default() };
        for (update, param) in [
            (schedule(&[]), "dunning[schedule]"),
            (schedule(&[0]), "dunning[schedule][0]"),
            (schedule(&[1, 1]), "dunning[schedule][1]"),
            (schedule(&[1, 5, 91]), "dunning[schedule][2]"),
            (schedule(&(1..=21).collect::<Vec<_>>()), "dunning[schedule]"),
            (locale("German"), "default_locale"),
            (locale("d"), "default_locale"),
            (locale("de_DE"), "default_locale"),
            (locale(""), "default_locale"),
            (mail, "owner_email"),
        ] {
            let error = refused!(stage, |tx| settings::update(tx, &stage.who, update.clone()));
            assert_eq!(field(&error), param, "{update:?}");
        }
        let me = stage.portal(&stage.customer().await);
        let error = refused!(stage, |tx| settings::update(tx, &me, SettingsUpdate::default()));
        assert_eq!(kind(&error), "forbidden");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_is_corrected_until_it_can_be_read() {
    on_both(async |stage| {
        let update = BrandingUpdate {
            name: Patch::Set("Umbra".into()),
            accent_color: Patch::Set("#fe0".into()),
            dark: Colors { page: Patch::Set("#000000".into()), ..Colors::default() },
            font: Patch::Set(Font::Serif),
            corner_radius: Patch::Set(4),
            support_email: Patch::Set("help@shop.example".into()),
            ..BrandingUpdate::default()
        };
        let after = done!(stage, |tx| branding::update(tx, &stage.who, update.clone()));
        assert_eq!(after.updated, Some(stage.now()));
        assert_eq!(after, seen!(stage, |tx| branding::get(tx, &stage.who)));
        let chosen = after.look.accent_color.unwrap();
        assert_eq!(String::from(chosen), "#ffee00");
        let (light, dark) = (after.look.light(), after.look.dark());
        assert_ne!(light.accent, chosen, "yellow cannot be told from white");
        assert_eq!(dark.accent, chosen, "it can from black");
        for palette in [light, dark] {
            assert!(palette.accent.contrast(palette.surface) >= 300);
            assert!(palette.on_accent.contrast(palette.accent) >= 450);
            assert!(palette.accent_text.contrast(palette.page) >= 450);
            assert!(palette.accent_text.contrast(palette.surface) >= 450);
            assert!(palette.text.contrast(palette.page) >= 700);
        }
        let cleared = BrandingUpdate { accent_color: Patch::Clear, name: Patch::Clear, ..BrandingUpdate::default() };
        let after = done!(stage, |tx| branding::update(tx, &stage.who, cleared.clone()));
        assert_eq!((after.look.accent_color, &after.look.name, after.look.font), (None, &None, Some(Font::Serif)));
        assert_eq!(seen!(stage, |tx| branding::get(tx, &stage.stranger)), branding::Branding::default());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_is_none_is_refused_by_name() {
    on_both(async |stage| {
        let all = BrandingUpdate::default;
        let set = |text: &str| Patch::Set(text.to_owned());
        for (update, param) in [
            (BrandingUpdate { accent_color: set("red"), ..all() }, "accent_color"),
            (BrandingUpdate { light: Colors { text: set("#12"), ..Colors::default() }, ..all() }, "light[text_color]"),
            (BrandingUpdate { dark: Colors { accent: set("x"), ..Colors::default() }, ..all() }, "dark[accent_color]"),
            (BrandingUpdate { corner_radius: Patch::Set(25), ..all() }, "corner_radius"),
            (BrandingUpdate { header_text: set(&"x".repeat(201)), ..all() }, "header_text"),
            (BrandingUpdate { support_url: set("javascript:alert(1)"), ..all() }, "support_url"),
            (BrandingUpdate { support_email: set("x"), ..all() }, "support_email"),
            (BrandingUpdate { privacy_policy_url: set("http://shop.example"), ..all() }, "privacy_policy_url"),
        ] {
            let error = refused!(stage, |tx| branding::update(tx, &stage.who, update.clone()));
            assert_eq!(field(&error), param);
        }
        assert_eq!(seen!(stage, |tx| branding::get(tx, &stage.who)), branding::Branding::default());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feedback_option_is_said_in_the_merchants_words() {
    on_both(async |stage| {
        let made = done!(stage, |tx| feedback::create(tx, &stage.who, "  Too many mails "));
        assert_eq!((made.description.as_str(), made.active, made.deactivated_at), ("Too many mails", true, None));
        let renamed = done!(stage, |tx| feedback::update(tx, &stage.who, &made.id, Some("Too much mail")));
        assert_eq!(renamed.description, "Too much mail");
        assert_eq!(done!(stage, |tx| feedback::update(tx, &stage.who, &made.id, None)), renamed);
        stage.pass(5);
        let off = done!(stage, |tx| feedback::deactivate(tx, &stage.who, &made.id));
        assert_eq!((off.active, off.deactivated_at), (false, Some(stage.now())));
        stage.pass(5);
        assert_eq!(done!(stage, |tx| feedback::deactivate(tx, &stage.who, &made.id)), off, "once is enough");
        assert_eq!(off, seen!(stage, |tx| feedback::get(tx, &stage.who, &made.id)));
        let other = done!(stage, |tx| feedback::create(tx, &stage.who, "Moved away"));
        let listed = async |active: Option<bool>| {
            let page = Page::first(10);
            let found = seen!(stage, |tx| feedback::list(tx, &stage.who, &page, active));
            found.data.into_iter().map(|option| option.id).collect::<Vec<_>>()
        };
        assert_eq!(listed(None).await, [other.id.clone(), made.id.clone()]);
        assert_eq!((listed(Some(true)).await, listed(Some(false)).await), (vec![other.id], vec![made.id.clone()]));
        for text in ["", "  ", &"x".repeat(101), "a\u{7}"] {
            assert_eq!(field(&refused!(stage, |tx| feedback::create(tx, &stage.who, text))), "description");
        }
        assert_eq!(kind(&refused!(stage, |tx| feedback::get(tx, &stage.stranger, &made.id))), "missing");
        assert_eq!(kind(&refused!(stage, |tx| feedback::deactivate(tx, &stage.stranger, &made.id))), "missing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_may_look_otherwise() {
    on_both(async |stage| {
        let merchants = BrandingUpdate {
            name: Patch::Set("Umbra".into()),
            accent_color: Patch::Set("#008060".into()),
            header_text: Patch::Set("Hello".into()),
            privacy_policy_url: Patch::Set("https://shop.example/privacy".into()),
            ..BrandingUpdate::default()
        };
        done!(stage, |tx| branding::update(tx, &stage.who, merchants.clone()));
        let own = BrandingUpdate { accent_color: Patch::Set("#c00".into()), ..BrandingUpdate::default() };
        let new = ConfigurationUpdate {
            branding: Patch::Set(own),
            headline: Patch::Set("For partners".into()),
            features: Some(json!({"invoice_history": {"enabled": true}})),
            ..ConfigurationUpdate::default()
        };
        let made = done!(stage, |tx| configuration::create(tx, &stage.who, new.clone()));
        let merchant = seen!(stage, |tx| directory::merchant(tx, &stage.who.tenant.merchant));
        let brand = seen!(stage, |tx| brand::of(tx, &stage.who.tenant, &merchant, &made));
        assert_eq!((brand.name.as_str(), brand.headline.as_deref()), ("Umbra", Some("For partners")));
        assert_eq!(brand.look.accent_color.map(String::from).as_deref(), Some("#cc0000"));
        assert_eq!(brand.privacy.as_deref(), Some("https://shop.example/privacy"));
        let usual = seen!(stage, |tx| configuration::get(tx, &stage.who, "default"));
        let brand = seen!(stage, |tx| brand::of(tx, &stage.who.tenant, &merchant, &usual));
        assert_eq!(brand.headline.as_deref(), Some("Hello"));
        assert_eq!(brand.look.accent_color.map(String::from).as_deref(), Some("#008060"));

        let wrong = Colors { text: Patch::Set("#12".to_owned()), ..Colors::default() };
        let wrong = BrandingUpdate { light: wrong, ..BrandingUpdate::default() };
        let wrong = ConfigurationUpdate { branding: Patch::Set(wrong), ..ConfigurationUpdate::default() };
        let error = refused!(stage, |tx| configuration::update(tx, &stage.who, &made.id, wrong.clone()));
        assert_eq!(field(&error), "branding[light][text_color]");
        let clear = ConfigurationUpdate { branding: Patch::Clear, ..ConfigurationUpdate::default() };
        let cleared = done!(stage, |tx| configuration::update(tx, &stage.who, &made.id, clear.clone()));
        assert_eq!(*cleared.branding, Look::default());
        assert_eq!(cleared, seen!(stage, |tx| configuration::get(tx, &stage.who, &made.id)));
    })
    .await;
}
