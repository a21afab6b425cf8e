//! An invoice's own page, for whoever holds its link: drawn by the server alone, outside the router and any session.

use billing::invoice::hosted::Hosted;
use billing::{Result, Tx};
use leptos::prelude::*;

use crate::parts::sheet::{Sheet, sheet};
use crate::parts::{Icon, icon};
use crate::present;
use crate::text::{Locale, say};

/// What the page shows.
pub struct HostedInvoice {
    /// The page's name.
    pub title: String,
    merchant: String,
    sheet: Sheet,
    /// Where to ask, in words.
    help: Option<String>,
}

pub async fn read(tx: &mut Tx, locale: Locale, hosted: &Hosted) -> Result<HostedInvoice> {
    let billed = present::sheet::read(tx, &hosted.actor(), hosted.invoice.clone(), hosted.now).await?;
    let sheet = present::sheet::sheet(locale, &billed, &hosted.merchant);
    let merchant = hosted.merchant.name.clone();
    let email = hosted.merchant.business.support_email.as_ref();
    Ok(HostedInvoice {
        title: format!("{} · {merchant}", sheet.title),
        help: email.map(|email| say!(hosted.help, locale, email = email)),
        merchant,
        sheet,
    })
}

#[component]
pub fn HostedInvoicePage(invoice: HostedInvoice) -> impl IntoView {
    let initial = present::frame::monogram(&invoice.merchant);
    view! {
        <main id="main" class="hosted">
            <div class="merchant">
                <span class="monogram" aria-hidden="true">{initial}</span>
                <p class="merchant-name"><bdi>{invoice.merchant}</bdi></p>
            </div>
            {sheet(invoice.sheet)}
            {invoice.help.map(|help| view! { <p class="hint note">{help}</p> })}
        </main>
    }
}

/// The link worked once, and does so no more.
#[component]
pub fn HostedExpiredPage(merchant: String) -> impl IntoView {
    let locale = use_context::<Locale>().unwrap_or_default();
    view! {
        <main id="main" class="door">
            <div class="card">
                <span class="badge large">{icon(Icon::Expired)}</span>
                <p class="merchant-name" dir="auto">{merchant.clone()}</p>
                <h1>{say!(hosted.expired, locale)}</h1>
                <p>{say!(hosted.why, locale)}</p>
                <p>{say!(hosted.what, locale, merchant = merchant)}</p>
            </div>
        </main>
    }
}
