/*
 * Writing metrics: tables that say which values a process has, and the operations on them.
 *
 * A table is one macro; from it come the struct that the code counts in, the entries of the file, and the table in
 * docs/metrics.md (values.h lists all tables):
 *
 *   #define MATCHER_VALUES(COUNTER, GAUGE, SIGNED, HISTOGRAM, FAMILY, STAMPS)                  \
 *       COUNTER(commands, "ringside_matcher_commands_total", "", RECORDS, "commands applied") \
 *       ...
 *   METRICS_STRUCT(matcher_values, MATCHER_VALUES)      in a header
 *   METRICS_TABLE(matcher_values, MATCHER_VALUES)       in one source
 *
 * Rules
 *   1. A value has one writer, a thread of the process that made the file. An operation is a relaxed load and store: no
 *      locked instruction, and no line that another process writes.
 *   2. Once a batch, not once a record: what a loop counts, it counts in a local and adds at its end.
 *   3. A process without metrics (metrics.enabled = no, the simulator) has a NULL pointer to its values; who counts
 *      looks at that once a batch.
 *   4. Names, labels and units are Prometheus' (base units, `_total` for counters): what the file says is what is
 *      scraped.
 *
 * It touches one file, and no clock.
 */
#ifndef RINGSIDE_METRICS_H
#define RINGSIDE_METRICS_H

#include "base/error.h"
#include "base/histogram.h"
#include "metrics/metrics_layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- tables ------------------------------------------------------------------------------------------------------ */

/* UNIT(name, text of the stored value, divisor): what is stored / divisor is in the unit of the name. */
#define METRICS_UNITS(UNIT)                                                                                            \
    UNIT(NONE, "", 1)                                                                                                  \
    UNIT(RECORDS, "records", 1)                                                                                        \
    UNIT(BYTES, "bytes", 1)                                                                                            \
    UNIT(NS, "ns", 1000000000)

enum metrics_unit {
#define UNIT(name, text, divisor) METRICS_UNIT_##name,
    METRICS_UNITS(UNIT)
#undef UNIT
};

/* One row of a table: one value, or `count` of them that differ in a label. */
struct metrics_row {
    const char *name;
    const char *label; /* `ring="command"`, or "" */
    enum metrics_type type;
    enum metrics_unit unit;
    uint32_t flags;
    uint32_t offset; /* in the struct */
    uint32_t bytes;  /* of one value */
    uint32_t count;
    const char *const *label_values; /* of a family: the label is label="label_values[i]"; where NULL, nothing */
    const char *help;
};

struct metrics_table {
    const char *name; /* of the struct */
    const struct metrics_row *rows;
    uint32_t row_count;
    uint32_t bytes; /* of the struct */
};

/*
 * COUNTER, GAUGE, HISTOGRAM(field, name, label, unit, help)
 * SIGNED: a gauge that can be below zero
 * FAMILY(kind, field, name, label's name, unit, help, count, names): an array of them, of the kind counter, gauge or
 *     histogram, one for each of `names` that is not NULL
 * STAMPS(field, name, label, unit, help, count): a table of times (stamps.h)
 */
#define METRICS_WORD_FIELD(field, name, label, unit, help)                       _Atomic uint64_t field;
#define METRICS_HISTOGRAM_FIELD(field, name, label, unit, help)                  struct metrics_histogram field;
#define METRICS_FAMILY_FIELD(kind, field, name, label, unit, help, count, names) METRICS_ELEMENT_##kind field[count];
#define METRICS_STAMPS_FIELD(field, name, label, unit, help, count)              _Atomic uint64_t field[count];

#define METRICS_ELEMENT_counter   _Atomic uint64_t
#define METRICS_ELEMENT_gauge     _Atomic uint64_t
#define METRICS_ELEMENT_histogram struct metrics_histogram
#define METRICS_KIND_counter      METRICS_COUNTER
#define METRICS_KIND_gauge        METRICS_GAUGE
#define METRICS_KIND_histogram    METRICS_HISTOGRAM

#define METRICS_STRUCT(type, TABLE)                                                                                    \
    struct type {                                                                                                      \
        TABLE(METRICS_WORD_FIELD, METRICS_WORD_FIELD, METRICS_WORD_FIELD, METRICS_HISTOGRAM_FIELD,                     \
              METRICS_FAMILY_FIELD, METRICS_STAMPS_FIELD)                                                              \
    };                                                                                                                 \
    extern const struct metrics_table type##_table;

#define METRICS_ROW(kind, row_flags, field, row_name, row_label, row_unit, row_help)                                   \
    {.name = (row_name),                                                                                               \
     .label = (row_label),                                                                                             \
     .type = (kind),                                                                                                   \
     .unit = METRICS_UNIT_##row_unit,                                                                                  \
     .flags = (row_flags),                                                                                             \
     .offset = (uint32_t)offsetof(METRICS_OF, field),                                                                  \
     .bytes = (uint32_t)sizeof(((METRICS_OF *)0)->field),                                                              \
     .count = 1,                                                                                                       \
     .help = (row_help)},
#define METRICS_COUNTER_ROW(field, name, label, unit, help)                                                            \
    METRICS_ROW(METRICS_COUNTER, 0, field, name, label, unit, help)
#define METRICS_GAUGE_ROW(field, name, label, unit, help) METRICS_ROW(METRICS_GAUGE, 0, field, name, label, unit, help)
#define METRICS_SIGNED_ROW(field, name, label, unit, help)                                                             \
    METRICS_ROW(METRICS_GAUGE, METRICS_FLAG_SIGNED, field, name, label, unit, help)
#define METRICS_HISTOGRAM_ROW(field, name, label, unit, help)                                                          \
    METRICS_ROW(METRICS_HISTOGRAM, 0, field, name, label, unit, help)
#define METRICS_FAMILY_ROW(kind, field, row_name, row_label, row_unit, row_help, row_count, row_names)                 \
    {.name = (row_name),                                                                                               \
     .label = (row_label),                                                                                             \
     .type = METRICS_KIND_##kind,                                                                                      \
     .unit = METRICS_UNIT_##row_unit,                                                                                  \
     .offset = (uint32_t)offsetof(METRICS_OF, field),                                                                  \
     .bytes = (uint32_t)sizeof(((METRICS_OF *)0)->field[0]),                                                           \
     .count = (row_count),                                                                                             \
     .label_values = (row_names),                                                                                      \
     .help = (row_help)},
#define METRICS_STAMPS_ROW(field, name, label, unit, help, count)                                                      \
    METRICS_ROW(METRICS_STAMPS, 0, field, name, label, unit, help)

/* In one source, with METRICS_OF defined as the struct around it. */
#define METRICS_TABLE(type, TABLE)                                                                                     \
    static const struct metrics_row type##_rows[] = {TABLE(METRICS_COUNTER_ROW, METRICS_GAUGE_ROW, METRICS_SIGNED_ROW, \
                                                           METRICS_HISTOGRAM_ROW, METRICS_FAMILY_ROW,                  \
                                                           METRICS_STAMPS_ROW)};                                       \
    const struct metrics_table type##_table = {.name = #type,                                                          \
                                               .rows = type##_rows,                                                    \
                                               .row_count = (uint32_t)ARRAY_COUNT(type##_rows),                        \
                                               .bytes = (uint32_t)sizeof(struct type)};

/* Whether a row has a value with this index. */
static inline bool metrics_row_has(const struct metrics_row *row, uint32_t index)
{
    return index < row->count && (!row->label_values || row->label_values[index] != NULL);
}

/* The label of one of a row's values: `reason="instrument is halted"`. */
void metrics_row_label(const struct metrics_row *row, uint32_t index, char label[48]);

const char *metrics_unit_text(enum metrics_unit unit);
uint64_t metrics_unit_divisor(enum metrics_unit unit);

/* ---- the file ---------------------------------------------------------------------------------------------------- */

#define METRICS_TABLES_MAX 4

struct metrics_writer {
    struct metrics_header *file; /* NULL: closed */
    uint32_t bytes;
    uint32_t table_count;
    void *values[METRICS_TABLES_MAX]; /* of each table, in the file */
};

struct metrics_identity {
    const char *name; /* of the process: "matcher", "gateway-1" */
    uint32_t pid;
    uint64_t start_time;
    uint64_t now_ns;      /* CLOCK_MONOTONIC */
    uint64_t realtime_ns; /* CLOCK_REALTIME */
};

/*
 * Makes the file with the values of these tables, all 0, and puts it at `path` in place of an earlier one. Whoever
 * calls holds the role, so nobody else writes there.
 */
int metrics_create(struct metrics_writer *writer, const char *path, const struct metrics_identity *identity,
                   const struct metrics_table *const tables[], uint32_t table_count, struct error *error);

static inline struct metrics_writer_line *metrics_line(struct metrics_writer *writer)
{
    return (struct metrics_writer_line *)(void *)((uint8_t *)writer->file + LINE_PAIR_BYTES);
}

void metrics_tell_run(struct metrics_writer *writer, const uint8_t run_id[16]);
void metrics_tell_state(struct metrics_writer *writer, enum metrics_state state, uint64_t now_ns);
void metrics_beat(struct metrics_writer *writer, uint64_t now_ns);

/* The file stays, with the state METRICS_STATE_ENDED: its last values can still be read. */
void metrics_close(struct metrics_writer *writer, uint64_t now_ns);

/* ---- values ------------------------------------------------------------------------------------------------------ */

static inline void metrics_set(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static inline uint64_t metrics_get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void metrics_add(_Atomic uint64_t *word, uint64_t value)
{
    metrics_set(word, metrics_get(word) + value);
}

static inline void metrics_raise(_Atomic uint64_t *word, uint64_t value)
{
    if (value > metrics_get(word))
        metrics_set(word, value);
}

static inline uint32_t metrics_bucket(uint64_t value)
{
    uint32_t bucket = histogram_bucket_at(value, METRICS_SUB_BITS);
    return bucket < METRICS_BUCKET_COUNT ? bucket : METRICS_BUCKET_COUNT - 1;
}

/* `times` values of this size. */
static inline void metrics_record_times(struct metrics_histogram *histogram, uint64_t value, uint64_t times)
{
    metrics_add(&histogram->buckets[metrics_bucket(value)], times);
    metrics_add(&histogram->sum, value * times);
    metrics_raise(&histogram->max, value);
    metrics_add(&histogram->count, times);
}

static inline void metrics_record(struct metrics_histogram *histogram, uint64_t value)
{
    metrics_record_times(histogram, value, 1);
}

#endif
