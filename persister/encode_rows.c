#include "encode_rows.h"

#include "base/require.h"
#include "base/units.h"
#include "encode_fields.h"
#include "encode_sort.h"

#include <string.h>

#define PLACES_TOGETHER_BITS 3
#define PLACES_TOGETHER      (1u << PLACES_TOGETHER_BITS)

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
    row_sets made_for; /* what wanted may ever be */
    row_sets wanted;
    uint32_t day;                   /* of all events */
    uint32_t options_of;            /* index of the order that ORDER_OPTIONS would belong to, + 1; 0: none */
    uint32_t counts[ROW_SET_COUNT]; /* entries of each list below */
    uint32_t *lists[ROW_SET_COUNT]; /* indexes into orders or kept, or rows of two (below) */
    uint64_t first_seq, last_seq, last_time_ns;
    uint64_t order_ref_first;
    uint64_t changed_ref_min, changed_ref_max;
    struct order_row *orders; /* two an event at most */
    struct event *kept;
    struct place *places;
    struct sort_entry *sorts[2]; /* as many entries each as the longest list */
};

/* An event is two rows of some sets, one of each of its two orders: their lists say which event, and of which order. */
static bool is_of_two(enum row_set set)
{
    return set == ROWS_STEPS || set == ROWS_EXECUTIONS;
}

static uint32_t entry_of_two(uint32_t kept_index, enum which_order which)
{
    return kept_index << 1 | which;
}

static uint32_t kept_of_two(uint32_t entry)
{
    return entry >> 1;
}

static enum which_order which_of_two(uint32_t entry)
{
    return (enum which_order)(entry & 1);
}

static uint32_t list_count_max(enum row_set set, uint32_t event_count_max)
{
    bool is_double = is_of_two(set) || set == ROWS_ORDERS_CHANGED || set == ROWS_ORDERS_RENUMBERED;
    return is_double ? 2 * event_count_max : event_count_max;
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
    size_t orders, kept, places, lists[ROW_SET_COUNT], sorts[2], end;
};

static size_t layout_take(struct layout *layout, size_t bytes)
{
    size_t at = layout->end;
    layout->end += (bytes + LINE_PAIR_BYTES - 1) / LINE_PAIR_BYTES * LINE_PAIR_BYTES;
    return at;
}

static struct layout layout_of(uint32_t event_count_max, row_sets wanted)
{
    struct layout layout = {0};
    size_t orders_of = wanted & ROW_SETS_ORDERS ? event_count_max : 0;
    size_t kept_of = wanted & ROW_SETS_EVENTS ? event_count_max : 0;
    (void)layout_take(&layout, sizeof(struct rows));
    layout.orders = layout_take(&layout, 2 * orders_of * sizeof(struct order_row));
    layout.kept = layout_take(&layout, kept_of * sizeof(struct event));
    layout.places = layout_take(&layout, orders_of ? sizeof(struct place) << place_bits(event_count_max) : 0);
    for (int set = 0; set < ROW_SET_COUNT; set++)
        layout.lists[set] = layout_take(&layout, sizeof(uint32_t) * list_count_max((enum row_set)set, event_count_max));
    for (int i = 0; i < 2; i++)
        layout.sorts[i] = layout_take(&layout, sizeof(struct sort_entry) * 2 * event_count_max);
    return layout;
}

size_t rows_bytes(uint32_t event_count_max, row_sets wanted)
{
    return layout_of(event_count_max, wanted).end;
}

static void places_forget(struct rows *rows)
{
    if (rows->made_for & ROW_SETS_ORDERS)
        memset(rows->places, 0, sizeof(*rows->places) * ((size_t)rows->place_mask + 1));
}

struct rows *rows_init(void *memory, uint32_t event_count_max, row_sets wanted)
{
    REQUIRE(event_count_max > 0);
    struct rows *rows = memory;
    uint8_t *bytes = memory;
    struct layout layout = layout_of(event_count_max, wanted);
    uint32_t bits = place_bits(event_count_max);
    memset(rows, 0, sizeof(*rows));
    rows->event_count_max = event_count_max;
    rows->made_for = rows->wanted = wanted;
    rows->place_mask = (UINT32_C(1) << bits) - 1;
    rows->place_shift = 64 - (bits - PLACES_TOGETHER_BITS);
    rows->orders = (struct order_row *)(void *)(bytes + layout.orders);
    rows->kept = (struct event *)(void *)(bytes + layout.kept);
    rows->places = (struct place *)(void *)(bytes + layout.places);
    for (int set = 0; set < ROW_SET_COUNT; set++)
        rows->lists[set] = (uint32_t *)(void *)(bytes + layout.lists[set]);
    for (int i = 0; i < 2; i++)
        rows->sorts[i] = (struct sort_entry *)(void *)(bytes + layout.sorts[i]);
    places_forget(rows);
    rows_clear(rows);
    return rows;
}

void rows_clear(struct rows *rows)
{
    rows->batch++;
    if (rows->batch == 0) { /* after four billion batches: forget what the numbers of old meant */
        places_forget(rows);
        rows->batch = 1;
    }
    rows->event_count = 0;
    rows->order_count = 0;
    rows->kept_count = 0;
    rows->options_of = 0;
    rows->order_ref_first = 0;
    rows->changed_ref_min = UINT64_MAX;
    rows->changed_ref_max = 0;
    memset(rows->counts, 0, sizeof(rows->counts));
}

void rows_want(struct rows *rows, row_sets wanted)
{
    REQUIRE(rows->event_count == 0 && (wanted & ~rows->made_for) == 0);
    rows->wanted = wanted;
}

/* ---- the orders of the batch ----------------------------------------------------------------------------------- */

static void list_add(struct rows *rows, enum row_set set, uint32_t entry)
{
    rows->lists[set][rows->counts[set]++] = entry;
}

/*
 * The place of this number, or the free one where it belongs. At most half the places are ever taken. Numbers that
 * follow each other, as those of new orders do, lie together: a small batch touches few lines of a large table.
 */
static struct place *place_of(struct rows *rows, uint64_t order_ref)
{
    uint64_t group = order_ref / PLACES_TOGETHER;
    uint32_t at = (uint32_t)((group * UINT64_C(0x9e3779b97f4a7c15)) >> rows->place_shift) * PLACES_TOGETHER +
                  (uint32_t)(order_ref % PLACES_TOGETHER);
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
    list_add(rows, set, index);
    memset(order, 0, sizeof(*order));
    order->key_ref = order->order_ref = order_ref;
    order->is_new = is_new;
    if (!is_new) {
        rows->changed_ref_min = order_ref < rows->changed_ref_min ? order_ref : rows->changed_ref_min;
        rows->changed_ref_max = order_ref > rows->changed_ref_max ? order_ref : rows->changed_ref_max;
    }
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

static void note_number(struct rows *rows, uint64_t order_ref)
{
    if (rows->order_ref_first == 0)
        rows->order_ref_first = order_ref;
}

/* ACCEPTED, and REPLACED, which has the same fields up to client_order_id. */
static struct order_row *order_enter(struct rows *rows, const struct event *event)
{
    const struct event_accepted *accepted = &event->accepted;
    struct order_row *order = order_add(rows, place_of(rows, accepted->order_ref), accepted->order_ref, true);
    bool live = event->reason != 'D';
    note_number(rows, accepted->order_ref);
    rows->options_of = (uint32_t)(order - rows->orders) + 1;
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

static void order_accept(struct rows *rows, const struct event *event)
{
    struct order_row *order = order_enter(rows, event);
    order->min_quantity = event->accepted.min_quantity;
    order->max_floor = event->accepted.max_floor;
}

/* The rarer options, of the order that the event before was about. */
static void order_options(struct rows *rows, const struct event *event)
{
    if (rows->options_of == 0)
        return;
    struct order_row *order = &rows->orders[rows->options_of - 1];
    if (event->options.min_quantity != 0)
        order->min_quantity = event->options.min_quantity;
    if (event->options.max_floor != 0)
        order->max_floor = event->options.max_floor;
    order->expire_s = event->options.expire_s;
    order->peg_offset_ticks = event->options.peg_offset_ticks;
    order->trigger_ticks = event->options.trigger_ticks;
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
    if (!order->is_new && order->order_ref == order->key_ref)
        list_add(rows, ROWS_ORDERS_RENUMBERED, (uint32_t)(order - rows->orders));
    note_number(rows, event->cut.order_ref);
    order->order_ref = event->cut.order_ref;
    struct place *place = place_of(rows, event->cut.order_ref);
    *place = (struct place){
        .order_ref = event->cut.order_ref, .batch = rows->batch, .index = (uint32_t)(order - rows->orders)};
}

/* ---- adding ------------------------------------------------------------------------------------------------------ */

static void change_orders(struct rows *rows, const struct event *event)
{
    switch (event->kind) {
    case EVENT_ACCEPTED:
        order_accept(rows, event);
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
        break;
    case EVENT_PRIORITY_UPDATED:
    case EVENT_RESTATED:
        order_reprice(rows, event);
        break;
    case EVENT_MODIFIED:
        order_modify(rows, event);
        break;
    case EVENT_ORDER_OPTIONS:
        order_options(rows, event);
        break;
    default: /* changes no order */
        break;
    }
}

/* The set besides ROWS_STEPS that an event of this kind is a row of; ROW_SET_COUNT: none. */
static enum row_set set_of(const struct event *event)
{
    switch (event->kind) {
    case EVENT_EXECUTED:
        return ROWS_EXECUTIONS;
    case EVENT_REJECTED:
        return ROWS_REJECTIONS;
    case EVENT_OPERATOR_ACTED:
        return ROWS_ACTIONS;
    case EVENT_BROKEN:
        return ROWS_BREAKS;
    case EVENT_LOGIN_ACCEPTED:
    case EVENT_SESSION_CLOSED:
        return ROWS_SESSIONS;
    case EVENT_INSTRUMENT_ADDED:
    case EVENT_MARKET_STATE_CHANGED:
    case EVENT_LIMITS_CHANGED:
        return event->instrument != 0 ? ROWS_INSTRUMENTS : ROW_SET_COUNT; /* those of a firm have no table */
    case EVENT_DAY_STARTED:
    case EVENT_DAY_ENDED:
        return ROWS_DAYS;
    default:
        return ROW_SET_COUNT;
    }
}

static void list_add_kept(struct rows *rows, enum row_set set, uint32_t row_count)
{
    for (uint32_t i = 0; i < row_count; i++)
        list_add(rows, set, entry_of_two(rows->kept_count, (enum which_order)i));
}

static void keep(struct rows *rows, const struct event *event)
{
    enum row_set set = set_of(event);
    uint32_t steps = rows->wanted & ROW_SET_BIT(ROWS_STEPS) ? fields_step_count(event) : 0;
    bool is_row = set < ROW_SET_COUNT && (rows->wanted & ROW_SET_BIT(set)) != 0;
    bool is_login = rows->wanted & ROW_SET_BIT(ROWS_LOGINS) && fields_is_login(event);
    if (!is_row && !is_login && steps == 0)
        return;
    if (is_row && is_of_two(set))
        list_add_kept(rows, set, 2);
    else if (is_row)
        list_add(rows, set, rows->kept_count);
    if (is_login)
        list_add(rows, ROWS_LOGINS, rows->kept_count);
    list_add_kept(rows, ROWS_STEPS, steps);
    rows->kept[rows->kept_count++] = *event;
}

bool rows_fits(const struct rows *rows, const struct event *event)
{
    return rows->event_count < rows->event_count_max &&
           (rows->event_count == 0 || day_of_time(event->time_ns) == rows->day);
}

void rows_add(struct rows *rows, const struct event *event)
{
    REQUIRE(rows_fits(rows, event));
    if (rows->event_count++ == 0) {
        rows->first_seq = event->event_seq;
        rows->day = day_of_time(event->time_ns);
    }
    rows->last_seq = event->event_seq;
    rows->last_time_ns = event->time_ns;
    if (rows->wanted & ROW_SETS_ORDERS) {
        if (event->kind != EVENT_ORDER_OPTIONS)
            rows->options_of = 0;
        change_orders(rows, event);
    }
    if (rows->wanted & ROW_SETS_EVENTS)
        keep(rows, event);
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

uint32_t rows_day(const struct rows *rows)
{
    return rows->day;
}

uint64_t rows_order_ref_first(const struct rows *rows)
{
    return rows->order_ref_first;
}

void rows_changed_range(const struct rows *rows, uint64_t *lowest, uint64_t *highest)
{
    *lowest = rows->changed_ref_min;
    *highest = rows->changed_ref_max;
}

/* Those with a new number are in the list of changed ones too, and are no rows of it. */
uint32_t rows_count(const struct rows *rows, enum row_set set)
{
    return rows->counts[set] - (set == ROWS_ORDERS_CHANGED ? rows->counts[ROWS_ORDERS_RENUMBERED] : 0);
}

uint32_t rows_order_count(const struct rows *rows)
{
    return rows->order_count;
}

const struct order_row *rows_order(const struct rows *rows, uint32_t index)
{
    return &rows->orders[index];
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

static uint64_t order_of_entry(const struct rows *rows, enum row_set set, uint32_t entry)
{
    return is_of_two(set) ? fields_step_order(&rows->kept[kept_of_two(entry)], which_of_two(entry))
                          : rows->orders[entry].key_ref;
}

static void list_sort(struct rows *rows, enum row_set set)
{
    uint32_t *list = rows->lists[set];
    for (uint32_t i = 0; i < rows->counts[set]; i++)
        rows->sorts[0][i] = (struct sort_entry){.order_ref = order_of_entry(rows, set, list[i]), .entry = list[i]};
    const struct sort_entry *sorted = sort_by_order(rows->sorts[0], rows->sorts[1], rows->counts[set]);
    for (uint32_t i = 0; i < rows->counts[set]; i++)
        list[i] = sorted[i].entry;
}

void rows_sort(struct rows *rows)
{
    list_sort(rows, ROWS_ORDERS_CHANGED);
    list_sort(rows, ROWS_STEPS);
    list_sort(rows, ROWS_EXECUTIONS);
}

/* ---- encoding ---------------------------------------------------------------------------------------------------- */

static uint8_t *encode_order(const struct rows *rows, enum row_set set, const struct rows_context *context,
                             uint32_t index, uint8_t *at)
{
    const struct order_row *order = &rows->orders[index];
    if (set == ROWS_ORDERS_NEW)
        return fields_order_new(at, order, rows->day);
    if (set == ROWS_ORDERS_CHANGED && order->order_ref != order->key_ref)
        return at;
    return fields_order_changed(at, order, order_days_of(context->days, order->key_ref), rows->day);
}

static uint8_t *encode_execution(const struct rows *rows, const struct rows_context *context, uint32_t entry,
                                 uint8_t *at)
{
    const struct event *event = &rows->kept[kept_of_two(entry)];
    return fields_execution(at, event, which_of_two(entry), symbol_of(context->symbols, event->instrument));
}

static uint8_t *encode_one(const struct rows *rows, enum row_set set, const struct rows_context *context,
                           uint32_t entry, uint8_t *at)
{
    switch (set) {
    case ROWS_ORDERS_NEW:
    case ROWS_ORDERS_CHANGED:
    case ROWS_ORDERS_RENUMBERED:
        return encode_order(rows, set, context, entry, at);
    case ROWS_STEPS:
        return fields_step(at, &rows->kept[kept_of_two(entry)], which_of_two(entry));
    case ROWS_EXECUTIONS:
        return encode_execution(rows, context, entry, at);
    case ROWS_REJECTIONS:
        return fields_rejection(at, &rows->kept[entry]);
    case ROWS_BREAKS:
        return fields_break(at, &rows->kept[entry]);
    case ROWS_LOGINS:
        return fields_login(at, &rows->kept[entry]);
    case ROWS_ACTIONS:
        return fields_action(at, &rows->kept[entry]);
    case ROWS_SESSIONS:
        return fields_session(at, &rows->kept[entry]);
    case ROWS_INSTRUMENTS:
        return fields_instrument(at, &rows->kept[entry]);
    case ROWS_DAYS:
        return fields_day(at, &rows->kept[entry]);
    case ROW_SET_COUNT:
    default:
        REQUIRE(set < ROW_SET_COUNT);
        return at;
    }
}

size_t rows_encode(const struct rows *rows, enum row_set set, const struct rows_context *context, uint32_t *cursor,
                   uint8_t *bytes, size_t bytes_max)
{
    REQUIRE(bytes_max >= ROW_BYTES_MAX);
    uint8_t *at = bytes;
    const uint8_t *last = bytes + bytes_max - ROW_BYTES_MAX;
    for (; *cursor < rows->counts[set] && at <= last; (*cursor)++)
        at = encode_one(rows, set, context, rows->lists[set][*cursor], at);
    return (size_t)(at - bytes);
}
