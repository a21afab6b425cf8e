//! Form bodies and queries with brackets (`items[0][price]=price_1&expand[]=customer`) become one JSON object.
//!
//! Where browsers, SDKs and frameworks disagree, this decodes as Stripe's own servers do (Rack's rules): brackets may
//! be percent-encoded, `a[]` appends, `a[][x]` fills the last element until `x` repeats, a repeated key's last value
//! wins. A list sent by its positions (`a[0]`, `a[1]`) is the same list as one sent with `a[]`.

use billing::{Error, Result};
use serde_json::{Map, Value};

/// How deep a parameter may nest (`a[b][c]` is three).
pub const MOST_LEVELS: usize = 10;
/// How many values one request may carry.
pub const MOST_VALUES: usize = 1_000;

/// Decodes a query and a body, in this order, as one set of parameters.
pub fn decode(parts: &[&[u8]]) -> Result<Map<String, Value>> {
    let mut root = Value::Object(Map::new());
    let pairs = parts.iter().flat_map(|part| part.split(|byte| *byte == b'&')).filter(|pair| !pair.is_empty());
    for (n, pair) in pairs.enumerate() {
        if n == MOST_VALUES {
            return Err(too_many());
        }
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        };
        let name = percent_decode(name)?;
        let path = split_name(&name)?;
        if !insert(&mut root, &path, percent_decode(value)?) {
            let message = format!("Invalid parameter: {name} contradicts another parameter of the same name.");
            return Err(Error::invalid(name, message));
        }
    }
    let Value::Object(fields) = root else { return Ok(Map::new()) };
    Ok(fields.into_iter().map(|(name, value)| (name, lists(value))).collect())
}

pub fn too_many() -> Error {
    Error::invalid("", format!("A request carries up to {MOST_VALUES} values."))
}

pub fn too_deep(name: &str) -> Error {
    Error::invalid(name, format!("Parameters nest up to {MOST_LEVELS} levels deep."))
}

/// Text that a database can keep and a log can show: no NUL.
pub fn check_characters(text: &str) -> Result<()> {
    if text.contains('\0') {
        Err(Error::invalid("", "Invalid string: NUL characters are not allowed."))
    } else {
        Ok(())
    }
}

fn percent_decode(encoded: &[u8]) -> Result<String> {
    let malformed = || Error::invalid("", "Invalid request: a `%` is not followed by two hexadecimal digits.");
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|d| char::from(*d).to_digit(16)).ok_or_else(malformed);
                let number = digit()? * 16 + digit()?;
                u8::try_from(number).map_err(Error::internal)?
            }
            plain => *plain,
        });
    }
    let text =
        String::from_utf8(bytes).map_err(|_| Error::invalid("", "Invalid request: the text is not valid UTF-8."))?;
    check_characters(&text)?;
    Ok(text)
}

/// `items[0][price]` is `items`, `0`, `price`; `expand[]` is `expand` and an empty segment.
fn split_name(name: &str) -> Result<Vec<&str>> {
    let malformed = || Error::invalid(name, format!("Invalid parameter name: {name}"));
    let (base, brackets) = name.split_at(name.find('[').unwrap_or(name.len()));
    if base.is_empty() {
        return Err(malformed());
    }
    let mut path = vec![base];
    let mut rest = brackets;
    while !rest.is_empty() {
        let (segment, after) = rest.strip_prefix('[').and_then(|r| r.split_once(']')).ok_or_else(malformed)?;
        path.push(segment);
        rest = after;
        if path.len() > MOST_LEVELS {
            return Err(too_deep(base));
        }
    }
    Ok(path)
}

/// Puts a value where its path says; false where something else already stands in the way.
fn insert(target: &mut Value, path: &[&str], value: String) -> bool {
    let Some((segment, rest)) = path.split_first() else {
        let is_free = matches!(target, Value::Null | Value::String(_));
        if is_free {
            *target = Value::String(value);
        }
        return is_free;
    };
    if target.is_null() {
        *target = if segment.is_empty() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    }
    match target {
        Value::Array(elements) if segment.is_empty() => {
            if rest.is_empty() || elements.last().is_none_or(|last| !last.is_object() || holds(last, rest)) {
                elements.push(Value::Null);
            }
            elements.last_mut().is_some_and(|last| insert(last, rest, value))
        }
        Value::Object(fields) if !segment.is_empty() => {
            insert(fields.entry(*segment).or_insert(Value::Null), rest, value)
        }
        _ => false,
    }
}

/// Whether something already stands at a path, so that `a[][x]` begins the next element.
fn holds(value: &Value, path: &[&str]) -> bool {
    match path.split_first() {
        None => true,
        Some((&"", _)) => true,
        Some((segment, rest)) => value.get(*segment).is_some_and(|inner| holds(inner, rest)),
    }
}

/// Objects whose keys are exactly 0, 1, 2 … are lists that were sent by position.
fn lists(value: Value) -> Value {
    match value {
        Value::Array(elements) => Value::Array(elements.into_iter().map(lists).collect()),
        Value::Object(fields) => {
            let mut slots: Vec<Option<Value>> = vec![None; fields.len()];
            let mut named = Map::new();
            for (key, inner) in fields {
                let inner = lists(inner);
                match position(&key).and_then(|n| slots.get_mut(n)) {
                    Some(slot) => *slot = Some(inner),
                    None => _ = named.insert(key, inner),
                }
            }
            if named.is_empty() && slots.iter().all(Option::is_some) && !slots.is_empty() {
                return Value::Array(slots.into_iter().flatten().collect());
            }
            let positions = slots.into_iter().enumerate().filter_map(|(n, slot)| Some((n.to_string(), slot?)));
            named.extend(positions);
            Value::Object(named)
        }
        other => other,
    }
}

/// A list position as it is written: `0`, `17`, but not `007`.
fn position(key: &str) -> Option<usize> {
    key.parse().ok().filter(|n: &usize| n.to_string() == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn decoded(text: &str) -> Value {
        Value::Object(decode(&[text.as_bytes()]).unwrap())
    }

    fn refused(text: &str) -> (String, String) {
        match decode(&[text.as_bytes()]).unwrap_err() {
            Error::Invalid { param, message, .. } => (param, message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_clients_send() {
        assert_eq!(
            decoded("items[0][price]=price_1&items[0][quantity]=2"),
            json!({"items": [{"price": "price_1", "quantity": "2"}]})
        );
        assert_eq!(decoded("items%5B0%5D%5Bprice%5D=price_1"), json!({"items": [{"price": "price_1"}]}));
        assert_eq!(decoded("expand[]=a&expand[]=b.c"), json!({"expand": ["a", "b.c"]}));
        assert_eq!(decoded("expand[1]=b&expand[0]=a"), json!({"expand": ["a", "b"]}));
        assert_eq!(decoded("metadata[a b]=1+1%2B&name=%C3%84"), json!({"metadata": {"a b": "1 1+"}, "name": "Ä"}));
        assert_eq!(decoded("description=&flag&a=1=2"), json!({"description": "", "flag": "", "a": "1=2"}));
        assert_eq!(decoded("name=a&&name=b"), json!({"name": "b"}));
        assert_eq!(
            decoded("email=a@b.c&return_url=https://x/y?z"),
            json!({"email": "a@b.c", "return_url": "https://x/y?z"})
        );
        assert_eq!(decoded(""), json!({}));
    }

    #[test]
    fn a_repeated_key_begins_the_next_element() {
        assert_eq!(
            decoded(
                "items[][price]=a&items[][quantity]=1&items[][price]=b&items[][metadata][x]=1&items[][metadata][y]=2"
            ),
            json!({"items": [{"price": "a", "quantity": "1"}, {"price": "b", "metadata": {"x": "1", "y": "2"}}]})
        );
    }

    #[test]
    fn positions_with_holes_stay_names() {
        assert_eq!(decoded("items[5][price]=a"), json!({"items": {"5": {"price": "a"}}}));
        assert_eq!(decoded("a[0]=x&a[00]=y"), json!({"a": {"00": "y", "0": "x"}}));
        assert_eq!(decoded("a[99999999999999999999999]=x"), json!({"a": {"99999999999999999999999": "x"}}));
    }

    #[test]
    fn contradictions_are_named() {
        assert_eq!(refused("a=1&a[b]=2").0, "a[b]");
        assert_eq!(refused("a[b]=1&a=2").0, "a");
        assert_eq!(refused("a[]=1&a[b]=2").0, "a[b]");
        assert_eq!(refused("a[b]=1&a[]=2").0, "a[]");
    }

    #[test]
    fn malformed_input_is_refused() {
        assert!(refused("a=%").1.contains('%'));
        assert!(refused("a=%4").1.contains('%'));
        assert!(refused("a=%zz").1.contains('%'));
        assert!(refused("a=%ff").1.contains("UTF-8"));
        assert!(refused("a=%00").1.contains("NUL"));
        for name in ["a[b", "a[b]c", "a[b]]", "[a]", "a[b[c]]", ""] {
            assert!(refused(&format!("{name}=1")).1.contains("Invalid parameter name"), "{name}");
        }
        assert!(refused(&format!("a{}=1", "[b]".repeat(10))).1.contains("levels"));
        let many: Vec<String> = (0..=MOST_VALUES).map(|n| format!("m[k{n}]=1")).collect();
        assert!(refused(&many.join("&")).1.contains("1000"));
    }

    /// Objects and lists without empty ones, which forms cannot say.
    fn params() -> impl Strategy<Value = Value> {
        let leaf = any::<String>().prop_map(|s| Value::String(s.replace('\0', "")));
        let value = leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..5).prop_map(Value::Array),
                prop::collection::btree_map("[a-zA-Z .&=%+ü_-]{1,8}", inner, 1..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        });
        prop::collection::btree_map("[a-z_]{1,8}", value, 0..6)
            .prop_map(|fields| Value::Object(fields.into_iter().collect()))
    }

    /// As the official SDKs encode: `a[0][b]=…`, with or without encoded brackets.
    fn encode(prefix: &str, value: &Value, raw: bool, pairs: &mut Vec<String>) {
        let encode_text = |text: &str| {
            let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
            if raw { encoded.replace("%5B", "[").replace("%5D", "]") } else { encoded }
        };
        let name = |key: &str| if prefix.is_empty() { key.to_owned() } else { format!("{prefix}[{key}]") };
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, inner)| encode(&name(key), inner, raw, pairs)),
            Value::Array(all) => {
                all.iter().enumerate().for_each(|(n, inner)| encode(&name(&n.to_string()), inner, raw, pairs));
            }
            leaf => pairs.push(format!("{}={}", encode_text(prefix), encode_text(leaf.as_str().unwrap_or_default()))),
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(value in params(), raw in any::<bool>()) {
            let mut pairs = Vec::new();
            encode("", &value, raw, &mut pairs);
            prop_assert_eq!(decoded(&pairs.join("&")), value);
        }

        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[a-c0-2\\[\\]=&%+]{0,60}") {
            let _ = decode(&[&bytes, text.as_bytes()]);
        }
    }
}
