#include "postgres_truth.h"

#include "base/units.h"
#include "outside.h"
#include "process.h"
#include "record/event.h"
#include "witness.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX      8
#define EVENT_ROWS_MAX  4
#define SESSIONS_MAX    (WITNESS_USERS_MAX + 1)
#define INSTRUMENTS_MAX 8
#define DAYS_MAX        64

/* A row that an event must be, as far as it is looked at. */
struct expected {
    const char *word_column, *word; /* NULL: none is looked at */
    enum table_name table;
    uint32_t count;
    struct expected_field {
        const char *column;
        int64_t number;
    } fields[FIELDS_MAX];
};

struct order_truth {
    uint64_t order_ref, entered_seq, event_seq, value;
    uint32_t quantity, executed, canceled, leaves;
    const char *state;
    bool touched;
};

static struct {
    uint64_t at[TRUTH_PART_COUNT]; /* the last event that is in what follows */
    struct order_truth *orders;
    uint32_t order_count, order_room;
    uint32_t *touched;
    uint32_t touched_count, touched_room;
    struct {
        uint64_t event_seq, logins;
        bool is_connected;
    } sessions[SESSIONS_MAX];
    uint64_t instruments[INSTRUMENTS_MAX]; /* the last event of each */
    struct {
        uint32_t date;
        uint64_t event_seq;
    } days[DAYS_MAX];
    uint32_t day_count;
    struct place {
        int64_t event_seq, order_ref;
        uint32_t row;
    } * places[TABLE_COUNT]; /* of the rows that are compared just now */
    uint32_t places_room[TABLE_COUNT];
} truth;

void truth_begin(void)
{
    truth_rewind(0, 0);
}

void truth_end(void)
{
    free(truth.orders);
    free(truth.touched);
    for (int name = 0; name < TABLE_COUNT; name++)
        free(truth.places[name]);
    memset(&truth, 0, sizeof(truth));
}

/* ---- rows of events -----------------------------------------------------------------------------------------------
 */

static struct expected *expect(struct expected *row, enum table_name table, const struct event *event)
{
    *row = (struct expected){.table = table};
    row->fields[row->count++] = (struct expected_field){"event_seq", (int64_t)event->event_seq};
    return row;
}

static void field(struct expected *row, const char *column, uint64_t number)
{
    row->fields[row->count++] = (struct expected_field){column, (int64_t)number};
}

static struct expected *expect_step(struct expected *row, const struct event *event, uint64_t order_ref,
                                    const char *step)
{
    expect(row, TABLE_ORDER_EVENTS, event);
    field(row, "order_ref", order_ref);
    field(row, "happened_ns", event->time_ns);
    field(row, "day", event->time_ns / NS_PER_DAY);
    row->word_column = "step";
    row->word = step;
    return row;
}

static void expect_execution(struct expected *row, const struct event *event, bool is_maker)
{
    const struct event_trade *trade = &event->trade;
    expect(row, TABLE_EXECUTIONS, event);
    field(row, "is_maker", is_maker);
    field(row, "order_ref", is_maker ? trade->maker_order_ref : trade->order_ref);
    field(row, "counter_order_ref", is_maker ? trade->order_ref : trade->maker_order_ref);
    field(row, "match_number", trade->match_number);
    field(row, "quantity", trade->quantity);
    field(row, "leaves", is_maker ? trade->maker_leaves_quantity : trade->leaves_quantity);
    field(row, "session", is_maker ? trade->maker_session : event->session);
}

static uint32_t expect_trade(struct expected rows[EVENT_ROWS_MAX], const struct event *event)
{
    const struct event_trade *trade = &event->trade;
    uint32_t count = 0;
    bool is_broken = event->kind == EVENT_BROKEN;
    if (!is_broken || (trade->order_ref != 0 && trade->maker_order_ref != 0)) {
        field(expect_step(&rows[count++], event, trade->order_ref, is_broken ? "broken" : "executed"), "quantity",
              trade->quantity);
        field(expect_step(&rows[count++], event, trade->maker_order_ref, is_broken ? "broken" : "executed"), "quantity",
              trade->quantity);
    }
    if (is_broken) {
        field(expect(&rows[count++], TABLE_BROKEN_TRADES, event), "match_number", trade->match_number);
    } else {
        expect_execution(&rows[count++], event, false);
        expect_execution(&rows[count++], event, true);
    }
    return count;
}

static uint32_t expect_cut(struct expected *row, const struct event *event)
{
    static const char *const names[] = {[EVENT_CANCELED] = "canceled",
                                        [EVENT_SELF_MATCH_CANCELED] = "self-match canceled",
                                        [EVENT_CANCEL_PENDING] = "cancel pending",
                                        [EVENT_CANCEL_REJECTED] = "cancel rejected",
                                        [EVENT_PRIORITY_UPDATED] = "priority updated",
                                        [EVENT_MODIFIED] = "modified",
                                        [EVENT_RESTATED] = "restated"};
    if (event->cut.order_ref == 0)
        return 0;
    expect_step(row, event, event->cut.order_ref, names[event->kind]);
    if (event->kind != EVENT_CANCEL_PENDING && event->kind != EVENT_CANCEL_REJECTED)
        field(row, "leaves", event->cut.leaves_quantity);
    return 1;
}

static uint32_t expect_accepted(struct expected *row, const struct event *event)
{
    uint32_t quantity = event->accepted.quantity; /* at the same place in REPLACED */
    expect_step(row, event, event->accepted.order_ref, "accepted");
    field(row, "quantity", quantity);
    field(row, "leaves", event->reason == 'D' ? 0 : quantity);
    return 1;
}

static uint32_t expect_rows(struct expected rows[EVENT_ROWS_MAX], const struct event *event)
{
    switch (event->kind) {
    case EVENT_ACCEPTED:
        return expect_accepted(rows, event);
    case EVENT_REPLACED:
        expect_step(rows, event, event->replaced.previous_order_ref, "replaced");
        return 1 + expect_accepted(rows + 1, event);
    case EVENT_EXECUTED:
    case EVENT_BROKEN:
        return expect_trade(rows, event);
    case EVENT_CANCELED:
    case EVENT_SELF_MATCH_CANCELED:
    case EVENT_CANCEL_PENDING:
    case EVENT_CANCEL_REJECTED:
    case EVENT_PRIORITY_UPDATED:
    case EVENT_MODIFIED:
    case EVENT_RESTATED:
        return expect_cut(rows, event);
    case EVENT_REJECTED:
        field(expect(rows, TABLE_REJECTIONS, event), "user_ref", event->user_ref);
        field(rows, "session", event->session);
        field(rows, "reason_code", event->refused.reason);
        return 1;
    case EVENT_LOGIN_ACCEPTED:
    case EVENT_LOGIN_REFUSED:
    case EVENT_SESSION_CLOSED:
        field(expect(rows, TABLE_LOGINS, event), "gateway", event->login.gateway);
        field(rows, "at_ns", event->time_ns);
        return 1;
    case EVENT_OPERATOR_ACTED:
        field(expect(rows, TABLE_OPERATOR_ACTIONS, event), "operator_id", event->acted.operator_id);
        return 1;
    default: /* is no row of a table that only grows */
        return 0;
    }
}

static void compare_row(const struct expected *expected, const struct cell *row)
{
    const struct table *table = table_of(expected->table);
    uint64_t seq = (uint64_t)expected->fields[0].number;
    for (uint32_t i = 0; i < expected->count; i++) {
        const struct cell *cell = cell_named(table, row, expected->fields[i].column);
        if (cell->is_null || cell->number != expected->fields[i].number)
            violation("PostgreSQL: %s has a row with %s %" PRId64 " where event %" PRIu64 " has %" PRId64, table->name,
                      expected->fields[i].column, cell->is_null ? -1 : cell->number, seq, expected->fields[i].number);
    }
    if (expected->word && !cell_is(cell_named(table, row, expected->word_column), expected->word))
        violation("PostgreSQL: %s does not say \"%s\" of event %" PRIu64, table->name, expected->word, seq);
}

static const struct event *event_of(uint64_t seq, const char *where)
{
    const struct event *event = witness_event(seq);
    if (!event)
        violation("%s says that it has event %" PRIu64 ", but what is acknowledged makes %" PRIu64 " events only",
                  where, seq, witness_event_count());
    return event;
}

/* ---- the order in which rows are compared: a table has them in any ------------------------------------------------
 */

static bool has_order(enum table_name name)
{
    return name == TABLE_ORDER_EVENTS || name == TABLE_EXECUTIONS;
}

static bool is_before(const struct place *place, const struct place *other)
{
    return place->event_seq < other->event_seq ||
           (place->event_seq == other->event_seq && place->order_ref < other->order_ref);
}

/* The rows by event and order. */
static const struct place *places_of(enum table_name name, const struct table *rows)
{
    const struct table *table = table_of(name);
    if (truth.places_room[name] < rows->count) {
        truth.places_room[name] = 2 * rows->count;
        truth.places[name] =
            process_outer_realloc(truth.places[name], truth.places_room[name] * sizeof(*truth.places[name]));
    }
    struct place *places = truth.places[name];
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct cell *row = rows->cells + (size_t)i * table->column_count;
        places[i] = (struct place){.event_seq = cell_named(table, row, "event_seq")->number,
                                   .order_ref = has_order(name) ? cell_named(table, row, "order_ref")->number : 0,
                                   .row = i};
    }
    for (uint32_t gap = rows->count / 2; gap > 0; gap /= 2)
        for (uint32_t i = gap; i < rows->count; i++) {
            struct place place = places[i];
            uint32_t at = i;
            for (; at >= gap && is_before(&place, &places[at - gap]); at -= gap)
                places[at] = places[at - gap];
            places[at] = place;
        }
    return places;
}

static int64_t order_expected(const struct expected *expected)
{
    for (uint32_t i = 0; i < expected->count; i++)
        if (strcmp(expected->fields[i].column, "order_ref") == 0)
            return expected->fields[i].number;
    return 0;
}

/* An event's rows of one table by order too. */
static void sort_expected(struct expected rows[EVENT_ROWS_MAX], uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t at = i; at > 0 && rows[at].table == rows[at - 1].table &&
                              order_expected(&rows[at]) < order_expected(&rows[at - 1]);
             at--) {
            struct expected row = rows[at];
            rows[at] = rows[at - 1];
            rows[at - 1] = row;
        }
}

/* ---- the tables that only grow ------------------------------------------------------------------------------------
 */

static void compare_sorted(const struct table *const rows[TABLE_COUNT], const struct place *const places[TABLE_COUNT],
                           uint64_t from, uint64_t to)
{
    struct expected expected[EVENT_ROWS_MAX];
    uint32_t next[TABLE_COUNT] = {0};
    for (uint64_t seq = from; seq <= to; seq++) {
        uint32_t count = expect_rows(expected, event_of(seq, "PostgreSQL"));
        sort_expected(expected, count);
        for (uint32_t i = 0; i < count; i++) {
            enum table_name name = expected[i].table;
            const struct table *table = table_of(name);
            if (next[name] == rows[name]->count)
                violation("PostgreSQL: %s lacks a row of event %" PRIu64 ", though the mark is past it", table->name,
                          seq);
            uint32_t row = places[name][next[name]++].row;
            compare_row(&expected[i], rows[name]->cells + (size_t)row * table->column_count);
        }
    }
    for (int name = TABLE_ORDER_EVENTS; name <= TABLE_OPERATOR_ACTIONS; name++)
        if (next[name] != rows[name]->count)
            violation("PostgreSQL: %s has %u rows more than the events %" PRIu64 " to %" PRIu64 " make",
                      table_of((enum table_name)name)->name, rows[name]->count - next[name], from, to);
}

/* Rows for the events from..to, and no others. */
static void compare_rows(const struct table *const rows[TABLE_COUNT], uint64_t from, uint64_t to)
{
    const struct place *places[TABLE_COUNT] = {NULL};
    for (int name = TABLE_ORDER_EVENTS; name <= TABLE_OPERATOR_ACTIONS; name++)
        places[name] = places_of((enum table_name)name, rows[name]);
    compare_sorted(rows, places, from, to);
}

/* ---- orders -------------------------------------------------------------------------------------------------------
 */

static struct order_truth *order_of(uint64_t order_ref, uint64_t event_seq)
{
    uint32_t at = truth.order_count;
    while (at > 0 && truth.orders[at - 1].order_ref != order_ref)
        at--;
    if (at == 0)
        violation("event %" PRIu64 " is of order %" PRIu64 ", which the events before do not have", event_seq,
                  order_ref);
    struct order_truth *order = &truth.orders[at - 1];
    order->event_seq = event_seq;
    if (order->touched)
        return order;
    order->touched = true;
    if (truth.touched_count == truth.touched_room) {
        truth.touched_room = 2 * truth.touched_room + 64;
        truth.touched = process_outer_realloc(truth.touched, truth.touched_room * sizeof(*truth.touched));
    }
    truth.touched[truth.touched_count++] = at - 1;
    return order;
}

static void order_enters(const struct event *event)
{
    bool is_dead = event->reason == 'D';
    uint32_t quantity = event->accepted.quantity;
    if (truth.order_count == truth.order_room) {
        truth.order_room = 2 * truth.order_room + 64;
        truth.orders = process_outer_realloc(truth.orders, truth.order_room * sizeof(*truth.orders));
    }
    truth.orders[truth.order_count++] = (struct order_truth){.order_ref = event->accepted.order_ref,
                                                             .entered_seq = event->event_seq,
                                                             .quantity = quantity,
                                                             .canceled = is_dead ? quantity : 0,
                                                             .leaves = is_dead ? 0 : quantity,
                                                             .state = is_dead ? "dead" : "live"};
    (void)order_of(event->accepted.order_ref, event->event_seq);
}

static void order_executes(const struct event *event, uint64_t order_ref, uint32_t leaves)
{
    struct order_truth *order = order_of(order_ref, event->event_seq);
    order->executed += event->trade.quantity;
    order->value += (uint64_t)event->trade.price_ticks * event->trade.quantity;
    order->leaves = leaves;
    order->state = leaves == 0 ? "filled" : "live";
}

static void order_is_cut(const struct event *event)
{
    uint64_t known = event->cut.previous_order_ref != 0 ? event->cut.previous_order_ref : event->cut.order_ref;
    struct order_truth *order = order_of(known, event->event_seq);
    order->order_ref = event->cut.order_ref;
    order->leaves = event->cut.leaves_quantity;
    if (event->kind == EVENT_CANCELED || event->kind == EVENT_SELF_MATCH_CANCELED || event->kind == EVENT_MODIFIED)
        order->canceled += event->cut.decrement;
    bool is_cancel = event->kind != EVENT_MODIFIED && event->kind != EVENT_PRIORITY_UPDATED &&
                     event->kind != EVENT_RESTATED && order->leaves == 0;
    order->state = is_cancel ? "canceled" : "live";
}

static void orders_take(const struct event *event)
{
    switch (event->kind) {
    case EVENT_REPLACED: {
        struct order_truth *before = order_of(event->replaced.previous_order_ref, event->event_seq);
        before->state = "replaced";
        before->leaves = 0;
        order_enters(event);
        break;
    }
    case EVENT_ACCEPTED:
        order_enters(event);
        break;
    case EVENT_EXECUTED:
        order_executes(event, event->trade.order_ref, event->trade.leaves_quantity);
        order_executes(event, event->trade.maker_order_ref, event->trade.maker_leaves_quantity);
        break;
    case EVENT_CANCELED:
    case EVENT_SELF_MATCH_CANCELED:
    case EVENT_MODIFIED:
    case EVENT_PRIORITY_UPDATED:
    case EVENT_RESTATED:
        order_is_cut(event);
        break;
    default: /* changes no order */
        break;
    }
}

static const struct cell *order_row(uint64_t order_ref)
{
    const struct table *table = table_of(TABLE_ORDERS);
    for (uint32_t row = table->count; row > 0; row--)
        if ((uint64_t)table_row(table, row - 1)->number == order_ref)
            return table_row(table, row - 1);
    violation("PostgreSQL: orders lacks order %" PRIu64 ", though the mark is past it", order_ref);
}

static void compare_order(const struct order_truth *order)
{
    const struct table *table = table_of(TABLE_ORDERS);
    const struct cell *row = order_row(order->order_ref);
    const struct expected_field fields[] = {
        {"quantity", order->quantity},
        {"executed", order->executed},
        {"canceled", order->canceled},
        {"leaves", order->leaves},
        {"executed_value", (int64_t)order->value},
        {"entered_event_seq", (int64_t)order->entered_seq},
        {"event_seq", (int64_t)order->event_seq},
    };
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        const struct cell *cell = cell_named(table, row, fields[i].column);
        if (cell->is_null || cell->number != fields[i].number)
            violation("PostgreSQL: order %" PRIu64 " has %s %" PRId64 ", its events say %" PRId64, order->order_ref,
                      fields[i].column, cell->is_null ? -1 : cell->number, fields[i].number);
    }
    if (!cell_is(cell_named(table, row, "state"), order->state))
        violation("PostgreSQL: order %" PRIu64 " is not %s, as its events say", order->order_ref, order->state);
}

static void compare_touched(void)
{
    for (uint32_t i = 0; i < truth.touched_count; i++) {
        compare_order(&truth.orders[truth.touched[i]]);
        truth.orders[truth.touched[i]].touched = false;
    }
    truth.touched_count = 0;
    if (table_of(TABLE_ORDERS)->count != truth.order_count)
        violation("PostgreSQL: orders has %u rows, the events make %u orders", table_of(TABLE_ORDERS)->count,
                  truth.order_count);
}

/* ---- sessions, instruments, days ----------------------------------------------------------------------------------
 */

static void day_take(const struct event *event)
{
    bool is_new = truth.day_count == 0 || truth.days[truth.day_count - 1].date != event->day.date;
    REQUIRE(truth.day_count < DAYS_MAX);
    if (is_new)
        truth.days[truth.day_count++].date = event->day.date;
    if (is_new || event->kind == EVENT_DAY_ENDED)
        truth.days[truth.day_count - 1].event_seq = event->event_seq;
}

static void names_take(const struct event *event)
{
    switch (event->kind) {
    case EVENT_LOGIN_ACCEPTED:
    case EVENT_SESSION_CLOSED:
        REQUIRE(event->session < SESSIONS_MAX);
        truth.sessions[event->session].event_seq = event->event_seq;
        truth.sessions[event->session].is_connected = event->kind == EVENT_LOGIN_ACCEPTED;
        truth.sessions[event->session].logins += event->kind == EVENT_LOGIN_ACCEPTED;
        break;
    case EVENT_INSTRUMENT_ADDED:
    case EVENT_MARKET_STATE_CHANGED:
    case EVENT_LIMITS_CHANGED:
        REQUIRE(event->instrument < INSTRUMENTS_MAX);
        truth.instruments[event->instrument] = event->event_seq;
        break;
    case EVENT_DAY_STARTED:
    case EVENT_DAY_ENDED:
        day_take(event);
        break;
    default: /* names nothing */
        break;
    }
}

static const struct cell *keyed_row(enum table_name name, int64_t key)
{
    const struct table *table = table_of(name);
    for (uint32_t row = 0; row < table->count; row++)
        if (table_row(table, row)->number == key)
            return table_row(table, row);
    violation("PostgreSQL: %s has no row %" PRId64 ", though the mark is past it", table->name, key);
}

static void compare_field(enum table_name name, int64_t key, const char *column, uint64_t expected)
{
    const struct cell *cell = cell_named(table_of(name), keyed_row(name, key), column);
    if (cell->is_null || (uint64_t)cell->number != expected)
        violation("PostgreSQL: row %" PRId64 " of %s has %s %" PRId64 ", the events say %" PRIu64, key,
                  table_of(name)->name, column, cell->is_null ? -1 : cell->number, expected);
}

static void compare_names(void)
{
    for (uint32_t i = 0; i < SESSIONS_MAX; i++) {
        if (truth.sessions[i].logins == 0)
            continue;
        compare_field(TABLE_SESSIONS, i, "event_seq", truth.sessions[i].event_seq);
        compare_field(TABLE_SESSIONS, i, "login_count", truth.sessions[i].logins);
        compare_field(TABLE_SESSIONS, i, "is_connected", truth.sessions[i].is_connected);
    }
    for (uint32_t i = 1; i < INSTRUMENTS_MAX; i++)
        if (truth.instruments[i] != 0)
            compare_field(TABLE_INSTRUMENTS, i, "event_seq", truth.instruments[i]);
    if (table_of(TABLE_TRADING_DAYS)->count != truth.day_count)
        violation("PostgreSQL: trading_days has %u rows, the events make %u days", table_of(TABLE_TRADING_DAYS)->count,
                  truth.day_count);
    for (uint32_t i = 0; i < truth.day_count; i++)
        compare_field(TABLE_TRADING_DAYS, table_row(table_of(TABLE_TRADING_DAYS), i)->number, "event_seq",
                      truth.days[i].event_seq);
}

/* ---- commits ------------------------------------------------------------------------------------------------------
 */

static void take(enum truth_part part, uint64_t to_seq)
{
    for (uint64_t seq = truth.at[part] + 1; seq <= to_seq; seq++) {
        const struct event *event = event_of(seq, "PostgreSQL");
        if (part == TRUTH_ORDERS)
            orders_take(event);
        else
            names_take(event);
    }
    truth.at[part] = to_seq;
}

void truth_before_commit(enum truth_part part, uint64_t from_seq, uint64_t to_seq,
                         const struct transaction *transaction)
{
    const struct table *rows[TABLE_COUNT];
    if (to_seq < from_seq)
        violation("PostgreSQL: a mark goes back from event %" PRIu64 " to %" PRIu64, from_seq, to_seq);
    for (int name = 0; name < TABLE_COUNT; name++)
        rows[name] = &transaction->fresh[name];
    if (part == TRUTH_EVENTS)
        compare_rows(rows, from_seq + 1, to_seq);
}

void truth_after_commit(enum truth_part part, uint64_t to_seq)
{
    take(part, to_seq);
    if (part == TRUTH_ORDERS)
        compare_touched();
    else
        compare_names();
}

void truth_rewind(uint64_t events_seq, uint64_t orders_seq)
{
    memset(truth.at, 0, sizeof(truth.at));
    memset(truth.sessions, 0, sizeof(truth.sessions));
    memset(truth.instruments, 0, sizeof(truth.instruments));
    memset(truth.days, 0, sizeof(truth.days));
    truth.order_count = truth.touched_count = truth.day_count = 0;
    take(TRUTH_EVENTS, events_seq);
    take(TRUTH_ORDERS, orders_seq);
    for (uint32_t i = 0; i < truth.order_count; i++)
        truth.orders[i].touched = false;
    truth.touched_count = 0;
}

void truth_check_all(void)
{
    const struct table *rows[TABLE_COUNT];
    uint64_t last = witness_event_count();
    for (int name = 0; name < TABLE_COUNT; name++)
        rows[name] = table_of((enum table_name)name);
    compare_rows(rows, 1, last);
    truth_rewind(last, last);
    for (uint32_t i = 0; i < truth.order_count; i++)
        compare_order(&truth.orders[i]);
    compare_touched();
    compare_names();
}
