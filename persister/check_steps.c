/* Tables to which a row is added for an event (check.h). */
#include "check.h"

#include "base/bytes.h"
#include "base/require.h"
#include "encode_fields.h"

#include <inttypes.h>
#include <string.h>

/* How a set is read, and where in its rows the event's number stands. */
static const struct {
    const char *order;
    uint32_t seq_field;
    bool by_day;
} forms[ROW_SET_COUNT] = {
    [ROWS_STEPS] = {"event_seq, order_ref", 1, true}, [ROWS_EXECUTIONS] = {"event_seq, is_maker", 1, true},
    [ROWS_REJECTIONS] = {"event_seq", 1, true},       [ROWS_BREAKS] = {"event_seq", 0, false},
    [ROWS_LOGINS] = {"event_seq", 0, false},          [ROWS_ACTIONS] = {"event_seq", 0, false},
};

#define STEP_REF_FIELD 2

static uint8_t *make_row(const struct check_postgres *postgres, enum row_set set, const struct event *event,
                         enum which_order which, uint8_t *at)
{
    if (set == ROWS_STEPS)
        return fields_step(at, event, which);
    if (set == ROWS_EXECUTIONS)
        return fields_execution(at, event, which, symbol_of(&postgres->symbols, event->instrument));
    if (set == ROWS_REJECTIONS)
        return fields_rejection(at, event);
    if (set == ROWS_BREAKS)
        return fields_break(at, event);
    return set == ROWS_LOGINS ? fields_login(at, event) : fields_action(at, event);
}

/* The rows that an event is, in the order in which the table is read; how many. */
static uint32_t make_rows(const struct check_postgres *postgres, enum row_set set, const struct event *event,
                          uint8_t bytes[2 * ROW_BYTES_MAX], struct check_row rows[2])
{
    uint32_t count = 0;
    uint8_t *at = bytes;
    if (set == ROWS_STEPS)
        count = fields_step_count(event);
    else if (set == ROWS_EXECUTIONS)
        count = event->kind == EVENT_EXECUTED ? 2 : 0;
    else if (set == ROWS_REJECTIONS)
        count = event->kind == EVENT_REJECTED;
    else if (set == ROWS_BREAKS)
        count = event->kind == EVENT_BROKEN;
    else if (set == ROWS_LOGINS)
        count = fields_is_login(event);
    else if (set == ROWS_ACTIONS)
        count = event->kind == EVENT_OPERATOR_ACTED;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *end = make_row(postgres, set, event, (enum which_order)i, at);
        rows[i] = (struct check_row){.bytes = at, .size = (size_t)(end - at)};
        at = end;
    }
    if (set == ROWS_STEPS && count == 2 &&
        check_row_number(rows[0].bytes, STEP_REF_FIELD) > check_row_number(rows[1].bytes, STEP_REF_FIELD)) {
        struct check_row first = rows[0];
        rows[0] = rows[1];
        rows[1] = first;
    }
    return count;
}

static void compare(enum row_set set, const struct check_row *found, const struct check_row *expected,
                    uint64_t event_seq, struct check_result *result)
{
    char text[512];
    uint64_t found_seq = found->bytes ? check_row_number(found->bytes, forms[set].seq_field) : UINT64_MAX;
    if (found->bytes && found->size == expected->size && memcmp(found->bytes, expected->bytes, found->size) == 0) {
        result->row_count++;
        return;
    }
    if (found_seq > event_seq) {
        check_differs(result, "event %" PRIu64 ": a row is missing", event_seq);
    } else if (found_seq < event_seq) {
        check_differs(result, "event %" PRIu64 ": there is a row that the events do not have", found_seq);
    } else {
        check_row_compare(set, found, expected, text, sizeof(text));
        check_differs(result, "event %" PRIu64 ": %s", event_seq, text);
    }
}

static int compare_all(const struct check_postgres *postgres, enum row_set set, struct check_events *events,
                       struct check_rows *rows, struct check_result *result, struct error *error)
{
    uint8_t bytes[2 * ROW_BYTES_MAX];
    struct check_row expected[2], found;
    const struct event *event;
    int code = 0;
    while (!result->differs && (event = check_events_next(events, &code, error))) {
        if (forms[set].by_day && !check_day_attached(postgres, day_of_time(event->time_ns)))
            continue;
        uint32_t count = make_rows(postgres, set, event, bytes, expected);
        for (uint32_t i = 0; i < count && !result->differs; i++) {
            code = check_rows_next(rows, &found, error);
            if (code < 0)
                return code;
            compare(set, &found, &expected[i], event->event_seq, result);
        }
    }
    if (code < 0 || result->differs)
        return code;
    code = check_rows_next(rows, &found, error);
    if (code == 0 && found.bytes)
        check_differs(result, "event %" PRIu64 ": there is a row that the events do not have",
                      check_row_number(found.bytes, forms[set].seq_field));
    return code;
}

int check_steps(const struct check_postgres *postgres, enum row_set set, struct check_result *result,
                struct error *error)
{
    struct check_events *events = NULL;
    struct check_rows *rows = NULL;
    REQUIRE(forms[set].order);
    int code = check_events_open(&events, &postgres->log, postgres->events_first_seq, postgres->events_seq, error);
    if (code >= 0)
        code = check_rows_open(&rows, postgres, set, forms[set].order, "event_seq", postgres->log.day_from, error);
    if (code >= 0)
        code = compare_all(postgres, set, events, rows, result, error);
    check_events_close(events);
    check_rows_close(rows);
    return code;
}
