/*
 * Trimming: segments of a real journal removed or archived, while nobody writes and while the journaler does.
 *
 * Goal: what is needed stays, the segment that is written stays, what is left is a whole journal that the journaler
 * opens and goes on with. Method: several openings, each a segment of ten commands; limits before, at and behind their
 * edges.
 */
#include "deploy/cli/journal/check.h"
#include "deploy/cli/journal/trim_limit.h"
#include "env/disk.h"
#include "journal.h"
#include "journal/survey.h"
#include "journal/tail.h"
#include "journal/trim.h"
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENT_COMMANDS 10

static void add_segment(struct world *world, uint64_t last)
{
    cr_assert_eq(world_open(world), 0, "%s", world->error.what);
    world_make_rings(world);
    world_publish(world, last);
    cr_assert_geq(world_poll_until(world, last + 1), 0, "%s", world->error.what);
    world_close(world);
}

/* Segment n holds the commands from 10 (n - 1) + 1 to 10 n. */
static void make_journal(struct world *world, uint32_t segments)
{
    world_init(world, "/dev/shm");
    for (uint32_t number = 1; number <= segments; number++)
        add_segment(world, (uint64_t)number * SEGMENT_COMMANDS);
}

static void expect_segments(const struct world *world, uint32_t first, uint32_t count)
{
    struct journal_survey survey;
    cr_assert_eq(journal_survey_make(&survey, world->config.journal_directory, NULL), 0);
    cr_assert_eq(survey.begun_count, count, "%u have begun, not %u", survey.begun_count, count);
    cr_assert_eq(survey.segments[0].number, first, "%u is the first, not %u", survey.segments[0].number, first);
    journal_survey_finish(&survey);
}

static void expect_whole(const struct world *world, const char *directory, uint64_t seq_first, uint64_t seq_next)
{
    struct check check = {.config = &world->config, .place.directory = directory};
    struct error error = {0};
    cr_assert_eq(check_run(&check, &error), 0, "%s: %s", error.where, error.what);
    cr_assert_eq(check.seq_first, seq_first);
    cr_assert_eq(check.position.command_seq_next, seq_next);
    check_finish(&check);
}

static uint32_t trim_and_keep(const struct world *world, uint64_t needed_seq, uint32_t *ret_kept)
{
    struct error error = {0};
    struct journal_trim trim = {.directory = world->config.journal_directory,
                                .needed_seq = needed_seq,
                                .recycled_bytes = world->config.journal_segment_bytes};
    cr_assert_eq(journal_trim(&trim, &error), 0, "%s: %s", error.where, error.what);
    *ret_kept = trim.recycled_count;
    return trim.count;
}

static uint32_t trim(const struct world *world, uint64_t needed_seq, const char *archive)
{
    struct error error = {0};
    struct journal_trim trim = {
        .directory = world->config.journal_directory, .archive = archive, .needed_seq = needed_seq};
    cr_assert_eq(journal_trim(&trim, &error), 0, "%s: %s", error.where, error.what);
    return trim.count;
}

Test(journal_trim, today_recovery_needs_all_of_it)
{
    struct world world;
    struct journal_trim_limit limit;
    make_journal(&world, 3);
    cr_assert_eq(journal_trim_limit_find(&limit, &world.config, NULL), 0);
    cr_assert_eq(limit.needed_seq, 1);
    cr_assert_str_eq(limit.keeper, "recovery");
    cr_assert(strstr(limit.why, "fewer than two good snapshots"), "%s", limit.why);
    cr_assert_eq(trim(&world, limit.needed_seq, NULL), 0);
    expect_segments(&world, 1, 3);
    world_finish(&world);
}

Test(journal_trim, goes_to_the_segment_that_holds_the_last_command_that_is_not_needed)
{
    static const struct {
        uint64_t needed_seq;
        uint32_t gone;
    } cases[] = {{1, 0}, {10, 0}, {11, 0}, {12, 1}, {21, 1}, {22, 2}, {31, 2}, {32, 3}, {41, 3}, {UINT64_MAX, 3}};
    for (uint32_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct world world;
        make_journal(&world, 4);
        struct journal_trim dry = {
            .directory = world.config.journal_directory, .needed_seq = cases[i].needed_seq, .dry_run = true};
        cr_assert_eq(journal_trim(&dry, NULL), 0);
        cr_assert_eq(dry.count, cases[i].gone);
        expect_segments(&world, 1, 4);
        cr_assert_eq(trim(&world, cases[i].needed_seq, NULL), cases[i].gone, "needed %lu", cases[i].needed_seq);
        expect_segments(&world, 1 + cases[i].gone, 4 - cases[i].gone);
        expect_whole(&world, world.config.journal_directory, cases[i].gone * SEGMENT_COMMANDS + 1, 41);
        cr_assert_eq(trim(&world, cases[i].needed_seq, NULL), 0, "again, nothing");
        world_finish(&world);
    }
}

Test(journal_trim, the_journaler_goes_on_with_what_is_left)
{
    struct world world;
    make_journal(&world, 3);
    cr_assert_eq(trim(&world, 22, NULL), 2);
    add_segment(&world, 40);
    cr_assert_eq(trim(&world, 32, NULL), 1);
    add_segment(&world, 50);
    expect_segments(&world, 4, 2);
    expect_whole(&world, world.config.journal_directory, 31, 51);
    cr_assert_eq(world_read(&world, 31), 51);
    cr_assert_eq(world_read(&world, 30), ERROR_INVALID);
    world_finish(&world);
}

/* Who reads holds the segment at hand and the next one open; then there is none. */
Test(journal_trim, who_reads_meanwhile_is_told)
{
    for (uint64_t durable_end = 0; durable_end <= 61; durable_end += 61) {
        struct world world;
        struct journal_reader *reader;
        struct command commands[SEGMENT_COMMANDS];
        struct error error = {0};
        make_journal(&world, 6);
        cr_assert_eq(journal_reader_open(&reader, world.config.journal_directory, 1, &error), 0);
        int count = journal_reader_next(reader, commands, SEGMENT_COMMANDS, durable_end, &error);
        cr_assert_gt(count, 0);
        cr_assert_eq(trim(&world, 52, NULL), 5);
        while ((count = journal_reader_next(reader, commands, SEGMENT_COMMANDS, durable_end, &error)) > 0)
            ;
        cr_assert_eq(count, ERROR_GONE, "%d: %s", count, error.what);
        journal_reader_close(reader);
        cr_assert_eq(world_read(&world, 51), 61);
        world_finish(&world);
    }
}

static struct world *trimmed_world; /* NULL: it has been trimmed */

/* As `ringside journal trim` does between a reader's look at the names and its opening of the files. */
static int list_and_trim(const char *directory, disk_visitor *visitor, void *argument, struct error *error)
{
    int result = disk_real()->list(directory, visitor, argument, error);
    struct world *world = trimmed_world;
    trimmed_world = NULL;
    if (world)
        cr_assert_eq(trim(world, 22, NULL), 2);
    return result;
}

Test(journal_trim, who_opens_meanwhile_finds_what_is_left_or_is_told)
{
    static const struct {
        uint64_t from; /* 0: the oldest there is */
        int64_t expected;
    } cases[] = {{0, 21}, {25, 25}, {15, ERROR_GONE}, {1, ERROR_GONE}};
    struct disk_side side = *disk_real();
    side.list = list_and_trim;
    for (uint32_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct world world;
        struct journal_reader *reader = NULL;
        struct command command;
        struct error error = {0};
        make_journal(&world, 4);
        const char *directory = world.config.journal_directory;
        trimmed_world = &world;
        disk_replace(&side);
        int64_t result = cases[i].from == 0 ? journal_reader_open_oldest(&reader, directory, &error)
                                            : journal_reader_open(&reader, directory, cases[i].from, &error);
        disk_replace(NULL);
        if (result == 0) {
            cr_assert_eq(journal_reader_next(reader, &command, 1, 0, &error), 1, "%s", error.what);
            result = (int64_t)journal_reader_seq(reader) - 1;
        }
        cr_assert_eq(result, cases[i].expected, "from %lu: %s", cases[i].from, error.what);
        journal_reader_close(reader);
        world_finish(&world);
    }
}

static void archive_in(const char *parent)
{
    struct world world;
    char archive[128];
    make_journal(&world, 3);
    snprintf(archive, sizeof(archive), "%s/ringside-archive-%d", parent, (int)getpid());
    cr_assert_eq(trim(&world, 22, archive), 2);
    expect_segments(&world, 3, 1);
    expect_whole(&world, world.config.journal_directory, 21, 31);
    expect_whole(&world, archive, 1, 21);
    char path[DISK_PATH_BYTES];
    for (uint32_t number = 1; number <= 2; number++) {
        journal_segment_path(archive, number, path);
        cr_assert_eq(unlink(path), 0);
    }
    cr_assert_eq(rmdir(archive), 0, "nothing else was left there");
    world_finish(&world);
}

Test(journal_trim, archives_what_goes)
{
    archive_in("/dev/shm");
}

Test(journal_trim, archives_to_another_file_system)
{
    archive_in("/tmp");
}

/* Two journals have segments of the same names; the archive of one is never overwritten by the other. */
Test(journal_trim, an_archive_is_not_overwritten)
{
    struct world world;
    struct world other;
    struct error error = {0};
    make_journal(&world, 2);
    make_journal(&other, 2);
    struct journal_trim trim = {.directory = world.config.journal_directory,
                                .archive = other.config.journal_directory,
                                .needed_seq = UINT64_MAX};
    cr_assert_eq(journal_trim(&trim, &error), ERROR_INVALID);
    cr_assert(strstr(error.what, "is there already"), "%s", error.what);
    expect_whole(&world, world.config.journal_directory, 1, 21);
    expect_whole(&other, other.config.journal_directory, 1, 21);
    world_finish(&world);
    world_finish(&other);
}

/* A trim that copied to another file system was killed before it removed anything. */
Test(journal_trim, goes_on_where_an_earlier_one_was_killed)
{
    struct world world;
    char from[DISK_PATH_BYTES];
    char to[DISK_PATH_BYTES];
    char archive[128];
    size_t count;
    make_journal(&world, 3);
    snprintf(archive, sizeof(archive), "/tmp/ringside-archive-%d", (int)getpid());
    cr_assert_eq(mkdir(archive, 0700), 0);
    world_segment_path(&world, 1, from);
    journal_segment_path(archive, 1, to);
    uint8_t *bytes = world_load(from, &count);
    world_store(to, bytes, count);
    free(bytes);
    cr_assert_eq(trim(&world, 22, archive), 2);
    expect_segments(&world, 3, 1);
    expect_whole(&world, archive, 1, 21);
    for (uint32_t number = 1; number <= 2; number++) {
        journal_segment_path(archive, number, to);
        cr_assert_eq(unlink(to), 0);
    }
    cr_assert_eq(rmdir(archive), 0);
    world_finish(&world);
}

/* Prepared segments are no successors: with nothing but them behind it, a segment is the last. */
Test(journal_trim, while_the_journaler_writes)
{
    struct world world;
    uint64_t last = 0;
    uint32_t gone = 0;
    world_init(&world, "/dev/shm");
    world.config.journal_batch_bytes = 1 << 14;
    cr_assert_eq(world_open(&world), 0, "%s", world.error.what);
    world_make_rings(&world);
    for (int rounds = 0; rounds < 200; rounds++) {
        last += 200;
        cr_assert_eq(world_publish(&world, last), 200);
        cr_assert_geq(world_poll_until(&world, last + 1), 0, "%s", world.error.what);
        for (int polls = 0; polls < 40; polls++)
            cr_assert_geq(world_poll(&world), 0, "%s", world.error.what);
        gone += trim(&world, UINT64_MAX, NULL);
    }
    cr_assert_gt(gone, 1, "several segments were filled and went: %u", gone);
    world_close(&world);
    struct journal_survey survey;
    cr_assert_eq(journal_survey_make(&survey, world.config.journal_directory, NULL), 0);
    cr_assert_eq(survey.segments[0].number, gone + 1);
    uint64_t first = survey.segments[0].first_seq;
    journal_survey_finish(&survey);
    cr_assert_eq(world_read(&world, first), (int64_t)last + 1);
    add_segment(&world, last + 5);
    expect_whole(&world, world.config.journal_directory, first, last + 6);
    world_finish(&world);
}

/* An opening has looked for the end already, and is about to sync the segments of the last epoch. */
Test(journal_trim, while_the_journaler_opens)
{
    static struct world world;
    static struct journal journal; /* large, both of them */
    struct journal_found found;
    struct journal_survey survey;
    uint64_t last = 0;
    world_init(&world, "/dev/shm");
    world.config.journal_batch_bytes = 1 << 14;
    cr_assert_eq(world_open(&world), 0, "%s", world.error.what);
    world_make_rings(&world);
    for (int rounds = 0; rounds < 100; rounds++) {
        last += 200;
        world_publish(&world, last);
        cr_assert_geq(world_poll_until(&world, last + 1), 0, "%s", world.error.what);
        for (int polls = 0; polls < 40; polls++)
            cr_assert_geq(world_poll(&world), 0, "%s", world.error.what);
    }
    world_close(&world);
    cr_assert_eq(journal_prepare(&journal, &world.config, &found, &world.error), 0);
    cr_assert_gt(found.end.position.segment, found.end.epoch_first_segment);
    cr_assert_geq(trim(&world, UINT64_MAX, NULL), 1);
    cr_assert_eq(journal_begin(&journal, &found, 1, &world.error), 0, "%s: %s", world.error.where, world.error.what);
    journal_close(&journal);
    cr_assert_eq(journal_survey_make(&survey, world.config.journal_directory, NULL), 0);
    expect_whole(&world, world.config.journal_directory, survey.segments[0].first_seq, last + 1);
    journal_survey_finish(&survey);
    world_finish(&world);
}

/* ---- files used anew ----------------------------------------------------------------------------------------------
 */

/* Fills so many segments; the journaler is open afterwards. */
static void fill(struct world *world, uint64_t *last, uint32_t segments)
{
    struct journal_survey survey;
    uint32_t newest = 0;
    uint32_t wanted = 0;
    do {
        *last += 200;
        cr_assert_eq(world_publish(world, *last), 200);
        cr_assert_geq(world_poll_until(world, *last + 1), 0, "%s", world->error.what);
        for (int polls = 0; polls < 40; polls++)
            cr_assert_geq(world_poll(world), 0, "%s", world->error.what);
        cr_assert_eq(journal_survey_make(&survey, world->config.journal_directory, NULL), 0);
        for (uint32_t i = 0; i < survey.count; i++)
            newest = survey.segments[i].state == SEGMENT_BEGUN ? survey.segments[i].number : newest;
        journal_survey_finish(&survey);
        wanted = wanted != 0 ? wanted : newest + segments;
    } while (newest < wanted);
}

static void begin(struct world *world)
{
    world_init(world, "/dev/shm");
    world->config.journal_batch_bytes = 1 << 14;
    world->config.journal_segment_bytes = 256 << 10;
    cr_assert_eq(world_open(world), 0, "%s", world->error.what);
    world_make_rings(world);
}

static ino_t inode_of(const struct world *world, uint32_t number)
{
    char path[DISK_PATH_BYTES];
    struct stat status;
    world_segment_path(world, number, path);
    return stat(path, &status) == 0 ? status.st_ino : 0;
}

static uint32_t flags_of(const struct world *world, uint32_t number)
{
    struct journal_segment_header header;
    const char *why;
    int file = -1;
    cr_assert_eq(journal_segment_open(world->config.journal_directory, number, &file, &header, &why, NULL),
                 SEGMENT_BEGUN);
    close(file);
    return header.compatible_flags;
}

Test(journal_trim, a_trimmed_segments_file_is_used_anew, .timeout = 60)
{
    struct world world;
    uint64_t last = 0;
    uint32_t kept;
    begin(&world);
    fill(&world, &last, 3); /* 4 has begun, and 5 is prepared */
    ino_t first = inode_of(&world, 1);
    ino_t second = inode_of(&world, 2);
    cr_assert_eq(trim_and_keep(&world, UINT64_MAX, &kept), 3);
    cr_assert_eq(kept, 3);
    fill(&world, &last, 3);
    cr_assert_eq(flags_of(&world, 5), 0);
    cr_assert_eq(flags_of(&world, 6), JOURNAL_FLAG_RECYCLED);
    cr_assert_eq(flags_of(&world, 7), JOURNAL_FLAG_RECYCLED);
    cr_assert_eq(inode_of(&world, 6), first);
    cr_assert_eq(inode_of(&world, 7), second);
    world_close(&world);
    expect_segments(&world, 4, 4);
    cr_assert_eq(trim_and_keep(&world, UINT64_MAX, &kept), 3);
    cr_assert_eq(kept, 3);
    add_segment(&world, last + 10); /* the first segment of an opening too */
    cr_assert_eq(flags_of(&world, 8), JOURNAL_FLAG_RECYCLED);
    struct journal_survey survey;
    cr_assert_eq(journal_survey_make(&survey, world.config.journal_directory, NULL), 0);
    uint64_t seq_first = survey.segments[0].first_seq;
    journal_survey_finish(&survey);
    expect_whole(&world, world.config.journal_directory, seq_first, last + 11);
    cr_assert_eq(world_read(&world, seq_first), (int64_t)last + 11);
    world_finish(&world);
}

/* Killed with a taken file prepared, or with its first batch torn: it has not begun. */
Test(journal_trim, an_older_segments_file_has_not_begun, .timeout = 60)
{
    for (int torn = 0; torn < 2; torn++) {
        struct world world;
        uint64_t last = 0;
        char from[DISK_PATH_BYTES];
        char to[DISK_PATH_BYTES];
        size_t count;
        begin(&world);
        fill(&world, &last, 3);
        world_close(&world);
        world_segment_path(&world, 2, from);
        world_segment_path(&world, 5, to);
        uint8_t *bytes = world_load(from, &count);
        if (torn)
            bytes[100] ^= 1; /* a header that is neither the old one nor the new one */
        world_store(to, bytes, count);
        free(bytes);
        cr_assert_eq(world_read(&world, 1), (int64_t)last + 1);
        struct journal_end end;
        cr_assert_eq(journal_end_find(&end, world.config.journal_directory, NULL), 0);
        cr_assert_eq(end.position.command_seq_next, last + 1);
        cr_assert_eq(end.position.torn_bytes, torn ? JOURNAL_BLOCK_BYTES : 0);
        add_segment(&world, last + 5);
        cr_assert_eq(world_read(&world, 1), (int64_t)last + 6);
        world_finish(&world);
    }
}

/* Somebody reads the oldest segment while it is trimmed. */
Test(journal_trim, a_file_that_is_read_is_not_used_anew, .timeout = 60)
{
    struct world world;
    struct command command;
    struct journal_reader *reader;
    uint64_t last = 0;
    uint32_t kept;
    begin(&world);
    fill(&world, &last, 3);
    ino_t first = inode_of(&world, 1);
    ino_t second = inode_of(&world, 2);
    cr_assert_eq(journal_reader_open(&reader, world.config.journal_directory, 1, &world.error), 0);
    cr_assert_eq(trim_and_keep(&world, UINT64_MAX, &kept), 3);
    fill(&world, &last, 3);
    cr_assert_eq(inode_of(&world, 6), second);
    cr_assert_neq(inode_of(&world, 7), first);
    uint64_t seq = 1;
    for (; journal_reader_next(reader, &command, 1, 0, &world.error) == 1; seq++) {
        struct command expected;
        world_command(seq, &expected);
        cr_assert_eq(memcmp(&expected, &command, sizeof(command)), 0, "command %lu", seq);
    }
    cr_assert_gt(seq, 100, "as far as the segment that it holds goes");
    journal_reader_close(reader);
    fill(&world, &last, 2);
    cr_assert_eq(inode_of(&world, 9), first, "free now");
    world_finish(&world);
}

Test(journal_trim, a_file_of_another_size_is_removed, .timeout = 60)
{
    struct world world;
    uint64_t last = 0;
    char path[DISK_PATH_BYTES];
    begin(&world);
    snprintf(path, sizeof(path), "%s/spare-1.seg", world.config.journal_directory);
    world_store(path, (const uint8_t *)"short", 5);
    fill(&world, &last, 2);
    cr_assert_neq(access(path, F_OK), 0);
    cr_assert_eq(flags_of(&world, 2), 0);
    world_finish(&world);
}
