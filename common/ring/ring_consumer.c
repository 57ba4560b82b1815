/*
 * A ring's gating consumers and its observers, but for the hot path (ring.h).
 *
 * Rules
 *   1. A consumer line belongs to the holder of the stage's role; its cursor is where the next holder goes on.
 *   2. An observer writes nothing, anywhere: it may have the file mapped for reading only.
 */
#include "ring/ring.h"

#include "ring/owner.h"

#include <unistd.h>

static int find_line(const struct ring_file *file, const char *name, uint32_t *ret_line, struct error *error)
{
    for (uint32_t line = 0; line < file->header.gating_count; line++) {
        if (strncmp(file->consumers[line].name, name, sizeof(file->consumers[line].name)) == 0) {
            *ret_line = line;
            return 0;
        }
    }
    return error_set(error, ERROR_INVALID, file->header.name, "the ring has no gating consumer \"%s\"", name);
}

/* All records before the cursor have been there: the last of them still is, or a later one is in its slot. */
static bool cursor_holds(const struct ring_file *file, uint64_t cursor)
{
    uint64_t base = file->header.base_seq;
    if (cursor <= base)
        return cursor == base;
    const struct ring_slot *slot = &file->slots[(cursor - 1) & (file->header.capacity - 1)];
    return (atomic_load_explicit(&slot->word, memory_order_acquire) & ~RING_WRITING) >= cursor;
}

int ring_consumer_open(struct ring_consumer *consumer, struct ring *ring, const char *name, uint32_t doorbell,
                       struct error *error)
{
    REQUIRE(ring->writable);
    uint32_t number = 0;
    int result = find_line(ring->file, name, &number, error);
    if (result < 0)
        return result;
    struct ring_consumer_line *line = &ring->file->consumers[number];
    uint64_t cursor = atomic_load_explicit(&line->cursor, memory_order_acquire);
    if (!cursor_holds(ring->file, cursor))
        return error_set(error, ERROR_CORRUPT, ring->file->header.name,
                         "cursor %lu of \"%s\" is past a record that is not there", cursor, name);
    atomic_store_explicit(&line->pid, (uint32_t)getpid(), memory_order_relaxed);
    atomic_store_explicit(&line->start_time, owner_start_time(), memory_order_relaxed);
    atomic_store_explicit(&line->doorbell, doorbell, memory_order_relaxed);
    atomic_fetch_add_explicit(&line->epoch, 1, memory_order_release);
    *consumer = (struct ring_consumer){
        .file = ring->file,
        .mask = ring->file->header.capacity - 1,
        .next = cursor,
        .limit = cursor,
        .line = number,
    };
    return 0;
}

int ring_consumer_add_barrier(struct ring_consumer *consumer, const char *behind, struct error *error)
{
    REQUIRE(consumer->barrier_count < RING_BARRIERS_MAX);
    uint32_t line = 0;
    int result = find_line(consumer->file, behind, &line, error);
    if (result < 0)
        return result;
    consumer->barriers[consumer->barrier_count++] = &consumer->file->consumers[line].cursor;
    return 0;
}

void ring_consumer_refresh(struct ring_consumer *consumer)
{
    uint64_t limit = UINT64_MAX;
    for (uint32_t barrier = 0; barrier < consumer->barrier_count; barrier++) {
        uint64_t cursor = atomic_load_explicit(consumer->barriers[barrier], memory_order_acquire);
        if (cursor < limit)
            limit = cursor;
    }
    consumer->limit = limit;
}

void ring_consumer_beat(struct ring_consumer *consumer, uint64_t now_ns)
{
    atomic_store_explicit(&consumer->file->consumers[consumer->line].heartbeat_ns, now_ns, memory_order_relaxed);
}

/* ---- observer ---------------------------------------------------------------------------------------------------- */

void ring_observer_open(struct ring_observer *observer, const struct ring *ring, uint64_t seq)
{
    observer->file = ring->file;
    observer->mask = ring->file->header.capacity - 1;
    observer->next = seq;
}

uint64_t ring_observer_oldest(const struct ring_observer *observer)
{
    uint64_t base = observer->file->header.base_seq;
    uint64_t hint = atomic_load_explicit(&observer->file->producer.cursor, memory_order_acquire);
    uint64_t kept = observer->file->header.capacity - observer->file->header.capacity / 4;
    return hint > base + kept ? hint - kept : base;
}

uint64_t ring_observer_skip(struct ring_observer *observer)
{
    uint64_t overrun = observer->next;
    uint64_t oldest = ring_observer_oldest(observer);
    observer->next = oldest > overrun ? oldest : overrun + 1; /* a cursor may be older than what we know */
    return observer->next - overrun;
}
