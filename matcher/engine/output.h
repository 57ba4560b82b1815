/*
 * Writing events. event_begin opens the next one, in its place in the caller's memory, with everything up to the
 * payload filled in; the caller writes all of the payload, reserved bytes too.
 *
 * Rules
 *   1. An event is written once, front to back, in whole words where fields are narrow: the step's hash reads it as
 * words a few ns later, and a word is only at hand so soon if it was stored as one.
 *   2. Whoever tells a session something takes its number by message_no; the order of those calls is the order of the
 *      session's stream.
 */
#ifndef RINGSIDE_ENGINE_OUTPUT_H
#define RINGSIDE_ENGINE_OUTPUT_H

#include "state.h"

#include <stdatomic.h>
#include <string.h>

/* The header of an event, from kind on. */
struct event_header {
    uint8_t kind;
    uint8_t flags;
    uint8_t user_ref_index;
    uint8_t side;
    uint8_t reason;
    uint32_t instrument;
    uint32_t session;
    uint32_t message_no;
    uint32_t user_ref;
};

static inline uint32_t message_no(struct engine *engine, uint32_t session)
{
    /* Memory is one arena, laid out at create; the analyzer believes that it could be NULL. */
    return ++engine->sessions[session].message_no; // NOLINT(clang-analyzer-core.NullDereference)
}

static inline struct event *event_place(const struct engine *engine, uint64_t event_seq)
{
    return &engine->output.events[event_seq & engine->output.mask];
}

static inline void put_word(struct event *event, size_t offset, uint64_t word)
{
    memcpy((uint8_t *)event + offset, &word, sizeof(word));
}

static inline struct event *event_begin(struct engine *engine, struct event_header header)
{
    uint64_t event_seq = engine->event_seq_next++;
    struct event *event = event_place(engine, event_seq);
    uint64_t mark = engine->output.slot_mark ? engine->output.slot_mark | event_seq : 0;
    __atomic_store_n(&event->head.slot_word, mark, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    put_word(event, offsetof(struct event, head.received_ns_low), 0);
    event->event_seq = event_seq;
    event->command_seq = engine->command_seq;
    event->time_ns = engine->time_ns;
    uint32_t kind = (engine->event_index++ & 0xffff) | (uint32_t)header.kind << 16 | (uint32_t)header.flags << 24;
    put_word(event, offsetof(struct event, index), two_words(kind, header.instrument));
    put_word(event, offsetof(struct event, session), two_words(header.session, header.message_no));
    uint32_t letters = header.user_ref_index | (uint32_t)engine->shard << 8 | (uint32_t)header.side << 16 |
                       (uint32_t)header.reason << 24;
    put_word(event, offsetof(struct event, user_ref), two_words(header.user_ref, letters));
    return event;
}

/* The payload from `offset` to the end is reserved. */
static inline void event_reserve(struct event *event, size_t offset)
{
    memset((uint8_t *)event + offset, 0, RECORD_BYTES - offset);
}

#define EVENT_PAYLOAD offsetof(struct event, accepted)

/* Flags of a trade, of OUCH. */
struct liquidity {
    uint8_t taker;
    uint8_t maker;
};

/* Two fields of 32 bits that stand side by side, the first at an offset that is a multiple of 8. */
#define PUT_PAIR(event, first, low, high) put_word(event, offsetof(struct event, first), two_words(low, high))

/* CANCELED, MODIFIED: about an order that is or was in a book. */
static inline void event_cut(struct engine *engine, struct event_header header, uint64_t order_ref, int32_t price_ticks,
                             uint32_t decrement, uint32_t leaves_quantity)
{
    struct event *event = event_begin(engine, header);
    event->cut.order_ref = order_ref;
    event->cut.previous_order_ref = 0;
    PUT_PAIR(event, cut.price_ticks, (uint32_t)price_ticks, decrement);
    PUT_PAIR(event, cut.leaves_quantity, leaves_quantity, 0);
    event_reserve(event, offsetof(struct event, cut.prevented_ticks));
}

#endif
