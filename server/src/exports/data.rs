//! All that is kept of a customer, as one JSON object in the shapes of the API. What the merchant keeps for itself
//! (`metadata`) is not in it.

use billing::credit_note;
use billing::customer::{self, balance, payment_method, tax_id};
use billing::invoice::{self, InvoiceFilter};
use billing::payment::charge::{self, ChargeFilter};
use billing::subscription::{self, StatusFilter, SubscriptionFilter};
use billing::{Result, refund, wire};
use serde_json::Value;

use super::{Out, Taker, page};

const EVER: (i64, i64) = (i64::MIN, i64::MAX);

/// Writes one list, page by page: what lists, with the page; and how one is shown.
macro_rules! list {
    ($taker:ident, $out:ident, $name:literal, |$tx:ident, $page:ident| $list:expr, |$one:ident| $shown:expr) => {{
        $out.write(concat!(",\n\"", $name, "\": [")).await?;
        let (mut after, mut comma) = (None, "");
        loop {
            let listed = {
                let mut tx = $taker.db.read().await?;
                let ($tx, $page) = (&mut tx, &page(after, EVER));
                $list.await?
            };
            let mut piece = String::new();
            for $one in &listed.data {
                piece.push_str(comma);
                piece.push_str(&text($shown));
                comma = ",\n";
            }
            $out.write(piece).await?;
            after = listed.data.last().map(|one| one.id.clone());
            if !listed.has_more || after.is_none() {
                break;
            }
        }
        $out.write("]").await?;
    }};
}

pub async fn write(taker: &Taker, out: &Out) -> Result<()> {
    let (who, tenant) = (&taker.who, &taker.who.tenant);
    let id = taker.guest.customer.id.as_str();
    let found = customer::get(&mut taker.db.read().await?, who, id).await?;
    out.write(format!("{{\"customer\": {}", text(wire::customer(tenant, &found)))).await?;
    list!(taker, out, "tax_ids", |tx, page| tax_id::list(tx, who, id, page), |one| wire::tax_id(tenant, one));
    list!(taker, out, "payment_methods", |tx, page| payment_method::list(tx, who, id, page, None), |one| {
        wire::payment_method(tenant, one)
    });
    let every = SubscriptionFilter { status: StatusFilter::All, ..SubscriptionFilter::default() };
    list!(taker, out, "subscriptions", |tx, page| subscription::list(tx, who, page, &every), |one| {
        wire::subscription(tenant, one)
    });
    list!(taker, out, "invoices", |tx, page| invoice::list(tx, who, page, &InvoiceFilter::default()), |one| {
        billed(wire::invoice(tenant, one), one.lines.iter().map(|line| wire::line(tenant, line)).collect())
    });
    list!(taker, out, "credit_notes", |tx, page| credit_note::list(tx, who, page, (None, None)), |one| {
        wire::credit_note(tenant, one)
    });
    list!(taker, out, "charges", |tx, page| charge::list(tx, who, page, &ChargeFilter::default()), |one| {
        wire::charge(tenant, one)
    });
    list!(taker, out, "refunds", |tx, page| refund::list(tx, who, page, (None, None)), |one| wire::refund(tenant, one));
    list!(taker, out, "balance_transactions", |tx, page| balance::list(tx, who, id, page, None), |one| {
        wire::balance_transaction(tenant, one)
    });
    out.write("}\n").await
}

/// An invoice with all of its lines that were read, and not the first few.
fn billed(mut invoice: Value, lines: Vec<Value>) -> Value {
    invoice["lines"]["data"] = lines.into();
    invoice
}

fn text(mut value: Value) -> String {
    without_metadata(&mut value);
    value.to_string()
}

fn without_metadata(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.shift_remove("metadata");
            fields.values_mut().for_each(without_metadata);
        }
        Value::Array(values) => values.iter_mut().for_each(without_metadata),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_merchant_keeps_for_itself_stays() {
        let value = serde_json::json!({ "a": [{ "metadata": { "risk": "9" }, "b": 1 }], "metadata": {} });
        assert_eq!(text(value), r#"{"a":[{"b":1}]}"#);
    }
}
