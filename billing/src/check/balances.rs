//! The ledgers of credit, and how often coupons and codes were redeemed.

use crate::check::{Violation, broken};
use crate::error::Result;
use crate::store::Tx;

pub(super) async fn add_up(tx: &mut Tx) -> Result<Vec<Violation>> {
    let mut found = broken!(
        tx,
        "select coalesce(b.customer, t.customer) as id, 'its balance is ' || cast(coalesce(b.amount, 0) as text) || ' '
                || coalesce(b.currency, t.currency) || ', its ledger says ' || cast(coalesce(t.amount, 0) as text) as what
         from customer_balance b full join (
             select tenant, customer, currency, cast(sum(amount) as bigint) as amount from balance_transaction
             group by tenant, customer, currency) t on t.tenant = b.tenant and t.customer = b.customer and t.currency = b.currency
         where coalesce(b.amount, 0) <> coalesce(t.amount, 0)"
    );
    // Each entry begins where another ended, the first at nothing, and the last ends at the balance.
    found.extend(broken!(
        tx,
        "select customer as id, 'the entries of its ledger do not follow each other at ' || cast(value as text) || ' ' || currency as what
         from (select tenant, customer, currency, ending_balance as value, 1 as n from balance_transaction
               union all select tenant, customer, currency, ending_balance - amount, -1 from balance_transaction
               union all select tenant, customer, currency, 0, 1 from customer_balance
               union all select tenant, customer, currency, amount, -1 from customer_balance) as ends
         group by tenant, customer, currency, value having sum(n) <> 0"
    ));
    found.extend(broken!(
        tx,
        "select customer as id, 'no entry of its ledger in ' || currency || ' begins at nothing' as what from balance_transaction
         group by tenant, customer, currency having min(abs(ending_balance - amount)) <> 0"
    ));
    found.extend(other_sides(tx).await?);
    Ok(found)
}

/// What a credit note credited and what an invoice was overpaid by is in the ledger once.
async fn other_sides(tx: &mut Tx) -> Result<Vec<Violation>> {
    let mut found = broken!(
        tx,
        "select n.id, 'it credits ' || cast(n.credited as text) || ', the ledger says ' || cast(-coalesce(t.amount, 0) as text) as what
         from credit_note n left join (
             select tenant, credit_note, cast(sum(amount) as bigint) as amount from balance_transaction
             where credit_note is not null group by tenant, credit_note) t on t.tenant = n.tenant and t.credit_note = n.id
         where n.credited <> -coalesce(t.amount, 0)"
    );
    found.extend(broken!(
        tx,
        "select i.id, 'it is overpaid by ' || cast(i.amount_overpaid as text) || ', the ledger says '
                || cast(-coalesce(t.amount, 0) as text) as what
         from invoice i left join (
             select tenant, invoice, cast(sum(amount) as bigint) as amount from balance_transaction
             where type = 'invoice_overpaid' group by tenant, invoice) t on t.tenant = i.tenant and t.invoice = i.id
         where i.amount_overpaid <> -coalesce(t.amount, 0)"
    ));
    found.extend(broken!(
        tx,
        "select t.id, 'it is for an invoice or a note that is not in these books' as what from balance_transaction t
         where (t.type in ('applied_to_invoice', 'invoice_too_small', 'invoice_too_large', 'invoice_overpaid', 'unapplied_from_invoice')
                and not exists (select 1 from invoice i where i.tenant = t.tenant and i.id = t.invoice and i.customer = t.customer))
            or (t.type = 'credit_note'
                and not exists (select 1 from credit_note n where n.tenant = t.tenant and n.id = t.credit_note and n.customer = t.customer))"
    ));
    Ok(found)
}

/// Never above the limit, and as often as there are discounts that count: those that were given back may or may not.
macro_rules! redeemed {
    ($table:literal) => {
        concat!(
            "select c.id, 'redeemed ' || cast(c.times_redeemed as text) || ' times' || coalesce(' of ' || cast(c.max_redemptions as text), '')
                    || ', by ' || cast(coalesce(d.most, 0) as text) || ' discounts' as what
             from ", $table, " c left join (
                 select tenant, ", $table, " as redeemed, count(*) as most,
                        sum(case when ended_at is null or first_invoice is not null then 1 else 0 end) as least
                 from discount where counted and ", $table, " is not null group by tenant, ", $table, ") d
             on d.tenant = c.tenant and d.redeemed = c.id
             where c.times_redeemed > c.max_redemptions or c.times_redeemed > coalesce(d.most, 0) or c.times_redeemed < coalesce(d.least, 0)"
        )
    };
}

pub(super) async fn redeemed(tx: &mut Tx) -> Result<Vec<Violation>> {
    let mut found = broken!(tx, redeemed!("coupon"));
    found.extend(broken!(tx, redeemed!("promotion_code")));
    Ok(found)
}
