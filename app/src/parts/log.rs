//! What was done, day by day. Drawn by the server only.

use leptos::prelude::*;

/// Every word of it is said already.
pub struct Day {
    pub date: String,
    pub deeds: Vec<Deed>,
}

pub struct Deed {
    /// `Invoice ACME-0001 was paid.`
    pub what: String,
    /// Where it can be seen, if it still can.
    pub href: Option<String>,
    /// `You`, the merchant, or nobody in particular.
    pub who: String,
    pub time: String,
}

pub fn log(days: Vec<Day>) -> AnyView {
    let deed = |deed: Deed| {
        let what = match deed.href {
            Some(href) => view! { <a href=href>{deed.what}</a> }.into_any(),
            None => view! { <span>{deed.what}</span> }.into_any(),
        };
        view! { <li><span class="row-text">{what}<span class="hint">{deed.who}</span></span><span class="hint time">{deed.time}</span></li> }
    };
    let day = |day: Day| {
        view! {
            <section class="day">
                <h2>{day.date}</h2>
                <ul class="card flush lines">{day.deeds.into_iter().map(deed).collect_view()}</ul>
            </section>
        }
    };
    days.into_iter().map(day).collect_view().into_any()
}
