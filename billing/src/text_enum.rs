//! Closed sets of words, the same on the wire and in the database.

/// Declares an enum that is text in the database and on the wire: `text_enum!(Mode { Now = "now" })`.
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, sqlx::Type)]
        #[sqlx(type_name = "text")]
        pub enum $name { $(#[serde(rename = $text)] #[sqlx(rename = $text)] $variant),+ }

        impl $name {
            pub const ALL: &'static [&'static str] = &[$($text),+];
            pub const EVERY: &'static [Self] = &[$(Self::$variant),+];

            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Reads the word; the error names `param` and the words that are allowed.
            pub fn parse(text: &str, param: &str) -> $crate::Result<Self> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::Error::invalid(param, format!("Invalid {param}: must be one of {}", Self::ALL.join(", ")))),
                }
            }
        }
    };
}
pub(crate) use text_enum;
