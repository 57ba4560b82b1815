/*
 * A tap: one ring of a run, watched. It maps the ring read-only and holds nobody, takes no line, rings no bell; it may
 * be stopped or killed at any instruction (docs/rings.md, "Reading as a probe").
 *
 * Rules
 *   1. What was overwritten before it could be read is counted as missed, what was left out on purpose as passed over.
 *   2. A ring of a new run is another file under the same name: tap_refresh finds it. A producer that restarts goes on
 *      in the same one.
 */
#ifndef RINGSIDE_PROBE_TAP_H
#define RINGSIDE_PROBE_TAP_H

#include "base/error.h"
#include "record/stamp.h"
#include "ring/ring.h"

#include <stdbool.h>
#include <stdint.h>

enum tap_kind {
    TAP_INBOUND, /* carries commands, with the sequence of their ring */
    TAP_COMMAND, /* commands, numbered */
    TAP_EVENT,
};

struct tap {
    const char *directory;
    char name[32];
    enum tap_kind kind;
    struct ring ring; /* file is NULL while there is none */
    struct ring_observer observer;
    uint64_t inode;
    uint64_t first_seq;    /* where it began */
    uint64_t read_count;   /* records copied */
    uint64_t missed_count; /* overwritten before they were read */
    uint64_t overrun_count;
    uint64_t passed_count; /* left out on purpose */
    uint64_t gap_count;    /* records that bear another number than their place */
    uint64_t first_gap_seq;
};

void tap_init(struct tap *tap, const char *directory, const char *name);

/*
 * Attaches if the ring is there and is not attached, or if another has taken its place. 1: attached anew, at the next
 * record to come; 0: nothing has changed; negative: why not (ERROR_NOT_YET: no ring yet).
 */
int tap_refresh(struct tap *tap, struct error *error);

/* Goes on at the record with this number, or at the oldest that is surely there. */
void tap_seek(struct tap *tap, uint64_t seq);

/* The place of a record that was copied: its first word is its sequence + 1. */
static inline uint64_t tap_seq(const void *record)
{
    uint64_t word;
    memcpy(&word, record, sizeof(word));
    return word - 1;
}

/* Copies up to max records of 128 bytes that are there. Returns how many; 0: none now. */
uint32_t tap_read(struct tap *tap, void *records, uint32_t max);

/* Goes to the next record to come. */
void tap_pass_over(struct tap *tap);

/* The head of record seq, whole, or false. For the cause of an event, in the ring of commands. */
bool tap_peek(const struct tap *tap, uint64_t seq, struct record_head *ret);

/* Records published since the tap began, read or not. */
uint64_t tap_published(const struct tap *tap);

void tap_close(struct tap *tap);

#endif
