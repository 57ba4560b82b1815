/*
 * The first 16 bytes of every record slot: the ring's word and the stamps of its journey.
 *
 * They are not part of the record's body: hashes, the journal and the event log leave them out, and no decision
 * depends on them. Stamps are the low 32 bits of CLOCK_MONOTONIC in ns, 0 where not taken; differences are modulo
 * 2^32, so a hop of more than 4.2 s is not told from a short one. Only stages write them.
 */
#ifndef RINGSIDE_RECORD_STAMP_H
#define RINGSIDE_RECORD_STAMP_H

#include <stdint.h>

#define RECORD_BYTES      128
#define RECORD_HEAD_BYTES 16
#define RECORD_BODY_BYTES (RECORD_BYTES - RECORD_HEAD_BYTES)

struct record_head {
    uint64_t slot_word;        /* belongs to the ring; see ring/ring_layout.h */
    uint32_t received_ns_low;  /* when the gateway received the packet that caused this */
    uint32_t published_ns_low; /* when this record was published in the ring it is in */
};

#endif
