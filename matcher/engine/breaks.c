#include "breaks.h"

#include "operators.h"
#include "output.h"
#include "sessions.h"

static void told_break(struct engine *engine, const struct trade_note *note, uint64_t match_number, uint8_t reason)
{
    uint32_t maker_codes = note->codes >> NOTE_MAKER_SHIFT;
    uint32_t flags = (note->codes & NOTE_APPENDAGE ? EVENT_HAS_APPENDAGE : 0u) |
                     (maker_codes & NOTE_APPENDAGE ? EVENT_MAKER_APPENDAGE : 0u);
    struct event *event = event_begin(engine, (struct event_header){.kind = EVENT_BROKEN,
                                                                    .flags = (uint8_t)flags,
                                                                    .instrument = note->instrument,
                                                                    .session = note->session,
                                                                    .message_no = message_no(engine, note->session),
                                                                    .user_ref = note->user_ref,
                                                                    .user_ref_index = note->user_ref_index,
                                                                    .side = code_letter(note->codes & NOTE_CODE),
                                                                    .reason = reason});
    event_reserve(event, EVENT_PAYLOAD);
    event->trade.match_number = match_number;
    event->trade.price_ticks = (int32_t)note->price_ticks;
    event->trade.quantity = note->quantity;
    event->trade.maker_session = note->maker_session;
    event->trade.maker_message_no = message_no(engine, note->maker_session);
    event->trade.maker_user_ref = note->maker_user_ref;
    event->trade.maker_user_ref_index = note->maker_user_ref_index;
    event->trade.maker_side = code_letter(maker_codes & NOTE_CODE);
}

void trade_break(struct engine *engine, const struct command *command)
{
    uint64_t match_number = command->trade.match_number;
    if (match_number < engine->trade_first || match_number > engine->match_number_last ||
        engine->match_number_last - match_number > engine->trades_mask) {
        command_refuse(engine, command, ENGINE_REFUSAL_UNKNOWN_TRADE);
        return;
    }
    struct trade_note *note = &engine->trades[match_number & engine->trades_mask];
    operator_means(engine, note->instrument);
    if (note->broken) {
        command_refuse(engine, command, ENGINE_REFUSAL_EXISTS);
        return;
    }
    note->broken = 1;
    told_break(engine, note, match_number, command->trade.reason);
}
