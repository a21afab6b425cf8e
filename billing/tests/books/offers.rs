//! What is taken off prices and added to them: coupons, promotion codes, tax rates.

use billing::catalog::coupon;
use billing::catalog::promotion_code::{self, PromotionCodeFilter, PromotionCodeUpdate, Restrictions};
use billing::catalog::tax_rate::{self, TaxRateFilter, TaxType};
use billing::catalog::{Coupon, CouponUpdate, NewCoupon, NewPromotionCode, NewTaxRate, PromotionCode, TaxRateUpdate};
use billing::discount::{Duration, Off};
use billing::{Currency, Decimal, Page, Patch, Seconds};

use crate::support::{DAY, Stage, done, field, kind, on_both, refused, seen};

fn percent(text: &str) -> Option<Decimal> {
    Some(Decimal::parse(text, 12, "percent").unwrap())
}

pub fn half() -> NewCoupon {
    NewCoupon {
        id: None,
        percent_off: percent("50"),
        amount_off: None,
        currency: None,
        duration: Duration::Forever,
        duration_in_months: None,
        applies_to: None,
        max_redemptions: None,
        redeem_by: None,
        fields: CouponUpdate::default(),
    }
}

pub async fn coupon(stage: &Stage, new: NewCoupon) -> Coupon {
    done!(stage, |tx| coupon::create(tx, &stage.who, new.clone()))
}

pub fn code(coupon: &Coupon) -> NewPromotionCode {
    NewPromotionCode {
        coupon: coupon.id.clone(),
        code: None,
        active: true,
        customer: None,
        restrictions: Restrictions::default(),
        max_redemptions: None,
        expires_at: None,
        metadata: Patch::Keep,
    }
}

fn vat() -> NewTaxRate {
    NewTaxRate {
        display_name: "VAT".into(),
        inclusive: false,
        percentage: percent("19").unwrap(),
        fields: TaxRateUpdate::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_is_kept_as_it_was_given() {
    on_both(async |stage| {
        let product = stage.price(100).await.product;
        let metadata = Patch::Set([("a".to_owned(), Some("1".to_owned()))].into());
        let new = NewCoupon {
            id: Some("SPRING-26".into()),
            percent_off: percent("12.5"),
            duration: Duration::Repeating,
            duration_in_months: Some(3),
            applies_to: Some(vec![product.clone()]),
            max_redemptions: Some(10),
            redeem_by: Some(stage.now().plus(DAY)),
            fields: CouponUpdate { name: Patch::Set("Spring".into()), metadata },
            ..half()
        };
        let made = coupon(stage, new).await;
        assert_eq!(seen!(stage, |tx| coupon::get(tx, &stage.who, "SPRING-26")), made);
        assert_eq!(made.off(), Off::Percent(percent("12.5").unwrap()));
        assert!(made.is_for(Some(&product)) && !made.is_for(Some("prod_other")) && !made.is_for(None));
        assert_eq!(stage.last_event("SPRING-26").await.data["object"]["percent_off"].to_string(), "12.5");
        assert!(made.is_valid(stage.now().plus(DAY)) && !made.is_valid(stage.now().plus(DAY + 1)));
        assert!(!Coupon { times_redeemed: 10, ..made }.is_valid(stage.now()));

        let usd = Currency::parse("usd", "currency").unwrap();
        let amount = NewCoupon { percent_off: None, amount_off: Some(500), currency: Some(stage.eur()), ..half() };
        let amount = coupon(stage, amount).await;
        assert_eq!((amount.off(), amount.id.len()), (Off::Amount(500), 8));
        assert!(amount.is_in(&stage.eur()) && !amount.is_in(&usd));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_that_is_not_as_it_must_be_is_refused_by_name() {
    on_both(async |stage| {
        coupon(stage, NewCoupon { id: Some("TAKEN".into()), ..half() }).await;
        let refused = async |new: NewCoupon| {
            let error = refused!(stage, |tx| coupon::create(tx, &stage.who, new.clone()));
            field(&error).to_owned()
        };
        let amount = |amount_off, currency| NewCoupon { percent_off: None, amount_off, currency, ..half() };
        let eur = Some(stage.eur());
        assert_eq!(refused(NewCoupon { percent_off: percent("0"), ..half() }).await, "percent_off");
        assert_eq!(refused(NewCoupon { percent_off: percent("100.0001"), ..half() }).await, "percent_off");
        assert_eq!(refused(NewCoupon { amount_off: Some(1), ..half() }).await, "percent_off");
        assert_eq!(refused(NewCoupon { currency: eur.clone(), ..half() }).await, "currency");
        assert_eq!(refused(amount(None, None)).await, "percent_off");
        assert_eq!(refused(amount(Some(5), None)).await, "currency");
        assert_eq!(refused(amount(Some(0), eur.clone())).await, "amount_off");
        assert_eq!(refused(amount(Some(100_000_000), eur)).await, "amount_off");
        let lasts = |duration, duration_in_months| NewCoupon { duration, duration_in_months, ..half() };
        assert_eq!(refused(lasts(Duration::Repeating, None)).await, "duration_in_months");
        assert_eq!(refused(lasts(Duration::Repeating, Some(0))).await, "duration_in_months");
        assert_eq!(refused(lasts(Duration::Once, Some(1))).await, "duration_in_months");
        assert_eq!(refused(NewCoupon { id: Some("TAKEN".into()), ..half() }).await, "id");
        assert_eq!(refused(NewCoupon { id: Some("a/b".into()), ..half() }).await, "id");
        assert_eq!(refused(NewCoupon { redeem_by: Some(stage.now()), ..half() }).await, "redeem_by");
        assert_eq!(refused(NewCoupon { max_redemptions: Some(0), ..half() }).await, "max_redemptions");
        assert_eq!(refused(NewCoupon { applies_to: Some(vec![]), ..half() }).await, "applies_to[products]");
        let unknown = Some(vec!["prod_no".into()]);
        assert_eq!(refused(NewCoupon { applies_to: unknown, ..half() }).await, "applies_to[products][0]");
        let fields = CouponUpdate { name: Patch::Set("x".repeat(41)), ..CouponUpdate::default() };
        assert_eq!(refused(NewCoupon { fields, ..half() }).await, "name");
        assert_eq!(stage.number("select count(*) from coupon").await, 1, "refusals change nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_is_renamed_and_taken_out_of_use() {
    on_both(async |stage| {
        let made = coupon(stage, half()).await;
        let name = CouponUpdate { name: Patch::Set("Half".into()), ..CouponUpdate::default() };
        let named = done!(stage, |tx| coupon::update(tx, &stage.who, &made.id, name.clone()));
        assert_eq!(done!(stage, |tx| coupon::update(tx, &stage.who, &made.id, name.clone())), named);
        let promoted = done!(stage, |tx| promotion_code::create(tx, &stage.who, code(&made)));
        done!(stage, |tx| coupon::delete(tx, &stage.who, &made.id));
        assert_eq!(stage.events_of(&made.id).await, ["coupon.created", "coupon.updated", "coupon.deleted"]);
        assert_eq!(kind(&refused!(stage, |tx| coupon::get(tx, &stage.who, &made.id))), "missing");
        assert_eq!(kind(&refused!(stage, |tx| coupon::delete(tx, &stage.who, &made.id))), "missing");
        assert_eq!(kind(&refused!(stage, |tx| coupon::update(tx, &stage.who, &made.id, name.clone()))), "missing");
        let page = Page::first(10);
        assert!(seen!(stage, |tx| coupon::list(tx, &stage.who, &page)).data.is_empty());
        let again = NewCoupon { id: Some(made.id.clone()), ..half() };
        assert_eq!(field(&refused!(stage, |tx| coupon::create(tx, &stage.who, again.clone()))), "id");
        let dead = seen!(stage, |tx| promotion_code::get(tx, &stage.who, &promoted.id));
        assert!(dead.active && !dead.is_active(stage.now()));
        assert_eq!(kind(&refused!(stage, |tx| promotion_code::create(tx, &stage.who, code(&made)))), "missing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_code_is_kept_as_it_was_given() {
    on_both(async |stage| {
        let (coupon, customer) = (coupon(stage, half()).await, stage.customer().await);
        let restrictions = Restrictions {
            first_time_transaction: true,
            minimum_amount: Some(1000),
            minimum_amount_currency: Some(stage.eur()),
        };
        let new = NewPromotionCode {
            code: Some("Fall-26".into()),
            customer: Some(customer.id.clone()),
            restrictions,
            max_redemptions: Some(5),
            expires_at: Some(stage.now().plus(DAY)),
            metadata: Patch::Set([("a".to_owned(), Some("1".to_owned()))].into()),
            ..code(&coupon)
        };
        let made = done!(stage, |tx| promotion_code::create(tx, &stage.who, new.clone()));
        assert_eq!(seen!(stage, |tx| promotion_code::get(tx, &stage.who, &made.id)), made);
        assert_eq!(made.promoted.as_ref(), Some(&coupon));
        assert!(made.is_active(stage.now().plus(DAY)) && !made.is_active(stage.now().plus(DAY + 1)));
        assert!(!PromotionCode { times_redeemed: 5, ..made.clone() }.is_active(stage.now()));
        assert_eq!(stage.events_of(&made.id).await, ["promotion_code.created"]);
        let random = done!(stage, |tx| promotion_code::create(tx, &stage.who, code(&coupon)));
        assert_eq!(random.code.len(), 8);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_code_that_is_not_as_it_must_be_is_refused_by_name() {
    on_both(async |stage| {
        let limited = NewCoupon { max_redemptions: Some(5), redeem_by: Some(stage.now().plus(DAY)), ..half() };
        let coupon = coupon(stage, limited).await;
        let refused = async |new: NewPromotionCode| {
            let error = refused!(stage, |tx| promotion_code::create(tx, &stage.who, new.clone()));
            field(&error).to_owned()
        };
        let plain = || code(&coupon);
        assert_eq!(refused(NewPromotionCode { coupon: "none".into(), ..plain() }).await, "promotion[coupon]");
        assert_eq!(refused(NewPromotionCode { code: Some("ÄPFEL".into()), ..plain() }).await, "code");
        assert_eq!(refused(NewPromotionCode { customer: Some("cus_no".into()), ..plain() }).await, "customer");
        assert_eq!(refused(NewPromotionCode { max_redemptions: Some(6), ..plain() }).await, "max_redemptions");
        assert_eq!(refused(NewPromotionCode { max_redemptions: Some(0), ..plain() }).await, "max_redemptions");
        assert_eq!(refused(NewPromotionCode { expires_at: Some(stage.now()), ..plain() }).await, "expires_at");
        let late = Some(stage.now().plus(DAY + 1));
        assert_eq!(refused(NewPromotionCode { expires_at: late, ..plain() }).await, "expires_at");
        let minimum = |minimum_amount, minimum_amount_currency| NewPromotionCode {
            restrictions: Restrictions { first_time_transaction: false, minimum_amount, minimum_amount_currency },
            ..plain()
        };
        assert_eq!(refused(minimum(Some(0), Some(stage.eur()))).await, "restrictions[minimum_amount]");
        assert_eq!(refused(minimum(Some(5), None)).await, "restrictions[minimum_amount_currency]");
        assert_eq!(refused(minimum(None, Some(stage.eur()))).await, "restrictions[minimum_amount]");
        assert_eq!(stage.number("select count(*) from promotion_code").await, 0, "refusals change nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_is_one_codes_while_it_can_be_redeemed() {
    on_both(async |stage| {
        let (coupon, customer) = (coupon(stage, half()).await, stage.customer().await);
        let word = |text: &str| NewPromotionCode { code: Some(text.into()), ..code(&coupon) };
        let own = |text: &str, customer: &str| NewPromotionCode { customer: Some(customer.into()), ..word(text) };
        let first = done!(stage, |tx| promotion_code::create(tx, &stage.who, word("SAVE")));
        for taken in [word("save"), own("SAVE", &customer.id)] {
            let error = refused!(stage, |tx| promotion_code::create(tx, &stage.who, taken.clone()));
            assert_eq!((field(&error), kind(&error)), ("code", "resource_already_exists"));
        }
        let set = |active| PromotionCodeUpdate { active: Some(active), metadata: Patch::Keep };
        done!(stage, |tx| promotion_code::update(tx, &stage.who, &first.id, set(false)));
        let mine = done!(stage, |tx| promotion_code::create(tx, &stage.who, own("Save", &customer.id)));
        let other = stage.customer().await;
        done!(stage, |tx| promotion_code::create(tx, &stage.who, own("SAVE", &other.id)));
        let error = refused!(stage, |tx| promotion_code::update(tx, &stage.who, &first.id, set(true)));
        assert_eq!(field(&error), "code");

        let listed = async |filter: PromotionCodeFilter| {
            let page = Page::first(10);
            let listed = seen!(stage, |tx| promotion_code::list(tx, &stage.who, &page, &filter));
            listed.data.into_iter().map(|code| code.id).collect::<Vec<_>>()
        };
        let all = PromotionCodeFilter::default;
        assert_eq!(listed(all()).await.len(), 3);
        assert_eq!(listed(PromotionCodeFilter { code: Some("sAvE".into()), ..all() }).await.len(), 3);
        assert_eq!(listed(PromotionCodeFilter { active: Some(false), ..all() }).await, [first.id.clone()]);
        let his = PromotionCodeFilter { customer: Some(customer.id.clone()), active: Some(true), ..all() };
        assert_eq!(listed(his).await, [mine.id.clone()]);
        assert_eq!(listed(PromotionCodeFilter { coupon: Some("none".into()), ..all() }).await, [""; 0]);
        done!(stage, |tx| coupon::delete(tx, &stage.who, &coupon.id));
        assert_eq!(listed(PromotionCodeFilter { active: Some(true), ..all() }).await, [""; 0]);
        let error = refused!(stage, |tx| promotion_code::update(tx, &stage.who, &first.id, set(true)));
        assert_eq!(field(&error), "active");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tax_rate_is_kept_as_it_was_given_and_its_percentage_stays() {
    on_both(async |stage| {
        let fields = TaxRateUpdate {
            description: Patch::Set("California".into()),
            country: Patch::Set("US".into()),
            state: Patch::Set("CA".into()),
            jurisdiction: Patch::Set("CA".into()),
            tax_type: Patch::Set(TaxType::SalesTax),
            metadata: Patch::Set([("a".to_owned(), Some("1".to_owned()))].into()),
            ..TaxRateUpdate::default()
        };
        let new = NewTaxRate { inclusive: true, percentage: percent("7.25").unwrap(), fields, ..vat() };
        let made = done!(stage, |tx| tax_rate::create(tx, &stage.who, new.clone()));
        assert_eq!(seen!(stage, |tx| tax_rate::get(tx, &stage.who, &made.id)), made);
        assert_eq!(stage.last_event(&made.id).await.data["object"]["percentage"].to_string(), "7.25");
        let archive = TaxRateUpdate { active: Some(false), state: Patch::Clear, ..TaxRateUpdate::default() };
        let archived = done!(stage, |tx| tax_rate::update(tx, &stage.who, &made.id, archive.clone()));
        assert_eq!((archived.active, archived.state, archived.percentage), (false, None, made.percentage));
        done!(stage, |tx| tax_rate::update(tx, &stage.who, &made.id, archive.clone()));
        assert_eq!(stage.events_of(&made.id).await, ["tax_rate.created", "tax_rate.updated"]);

        let plain = done!(stage, |tx| tax_rate::create(tx, &stage.who, vat()));
        let listed = async |active, inclusive| {
            let (page, filter) = (Page::first(10), TaxRateFilter { active, inclusive });
            let listed = seen!(stage, |tx| tax_rate::list(tx, &stage.who, &page, &filter));
            listed.data.into_iter().map(|rate| rate.id).collect::<Vec<_>>()
        };
        assert_eq!(listed(None, None).await, [plain.id.clone(), made.id.clone()]);
        assert_eq!(listed(Some(true), None).await, [plain.id]);
        assert_eq!(listed(None, Some(true)).await, [made.id]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tax_rate_that_is_not_as_it_must_be_is_refused_by_name() {
    on_both(async |stage| {
        let refused = async |new: NewTaxRate| {
            let error = refused!(stage, |tx| tax_rate::create(tx, &stage.who, new.clone()));
            field(&error).to_owned()
        };
        let with = |fields| NewTaxRate { fields, ..vat() };
        let set = |text: &str| Patch::Set(text.to_owned());
        assert_eq!(refused(NewTaxRate { percentage: percent("100.5").unwrap(), ..vat() }).await, "percentage");
        assert_eq!(refused(NewTaxRate { display_name: " ".into(), ..vat() }).await, "display_name");
        assert_eq!(refused(NewTaxRate { display_name: "x".repeat(51), ..vat() }).await, "display_name");
        assert_eq!(refused(with(TaxRateUpdate { country: set("de"), ..Default::default() })).await, "country");
        assert_eq!(refused(with(TaxRateUpdate { state: set("CA"), ..Default::default() })).await, "state");
        let odd = TaxRateUpdate { country: set("US"), state: set("C/A"), ..Default::default() };
        assert_eq!(refused(with(odd)).await, "state");
        let long = TaxRateUpdate { jurisdiction: Patch::Set("x".repeat(51)), ..Default::default() };
        assert_eq!(refused(with(long)).await, "jurisdiction");
        assert_eq!(stage.number("select count(*) from tax_rate").await, 0, "refusals change nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_merchants_offers_are_not_there() {
    on_both(async |stage| {
        let coupon = coupon(stage, half()).await;
        let code = done!(stage, |tx| promotion_code::create(tx, &stage.who, code(&coupon)));
        let rate = done!(stage, |tx| tax_rate::create(tx, &stage.who, vat()));
        let (page, who) = (Page::first(10), &stage.stranger);
        assert_eq!(kind(&refused!(stage, |tx| coupon::get(tx, who, &coupon.id))), "missing");
        assert_eq!(kind(&refused!(stage, |tx| promotion_code::get(tx, who, &code.id))), "missing");
        assert_eq!(kind(&refused!(stage, |tx| tax_rate::get(tx, who, &rate.id))), "missing");
        assert!(seen!(stage, |tx| coupon::list(tx, who, &page)).data.is_empty());
        let filter = PromotionCodeFilter::default();
        assert!(seen!(stage, |tx| promotion_code::list(tx, who, &page, &filter)).data.is_empty());
        assert!(seen!(stage, |tx| tax_rate::list(tx, who, &page, &TaxRateFilter::default())).data.is_empty());
        // The same word and the same id are free for them.
        let again = NewCoupon { id: Some(coupon.id.clone()), ..half() };
        done!(stage, |tx| coupon::create(tx, who, again.clone()));
        let word = NewPromotionCode { code: Some(code.code.clone()), ..self::code(&coupon) };
        done!(stage, |tx| promotion_code::create(tx, who, word.clone()));
        assert_eq!(stage.now(), Seconds(coupon.created.0), "one instant");
    })
    .await;
}
