//! Lists: how a page is asked for, and how pages of several questions become one.

use billing::{Error, Listed, Page, Result};

use super::params::Params;

/// `limit`, `starting_after`, `ending_before`, `created`.
pub fn page(params: &mut Params) -> Result<Page> {
    let created = created(params)?;
    Ok(Page { created, ..undated_page(params)? })
}

/// A page of a list that cannot be asked for by date.
pub fn undated_page(params: &mut Params) -> Result<Page> {
    let mut page = Page::default();
    if let Some(limit) = params.integer("limit")? {
        page.limit = limit;
    }
    if !(1..=100).contains(&page.limit) {
        let message = format!("Invalid limit: must be from 1 to 100 (it currently is '{}').", page.limit);
        return Err(Error::Invalid { param: "limit".into(), code: "parameter_invalid_integer", message });
    }
    page.starting_after = params.text("starting_after")?;
    page.ending_before = params.text("ending_before")?;
    if page.starting_after.is_some() && page.ending_before.is_some() {
        return Err(Error::invalid(
            "ending_before",
            "You cannot parameterize `starting_after` and `ending_before` both.",
        ));
    }
    Ok(page)
}

/// One instant, or bounds: `created[gte]`, `[gt]`, `[lte]`, `[lt]`.
pub fn created(params: &mut Params) -> Result<(i64, i64)> {
    if !params.is_object("created") {
        return Ok(params.timestamp("created")?.map_or((i64::MIN, i64::MAX), |at| (at.0, at.0)));
    }
    let bounds = params.object("created", |range| {
        let mut bounds = (i64::MIN, i64::MAX);
        for (name, add) in [("gte", 0), ("gt", 1)] {
            if let Some(at) = range.timestamp(name)? {
                bounds.0 = bounds.0.max(at.0 + add);
            }
        }
        for (name, subtract) in [("lte", 0), ("lt", 1)] {
            if let Some(at) = range.timestamp(name)? {
                bounds.1 = bounds.1.min(at.0 - subtract);
            }
        }
        Ok(bounds)
    })?;
    Ok(bounds.unwrap_or((i64::MIN, i64::MAX)))
}

/// One page out of the same page of several lists; `key` is what they are ordered by, newest first.
pub fn merge<T, K: Ord>(page: &Page, lists: Vec<Listed<T>>, key: impl Fn(&T) -> K) -> Listed<T> {
    let limit = usize::try_from(page.limit).unwrap_or_default();
    let mut has_more = lists.iter().any(|list| list.has_more);
    let mut data: Vec<T> = lists.into_iter().flat_map(|list| list.data).collect();
    data.sort_by_key(|record| std::cmp::Reverse(key(record)));
    data.dedup_by(|a, b| key(a) == key(b));
    has_more |= data.len() > limit;
    if page.ending_before.is_some() {
        // The page before a record holds those that are nearest to it: the last ones.
        data.drain(..data.len().saturating_sub(limit));
    } else {
        data.truncate(limit);
    }
    Listed { data, has_more }
}

/// One page of a short list that is whole in memory, in its own order.
pub fn slice<T>(page: &Page, mut all: Vec<T>, object: &'static str, id: impl Fn(&T) -> &String) -> Result<Listed<T>> {
    let limit = usize::try_from(page.limit).unwrap_or_default();
    let place = |cursor: &String, param: &str| {
        all.iter().position(|record| id(record) == cursor).ok_or_else(|| Error::missing(object, cursor).on(param))
    };
    if let Some(cursor) = &page.ending_before {
        all.truncate(place(cursor, "ending_before")?);
        let beyond = all.len().saturating_sub(limit);
        let data = all.split_off(beyond);
        return Ok(Listed { data, has_more: beyond > 0 });
    }
    if let Some(cursor) = &page.starting_after {
        all.drain(..=place(cursor, "starting_after")?);
    }
    let has_more = all.len() > limit;
    all.truncate(limit);
    Ok(Listed { data: all, has_more })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(fields: Value) -> Result<Page> {
        let mut params = Params::new(fields.as_object().cloned().unwrap_or_default());
        let page = page(&mut params)?;
        params.finish()?;
        Ok(page)
    }

    #[test]
    fn a_page_is_ten_unless_said_otherwise() {
        assert_eq!(read(json!({})).unwrap().limit, 10);
        assert_eq!(read(json!({"limit": "100"})).unwrap().limit, 100);
        for limit in ["0", "101", "-1", "x", "", "1.5"] {
            assert!(read(json!({ "limit": limit })).is_err(), "{limit}");
        }
        assert!(read(json!({"starting_after": "a", "ending_before": "b"})).is_err());
    }

    #[test]
    fn created_is_an_instant_or_a_range() {
        assert_eq!(read(json!({"created": "5"})).unwrap().created, (5, 5));
        assert_eq!(read(json!({"created": {"gt": "5", "lte": 9}})).unwrap().created, (6, 9));
        assert_eq!(read(json!({"created": {"gte": "5", "lt": "9"}})).unwrap().created, (5, 8));
        assert!(read(json!({"created": {"after": "5"}})).is_err());
        assert!(read(json!({"created": {"gt": "9223372036854775807"}})).is_err());
    }

    #[test]
    fn merged_pages_keep_their_order() {
        let list = |data: &[i64], has_more| Listed { data: data.to_vec(), has_more };
        let forward = Page::first(3);
        let merged = merge(&forward, vec![list(&[9, 5, 1], false), list(&[8, 5], false)], |n| *n);
        assert_eq!((merged.data, merged.has_more), (vec![9, 8, 5], true));
        let backward = Page { ending_before: Some("x".into()), ..Page::first(3) };
        let merged = merge(&backward, vec![list(&[9, 5, 1], false), list(&[8], false)], |n| *n);
        assert_eq!((merged.data, merged.has_more), (vec![8, 5, 1], true));
        let merged = merge(&forward, vec![list(&[2], true)], |n| *n);
        assert_eq!((merged.data, merged.has_more), (vec![2], true));
    }
}
