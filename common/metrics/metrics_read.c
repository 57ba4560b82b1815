#include "metrics/metrics_read.h"

#include "base/checksum.h"
#include "base/histogram.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HISTOGRAM_HEAD_BYTES ((uint32_t)offsetof(struct metrics_histogram, buckets))

/* ---- what a file must be ------------------------------------------------------------------------------------------
 */

static bool text_ends(const char *text, size_t bytes)
{
    return memchr(text, '\0', bytes) != NULL;
}

static bool name_valid(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    while (isalnum((unsigned char)*name) || *name == '_' || *name == ':')
        name++;
    return *name == '\0';
}

/* Nothing that would break a line of text that it is printed into. */
static bool text_printable(const char *text)
{
    while (isprint((unsigned char)*text))
        text++;
    return *text == '\0';
}

/* The rule that an entry breaks, or NULL. */
static const char *entry_text_invalid(const struct metrics_entry *entry)
{
    if (!text_ends(entry->name, sizeof(entry->name)) || !name_valid(entry->name))
        return "its name is none";
    if (!text_ends(entry->label, sizeof(entry->label)) || !text_printable(entry->label))
        return "its label is none";
    if (!text_ends(entry->unit, sizeof(entry->unit)) || !text_printable(entry->unit))
        return "its unit is none";
    if (!text_ends(entry->help, sizeof(entry->help)) || !text_printable(entry->help))
        return "its help is none";
    return NULL;
}

static const char *entry_place_invalid(const struct metrics_entry *entry, const struct metrics_header *header)
{
    uint64_t end = (uint64_t)header->values_offset + header->values_bytes;
    if (entry->offset % sizeof(uint64_t) != 0)
        return "its value is not aligned";
    if (entry->offset < header->values_offset || (uint64_t)entry->offset + entry->bytes > end)
        return "its value lies outside the values";
    if (entry->divisor == 0)
        return "its divisor is 0";
    return NULL;
}

static const char *entry_type_invalid(const struct metrics_entry *entry)
{
    switch (entry->type) {
    case METRICS_COUNTER:
    case METRICS_GAUGE:
        return entry->bytes == sizeof(uint64_t) ? NULL : "its value is no word";
    case METRICS_HISTOGRAM:
        if (entry->sub_bits < 1 || entry->sub_bits > 16 || entry->bucket_count < (2u << entry->sub_bits) ||
            entry->bucket_count > METRICS_BUCKET_COUNT)
            return "its buckets are such as this program does not know";
        return entry->bytes == HISTOGRAM_HEAD_BYTES + 8 * entry->bucket_count ? NULL : "it has not as many buckets";
    case METRICS_STAMPS:
        return entry->bytes % sizeof(uint64_t) == 0 ? NULL : "it is no table of words";
    default:
        return "its type is unknown";
    }
}

static int check_entries(const struct metrics_reader *reader, const char *path, struct error *error)
{
    for (uint32_t i = 0; i < reader->file->entry_count; i++) {
        const struct metrics_entry *entry = metrics_entry(reader, i);
        const char *wrong = entry_text_invalid(entry);
        if (!wrong)
            wrong = entry_place_invalid(entry, reader->file);
        if (!wrong)
            wrong = entry_type_invalid(entry);
        if (wrong)
            return error_set(error, ERROR_CORRUPT, path, "entry %u: %s", i, wrong);
    }
    return 0;
}

uint32_t metrics_checksum(const struct metrics_header *header)
{
    struct metrics_header copy;
    memcpy(&copy, header, sizeof(copy));
    copy.checksum = 0;
    uint32_t sum = crc32c(0, (const uint8_t *)&copy + sizeof(copy.magic), sizeof(copy) - sizeof(copy.magic));
    const uint8_t *entries = (const uint8_t *)header + METRICS_ENTRIES_OFFSET;
    return crc32c(sum, entries, (size_t)header->entry_count * METRICS_ENTRY_BYTES);
}

static int check_sizes(const struct metrics_header *header, uint64_t bytes, const char *path, struct error *error)
{
    uint64_t entries_end = METRICS_ENTRIES_OFFSET + (uint64_t)header->entry_count * METRICS_ENTRY_BYTES;
    if (header->entry_bytes != METRICS_ENTRY_BYTES || header->entries_offset != METRICS_ENTRIES_OFFSET)
        return error_set(error, ERROR_MISMATCH, path, "entries of %u bytes at %u; this program has %d at %u",
                         header->entry_bytes, header->entries_offset, METRICS_ENTRY_BYTES, METRICS_ENTRIES_OFFSET);
    if (header->entry_count > METRICS_ENTRIES_MAX || header->values_offset < entries_end ||
        header->values_offset % sizeof(uint64_t) != 0 || (uint64_t)header->values_offset + header->values_bytes > bytes)
        return error_set(error, ERROR_CORRUPT, path,
                         "%u entries, values of %u bytes at %u: not in a file of %llu bytes", header->entry_count,
                         header->values_bytes, header->values_offset, (unsigned long long)bytes);
    if (!text_ends(header->name, sizeof(header->name)) || !text_printable(header->name))
        return error_set(error, ERROR_CORRUPT, path, "the name of the process is none");
    return 0;
}

static int check(const struct metrics_reader *reader, const char *path, struct error *error)
{
    const struct metrics_header *header = reader->file;
    uint64_t magic = atomic_load_explicit(&header->magic, memory_order_acquire);
    if (magic == 0)
        return error_set(error, ERROR_NOT_YET, path, "the file is still being made");
    if (magic != METRICS_MAGIC)
        return error_set(error, ERROR_MISMATCH, path, "not a metrics file");
    if (header->layout_version != METRICS_LAYOUT_VERSION)
        return error_set(error, ERROR_MISMATCH, path, "version %u, this program has %d", header->layout_version,
                         METRICS_LAYOUT_VERSION);
    int result = check_sizes(header, reader->bytes, path, error);
    if (result < 0)
        return result;
    if (header->checksum != metrics_checksum(header))
        return error_set(error, ERROR_CORRUPT, path, "the checksum does not match");
    return check_entries(reader, path, error);
}

/* ---- attaching ----------------------------------------------------------------------------------------------------
 */

static int map_file(struct metrics_reader *reader, int fd, const char *path, struct error *error)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_system(error, errno, path, "cannot look at the metrics file");
    if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size > METRICS_BYTES_MAX)
        return error_set(error, ERROR_MISMATCH, path, "not a metrics file");
    if ((uint64_t)status.st_size < METRICS_ENTRIES_OFFSET)
        return error_set(error, ERROR_NOT_YET, path, "the file is still being made");
    void *mapped = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED)
        return error_system(error, errno, path, "cannot map the metrics file");
    reader->file = mapped;
    reader->bytes = (uint64_t)status.st_size;
    reader->inode = (uint64_t)status.st_ino;
    reader->device = (uint64_t)status.st_dev;
    return 0;
}

int metrics_attach(struct metrics_reader *reader, const char *path, struct error *error)
{
    struct metrics_reader attached = {0};
    if ((size_t)snprintf(attached.path, sizeof(attached.path), "%s", path) >= sizeof(attached.path))
        return error_set(error, ERROR_INVALID, path, "longer than %zu bytes", sizeof(attached.path) - 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? error_set(error, ERROR_NOT_YET, path, "no such file yet")
                               : error_system(error, errno, path, "cannot open the metrics file");
    int result = map_file(&attached, fd, path, error);
    close(fd);
    if (result == 0)
        result = check(&attached, path, error);
    if (result < 0) {
        metrics_detach(&attached);
        return result;
    }
    attached.entry_count = attached.file->entry_count;
    *reader = attached;
    return 0;
}

void metrics_detach(struct metrics_reader *reader)
{
    if (!reader || !reader->file)
        return;
    munmap((void *)(uintptr_t)reader->file, reader->bytes);
    reader->file = NULL;
    reader->entry_count = 0;
}

bool metrics_replaced(const struct metrics_reader *reader)
{
    struct stat status;
    return stat(reader->path, &status) < 0 || (uint64_t)status.st_ino != reader->inode ||
           (uint64_t)status.st_dev != reader->device;
}

int metrics_follow(struct metrics_reader *reader, const char *path, struct error *error)
{
    if (reader->file && !metrics_replaced(reader))
        return 0;
    metrics_detach(reader);
    int result = metrics_attach(reader, path, error);
    return result < 0 ? result : 1;
}

/* ---- values -------------------------------------------------------------------------------------------------------
 */

const struct metrics_entry *metrics_find(const struct metrics_reader *reader, const char *name, const char *label)
{
    for (uint32_t i = 0; i < reader->entry_count; i++) {
        const struct metrics_entry *entry = metrics_entry(reader, i);
        if (strcmp(entry->name, name) == 0 && strcmp(entry->label, label) == 0)
            return entry;
    }
    return NULL;
}

double metrics_value_scaled(const struct metrics_reader *reader, const struct metrics_entry *entry)
{
    uint64_t value = metrics_value(reader, entry);
    double number = entry->flags & METRICS_FLAG_SIGNED ? (double)(int64_t)value : (double)value;
    return number / (double)entry->divisor;
}

uint64_t metrics_lookup(const struct metrics_reader *reader, const char *name, const char *label, uint64_t fallback)
{
    const struct metrics_entry *entry = metrics_find(reader, name, label);
    return entry && (entry->type == METRICS_COUNTER || entry->type == METRICS_GAUGE) ? metrics_value(reader, entry)
                                                                                     : fallback;
}

/* ---- histograms ---------------------------------------------------------------------------------------------------
 */

static uint64_t word_at(const struct metrics_reader *reader, uint64_t offset)
{
    const uint8_t *at = (const uint8_t *)reader->file + offset;
    return atomic_load_explicit((const _Atomic uint64_t *)(const void *)at, memory_order_relaxed);
}

void metrics_histogram_read(const struct metrics_reader *reader, const struct metrics_entry *entry,
                            struct metrics_distribution *ret_copy)
{
    REQUIRE(entry->type == METRICS_HISTOGRAM);
    ret_copy->sub_bits = entry->sub_bits;
    ret_copy->bucket_count = entry->bucket_count;
    ret_copy->sum = word_at(reader, entry->offset + offsetof(struct metrics_histogram, sum));
    ret_copy->max = word_at(reader, entry->offset + offsetof(struct metrics_histogram, max));
    ret_copy->count = 0;
    for (uint32_t bucket = 0; bucket < entry->bucket_count; bucket++) {
        ret_copy->buckets[bucket] = word_at(reader, entry->offset + HISTOGRAM_HEAD_BYTES + 8ull * bucket);
        ret_copy->count += ret_copy->buckets[bucket];
    }
}

void metrics_distribution_since(struct metrics_distribution *later, const struct metrics_distribution *earlier)
{
    REQUIRE(later->bucket_count == earlier->bucket_count && later->sub_bits == earlier->sub_bits);
    uint64_t highest = 0;
    later->count = 0;
    for (uint32_t bucket = 0; bucket < later->bucket_count; bucket++) {
        later->buckets[bucket] -= earlier->buckets[bucket];
        later->count += later->buckets[bucket];
        if (later->buckets[bucket] > 0)
            highest = histogram_upper_at(bucket, later->sub_bits);
    }
    later->sum -= earlier->sum;
    later->max = highest < later->max ? highest : later->max;
}

uint64_t metrics_quantile(const struct metrics_distribution *distribution, double fraction)
{
    double exact = fraction * (double)distribution->count;
    uint64_t rank = (uint64_t)exact;
    if ((double)rank < exact || rank == 0)
        rank++;
    uint64_t seen = 0;
    for (uint32_t bucket = 0; bucket < distribution->bucket_count && distribution->count > 0; bucket++) {
        seen += distribution->buckets[bucket];
        if (seen < rank)
            continue;
        uint64_t upper = histogram_upper_at(bucket, distribution->sub_bits);
        bool last = bucket == distribution->bucket_count - 1; /* which holds larger ones too */
        return last || upper > distribution->max ? distribution->max : upper;
    }
    return distribution->count > 0 ? distribution->max : 0;
}

uint64_t metrics_count_below(const struct metrics_distribution *distribution, uint64_t bound)
{
    uint64_t below = 0;
    for (uint32_t bucket = 0; bucket < distribution->bucket_count; bucket++) {
        if (histogram_upper_at(bucket, distribution->sub_bits) >= bound)
            break;
        below += distribution->buckets[bucket];
    }
    return below;
}
