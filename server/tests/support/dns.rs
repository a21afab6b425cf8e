//! A name server that says what a test told it, and nothing of anything else.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;

const CNAME: u16 = 5;
const TXT: u16 = 16;

#[derive(Clone)]
pub struct NameServer {
    pub addr: SocketAddr,
    zone: Arc<Mutex<HashMap<(String, u16), String>>>,
}

impl NameServer {
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = Self { addr: socket.local_addr().unwrap(), zone: Arc::default() };
        let zone = server.zone.clone();
        tokio::spawn(async move {
            let mut packet = [0; 512];
            while let Ok((size, from)) = socket.recv_from(&mut packet).await {
                let answer = answer(&packet[..size], &zone.lock().unwrap());
                let _ = socket.send_to(&answer, from).await;
            }
        });
        server
    }

    /// Puts a record that the API has asked for into the zone.
    pub fn put(&self, record: &serde_json::Value) {
        let text = |field: &str| record[field].as_str().unwrap().to_owned();
        let kind = if record["type"] == "CNAME" { CNAME } else { TXT };
        self.zone.lock().unwrap().insert((text("name"), kind), text("value"));
    }

    pub fn clear(&self) {
        self.zone.lock().unwrap().clear();
    }
}

/// RFC 1035, 4.1: the question again, and one record or none.
fn answer(asked: &[u8], zone: &HashMap<(String, u16), String>) -> Vec<u8> {
    let mut at = 12;
    let mut labels = Vec::new();
    while asked[at] > 0 {
        let end = at + 1 + usize::from(asked[at]);
        labels.push(String::from_utf8_lossy(&asked[at + 1..end]).to_ascii_lowercase());
        at = end;
    }
    let kind = u16::from_be_bytes([asked[at + 1], asked[at + 2]]);
    let found = zone.get(&(labels.join("."), kind));
    // An answer, with recursion; three is "no such name".
    let flags = if found.is_some() { [0x81, 0x80] } else { [0x81, 0x83] };
    let mut out = [&asked[..2], &flags, &[0, 1, 0, u8::from(found.is_some()), 0, 0, 0, 0], &asked[12..at + 5]].concat();
    if let Some(value) = found {
        let data = if kind == CNAME {
            let labels = value.split('.').flat_map(text);
            labels.chain([0]).collect()
        } else {
            text(value)
        };
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 60]);
        out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        out.extend(data);
    }
    out
}

/// A text with its length before it.
fn text(value: &str) -> Vec<u8> {
    [&[u8::try_from(value.len()).unwrap()], value.as_bytes()].concat()
}
