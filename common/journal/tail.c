#include "journal/tail.h"

#include "journal/reader.h"
#include "journal/segments.h"

#include <errno.h>
#include <stdlib.h>

#define SEARCH_BYTES ((size_t)1 << 20)

/* ---- proof --------------------------------------------------------------------------------------------------------
 */

/* Looks at one block at `at`, which is later than `offset`. */
static void search_block(const uint8_t *block, const struct journal_segment_header *segment, uint64_t at,
                         uint64_t offset, struct journal_proof *proof)
{
    const struct journal_batch_header *header = (const struct journal_batch_header *)(const void *)block;
    bool ours = header->magic == JOURNAL_BATCH_MAGIC && !journal_batch_invalid(header, segment, at);
    if (ours)
        proof->used_end = at + journal_batch_bytes(header->payload_bytes);
    else if (!(segment->compatible_flags & JOURNAL_FLAG_RECYCLED) && !journal_block_blank(block))
        proof->used_end = at + JOURNAL_BLOCK_BYTES;
    if (at > offset && proof->offset == 0 && ours && header->durable_offset > offset)
        proof->offset = at;
}

/* What is read at once of so many bytes: of few no more than there are, and a block at least. */
static size_t search_bytes(uint64_t bytes)
{
    uint64_t rounded = (bytes / JOURNAL_BLOCK_BYTES + 1) * JOURNAL_BLOCK_BYTES;
    return rounded < SEARCH_BYTES ? rounded : SEARCH_BYTES;
}

int journal_proof_search(int file, const struct journal_segment_header *segment, uint64_t offset,
                         struct journal_proof *ret, struct error *error)
{
    struct journal_proof proof = {.used_end = offset};
    uint64_t file_bytes = 0;
    int result = disk()->size(file, &file_bytes, error);
    if (result < 0)
        return result;
    size_t room = search_bytes(file_bytes > offset ? file_bytes - offset : 0);
    uint8_t *window = aligned_alloc(JOURNAL_BLOCK_BYTES, room);
    if (!window)
        return error_system(error, ENOMEM, "journal", "no memory to search the tail");
    for (uint64_t at = offset;;) {
        size_t count = 0;
        result = disk()->read(file, at, window, room, &count, error);
        if (count % JOURNAL_BLOCK_BYTES != 0) /* the last block of the file may be short */
            memset(window + count, 0, JOURNAL_BLOCK_BYTES - count % JOURNAL_BLOCK_BYTES);
        for (size_t block = 0; result == 0 && block < count; block += JOURNAL_BLOCK_BYTES)
            search_block(window + block, segment, at + block, offset, &proof);
        if (result < 0 || count < room)
            break;
        at += count;
    }
    free(window);
    if (result == 0)
        *ret = proof;
    return result;
}

/* The header that a segment would have if the first batch behind it tells the truth; false: there is no such batch. */
static bool guess_header(const uint8_t *block, uint32_t number, const uint8_t instance[16],
                         struct journal_segment_header *ret)
{
    const struct journal_batch_header *batch = (const struct journal_batch_header *)(const void *)block;
    struct journal_segment_header guess = {.segment = number,
                                           .compatible_flags = JOURNAL_FLAG_RECYCLED, /* it may be */
                                           .epoch = batch->epoch,
                                           .segment_bytes = UINT64_MAX,
                                           .batch_bytes_max = JOURNAL_BATCH_BYTES_MAX};
    memcpy(guess.instance, &batch->instance_low, sizeof(batch->instance_low));
    if (instance)
        memcpy(guess.instance, instance, sizeof(guess.instance));
    *ret = guess;
    return batch->magic == JOURNAL_BATCH_MAGIC && batch->segment == number;
}

/* Bytes in use of an open segment without a header, or ERROR_CORRUPT. */
static int64_t unbegun_bytes(int file, const char *path, uint32_t number, const uint8_t instance[16], bool blank,
                             struct error *error)
{
    uint8_t *block = aligned_alloc(JOURNAL_BLOCK_BYTES, JOURNAL_BLOCK_BYTES);
    if (!block)
        return error_system(error, ENOMEM, path, "no memory");
    struct journal_segment_header guess = {0};
    struct journal_proof proof = {0};
    size_t count = 0;
    memset(block, 0, JOURNAL_BLOCK_BYTES);
    int result = disk()->read(file, JOURNAL_BLOCK_BYTES, block, JOURNAL_BLOCK_BYTES, &count, error);
    bool began = result == 0 && guess_header(block, number, instance, &guess);
    free(block);
    if (result < 0)
        return result;
    if (blank && !began)
        return 0; /* as it was prepared: no need to look at all of it */
    result = journal_proof_search(file, &guess, 0, &proof, error);
    if (result < 0)
        return result;
    if (proof.offset != 0)
        return error_set(error, ERROR_CORRUPT, path,
                         "at offset 0: the segment's header is damaged; the batch at offset %llu proves that it was "
                         "acknowledged",
                         (unsigned long long)proof.offset);
    return (int64_t)(proof.used_end > JOURNAL_BLOCK_BYTES ? proof.used_end : JOURNAL_BLOCK_BYTES);
}

/* Whether the segment is whole by now. */
static bool has_begun(const char *directory, uint32_t number)
{
    struct journal_segment_header header;
    const char *why = NULL;
    int file = -1;
    int state = journal_segment_open(directory, number, &file, &header, &why, NULL);
    if (state > SEGMENT_NONE)
        disk()->close(file);
    return state == SEGMENT_BEGUN;
}

int64_t journal_unbegun_bytes(const char *directory, uint32_t number, const uint8_t instance[16], bool *ret_begun,
                              struct error *error)
{
    struct journal_segment_header header;
    char path[DISK_PATH_BYTES];
    const char *why = NULL;
    int file = -1;
    journal_segment_path(directory, number, path);
    int state = journal_segment_open(directory, number, &file, &header, &why, error);
    *ret_begun = state == SEGMENT_BEGUN;
    if (state <= SEGMENT_NONE)
        return state;
    int64_t result =
        state == SEGMENT_BEGUN ? 0 : unbegun_bytes(file, path, number, instance, state == SEGMENT_BLANK, error);
    disk()->close(file);
    if (result != ERROR_CORRUPT || !has_begun(directory, number))
        return result;
    *ret_begun = true; /* batches were found because it began in the meantime */
    return 0;
}

/* ---- the end ------------------------------------------------------------------------------------------------------
 */

/* The oldest segment of the last segment's epoch. */
static int find_epoch_first(struct journal_end *end, const char *directory, const struct journal_segments *segments,
                            struct error *error)
{
    end->epoch_first_segment = end->segment.segment;
    for (uint32_t i = segments->count; i-- > 0;) {
        if (segments->numbers[i] >= end->segment.segment)
            continue;
        struct journal_segment_header header;
        const char *why;
        int file = -1;
        int state = journal_segment_open(directory, segments->numbers[i], &file, &header, &why, error);
        if (state < 0)
            return state;
        disk()->close(file);
        if (state != SEGMENT_BEGUN || header.epoch != end->segment.epoch)
            break;
        end->epoch_first_segment = header.segment;
    }
    return 0;
}

static int read_to_end(struct journal_end *end, const char *directory, struct error *error)
{
    struct journal_reader *reader;
    int result = journal_reader_open(&reader, directory, UINT64_MAX, error);
    if (result < 0)
        return result;
    do {
        result = journal_reader_step(reader, 0, error);
    } while (result > 0);
    if (result == 0) {
        journal_reader_position(reader, &end->position);
        end->segment = reader->segment;
        end->last = reader->last;
    }
    journal_reader_close(reader);
    return result;
}

int journal_end_find(struct journal_end *ret, const char *directory, struct error *error)
{
    struct journal_end end = {.position.command_seq_next = 1};
    struct journal_segments segments;
    int result = journal_segments_list(&segments, directory, error);
    if (result == ERROR_NOT_YET) {
        *ret = end;
        return 0;
    }
    if (result < 0)
        return result;
    if (segments.count > 0)
        end.number_highest = segments.numbers[segments.count - 1];
    result = read_to_end(&end, directory, error);
    if (result == ERROR_NOT_YET)
        result = 0;
    else if (result == 0)
        result = find_epoch_first(&end, directory, &segments, error);
    journal_segments_finish(&segments);
    if (result == 0)
        *ret = end;
    return result;
}
