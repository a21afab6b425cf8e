//! The customer's payment methods, what each is charged for, and what may be done with it.

use billing::customer::payment_method::{self, PaymentMethod};
use billing::portal::methods::{is_charged, successor};
use billing::subscription::{self, CollectionMethod, Subscription, SubscriptionFilter};
use billing::{Page, Result, Seconds, Tx};

use super::{deed, method, standing};
use crate::pages::methods::{Held, Methods, Removal};
use crate::parts::{Pill, Tone};
use crate::session::Session;
use crate::text::{Locale, format, say};

pub struct Books {
    pub now: Seconds,
    pub methods: Vec<PaymentMethod>,
    pub default: Option<String>,
    pub running: Vec<Subscription>,
    /// Something is charged by itself, so that one method must stay.
    pub is_charged: bool,
    pub done: Option<Done>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The method that is the default now.
    Default(String),
    Removed,
    Added(String),
}

pub async fn read(tx: &mut Tx, session: &Session, said: Option<(String, String)>) -> Result<Books> {
    let (who, customer) = (&session.who, &session.guest.customer);
    let methods = payment_method::list(tx, who, &customer.id, &Page::first(100), None).await?.data;
    let listed = subscription::list(tx, who, &Page::first(50), &SubscriptionFilter::default()).await?;
    let done = match said {
        Some((done, of)) if done == "default" && customer.default_payment_method.as_ref() == Some(&of) => {
            Some(Done::Default(of))
        }
        Some((done, of))
            if done == "removed" && deed::just_was(tx, session, "payment_method.detached", &of).await? =>
        {
            Some(Done::Removed)
        }
        Some((done, of)) if done == "added" && methods.iter().any(|method| method.id == of) => Some(Done::Added(of)),
        _ => None,
    };
    Ok(Books {
        now: billing::customer::now(tx, who, customer).await?,
        methods,
        default: customer.default_payment_method.clone(),
        running: listed.data.into_iter().filter(|s| !s.status.is_ended()).collect(),
        is_charged: is_charged(tx, who, &customer.id).await?,
        done,
    })
}

pub fn view(locale: Locale, read_only: bool, books: &Books) -> Methods {
    let done = books.done.as_ref().and_then(|done| match done {
        Done::Removed => Some(say!(hold.removed, locale)),
        Done::Default(id) => {
            let found = books.methods.iter().find(|method| method.id == *id)?;
            Some(say!(hold.chosen, locale, method = method::short(locale, found)))
        }
        Done::Added(id) => {
            let found = books.methods.iter().find(|method| method.id == *id)?;
            Some(say!(hold.added, locale, method = method::short(locale, found)))
        }
    });
    let add = (!read_only).then(|| "/payment-methods/add".to_owned());
    Methods { held: books.methods.iter().map(|found| held(locale, read_only, books, found)).collect(), add, done }
}

fn held(locale: Locale, read_only: bool, books: &Books, found: &PaymentMethod) -> Held {
    let is_default = books.default.as_ref() == Some(&found.id);
    Held {
        id: found.id.clone(),
        method: method::method(locale, books.now, found),
        default: is_default.then(|| Pill { tone: Tone::Good, label: say!(hold.default, locale) }),
        used: used(locale, books, found, is_default),
        may_become_default: !is_default && !read_only,
        removal: if read_only { Removal::Off } else { removal(locale, books, found) },
    }
}

/// The plans that are charged to it: their own method, or the default where they have none.
fn used(locale: Locale, books: &Books, found: &PaymentMethod, is_default: bool) -> Option<String> {
    let charged = books.running.iter().filter(|subscription| {
        let own = subscription.default_payment_method.as_ref();
        subscription.collection_method == CollectionMethod::ChargeAutomatically
            && own.map_or(is_default, |own| *own == found.id)
    });
    let plans: Vec<String> = charged.map(standing::name).collect();
    (!plans.is_empty()).then(|| say!(hold.used, locale, plans = format::list(locale, &plans)))
}

fn removal(locale: Locale, books: &Books, found: &PaymentMethod) -> Removal {
    if books.methods.len() == 1 && books.is_charged {
        return Removal::Kept(say!(hold.needed, locale));
    }
    let gone = say!(hold.remove, locale, method = method::short(locale, found));
    Removal::Open(match successor(&books.methods, &found.id, books.default.as_deref(), books.now) {
        Some(next) => format!("{gone} {}", say!(hold.next, locale, method = method::short(locale, next))),
        None => gone,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::sample::{at, card, subscription};
    use billing::subscription::Status;

    fn books(methods: Vec<PaymentMethod>, default: Option<&str>, running: Vec<Subscription>) -> Books {
        let is_charged = !running.is_empty();
        let default = default.map(str::to_owned);
        Books { now: at("2026-11-20"), methods, default, running, is_charged, done: None }
    }

    fn another(id: &str, month: i64, year: i64) -> PaymentMethod {
        PaymentMethod { id: id.into(), ..card(month, year) }
    }

    #[test]
    fn the_last_one_stays_while_something_is_charged_to_it() {
        let one = books(vec![card(12, 2027)], Some("pm_1"), vec![subscription(Status::Active)]);
        let page = view(Locale::En, false, &one);
        let Removal::Kept(why) = &page.held[0].removal else { panic!("it stays") };
        assert_eq!(why, "This is your only payment method, and a subscription is charged to it.");
        assert_eq!(page.held[0].used.as_deref(), Some("Used for Pro"));
        let free = books(vec![card(12, 2027)], Some("pm_1"), Vec::new());
        assert!(matches!(view(Locale::En, false, &free).held[0].removal, Removal::Open(_)));
    }

    #[test]
    fn what_takes_the_place_of_the_default_is_said_before() {
        let three = vec![another("pm_3", 10, 2026), another("pm_2", 1, 2028), card(12, 2027)];
        let page = view(Locale::En, false, &books(three, Some("pm_1"), vec![subscription(Status::Active)]));
        let said = |n: usize| match &page.held[n].removal {
            Removal::Open(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(said(2), "Visa •••• 4242 will no longer be charged. Visa •••• 4242 becomes your default.");
        assert_eq!(said(0), "Visa •••• 4242 will no longer be charged.");
        assert_eq!(page.held.iter().map(|held| held.default.is_some()).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(page.held.iter().map(|held| held.may_become_default).collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn a_subscriptions_own_method_is_what_it_is_charged_to() {
        let own = Subscription { default_payment_method: Some("pm_2".into()), ..subscription(Status::Active) };
        let sent = Subscription { collection_method: CollectionMethod::SendInvoice, ..subscription(Status::Active) };
        let page = view(
            Locale::De,
            false,
            &books(vec![another("pm_2", 1, 2028), card(12, 2027)], Some("pm_1"), vec![own, sent]),
        );
        assert_eq!(page.held[0].used.as_deref(), Some("Für Pro verwendet"));
        assert_eq!(page.held[1].used, None);
    }

    #[test]
    fn a_preview_offers_nothing() {
        let page = view(Locale::En, true, &books(vec![another("pm_2", 1, 2028), card(12, 2027)], None, Vec::new()));
        assert!(page.held.iter().all(|held| held.removal == Removal::Off && !held.may_become_default));
    }
}
