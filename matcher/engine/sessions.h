/*
 * Sessions and the trading day: who owns a session, what all sessions are told at once. Commands of the gateways and of
 * the configuration, not of clients.
 */
#ifndef RINGSIDE_ENGINE_SESSIONS_H
#define RINGSIDE_ENGINE_SESSIONS_H

#include "state.h"

void session_login(struct engine *engine, const struct command *command);
void session_logout(struct engine *engine, const struct command *command);
void session_tenure_begins(struct engine *engine, const struct command *command);
void session_tenure_sweep(struct engine *engine);

/* The grace of sessions that have ended: whether some are due, and their orders become due. */
bool session_grace_is_over(const struct engine *engine);
void session_grace_begin(struct engine *engine);
void session_grace_sweep(struct engine *engine);

void session_block(struct engine *engine, const struct command *command);
void session_kick(struct engine *engine, const struct command *command);
void session_gateway_dead(struct engine *engine, const struct command *command);

/* The session of a user; 0: it never logged in. */
uint32_t session_of_user(const struct engine *engine, const char user[USER_BYTES]);

void day_start(struct engine *engine, const struct command *command);
void day_start_sweep(struct engine *engine);
void day_end(struct engine *engine, const struct command *command);
void day_end_sessions_sweep(struct engine *engine);

/* SYSTEM_EVENT to one session: S or E. */
void session_told_day(struct engine *engine, uint32_t session, uint8_t code);

void instrument_add(struct engine *engine, const struct command *command);
void instrument_limits(struct engine *engine, const struct command *command);

/*
 * Which instrument is meant: by number, else by symbol; false: there is no such. Neither given: true, and
 * *ret_instrument stays.
 */
bool instrument_meant(const struct engine *engine, const struct command_admin *admin, uint32_t *ret_instrument);

/* The instrument of a symbol; 0: there is none. */
uint32_t instrument_named(const struct engine *engine, const char symbol[SYMBOL_BYTES]);

/* INSTRUMENT_ADDED, MARKET_STATE_CHANGED, LIMITS_CHANGED: all that an instrument is. */
void instrument_told(struct engine *engine, uint32_t instrument, uint8_t kind);

/* COMMAND_REFUSED. */
void command_refuse(struct engine *engine, const struct command *command, enum engine_refusal why);

/* BOOK_TOP of the touched book, if it is not as last reported. */
void book_report_top(struct engine *engine);

/* Whether there is one to be told. */
bool book_top_differs(const struct engine *engine);

#endif
