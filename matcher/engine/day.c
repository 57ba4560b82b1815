/*
 * The trading day.
 *
 * DAY_START with no day open: DAY_STARTED, then SYSTEM_EVENT S to every session, whose messages and user_refs begin
 * anew. DAY_END with a day open: every live order is canceled with Z, book by book, bids before asks, best and oldest
 * first; then SYSTEM_EVENT E to every session, then DAY_ENDED. From the configuration (gateway 0), what is already so
 * is passed over; from others it is refused.
 */
#include "book.h"
#include "output.h"
#include "sessions.h"

#define SCANNED_MAX 4096u /* books looked at in one step */

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
        if (command->gateway != 0)
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
    told_day(engine, EVENT_DAY_STARTED);
    engine->sweep_place = 1;
    day_start_sweep(engine);
}

void day_start_sweep(struct engine *engine)
{
    while (engine->sweep_place <= engine->session_count) {
        if (engine->event_seq_next >= engine->step_limit) {
            engine->sweep = SWEEP_DAY_START;
            return;
        }
        struct session *session = &engine->sessions[engine->sweep_place];
        session->message_no = 0;
        session->user_ref_last = 0;
        session->channel_first = 0;
        session_told_day(engine, engine->sweep_place++, 'S');
    }
    engine->sweep = SWEEP_NONE;
}

void day_end(struct engine *engine, const struct command *command)
{
    if (!engine->day_open) {
        if (command->gateway != 0)
            command_refuse(engine, command, ENGINE_REFUSAL_NO_DAY_IS_OPEN);
        return;
    }
    engine->day_open = 0;
    engine->state_hash -= hash_fold(engine->date ^ HASH_ODD_0, HASH_ODD_6);
    engine->sweep_place = 1;
    day_end_orders_sweep(engine);
}

static void cancel_oldest(struct engine *engine, uint32_t instrument, uint32_t side)
{
    struct ladder ladder = ladder_of(engine, instrument, side);
    uint32_t index = level_find(engine, &ladder, (uint32_t)ladder.side->best)->head;
    const struct order *order = &engine->orders[index];
    const struct book *book = &engine->books[instrument];
    uint8_t flags = order->place & PLACE_APPENDAGE ? EVENT_HAS_APPENDAGE : 0;
    event_cut(engine,
              (struct event_header){.kind = EVENT_CANCELED,
                                    .flags = flags,
                                    .instrument = instrument,
                                    .session = order_session(order),
                                    .message_no = message_no(engine, order_session(order)),
                                    .user_ref = order->user_ref,
                                    .user_ref_index = order_user_ref_index(order),
                                    .side = code_letter(order_code(order)),
                                    .reason = 'Z'},
              order_ref(order), key_price(book, side, order->key), order->quantity, 0);
    order_leave(engine, index_slot_of(engine, order_index_key(order), index));
}

/* true: the book is empty. false: the step is full. */
static bool cancel_book(struct engine *engine, uint32_t instrument)
{
    for (uint32_t side = 0; side < 2; side++) {
        while (engine->books[instrument].sides[side].best != KEY_NONE) {
            if (engine->event_seq_next >= engine->step_limit)
                return false;
            cancel_oldest(engine, instrument, side);
        }
    }
    return true;
}

void day_end_orders_sweep(struct engine *engine)
{
    engine->sweep = SWEEP_DAY_END_ORDERS;
    for (uint32_t scanned = 0; engine->live_orders != 0; scanned++) {
        if (scanned == SCANNED_MAX || !cancel_book(engine, engine->sweep_place))
            return;
        book_report_top(engine);
        engine->sweep_place++;
    }
    engine->sweep_place = 1;
    day_end_sessions_sweep(engine);
}

void day_end_sessions_sweep(struct engine *engine)
{
    engine->sweep = SWEEP_DAY_END_SESSIONS;
    while (engine->sweep_place <= engine->session_count) {
        if (engine->event_seq_next >= engine->step_limit)
            return;
        session_told_day(engine, engine->sweep_place++, 'E');
    }
    engine->sweep = SWEEP_NONE;
    told_day(engine, EVENT_DAY_ENDED);
}
