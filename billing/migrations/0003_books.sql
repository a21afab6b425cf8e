-- Customers, what they subscribe to, what they owe and what they paid.

create table test_clock (
    tenant       bigint not null references tenant (id),
    id           text not null,
    name         text,
    frozen_time  bigint not null,
    target_time  bigint,                      -- set while it advances
    status       text not null check (status in ('ready', 'advancing', 'internal_failure')),
    deletes_after bigint not null,
    created      bigint not null,
    deleted_at   bigint,
    version      bigint not null,
    primary key (tenant, id)
);

create table customer (
    tenant       bigint not null references tenant (id),
    id           text not null,
    external_id  text,
    clock_id     text,
    name         text,
    email        text,
    phone        text,
    description  text,
    address      text,
    shipping     text,
    currency     text,                        -- of the first invoice; fixed from then on
    default_payment_method text,
    delinquent   boolean not null,
    invoice_prefix text not null,
    next_invoice_sequence bigint not null,
    invoice_settings text not null,
    preferred_locales text not null,
    tax_exempt   text not null check (tax_exempt in ('none', 'exempt', 'reverse')),
    metadata     text not null,
    created      bigint not null,
    deleted_at   bigint,
    version      bigint not null,
    primary key (tenant, id),
    unique (tenant, external_id),
    unique (tenant, invoice_prefix),          -- a random one that is taken is drawn again
    foreign key (tenant, clock_id) references test_clock (tenant, id)
);
create index customer_listed on customer (tenant, created, id);
create index customer_by_email on customer (tenant, lower(email), created, id);

create table tax_id (
    tenant       bigint not null,
    id           text not null,
    customer     text not null,
    type         text not null,
    value        text not null,
    country      text,
    verification text not null check (verification in ('pending', 'verified', 'unverified', 'unavailable')),
    verified_name text,
    verified_address text,
    created      bigint not null,
    deleted_at   bigint,
    primary key (tenant, id),
    foreign key (tenant, customer) references customer (tenant, id)
);
create index tax_id_of_customer on tax_id (tenant, customer, created, id);

-- The customer's credit with the merchant, per currency; negative is in the customer's favour (Stripe's sign).
create table customer_balance (
    tenant       bigint not null,
    customer     text not null,
    currency     text not null,
    amount       bigint not null,
    primary key (tenant, customer, currency),
    foreign key (tenant, customer) references customer (tenant, id)
);

create table balance_transaction (
    tenant       bigint not null,
    id           text not null,
    customer     text not null,
    currency     text not null,
    amount       bigint not null,
    ending_balance bigint not null,
    type         text not null,
    invoice      text,
    credit_note  text,
    description  text,
    metadata     text not null,
    created      bigint not null,
    primary key (tenant, id),
    foreign key (tenant, customer) references customer (tenant, id)
);
create index balance_transaction_of_customer on balance_transaction (tenant, customer, created, id);

create table payment_method (
    tenant       bigint not null references tenant (id),
    id           text not null,
    customer     text,
    type         text not null check (type in ('card', 'sepa_debit', 'us_bank_account', 'mobile_money')),
    details      text not null,               -- what may be shown: brand, last four digits, expiry, bank
    billing_details text not null,
    fingerprint  text not null,
    gateway_ref  text not null,               -- the method in the gateway's own terms
    metadata     text not null,
    created      bigint not null,
    detached_at  bigint,
    version      bigint not null,
    primary key (tenant, id),
    foreign key (tenant, customer) references customer (tenant, id)
);
create index payment_method_of_customer on payment_method (tenant, customer, created, id);

create table setup_intent (
    tenant       bigint not null references tenant (id),
    id           text not null,
    customer     text,
    payment_method text,
    status       text not null,
    usage        text not null,
    next_action  text,
    last_error   text,
    gateway_ref  text,
    description  text,
    metadata     text not null,
    created      bigint not null,
    canceled_at  bigint,
    cancellation_reason text,
    version      bigint not null,
    primary key (tenant, id),
    foreign key (tenant, customer) references customer (tenant, id)
);
create index setup_intent_listed on setup_intent (tenant, created, id);

create table mandate (
    tenant       bigint not null,
    id           text not null,
    payment_method text not null,
    status       text not null,
    type         text not null,
    acceptance   text not null,               -- how it was given, and from where
    created      bigint not null,
    primary key (tenant, id),
    unique (tenant, payment_method),
    foreign key (tenant, payment_method) references payment_method (tenant, id)
);

create table subscription (
    tenant       bigint not null,
    id           text not null,
    customer     text not null,
    clock_id     text,
    status       text not null check (status in ('incomplete', 'incomplete_expired', 'trialing', 'active',
                                                 'past_due', 'unpaid', 'paused', 'canceled')),
    currency     text not null,
    collection_method text not null check (collection_method in ('charge_automatically', 'send_invoice')),
    days_until_due bigint,
    billing_cycle_anchor bigint not null,
    cycle        bigint not null,             -- the current period is number `cycle` counted from the anchor
    current_period_start bigint not null,
    current_period_end bigint not null,
    start_date   bigint not null,
    trial_start  bigint,
    trial_end    bigint,
    cancel_at    bigint,
    cancel_at_period_end boolean not null,
    canceled_at  bigint,
    ended_at     bigint,
    cancellation_details text not null,
    pause_collection text,
    paused_at    bigint,
    resumes_at   bigint,
    pending_update text,
    pending_update_expires_at bigint,
    pending_setup_intent text,
    default_payment_method text,
    default_tax_rates text not null,
    automatic_tax boolean not null,
    trial_settings text not null,
    payment_settings text not null,
    invoice_settings text not null,
    latest_invoice text,
    description  text,
    metadata     text not null,
    told         bigint,                      -- the end of the period that the merchant was last told of beforehand
    next_due     bigint,                      -- when time next does something to it
    wakes_at     bigint,                      -- when a worker takes it up: then, or some minutes later
    parked_at    bigint,                      -- the safety bound stopped it
    changes_on   bigint,                      -- the day, counted from 1970, of its last change that cost something
    changes      bigint,                      -- how many of them that day has seen
    created      bigint not null,
    version      bigint not null,
    primary key (tenant, id),
    foreign key (tenant, customer) references customer (tenant, id),
    foreign key (tenant, clock_id) references test_clock (tenant, id)
);
create index subscription_listed on subscription (tenant, created, id);
create index subscription_of_customer on subscription (tenant, customer, created, id);
create index subscription_due on subscription (wakes_at) where clock_id is null and wakes_at is not null;
create index subscription_due_on_clock on subscription (tenant, clock_id, next_due) where clock_id is not null and next_due is not null;
create index subscription_parked on subscription (parked_at) where parked_at is not null;

create table subscription_item (
    tenant       bigint not null,
    id           text not null,
    subscription text not null,
    position     bigint not null,
    price        text not null,
    quantity     bigint not null,
    price_changed bigint,                     -- when the price last took another's place
    current_period_start bigint not null,
    current_period_end bigint not null,
    tax_rates    text not null,
    metadata     text not null,
    created      bigint not null,
    deleted_at   bigint,
    primary key (tenant, id),
    foreign key (tenant, subscription) references subscription (tenant, id),
    foreign key (tenant, price) references price (tenant, id)
);
create index subscription_item_of_subscription on subscription_item (tenant, subscription, position);

create table discount (
    tenant       bigint not null,
    id           text not null,
    customer     text not null,
    subscription text,
    subscription_item text,
    invoice      text,
    invoice_item text,
    position     bigint not null,
    coupon       text not null,
    promotion_code text,
    starts       bigint not null,
    ends         bigint,
    ended_at     bigint,
    counted      boolean not null,            -- a redemption of its own, or taken over from the customer's or subscription's
    first_invoice text,                       -- the first that it took something off
    primary key (tenant, id),
    foreign key (tenant, coupon) references coupon (tenant, id),
    foreign key (tenant, customer) references customer (tenant, id)
);
create index discount_of_customer on discount (tenant, customer, position) where ended_at is null;

create table scheduled_change (
    tenant       bigint not null,
    id           text not null,
    subscription text not null,
    kind         text not null check (kind in ('update', 'pause', 'resume')),
    due          bigint not null,
    change       text not null,
    origin       text not null check (origin in ('merchant', 'portal')),
    status       text not null check (status in ('scheduled', 'applied', 'undone', 'replaced', 'dropped')),
    created      bigint not null,
    settled_at   bigint,
    primary key (tenant, id),
    foreign key (tenant, subscription) references subscription (tenant, id)
);
create index scheduled_change_of_subscription on scheduled_change (tenant, subscription, created, id);
create unique index scheduled_change_waiting on scheduled_change (tenant, subscription) where status = 'scheduled';

create table invoice_item (
    tenant       bigint not null,
    id           text not null,
    customer     text not null,
    subscription text,
    subscription_item text,
    invoice      text,                        -- null while it waits for the next invoice
    price        text,
    description  text,
    quantity     bigint not null,
    unit_amount  text,
    amount       bigint not null,
    currency     text not null,
    period_start bigint not null,
    period_end   bigint not null,
    proration    boolean not null,
    discountable boolean not null,
    tax_rates    text not null,
    tax_behavior text,
    taxes        text,                        -- those of the debit that a credit gives back
    details      text,                        -- for a proration: which debit it credits
    metadata     text not null,
    created      bigint not null,
    deleted_at   bigint,
    primary key (tenant, id),
    foreign key (tenant, customer) references customer (tenant, id)
);
create index invoice_item_waiting on invoice_item (tenant, customer, invoice);
create index invoice_item_of_item on invoice_item (tenant, subscription_item) where subscription_item is not null;

create table invoice (
    tenant       bigint not null,
    id           text not null,
    customer     text not null,
    clock_id     text,
    subscription text,
    number       text,
    status       text not null check (status in ('draft', 'open', 'paid', 'void', 'uncollectible')),
    billing_reason text not null,
    cycle_start  bigint,                      -- set on the one invoice that bills a subscription's period
    collection_method text not null,
    auto_advance boolean not null,
    currency     text not null,
    period_start bigint not null,
    period_end   bigint not null,
    subtotal     bigint not null,
    discount     bigint not null,
    tax          bigint not null,             -- exclusive and inclusive together
    total        bigint not null,
    amount_due   bigint not null,
    amount_paid  bigint not null,
    amount_overpaid bigint not null,
    paid_out_of_band boolean not null,
    pre_payment_credit_notes bigint not null,  -- what they took off the amount due
    post_payment_credit_notes bigint not null, -- what they gave back of what was paid
    starting_balance bigint not null,
    ending_balance bigint,
    attempt_count bigint not null,
    attempted    boolean not null,
    next_payment_attempt bigint,
    retries_from bigint,                      -- the first attempt that failed: the schedule counts from it
    next_due     bigint,                      -- when time next does something to it
    default_payment_method text,
    default_tax_rates text not null,
    payment_intent text,
    bill_to      text not null,               -- customer and merchant as they stood at finalisation
    description  text,
    footer       text,
    metadata     text not null,
    created      bigint not null,
    due_date     bigint,
    finalized_at bigint,
    paid_at      bigint,
    voided_at    bigint,
    marked_uncollectible_at bigint,
    version      bigint not null,
    primary key (tenant, id),
    unique (tenant, number),
    foreign key (tenant, customer) references customer (tenant, id),
    foreign key (tenant, subscription) references subscription (tenant, id)
);
-- The judge: one non-void invoice for each period of a subscription.
create unique index invoice_of_period on invoice (tenant, subscription, cycle_start) where cycle_start is not null and status <> 'void';
create index invoice_listed on invoice (tenant, created, id);
create index invoice_of_customer on invoice (tenant, customer, created, id);
create index invoice_due on invoice (next_due) where clock_id is null and next_due is not null;
create index invoice_due_on_clock on invoice (tenant, clock_id, next_due) where clock_id is not null and next_due is not null;
create index invoice_of_subscription on invoice (tenant, subscription, created, id);

create table invoice_line (
    tenant       bigint not null,
    id           text not null,
    invoice      text not null,
    position     bigint not null,
    subscription text,
    subscription_item text,
    invoice_item text,
    price        text,
    product_name text,
    description  text not null,
    quantity     bigint not null,
    amount       bigint not null,
    discount     bigint not null,
    discount_amounts text not null,
    tax          bigint not null,             -- of this line, inclusive or exclusive
    taxes        text not null,
    currency     text not null,
    period_start bigint not null,
    period_end   bigint not null,
    proration    boolean not null,
    discountable boolean not null,
    details      text,
    metadata     text not null,
    primary key (tenant, id),
    foreign key (tenant, invoice) references invoice (tenant, id)
);
create index invoice_line_of_invoice on invoice_line (tenant, invoice, position);
create index invoice_line_of_item on invoice_line (tenant, subscription_item) where subscription_item is not null;

create table payment_intent (
    tenant       bigint not null,
    id           text not null,
    customer     text not null,
    invoice      text,
    amount       bigint not null,
    amount_received bigint not null,
    currency     text not null,
    status       text not null check (status in ('requires_payment_method', 'requires_action', 'processing', 'succeeded', 'canceled')),
    payment_method text,
    latest_charge text,
    next_action  text,
    last_error   text,
    description  text,
    metadata     text not null,
    created      bigint not null,
    canceled_at  bigint,
    version      bigint not null,
    primary key (tenant, id),
    foreign key (tenant, customer) references customer (tenant, id)
);
create index payment_intent_listed on payment_intent (tenant, created, id);
create index payment_intent_of_customer on payment_intent (tenant, customer, created, id);

-- One row each time a gateway was asked for money. (invoice, number) is the natural key the gateway sees.
create table payment_attempt (
    tenant       bigint not null,
    id           text not null,               -- the charge, ch_…
    payment_intent text not null,
    invoice      text not null,
    number       bigint not null,
    scheduled    boolean not null,            -- whether time asked for it, and nobody else
    customer     text not null,
    payment_method text not null,
    amount       bigint not null,
    currency     text not null,
    status       text not null check (status in ('processing', 'succeeded', 'declined', 'requires_action', 'unknown')),
    decline_code text,
    gateway      text not null,
    gateway_ref  text,
    amount_refunded bigint not null,
    lookups      bigint not null,
    next_lookup_ms bigint,
    created      bigint not null,
    settled_at   bigint,
    version      bigint not null,
    primary key (tenant, id),
    unique (tenant, invoice, number),
    foreign key (tenant, payment_intent) references payment_intent (tenant, id)
);
create index payment_attempt_unsettled on payment_attempt (next_lookup_ms) where status in ('processing', 'unknown');

create table refund (
    tenant       bigint not null,
    id           text not null,
    payment_attempt text not null,
    payment_intent text not null,
    customer     text not null,
    invoice      text not null,
    payment_method text not null,
    credit_note  text,
    amount       bigint not null,
    currency     text not null,
    reason       text,
    status       text not null check (status in ('pending', 'succeeded', 'failed')),
    failure_reason text,
    gateway_ref  text,
    tries        bigint not null,
    next_try_ms  bigint,                      -- while it is pending
    metadata     text not null,
    created      bigint not null,
    version      bigint not null,
    primary key (tenant, id),
    foreign key (tenant, payment_attempt) references payment_attempt (tenant, id)
);
create index refund_listed on refund (tenant, created, id);
create index refund_of_invoice on refund (tenant, invoice);
create index refund_pending on refund (next_try_ms) where status = 'pending';

create table credit_note (
    tenant       bigint not null,
    id           text not null,
    customer     text not null,
    invoice      text not null,
    number       text not null,
    status       text not null check (status in ('issued', 'void')),
    type         text not null,
    reason       text,
    memo         text,
    currency     text not null,
    subtotal     bigint not null,
    discount     bigint not null,
    tax          bigint not null,
    total        bigint not null,
    refunded     bigint not null,
    credited     bigint not null,
    out_of_band  bigint not null,
    refund       text,
    balance_transaction text,
    metadata     text not null,
    created      bigint not null,
    voided_at    bigint,
    primary key (tenant, id),
    unique (tenant, number),
    foreign key (tenant, invoice) references invoice (tenant, id)
);
create index credit_note_listed on credit_note (tenant, created, id);
create index credit_note_of_invoice on credit_note (tenant, invoice);
create index credit_note_of_customer on credit_note (tenant, customer, created, id);

create table credit_note_line (
    tenant       bigint not null,
    id           text not null,
    credit_note  text not null,
    position     bigint not null,
    invoice_line text,
    description  text,
    quantity     bigint,
    unit_amount  text,
    amount       bigint not null,
    discount     bigint not null,
    discount_amounts text not null,
    tax          bigint not null,
    taxes        text not null,
    primary key (tenant, id),
    foreign key (tenant, credit_note) references credit_note (tenant, id)
);
create index credit_note_line_of_note on credit_note_line (tenant, credit_note, position);

create table quote_use (
    tenant       bigint not null,
    token_hash   text not null,
    subscription text,
    result       text not null,
    used_ms      bigint not null,
    primary key (tenant, token_hash)
);
