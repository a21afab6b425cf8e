//! Printed documents: the same bytes each time, for those who may have them, under a name of their own.

use axum::body::to_bytes;
use axum::http::{Method, StatusCode, header};
use billing::customer::CustomerUpdate;
use billing::{Patch, transact};

use crate::stage::{Merchant, Stage, page, request};

async fn invoice(stage: &Stage, merchant: &Merchant) -> billing::invoice::Invoice {
    let mut tx = stage.app.db.read().await.unwrap();
    billing::invoice::get(&mut tx, &merchant.who, &merchant.invoice).await.unwrap()
}

/// The path of a link of ours.
fn path(url: Option<&String>) -> String {
    url.unwrap().strip_prefix("http://localhost:3000").unwrap().to_owned()
}

/// A file: its name as the header says it, and its bytes.
async fn file(stage: &Stage, path: &str, cookie: &str) -> (StatusCode, String, Vec<u8>) {
    let answer = stage.send(page(path, cookie)).await;
    let status = answer.status();
    let name = answer.headers().get(header::CONTENT_DISPOSITION).map(|value| value.to_str().unwrap().to_owned());
    if name.is_some() {
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "private, no-store");
        assert_eq!(answer.headers()[header::REFERRER_POLICY], "no-referrer");
    }
    (status, name.unwrap_or_default(), to_bytes(answer.into_body(), 1 << 24).await.unwrap().to_vec())
}

fn is_archival(bytes: &[u8]) -> bool {
    let has = |part: &str| bytes.windows(part.len()).any(|window| window == part.as_bytes());
    bytes.starts_with(b"%PDF-1.7") && has("pdfaid:part>3<") && has("pdfuaid:part>1<") && has("/StructTreeRoot")
}

#[tokio::test]
async fn a_customer_saves_the_invoice_and_its_receipt() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let number = invoice(&stage, &merchant).await.number.unwrap();
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    for (what, name) in [("pdf", "Invoice"), ("receipt", "Receipt")] {
        let (status, disposition, bytes) =
            file(&stage, &format!("/invoices/{}/{what}", merchant.invoice), &cookie).await;
        assert_eq!(status, StatusCode::OK, "{what}");
        assert_eq!(disposition, format!("attachment; filename=\"{name} {number}.pdf\""));
        assert!(is_archival(&bytes), "{what}");
    }
    let (_, html) = stage.text(page(&format!("/invoices/{}", merchant.invoice), &cookie)).await;
    assert!(html.contains("Download PDF") && html.contains("Download receipt"));
}

#[tokio::test]
async fn a_document_is_the_same_bytes_each_time() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let path = path(invoice(&stage, &merchant).await.invoice_pdf.as_ref());
    let (status, _, first) = file(&stage, &path, "").await;
    assert_eq!(status, StatusCode::OK);
    stage.clock.advance(400 * 24 * 60 * 60 * 1000);
    let request = request(Method::GET, &path, &[("accept-language", "ar")]);
    let later = to_bytes(stage.send(request).await.into_body(), 1 << 24).await.unwrap();
    assert!(first == later, "neither the day nor who asks changes a document");
    let (_, _, again) = file(&stage, &path, "").await;
    assert!(first == again);
}

#[tokio::test]
async fn a_link_opens_its_document_and_no_other() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let rival = stage.merchant("Rival").await;
    let own = path(invoice(&stage, &merchant).await.invoice_pdf.as_ref());
    let theirs = path(invoice(&stage, &rival).await.invoice_pdf.as_ref());
    let (place, mark) = own.rsplit_once('/').unwrap();
    let (their_place, their_mark) = theirs.rsplit_once('/').unwrap();
    let account = &merchant.who.tenant.merchant;
    let wrong = [
        format!("{place}/{their_mark}"),
        format!("{their_place}/{mark}"),
        format!("{place}/{}", &mark[..42]),
        format!("{place}/x"),
        format!("/documents/{account}/{}/{mark}", rival.invoice),
        format!("/documents/acct_none/{}/{mark}", merchant.invoice),
        format!("/documents/{account}/{}/{mark}", merchant.customer),
    ];
    for path in wrong {
        let (status, _, bytes) = file(&stage, &path, "").await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(!String::from_utf8_lossy(&bytes).contains("Acme"), "{path}");
    }
}

#[tokio::test]
async fn the_hosted_pages_document_ends_with_it() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let page_path = path(invoice(&stage, &merchant).await.hosted_invoice_url.as_ref());
    let (_, html) = stage.text(request(Method::GET, &page_path, &[])).await;
    assert!(html.contains(&format!("{page_path}/pdf")) && html.contains("Download PDF"));
    let (status, _, bytes) = file(&stage, &format!("{page_path}/pdf"), "").await;
    assert!(status == StatusCode::OK && is_archival(&bytes));
    stage.clock.advance(31 * 24 * 60 * 60 * 1000);
    assert_eq!(file(&stage, &format!("{page_path}/pdf"), "").await.0, StatusCode::GONE);
    let lasting = path(invoice(&stage, &merchant).await.invoice_pdf.as_ref());
    assert_eq!(file(&stage, &lasting, "").await.0, StatusCode::OK, "books need it for years");
}

#[tokio::test]
async fn another_customers_documents_are_not_there() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (stranger, _) = stage.customer(&merchant.who).await;
    let (cookie, _) = stage.sign_in(&merchant.who, &stranger).await;
    for path in ["pdf", "receipt"].map(|what| format!("/invoices/{}/{what}", merchant.invoice)) {
        let (status, disposition, bytes) = file(&stage, &path, &cookie).await;
        assert_eq!((status, disposition.as_str()), (StatusCode::NOT_FOUND, ""), "{path}");
        assert!(!bytes.starts_with(b"%PDF"));
    }
}

#[tokio::test]
async fn names_of_files_go_with_the_language() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let update = CustomerUpdate { preferred_locales: Patch::Set(vec!["ar".into()]), ..CustomerUpdate::default() };
    transact!(stage.app.db, |tx| billing::customer::update(tx, &merchant.who, &merchant.customer, update.clone())
        .await)
    .unwrap();
    let found = invoice(&stage, &merchant).await;
    let (status, disposition, bytes) = file(&stage, &path(found.invoice_pdf.as_ref()), "").await;
    assert!(status == StatusCode::OK && is_archival(&bytes));
    assert!(disposition.contains("filename*=UTF-8''%D8%A7%D9%84%D9%81") && disposition.is_ascii(), "{disposition}");
}
