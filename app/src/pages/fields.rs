//! The pages of the hosted fields' origin, drawn by the server alone: where a number is typed, where a bank asks, and the
//! way back to the portal.

use billing::Currency;
use billing::customer::payment_method::MethodType;
use leptos::prelude::*;

use crate::parts::{Icon, icon};
use crate::text::{Locale, format, say};

/// Who carries mobile money; their names are the same in every language.
pub const OPERATORS: [&str; 5] = ["M-Pesa", "MTN MoMo", "Airtel Money", "Orange Money", "Tigo Pesa"];

/// What is typed, and for whom.
pub struct Page {
    pub kind: MethodType,
    pub merchant: String,
    pub known: Known,
    pub problems: Vec<Problem>,
    /// The origin of the portal.
    pub portal: String,
    /// Its page that is handed the reference.
    pub then: String,
    pub is_test: bool,
}

/// What was filled in and is no number: it stands in the form again.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub name: String,
    pub operator: String,
    pub default: bool,
}

/// What is wrong with one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    Number,
    Expiry,
    Expired,
    Cvc,
    Name,
    Iban,
    Routing,
    Account,
    Operator,
    Phone,
    Accept,
    /// The processor does not know the number.
    Unknown(MethodType),
    /// The processor does not answer.
    Again,
}

impl Problem {
    /// The entry that it is about.
    pub fn field(self) -> &'static str {
        match self {
            Self::Number | Self::Unknown(MethodType::Card) => "number",
            Self::Expiry | Self::Expired => "expiry",
            Self::Cvc => "cvc",
            Self::Name => "name",
            Self::Iban | Self::Unknown(MethodType::SepaDebit) => "iban",
            Self::Routing => "routing",
            Self::Account | Self::Unknown(MethodType::UsBankAccount) => "account",
            Self::Operator => "operator",
            Self::Phone | Self::Unknown(MethodType::MobileMoney) => "phone",
            Self::Accept => "accept",
            Self::Again => "form",
        }
    }

    pub fn text(self, locale: Locale) -> String {
        match self {
            Self::Number => say!(fields.wrong.number, locale),
            Self::Expiry => say!(fields.wrong.expiry, locale),
            Self::Expired => say!(fields.wrong.expired, locale),
            Self::Cvc => say!(fields.wrong.cvc, locale),
            Self::Name => say!(fields.wrong.name, locale),
            Self::Iban => say!(fields.wrong.iban, locale),
            Self::Routing => say!(fields.wrong.routing, locale),
            Self::Account => say!(fields.wrong.account, locale),
            Self::Operator => say!(fields.wrong.operator, locale),
            Self::Phone => say!(fields.wrong.phone, locale),
            Self::Accept => say!(fields.wrong.accept, locale),
            Self::Unknown(_) => say!(fields.wrong.unknown, locale),
            Self::Again => say!(fields.wrong.again, locale),
        }
    }
}

fn locale() -> Locale {
    use_context::<Locale>().unwrap_or_default()
}

/// What the page of a kind is called.
pub fn title(locale: Locale, kind: MethodType) -> String {
    match kind {
        MethodType::Card => say!(fields.title.card, locale),
        MethodType::SepaDebit => say!(fields.title.sepa, locale),
        MethodType::UsBankAccount => say!(fields.title.bank, locale),
        MethodType::MobileMoney => say!(fields.title.mobile, locale),
    }
}

#[component]
pub fn EnterPage(page: Page) -> impl IntoView {
    let locale = locale();
    let entries = match page.kind {
        MethodType::Card => card(locale, &page),
        MethodType::SepaDebit => sepa(locale, &page),
        MethodType::UsBankAccount => bank(locale, &page),
        MethodType::MobileMoney => mobile(locale, &page),
    };
    let debits = matches!(page.kind, MethodType::SepaDebit | MethodType::UsBankAccount);
    let mandate = debits.then(|| mandate(locale, &page));
    let form_problem = problem(locale, &page.problems, "form");
    view! {
        <main id="main" class="typing">
            <h1>{title(locale, page.kind)}</h1>
            <form method="post" data-portal=page.portal data-then=page.then data-again=Problem::Again.text(locale)>
                <div class="entries">
                    {entries}
                    {mandate}
                    <label class="check">
                        <input type="checkbox" name="default" checked=page.known.default/>
                        <span>{say!(fields.default, locale)}</span>
                    </label>
                    {form_problem}
                    <button type="submit" class="button primary wide">{icon(Icon::Lock)}{say!(fields.save, locale)}</button>
                    <p class="hint safe">{say!(fields.safe, locale, merchant = page.merchant)}</p>
                    {page.is_test.then(|| view! { <p class="hint test">{say!(fields.test, locale)}</p> })}
                </div>
            </form>
        </main>
    }
}

/// One entry: its label, what browsers fill in by themselves, and what is said when it is wrong.
struct Entry {
    name: &'static str,
    label: String,
    wrong: Problem,
    autocomplete: &'static str,
    /// `numeric`, `tel`, `text`
    mode: &'static str,
    /// In characters, spaces and all.
    longest: u32,
    example: &'static str,
    value: String,
}

fn entry(locale: Locale, page: &Page, entry: Entry) -> AnyView {
    let Entry { name, label, wrong, autocomplete, mode, longest, example, value } = entry;
    let (text, said) = (problem(locale, &page.problems, name), format!("{name}-problem"));
    let is_wrong = page.problems.iter().any(|problem| problem.field() == name);
    let over = (name == "expiry").then(|| Problem::Expired.text(locale));
    let brand = (name == "number").then(|| view! { <span id="brand" class="brand" aria-live="polite"></span> });
    let dir = if name == "name" { "auto" } else { "ltr" };
    view! {
        <div class=format!("entry {name}")>
            <label class="field" for=name>{label}</label>
            <div class="box">
                <input
                    id=name name=name type="text" inputmode=mode autocomplete=autocomplete maxlength=longest placeholder=example
                    value=value required=true spellcheck="false" autocapitalize="off" dir=dir data-wrong=wrong.text(locale)
                    data-over=over aria-invalid=is_wrong.then_some("true") aria-describedby=said
                />
                {brand}
            </div>
            {text}
        </div>
    }
    .into_any()
}

/// Where what is wrong with a field is said; it is there beforehand, so that it is heard when it is filled.
fn problem(locale: Locale, problems: &[Problem], field: &str) -> AnyView {
    let text = problems.iter().find(|problem| problem.field() == field).map(|problem| problem.text(locale));
    view! { <p class="wrong" id=format!("{field}-problem") role="alert">{text}</p> }.into_any()
}

fn holder(locale: Locale, page: &Page, autocomplete: &'static str) -> AnyView {
    let label = match page.kind {
        MethodType::Card => say!(fields.name_on_card, locale),
        _ => say!(fields.name, locale),
    };
    let of = Entry {
        name: "name",
        label,
        wrong: Problem::Name,
        autocomplete,
        mode: "text",
        longest: 256,
        example: "",
        value: page.known.name.clone(),
    };
    entry(locale, page, of)
}

/// An entry of figures, whose value is never shown again.
fn typed(name: &'static str, label: String, wrong: Problem, autocomplete: &'static str, longest: u32) -> Entry {
    Entry { name, label, wrong, autocomplete, mode: "numeric", longest, example: "", value: String::new() }
}

fn card(locale: Locale, page: &Page) -> AnyView {
    let number = typed("number", say!(fields.number, locale), Problem::Number, "cc-number", 24);
    let expiry = typed("expiry", say!(fields.expiry, locale), Problem::Expiry, "cc-exp", 9);
    let cvc = typed("cvc", say!(fields.cvc, locale), Problem::Cvc, "cc-csc", 4);
    view! {
        {entry(locale, page, Entry { example: "1234 1234 1234 1234", ..number })}
        <div class="pair">
            {entry(locale, page, Entry { example: "MM / YY", ..expiry })}
            {entry(locale, page, Entry { example: "123", ..cvc })}
        </div>
        {holder(locale, page, "cc-name")}
    }
    .into_any()
}

fn sepa(locale: Locale, page: &Page) -> AnyView {
    let iban = typed("iban", say!(fields.iban, locale), Problem::Iban, "off", 42);
    view! {
        {entry(locale, page, Entry { mode: "text", example: "DE00 0000 0000 0000 0000 00", ..iban })}
        {holder(locale, page, "name")}
    }
    .into_any()
}

fn bank(locale: Locale, page: &Page) -> AnyView {
    let routing = typed("routing", say!(fields.routing, locale), Problem::Routing, "off", 9);
    let account = typed("account", say!(fields.account, locale), Problem::Account, "off", 17);
    view! {
        <div class="pair">
            {entry(locale, page, Entry { example: "110000000", ..routing })}
            {entry(locale, page, account)}
        </div>
        {holder(locale, page, "name")}
    }
    .into_any()
}

fn mobile(locale: Locale, page: &Page) -> AnyView {
    let phone = typed("phone", say!(fields.phone, locale), Problem::Phone, "tel", 24);
    let each = |name: &'static str| view! { <option value=name selected=page.known.operator == name>{name}</option> };
    view! {
        <div class="entry operator">
            <label class="field" for="operator">{say!(fields.operator, locale)}</label>
            <select id="operator" name="operator" aria-describedby="operator-problem">
                {OPERATORS.into_iter().map(each).collect_view()}
            </select>
            {problem(locale, &page.problems, "operator")}
        </div>
        {entry(locale, page, Entry { mode: "tel", example: "+254 700 000 000", ..phone })}
        {holder(locale, page, "name")}
    }
    .into_any()
}

/// What is agreed to is read before the box that agrees to it.
fn mandate(locale: Locale, page: &Page) -> AnyView {
    let text = match page.kind {
        MethodType::SepaDebit => say!(fields.mandate.sepa, locale, merchant = page.merchant),
        _ => say!(fields.mandate.bank, locale, merchant = page.merchant),
    };
    view! {
        <div class="mandate">
            <p class="hint" id="mandate">{text}</p>
            <label class="check">
                <input
                    type="checkbox" name="accept" required=true aria-describedby="mandate accept-problem"
                    data-wrong=Problem::Accept.text(locale)
                />
                <span>{say!(fields.accept, locale)}</span>
            </label>
            {problem(locale, &page.problems, "accept")}
        </div>
    }
    .into_any()
}

/// The way back to the portal, which is gone by itself: a form's answer never redirects to another origin.
#[component]
pub fn HandedPage(to: String) -> impl IntoView {
    let locale = locale();
    view! {
        <meta http-equiv="refresh" content=format!("0; url={to}")/>
        <div class="outside">
            <main id="main" class="door">
                <div class="card">
                    <span class="badge large">{icon(Icon::Done)}</span>
                    <h1>{say!(fields.handed, locale)}</h1>
                    <a class="button primary wide" href=to target="_top">{say!(fields.onward, locale)}</a>
                </div>
            </main>
        </div>
    }
}

/// The ticket is over, or none.
#[component]
pub fn OverPage(portal: String) -> impl IntoView {
    let locale = locale();
    view! {
        <div class="outside">
            <main id="main" class="door">
                <div class="card">
                    <span class="badge large">{icon(Icon::Expired)}</span>
                    <h1>{say!(fields.over.title, locale)}</h1>
                    <p>{say!(fields.over.text, locale)}</p>
                    <a class="button primary wide" href=portal target="_top">{say!(fields.onward, locale)}</a>
                </div>
            </main>
        </div>
    }
}

/// What a bank asks its customer.
pub struct Confirming {
    merchant: String,
    amount: Option<String>,
    back: String,
}

impl Confirming {
    /// `back` is where closing it leads: nothing is answered then.
    pub fn new(locale: Locale, merchant: &str, amount: Option<&(i64, Currency)>, back: String) -> Self {
        let amount = amount.map(|(amount, currency)| format::money(locale, *amount, currency));
        Self { merchant: merchant.to_owned(), amount, back }
    }

    pub fn title(&self, locale: Locale) -> String {
        say!(challenge.title, locale)
    }
}

#[component]
pub fn ConfirmPage(asked: Confirming) -> impl IntoView {
    let locale = locale();
    let what = match &asked.amount {
        Some(amount) => say!(challenge.charge, locale, merchant = asked.merchant, amount = amount),
        None => say!(challenge.setup, locale, merchant = asked.merchant),
    };
    view! {
        <div class="outside">
            <main id="main" class="door">
                <div class="card">
                    <span class="badge large">{icon(Icon::Lock)}</span>
                    <h1>{say!(challenge.title, locale)}</h1>
                    <p>{what}</p>
                    <p class="hint">{say!(challenge.test, locale)}</p>
                    <form method="post">
                        <div class="stacked">
                            <button type="submit" name="answer" value="yes" class="button primary wide">{say!(challenge.yes, locale)}</button>
                            <button type="submit" name="answer" value="no" class="button wide">{say!(challenge.no, locale)}</button>
                        </div>
                    </form>
                    <a href=asked.back>{say!(challenge.close, locale)}</a>
                </div>
            </main>
        </div>
    }
}
