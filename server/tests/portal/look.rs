//! How a page looks is the merchant's: on every page, in one element that the page's own policy allows.

use axum::http::{Method, StatusCode, header};
use billing::portal::branding::{self, BrandingUpdate};
use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::settings::{self, SettingsUpdate};
use billing::{Patch, transact};

use crate::stage::{Merchant, Stage, cookie_of, from_a_page, page, request};

async fn branded() -> (Stage, Merchant) {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let set = |text: &str| Patch::Set(text.to_owned());
    let look = BrandingUpdate {
        name: set("Umbra"),
        accent_color: set("#008060"),
        header_text: set("Good to see you"),
        support_email: set("help@shop.example"),
        privacy_policy_url: set("https://shop.example/privacy"),
        ..BrandingUpdate::default()
    };
    transact!(stage.app.db, |tx| branding::update(tx, &merchant.who, look.clone()).await).unwrap();
    (stage, merchant)
}

/// A page, its status, and the merchant's own style: the second that its policy allows, after every page's.
async fn styled(stage: &Stage, path: &str, cookie: &str) -> (StatusCode, String, String) {
    let answer = stage.send(page(path, cookie)).await;
    let status = answer.status();
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let html = String::from_utf8(bytes.to_vec()).unwrap();
    let styles = policy.split("style-src").nth(1).and_then(|rest| rest.split(';').next()).unwrap_or_default();
    let nonce = styles.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    let opened = format!("<style nonce=\"{nonce}\">");
    let style = html.split(opened.as_str()).nth(2).and_then(|rest| rest.split("</style>").next()).unwrap_or_default();
    (status, html.clone(), style.to_owned())
}

#[tokio::test]
async fn every_page_is_the_merchants() {
    let (stage, merchant) = branded().await;
    let (link, _) = stage.link(&merchant.who, &merchant.customer).await;
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    let hosted = {
        let mut tx = stage.app.db.read().await.unwrap();
        let invoice = billing::invoice::get(&mut tx, &merchant.who, &merchant.invoice).await.unwrap();
        invoice.hosted_invoice_url.unwrap().replace("http://localhost:3000", "")
    };
    let own = format!("/subscriptions/{}", merchant.subscription);
    for path in ["/", &own, "/invoices", "/no-such-page", &link, &hosted] {
        let (_, html, style) = styled(&stage, path, &cookie).await;
        assert!(style.contains("--accent:#008060;"), "{path}: {style}");
        assert!(html.contains("https://shop.example/privacy"), "{path}");
        assert!(!html.contains(" style="), "{path}");
    }
    for path in ["/", &own, &link, &hosted] {
        let (_, html, _) = styled(&stage, path, &cookie).await;
        // An invoice names the account that bills as well.
        assert!(html.contains("Umbra") && (path == hosted || !html.contains("Acme")), "{path}");
    }
    for path in ["/", &hosted] {
        let (_, html, _) = styled(&stage, path, &cookie).await;
        assert!(html.contains("Good to see you") && html.contains("mailto:help@shop.example"), "{path}");
    }
}

#[tokio::test]
async fn a_dead_link_still_shows_whose_it_was() {
    let (stage, merchant) = branded().await;
    let (link, _) = stage.link(&merchant.who, &merchant.customer).await;
    let cookie = cookie_of(&stage.send(from_a_page(&link)).await).unwrap();
    let (status, html, style) = styled(&stage, &link, "").await;
    assert_eq!(status, StatusCode::GONE);
    assert!(html.contains("Umbra") && style.contains("--accent:#008060;"), "{style}");
    stage.clock.advance(3 * 60 * 60 * 1000);
    let (status, html, style) = styled(&stage, "/", &cookie).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(html.contains("Umbra") && style.contains("--accent:#008060;"), "{style}");
    let (status, html, style) = styled(&stage, "/session/unknown", "").await;
    assert_eq!((status, style.as_str()), (StatusCode::NOT_FOUND, ""), "nobody's link is nobody's look");
    assert!(!html.contains("Umbra"));
}

#[tokio::test]
async fn a_configurations_own_look_comes_first() {
    let (stage, merchant) = branded().await;
    let look = BrandingUpdate { accent_color: Patch::Set("#aa0044".into()), ..BrandingUpdate::default() };
    let update = ConfigurationUpdate {
        branding: Patch::Set(look),
        headline: Patch::Set("For partners".into()),
        terms_of_service_url: Patch::Set("https://shop.example/terms".into()),
        ..ConfigurationUpdate::default()
    };
    transact!(stage.app.db, |tx| configuration::update(tx, &merchant.who, "default", update.clone()).await).unwrap();
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    let (_, html, style) = styled(&stage, "/", &cookie).await;
    assert!(style.contains("--accent:#aa0044;"), "{style}");
    for part in ["Umbra", "For partners", "https://shop.example/terms", "https://shop.example/privacy"] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("Good to see you"));
}

#[tokio::test]
async fn the_merchants_language_is_for_those_who_say_none() {
    let (stage, merchant) = branded().await;
    let update = SettingsUpdate { default_locale: Patch::Set("de".into()), ..SettingsUpdate::default() };
    transact!(stage.app.db, |tx| settings::update(tx, &merchant.who, update.clone()).await).unwrap();
    let hosted = {
        let mut tx = stage.app.db.read().await.unwrap();
        let invoice = billing::invoice::get(&mut tx, &merchant.who, &merchant.invoice).await.unwrap();
        invoice.hosted_invoice_url.unwrap().replace("http://localhost:3000", "")
    };
    for (accepted, language) in [("", "de"), ("tlh", "de"), ("ar", "ar")] {
        let (_, html) = stage.text(request(Method::GET, &hosted, &[("accept-language", accepted)])).await;
        assert!(html.contains(&format!("lang=\"{language}\"")), "{accepted}");
    }
}

/// One grey pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

#[tokio::test]
async fn a_logo_takes_the_place_of_the_name() {
    let (stage, merchant) = branded().await;
    let rival = stage.merchant("Rival").await;
    let look = BrandingUpdate {
        logo: Patch::Set(format!("data:text/html;base64,{PNG}")),
        icon: Patch::Set(PNG.into()),
        ..BrandingUpdate::default()
    };
    let kept = transact!(stage.app.db, |tx| branding::update(tx, &merchant.who, look.clone()).await).unwrap();
    let path = kept.look.logo.unwrap().path();
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    let (link, _) = stage.link(&merchant.who, &merchant.customer).await;
    for page in ["/", &link] {
        let (_, html, _) = styled(&stage, page, &cookie).await;
        assert!(
            html.contains(&format!("<img src=\"{path}\" width=\"1\" height=\"1\" alt=\"Umbra\" class=\"logo\"")),
            "{html}"
        );
        assert!(html.contains(&format!("<link rel=\"icon\" href=\"{path}\" type=\"image/png\"")), "{html}");
    }
    // As what it is, whatever it was called; by whoever asks, but not under another merchant's name.
    let answer = stage.send(request(Method::GET, &path, &[])).await;
    let said = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((answer.status(), said("content-type").as_str()), (StatusCode::OK, "image/png"));
    assert_eq!(
        (said("x-content-type-options"), said("cross-origin-resource-policy")),
        ("nosniff".into(), "cross-origin".into())
    );
    assert_eq!(said("cache-control"), "public, max-age=31536000, immutable");
    assert!(said("content-security-policy").ends_with("sandbox"));
    let (own, other) = (stage.prove(&merchant).await, stage.prove(&rival).await);
    for (name, expected) in [(own, 200), (other, 404)] {
        let mut asked = request(Method::GET, &path, &[]);
        asked.headers_mut().insert(header::HOST, format!("{name}:3000").parse().unwrap());
        assert_eq!(stage.send(asked).await.status(), expected, "{name}");
    }
    assert_eq!(stage.send(request(Method::GET, "/brand/img_none", &[])).await.status(), StatusCode::NOT_FOUND);
}
