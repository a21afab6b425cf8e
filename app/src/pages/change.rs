//! What a plan can be changed to: each plan once, by how often it is paid, with how many of it.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use leptos_router::{LazyRoute, lazy_route};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::parts::{Closed, ClosedView, Icon, Loaded, Page, Price, QueryForm, Shown, icon};
use crate::text::t;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changing {
    pub id: String,
    /// What is changed: the plan, or one line of it.
    pub plan: String,
    /// Where leaving it undone leads.
    pub keep: String,
    pub way: Way,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    Open { item: String, groups: Vec<Group> },
    Closed(Closed),
}

/// Plans that are paid equally often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub title: String,
    pub plans: Vec<Plan>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// A price.
    pub id: String,
    pub name: String,
    pub amount: Option<String>,
    pub every: Option<String>,
    /// `3 × €10.00 per month`, or how the price goes down with more.
    pub unit: Option<String>,
    pub description: Option<String>,
    pub features: Vec<String>,
    /// When it would take effect, where that is not at once.
    pub later: Option<String>,
    pub quantity: Quantity,
    pub is_current: bool,
    /// That it cannot be chosen yet, and from when it can.
    pub opens: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantity {
    pub chosen: i64,
    pub least: i64,
    pub most: Option<i64>,
    /// Whether it is for the customer to say.
    pub is_open: bool,
}

#[server]
pub async fn read_changing(id: String, item: Option<String>) -> Result<Shown> {
    use crate::present::change as present;
    let session = crate::session::Session::current()?;
    session.needs(|features| features.subscription_update.enabled)?;
    let mut tx = session.db.read().await?;
    let choices = present::read(&mut tx, &session, &id, item.as_deref()).await?;
    Ok(session.show(&present::view(&session, &choices)))
}

pub struct ChangePage(Page);

#[lazy_route]
impl LazyRoute for ChangePage {
    fn data() -> Self {
        let (params, query) = (use_params_map(), use_query_map());
        let asked = move || {
            let id = params.with(|params| params.get("id")).unwrap_or_default();
            (id, query.with(|query| query.get("item")))
        };
        Self(Resource::new_blocking(asked, |(id, item)| read_changing(id, item)))
    }

    fn view(this: Self) -> AnyView {
        view! { <Loaded page=this.0 view=|shown| shown.draw(|page, _| changing(page))/> }.into_any()
    }
}

fn changing(page: Changing) -> AnyView {
    let href = format!("/subscriptions/{}", page.id);
    let review = format!("{href}/change/review");
    let body = match page.way {
        Way::Closed(closed) => view! { <ClosedView closed back=page.keep/> }.into_any(),
        Way::Open { item, groups } => plans(groups, &review, &item),
    };
    view! {
        <Title text=t!(change.title)/>
        <a class="back" href=href>{icon(Icon::Back)}{t!(cancel.back)}</a>
        <header class="title">
            <h1>{t!(change.title)}</h1>
            <p class="subtitle"><bdi>{page.plan}</bdi></p>
        </header>
        {body}
    }
    .into_any()
}

/// The plans to choose from; `review` is where the choice is looked at.
pub fn plans(groups: Vec<Group>, review: &str, item: &str) -> AnyView {
    groups.into_iter().enumerate().map(|(n, each)| group(n, each, review, item)).collect_view().into_any()
}

fn group(n: usize, group: Group, review: &str, item: &str) -> AnyView {
    let id = format!("group-{n}");
    let plans = group.plans.into_iter().map(|each| plan(each, review.to_owned(), item.to_owned())).collect_view();
    view! {
        <section aria-labelledby=id.clone()>
            <h2 id=id.clone()>{group.title}</h2>
            <div class="plans">{plans}</div>
        </section>
    }
    .into_any()
}

fn plan(plan: Plan, review: String, item: String) -> AnyView {
    let id = format!("plan-{}", plan.id);
    let current = plan.is_current.then(|| view! { <span class="pill info">{t!(change.current)}</span> });
    let features = (!plan.features.is_empty()).then(|| {
        let each = |feature: String| view! { <li>{icon(Icon::Done)}<bdi>{feature}</bdi></li> }.into_any();
        view! { <ul class="features">{plan.features.into_iter().map(each).collect_view()}</ul> }
    });
    let hint = |text: Option<String>| text.map(|text| view! { <p class="hint"><bdi>{text}</bdi></p> });
    view! {
        <article class="card plan" aria-labelledby=id.clone()>
            <header>
                <h3 id=id.clone()><bdi>{plan.name}</bdi></h3>
                {current}
            </header>
            <Price amount=plan.amount every=plan.every/>
            {hint(plan.unit)}
            {hint(plan.description)}
            {features}
            {hint(plan.later)}
            {match plan.opens {
                Some(opens) => hint(Some(opens)).into_any(),
                None => choose(plan.id, plan.quantity, plan.is_current, review, item),
            }}
        </article>
    }
    .into_any()
}

/// The way on; a plan that one has already is only there to have more or fewer of it.
fn choose(price: String, quantity: Quantity, is_current: bool, review: String, item: String) -> AnyView {
    if is_current && !quantity.is_open {
        return ().into_any();
    }
    let label = if is_current { t!(change.quantity_button) } else { t!(change.choose) };
    let entry = format!("quantity-{price}");
    let quantity = if quantity.is_open {
        view! {
            <div class="entry">
                <label class="field" for=entry.clone()>{t!(change.quantity)}</label>
                <input
                    id=entry type="number" name="quantity" inputmode="numeric" required value=quantity.chosen.to_string()
                    min=quantity.least.to_string() max=quantity.most.map(|most| most.to_string())
                />
            </div>
        }
        .into_any()
    } else {
        view! { <input type="hidden" name="quantity" value=quantity.chosen.to_string()/> }.into_any()
    };
    let class = if is_current { "button" } else { "button primary" };
    let about = format!("plan-{price}");
    view! {
        <QueryForm action=review>
            <input type="hidden" name="item" value=item/>
            <input type="hidden" name="price" value=price/>
            {quantity}
            <button type="submit" class=class aria-describedby=about>{label}</button>
        </QueryForm>
    }
    .into_any()
}
