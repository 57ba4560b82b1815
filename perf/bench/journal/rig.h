/*
 * A journaler in a process of its own, and this process in place of the sequencer and the matcher: commands go into its
 * ring as fast or as slowly as a bench wants them, and its cursor tells what is durable.
 */
#ifndef RINGSIDE_BENCH_RIG_H
#define RINGSIDE_BENCH_RIG_H

#include "base/error.h"
#include "record/command.h"
#include "ring/ring.h"
#include "run/run.h"

#include <stdbool.h>
#include <sys/types.h>

struct rig_form {
    const char *directory; /* on the disk to be measured */
    const char *durability;
    uint64_t segment_bytes;
    uint32_t slots;
    bool spin;  /* the journaler never sleeps */
    bool trims; /* a third process takes older segments away, so the journaler uses their files anew */
};

struct rig {
    char directory[256]; /* of its own, in that of the form */
    char rings[64];
    pid_t journaler;
    pid_t trimmer; /* -1: none */
    struct run run;
    struct ring ring;
    struct ring_producer producer;
    struct ring_consumer matcher; /* follows the journaler */
    const _Atomic uint64_t *durable;
};

int rig_open(struct rig *rig, const struct rig_form *form, struct error *error);

/*
 * Brings the journal to where it is when it has run for a while: in a segment of full size (of a trimmed one's file if
 * they are trimmed), with the next one ready. `command` is published as often as that takes.
 */
int rig_settle(struct rig *rig, const struct rig_form *form, const struct command *command, struct error *error);

/* Ends the journaler, which finishes what is in flight. ERROR_CLOSED: it had ended by itself. */
int rig_end(struct rig *rig, struct error *error);

/* Ends it if need be and removes all files. */
int rig_close(struct rig *rig, struct error *error);

/* Publishes the command as the next; false: the ring is full. rig_flush after a burst. */
static inline bool rig_put(struct rig *rig, const struct command *command)
{
    struct command *slot = ring_claim(&rig->producer);
    if (!slot)
        return false;
    memcpy((uint8_t *)slot + 8, (const uint8_t *)command + 8, sizeof(*command) - 8);
    slot->command_seq = rig->producer.next;
    ring_publish(&rig->producer);
    return true;
}

static inline void rig_flush(struct rig *rig)
{
    ring_flush(&rig->producer);
    run_ring_listeners(&rig->run);
}

/* Commands below are durable; the ring's space behind it is free again. */
static inline uint64_t rig_durable(struct rig *rig)
{
    uint64_t seq = atomic_load_explicit(rig->durable, memory_order_acquire);
    if (seq != rig->matcher.next) {
        rig->matcher.next = seq;
        ring_release(&rig->matcher, seq);
    }
    return seq;
}

/* Number of the segment that the journaler writes to, by the headers on disk; 0: none. */
uint32_t rig_segment(const struct rig *rig);

#endif
