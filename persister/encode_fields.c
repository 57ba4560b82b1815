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

#define ORDER_FIELDS 32

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

uint8_t *fields_order_new(uint8_t *at, const struct order_row *order, uint32_t day)
{
    at = copy_row(at, ORDER_FIELDS);
    at = copy_int8(at, order->order_ref);
    at = copy_date(at, day);
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
    at = copy_int4_or_null(at, order->min_quantity);
    at = copy_int4_or_null(at, order->max_floor);
    at = order->peg_offset_ticks != 0 ? copy_numeric(at, order->peg_offset_ticks) : copy_null(at);
    at = order->trigger_ticks != 0 ? copy_numeric(at, order->trigger_ticks) : copy_null(at);
    at = copy_int4_or_null(at, order->expire_s);
    at = copy_time(at, order->entered_ns);
    at = copy_int8(at, order->entered_ns);
    at = copy_time(at, order->updated_ns);
    at = copy_int8(at, order->updated_ns);
    at = copy_int8(at, order->entered_seq);
    return copy_int8(at, order->event_seq);
}

#define ORDER_CHANGED_FIELDS 14 /* and two more where the number has changed */

uint8_t *fields_order_changed(uint8_t *at, const struct order_row *order, uint32_t key_day, uint32_t day)
{
    bool is_renumbered = order->order_ref != order->key_ref;
    at = copy_row(at, ORDER_CHANGED_FIELDS + (is_renumbered ? 2 : 0));
    at = copy_int8(at, order->key_ref);
    at = copy_date(at, key_day);
    if (is_renumbered) {
        at = copy_int8(at, order->order_ref);
        at = copy_date(at, day);
    }
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

#define EXECUTION_FIELDS 17

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
    at = copy_date(at, day_of_time(event->time_ns));
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

uint8_t *fields_execution(uint8_t *at, const struct event *event, enum which_order which, const char *symbol)
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
    return copy_execution(at, event, symbol, which == FIRST_ORDER ? &taker : &maker);
}

#define REJECTION_FIELDS 10

uint8_t *fields_rejection(uint8_t *at, const struct event *event)
{
    at = copy_row(at, REJECTION_FIELDS);
    at = copy_date(at, day_of_time(event->time_ns));
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

/* ---- who came, and what operators did ------------------------------------------------------------------------------
 */

#define LOGIN_FIELDS 11

bool fields_is_login(const struct event *event)
{
    return event->kind == EVENT_LOGIN_ACCEPTED || event->kind == EVENT_LOGIN_REFUSED ||
           event->kind == EVENT_SESSION_CLOSED;
}

uint8_t *fields_login(uint8_t *at, const struct event *event)
{
    const struct event_session *login = &event->login;
    bool refused = event->kind == EVENT_LOGIN_REFUSED;
    at = copy_row(at, LOGIN_FIELDS);
    at = copy_int8(at, event->event_seq);
    at = copy_int4_or_null(at, event->session);
    at = copy_field(at, login->user, USER_BYTES);
    at = copy_field(at, login->firm, FIRM_BYTES);
    at = copy_word(at, name_login_result(event->kind));
    at = copy_word(at, refused ? name_login_reason(event->reason) : name_logout_reason(event->reason));
    at = copy_int4(at, login->gateway);
    at = copy_inet(at, login->peer);
    at = copy_int4_or_null(at, login->peer_port);
    at = copy_time(at, event->time_ns);
    return copy_int8(at, event->time_ns);
}

#define ACTION_FIELDS 14

uint8_t *fields_action(uint8_t *at, const struct event *event)
{
    const struct event_acted *acted = &event->acted;
    at = copy_row(at, ACTION_FIELDS);
    at = copy_int8(at, event->event_seq);
    at = copy_int8(at, acted->operator_id);
    at = copy_field(at, acted->operator_name, OPERATOR_NAME_BYTES);
    at = copy_word(at, name_action(acted->kind, acted->flag));
    at = copy_int4(at, acted->why);
    at = copy_word(at, name_refusal(acted->why));
    at = copy_int4_or_null(at, event->instrument);
    at = copy_field(at, acted->user, USER_BYTES);
    at = copy_field(at, acted->firm, FIRM_BYTES);
    at = copy_word(at, name_market_state(acted->market_state));
    at = copy_int8_or_null(at, acted->match_number);
    at = copy_int4_or_null(at, acted->target_gateway);
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
