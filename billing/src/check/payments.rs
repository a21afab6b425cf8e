//! What is due on invoices, what came in for them, and what was given back.

use crate::check::{Violation, broken};
use crate::error::Result;
use crate::store::Tx;

/// total − credit − notes = due ≥ 0, once finalised; notes add up; a void invoice has given its credit back.
pub(super) async fn due(tx: &mut Tx) -> Result<Vec<Violation>> {
    let mut found = broken!(
        tx,
        "select i.id, 'due is ' || cast(i.amount_due as text) || ', paid ' || cast(i.amount_paid as text) || ', of a total of '
                || cast(i.total as text) || ' less ' || cast(coalesce(b.taken, 0) as text) || ' by the balance and '
                || cast(i.pre_payment_credit_notes as text) || ' by notes' as what
         from invoice i left join (
             select tenant, invoice, cast(sum(amount) as bigint) as taken from balance_transaction
             where type in ('applied_to_invoice', 'invoice_too_small', 'invoice_too_large') group by tenant, invoice) b
         on b.tenant = i.tenant and b.invoice = i.id
         where i.amount_due < 0 or i.amount_paid < 0 or i.amount_overpaid < 0
            or (i.status <> 'draft' and i.amount_due <> i.total - coalesce(b.taken, 0) - i.pre_payment_credit_notes)"
    );
    found.extend(broken!(
        tx,
        "select i.id, 'credit notes took ' || cast(coalesce(n.pre, 0) as text) || ' off and gave ' || cast(coalesce(n.post, 0) as text)
                || ' back, it says ' || cast(i.pre_payment_credit_notes as text) || ' and ' || cast(i.post_payment_credit_notes as text) as what
         from invoice i left join (
             select tenant, invoice, cast(sum(total - refunded - credited - out_of_band) as bigint) as pre,
                    cast(sum(refunded + credited + out_of_band) as bigint) as post
             from credit_note where status = 'issued' group by tenant, invoice) n on n.tenant = i.tenant and n.invoice = i.id
         where i.pre_payment_credit_notes <> coalesce(n.pre, 0) or i.post_payment_credit_notes <> coalesce(n.post, 0)"
    ));
    found.extend(broken!(
        tx,
        "select id, 'it is void and holds ' || cast(held as text) || ' of the balance' as what from (
             select i.id, cast(sum(b.amount) as bigint) as held
             from invoice i join balance_transaction b on b.tenant = i.tenant and b.invoice = i.id
             where i.status = 'void' and b.type in ('applied_to_invoice', 'invoice_too_small', 'invoice_too_large', 'unapplied_from_invoice')
             group by i.tenant, i.id) as held where held <> 0"
    ));
    Ok(found)
}

/// Paid ⇔ nothing is left: what came in is what was due, and what is above it is noted.
pub(super) async fn paid(tx: &mut Tx) -> Result<Vec<Violation>> {
    Ok(broken!(
        tx,
        "select id, 'it is ' || status || ', ' || cast(amount_due as text) || ' is due, ' || cast(amount_paid as text) || ' paid, '
                || cast(amount_overpaid as text) || ' of that too much' as what
         from invoice
         where (status = 'paid' and amount_paid <> amount_due + amount_overpaid)
            or (status in ('open', 'uncollectible') and amount_paid >= amount_due)
            or (status in ('draft', 'void') and amount_paid <> 0)
            or (status <> 'paid' and amount_overpaid <> 0)
            or (status = 'paid' and paid_at is null) or (status <> 'draft' and (number is null or finalized_at is null))"
    ))
}

/// In the books alone: each charge gave back what its refunds say, and what came in for an invoice is on it, or was
/// owed back without a note.
pub(super) async fn received(tx: &mut Tx) -> Result<Vec<Violation>> {
    let mut found = broken!(
        tx,
        "select a.id, cast(a.amount_refunded as text) || ' of ' || cast(a.amount as text) || ' was given back, its refunds say '
                || cast(coalesce(r.back, 0) as text) as what
         from payment_attempt a left join (
             select tenant, payment_attempt, cast(sum(amount) as bigint) as back from refund where status <> 'failed'
             group by tenant, payment_attempt) r on r.tenant = a.tenant and r.payment_attempt = a.id
         where a.amount_refunded <> coalesce(r.back, 0) or a.amount_refunded > a.amount or a.amount <= 0
            or (a.amount_refunded > 0 and a.status <> 'succeeded') or (a.status = 'succeeded' and a.gateway_ref is null)"
    );
    found.extend(broken!(
        tx,
        "select i.id, cast(i.amount_paid as text) || ' was paid, ' || cast(coalesce(a.came, 0) as text) || ' came in by charges, '
                || cast(coalesce(r.back, 0) as text) || ' of it was owed back' as what
         from invoice i
         left join (select tenant, invoice, cast(sum(amount) as bigint) as came from payment_attempt where status = 'succeeded'
                    group by tenant, invoice) a on a.tenant = i.tenant and a.invoice = i.id
         left join (select tenant, invoice, cast(sum(amount) as bigint) as back from refund where credit_note is null
                    group by tenant, invoice) r on r.tenant = i.tenant and r.invoice = i.id
         where coalesce(a.came, 0) - (case when i.paid_out_of_band then 0 else i.amount_paid end) > coalesce(r.back, 0)
            or (not i.paid_out_of_band and coalesce(a.came, 0) < i.amount_paid)"
    ));
    Ok(found)
}
