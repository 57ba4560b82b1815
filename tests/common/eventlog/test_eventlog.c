/* The event log: what is whole, what is cut at opening, followers that fall behind their ring. */
#include "base/units.h"
#include "env/disk.h"
#include "eventlog/eventlog.h"
#include "scratch.h"
#include "topology/topology.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *root;
static char directory[96];
static struct error error;

static void begin(void)
{
    root = scratch_make();
    snprintf(directory, sizeof(directory), "%s/events", root);
}

static void finish(void)
{
    scratch_remove();
}

TestSuite(eventlog, .init = begin, .fini = finish, .timeout = 30);

/* Event n is caused by command n / 2 + 1. */
static struct event sample(uint64_t seq)
{
    struct event event = {.event_seq = seq, .command_seq = seq / 2 + 1, .kind = EVENT_BOOK_TOP};
    event.top.bid_quantity = seq * 31;
    return event;
}

static void expect(const struct event *events, int count, uint64_t first)
{
    for (int i = 0; i < count; i++) {
        struct event expected = sample(first + (uint64_t)i);
        cr_assert_eq(events[i].event_seq, expected.event_seq, "%lu in place of %lu", events[i].event_seq,
                     expected.event_seq);
        cr_assert_eq(memcmp((const uint8_t *)&events[i] + RECORD_HEAD_BYTES, (uint8_t *)&expected + RECORD_HEAD_BYTES,
                            RECORD_BODY_BYTES),
                     0);
    }
}

/* Appends events first..last, a few hundred at a time. */
static void append(struct eventlog_writer *writer, uint64_t first, uint64_t last)
{
    static struct event events[700];
    const struct event *pointers[700];
    while (first <= last) {
        uint32_t count = 0;
        for (; count < 700 && first + count <= last; count++) {
            events[count] = sample(first + count);
            pointers[count] = &events[count];
        }
        cr_assert_eq(eventlog_writer_append(writer, pointers, count, &error), 0, "%s", error.what);
        first += count;
    }
}

/* Opens, tells the next number, closes. */
static uint64_t next_after_opening(uint64_t last_command_seq, uint64_t synced)
{
    struct eventlog_writer *writer;
    uint64_t next;
    int result = eventlog_writer_open_from(&writer, directory, last_command_seq, synced, &next, &error);
    cr_assert_eq(result, 0, "%s: %s", error.where, error.what);
    eventlog_writer_close(writer);
    return next;
}

static void make_log(uint64_t last)
{
    struct eventlog_writer *writer;
    uint64_t next;
    cr_assert_eq(eventlog_writer_open(&writer, directory, UINT64_MAX, &next, &error), 0, "%s", error.what);
    cr_assert_eq(next, 1);
    append(writer, 1, last);
    eventlog_writer_close(writer);
}

static void overwrite(uint64_t seq, uint64_t offset, uint8_t flip)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/events-%010lu.log", directory, seq / EVENTLOG_FILE_EVENTS);
    int file = open(path, O_RDWR);
    off_t at = (off_t)(EVENTLOG_HEADER_BYTES + seq % EVENTLOG_FILE_EVENTS * RECORD_BYTES + offset);
    uint8_t byte;
    cr_assert(file >= 0 && pread(file, &byte, 1, at) == 1);
    byte ^= flip;
    cr_assert(pwrite(file, &byte, 1, at) == 1);
    close(file);
}

static int read_some(uint64_t seq, struct event *events, uint32_t max)
{
    struct eventlog_reader *reader;
    cr_assert_eq(eventlog_reader_open(&reader, directory, &error), 0);
    int count = eventlog_reader_read(reader, seq, events, max, &error);
    eventlog_reader_close(reader);
    return count;
}

Test(eventlog, golden_record)
{
    uint8_t bytes[RECORD_BYTES];
    char text[33] = "";
    make_log(1);
    char path[128];
    snprintf(path, sizeof(path), "%s/events-0000000000.log", directory);
    int file = open(path, O_RDONLY);
    cr_assert(file >= 0 && pread(file, bytes, sizeof(bytes), EVENTLOG_HEADER_BYTES + RECORD_BYTES) == RECORD_BYTES);
    close(file);
    for (size_t i = 0; i < 16; i++)
        snprintf(&text[(size_t)2 * i], 3, "%02x", bytes[i]);
    cr_assert_str_eq(text, "3d48b3cb455654310000000000000000");
}

Test(eventlog, what_is_appended_can_be_read_at_once)
{
    static struct event events[2000];
    struct eventlog_writer *writer;
    uint64_t next;
    cr_assert_eq(read_some(1, events, 10), 0, "no log yet");
    cr_assert_eq(eventlog_writer_open(&writer, directory, UINT64_MAX, &next, &error), 0);
    cr_assert_eq(read_some(1, events, 10), 0);
    append(writer, 1, 1500);
    cr_assert_eq(read_some(1, events, 2000), 1500);
    expect(events, 1500, 1);
    cr_assert_eq(read_some(1001, events, 100), 100);
    expect(events, 100, 1001);
    cr_assert_eq(events[0].head.slot_word, 0, "heads are not given");
    eventlog_writer_close(writer);
}

Test(eventlog, a_flipped_bit_is_a_hole)
{
    static struct event events[100];
    make_log(100);
    for (uint64_t bit = 0; bit < UINT64_C(8) * RECORD_BYTES; bit++) {
        overwrite(50, bit / 8, (uint8_t)(1 << bit % 8));
        cr_assert_eq(read_some(1, events, 100), 49, "bit %lu", bit);
        overwrite(50, bit / 8, (uint8_t)(1 << bit % 8));
    }
    cr_assert_eq(read_some(1, events, 100), 100);
}

Test(eventlog, opening_cuts_at_the_first_hole)
{
    static struct event events[100];
    make_log(100);
    overwrite(50, 80, 1);
    cr_assert_eq(next_after_opening(UINT64_MAX, 1), 50);
    overwrite(49, 80, 0);
    cr_assert_eq(read_some(51, events, 10), 0, "what followed is gone");
    cr_assert_eq(next_after_opening(UINT64_MAX, 1), 50);
}

Test(eventlog, opening_cuts_what_has_no_cause)
{
    make_log(100);
    cr_assert_eq(next_after_opening(60, 1), 101);
    cr_assert_eq(next_after_opening(31, 1), 62, "event 62 is the first of command 32");
    cr_assert_eq(next_after_opening(0, 1), 1);
}

Test(eventlog, the_synced_mark_saves_the_search)
{
    make_log(1000);
    overwrite(10, 80, 1); /* below the mark: it was on the medium, nobody looks */
    cr_assert_eq(next_after_opening(UINT64_MAX, 900), 1001);
    cr_assert_eq(next_after_opening(UINT64_MAX, 1001), 1001);
    cr_assert_eq(next_after_opening(400, 900), 800, "the journal ends before the mark");
    cr_assert_eq(next_after_opening(UINT64_MAX, 900), 10, "the mark is beyond the end: all is looked at");
}

/* Over the end of a file, and cutting back over it. */
Test(eventlog, files_follow_each_other)
{
    static struct event events[600];
    struct eventlog_writer *writer;
    uint64_t next;
    const uint64_t edge = EVENTLOG_FILE_EVENTS;
    make_log(edge + 500);
    cr_assert_eq(read_some(edge - 100, events, 600), 600);
    expect(events, 600, edge - 100);
    cr_assert_eq(next_after_opening(UINT64_MAX, edge - 10), edge + 501);
    cr_assert_eq(next_after_opening(UINT64_MAX, edge), edge + 501);
    cr_assert_eq(next_after_opening((edge - 200) / 2, edge), edge - 200, "cut in the first file");
    char path[128];
    snprintf(path, sizeof(path), "%s/events-0000000001.log", directory);
    cr_assert_neq(access(path, F_OK), 0, "the second is gone");
    cr_assert_eq(eventlog_writer_open_from(&writer, directory, UINT64_MAX, edge - 300, &next, &error), 0);
    append(writer, next, edge + 100);
    cr_assert_eq(eventlog_writer_synced(writer), edge - 300);
    cr_assert_eq(eventlog_writer_sync(writer, &error), 0, "%s", error.what);
    cr_assert_eq(eventlog_writer_synced(writer), edge + 101);
    eventlog_writer_close(writer);
    cr_assert_eq(read_some(edge - 250, events, 600), 351);
}

/* An end exactly at the end of a file. */
Test(eventlog, a_file_filled_to_its_end)
{
    make_log(EVENTLOG_FILE_EVENTS - 1);
    cr_assert_eq(next_after_opening(UINT64_MAX, EVENTLOG_FILE_EVENTS - 5), EVENTLOG_FILE_EVENTS);
    cr_assert_eq(next_after_opening(UINT64_MAX, EVENTLOG_FILE_EVENTS), EVENTLOG_FILE_EVENTS);
}

Test(eventlog, another_layout_is_refused)
{
    struct eventlog_writer *writer;
    uint64_t next;
    char path[128];
    make_log(10);
    snprintf(path, sizeof(path), "%s/events-0000000000.log", directory);
    int file = open(path, O_RDWR);
    cr_assert(file >= 0 && pwrite(file, "x", 1, 0) == 1);
    close(file);
    cr_assert_eq(eventlog_writer_open(&writer, directory, UINT64_MAX, &next, &error), ERROR_MISMATCH);
    file = open(path, O_RDWR);
    cr_assert(file >= 0 && pwrite(file, "R", 1, 0) == 1 && pwrite(file, "x", 1, 20) == 1);
    close(file);
    cr_assert_eq(eventlog_writer_open(&writer, directory, UINT64_MAX, &next, &error), ERROR_CORRUPT);
}

/* ---- followers ----------------------------------------------------------------------------------------------------
 */

struct stream {
    struct ring ring;
    struct ring_producer producer;
    struct ring_consumer consumer;
    struct eventlog_writer *writer;
    struct event_follower follower;
};

static void stream_open(struct stream *stream, uint32_t capacity, uint64_t base)
{
    char path[128];
    uint64_t next;
    const struct ring_parameters parameters = {
        .name = "event",
        .capacity = capacity,
        .base_seq = base,
        .record_hash = event_layout_hash(),
        .gating_count = 1,
        .gating_names = {LINE_EVENT_LOG},
    };
    snprintf(path, sizeof(path), "%s/event.ring", root);
    cr_assert_eq(ring_create(&stream->ring, path, &parameters, &error), 0, "%s", error.what);
    cr_assert_eq(ring_producer_open(&stream->producer, &stream->ring, 0, &error), 0);
    cr_assert_eq(ring_consumer_open(&stream->consumer, &stream->ring, LINE_EVENT_LOG, 0, &error), 0);
    cr_assert_eq(eventlog_writer_open(&stream->writer, directory, UINT64_MAX, &next, &error), 0);
    cr_assert_eq(next, base);
}

static void stream_close(struct stream *stream)
{
    event_follower_close(&stream->follower);
    eventlog_writer_close(stream->writer);
    ring_detach(&stream->ring);
}

static void publish(struct stream *stream, uint64_t count)
{
    for (; count > 0; count--) {
        struct event event = sample(stream->producer.next);
        cr_assert(ring_put(&stream->producer, &event));
    }
    ring_flush(&stream->producer);
}

/* The journaler's part: into the log, then the ring is free. */
static void log_all(struct stream *stream)
{
    const struct event *event;
    while ((event = ring_next(&stream->consumer)) != NULL)
        cr_assert_eq(eventlog_writer_append(stream->writer, &event, 1, &error), 0);
    ring_release(&stream->consumer, stream->consumer.next);
}

static void follow_to(struct stream *stream, uint64_t end)
{
    static struct event events[64];
    while (stream->follower.next < end) {
        uint64_t first = stream->follower.next;
        int count = event_follower_next(&stream->follower, events, 64, &error);
        cr_assert_gt(count, 0, "at %lu: %d %s", first, count, error.what);
        expect(events, count, first);
    }
    cr_assert_eq(event_follower_next(&stream->follower, events, 64, &error), 0);
}

Test(eventlog, a_follower_reads_the_ring)
{
    struct stream stream = {0};
    stream_open(&stream, 256, 1);
    cr_assert_eq(event_follower_open(&stream.follower, &stream.ring, directory, 1, &error), 0);
    for (int turn = 0; turn < 20; turn++) {
        publish(&stream, 100);
        follow_to(&stream, stream.producer.next); /* before it is in the log */
        log_all(&stream);
    }
    cr_assert_eq(stream.follower.overrun_count, 0);
    cr_assert_eq(event_follower_lag(&stream.follower), 0);
    stream_close(&stream);
}

Test(eventlog, an_overrun_follower_reads_the_log_and_comes_back)
{
    struct stream stream = {0};
    stream_open(&stream, 64, 1);
    cr_assert_eq(event_follower_open(&stream.follower, &stream.ring, directory, 1, &error), 0);
    for (uint64_t behind = 10; behind < 400; behind += 37) {
        for (uint64_t i = 0; i < behind; i++) {
            publish(&stream, 1);
            log_all(&stream);
        }
        publish(&stream, 20); /* these are in the ring alone */
        follow_to(&stream, stream.producer.next);
        cr_assert(!stream.follower.from_log);
        log_all(&stream);
    }
    cr_assert_geq(stream.follower.overrun_count, 5);
    stream_close(&stream);
}

/* The loss of power has left the first half of a record; the new run's ring begins with the second. */
Test(eventlog, a_record_that_was_cut_in_two_is_given_whole)
{
    struct stream stream = {0};
    struct event events[64];
    make_log(9);
    struct eventlog_writer *writer;
    uint64_t next;
    struct event half = sample(10);
    const struct event *pointer = &half;
    half.flags = EVENT_CONTINUED;
    cr_assert_eq(eventlog_writer_open(&writer, directory, UINT64_MAX, &next, &error), 0);
    cr_assert_eq(eventlog_writer_append(writer, &pointer, 1, &error), 0);
    eventlog_writer_close(writer);
    stream_open(&stream, 64, 11);
    cr_assert_eq(event_follower_open(&stream.follower, &stream.ring, directory, 1, &error), 0);
    cr_assert_eq(event_follower_next(&stream.follower, events, 64, &error), 9);
    cr_assert_eq(event_follower_next(&stream.follower, events, 64, &error), 0, "the second half is not there yet");
    publish(&stream, 1);
    cr_assert_eq(event_follower_next(&stream.follower, events, 64, &error), 0, "nor in the log");
    log_all(&stream);
    cr_assert_eq(event_follower_next(&stream.follower, events, 64, &error), 2);
    cr_assert_eq(events[0].event_seq, 10);
    cr_assert_eq(events[1].event_seq, 11);
    publish(&stream, 5);
    follow_to(&stream, 17);
    stream_close(&stream);
}

/* A new run: what is older than the ring's beginning is in the log alone. */
Test(eventlog, a_follower_begins_before_the_ring)
{
    struct stream stream = {0};
    make_log(1000);
    stream_open(&stream, 64, 1001);
    publish(&stream, 30);
    cr_assert_eq(event_follower_open(&stream.follower, NULL, directory, 500, &error), 0);
    static struct event events[64];
    cr_assert_eq(event_follower_next(&stream.follower, events, 64, &error), 64, "the log alone");
    event_follower_join(&stream.follower, &stream.ring);
    follow_to(&stream, 1031);
    stream_close(&stream);
}

Test(eventlog, what_the_writer_passed_must_be_there)
{
    struct stream stream = {0};
    static struct event events[64];
    stream_open(&stream, 64, 1);
    for (int i = 0; i < 300; i++) {
        publish(&stream, 1);
        log_all(&stream);
    }
    overwrite(7, 60, 1);
    cr_assert_eq(event_follower_open(&stream.follower, &stream.ring, directory, 1, &error), 0);
    cr_assert_eq(event_follower_next(&stream.follower, events, 64, &error), 6);
    cr_assert_eq(event_follower_next(&stream.follower, events, 64, &error), ERROR_CORRUPT);
    stream_close(&stream);
}

/* An event and its continuation come together, wherever the buffer or the log ends. */
Test(eventlog, continued_events_are_given_whole)
{
    struct stream stream = {0};
    static struct event events[64];
    stream_open(&stream, 256, 1);
    for (int i = 0; i < 60; i++) {
        struct event event = sample(stream.producer.next);
        event.kind = i % 2 ? EVENT_ORDER_OPTIONS : EVENT_ACCEPTED;
        event.flags = i % 2 ? 0 : EVENT_CONTINUED;
        cr_assert(ring_put(&stream.producer, &event));
    }
    ring_flush(&stream.producer);
    for (uint32_t max = 2; max < 12; max++) {
        cr_assert_eq(event_follower_open(&stream.follower, &stream.ring, directory, 1, &error), 0);
        int count, total = 0;
        while ((count = event_follower_next(&stream.follower, events, max, &error)) > 0) {
            cr_assert_eq(count % 2, 0);
            total += count;
        }
        cr_assert_eq(total, 60);
        event_follower_close(&stream.follower);
    }
    stream_close(&stream);
}
