//! An invoice's own page, for whoever holds its link: drawn by the server alone, outside the router and any session.

use billing::invoice::hosted::Hosted;
use billing::payment::charge;
use billing::portal::configuration;
use billing::portal::fields::{Errand, Ticket};
use billing::{Result, Trace, Tx};
use leptos::prelude::*;

use crate::parts::sheet::{File, Sheet, sheet};
use crate::parts::{Icon, Links, LinksView, Mark, PayWay, Paying, icon, mark};
use crate::present;
use crate::text::{Locale, say};

/// What the page shows.
pub struct HostedInvoice {
    /// The page's name.
    pub title: String,
    mark: Mark,
    /// What is left to pay, and the address that pays it or where it is confirmed.
    pub paying: Option<(Paying, String)>,
    sheet: Sheet,
    /// Where to ask, in words.
    help: Option<String>,
    headline: Option<String>,
    links: Links,
}

/// `portal` and `path` are the page's own; `fields_url` the origin on which a bank asks.
pub async fn read(
    tx: &mut Tx,
    locale: Locale,
    hosted: &Hosted,
    (portal, path, fields_url): (&str, &str, &str),
) -> Result<HostedInvoice> {
    let allowed = configuration::get(tx, &hosted.actor(), "default").await?;
    let payer = hosted.payer(Trace::default());
    let is_open = billing::portal::paying::is_open(&payer, &allowed);
    let found = present::paying::state(tx, locale, &payer, is_open, &hosted.invoice).await?;
    let paying = match found {
        Some(found) => Some(way(tx, locale, hosted, found, (portal, path, fields_url)).await?),
        None => None,
    };
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
        paying,
        sheet,
    })
}

/// Where the one button leads: the form's own address, or the bank's page for what waits to be confirmed.
async fn way(
    tx: &mut Tx,
    locale: Locale,
    hosted: &Hosted,
    found: Paying,
    (portal, path, fields_url): (&str, &str, &str),
) -> Result<(Paying, String)> {
    if !matches!(found.way, PayWay::Confirm { .. }) {
        return Ok((found, format!("{path}/pay")));
    }
    let who = hosted.actor();
    let last = charge::last(tx, &who, &hosted.invoice.id).await?;
    let charge = last.map(|last| last.id).unwrap_or_default();
    let errand = Errand::ConfirmCharge { charge, then: path.to_owned() };
    let ticket = Ticket::issue(tx, &who, (None, portal), errand, locale.tag())?;
    Ok((found, format!("{fields_url}/confirm/{ticket}")))
}

fn pay(locale: Locale, (paying, to): (Paying, String)) -> AnyView {
    let trouble = paying.trouble.map(|text| view! { <p class="trouble">{icon(Icon::Warning)}<span>{text}</span></p> });
    let way = match paying.way {
        PayWay::Closed | PayWay::Nothing(_) if trouble.is_none() => return ().into_any(),
        PayWay::Closed | PayWay::Nothing(_) => ().into_any(),
        PayWay::Pay { label, with } => view! {
            <form method="post" action=to>
                <p class="hint with">{with}</p>
                <button type="submit" class="button primary">{label}</button>
            </form>
        }
        .into_any(),
        PayWay::Confirm { .. } => view! {
            <p>{say!(repair.confirm_text, locale)}</p>
            <div class="actions"><a class="button primary" href=to>{say!(repair.confirm, locale)}</a></div>
        }
        .into_any(),
        PayWay::Waiting(text) => view! { <p class="hint">{text}</p> }.into_any(),
    };
    view! { <section class="card" aria-label=say!(repair.pay, locale)><div class="paying">{trouble}{way}</div></section> }
        .into_any()
}

#[component]
pub fn HostedInvoicePage(invoice: HostedInvoice) -> impl IntoView {
    let locale = use_context::<Locale>().unwrap_or_default();
    view! {
        <div class="outside">
            <main id="main" class="hosted">
                <div class="merchant">
                    {mark(invoice.mark)}
                    {invoice.headline.map(|headline| view! { <p class="headline"><bdi>{headline}</bdi></p> })}
                </div>
                {invoice.paying.map(|paying| pay(locale, paying))}
                {sheet(invoice.sheet)}
                {invoice.help.map(|help| view! { <p class="hint note">{help}</p> })}
            </main>
            <LinksView links=invoice.links/>
        </div>
    }
}
