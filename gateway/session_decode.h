/* OUCH 5.0 requests: bytes -> command. Pure. */
#ifndef RINGSIDE_GATEWAY_SESSION_DECODE_H
#define RINGSIDE_GATEWAY_SESSION_DECODE_H

#include "record/command.h"

#include <stdint.h>

/*
 * Fills the command from `session` on (session itself, kind, flags, user_ref, payload) from the message in an
 * Unsequenced Data packet; the rest of the record, and the instrument, are the caller's. *ret_symbol: the symbol in the
 * message where an instrument is to be set, else NULL. Returns NULL, or the rule that the message breaks so that it
 * cannot be answered.
 */
const char *session_decode(uint32_t session, const uint8_t *message, uint32_t bytes, struct command *command,
                           const char **ret_symbol);

#endif
