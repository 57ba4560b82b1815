/* Who needs which events: the day's sessions, PostgreSQL, Redis, and how much is kept for a store that is away. */
#include "deploy/cli/journal/events_limit.h"

#include "eventlog/eventlog.h"
#include "eventlog/store_marks.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define FILE_EVENTS EVENTLOG_FILE_EVENTS
#define FILE_BYTES  (EVENTLOG_HEADER_BYTES + FILE_EVENTS * RECORD_BYTES)
#define LAST_SEQ    (3 * FILE_EVENTS + 10)
#define DAY_SEQ     (2 * FILE_EVENTS + 5)

static const char *root;
static struct config config;
static struct error error;

/* Files that hold what is looked at: headers, and the events of the last two. */
static void begin(void)
{
    static struct event events[512];
    const struct event *pointers[512];
    struct eventlog_writer *writer;
    uint64_t next;
    root = scratch_make();
    config_init(&config);
    snprintf(config.events_directory, sizeof(config.events_directory), "%s", root);
    cr_assert_eq(eventlog_writer_open(&writer, root, UINT64_MAX, &next, &error), 0);
    while (next <= LAST_SEQ) {
        uint32_t count = 0;
        for (; count < 512 && next <= LAST_SEQ; count++, next++) {
            events[count] = (struct event){.event_seq = next, .kind = EVENT_BOOK_TOP};
            if (next == DAY_SEQ)
                events[count].kind = EVENT_DAY_STARTED;
            pointers[count] = &events[count];
        }
        cr_assert_eq(eventlog_writer_append(writer, pointers, count, &error), 0);
    }
    eventlog_writer_close(writer);
}

static void finish(void)
{
    scratch_remove();
    config_finish(&config);
}

TestSuite(events_limit, .init = begin, .fini = finish, .timeout = 120);

static struct events_limit find(void)
{
    struct events_limit limit;
    cr_assert_eq(events_limit_find(&limit, &config, &error), 0, "%s", error.what);
    return limit;
}

static void expect(uint64_t needed_seq, const char *keeper, bool gives_up)
{
    struct events_limit limit = find();
    cr_assert_eq(limit.needed_seq, needed_seq, "%lu by %s: %s", limit.needed_seq, limit.keeper, limit.why);
    cr_assert_str_eq(limit.keeper, keeper);
    cr_assert_eq(limit.gives_up, gives_up);
}

Test(events_limit, each_keeper_in_turn)
{
    expect(DAY_SEQ, "the day's sessions", false);
    strcpy(config.postgres_connection, "dbname=ringside");
    expect(1, "PostgreSQL", false); /* it has told nothing yet */
    struct store_marks marks = {.postgres_seq = FILE_EVENTS + 7};
    cr_assert_eq(store_marks_write(root, &marks, &error), 0);
    expect(FILE_EVENTS + 7, "PostgreSQL", false);
    strcpy(config.redis_address, "localhost:6379");
    expect(1, "Redis", false);
    marks.redis_seq = 9;
    cr_assert_eq(store_marks_write(root, &marks, &error), 0);
    expect(9, "Redis", false);
    marks.postgres_seq = marks.redis_seq = LAST_SEQ;
    cr_assert_eq(store_marks_write(root, &marks, &error), 0);
    expect(DAY_SEQ, "the day's sessions", false);
}

Test(events_limit, no_more_than_so_much_for_a_store)
{
    struct store_marks marks = {.postgres_seq = 100};
    strcpy(config.postgres_connection, "dbname=ringside");
    cr_assert_eq(store_marks_write(root, &marks, &error), 0);
    config.retention_retain_bytes_max = 3 * FILE_BYTES;
    expect(100, "PostgreSQL", false); /* three whole files before the last: as many as allowed */
    config.retention_retain_bytes_max = 2 * FILE_BYTES;
    expect(FILE_EVENTS, "PostgreSQL", true);
    config.retention_retain_bytes_max = 1;
    expect(DAY_SEQ, "PostgreSQL", true); /* and never into the day */
    marks.postgres_seq = FILE_EVENTS + 1;
    cr_assert_eq(store_marks_write(root, &marks, &error), 0);
    config.retention_retain_bytes_max = 2 * FILE_BYTES;
    expect(FILE_EVENTS + 1, "PostgreSQL", false); /* the file that must go it does not need */
}
