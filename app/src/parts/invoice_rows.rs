//! Invoices, one a row: number and date, how it stands, how much.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Icon, Pill, PillView, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceRow {
    pub href: String,
    pub number: String,
    pub date: String,
    pub amount: String,
    pub pill: Pill,
}

#[component]
pub fn InvoiceRows(rows: Vec<InvoiceRow>, labelled_by: &'static str) -> AnyView {
    let each = |row: InvoiceRow| {
        let file = format!("{}/pdf", row.href);
        view! {
            <tr>
                <th scope="row"><a class="number" href=row.href><bdi>{row.number}</bdi></a><span class="hint">{row.date}</span></th>
                <td class="state"><PillView pill=row.pill/></td>
                <td class="amount"><bdi>{row.amount}</bdi></td>
                <td class="file">
                    <a href=file rel="external" download="" aria-label=t!(invoices.pdf)>{icon(Icon::Download)}</a>
                </td>
            </tr>
        }
        .into_any()
    };
    view! {
        <table class="rows" aria-labelledby=labelled_by>
            <thead>
                <tr>
                    <th scope="col">{t!(invoices.number)}</th>
                    <th scope="col">{t!(invoices.status)}</th>
                    <th scope="col" class="amount">{t!(invoices.amount)}</th>
                    <td></td>
                </tr>
            </thead>
            <tbody>{rows.into_iter().map(each).collect_view()}</tbody>
        </table>
    }
    .into_any()
}
