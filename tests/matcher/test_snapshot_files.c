/*
 * Which snapshots a prune leaves: by headers alone, in a directory of the test's own.
 */
#include "base/checksum.h"
#include "record/command.h"
#include "scratch.h"
#include "snapshot_files.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EVERY UINT64_C(10) /* commands from one snapshot to the next, and events */

static const char *directory;
static const uint8_t instance[16] = "this journal";
static struct error error;

static void begin(void)
{
    directory = scratch_make();
}

static void finish(void)
{
    scratch_remove();
}

TestSuite(snapshot_prune, .init = begin, .fini = finish, .timeout = 20);

static void write_file(const char *path, const void *bytes, size_t count)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, bytes, count), (ssize_t)count);
    close(file);
}

/* Number n is of the books before command n * EVERY, and before the event of the same number. */
static void add(uint64_t number, const char *of)
{
    char path[DISK_PATH_BYTES];
    struct snapshot_header header = {.magic = SNAPSHOT_MAGIC,
                                     .version = SNAPSHOT_VERSION,
                                     .header_bytes = SNAPSHOT_HEADER_BYTES,
                                     .command_seq_next = number * EVERY,
                                     .event_seq_next = number * EVERY,
                                     .record_hash = command_layout_hash()};
    memcpy(header.instance, of, strlen(of));
    header.checksum = crc32c(0, &header, offsetof(struct snapshot_header, checksum));
    snapshot_path(directory, header.command_seq_next, path);
    write_file(path, &header, sizeof(header));
}

/* How many a prune takes away; the rest is looked at by expect_left. */
static int prune(uint32_t count, uint64_t events_synced)
{
    const struct snapshot_kept kept = {.count = count, .instance = instance, .events_synced = events_synced};
    return snapshot_prune(directory, &kept, &error);
}

static void expect_left(uint64_t newest, uint64_t oldest)
{
    struct snapshot_list list;
    cr_assert_eq(snapshot_list_read(&list, directory, &error), 0);
    cr_assert_eq(list.count, newest - oldest + 1, "%u are left", list.count);
    cr_assert_eq(list.seqs[0], newest * EVERY);
    cr_assert_eq(list.seqs[list.count - 1], oldest * EVERY);
}

Test(snapshot_prune, leaves_the_newest)
{
    for (uint64_t number = 1; number <= 5; number++)
        add(number, "this journal");
    cr_assert_eq(prune(2, 1000), 3);
    expect_left(5, 4);
    cr_assert_eq(prune(2, 1000), 0);
}

Test(snapshot_prune, does_not_count_those_whose_events_a_loss_of_power_takes)
{
    for (uint64_t number = 1; number <= 5; number++)
        add(number, "this journal");
    cr_assert_eq(prune(2, 0), 0);
    cr_assert_eq(prune(2, 3 * EVERY), 1);
    expect_left(5, 2);
    cr_assert_eq(prune(2, 4 * EVERY - 1), 0);
    cr_assert_eq(prune(2, 5 * EVERY), 2);
    expect_left(5, 4);
}

Test(snapshot_prune, does_not_count_what_is_of_no_use)
{
    char path[DISK_PATH_BYTES];
    for (uint64_t number = 1; number <= 3; number++)
        add(number, "this journal");
    add(4, "another");
    snapshot_path(directory, 5 * EVERY, path);
    write_file(path, "damaged", 7);
    cr_assert_eq(prune(2, 1000), 1);
    expect_left(5, 2);
}

Test(snapshot_prune, takes_away_what_was_never_finished)
{
    char path[DISK_PATH_BYTES];
    add(1, "this journal");
    snapshot_undone_path(directory, 77, path);
    write_file(path, "half", 4);
    cr_assert_eq(prune(2, 1000), 1);
    cr_assert_neq(access(path, F_OK), 0);
    expect_left(1, 1);
}
