/*
 * Metrics files. Goal: what a process says is what a reader gets, by the file's own description; and whatever a reader
 * finds at the path, it says what that is and never reads outside it. Method: files made by the writer, read back; then
 * each byte of the description damaged in turn, each rule broken behind a good checksum, files cut at every length.
 */
#include "metrics/metrics.h"
#include "metrics/metrics_read.h"
#include "metrics/values.h"
#include "record/event.h"
#include "wire/ouch.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const colours[] = {"red", "green", "blue"};

#define SAMPLE_VALUES(COUNTER, GAUGE, SIGNED, HISTOGRAM, FAMILY, STAMPS)                                               \
    COUNTER(eaten, "ringside_apples_eaten_total", "", RECORDS, "apples eaten")                                         \
    COUNTER(chewed_ns, "ringside_chewing_seconds_total", "side=\"left\"", NS, "time spent chewing")                    \
    GAUGE(left, "ringside_apples", "", RECORDS, "apples that are left")                                                \
    SIGNED(debt, "ringside_apples_owed", "", NONE, "apples owed")                                                      \
    HISTOGRAM(bite_ns, "ringside_bite_seconds", "", NS, "time of a bite")                                              \
    FAMILY(counter, by_colour, "ringside_apples_seen_total", "colour", RECORDS, "apples seen", 3, colours)             \
    STAMPS(times, "ringside_apple_times", "", NS, "when apples fell", 4)

METRICS_STRUCT(sample_values, SAMPLE_VALUES)
#define METRICS_OF struct sample_values
METRICS_TABLE(sample_values, SAMPLE_VALUES)
#undef METRICS_OF

static char directory[] = "/tmp/test_metrics.XXXXXX";
static char path[128];
static struct metrics_writer writer;
static struct metrics_reader reader;
static struct error error;

static void create(void)
{
    const struct metrics_table *const tables[] = {&process_values_table, &sample_values_table};
    const struct metrics_identity identity = {
        .name = "orchard", .pid = 42, .start_time = 43, .now_ns = 44, .realtime_ns = 45};
    cr_assert_eq(metrics_create(&writer, path, &identity, tables, 2, &error), 0, "%s", error.what);
}

static void setup(void)
{
    cr_assert(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/orchard.metrics", directory);
}

static void teardown(void)
{
    metrics_detach(&reader);
    metrics_close(&writer, 0);
    unlink(path);
    rmdir(directory);
}

TestSuite(metrics, .init = setup, .fini = teardown, .timeout = 60);

static void expect_attach(int code, const char *says)
{
    memset(&error, 0, sizeof(error));
    int result = metrics_attach(&reader, path, &error);
    cr_expect_eq(result, code, "%d, not %d (%s)", result, code, error.what);
    cr_expect(strstr(error.what, says), "\"%s\" does not say \"%s\"", error.what, says);
    metrics_detach(&reader);
}

/* ---- what is written is what is read ----------------------------------------------------------------------------- */

Test(metrics, a_reader_needs_nothing_but_the_file)
{
    create();
    struct sample_values *values = writer.values[1];
    metrics_add(&values->eaten, 5);
    metrics_add(&values->eaten, 2);
    metrics_set(&values->left, 11);
    metrics_set(&values->debt, (uint64_t)-3);
    metrics_set(&values->chewed_ns, 2500000000u);
    metrics_add(&values->by_colour[1], 9);
    cr_assert_eq(metrics_attach(&reader, path, &error), 0, "%s", error.what);
    cr_assert(reader.file);
    cr_expect_str_eq(reader.file->name, "orchard");
    cr_expect_eq(reader.file->pid, 42u);
    cr_expect_eq(reader.file->start_time, 43u);
    cr_expect_eq(reader.file->created_ns, 45u);
    cr_expect_eq(metrics_lookup(&reader, "ringside_apples_eaten_total", "", 0), 7u);
    cr_expect_eq(metrics_lookup(&reader, "ringside_apples_seen_total", "colour=\"green\"", 0), 9u);
    cr_expect_eq(metrics_lookup(&reader, "ringside_apples_seen_total", "colour=\"blue\"", 1), 0u);
    cr_expect_eq(metrics_lookup(&reader, "ringside_pears_total", "", 77), 77u);
    const struct metrics_entry *debt = metrics_find(&reader, "ringside_apples_owed", "");
    cr_assert(debt);
    cr_expect_float_eq(metrics_value_scaled(&reader, debt), -3.0, 0.0);
    const struct metrics_entry *chewed = metrics_find(&reader, "ringside_chewing_seconds_total", "side=\"left\"");
    cr_assert(chewed);
    cr_expect_str_eq(chewed->unit, "ns");
    cr_expect_str_eq(chewed->help, "time spent chewing");
    cr_expect_eq(chewed->type, (uint32_t)METRICS_COUNTER);
    cr_expect_float_eq(metrics_value_scaled(&reader, chewed), 2.5, 0.0);
}

Test(metrics, the_writers_line_tells_run_and_state)
{
    const uint8_t run_id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    create();
    cr_assert_eq(metrics_attach(&reader, path, &error), 0, "%s", error.what);
    const struct metrics_writer_line *line = metrics_writer_of(&reader);
    cr_expect_eq(metrics_get(&line->state), (uint64_t)METRICS_STATE_STARTING);
    cr_expect_eq(metrics_get(&line->run_id[0]), 0u);
    metrics_tell_run(&writer, run_id);
    metrics_tell_state(&writer, METRICS_STATE_READY, 1000);
    metrics_beat(&writer, 2000);
    cr_expect_eq(memcmp((const void *)line->run_id, run_id, 16), 0);
    cr_expect_eq(metrics_get(&line->state), (uint64_t)METRICS_STATE_READY);
    cr_expect_eq(metrics_get(&line->ready_ns), 1000u);
    cr_expect_eq(metrics_get(&line->heartbeat_ns), 2000u);
    metrics_close(&writer, 3000);
    cr_expect_eq(metrics_get(&line->state), (uint64_t)METRICS_STATE_ENDED);
    cr_expect_not(metrics_replaced(&reader), "the last values stay where they were");
}

Test(metrics, a_writer_that_begins_anew_is_noticed)
{
    create();
    struct sample_values *values = writer.values[1];
    metrics_add(&values->eaten, 5);
    cr_assert_eq(metrics_follow(&reader, path, &error), 1, "%s", error.what);
    cr_expect_eq(metrics_follow(&reader, path, &error), 0, "nothing has changed");
    munmap(writer.file, writer.bytes); /* killed: nobody told the file */
    create();
    cr_expect_eq(metrics_lookup(&reader, "ringside_apples_eaten_total", "", 0), 5u, "the old one can still be read");
    cr_expect(metrics_replaced(&reader));
    cr_expect_eq(metrics_follow(&reader, path, &error), 1);
    cr_expect_eq(metrics_lookup(&reader, "ringside_apples_eaten_total", "", 9), 0u);
    unlink(path);
    cr_expect_eq(metrics_follow(&reader, path, &error), ERROR_NOT_YET);
    cr_expect_null(reader.file);
}

/* ---- files that are not what they should be -----------------------------------------------------------------------
 */

static void write_file(const void *bytes, size_t count)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert(fd >= 0 && write(fd, bytes, count) == (ssize_t)count);
    close(fd);
}

Test(metrics, not_there_yet_is_not_wrong)
{
    static const uint8_t zeros[8192];
    expect_attach(ERROR_NOT_YET, "no such file yet");
    write_file(zeros, 0);
    expect_attach(ERROR_NOT_YET, "being made");
    write_file(zeros, sizeof(zeros));
    expect_attach(ERROR_NOT_YET, "being made");
}

Test(metrics, other_files_are_refused_by_name)
{
    uint8_t bytes[8192];
    memset(bytes, 0x5a, sizeof(bytes));
    write_file(bytes, sizeof(bytes));
    expect_attach(ERROR_MISMATCH, "not a metrics file");
    unlink(path);
    cr_assert_eq(mkdir(path, 0700), 0);
    expect_attach(ERROR_MISMATCH, "not a metrics file");
    rmdir(path);
    create();
    writer.file->layout_version++;
    expect_attach(ERROR_MISMATCH, "version 2, this program has 1");
}

/* All of the header but the magic is under the checksum, and so are the entries. */
Test(metrics, each_damaged_byte_of_the_description_is_noticed)
{
    create();
    uint8_t *bytes = (uint8_t *)writer.file;
    size_t end = METRICS_ENTRIES_OFFSET + (size_t)writer.file->entry_count * METRICS_ENTRY_BYTES;
    for (size_t at = 0; at < end; at++) {
        if (at >= LINE_PAIR_BYTES && at < METRICS_ENTRIES_OFFSET)
            continue; /* the writer's line changes while it lives */
        bytes[at] ^= 0x10;
        int result = metrics_attach(&reader, path, &error);
        cr_expect(result == ERROR_CORRUPT || result == ERROR_MISMATCH, "byte %zu: %d", at, result);
        bytes[at] ^= 0x10;
    }
    cr_expect_eq(metrics_attach(&reader, path, &error), 0, "%s", error.what);
}

Test(metrics, a_file_cut_anywhere_is_refused)
{
    create();
    size_t entries_end = METRICS_ENTRIES_OFFSET + (size_t)writer.file->entry_count * METRICS_ENTRY_BYTES;
    size_t lengths[] = {0, 8, 127, 128, 255, 256, 300, entries_end - 1, entries_end, writer.bytes - 1};
    uint8_t *copy = malloc(writer.bytes);
    cr_assert(copy);
    memcpy(copy, writer.file, writer.bytes);
    for (size_t i = 0; i < ARRAY_COUNT(lengths); i++) {
        write_file(copy, lengths[i]);
        int result = metrics_attach(&reader, path, &error);
        cr_expect(result == ERROR_NOT_YET || result == ERROR_CORRUPT, "%zu bytes: %d", lengths[i], result);
    }
    free(copy);
}

static struct metrics_entry *entry_of(const char *name)
{
    uint8_t *entries = (uint8_t *)writer.file + METRICS_ENTRIES_OFFSET;
    for (uint32_t i = 0; i < writer.file->entry_count; i++) {
        struct metrics_entry *entry = (struct metrics_entry *)(void *)(entries + (size_t)i * METRICS_ENTRY_BYTES);
        if (strcmp(entry->name, name) == 0)
            return entry;
    }
    cr_assert_fail("no entry %s", name);
    abort();
}

/* A good checksum over an entry that no reader may follow. */
static void expect_entry_refused(struct metrics_entry *entry, const struct metrics_entry *good, const char *says)
{
    writer.file->checksum = metrics_checksum(writer.file);
    expect_attach(ERROR_CORRUPT, says);
    *entry = *good;
}

Test(metrics, an_entry_that_leads_astray_is_refused_by_name)
{
    create();
    struct metrics_entry *word = entry_of("ringside_apples"), good_word = *word;
    struct metrics_entry *bites = entry_of("ringside_bite_seconds"), good_bites = *bites;
    word->offset += 4;
    expect_entry_refused(word, &good_word, "not aligned");
    word->offset = writer.bytes;
    expect_entry_refused(word, &good_word, "outside the values");
    word->offset = 0;
    expect_entry_refused(word, &good_word, "outside the values");
    word->bytes = UINT32_MAX;
    expect_entry_refused(word, &good_word, "outside the values");
    word->bytes = 16;
    expect_entry_refused(word, &good_word, "is no word");
    word->type = 9;
    expect_entry_refused(word, &good_word, "type is unknown");
    word->divisor = 0;
    expect_entry_refused(word, &good_word, "divisor");
    memset(word->name, 'a', sizeof(word->name));
    expect_entry_refused(word, &good_word, "name");
    memcpy(word->name, "two words", 10);
    expect_entry_refused(word, &good_word, "name");
    memcpy(word->label, "a=\"\n\"", 6);
    expect_entry_refused(word, &good_word, "label");
    memset(word->unit, 'u', sizeof(word->unit));
    expect_entry_refused(word, &good_word, "unit");
    memset(word->help, 'h', sizeof(word->help));
    expect_entry_refused(word, &good_word, "help");
    bites->sub_bits = 40;
    expect_entry_refused(bites, &good_bites, "buckets");
    bites->bucket_count = METRICS_BUCKET_COUNT + 1;
    expect_entry_refused(bites, &good_bites, "buckets");
    bites->bucket_count = METRICS_BUCKET_COUNT - 1;
    expect_entry_refused(bites, &good_bites, "not as many buckets");
    writer.file->checksum = metrics_checksum(writer.file);
    expect_attach(0, "");
}

/* ---- histograms ----------------------------------------------------------------------------------------------------
 */

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static uint64_t random_number(void)
{
    static uint64_t state = 7;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

Test(metrics, quantiles_agree_with_a_sorted_array)
{
    enum { COUNT = 20000 };
    static uint64_t sizes[COUNT];
    static struct metrics_distribution copy;
    static const double fractions[] = {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0};
    create();
    struct sample_values *values = writer.values[1];
    for (uint32_t i = 0; i < COUNT; i++) {
        sizes[i] = random_number() >> (24 + random_number() % 40);
        metrics_record(&values->bite_ns, sizes[i]);
    }
    qsort(sizes, COUNT, sizeof(sizes[0]), by_size);
    cr_assert_eq(metrics_attach(&reader, path, &error), 0, "%s", error.what);
    metrics_histogram_read(&reader, metrics_find(&reader, "ringside_bite_seconds", ""), &copy);
    cr_expect_eq(copy.count, (uint64_t)COUNT);
    cr_expect_eq(copy.max, sizes[COUNT - 1]);
    for (size_t i = 0; i < ARRAY_COUNT(fractions); i++) {
        size_t rank = (size_t)(fractions[i] * COUNT);
        uint64_t exact = sizes[rank > 0 ? rank - 1 : 0];
        uint64_t given = metrics_quantile(&copy, fractions[i]);
        cr_expect(given >= exact && given - exact <= exact / 64, "%g: %llu for %llu", fractions[i],
                  (unsigned long long)given, (unsigned long long)exact);
    }
    for (uint32_t shift = 0; shift < 40; shift++) {
        uint64_t below = 0;
        while (below < COUNT && sizes[below] < (UINT64_C(1) << shift))
            below++;
        cr_expect_eq(metrics_count_below(&copy, UINT64_C(1) << shift), below, "2^%u", shift);
    }
}

Test(metrics, what_came_since_is_the_difference)
{
    static struct metrics_distribution before, after;
    create();
    struct sample_values *values = writer.values[1];
    cr_assert_eq(metrics_attach(&reader, path, &error), 0, "%s", error.what);
    const struct metrics_entry *entry = metrics_find(&reader, "ringside_bite_seconds", "");
    metrics_record_times(&values->bite_ns, 1000000, 100);
    metrics_histogram_read(&reader, entry, &before);
    metrics_record_times(&values->bite_ns, 10, 3);
    metrics_record(&values->bite_ns, 20);
    metrics_histogram_read(&reader, entry, &after);
    metrics_distribution_since(&after, &before);
    cr_expect_eq(after.count, 4u);
    cr_expect_eq(after.sum, 50u);
    cr_expect_eq(after.max, 20u);
    cr_expect_eq(metrics_quantile(&after, 0.75), 10u);
    metrics_histogram_read(&reader, entry, &before);
    metrics_histogram_read(&reader, entry, &after);
    metrics_distribution_since(&after, &before);
    cr_expect_eq(after.count, 0u);
    cr_expect_eq(metrics_quantile(&after, 0.5), 0u);
}

Test(metrics, what_is_larger_than_all_buckets_is_in_the_last)
{
    static struct metrics_distribution copy;
    create();
    struct sample_values *values = writer.values[1];
    metrics_record(&values->bite_ns, UINT64_C(1) << 50);
    metrics_record(&values->bite_ns, 0);
    cr_assert_eq(metrics_attach(&reader, path, &error), 0, "%s", error.what);
    metrics_histogram_read(&reader, metrics_find(&reader, "ringside_bite_seconds", ""), &copy);
    cr_expect_eq(copy.count, 2u);
    cr_expect_eq(copy.buckets[METRICS_BUCKET_COUNT - 1], 1u);
    cr_expect_eq(metrics_quantile(&copy, 0.5), 0u);
    cr_expect_eq(metrics_quantile(&copy, 1.0), UINT64_C(1) << 50);
}

/* ---- the tables -----------------------------------------------------------------------------------------------------
 */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static void check_row(const struct metrics_row *row)
{
    cr_expect_eq(strncmp(row->name, "ringside_", 9), 0, "%s", row->name);
    cr_expect_eq(ends_with(row->name, "_total"), row->type == METRICS_COUNTER, "%s: _total is for counters", row->name);
    cr_expect(strlen(row->help) > 5 && strlen(row->help) < 96, "%s: help", row->name);
    bool seconds = strstr(row->name, "_seconds") != NULL, bytes = strstr(row->name, "_bytes") != NULL;
    cr_expect_eq(seconds, row->unit == METRICS_UNIT_NS, "%s: its unit", row->name);
    cr_expect_eq(bytes, row->unit == METRICS_UNIT_BYTES, "%s: its unit", row->name);
    for (const char *at = row->help; *at; at++)
        cr_expect(isprint((unsigned char)*at) && *at != '\\' && *at != '"', "%s: help", row->name);
}

/* One name has one type and one text, and with its label it is one value. */
static void check_pair(const struct metrics_row *a, const struct metrics_row *b)
{
    if (strcmp(a->name, b->name) != 0)
        return;
    cr_expect_eq(a->type, b->type, "%s", a->name);
    cr_expect_eq(a->unit, b->unit, "%s", a->name);
    cr_expect_str_eq(a->help, b->help, "%s", a->name);
    cr_expect_str_neq(a->label, b->label, "%s is there twice", a->name);
}

Test(metrics, every_table_keeps_to_the_rules_of_names)
{
    for (uint32_t table = 0; table < values_table_count; table++) {
        const struct metrics_table *values = values_tables[table];
        cr_expect(values->row_count > 5, "%s", values->name);
        for (uint32_t i = 0; i < values->row_count; i++) {
            check_row(&values->rows[i]);
            for (uint32_t j = 0; j < i; j++)
                check_pair(&values->rows[i], &values->rows[j]);
        }
    }
}

/* ---- names of families ----------------------------------------------------------------------------------------------
 */

static void expect_name(const char *const names[], uint32_t count, uint32_t number, const char *wanted)
{
    cr_assert(number < count && names[number], "%u, %s, has no name", number, wanted);
    cr_expect_eq(strcasecmp(names[number], wanted), 0, "%u is %s, not %s", number, wanted, names[number]);
}

static uint32_t count_names(const char *const names[], uint32_t count)
{
    uint32_t there = 0;
    for (uint32_t i = 0; i < count; i++)
        there += names[i] != NULL;
    return there;
}

Test(metrics, families_have_the_names_of_what_they_count)
{
    uint32_t kinds = 0, reasons = 0;
#define X(name, number, meaning, message)                                                                              \
    expect_name(event_names, EVENT_NAME_COUNT, number, #name);                                                         \
    kinds++;
    EVENT_KINDS(X)
#undef X
#define X(number, name, text)                                                                                          \
    expect_name(reject_names, REJECT_NAME_COUNT, number, text);                                                        \
    reasons++;
    OUCH_REJECT_REASONS(X)
#undef X
    cr_expect_eq(count_names(event_names, EVENT_NAME_COUNT), kinds);
    cr_expect_eq(count_names(reject_names, REJECT_NAME_COUNT), reasons);
}
