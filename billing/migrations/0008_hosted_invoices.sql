-- The page of one invoice, open to whoever holds its link. The secret is found by its SHA-256 and kept sealed with the
-- installation's key, since the merchant may ask for the link again.
create table hosted_invoice (
    tenant       bigint not null,
    invoice      text not null,
    secret_hash  text not null unique,
    secret       text not null,
    primary key (tenant, invoice),
    foreign key (tenant, invoice) references invoice (tenant, id)
);
