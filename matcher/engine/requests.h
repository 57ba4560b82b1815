/*
 * What the connected sessions ask for. Each of these handles one kind of command whose session has been found to be
 * connected through the command's gateway and tenure.
 */
#ifndef RINGSIDE_ENGINE_REQUESTS_H
#define RINGSIDE_ENGINE_REQUESTS_H

#include "output.h"
#include "state.h"

/* orders.c */
/* What is not on the straight path (straight.h). */
void request_enter(struct engine *engine, const struct command *command);
void request_replace(struct engine *engine, const struct command *command);

/* changes.c */
/* `guess`: the order that the command most likely means; 0: none. */
void request_cancel(struct engine *engine, const struct command *command, uint32_t guess);
void request_modify(struct engine *engine, const struct command *command);
void request_account_query(struct engine *engine, const struct command *command);
void request_refused(struct engine *engine, const struct command *command);

/* A REJECTED event for this command. */
void request_reject(struct engine *engine, const struct command *command, uint16_t reason);

/* cancels.c */
void request_mass_cancel(struct engine *engine, const struct command *command);

/* match.c: trades the taker with the other side, then the rest of it stands or goes. */
void taker_trade(struct engine *engine);

/* Goes on after a step that was full. */
void taker_trade_on(struct engine *engine);

/* EXECUTED: both have lost the quantity already. */
void executed(struct engine *engine, const struct taker *taker, const struct order *maker, int32_t price_ticks,
              uint32_t quantity, struct liquidity liquidity);

/* arrive.c: what is left of the taker stands at its price; is canceled; there is nothing left. */
void taker_rest(struct engine *engine);
void taker_cancel(struct engine *engine, uint8_t reason);
void taker_end(struct engine *engine);

static inline uint8_t answer_flags(const struct command *command)
{
    return command->flags & COMMAND_HAS_APPENDAGE ? EVENT_HAS_APPENDAGE : 0;
}

/* channels.c: the last user_ref of a channel other than 0; NULL if there is none yet, and no room for one. */
uint32_t *channel_user_ref(struct engine *engine, struct session *session, uint8_t index, bool make);

static inline uint32_t *user_ref_last(struct engine *engine, uint32_t session, uint8_t index)
{
    struct session *self = &engine->sessions[session];
    return LIKELY(index == 0) ? &self->user_ref_last : channel_user_ref(engine, self, index, true);
}

#endif
