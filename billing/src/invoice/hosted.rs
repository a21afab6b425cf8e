//! The page of one invoice that needs no session: its link is made when the invoice is finalised, and holds 256 random
//! bits. What it shows is that invoice and nothing else.

use crate::actor::{Actor, Origin, Tenant, Trace};
use crate::clock::Seconds;
use crate::customer::Customer;
use crate::directory::Merchant;
use crate::document;
use crate::error::Result;
use crate::id;
use crate::invoice::Invoice;
use crate::portal::branding::Brand;
use crate::portal::domain;
use crate::seal;
use crate::store::{Tx, maybe, run};

/// How long a link works after its invoice is due or settled: 30 days.
const LIFETIME: i64 = 30 * 86_400;

/// An invoice as the holder of its link finds it; [`crate::directory::by_hosted_invoice`] looks it up.
#[derive(Debug, Clone)]
pub struct Hosted {
    pub tenant: Tenant,
    pub merchant: Merchant,
    /// As the merchant's default configuration has it.
    pub brand: Brand,
    pub customer: Customer,
    pub invoice: Invoice,
    /// On the customer's billing clock.
    pub now: Seconds,
}

impl Hosted {
    /// Whether the link still works: until 30 days after the invoice was due or settled, and while there is a customer.
    pub fn is_open(&self) -> bool {
        let i = &self.invoice;
        let due = i.due_date.or(i.finalized_at);
        let last = [due, i.paid_at, i.voided_at, i.marked_uncollectible_at].into_iter().flatten().max();
        self.customer.deleted_at.is_none() && last.is_some_and(|last| is_open(last, self.now))
    }

    /// Whoever holds the link: reaches nothing but this customer's, and changes nothing.
    pub fn actor(&self) -> Actor {
        let customer = self.customer.id.clone();
        let origin = Origin::Portal { session: "hosted_invoice".into(), customer, read_only: true };
        Actor { tenant: self.tenant.clone(), origin, trace: Trace::default() }
    }

    /// The same in the act of paying this invoice, which is all that the link is good for.
    pub fn payer(&self, trace: Trace) -> Actor {
        let customer = self.customer.id.clone();
        let origin = Origin::Portal { session: "hosted_invoice".into(), customer, read_only: false };
        Actor { tenant: self.tenant.clone(), origin, trace }
    }
}

/// What is kept of the secret of an invoice's link.
pub(crate) struct Link {
    pub hash: String,
    pub sealed: String,
}

impl Link {
    pub fn new(key: &seal::Key, invoice: &str) -> Result<Self> {
        let secret = id::secret();
        Ok(Self { hash: id::hash(&secret), sealed: key.seal(&context(invoice), &secret)? })
    }
}

/// Whether the link of an invoice that was last due or settled at an instant still works.
pub(crate) fn is_open(last: Seconds, now: Seconds) -> bool {
    now < last.plus(LIFETIME)
}

/// Makes the link of an invoice that is being finalised.
pub(super) async fn issue(tx: &mut Tx, who: &Actor, invoice: &mut Invoice) -> Result<()> {
    let link = Link::new(&tx.key, &invoice.id)?;
    run!(
        tx,
        "insert into hosted_invoice (tenant, invoice, secret_hash, secret) values ($1, $2, $3, $4)",
        who.tenant.key,
        &invoice.id,
        &link.hash,
        &link.sealed
    )?;
    load(tx, who, invoice).await
}

/// Reads the link of an invoice: under the domain of the default configuration while that is proven. One that was sealed with another key is as good as none.
pub(super) async fn load(tx: &mut Tx, who: &Actor, invoice: &mut Invoice) -> Result<()> {
    let found: Option<(String, Option<String>)> = maybe!(
        tx,
        "select h.secret, d.domain_name from hosted_invoice h
         left join portal_configuration c on c.tenant = h.tenant and c.is_default
         left join portal_domain d on d.tenant = c.tenant and d.id = c.custom_domain and d.status = 'active'
         where h.tenant = $1 and h.invoice = $2",
        who.tenant.key,
        &invoice.id
    )?;
    invoice.invoice_pdf = found.as_ref().and_then(|_| document::url(tx, &who.tenant, &invoice.id));
    invoice.hosted_invoice_url = found.and_then(|(sealed, own)| {
        let secret = tx.key.open(&context(&invoice.id), &sealed).ok()?;
        domain::url_under(tx, own).map(|portal| format!("{portal}/invoice/{secret}"))
    });
    Ok(())
}

/// What a seal belongs to, so that one invoice's cannot be put in the place of another's.
fn context(invoice: &str) -> String {
    format!("hosted_invoice/{invoice}")
}
