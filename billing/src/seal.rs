//! What must be kept but not readable in the database: sealed with the installation's key (XChaCha20-Poly1305).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::id;

const NONCE: usize = 24;

/// The installation's key.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// From the text of a setting or a file: at least 32 characters of it.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.len() < 32 {
            return Err(Error::invalid("encryption_key", "An encryption key has at least 32 characters."));
        }
        Ok(Self(Sha256::digest(text.as_bytes()).into()))
    }

    /// A key that nobody knows, and that ends with the process.
    pub fn random() -> Self {
        Self(Sha256::digest(id::secret().as_bytes()).into())
    }

    /// Seals `text`; `context` says what it belongs to, and must be the same to open it.
    pub fn seal(&self, context: &str, text: &str) -> Result<String> {
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&Sha256::digest(id::secret().as_bytes())[..NONCE]);
        let payload = Payload { msg: text.as_bytes(), aad: context.as_bytes() };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(Error::internal)?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    pub fn open(&self, context: &str, sealed: &str) -> Result<String> {
        let unreadable = || Error::internal("sealed text cannot be opened: another key, or it was changed");
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| unreadable())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or_else(unreadable)?;
        let payload = Payload { msg: sealed, aad: context.as_bytes() };
        let text = self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| unreadable())?;
        String::from_utf8(text).map_err(|_| unreadable())
    }

    /// What nobody can say of `text` without the key: 256 bits as URL-safe base64, always the same.
    pub fn mark(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.marking(text).finalize().into_bytes())
    }

    /// Whether a mark is that of `text`; takes as long whether it is or not.
    pub fn has_marked(&self, text: &str, mark: &str) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(mark) else { return false };
        self.marking(text).verify_slice(&bytes).is_ok()
    }

    fn marking(&self, text: &str) -> Hmac<Sha256> {
        // HMAC itself fills a short key with zeros up to a block.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        mac.update(text.as_bytes());
        mac
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_its_texts_and_its_keys() {
        let key = Key::parse("0123456789abcdef0123456789abcdef").unwrap();
        let mark = key.mark("a");
        assert_eq!((mark.len(), &mark), (43, &key.mark("a")));
        assert!(key.has_marked("a", &mark));
        assert!(!key.has_marked("b", &mark) && !Key::random().has_marked("a", &mark));
        assert!(!key.has_marked("a", "") && !key.has_marked("a", &mark[..42]) && !key.has_marked("a", "ä"));
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_and_context_only() {
        let key = Key::parse("0123456789abcdef0123456789abcdef").unwrap();
        let sealed = key.seal("a", "the link").unwrap();
        assert_eq!(key.open("a", &sealed).unwrap(), "the link");
        assert!(!sealed.contains("link"));
        assert_ne!(sealed, key.seal("a", "the link").unwrap());
        assert!(key.open("b", &sealed).is_err());
        assert!(Key::random().open("a", &sealed).is_err());
        assert!(key.open("a", &sealed[1..]).is_err());
        assert!(Key::parse("short").is_err());
    }
}
