/*
 * What the letters and numbers of the protocol are called in the tables: lower-case words that people query for.
 *
 * Rules
 *   1. Each function returns NULL for 0, which is NULL in the table, and "unknown" for what the protocol does not have.
 *   2. No name is longer than COPY_TEXT_BYTES_MAX.
 *
 * No system calls, no allocation.
 */
#ifndef RINGSIDE_PERSISTER_ENCODE_NAMES_H
#define RINGSIDE_PERSISTER_ENCODE_NAMES_H

#include <stdint.h>

const char *name_side(uint8_t letter);
const char *name_time_in_force(uint8_t letter);
const char *name_display(uint8_t letter);
const char *name_capacity(uint8_t letter);
const char *name_liquidity(uint8_t letter);
const char *name_market_state(uint8_t letter);
const char *name_cancel_reason(uint8_t letter);
const char *name_break_reason(uint8_t letter);
const char *name_reject_reason(uint16_t reason);
const char *name_request(uint8_t command_kind);

/* accepted, refused or closed. */
const char *name_login_result(uint8_t event_kind);

/* Why a login was refused, and why a connection ended: the letters of SoupBinTCP and of LOGOUT. */
const char *name_login_reason(uint8_t letter);
const char *name_logout_reason(uint8_t letter);

/* What an operator asked for; and why it was refused, by the engine's number. */
const char *name_action(uint8_t command_kind, uint8_t flag);
const char *name_refusal(uint8_t letter);

#endif
