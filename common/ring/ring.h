/*
 * A ring: one producer process, many consumers, broadcast, in one mmap'd file (ring_layout.h is the contract).
 *
 * Life cycle: ring_bytes, ring_create, ring_attach, ring_detach. A ring is created by its producer's stage, once a run;
 * everybody else attaches. Nobody unlinks a ring that he only attached to (the run directory's owner does: run.h).
 *
 * Process and thread rules
 *   1. One producer: whoever holds the stage's role lock (run.h). One process a consumer line, likewise.
 *   2. struct ring_producer, ring_consumer and ring_observer are private to one thread; nothing in them is shared.
 *   3. Nothing here sleeps or makes a system call after attaching; waiting and waking are the doorbell's (doorbell.h).
 *   4. The functions in this header are the hot path and are inline; ring.c, ring_producer.c and ring_consumer.c hold
 *      the rest.
 */
#ifndef RINGSIDE_RING_H
#define RINGSIDE_RING_H

#include "base/error.h"
#include "base/require.h"
#include "ring/hook.h"
#include "ring/ring_layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct ring_parameters {
    const char *name;  /* at most 31 bytes */
    uint32_t capacity; /* slots, power of two, RING_CAPACITY_MIN..MAX */
    uint64_t base_seq;
    uint64_t record_hash;
    uint64_t topology_hash;
    uint8_t run_id[16];
    uint32_t gating_count;
    const char *gating_names[RING_CONSUMERS_MAX];
};

/* A ring mapped into this process. */
struct ring {
    struct ring_file *file; /* NULL when detached */
    size_t bytes;
    bool writable;
};

/* Bytes of the file for so many slots; 0 if capacity is not a power of two within the limits. */
size_t ring_bytes(uint32_t capacity);

/*
 * Creates the file at path (which must not exist), pre-faults it, fills in header and gating cursors (at base_seq), and
 * stores magic last. The ring is attached, writable.
 */
int ring_create(struct ring *ring, const char *path, const struct ring_parameters *parameters, struct error *error);

/*
 * Maps an existing ring, read-write for producers and gating consumers, read-only for observers. Checks magic, version,
 * sizes, checksum, record hash, topology hash and run id against `expected` (name and hashes of 0 and a run id of zeros
 * are not compared). ERROR_NOT_YET: no file, or magic not stored yet. ERROR_MISMATCH, ERROR_CORRUPT: which check
 * failed.
 */
int ring_attach(struct ring *ring, const char *path, bool writable, const struct ring_parameters *expected,
                struct error *error);

void ring_detach(struct ring *ring);

/* ---- producer ---------------------------------------------------------------------------------------------------- */

/* How often and for how long each gating consumer has held the producer, in this life of it. */
struct ring_waits {
    uint64_t stall_counts[RING_CONSUMERS_MAX];
    uint64_t blocked_ns[RING_CONSUMERS_MAX]; /* without the wait that is going on */
    uint64_t since_ns;                       /* when that began */
    uint32_t on;                             /* who is waited for; RING_NOBODY */
    uint32_t reserved;
};

struct ring_producer {
    struct ring_file *file;
    uint64_t mask;
    uint64_t next;  /* the sequence that the next claim gets */
    uint64_t limit; /* sequences below this are free for writing as far as is known */
    struct ring_waits waits;
};

/*
 * Takes up the producer's work where the last one left it: the next sequence is found from the slots themselves (the
 * cursor is a hint), a record left half-written is written anew. Raises the line's epoch, writes pid and start time.
 */
int ring_producer_open(struct ring_producer *producer, struct ring *ring, uint32_t doorbell, struct error *error);

/* Looks at the gating cursors; called by ring_claim when the ring seems full. Keeps the line's blocked_* words. */
void ring_producer_refresh(struct ring_producer *producer);

/* How long the consumer with this line has held the producer, the wait that is going on included. */
uint64_t ring_producer_blocked_ns(const struct ring_producer *producer, uint32_t line, uint64_t now_ns);

/* A sign of life, about once a second. */
void ring_producer_beat(struct ring_producer *producer, uint64_t now_ns);

/* How many records can be claimed now, without looking again if at least `wanted` are known to be free. */
static inline uint64_t ring_free(struct ring_producer *producer, uint64_t wanted)
{
    if (UNLIKELY(producer->limit - producer->next < wanted))
        ring_producer_refresh(producer);
    return producer->limit - producer->next;
}

/*
 * The slot of the next record, marked as being written, or NULL if the ring is full. Fill the 120 bytes after the word
 * (a struct command or event is laid over the whole slot; its head.slot_word is the ring's), then ring_publish.
 */
static inline void *ring_claim(struct ring_producer *producer)
{
    if (UNLIKELY(producer->next >= producer->limit)) {
        ring_producer_refresh(producer);
        if (producer->next >= producer->limit)
            return NULL;
    }
    struct ring_slot *slot = &producer->file->slots[producer->next & producer->mask];
    RING_HOOK("claim: before the mark");
    atomic_store_explicit(&slot->word, producer->next | RING_WRITING, memory_order_relaxed);
    ring_fence_release(); /* the mark is seen before any byte of the body */
    RING_HOOK("claim: marked");
    return slot;
}

/* Makes the claimed record visible. */
static inline void ring_publish(struct ring_producer *producer)
{
    struct ring_slot *slot = &producer->file->slots[producer->next & producer->mask];
    producer->next++;
    RING_HOOK("publish: before the word");
    atomic_store_explicit(&slot->word, producer->next, memory_order_release);
    RING_HOOK("publish: there");
}

/* Copies the 120 bytes of a record's slot after its word from `record` (128 bytes) and publishes. false: ring full. */
static inline bool ring_put(struct ring_producer *producer, const void *record)
{
    struct ring_slot *slot = ring_claim(producer);
    if (UNLIKELY(!slot))
        return false;
    memcpy(slot->body, (const uint8_t *)record + 8, sizeof(slot->body));
    ring_publish(producer);
    return true;
}

/* Once a burst: brings the hint up to date. */
static inline void ring_flush(struct ring_producer *producer)
{
    RING_HOOK("flush: before the cursor");
    atomic_store_explicit(&producer->file->producer.cursor, producer->next, memory_order_release);
}

/* ---- gating consumer --------------------------------------------------------------------------------------------- */

#define RING_BARRIERS_MAX 4

struct ring_consumer {
    struct ring_file *file;
    uint64_t mask;
    uint64_t next;  /* the sequence wanted next */
    uint64_t limit; /* with barriers: sequences below this have passed them all, as far as is known */
    uint32_t line;
    uint32_t barrier_count;
    const _Atomic uint64_t *barriers[RING_BARRIERS_MAX]; /* cursors this consumer must stay behind */
};

/* Takes up the line named `name` at its stored cursor. ERROR_INVALID if the ring has no such gating line. */
int ring_consumer_open(struct ring_consumer *consumer, struct ring *ring, const char *name, uint32_t doorbell,
                       struct error *error);

/* Adds the cursor of the gating line `behind` of the same ring as a barrier: this consumer never passes it. */
int ring_consumer_add_barrier(struct ring_consumer *consumer, const char *behind, struct error *error);

/* Looks at the barriers again. */
void ring_consumer_refresh(struct ring_consumer *consumer);

/* A sign of life, about once a second. */
void ring_consumer_beat(struct ring_consumer *consumer, uint64_t now_ns);

/* The next record, or NULL if there is none yet. Valid until it is released. */
static inline const void *ring_next(struct ring_consumer *consumer)
{
    if (consumer->barrier_count > 0) {
        if (UNLIKELY(consumer->next >= consumer->limit)) {
            ring_consumer_refresh(consumer);
            if (consumer->next >= consumer->limit)
                return NULL;
        }
    }
    const struct ring_slot *slot = &consumer->file->slots[consumer->next & consumer->mask];
    RING_HOOK("next: before the word");
    if (atomic_load_explicit(&slot->word, memory_order_acquire) != consumer->next + 1)
        return NULL;
    consumer->next++;
    return slot;
}

/*
 * Whether so many records are there (barriers apart). Looks at the last of them alone: who waits for a burst in this
 * way leaves the lines that the producer is writing to him, which then goes about as fast again.
 */
static inline bool ring_holds(const struct ring_consumer *consumer, uint64_t count)
{
    uint64_t last = consumer->next + count - 1;
    return atomic_load_explicit(&consumer->file->slots[last & consumer->mask].word, memory_order_acquire) == last + 1;
}

/* The record `ahead` places after the next one, for prefetching, whether or not it is there. Never read its body. */
static inline const void *ring_ahead(const struct ring_consumer *consumer, uint64_t ahead)
{
    return &consumer->file->slots[(consumer->next + ahead) & consumer->mask];
}

/* Lets the producer have everything before `seq`: once a batch, and always before waiting. */
static inline void ring_release(struct ring_consumer *consumer, uint64_t seq)
{
    RING_HOOK("release: before the cursor");
    atomic_store_explicit(&consumer->file->consumers[consumer->line].cursor, seq, memory_order_release);
}

/* ---- observer ---------------------------------------------------------------------------------------------------- */

struct ring_observer {
    const struct ring_file *file;
    uint64_t mask;
    uint64_t next;
};

enum ring_observation {
    RING_OBSERVED = 1, /* a record was copied */
    RING_NOTHING = 0,  /* it is not there yet */
    RING_OVERRUN = -1, /* the producer has overwritten it; see ring_observer_skip */
};

/* Starts at `seq`, which may lie in the future or have been overrun. The ring may be mapped read-only. */
void ring_observer_open(struct ring_observer *observer, const struct ring *ring, uint64_t seq);

/* The oldest sequence that is surely still there for a while, to go on from after an overrun. */
uint64_t ring_observer_oldest(const struct ring_observer *observer);

/* After RING_OVERRUN: goes on at the oldest that is surely still there. Returns how many records that passes over. */
uint64_t ring_observer_skip(struct ring_observer *observer);

/*
 * Copies a body that the producer may be overwriting: by C11 a race, since neither side's accesses are atomic (stages
 * fill records in place). It is one by design: the fences around the copy are barriers to the compiler and the machine
 * alike, and the word read again after it is the verdict; a copy that fails it is never looked at. A copy word by word
 * with relaxed atomics would say the same in C11's terms, but takes 8 ns where memcpy's wide moves take 4. The thread
 * sanitizer and the tests of interleavings have a copy word by word too, of volatile words: it is not shown to the
 * first (clang shows it atomics even of a function that is to be left alone) and stops anywhere for the second.
 */
#if RING_THREAD_SANITIZER || defined(RING_HOOKED)
typedef uint64_t __attribute__((may_alias)) ring_word;
__attribute__((noinline, no_sanitize("thread"), unused)) static void ring_copy_body(void *to,
                                                                                    const struct ring_slot *slot)
{
    for (size_t word = 0; word < sizeof(slot->body) / sizeof(ring_word); word++) {
        RING_HOOK("observe: before a word of the body");
        ((ring_word *)to)[word] = ((const volatile ring_word *)(const void *)slot->body)[word];
    }
    RING_HOOK("observe: copied");
}
#else
static inline void ring_copy_body(void *to, const struct ring_slot *slot)
{
    memcpy(to, slot->body, sizeof(slot->body));
}
#endif

/* Copies the next record (128 bytes; the first 8 are its sequence + 1) if it is there and whole. */
static inline enum ring_observation ring_observe(struct ring_observer *observer, void *record)
{
    const struct ring_slot *slot = &observer->file->slots[observer->next & observer->mask];
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
    if (LIKELY(word == observer->next + 1)) {
        ring_copy_body((uint8_t *)record + sizeof(word), slot);
        ring_fence_acquire(); /* the copy is done before the word is looked at again */
        if (UNLIKELY(atomic_load_explicit(&slot->word, memory_order_relaxed) != word))
            return RING_OVERRUN;
        memcpy(record, &word, sizeof(word));
        observer->next++;
        return RING_OBSERVED;
    }
    /* Not there: its own mark, or an earlier round (a smaller number). A larger number: a later round has the slot. */
    return (word & ~RING_WRITING) > observer->next ? RING_OVERRUN : RING_NOTHING;
}

#endif
