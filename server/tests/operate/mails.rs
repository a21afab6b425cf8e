//! Mails to customers as a mail server gets them, and as files where there is none.

use std::collections::VecDeque;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use billing::store::Conn;
use clap::{Parser, error::ErrorKind};
use serde_json::{Value, json};
use server::config::Settings;
use server::mail::{self, Post};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Shop, on_both};

/// What a mail server was handed: from whom, to whom, and the message.
#[derive(Debug, Clone, Default)]
struct Received {
    from: String,
    to: Vec<String>,
    message: String,
}

/// A mail server that takes what it is handed, or answers `RCPT` as it was told to, once each.
#[derive(Clone)]
struct Sink {
    addr: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    refusals: Arc<Mutex<VecDeque<&'static str>>>,
}

impl Sink {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sink = Self { addr: listener.local_addr().unwrap(), received: Arc::default(), refusals: Arc::default() };
        let own = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let own = own.clone();
                tokio::spawn(async move { own.talk(stream).await });
            }
        });
        sink
    }

    async fn talk(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let (read, mut write) = stream.split();
        let mut lines = BufReader::new(read).lines();
        let mut mail = Received::default();
        write.write_all(b"220 sink\r\n").await?;
        while let Some(line) = lines.next_line().await? {
            let answer = match line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "EHLO" | "HELO" | "RSET" | "NOOP" => "250 sink",
                "MAIL" => {
                    mail = Received { from: line, ..Received::default() };
                    "250 from"
                }
                "RCPT" => match self.refusals.lock().unwrap().pop_front() {
                    Some(refusal) => refusal,
                    None => {
                        mail.to.push(line);
                        "250 to"
                    }
                },
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await?;
                    while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                        mail.message += &format!("{}\r\n", line.strip_prefix('.').unwrap_or(&line));
                    }
                    self.received.lock().unwrap().push(mail.clone());
                    "250 taken"
                }
                "QUIT" => "221 bye",
                _ => "502 what?",
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        Ok(())
    }

    fn post(&self) -> Post {
        let url = format!("smtp://{}", self.addr);
        Post::of(&settings(&["--smtp-url", &url, "--mail-from", "Portico <billing@shop.example>"]).unwrap()).unwrap()
    }

    fn taken(&self) -> Vec<Received> {
        std::mem::take(&mut self.received.lock().unwrap())
    }
}

#[derive(Debug, Parser)]
struct Flags {
    #[command(flatten)]
    settings: Settings,
}

fn settings(flags: &[&str]) -> Result<Settings, clap::Error> {
    Flags::try_parse_from([&["portico"], flags].concat()).map(|flags| flags.settings)
}

/// A message as Python's mail parser reads it: its headers, its defects, and its parts by type.
fn parsed(message: &str) -> Value {
    let script = "import email, email.policy, html, json, sys
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = {p.get_content_type(): p.get_content() for p in m.walk() if not p.is_multipart()}
parts['text/html'] = html.unescape(parts['text/html'])
print(json.dumps({'headers': [[k, str(v)] for k, v in m.items()], 'type': m.get_content_type(), 'parts': parts,
                  'defects': [str(d) for p in m.walk() for d in p.defects]}))";
    let mut python =
        Command::new("python3").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(message.as_bytes()).unwrap();
    serde_json::from_slice(&python.wait_with_output().unwrap().stdout).unwrap()
}

/// Every value of a header.
fn header(mail: &Value, name: &str) -> Vec<String> {
    let all = mail["headers"].as_array().unwrap().iter();
    all.filter(|pair| pair[0] == name).map(|pair| pair[1].as_str().unwrap().to_owned()).collect()
}

impl Shop {
    /// A customer who has just paid for something, and so is sent a receipt.
    async fn receipt_for(&self, name: &str, email: &str, language: &str) {
        let form = json!({
            "name": name, "email": email, "preferred_locales": [language], "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
        });
        let customer = self.post_json("/v1/customers", &form).await.made();
        let price = self.monthly_price(1900).await;
        self.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.ok();
    }

    async fn send_all(&self, post: &Post) -> usize {
        let mut sent = 0;
        while mail::send_one(&self.app.db, post).await.unwrap() {
            sent += 1;
        }
        sent
    }

    /// Every mail as it stands, oldest first: its id, its state, and how often it was tried.
    async fn mails(&self) -> Vec<(String, String, i64)> {
        let sql = "select id, status, attempts from mail order by created_ms, id";
        let mut tx = self.app.db.read().await.unwrap();
        match &mut tx.conn {
            Conn::Sqlite(inner) => sqlx::query_as(sql).fetch_all(&mut **inner).await,
            Conn::Postgres(inner) => sqlx::query_as(sql).fetch_all(&mut **inner).await,
        }
        .unwrap()
    }

    async fn states(&self) -> Vec<(String, i64)> {
        self.mails().await.into_iter().map(|(_, status, attempts)| (status, attempts)).collect()
    }
}

on_both!(
    a_receipt_arrives_in_the_customers_language,
    a_mail_that_is_refused_for_now_comes_later_and_once,
    without_a_server_mails_are_files,
);

async fn a_receipt_arrives_in_the_customers_language(shop: Shop) {
    let sink = Sink::open().await;
    shop.post("/v1/portal_branding", "name=Umbra&accent_color=%23c00000&support_email=help@umbra.example").await.ok();
    let cases = [
        ("en", "ltr", "Your receipt from Umbra", "We have received", "€19.00"),
        ("de-AT", "ltr", "Ihr Zahlungsbeleg von Umbra", "erhalten", "19,00\u{a0}€"),
        ("ar", "rtl", "إيصالك من \u{2068}Umbra\u{2069}", "استلمنا", "19.00"),
    ];
    for (language, direction, subject, words, amount) in cases {
        shop.receipt_for("Ada Müller", "ada@example.com", language).await;
        assert_eq!(shop.send_all(&sink.post()).await, 1);
        let taken = sink.taken();
        let [received] = taken.as_slice() else { panic!("one mail, and not {}", taken.len()) };
        assert!(received.from.contains("<billing@shop.example>"), "{}", received.from);
        assert!(received.to.len() == 1 && received.to[0].contains("<ada@example.com>"), "{:?}", received.to);
        let mail = parsed(&received.message);
        assert_eq!((&mail["defects"], &mail["type"]), (&json!([]), &json!("multipart/alternative")));
        assert_eq!(header(&mail, "Subject"), [subject]);
        assert_eq!(header(&mail, "From"), ["Umbra <billing@shop.example>"]);
        assert_eq!(header(&mail, "To"), ["Ada Müller <ada@example.com>"]);
        assert_eq!(header(&mail, "Reply-To"), ["Umbra <help@umbra.example>"]);
        assert_eq!(header(&mail, "Auto-Submitted"), ["auto-generated"]);
        assert!(header(&mail, "Message-ID")[0].ends_with("@shop.example>"));
        let (text, html) =
            (mail["parts"]["text/plain"].as_str().unwrap(), mail["parts"]["text/html"].as_str().unwrap());
        let invoice = shop.get("/v1/invoices?limit=1").await.ok()["data"][0].clone();
        for part in [text, html] {
            assert!(part.contains(words) && part.contains(amount), "{part}");
            assert!(part.contains(invoice["number"].as_str().unwrap()), "{part}");
            assert!(part.contains(invoice["hosted_invoice_url"].as_str().unwrap()), "{part}");
            assert!(!part.contains("/session/"), "a mail never carries a session");
        }
        let tag = if language == "ar" { "ar" } else { &language[..2] };
        assert!(
            html.contains(&format!("<html lang=\"{tag}")) && html.contains(&format!("dir=\"{direction}\"")),
            "{html}"
        );
        assert!(html.contains("background:#c00000;color:#ffffff"), "{html}");
    }
    assert!(shop.states().await.iter().all(|(status, attempts)| (status.as_str(), *attempts) == ("sent", 1)));
}

async fn a_mail_that_is_refused_for_now_comes_later_and_once(shop: Shop) {
    let sink = Sink::open().await;
    shop.receipt_for("Ada", "ada@example.com", "en").await;
    sink.refusals.lock().unwrap().push_back("451 try later");
    assert_eq!((shop.send_all(&sink.post()).await, sink.taken().len()), (1, 0));
    assert_eq!(shop.states().await, [("waiting".to_owned(), 1)]);
    shop.clock.advance(60_000);
    assert_eq!((shop.send_all(&sink.post()).await, sink.taken().len()), (1, 1));
    shop.clock.advance(24 * 3600 * 1000);
    assert_eq!((shop.send_all(&sink.post()).await, sink.taken().len()), (0, 0), "once");

    shop.receipt_for("Bob", "nobody@example.com", "en").await;
    sink.refusals.lock().unwrap().push_back("550 no such user");
    assert_eq!((shop.send_all(&sink.post()).await, sink.taken().len()), (1, 0));
    shop.clock.advance(24 * 3600 * 1000);
    assert_eq!(shop.send_all(&sink.post()).await, 0, "refused for good");
    assert_eq!(shop.states().await, [("sent".to_owned(), 2), ("refused".to_owned(), 1)]);

    // A server that does not know us has said nothing of the mail.
    shop.receipt_for("Eve", "eve@example.com", "en").await;
    sink.refusals.lock().unwrap().push_back("530 authenticate first");
    shop.send_all(&sink.post()).await;
    assert_eq!(shop.states().await[2], ("waiting".to_owned(), 1));
}

async fn without_a_server_mails_are_files(shop: Shop) {
    let folder = tempfile::tempdir().unwrap();
    let post = Post::into_folder(&folder.path().join("mail"), "billing@shop.example".parse().unwrap());
    shop.receipt_for("Ada", "ada@example.com", "en").await;
    assert_eq!(shop.send_all(&post).await, 1);
    let files: Vec<_> = std::fs::read_dir(folder.path().join("mail")).unwrap().map(|f| f.unwrap().path()).collect();
    let id = &shop.mails().await[0].0;
    assert_eq!(files, [folder.path().join("mail").join(format!("{id}.eml"))]);
    let mail = parsed(&std::fs::read_to_string(&files[0]).unwrap());
    assert_eq!((header(&mail, "To"), &mail["defects"]), (vec!["Ada <ada@example.com>".to_owned()], &json!([])));
    assert_eq!(shop.states().await, [("sent".to_owned(), 1)]);
}

#[test]
fn settings_of_mail_are_checked_at_start() {
    for flags in [["--smtp-url", "mail.example"], ["--smtp-url", "http://mail.example"], ["--mail-from", "no address"]]
    {
        assert_eq!(settings(&flags).unwrap_err().kind(), ErrorKind::ValueValidation, "{flags:?}");
    }
    let sender = |url: &str| settings(&["--public-url", url]).unwrap().sender().unwrap().email.to_string();
    assert_eq!(sender("https://billing.example"), "billing@billing.example");
    assert_eq!(sender("http://localhost:3000"), "billing@localhost");
    assert_eq!(sender("http://127.0.0.1:3000"), "billing@[127.0.0.1]");
}
