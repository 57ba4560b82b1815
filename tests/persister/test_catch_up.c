/*
 * The event at a store's mark, when the file that it is in has been trimmed: compared if it was kept, else gone over.
 *
 * One log of a file that is trimmed and a bit of the next, made once a test, in memory; every hundred thousandth event
 * is a login, which is kept.
 */
#include "catch_up.h"
#include "env/disk.h"
#include "eventlog/eventlog.h"
#include "eventlog/trim.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define LAST_SEQ    (EVENTLOG_FILE_EVENTS + 10)
#define LOGIN_EVERY INT64_C(100000)
#define LAST_KEPT   (EVENTLOG_FILE_EVENTS / LOGIN_EVERY * LOGIN_EVERY)
#define BATCH       512

static const char *root;
static char directory[96];
static struct catch_up catch_up;
static struct error error;

static uint64_t time_of(uint64_t seq)
{
    return 1000 + seq / 4; /* some events are of one moment */
}

static void make_log(void)
{
    static struct event events[BATCH];
    struct eventlog_writer *writer;
    const struct event *pointers[BATCH];
    uint64_t next;
    cr_assert_eq(eventlog_writer_open(&writer, directory, UINT64_MAX, &next, &error), 0, "%s", error.what);
    while (next <= LAST_SEQ) {
        uint32_t count = 0;
        for (; count < BATCH && next <= LAST_SEQ; count++, next++) {
            events[count] = (struct event){.event_seq = next,
                                           .time_ns = time_of(next),
                                           .kind = next % LOGIN_EVERY == 0 ? EVENT_LOGIN_ACCEPTED : EVENT_BOOK_TOP};
            pointers[count] = &events[count];
        }
        cr_assert_eq(eventlog_writer_append(writer, pointers, count, &error), 0, "%s", error.what);
    }
    eventlog_writer_close(writer);
}

static void begin(void)
{
    root = scratch_make();
    snprintf(directory, sizeof(directory), "%s/events", root);
    make_log();
    struct eventlog_trim trim = {.directory = directory, .needed_seq = EVENTLOG_FILE_EVENTS};
    cr_assert_eq(eventlog_trim(&trim, &error), 0, "%s", error.what);
    cr_assert_eq(trim.count, 1);
    catch_up_init(&catch_up, "a store", directory, "");
    catch_up_join_log(&catch_up);
}

static void finish(void)
{
    catch_up_finish(&catch_up);
    scratch_remove();
}

TestSuite(catch_up, .init = begin, .fini = finish, .timeout = 60);

/* The number of the first event that a store gets whose mark is there; or a negative error. */
static int64_t first_behind(uint64_t mark_seq, uint64_t mark_time_ns)
{
    const struct event *events = NULL;
    int count = 0;
    catch_up_begin(&catch_up, mark_seq, mark_time_ns, UINT64_MAX);
    for (int calls = 0; count == 0 && calls < 3; calls++) /* what was only compared is no event */
        count = catch_up_next(&catch_up, 0, CATCH_UP_CHUNK, &events, &error);
    return count > 0 ? (int64_t)events[0].event_seq : count;
}

Test(catch_up, an_event_that_was_kept_is_compared)
{
    cr_assert_eq(first_behind(LOGIN_EVERY, time_of(LOGIN_EVERY)), 2 * LOGIN_EVERY);
    cr_assert_eq(first_behind(LOGIN_EVERY, time_of(LOGIN_EVERY) + 1), ERROR_MISMATCH);
}

Test(catch_up, one_that_was_not_cannot_be)
{
    cr_assert_eq(first_behind(5, time_of(5)), LOGIN_EVERY);
    cr_assert_eq(first_behind(5, time_of(5) + 1), LOGIN_EVERY);
}

Test(catch_up, nor_one_behind_which_its_file_holds_nothing)
{
    cr_assert_eq(first_behind(LAST_KEPT + 1, time_of(LAST_KEPT + 1)), EVENTLOG_FILE_EVENTS);
    cr_assert_eq(first_behind(EVENTLOG_FILE_EVENTS - 1, time_of(EVENTLOG_FILE_EVENTS - 1)), EVENTLOG_FILE_EVENTS, "%s",
                 error.what);
}

Test(catch_up, in_a_whole_file_all_are)
{
    cr_assert_eq(first_behind(EVENTLOG_FILE_EVENTS + 1, time_of(EVENTLOG_FILE_EVENTS + 1)), EVENTLOG_FILE_EVENTS + 2);
    cr_assert_eq(first_behind(EVENTLOG_FILE_EVENTS + 1, time_of(EVENTLOG_FILE_EVENTS + 1) + 1), ERROR_MISMATCH);
    cr_assert_eq(first_behind(0, 0), LOGIN_EVERY, "an empty store gets what there is");
}

/* Events below the mark, given again, three at a time: the one at the mark is compared all the same. */
static int64_t first_again(uint64_t from_seq, uint64_t mark_seq, uint64_t mark_time_ns)
{
    const struct event *events = NULL;
    int64_t first = 0;
    uint64_t last = from_seq;
    catch_up_begin(&catch_up, mark_seq, mark_time_ns, UINT64_MAX);
    catch_up_again(&catch_up, from_seq);
    while (last <= mark_seq) {
        int count = catch_up_next(&catch_up, 0, 3, &events, &error);
        if (count <= 0)
            return count;
        first = first == 0 ? (int64_t)events[0].event_seq : first;
        cr_assert_eq(events[0].event_seq, last + 1);
        last = events[count - 1].event_seq;
    }
    return first;
}

Test(catch_up, what_is_given_again_goes_on_behind_the_mark)
{
    const uint64_t from = EVENTLOG_FILE_EVENTS + 1;
    for (uint64_t mark = from + 1; mark < LAST_SEQ; mark++) {
        cr_assert_eq(first_again(from, mark, time_of(mark)), (int64_t)from + 1);
        cr_assert_eq(first_again(from, mark, 0), (int64_t)from + 1);
        cr_assert_eq(first_again(from, mark, time_of(mark) + 1), ERROR_MISMATCH);
    }
}
