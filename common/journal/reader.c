/*
 * Reading the journal in order, verified batch by batch.
 *
 * Rules
 *   1. A segment that is followed by another ends where that one says; up to there every batch must be good.
 *   2. In the last segment the first batch that is not good is the end, unless a good one further on says that more had
 *      been acknowledged: then something that was promised is gone, and that is never skipped in silence.
 *   3. A live journal is read up to the durable cursor only; what is below it must be good.
 */
#include "journal/journal_codec.h"
#include "journal/journal_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW_BYTES (8u << 20)
_Static_assert(WINDOW_BYTES >= 2 * JOURNAL_BATCH_BYTES_MAX, "a batch fits the window wherever it begins");

struct journal_reader {
    char directory[JOURNAL_PATH_BYTES - 32];
    int fd;
    struct journal_segment_header segment;
    uint64_t file_bytes;
    uint64_t offset;   /* of the next batch */
    uint64_t seq_next; /* first command of the next batch */
    uint64_t chain;
    uint64_t last_time_ns;
    uint64_t torn_bytes;
    uint64_t events_synced;
    uint64_t segment_end; /* where the segment's successor says that it ends; 0: no successor seen */

    uint8_t *window; /* aligned */
    uint64_t window_offset;
    uint64_t window_bytes;

    /* the batch being given out */
    const uint8_t *payload;
    size_t payload_left;
    uint64_t record_seq; /* of the next record of the batch */
    uint64_t from_seq;   /* records before this are passed over */
    char path[JOURNAL_PATH_BYTES];
};

/* ---- files ------------------------------------------------------------------------------------------------------- */

static int read_segment_header(const char *path, int fd, struct journal_segment_header *ret_header, struct error *error)
{
    uint8_t *block = aligned_alloc(JOURNAL_BLOCK_BYTES, JOURNAL_BLOCK_BYTES);
    if (!block)
        return error_system(error, ENOMEM, path, "no memory to read the segment's header");
    ssize_t length = pread(fd, block, JOURNAL_BLOCK_BYTES, 0);
    int result = 0;
    if (length != (ssize_t)JOURNAL_BLOCK_BYTES) {
        result = length < 0 ? error_system(error, errno, path, "cannot read the segment's header")
                            : error_set(error, ERROR_CORRUPT, path, "the segment is shorter than its header");
    } else {
        struct journal_segment_header header;
        memcpy(&header, block, sizeof(header));
        const char *invalid = journal_segment_header_invalid(&header);
        if (invalid)
            result = error_set(error, ERROR_CORRUPT, path, "offset 0: %s", invalid);
        else
            *ret_header = header;
    }
    free(block);
    return result;
}

static int open_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    /* Some file systems (tmpfs) have no direct reads; the page cache does as well, if slower to notice new batches. */
    return fd < 0 && errno == EINVAL ? open(path, O_RDONLY | O_CLOEXEC) : fd;
}

/* 1: opened and its header checked, 0: there is no such segment, negative: refused. */
static int open_segment(const char *directory, uint32_t number, int *ret_fd, struct journal_segment_header *ret_header,
                        struct error *error)
{
    char path[JOURNAL_PATH_BYTES];
    journal_segment_path(directory, number, path);
    int fd = open_path(path);
    if (fd < 0)
        return errno == ENOENT ? 0 : error_system(error, errno, path, "cannot open the segment");
    int result = read_segment_header(path, fd, ret_header, error);
    if (result == 0 && ret_header->segment != number)
        result = error_set(error, ERROR_CORRUPT, path, "its header says that it is segment %u", ret_header->segment);
    if (result < 0) {
        close(fd);
        return result;
    }
    *ret_fd = fd;
    return 1;
}

static int list_segments(const char *directory, uint32_t *ret_first, uint32_t *ret_last, struct error *error)
{
    DIR *listing = opendir(directory);
    if (!listing)
        return errno == ENOENT ? error_set(error, ERROR_NOT_YET, directory, "there is no journal yet")
                               : error_system(error, errno, directory, "cannot list the journal");
    uint32_t first = UINT32_MAX, last = 0;
    for (const struct dirent *entry; (entry = readdir(listing));) {
        unsigned number;
        char rest[8];
        if (sscanf(entry->d_name, "journal-%10u.%7s", &number, rest) != 2 || strcmp(rest, "seg") != 0)
            continue;
        first = number < first ? number : first;
        last = number > last ? number : last;
    }
    closedir(listing);
    if (last == 0)
        return error_set(error, ERROR_NOT_YET, directory, "there is no journal yet");
    *ret_first = first;
    *ret_last = last;
    return 0;
}

/* Where the successor of the reader's segment says that this one ends: batches behind it are of a dead writer. */
static uint64_t successor_says(const struct journal_reader *reader)
{
    int fd = -1;
    struct journal_segment_header header;
    if (open_segment(reader->directory, reader->segment.segment + 1, &fd, &header, NULL) <= 0)
        return 0;
    close(fd);
    return header.previous_end;
}

static int enter_segment(struct journal_reader *reader, int fd, const struct journal_segment_header *header,
                         struct error *error)
{
    struct stat status;
    journal_segment_path(reader->directory, header->segment, reader->path);
    if (fstat(fd, &status) < 0) {
        int result = error_system(error, errno, reader->path, "cannot look at the segment");
        close(fd);
        return result;
    }
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = fd;
    reader->segment = *header;
    reader->file_bytes = (uint64_t)status.st_size;
    reader->offset = JOURNAL_BLOCK_BYTES;
    reader->seq_next = header->first_seq;
    reader->chain = header->chain;
    reader->last_time_ns = header->last_time_ns;
    reader->window_bytes = 0;
    reader->segment_end = successor_says(reader);
    return 0;
}

/* The last segment that begins at or before from_seq. */
static int find_start(struct journal_reader *reader, uint64_t from_seq, struct error *error)
{
    uint32_t first = 0, last = 0;
    int result = list_segments(reader->directory, &first, &last, error);
    for (uint32_t number = last; result == 0 && number >= first; number--) {
        int fd = -1;
        struct journal_segment_header header;
        result = open_segment(reader->directory, number, &fd, &header, error);
        if (result == 0)
            return error_set(error, ERROR_CORRUPT, reader->directory, "segment %u is missing", number);
        if (result < 0)
            return result;
        if (header.first_seq <= from_seq)
            return enter_segment(reader, fd, &header, error);
        close(fd);
        result = 0;
    }
    return result < 0 ? result
                      : error_set(error, ERROR_INVALID, reader->directory,
                                  "command %lu is older than the oldest segment that was kept", from_seq);
}

int journal_reader_open(struct journal_reader **ret_reader, const char *directory, uint64_t from_seq,
                        struct error *error)
{
    struct journal_reader *reader = calloc(1, sizeof(*reader));
    uint8_t *window = aligned_alloc(JOURNAL_BLOCK_BYTES, WINDOW_BYTES);
    if (!reader || !window) {
        free(window);
        free(reader);
        return error_system(error, ENOMEM, directory, "no memory for the journal's reader");
    }
    reader->fd = -1;
    reader->window = window;
    reader->from_seq = from_seq;
    snprintf(reader->directory, sizeof(reader->directory), "%s", directory);
    int result = find_start(reader, from_seq, error);
    if (result < 0)
        journal_reader_close(reader);
    else
        *ret_reader = reader;
    return result;
}

void journal_reader_close(struct journal_reader *reader)
{
    if (!reader)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader->window);
    free(reader);
}

/* ---- batches ----------------------------------------------------------------------------------------------------- */

/* Makes `bytes` from `offset` on readable in the window; returns how many are there, at most what the file has. */
static int64_t look(struct journal_reader *reader, uint64_t offset, uint64_t bytes, struct error *error)
{
    bool inside = offset >= reader->window_offset && offset + bytes <= reader->window_offset + reader->window_bytes;
    if (!inside || reader->window_bytes == 0) {
        ssize_t length = pread(reader->fd, reader->window, WINDOW_BYTES, (off_t)offset);
        if (length < 0) {
            reader->window_bytes = 0;
            return error_set(error, ERROR_IO, reader->path, "cannot read at offset %lu: %s", offset,
                             strerrordesc_np(errno));
        }
        reader->window_offset = offset;
        reader->window_bytes = (uint64_t)length;
    }
    uint64_t there = reader->window_offset + reader->window_bytes - offset;
    return (int64_t)(there < bytes ? there : bytes);
}

static const uint8_t *in_window(const struct journal_reader *reader, uint64_t offset)
{
    return reader->window + (offset - reader->window_offset);
}

/* NULL if a good batch is at the reader's offset; it and its payload are then in the window. */
static int check_batch(struct journal_reader *reader, struct journal_batch_header *header, const char **ret_invalid,
                       struct error *error)
{
    int64_t there = look(reader, reader->offset, sizeof(*header), error);
    if (there < 0)
        return (int)there;
    *ret_invalid = "the segment ends here";
    if ((uint64_t)there < sizeof(*header))
        return 0;
    memcpy(header, in_window(reader, reader->offset), sizeof(*header));
    struct journal_place place = {
        .offset = reader->offset,
        .segment = reader->segment.segment,
        .epoch = reader->segment.epoch,
    };
    memcpy(&place.instance_low, reader->segment.instance, sizeof(place.instance_low));
    *ret_invalid = journal_batch_header_invalid(header, &place);
    if (!*ret_invalid && (header->previous_chain != reader->chain || header->first_seq != reader->seq_next))
        *ret_invalid = "the batch does not follow the one before it";
    if (*ret_invalid)
        return 0;
    uint64_t bytes = journal_batch_bytes(header->payload_bytes);
    there = look(reader, reader->offset, bytes, error);
    if (there < 0)
        return (int)there;
    *ret_invalid = (uint64_t)there < bytes
                       ? "the batch is longer than the file"
                       : journal_payload_invalid(header, in_window(reader, reader->offset) + sizeof(*header));
    return 0;
}

/* Looks behind a bad batch of the last segment for one that proves that what is missing had been acknowledged. */
static int find_witness(struct journal_reader *reader, const char *invalid, struct error *error)
{
    struct journal_place place = {.segment = reader->segment.segment, .epoch = reader->segment.epoch};
    memcpy(&place.instance_low, reader->segment.instance, sizeof(place.instance_low));
    reader->torn_bytes = 0;
    for (uint64_t offset = reader->offset; offset < reader->file_bytes; offset += JOURNAL_BLOCK_BYTES) {
        int64_t there = look(reader, offset, JOURNAL_BLOCK_BYTES, error);
        if (there < (int64_t)JOURNAL_BLOCK_BYTES)
            return there < 0 ? (int)there : 0;
        const uint8_t *block = in_window(reader, offset);
        static const uint8_t zero[64];
        if (memcmp(block, zero, sizeof(zero)) != 0)
            reader->torn_bytes = offset + JOURNAL_BLOCK_BYTES - reader->offset;
        struct journal_batch_header header;
        memcpy(&header, block, sizeof(header));
        place.offset = offset;
        if (!journal_batch_header_invalid(&header, &place) && header.durable_seq > reader->seq_next)
            return error_set(error, ERROR_CORRUPT, reader->path,
                             "offset %lu: %s, but the batch at offset %lu proves that commands up to %lu had been "
                             "acknowledged; restore the segment from a copy",
                             reader->offset, invalid, offset, header.durable_seq - 1);
    }
    return 0;
}

/* 1: in the next segment now, 0: there is none, negative: refused. */
static int next_segment(struct journal_reader *reader, const char *invalid, struct error *error)
{
    int fd = -1;
    struct journal_segment_header header;
    int result = open_segment(reader->directory, reader->segment.segment + 1, &fd, &header, error);
    if (result <= 0)
        return result;
    if (memcmp(header.instance, reader->segment.instance, sizeof(header.instance)) != 0)
        result = error_set(error, ERROR_CORRUPT, reader->path, "segment %u belongs to another journal", header.segment);
    else if (header.previous_end != reader->offset)
        result = error_set(error, ERROR_CORRUPT, reader->path,
                           "offset %lu: %s, but segment %u says that this one ends at offset %lu", reader->offset,
                           invalid, header.segment, header.previous_end);
    else if (header.first_seq != reader->seq_next || header.chain != reader->chain)
        result = error_set(error, ERROR_CORRUPT, reader->path, "segment %u does not follow from command %lu",
                           header.segment, reader->seq_next);
    if (result < 0) {
        close(fd);
        return result;
    }
    result = enter_segment(reader, fd, &header, error);
    return result < 0 ? result : 1;
}

static int at_end(struct journal_reader *reader, const char *invalid, uint64_t durable_end, struct error *error)
{
    int result = next_segment(reader, invalid, error);
    if (result != 0)
        return result;
    if (durable_end == 0)
        return find_witness(reader, invalid, error);
    if (durable_end > reader->seq_next)
        return error_set(error, ERROR_CORRUPT, reader->path, "offset %lu: %s, though commands up to %lu are durable",
                         reader->offset, invalid, durable_end - 1);
    return 0;
}

/* 1: a batch is ready to be given out, 0: the end for now, negative: refused. */
static int next_batch(struct journal_reader *reader, uint64_t durable_end, struct error *error)
{
    for (;;) {
        if (durable_end != 0 && reader->seq_next >= durable_end)
            return 0;
        struct journal_batch_header header;
        const char *invalid = NULL;
        int result = check_batch(reader, &header, &invalid, error);
        if (result < 0)
            return result;
        if (invalid || reader->offset == reader->segment_end) {
            reader->window_bytes = 0; /* what was looked at may be there at the next call */
            result = at_end(reader, invalid ? invalid : "the segment was cut here", durable_end, error);
            if (result <= 0)
                return result;
            continue;
        }
        reader->payload = in_window(reader, reader->offset) + sizeof(header);
        reader->payload_left = header.payload_bytes;
        reader->record_seq = header.first_seq;
        reader->offset += journal_batch_bytes(header.payload_bytes);
        reader->seq_next = header.first_seq + header.count;
        reader->chain = header.chain;
        reader->last_time_ns = header.last_time_ns;
        reader->events_synced = header.events_synced;
        if (header.count > 0)
            return 1;
    }
}

int journal_reader_next(struct journal_reader *reader, struct command *commands, uint32_t max, uint64_t durable_end,
                        struct error *error)
{
    uint32_t count = 0;
    while (count < max) {
        if (reader->payload_left == 0) {
            if (count > 0)
                break; /* the records given point nowhere, but one batch a call keeps steps bounded */
            int result = next_batch(reader, durable_end, error);
            if (result <= 0)
                return result;
        }
        if (durable_end != 0 && reader->record_seq >= durable_end)
            break;
        size_t used =
            journal_record_decode(reader->payload, reader->payload_left, reader->record_seq, &commands[count]);
        if (used == 0)
            return error_set(error, ERROR_CORRUPT, reader->path, "command %lu is not a whole record",
                             reader->record_seq);
        reader->payload += used;
        reader->payload_left -= used;
        count += reader->record_seq >= reader->from_seq;
        reader->record_seq++;
    }
    return (int)count;
}

void journal_reader_position(const struct journal_reader *reader, struct journal_position *position)
{
    *position = (struct journal_position){
        .command_seq_next = reader->seq_next,
        .last_time_ns = reader->last_time_ns,
        .chain = reader->chain,
        .epoch = reader->segment.epoch,
        .segment = reader->segment.segment,
        .segment_offset = reader->offset,
        .torn_bytes = reader->torn_bytes,
        .events_synced = reader->events_synced,
    };
    memcpy(position->instance, reader->segment.instance, sizeof(position->instance));
}
