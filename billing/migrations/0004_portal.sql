-- How customers get in, what they may do there and how it looks.

create table portal_configuration (
    tenant       bigint not null references tenant (id),
    id           text not null,
    name         text,
    active       boolean not null,
    is_default   boolean not null,
    default_return_url text,
    business_profile text not null,
    features     text not null,
    session      text not null,               -- link_ttl, idle, max, step_up_amount
    login_page   text not null,
    login_token  text not null unique,
    branding     text not null,               -- what looks otherwise than the table `branding` says
    texts        text not null,
    portal_header text,
    custom_domain text,
    metadata     text not null,
    created      bigint not null,
    updated      bigint not null,
    version      bigint not null,
    primary key (tenant, id)
);
create unique index portal_configuration_default on portal_configuration (tenant) where is_default;
create index portal_configuration_listed on portal_configuration (tenant, created, id);

-- A name may be claimed by several merchants; whoever's proof stands in the DNS is served under it.
create table portal_domain (
    tenant       bigint not null references tenant (id),
    id           text not null,
    domain_name  text not null,               -- lower case, in ASCII, without a port
    status       text not null check (status in ('pending', 'active', 'released')),
    token        text not null,               -- what its TXT record must say
    problem      text,                        -- what the last look at the DNS missed
    checked_at   bigint,
    failing_since bigint,                     -- an active one's proof is gone since
    verified_at  bigint,
    released_at  bigint,
    created      bigint not null,
    version      bigint not null,
    primary key (tenant, id)
);
create unique index portal_domain_served on portal_domain (domain_name) where status = 'active';
create unique index portal_domain_claimed on portal_domain (tenant, domain_name) where status <> 'released';
create index portal_domain_by_name on portal_domain (domain_name, status);
create index portal_domain_listed on portal_domain (tenant, created, id);

create table branding (
    tenant       bigint primary key references tenant (id),
    settings     text not null,
    updated      bigint not null
);

-- Pictures, by an id that is made from their bytes.
create table asset (
    tenant       bigint not null references tenant (id),
    id           text not null,
    media_type   text not null,
    base64       text not null,
    created      bigint not null,
    primary key (tenant, id)
);
create index asset_by_id on asset (id);

-- A link, and the browser session that it turns into. Secrets are kept as SHA-256 only.
create table portal_session (
    tenant       bigint not null,
    id           text not null,
    configuration text not null,
    customer     text not null,
    subscription text,
    origin       text not null check (origin in ('api', 'console', 'hosted', 'login', 'preview', 'signed_in')),
    locale       text,
    flow         text,
    start        text,                        -- the page that it begins at
    return_url   text,
    cancel_url   text,
    hidden       text not null,
    link_hash    text unique,
    link_expires_ms bigint not null,
    link_used_ms bigint,
    cookie_hash  text unique,
    host         text,
    idle_ms      bigint not null,
    max_ms       bigint not null,
    started_ms   bigint,
    last_seen_ms bigint,
    completed_ms bigint,                      -- something was done in it
    revoked_ms   bigint,
    created      bigint not null,
    version      bigint not null,
    primary key (tenant, id),
    foreign key (tenant, configuration) references portal_configuration (tenant, id),
    foreign key (tenant, customer) references customer (tenant, id)
);
create index portal_session_of_customer on portal_session (tenant, customer, created, id);

-- What was typed in the hosted fields, as far as it may be kept, until the session that it was typed in takes it.
create table field_reference (
    tenant       bigint not null,
    hash         text not null,               -- of the reference that the portal is handed
    session      text not null,
    setup_intent text,                        -- what was made of it
    method       text not null,               -- never its number
    is_default   boolean not null,
    expires_ms   bigint not null,
    used_ms      bigint,
    primary key (tenant, hash),
    foreign key (tenant, session) references portal_session (tenant, id)
);
create index field_reference_of_setup on field_reference (tenant, setup_intent);

create table login_request (
    tenant       bigint not null references tenant (id),
    id           text not null,
    email        text not null,
    configuration text not null,
    destination  text not null,
    link_hash    text unique,
    code_hash    text,
    browser_hash text,
    proof_hash   text unique,                 -- who has proven the mailbox, and chooses as whom to go in
    sealed       text,                        -- link and code, until the mail with them is out
    wrong_codes  bigint not null,
    expires_ms   bigint not null,
    used_ms      bigint,
    chosen_ms    bigint,
    created_ms   bigint not null,
    primary key (tenant, id)
);
create index login_request_of_browser on login_request (browser_hash, created_ms);
create index login_request_by_age on login_request (created_ms);

create table portal_issuer (
    tenant       bigint not null references tenant (id),
    id           text not null,
    active       boolean not null,
    issuer       text not null,               -- what its tokens say they are by, and for
    audience     text not null,
    origins      text not null,               -- each between spaces
    settings     text not null,
    created      bigint not null,
    updated      bigint not null,
    version      bigint not null,
    primary key (tenant, id)
);
create unique index portal_issuer_of_tokens on portal_issuer (issuer, audience);
create index portal_issuer_listed on portal_issuer (tenant, created desc, id desc);

create table feedback_option (
    tenant       bigint not null references tenant (id),
    id           text not null,
    active       boolean not null,
    description  text not null,
    deactivated_at bigint,
    created      bigint not null,
    version      bigint not null,
    primary key (tenant, id)
);
create index feedback_option_listed on feedback_option (tenant, created, id);

create table offer_use (
    tenant       bigint not null,
    id           text not null,
    customer     text not null,
    subscription text not null,
    kind         text not null,
    details      text not null,
    created      bigint not null,
    primary key (tenant, id)
);
create index offer_use_of_customer on offer_use (tenant, customer, created);
