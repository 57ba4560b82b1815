/*
 * libringside_engine: price-time priority matching as a pure function. Commands in, events out (record/command.h,
 * record/event.h); no clock, no file, no allocation, no random number. docs/engine.md tells what each command does.
 *
 * Rules
 *   1. All memory is the caller's: engine_bytes of it, zeroed, aligned to 64. It may be dropped at any time; there is
 *      nothing to close. Reaching a limit is an answer to the client, never a crash or a drop.
 *   2. Commands are applied in order of command_seq, without gaps, from engine_command_seq_next on. Their times never
 *      go back (the sequencer sees to that; the engine compares no times).
 *   3. A step writes at most ENGINE_EVENTS_MAX events. A command that has more to say leaves engine_more true; then
 *      engine_continue goes on with it before anything else is applied. Between steps all books are consistent.
 *   4. The same commands give the same events, byte for byte, and the same hashes, wherever and however compiled.
 *   5. One thread at a time. Two engines share nothing.
 *
 * Events are written where they are to be: number s to output.events[s & output.mask], which may be the slots of a
 * ring.
 */
#ifndef RINGSIDE_ENGINE_H
#define RINGSIDE_ENGINE_H

#include "record/command.h"
#include "record/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENGINE_EVENTS_MAX       32 /* of one step */
#define ENGINE_ORDERS_MAX       (1u << 26)
#define ENGINE_INSTRUMENTS_MAX  (1u << 17)
#define ENGINE_SESSIONS_MAX     (1u << 16)
#define ENGINE_LEVELS_MIN       64u
#define ENGINE_LEVELS_MAX       (1u << 20)
#define ENGINE_MEMORY_ALIGNMENT 64

/* What an engine can hold. A limit of 0 takes the value in brackets; those without one must be given. */
struct engine_limits {
    uint32_t orders_max;      /* live orders at one time; more: rejected, 000A */
    uint32_t instruments_max; /* more: COMMAND_REFUSED */
    uint32_t sessions_max;    /* users that ever logged in; more: LOGIN_REFUSED S */
    uint32_t levels_max;      /* width of the window of prices, in ticks, that are reached at once; a power of two */
    uint32_t channels_max;    /* order-flow channels other than 0, all sessions together [sessions_max] */
    uint32_t pages_max; /* runs of 64 neighbouring prices in windows; more: as far prices [by orders, instruments] */
    uint32_t far_levels_max; /* prices outside the windows; more: rejected, 000A [orders_max / 8, 1024 at least] */
    uint32_t specials_max;   /* live orders with reserve, minimum, peg, trigger or expiry; more: 000A [orders_max / 16,
                                1024 at least] */
    uint32_t movers_max;     /* pegs and trailing stops of one instrument; more: rejected, 000A [1024] */
    uint32_t firms_max;      /* firms with limits or disabled; more: refused [1024] */
    uint32_t trades_max;     /* trades of the day that can be broken, the last ones; a power of two [65536] */
    uint32_t checkpoint_commands; /* a CHECKPOINT after each so many commands [65536]; UINT32_MAX: none */
    uint32_t report_tops;         /* 1: BOOK_TOP events; 0: none */
};

/* Why an administrative command or one that cannot be from its session is refused: event_admin.refused_why. */
enum engine_refusal {
    ENGINE_REFUSAL_NONE = 0,
    ENGINE_REFUSAL_NOT_CONNECTED = 1, /* the session is not connected through that gateway and tenure */
    ENGINE_REFUSAL_UNKNOWN_KIND = 2,
    ENGINE_REFUSAL_DAY_IS_OPEN = 4,
    ENGINE_REFUSAL_NO_DAY_IS_OPEN = 5,
    ENGINE_REFUSAL_DATE = 6, /* not later than the day before */
    ENGINE_REFUSAL_EXISTS = 7,
    ENGINE_REFUSAL_FULL = 8,    /* a limit is reached */
    ENGINE_REFUSAL_INVALID = 9, /* a value that it cannot have */
    ENGINE_REFUSAL_UNKNOWN_INSTRUMENT = 10,
    ENGINE_REFUSAL_UNKNOWN_TRADE = 11, /* not a trade of today, or too long ago */
    ENGINE_REFUSAL_UNKNOWN_USER = 12,  /* never logged in */
};

/* Failures of the caller, not of a command: nothing has been changed. */
enum engine_misuse {
    ENGINE_WRONG_COMMAND_SEQ = -1, /* not the command wanted next */
    ENGINE_UNFINISHED = -2,        /* the command before it has more to say: engine_continue */
};

/*
 * Where events go. slot_mark is OR-ed to the number of each event and stored in its head.slot_word, with a release
 * fence behind it, before any other byte of the event is touched: the mark that a ring's observers look for. With
 * slot_mark 0 heads are left zero.
 */
struct engine_output {
    struct event *events; /* mask + 1 of them, aligned to 8 */
    uint64_t mask;        /* a power of two, ENGINE_EVENTS_MAX or more, less one */
    uint64_t slot_mark;
};

struct engine; /* lies in the caller's memory */

/* NULL, or the rule that the limits break. */
const char *engine_limits_invalid(const struct engine_limits *limits);

/* Bytes of memory that an engine of these limits needs; 0 if the limits are invalid. */
size_t engine_bytes(const struct engine_limits *limits);

/* An empty engine in `memory`; NULL if the limits are invalid or the memory is not aligned. */
struct engine *engine_create(void *memory, const struct engine_limits *limits);

/* Applies one command; returns the number of events written, the last of which is engine_event_seq_next - 1. */
int engine_apply(struct engine *engine, const struct command *command, const struct engine_output *output);

/* Whether the last command has more to say. Never between commands that were finished. */
bool engine_more(const struct engine *engine);

/* Goes on with it: returns as engine_apply does, 0 if there was nothing to go on with (or nothing to say in this step).
 */
int engine_continue(struct engine *engine, const struct engine_output *output);

/*
 * The fast way, for batches: applies the commands that are wanted next, at most `count`, as long as each finds
 * ENGINE_EVENTS_MAX of the `room` places free, and fetches what later ones will need, as far as they are there, into
 * the cache. Stops after one that has more to say. Returns how many were taken up, with the events they wrote in
 * *ret_events, or enum engine_misuse; the commands before a misplaced one have then been applied, so what is at hand
 * should be given up.
 */
struct engine_input {
    const struct command *commands; /* mask + 1 of them, command s at s & mask */
    uint64_t mask;
    uint64_t end; /* the commands before this number are there */
};
int engine_apply_batch(struct engine *engine, const struct engine_input *input, uint32_t count,
                       const struct engine_output *output, uint64_t room, uint64_t *ret_events);

/* ---- snapshots ----------------------------------------------------------------------------------------------------
 */

/* Bytes of an image of the engine as it is now. */
size_t engine_snapshot_bytes(const struct engine *engine);

/* Writes an image; returns its bytes, or 0 if it does not fit or a command has more to say. */
size_t engine_snapshot(const struct engine *engine, void *image, size_t image_bytes);

/*
 * An engine from an image, in `memory` of engine_bytes of these limits, zeroed and aligned as for engine_create. The
 * limits need not be those of the engine that was written, but all that it held must fit, and levels_max be the same.
 * NULL, with *ret_engine set: it goes on as the other would have. Else what is wrong, and the memory is to be zeroed
 * before it is used again.
 */
const char *engine_restore(void *memory, const struct engine_limits *limits, const void *image, size_t image_bytes,
                           struct engine **ret_engine);

/* ---- where it stands ----------------------------------------------------------------------------------------------
 */

uint64_t engine_command_seq_next(const struct engine *engine);
uint64_t engine_event_seq_next(const struct engine *engine);
uint64_t engine_live_orders(const struct engine *engine);

/* Whether a TICK may do something: an order is live that expires, or a session's orders go if it stays away. */
bool engine_timer_armed(const struct engine *engine);

/* Running hash of the bytes 16 to 127 of all events, one after the other. */
uint64_t engine_event_hash(const struct engine *engine);

/* The step that engine_event_hash is made of, for whoever checks events against a CHECKPOINT. Begins with 0. */
uint64_t engine_event_hash_next(uint64_t hash, const struct event *event);

/*
 * A hash of what decides trades: the day, the instruments with their last prices, and every live order. It does not
 * depend on how the state was reached. Counters of messages and user_refs are in the event hash.
 */
uint64_t engine_state_hash(const struct engine *engine);

/* ---- reading the books: for tests and tools, at no cost to the engine ---------------------------------------------
 */

struct engine_order_view {
    uint64_t order_ref;
    uint32_t session;
    uint32_t user_ref;
    uint32_t instrument;
    int32_t price_ticks;
    uint32_t leaves_quantity;
    uint32_t executed_quantity; /* of its chain of replaces; what self-match prevention took is in it */
    uint32_t shown_quantity;
    uint8_t user_ref_index;
    uint8_t side;
    bool displayed; /* at a price, and seen by all */
};

/* Best price of a side ('B' or 'S') and all that stands there; false if the side is empty or there is no such book. */
bool engine_best(const struct engine *engine, uint32_t instrument, char side, int32_t *ret_ticks,
                 uint64_t *ret_quantity);

/* A walk over all live orders of a book, in the order of docs/engine.md: displayed bids, hidden bids, displayed asks,
 * hidden asks, buy stops, sell stops, waiting; best price first, oldest first. */
struct engine_walk {
    uint64_t place[2];
};
void engine_walk_begin(const struct engine *engine, uint32_t instrument, struct engine_walk *walk);
bool engine_walk_next(const struct engine *engine, struct engine_walk *walk, struct engine_order_view *ret_view);

/* The live order that a session calls so; false if there is none. */
bool engine_order_find(const struct engine *engine, uint32_t session, uint8_t user_ref_index, uint32_t user_ref,
                       struct engine_order_view *ret_view);

uint32_t engine_instruments(const struct engine *engine);
uint32_t engine_sessions(const struct engine *engine);

/* NULL, or the rule of its own bookkeeping that does not hold. Looks at everything: for tests. */
const char *engine_invalid(const struct engine *engine);

#endif
