//! Lists: pages in both directions, also where everything was made in the same second.

use crate::support::{NOW, Shop, on_both};

on_both!(pages_meet_without_gap_or_overlap, a_list_is_bounded_by_when_things_were_made, a_list_says_where_it_is,);

async fn pages_meet_without_gap_or_overlap(shop: Shop) {
    let mut made = Vec::new();
    for n in 0..23 {
        // Seven share each second.
        if n % 7 == 0 {
            shop.clock.advance(1000);
        }
        made.push(shop.post("/v1/customers", &format!("name=c{n}")).await.made());
    }
    made.reverse();
    let all = shop.get("/v1/customers?limit=100").await.ids();
    assert_eq!(all, made, "newest first");
    assert_eq!(shop.get("/v1/customers").await.ids(), all[..10]);

    let mut forward: Vec<String> = Vec::new();
    loop {
        let after = forward.last().map(|id| format!("&starting_after={id}")).unwrap_or_default();
        let page = shop.get(&format!("/v1/customers?limit=5{after}")).await;
        let has_more = page.json["has_more"] == true;
        forward.extend(page.ids());
        if !has_more {
            break;
        }
    }
    assert_eq!(forward, all);

    let mut backward: Vec<String> = vec![all[22].clone()];
    loop {
        let page = shop.get(&format!("/v1/customers?limit=5&ending_before={}", backward[0])).await;
        let has_more = page.json["has_more"] == true;
        let mut ids = page.ids();
        ids.append(&mut backward);
        backward = ids;
        if !has_more {
            break;
        }
    }
    assert_eq!(backward, all);
}

async fn a_list_is_bounded_by_when_things_were_made(shop: Shop) {
    for _ in 0..4 {
        shop.post("/v1/products", "name=x").await.ok();
        shop.clock.advance(1000);
    }
    let count = async |query: &str| shop.get(&format!("/v1/products?{query}")).await.ids().len();
    assert_eq!(count(&format!("created={}", NOW + 1)).await, 1);
    assert_eq!(count(&format!("created[gte]={}", NOW + 1)).await, 3);
    assert_eq!(count(&format!("created%5Bgt%5D={}", NOW + 1)).await, 2);
    assert_eq!(count(&format!("created[gt]={NOW}&created[lt]={}", NOW + 3)).await, 2);
    assert_eq!(count(&format!("created[lte]={}", NOW - 1)).await, 0);
    shop.get("/v1/products?created[since]=1").await.refused(400, "parameter_unknown", "created[since]");
    shop.get("/v1/products?created=yesterday").await.refused(400, "parameter_invalid_integer", "created");
}

async fn a_list_says_where_it_is(shop: Shop) {
    for path in [
        "/v1/customers",
        "/v1/products",
        "/v1/prices",
        "/v1/coupons",
        "/v1/promotion_codes",
        "/v1/tax_rates",
        "/v1/subscriptions",
        "/v1/invoices",
        "/v1/events",
        "/v1/billing_portal/configurations",
    ] {
        let list = shop.get(path).await.ok();
        assert_eq!((&list["object"], &list["url"]), (&"list".into(), &path.into()));
        shop.get(&format!("{path}?limit=0")).await.refused(400, "parameter_invalid_integer", "limit");
        shop.get(&format!("{path}?limit=101")).await.refused(400, "parameter_invalid_integer", "limit");
        shop.get(&format!("{path}?starting_after=x_none")).await.refused(404, "resource_missing", "starting_after");
        shop.get(&format!("{path}?ending_before=x_none")).await.refused(404, "resource_missing", "ending_before");
        shop.get(&format!("{path}?starting_after=a&ending_before=b")).await.refused(
            400,
            "parameter_invalid",
            "ending_before",
        );
        shop.get(&format!("{path}?page=2")).await.refused(400, "parameter_unknown", "page");
    }
}
