//! What a merchant calls its look is shown to customers: nothing of it runs, and nothing of it is fetched from elsewhere.

use axum::body::Body;
use axum::http::{Method, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::stage::{Merchant, Stage, page, request};

/// Ends of elements, attributes, rules and scripts; documents that run; addresses that are programs.
const PAYLOADS: &[&str] = &[
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "--></style></script><img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "<svg xmlns='http://www.w3.org/2000/svg'><foreignObject><body xmlns='http://www.w3.org/1999/xhtml' onload='alert(1)'/></foreignObject></svg>",
    "<svg xmlns='http://www.w3.org/2000/svg'><style>@import url(https://evil.example/x.css);</style></svg>",
    "<svg xmlns='http://www.w3.org/2000/svg'><image href='https://evil.example/x.png'/></svg>",
    "<svg xmlns='http://www.w3.org/2000/svg'><use href='https://evil.example/x.svg#a'/></svg>",
    "<svg xmlns='http://www.w3.org/2000/svg'><a href='javascript:alert(1)'><rect width='9' height='9'/></a></svg>",
    "<svg xmlns='http://www.w3.org/2000/svg'><animate onbegin='alert(1)' attributeName='x'/></svg>",
    "<svg xmlns='http://www.w3.org/2000/svg'><set attributeName='href' to='javascript:alert(1)'/></svg>",
    "<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg>&x;</svg>",
    "<?xml-stylesheet href='https://evil.example/x.xsl' type='text/xsl'?><svg/>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='javascript:alert(1)'></object>",
    "<embed src='https://evil.example/x.swf'>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<form action=https://evil.example/><button>x</button></form>",
    "<details open ontoggle=alert(1)>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+",
    "data:image/png;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "blob:https://evil.example/1",
    "filesystem:https://evil.example/1",
    "file:///etc/passwd",
    "//evil.example/",
    "https://user:password@evil.example/",
    "http://evil.example/",
    "red;}*{background:url(https://evil.example/x)}",
    "#fff;background:url(//evil.example/x)",
    "url(https://evil.example/x)",
    "expression(alert(1))",
    "@import 'https://evil.example/x.css';",
    "#fff}@font-face{font-family:x;src:url(https://evil.example/x)}",
    "var(--x,url(https://evil.example/x))",
    "\\3c script\\3e alert(1)",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "x\r\nSet-Cookie: a=b",
    "x\u{0}y",
    "\u{202e}<script>",
];

/// What a merchant may say of its look, and where words of its own are shown as they are.
const FIELDS: &[&str] = &[
    "name",
    "header_text",
    "support_url",
    "privacy_policy_url",
    "terms_of_service_url",
    "support_email",
    "accent_color",
    "light[page_color]",
    "dark[text_color]",
    "font",
    "corner_radius",
    "logo",
    "icon",
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_look_runs() {
    let stage = Stage::new().await;
    let merchant = stage.merchant("Acme").await;
    let (cookie, _) = stage.sign_in(&merchant.who, &merchant.customer).await;
    let (link, _) = stage.link(&merchant.who, &merchant.customer).await;
    let (_, usual) = stage.text(page("/", &cookie)).await;
    let (mut tried, mut shown) = (0, 0);
    for payload in PAYLOADS {
        for field in FIELDS {
            for sent in [(*payload).to_owned(), STANDARD.encode(payload)] {
                tried += 1;
                if say(&stage, &merchant, field, &sent).await != 200 {
                    continue;
                }
                shown += 1;
                for path in ["/", link.as_str()] {
                    let answer = stage.send(page(path, &cookie)).await;
                    check_policy(answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap());
                    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
                    check_page(
                        std::str::from_utf8(&bytes).unwrap(),
                        &usual,
                        &sent,
                        &format!("{field}: {sent} on {path}"),
                    );
                }
                assert_eq!(say(&stage, &merchant, field, "").await, 200);
            }
        }
    }
    assert!(tried >= 200 && shown >= 100, "{shown} of {tried} were shown");
}

async fn say(stage: &Stage, merchant: &Merchant, field: &str, value: &str) -> u16 {
    let bearer = format!("Bearer {}", merchant.key);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let body = Body::from(format!("{field}={value}"));
    stage.send(request(Method::POST, "/v1/portal_branding", &headers).map(|_| body)).await.status().as_u16()
}

fn check_policy(policy: &str) {
    // The one origin that is not ours to embrace but to frame.
    let policy = policy.replace(" http://127.0.0.1:3001;", ";");
    assert!(!policy.contains("unsafe-inline") && !policy.contains("http:") && !policy.contains("https:"), "{policy}");
}

/// No element begins that is not on every page, and no address of the page's is anything but https, mail, or its own.
fn check_page(html: &str, usual: &str, sent: &str, of: &str) {
    assert!(!sent.contains('<') || !html.contains(sent), "{of}");
    for element in [
        "<script",
        "<style",
        "<iframe",
        "<object",
        "<embed",
        "<base",
        "<form",
        "<meta",
        "<math",
        "<foreignobject",
        "<image",
        "<use",
    ] {
        let count = |page: &str| page.to_ascii_lowercase().matches(element).count();
        assert!(count(html) <= count(usual).max(1), "{element} in {of}");
    }
    for handler in ["onerror=", "onload=", "ontoggle=", "onbegin="] {
        let tags = html.split('<').filter_map(|part| part.split_once('>')).map(|(tag, _)| tag);
        assert!(tags.into_iter().all(|tag| !tag.contains(handler)), "{handler} in {of}");
    }
    for attribute in ["href=\"", "src=\"", "action=\""] {
        for url in html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
            let fine = ["/", "#", "https://shop.example", "mailto:"].iter().any(|start| url.starts_with(start));
            assert!(fine && !url.starts_with("//"), "{url} in {of}");
        }
    }
    let styles = html.split("<style").skip(1).filter_map(|rest| rest.split("</style>").next());
    assert!(styles.into_iter().all(|style| !style.contains("evil.example") && !style.contains("@import")), "{of}");
}
