//! Custom domains: a name is served for whoever the DNS says, and for nobody else meanwhile.

use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::portal::domain::proof::{Found, Problem};
use billing::portal::domain::{self, Domain, Status};
use billing::portal::session::{self, NewSession, SessionOrigin};
use billing::{Actor, Page, Patch, directory};

use crate::support::{DAY, HOUR, MINUTE, Stage, done, field, kind, on_both, plan, refused, seen};

const NAME: &str = "billing.umbra.example";

async fn claim(stage: &Stage, who: &Actor) -> Domain {
    done!(stage, |tx| domain::claim(tx, who, NAME))
}

/// What the DNS says where everything is as it must be.
fn right(domain: &Domain) -> Found {
    Found::Records { cnames: vec!["Billing.Example.".into()], texts: vec!["v=spf1 -all".into(), domain.token.clone()] }
}

async fn look(stage: &Stage, who: &Actor, domain: &Domain, found: &Found) -> Domain {
    done!(stage, |tx| domain::settle(tx, who, &domain.id, found))
}

async fn owner(stage: &Stage) -> Option<String> {
    seen!(stage, |tx| domain::by_name(tx, NAME)).map(|tenant| tenant.merchant)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_served_once_it_is_proven() {
    on_both(async |stage| {
        let stage = stage.reached();
        let made = claim(&stage, &stage.who).await;
        assert_eq!((made.status, made.target.as_str()), (Status::Pending, "billing.example"));
        assert_eq!(made, seen!(stage, |tx| domain::get(tx, &stage.who, &made.id)));
        assert_eq!(owner(&stage).await, None);
        let records = |cnames: &[&str], texts: &[&str]| Found::Records {
            cnames: cnames.iter().map(|name| (*name).into()).collect(),
            texts: texts.iter().map(|text| (*text).into()).collect(),
        };
        for (found, problem) in [
            (Found::Nothing, Problem::Unanswered),
            (records(&[], &[&made.token]), Problem::CnameMissing),
            (records(&["billing.example.evil.example."], &[&made.token]), Problem::CnameElsewhere),
            (records(&["billing.example."], &[]), Problem::TxtMissing),
            (records(&["billing.example."], &[&made.token[1..]]), Problem::TxtMissing),
        ] {
            let after = look(&stage, &stage.who, &made, &found).await;
            assert_eq!(
                (after.status, after.problem, after.checked_at),
                (Status::Pending, Some(problem), Some(stage.now()))
            );
            assert_eq!(owner(&stage).await, None, "{found:?}");
        }
        let after = look(&stage, &stage.who, &made, &right(&made)).await;
        assert_eq!((after.status, after.problem, after.verified_at), (Status::Active, None, Some(stage.now())));
        assert_eq!(owner(&stage).await.as_deref(), Some(stage.merchant.id.as_str()));
        let actions: Vec<_> =
            stage.audit().await.into_iter().filter(|(_, id)| *id == made.id).map(|(a, _)| a).collect();
        assert_eq!(actions, ["portal_domain.created", "portal_domain.verified"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_claimed_is_refused() {
    on_both(async |stage| {
        let stage = stage.reached();
        for bad in ["", "example", "10.0.0.1", "billing.example", "https://a.example", "a.example:443", "*.a.example"] {
            assert_eq!(field(&refused!(stage, |tx| domain::claim(tx, &stage.who, bad))), "domain_name", "{bad}");
        }
        claim(&stage, &stage.who).await;
        assert_eq!(
            kind(&refused!(stage, |tx| domain::claim(tx, &stage.who, "BILLING.umbra.example"))),
            "portal_domain_exists"
        );
        for n in 1..20 {
            let name = format!("n{n}.umbra.example");
            done!(stage, |tx| domain::claim(tx, &stage.who, &name));
        }
        let refused = refused!(stage, |tx| domain::claim(tx, &stage.who, "n20.umbra.example"));
        assert_eq!(kind(&refused), "portal_domain_limit_reached");
        assert_eq!(seen!(stage, |tx| domain::list(tx, &stage.who, &Page::first(100))).data.len(), 20);
        let customer = stage.payer("pm_card_visa").await;
        let guest = stage.portal(&customer);
        assert_eq!(kind(&refused!(stage, |tx| domain::claim(tx, &guest, "x.umbra.example"))), "forbidden");
        assert_eq!(kind(&refused!(stage, |tx| domain::list(tx, &guest, &Page::first(1)))), "forbidden");
    })
    .await;
}

/// A claim holds nobody up; what the DNS says decides; and nobody steps into another's shoes unseen.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_taken_over_from_nobody() {
    on_both(async |stage| {
        let stage = stage.reached();
        let squat = claim(&stage, &stage.stranger).await;
        let own = claim(&stage, &stage.who).await;
        assert_ne!(squat.token, own.token);
        for id in [&squat.id, &own.id] {
            let other = if *id == squat.id { &stage.who } else { &stage.stranger };
            assert_eq!(kind(&refused!(stage, |tx| domain::get(tx, other, id))), "missing");
            assert_eq!(kind(&refused!(stage, |tx| domain::settle(tx, other, id, &right(&own)))), "missing");
            assert_eq!(kind(&refused!(stage, |tx| domain::release(tx, other, id))), "missing");
        }
        // Another's token proves nothing.
        let after = look(&stage, &stage.stranger, &squat, &right(&own)).await;
        assert_eq!((after.status, after.problem), (Status::Pending, Some(Problem::TxtMissing)));
        assert_eq!(look(&stage, &stage.who, &own, &right(&own)).await.status, Status::Active);
        // Not even a right proof puts another in the place of one that is served.
        let after = look(&stage, &stage.stranger, &squat, &right(&squat)).await;
        assert_eq!((after.status, after.problem), (Status::Pending, Some(Problem::Taken)));
        assert_eq!(owner(&stage).await.as_deref(), Some(stage.merchant.id.as_str()));

        done!(stage, |tx| domain::release(tx, &stage.who, &own.id));
        assert_eq!(owner(&stage).await, None);
        assert_eq!(kind(&refused!(stage, |tx| domain::get(tx, &stage.who, &own.id))), "missing");
        stage.pass(29 * DAY);
        let after = look(&stage, &stage.stranger, &squat, &right(&squat)).await;
        assert_eq!((after.status, after.problem), (Status::Pending, Some(Problem::Taken)), "the tombstone stands");
        // Who gave it up may have it back, with a new token.
        let again = claim(&stage, &stage.who).await;
        assert_ne!(again.token, own.token);
        assert_eq!(look(&stage, &stage.who, &again, &right(&own)).await.problem, Some(Problem::TxtMissing));
        assert_eq!(look(&stage, &stage.who, &again, &right(&again)).await.status, Status::Active);
        done!(stage, |tx| domain::release(tx, &stage.who, &again.id));
        stage.pass(30 * DAY);
        assert_eq!(look(&stage, &stage.stranger, &squat, &right(&squat)).await.status, Status::Active);
        assert_eq!(owner(&stage).await, Some(stage.stranger.tenant.merchant.clone()));
    })
    .await;
}

/// Who never proved a name leaves no tombstone: otherwise a claim would hold a name up.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_given_up_is_nothing() {
    on_both(async |stage| {
        let stage = stage.reached();
        let squat = claim(&stage, &stage.stranger).await;
        done!(stage, |tx| domain::release(tx, &stage.stranger, &squat.id));
        let own = claim(&stage, &stage.who).await;
        assert_eq!(look(&stage, &stage.who, &own, &right(&own)).await.status, Status::Active);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_is_gone_is_missed_after_three_days() {
    on_both(async |stage| {
        let stage = stage.reached();
        let own = claim(&stage, &stage.who).await;
        look(&stage, &stage.who, &own, &right(&own)).await;
        let gone = Found::Records { cnames: Vec::new(), texts: Vec::new() };
        let first = look(&stage, &stage.who, &own, &gone).await;
        assert_eq!((first.status, first.failing_since), (Status::Active, Some(stage.now())));
        stage.pass(2 * DAY);
        look(&stage, &stage.who, &own, &gone).await;
        let mended = look(&stage, &stage.who, &own, &right(&own)).await;
        assert_eq!((mended.status, mended.failing_since), (Status::Active, None));
        // A name server that says nothing says nothing against it, however long.
        stage.pass(30 * DAY);
        let silent = look(&stage, &stage.who, &own, &Found::Nothing).await;
        assert_eq!(
            (silent.status, silent.failing_since, silent.problem),
            (Status::Active, None, Some(Problem::Unanswered))
        );
        look(&stage, &stage.who, &own, &gone).await;
        stage.pass(3 * DAY);
        assert_eq!(look(&stage, &stage.who, &own, &gone).await.status, Status::Pending);
        assert_eq!(owner(&stage).await, None);
        let actions: Vec<_> = stage.audit().await.into_iter().filter(|(_, id)| *id == own.id).map(|(a, _)| a).collect();
        assert_eq!(actions.last().unwrap(), "portal_domain.lapsed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_looked_at_by_and_by() {
    on_both(async |stage| {
        let stage = stage.reached();
        let due = async || seen!(stage, |tx| directory::domain_due(tx)).map(|(tenant, id)| (tenant.key, id));
        assert_eq!(due().await, None);
        let own = claim(&stage, &stage.who).await;
        let ours = Some((stage.who.tenant.key, own.id.clone()));
        assert_eq!(due().await, ours);
        look(&stage, &stage.who, &own, &Found::Nothing).await;
        assert_eq!(due().await, None);
        stage.pass(15 * MINUTE);
        assert_eq!(due().await, ours);
        stage.pass(DAY);
        look(&stage, &stage.who, &own, &Found::Nothing).await;
        stage.pass(23 * HOUR);
        assert_eq!(due().await, None, "from the second day on once a day");
        stage.pass(HOUR);
        assert_eq!(due().await, ours);
        stage.pass(30 * DAY);
        assert_eq!(due().await, None, "nobody waits for it any more");
        look(&stage, &stage.who, &own, &right(&own)).await;
        stage.pass(6 * HOUR - 1);
        assert_eq!(due().await, None);
        stage.pass(1);
        assert_eq!(due().await, ours, "what is served stays looked at");
    })
    .await;
}

/// Links lead to the configuration's own domain while it is proven, and to the public URL otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn links_are_under_the_configurations_own_domain() {
    on_both(async |stage| {
        let stage = stage.reached();
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let invoice = stage.subscribe(plan(&customer, &price)).await.latest_invoice.unwrap();
        let own = claim(&stage, &stage.who).await;
        let named = |id: &str| ConfigurationUpdate { custom_domain: Patch::Set(id.into()), ..Default::default() };
        let theirs = claim(&stage, &stage.stranger).await;
        for wrong in [theirs.id.as_str(), "pdom_none"] {
            let refused = refused!(stage, |tx| configuration::update(tx, &stage.who, "default", named(wrong)));
            assert_eq!((kind(&refused), field(&refused)), ("missing", "custom_domain"));
        }
        let after = done!(stage, |tx| configuration::update(tx, &stage.who, "default", named(&own.id)));
        assert_eq!(after.custom_domain.as_deref(), Some(own.id.as_str()));
        let links = async || {
            let new = NewSession {
                flow: None,
                customer: customer.id.clone(),
                configuration: None,
                return_url: None,
                cancel_url: None,
                locale: None,
                subscription: None,
                origin: SessionOrigin::Api,
            };
            let url = done!(stage, |tx| session::create(tx, &stage.who, new.clone())).url;
            let hosted = stage.invoice(&invoice).await.hosted_invoice_url.unwrap();
            (host_of(&url), host_of(&hosted))
        };
        let public = ("https://billing.example".to_owned(), "https://billing.example".to_owned());
        assert_eq!(links().await, public);
        look(&stage, &stage.who, &own, &right(&own)).await;
        assert_eq!(links().await, (format!("https://{NAME}"), format!("https://{NAME}")));
        assert_eq!(kind(&refused!(stage, |tx| domain::release(tx, &stage.who, &own.id))), "portal_domain_in_use");
        let none = ConfigurationUpdate { custom_domain: Patch::Clear, ..Default::default() };
        done!(stage, |tx| configuration::update(tx, &stage.who, "default", none.clone()));
        assert_eq!(links().await, public);
        done!(stage, |tx| domain::release(tx, &stage.who, &own.id));
    })
    .await;
}

fn host_of(url: &str) -> String {
    url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
}
