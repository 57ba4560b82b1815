/* Goes through a journal's segments by docs/journal.md, all of them from the first one on. */
#include "audit.h"

#include "base/checksum.h"
#include "journal/journal_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct journal_walk {
    char directory[300];
    struct mapped file, next_file;
    const struct journal_segment_header *header, *next_header; /* next_header NULL: this is the last segment */
    uint32_t segment;
    uint32_t epochs; /* segments that began one */
    uint64_t offset; /* of the next batch */
    uint64_t chain;
    uint64_t seq;            /* of the next command */
    const uint8_t *at, *end; /* records of the batch that are left */
    uint32_t left;
};

static bool header_whole(const struct mapped *file, uint32_t segment)
{
    const struct journal_segment_header *header = (const void *)file->bytes;
    return file->count >= JOURNAL_BLOCK_BYTES && header->magic == JOURNAL_MAGIC && header->segment == segment &&
           header->checksum == crc32c(0, header, offsetof(struct journal_segment_header, checksum));
}

static void open_next(struct journal_walk *walk)
{
    char path[400];
    snprintf(path, sizeof(path), "%s/journal-%010u.seg", walk->directory, walk->segment + 1);
    walk->next_file = map_file(path);
    bool whole = header_whole(&walk->next_file, walk->segment + 1);
    walk->next_header = whole ? (const void *)walk->next_file.bytes : NULL;
}

static void begin_segment(struct journal_walk *walk)
{
    walk->epochs += !walk->header || walk->next_header->epoch != walk->header->epoch;
    unmap_file(&walk->file);
    walk->file = walk->next_file;
    walk->header = walk->next_header;
    walk->segment++;
    walk->offset = JOURNAL_BLOCK_BYTES;
    open_next(walk);
}

struct journal_walk *journal_walk_open(const char *directory)
{
    struct journal_walk *walk = calloc(1, sizeof(*walk));
    if (!walk)
        give_up("no memory");
    snprintf(walk->directory, sizeof(walk->directory), "%s", directory);
    open_next(walk);
    if (!walk->next_header)
        give_up("there is no journal in %s", directory);
    begin_segment(walk);
    walk->seq = walk->header->first_seq;
    walk->chain = walk->header->chain;
    if (walk->seq != 1)
        wrong("the journal begins with command %llu", (unsigned long long)walk->seq);
    return walk;
}

/* The rest of the batch's last block is part of the promise, too. */
static bool batch_whole(const struct journal_walk *walk, const struct journal_batch_header *batch)
{
    struct journal_batch_header copy = *batch;
    copy.header_checksum = 0;
    if (batch->magic != JOURNAL_BATCH_MAGIC || batch->header_checksum != crc32c(0, &copy, sizeof(copy)) ||
        memcmp(&batch->instance_low, walk->header->instance, 4) != 0 || batch->segment != walk->segment ||
        batch->epoch != walk->header->epoch || batch->offset != walk->offset || batch->previous_chain != walk->chain ||
        batch->first_seq != walk->seq)
        return false;
    uint64_t bytes = journal_batch_bytes(batch->payload_bytes);
    if (walk->offset + bytes > walk->file.count ||
        batch->payload_checksum != crc32c(0, batch + 1, batch->payload_bytes))
        return false;
    const uint8_t *rest = (const uint8_t *)(batch + 1) + batch->payload_bytes;
    for (const uint8_t *end = (const uint8_t *)batch + bytes; rest < end; rest++)
        if (*rest != 0)
            return false;
    return true;
}

static bool segment_continues(struct journal_walk *walk)
{
    const struct journal_segment_header *next = walk->next_header;
    if (!next || walk->offset < next->previous_end)
        return false;
    if (next->previous_end != walk->offset || next->first_seq != walk->seq || next->chain != walk->chain ||
        next->previous_segment != walk->segment || memcmp(next->instance, walk->header->instance, 16) != 0)
        wrong("segment %u does not go on where segment %u ends: command %llu, offset %llu", walk->segment + 1,
              walk->segment, (unsigned long long)walk->seq, (unsigned long long)walk->offset);
    begin_segment(walk);
    return true;
}

static bool next_batch(struct journal_walk *walk)
{
    while (segment_continues(walk))
        ;
    const struct journal_batch_header *batch = (const void *)(walk->file.bytes + walk->offset);
    if (walk->offset + JOURNAL_BLOCK_BYTES > walk->file.count || !batch_whole(walk, batch)) {
        if (walk->next_header)
            wrong("segment %u, offset %llu: a batch that is not whole, before the segment's end", walk->segment,
                  (unsigned long long)walk->offset);
        return false;
    }
    walk->at = (const uint8_t *)(batch + 1);
    walk->end = walk->at + batch->payload_bytes;
    walk->left = batch->count;
    walk->chain = batch->chain;
    walk->offset += journal_batch_bytes(batch->payload_bytes);
    return true;
}

bool journal_walk_next(struct journal_walk *walk, struct command *command)
{
    while (walk->left == 0)
        if (!next_batch(walk))
            return false;
    uint64_t words[16] = {0};
    uint16_t bitmap;
    memcpy(&bitmap, walk->at, 2);
    walk->at += 2;
    for (uint32_t i = 0; i < 14; i++) {
        if (!(bitmap >> i & 1))
            continue;
        memcpy(&words[2 + i], walk->at, 8);
        walk->at += 8;
    }
    if (walk->at > walk->end)
        give_up("command %llu runs past its batch", (unsigned long long)walk->seq);
    words[2] = walk->seq++;
    memcpy(command, words, sizeof(*command));
    walk->left--;
    return true;
}

uint32_t journal_walk_epochs(const struct journal_walk *walk)
{
    return walk->epochs;
}

void journal_walk_close(struct journal_walk *walk)
{
    unmap_file(&walk->file);
    unmap_file(&walk->next_file);
    free(walk);
}
