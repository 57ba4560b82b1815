/* What the events make of each order, by docs/records.md and docs/stores.md: what the stores must hold. */
#include "audit.h"

#include <string.h>

#define ORDERS_MAX (UINT64_C(1) << 28)

static struct {
    struct order_row *rows; /* by order_ref */
    uint64_t count;         /* the highest order_ref */
    char symbols[AUDIT_INSTRUMENTS_MAX][SYMBOL_BYTES];
} orders;

uint64_t orders_count(void)
{
    return orders.count;
}

const struct order_row *orders_at(uint64_t order_ref)
{
    bool there = order_ref != 0 && order_ref <= orders.count && orders.rows[order_ref].order_ref == order_ref;
    return there ? &orders.rows[order_ref] : NULL;
}

const char *symbol_at(uint32_t instrument)
{
    return instrument < AUDIT_INSTRUMENTS_MAX ? orders.symbols[instrument] : "";
}

static struct order_row *touch(uint64_t order_ref, const struct event *event)
{
    static struct order_row nobody;
    if (!orders_at(order_ref)) {
        wrong("event %llu is about order %llu, which there is not", (unsigned long long)event->event_seq,
              (unsigned long long)order_ref);
        return &nobody;
    }
    orders.rows[order_ref].updated_ns = event->time_ns;
    orders.rows[order_ref].event_seq = event->event_seq;
    return &orders.rows[order_ref];
}

static void enter(const struct event *event, uint64_t previous)
{
    const struct event_accepted *accepted = &event->accepted;
    if (!orders.rows)
        orders.rows = room_for(ORDERS_MAX, sizeof(*orders.rows));
    if (accepted->order_ref <= orders.count || accepted->order_ref >= ORDERS_MAX)
        wrong("event %llu gives the order number %llu, after %llu", (unsigned long long)event->event_seq,
              (unsigned long long)accepted->order_ref, (unsigned long long)orders.count);
    orders.count = accepted->order_ref;
    struct order_row *row = &orders.rows[accepted->order_ref % ORDERS_MAX];
    bool live = event->reason == 'L';
    *row = (struct order_row){
        .order_ref = accepted->order_ref,
        .previous_order_ref = previous,
        .entered_ns = event->time_ns,
        .updated_ns = event->time_ns,
        .entered_seq = event->event_seq,
        .event_seq = event->event_seq,
        .session = event->session,
        .user_ref = event->user_ref,
        .instrument = event->instrument,
        .quantity = accepted->quantity,
        .canceled = live ? 0 : accepted->quantity,
        .leaves = live ? accepted->quantity : 0,
        .price_ticks = accepted->price_ticks,
        .side = event->side,
        .time_in_force = accepted->time_in_force,
        .display = accepted->display,
        .capacity = accepted->capacity,
        .state = live ? 'l' : 'd',
    };
    memcpy(row->symbol, accepted->symbol, SYMBOL_BYTES);
    memcpy(row->firm, accepted->firm, FIRM_BYTES);
    memcpy(row->client_order_id, accepted->client_order_id, CLIENT_ORDER_ID_BYTES);
}

static void take_off(struct order_row *row, uint32_t quantity, const struct event *event)
{
    if (row->state != 'l' || quantity == 0 || quantity > row->leaves)
        wrong("event %llu takes %u off order %llu, which has %u left", (unsigned long long)event->event_seq, quantity,
              (unsigned long long)row->order_ref, row->leaves);
    row->leaves -= quantity;
}

static void fill(uint64_t order_ref, uint32_t leaves, const struct event *event)
{
    struct order_row *row = touch(order_ref, event);
    take_off(row, event->trade.quantity, event);
    if (row->leaves != leaves)
        wrong("event %llu says that order %llu has %u left, it has %u", (unsigned long long)event->event_seq,
              (unsigned long long)order_ref, leaves, row->leaves);
    row->executed += event->trade.quantity;
    row->value_ticks += (uint64_t)event->trade.price_ticks * event->trade.quantity;
    if (row->leaves == 0)
        row->state = 'f';
}

static void cut(const struct event *event)
{
    struct order_row *row = touch(event->cut.order_ref, event);
    take_off(row, event->cut.decrement, event);
    row->canceled += event->cut.decrement;
    if (row->leaves != 0)
        return;
    row->state = 'c';
    row->reason = event->reason;
}

static void replace(const struct event *event)
{
    struct order_row *row = touch(event->replaced.previous_order_ref, event);
    if (row->state != 'l')
        wrong("event %llu replaces order %llu, which is not live", (unsigned long long)event->event_seq,
              (unsigned long long)row->order_ref);
    row->state = 'r';
    row->leaves = 0;
    enter(event, event->replaced.previous_order_ref);
}

void orders_event(const struct event *event)
{
    if (event->kind == EVENT_ACCEPTED)
        enter(event, 0);
    else if (event->kind == EVENT_REPLACED)
        replace(event);
    else if (event->kind == EVENT_CANCELED)
        cut(event);
    else if (event->kind == EVENT_INSTRUMENT_ADDED && event->instrument < AUDIT_INSTRUMENTS_MAX)
        memcpy(orders.symbols[event->instrument], event->admin.symbol, SYMBOL_BYTES);
    if (event->kind != EVENT_EXECUTED)
        return;
    fill(event->trade.order_ref, event->trade.leaves_quantity, event);
    fill(event->trade.maker_order_ref, event->trade.maker_leaves_quantity, event);
}
