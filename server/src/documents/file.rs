//! What is handed out as a file: its name, and that nobody keeps a copy on the way.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderValue, Response};

/// A file to be saved under a name.
pub fn response(name: &str, mime: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(mime));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(disposition) = HeaderValue::from_str(&disposition(name)) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    response
}

/// `Content-Disposition` by RFC 6266: the name in ASCII, and as it is where that is not the same (RFC 8187).
pub fn disposition(name: &str) -> String {
    let name = safe(name);
    let ascii: String = name.chars().map(|letter| if letter.is_ascii() { letter } else { '_' }).collect();
    let plain = format!("attachment; filename=\"{ascii}\"");
    if ascii == name {
        return plain;
    }
    let encoded: String = name.bytes().map(encode).collect();
    format!("{plain}; filename*=UTF-8''{encoded}")
}

/// A name without what a file system, a shell or a header could take for something else.
pub fn safe(name: &str) -> String {
    let hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let plain = |letter: char| match letter {
        '"' | '\\' | '/' | ':' | '*' | '?' | '<' | '>' | '|' | '%' | ';' | '\'' | '`' | '$' => '-',
        other if other.is_whitespace() => ' ',
        other => other,
    };
    let name: String = name.chars().filter(|letter| !hidden(*letter)).map(plain).take(120).collect();
    let name = name.trim_start_matches(['.', '-', ' ', '~']).trim_end_matches(['.', ' ']);
    if name.is_empty() { "document".to_owned() } else { name.to_owned() }
}

fn encode(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_ascii_stands_alone() {
        assert_eq!(disposition("Invoice ACME-0001.pdf"), "attachment; filename=\"Invoice ACME-0001.pdf\"");
    }

    #[test]
    fn another_name_stands_in_both_ways() {
        assert_eq!(
            disposition("Übersicht.pdf"),
            "attachment; filename=\"_bersicht.pdf\"; filename*=UTF-8''%C3%9Cbersicht.pdf"
        );
        assert!(disposition("الفاتورة.pdf").contains("filename*=UTF-8''%D8%A7"));
    }

    #[test]
    fn a_name_is_never_a_path_a_header_or_hidden() {
        for name in
            ["../../etc/passwd", "a\"; filename=\"b.exe", "a\r\nSet-Cookie: b=c", "..", "", "\u{202e}fdp.exe", "~/x"]
        {
            let safe = safe(name);
            assert!(!safe.is_empty() && !safe.starts_with('.') && !safe.starts_with('~'), "{safe}");
            assert!(!safe.contains(['/', '\\', '"', '\r', '\n', ';', '\u{202e}']), "{safe}");
            assert!(HeaderValue::from_str(&disposition(name)).is_ok());
        }
    }
}
