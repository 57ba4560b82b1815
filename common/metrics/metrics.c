#include "metrics/metrics.h"

#include "base/checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PATH_BYTES 264
#define PAGE       4096u

static const struct {
    const char *text;
    uint64_t divisor;
} units[] = {
#define UNIT(name, text, divisor) {text, divisor},
    METRICS_UNITS(UNIT)
#undef UNIT
};

const char *metrics_unit_text(enum metrics_unit unit)
{
    REQUIRE(unit < ARRAY_COUNT(units));
    return units[unit].text;
}

uint64_t metrics_unit_divisor(enum metrics_unit unit)
{
    REQUIRE(unit < ARRAY_COUNT(units));
    return units[unit].divisor;
}

void metrics_row_label(const struct metrics_row *row, uint32_t index, char label[48])
{
    int length = row->label_values ? snprintf(label, 48, "%s=\"%s\"", row->label, row->label_values[index])
                                   : snprintf(label, 48, "%s", row->label);
    REQUIRE(length < 48); /* a table of ours: a test makes every file once */
}

/* ---- the layout of a file ---------------------------------------------------------------------------------------- */

static uint32_t round_up(uint32_t bytes, uint32_t to)
{
    return (bytes + to - 1) / to * to;
}

static uint32_t count_entries(const struct metrics_table *const tables[], uint32_t table_count)
{
    uint32_t count = 0;
    for (uint32_t table = 0; table < table_count; table++)
        for (uint32_t row = 0; row < tables[table]->row_count; row++)
            for (uint32_t index = 0; index < tables[table]->rows[row].count; index++)
                count += metrics_row_has(&tables[table]->rows[row], index);
    return count;
}

static void copy_text(char *to, size_t to_bytes, const char *text)
{
    size_t length = strlen(text);
    REQUIRE(length < to_bytes);
    memcpy(to, text, length + 1);
}

static void describe(struct metrics_entry *entry, const struct metrics_row *row, uint32_t index, uint32_t base)
{
    copy_text(entry->name, sizeof(entry->name), row->name);
    metrics_row_label(row, index, entry->label);
    copy_text(entry->unit, sizeof(entry->unit), metrics_unit_text(row->unit));
    copy_text(entry->help, sizeof(entry->help), row->help);
    entry->type = row->type;
    entry->flags = row->flags;
    entry->offset = base + row->offset + index * row->bytes;
    entry->bytes = row->bytes;
    entry->divisor = metrics_unit_divisor(row->unit);
    if (row->type == METRICS_HISTOGRAM) {
        entry->sub_bits = METRICS_SUB_BITS;
        entry->bucket_count = METRICS_BUCKET_COUNT;
    }
}

static uint64_t hash_entry(uint64_t hash, const struct metrics_entry *entry)
{
    char place[48];
    snprintf(place, sizeof(place), "%u %u %u %u", entry->type, entry->offset, entry->bytes, entry->flags);
    return fnv1a64(fnv1a64(fnv1a64(hash, entry->name), entry->label), place);
}

/* The entries of one table, whose values begin at `base`. Returns the place after the last. */
static struct metrics_entry *describe_table(struct metrics_entry *entry, const struct metrics_table *table,
                                            uint32_t base, uint64_t *hash)
{
    for (uint32_t row = 0; row < table->row_count; row++)
        for (uint32_t index = 0; index < table->rows[row].count; index++) {
            if (!metrics_row_has(&table->rows[row], index))
                continue;
            describe(entry, &table->rows[row], index, base);
            *hash = hash_entry(*hash, entry++);
        }
    return entry;
}

static void describe_all(struct metrics_writer *writer, const struct metrics_table *const tables[])
{
    uint8_t *bytes = (uint8_t *)writer->file;
    struct metrics_entry *entry = (struct metrics_entry *)(void *)(bytes + METRICS_ENTRIES_OFFSET);
    uint32_t base = writer->file->values_offset;
    uint64_t hash = 0;
    for (uint32_t table = 0; table < writer->table_count; table++) {
        writer->values[table] = bytes + base;
        entry = describe_table(entry, tables[table], base, &hash);
        base += round_up(tables[table]->bytes, LINE_PAIR_BYTES);
    }
    writer->file->layout_hash = hash;
}

static void fill(struct metrics_writer *writer, const struct metrics_identity *identity,
                 const struct metrics_table *const tables[])
{
    struct metrics_header *header = writer->file;
    header->layout_version = METRICS_LAYOUT_VERSION;
    header->entry_bytes = METRICS_ENTRY_BYTES;
    header->entry_count = count_entries(tables, writer->table_count);
    header->entries_offset = METRICS_ENTRIES_OFFSET;
    header->values_offset = round_up(METRICS_ENTRIES_OFFSET + header->entry_count * METRICS_ENTRY_BYTES, PAGE);
    header->values_bytes = writer->bytes - header->values_offset;
    header->created_ns = identity->realtime_ns;
    header->created_monotonic_ns = identity->now_ns;
    copy_text(header->name, sizeof(header->name), identity->name);
    header->pid = identity->pid;
    header->start_time = identity->start_time;
    describe_all(writer, tables);
    header->checksum = metrics_checksum(header);
    metrics_tell_state(writer, METRICS_STATE_STARTING, identity->now_ns);
    atomic_store_explicit(&header->magic, METRICS_MAGIC, memory_order_release);
}

/* ---- making it --------------------------------------------------------------------------------------------------- */

static uint32_t bytes_of(const struct metrics_table *const tables[], uint32_t table_count)
{
    uint32_t entries = METRICS_ENTRIES_OFFSET + count_entries(tables, table_count) * METRICS_ENTRY_BYTES;
    uint32_t bytes = round_up(entries, PAGE);
    for (uint32_t table = 0; table < table_count; table++)
        bytes += round_up(tables[table]->bytes, LINE_PAIR_BYTES);
    return round_up(bytes, PAGE);
}

/* All of its memory is taken now: a store to a page that the file system cannot give would end the process later. */
static int map_new(struct metrics_writer *writer, const char *path, struct error *error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0660);
    if (fd < 0)
        return error_system(error, errno, path, "cannot create the metrics file");
    int allocated = posix_fallocate(fd, 0, writer->bytes);
    void *mapped = allocated ? MAP_FAILED : mmap(NULL, writer->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int system = allocated ? allocated : errno;
    close(fd);
    if (mapped == MAP_FAILED)
        return error_system(error, system, path, "no memory for the metrics");
    writer->file = mapped;
    return 0;
}

int metrics_create(struct metrics_writer *writer, const char *path, const struct metrics_identity *identity,
                   const struct metrics_table *const tables[], uint32_t table_count, struct error *error)
{
    REQUIRE(table_count <= METRICS_TABLES_MAX);
    char new_path[PATH_BYTES];
    if ((size_t)snprintf(new_path, sizeof(new_path), "%s.new", path) >= sizeof(new_path))
        return error_set(error, ERROR_INVALID, path, "longer than %zu bytes", sizeof(new_path) - 5);
    *writer = (struct metrics_writer){.table_count = table_count, .bytes = bytes_of(tables, table_count)};
    int result = map_new(writer, new_path, error);
    if (result == 0) {
        fill(writer, identity, tables);
        if (rename(new_path, path) < 0)
            result = error_system(error, errno, path, "cannot put the metrics file in its place");
    }
    if (result < 0) {
        unlink(new_path);
        metrics_close(writer, identity->now_ns);
    }
    return result;
}

void metrics_close(struct metrics_writer *writer, uint64_t now_ns)
{
    if (!writer || !writer->file)
        return;
    metrics_tell_state(writer, METRICS_STATE_ENDED, now_ns);
    munmap(writer->file, writer->bytes);
    *writer = (struct metrics_writer){0};
}

/* ---- the writer's line ------------------------------------------------------------------------------------------- */

void metrics_tell_run(struct metrics_writer *writer, const uint8_t run_id[16])
{
    uint64_t words[2];
    memcpy(words, run_id, sizeof(words));
    for (int i = 0; i < 2; i++)
        metrics_set(&metrics_line(writer)->run_id[i], words[i]);
}

void metrics_tell_state(struct metrics_writer *writer, enum metrics_state state, uint64_t now_ns)
{
    struct metrics_writer_line *line = metrics_line(writer);
    if (state == METRICS_STATE_READY)
        metrics_set(&line->ready_ns, now_ns);
    metrics_set(&line->heartbeat_ns, now_ns);
    metrics_set(&line->state, state);
}

void metrics_beat(struct metrics_writer *writer, uint64_t now_ns)
{
    metrics_set(&metrics_line(writer)->heartbeat_ns, now_ns);
}
