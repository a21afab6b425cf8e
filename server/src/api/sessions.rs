//! Portal sessions: the one call that sends a customer to the portal.

use billing::portal::flow::{self, After, AfterCompletion, Flow, FlowType, RetentionType};
use billing::portal::session::{self, SessionOrigin};
use billing::portal::{NewSession, configuration};
use billing::{Error, Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::params::{Params, missing};

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
        wire::portal_session(&call.who.tenant, &minted.session, &minted.url)
    })
}

/// A link for the merchant into a customer's portal as a configuration (an id, or `default`) has it: nothing can be
/// changed in it.
pub async fn preview(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let new = NewSession {
        customer: call.params.required_text("customer")?,
        configuration: Some(id.clone()),
        return_url: call.params.patch_text("return_url")?.into_option(),
        cancel_url: None,
        locale: call.params.word("locale", parse_locale)?.filter(|locale| locale != "auto"),
        subscription: None,
        flow: None,
        origin: SessionOrigin::Preview,
    };
    let call = call.ready(Shape::One(Kind::Session))?;
    change!(call, |tx| {
        configuration::get(tx, &call.who, &id).await?;
        let minted = session::create(tx, &call.who, new.clone()).await?;
        wire::portal_session(&call.who.tenant, &minted.session, &minted.url)
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
        flow: params.object("flow_data", read_flow)?,
        origin: SessionOrigin::Api,
    })
}

fn read_flow(params: &mut Params) -> Result<Flow> {
    let r#type = required(params, FlowType::parse)?;
    let of = |params: &mut Params| Ok(flow::Of { subscription: params.required_text("subscription")? });
    Ok(Flow {
        after_completion: params.object("after_completion", read_after)?.unwrap_or(AfterCompletion {
            hosted_confirmation: None,
            redirect: None,
            r#type: After::PortalHomepage,
        }),
        customer_update: (r#type == FlowType::CustomerUpdate).then(Default::default),
        subscription_cancel: params.object("subscription_cancel", |own| {
            let retention = own.object("retention", |own| {
                let r#type = required(own, RetentionType::parse)?;
                let coupon = own.required_object("coupon_offer", |own| own.required_text("coupon"))?;
                Ok(flow::Retention { coupon_offer: flow::CouponOffer { coupon }, r#type })
            })?;
            Ok(flow::Cancel { retention, subscription: own.required_text("subscription")? })
        })?,
        subscription_pause: params.object("subscription_pause", of)?,
        subscription_update: params.object("subscription_update", of)?,
        subscription_update_confirm: params.object("subscription_update_confirm", read_confirm)?,
        r#type,
    })
}

fn required<T>(params: &mut Params, parse: impl FnOnce(&str, &str) -> Result<T>) -> Result<T> {
    params.word("type", parse)?.ok_or_else(|| missing(params.name("type")))
}

fn read_after(params: &mut Params) -> Result<AfterCompletion> {
    Ok(AfterCompletion {
        hosted_confirmation: params.object("hosted_confirmation", |own| {
            Ok(flow::HostedConfirmation { custom_message: own.patch_text("custom_message")?.into_option() })
        })?,
        redirect: params
            .object("redirect", |own| Ok(flow::Redirect { return_url: own.required_text("return_url")? }))?,
        r#type: required(params, After::parse)?,
    })
}

fn read_confirm(params: &mut Params) -> Result<flow::Confirm> {
    let discount = |own: &mut Params| {
        let coupon = own.patch_text("coupon")?.into_option();
        Ok(flow::Discount { coupon, promotion_code: own.patch_text("promotion_code")?.into_option() })
    };
    let item = |own: &mut Params| {
        Ok(flow::Item {
            id: own.required_text("id")?,
            price: own.patch_text("price")?.into_option(),
            quantity: own.integer("quantity")?,
        })
    };
    Ok(flow::Confirm {
        discounts: params.objects("discounts", discount)?,
        items: params.objects("items", item)?.unwrap_or_default(),
        subscription: params.required_text("subscription")?,
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
