//! The lines of a draft by hand, and discounts on one item of it.

use billing::catalog::{CouponUpdate, NewCoupon, coupon};
use billing::discount::{Duration, Wanted};
use billing::invoice::Invoice;
use billing::invoice::by_hand::{self, Edit};
use billing::invoice::item;
use billing::invoice::item::edit::{self, InvoiceItemUpdate, NewInvoiceItem, Worth};
use billing::{Decimal, Patch, Result};

use crate::invoice_items::{add, draft, draft_for, finalized, over};
use crate::support::{Stage, change, done, field, kind, on_both, refused, seen};

fn worth(amount: i64) -> InvoiceItemUpdate {
    InvoiceItemUpdate { worth: Some(Worth::Amount(amount)), ..InvoiceItemUpdate::default() }
}

async fn half(stage: &Stage) -> Vec<Wanted> {
    let new = NewCoupon {
        id: None,
        percent_off: Some(Decimal::whole(50)),
        amount_off: None,
        currency: None,
        duration: Duration::Once,
        duration_in_months: None,
        applies_to: None,
        max_redemptions: None,
        redeem_by: None,
        fields: CouponUpdate::default(),
    };
    vec![Wanted::Coupon(done!(stage, |tx| coupon::create(tx, &stage.who, new.clone())).id)]
}

async fn edited(stage: &Stage, id: &str, edits: &[Edit]) -> Result<Invoice> {
    change!(stage, |tx| by_hand::edit(tx, &stage.who, id, edits.to_vec(), Patch::Keep))
}

fn amounts(invoice: &Invoice) -> Vec<i64> {
    invoice.lines.iter().map(|line| line.amount).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_come_change_and_go() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        add(stage, over(&customer, 1000)).await;
        let made = draft(stage, draft_for(&customer)).await;
        let waits = add(stage, over(&customer, 300)).await;
        let edits = [Edit::Assign(waits.id.clone()), Edit::Add(worth(250))];
        let more = edited(stage, &made.id, &edits).await.unwrap();
        assert_eq!((amounts(&more), more.total), (vec![1000, 300, 250], 1550));
        let line = |n: usize| more.lines[n].id.clone();
        let edits = [Edit::Change(line(0), worth(900)), Edit::Unassign(line(1)), Edit::Delete(line(2))];
        let less = edited(stage, &made.id, &edits).await.unwrap();
        assert_eq!((amounts(&less), less.total, &less.lines[0].id), (vec![900], 900, &line(0)));
        assert_eq!(less, stage.invoice(&made.id).await);
        let waiting = seen!(stage, |tx| item::waiting(tx, &stage.who, &customer.id, None));
        assert_eq!(waiting.iter().map(|item| &item.id).collect::<Vec<_>>(), [&waits.id]);

        // All or nothing, and what is wrong is named.
        let none = [Edit::Add(worth(1)), Edit::Delete("il_no".into())];
        assert_eq!(field(&edited(stage, &made.id, &none).await.unwrap_err()), "lines[1][id]");
        let stranger = add(stage, over(&stage.customer().await, 5)).await;
        let error = edited(stage, &made.id, &[Edit::Assign(stranger.id)]).await.unwrap_err();
        assert_eq!(field(&error), "lines[0][invoice_item]");
        assert_eq!(amounts(&stage.invoice(&made.id).await), [900]);
        let done = finalized(stage, &less).await;
        assert_eq!(kind(&edited(stage, &done.id, &[Edit::Add(worth(1))]).await.unwrap_err()), "invoice_not_editable");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discount_is_on_one_item_alone() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let half = half(stage).await;
        let fields = InvoiceItemUpdate { discounts: Patch::Set(half.clone()), ..worth(1000) };
        let narrow = add(stage, NewInvoiceItem { fields, ..over(&customer, 0) }).await;
        assert_eq!(narrow.discounts.len(), 1);
        let other = add(stage, over(&customer, 600)).await;
        let made = draft(stage, draft_for(&customer)).await;
        assert_eq!((made.subtotal, made.discount, made.total), (1600, 500, 1100));
        // Changed on the draft, the draft follows.
        let also = InvoiceItemUpdate { discounts: Patch::Set(half), ..InvoiceItemUpdate::default() };
        done!(stage, |tx| edit::update(tx, &stage.who, &other.id, also.clone()));
        assert_eq!(stage.invoice(&made.id).await.discount, 800);
        let bare = InvoiceItemUpdate { discounts: Patch::Clear, ..InvoiceItemUpdate::default() };
        done!(stage, |tx| edit::update(tx, &stage.who, &narrow.id, bare.clone()));
        assert_eq!(finalized(stage, &stage.invoice(&made.id).await).await.total, 1300);
        let wrong = InvoiceItemUpdate { discounts: Patch::Set(vec![Wanted::Coupon("NO".into())]), ..worth(5) };
        let wrong = NewInvoiceItem { fields: wrong, ..over(&customer, 0) };
        let error = refused!(stage, |tx| edit::create(tx, &stage.who, wrong.clone()));
        assert_eq!(field(&error), "discounts[0][coupon]");
    })
    .await;
}
