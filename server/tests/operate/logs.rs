//! What a run leaves in its log: the request on every line, and nobody's secret.

use std::io::Write;
use std::sync::{Arc, LazyLock};

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, header};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::server_fn::axum::server_fn_paths;
use serde_json::Value;
use server::config::Settings;
use server::log;
use server::state::App;
use sqlx::Connection;
use tokio::sync::{Mutex, MutexGuard};
use tower::ServiceExt;
use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::Shop;

/// Where lines go instead of to the terminal.
#[derive(Clone, Default)]
struct Page(Arc<std::sync::Mutex<Vec<u8>>>);

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Page {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// One log at a time, and beside it a subscriber that wants nothing: as long as there is but one, tracing asks only the
/// thread that comes to a line first whether the line is wanted, and most threads of these tests have no log.
async fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::const_new(());
    static BESIDE: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));
    LazyLock::force(&BESIDE);
    ONE.lock().await
}

fn settings(app: &App, filter: &str, format: &str) -> Settings {
    Settings { log: filter.into(), log_format: format.into(), ..(*app.settings).clone() }
}

/// A browser at the portal's own address.
async fn visit(app: &App, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "billing.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server::web::router(app.clone()).oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_log_names_the_request_on_every_line_and_tells_no_secret() {
    let _one = alone().await;
    let shop = Shop::on_sqlite().await;
    let token = "scrape-me-7d1f".to_owned();
    let settings = Settings { metrics_token: Some(token.clone()), ..settings(&shop.app, "trace", "json") };
    let app = App { settings: Arc::new(settings), ..shop.app.clone() };
    let page = Page::default();
    // This runtime has one thread, so its every task writes here, and no other test does.
    let _here = tracing::subscriber::set_default(log::subscriber(&app.settings, page.clone()).unwrap());

    let bearer = format!("Bearer {}", shop.key);
    let as_merchant = [("authorization", bearer.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let post = async |path: &str, form: &str| {
        let answer = visit(&app, Method::POST, path, &as_merchant, form).await;
        let id = answer.headers()["request-id"].to_str().unwrap().to_owned();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (id, serde_json::from_slice::<Value>(&body).unwrap())
    };
    let (_, customer) = post("/v1/customers", "email=canary@example.com&description=canary-description").await;
    let customer = customer["id"].as_str().unwrap().to_owned();
    let (_, session) = post("/v1/billing_portal/sessions", &format!("customer={customer}")).await;
    let link = session["url"].as_str().unwrap().trim_start_matches("https://billing.example").to_owned();
    let from_a_page = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("accept", "text/html"),
    ];
    let entered = visit(&app, Method::GET, &link, &from_a_page, "").await;
    let cookie = entered.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let here = [("cookie", cookie.as_str()), ("accept", "text/html"), ("sec-fetch-site", "same-origin")];
    assert_eq!(visit(&app, Method::GET, "/?q=canary-query", &here, "").await.status(), 200);
    visit(&app, Method::GET, &link, &from_a_page, "").await;
    visit(&app, Method::GET, "/session/canary-link", &from_a_page, "").await;
    visit(&app, Method::GET, "/canary-path?canary-query", &here, "").await;
    let form = [here.as_slice(), &[("content-type", "application/x-www-form-urlencoded")]].concat();
    visit(&app, Method::POST, "/do/app/pages/cancel/cancel_subscription", &form, "comment=canary-comment").await;
    visit(&app, Method::GET, "/metrics", &[("authorization", &format!("Bearer {token}"))], "").await;
    visit(&app, Method::GET, "/v1/customers", &[("authorization", "Bearer sk_test_canary")], "").await;

    // What fails is where a log talks most.
    let mut books = sqlx::SqliteConnection::connect(&shop.database_url).await.unwrap();
    sqlx::query("alter table subscription rename to gone").execute(&mut books).await.unwrap();
    let failed = visit(&app, Method::GET, "/?q=canary-query", &here, "").await;
    to_bytes(failed.into_body(), usize::MAX).await.unwrap();
    sqlx::query("alter table customer rename to gone_too").execute(&mut books).await.unwrap();
    let (failed, _) = post("/v1/customers", "email=canary@example.com&name=canary-name").await;
    visit(&app, Method::GET, "/", &here, "").await;
    visit(&app, Method::GET, &link, &from_a_page, "").await;

    let text = page.text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said = |message: &str| lines.iter().filter(|line| line["fields"]["message"] == message).collect::<Vec<_>>();
    assert_eq!(said("answered").len(), 14, "{text}");
    assert_eq!(said("request failed")[0]["span"]["request"], Value::from(failed));
    assert!(!said("a page could not be answered").is_empty(), "a task beside the page's own fails in the log");
    for line in &lines {
        let target = line["target"].as_str().unwrap();
        if ["server::", "app::", "billing::"].iter().any(|ours| target.starts_with(ours)) {
            assert!(line["span"]["request"].as_str().is_some_and(|id| id.starts_with("req_")), "{line}");
        }
    }
    let secrets = [
        shop.key.as_str(),
        link.trim_start_matches("/session/"),
        cookie.split_once('=').unwrap().1,
        &token,
        "sk_test_canary",
        "canary",
    ];
    for secret in secrets {
        let told = text.lines().find(|line| line.contains(secret));
        assert!(told.is_none(), "the log tells {secret}: {told:?}");
    }
}

#[tokio::test]
async fn a_request_is_named_whatever_is_filtered_out() {
    let _one = alone().await;
    let shop = Shop::on_sqlite().await;
    for (filter, format) in [("off,app=warn", "text"), ("app=warn", "json"), ("error,app=warn", "json")] {
        let page = Page::default();
        let lines = log::subscriber(&settings(&shop.app, filter, format), page.clone()).unwrap();
        tracing::subscriber::with_default(lines, || {
            log::span("req_1", "GET", "/").in_scope(|| {
                tracing::info!(target: "app", "quiet");
                tracing::warn!(target: "app", "loud");
            });
        });
        let text = page.text();
        assert!(text.contains("req_1") && text.contains("loud") && !text.contains("quiet"), "{filter}: {text}");
    }
    assert!(log::subscriber(&settings(&shop.app, "server=shout", "text"), Page::default()).is_err());
}

/// A server function of this test's own, on the program's own router.
#[server]
async fn fall(text: String) -> Result<(), app::error::Error> {
    panic!("{text}")
}

/// What would be another line, another colour or another field, if it were written as it came.
const HOSTILE: &[&str] = &[
    "a\r\nb",
    "\u{1b}[31mred\u{1b}[0m",
    "\"}\n{\"level\":\"ERROR\",\"fields\":{\"message\":\"forged\"}}\n",
    "\u{2028}\u{85}\u{7}\u{202e}",
    "\\\",\"forged\":\"",
];

/// A log of lines, each of which is one object, whole and without a control character.
fn lines_of(page: &Page) -> Vec<Value> {
    let text = page.text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(text.chars().all(|c| c == '\n' || !c.is_ascii_control()), "{text:?}");
    for line in &lines {
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["target"].is_string(), "{line}");
        assert!(line["fields"]["message"] != "forged" && line.get("forged").is_none(), "{line}");
        assert!(line["fields"].get("forged").is_none(), "{line}");
    }
    lines
}

/// Panics are for this log too, while what other tests say still comes out.
fn log_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            log::panicked(panic);
            before(panic);
        }));
    });
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test]
async fn a_panic_costs_its_own_request_and_is_told_in_one_line() {
    let _one = alone().await;
    let shop = Shop::on_sqlite().await;
    let page = Page::default();
    let settings = settings(&shop.app, "info", "json");
    let _here = tracing::subscriber::set_default(log::subscriber(&settings, page.clone()).unwrap());
    log_panics();
    for text in HOSTILE {
        for accept in ["text/html", "application/json"] {
            let headers = [FORM, ("sec-fetch-site", "same-origin"), ("accept", accept)];
            // Whoever asks for a page is asked for a session first: the function answers to scripts.
            let answer = visit(&shop.app, Method::POST, Fall::PATH, &headers, &format!("text={}", encoded(text))).await;
            let expected = if accept == "text/html" { 401 } else { 500 };
            assert_eq!(answer.status(), expected, "{text:?}");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            let body = String::from_utf8_lossy(&body);
            assert!(!body.contains("forged") && !body.contains("panic") && !body.contains(".rs"), "{body}");
        }
        assert_eq!(visit(&shop.app, Method::GET, "/readyz", &[], "").await.status(), 200, "the others are answered");
    }
    let lines = lines_of(&page);
    let panics: Vec<_> = lines.iter().filter(|line| line["fields"]["message"] == "panicked").collect();
    let said: Vec<_> = panics.iter().map(|line| line["fields"]["panic"].as_str().unwrap()).collect();
    assert_eq!(said, HOSTILE, "each panic once, and what it said is a field's text");
    for line in panics {
        assert!(line["fields"]["at"].as_str().unwrap().contains("logs.rs"), "{line}");
        let id = line["span"]["request"].as_str().unwrap();
        assert!(id.starts_with("req_"), "{line}");
        let answered = lines.iter().filter(|other| other["span"]["request"] == id && other["fields"]["status"] == 500);
        assert_eq!(answered.count(), 1, "the request is found by its id: {line}");
    }
}

/// Every string field of a customer, of every server function, of a path and of what a browser says of itself.
#[tokio::test]
async fn whatever_is_typed_a_line_stays_one_object() {
    let _one = alone().await;
    let shop = Shop::on_sqlite().await;
    let page = Page::default();
    let settings = settings(&shop.app, "trace", "json");
    let _here = tracing::subscriber::set_default(log::subscriber(&settings, page.clone()).unwrap());
    let bearer = format!("Bearer {}", shop.key);
    let as_merchant = [("authorization", bearer.as_str()), FORM, ("user-agent", "\t{\"forged\":\"1\"}")];
    let as_browser = [FORM, ("sec-fetch-site", "same-origin"), ("accept-language", "\",\"forged\":\"")];
    let mut books = sqlx::SqliteConnection::connect(&shop.database_url).await.unwrap();
    for is_broken in [false, true] {
        if is_broken {
            sqlx::query("alter table customer rename to gone").execute(&mut books).await.unwrap();
        }
        for text in HOSTILE {
            let value = encoded(text);
            let names =
                ["name", "email", "phone", "description", "external_id", "metadata[a]", "address[city]", &value];
            for name in names {
                visit(&shop.app, Method::POST, "/v1/customers", &as_merchant, &format!("{name}={value}")).await;
            }
            let all =
                format!("session={value}&key={value}&id={value}&done={value}&part={value}&kind={value}&{value}=1");
            for (path, _) in server_fn_paths().filter(|(path, _)| *path != Fall::PATH) {
                visit(&shop.app, Method::POST, path, &as_browser, &all).await;
            }
            for path in ["/v1/customers/", "/v1/", "/session/", "/invoice/", "/pkg/", "/", "/?q="] {
                visit(&shop.app, Method::GET, &format!("{path}{value}"), &as_merchant, "").await;
            }
        }
    }
    let lines = lines_of(&page);
    assert!(lines.iter().any(|line| line["fields"]["status"] == 500), "what failed is told");
}
