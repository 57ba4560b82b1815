/* Commands back to the OUCH 5.0 messages that they were made from: the other direction of gateway/session_decode.h. */
#ifndef RINGSIDE_CLI_JOURNAL_REQUEST_H
#define RINGSIDE_CLI_JOURNAL_REQUEST_H

#include "record/command.h"

#include <stdint.h>

/*
 * Writes the message of a client's request into `out` (OUCH_MESSAGE_BYTES_MAX); `symbol` is the name of its instrument,
 * or "". Returns its bytes, or 0 if a command of this kind was not made from a message, or the bytes are lost
 * (REFUSED).
 */
uint32_t request_encode(const struct command *command, const char *symbol, uint8_t *out);

#endif
