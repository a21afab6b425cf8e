//! How large an event may be: whoever receives it may not read more.

use serde_json::Value;

/// Bytes of JSON. With what stands around it an event stays below 256 kB.
const MOST: usize = 250_000;
/// How many entries the lists inside keep where it would be larger; the fewer, the larger it is.
const KEPT: [usize; 3] = [10, 3, 0];

/// The same, with shorter lists where it is too large; they say that there is more.
pub fn fitted(mut data: Value) -> Value {
    for kept in KEPT {
        if data.to_string().len() <= MOST {
            break;
        }
        cut(&mut data, kept);
    }
    data
}

fn cut(value: &mut Value, kept: usize) {
    match value {
        Value::Object(fields) => {
            let is_list = fields.get("object").is_some_and(|object| object == "list");
            if is_list && let Some(Value::Array(entries)) = fields.get_mut("data") {
                let had = entries.len();
                entries.truncate(kept);
                if had > kept {
                    fields.insert("has_more".into(), true.into());
                }
            }
            fields.values_mut().for_each(|value| cut(value, kept));
        }
        Value::Array(entries) => entries.iter_mut().for_each(|value| cut(value, kept)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(lines: usize, text: usize) -> Value {
        let line = json!({"id": "il_1", "description": "x".repeat(text)});
        let lines =
            json!({"object": "list", "data": vec![line; lines], "has_more": false, "url": "/v1/invoices/in_1/lines"});
        json!({"object": {"id": "in_1", "lines": lines}, "previous_attributes": {"total": 1}})
    }

    #[test]
    fn what_fits_stays_whole() {
        let whole = event(200, 500);
        assert_eq!(fitted(whole.clone()), whole);
    }

    #[test]
    fn lists_are_cut_and_say_so() {
        for (lines, text, kept) in [(200, 5_000, 10), (12, 25_000, 3), (3, 100_000, 0), (1, 300_000, 0)] {
            let cut = fitted(event(lines, text));
            assert_eq!(cut["object"]["lines"]["data"].as_array().unwrap().len(), kept, "{lines} of {text}");
            assert_eq!(cut["object"]["lines"]["has_more"], true);
            assert_eq!(cut["previous_attributes"], json!({"total": 1}));
            assert!(cut.to_string().len() <= MOST);
        }
    }
}
