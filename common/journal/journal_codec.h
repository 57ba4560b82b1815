/*
 * The journal's bytes: records to and from commands, headers sealed and checked. Pure: no I/O, no clock, no allocation.
 *
 * The checks return NULL or the name of the one that failed, for the message.
 */
#ifndef RINGSIDE_JOURNAL_CODEC_H
#define RINGSIDE_JOURNAL_CODEC_H

#include "journal/journal_layout.h"
#include "record/command.h"

#include <stdbool.h>
#include <string.h>

/*
 * Writes one record; `to` must have room for JOURNAL_RECORD_BYTES_MAX. Returns its bytes. Every word is stored and the
 * end moves on by those that are not zero: no branch to predict.
 */
static inline uint32_t journal_record_encode(uint8_t *to, const struct command *command)
{
    const uint8_t *body = (const uint8_t *)command + RECORD_HEAD_BYTES;
    uint8_t *at = to + 2;
    uint32_t present = 0;
#pragma GCC unroll 16
    for (size_t i = 1; i < JOURNAL_RECORD_WORDS; i++) {
        uint64_t word;
        memcpy(&word, body + 8 * i, sizeof(word));
        memcpy(at, &word, sizeof(word));
        uint32_t is_set = word != 0;
        present |= is_set << i;
        at += 8 * (size_t)is_set;
    }
    const uint16_t bitmap = (uint16_t)present;
    memcpy(to, &bitmap, sizeof(bitmap));
    return (uint32_t)(at - to);
}

/* Reads one record into command, whose head is zeroed. Returns its bytes, 0 if it is not one or runs past `end`. */
uint32_t journal_record_decode(const uint8_t *from, const uint8_t *end, uint64_t seq, struct command *command);

/* The chain value before the first batch of a journal, and after a batch. */
uint64_t journal_chain_first(const uint8_t instance[16]);
uint64_t journal_chain_after(const struct journal_batch_header *header);

void journal_segment_seal(struct journal_segment_header *header);
bool journal_block_blank(const void *block);
const char *journal_segment_invalid(const struct journal_segment_header *header, uint32_t segment);

/* Whether the program can read a header that is whole. */
const char *journal_segment_unreadable(const struct journal_segment_header *header);

/* Why `next` does not go on where the segment of `header` was left at; NULL: it does. */
struct journal_cursor {
    uint64_t offset; /* where the next batch is due */
    uint64_t chain;
    uint64_t seq; /* number of the next command */
};
const char *journal_segment_breaks(const struct journal_segment_header *header, const struct journal_cursor *cursor,
                                   const struct journal_segment_header *next);

/* Fills in both checksums and the chain; the records follow the header, and the zeros are written behind them. */
void journal_batch_seal(struct journal_batch_header *header);

/* Whether this is a whole header that was written for this place, wherever its chain leads. */
const char *journal_batch_invalid(const struct journal_batch_header *header,
                                  const struct journal_segment_header *segment, uint64_t offset);

/* Whether a valid one is the one that is due. */
const char *journal_batch_misfits(const struct journal_batch_header *header, const struct journal_cursor *cursor);

/* Whether the bytes behind the header are what was written. */
const char *journal_batch_damaged(const struct journal_batch_header *header);

#endif
