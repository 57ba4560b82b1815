/*
 * The notes of the streams, beside a model of what they were: whichever note a gateway begins with, and wherever it is
 * told to look for a message, is what was so at that event.
 *
 * Method: streams get messages from random events, over several days; what each had at each event is kept. After each
 * note, and after writers that died in the middle of one, everything that notes.h says is asked.
 */
#include "notes.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAMS     20u
#define INSTRUMENTS 50u
#define EVERY       UINT64_C(64)
#define EVENTS      40000u

struct life {
    struct outbound outbound;
    struct instruments instruments;
    struct copies copies;
    uint64_t midnight_ns;
    uint32_t date;
    bool day_open;
    struct notes notes;
};

static char path[] = "/tmp/ringside-notes-XXXXXX";
static const char *where = path;
static uint32_t message_next_at[EVENTS + 1][STREAMS]; /* before this event */
static uint64_t day_at[EVENTS + 1];
static uint64_t random_state = 88172645463325252u;

/* The event of a history; another history has others of the same numbers. */
static uint64_t history;
static const struct event *event_of(void *argument, uint64_t event_seq)
{
    static struct event event;
    (void)argument;
    memset(&event, 0, sizeof(event));
    event.event_seq = event_seq;
    event.time_ns = event_seq * 1000;
    event.accepted.order_ref = history;
    return &event;
}

static void pass(struct life *life, uint64_t event_seq)
{
    notes_pass(&life->notes, event_of(NULL, event_seq - 1));
}

static uint32_t random_below(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 20) % below;
}

static int life_begin(struct life *life, uint64_t every)
{
    struct error error = {0};
    memset(life, 0, sizeof(*life));
    cr_assert_eq(outbound_open(&life->outbound, STREAMS, 65536, NULL, &error), 0);
    cr_assert_eq(instruments_open(&life->instruments, INSTRUMENTS, &error), 0);
    const struct noted noted = {&life->outbound,    &life->instruments, &life->copies,
                                &life->midnight_ns, &life->date,        &life->day_open};
    return notes_open(&life->notes, where, every, &noted, &error);
}

static void life_end(struct life *life)
{
    notes_close(&life->notes);
    instruments_close(&life->instruments);
    outbound_close(&life->outbound);
}

static void event(struct life *life, uint64_t event_seq)
{
    if (random_below(9000) == 0) {
        outbound_clear(&life->outbound, event_seq);
        life->date++;
        life->midnight_ns = event_seq;
        life->day_open = true;
    }
    for (uint32_t i = random_below(3); i > 0; i--) {
        uint32_t stream = 1 + random_below(STREAMS);
        cr_assert_null(
            outbound_append(&life->outbound, stream, outbound_message_next(&life->outbound, stream), event_seq));
    }
    char symbol[SYMBOL_BYTES];
    memset(symbol, 'A', sizeof(symbol));
    uint32_t instrument = 1 + (uint32_t)(event_seq % INSTRUMENTS);
    symbol[0] = (char)('0' + instrument);
    cr_assert_eq(instruments_add(&life->instruments, symbol, instrument, (int32_t)event_seq, NULL), 0);
}

static void remember(const struct life *life, uint64_t event_seq)
{
    day_at[event_seq] = life->outbound.day_event_seq;
    for (uint32_t i = 0; i < STREAMS; i++)
        message_next_at[event_seq][i] = life->outbound.sessions[i].message_next;
}

/* A new life, at a moment when the events below event_end are there. Returns where it begins. */
static uint64_t check_restored(uint64_t event_end)
{
    struct life life;
    cr_assert_eq(life_begin(&life, EVERY), 0);
    uint64_t first = notes_restore(&life.notes, event_end);
    cr_assert(first == 1 || first + EVERY <= event_end, "it begins at %llu, of %llu", (unsigned long long)first,
              (unsigned long long)event_end);
    for (uint32_t i = 0; first > 1 && i < STREAMS; i++) {
        cr_assert_eq(life.outbound.sessions[i].message_next, message_next_at[first][i], "stream %u at %llu", i + 1,
                     (unsigned long long)first);
        cr_assert_eq(life.outbound.sessions[i].first_indexed, message_next_at[first][i]);
    }
    if (first > 1) {
        cr_assert_eq(life.outbound.day_event_seq, day_at[first]);
        cr_assert_eq(life.midnight_ns, life.date == 0 ? 0 : day_at[first]);
        cr_assert_eq(life.instruments.count, first > INSTRUMENTS ? INSTRUMENTS : first - 1);
    }
    life_end(&life);
    return first;
}

static void check_before(const struct life *life, uint64_t event_seq)
{
    uint32_t stream = 1 + random_below(STREAMS);
    uint32_t message_no = 1 + random_below(life->outbound.sessions[stream - 1].message_next);
    uint32_t message_next = 0;
    uint64_t before = notes_before(&life->notes, stream, message_no, &message_next);
    if (before == 0)
        return;
    cr_assert_leq(before, event_seq);
    cr_assert_eq(day_at[before], life->outbound.day_event_seq);
    cr_assert_eq(message_next, message_next_at[before][stream - 1]);
    cr_assert_leq(message_next, message_no);
}

static void remove_file(void)
{
    unlink(path);
}

static void make_name(void)
{
    close(mkstemp(path));
}

TestSuite(notes, .init = make_name, .fini = remove_file);

Test(notes, are_what_was_so)
{
    struct life life;
    cr_assert_eq(life_begin(&life, EVERY), 0);
    uint64_t near = 0;
    remember(&life, 1);
    for (uint64_t event_seq = 1; event_seq < EVENTS; event_seq++) {
        event(&life, event_seq);
        remember(&life, event_seq + 1);
        if (random_below(20) != 0) /* not after each: events come in batches */
            continue;
        pass(&life, event_seq + 1);
        check_before(&life, event_seq + 1);
        uint64_t first = check_restored(event_seq + 1);
        near += event_seq < 4 * EVERY || event_seq - first < 4 * EVERY;
        cr_assert(event_seq < 1000 || first > 1, "no note at event %llu", (unsigned long long)event_seq);
        cr_assert_lt(event_seq - first, 40 * EVERY, "it begins at %llu, of %llu", (unsigned long long)first,
                     (unsigned long long)event_seq);
    }
    cr_assert_gt(near, EVENTS / 20 * 8 / 10, "%llu lives began near", (unsigned long long)near);
    life_end(&life);
}

Test(notes, leave_one_at_each_distance)
{
    struct life life;
    cr_assert_eq(life_begin(&life, EVERY), 0);
    for (uint64_t number = 1; number <= 5000; number++) {
        for (uint32_t stream = 1; stream <= STREAMS; stream++)
            outbound_append(&life.outbound, stream, (uint32_t)number, number * EVERY - 1);
        pass(&life, number * EVERY);
        for (uint64_t back = 1; back < number && number > 64; back *= 2) {
            uint32_t message_next = 0;
            uint64_t before = notes_before(&life.notes, 1, (uint32_t)(number - back + 1), &message_next);
            cr_assert_geq(before, number > 4 * back ? (number - 4 * back) * EVERY : 0,
                          "note %llu: message %llu is looked for from %llu", (unsigned long long)number,
                          (unsigned long long)(number - back + 1), (unsigned long long)before / EVERY);
        }
    }
    life_end(&life);
}

Test(notes, one_that_was_being_written_is_none)
{
    struct life life;
    cr_assert_eq(life_begin(&life, EVERY), 0);
    remember(&life, 1);
    for (uint64_t event_seq = 1; event_seq < 10 * EVERY; event_seq++) {
        event(&life, event_seq);
        remember(&life, event_seq + 1);
        pass(&life, event_seq + 1);
    }
    uint64_t whole = check_restored(100 * EVERY);
    cr_assert_eq(whole, 10 * EVERY);
    /* Its number is the first word of a note, and the first to be taken away: this is what a killed writer leaves. */
    uint8_t *bytes = (uint8_t *)life.notes.file;
    for (size_t at = 0; at + sizeof(uint64_t) <= life.notes.bytes; at += 64)
        if (memcmp(bytes + at, &whole, sizeof(whole)) == 0)
            memset(bytes + at, 0, sizeof(whole));
    cr_assert_eq(check_restored(100 * EVERY), 9 * EVERY);
    life_end(&life);
}

static const struct event *nothing(void *argument, uint64_t event_seq)
{
    (void)argument;
    (void)event_seq;
    return NULL;
}

Test(notes, of_another_history_or_shape_are_none)
{
    enum { SAME, OTHER_SHAPE, OTHER_HISTORY, NOT_IN_THE_LOG, CASES };
    for (int other = SAME; other < CASES; other++) {
        struct life life;
        unlink(path);
        history = 0;
        cr_assert_eq(life_begin(&life, EVERY), 0);
        for (uint64_t event_seq = 1; event_seq < 10 * EVERY; event_seq++) {
            event(&life, event_seq);
            pass(&life, event_seq + 1);
        }
        life_end(&life);
        history = other == OTHER_HISTORY;
        cr_assert_eq(life_begin(&life, other == OTHER_SHAPE ? 2 * EVERY : EVERY), 0);
        notes_check(&life.notes, other == NOT_IN_THE_LOG ? nothing : event_of, NULL);
        cr_assert_eq(notes_restore(&life.notes, 100 * EVERY), other == SAME ? 10 * EVERY : 1, "case %d", other);
        cr_assert_eq(life.notes.count, other == SAME ? 10 : 0, "case %d", other);
        life_end(&life);
    }
}

Test(notes, that_have_no_place_are_done_without)
{
    struct life life;
    where = "/proc/ringside-no-such-place";
    cr_assert_lt(life_begin(&life, EVERY), 0);
    pass(&life, 1000);
    uint32_t message_next = 0;
    cr_assert_eq(notes_restore(&life.notes, 1000), 1);
    cr_assert_eq(notes_before(&life.notes, 1, 1, &message_next), 0);
    life_end(&life);
}
