/*
 * A ring's producer, but for the hot path (ring.h): taking up the work of the one before, and looking how far the
 * gating consumers are.
 *
 * Rules
 *   1. The slots say where the ring ends. The line's cursor is a hint that saves looking at all of them.
 *   2. A ring that contradicts itself is refused, with the place: going on would lose records or tell them twice.
 */
#include "ring/ring.h"

#include "base/trace.h"
#include "env/clock.h"
#include "ring/owner.h"

#include <unistd.h>

static uint64_t slot_word(const struct ring_file *file, uint64_t seq)
{
    return atomic_load_explicit(&file->slots[seq & (file->header.capacity - 1)].word, memory_order_acquire);
}

/* One more than the highest sequence that is complete anywhere, for a hint that is more than a round old. */
static uint64_t above_all_complete(const struct ring_file *file)
{
    uint64_t above = file->header.base_seq;
    for (uint64_t slot = 0; slot < file->header.capacity; slot++) {
        uint64_t word = slot_word(file, slot);
        if (!(word & RING_WRITING) && word > above)
            above = word;
    }
    return above;
}

/*
 * The records before the end are complete, all of them; the highest complete one may stand after it, for a pair of
 * records is published second slot first (docs/decisions/0005). So the end is the lowest mark below the highest.
 */
static uint64_t end_by_all_slots(const struct ring_file *file)
{
    uint64_t above = above_all_complete(file);
    uint64_t base = file->header.base_seq;
    uint64_t lowest = above - base > file->header.capacity ? above - file->header.capacity : base;
    for (uint64_t seq = lowest; seq < above; seq++)
        if (slot_word(file, seq) == (seq | RING_WRITING))
            return seq;
    return above;
}

static int wrong_word(const struct ring_file *file, uint64_t seq, struct error *error)
{
    return error_set(error, ERROR_CORRUPT, file->header.name, "the slot of record %lu holds the word %#lx", seq,
                     slot_word(file, seq));
}

/* The slot after the end: being written, or as the round before left it. Anything else was written by nobody of us. */
static bool may_be_end(const struct ring_file *file, uint64_t end)
{
    uint64_t capacity = file->header.capacity;
    uint64_t word = slot_word(file, end);
    uint64_t before = end - file->header.base_seq >= capacity ? end + 1 - capacity : 0;
    return word == before || word == (end | RING_WRITING);
}

/* The cursor may lag behind the slots, by a burst as a rule; it can never be ahead of them. */
static int find_end(const struct ring_file *file, uint64_t *ret_end, struct error *error)
{
    uint64_t cursor = atomic_load_explicit(&file->producer.cursor, memory_order_acquire);
    uint64_t base = file->header.base_seq;
    if (cursor < base)
        return error_set(error, ERROR_CORRUPT, file->header.name, "cursor %lu before the first sequence %lu", cursor,
                         base);
    if (cursor > base && (slot_word(file, cursor - 1) & ~RING_WRITING) < cursor)
        return error_set(error, ERROR_CORRUPT, file->header.name,
                         "record %lu is not there, though the cursor is past it", cursor - 1);
    uint64_t end = cursor;
    while (end - cursor < file->header.capacity && slot_word(file, end) == end + 1)
        end++;
    /* A later round in the slot where the walk ended: the walk began in the past. */
    if ((slot_word(file, end) & ~RING_WRITING) > end + 1)
        end = end_by_all_slots(file);
    if (!may_be_end(file, end))
        return wrong_word(file, end, error);
    *ret_end = end;
    return 0;
}

/* A gating cursor stands at most a round behind the end and never after it. */
static int check_gating(const struct ring_file *file, uint64_t end, struct error *error)
{
    for (uint32_t line = 0; line < file->header.gating_count; line++) {
        uint64_t cursor = atomic_load_explicit(&file->consumers[line].cursor, memory_order_acquire);
        if (cursor > end || end - cursor > file->header.capacity)
            return error_set(error, ERROR_CORRUPT, file->header.name,
                             "cursor %lu of \"%.24s\" does not go with the last record %lu", cursor,
                             file->consumers[line].name, end - 1);
    }
    return 0;
}

/*
 * The second slot of a pair may be complete though its first is not. It is not told yet, and will be written anew, so
 * it must not be taken for whole once the first is.
 */
static void retract_after(struct ring_file *file, uint64_t end)
{
    for (uint64_t seq = end + 1; slot_word(file, seq) == seq + 1; seq++)
        atomic_store_explicit(&file->slots[seq & (file->header.capacity - 1)].word, seq | RING_WRITING,
                              memory_order_release);
}

int ring_producer_open(struct ring_producer *producer, struct ring *ring, uint32_t doorbell, struct error *error)
{
    REQUIRE(ring->writable);
    uint64_t next = 0;
    int result = find_end(ring->file, &next, error);
    if (result == 0)
        result = check_gating(ring->file, next, error);
    if (result < 0)
        return result;
    retract_after(ring->file, next);
    RING_HOOK("producer open: before its line");
    struct ring_producer_line *line = &ring->file->producer;
    atomic_store_explicit(&line->pid, (uint32_t)getpid(), memory_order_relaxed);
    atomic_store_explicit(&line->start_time, owner_start_time(), memory_order_relaxed);
    atomic_store_explicit(&line->doorbell, doorbell, memory_order_relaxed);
    atomic_store_explicit(&line->blocked_since_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&line->blocked_on, RING_NOBODY, memory_order_relaxed);
    atomic_fetch_add_explicit(&line->epoch, 1, memory_order_release);
    *producer = (struct ring_producer){
        .file = ring->file,
        .mask = ring->file->header.capacity - 1,
        .next = next,
        .limit = next,
        .waits = {.on = RING_NOBODY},
    };
    ring_producer_refresh(producer);
    ring_flush(producer);
    return 0;
}

static uint64_t slowest_gating(const struct ring_file *file, uint32_t *ret_line)
{
    uint64_t slowest = UINT64_MAX;
    for (uint32_t line = 0; line < file->header.gating_count; line++) {
        uint64_t cursor = atomic_load_explicit(&file->consumers[line].cursor, memory_order_acquire);
        RING_HOOK("refresh: a cursor read");
        if (cursor < slowest) {
            slowest = cursor;
            *ret_line = line;
        }
    }
    return slowest;
}

/* The wait for one consumer is over, or another one is waited for now. */
static void wait_for(struct ring_producer *producer, uint32_t on, uint64_t now_ns)
{
    struct ring_waits *waits = &producer->waits;
    const struct ring_file *file = producer->file;
    if (waits->on != RING_NOBODY) {
        waits->blocked_ns[waits->on] += now_ns - waits->since_ns;
        TRACE3(ring_free, file->header.name, file->consumers[waits->on].name, now_ns - waits->since_ns);
    }
    if (on != RING_NOBODY) {
        waits->stall_counts[on]++;
        TRACE2(ring_full, file->header.name, file->consumers[on].name);
    }
    waits->on = on;
    waits->since_ns = now_ns;
}

uint64_t ring_producer_blocked_ns(const struct ring_producer *producer, uint32_t line, uint64_t now_ns)
{
    const struct ring_waits *waits = &producer->waits;
    bool going_on = waits->on == line && now_ns > waits->since_ns;
    return waits->blocked_ns[line] + (going_on ? now_ns - waits->since_ns : 0);
}

static void note_blocked(struct ring_producer *producer, uint32_t on)
{
    struct ring_producer_line *line = &producer->file->producer;
    if (producer->waits.on == on)
        return;
    uint64_t now_ns = clock_monotonic_ns();
    wait_for(producer, on, now_ns);
    atomic_store_explicit(&line->blocked_on, on, memory_order_relaxed);
    if (atomic_load_explicit(&line->blocked_since_ns, memory_order_relaxed) != 0)
        return;
    atomic_store_explicit(&line->blocked_since_ns, now_ns, memory_order_relaxed);
    uint64_t stalls = atomic_load_explicit(&line->stall_count, memory_order_relaxed);
    atomic_store_explicit(&line->stall_count, stalls + 1, memory_order_relaxed);
}

static void note_free(struct ring_producer *producer)
{
    struct ring_producer_line *line = &producer->file->producer;
    if (producer->waits.on == RING_NOBODY)
        return;
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t since = atomic_load_explicit(&line->blocked_since_ns, memory_order_relaxed);
    uint64_t total = atomic_load_explicit(&line->blocked_ns_total, memory_order_relaxed);
    wait_for(producer, RING_NOBODY, now_ns);
    atomic_store_explicit(&line->blocked_ns_total, total + now_ns - since, memory_order_relaxed);
    atomic_store_explicit(&line->blocked_since_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&line->blocked_on, RING_NOBODY, memory_order_relaxed);
}

void ring_producer_refresh(struct ring_producer *producer)
{
    struct ring_file *file = producer->file;
    uint32_t line = RING_NOBODY;
    uint64_t slowest = slowest_gating(file, &line);
    /* Without gating consumers nobody holds the producer. */
    producer->limit = slowest == UINT64_MAX ? UINT64_MAX : slowest + file->header.capacity;
    REQUIRE(producer->limit >= producer->next);
    if (producer->limit == producer->next)
        note_blocked(producer, line);
    else
        note_free(producer);
}

void ring_producer_beat(struct ring_producer *producer, uint64_t now_ns)
{
    atomic_store_explicit(&producer->file->producer.heartbeat_ns, now_ns, memory_order_relaxed);
}
