/*
 * Trimming the event log: what goes, what stays, and that readers, followers and the next opening meet no gap.
 *
 * One log of two files and a bit is made once a test, in memory; every hundred thousandth event is a login, a trading
 * day begins at DAY_SEQ.
 */
#include "env/disk.h"
#include "eventlog/eventlog.h"
#include "eventlog/store_marks.h"
#include "eventlog/trim.h"
#include "scratch.h"
#include "topology/topology.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAST_SEQ    (2 * EVENTLOG_FILE_EVENTS + 1000)
#define DAY_SEQ     (EVENTLOG_FILE_EVENTS + 500000)
#define LOGIN_EVERY 100000
#define KEPT_IN_0   (EVENTLOG_FILE_EVENTS / LOGIN_EVERY) /* the last event of the file is none of them */
#define FILE_BYTES  ((uint64_t)EVENTLOG_HEADER_BYTES + EVENTLOG_FILE_EVENTS * RECORD_BYTES)

static const char *root;
static char directory[96];
static char archive[96];
static struct error error;
static struct event events[4096];

static struct event sample(uint64_t seq)
{
    struct event event = {.event_seq = seq, .command_seq = seq / 2 + 1, .kind = EVENT_BOOK_TOP};
    if (seq % LOGIN_EVERY == 0)
        event.kind = EVENT_LOGIN_ACCEPTED;
    if (seq == DAY_SEQ)
        event.kind = EVENT_DAY_STARTED;
    return event;
}

static void make_log(void)
{
    struct eventlog_writer *writer;
    const struct event *pointers[512];
    uint64_t next;
    cr_assert_eq(eventlog_writer_open(&writer, directory, UINT64_MAX, &next, &error), 0, "%s", error.what);
    while (next <= LAST_SEQ) {
        uint32_t count = 0;
        for (; count < 512 && next <= LAST_SEQ; count++, next++) {
            events[count] = sample(next);
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
    snprintf(archive, sizeof(archive), "%s/archive", root);
    make_log();
}

static void finish(void)
{
    scratch_remove();
}

TestSuite(trim, .init = begin, .fini = finish, .timeout = 120);

static struct eventlog_trim trim(uint64_t needed_seq, const char *to)
{
    struct eventlog_trim trim = {.directory = directory, .archive = to, .needed_seq = needed_seq};
    cr_assert_eq(eventlog_trim(&trim, &error), 0, "%s: %s", error.where, error.what);
    return trim;
}

static uint64_t whole_from(const char *beside)
{
    uint64_t seq = 0;
    cr_assert_eq(eventlog_whole_from(directory, beside, &seq, &error), 0);
    return seq;
}

static int read_from(uint64_t seq, const char *beside, uint64_t skip_below, bool *skipped)
{
    struct eventlog_reader *reader;
    cr_assert_eq(eventlog_reader_open(&reader, directory, &error), 0);
    eventlog_reader_archive(reader, beside);
    eventlog_reader_skip(reader, skip_below);
    int count = eventlog_reader_read(reader, seq, events, 4096, &error);
    *skipped = eventlog_reader_skipped(reader);
    eventlog_reader_close(reader);
    return count;
}

Test(trim, what_is_needed_stays)
{
    cr_assert_eq(trim(1, NULL).count, 0);
    cr_assert_eq(trim(EVENTLOG_FILE_EVENTS - 1, NULL).count, 0, "its last event is needed");
    cr_assert_eq(whole_from(NULL), 1);
    struct eventlog_trim done = trim(UINT64_MAX, NULL);
    cr_assert_eq(done.count, 2, "but never the last file");
    cr_assert_eq(done.bytes, 2 * FILE_BYTES);
    cr_assert_eq(whole_from(NULL), 2 * EVENTLOG_FILE_EVENTS);
}

Test(trim, what_is_of_all_time_stays)
{
    bool skipped;
    struct stat status;
    char path[128];
    struct eventlog_trim done = trim(DAY_SEQ, NULL);
    cr_assert_eq(done.count, 1);
    cr_assert_eq(done.kept, KEPT_IN_0);
    snprintf(path, sizeof(path), "%s/events-0000000000.log", directory);
    cr_assert(stat(path, &status) == 0 && (uint64_t)status.st_size == EVENTLOG_HEADER_BYTES + KEPT_IN_0 * RECORD_BYTES);

    cr_assert_eq(read_from(1, NULL, 0, &skipped), ERROR_GONE);
    cr_assert_eq(read_from(1, NULL, EVENTLOG_FILE_EVENTS - 1, &skipped), ERROR_GONE, "the file ends behind that");
    cr_assert_eq(read_from(1, NULL, EVENTLOG_FILE_EVENTS, &skipped), KEPT_IN_0);
    cr_assert(skipped);
    for (uint64_t i = 0; i < KEPT_IN_0; i++)
        cr_assert(events[i].event_seq == (i + 1) * LOGIN_EVERY && events[i].kind == EVENT_LOGIN_ACCEPTED);
    cr_assert_eq(read_from(5 * LOGIN_EVERY + 1, NULL, UINT64_MAX, &skipped), KEPT_IN_0 - 5);
    cr_assert_eq(events[0].event_seq, UINT64_C(6) * LOGIN_EVERY);

    cr_assert_eq(read_from(KEPT_IN_0 * LOGIN_EVERY + 1, NULL, UINT64_MAX, &skipped), 4096, "then the next file");
    cr_assert(!skipped && events[0].event_seq == EVENTLOG_FILE_EVENTS);
}

Test(trim, a_follower_goes_over_it)
{
    struct event_follower follower;
    uint64_t seen = 0, last = 0;
    (void)trim(UINT64_MAX, NULL);
    cr_assert_eq(event_follower_open(&follower, NULL, directory, 1, &error), 0);
    event_follower_archive(&follower, NULL, UINT64_MAX);
    int count;
    while ((count = event_follower_next(&follower, events, 64, &error)) > 0) {
        for (int i = 0; i < count; i++) {
            cr_assert_gt(events[i].event_seq, last);
            last = events[i].event_seq;
        }
        cr_assert_eq(event_follower_skipped(&follower), last < 2 * EVENTLOG_FILE_EVENTS);
        seen += (uint64_t)count;
    }
    cr_assert_eq(count, 0, "%s", error.what);
    cr_assert_eq(last, LAST_SEQ);
    cr_assert_eq(seen, 2 * EVENTLOG_FILE_EVENTS / LOGIN_EVERY + 1 + 1001, "logins, the day, the last file");
    event_follower_close(&follower);
}

/* A loss of power takes what was written last, and nothing is left of the rest behind the place that is wanted. */
Test(trim, a_follower_goes_on_in_the_ring_where_the_log_ends_with_trimmed_files)
{
    const uint64_t end = 2 * EVENTLOG_FILE_EVENTS;
    const uint64_t last_kept = (end - 1) / LOGIN_EVERY * LOGIN_EVERY;
    const struct ring_parameters parameters = {.name = "event",
                                               .capacity = 64,
                                               .base_seq = end,
                                               .record_hash = event_layout_hash(),
                                               .gating_count = 1,
                                               .gating_names = {LINE_EVENT_LOG}};
    struct ring ring = {0};
    struct ring_producer producer;
    struct event_follower follower;
    char path[160];
    cr_assert_eq(trim(end, NULL).count, 2);
    snprintf(path, sizeof(path), "%s/events-0000000002.log", directory);
    cr_assert_eq(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/event.ring", root);
    cr_assert_eq(ring_create(&ring, path, &parameters, &error), 0, "%s", error.what);
    cr_assert_eq(ring_producer_open(&producer, &ring, 0, &error), 0);
    cr_assert_eq(event_follower_open(&follower, &ring, directory, last_kept + 1, &error), 0);
    event_follower_archive(&follower, NULL, UINT64_MAX);
    cr_assert_eq(event_follower_next(&follower, events, 64, &error), 0, "%s", error.what);
    cr_assert(event_follower_skipped(&follower));
    const struct event next = sample(end);
    cr_assert(ring_put(&producer, &next));
    ring_flush(&producer);
    cr_assert_eq(event_follower_next(&follower, events, 64, &error), 1, "%s", error.what);
    cr_assert_eq(events[0].event_seq, end);
    cr_assert_not(event_follower_skipped(&follower));
    event_follower_close(&follower);
    ring_detach(&ring);
}

Test(trim, the_archive_is_as_good)
{
    bool skipped;
    (void)trim(UINT64_MAX, archive);
    cr_assert_eq(whole_from(NULL), 2 * EVENTLOG_FILE_EVENTS);
    cr_assert_eq(whole_from(archive), 1);
    for (uint64_t seq = 1; seq <= LAST_SEQ; seq += 4096) {
        int count = read_from(seq, archive, 0, &skipped);
        uint64_t left = LAST_SEQ + 1 - seq;
        cr_assert_eq((uint64_t)count, left < 4096 ? left : 4096, "at %lu: %s", seq, error.what);
        cr_assert(!skipped);
        for (int i = 0; i < count; i++)
            cr_assert_eq(events[i].event_seq, seq + (uint64_t)i);
    }
}

Test(trim, an_archive_that_lacks_a_later_file_is_whole_behind_that_alone)
{
    char path[128];
    (void)trim(UINT64_MAX, archive);
    snprintf(path, sizeof(path), "%s/events-0000000001.log", archive);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(whole_from(archive), 2 * EVENTLOG_FILE_EVENTS);
}

Test(trim, an_archive_that_lacks_the_first_file_is_whole_behind_that)
{
    char path[128];
    (void)trim(UINT64_MAX, archive);
    snprintf(path, sizeof(path), "%s/events-0000000000.log", archive);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(whole_from(archive), EVENTLOG_FILE_EVENTS);
}

Test(trim, it_goes_on_where_it_was_cut_short)
{
    char path[128], to_path[128], command[512];
    snprintf(path, sizeof(path), "%s/events-0000000000.log", directory);
    snprintf(to_path, sizeof(to_path), "%s/events-0000000000.log", archive);
    cr_assert_eq(mkdir(archive, 0755), 0);
    snprintf(command, sizeof(command), "cp %s %s; echo rubbish > %s.new", path, to_path, path);
    cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c): killed after the copy, and while it packed */
    cr_assert_eq(trim(UINT64_MAX, archive).count, 2);
    cr_assert_eq(whole_from(archive), 1);
}

Test(trim, the_archive_of_another_exchange_is_refused)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/events-0000000000.log", archive);
    cr_assert_eq(mkdir(archive, 0755), 0);
    FILE *other = fopen(path, "w");
    cr_assert(other && fputs("another", other) >= 0 && fclose(other) == 0);
    struct eventlog_trim refused = {.directory = directory, .archive = archive, .needed_seq = UINT64_MAX};
    cr_assert_eq(eventlog_trim(&refused, &error), ERROR_INVALID);
    cr_assert_eq(refused.count, 0);
    cr_assert_eq(whole_from(NULL), 1, "nothing was touched");
}

Test(trim, a_hole_is_not_swept_away)
{
    char path[128];
    const uint8_t flipped = 0xff;
    snprintf(path, sizeof(path), "%s/events-0000000000.log", directory);
    int file = open(path, O_WRONLY);
    cr_assert_eq(pwrite(file, &flipped, 1, EVENTLOG_HEADER_BYTES + 777777L * RECORD_BYTES + 1), 1);
    close(file);
    struct eventlog_trim refused = {.directory = directory, .needed_seq = UINT64_MAX};
    cr_assert_eq(eventlog_trim(&refused, &error), ERROR_CORRUPT);
    cr_assert(strstr(error.what, "777777"), "%s", error.what);
    cr_assert_eq(whole_from(NULL), 1);
}

Test(trim, a_record_that_was_kept_is_checked)
{
    char path[128];
    bool skipped;
    uint8_t byte;
    off_t at = EVENTLOG_HEADER_BYTES + 3L * RECORD_BYTES + 60;
    (void)trim(DAY_SEQ, NULL);
    snprintf(path, sizeof(path), "%s/events-0000000000.log", directory);
    int file = open(path, O_RDWR);
    cr_assert_eq(pread(file, &byte, 1, at), 1);
    byte ^= 16;
    cr_assert_eq(pwrite(file, &byte, 1, at), 1);
    close(file);
    cr_assert_eq(read_from(1, NULL, UINT64_MAX, &skipped), ERROR_CORRUPT);
    cr_assert(strstr(error.what, "record 3"), "%s", error.what);
}

/* The next life of the journaler: it knows nothing of trimming but where to begin to look. */
Test(trim, the_next_opening_goes_on_at_the_end)
{
    struct eventlog_writer *writer;
    uint64_t next;
    (void)trim(UINT64_MAX, NULL);
    const uint64_t synced[] = {1, LAST_SEQ - 10, LAST_SEQ + 1};
    for (size_t i = 0; i < sizeof(synced) / sizeof(synced[0]); i++) {
        cr_assert_eq(eventlog_writer_open_from(&writer, directory, UINT64_MAX, synced[i], &next, &error), 0, "%s",
                     error.what);
        cr_assert_eq(next, LAST_SEQ + 1, "%lu, synced up to %lu", next, synced[i]);
        eventlog_writer_close(writer);
    }
    uint64_t last_command = EVENTLOG_FILE_EVENTS + 200; /* the journal ends within the last file */
    cr_assert_eq(eventlog_writer_open_from(&writer, directory, last_command, LAST_SEQ, &next, &error), 0);
    cr_assert_eq(next, 2 * last_command);
    eventlog_writer_close(writer);
}

Test(trim, the_day_is_found_from_the_end)
{
    uint64_t seq = 1;
    cr_assert_eq(eventlog_day_started(directory, &seq, &error), 0);
    cr_assert_eq(seq, DAY_SEQ);
    (void)trim(UINT64_MAX, NULL);
    cr_assert_eq(eventlog_day_started(directory, &seq, &error), 0);
    cr_assert_eq(seq, 0, "it is in no file that is whole");
}

Test(trim, marks_of_stores)
{
    struct store_marks marks = {1, 1};
    char path[128];
    cr_assert_eq(store_marks_read(&marks, directory, &error), 0);
    cr_assert(marks.postgres_seq == 0 && marks.redis_seq == 0);
    const struct store_marks told = {.postgres_seq = UINT64_MAX, .redis_seq = 7};
    cr_assert_eq(store_marks_write(directory, &told, &error), 0);
    cr_assert_eq(store_marks_write(directory, &told, &error), 0, "over the one that is there");
    cr_assert_eq(store_marks_read(&marks, directory, &error), 0);
    cr_assert(marks.postgres_seq == UINT64_MAX && marks.redis_seq == 7);
    snprintf(path, sizeof(path), "%s/stores.marks", directory);
    cr_assert_eq(truncate(path, 20), 0);
    cr_assert_eq(store_marks_read(&marks, directory, &error), 0);
    cr_assert(marks.postgres_seq == 0 && marks.redis_seq == 0, "half of it is nothing");
}
