/*
 * Steps of orders: for each event that an order's user is told of, or that changes the order, a row; a trade is a step
 * of two orders, and so is a replacement: the old order's last and the new one's first.
 */
#include "encode_copy.h"
#include "encode_fields.h"
#include "encode_names.h"

#define STEP_FIELDS 12

struct step {
    const char *name;
    const char *reason; /* NULL: none, or of no meaning */
    uint64_t order_ref;
    uint64_t previous_order_ref; /* 0: none */
    uint64_t match_number;       /* 0: no trade */
    uint32_t quantity;
    uint32_t leaves;
    int32_t price_ticks;
    bool has_quantity;
    bool has_price;
    bool has_leaves;
};

static uint8_t *copy_step(uint8_t *at, const struct event *event, const struct step *step)
{
    at = copy_row(at, STEP_FIELDS);
    at = copy_date(at, day_of_time(event->time_ns));
    at = copy_int8(at, event->event_seq);
    at = copy_int8(at, step->order_ref);
    at = copy_word(at, step->name);
    at = step->has_quantity ? copy_int4(at, step->quantity) : copy_null(at);
    at = step->has_price && step->price_ticks != PRICE_TICKS_MARKET ? copy_numeric(at, step->price_ticks)
                                                                    : copy_null(at);
    at = step->has_leaves ? copy_int4(at, step->leaves) : copy_null(at);
    at = copy_word(at, step->reason);
    at = copy_int8_or_null(at, step->previous_order_ref);
    at = copy_int8_or_null(at, step->match_number);
    at = copy_time(at, event->time_ns);
    return copy_int8(at, event->time_ns);
}

/* ACCEPTED, and the new order of REPLACED, which has the same fields up to client_order_id. */
static uint8_t *copy_accepted(uint8_t *at, const struct event *event, uint64_t previous_order_ref)
{
    bool is_dead = event->reason == 'D';
    struct step step = {.name = "accepted",
                        .reason = is_dead ? "dead" : NULL,
                        .order_ref = event->accepted.order_ref,
                        .previous_order_ref = previous_order_ref,
                        .quantity = event->accepted.quantity,
                        .leaves = is_dead ? 0 : event->accepted.quantity,
                        .price_ticks = event->accepted.price_ticks,
                        .has_quantity = true,
                        .has_price = true,
                        .has_leaves = true};
    return copy_step(at, event, &step);
}

static uint8_t *copy_replaced(uint8_t *at, const struct event *event)
{
    struct step step = {
        .name = "replaced", .order_ref = event->replaced.previous_order_ref, .leaves = 0, .has_leaves = true};
    return copy_step(at, event, &step);
}

static uint8_t *copy_trade(uint8_t *at, const struct event *event, enum which_order which)
{
    const struct event_trade *trade = &event->trade;
    bool is_maker = which == SECOND_ORDER;
    bool is_broken = event->kind == EVENT_BROKEN;
    struct step step = {.name = is_broken ? "broken" : "executed",
                        .reason = is_broken ? name_break_reason(event->reason) : NULL,
                        .order_ref = fields_step_order(event, which),
                        .match_number = trade->match_number,
                        .quantity = trade->quantity,
                        .leaves = is_maker ? trade->maker_leaves_quantity : trade->leaves_quantity,
                        .price_ticks = trade->price_ticks,
                        .has_quantity = true,
                        .has_price = true,
                        .has_leaves = !is_broken};
    return copy_step(at, event, &step);
}

static const char *cut_name(uint8_t kind)
{
    switch (kind) {
    case EVENT_CANCELED:
        return "canceled";
    case EVENT_SELF_MATCH_CANCELED:
        return "self-match canceled";
    case EVENT_CANCEL_PENDING:
        return "cancel pending";
    case EVENT_CANCEL_REJECTED:
        return "cancel rejected";
    case EVENT_PRIORITY_UPDATED:
        return "priority updated";
    case EVENT_MODIFIED:
        return "modified";
    case EVENT_RESTATED:
        return "restated";
    default:
        return NULL;
    }
}

static uint8_t *copy_cut(uint8_t *at, const struct event *event)
{
    const struct event_cut *cut = &event->cut;
    bool is_answer = event->kind == EVENT_CANCEL_PENDING || event->kind == EVENT_CANCEL_REJECTED;
    bool is_cancel = event->kind == EVENT_CANCELED || event->kind == EVENT_SELF_MATCH_CANCELED;
    struct step step = {.name = cut_name(event->kind),
                        .reason = is_cancel ? name_cancel_reason(event->reason) : NULL,
                        .order_ref = cut->order_ref,
                        .previous_order_ref = cut->previous_order_ref,
                        .quantity = cut->decrement,
                        .leaves = cut->leaves_quantity,
                        .price_ticks = cut->price_ticks,
                        .has_quantity = cut->decrement != 0,
                        .has_price = !is_answer,
                        .has_leaves = !is_answer};
    return copy_step(at, event, &step);
}

uint32_t fields_step_count(const struct event *event)
{
    switch (event->kind) {
    case EVENT_ACCEPTED:
        return 1;
    case EVENT_REPLACED:
    case EVENT_EXECUTED:
        return 2;
    case EVENT_BROKEN: /* the engine names the trade, not its orders */
        return event->trade.order_ref != 0 && event->trade.maker_order_ref != 0 ? 2 : 0;
    default: /* an answer to a cancel may name no order */
        return cut_name(event->kind) && event->cut.order_ref != 0 ? 1 : 0;
    }
}

uint64_t fields_step_order(const struct event *event, enum which_order which)
{
    switch (event->kind) {
    case EVENT_ACCEPTED:
        return event->accepted.order_ref;
    case EVENT_REPLACED:
        return which == FIRST_ORDER ? event->replaced.previous_order_ref : event->accepted.order_ref;
    case EVENT_EXECUTED:
    case EVENT_BROKEN:
        return which == FIRST_ORDER ? event->trade.order_ref : event->trade.maker_order_ref;
    default:
        return event->cut.order_ref;
    }
}

uint8_t *fields_step(uint8_t *at, const struct event *event, enum which_order which)
{
    switch (event->kind) {
    case EVENT_ACCEPTED:
        return copy_accepted(at, event, 0);
    case EVENT_REPLACED:
        return which == FIRST_ORDER ? copy_replaced(at, event)
                                    : copy_accepted(at, event, event->replaced.previous_order_ref);
    case EVENT_EXECUTED:
    case EVENT_BROKEN:
        return copy_trade(at, event, which);
    default:
        return copy_cut(at, event);
    }
}
