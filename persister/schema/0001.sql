-- Ringside's tables in PostgreSQL, version 1. The persister runs this in one transaction where the schema is not there.
-- A later version adds a file that leads from this one to it; what is here never changes. docs/stores.md explains.

CREATE SCHEMA IF NOT EXISTS ringside;
COMMENT ON SCHEMA ringside IS 'The exchange''s events as tables; written by ringside-persister alone';

CREATE TABLE ringside.schema_version (
    version    integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ringside.schema_version IS 'Versions of this schema; the highest is the present one';

-- One row a writer, updated in each transaction: a page of its own, so that the old versions never spread.
CREATE TABLE ringside.high_water (
    store         text PRIMARY KEY,
    event_seq     bigint NOT NULL,
    event_time_ns bigint NOT NULL,
    epoch         bigint NOT NULL,
    written_at    timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
COMMENT ON TABLE ringside.high_water IS 'How far the tables are: moved in the transaction that writes the rows';
COMMENT ON COLUMN ringside.high_water.event_seq IS 'Number of the last event whose rows are in the tables';
COMMENT ON COLUMN ringside.high_water.event_time_ns IS 'Its time, which tells this exchange from another';
COMMENT ON COLUMN ringside.high_water.epoch IS 'Raised by each persister that begins to write; older ones cannot';
INSERT INTO ringside.high_water (store, event_seq, event_time_ns, epoch) VALUES ('postgres', 0, 0, 0);

CREATE TABLE ringside.instruments (
    instrument      integer PRIMARY KEY,
    symbol          text NOT NULL UNIQUE,
    tick_size       numeric,
    lot_size        integer,
    reference_price numeric,
    collar          numeric,
    fat_finger      numeric,
    quantity_max    integer,
    notional_max    numeric,
    market_state    text,
    added_at        timestamptz NOT NULL,
    added_ns        bigint NOT NULL,
    event_seq       bigint NOT NULL
);
COMMENT ON TABLE ringside.instruments IS 'One row an instrument, with its limits; NULL: none';

CREATE TABLE ringside.sessions (
    session        integer PRIMARY KEY,
    user_name      text NOT NULL,
    firm           text,
    is_connected   boolean NOT NULL,
    login_count    bigint NOT NULL,
    first_login_at timestamptz NOT NULL,
    last_login_at  timestamptz NOT NULL,
    last_login_ns  bigint NOT NULL,
    closed_at      timestamptz,
    closed_ns      bigint,
    event_seq      bigint NOT NULL
);
COMMENT ON TABLE ringside.sessions IS 'One row a user that ever logged in';
CREATE INDEX sessions_user_name ON ringside.sessions (user_name);

CREATE TABLE ringside.trading_days (
    day        date PRIMARY KEY,
    started_at timestamptz NOT NULL,
    started_ns bigint NOT NULL,
    ended_at   timestamptz,
    ended_ns   bigint,
    event_seq  bigint NOT NULL
);
COMMENT ON TABLE ringside.trading_days IS 'One row a trading day';

-- Changed in place: room for that in each page, and no index on a column that changes.
CREATE TABLE ringside.orders (
    order_ref          bigint PRIMARY KEY,
    previous_order_ref bigint,
    session            integer NOT NULL,
    user_ref           bigint NOT NULL,
    instrument         integer NOT NULL,
    symbol             text NOT NULL,
    side               text NOT NULL,
    price              numeric,
    quantity           integer NOT NULL,
    executed           integer NOT NULL,
    canceled           integer NOT NULL,
    leaves             integer NOT NULL,
    executed_value     numeric NOT NULL,
    state              text NOT NULL,
    reason             text,
    time_in_force      text,
    display            text,
    capacity           text,
    firm               text,
    client_order_id    text,
    entered_at         timestamptz NOT NULL,
    entered_ns         bigint NOT NULL,
    updated_at         timestamptz NOT NULL,
    updated_ns         bigint NOT NULL,
    entered_event_seq  bigint NOT NULL,
    event_seq          bigint NOT NULL
) WITH (fillfactor = 60);
CREATE INDEX orders_session ON ringside.orders (session, user_ref);
COMMENT ON TABLE ringside.orders IS 'One row an order, its whole life';
COMMENT ON COLUMN ringside.orders.previous_order_ref IS 'The order that this one replaced';
COMMENT ON COLUMN ringside.orders.price IS 'Limit; NULL: a market order';
COMMENT ON COLUMN ringside.orders.quantity IS
    'As accepted. executed + canceled + leaves, unless replaced, when the rest went on to the next order';
COMMENT ON COLUMN ringside.orders.executed_value IS 'Sum of price x quantity of its fills; over executed: its average';
COMMENT ON COLUMN ringside.orders.state IS
    'live, filled, canceled, replaced, or dead (accepted and cancelled at once)';
COMMENT ON COLUMN ringside.orders.reason IS 'Why it was cancelled';
COMMENT ON COLUMN ringside.orders.entered_ns IS 'entered_at, exactly: ns since 1970';
COMMENT ON COLUMN ringside.orders.event_seq IS 'Event of its last change';

CREATE TABLE ringside.executions (
    event_seq         bigint NOT NULL,
    is_maker          boolean NOT NULL,
    match_number      bigint NOT NULL,
    order_ref         bigint NOT NULL,
    counter_order_ref bigint NOT NULL,
    session           integer NOT NULL,
    user_ref          bigint NOT NULL,
    instrument        integer NOT NULL,
    symbol            text NOT NULL,
    side              text NOT NULL,
    price             numeric NOT NULL,
    quantity          integer NOT NULL,
    leaves            integer NOT NULL,
    liquidity         text,
    executed_at       timestamptz NOT NULL,
    executed_ns       bigint NOT NULL,
    PRIMARY KEY (event_seq, is_maker)
);
CREATE INDEX executions_order ON ringside.executions (order_ref);
COMMENT ON TABLE ringside.executions IS 'One row a fill and side: two a trade, the maker''s and the taker''s';
COMMENT ON COLUMN ringside.executions.match_number IS 'The same on both sides of a trade';
COMMENT ON COLUMN ringside.executions.counter_order_ref IS 'The order on the other side';
COMMENT ON COLUMN ringside.executions.leaves IS 'What was left of the order after this fill';

CREATE TABLE ringside.rejections (
    event_seq       bigint PRIMARY KEY,
    session         integer NOT NULL,
    user_ref        bigint NOT NULL,
    request         text,
    reason_code     integer NOT NULL,
    reason          text,
    client_order_id text,
    rejected_at     timestamptz NOT NULL,
    rejected_ns     bigint NOT NULL
);
COMMENT ON TABLE ringside.rejections IS 'One row a refused request';

CREATE TABLE ringside.broken_trades (
    event_seq       bigint PRIMARY KEY,
    match_number    bigint NOT NULL,
    order_ref       bigint NOT NULL,
    maker_order_ref bigint NOT NULL,
    reason          text,
    broken_at       timestamptz NOT NULL,
    broken_ns       bigint NOT NULL
);
COMMENT ON TABLE ringside.broken_trades IS 'One row a trade that was taken back; its executions stay';

INSERT INTO ringside.schema_version (version) VALUES (1);
