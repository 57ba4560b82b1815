-- Version 2: each step of an order, partitions by day, a mark of its own for the orders.
--
-- Every table is made anew and filled from the event log, since steps are not in what version 1 kept. Tables that hold
-- rows are set aside in the schema ringside_version_1, which may be dropped once the new ones have caught up.

DO $$
DECLARE old text;
BEGIN
    IF (SELECT event_seq FROM ringside.high_water WHERE store = 'postgres') > 0 THEN
        CREATE SCHEMA ringside_version_1;
        COMMENT ON SCHEMA ringside_version_1 IS
            'What Ringside wrote before version 2 of its schema; drop it when ringside has caught up';
    END IF;
    FOREACH old IN ARRAY ARRAY['orders', 'executions', 'rejections', 'broken_trades', 'instruments', 'sessions',
                               'trading_days'] LOOP
        IF to_regnamespace('ringside_version_1') IS NULL THEN
            EXECUTE format('DROP TABLE ringside.%I', old);
        ELSE
            EXECUTE format('ALTER TABLE ringside.%I SET SCHEMA ringside_version_1', old);
        END IF;
    END LOOP;
END $$;

-- Two writers, each with a mark: what is only added to never waits for what is changed in place.
DELETE FROM ringside.high_water;
ALTER TABLE ringside.high_water ADD first_seq bigint NOT NULL DEFAULT 1;
ALTER TABLE ringside.high_water ADD durable_seq bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN ringside.high_water.store IS
    'events: order_events, executions, rejections, broken_trades and the small tables; orders: orders';
COMMENT ON COLUMN ringside.high_water.first_seq IS 'Events before this one are not in the tables';
COMMENT ON COLUMN ringside.high_water.durable_seq IS
    'Rows up to this event were on the disk when this mark was written; what is behind it a crash may take back';
COMMENT ON COLUMN ringside.high_water.written_at IS 'When the mark was moved last';
INSERT INTO ringside.high_water (store, event_seq, event_time_ns, epoch) VALUES ('events', 0, 0, 0), ('orders', 0, 0, 0);

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
COMMENT ON COLUMN ringside.instruments.tick_size IS 'Prices are multiples of it';
COMMENT ON COLUMN ringside.instruments.lot_size IS 'Quantities are multiples of it';
COMMENT ON COLUMN ringside.instruments.reference_price IS 'What collar and fat_finger are measured from';
COMMENT ON COLUMN ringside.instruments.event_seq IS 'Event of its last change';

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
COMMENT ON COLUMN ringside.sessions.session IS 'Its number, as in the other tables';
COMMENT ON COLUMN ringside.sessions.closed_at IS 'When its last connection ended';
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

-- ---- a partition a day ----------------------------------------------------------------------------------------------
--
-- `day` is the calendar day (UTC) of the event; of an order, that on which it got its number. So a number tells its day
-- (order_days), and what is changed of an order is looked for in one partition alone.

-- Changed in place: room for that in each page, and no index on a column that changes.
CREATE TABLE ringside.orders (
    order_ref          bigint NOT NULL,
    day                date NOT NULL,
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
    average_price      numeric GENERATED ALWAYS AS (round(executed_value / nullif(executed, 0), 8)) STORED,
    state              text NOT NULL,
    reason             text,
    time_in_force      text,
    display            text,
    capacity           text,
    firm               text,
    client_order_id    text,
    min_quantity       integer,
    max_floor          integer,
    peg_offset         numeric,
    trigger_price      numeric,
    expire_s           integer,
    entered_at         timestamptz NOT NULL,
    entered_ns         bigint NOT NULL,
    updated_at         timestamptz NOT NULL,
    updated_ns         bigint NOT NULL,
    entered_event_seq  bigint NOT NULL,
    event_seq          bigint NOT NULL,
    PRIMARY KEY (order_ref, day)
) PARTITION BY RANGE (day);
CREATE INDEX orders_session ON ringside.orders (session, user_ref);
COMMENT ON TABLE ringside.orders IS 'One row an order, its whole life: what was asked, and what has become of it';
COMMENT ON COLUMN ringside.orders.order_ref IS 'Its number; a new one where it lost its place in the book';
COMMENT ON COLUMN ringside.orders.day IS 'Calendar day (UTC) on which it got its number; which partition it is in';
COMMENT ON COLUMN ringside.orders.previous_order_ref IS 'The order that this one replaced';
COMMENT ON COLUMN ringside.orders.session IS 'Whose: sessions.session';
COMMENT ON COLUMN ringside.orders.user_ref IS 'The number its user gave it (UserRefNum)';
COMMENT ON COLUMN ringside.orders.price IS 'Limit; NULL: a market order';
COMMENT ON COLUMN ringside.orders.quantity IS
    'As accepted. executed + canceled + leaves, unless replaced, when the rest went on to the next order';
COMMENT ON COLUMN ringside.orders.leaves IS 'What may still be executed';
COMMENT ON COLUMN ringside.orders.executed_value IS 'Sum of price x quantity of its fills';
COMMENT ON COLUMN ringside.orders.average_price IS 'executed_value / executed, to 8 places; NULL: no fill';
COMMENT ON COLUMN ringside.orders.state IS
    'live, filled, canceled, replaced, or dead (accepted and cancelled at once)';
COMMENT ON COLUMN ringside.orders.reason IS 'Why it was cancelled';
COMMENT ON COLUMN ringside.orders.min_quantity IS 'Least that a fill must be; NULL: any';
COMMENT ON COLUMN ringside.orders.max_floor IS 'What it shows of itself; NULL: all';
COMMENT ON COLUMN ringside.orders.expire_s IS 'Seconds after which it ends; NULL: none were asked';
COMMENT ON COLUMN ringside.orders.entered_ns IS 'entered_at, exactly: ns since 1970';
COMMENT ON COLUMN ringside.orders.updated_at IS 'When something last happened to it';
COMMENT ON COLUMN ringside.orders.updated_ns IS 'updated_at, exactly: ns since 1970';
COMMENT ON COLUMN ringside.orders.entered_event_seq IS 'Event by which it was accepted';
COMMENT ON COLUMN ringside.orders.event_seq IS 'Event of its last change';

-- Where in the row of numbers each day of orders begins.
CREATE TABLE ringside.order_days (
    day             date PRIMARY KEY,
    first_order_ref bigint NOT NULL
);
COMMENT ON TABLE ringside.order_days IS 'The first order number of each day: an order is in the partition of its number';

-- The key is by order, so that it serves both: nothing is there twice, and an order's history is one look.
CREATE TABLE ringside.order_events (
    day                date NOT NULL,
    event_seq          bigint NOT NULL,
    order_ref          bigint NOT NULL,
    step               text NOT NULL,
    quantity           integer,
    price              numeric,
    leaves             integer,
    reason             text,
    previous_order_ref bigint,
    match_number       bigint,
    happened_at        timestamptz NOT NULL,
    happened_ns        bigint NOT NULL,
    PRIMARY KEY (order_ref, event_seq, day)
) PARTITION BY RANGE (day);
COMMENT ON TABLE ringside.order_events IS 'One row a step of an order; a trade is a step of two orders';
COMMENT ON COLUMN ringside.order_events.day IS 'Calendar day (UTC) of the event; which partition it is in';
COMMENT ON COLUMN ringside.order_events.step IS
    'accepted, executed, canceled, self-match canceled, replaced (by the next order), modified, priority updated, '
    'restated, broken, cancel pending, cancel rejected';
COMMENT ON COLUMN ringside.order_events.quantity IS 'Of this step: accepted, executed, taken off; NULL: none';
COMMENT ON COLUMN ringside.order_events.price IS 'The order''s; of a trade, the trade''s; NULL: a market order';
COMMENT ON COLUMN ringside.order_events.leaves IS 'What was left of the order after it; NULL: the event does not say';
COMMENT ON COLUMN ringside.order_events.previous_order_ref IS
    'accepted: the order it replaced; priority updated, restated: the number that the order had before';
COMMENT ON COLUMN ringside.order_events.match_number IS 'The trade: executions.match_number';
COMMENT ON COLUMN ringside.order_events.happened_ns IS 'happened_at, exactly: ns since 1970';

CREATE TABLE ringside.executions (
    day               date NOT NULL,
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
    PRIMARY KEY (order_ref, event_seq, day)
) PARTITION BY RANGE (day);
CREATE INDEX executions_session ON ringside.executions (session, event_seq);
COMMENT ON TABLE ringside.executions IS 'One row a fill and side: two a trade, the maker''s and the taker''s';
COMMENT ON COLUMN ringside.executions.day IS 'Calendar day (UTC) of the trade; which partition it is in';
COMMENT ON COLUMN ringside.executions.match_number IS 'The same on both sides of a trade';
COMMENT ON COLUMN ringside.executions.counter_order_ref IS 'The order on the other side';
COMMENT ON COLUMN ringside.executions.leaves IS 'What was left of the order after this fill';
COMMENT ON COLUMN ringside.executions.liquidity IS 'added, removed, and the rarer ones of docs/protocol.md';
COMMENT ON COLUMN ringside.executions.executed_ns IS 'executed_at, exactly: ns since 1970';

CREATE TABLE ringside.rejections (
    day             date NOT NULL,
    event_seq       bigint NOT NULL,
    session         integer NOT NULL,
    user_ref        bigint NOT NULL,
    request         text,
    reason_code     integer NOT NULL,
    reason          text,
    client_order_id text,
    rejected_at     timestamptz NOT NULL,
    rejected_ns     bigint NOT NULL,
    PRIMARY KEY (event_seq, day)
) PARTITION BY RANGE (day);
COMMENT ON TABLE ringside.rejections IS 'One row a refused request';
COMMENT ON COLUMN ringside.rejections.reason_code IS 'As on the wire; reason says it in words';

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

INSERT INTO ringside.schema_version (version) VALUES (2);
