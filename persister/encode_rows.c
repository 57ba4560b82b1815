#include "encode_rows.h"

#include "base/require.h"
#include "base/units.h"
#include "encode_fields.h"

#include <string.h>

/* Where an order's row is, by its number. A place of an earlier batch counts as free. */
struct place {
    uint64_t order_ref;
    uint32_t batch;
    uint32_t index; /* into orders */
};

struct rows {
    uint32_t event_count_max;
    uint32_t place_mask;
    uint32_t place_shift;
    uint32_t batch; /* counts rows_clear, so that the places need not be */
    uint32_t event_count;
    uint32_t order_count;
    uint32_t kept_count;
    uint32_t counts[ROW_SET_COUNT]; /* entries of each list below */
    uint32_t *lists[ROW_SET_COUNT]; /* indexes into orders or kept */
    uint64_t first_seq, last_seq, last_time_ns;
    struct order_row *orders; /* two an event at most */
    struct event *kept;
    struct place *places;
};

/* Lists of orders have two entries an event (both sides of a trade), the others one. */
static uint32_t list_count_max(enum row_set set, uint32_t event_count_max)
{
    return set == ROWS_ORDERS_CHANGED ? 2 * event_count_max : event_count_max;
}

static uint32_t place_bits(uint32_t event_count_max)
{
    uint32_t bits = 6;
    while ((UINT64_C(1) << bits) < UINT64_C(4) * event_count_max)
        bits++;
    return bits;
}

/* Where in the caller's memory each piece begins. */
struct layout {
    size_t orders, kept, places, lists[ROW_SET_COUNT], end;
};

static size_t layout_take(struct layout *layout, size_t bytes)
{
    size_t at = layout->end;
    layout->end += (bytes + LINE_PAIR_BYTES - 1) / LINE_PAIR_BYTES * LINE_PAIR_BYTES;
    return at;
}

static struct layout layout_of(uint32_t event_count_max)
{
    struct layout layout = {0};
    (void)layout_take(&layout, sizeof(struct rows));
    layout.orders = layout_take(&layout, 2 * (size_t)event_count_max * sizeof(struct order_row));
    layout.kept = layout_take(&layout, (size_t)event_count_max * sizeof(struct event));
    layout.places = layout_take(&layout, sizeof(struct place) << place_bits(event_count_max));
    for (int set = 0; set < ROW_SET_COUNT; set++)
        layout.lists[set] = layout_take(&layout, sizeof(uint32_t) * list_count_max((enum row_set)set, event_count_max));
    return layout;
}

size_t rows_bytes(uint32_t event_count_max)
{
    return layout_of(event_count_max).end;
}

struct rows *rows_init(void *memory, uint32_t event_count_max)
{
    REQUIRE(event_count_max > 0);
    struct rows *rows = memory;
    uint8_t *bytes = memory;
    struct layout layout = layout_of(event_count_max);
    uint32_t bits = place_bits(event_count_max);
    memset(rows, 0, sizeof(*rows));
    rows->event_count_max = event_count_max;
    rows->place_mask = (UINT32_C(1) << bits) - 1;
    rows->place_shift = 64 - bits;
    rows->orders = (struct order_row *)(void *)(bytes + layout.orders);
    rows->kept = (struct event *)(void *)(bytes + layout.kept);
    rows->places = (struct place *)(void *)(bytes + layout.places);
    for (int set = 0; set < ROW_SET_COUNT; set++)
        rows->lists[set] = (uint32_t *)(void *)(bytes + layout.lists[set]);
    memset(rows->places, 0, sizeof(*rows->places) << bits);
    rows_clear(rows);
    return rows;
}

void rows_clear(struct rows *rows)
{
    rows->batch++;
    if (rows->batch == 0) { /* after four billion batches: forget what the numbers of old meant */
        memset(rows->places, 0, sizeof(*rows->places) * ((size_t)rows->place_mask + 1));
        rows->batch = 1;
    }
    rows->event_count = 0;
    rows->order_count = 0;
    rows->kept_count = 0;
    memset(rows->counts, 0, sizeof(rows->counts));
}

/* ---- the orders of the batch ----------------------------------------------------------------------------------- */

/* The place of this number, or the free one where it belongs. At most half the places are ever taken. */
static struct place *place_of(struct rows *rows, uint64_t order_ref)
{
    uint32_t at = (uint32_t)((order_ref * UINT64_C(0x9e3779b97f4a7c15)) >> rows->place_shift);
    for (;; at++) {
        struct place *place = &rows->places[at & rows->place_mask];
        if (place->batch != rows->batch || place->order_ref == order_ref)
            return place;
    }
}

static struct order_row *order_add(struct rows *rows, struct place *place, uint64_t order_ref, bool is_new)
{
    REQUIRE(rows->order_count < 2 * rows->event_count_max);
    enum row_set set = is_new ? ROWS_ORDERS_NEW : ROWS_ORDERS_CHANGED;
    uint32_t index = rows->order_count++;
    struct order_row *order = &rows->orders[index];
    *place = (struct place){.order_ref = order_ref, .batch = rows->batch, .index = index};
    rows->lists[set][rows->counts[set]++] = index;
    memset(order, 0, sizeof(*order));
    order->key_ref = order->order_ref = order_ref;
    order->is_new = is_new;
    return order;
}

/* The row of an order that something happens to now. */
static struct order_row *order_touch(struct rows *rows, uint64_t order_ref, const struct event *event)
{
    struct place *place = place_of(rows, order_ref);
    struct order_row *order =
        place->batch == rows->batch ? &rows->orders[place->index] : order_add(rows, place, order_ref, false);
    order->updated_ns = event->time_ns;
    order->event_seq = event->event_seq;
    return order;
}

/* ACCEPTED, and REPLACED, which has the same fields up to client_order_id. */
static struct order_row *order_enter(struct rows *rows, const struct event *event)
{
    const struct event_accepted *accepted = &event->accepted;
    struct order_row *order = order_add(rows, place_of(rows, accepted->order_ref), accepted->order_ref, true);
    bool live = event->reason != 'D';
    order->entered_ns = order->updated_ns = event->time_ns;
    order->entered_seq = order->event_seq = event->event_seq;
    order->session = event->session;
    order->user_ref = event->user_ref;
    order->instrument = event->instrument;
    order->side = event->side;
    order->quantity = accepted->quantity;
    order->leaves = live ? accepted->quantity : 0;
    order->canceled = live ? 0 : accepted->quantity;
    order->state = live ? ORDER_LIVE : ORDER_DEAD;
    order->price_ticks = accepted->price_ticks;
    order->time_in_force = accepted->time_in_force;
    order->display = accepted->display;
    order->capacity = accepted->capacity;
    memcpy(order->symbol, accepted->symbol, SYMBOL_BYTES);
    memcpy(order->firm, accepted->firm, FIRM_BYTES);
    memcpy(order->client_order_id, accepted->client_order_id, CLIENT_ORDER_ID_BYTES);
    return order;
}

static void order_replace(struct rows *rows, const struct event *event)
{
    struct order_row *before = order_touch(rows, event->replaced.previous_order_ref, event);
    before->state = ORDER_REPLACED;
    before->leaves = 0;
    order_enter(rows, event)->previous_order_ref = event->replaced.previous_order_ref;
}

static void order_cancel(struct rows *rows, const struct event *event)
{
    struct order_row *order = order_touch(rows, event->cut.order_ref, event);
    order->canceled += event->cut.decrement;
    order->leaves = event->cut.leaves_quantity;
    order->state = ORDER_LIVE;
    if (order->leaves == 0) {
        order->state = ORDER_CANCELED;
        order->reason = event->reason;
    }
}

static void order_execute(struct rows *rows, uint64_t order_ref, uint32_t leaves, const struct event *event)
{
    struct order_row *order = order_touch(rows, order_ref, event);
    order->executed += event->trade.quantity;
    order->value_ticks += (uint64_t)event->trade.price_ticks * event->trade.quantity;
    order->leaves = leaves;
    order->state = leaves == 0 ? ORDER_FILLED : ORDER_LIVE;
}

static void order_modify(struct rows *rows, const struct event *event)
{
    struct order_row *order = order_touch(rows, event->cut.order_ref, event);
    order->canceled += event->cut.decrement;
    order->leaves = event->cut.leaves_quantity;
    order->state = ORDER_LIVE;
    order->side = event->side;
}

/* The order may get a new number: its row in the table is still found by the one it had. */
static void order_reprice(struct rows *rows, const struct event *event)
{
    uint64_t known_ref = event->cut.previous_order_ref != 0 ? event->cut.previous_order_ref : event->cut.order_ref;
    struct order_row *order = order_touch(rows, known_ref, event);
    order->leaves = event->cut.leaves_quantity;
    order->state = ORDER_LIVE;
    order->price_ticks = event->cut.price_ticks;
    order->is_repriced = true;
    order->display = event->cut.display;
    if (event->cut.order_ref == known_ref)
        return;
    order->order_ref = event->cut.order_ref;
    struct place *place = place_of(rows, event->cut.order_ref);
    *place = (struct place){
        .order_ref = event->cut.order_ref, .batch = rows->batch, .index = (uint32_t)(order - rows->orders)};
}

/* ---- adding ------------------------------------------------------------------------------------------------------ */

static void keep(struct rows *rows, enum row_set set, const struct event *event)
{
    rows->lists[set][rows->counts[set]++] = rows->kept_count;
    rows->kept[rows->kept_count++] = *event;
}

static void add_by_kind(struct rows *rows, const struct event *event)
{
    switch ((enum event_kind)event->kind) {
    case EVENT_ACCEPTED:
        order_enter(rows, event);
        break;
    case EVENT_REPLACED:
        order_replace(rows, event);
        break;
    case EVENT_CANCELED:
    case EVENT_SELF_MATCH_CANCELED:
        order_cancel(rows, event);
        break;
    case EVENT_EXECUTED:
        order_execute(rows, event->trade.order_ref, event->trade.leaves_quantity, event);
        order_execute(rows, event->trade.maker_order_ref, event->trade.maker_leaves_quantity, event);
        keep(rows, ROWS_EXECUTIONS, event);
        break;
    case EVENT_PRIORITY_UPDATED:
    case EVENT_RESTATED:
        order_reprice(rows, event);
        break;
    case EVENT_MODIFIED:
        order_modify(rows, event);
        break;
    case EVENT_REJECTED:
        keep(rows, ROWS_REJECTIONS, event);
        break;
    case EVENT_BROKEN:
        keep(rows, ROWS_BREAKS, event);
        break;
    case EVENT_LOGIN_ACCEPTED:
    case EVENT_SESSION_CLOSED:
        keep(rows, ROWS_SESSIONS, event);
        break;
    case EVENT_INSTRUMENT_ADDED:
    case EVENT_MARKET_STATE_CHANGED:
    case EVENT_LIMITS_CHANGED:
        if (event->instrument != 0) /* those of a firm have no table */
            keep(rows, ROWS_INSTRUMENTS, event);
        break;
    case EVENT_DAY_STARTED:
    case EVENT_DAY_ENDED:
        keep(rows, ROWS_DAYS, event);
        break;
    case EVENT_CANCEL_PENDING: /* these change no row */
    case EVENT_CANCEL_REJECTED:
    case EVENT_MASS_CANCELED:
    case EVENT_ENTRY_DISABLED:
    case EVENT_ENTRY_ENABLED:
    case EVENT_ACCOUNT_ANSWER:
    case EVENT_SYSTEM_EVENT:
    case EVENT_ORDER_OPTIONS:
    case EVENT_LOGIN_REFUSED:
    case EVENT_BOOK_TOP:
    case EVENT_COMMAND_REFUSED:
    case EVENT_CHECKPOINT:
    default:
        break;
    }
}

void rows_add(struct rows *rows, const struct event *event)
{
    REQUIRE(rows->event_count < rows->event_count_max);
    if (rows->event_count++ == 0)
        rows->first_seq = event->event_seq;
    rows->last_seq = event->event_seq;
    rows->last_time_ns = event->time_ns;
    add_by_kind(rows, event);
}

bool rows_full(const struct rows *rows)
{
    return rows->event_count == rows->event_count_max;
}

uint32_t rows_event_count(const struct rows *rows)
{
    return rows->event_count;
}

uint64_t rows_first_seq(const struct rows *rows)
{
    return rows->first_seq;
}

uint64_t rows_last_seq(const struct rows *rows)
{
    return rows->last_seq;
}

uint64_t rows_last_time_ns(const struct rows *rows)
{
    return rows->last_time_ns;
}

uint32_t rows_count(const struct rows *rows, enum row_set set)
{
    return set == ROWS_EXECUTIONS ? 2 * rows->counts[set] : rows->counts[set];
}

/* ---- encoding ---------------------------------------------------------------------------------------------------- */

static uint8_t *encode_one(const struct rows *rows, enum row_set set, const struct symbol_table *symbols,
                           uint32_t index, uint8_t *at)
{
    switch (set) {
    case ROWS_ORDERS_NEW:
        return fields_order_new(at, &rows->orders[index]);
    case ROWS_ORDERS_CHANGED:
        return fields_order_changed(at, &rows->orders[index]);
    case ROWS_EXECUTIONS:
        return fields_execution(at, &rows->kept[index], symbol_of(symbols, rows->kept[index].instrument));
    case ROWS_REJECTIONS:
        return fields_rejection(at, &rows->kept[index]);
    case ROWS_BREAKS:
        return fields_break(at, &rows->kept[index]);
    case ROWS_SESSIONS:
        return fields_session(at, &rows->kept[index]);
    case ROWS_INSTRUMENTS:
        return fields_instrument(at, &rows->kept[index]);
    case ROWS_DAYS:
        return fields_day(at, &rows->kept[index]);
    case ROW_SET_COUNT:
    default:
        REQUIRE(set < ROW_SET_COUNT);
        return at;
    }
}

size_t rows_encode(const struct rows *rows, enum row_set set, const struct symbol_table *symbols, uint32_t *cursor,
                   uint8_t *bytes, size_t bytes_max)
{
    REQUIRE(bytes_max >= 2 * ROW_BYTES_MAX);
    uint8_t *at = bytes;
    const uint8_t *last = bytes + bytes_max - 2 * ROW_BYTES_MAX;
    for (; *cursor < rows->counts[set] && at <= last; (*cursor)++)
        at = encode_one(rows, set, symbols, rows->lists[set][*cursor], at);
    return (size_t)(at - bytes);
}
