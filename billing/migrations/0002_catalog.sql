-- What the merchant sells.

create table product (
    tenant       bigint not null references tenant (id),
    id           text not null,
    external_id  text,
    active       boolean not null,
    name         text not null,
    description  text,
    default_price text,
    images       text not null,
    marketing_features text not null,
    package_dimensions text,
    shippable    boolean,
    statement_descriptor text,
    tax_code     text,
    unit_label   text,
    url          text,
    metadata     text not null,
    created      bigint not null,
    updated      bigint not null,
    version      bigint not null,
    primary key (tenant, id),
    unique (tenant, external_id)
);
create index product_listed on product (tenant, created, id);

create table price (
    tenant       bigint not null,
    id           text not null,
    external_id  text,
    product      text not null,
    active       boolean not null,
    type         text not null check (type in ('one_time', 'recurring')),
    currency     text not null,
    billing_scheme text not null check (billing_scheme in ('per_unit', 'tiered')),
    unit_amount  bigint,                      -- whole minor units, else null
    unit_amount_decimal text,                 -- minor units as decimal text, up to 12 places
    tiers_mode   text check (tiers_mode in ('graduated', 'volume')),
    tiers        text,
    transform_quantity text,
    interval     text check (interval in ('day', 'week', 'month', 'year')),
    interval_count bigint,
    trial_period_days bigint,
    tax_behavior text not null check (tax_behavior in ('exclusive', 'inclusive', 'unspecified')),
    lookup_key   text,
    nickname     text,
    metadata     text not null,
    created      bigint not null,
    version      bigint not null,
    primary key (tenant, id),
    unique (tenant, external_id),
    unique (tenant, lookup_key),
    foreign key (tenant, product) references product (tenant, id)
);
create index price_listed on price (tenant, created, id);
create index price_of_product on price (tenant, product, created, id);

create table tax_rate (
    tenant       bigint not null references tenant (id),
    id           text not null,
    active       boolean not null,
    display_name text not null,
    description  text,
    inclusive    boolean not null,
    percentage   text not null,               -- decimal text
    country      text,
    state        text,
    jurisdiction text,
    tax_type     text,
    metadata     text not null,
    created      bigint not null,
    version      bigint not null,
    primary key (tenant, id)
);
create index tax_rate_listed on tax_rate (tenant, created, id);

create table coupon (
    tenant       bigint not null references tenant (id),
    id           text not null,
    name         text,
    percent_off  text,                        -- decimal text
    amount_off   bigint,
    currency     text,
    duration     text not null check (duration in ('once', 'repeating', 'forever')),
    duration_in_months bigint,
    applies_to   text,
    max_redemptions bigint,
    times_redeemed bigint not null,
    redeem_by    bigint,
    metadata     text not null,
    created      bigint not null,
    deleted_at   bigint,
    version      bigint not null,
    primary key (tenant, id)
);
create index coupon_listed on coupon (tenant, created, id);

create table promotion_code (
    tenant       bigint not null,
    id           text not null,
    coupon       text not null,
    code         text not null,
    active       boolean not null,
    customer     text,
    restrictions text not null,
    max_redemptions bigint,
    times_redeemed bigint not null,
    expires_at   bigint,
    metadata     text not null,
    created      bigint not null,
    version      bigint not null,
    primary key (tenant, id),
    foreign key (tenant, coupon) references coupon (tenant, id)
);
create index promotion_code_typed on promotion_code (tenant, lower(code));
create index promotion_code_listed on promotion_code (tenant, created, id);
