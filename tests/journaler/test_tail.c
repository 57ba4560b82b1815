/*
 * Where a journal ends, and what is corruption: journals made by the real journaler, then cut and flipped.
 *
 * Method: a journal of a few batches is made once; each case copies its last segment, changes one thing, reads it from
 * the beginning and opens it as the journaler does. Either all that a later batch vouches for is there, or the place is
 * named.
 */
#include "base/units.h"
#include "journal/journal_codec.h"
#include "journal/segments.h"
#include "journal/tail.h"
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A journal whose last segment is held in memory too. */
struct sample {
    struct world world;
    uint32_t segment;
    char path[DISK_PATH_BYTES];
    uint8_t *bytes;
    size_t count;
    uint32_t batch_count;
    uint64_t offsets[16]; /* of the batches in the segment, the seal included; one more: the end */
    uint64_t seqs[16];    /* first number of each; one more: the next number */
};

static void note_batches(struct sample *sample)
{
    uint64_t offset = JOURNAL_BLOCK_BYTES;
    sample->batch_count = 0;
    for (;;) {
        struct journal_batch_header header;
        memcpy(&header, sample->bytes + offset, sizeof(header));
        sample->offsets[sample->batch_count] = offset;
        if (header.magic != JOURNAL_BATCH_MAGIC)
            break;
        sample->seqs[sample->batch_count++] = header.first_seq;
        sample->seqs[sample->batch_count] = header.first_seq + header.count;
        offset += journal_batch_bytes(header.payload_bytes);
        cr_assert_lt(sample->batch_count, 15);
    }
}

static void restore(const struct sample *sample)
{
    world_store(sample->path, sample->bytes, sample->count);
}

/* Batches of the given numbers of commands; sealed if asked to, else as a kill leaves it. */
static void make_sample(struct sample *sample, const uint32_t *counts, uint32_t count, bool sealed)
{
    struct world *world = &sample->world;
    world_init(world, "/dev/shm");
    cr_assert_eq(world_open(world), 0, "%s", world->error.what);
    world_make_rings(world);
    uint64_t last = 0;
    for (uint32_t i = 0; i < count; i++) {
        last += counts[i];
        world_poll(world);
        world_publish(world, last);
        cr_assert_geq(world_poll_until(world, last + 1), 0, "%s", world->error.what);
    }
    for (int polls = 0; sealed && polls < 3000; polls++)
        cr_assert_geq(world_poll(world), 0);
    world_close(world);
    sample->segment = 1;
    world_segment_path(world, sample->segment, sample->path);
    sample->bytes = world_load(sample->path, &sample->count);
    note_batches(sample);
    sample->count = sample->offsets[sample->batch_count] + (1 << 14); /* what follows is zeros and takes time */
    restore(sample);
    cr_assert_eq(sample->seqs[sample->batch_count], last + 1);
}

static void finish_sample(struct sample *sample)
{
    free(sample->bytes);
    world_finish(&sample->world);
}

/* Next number by reading all; the same by looking for the end. Negative: both refuse, as corrupt. */
static int64_t read_both_ways(struct sample *sample)
{
    struct journal_end end;
    struct error error;
    int64_t next = world_read(&sample->world, 1);
    int found = journal_end_find(&end, sample->world.config.journal_directory, &error);
    cr_assert_eq(next < 0 ? (int)next : 0, next == ERROR_NOT_YET ? (int)next : found, "%s / %s",
                 sample->world.error.what, error.what);
    if (found == 0 && next > 0)
        cr_assert_eq(end.position.command_seq_next, (uint64_t)next);
    return next;
}

Test(journal_tail, whole)
{
    const uint32_t counts[] = {3, 100, 1, 40};
    struct sample sample;
    make_sample(&sample, counts, 4, true);
    cr_assert_eq(sample.batch_count, 6, "one at the opening, four, the seal: %u", sample.batch_count);
    cr_assert_eq(read_both_ways(&sample), 145);
    finish_sample(&sample);
}

/* What a power cut can leave of the last two writes: everything before them is there, none of what is torn is given. */
Test(journal_tail, torn_at_every_byte_of_the_last_two_batches, .timeout = 60)
{
    const uint32_t counts[] = {3, 60, 20, 1};
    struct sample sample;
    make_sample(&sample, counts, 4, false);
    uint32_t last = sample.batch_count - 1;
    for (uint64_t cut = sample.offsets[last - 1]; cut <= sample.offsets[last + 1]; cut++) {
        uint8_t *torn = malloc(sample.count);
        memcpy(torn, sample.bytes, sample.count);
        memset(torn + cut, 0, sample.count - cut);
        world_store(sample.path, torn, sample.count);
        free(torn);
        /* A batch is whole once all of its records are there; the zeros behind them are there anyway. */
        uint64_t expected = sample.seqs[last - 1];
        for (uint32_t i = last - 1; i <= last; i++) {
            struct journal_batch_header header;
            memcpy(&header, sample.bytes + sample.offsets[i], sizeof(header));
            uint64_t end = sample.offsets[i] + sizeof(header) + header.payload_bytes;
            while (sample.bytes[end - 1] == 0)
                end--;
            if (cut >= end)
                expected = sample.seqs[i + 1];
        }
        cr_assert_eq(read_both_ways(&sample), (int64_t)expected, "cut at %lu: %ld", cut, read_both_ways(&sample));
    }
    finish_sample(&sample);
}

/* The same, and the file ends there. */
Test(journal_tail, file_cut_at_blocks)
{
    const uint32_t counts[] = {3, 60, 20, 1};
    struct sample sample;
    make_sample(&sample, counts, 4, false);
    uint32_t last = sample.batch_count - 1;
    for (uint64_t cut = sample.offsets[last - 1]; cut <= sample.offsets[last + 1]; cut += 512) {
        world_store(sample.path, sample.bytes, cut);
        uint64_t expected = cut >= sample.offsets[last + 1] ? sample.seqs[last + 1]
                            : cut >= sample.offsets[last]   ? sample.seqs[last]
                                                            : sample.seqs[last - 1];
        cr_assert_eq(read_both_ways(&sample), (int64_t)expected, "cut at %lu", cut);
    }
    finish_sample(&sample);
}

/* A flip anywhere in what is vouched for is refused; in the last batch it may be cut, in the seal it loses nothing. */
Test(journal_tail, every_flipped_bit_is_refused_or_cut, .timeout = 120)
{
    const uint32_t counts[] = {2, 3};
    struct sample sample;
    make_sample(&sample, counts, 2, true);
    cr_assert_eq(sample.batch_count, 4);
    uint64_t seal = sample.offsets[3];
    for (uint64_t bit = 0; bit < sample.offsets[4] * 8; bit += bit / 8 % 4096 < 400 ? 1 : 211) {
        sample.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        FILE *file = fopen(sample.path, "r+");
        cr_assert(file && fseek(file, (long)(bit / 8), SEEK_SET) == 0);
        fputc(sample.bytes[bit / 8], file);
        fclose(file);
        int64_t next = read_both_ways(&sample);
        if (bit / 8 < seal)
            cr_assert_eq(next, ERROR_CORRUPT, "bit %lu: %ld", bit, next);
        else
            cr_assert_eq(next, 6, "bit %lu of the seal: %ld", bit, next);
        sample.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        file = fopen(sample.path, "r+");
        cr_assert(file && fseek(file, (long)(bit / 8), SEEK_SET) == 0);
        fputc(sample.bytes[bit / 8], file);
        fclose(file);
    }
    cr_assert_eq(read_both_ways(&sample), 6);
    finish_sample(&sample);
}

Test(journal_tail, unsealed_last_batch_is_cut_and_reported)
{
    const uint32_t counts[] = {2, 3};
    struct sample sample;
    make_sample(&sample, counts, 2, false);
    sample.bytes[sample.offsets[2] + 200] ^= 1;
    restore(&sample);
    struct journal_end end;
    cr_assert_eq(read_both_ways(&sample), 3);
    cr_assert_eq(journal_end_find(&end, sample.world.config.journal_directory, NULL), 0);
    cr_assert_eq(end.position.torn_bytes, 4096);
    finish_sample(&sample);
}

Test(journal_tail, the_place_of_corruption_is_named)
{
    const uint32_t counts[] = {2, 3, 4};
    struct sample sample;
    make_sample(&sample, counts, 3, true);
    sample.bytes[sample.offsets[2] + 140] ^= 1;
    restore(&sample);
    cr_assert_eq(read_both_ways(&sample), ERROR_CORRUPT);
    const struct error *error = &sample.world.error;
    cr_assert(strstr(error->where, "journal-0000000001.seg"), "%s", error->where);
    char place[64];
    snprintf(place, sizeof(place), "at offset %lu, command 3: batch: checksum of its records", sample.offsets[2]);
    cr_assert(strstr(error->what, place), "%s", error->what);
    cr_assert(strstr(error->what, "proves"), "%s", error->what);
    finish_sample(&sample);
}

/* A lost write: the batch reads as zeros, but the one after it is there. */
Test(journal_tail, a_lost_batch_is_refused)
{
    const uint32_t counts[] = {2, 3, 4};
    struct sample sample;
    make_sample(&sample, counts, 3, false);
    memset(sample.bytes + sample.offsets[2], 0, sample.offsets[3] - sample.offsets[2]);
    restore(&sample);
    cr_assert_eq(read_both_ways(&sample), ERROR_CORRUPT);
    finish_sample(&sample);
}

/* A batch at another batch's place is not one, though every checksum of it is right. */
Test(journal_tail, a_misdirected_batch_is_refused)
{
    const uint32_t counts[] = {2, 3, 4};
    struct sample sample;
    make_sample(&sample, counts, 3, true);
    memcpy(sample.bytes + sample.offsets[2], sample.bytes + sample.offsets[1], 4096);
    restore(&sample);
    cr_assert_eq(read_both_ways(&sample), ERROR_CORRUPT);
    cr_assert(strstr(sample.world.error.what, "batch header: offset"), "%s", sample.world.error.what);
    finish_sample(&sample);
}

/* A batch that is whole in itself but not the one that the next was written after: another history. */
Test(journal_tail, another_history_is_refused_by_the_chain)
{
    const uint32_t counts[] = {2, 3, 4};
    struct sample sample;
    static _Alignas(4096) uint8_t block[JOURNAL_BLOCK_BYTES];
    make_sample(&sample, counts, 3, true);
    memcpy(block, sample.bytes + sample.offsets[2], sizeof(block));
    block[sizeof(struct journal_batch_header) + 4] ^= 1; /* a byte of its first record */
    journal_batch_seal((struct journal_batch_header *)(void *)block);
    memcpy(sample.bytes + sample.offsets[2], block, sizeof(block));
    restore(&sample);
    struct journal_end end;
    cr_assert_eq(journal_end_find(&end, sample.world.config.journal_directory, &sample.world.error), ERROR_CORRUPT);
    cr_assert(strstr(sample.world.error.what, "batch header: previous chain"), "%s", sample.world.error.what);
    finish_sample(&sample);
}

/* The durable cursor is a witness too. */
Test(journal_tail, nothing_below_the_durable_cursor_is_cut)
{
    const uint32_t counts[] = {2, 3};
    struct sample sample;
    struct journal_reader *reader;
    struct command commands[16];
    struct error error;
    make_sample(&sample, counts, 2, false);
    sample.bytes[sample.offsets[2] + 200] ^= 1;
    restore(&sample);
    const char *directory = sample.world.config.journal_directory;
    cr_assert_eq(journal_reader_open(&reader, directory, 1, &error), 0);
    cr_assert_eq(journal_reader_next(reader, commands, 16, 2, &error), 1);
    cr_assert_eq(journal_reader_next(reader, commands, 16, 3, &error), 1);
    cr_assert_eq(journal_reader_next(reader, commands, 16, 3, &error), 0);
    cr_assert_eq(journal_reader_next(reader, commands, 16, 6, &error), ERROR_CORRUPT);
    cr_assert(strstr(error.what, "durable cursor"), "%s", error.what);
    journal_reader_close(reader);
    finish_sample(&sample);
}

/* ---- several segments ---------------------------------------------------------------------------------------------
 */

/* Opens again and adds a batch of so many commands; the run survives if told so. */
static void add_epoch(struct world *world, uint64_t last)
{
    cr_assert_eq(world_open(world), 0, "%s", world->error.what);
    world_make_rings(world);
    world_publish(world, last);
    cr_assert_geq(world_poll_until(world, last + 1), 0, "%s", world->error.what);
    world_close(world);
}

Test(journal_tail, each_opening_begins_a_segment_that_says_where_the_last_was_cut)
{
    struct world world;
    world_init(&world, "/dev/shm");
    for (uint32_t epoch = 1; epoch <= 4; epoch++) {
        add_epoch(&world, (uint64_t)epoch * 10);
        struct journal_end end;
        cr_assert_eq(journal_end_find(&end, world.config.journal_directory, NULL), 0);
        cr_assert_eq(end.position.epoch, epoch);
        cr_assert_eq(end.position.segment, epoch);
        cr_assert_eq(end.position.command_seq_next, epoch * 10 + 1);
        cr_assert_eq(end.segment.first_seq, (epoch - 1) * 10 + 1);
        cr_assert_eq(end.segment.previous_segment, epoch - 1);
    }
    cr_assert_eq(world_read(&world, 1), 41);
    cr_assert_eq(world_read(&world, 25), 41);
    cr_assert_eq(world_read(&world, 41), 41);
    world_finish(&world);
}

/* A write of a dead journaler lands after its successor has cut the segment: it does not count. */
Test(journal_tail, late_writes_beyond_a_cut_do_not_count)
{
    struct world world;
    char path[DISK_PATH_BYTES];
    size_t count, shorter;
    world_init(&world, "/dev/shm");
    add_epoch(&world, 10);
    world_segment_path(&world, 1, path);
    uint8_t *before = world_load(path, &count);
    /* the last batch is torn; the next opening cuts it */
    uint8_t *torn = world_load(path, &count);
    memset(torn + 8192, 0, count - 8192);
    world_store(path, torn, count);
    add_epoch(&world, 20);
    free(world_load(path, &shorter));
    cr_assert_eq(shorter, 8192);
    world_store(path, before, count); /* and now it lands */
    cr_assert_eq(world_read(&world, 1), 21);
    free(before);
    free(torn);
    world_finish(&world);
}

Test(journal_tail, a_cut_segment_that_lost_a_batch_is_refused)
{
    struct world world;
    char path[DISK_PATH_BYTES];
    size_t count;
    world_init(&world, "/dev/shm");
    add_epoch(&world, 10);
    add_epoch(&world, 20);
    world_segment_path(&world, 1, path);
    uint8_t *bytes = world_load(path, &count);
    bytes[8192 + 300] ^= 0x10;
    world_store(path, bytes, count);
    cr_assert_eq(world_read(&world, 1), ERROR_CORRUPT);
    cr_assert(strstr(world.error.what, "the next segment proves"), "%s", world.error.what);
    cr_assert_eq(world_read(&world, 11), 21, "what comes after it can be read");
    free(bytes);
    world_finish(&world);
}

/* ---- while a journaler is at work ---------------------------------------------------------------------------------
 */

/* A disk on which a file gets its bytes just before the n-th look at any file. */
static struct {
    struct disk_side side;
    const char *path;
    const uint8_t *bytes;
    size_t count;
    uint64_t looks, late_at;
} late;

static void look(void)
{
    if (++late.looks == late.late_at)
        world_store(late.path, late.bytes, late.count);
}

static int late_open(const char *path, unsigned flags, struct error *error)
{
    look();
    return disk_real()->open(path, flags, error);
}

static int late_read(int file, uint64_t offset, void *to, size_t bytes, size_t *ret_count, struct error *error)
{
    look();
    return disk_real()->read(file, offset, to, bytes, ret_count, error);
}

/* Reads from `from` on with the bytes coming at each look in turn, until there are no more looks. */
static void read_while_it_is_written(struct world *world, const char *path, size_t kept, uint64_t from, uint64_t before,
                                     uint64_t after)
{
    uint8_t *bytes = world_load(path, &late.count);
    uint8_t *early = calloc(1, late.count);
    cr_assert(early);
    memcpy(early, bytes, kept);
    late.side = *disk_real();
    late.side.open = late_open;
    late.side.read = late_read;
    late.path = path;
    late.bytes = bytes;
    disk_replace(&late.side);
    for (late.late_at = 1, late.looks = 1; late.looks >= late.late_at; late.late_at++) {
        world_store(path, early, late.count);
        late.looks = 0;
        int64_t next = world_read(world, from);
        bool is_one = next == (int64_t)before || next == (int64_t)after;
        cr_assert(is_one, "written at look %lu: %ld, %s", late.late_at, next, world->error.what);
    }
    cr_assert_gt(late.late_at, 6, "hardly anything was looked at");
    disk_replace(NULL);
    world_store(path, bytes, late.count);
    free(bytes);
    free(early);
}

/* The spare is blank when it is first looked at, and begun when it is looked at again. */
Test(journal_tail, a_segment_that_begins_while_it_is_looked_at_is_no_corruption)
{
    struct world world;
    char path[DISK_PATH_BYTES];
    world_init(&world, "/dev/shm");
    add_epoch(&world, 10);
    add_epoch(&world, 20);
    world_segment_path(&world, 2, path);
    read_while_it_is_written(&world, path, 0, 1, 11, 21);
    read_while_it_is_written(&world, path, 0, 11, 11, 21);
    world_finish(&world);
}

/* A batch is not there, but one further on says that it was durable: it has been written in between. */
Test(journal_tail, a_batch_that_is_written_while_the_end_is_looked_at_is_no_corruption)
{
    const uint32_t counts[] = {3, 4, 5};
    struct sample sample;
    make_sample(&sample, counts, ARRAY_COUNT(counts), true);
    cr_assert_gt(sample.batch_count, 3);
    read_while_it_is_written(&sample.world, sample.path, sample.offsets[2], 1, sample.seqs[2],
                             sample.seqs[sample.batch_count]);
    finish_sample(&sample);
}

Test(journal_tail, a_missing_segment_is_refused)
{
    struct world world;
    char path[DISK_PATH_BYTES];
    world_init(&world, "/dev/shm");
    for (uint64_t epoch = 1; epoch <= 3; epoch++)
        add_epoch(&world, epoch * 10);
    world_segment_path(&world, 2, path);
    cr_assert_eq(remove(path), 0);
    cr_assert_eq(world_read(&world, 1), ERROR_CORRUPT);
    cr_assert(strstr(world.error.what, "the segment before it is missing"), "%s", world.error.what);
    world_segment_path(&world, 1, path);
    cr_assert_eq(remove(path), 0);
    cr_assert_eq(world_read(&world, 1), ERROR_INVALID);
    cr_assert_eq(world_read(&world, 21), 31);
    world_finish(&world);
}

Test(journal_tail, another_version_is_refused_not_cut)
{
    struct world world;
    char path[DISK_PATH_BYTES];
    size_t count;
    world_init(&world, "/dev/shm");
    add_epoch(&world, 10);
    world_segment_path(&world, 1, path);
    uint8_t *bytes = world_load(path, &count);
    struct journal_segment_header header;
    memcpy(&header, bytes, sizeof(header));
    header.incompatible_flags = 1;
    journal_segment_seal(&header);
    memcpy(bytes, &header, sizeof(header));
    world_store(path, bytes, count);
    cr_assert_eq(world_read(&world, 1), ERROR_MISMATCH);
    cr_assert_eq(world_open(&world), ERROR_MISMATCH);
    free(bytes);
    world_finish(&world);
}

Test(journal_tail, no_journal_is_not_yet)
{
    struct world world;
    struct journal_end end;
    world_init(&world, "/dev/shm");
    cr_assert_eq(world_read(&world, 1), ERROR_NOT_YET);
    cr_assert_eq(journal_end_find(&end, world.config.journal_directory, NULL), 0);
    cr_assert_eq(end.position.command_seq_next, 1);
    cr_assert_eq(end.position.epoch, 0);
    world_finish(&world);
}
