//! Portal sessions: the one call that sends a customer to the portal.

use billing::portal::NewSession;
use billing::portal::session::{self, SessionOrigin};
use billing::{Error, Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::params::Params;

/// Stripe's languages of a portal session, and Arabic, which is ours; `auto` is the customer's own, else the browser's.
const LOCALES: &[&str] = &[
    "auto", "ar", "bg", "cs", "da", "de", "el", "en", "en-AU", "en-CA", "en-GB", "en-IE", "en-IN", "en-NZ", "en-SG",
    "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb",
    "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW",
];

/// The link is in the answer, and in what the request's key keeps of it for a replay, and nowhere else.
pub async fn create(mut call: Call) -> Result<Reply> {
    let new = read(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::Session))?;
    change!(call, |tx| {
        let minted = session::create(tx, &call.who, new.clone()).await?;
        let url = format!("{}/session/{}", call.app.settings.public_url, minted.secret);
        wire::portal_session(&call.who.tenant, &minted.session, &url)
    })
}

/// Ends a session: its link and its cookie are good for nothing from now on.
pub async fn revoke(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Session))?;
    change!(call, |tx| {
        let session = session::revoke(tx, &call.who, &id).await?;
        wire::portal_session(&call.who.tenant, &session, "")
    })
}

fn read(params: &mut Params) -> Result<NewSession> {
    Ok(NewSession {
        customer: params.required_text("customer")?,
        configuration: params.patch_text("configuration")?.into_option(),
        return_url: params.patch_text("return_url")?.into_option(),
        cancel_url: params.patch_text("cancel_url")?.into_option(),
        locale: params.word("locale", parse_locale)?.filter(|locale| locale != "auto"),
        subscription: params.patch_text("subscription")?.into_option(),
        origin: SessionOrigin::Api,
    })
}

fn parse_locale(text: &str, param: &str) -> Result<String> {
    if LOCALES.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(Error::invalid(param, format!("Invalid {param}: must be one of {}", LOCALES.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_stripes_47_languages_and_ours() {
        assert_eq!(LOCALES.len(), 48);
        assert!(parse_locale("de", "locale").is_ok());
        assert!(parse_locale("xx", "locale").is_err());
    }
}
