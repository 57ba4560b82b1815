/*
 * Damage to a journal of real batches, one bit or one cut at a time: what the journaler's own opening and what
 * `ringside journal verify` say of it.
 *
 * Goal: no flip goes unnoticed; nothing that was acknowledged is cut; what is refused is refused with file and place;
 * what was cut short opens at the last whole batch, and is told. Method: a journal of two segments, made by the real
 * journaler, is damaged in place, looked at both ways and mended again. The second segment is a new file or that of an
 * older segment, full of batches that look as the new ones do but for their segment's number.
 */
#include "base/units.h"
#include "deploy/cli/journal/check.h"
#include "journal.h"
#include "journal/ahead.h"
#include "journal/journal_codec.h"
#include "journal/survey.h"
#include "world.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCHES_MAX    8
#define SPARE_REPEATED ((size_t)4 * JOURNAL_BLOCK_BYTES)

/* One segment, in memory and open. */
struct segment {
    char path[DISK_PATH_BYTES];
    uint8_t *bytes;
    size_t count;
    int file;
    uint32_t batch_count;
    struct journal_batch_header batches[BATCHES_MAX];
    uint64_t end;    /* of the last batch */
    uint8_t *behind; /* what the file held before it began: zeros, or an older segment */
};

struct sample {
    struct world world;
    struct segment segments[2];
    uint64_t seq_next;
};

/* What came of opening. */
struct outcome {
    int result; /* 0, or the error's code */
    struct error error;
    uint64_t seq_next;
    uint64_t torn_bytes;
};

/* ---- the journal --------------------------------------------------------------------------------------------------
 */

static void add_epoch(struct world *world, const uint32_t *counts, uint32_t count, uint64_t *last, bool sealed)
{
    cr_assert_eq(world_open(world), 0, "%s", world->error.what);
    world_make_rings(world);
    for (uint32_t i = 0; i < count; i++) {
        *last += counts[i];
        world_poll(world);
        world_publish(world, *last);
        cr_assert_geq(world_poll_until(world, *last + 1), 0, "%s", world->error.what);
    }
    for (int polls = 0; sealed && polls < 3000; polls++)
        cr_assert_geq(world_poll(world), 0);
    world_close(world);
}

/* The file of segment 1, as if it had been trimmed, with its batches over and over. */
static void make_spare(const struct world *world, uint8_t **ret_bytes)
{
    char path[DISK_PATH_BYTES];
    size_t count = 0;
    world_segment_path(world, 1, path);
    uint8_t *bytes = world_load(path, &count);
    cr_assert_eq(count, world->config.journal_segment_bytes);
    for (size_t at = 2 * SPARE_REPEATED; at < count; at += SPARE_REPEATED)
        memcpy(bytes + at, bytes + JOURNAL_BLOCK_BYTES, SPARE_REPEATED);
    snprintf(path, sizeof(path), "%s/spare-0.seg", world->config.journal_directory);
    world_store(path, bytes, count);
    *ret_bytes = bytes;
}

static void note_segment(struct sample *sample, uint32_t number)
{
    struct segment *segment = &sample->segments[number - 1];
    world_segment_path(&sample->world, number, segment->path);
    segment->bytes = world_load(segment->path, &segment->count);
    segment->end = JOURNAL_BLOCK_BYTES;
    for (segment->batch_count = 0; segment->end < segment->count; segment->batch_count++) {
        struct journal_batch_header header;
        memcpy(&header, segment->bytes + segment->end, sizeof(header));
        if (header.magic != JOURNAL_BATCH_MAGIC || header.segment != number)
            break;
        cr_assert_lt(segment->batch_count, BATCHES_MAX);
        segment->batches[segment->batch_count] = header;
        segment->end += journal_batch_bytes(header.payload_bytes);
    }
    if (segment->count > segment->end + (1 << 14))
        segment->count = segment->end + (1 << 14); /* more of the same says nothing and takes time */
    world_store(segment->path, segment->bytes, segment->count);
    segment->file = open(segment->path, O_RDWR | O_CLOEXEC);
    cr_assert_geq(segment->file, 0);
}

/* Two epochs: batches of 2 and 3 commands, sealed; batches of 4 and 5. */
static void make_sample(struct sample *sample, bool sealed, bool recycled)
{
    static const uint32_t first[] = {2, 3};
    static const uint32_t second[] = {4, 5};
    uint64_t last = 0;
    memset(sample, 0, sizeof(*sample));
    world_init(&sample->world, "/dev/shm");
    add_epoch(&sample->world, first, 2, &last, true);
    if (recycled)
        make_spare(&sample->world, &sample->segments[1].behind);
    else
        sample->segments[1].behind = calloc(1, sample->world.config.journal_segment_bytes);
    add_epoch(&sample->world, second, 2, &last, sealed);
    sample->seq_next = last + 1;
    note_segment(sample, 1);
    note_segment(sample, 2);
    cr_assert_eq(sample->segments[0].batch_count, 4, "one at the opening, two, the seal");
    cr_assert_eq(sample->segments[1].batch_count, sealed ? 4 : 3);
}

static void finish_sample(struct sample *sample)
{
    for (uint32_t i = 0; i < 2; i++) {
        close(sample->segments[i].file);
        free(sample->segments[i].bytes);
        free(sample->segments[i].behind);
    }
    world_finish(&sample->world);
}

/* ---- looking at it ------------------------------------------------------------------------------------------------
 */

/* What decides in journal_prepare; all of it, with its queue and memory, now and then. */
static void open_as_journaler(struct sample *sample, struct outcome *outcome)
{
    static uint32_t opened_count;
    struct journal journal;
    struct journal_found found = {0};
    memset(outcome, 0, sizeof(*outcome));
    if (opened_count++ % 64 == 0) {
        outcome->result = journal_prepare(&journal, &sample->world.config, &found, &outcome->error);
        journal_close(&journal);
    } else {
        outcome->result = journal_end_find(&found.end, sample->world.config.journal_directory, &outcome->error);
    }
    outcome->seq_next = found.end.position.command_seq_next;
    outcome->torn_bytes = found.end.position.torn_bytes;
}

static void verify(struct sample *sample, struct outcome *outcome)
{
    struct check check = {.config = &sample->world.config, .place.directory = sample->world.config.journal_directory};
    memset(outcome, 0, sizeof(*outcome));
    outcome->result = check_run(&check, &outcome->error);
    outcome->seq_next = check.position.command_seq_next;
    outcome->torn_bytes = check.position.torn_bytes;
    check_finish(&check);
}

/*
 * The journaler reads from the last segment on, so it sees damage there alone; what it sees, verify sees as well. Where
 * there are very many cases of a kind it is asked for some of them.
 */
static void look(struct sample *sample, bool in_last, struct outcome *outcome)
{
    struct outcome opened;
    verify(sample, outcome);
    if (!in_last)
        return;
    open_as_journaler(sample, &opened);
    cr_assert_eq(opened.result, outcome->result, "opening: %s; verify: %s", opened.error.what, outcome->error.what);
    if (opened.result < 0)
        return;
    cr_assert_eq(opened.seq_next, outcome->seq_next);
    cr_assert_eq(opened.torn_bytes, outcome->torn_bytes);
}

static void flip(const struct segment *segment, uint64_t bit, bool back)
{
    uint8_t byte = segment->bytes[bit / 8];
    if (!back)
        byte ^= (uint8_t)(1 << bit % 8);
    cr_assert_eq(pwrite(segment->file, &byte, 1, (off_t)(bit / 8)), 1);
}

static bool asked(uint64_t bit)
{
    return bit / 8 % JOURNAL_BLOCK_BYTES < 192 || bit % 61 == 0;
}

/* Every bit of the bytes from `from` to `end` of a segment: refused, with its file and the offset of what it is in. */
static void refuse_each_bit(struct sample *sample, uint32_t number, uint64_t from, uint64_t end, uint64_t place)
{
    const struct segment *segment = &sample->segments[number - 1];
    char text[48];
    struct outcome outcome;
    snprintf(text, sizeof(text), "at offset %lu", place);
    for (uint64_t bit = from * 8; bit < end * 8; bit++) {
        flip(segment, bit, false);
        look(sample, number == 2 && asked(bit), &outcome);
        flip(segment, bit, true);
        cr_assert_eq(outcome.result, ERROR_CORRUPT, "bit %lu of segment %u: %d, %s", bit, number, outcome.result,
                     outcome.error.what);
        cr_assert_str_eq(outcome.error.where, segment->path, "bit %lu", bit);
        cr_assert(strncmp(outcome.error.what, text, strlen(text)) == 0, "bit %lu: %s", bit, outcome.error.what);
    }
    look(sample, true, &outcome);
    cr_assert_eq(outcome.result, 0, "mended: %s", outcome.error.what);
    cr_assert_eq(outcome.seq_next, sample->seq_next);
    cr_assert_eq(outcome.torn_bytes, 0);
}

/* ---- flips --------------------------------------------------------------------------------------------------------
 */

Test(journal_damage, every_bit_of_a_segment_header, .timeout = 150)
{
    struct sample sample;
    make_sample(&sample, true, false);
    refuse_each_bit(&sample, 1, 0, 256, 0);
    refuse_each_bit(&sample, 2, 0, JOURNAL_BLOCK_BYTES, 0);
    finish_sample(&sample);
}

Test(journal_damage, every_bit_of_a_recycled_segment_header, .timeout = 150)
{
    struct sample sample;
    make_sample(&sample, true, true);
    refuse_each_bit(&sample, 2, 0, JOURNAL_BLOCK_BYTES, 0);
    finish_sample(&sample);
}

Test(journal_damage, every_bit_of_a_batch_header, .timeout = 150)
{
    struct sample sample;
    make_sample(&sample, true, false);
    for (uint32_t number = 1; number <= 2; number++) {
        uint64_t offset = sample.segments[number - 1].batches[1].offset;
        refuse_each_bit(&sample, number, offset, offset + sizeof(struct journal_batch_header), offset);
    }
    finish_sample(&sample);
}

Test(journal_damage, every_bit_of_a_batch_of_records, .timeout = 150)
{
    struct sample sample;
    make_sample(&sample, true, false);
    for (uint32_t number = 1; number <= 2; number++) {
        const struct journal_batch_header *batch = &sample.segments[number - 1].batches[2];
        uint64_t from = batch->offset + sizeof(*batch);
        cr_assert_gt(batch->payload_bytes, 100);
        refuse_each_bit(&sample, number, from, from + batch->payload_bytes + 16, batch->offset);
    }
    finish_sample(&sample);
}

/* The seal of a segment that has a successor is vouched for by it. */
Test(journal_damage, every_bit_of_a_seal_that_is_followed, .timeout = 150)
{
    struct sample sample;
    make_sample(&sample, true, false);
    uint64_t offset = sample.segments[0].batches[3].offset;
    refuse_each_bit(&sample, 1, offset, offset + 192, offset);
    finish_sample(&sample);
}

/* Nothing vouches for the last seal, and nothing is lost with it: it is told as a torn tail. */
static void flip_the_last_seal(bool recycled)
{
    struct sample sample;
    make_sample(&sample, true, recycled);
    const struct segment *last = &sample.segments[1];
    for (uint64_t bit = last->batches[3].offset * 8; bit < last->end * 8; bit++) {
        struct outcome outcome;
        bool in_header = bit < (last->batches[3].offset + sizeof(struct journal_batch_header)) * 8;
        flip(last, bit, false);
        look(&sample, asked(bit), &outcome);
        flip(last, bit, true);
        cr_assert_eq(outcome.result, 0, "bit %lu: %s", bit, outcome.error.what);
        cr_assert_eq(outcome.seq_next, sample.seq_next, "bit %lu", bit);
        uint64_t torn = recycled && in_header ? 0 : JOURNAL_BLOCK_BYTES; /* looks as what was there before */
        cr_assert_eq(outcome.torn_bytes, torn, "bit %lu goes unnoticed", bit);
    }
    finish_sample(&sample);
}

Test(journal_damage, every_bit_of_the_last_seal, .timeout = 150)
{
    flip_the_last_seal(false);
}

Test(journal_damage, every_bit_of_the_last_seal_in_a_recycled_segment, .timeout = 150)
{
    flip_the_last_seal(true);
}

/* ---- cuts ---------------------------------------------------------------------------------------------------------
 */

/*
 * The number that is next if only the bytes before `cut` arrived, and whether something is left to be cut. Bytes that
 * are what the file held before need not arrive.
 */
static uint64_t expected_next(const struct segment *segment, uint64_t cut, bool *ret_torn)
{
    uint64_t seq_next = segment->batches[0].first_seq;
    uint64_t whole_end = JOURNAL_BLOCK_BYTES;
    for (uint32_t i = 0; i < segment->batch_count; i++) {
        const struct journal_batch_header *batch = &segment->batches[i];
        uint64_t end = batch->offset + journal_batch_bytes(batch->payload_bytes);
        while (segment->bytes[end - 1] == segment->behind[end - 1])
            end--;
        if (cut < end)
            break;
        seq_next = batch->first_seq + batch->count;
        whole_end = batch->offset + journal_batch_bytes(batch->payload_bytes);
    }
    *ret_torn = cut > whole_end;
    return seq_next;
}

static void store_cut(const struct segment *segment, uint64_t cut)
{
    cr_assert_eq(pwrite(segment->file, segment->bytes, cut, 0), (ssize_t)cut);
    uint64_t left = segment->end - cut;
    cr_assert_eq(pwrite(segment->file, segment->behind + cut, left, (off_t)cut), (ssize_t)left);
}

/* The first byte of a batch is never zero, so in a new file a cut behind it leaves something to be told. */
static void cut_at_every_byte(bool recycled)
{
    struct sample sample;
    make_sample(&sample, false, recycled);
    const struct segment *last = &sample.segments[1];
    for (uint64_t cut = last->batches[1].offset; cut <= last->end; cut++) {
        struct outcome outcome;
        bool torn;
        bool in_header = cut % JOURNAL_BLOCK_BYTES < sizeof(struct journal_batch_header);
        uint64_t seq_next = expected_next(last, cut, &torn);
        store_cut(last, cut);
        look(&sample, true, &outcome);
        cr_assert_eq(outcome.result, 0, "cut at %lu: %s", cut, outcome.error.what);
        cr_assert_eq(outcome.seq_next, seq_next, "cut at %lu: next is %lu, not %lu", cut, outcome.seq_next, seq_next);
        if (!recycled || !in_header)
            cr_assert_eq(outcome.torn_bytes > 0, torn, "cut at %lu: %lu bytes torn", cut, outcome.torn_bytes);
    }
    finish_sample(&sample);
}

Test(journal_damage, cut_at_every_byte_of_the_last_two_batches, .timeout = 150)
{
    cut_at_every_byte(false);
}

Test(journal_damage, cut_at_every_byte_of_the_last_two_batches_of_a_recycled_segment, .timeout = 150)
{
    cut_at_every_byte(true);
}

/* The whole way: the journaler opens what was cut, goes on, and what it leaves is whole. */
Test(journal_damage, the_journaler_goes_on_behind_a_cut, .timeout = 150)
{
    static const uint64_t behind[] = {1, 100, 128, 300, 4095, 4096, 4097, 4300};
    for (uint32_t i = 0; i < 2 * ARRAY_COUNT(behind); i++) {
        struct sample sample;
        struct outcome outcome;
        uint32_t two = 2;
        make_sample(&sample, false, i % 2 != 0);
        const struct segment *last = &sample.segments[1];
        bool torn;
        uint64_t next = expected_next(last, last->batches[1].offset + behind[i / 2], &torn);
        uint64_t seq = next - 1;
        store_cut(last, last->batches[1].offset + behind[i / 2]);
        add_epoch(&sample.world, &two, 1, &seq, true);
        verify(&sample, &outcome);
        cr_assert_eq(outcome.result, 0, "%s", outcome.error.what);
        cr_assert_eq(outcome.seq_next, next + 2);
        cr_assert_eq(outcome.torn_bytes, 0);
        cr_assert_eq(world_read(&sample.world, 1), (int64_t)next + 2);
        finish_sample(&sample);
    }
}

/* ---- what checksums do not tell -----------------------------------------------------------------------------------
 */

static void reseal(const struct segment *segment, uint32_t batch, void (*change)(struct journal_batch_header *header))
{
    uint64_t offset = segment->batches[batch].offset;
    uint64_t bytes = journal_batch_bytes(segment->batches[batch].payload_bytes);
    uint8_t *copy = aligned_alloc(JOURNAL_BLOCK_BYTES, bytes);
    memcpy(copy, segment->bytes + offset, bytes);
    change((struct journal_batch_header *)(void *)copy);
    journal_batch_seal((struct journal_batch_header *)(void *)copy);
    cr_assert_eq(pwrite(segment->file, copy, bytes, (off_t)offset), (ssize_t)bytes);
    free(copy);
}

static void change_time(struct journal_batch_header *header)
{
    header->last_time_ns++;
}

static void change_durable(struct journal_batch_header *header)
{
    header->durable_offset = header->offset + JOURNAL_BLOCK_BYTES;
}

static void change_checkpoint(struct journal_batch_header *header)
{
    header->checkpoint.command_seq = header->first_seq + header->count;
}

/* A header whose checksums are right can still tell what cannot be. */
Test(journal_damage, headers_that_contradict_what_they_head, .timeout = 30)
{
    static const struct {
        void (*change)(struct journal_batch_header *header);
        const char *why;
    } cases[] = {
        {change_time, "time of its last command"},
        {change_durable, "more was durable than there was"},
        {change_checkpoint, "a checkpoint of a later command"},
    };
    for (uint32_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct sample sample;
        struct outcome outcome;
        make_sample(&sample, false, false);
        reseal(&sample.segments[1], 2, cases[i].change);
        verify(&sample, &outcome);
        cr_assert_eq(outcome.result, ERROR_CORRUPT, "%s", cases[i].why);
        cr_assert(strstr(outcome.error.what, cases[i].why), "%s", outcome.error.what);
        finish_sample(&sample);
    }
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */

/* Openings without a command give segments of the same first number: none of them is passed over. */
Test(journal_damage, oldest_segment_is_where_reading_all_begins, .timeout = 30)
{
    struct world world;
    struct journal_reader *reader;
    const struct journal_batch_header *header;
    struct error error = {0};
    uint32_t one = 1;
    uint64_t last = 0;
    uint32_t seen = 0;
    world_init(&world, "/dev/shm");
    for (int epoch = 0; epoch < 3; epoch++)
        add_epoch(&world, &one, epoch == 2, &last, false);
    cr_assert_eq(journal_reader_open_oldest(&reader, world.config.journal_directory, &error), 0);
    cr_assert_eq(journal_reader_segment(reader)->segment, 1);
    while (journal_reader_batch(reader, 0, &header, &error) > 0) {
        struct command commands[4];
        cr_assert_geq(header->segment, seen);
        seen = header->segment;
        cr_assert_eq(journal_reader_records(reader, commands, 4, &error), (int)header->count);
    }
    cr_assert_eq(seen, 3);
    struct journal_position position;
    journal_reader_position(reader, &position);
    cr_assert_eq(position.command_seq_next, 2);
    cr_assert_arr_eq(position.instance, journal_reader_segment(reader)->instance, 16);
    cr_assert_eq(position.events_synced, header->events_synced, "as its last batch says");
    cr_assert_gt(position.events_synced, 0);
    journal_reader_close(reader);
    world_finish(&world);
}

/* Pieces of all sizes, forward and back, give what the file holds. */
Test(journal_damage, reading_ahead_gives_what_the_file_holds, .timeout = 30)
{
    const size_t bytes = (9 << 20) + 4096 * 3;
    uint32_t random = 1;
    char path[] = "/dev/shm/ringside-ahead-XXXXXX";
    int file = mkstemp(path);
    uint32_t *words = malloc(bytes);
    uint8_t *window = malloc(4 << 20);
    struct journal_ahead *ahead;
    struct error error = {0};
    for (size_t i = 0; i < bytes / 4; i++)
        words[i] = (uint32_t)i * 2654435761u;
    cr_assert_eq(write(file, words, bytes), (ssize_t)bytes);
    cr_assert_eq(journal_ahead_create(&ahead, &error), 0);
    uint64_t offset = 0;
    for (int reads = 0; reads < 400; reads++) {
        random = random * 1664525u + 1013904223u;
        if (random >> 28 == 0)
            offset = (random >> 8) % (bytes / 4096) * 4096;
        size_t wanted = (size_t)4096 * (1 + (random >> 10) % 700);
        size_t left = bytes - offset;
        size_t count = 0;
        cr_assert_eq(journal_ahead_read(ahead, file, offset, window, wanted, &count, &error), 0);
        cr_assert_eq(count, wanted < left ? wanted : left);
        cr_assert_eq(memcmp(window, (uint8_t *)words + offset, count), 0, "at %lu", offset);
        offset = count < wanted ? 0 : offset + count;
    }
    journal_ahead_stop(ahead);
    size_t count = 0;
    int directory = open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_eq(journal_ahead_read(ahead, directory, 0, window, 4096, &count, &error), ERROR_IO, "no file to read");
    journal_ahead_destroy(ahead);
    close(directory);
    close(file);
    unlink(path);
    free(words);
    free(window);
}
