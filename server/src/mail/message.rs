//! A letter as a message: text and HTML in one layout, in the merchant's colours, with headers that nobody's name can end.

use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use app::letter::Letter;
use billing::mail::Mail;
use billing::portal::branding::Brand;
use billing::portal::branding::color::Rgb;
use lettre::Message;
use lettre::address::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

/// How round corners are where the merchant has not said.
const RADIUS: i64 = 8;

static LAYOUTS: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut layouts = Environment::new();
    layouts.set_undefined_behavior(UndefinedBehavior::Strict);
    layouts.set_auto_escape_callback(|name| if name == "html" { AutoEscape::Html } else { AutoEscape::None });
    let texts = [("html", include_str!("layout.html")), ("txt", include_str!("layout.txt"))];
    for (name, text) in texts {
        layouts.add_template(name, text).expect("the layouts are part of the program");
    }
    layouts
});

/// Always under the same `Message-ID`, so that whoever gets a mail twice can see that it is one. The error says what is wrong
/// with it, which will not be right another time either.
pub fn message(mail: &Mail, brand: &Brand, from: &Mailbox) -> Result<Message, String> {
    let letter = app::letter::letter(mail, brand);
    let to: Address = mail.recipient.parse().map_err(|e| format!("the address is none: {e}"))?;
    let written = UNIX_EPOCH + Duration::from_millis(mail.created_ms.0.try_into().unwrap_or_default());
    let sender = Mailbox::new(Some(one_line(&brand.name)), from.email.clone());
    let mut message = Message::builder()
        .from(sender)
        .to(Mailbox::new(mail.data.name.as_deref().map(one_line), to))
        .subject(one_line(&letter.subject))
        .date(written)
        .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()));
    if let Some(support) = brand.support_email.as_deref().and_then(|email| email.parse().ok()) {
        message = message.reply_to(Mailbox::new(Some(one_line(&brand.name)), support));
    }
    let [text, html] = bodies(&letter, brand).map_err(|e| e.to_string())?;
    message.multipart(MultiPart::alternative_plain_html(text, html)).map_err(|e| e.to_string())
}

/// Text that stands in a header: nothing in it ends a line.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn bodies(letter: &Letter, brand: &Brand) -> Result<[String; 2], minijinja::Error> {
    let colors = brand.look.paper();
    let hex = |color: Rgb| String::from(color);
    let page = brand.look.light().sunken;
    let (label, url) = letter.action.clone().unzip();
    let values = context! {
        tag => letter.locale.tag(),
        dir => letter.locale.dir(),
        subject => &letter.subject,
        greeting => &letter.greeting,
        sentences => &letter.sentences,
        footer => &letter.footer,
        sender => &brand.name,
        logo => logo(brand),
        code => &letter.code,
        label => label,
        url => url,
        radius => brand.look.corner_radius.unwrap_or(RADIUS),
        page => hex(if brand.look.light().is_dark() { colors.sunken } else { page }),
        surface => hex(colors.surface),
        line => hex(colors.line),
        text => hex(colors.text),
        text_quiet => hex(colors.text_quiet),
        accent => hex(colors.accent),
        on_accent => hex(colors.on_accent),
        accent_text => hex(colors.accent_text),
    };
    let render = |name: &str| LAYOUTS.get_template(name)?.render(&values);
    Ok([render("txt")?, render("html")?])
}

/// The logo as a letter shows it: its URL, and its size in pixels.
fn logo(brand: &Brand) -> Option<(String, u32, u32)> {
    let (portal, logo) = (brand.portal.as_ref()?, brand.look.logo.as_ref()?);
    let (width, height) = fitted(logo.width, logo.height);
    Some((format!("{portal}{}", logo.path()), width, height))
}

/// The same shape in a box of 200 by 40.
fn fitted(width: u32, height: u32) -> (u32, u32) {
    let by_height = (width * 40 / height.max(1)).max(1);
    if by_height <= 200 { (by_height, 40) } else { (200, (height * 200 / width.max(1)).max(1)) }
}

#[cfg(test)]
mod tests {
    use billing::mail::{About, Template};
    use billing::portal::branding::image::MediaType;
    use billing::portal::branding::{Image, Look};
    use billing::{Json, Millis};

    use super::*;

    fn brand(name: &str) -> Brand {
        Brand {
            name: name.into(),
            look: Look::default(),
            headline: None,
            support: None,
            support_email: Some("help@shop.example".into()),
            privacy: None,
            terms: None,
            portal: None,
            default_locale: None,
        }
    }

    fn mail(name: &str) -> Mail {
        let about = About { name: Some(name.into()), items: vec![(name.into(), 2)], ..About::default() };
        Mail {
            tenant: 1,
            id: "mail_1".into(),
            customer: Some("cus_1".into()),
            template: Template::Ended,
            recipient: "ada@example.com".into(),
            locale: "en".into(),
            data: Json(about),
            attempts: 1,
            created_ms: Millis(1_795_000_000_000),
        }
    }

    fn made(name: &str) -> Message {
        message(&mail(name), &brand(name), &"billing@shop.example".parse().unwrap()).unwrap()
    }

    #[test]
    fn nobodys_name_ends_a_header() {
        for name in ["Ada\r\nBcc: eve@example.com", "Ada\nSubject: Win\r\n\r\nHello", "\"A\" <eve@example.com>, B\0\t"]
        {
            let message = made(name);
            let text = String::from_utf8(message.formatted()).unwrap();
            let (head, _) = text.split_once("\r\n\r\n").unwrap();
            let mut names: Vec<&str> = head.lines().filter(|line| !line.starts_with([' ', '\t'])).collect();
            names.iter_mut().for_each(|line| *line = line.split_once(':').unwrap().0);
            names.sort_unstable();
            let ours = [
                "Auto-Submitted",
                "Content-Type",
                "Date",
                "From",
                "MIME-Version",
                "Message-ID",
                "Reply-To",
                "Subject",
                "To",
            ];
            assert_eq!(names, ours, "{head}");
            let to: Vec<String> = message.envelope().to().iter().map(ToString::to_string).collect();
            assert_eq!(to, ["ada@example.com"]);
            assert_eq!(message.envelope().from().unwrap().to_string(), "billing@shop.example");
        }
    }

    #[test]
    fn nobodys_name_is_markup() {
        let letter = app::letter::letter(&mail("<b>&amp;"), &brand("<script>"));
        let [text, html] = bodies(&letter, &brand("<script>")).unwrap();
        assert!(text.contains("<script>") && text.contains("<b>&amp;"), "{text}");
        assert!(!html.contains("<script>") && !html.contains("<b>"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }

    #[test]
    fn a_logo_keeps_its_shape() {
        assert_eq!((fitted(240, 80), fitted(4096, 1), fitted(1, 4096)), ((120, 40), (200, 1), (1, 40)));
        let image = Image { id: "img_1".into(), media_type: MediaType::Png, width: 240, height: 80 };
        let look = Look { logo: Some(image), ..Look::default() };
        let brand = Brand { look, portal: Some("https://billing.shop.example".into()), ..brand("Sh<o>p") };
        let [_, html] = bodies(&app::letter::letter(&mail("Ada"), &brand), &brand).unwrap();
        let shown =
            "<img src=\"https://billing.shop.example/brand/img_1\" width=\"120\" height=\"40\" alt=\"Sh&lt;o&gt;p\"";
        assert!(html.replace("&#x2f;", "/").contains(shown), "{html}");
    }

    #[test]
    fn whom_no_mail_reaches_is_said() {
        let nobody = Mail { recipient: "nobody".into(), ..mail("Ada") };
        assert!(message(&nobody, &brand("Shop"), &"billing@shop.example".parse().unwrap()).is_err());
    }
}
