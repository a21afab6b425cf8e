//! What a customer takes away: all of its own, nothing of another's, and the trail says so.

use axum::body::to_bytes;
use axum::http::{StatusCode, header};
use billing::customer::CustomerUpdate;
use billing::{Patch, transact};
use serde_json::Value;

use crate::stage::{Merchant, Stage, page};

async fn taken(stage: &Stage, path: &str, cookie: &str) -> (StatusCode, String, Vec<u8>) {
    let answer = stage.send(page(path, cookie)).await;
    let name = answer.headers().get(header::CONTENT_DISPOSITION).map(|name| name.to_str().unwrap().to_owned());
    let status = answer.status();
    (status, name.unwrap_or_default(), to_bytes(answer.into_body(), 1 << 26).await.unwrap().to_vec())
}

/// A customer whose name a spreadsheet would calculate, with as many paid invoices.
async fn customer(stage: &Stage, merchant: &Merchant, invoices: usize) -> (String, String) {
    let (id, _) = stage.customer(&merchant.who).await;
    let named = CustomerUpdate { name: Patch::Set("=1+1, \"Maya\"".into()), ..CustomerUpdate::default() };
    transact!(stage.app.db, |tx| billing::customer::update(tx, &merchant.who, &id, named.clone()).await).unwrap();
    for _ in 0..invoices {
        stage.subscription(&merchant.who, &id, &merchant.price).await;
    }
    let (cookie, _) = stage.sign_in(&merchant.who, &id).await;
    (id, cookie)
}

#[tokio::test]
async fn a_years_invoices_are_a_table() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    // More than are read at a time.
    let (_, cookie) = customer(&stage, &merchant, 52).await;
    let (status, name, bytes) = taken(&stage, "/export/invoices.csv?year=2026", &cookie).await;
    assert_eq!((status, name.as_str()), (StatusCode::OK, "attachment; filename=\"Acme 2026.csv\""));
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 53);
    assert!(lines[0].starts_with("\"Invoice number\",Status,\"Billed to\",Issued,"), "{}", lines[0]);
    let ends = ",Paid,\"'=1+1, \"\"Maya\"\"\",2026-05-28,,2026-05-28,USD,19.00,0.00,0.00,19.00,19.00,0.00";
    assert!(lines[1..].iter().all(|line| line.ends_with(ends)), "{}", lines[1]);
    let (_, _, other) = taken(&stage, "/export/invoices.csv?year=2025", &cookie).await;
    assert_eq!(String::from_utf8(other).unwrap().matches("\r\n").count(), 1, "titles alone");
    for wrong in ["", "?year=", "?year=x", "?year=1e9"] {
        let (status, ..) = taken(&stage, &format!("/export/invoices.csv{wrong}"), &cookie).await;
        assert!(status.is_client_error(), "{wrong}");
    }
}

#[tokio::test]
async fn a_years_documents_are_an_archive() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (_, cookie) = customer(&stage, &merchant, 3).await;
    let (status, name, bytes) = taken(&stage, "/export/invoices.zip?year=2026", &cookie).await;
    assert_eq!((status, name.as_str()), (StatusCode::OK, "attachment; filename=\"Acme 2026.zip\""));
    let count = |part: &[u8]| bytes.windows(part.len()).filter(|window| *window == part).count();
    assert_eq!((count(b"%PDF-1.7"), count(b"PK\x03\x04"), count(b"PK\x01\x02"), count(b"PK\x05\x06")), (3, 3, 3, 1));
}

#[tokio::test]
async fn all_that_is_kept_is_in_one_file_and_nothing_of_others() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (id, cookie) = customer(&stage, &merchant, 2).await;
    let (status, name, bytes) = taken(&stage, "/export/data.json", &cookie).await;
    assert_eq!((status, name.as_str()), (StatusCode::OK, "attachment; filename=\"Acme.json\""));
    let data: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(data["customer"]["id"], id.as_str());
    let lists = [("subscriptions", 2), ("invoices", 2), ("charges", 2), ("payment_methods", 1), ("tax_ids", 0)];
    for (list, count) in lists {
        assert_eq!(data[list].as_array().unwrap().len(), count, "{list}");
    }
    assert_eq!(data["invoices"][0]["lines"]["data"].as_array().unwrap().len(), 1);
    let text = String::from_utf8(bytes).unwrap();
    assert!(!text.contains("metadata"));
    for other in [&merchant.customer, &merchant.invoice, &merchant.subscription, &merchant.method] {
        assert!(!text.contains(other.as_str()), "another customer's {other}");
    }
}

#[tokio::test]
async fn the_trail_says_who_took_what() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (id, cookie) = customer(&stage, &merchant, 1).await;
    for path in ["/export/invoices.csv?year=2026", "/export/invoices.zip?year=2026", "/export/data.json"] {
        assert_eq!(taken(&stage, path, &cookie).await.0, StatusCode::OK);
        assert_eq!(taken(&stage, path, "").await.0, StatusCode::UNAUTHORIZED);
    }
    let mut tx = stage.app.db.read().await.unwrap();
    let filter = billing::audit::list::EntryFilter { customer: Some(id), ..Default::default() };
    let page = billing::Page::first(10);
    let entries = billing::audit::list::list(&mut tx, &merchant.who, &page, &filter).await.unwrap().data;
    let actions: Vec<&str> = entries.iter().rev().map(|entry| entry.action.as_str()).collect();
    let expected = ["customer.invoices_exported", "customer.documents_exported", "customer.data_exported"];
    assert!(actions.ends_with(&expected), "{actions:?}");
}
