//! Logos and icons. What a picture is, is read from its bytes and never believed: PNG, JPEG or WebP, whole and nothing
//! behind it. SVG is refused: it is a document that can hold script.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id;
use crate::store::{Tx, maybe, run};
use crate::text_enum::text_enum;

/// In bytes.
const MOST: usize = 512 * 1024;
/// In pixels, either way.
const WIDEST: u32 = 4_096;

text_enum!(MediaType { Png = "image/png", Jpeg = "image/jpeg", Webp = "image/webp" });

/// A picture that is kept; its bytes are never changed, and its id is made from them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `img_…`
    pub id: String,
    pub media_type: MediaType,
    /// In pixels.
    pub width: u32,
    pub height: u32,
}

impl Image {
    /// Where it is served, under any host of its merchant's.
    pub fn path(&self) -> String {
        format!("/brand/{}", self.id)
    }
}

/// A picture that was sent, read and not yet kept.
pub struct Upload {
    pub image: Image,
    base64: String,
}

/// Reads base64, as it is or as a `data:` URL.
pub fn read(text: &str, param: &str) -> Result<Upload> {
    let refuse = |message: &str| Err(Error::invalid(param, message));
    let encoded = match text.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,").map_or("", |(_, encoded)| encoded),
        None => text,
    };
    if encoded.len() > MOST / 3 * 4 + 4 {
        return refuse("The picture is too large: up to 512 KB.");
    }
    let Ok(bytes) = STANDARD.decode(encoded) else {
        return refuse("Invalid picture: send its bytes in base64, or a data: URL with them.");
    };
    let Some((media_type, width, height)) = measure(&bytes) else {
        return refuse("Invalid picture: it must be a whole PNG, JPEG or WebP.");
    };
    if !(1..=WIDEST).contains(&width) || !(1..=WIDEST).contains(&height) {
        return refuse("The picture is too large: up to 4096 pixels either way.");
    }
    let id = format!("img_{}", &id::hash(encoded)[..32]);
    Ok(Upload { image: Image { id, media_type, width, height }, base64: encoded.to_owned() })
}

/// Keeps a picture; one that is there already is the same.
pub async fn keep(tx: &mut Tx, who: &Actor, upload: &Upload) -> Result<()> {
    run!(
        tx,
        "insert into asset (tenant, id, media_type, base64, created) values ($1, $2, $3, $4, $5) on conflict do nothing",
        who.tenant.key,
        &upload.image.id,
        upload.image.media_type,
        &upload.base64,
        tx.now.seconds()
    )?;
    Ok(())
}

/// A picture's bytes: any merchant's, since pictures are shown to everybody, or one tenant's only.
pub async fn bytes(tx: &mut Tx, tenant: Option<i64>, id: &str) -> Result<Option<(MediaType, Vec<u8>)>> {
    let row: Option<(MediaType, String)> = maybe!(
        tx,
        "select media_type, base64 from asset where id = $1 and (cast($2 as bigint) is null or tenant = $2) limit 1",
        id,
        tenant
    )?;
    row.map(|(kind, text)| STANDARD.decode(text).map(|bytes| (kind, bytes)).map_err(Error::internal)).transpose()
}

/// The kind of a picture, its width and its height; `None` for what is none, or does not end where it should.
fn measure(bytes: &[u8]) -> Option<(MediaType, u32, u32)> {
    png(bytes)
        .map(|(width, height)| (MediaType::Png, width, height))
        .or_else(|| jpeg(bytes).map(|(width, height)| (MediaType::Jpeg, width, height)))
        .or_else(|| webp(bytes).map(|(width, height)| (MediaType::Webp, width, height)))
}

fn big(bytes: &[u8], at: usize, size: usize) -> Option<u32> {
    Some(bytes.get(at..at + size)?.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
}

fn little(bytes: &[u8], at: usize, size: usize) -> Option<u32> {
    Some(bytes.get(at..at + size)?.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
}

/// Chunks from `IHDR` to `IEND`, each with its length before it and a checksum behind (PNG, 3rd edition, 5.3).
fn png(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    if big(rest, 0, 4)? != 13 || rest.get(4..8)? != b"IHDR" {
        return None;
    }
    let size = (big(rest, 8, 4)?, big(rest, 12, 4)?);
    loop {
        let length = usize::try_from(big(rest, 0, 4)?).ok()?;
        let is_last = rest.get(4..8)? == b"IEND";
        rest = rest.get(length.checked_add(12)?..)?;
        if is_last {
            return rest.is_empty().then_some(size);
        }
    }
}

/// Segments up to the frame's header (ITU T.81, B.2.2), which says the size; the end of the image ends the bytes.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    if !bytes.ends_with(b"\xff\xd9") {
        return None;
    }
    loop {
        let marker = big(rest, 0, 2)?;
        match marker {
            // Padding before a marker.
            0xffff => rest = rest.get(1..)?,
            // All frames but the tables that have their numbers among them.
            0xffc0..=0xffcf if !matches!(marker, 0xffc4 | 0xffc8 | 0xffcc) => {
                return Some((big(rest, 7, 2)?, big(rest, 5, 2)?));
            }
            0xff01..=0xffd7 | 0xffdb..=0xfffe => rest = rest.get(usize::try_from(big(rest, 2, 2)?).ok()? + 2..)?,
            _ => return None,
        }
    }
}

/// A RIFF file of one picture, in any of the three ways that it may begin (RFC 9649).
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    let whole = usize::try_from(little(bytes, 4, 4)?).ok()?.checked_add(8)?;
    if !bytes.starts_with(b"RIFF") || bytes.get(8..12)? != b"WEBP" || whole != bytes.len() {
        return None;
    }
    match bytes.get(12..16)? {
        b"VP8X" => Some((little(bytes, 24, 3)? + 1, little(bytes, 27, 3)? + 1)),
        b"VP8L" if *bytes.get(20)? == 0x2f => {
            let bits = little(bytes, 21, 4)?;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8 " if bytes.get(23..26)? == b"\x9d\x01\x2a" => {
            Some((little(bytes, 26, 2)? & 0x3fff, little(bytes, 28, 2)? & 0x3fff))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One grey pixel, as three programs write it.
    pub const PNG: &str =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
    const WEBP: &str = "UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAUAmJaQAA3AA/vv0AAA=";

    #[test]
    fn pictures_are_known_by_their_bytes() {
        let of = |text: &str| {
            read(text, "logo").map(|upload| (upload.image.media_type, upload.image.width, upload.image.height)).ok()
        };
        assert_eq!(of(PNG), Some((MediaType::Png, 1, 1)));
        assert_eq!(
            of(&format!("data:image/svg+xml;base64,{PNG}")),
            Some((MediaType::Png, 1, 1)),
            "whatever it is called"
        );
        assert_eq!(of(WEBP), Some((MediaType::Webp, 1, 1)));
        let jpeg =
            [&b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc2\x00\x0b\x08\x00\x20\x00\x40\x01\x01\x11\x00"[..], b"\xff\xd9"]
                .concat();
        assert_eq!(of(&STANDARD.encode(&jpeg)), Some((MediaType::Jpeg, 64, 32)));
        let with = |bytes: &[u8], more: &[u8]| STANDARD.encode([bytes, more].concat());
        let png = STANDARD.decode(PNG).unwrap();
        for bad in [
            String::new(),
            "<svg/>".into(),
            STANDARD.encode("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
            with(&png, b"<script>alert(1)</script>"),
            with(&png[..20], b""),
            with(&jpeg, b"<html>"),
            with(b"GIF89a\x01\x00\x01\x00", b""),
            with(b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\x0dIHDR"),
            with(b"\xff\xd8\xff\xe0\x00\x00", b"\xff\xd9"),
        ] {
            assert_eq!(of(&bad), None, "{bad}");
        }
        let wide = [&png[..16], &[0, 0, 0x10, 1], &png[20..]].concat();
        assert_eq!(of(&STANDARD.encode(wide)), None, "4097 pixels");
        assert_eq!(of(&STANDARD.encode(vec![0; MOST + 3])), None);
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(bytes in proptest::collection::vec(any::<u8>(), 0..64), kind in 0..3usize) {
            let start: &[u8] = [&b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"[..], b"\xff\xd8", b"RIFF"][kind];
            measure(&bytes);
            measure(&[start, &bytes].concat());
            measure(&[start, &bytes, b"\xff\xd9"].concat());
        }
    }
}
