/*
 * Orders: each one's last state is made from its events, and compared with its row at the end; and where each day's
 * numbers begin, order_days (check.h).
 */
#include "check.h"

#include "base/require.h"
#include "base/units.h"
#include "encode_copy.h"
#include "encode_fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH_EVENTS 4096
#define PLACES_BEGIN (1u << 16)
#define REF_FIELD    0
#define LIST_BEGIN   (1u << 16)
#define HASH_BEGIN   UINT64_C(0xcbf29ce484222325) /* FNV-1a */
#define HASH_FACTOR  UINT64_C(0x100000001b3)

/* An order whose story goes on. */
struct live_order {
    struct order_row row; /* as the table must have it; order_ref 0: a free place */
    uint32_t day;
};

/* One whose story is over: its row's checksum is all that is kept. */
struct told_order {
    uint64_t order_ref;
    uint64_t hash;
};

struct orders_model {
    struct live_order *places; /* by order_ref, open addressing */
    uint32_t place_count, live_count;
    struct told_order *told;
    uint64_t told_count, told_max;
    uint64_t wanted_ref; /* its row is kept, for the diagnosis; 0: none */
    struct live_order wanted;
    bool is_out_of_memory;
    struct order_days *days; /* where the numbers of each begin */
    uint32_t day_first;      /* of the first event that was looked at; 0: there was none */
    struct check_result *result;
    const struct check_postgres *postgres;
    struct rows *rows;
};

/* ---- orders by number -------------------------------------------------------------------------------------------- */

static struct live_order *place_of(const struct orders_model *model, uint64_t order_ref)
{
    uint32_t mask = model->place_count - 1;
    uint32_t at = (uint32_t)((order_ref * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
    while (model->places[at & mask].row.order_ref != 0 && model->places[at & mask].row.order_ref != order_ref)
        at++;
    return &model->places[at & mask];
}

static void grow(struct orders_model *model)
{
    struct orders_model larger = {.place_count = model->place_count * 2};
    larger.places = calloc(larger.place_count, sizeof(struct live_order));
    if (!larger.places) {
        model->is_out_of_memory = true;
        return;
    }
    for (uint32_t i = 0; i < model->place_count; i++)
        if (model->places[i].row.order_ref != 0)
            *place_of(&larger, model->places[i].row.order_ref) = model->places[i];
    free(model->places);
    model->places = larger.places;
    model->place_count = larger.place_count;
}

static void put(struct orders_model *model, const struct live_order *order)
{
    if (2 * (uint64_t)model->live_count >= model->place_count)
        grow(model);
    if (model->is_out_of_memory)
        return;
    *place_of(model, order->row.order_ref) = *order;
    model->live_count++;
}

/* Takes an order out; those behind it that its place had pushed on move back. */
static void take_out(struct orders_model *model, struct live_order *place)
{
    uint32_t mask = model->place_count - 1;
    uint32_t at = (uint32_t)(place - model->places);
    place->row.order_ref = 0;
    model->live_count--;
    for (at = (at + 1) & mask; model->places[at].row.order_ref != 0; at = (at + 1) & mask) {
        struct live_order moved = model->places[at];
        model->places[at].row.order_ref = 0;
        *place_of(model, moved.row.order_ref) = moved;
    }
}

/* ---- the story of an order --------------------------------------------------------------------------------------- */

static uint64_t hash_of(const uint8_t *bytes, size_t size)
{
    uint64_t hash = HASH_BEGIN;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * HASH_FACTOR;
    return hash;
}

static void tell(struct orders_model *model, const struct live_order *order)
{
    uint8_t bytes[ROW_BYTES_MAX];
    if (!check_day_attached(model->postgres, order->day))
        return;
    if (order->row.order_ref == model->wanted_ref)
        model->wanted = *order;
    if (model->told_count == model->told_max) {
        uint64_t larger = model->told_max ? 2 * model->told_max : LIST_BEGIN;
        struct told_order *told = realloc(model->told, larger * sizeof(*told));
        if (!told) {
            model->is_out_of_memory = true;
            return;
        }
        model->told = told;
        model->told_max = larger;
    }
    size_t size = (size_t)(fields_order_new(bytes, &order->row, order->day) - bytes);
    model->told[model->told_count++] =
        (struct told_order){.order_ref = order->row.order_ref, .hash = hash_of(bytes, size)};
}

static bool goes_on(const struct live_order *order)
{
    return order->row.state == ORDER_LIVE;
}

/* What the merge of a changed row does to the row that is there. */
static void merge(struct live_order *order, const struct order_row *change, uint32_t day)
{
    struct order_row *row = &order->row;
    row->executed += change->executed;
    row->canceled += change->canceled;
    row->value_ticks += change->value_ticks;
    row->leaves = change->leaves;
    row->state = change->state;
    row->reason = change->reason ? change->reason : row->reason;
    row->side = change->side ? change->side : row->side;
    row->display = change->display ? change->display : row->display;
    row->price_ticks = change->is_repriced ? change->price_ticks : row->price_ticks;
    row->updated_ns = change->updated_ns;
    row->event_seq = change->event_seq;
    if (change->order_ref != change->key_ref) {
        row->order_ref = change->order_ref;
        order->day = day;
    }
}

static void apply_order(struct orders_model *model, const struct order_row *row)
{
    struct live_order order = {.row = *row, .day = rows_day(model->rows)};
    if (!row->is_new) {
        struct live_order *place = place_of(model, row->key_ref);
        if (place->row.order_ref == 0) {
            check_differs(model->result,
                          "event %" PRIu64 " changes order %" PRIu64 ", which the events before do not have",
                          row->event_seq, row->key_ref);
            return;
        }
        order = *place;
        take_out(model, place);
        merge(&order, row, rows_day(model->rows));
    }
    if (goes_on(&order))
        put(model, &order);
    else
        tell(model, &order);
}

static void apply_days(struct orders_model *model)
{
    uint64_t order_ref_first = rows_order_ref_first(model->rows);
    if (model->day_first == 0 && rows_event_count(model->rows) > 0)
        model->day_first = rows_day(model->rows);
    if (order_ref_first != 0)
        (void)order_days_note(model->days, order_ref_first, rows_day(model->rows));
}

static void apply_batch(struct orders_model *model)
{
    apply_days(model);
    for (uint32_t i = 0; i < rows_order_count(model->rows); i++)
        apply_order(model, rows_order(model->rows, i));
    rows_clear(model->rows);
}

static int by_ref(const void *a, const void *b)
{
    const struct told_order *left = a;
    const struct told_order *right = b;
    return (left->order_ref > right->order_ref) - (left->order_ref < right->order_ref);
}

static int run_model(struct orders_model *model, struct error *error)
{
    struct check_events *events = NULL;
    const struct check_postgres *postgres = model->postgres;
    const struct event *event;
    int code = check_events_open(&events, &postgres->log, postgres->orders_first_seq, postgres->orders_seq, error);
    while (code >= 0 && (event = check_events_next(events, &code, error))) {
        if (!rows_fits(model->rows, event))
            apply_batch(model);
        rows_add(model->rows, event);
    }
    check_events_close(events);
    if (code < 0)
        return code;
    apply_batch(model);
    for (uint32_t i = 0; i < model->place_count; i++)
        if (model->places[i].row.order_ref != 0)
            tell(model, &model->places[i]);
    if (model->is_out_of_memory)
        return error_set(error, ERROR_SYSTEM, "orders", "no memory for all of them");
    if (model->told_count > 0)
        qsort(model->told, model->told_count, sizeof(*model->told), by_ref);
    return 0;
}

static void finish_model(struct orders_model *model)
{
    free(model->places);
    free(model->told);
    free(model->days);
    free(model->rows);
}

static int open_model(struct orders_model *model, struct error *error)
{
    size_t bytes =
        (rows_bytes(BATCH_EVENTS, ROW_SETS_ORDERS) + LINE_PAIR_BYTES - 1) / LINE_PAIR_BYTES * LINE_PAIR_BYTES;
    void *memory = aligned_alloc(LINE_PAIR_BYTES, bytes);
    model->place_count = PLACES_BEGIN;
    model->places = calloc(model->place_count, sizeof(struct live_order));
    model->days = calloc(1, sizeof(*model->days));
    if (memory)
        model->rows = rows_init(memory, BATCH_EVENTS, ROW_SETS_ORDERS);
    if (!memory || !model->places || !model->days)
        return error_set(error, ERROR_SYSTEM, "orders", "no memory to follow them");
    return 0;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

/* The same again, to see the whole row that one order should have. */
static int diagnose(const struct check_postgres *postgres, const struct check_row *found, uint64_t order_ref,
                    struct check_result *result, struct error *error)
{
    struct check_result ignored = {0};
    struct orders_model model = {.postgres = postgres, .result = &ignored, .wanted_ref = order_ref};
    uint8_t bytes[ROW_BYTES_MAX];
    char text[512];
    int code = open_model(&model, error);
    if (code >= 0)
        code = run_model(&model, error);
    if (code >= 0) {
        size_t size = (size_t)(fields_order_new(bytes, &model.wanted.row, model.wanted.day) - bytes);
        struct check_row expected = {.bytes = bytes, .size = size};
        check_row_compare(ROWS_ORDERS_NEW, found, &expected, text, sizeof(text));
        check_differs(result, "order %" PRIu64 ": %s", order_ref, text);
    }
    finish_model(&model);
    return code;
}

static int compare_rows(const struct orders_model *model, struct check_rows *rows, struct error *error)
{
    struct check_result *result = model->result;
    struct check_row found;
    uint64_t at = 0;
    int code;
    while ((code = check_rows_next(rows, &found, error)) == 0 && found.bytes) {
        uint64_t order_ref = check_row_number(found.bytes, REF_FIELD);
        if (at == model->told_count || model->told[at].order_ref > order_ref) {
            check_differs(result, "order %" PRIu64 ": there is a row, the events have no such order", order_ref);
            return 0;
        }
        if (model->told[at].order_ref < order_ref)
            break;
        if (model->told[at].hash != hash_of(found.bytes, found.size))
            return diagnose(model->postgres, &found, order_ref, result, error);
        at++;
        result->row_count++;
    }
    if (code == 0 && at < model->told_count)
        check_differs(result, "order %" PRIu64 ": its row is missing", model->told[at].order_ref);
    return code;
}

/* ---- where each day's numbers begin ------------------------------------------------------------------------------ */

#define DAY_FIELDS 2

/* 20261124, as the table is read. */
static uint32_t date_of_day(uint32_t day)
{
    time_t seconds = (time_t)day * (time_t)(NS_PER_DAY / NS_PER_SECOND);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    return (uint32_t)((parts.tm_year + 1900) * 10000 + (parts.tm_mon + 1) * 100 + parts.tm_mday);
}

/*
 * The first day whose first number the events tell. Where the log no longer has the orders of before, numbers of its
 * first day may be among those; and older days than the model holds are forgotten.
 */
static uint32_t day_known_from(const struct orders_model *model)
{
    uint32_t from = 0;
    if (model->postgres->is_orders_cut)
        from = model->day_first != 0 ? model->day_first + 1 : UINT32_MAX;
    if (model->days->count == ORDER_DAYS_MAX && model->days->days[0].day > from)
        from = model->days->days[0].day;
    return from;
}

static int expect_days(const struct orders_model *model, uint32_t from, struct check_small *small, struct error *error)
{
    uint8_t bytes[ROW_BYTES_MAX];
    int code = 0;
    for (uint32_t i = 0; i < model->days->count && code == 0; i++) {
        const struct order_day *day = &model->days->days[i];
        if (day->day < from)
            continue;
        (void)copy_int8(copy_int4(copy_row(bytes, DAY_FIELDS), date_of_day(day->day)), day->first_ref);
        code = check_small_expect(small, bytes, error);
    }
    return code;
}

static int compare_days(const struct orders_model *model, struct check_result *result, struct error *error)
{
    char query[256];
    uint32_t from = day_known_from(model);
    const struct check_table table = {.key = "day", .columns = "day, first_order_ref", .query = query};
    struct check_small small;
    snprintf(query, sizeof(query),
             "SELECT to_char(day, 'YYYYMMDD')::integer, first_order_ref FROM ringside.order_days"
             " WHERE day - date '1970-01-01' >= %" PRIu32 " ORDER BY day",
             from);
    int code = check_small_open(&small, model->postgres, &table, result, error);
    if (code == 0)
        code = expect_days(model, from, &small, error);
    if (code == 0)
        code = check_small_end(&small, error);
    check_small_close(&small);
    return code;
}

int check_orders(const struct check_postgres *postgres, struct check_result *orders, struct check_result *order_days,
                 struct error *error)
{
    struct orders_model model = {.postgres = postgres, .result = orders};
    struct check_rows *rows = NULL;
    int code = open_model(&model, error);
    if (code >= 0)
        code = run_model(&model, error);
    if (code >= 0)
        code = compare_days(&model, order_days, error);
    if (code >= 0 && !orders->differs)
        code = check_rows_open(&rows, postgres, ROWS_ORDERS_NEW, "order_ref", "entered_event_seq",
                               postgres->log.day_from, error);
    if (code >= 0 && !orders->differs)
        code = compare_rows(&model, rows, error);
    check_rows_close(rows);
    finish_model(&model);
    return code;
}
