/*
 * One command at a time: what it is, whose it is, and what ends it.
 *
 * A command's events end with the BOOK_TOP it caused, if any, and, each so many commands, with a CHECKPOINT. The last
 * one says that it is the last. The running hash takes events when they are some commands old, or when somebody asks:
 * words that have just been written can not yet be read as vectors.
 *
 * What every command goes through is one piece of code, without calls (ALWAYS_INLINE).
 */
#include "breaks.h"
#include "cancels.h"
#include "firms.h"
#include "follow.h"
#include "operators.h"
#include "output.h"
#include "prefetch.h"
#include "requests.h"
#include "sessions.h"
#include "states.h"
#include "straight.h"

#include <string.h>

/* ---- what a command is --------------------------------------------------------------------------------------------
 */

static void apply_rarer(struct engine *engine, const struct command *command)
{
    switch ((enum command_kind)command->kind) {
    case COMMAND_REPLACE:
        request_replace(engine, command);
        break;
    case COMMAND_MODIFY:
        request_modify(engine, command);
        break;
    case COMMAND_ACCOUNT_QUERY:
        request_account_query(engine, command);
        break;
    case COMMAND_REFUSED:
        request_refused(engine, command);
        break;
    case COMMAND_MASS_CANCEL:
        request_mass_cancel(engine, command);
        break;
    case COMMAND_DISABLE:
    case COMMAND_ENABLE:
        request_switch(engine, command);
        break;
    case COMMAND_ENTER:
    case COMMAND_CANCEL:
    case COMMAND_LOGIN:
    case COMMAND_LOGOUT:
    case COMMAND_TENURE_BEGINS:
    case COMMAND_TICK:
    case COMMAND_DAY_START:
    case COMMAND_DAY_END:
    case COMMAND_INSTRUMENT_ADD:
    case COMMAND_MARKET_STATE:
    case COMMAND_INSTRUMENT_LIMITS:
    case COMMAND_FIRM_LIMITS:
    case COMMAND_TRADE_BREAK:
    case COMMAND_SESSION_BLOCK:
    case COMMAND_SNAPSHOT_MARK:
    case COMMAND_SESSION_KICK:
    case COMMAND_GATEWAY_DEAD:
    case COMMAND_FIRM_SWITCH:
    case COMMAND_ORDERS_CANCEL:
    default:
        ENGINE_REQUIRE(false); /* dispatch sends the other requests alone */
    }
}

/* What operators do to members. */
static void apply_act(struct engine *engine, const struct command *command)
{
    if (command->kind == COMMAND_SESSION_KICK)
        session_kick(engine, command);
    else if (command->kind == COMMAND_GATEWAY_DEAD)
        session_gateway_dead(engine, command);
    else if (command->kind == COMMAND_FIRM_SWITCH)
        firm_switch(engine, command);
    else
        orders_cancel(engine, command);
}

static void apply_other(struct engine *engine, const struct command *command)
{
    if (UNLIKELY(command->gateway == OPERATOR_GATEWAY))
        operator_asks(engine, command);
    switch ((enum command_kind)command->kind) {
    case COMMAND_LOGIN:
        session_login(engine, command);
        break;
    case COMMAND_LOGOUT:
        session_logout(engine, command);
        break;
    case COMMAND_TENURE_BEGINS:
        session_tenure_begins(engine, command);
        break;
    case COMMAND_DAY_START:
        day_start(engine, command);
        break;
    case COMMAND_DAY_END:
        day_end(engine, command);
        break;
    case COMMAND_INSTRUMENT_ADD:
        instrument_add(engine, command);
        break;
    case COMMAND_TICK:
        if (session_grace_is_over(engine))
            session_grace_begin(engine);
        else if (engine->expiry_count != 0)
            engine->work.sweep = SWEEP_EXPIRY;
        break;
    case COMMAND_SNAPSHOT_MARK:
        break;
    case COMMAND_MARKET_STATE:
        market_state(engine, command);
        break;
    case COMMAND_INSTRUMENT_LIMITS:
        instrument_limits(engine, command);
        break;
    case COMMAND_FIRM_LIMITS:
        firm_limits(engine, command);
        break;
    case COMMAND_TRADE_BREAK:
        trade_break(engine, command);
        break;
    case COMMAND_SESSION_BLOCK:
        session_block(engine, command);
        break;
    case COMMAND_SESSION_KICK:
    case COMMAND_GATEWAY_DEAD:
    case COMMAND_FIRM_SWITCH:
    case COMMAND_ORDERS_CANCEL:
        apply_act(engine, command);
        break;
    case COMMAND_ENTER:
    case COMMAND_REPLACE:
    case COMMAND_CANCEL:
    case COMMAND_MODIFY:
    case COMMAND_MASS_CANCEL:
    case COMMAND_DISABLE:
    case COMMAND_ENABLE:
    case COMMAND_ACCOUNT_QUERY:
    case COMMAND_REFUSED:
    default:
        command_refuse(engine, command, ENGINE_REFUSAL_UNKNOWN_KIND);
        break;
    }
}

ALWAYS_INLINE bool connected(const struct engine *engine, const struct command *command)
{
    return LIKELY(command->session - 1 < engine->session_count) &&
           engine->sessions[command->session].owner == owner_of(command->gateway, command->tenure);
}

/* The name that an entry gives its order. */
static inline struct index_key own_name(const struct command *command)
{
    return (struct index_key){command->session, command->user_ref, command->order.user_ref_index};
}

static __attribute__((noinline)) void dispatch_rarer(struct engine *engine, const struct command *command)
{
    if ((uint32_t)command->kind - COMMAND_ENTER > COMMAND_REFUSED - COMMAND_ENTER)
        apply_other(engine, command);
    else if (!connected(engine, command))
        command_refuse(engine, command, ENGINE_REFUSAL_NOT_CONNECTED);
    else
        apply_rarer(engine, command);
}

ALWAYS_INLINE void dispatch(struct engine *engine, const struct command *command, const struct look *look)
{
    bool is_cancel = command->kind == COMMAND_CANCEL;
    if (UNLIKELY((!is_cancel && command->kind != COMMAND_ENTER) || !connected(engine, command)))
        dispatch_rarer(engine, command);
    else if (is_cancel)
        request_cancel(engine, command, look ? look->order : 0);
    else if (UNLIKELY(!straight_enter(engine, command, &engine->sessions[command->session],
                                      look ? look->hash : index_hash(own_name(command)))))
        request_enter(engine, command);
}

/* ---- steps --------------------------------------------------------------------------------------------------------
 */

/* All but the `young` last ones. */
ALWAYS_INLINE void hash_but(struct engine *engine, uint64_t young)
{
    uint64_t hash = engine->event_hash;
    uint64_t seq = engine->hashed_next;
    for (; seq + young < engine->event_seq_next; seq++)
        hash = hash_event(hash, event_place(engine, seq));
    engine->event_hash = hash;
    engine->hashed_next = seq;
}

static void hash_events(struct engine *engine)
{
    hash_but(engine, 0);
}

static void mark_last(struct engine *engine)
{
    event_place(engine, engine->event_seq_next - 1)->flags |= EVENT_LAST_OF_COMMAND;
}

static void checkpoint(struct engine *engine)
{
    struct event *event =
        event_begin(engine, (struct event_header){.kind = EVENT_CHECKPOINT, .flags = EVENT_LAST_OF_COMMAND});
    event_reserve(event, EVENT_PAYLOAD);
    event->checkpoint.command_seq = engine->command_seq;
    event->checkpoint.event_hash = engine->event_hash;
    event->checkpoint.state_hash = engine->state_hash;
    event->checkpoint.live_order_count = engine->live_orders;
}

ALWAYS_INLINE void step_begin(struct engine *engine)
{
    engine->step_limit = engine->event_seq_next + ENGINE_EVENTS_MAX - EVENTS_AT_END;
    engine->pauses = 0;
}

/* The command is done: what its end brings. */
ALWAYS_INLINE void command_finish(struct engine *engine)
{
    if (engine->touched)
        book_report_top(engine);
    if (UNLIKELY(engine->command_seq == engine->checkpoint_next)) {
        hash_events(engine);
        checkpoint(engine);
        engine->checkpoint_next += engine->limits.checkpoint_commands;
        return;
    }
    if (engine->event_index != 0)
        mark_last(engine);
}

/* ---- commands of many steps ---- */

static void expiry_sweep(struct engine *engine)
{
    if (expiry_cancel(engine))
        engine->work.follows = !engine->pauses;
    else
        engine->work.sweep = SWEEP_NONE;
}

static void sweep_one(struct engine *engine)
{
    switch ((enum sweep)engine->work.sweep) {
    case SWEEP_DAY_START:
        day_start_sweep(engine);
        engine->pauses = engine->work.sweep == SWEEP_DAY_START;
        break;
    case SWEEP_DAY_END_SESSIONS:
        day_end_sessions_sweep(engine);
        engine->pauses = engine->work.sweep == SWEEP_DAY_END_SESSIONS;
        break;
    case SWEEP_TENURE:
        session_tenure_sweep(engine);
        engine->pauses = engine->work.sweep == SWEEP_TENURE;
        break;
    case SWEEP_GRACE:
        session_grace_sweep(engine);
        engine->pauses = engine->work.sweep == SWEEP_GRACE;
        break;
    case SWEEP_CANCELS:
        cancels_sweep(engine);
        break;
    case SWEEP_STATES:
        states_sweep(engine);
        break;
    case SWEEP_EXPIRY:
        expiry_sweep(engine);
        break;
    case SWEEP_NONE:
    default:
        break;
    }
}

/* One thing that follows in the book at hand; or it has come to rest, and is reported if others come after it. */
static void follow_on(struct engine *engine)
{
    if (follow_one(engine))
        return;
    if (engine->work.sweep != SWEEP_NONE && book_top_differs(engine) && must_pause(engine))
        return;
    engine->work.follows = 0;
    engine->round_first_ticks = 0;
    if (engine->work.sweep != SWEEP_NONE)
        book_report_top(engine);
}

/* Goes on with whatever the command at hand has left, the innermost first, until nothing is or the step is full. */
static void go_on(struct engine *engine)
{
    while (!engine->pauses) {
        if (engine->work.taking != TAKING_NOTHING) {
            if (!must_pause(engine))
                taker_trade_on(engine);
        } else if (engine->work.follows) {
            follow_on(engine);
        } else if (engine->work.sweep != SWEEP_NONE) {
            sweep_one(engine);
        } else if (engine->work.cancel_due_count != 0) {
            cancels_of_sessions(engine);
        } else if (engine->work.tells_operator) {
            operator_told(engine);
        } else {
            return;
        }
    }
}

static inline bool unfinished(const struct engine *engine)
{
    uint64_t word;
    memcpy(&word, &engine->work, sizeof(word));
    return word != 0;
}

/* true: the command is done. */
ALWAYS_INLINE bool step_finish(struct engine *engine)
{
    if (UNLIKELY(unfinished(engine))) {
        go_on(engine);
        if (unfinished(engine))
            return false;
    }
    command_finish(engine);
    return true;
}

ALWAYS_INLINE bool apply(struct engine *engine, const struct command *command, const struct look *look)
{
    step_begin(engine);
    engine->command_seq = command->command_seq;
    engine->time_ns = command->time_ns;
    engine->shard = command->shard;
    engine->event_index = 0;
    engine->touched = 0;
    engine->round_first_ticks = 0;
    dispatch(engine, command, look);
    /* A sweep says for itself when a book has come to rest. */
    if (UNLIKELY(follow_concerns(engine)) && (engine->touched | engine->round_first_ticks) != 0 &&
        engine->work.sweep == SWEEP_NONE)
        engine->work.follows = 1;
    return step_finish(engine);
}

/* The end of a step that stands alone: the number of its events, the first of which was `first`. */
static int step_told(struct engine *engine, uint64_t first)
{
    uint64_t count = engine->event_seq_next - first;
    ENGINE_REQUIRE(count <= ENGINE_EVENTS_MAX);
    hash_events(engine);
    return (int)count;
}

int engine_apply(struct engine *engine, const struct command *command, const struct engine_output *output)
{
    if (command->command_seq != engine->command_seq + 1)
        return ENGINE_WRONG_COMMAND_SEQ;
    if (unfinished(engine))
        return ENGINE_UNFINISHED;
    engine->output = *output;
    uint64_t first = engine->event_seq_next;
    apply(engine, command, NULL);
    return step_told(engine, first);
}

bool engine_more(const struct engine *engine)
{
    return unfinished(engine);
}

int engine_continue(struct engine *engine, const struct engine_output *output)
{
    if (!unfinished(engine))
        return 0;
    engine->output = *output;
    uint64_t first = engine->event_seq_next;
    step_begin(engine);
    step_finish(engine);
    return step_told(engine, first);
}

/* ---- batches ------------------------------------------------------------------------------------------------------
 */

/* So many of the last events are still on their way to the cache. */
#define EVENTS_YOUNG 2u
#define HASH_EVERY   16u /* commands */

/* Below so many live orders everything is in the cache anyway, and looking ahead costs more than it gives. */
#define LOOK_AHEAD_ORDERS_MIN 4096u

/* With up to so many books the levels of all are in the cache. */
#define LOOK_AT_CHANGES_BOOKS_MAX 16u

enum looking { LOOKING_NOWHERE, LOOKING_AT_CHANGES, LOOKING_AT_ALL };

/* Commands taken, or negative. One of its own for each way of looking. */
ALWAYS_INLINE int apply_batch(struct engine *engine, const struct engine_input *input, uint64_t end, uint64_t event_end,
                              enum looking looking)
{
    uint64_t first = engine->command_seq + 1;
    uint64_t seq = first;
    for (; seq < end && engine->event_seq_next <= event_end; seq++) {
        const struct command *command = &input->commands[seq & input->mask];
        if (UNLIKELY(command->command_seq != seq))
            return ENGINE_WRONG_COMMAND_SEQ;
        if (looking == LOOKING_AT_ALL && (seq % LOOK_EVERY == 0 || seq == first))
            look_ahead(engine, input, seq, seq == first);
        if (looking == LOOKING_AT_CHANGES && (seq % LOOK_EVERY == 0 || seq == first))
            look_ahead_at_changes(engine, input, seq, seq == first);
        if (seq % HASH_EVERY == 0)
            hash_but(engine, EVENTS_YOUNG);
        if (UNLIKELY(!apply(engine, command, looking != LOOKING_NOWHERE ? look_of(engine, seq) : NULL))) {
            seq++;
            break;
        }
    }
    return (int)(seq - first);
}

int engine_apply_batch(struct engine *engine, const struct engine_input *input, uint32_t count,
                       const struct engine_output *output, uint64_t room, uint64_t *ret_events)
{
    if (unfinished(engine))
        return ENGINE_UNFINISHED;
    uint64_t first = engine->event_seq_next;
    uint64_t end = engine->command_seq + 1 + count;
    end = end < input->end ? end : input->end;
    engine->output = *output;
    int taken = 0;
    uint64_t event_end = first + room - ENGINE_EVENTS_MAX;
    if (UNLIKELY(room < ENGINE_EVENTS_MAX))
        taken = 0;
    else if (engine->live_orders < LOOK_AHEAD_ORDERS_MIN)
        taken = apply_batch(engine, input, end, event_end, LOOKING_NOWHERE);
    else if (engine->instrument_count <= LOOK_AT_CHANGES_BOOKS_MAX)
        taken = apply_batch(engine, input, end, event_end, LOOKING_AT_CHANGES);
    else
        taken = apply_batch(engine, input, end, event_end, LOOKING_AT_ALL);
    hash_events(engine);
    *ret_events = engine->event_seq_next - first;
    return taken;
}
