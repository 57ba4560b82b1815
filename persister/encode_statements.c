/* What the rows of each set are for. */
#include "encode_fields.h"

#define FROM_STDIN " FROM STDIN (FORMAT binary)"
#define STAGED     " ON COMMIT DELETE ROWS"

/* What may change of an order, in the order of fields_order_changed, and how. */
#define STAGED_ORDER_COLUMNS                                                                                           \
    " executed integer, canceled integer, leaves integer, executed_value numeric, state text, reason text, side text," \
    " display text, price numeric, updated_at timestamptz, updated_ns bigint, event_seq bigint"
#define STAGED_ORDER_CHANGES                                                                                           \
    "executed = o.executed + s.executed, canceled = o.canceled + s.canceled, leaves = s.leaves,"                       \
    " executed_value = o.executed_value + s.executed_value, state = s.state, reason = coalesce(s.reason, o.reason),"   \
    " side = coalesce(s.side, o.side), display = coalesce(s.display, o.display), price = coalesce(s.price, o.price),"  \
    " updated_at = s.updated_at, updated_ns = s.updated_ns, event_seq = s.event_seq"
#define STAGED_ORDER " WHERE o.order_ref = s.key_ref AND o.day = s.key_day"

const struct row_set_statements row_set_statements[ROW_SET_COUNT] = {
    [ROWS_ORDERS_NEW] =
        {
            .copy =
                "COPY ringside.orders (order_ref, day, previous_order_ref, session, user_ref, instrument, symbol, side,"
                " price, quantity, executed, canceled, leaves, executed_value, state, reason, time_in_force,"
                " display, capacity, firm, client_order_id, min_quantity, max_floor, peg_offset, trigger_price,"
                " expire_s, entered_at, entered_ns, updated_at, updated_ns,"
                " entered_event_seq, event_seq)" FROM_STDIN,
        },
    [ROWS_ORDERS_CHANGED] =
        {
            .staging = "CREATE TEMP TABLE staged_orders (key_ref bigint, key_day date," STAGED_ORDER_COLUMNS ")" STAGED,
            .copy = "COPY staged_orders" FROM_STDIN,
            .merges = {ROW_SET_MERGE_HEAD " AS o SET " STAGED_ORDER_CHANGES " FROM staged_orders AS s" STAGED_ORDER},
            .is_of_one_day = true,
            .is_exact = true,
        },
    [ROWS_ORDERS_RENUMBERED] =
        {
            .staging = "CREATE TEMP TABLE staged_renumbered (key_ref bigint, key_day date, order_ref bigint, day "
                       "date," STAGED_ORDER_COLUMNS ")" STAGED,
            .copy = "COPY staged_renumbered" FROM_STDIN,
            .merges = {"UPDATE ringside.orders AS o SET order_ref = s.order_ref, day = s.day, " STAGED_ORDER_CHANGES
                       " FROM staged_renumbered AS s" STAGED_ORDER},
            .is_exact = true,
        },
    [ROWS_STEPS] =
        {
            .copy = "COPY ringside.order_events (day, event_seq, order_ref, step, quantity, price, leaves, reason,"
                    " previous_order_ref, match_number, happened_at, happened_ns)" FROM_STDIN,
        },
    [ROWS_EXECUTIONS] =
        {
            .copy = "COPY ringside.executions (day, event_seq, is_maker, match_number, order_ref, counter_order_ref,"
                    " session, user_ref, instrument, symbol, side, price, quantity, leaves, liquidity, executed_at,"
                    " executed_ns)" FROM_STDIN,
        },
    [ROWS_REJECTIONS] =
        {
            .copy = "COPY ringside.rejections (day, event_seq, session, user_ref, request, reason_code, reason,"
                    " client_order_id, rejected_at, rejected_ns)" FROM_STDIN,
        },
    [ROWS_BREAKS] =
        {
            .copy = "COPY ringside.broken_trades (event_seq, match_number, order_ref, maker_order_ref, reason,"
                    " broken_at, broken_ns)" FROM_STDIN,
        },
    [ROWS_LOGINS] =
        {
            .copy =
                "COPY ringside.logins (event_seq, session, user_name, firm, result, reason, gateway, peer, peer_port,"
                " at, at_ns)" FROM_STDIN,
        },
    [ROWS_ACTIONS] =
        {
            .copy = "COPY ringside.operator_actions (event_seq, operator_id, operator_name, action, refused_code,"
                    " refused, instrument, user_name, firm, market_state, match_number, target_gateway, acted_at,"
                    " acted_ns)" FROM_STDIN,
        },
    [ROWS_SESSIONS] =
        {
            .staging = "CREATE TEMP TABLE staged_sessions (event_seq bigint, session integer, is_login boolean,"
                       " user_name text, firm text, at timestamptz, at_ns bigint)" STAGED,
            .copy = "COPY staged_sessions" FROM_STDIN,
            .merges = {"INSERT INTO ringside.sessions AS t (session, user_name, firm, is_connected, login_count,"
                       " first_login_at, last_login_at, last_login_ns, event_seq)"
                       " SELECT session, (array_agg(user_name ORDER BY event_seq DESC))[1],"
                       " (array_agg(firm ORDER BY event_seq DESC))[1], true, count(*), min(at), max(at), max(at_ns),"
                       " max(event_seq) FROM staged_sessions WHERE is_login GROUP BY session"
                       " ON CONFLICT (session) DO UPDATE SET user_name = excluded.user_name, firm = excluded.firm,"
                       " is_connected = true, login_count = t.login_count + excluded.login_count,"
                       " last_login_at = excluded.last_login_at, last_login_ns = excluded.last_login_ns,"
                       " event_seq = excluded.event_seq",
                       "UPDATE ringside.sessions AS t SET closed_at = s.at, closed_ns = s.at_ns,"
                       " is_connected = s.event_seq < t.event_seq, event_seq = greatest(s.event_seq, t.event_seq)"
                       " FROM (SELECT DISTINCT ON (session) * FROM staged_sessions WHERE NOT is_login"
                       " ORDER BY session, event_seq DESC) AS s WHERE t.session = s.session"},
        },
    [ROWS_INSTRUMENTS] =
        {
            .staging = "CREATE TEMP TABLE staged_instruments (event_seq bigint, kind integer, instrument integer,"
                       " symbol text, tick_size numeric, lot_size integer, reference_price numeric, collar numeric,"
                       " fat_finger numeric, quantity_max integer, notional_max numeric, market_state text,"
                       " at timestamptz, at_ns bigint)" STAGED,
            .copy = "COPY staged_instruments" FROM_STDIN,
            .merges = {"INSERT INTO ringside.instruments (instrument, symbol, tick_size, lot_size, reference_price,"
                       " collar, fat_finger, quantity_max, notional_max, market_state, added_at, added_ns, event_seq)"
                       " SELECT instrument, symbol, tick_size, lot_size, reference_price, collar, fat_finger,"
                       " quantity_max, notional_max, market_state, at, at_ns, event_seq"
                       " FROM staged_instruments WHERE kind = 50",
                       "UPDATE ringside.instruments AS t SET market_state = s.market_state,"
                       " reference_price = coalesce(s.reference_price, t.reference_price),"
                       " event_seq = greatest(s.event_seq, t.event_seq)"
                       " FROM (SELECT DISTINCT ON (instrument) * FROM staged_instruments WHERE kind = 51"
                       " ORDER BY instrument, event_seq DESC) AS s WHERE t.instrument = s.instrument",
                       "UPDATE ringside.instruments AS t SET tick_size = s.tick_size, lot_size = s.lot_size,"
                       " collar = s.collar, fat_finger = s.fat_finger, quantity_max = s.quantity_max,"
                       " notional_max = s.notional_max, reference_price = CASE WHEN s.event_seq > t.event_seq"
                       " THEN coalesce(s.reference_price, t.reference_price) ELSE t.reference_price END,"
                       " event_seq = greatest(s.event_seq, t.event_seq)"
                       " FROM (SELECT DISTINCT ON (instrument) * FROM staged_instruments WHERE kind = 52"
                       " ORDER BY instrument, event_seq DESC) AS s WHERE t.instrument = s.instrument"},
        },
    [ROWS_DAYS] =
        {
            .staging = "CREATE TEMP TABLE staged_days (event_seq bigint, is_start boolean, date_number integer,"
                       " at timestamptz, at_ns bigint)" STAGED,
            .copy = "COPY staged_days" FROM_STDIN,
            .merges = {"INSERT INTO ringside.trading_days (day, started_at, started_ns, event_seq)"
                       " SELECT DISTINCT ON (date_number) to_date(date_number::text, 'YYYYMMDD'), at, at_ns, event_seq"
                       " FROM staged_days WHERE is_start ORDER BY date_number, event_seq"
                       " ON CONFLICT (day) DO NOTHING",
                       "UPDATE ringside.trading_days AS t SET ended_at = s.at, ended_ns = s.at_ns,"
                       " event_seq = s.event_seq FROM (SELECT DISTINCT ON (date_number) * FROM staged_days"
                       " WHERE NOT is_start ORDER BY date_number, event_seq DESC) AS s"
                       " WHERE t.day = to_date(s.date_number::text, 'YYYYMMDD')"},
        },
};
