//! Lists page by key: newest first by `(created, id)`, never by offset.

use crate::error::{Error, Result};

/// One page of a list, as Stripe's lists ask for it.
#[derive(Debug, Clone)]
pub struct Page {
    /// 1 to 100.
    pub limit: i64,
    pub starting_after: Option<String>,
    pub ending_before: Option<String>,
    /// Inclusive bounds of `created`, unix seconds.
    pub created: (i64, i64),
}

#[derive(Debug, Clone)]
pub struct Listed<T> {
    pub data: Vec<T>,
    pub has_more: bool,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: 10, starting_after: None, ending_before: None, created: (i64::MIN, i64::MAX) }
    }
}

impl Page {
    pub fn first(limit: i64) -> Self {
        Self { limit, ..Self::default() }
    }

    /// The id the page starts at, and the name of the parameter that gave it.
    pub(crate) fn cursor(&self) -> Option<(&str, &'static str)> {
        let after = self.starting_after.as_deref().map(|id| (id, "starting_after"));
        after.or(self.ending_before.as_deref().map(|id| (id, "ending_before")))
    }

    pub(crate) fn is_backward(&self) -> bool {
        self.starting_after.is_none() && self.ending_before.is_some()
    }

    /// Turns up to `limit + 1` rows in reading order into the page.
    pub(crate) fn cut<T>(&self, mut rows: Vec<T>) -> Listed<T> {
        let limit = usize::try_from(self.limit).unwrap_or_default();
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        if self.is_backward() {
            rows.reverse();
        }
        Listed { data: rows, has_more }
    }
}

impl<T> Listed<T> {
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Listed<U> {
        Listed { data: self.data.into_iter().map(f).collect(), has_more: self.has_more }
    }
}

/// The error for a cursor that names nothing in this list.
pub(crate) fn no_such_cursor(table: &'static str, id: &str, param: &'static str) -> Error {
    Error::missing(table, id).on(param)
}

pub(crate) type Cursor = Result<(i64, String)>;

/// Reads one page: `page!(tx, who, page, "table", columns!(), "filter over $7…", args…)`.
/// `$1` is the tenant, `$2`/`$3` the cursor, `$4` the limit, `$5`/`$6` the bounds of `created`.
/// Where rows are a customer's, `"table" if "customer = $3"` says which of them a customer (`$3`) may name as a cursor.
macro_rules! page {
    ($tx:expr, $who:expr, $page:expr, $table:literal, $($rest:tt)*) => {
        $crate::page::page!($tx, $who, $page, $table if "true", $($rest)*)
    };
    ($tx:expr, $who:expr, $page:expr, $table:literal if $own:literal, $columns:expr, $filter:expr $(, $arg:expr)* $(,)?) => {{
        let page: &$crate::page::Page = $page;
        let tenant = $who.tenant.key;
        let cursor: $crate::page::Cursor = match page.cursor() {
            Some((id, param)) => {
                let row: Option<(i64, String)> = $crate::store::maybe!(
                    $tx, concat!("select created, id from ", $table, " where tenant = $1 and id = $2 and (cast($3 as text) is null or ",
                        $own, ")"), tenant, id, $who.customer())?;
                row.ok_or_else(|| $crate::page::no_such_cursor($table, id, param))
            }
            None => Ok((i64::MAX, String::new())),
        };
        let (created, id) = cursor?;
        let (from, until) = page.created;
        let rows = if page.is_backward() {
            $crate::store::all!($tx, concat!("select ", $columns, " from ", $table,
                " where tenant = $1 and (created, id) > ($2, $3) and created >= $5 and created <= $6 and ", $filter,
                " order by created asc, id asc limit $4"), tenant, created, &id, page.limit + 1, from, until $(, &$arg)*)?
        } else {
            $crate::store::all!($tx, concat!("select ", $columns, " from ", $table,
                " where tenant = $1 and (created, id) < ($2, $3) and created >= $5 and created <= $6 and ", $filter,
                " order by created desc, id desc limit $4"), tenant, created, &id, page.limit + 1, from, until $(, &$arg)*)?
        };
        Ok(page.cut(rows))
    }};
}
pub(crate) use page;
