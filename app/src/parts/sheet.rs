//! An invoice as a sheet: who, when, what, how much. Drawn by the server only, in the portal and on its own page.

use leptos::prelude::*;

use super::{Fact, Facts, Icon, Pill, PillView, icon};

/// Every word of it is said already.
pub struct Sheet {
    /// `Invoice ACME-0001`
    pub title: String,
    pub pill: Pill,
    /// What is still to be paid, or what was.
    pub amount: String,
    pub facts: Vec<Fact>,
    pub files: Vec<File>,
    /// From whom, to whom.
    pub parties: Vec<Party>,
    pub bill: Bill,
    pub notes: Vec<String>,
}

/// A document to save.
pub struct File {
    pub label: String,
    pub href: String,
}

/// Every line of a bill and what they come to.
pub struct Bill {
    pub headings: Headings,
    pub lines: Vec<SheetLine>,
    pub sums: Vec<Sum>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    pub label: String,
    pub lines: Vec<String>,
}

pub struct Headings {
    pub item: String,
    pub amount: String,
}

pub struct SheetLine {
    pub name: String,
    /// `5 × €10.00 per month`
    pub detail: Option<String>,
    /// `November 20 – December 20, 2026`
    pub period: Option<String>,
    pub amount: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    pub label: String,
    pub amount: String,
    /// The one that counts.
    pub strong: bool,
}

pub fn sheet(sheet: Sheet) -> AnyView {
    view! {
        <article class="sheet">
            <header class="title">
                <h1><bdi>{sheet.title}</bdi></h1>
                <PillView pill=sheet.pill/>
            </header>
            <section class="card subscription">
                <p class="price"><bdi class="figure">{sheet.amount}</bdi></p>
                <Facts facts=sheet.facts/>
                {(!sheet.files.is_empty()).then(|| files(sheet.files))}
            </section>
            <div class="parties">{sheet.parties.into_iter().map(party).collect_view()}</div>
            {bill(sheet.bill)}
            {sheet.notes.into_iter().map(|note| view! { <p class="hint note">{note}</p> }).collect_view()}
        </article>
    }
    .into_any()
}

/// Links that the browser follows itself: they lead to files, not to pages.
fn files(files: Vec<File>) -> AnyView {
    let each = |file: File| {
        view! { <a class="button" href=file.href rel="external" download="">{icon(Icon::Download)}{file.label}</a> }
    };
    view! { <div class="actions files">{files.into_iter().map(each).collect_view()}</div> }.into_any()
}

fn party(party: Party) -> AnyView {
    let lines = party.lines.into_iter().map(|line| view! { <span class="line"><bdi>{line}</bdi></span> });
    view! { <section class="card party"><h2>{party.label}</h2><p>{lines.collect_view()}</p></section> }.into_any()
}

pub fn bill(Bill { headings, lines, sums }: Bill) -> AnyView {
    let line = |line: SheetLine| {
        let hint = |text: Option<String>| text.map(|text| view! { <span class="hint"><bdi>{text}</bdi></span> });
        view! {
            <tr>
                <th scope="row"><bdi>{line.name}</bdi>{hint(line.detail)}{hint(line.period)}</th>
                <td class="amount"><bdi>{line.amount}</bdi></td>
            </tr>
        }
    };
    let sum = |sum: Sum| {
        view! {
            <tr class=if sum.strong { "strong" } else { "" }>
                <th scope="row">{sum.label}</th>
                <td class="amount"><bdi>{sum.amount}</bdi></td>
            </tr>
        }
    };
    view! {
        <div class="card flush">
            <table class="rows plain">
                <thead><tr><th scope="col">{headings.item}</th><th scope="col" class="amount">{headings.amount}</th></tr></thead>
                <tbody>{lines.into_iter().map(line).collect_view()}</tbody>
                <tbody class="sums">{sums.into_iter().map(sum).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
