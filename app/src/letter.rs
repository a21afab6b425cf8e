//! What a mail says, in the language of whom it is to.

use billing::Seconds;
use billing::mail::{Mail, Template};
use billing::portal::branding::Brand;

use crate::present::standing;
use crate::text::{Locale, format, say};

/// A mail in words, before it has a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub locale: Locale,
    pub subject: String,
    pub greeting: String,
    pub sentences: Vec<String>,
    /// What is typed in elsewhere.
    pub code: Option<String>,
    /// What to do: a label, and where.
    pub action: Option<(String, String)>,
    /// Who writes, and whom to ask.
    pub footer: Vec<String>,
}

pub fn letter(mail: &Mail, brand: &Brand) -> Letter {
    let locale = Locale::choose(None, &[], &mail.locale, None);
    let words = Words { locale, mail, brand };
    let greeting = match &mail.data.name {
        Some(name) => say!(mail.greeting.named, locale, name = name),
        None => say!(mail.greeting.plain, locale),
    };
    let (subject, sentences) = words.body();
    let sender = say!(mail.sender, locale, merchant = brand.name);
    let help = brand.support_email.as_ref().map(|email| say!(mail.help, locale, email = email));
    let footer = [Some(sender), help].into_iter().flatten().collect();
    let action = words.label().zip(mail.data.url.clone());
    Letter { locale, subject, greeting, sentences, code: mail.data.code.clone(), action, footer }
}

struct Words<'a> {
    locale: Locale,
    mail: &'a Mail,
    brand: &'a Brand,
}

impl Words<'_> {
    fn plan(&self) -> String {
        standing::all(self.mail.data.items.iter().map(|(name, quantity)| standing::lot(name, *quantity)).collect())
    }

    fn amount(&self) -> String {
        let about = &self.mail.data;
        about.currency.as_ref().map(|currency| format::money(self.locale, about.amount, currency)).unwrap_or_default()
    }

    fn date(&self) -> String {
        self.mail.data.at.map(|at| self.day(at)).unwrap_or_default()
    }

    fn day(&self, at: Seconds) -> String {
        format::date(self.locale, at)
    }

    /// What is written on the way to the invoice.
    fn label(&self) -> Option<String> {
        match self.mail.template {
            Template::Receipt => Some(say!(mail.receipt.button, self.locale)),
            Template::PaymentFailed => Some(say!(mail.failed.button, self.locale)),
            Template::PaymentAction => Some(say!(mail.action.button, self.locale)),
            Template::Login => Some(say!(mail.login.button, self.locale)),
            _ => None,
        }
    }

    /// Subject and sentences.
    fn body(&self) -> (String, Vec<String>) {
        let (locale, merchant) = (self.locale, &self.brand.name);
        let (plan, amount, date) = (self.plan(), self.amount(), self.date());
        let number = self.mail.data.number.clone().unwrap_or_default();
        match self.mail.template {
            Template::Receipt => {
                let text = say!(mail.receipt.text, locale, amount = amount, number = number);
                (say!(mail.receipt.subject, locale, merchant = merchant), vec![text])
            }
            Template::PaymentFailed => {
                let text = say!(mail.failed.text, locale, amount = amount, number = number);
                let next = match self.mail.data.at {
                    Some(at) => say!(mail.failed.retry, locale, date = self.day(at)),
                    None => say!(mail.failed.last, locale),
                };
                (say!(mail.failed.subject, locale, merchant = merchant), vec![text, next])
            }
            Template::PaymentAction => {
                let text = say!(mail.action.text, locale, amount = amount, number = number);
                (say!(mail.action.subject, locale, merchant = merchant), vec![text])
            }
            Template::Upcoming => {
                let text =
                    say!(mail.upcoming.text, locale, plan = plan, merchant = merchant, date = date, amount = amount);
                (say!(mail.upcoming.subject, locale, date = date), vec![text])
            }
            Template::TrialEnding => {
                let text = say!(mail.trial.text, locale, plan = plan, date = date, amount = amount);
                (say!(mail.trial.subject, locale, date = date), vec![text])
            }
            Template::Changed => {
                let text = say!(mail.changed.text, locale, merchant = merchant, plan = plan);
                (say!(mail.changed.subject, locale), vec![text])
            }
            Template::ChangeScheduled => {
                let text = say!(mail.scheduled.text, locale, date = date, merchant = merchant, plan = plan);
                (say!(mail.scheduled.subject, locale, date = date), vec![text])
            }
            Template::Canceling => {
                let text = say!(mail.canceling.text, locale, plan = plan, date = date);
                (say!(mail.canceling.subject, locale, date = date), vec![text])
            }
            Template::Ended => {
                let text = say!(mail.ended.text, locale, plan = plan, merchant = merchant);
                (say!(mail.ended.subject, locale), vec![text])
            }
            Template::WebhookFailing => {
                let endpoint = self.mail.data.endpoint.clone().unwrap_or_default();
                let text = say!(mail.webhook.text, locale, endpoint = endpoint, date = date);
                (say!(mail.webhook.subject, locale), vec![text])
            }
            Template::Login => {
                let text = say!(mail.login.text, locale, merchant = merchant);
                let safety = say!(mail.login.safety, locale);
                let sentences = vec![text, safety, say!(mail.login.code, locale)];
                (say!(mail.login.subject, locale, merchant = merchant), sentences)
            }
        }
    }
}
