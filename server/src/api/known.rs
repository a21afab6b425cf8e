//! The parameters that Stripe's endpoints take, so that what is not supported here is told from what does not exist.
//!
//! `parameters.txt` is derived from the SDK's types (`end2end/shapes/parameters.mjs`): per endpoint the names of its
//! parameters, objects inside others with dots, lists as if they were their elements.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use axum::http::Method;

static TEXT: &str = include_str!("parameters.txt");

/// The parameters of one endpoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known(Option<&'static HashSet<&'static str>>);

impl Known {
    /// Of an endpoint by its method and its route, `/v1/customers/{id}`. One that is ours alone has none.
    pub fn of(method: &Method, route: &str) -> Self {
        static ALL: OnceLock<HashMap<&'static str, HashSet<&'static str>>> = OnceLock::new();
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        Self(ALL.get_or_init(read).get(format!("{method} {route}").as_str()))
    }

    /// Whether Stripe has a parameter of this name, `items[0][price]`.
    pub fn has(self, name: &str) -> bool {
        let steps = name.split('[').map(|step| step.trim_end_matches(']'));
        let steps: Vec<&str> = steps.filter(|step| !step.bytes().all(|b| b.is_ascii_digit())).collect();
        self.0.is_some_and(|names| names.contains(steps.join(".").as_str()))
    }
}

/// Every parameter that has no object around it: the endpoint's method and route, and its name.
pub fn outermost() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let named = read().into_iter().flat_map(|(endpoint, names)| names.into_iter().map(move |name| (endpoint, name)));
    let outer = named.filter(|(_, name)| !name.contains('.'));
    outer.filter_map(|(endpoint, name)| endpoint.split_once(' ').map(|(method, route)| (method, route, name)))
}

/// A block begins with its endpoint; the first says where the text comes from.
fn read() -> HashMap<&'static str, HashSet<&'static str>> {
    let blocks = TEXT.split("\n\n").skip(1).filter_map(|block| {
        let mut lines = block.lines();
        Some((lines.next()?, lines.collect()))
    });
    blocks.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stripes_parameters_are_known_by_endpoint() {
        let create = Known::of(&Method::POST, "/v1/subscriptions");
        for name in
            ["transfer_data", "items[0][billing_thresholds]", "items[12][price]", "trial_settings[end_behavior]"]
        {
            assert!(create.has(name), "{name}");
        }
        for name in ["foo", "items[0][foo]", "items[foo][price]", "", "[", "0", "items.price.x"] {
            assert!(!create.has(name), "{name}");
        }
        assert!(!Known::of(&Method::GET, "/v1/subscriptions").has("transfer_data"));
        assert!(Known::of(&Method::HEAD, "/v1/subscriptions").has("collection_method"));
        assert!(!Known::of(&Method::POST, "/v1/portal_settings").has("name"));
        assert!(!Known::default().has("name"));
    }

    #[test]
    fn every_block_is_of_an_endpoint_that_there_is() {
        let ours: HashSet<String> =
            super::super::ROUTES.iter().map(|(method, path)| format!("{method} {path}")).collect();
        for endpoint in read().keys() {
            assert!(ours.contains(*endpoint), "{endpoint}");
        }
    }
}
