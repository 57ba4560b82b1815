#include "cancels.h"

#include "book.h"
#include "check.h"
#include "operators.h"
#include "output.h"
#include "requests.h"
#include "sessions.h"
#include "tour.h"

#include <string.h>

void order_cancel(struct engine *engine, uint32_t index, uint8_t reason)
{
    const struct order *order = &engine->orders[index];
    order_told_cut(engine, order, EVENT_CANCELED, reason, order_flags(order), 0);
    order_leave(engine, index);
}

bool expiry_cancel(struct engine *engine)
{
    if (engine->expiry_count == 0)
        return false;
    const struct special *special = &engine->specials[engine->expiries[1]];
    if (special->expire_ns > engine->time_ns)
        return false;
    if (must_pause(engine))
        return true;
    engine->touched_instrument = order_instrument(&engine->orders[special->order]);
    order_cancel(engine, special->order, 'T');
    return true;
}

/* ---- beginning ----------------------------------------------------------------------------------------------------
 */

static void sweep_begin(struct engine *engine, const struct cancel_sweep *cancel)
{
    engine->cancel = *cancel;
    engine->work.sweep = SWEEP_CANCELS;
}

void cancels_of_day(struct engine *engine)
{
    sweep_begin(engine, &(struct cancel_sweep){.tour = {.instrument = 1},
                                               .instrument_last = engine->instrument_count,
                                               .cancels = CANCELS_OF_DAY,
                                               .reason = 'Z'});
}

void cancels_of_sessions(struct engine *engine)
{
    if (engine->work.cancel_due_count == 0)
        return;
    sweep_begin(engine, &(struct cancel_sweep){.tour = {.instrument = 1},
                                               .instrument_last = engine->instrument_count,
                                               .cancels = CANCELS_OF_SESSIONS,
                                               .reason = 'Z'});
}

static uint32_t firm_meant(const struct engine *engine, const struct command *command)
{
    uint32_t firm;
    memcpy(&firm, command->order.firm, sizeof(firm));
    return firm == FIRM_BLANK || firm == 0 ? engine->sessions[command->session].firm : firm;
}

static enum reason mass_cancel_reason(const struct engine *engine, const struct command *command, uint32_t firm)
{
    uint32_t session_firm = engine->sessions[command->session].firm;
    uint8_t side = command->order.side;
    if (firm != session_firm && session_firm != FIRM_BLANK)
        return REASON_FIRM;
    if (command->order.instrument > engine->instrument_count)
        return REASON_SYMBOL;
    return side != 0 && side != ' ' && check_side(side) == CODE_NONE ? REASON_SIDE : REASON_NONE;
}

void request_mass_cancel(struct engine *engine, const struct command *command)
{
    const struct command_order *order = &command->order;
    uint32_t *last = user_ref_last(engine, command->session, order->user_ref_index);
    if (last == NULL) {
        request_reject(engine, command, REASON_PROCESSING);
        return;
    }
    if (command->user_ref <= *last)
        return;
    *last = command->user_ref;
    uint32_t firm = firm_meant(engine, command);
    enum reason reason = mass_cancel_reason(engine, command, firm);
    if (reason != REASON_NONE) {
        request_reject(engine, command, (uint16_t)reason);
        return;
    }
    bool one = order->instrument != 0;
    sweep_begin(engine, &(struct cancel_sweep){.tour = {.instrument = one ? order->instrument : 1},
                                               .instrument_last = one ? order->instrument : engine->instrument_count,
                                               .firm = firm,
                                               .group = order->group,
                                               .session = command->session,
                                               .user_ref = command->user_ref,
                                               .options = order->options,
                                               .cancels = CANCELS_OF_FIRM,
                                               .code = (uint8_t)check_side(order->side),
                                               .user_ref_index = order->user_ref_index,
                                               .reason = 'U',
                                               .flags = answer_flags(command),
                                               .one = one});
}

void orders_cancel(struct engine *engine, const struct command *command)
{
    const struct command_act *act = &command->act;
    uint32_t instrument = act->symbol[0] > ' ' ? instrument_named(engine, act->symbol) : 0;
    uint32_t session = act->user[0] > ' ' ? session_of_user(engine, act->user) : 0;
    if (instrument == 0 && act->symbol[0] > ' ') {
        command_refuse(engine, command, ENGINE_REFUSAL_UNKNOWN_INSTRUMENT);
        return;
    }
    if (session == 0 && act->user[0] > ' ') {
        command_refuse(engine, command, ENGINE_REFUSAL_UNKNOWN_USER);
        return;
    }
    bool one = instrument != 0;
    operator_means(engine, instrument);
    struct cancel_sweep cancel = {.tour = {.instrument = one ? instrument : 1},
                                  .instrument_last = one ? instrument : engine->instrument_count,
                                  .session = session,
                                  .cancels = CANCELS_OF_OPERATOR,
                                  .code = CODE_NONE,
                                  .reason = 'S',
                                  .one = one};
    memcpy(&cancel.firm, act->firm, FIRM_BYTES);
    if (cancel.firm == FIRM_BLANK)
        cancel.firm = 0;
    sweep_begin(engine, &cancel);
}

/* ---- which orders -------------------------------------------------------------------------------------------------
 */

static bool is_of_firm(const struct cancel_sweep *cancel, const struct order *order)
{
    if (order->terms.firm != cancel->firm)
        return false;
    if (cancel->code != CODE_NONE && order_code(order) != cancel->code)
        return false;
    if (cancel->options & OPTION_GROUP && order->terms.group != cancel->group)
        return false;
    return !(cancel->options & OPTION_USER_REF_INDEX) || order_user_ref_index(order) == cancel->user_ref_index;
}

static bool is_of_operator(const struct cancel_sweep *cancel, const struct order *order)
{
    return (cancel->firm == 0 || order->terms.firm == cancel->firm) &&
           (cancel->session == 0 || order_session(order) == cancel->session);
}

static bool is_meant(const struct engine *engine, const struct order *order)
{
    switch ((enum cancels)engine->cancel.cancels) {
    case CANCELS_OF_FIRM:
        return is_of_firm(&engine->cancel, order);
    case CANCELS_OF_SESSIONS:
        return engine->sessions[order_session(order)].cancel_due;
    case CANCELS_AT_CLOSE:
        return order->terms.time_in_force == '0' || order->terms.cross_type != 'N';
    case CANCELS_OF_OPERATOR:
        return is_of_operator(&engine->cancel, order);
    case CANCELS_OF_DAY:
    default:
        return true;
    }
}

/* ---- the end ------------------------------------------------------------------------------------------------------
 */

/* An operator has no stream of messages. */
static void mass_cancel_told(struct engine *engine)
{
    const struct cancel_sweep *cancel = &engine->cancel;
    uint32_t instrument = cancel->one ? cancel->instrument_last : 0;
    uint32_t session = cancel->cancels == CANCELS_OF_FIRM ? cancel->session : 0;
    struct event *event =
        event_begin(engine, (struct event_header){.kind = EVENT_MASS_CANCELED,
                                                  .flags = cancel->flags,
                                                  .instrument = instrument,
                                                  .session = session,
                                                  .message_no = session != 0 ? message_no(engine, session) : 0,
                                                  .user_ref = cancel->user_ref,
                                                  .user_ref_index = cancel->user_ref_index,
                                                  .side = cancel->code == CODE_NONE ? 0 : code_letter(cancel->code)});
    event_reserve(event, EVENT_PAYLOAD);
    memset(event->mass.symbol, ' ', SYMBOL_BYTES);
    if (instrument != 0)
        memcpy(event->mass.symbol, engine->books[instrument].symbol, SYMBOL_BYTES);
    memcpy(event->mass.firm, &cancel->firm, FIRM_BYTES);
    event->mass.options = cancel->options;
    event->mass.group = (uint16_t)cancel->group;
}

static void sessions_done(struct engine *engine)
{
    for (uint32_t session = 1; engine->work.cancel_due_count != 0; session++) {
        engine->work.cancel_due_count -= engine->sessions[session].cancel_due;
        engine->sessions[session].cancel_due = 0;
    }
}

static void cancels_end(struct engine *engine)
{
    engine->work.sweep = SWEEP_NONE;
    switch ((enum cancels)engine->cancel.cancels) {
    case CANCELS_OF_FIRM:
    case CANCELS_OF_OPERATOR:
        if (must_pause(engine))
            engine->work.sweep = SWEEP_CANCELS;
        else
            mass_cancel_told(engine);
        break;
    case CANCELS_OF_SESSIONS:
        sessions_done(engine);
        break;
    case CANCELS_OF_DAY:
        engine->sweep_place = 1;
        engine->work.sweep = SWEEP_DAY_END_SESSIONS;
        break;
    case CANCELS_AT_CLOSE:
        engine->work.sweep = SWEEP_STATES;
        break;
    default:
        break;
    }
}

/* ---- the walk -----------------------------------------------------------------------------------------------------
 */

static bool book_is_empty(const struct book *book)
{
    const uint8_t elsewhere = RARE_HIDDEN_BIDS | RARE_HIDDEN_ASKS | RARE_TRIGGERS | RARE_PEGS | RARE_WAITING;
    return book->sides[SIDE_BUY].best == KEY_NONE && book->sides[SIDE_SELL].best == KEY_NONE &&
           (book->rare & elsewhere) == 0;
}

/* To the next book that has orders; false: there is none. */
static bool book_find(struct engine *engine)
{
    struct cancel_sweep *cancel = &engine->cancel;
    if (engine->live_orders == 0)
        return false;
    while (cancel->tour.instrument <= cancel->instrument_last && book_is_empty(&engine->books[cancel->tour.instrument]))
        cancel->tour.instrument++;
    return cancel->tour.instrument <= cancel->instrument_last;
}

/* Cancels what is meant of the book at hand; false: the step is full. */
static bool book_walk(struct engine *engine)
{
    struct tour *tour = &engine->cancel.tour;
    while (tour->order != 0) {
        uint32_t index = tour->order;
        bool meant = is_meant(engine, &engine->orders[index]);
        if (meant && must_pause(engine))
            return false;
        tour_next(engine, tour);
        if (meant)
            order_cancel(engine, index, engine->cancel.reason);
    }
    return true;
}

void cancels_sweep(struct engine *engine)
{
    struct cancel_sweep *cancel = &engine->cancel;
    if (!cancel->book_begun) {
        if (!book_find(engine)) {
            cancels_end(engine);
            return;
        }
        cancel->tour = tour_begin(engine, cancel->tour.instrument, 0);
        cancel->book_begun = 1;
        engine->touched_instrument = cancel->tour.instrument;
    }
    if (!book_walk(engine))
        return;
    cancel->book_begun = 0;
    cancel->tour.instrument++;
    engine->work.follows = cancel->cancels != CANCELS_AT_CLOSE; /* there the change of state says when it rests */
}
