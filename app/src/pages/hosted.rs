//! An invoice's own page, for whoever holds its link: drawn by the server alone, outside the router and any session.

use billing::invoice::hosted::Hosted;
use billing::{Result, Tx};
use leptos::prelude::*;

use crate::parts::sheet::{File, Sheet, sheet};
use crate::parts::{Links, LinksView, Mark, mark};
use crate::present;
use crate::text::{Locale, say};

/// What the page shows.
pub struct HostedInvoice {
    /// The page's name.
    pub title: String,
    mark: Mark,
    sheet: Sheet,
    /// Where to ask, in words.
    help: Option<String>,
    headline: Option<String>,
    links: Links,
}

pub async fn read(tx: &mut Tx, locale: Locale, hosted: &Hosted) -> Result<HostedInvoice> {
    let billed = present::sheet::read(tx, &hosted.actor(), hosted.invoice.clone(), hosted.now).await?;
    let mut sheet = present::sheet::sheet(locale, &billed, &hosted.merchant);
    if let Some(url) = &hosted.invoice.hosted_invoice_url {
        sheet.files.push(File { label: say!(sheet.pdf, locale), href: format!("{url}/pdf") });
    }
    let merchant = hosted.brand.name.clone();
    let email = hosted.brand.support_email.as_ref();
    Ok(HostedInvoice {
        title: format!("{} · {merchant}", sheet.title),
        help: email.map(|email| say!(hosted.help, locale, email = email)),
        headline: hosted.brand.headline.clone(),
        links: present::frame::links(&hosted.brand),
        mark: present::frame::mark(&hosted.brand),
        sheet,
    })
}

#[component]
pub fn HostedInvoicePage(invoice: HostedInvoice) -> impl IntoView {
    view! {
        <div class="outside">
            <main id="main" class="hosted">
                <div class="merchant">
                    {mark(invoice.mark)}
                    {invoice.headline.map(|headline| view! { <p class="headline"><bdi>{headline}</bdi></p> })}
                </div>
                {sheet(invoice.sheet)}
                {invoice.help.map(|help| view! { <p class="hint note">{help}</p> })}
            </main>
            <LinksView links=invoice.links/>
        </div>
    }
}
