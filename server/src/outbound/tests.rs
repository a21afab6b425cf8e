//! Hosts in every spelling, names whose addresses change, and answers that do not end.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Addresses inside, as a merchant might write them.
const INSIDE_HOSTS: &[&str] = &[
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "127.0.0.1.",
    "127。0。0。1",
    "127．0．0．1",
    "①②⑦.0.0.1",
    "%31%32%37.0.0.1",
    "0.0.0.0",
    "0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "012.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "4294967295",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::1]",
    "[100::1]",
    "[2001::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
];
const OUTSIDE_HOSTS: &[&str] = &[
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.32.0.1",
    "198.17.0.1",
    "223.255.255.255",
    "[2606:4700::1]",
    "[2a00:1450::1]",
    "[::ffff:8.8.8.8]",
    "[64:ff9b::808:808]",
];

/// Gives the addresses in turn, one list for each question.
struct Turns {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Turns {
    fn of(answers: &[&[&str]]) -> Arc<Self> {
        let answers = answers.iter().map(|list| list.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
        Arc::new(Self { answers, asked: AtomicUsize::new(0) })
    }
}

impl Resolve for Turns {
    fn resolve(&self, _name: Name) -> Resolving {
        let turn = self.asked.fetch_add(1, Ordering::Relaxed) % self.answers.len();
        let found: Vec<SocketAddr> = self.answers[turn].iter().map(|ip| SocketAddr::new(*ip, 0)).collect();
        Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
    }
}

fn rules(allow_private: bool, port: u16) -> Rules {
    Rules { allow_private, ports: vec![443, port] }
}

fn outbound(allow_private: bool, port: u16, names: Arc<dyn Resolve>) -> Outbound {
    Outbound::with_names(rules(allow_private, port), names).unwrap()
}

fn request(url: &str) -> Request {
    Request { method: Method::POST, url: url.parse().unwrap(), headers: HeaderMap::new(), body: b"{}".to_vec() }
}

#[test]
fn an_address_inside_is_refused_however_it_is_written() {
    let rules = rules(false, 443);
    for host in INSIDE_HOSTS {
        let url = Url::parse(&format!("https://{host}/hook")).unwrap();
        assert!(!matches!(url.host(), Some(Host::Domain(_))), "{host} is read as a name");
        assert_eq!(rules.check(&url), Err(Failure::Refused(INSIDE)), "{host}");
    }
    for host in OUTSIDE_HOSTS {
        let url = Url::parse(&format!("https://{host}/hook")).unwrap();
        assert_eq!(rules.check(&url), Ok(()), "{host}");
    }
}

#[test]
fn development_reaches_what_is_near_and_still_no_metadata() {
    let rules = rules(true, 443);
    for host in ["127.0.0.1:4242", "[::1]:3000", "192.168.0.9", "10.1.1.1", "172.17.0.1", "[fd00::1]", "1.1.1.1"] {
        assert_eq!(rules.check(&Url::parse(&format!("https://{host}/")).unwrap()), Ok(()), "{host}");
    }
    for host in ["169.254.169.254", "0.0.0.0", "[fe80::1]", "100.64.0.1", "[::]", "224.0.0.1"] {
        assert!(rules.check(&Url::parse(&format!("https://{host}/")).unwrap()).is_err(), "{host}");
    }
}

#[test]
fn only_the_ports_of_the_list_are_reached() {
    let rules = rules(false, 8443);
    for (url, is_right) in [
        ("https://shop.example/", true),
        ("https://shop.example:443/", true),
        ("https://shop.example:8443/", true),
        ("https://shop.example:22/", false),
        ("http://shop.example/", false),
        ("https://1.1.1.1:6379/", false),
    ] {
        assert_eq!(rules.check(&Url::parse(url).unwrap()).is_ok(), is_right, "{url}");
    }
}

/// A name is public when it is asked about, and private when it is connected to: a thousand times over every address
/// inside, and nobody there is ever called on.
#[tokio::test]
async fn a_name_that_turns_inward_is_not_followed() {
    let inside = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = inside.local_addr().unwrap().port();
    let literal = |host: &str| match Url::parse(&format!("https://{host}/")).unwrap().host() {
        Some(Host::Ipv4(ip)) => ip.to_string(),
        Some(Host::Ipv6(ip)) => ip.to_string(),
        _ => unreachable!("an address"),
    };
    for flip in 0..1_000 {
        let hidden = literal(INSIDE_HOSTS[flip % INSIDE_HOSTS.len()]);
        let (first, mixed) = (["93.184.216.34"], ["93.184.216.34", hidden.as_str()]);
        let turned: &[&str] = if flip % 2 == 0 { &mixed[1..] } else { &mixed };
        let outbound = outbound(false, port, Turns::of(&[&first, turned]));
        let name = ["rebind.example", "rebind.example.", "localhost", "rebind。example"][flip % 4];
        let url = format!("https://{name}:{port}/");
        assert_eq!(outbound.check(&url.parse().unwrap()).await, Ok(()), "it was public: {hidden}");
        assert_eq!(outbound.send(request(&url)).await.err(), Some(Failure::Refused(INSIDE)), "{hidden}");
    }
    let called = std::future::poll_fn(|cx| std::task::Poll::Ready(inside.poll_accept(cx).is_ready())).await;
    assert!(!called, "somebody inside was connected to");
}

#[tokio::test]
async fn a_name_that_is_inside_is_not_written_down() {
    let inside = outbound(false, 443, Turns::of(&[&["8.8.8.8", "10.0.0.1"]]));
    let refused = inside.check_param("https://intern.example/", "url").await;
    assert!(matches!(refused, Err(Error::Invalid { param, code: "url_invalid", .. }) if param == "url"));
    let unknown = outbound(false, 443, Turns::of(&[&[]]));
    assert_eq!(unknown.check_param("https://soon.example/", "url").await, Ok(()));
}

/// Answers every connection with these bytes, and then goes on with `more` until it is hung up on.
async fn receiver(answer: &'static str, more: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = [0; 4096];
                let _ = stream.read(&mut heard).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                while !more.is_empty() && stream.write_all(more).await.is_ok() {}
                let _ = stream.read(&mut heard).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn an_answer_is_taken_as_it_is_and_followed_nowhere() {
    let port =
        receiver("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 2\r\n\r\nno", b"").await;
    let names = Turns::of(&[&["127.0.0.1"]]);
    let answer = outbound(true, 0, names).send(request(&format!("http://shop.example:{port}/"))).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (302, b"no".as_slice()));
    assert_eq!(answer.headers["location"], "http://127.0.0.1:1/");
}

#[tokio::test]
async fn an_answer_without_end_is_read_so_far() {
    let port = receiver("HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 1000]).await;
    let outbound = outbound(true, 0, Turns::of(&[&[]]));
    let answer = outbound.send(request(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
    assert_eq!(answer.body.len(), MOST_BODY);
}

#[tokio::test]
async fn who_does_not_answer_or_not_to_the_end_is_left() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-le", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nslow"] {
        let port = receiver(answer, b"").await;
        let outbound = outbound(true, 0, Turns::of(&[&[]])).waiting(Duration::from_millis(50));
        let gone = outbound.send(request(&format!("http://127.0.0.1:{port}/"))).await;
        assert_eq!(gone.err(), Some(Failure::Timeout), "{answer}");
    }
    let nobody = outbound(true, 0, Turns::of(&[&[]])).send(request("https://nobody.example/")).await;
    assert!(matches!(nobody, Err(Failure::Broken(_))));
}
