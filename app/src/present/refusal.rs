//! Errors of the books as a reader may see them. Detail is logged here, once, and goes no further.

use crate::error::{Error, Problem};

impl From<billing::Error> for Error {
    fn from(error: billing::Error) -> Self {
        use billing::Error as Books;
        match &error {
            Books::Missing { .. } => Self::NotFound,
            Books::Forbidden(_) => Self::Forbidden,
            Books::Conflict { code: "payment_method_needed", .. } => Self::MethodNeeded,
            Books::Conflict { .. } | Books::KeyReused | Books::TooOften(_) => Self::Conflict,
            Books::Invalid { param, .. } => Self::Invalid(problem(param)),
            Books::Busy => Self::Busy,
            Books::Declined { code, .. } => {
                tracing::warn!(code, "a charge was declined where none was expected");
                Self::Broken
            }
            Books::Unavailable(detail) => {
                tracing::warn!(detail, "the books cannot be changed right now");
                Self::Unavailable
            }
            Books::Internal(detail) => {
                tracing::error!(detail, "a page could not be answered");
                Self::Broken
            }
        }
    }
}

/// The books' own words name parameters of the API, in English: a reader gets words of the page.
fn problem(param: &str) -> Problem {
    match param {
        "feedback" => Problem::NotOffered,
        "cancellation_details[comment]" => Problem::TooLong,
        "required" => Problem::Required,
        "value" => Problem::TaxId,
        "promotion_code" | "discounts[0][promotion_code]" => Problem::Code,
        "quantity" => Problem::Quantity,
        _ if ["name", "phone", "address", "shipping"].contains(&param.split('[').next().unwrap_or_default()) => {
            Problem::Unwritable
        }
        _ => Problem::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_ours_is_told() {
        let secret = "select * from customer where email = 'ada@example.com'";
        for error in [billing::Error::Internal(secret.into()), billing::Error::Unavailable(secret.into())] {
            let told = serde_json::to_string(&Error::from(error)).unwrap();
            assert!(!told.contains("select"), "{told}");
        }
        let told = Error::from(billing::Error::invalid("feedback", "not one of customer_service, …"));
        assert_eq!(told, Error::Invalid(Problem::NotOffered));
    }

    #[test]
    fn an_entry_is_named_by_what_is_wrong_with_it() {
        let told = |param: &str| Error::from(billing::Error::invalid(param, "no"));
        assert_eq!(told("required"), Error::Invalid(Problem::Required));
        assert_eq!(told("shipping[name]"), Error::Invalid(Problem::Unwritable));
        assert_eq!(told("address"), Error::Invalid(Problem::Unwritable));
        assert_eq!(told("value"), Error::Invalid(Problem::TaxId));
        assert_eq!(told("status"), Error::Invalid(Problem::Other));
        let needed = billing::Error::conflict("payment_method_needed", "no");
        assert_eq!(Error::from(needed), Error::MethodNeeded);
    }

    #[test]
    fn each_error_has_its_status() {
        let status = |error: billing::Error| Error::from(error).status();
        assert_eq!(status(billing::Error::missing("subscription", "sub_1")), 404);
        assert_eq!(status(billing::Error::Forbidden("no")), 403);
        assert_eq!(status(billing::Error::invalid("id", "no")), 400);
        assert_eq!(status(billing::Error::conflict("subscription_ended", "no")), 409);
        assert_eq!(status(billing::Error::Busy), 409);
        assert_eq!(status(billing::Error::Unavailable("no".into())), 503);
        assert_eq!(status(billing::Error::internal("no")), 500);
    }
}
