/*
 * Trimming: segments of a real journal removed or archived, while nobody writes and while the journaler does.
 *
 * Goal: what is needed stays, the segment that is written stays, what is left is a whole journal that the journaler
 * opens and goes on with. Method: several openings, each a segment of ten commands; limits before, at and behind their
 * edges.
 */
#include "deploy/cli/journal/check.h"
#include "deploy/cli/journal/trim_limit.h"
#include "journal.h"
#include "journal/survey.h"
#include "journal/trim.h"
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
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

Test(journal_trim, goes_to_the_segment_that_holds_the_first_needed_command)
{
    static const struct {
        uint64_t needed_seq;
        uint32_t gone;
    } cases[] = {{1, 0}, {10, 0}, {11, 1}, {20, 1}, {21, 2}, {30, 2}, {31, 3}, {40, 3}, {41, 3}, {UINT64_MAX, 3}};
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
    cr_assert_eq(trim(&world, 21, NULL), 2);
    add_segment(&world, 40);
    cr_assert_eq(trim(&world, 31, NULL), 1);
    add_segment(&world, 50);
    expect_segments(&world, 4, 2);
    expect_whole(&world, world.config.journal_directory, 31, 51);
    cr_assert_eq(world_read(&world, 31), 51);
    cr_assert_eq(world_read(&world, 30), ERROR_INVALID);
    world_finish(&world);
}

static void archive_in(const char *parent)
{
    struct world world;
    char archive[128];
    make_journal(&world, 3);
    snprintf(archive, sizeof(archive), "%s/ringside-archive-%d", parent, (int)getpid());
    cr_assert_eq(trim(&world, 21, archive), 2);
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
    struct world world;
    struct journal journal;
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
