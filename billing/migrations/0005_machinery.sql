-- What is written beside each change, in its transaction.

create table event (
    tenant       bigint not null references tenant (id),
    id           text not null,
    type         text not null,
    object_id    text not null,
    sequence     bigint not null,             -- counts the events of one object
    customer     text,
    data         text not null,               -- {"object":…,"previous_attributes":…}, rendered once
    origin       text not null,
    session      text,
    request_id   text,
    idempotency_key text,
    created      bigint not null,
    primary key (tenant, id),
    unique (tenant, object_id, sequence)
);
create index event_listed on event (tenant, created, id);
create index event_by_type on event (tenant, type, created, id);
create index event_of_customer on event (tenant, customer, created, id);

create table webhook_endpoint (
    tenant       bigint not null references tenant (id),
    id           text not null,
    url          text not null,
    status       text not null check (status in ('enabled', 'disabled')),
    description  text,
    enabled_events text not null,
    api_version  text not null,
    secret       text not null,               -- sealed with the installation's key
    previous_secret text,
    previous_secret_expires bigint,
    metadata     text not null,
    created      bigint not null,
    deleted_at   bigint,
    version      bigint not null,
    primary key (tenant, id)
);
create index webhook_endpoint_listed on webhook_endpoint (tenant, created, id);

-- How sending to an endpoint goes. Apart from its record, so that no worker waits for who changes that.
create table webhook_lane (
    tenant       bigint not null,
    endpoint     text not null,
    leased_until_ms bigint not null,          -- a worker is in it until then, or has left it then
    failing_since_ms bigint,
    warned_ms    bigint,
    primary key (tenant, endpoint),
    foreign key (tenant, endpoint) references webhook_endpoint (tenant, id)
);

create table delivery (
    tenant       bigint not null,
    id           text not null,
    endpoint     text not null,
    event        text not null,
    name         text not null,               -- the type the endpoint subscribed under
    status       text not null check (status in ('pending', 'delivered', 'failed')),
    attempts     bigint not null,
    since_ms     bigint not null,             -- when it was written, or asked for again
    next_ms      bigint,
    last_status  bigint,
    last_error   text,
    created      bigint not null,
    settled_ms   bigint,
    primary key (tenant, id),
    unique (tenant, event, endpoint, name),
    foreign key (tenant, endpoint) references webhook_endpoint (tenant, id),
    foreign key (tenant, event) references event (tenant, id)
);
create index delivery_listed on delivery (tenant, created, id);
create index delivery_of_endpoint on delivery (tenant, endpoint, created, id);
create index delivery_due on delivery (tenant, endpoint, next_ms) where status = 'pending';
create index delivery_settled on delivery (settled_ms) where settled_ms is not null;

-- Append-only; triggers refuse update and delete.
create table audit_entry (
    tenant       bigint not null references tenant (id),
    id           text not null,
    at_ms        bigint not null,
    action       text not null,
    object       text not null,
    object_id    text not null,
    customer     text,
    origin       text not null,
    actor        text not null,
    ip           text,
    user_agent   text,
    request_id   text,
    idempotency_key text,
    event        text,
    before       text,
    after        text,
    primary key (tenant, id)
);
create index audit_entry_of_customer on audit_entry (tenant, customer, id);
create index audit_entry_of_object on audit_entry (tenant, object_id, id);

-- The sealer chains entries after the fact, so that a chain head is never a lock on the money path.
create table audit_seal (
    tenant       bigint not null,
    chain        text not null,               -- a customer, or '' for the merchant's own chain
    sequence     bigint not null,
    entry        text not null,
    hash         text not null,
    sealed_ms    bigint not null,
    primary key (tenant, chain, sequence),
    unique (tenant, entry, chain)
);

create table idempotency_key (
    tenant       bigint not null references tenant (id),
    scope        text not null,               -- the API, or one portal customer
    key          text not null,
    request_hash text not null,
    status       bigint,                      -- null while the first request runs
    body         text,
    progress     text,                        -- what the first request made, so that a crash resumes instead of repeating
    locked_until_ms bigint,
    created_ms   bigint not null,
    primary key (tenant, scope, key)
);
create index idempotency_key_age on idempotency_key (created_ms);

create table job (
    id           text primary key,
    tenant       bigint references tenant (id),
    kind         text not null,
    unique_key   text unique,                 -- at most one waiting job of this name
    payload      text not null,
    run_at_ms    bigint not null,
    locked_until_ms bigint,
    attempts     bigint not null,
    last_error   text
);
create index job_due on job (run_at_ms);

-- How often something was done in a time, by whom only as a hash.
create table limit_count (
    key          text primary key,
    count        bigint not null,
    until_ms     bigint not null
);
create index limit_count_over on limit_count (until_ms);

create table mail (
    tenant       bigint not null references tenant (id),
    id           text not null,
    customer     text,                        -- null where it is to the merchant's owner, or to whoever has the address
    template     text not null,
    recipient    text not null,
    locale       text not null,               -- the languages to choose from, best first
    data         text not null,
    status       text not null check (status in ('waiting', 'sent', 'refused', 'dropped')),
    attempts     bigint not null,
    next_ms      bigint,
    last_error   text,
    created_ms   bigint not null,
    settled_ms   bigint,
    primary key (tenant, id),
    foreign key (tenant, customer) references customer (tenant, id)
);
create index mail_due on mail (next_ms) where status = 'waiting';
