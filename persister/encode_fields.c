#include "encode_fields.h"

#include "encode_copy.h"
#include "encode_names.h"

static const char *state_name(uint8_t state)
{
    static const char *const names[] = {[ORDER_LIVE] = "live",
                                        [ORDER_FILLED] = "filled",
                                        [ORDER_CANCELED] = "canceled",
                                        [ORDER_REPLACED] = "replaced",
                                        [ORDER_DEAD] = "dead"};
    return names[state];
}

/* ---- orders ------------------------------------------------------------------------------------------------------ */

#define ORDER_FIELDS 26

/* A market order has no price. */
static uint8_t *copy_price(uint8_t *at, int32_t price_ticks)
{
    return price_ticks == PRICE_TICKS_MARKET ? copy_null(at) : copy_numeric(at, price_ticks);
}

static uint8_t *copy_amounts(uint8_t *at, const struct order_row *order)
{
    at = copy_int4(at, order->executed);
    at = copy_int4(at, order->canceled);
    at = copy_int4(at, order->leaves);
    return copy_magnitude(at, order->value_ticks, false);
}

uint8_t *fields_order_new(uint8_t *at, const struct order_row *order)
{
    at = copy_row(at, ORDER_FIELDS);
    at = copy_int8(at, order->order_ref);
    at = copy_int8_or_null(at, order->previous_order_ref);
    at = copy_int4(at, order->session);
    at = copy_int8(at, order->user_ref);
    at = copy_int4(at, order->instrument);
    at = copy_field(at, order->symbol, SYMBOL_BYTES);
    at = copy_word(at, name_side(order->side));
    at = copy_price(at, order->price_ticks);
    at = copy_int4(at, order->quantity);
    at = copy_amounts(at, order);
    at = copy_word(at, state_name(order->state));
    at = copy_word(at, name_cancel_reason(order->reason));
    at = copy_word(at, name_time_in_force(order->time_in_force));
    at = copy_word(at, name_display(order->display));
    at = copy_word(at, name_capacity(order->capacity));
    at = copy_field(at, order->firm, FIRM_BYTES);
    at = copy_field(at, order->client_order_id, CLIENT_ORDER_ID_BYTES);
    at = copy_time(at, order->entered_ns);
    at = copy_int8(at, order->entered_ns);
    at = copy_time(at, order->updated_ns);
    at = copy_int8(at, order->updated_ns);
    at = copy_int8(at, order->entered_seq);
    return copy_int8(at, order->event_seq);
}

#define ORDER_CHANGED_FIELDS 14

uint8_t *fields_order_changed(uint8_t *at, const struct order_row *order)
{
    at = copy_row(at, ORDER_CHANGED_FIELDS);
    at = copy_int8(at, order->key_ref);
    at = copy_int8(at, order->order_ref);
    at = copy_amounts(at, order);
    at = copy_word(at, state_name(order->state));
    at = copy_word(at, name_cancel_reason(order->reason));
    at = copy_word(at, name_side(order->side));
    at = copy_word(at, name_display(order->display));
    at = order->is_repriced ? copy_price(at, order->price_ticks) : copy_null(at);
    at = copy_time(at, order->updated_ns);
    at = copy_int8(at, order->updated_ns);
    return copy_int8(at, order->event_seq);
}

/* ---- trades and refusals ----------------------------------------------------------------------------------------- */

#define EXECUTION_FIELDS 16

struct side_of_trade {
    uint64_t order_ref, counter_order_ref;
    uint32_t session, user_ref, leaves;
    uint8_t side, liquidity;
    bool is_maker;
};

static uint8_t *copy_execution(uint8_t *at, const struct event *event, const char *symbol,
                               const struct side_of_trade *side)
{
    at = copy_row(at, EXECUTION_FIELDS);
    at = copy_int8(at, event->event_seq);
    at = copy_bool(at, side->is_maker);
    at = copy_int8(at, event->trade.match_number);
    at = copy_int8(at, side->order_ref);
    at = copy_int8(at, side->counter_order_ref);
    at = copy_int4(at, side->session);
    at = copy_int8(at, side->user_ref);
    at = copy_int4(at, event->instrument);
    at = copy_field(at, symbol, SYMBOL_BYTES);
    at = copy_word(at, name_side(side->side));
    at = copy_numeric(at, event->trade.price_ticks);
    at = copy_int4(at, event->trade.quantity);
    at = copy_int4(at, side->leaves);
    at = copy_word(at, name_liquidity(side->liquidity));
    at = copy_time(at, event->time_ns);
    return copy_int8(at, event->time_ns);
}

uint8_t *fields_execution(uint8_t *at, const struct event *event, const char *symbol)
{
    const struct event_trade *trade = &event->trade;
    struct side_of_trade taker = {.order_ref = trade->order_ref,
                                  .counter_order_ref = trade->maker_order_ref,
                                  .session = event->session,
                                  .user_ref = event->user_ref,
                                  .leaves = trade->leaves_quantity,
                                  .side = event->side,
                                  .liquidity = trade->liquidity};
    struct side_of_trade maker = {.order_ref = trade->maker_order_ref,
                                  .counter_order_ref = trade->order_ref,
                                  .session = trade->maker_session,
                                  .user_ref = trade->maker_user_ref,
                                  .leaves = trade->maker_leaves_quantity,
                                  .side = trade->maker_side,
                                  .liquidity = trade->maker_liquidity,
                                  .is_maker = true};
    at = copy_execution(at, event, symbol, &taker);
    return copy_execution(at, event, symbol, &maker);
}

#define REJECTION_FIELDS 9

uint8_t *fields_rejection(uint8_t *at, const struct event *event)
{
    at = copy_row(at, REJECTION_FIELDS);
    at = copy_int8(at, event->event_seq);
    at = copy_int4(at, event->session);
    at = copy_int8(at, event->user_ref);
    at = copy_word(at, name_request(event->refused.refused_kind));
    at = copy_int4(at, event->refused.reason);
    at = copy_word(at, name_reject_reason(event->refused.reason));
    at = copy_field(at, event->refused.client_order_id, CLIENT_ORDER_ID_BYTES);
    at = copy_time(at, event->time_ns);
    return copy_int8(at, event->time_ns);
}

#define BREAK_FIELDS 7

uint8_t *fields_break(uint8_t *at, const struct event *event)
{
    at = copy_row(at, BREAK_FIELDS);
    at = copy_int8(at, event->event_seq);
    at = copy_int8(at, event->trade.match_number);
    at = copy_int8(at, event->trade.order_ref);
    at = copy_int8(at, event->trade.maker_order_ref);
    at = copy_word(at, name_break_reason(event->reason));
    at = copy_time(at, event->time_ns);
    return copy_int8(at, event->time_ns);
}

/* ---- sessions, instruments, days --------------------------------------------------------------------------------- */

#define SESSION_FIELDS 7

uint8_t *fields_session(uint8_t *at, const struct event *event)
{
    at = copy_row(at, SESSION_FIELDS);
    at = copy_int8(at, event->event_seq);
    at = copy_int4(at, event->session);
    at = copy_bool(at, event->kind == EVENT_LOGIN_ACCEPTED);
    at = copy_field(at, event->login.user, USER_BYTES);
    at = copy_field(at, event->login.firm, FIRM_BYTES);
    at = copy_time(at, event->time_ns);
    return copy_int8(at, event->time_ns);
}

#define INSTRUMENT_FIELDS 14

/* A limit of 0 is none. */
static uint8_t *copy_limit(uint8_t *at, uint64_t ticks)
{
    return ticks != 0 ? copy_magnitude(at, ticks, false) : copy_null(at);
}

uint8_t *fields_instrument(uint8_t *at, const struct event *event)
{
    const struct event_admin *admin = &event->admin;
    at = copy_row(at, INSTRUMENT_FIELDS);
    at = copy_int8(at, event->event_seq);
    at = copy_int4(at, event->kind);
    at = copy_int4(at, event->instrument);
    at = copy_field(at, admin->symbol, SYMBOL_BYTES);
    at = copy_limit(at, (uint32_t)admin->tick_ticks);
    at = copy_int4_or_null(at, admin->lot_quantity);
    at = copy_limit(at, (uint32_t)admin->reference_ticks);
    at = copy_limit(at, (uint32_t)admin->collar_ticks);
    at = copy_limit(at, (uint32_t)admin->fat_finger_ticks);
    at = copy_int4_or_null(at, admin->quantity_max);
    at = copy_limit(at, admin->notional_max);
    at = copy_word(at, name_market_state(admin->market_state));
    at = copy_time(at, event->time_ns);
    return copy_int8(at, event->time_ns);
}

#define DAY_FIELDS 5

uint8_t *fields_day(uint8_t *at, const struct event *event)
{
    at = copy_row(at, DAY_FIELDS);
    at = copy_int8(at, event->event_seq);
    at = copy_bool(at, event->kind == EVENT_DAY_STARTED);
    at = copy_int4(at, event->day.date);
    at = copy_time(at, event->time_ns);
    return copy_int8(at, event->time_ns);
}

_Static_assert(2 + ORDER_FIELDS * COPY_FIELD_BYTES_MAX <= ROW_BYTES_MAX, "the longest row fits");

/* ---- what the rows are for --------------------------------------------------------------------------------------- */

#define FROM_STDIN " FROM STDIN (FORMAT binary)"
#define STAGED     " ON COMMIT DELETE ROWS"

const struct row_set_statements row_set_statements[ROW_SET_COUNT] = {
    [ROWS_ORDERS_NEW] =
        {
            .copy = "COPY ringside.orders (order_ref, previous_order_ref, session, user_ref, instrument, symbol, side,"
                    " price, quantity, executed, canceled, leaves, executed_value, state, reason, time_in_force,"
                    " display, capacity, firm, client_order_id, entered_at, entered_ns, updated_at, updated_ns,"
                    " entered_event_seq, event_seq)" FROM_STDIN,
        },
    [ROWS_ORDERS_CHANGED] =
        {
            .staging =
                "CREATE TEMP TABLE staged_orders (key_ref bigint, order_ref bigint, executed integer,"
                " canceled integer, leaves integer, executed_value numeric, state text, reason text, side text,"
                " display text, price numeric, updated_at timestamptz, updated_ns bigint, event_seq bigint)" STAGED,
            .copy = "COPY staged_orders" FROM_STDIN,
            .merges = {"UPDATE ringside.orders AS o SET order_ref = s.order_ref, executed = o.executed + s.executed,"
                       " canceled = o.canceled + s.canceled, leaves = s.leaves,"
                       " executed_value = o.executed_value + s.executed_value, state = s.state,"
                       " reason = coalesce(s.reason, o.reason), side = coalesce(s.side, o.side),"
                       " display = coalesce(s.display, o.display), price = coalesce(s.price, o.price),"
                       " updated_at = s.updated_at, updated_ns = s.updated_ns, event_seq = s.event_seq"
                       " FROM staged_orders AS s WHERE o.order_ref = s.key_ref"},
            .is_exact = true,
        },
    [ROWS_EXECUTIONS] =
        {
            .copy = "COPY ringside.executions (event_seq, is_maker, match_number, order_ref, counter_order_ref,"
                    " session, user_ref, instrument, symbol, side, price, quantity, leaves, liquidity, executed_at,"
                    " executed_ns)" FROM_STDIN,
        },
    [ROWS_REJECTIONS] =
        {
            .copy = "COPY ringside.rejections (event_seq, session, user_ref, request, reason_code, reason,"
                    " client_order_id, rejected_at, rejected_ns)" FROM_STDIN,
        },
    [ROWS_BREAKS] =
        {
            .copy = "COPY ringside.broken_trades (event_seq, match_number, order_ref, maker_order_ref, reason,"
                    " broken_at, broken_ns)" FROM_STDIN,
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
                       " notional_max = s.notional_max, event_seq = greatest(s.event_seq, t.event_seq)"
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
