//! What Stripe does not have: the trail, the settings, the look; and the merchant's own reasons for leaving.

use billing::audit::Entry;
use billing::portal::branding::image::MediaType;
use billing::portal::branding::{Branding, Image, Look};
use billing::portal::domain::proof::Problem;
use billing::portal::domain::{Domain, Status};
use billing::portal::feedback::FeedbackOption;
use billing::portal::issuer::{self, Algorithm, Issuer, Match};
use billing::settings::{Seller, Settings};
use billing::subscription::scheduled::{By, Kind, Planned, ScheduledChange, State};
use billing::subscription::{PendingUpdate, PlannedItem};
use billing::webhook::delivery::{self, Delivery};
use billing::{Json, Millis, wire};
use serde_json::json;

use super::{LATER, THEN, some};

pub fn audit_entry() -> Entry {
    Entry {
        id: "aud_1".into(),
        at_ms: Millis(THEN.0 * 1000),
        action: "customer.updated".into(),
        object: "customer".into(),
        object_id: "cus_1".into(),
        customer: some("cus_1"),
        origin: "portal".into(),
        actor: "bps_1".into(),
        ip: some("203.0.113.7"),
        user_agent: some("Mozilla/5.0"),
        request_id: some("req_1"),
        idempotency_key: some("key"),
        event: some("evt_1"),
        before: Some(Json(json!({ "name": "Ada" }))),
        after: Some(Json(json!({ "name": "Ada L." }))),
    }
}

pub fn delivery() -> Delivery {
    Delivery {
        id: "whd_1".into(),
        endpoint: "we_1".into(),
        event: "evt_1".into(),
        name: "customer.updated".into(),
        status: delivery::Status::Pending,
        attempts: 2,
        next_ms: Some(Millis(LATER.0 * 1000)),
        last_status: Some(503),
        last_error: some("there was no whole answer in time"),
        created: THEN,
        settled_ms: Some(Millis(LATER.0 * 1000)),
    }
}

pub fn feedback_option() -> FeedbackOption {
    FeedbackOption {
        id: "fbo_1".into(),
        description: "Too many mails".into(),
        active: false,
        deactivated_at: Some(THEN),
        created: THEN,
        version: 1,
    }
}

pub fn branding() -> Branding {
    let look = Look {
        name: some("Ada's"),
        corner_radius: Some(8),
        header_text: some("Thank you for staying"),
        logo: Some(image(240, 64)),
        icon: Some(image(64, 64)),
        support_url: some("https://example.com/help"),
        support_email: some("help@example.com"),
        privacy_policy_url: some("https://example.com/privacy"),
        terms_of_service_url: some("https://example.com/terms"),
        ..Look::default()
    };
    Branding { look, updated: Some(THEN) }
}

fn image(width: u32, height: u32) -> Image {
    Image { id: "img_1".into(), media_type: MediaType::Png, width, height }
}

pub fn domain() -> Domain {
    Domain {
        id: "pdom_1".into(),
        domain_name: "billing.example.com".into(),
        status: Status::Active,
        token: "token".into(),
        problem: Some(Problem::CnameMissing),
        checked_at: Some(LATER),
        failing_since: Some(LATER),
        verified_at: Some(THEN),
        released_at: None,
        created: THEN,
        version: 1,
        target: "portal.example.net".into(),
    }
}

pub fn settings() -> Settings {
    let seller = Seller { address: some("Gasse 1"), tax_id: some("ATU12345678") };
    Settings { seller, default_locale: some("de"), owner_email: some("owner@example.com"), ..Settings::default() }
}

fn planned_item() -> PlannedItem {
    PlannedItem {
        id: some("si_1"),
        price: "price_1".into(),
        quantity: 2,
        tax_rates: vec!["txr_1".into()],
        metadata: super::metadata().0,
    }
}

pub fn pending_update() -> PendingUpdate {
    PendingUpdate {
        invoice: "in_1".into(),
        latest_invoice: None,
        items: vec![planned_item()],
        billing_cycle_anchor: Some(THEN),
        shown: vec![wire::item(&super::tenant(), &super::item())],
    }
}

pub fn scheduled_change() -> ScheduledChange {
    ScheduledChange {
        id: "schg_1".into(),
        subscription: "sub_1".into(),
        kind: Kind::Update,
        due: LATER,
        change: Json(Planned { items: vec![planned_item()], resumes_at: Some(LATER) }),
        origin: By::Portal,
        status: State::Scheduled,
        created: THEN,
        settled_at: Some(THEN),
    }
}

pub fn issuer() -> Issuer {
    let settings = issuer::Settings {
        algorithm: Algorithm::Rs256,
        secret: None,
        public_key: None,
        jwks_url: some("https://id.example.com/.well-known/jwks.json"),
        clock_skew: 60,
        claim: "sub".into(),
        matches: Match::ExternalId,
        return_urls: vec!["https://app.example.com".into()],
        origins: vec!["https://app.example.com".into()],
    };
    Issuer {
        id: "iss_1".into(),
        active: true,
        issuer: "https://id.example.com/".into(),
        audience: "billing".into(),
        settings: Json(settings),
        created: THEN,
        updated: THEN,
        version: 1,
    }
}
