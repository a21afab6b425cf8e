-- House rules for every table: text, bigint, boolean and nothing else; instants are unix seconds, columns
-- ending in _ms are milliseconds; money is minor units; a JSON document is opaque text (never queried).
-- The tables of this file are global. Everything else begins its keys with `tenant`: one merchant in one mode.

create table merchant (
    id               text primary key,
    name             text not null,
    email            text,
    country          text not null,
    default_currency text not null,
    business         text not null,           -- public profile: url, support address, phone, mail, links
    created          bigint not null
);

create table tenant (
    id           bigint primary key,
    merchant     text not null references merchant (id),
    livemode     boolean not null,
    gateway      text check (gateway in ('sandbox', 'stripe')),  -- null until one is set: no live key without
    gateway_secrets text,                     -- sealed with the installation's key
    settings     text not null,               -- dunning, numbering, locale, owner's mail
    unique (merchant, livemode)
);

create table api_key (
    hash         text primary key,            -- SHA-256 of the key, which is shown once
    id           text not null unique,
    tenant       bigint not null references tenant (id),
    name         text,
    last4        text not null,
    created      bigint not null,
    expires_at   bigint,
    revoked_at   bigint
);
create index api_key_of_tenant on api_key (tenant, created);
