/*
 * What Redis must hold, made from the events that the witness knows, without the persister's encoders: entries that
 * follow each other without gaps and have their events, best prices and last trades as of the mark, names.
 */
#ifndef RINGSIDE_SIMULATOR_REDIS_TRUTH_H
#define RINGSIDE_SIMULATOR_REDIS_TRUTH_H

#include "redis_data.h"

/* An entry is about to be added behind the mark. */
void redis_truth_entry(uint64_t mark_seq, const struct redis_stream_entry *entry, const uint8_t *payload,
                       size_t payload_bytes);

/* The transaction that moved the mark there is done. */
void redis_truth_moved(uint64_t mark_seq);

/* It has lost something: what the hashes must show is that of the mark that is left, or less. */
void redis_truth_forget(void);

/* Every entry that is there, and that they end with the last event. */
void redis_truth_check_all(void);

#endif
