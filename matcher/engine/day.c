/*
 * The trading day.
 *
 * DAY_START with no day open: DAY_STARTED, then SYSTEM_EVENT S to every session, whose messages and user_refs begin
 * anew. DAY_END with a day open: every live order is canceled with Z (cancels.h); then SYSTEM_EVENT E to every session,
 * then DAY_ENDED. What is already so is refused, or passed over (if_needed).
 */
#include "cancels.h"
#include "operators.h"
#include "output.h"
#include "sessions.h"

static void told_day(struct engine *engine, uint8_t kind)
{
    struct event *event = event_begin(engine, (struct event_header){.kind = kind});
    event_reserve(event, EVENT_PAYLOAD);
    event->day.date = engine->date;
    event->day.midnight_ns = engine->midnight_ns;
}

void day_start(struct engine *engine, const struct command *command)
{
    if (engine->day_open) {
        if (!if_needed(command))
            command_refuse(engine, command, ENGINE_REFUSAL_DAY_IS_OPEN);
        return;
    }
    if (command->day.date <= engine->date) {
        command_refuse(engine, command, ENGINE_REFUSAL_DATE);
        return;
    }
    engine->day_open = 1;
    engine->date = command->day.date;
    engine->midnight_ns = command->day.midnight_ns;
    engine->state_hash += hash_fold(engine->date ^ HASH_ODD_0, HASH_ODD_6);
    engine->channel_count = 0;
    engine->trade_first = engine->match_number_last + 1;
    told_day(engine, EVENT_DAY_STARTED);
    engine->sweep_place = 1;
    day_start_sweep(engine);
}

void day_start_sweep(struct engine *engine)
{
    while (engine->sweep_place <= engine->session_count) {
        if (engine->event_seq_next >= engine->step_limit) {
            engine->work.sweep = SWEEP_DAY_START;
            return;
        }
        struct session *session = &engine->sessions[engine->sweep_place];
        session->message_no = 0;
        session->user_ref_last = 0;
        session->channel_first = 0;
        session_told_day(engine, engine->sweep_place++, 'S');
    }
    engine->work.sweep = SWEEP_NONE;
}

void day_end(struct engine *engine, const struct command *command)
{
    if (!engine->day_open) {
        if (!if_needed(command))
            command_refuse(engine, command, ENGINE_REFUSAL_NO_DAY_IS_OPEN);
        return;
    }
    engine->day_open = 0;
    engine->state_hash -= hash_fold(engine->date ^ HASH_ODD_0, HASH_ODD_6);
    cancels_of_day(engine);
}

void day_end_sessions_sweep(struct engine *engine)
{
    engine->work.sweep = SWEEP_DAY_END_SESSIONS;
    while (engine->sweep_place <= engine->session_count) {
        if (engine->event_seq_next >= engine->step_limit)
            return;
        session_told_day(engine, engine->sweep_place++, 'E');
    }
    engine->work.sweep = SWEEP_NONE;
    told_day(engine, EVENT_DAY_ENDED);
}
